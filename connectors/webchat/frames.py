"""What a widget may send: every frame is checked here before anything looks at it."""

from __future__ import annotations

from typing import Annotated, Any, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, TypeAdapter, ValidationError

from connectors.rest import explain

MAX_FRAME_BYTES = 64 * 1024
MAX_TEXT = 4000
MAX_FILES = 5

Frame = dict[str, Any]
ClientMessageId = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_-]{8,64}$")]
ConversationId = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{32}$")]
Cursor = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{32}:\d{1,9}$")]
Language = Literal["zh", "en"]


class BadFrame(Exception):
    """A frame is not one of the protocol; the message says what is wrong with it."""

    def __init__(self, message: str, client_msg_id: str | None = None) -> None:
        """``client_msg_id`` is the message it was, so that its widget need not wait for it for ever."""
        super().__init__(message)
        self.client_msg_id = client_msg_id


class _Strict(BaseModel):
    # Fields we do not know are ignored, so that a newer widget can talk to an older service.
    model_config = ConfigDict(strict=True, extra="ignore")


class Hello(_Strict):
    """The first frame: who I am and what I have seen."""

    type: Literal["hello"] = "hello"
    token: Annotated[str, StringConstraints(max_length=200)] | None = None
    language: Language | None = None
    after: Cursor | None = None
    #: Who the site says this is; read by ``site_identity``, because a bad one must not keep the visitor out.
    identity: dict[str, Any] | None = None


class Say(_Strict):
    """A message of the contact."""

    type: Literal["message"] = "message"
    client_msg_id: ClientMessageId
    text: Annotated[str, StringConstraints(max_length=MAX_TEXT)] = ""
    button_id: Annotated[str, StringConstraints(min_length=1, max_length=64)] | None = None
    attachment_ids: Annotated[list[Annotated[str, StringConstraints(max_length=64)]], Field(max_length=MAX_FILES)] = []
    language: Language | None = None
    #: What the form for contact details was given; ``text`` says it as well.
    contact_point: Annotated[str, StringConstraints(min_length=1, max_length=300)] | None = None


class Typing(_Strict):
    """The contact is writing."""

    type: Literal["typing"] = "typing"
    preview: Annotated[str, StringConstraints(max_length=MAX_TEXT)] = ""


class Read(_Strict):
    """The contact has the conversation before their eyes, up to this message."""

    type: Literal["read"] = "read"
    conversation_id: ConversationId
    seq: Annotated[int, Field(ge=1, le=2**31 - 1)]


class Rate(_Strict):
    """What the contact thinks of one conversation; ``other_score`` is for who served them before the last one."""

    type: Literal["rating"] = "rating"
    client_msg_id: ClientMessageId
    conversation_id: ConversationId
    score: Annotated[int, Field(ge=1, le=5)] | None = None
    solved: bool | None = None
    nps: Annotated[int, Field(ge=0, le=10)] | None = None
    other_score: Annotated[int, Field(ge=1, le=5)] | None = None
    never_again: bool = False
    comment: Annotated[str, StringConstraints(max_length=2000)] = ""


class Ping(_Strict):
    """Are you there?"""

    type: Literal["ping"] = "ping"


class _Named(_Strict):
    """Whatever else a frame is, it says which message it was."""

    client_msg_id: ClientMessageId


Model = TypeVar("Model")
ClientFrame = Hello | Say | Typing | Read | Rate | Ping
_ANY: TypeAdapter[ClientFrame] = TypeAdapter(Annotated[ClientFrame, Field(discriminator="type")])


def read_frame(raw: str | bytes) -> ClientFrame:
    """The frame a widget sent; raises ``BadFrame``."""
    if not isinstance(raw, str):
        raise BadFrame("frames are JSON text, not binary")
    if len(raw.encode("utf-8", "surrogatepass")) > MAX_FRAME_BYTES:
        raise BadFrame(f"a frame may have at most {MAX_FRAME_BYTES} bytes; send files to /webchat/files")
    return _checked(_ANY, raw)


def read_as(model: type[Model], raw: bytes) -> Model:
    """The body of a polling request as one kind of frame; raises ``BadFrame``."""
    return _checked(TypeAdapter(model), raw)


def _checked(adapter: TypeAdapter[Model], raw: str | bytes) -> Model:
    try:
        return adapter.validate_json(raw)
    except ValidationError as error:
        raise BadFrame(explain(error), _name_of(raw)) from None


def _name_of(raw: str | bytes) -> str | None:
    try:
        return _Named.model_validate_json(raw).client_msg_id
    except ValidationError:
        return None


def error_frame(code: str, message: str, client_msg_id: str | None = None) -> Frame:
    """What went wrong, and with which message if it was one."""
    frame: Frame = {"type": "error", "code": code, "message": f"{message[:1].upper()}{message[1:].rstrip('.')}."}
    return frame if client_msg_id is None else {**frame, "client_msg_id": client_msg_id}
