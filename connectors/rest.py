"""The REST channel: other programs bring messages with an API key and fetch or wait for the replies."""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError

from connectors.base import Arrival, BadPayload, BadSignature, Connector, WebhookRequest
from connectors.key_limits import KeyLimits
from connectors.set_up import Webhook
from connectors.shared_buckets import SharedBuckets
from conversations.model import InboundMessage, OutboundMessage, new_id

_HASH = re.compile(r"[0-9a-f]{64}")
_KEY_HEADER = "idempotency-key"
MAX_IDEMPOTENCY_KEY = 255

ContactId = Annotated[str, StringConstraints(min_length=1, max_length=128, pattern=r"^[\w.@:+-]+$")]


class RestMessage(BaseModel):
    """The body of ``POST /api/v1/messages``."""

    model_config = ConfigDict(extra="forbid", strict=True)

    contact: ContactId
    text: Annotated[str, StringConstraints(max_length=4000)] = ""
    language: Literal["zh", "en"] | None = None
    name: Annotated[str, StringConstraints(min_length=1, max_length=120)] | None = None
    button_id: Annotated[str, StringConstraints(min_length=1, max_length=64)] | None = None
    wait_seconds: Annotated[float, Field(ge=0, le=30)] = 0


#: Whose key has this SHA-256, and what it opens; None when it opens nothing.
FindKey = Callable[[str], Awaitable[tuple[str, frozenset[str]] | None]]


def is_idempotency_key(key: str) -> bool:
    """Whether it can be one; bytes of a header that are no UTF-8, and signs that no database keeps, are not printable."""
    return 1 <= len(key) <= MAX_IDEMPOTENCY_KEY and key.isprintable()


class MissingScope(Exception):
    """The key is known, but it does not open this; the message names the scope."""


@dataclass(frozen=True, slots=True)
class Caller:
    """Who made a request: ``owner`` is a short name without the key in it; ``scopes`` None is everything."""

    owner: str
    scopes: frozenset[str] | None = None

    def need(self, scope: str) -> None:
        """Raise ``MissingScope`` unless the key opens this."""
        if self.scopes is not None and scope not in self.scopes:
            raise MissingScope(f"this API key lacks the scope {scope}; ask an admin of the desk for a key with it")


class RestConnector(Connector):
    """Messages over our own API; replies are stored and fetched, so there is nothing to send."""

    channel: ClassVar[str] = "rest"
    reads_transcript: ClassVar[bool] = True

    def __init__(
        self,
        keys: Iterable[str],
        account: str = "default",
        find_key: FindKey | None = None,
        limits: KeyLimits | None = None,
    ) -> None:
        """Keys are given as they are or as their SHA-256 in hexadecimal; only the hash stays in memory.

        They open everything; what other keys open is said by ``find_key``.

        Raises ``ValueError`` for an empty key: everybody knows it.
        """
        super().__init__(account)
        keys = list(keys)
        if not all(key.strip() for key in keys):
            raise ValueError(
                "an API key of the REST channel is empty; make one with openssl rand -hex 32, or leave it out"
            )
        self._find_key = find_key
        self._limits = limits or KeyLimits()
        self._hashes = [key if _HASH.fullmatch(key) else _sha256(key) for key in keys]

    def share_limits(self, buckets: SharedBuckets) -> None:
        """Count the requests of programs together with the other service processes."""
        super().share_limits(buckets)
        self._limits.share(buckets)

    @property
    def webhook(self) -> Webhook:
        """Programs call the API, which has an address of its own."""
        return "none"

    def verify(self, request: WebhookRequest) -> None:
        """Raise ``BadSignature`` unless the request carries one of the keys."""
        self.owner(request)

    def owner(self, request: WebhookRequest) -> str:
        """Which of the given keys made the request, as a short name without the key; raises ``BadSignature``."""
        owner = self._given(_bearer(request))
        if owner is None:
            raise BadSignature("the API key is not known here")
        return owner

    async def caller(self, request: WebhookRequest, scope: str, address: str = "") -> Caller:
        """Who made the request from an address, with whatever key.

        Raises ``BadSignature``, ``MissingScope`` or ``TooManyRequests``.
        """
        given = _bearer(request)

        async def find() -> tuple[str, frozenset[str] | None] | None:
            owner = self._given(given)
            if owner is not None:
                return owner, None
            return await self._find_key(given) if self._find_key else None

        found = await self._limits.tried(address, given, find)
        if found is None:
            raise BadSignature("the API key is not known here, was revoked or has expired")
        caller = Caller(*found)
        await self._limits.take(caller.owner)
        caller.need(scope)
        return caller

    def _given(self, key_hash: str) -> str | None:
        # Every hash is compared, so that the time does not tell which one was close.
        found = [known for known in self._hashes if hmac.compare_digest(known, key_hash)]
        return found[0][:16] if found else None

    def parse(self, request: WebhookRequest) -> list[Arrival]:
        """The message of a request; its idempotency key, if any, makes a repeat a duplicate."""
        message = self.read(request)
        key = request.headers.get(_KEY_HEADER)
        if key is not None and not is_idempotency_key(key):
            raise BadPayload(f"an Idempotency-Key has 1 to {MAX_IDEMPOTENCY_KEY} characters, all of them printable")
        # The owner is part of the id: two programs may choose the same key.
        owner = _sha256(request.headers.get("authorization", ""))[:16]
        external_id = f"{owner}:{_sha256(key)}" if key is not None else new_id()
        inbound = InboundMessage(
            address=self.address(message.contact),
            external_id=external_id,
            text=message.text,
            button_id=message.button_id,
            contact_name=message.name,
            language=message.language,
        )
        return [Arrival(inbound)]

    def read(self, request: WebhookRequest) -> RestMessage:
        """The body of a request; raises ``BadPayload`` with the field that is wrong."""
        try:
            message = RestMessage.model_validate_json(request.body)
        except ValidationError as error:
            raise BadPayload(explain(error)) from None
        if not message.text.strip() and message.button_id is None:
            raise BadPayload("text is empty and there is no button_id; give one of them")
        return message

    async def send(self, to: str, message: OutboundMessage) -> str:
        """Nothing to deliver: the reply is in the transcript already and the program fetches it there."""
        return message.outbox_id


def _bearer(request: WebhookRequest) -> str:
    """The SHA-256 of the key that the request carries."""
    scheme, _, key = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not key:
        raise BadSignature("send the API key as `Authorization: Bearer <key>`")
    return _sha256(key.lstrip(" "))


def request_hash(parts: Sequence[bytes]) -> str:
    """What makes two requests the same request."""
    return hashlib.sha256(b"\x00".join(parts)).hexdigest()


def explain(error: ValidationError) -> str:
    """The first thing wrong with a body, in one sentence without the value itself."""
    first: Any = error.errors(include_url=False, include_input=False)[0]
    place = ".".join(str(part) for part in first["loc"])
    message = str(first["msg"])
    return f"{place}: {message[:1].lower()}{message[1:]}" if place else message


def _sha256(value: str) -> str:
    return hashlib.sha256(value.encode("utf-8", "surrogatepass")).hexdigest()
