"""What the staff API accepts: every body and query is checked here before anything else looks at it."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Literal, Self, TypeVar

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    StringConstraints,
    ValidationError,
    model_validator,
)

from handoff.errors import Refused

MAX_JSON_BYTES = 64 * 1024
_ID = re.compile(r"[0-9a-f]{32}")
Model = TypeVar("Model", bound=BaseModel)


def _without_nul(text: str) -> str:
    return text.replace("\0", "")  # PostgreSQL cannot store it and nobody means it


Prose = Annotated[str, AfterValidator(_without_nul)]
Identifier = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{32}$")]
ClientMessageId = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_.:-]{1,128}$")]


class Body(BaseModel):
    """A JSON object; unknown keys are ignored so that an older service understands a newer console."""

    model_config = ConfigDict(frozen=True, str_strip_whitespace=False)


class SignInBody(Body):
    """Who signs in."""

    email: Annotated[Prose, Field(min_length=3, max_length=254)]
    password: Annotated[str, Field(min_length=1, max_length=1024)]


class CardUse(Body):
    """An assist card that is in a reply; ``cite`` keeps its source with it."""

    id: Identifier
    cite: bool = True


class OriginalBody(Body):
    """What an agent wrote before it was translated for the contact."""

    text: Annotated[Prose, Field(min_length=1, max_length=8000)]
    language: Literal["zh", "en"]


class ReplyBody(Body):
    """What an agent says; ``client_msg_id`` makes a repeat harmless."""

    text: Annotated[Prose, Field(max_length=8000)] = ""
    client_msg_id: ClientMessageId
    attachment_ids: Annotated[tuple[Identifier, ...], Field(max_length=10)] = ()
    read_seq: Annotated[int, Field(ge=0, le=2**31 - 1)] | None = None  #: refuse if a colleague answered after it
    assist: Annotated[tuple[CardUse, ...], Field(max_length=10)] = ()
    original: OriginalBody | None = None


class NoteBody(Body):
    """What an agent writes down for colleagues."""

    text: Annotated[Prose, Field(max_length=8000)]
    client_msg_id: ClientMessageId | None = None


class TransferBody(Body):
    """Who takes the conversation over: an agent, or a team's queue."""

    to_agent_id: Identifier | None = None
    to_team_id: Annotated[str, Field(max_length=32)] | None = None
    note: Annotated[Prose, Field(max_length=2000)] = ""
    over_capacity: bool = False  #: also to somebody who holds as many as they can

    @model_validator(mode="after")
    def _check(self) -> Self:
        if (self.to_agent_id is None) == (self.to_team_id is None):
            raise ValueError("name one of to_agent_id and to_team_id")
        return self


class InviteBody(Body):
    """Which colleague is asked to help."""

    agent_id: Identifier
    note: Annotated[Prose, Field(max_length=2000)] = ""


class ColleagueBody(Body):
    """Which colleague is meant."""

    agent_id: Identifier


class ResolveBody(Body):
    """How a conversation ends; without ``ask`` the contact is not asked for a rating."""

    ask: bool = True


class RequeueBody(Body):
    """Why the conversation goes back to the queue."""

    note: Annotated[Prose, Field(max_length=2000)] = ""


class PresenceBody(Body):
    """Whether the agent takes conversations at the moment."""

    state: Literal["online", "away"]


class SeenBody(Body):
    """How far a conversation has been read."""

    seq: Annotated[int, Field(ge=0, le=2**31 - 1)]


class ConversationsQuery(Body):
    """Which conversations to list."""

    view: Annotated[
        str,
        StringConstraints(pattern=r"^(mine|queued|team|bot|all|snoozed|mentions|resolved|filter:[0-9a-f]{32})$"),
    ] = "mine"
    sort: Literal["newest", "oldest", "waiting", "priority", "opened"] | None = None
    cursor: Annotated[str, StringConstraints(pattern=r"^[\x21-\x7e]{1,300}$")] | None = None
    limit: Annotated[int, Field(ge=1, le=100)] = 50


class MessagesQuery(Body):
    """Which messages of a conversation to read."""

    after_seq: Annotated[int, Field(ge=0, le=2**31 - 1)] = 0
    limit: Annotated[int, Field(ge=1, le=500)] = 200


class SearchQuery(Body):
    """What to look for."""

    q: Annotated[Prose, Field(min_length=1, max_length=200)]
    limit: Annotated[int, Field(ge=1, le=50)] = 20


class PromptBody(Body):
    """A version of a prompt that a trainer saves; what it may hold is decided by ``check_prompt``."""

    template: Annotated[Prose, Field(max_length=20_000)]
    values: Annotated[dict[str, Prose], Field(max_length=20)] = {}
    note: Annotated[Prose, Field(max_length=1000)] = ""


class ActivateBody(Body):
    """Which version is to be used from now on."""

    version: Annotated[int, Field(ge=1, le=2**31 - 1)]


class PromptTestBody(Body):
    """A question to try a draft with."""

    question: Annotated[Prose, Field(min_length=1, max_length=1000)]
    template: Annotated[Prose, Field(max_length=20_000)]
    values: Annotated[dict[str, Prose], Field(max_length=20)] = {}


class LiveFrame(Body):
    """A frame from a console; ``active`` says that a person, not a timer, is behind it."""

    type: Literal["ping", "typing", "viewing", "composing"]
    conversation_id: Identifier | None = None
    active: bool = False
    mode: Literal["reply", "note"] | None = None  #: what is being composed; None when no longer


class SynonymsQuery(Body):
    """Which synonyms to list; ``q`` is looked for in both sides of a rule."""

    q: Annotated[Prose, Field(max_length=80)] = ""
    kind: Literal["synonym", "product"] | None = None
    language: Literal["zh", "en", "both"] | None = None


class SynonymBody(Body):
    """A rule as a trainer writes it: who says ``term`` means ``means``."""

    kind: Literal["synonym", "product"]
    language: Literal["zh", "en", "both"]
    term: Annotated[Prose, Field(max_length=200)]
    means: Annotated[Prose, Field(max_length=200)]
    two_way: bool = False


class SynonymTestBody(Body):
    """A question to try, optionally with a rule that is not saved yet, in place of the saved rule ``replaces``."""

    text: Annotated[Prose, Field(min_length=1, max_length=500)]
    language: Literal["zh", "en"] | None = None
    draft: SynonymBody | None = None
    replaces: Identifier | None = None


def read_json(model: type[Model], media_type: str, body: bytes, most: int = MAX_JSON_BYTES) -> Model:
    """The body as ``model``; raises ``Refused`` with 413, 415 or 400."""
    if len(body) > most:
        raise Refused(413, "too_large", f"The request is larger than {most // 1024} KiB. Send less at once.")
    if body and media_type.partition(";")[0].strip().lower() != "application/json":
        raise Refused(415, "not_json", "Send the body as application/json.")
    try:
        return model.model_validate_json(body or b"{}")
    except ValidationError as error:
        raise Refused(400, "bad_request", explain(error)) from None


def read_query(model: type[Model], query: Mapping[str, Any]) -> Model:
    """The query parameters as ``model``; raises ``Refused`` with 400."""
    try:
        return model.model_validate(dict(query))
    except ValidationError as error:
        raise Refused(400, "bad_request", explain(error)) from None


def check_id(value: str, what: str) -> str:
    """An identifier from a path; anything that cannot be one is simply not found."""
    if not _ID.fullmatch(value):
        raise Refused(404, "not_found", f"There is no such {what}.")
    return value


def explain(error: ValidationError) -> str:
    """The first thing wrong, naming the field and never repeating what was sent."""
    first = error.errors(include_url=False, include_input=False, include_context=False)[0]
    place = ".".join(str(part) for part in first["loc"])
    message = first["msg"].removeprefix("Value error, ")
    return f"{place}: {message}." if place else f"{message}."


def first_values(arguments: Mapping[str, Sequence[str]]) -> dict[str, str]:
    """Query parameters where each name counts once."""
    return {name: values[0] for name, values in arguments.items()}
