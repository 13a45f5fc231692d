"""Webhooks of your own program: it brings messages to the desk, and the desk posts its answers to it.

Both directions are signed as Standard Webhooks (standardwebhooks.com); the JSON is that of ``connectors/json_messages.py``.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import UTC
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Annotated, ClassVar, Self

import httpx
import structlog
from pydantic import BeforeValidator, Field, SecretStr, model_validator

from connectors.base import AccountSettings, Arrival, BadPayload, Connector, Means, Media, WebhookRequest
from connectors.checked_address import ForbiddenAddress, check_url, checked_client
from connectors.json_messages import SentMessage, content_of, one_or_more, written
from connectors.set_up import SetUp
from connectors.standard_webhooks import Signatures, key_of
from connectors.unasked import UnaskedRule
from connectors.vendor_calls import NOT_SENT
from conversations.errors import (
    ChannelUnavailable,
    ContactUnreachable,
    DeliveryUnknown,
    MessageRejected,
    RateLimited,
)
from conversations.model import OutboundMessage, new_id

log = structlog.get_logger()

_LONGEST_WAIT = 3_600.0
_TRY_AGAIN = frozenset({408, 425})

#: The first one is today's; a second one is still, or already, accepted while they are exchanged.
Secrets = Annotated[tuple[SecretStr, ...], BeforeValidator(one_or_more), Field(min_length=1, max_length=4)]


class WebhookSettings(AccountSettings):
    """One program."""

    incoming_secrets: Secrets  #: with which your program signs
    url: str  #: where answers are posted
    outgoing_secrets: Secrets  #: with which the desk signs
    allow_private_addresses: bool = False  #: for intranets; also allows http and any port
    ca_file: Path | None = None  #: certificate authorities instead of the public ones
    max_bytes: Annotated[int, Field(ge=10_000, le=50_000_000)] = 1024 * 1024  #: of one message with its files

    @model_validator(mode="after")
    def _can_be_used(self) -> Self:
        keys = [_keys("incoming_secrets", self.incoming_secrets), _keys("outgoing_secrets", self.outgoing_secrets)]
        if set(keys[0]) & set(keys[1]):
            raise ValueError(
                "incoming_secrets and outgoing_secrets must differ, or what the desk sends could be sent back to it"
            )
        try:
            check_url(self.url, private=self.allow_private_addresses)
        except ValueError as error:
            raise ValueError(f"url: {error}") from None
        if self.ca_file is not None and not self.ca_file.is_file():
            raise ValueError(f"ca_file: there is no file {self.ca_file}")
        return self


def _keys(field: str, secrets: Iterable[SecretStr]) -> list[bytes]:
    try:
        return [key_of(one.get_secret_value()) for one in secrets]
    except ValueError as error:
        raise ValueError(f"{field}: {error}") from None


class WebhookConnector(Connector):
    """One program that speaks for its contacts."""

    channel: ClassVar[str] = "webhook"
    unasked: ClassVar[UnaskedRule] = UnaskedRule(repeatable=True)  # programs know a message by its id
    set_up: ClassVar[SetUp] = SetUp(recipient="ann")
    Settings = WebhookSettings

    def __init__(self, settings: WebhookSettings, means: Means) -> None:
        super().__init__(settings.account)
        self.settings = settings
        self._means = means
        self._incoming = Signatures([key_of(one.get_secret_value()) for one in settings.incoming_secrets])
        self._outgoing = Signatures([key_of(one.get_secret_value()) for one in settings.outgoing_secrets])
        self._http = checked_client(private=settings.allow_private_addresses, ca_file=settings.ca_file)

    def verify(self, request: WebhookRequest) -> None:
        """Raise ``BadSignature`` unless one of the account's secrets signed this in the last five minutes."""
        self._incoming.check(request.headers, request.body, self._means.now().timestamp())

    def parse(self, request: WebhookRequest) -> list[Arrival]:
        """The message in a request; ``webhook-id`` tells repeats, whatever ``id`` the body has."""
        webhook_id = request.headers.get("webhook-id", "")
        if not webhook_id:
            raise BadPayload("webhook-id is missing")
        message = SentMessage.read(request.body)
        if message.contact is None:
            raise BadPayload("contact: it is missing; say who writes")
        return [message.arrival(self.address(message.contact), webhook_id)]

    async def fetch(self, media: Media) -> tuple[str, bytes]:
        """A file that came in the body."""
        return content_of(media)

    async def send(self, to: str, message: OutboundMessage) -> str:
        """Post a message; its id is ``webhook-id`` with every attempt, so that the program can drop repeats."""
        body = await written(
            message,
            contact=to,
            public_url=self._means.public_url,
            files=self._means.files,
            most_bytes=self.settings.max_bytes,
        )
        await self._post(message.outbox_id, body)
        return message.outbox_id

    async def _post(self, webhook_id: str, body: bytes) -> None:
        headers = self._outgoing.headers(webhook_id, body, self._means.now().timestamp())
        headers |= {"content-type": "application/json", "user-agent": "frontdesk-webhook"}
        try:
            # Nobody reads the answer: it may be of any length, and its words are not ours to log.
            async with self._http.stream("POST", self.settings.url, content=body, headers=headers) as response:
                status, asked = response.status_code, response.headers.get("retry-after")
        except ForbiddenAddress as error:
            log.error("webhook_refused", account=self.account, error=str(error))
            raise
        except NOT_SENT as error:
            raise ChannelUnavailable(f"the webhook: no connection ({type(error).__name__})") from None
        except httpx.HTTPError as error:
            raise DeliveryUnknown(f"the webhook: no answer ({type(error).__name__})") from None
        self._judge(status, asked)

    def _judge(self, status: int, asked: str | None) -> None:
        if 200 <= status < 300:
            return
        wait = self._seconds(asked)
        if status == 429 or (status == 503 and wait is not None):
            raise RateLimited(1.0 if wait is None else wait)
        if status == 410:
            log.error("webhook_gone", account=self.account, hint="take the account out of the channels file")
            raise ContactUnreachable("the webhook says that it is gone for good (HTTP 410)")
        if status >= 500 or status in _TRY_AGAIN:
            raise ChannelUnavailable(f"the webhook: HTTP {status}")
        if 300 <= status < 400:
            raise MessageRejected(f"the webhook answers with a redirect (HTTP {status}); set its final address as url")
        raise MessageRejected(f"the webhook: HTTP {status}")

    def _seconds(self, asked: str | None) -> float | None:
        """What ``Retry-After`` asks for, as seconds or a date (RFC 9110, 10.2.3), an hour at most."""
        if not asked:
            return None
        if asked.isascii() and asked.isdigit():
            return min(_LONGEST_WAIT, float(asked[:9]))
        try:
            until = parsedate_to_datetime(asked)
        except ValueError:
            return None
        until = until if until.tzinfo is not None else until.replace(tzinfo=UTC)
        return min(_LONGEST_WAIT, max(0.0, (until - self._means.now()).total_seconds()))

    async def check(self) -> str:
        """Post a signed ping, to which the program says yes without telling anybody; raises a ``SendError``."""
        ping = {"type": "ping", "created_at": self._means.now().isoformat().replace("+00:00", "Z")}
        await self._post(f"ping_{new_id()}", json.dumps(ping, separators=(",", ":")).encode())
        return self.settings.url

    async def close(self) -> None:
        """Close the connections."""
        await self._http.aclose()
