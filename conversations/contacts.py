"""What staff know and change of a contact: profile, history on every channel, the customer an agent links, tickets.

That an agent links a contact to a customer proves nothing: the bot and its actions see only ``customer_id``, which the
contact has to prove. The link is kept beside it, for staff.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from conversations import custody
from conversations.audit import AuditEntry, AuditLog
from conversations.change import STAFF, Change
from conversations.contact_merge_store import ContactMergeStore
from conversations.contact_model import FIELDS, MAX_NAME, MAX_NOTE, TIERS, ContactProfile, Past, tier_that_counts
from conversations.contact_store import GONE, ContactStore
from conversations.episode_store import EpisodeStore
from conversations.errors import ContactChanged, DifferentCustomers, InvalidField, InvalidMessage, NotFound
from conversations.model import Agent
from conversations.reading_store import ReadingStore
from conversations.sight import EVERYTHING, Sight
from conversations.verbs import Verbs

_TICKET_NOTE = {
    "zh": {"opened": "新建了工单 {number}：{subject}", "moved": "更新了工单 {number}：{subject}"},
    "en": {"opened": "Opened ticket {number}: {subject}", "moved": "Updated ticket {number}: {subject}"},
}


class Contacts(Verbs):
    """The contacts part of ``Conversations``."""

    audit: AuditLog

    async def contact_profile(self, contact_id: str) -> ContactProfile:
        """A contact as staff know it, or the one it was merged into; raises ``NotFound``."""
        async with self.database.read() as connection:
            store = ContactStore(connection)
            return await store.get(await store.root_of(contact_id))

    async def contacts_of(self, profile: ContactProfile) -> list[str]:
        """The contact and all others of the same customer, itself first."""
        if profile.known_as is None:
            return [profile.id]
        async with self.database.read() as connection:
            found = await ContactStore(connection).with_customer(profile.known_as)
        return list(dict.fromkeys((profile.id, *found)))

    async def history(
        self, contact_ids: Sequence[str], cursor: str | None = None, limit: int = 20, sight: Sight = EVERYTHING
    ) -> tuple[list[Past], str | None]:
        """A page of what is to be seen of some contacts' conversations on every channel, newest first, and where the next one begins."""
        async with self.database.read() as connection:
            page = await ReadingStore(connection).history(contact_ids, cursor, limit, sight)
            ids = [one.id for one in page.items]
            words = await ContactStore(connection).first_words(ids)
            ratings = await EpisodeStore(connection).ratings_of(ids)
        past = [Past(one, words.get(one.id, ""), ratings.get(one.id)) for one in page.items]
        return past, page.cursor

    async def edit_contact(
        self, contact_id: str, agent: Agent, revision: int, values: Mapping[str, str]
    ) -> ContactProfile:
        """Change name, language, tier or note; an empty text takes the value away.

        Raises ``InvalidField``, and ``ContactChanged`` if somebody changed the contact after ``revision``.
        """
        cleaned = {name: _cleaned(name, value) for name, value in values.items() if name in FIELDS}
        if not cleaned:
            raise InvalidMessage("name at least one field to change")

        def check(profile: ContactProfile) -> Mapping[str, Any]:
            if profile.revision != revision:
                raise ContactChanged("this contact was changed meanwhile; compare, then save again")
            return cleaned | ({"named_by": agent.id if cleaned["name"] else None} if "name" in cleaned else {})

        return await self._rewrite(contact_id, agent, "contact_edited", check)

    async def link_customer(self, contact_id: str, agent: Agent, customer_id: str) -> ContactProfile:
        """Note which customer an agent thinks this is; it unlocks nothing. Raises ``DifferentCustomers``."""

        def check(profile: ContactProfile) -> Mapping[str, Any]:
            if profile.customer_id is not None and profile.customer_id != customer_id:
                raise DifferentCustomers("this contact has proved to be another customer; that counts")
            return {"linked_customer_id": customer_id, "linked_by": agent.name, "linked_at": self.now()}

        return await self._rewrite(contact_id, agent, "customer_linked", check)

    async def unlink_customer(self, contact_id: str, agent: Agent) -> ContactProfile:
        """Take an agent's link away; what the contact proved stays."""
        gone = {"linked_customer_id": None, "linked_by": None, "linked_at": None}
        return await self._rewrite(contact_id, agent, "customer_unlinked", lambda _: gone)

    async def record_of_contact(
        self, kind: str, agent: Agent, contact_id: str, data: dict[str, Any], personal: dict[str, Any] | None = None
    ) -> None:
        """Put what was done about a contact elsewhere in the audit chain and tell open consoles."""
        async with self.database.write() as connection:
            entry = AuditEntry(kind, f"agent:{agent.id}", None, contact_id, data, personal)
            await self.audit.append(connection, self.now(), [entry])
        await self._tell_contact(contact_id)

    async def note_ticket(
        self,
        contact_id: str,
        agent: Agent,
        number: str,
        subject: str,
        *,
        opened: bool,
        conversation_id: str | None = None,
    ) -> None:
        """Note in the contact's file, and in the conversation it came up in, that a ticket was opened or moved on."""
        change: Change | None = None

        async def tell() -> None:
            if change is not None:
                await self.publish(change)
            await self._tell_contact(contact_id)

        async with self.database.write(news=tell) as connection:
            new = True
            if conversation_id is not None:
                change = await Change.of(self._desk, connection, conversation_id)
            if opened:
                new = await ContactStore(connection).add_ticket(contact_id, number, self.now())
                origin_id = change.conversation.origin_id if change is not None else None
                if new and origin_id is not None:
                    await ContactMergeStore(connection).note_ticket(contact_id, number, origin_id)
            if change is not None and new:
                words = _TICKET_NOTE["zh" if change.conversation.language == "zh" else "en"]
                text = words["opened" if opened else "moved"].format(number=number, subject=subject)
                custody.note(change, agent, text)
                await change.save()
            if new:
                kind = "ticket_opened" if opened else "ticket_updated"
                data = {"ticket": number, "conversation_id": conversation_id}
                entry = AuditEntry(kind, f"agent:{agent.id}", conversation_id, contact_id, data)
                await self.audit.append(connection, self.now(), [entry])

    async def tickets_of_contacts(self, contact_ids: Sequence[str]) -> list[str]:
        """The numbers of tickets that agents opened for these contacts, or that promise them a callback."""
        async with self.database.read() as connection:
            return await ContactStore(connection).tickets_of(contact_ids)

    async def _rewrite(self, contact_id: str, agent: Agent, kind: str, check: Any) -> ContactProfile:
        """Change a contact in one transaction, and the open conversations that show what changed."""
        changes: list[Change] = []
        after: ContactProfile | None = None

        async def tell() -> None:
            if after is not None:
                await self.publish(*changes)
                await self._tell_contact(contact_id, after.revision)

        async with self.database.write(news=tell) as connection:
            store = ContactStore(connection)
            await store.lock(contact_id)
            for conversation_id in await store.open_conversations(contact_id):
                changes.append(await Change.of(self._desk, connection, conversation_id))
            before = await store.get(contact_id)
            _check_stands(before)
            values = check(before)
            old = {name: _plain(getattr(before, name)) for name in values}
            new = {name: _plain(value) for name, value in values.items()}
            if old == new:
                return before
            await store.update(contact_id, **values)
            after = await store.get(contact_id)
            for change in changes:
                shown: dict[str, Any] = {"contact_name": after.name}
                if "language" in values and after.language is not None:
                    shown["language"] = after.language
                if "tier" in values:
                    shown["tier"] = tier_that_counts(after.tier, self._tier(change.conversation.customer_id))
                change.set(**shown)
                await change.save()
            fields = sorted(name for name in values if old[name] != new[name] and name != "named_by")
            personal = {"old": {name: old[name] for name in fields}, "new": {name: new[name] for name in fields}}
            entry = AuditEntry(kind, f"agent:{agent.id}", None, contact_id, {"fields": fields}, personal)
            await self.audit.append(connection, self.now(), [entry])
        return after

    async def _tell_contact(self, contact_id: str, revision: int | None = None) -> None:
        await self.hub.publish(STAFF, {"type": "contact", "contact_id": contact_id, "revision": revision})


def _check_stands(profile: ContactProfile) -> None:
    if profile.erased_at is not None:
        raise NotFound(GONE)
    if profile.merged_into is not None:
        raise ContactChanged("this contact was merged into another one; reload the conversation")


def _cleaned(field: str, value: str) -> str | None:
    text = value.replace("\x00", "").encode("utf-8", "replace").decode().strip()
    if field == "note":
        if len(text) > MAX_NOTE:
            raise InvalidField(field, f"a note has at most {MAX_NOTE} characters; shorten it")
        return text or None
    text = " ".join(text.split())
    if field == "name":
        if len(text) > MAX_NAME:
            raise InvalidField(field, f"a name has at most {MAX_NAME} characters; shorten it")
        return text or None
    allowed: tuple[str, ...] = ("zh", "en") if field == "language" else TIERS
    if text and text not in allowed:
        raise InvalidField(field, f"{field} is one of {', '.join(allowed)}")
    return text or None


def _plain(value: Any) -> Any:
    if value == "":
        return None
    return value.isoformat() if isinstance(value, datetime) else value
