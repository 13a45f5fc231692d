"""What the console, the widget and the API may ask about conversations; nothing here changes one."""

from __future__ import annotations

from collections.abc import Callable, Collection
from datetime import datetime, timedelta

from conversations.delivery_store import DeliveryStore
from conversations.errors import NotFound
from conversations.model import Address, Contact, Conversation, Cursor, Message, Page, Presence
from conversations.reading_store import VIEWS, ReadingStore
from conversations.sight import EVERYTHING, Facts, Scope, Sight
from conversations.sight_store import SightStore
from conversations.store import Database
from conversations.turn_model import Trace

_AFTERWARDS = timedelta(minutes=15)


class Transcripts:
    """The reading half of ``Conversations``."""

    now: Callable[[], datetime]
    #: Told to whom the bot ("bot") or an agent ("agent") is writing, for channels that show it.
    on_typing: Callable[[Address, str], None] | None = None

    def __init__(self, database: Database) -> None:
        self.database = database

    async def transcript(self, address: Address, after: Cursor | None = None, limit: int = 100) -> list[Message]:
        """What the contact may see, oldest first: everything after ``after``, or else the last ``limit`` messages."""
        async with self.database.glance() as connection:
            return await ReadingStore(connection).transcript(address, after, limit)

    async def find_current(self, address: Address) -> Conversation | None:
        """The newest conversation at an address, open or resolved."""
        async with self.database.glance() as connection:
            return await ReadingStore(connection).find_latest(address)

    async def goes_on(self, address: Address) -> bool:
        """Whether somebody talks with the contact there, or has just stopped and may yet be thanked or rated."""
        current = await self.find_current(address)
        if current is None or current.resolved_at is None:
            return current is not None
        return self.now() - current.resolved_at < _AFTERWARDS

    async def agents(self) -> list[Presence]:
        """Everyone known at the desk, with presence and load."""
        async with self.database.read() as connection:
            return await DeliveryStore(connection).agents()

    async def list_conversations(
        self, view: str, agent_id: str = "", cursor: str | None = None, limit: int = 50, sight: Sight = EVERYTHING
    ) -> Page:
        """A page of the view "mine", "queued", "bot", "all" (open ones) or "resolved"."""
        if view not in VIEWS:
            raise NotFound(f"there is no view {view!r}; use one of {', '.join(VIEWS)}")
        async with self.database.read() as connection:
            return await ReadingStore(connection).list_conversations(view, agent_id, cursor, limit, sight)

    async def get_conversation(self, conversation_id: str) -> Conversation:
        """One conversation; raises ``NotFound``."""
        async with self.database.read() as connection:
            return await ReadingStore(connection).get_conversation(conversation_id)

    async def messages(self, conversation_id: str, after_seq: int = 0, limit: int = 200) -> list[Message]:
        """The transcript as staff see it, notes included."""
        async with self.database.read() as connection:
            return await ReadingStore(connection).messages(conversation_id, after_seq, limit)

    async def said_before(self, conversation_id: str, message_id: str, limit: int) -> list[Message]:
        """The last lines that contact, bot and agents said to each other before a message, oldest first; never notes."""
        async with self.database.read() as connection:
            return await ReadingStore(connection).said_before(conversation_id, message_id, limit)

    async def traces(self, conversation_id: str) -> list[Trace]:
        """Why the bot answered, turn by turn."""
        async with self.database.read() as connection:
            return await ReadingStore(connection).traces(conversation_id)

    async def conversations_of_contact(
        self, contact_id: str, limit: int = 50, sight: Sight = EVERYTHING
    ) -> list[Conversation]:
        """Every conversation of a contact that is to be seen, newest first."""
        async with self.database.read() as connection:
            return await ReadingStore(connection).conversations_of_contact(contact_id, limit, sight)

    async def facts_of(self, conversation_id: str) -> Facts | None:
        """What decides who sees a conversation; None where there is none."""
        async with self.database.glance() as connection:
            return await SightStore(connection).facts_of(conversation_id)

    async def seen(self, sight: Sight, conversation_ids: Collection[str]) -> set[str]:
        """Those of the conversations that a member of staff sees."""
        if sight.scope is Scope.EVERYTHING or not conversation_ids:
            return set(conversation_ids)
        async with self.database.read() as connection:
            return await SightStore(connection).seen(sight, conversation_ids)

    async def seen_contacts(self, sight: Sight, contact_ids: Collection[str]) -> set[str]:
        """Those of the contacts whom a member of staff sees: with whom there is a conversation that they see."""
        if sight.scope is Scope.EVERYTHING or not contact_ids:
            return set(contact_ids)
        async with self.database.read() as connection:
            return await SightStore(connection).seen_contacts(sight, contact_ids)

    async def find_contact(self, contact_id: str) -> Contact | None:
        """Who a contact is."""
        async with self.database.read() as connection:
            return await ReadingStore(connection).find_contact(contact_id)
