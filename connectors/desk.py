"""What the customer's side needs of the rest of the desk; ``app.py`` passes objects that fit these shapes."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from conversations.model import Address, Attachment, Conversation, Cursor, InboundMessage, Message, Rating, Receipt

Event = dict[str, Any]
#: ``message_json`` and ``conversation_json`` of the conversations room, with ``for_contact=True`` already applied.
MessageForm = Callable[[Message], dict[str, Any]]
ConversationForm = Callable[[Conversation], dict[str, Any]]


class Inbox(Protocol):
    """Where every channel delivers."""

    async def receive(self, inbound: InboundMessage) -> Receipt:
        """Commit one message; a repeat of an external id changes nothing."""
        ...


class Desk(Inbox, Protocol):
    """What a contact can see and do; every error is a ``ConversationError``."""

    async def transcript(self, address: Address, after: Cursor | None, limit: int) -> list[Message]:
        """The messages after a cursor, oldest first, never notes; without a cursor the last ones."""
        ...

    async def find_current(self, address: Address) -> Conversation | None:
        """The newest conversation at the address, finished or not."""
        ...

    async def rate(
        self,
        address: Address,
        conversation_id: str,
        score: int | None,
        comment: str,
        *,
        solved: bool | None,
        nps: int | None,
        other_score: int | None,
        never_again: bool,
    ) -> Rating | None:
        """Save what the contact thinks; without any of it they only say not to be asked again."""
        ...

    async def read_by_contact(self, address: Address, conversation_id: str, seq: int) -> bool:
        """The contact has seen everything up to a message; repeated and late ones change nothing."""
        ...

    async def recalled_since(self, address: Address, since: datetime | None) -> list[Cursor]:
        """Messages that agents took back after a moment, newest first."""
        ...

    async def sign_in(
        self,
        user: Address,
        visitor: Address,
        signature_hash: str,
        expires_at: datetime,
        *,
        anonymous: bool,
        name: str | None,
        language: str | None,
        customer_id: str | None,
    ) -> None:
        """The site says that a visitor is its user; what an anonymous one said goes along.

        Raises ``SignatureUsed``, and ``HelpedTwice`` while people help both of them.
        """
        ...

    async def is_retired(self, address: Address) -> bool:
        """Whether the visitor of an address has signed in since."""
        ...

    async def set_typing(self, address: Address, preview: str) -> None:
        """Tell the staff that the contact is writing."""
        ...


class News(Protocol):
    """The events of one topic from now on, once entered."""

    def __aiter__(self) -> AsyncIterator[Event]:
        """Events in the order of publication; raises when some were missed."""
        ...

    def close(self) -> None:
        """Hear nothing more, and keep nothing of what was not heard yet."""
        ...


class Hub(Protocol):
    """Where changes are announced; topic ``contact:{address}`` is what one contact may see."""

    def subscribe(self, topic: str) -> AbstractAsyncContextManager[News]:
        """Everything published on the topic from entering on."""
        ...

    async def publish(self, topic: str, event: Event) -> None:
        """Tell everyone subscribed; never fails."""
        ...


class Attachments(Protocol):
    """Where files are kept."""

    max_bytes: int

    async def save(self, owner: str, name: str, content: bytes) -> Attachment:
        """Keep a file; raises ``InvalidMessage`` for a type or size that is not accepted."""
        ...

    async def of_owner(self, owner: str, attachment_ids: list[str]) -> tuple[Attachment, ...]:
        """The files with these ids in this order; raises ``NotFound`` unless all were brought by ``owner``."""
        ...

    def signed_url(self, attachment: Attachment) -> str:
        """A link to the file that works for a while."""
        ...

    async def read(self, attachment_id: str, signature: str) -> tuple[Attachment, bytes]:
        """The file behind a signed link; raises ``NotFound`` for a wrong or outdated signature."""
        ...


class Idempotency(Protocol):
    """Remembers the first answer to a key, so that a repeated request gets it again."""

    async def begin(self, owner: str, key: str, request_hash: str) -> tuple[int, Any] | None:
        """None to go on, or the saved status and body; raises ``KeyReused`` or ``KeyBusy``."""
        ...

    async def finish(self, owner: str, key: str, status: int, body: Any) -> None:
        """Save the answer."""
        ...

    async def abandon(self, owner: str, key: str) -> None:
        """Nothing happened: let the key be used again."""
        ...


@dataclass(frozen=True, slots=True)
class Forms:
    """How messages and conversations are written in JSON for a contact."""

    message: MessageForm
    conversation: ConversationForm
