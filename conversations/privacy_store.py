"""Takes personal data out of the database, and keeps what still has to go elsewhere until it is gone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import and_, delete, func, insert, or_, select, tuple_, update
from sqlalchemy.ext.asyncio import AsyncConnection

from conversations.contact_tables import contact_merges, contact_tickets
from conversations.conversation_store import ConversationStore
from conversations.episode_tables import ratings
from conversations.link_tables import link_codes
from conversations.model import Address, Author, Status, new_id
from conversations.organising_tables import merges
from conversations.privacy_tables import erasures
from conversations.proactive_tables import FORGOTTEN, proactive_messages
from conversations.proof_store import ProofStore
from conversations.sealing_store import Marks, SealingStore
from conversations.search_store import SearchStore
from conversations.tables import (
    addresses,
    attachments,
    buttons,
    contact_keys,
    contacts,
    conversations,
    inbox,
    messages,
    outbox,
    turns,
)

_AT_ONCE = 500  # databases limit how much one statement may be given


@dataclass(frozen=True, slots=True)
class Erasure:
    """Something that was erased: the rows at once, files, the bot's memory and vectors as soon as they can be reached."""

    id: str
    contact_id: str | None  #: None: conversations that became too old
    by: str
    asked_at: datetime
    contacts: tuple[str, ...]
    conversations: tuple[str, ...]
    files: tuple[str, ...]
    messages: int
    trackers: int
    done_at: datetime | None
    receipt: dict[str, Any] | None


class PrivacyStore:
    """Statements of one transaction."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def erase_contacts(self, contact_ids: Sequence[str], by: str, now: datetime) -> Erasure:
        """Destroy keys, words, names and addresses of a contact (the first) and of those merged into it."""
        theirs = select(conversations.c.id).where(conversations.c.contact_id.in_(contact_ids))
        ids = list((await self._connection.execute(theirs)).scalars())
        brought = await self._forget_files(contact_ids)
        erasure = await self._note(contact_ids[0], list(contact_ids), ids, by, now, brought)
        await self._forget_words(theirs)
        await ProofStore(self._connection).erase(list(contact_ids))
        nobody = f"erased-{contact_ids[0]}"
        reached_at = await self._reached_at(contact_ids)
        of_them = or_(contact_merges.c.source_id.in_(contact_ids), contact_merges.c.target_id.in_(contact_ids))
        at_theirs = select(addresses.c.channel, addresses.c.account, addresses.c.contact).where(
            addresses.c.contact_id.in_(contact_ids)
        )
        for statement in (
            delete(contact_keys).where(contact_keys.c.contact_id.in_(contact_ids)),
            delete(contact_tickets).where(contact_tickets.c.contact_id.in_(contact_ids)),
            update(contact_merges).where(of_them).values(moved={}, before={}, after={}),
            delete(link_codes).where(
                tuple_(link_codes.c.channel, link_codes.c.account, link_codes.c.contact).in_(at_theirs)
            ),
            update(proactive_messages)
            .where(
                proactive_messages.c.state == "waiting", _names_one_of(SealingStore(self._connection).marks, reached_at)
            )
            .values(state="not_sent", reason="erased", settled_at=now, **FORGOTTEN),
            delete(addresses).where(addresses.c.contact_id.in_(contact_ids)),
            update(conversations)
            .where(conversations.c.contact_id.in_(contact_ids))
            .values(contact=nobody + "-" + conversations.c.id, reply_to=None, callback_ticket=None, callback_due=False),
            update(contacts)
            .where(contacts.c.id.in_(contact_ids))
            .values(
                name=None,
                name_mark=None,
                named_by=None,
                customer_id=None,
                note=None,
                tier=None,
                linked_customer_id=None,
                linked_by=None,
                linked_at=None,
                erased_at=now,
            ),
        ):
            await self._connection.execute(statement)
        for contact_id in contact_ids:
            await SearchStore(self._connection).forget_contact(contact_id)
        return erasure

    async def forget_old_words(self, before: datetime, limit: int, now: datetime) -> Erasure | None:
        """Take the words out of conversations that were resolved before a time; None when no such one is left."""
        old = (
            select(conversations.c.id)
            .where(
                conversations.c.status == Status.RESOLVED.value,
                conversations.c.resolved_at < before,
                conversations.c.forgotten_at.is_(None),
            )
            .order_by(conversations.c.resolved_at)
            .limit(limit)
        )
        ids = list((await self._connection.execute(old)).scalars())
        if not ids:
            return None
        erasure = await self._note(None, [], ids, "system", now)
        await self._forget_words(ids)
        for one in ids:
            await SearchStore(self._connection).forget_conversation(one)
        return erasure

    async def forget_old_turns(self, before: datetime, limit: int) -> int:
        """Delete why the bot said what it said in turns that ended before a time; returns how many."""
        old = select(turns.c.turn_id).where(turns.c.finished_at < before).limit(limit)
        ids = list((await self._connection.execute(old)).scalars())
        await self._connection.execute(delete(turns).where(turns.c.turn_id.in_(ids)))
        return len(ids)

    async def old_files(self, before: datetime, limit: int) -> list[str]:
        """Files that were brought before a time."""
        old = select(attachments.c.id).where(attachments.c.created_at < before).limit(limit)
        return list((await self._connection.execute(old)).scalars())

    async def quiet_contacts(self, before: datetime, limit: int) -> list[str]:
        """Contacts, not merged into others, with whom nothing has happened since a time, and nothing is open."""
        lively = select(conversations.c.id).where(
            conversations.c.contact_id == contacts.c.id,
            or_(conversations.c.updated_at >= before, conversations.c.status != Status.RESOLVED.value),
        )
        quiet = and_(
            contacts.c.created_at < before,
            contacts.c.erased_at.is_(None),
            contacts.c.merged_into.is_(None),
            ~lively.exists(),
        )
        return list((await self._connection.execute(select(contacts.c.id).where(quiet).limit(limit))).scalars())

    async def not_erased(self, contact_ids: Sequence[str]) -> set[str]:
        """Those of these contacts that are there as if nobody had erased them."""
        found: set[str] = set()
        for start in range(0, len(contact_ids), _AT_ONCE):
            some = contact_ids[start : start + _AT_ONCE]
            query = select(contacts.c.id).where(contacts.c.id.in_(some), contacts.c.erased_at.is_(None))
            found |= set((await self._connection.execute(query)).scalars())
        return found

    # -- what is still to be done -------------------------------------------------------------------------------

    async def unfinished(self, limit: int) -> list[Erasure]:
        """What was erased here but not everywhere, the oldest first."""
        rows = await self._connection.execute(
            select(erasures).where(erasures.c.done_at.is_(None)).order_by(erasures.c.asked_at).limit(limit)
        )
        return [_erasure(row) for row in rows]

    async def of_contact(self, contact_id: str) -> list[Erasure]:
        """The erasures of a contact, the newest first."""
        rows = await self._connection.execute(
            select(erasures).where(erasures.c.contact_id == contact_id).order_by(erasures.c.asked_at.desc())
        )
        return [_erasure(row) for row in rows]

    async def note_trackers(self, erasure_id: str, there: int) -> None:
        """So many more conversations were deleted from the bot's memory."""
        chosen = erasures.c.id == erasure_id
        await self._connection.execute(update(erasures).where(chosen).values(trackers=erasures.c.trackers + there))

    async def finish(self, erasure_id: str, at: datetime, receipt: dict[str, Any]) -> bool:
        """Everything is gone; returns False when another process has noted so."""
        chosen = and_(erasures.c.id == erasure_id, erasures.c.done_at.is_(None))
        done = await self._connection.execute(update(erasures).where(chosen).values(done_at=at, receipt=receipt))
        return bool(done.rowcount)

    # -- parts --------------------------------------------------------------------------------------------------

    async def _note(
        self,
        contact_id: str | None,
        family: list[str],
        ids: list[str],
        by: str,
        now: datetime,
        brought: Sequence[str] = (),
    ) -> Erasure:
        of_theirs = messages.c.conversation_id.in_(ids)
        rows = await self._connection.execute(select(messages.c.attachments).where(of_theirs))
        sent = [attachment["id"] for found in rows.scalars() if found for attachment in found]
        files = list(dict.fromkeys([*sent, *brought]))
        number = await self._connection.execute(select(func.count()).select_from(messages).where(of_theirs))
        made = Erasure(
            new_id(),
            contact_id,
            by,
            now,
            tuple(family),
            tuple(ids),
            tuple(files),
            int(number.scalar_one()),
            0,
            None,
            None,
        )
        await self._connection.execute(
            insert(erasures).values(
                id=made.id,
                contact_id=contact_id,
                by=by,
                asked_at=now,
                contacts=family,
                conversations=ids,
                files=files,
                messages=made.messages,
                trackers=0,
            )
        )
        await self._connection.execute(
            update(conversations).where(conversations.c.id.in_(ids)).values(forgotten_at=now)
        )
        return made

    async def _reached_at(self, contact_ids: Sequence[str]) -> list[Address]:
        query = select(addresses.c.channel, addresses.c.account, addresses.c.contact)
        rows = await self._connection.execute(query.where(addresses.c.contact_id.in_(contact_ids)))
        return [Address(*row) for row in rows]

    async def _forget_files(self, contact_ids: Sequence[str]) -> list[str]:
        """Delete what is known of files that were brought from these contacts' addresses, also unsent ones; their ids."""
        owners = [str(one) for one in await self._reached_at(contact_ids)]
        gone = delete(attachments).where(attachments.c.owner.in_(owners)).returning(attachments.c.id)
        return list((await self._connection.execute(gone)).scalars())

    async def _forget_beginnings(self, chosen: Any) -> None:
        """What was written in these conversations may stand in the list for those into which they were merged."""
        store, found, wanted = ConversationStore(self._connection), set[str](), chosen
        while wanted is chosen or wanted:
            into = select(merges.c.target_id).where(merges.c.source_id.in_(wanted))
            wanted = sorted(set((await self._connection.execute(into)).scalars()) - found)
            found.update(wanted)
        for one in sorted(found):
            shown, said = (await store.find(one)).conversation, await store.last_said(one)
            own = said is not None and said.text.startswith(shown.preview)
            if shown.preview_author == Author.CONTACT and not own:
                nothing = update(conversations).where(conversations.c.id == one).values(preview="")
                await self._connection.execute(nothing)

    async def _forget_words(self, chosen: Any) -> None:
        """Everything that was said in these conversations and about them."""
        of_theirs = messages.c.conversation_id.in_(chosen)
        await self._forget_beginnings(chosen)
        for statement in (
            delete(outbox).where(outbox.c.message_id.in_(select(messages.c.id).where(of_theirs))),
            delete(turns).where(turns.c.conversation_id.in_(chosen)),
            delete(buttons).where(buttons.c.conversation_id.in_(chosen)),
            update(inbox)
            .where(inbox.c.conversation_id.in_(chosen))
            .values(payload=None, external_id="erased-" + inbox.c.message_id),
            update(ratings).where(ratings.c.conversation_id.in_(chosen)).values(comment=""),
            update(messages)
            .where(of_theirs)
            .values(text="", attachments=None, citations=None, buttons=None, external_id=None),
            update(conversations)
            .where(conversations.c.id.in_(chosen))
            .values(
                preview="",
                contact_point=None,
                contact_point_mark=None,
                snooze_reason=None,
                handoff_summary=None,
                told=None,
            ),
        ):
            await self._connection.execute(statement)


def _names_one_of(marks: Marks, reached_at: Sequence[Address]) -> Any:
    """The condition that an event that waits to be told names one of these addresses."""
    return or_(
        proactive_messages.c.named_address_mark.in_([marks.of_address(str(one)) for one in reached_at]),
        proactive_messages.c.named_email_mark.in_(
            [marks.of_point(one.contact) for one in reached_at if "@" in one.contact]
        ),
    )


def _erasure(row: Any) -> Erasure:
    values = dict(row._mapping)
    parts = {name: tuple(values[name]) for name in ("contacts", "conversations", "files")}
    return Erasure(**(values | parts))
