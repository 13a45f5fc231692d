"""Two contacts that are one person become one, and two again.

Everything that belongs to the source moves to the target in one transaction; what moved is kept, so that it can be moved
back. Three things do not move. Who was proved at an address stays with that address, because an agent who takes two
contacts for one person proves nothing. Audit entries stay sealed with the key of the contact they began with, so that
erasing the merged contact destroys every key and separating it leaves nothing behind. And the source stays as a row
that says where it went.
"""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection

from conversations.audit import AuditEntry, AuditLog
from conversations.change import STAFF, Desk, MovesToo
from conversations.contact_merge_store import ContactMergeStore
from conversations.contact_model import MAX_NOTE, ContactMerge, ContactProfile, Holding, SamePerson
from conversations.contact_store import GONE, ContactStore
from conversations.conversation_store import ConversationStore
from conversations.errors import (
    AlreadyMerged,
    CannotSeparate,
    ConversationError,
    DifferentCustomers,
    InvalidMessage,
    NotFound,
    NotYours,
)
from conversations.json_form import conversation_json
from conversations.link_store import LinkStore
from conversations.model import Address, Agent, new_id
from conversations.organising_store import OrganisingStore
from conversations.proof_store import ProofStore
from conversations.search_store import SearchStore
from conversations.segmenting import parse
from conversations.verbs import Verbs

_MERGED = (
    "name",
    "named_by",
    "language",
    "tier",
    "note",
    "customer_id",
    "linked_customer_id",
    "linked_by",
    "linked_at",
    "unasked_at",
)
_LINK = ("linked_customer_id", "linked_by", "linked_at")
CONTACT = "contact"  #: who merged, where no agent did


@dataclass(frozen=True, slots=True)
class MergePreview:
    """Both contacts side by side, how much each holds, and why they cannot be merged, if so."""

    source: ContactProfile
    target: ContactProfile
    source_holds: Holding
    target_holds: Holding
    refused: str | None  #: the code of an error


class ContactMerging(Verbs):
    """The part of ``Conversations`` that merges contacts."""

    audit: AuditLog

    @property
    def moves_too(self) -> list[MovesToo]:
        """Who else is told which conversations go to another contact; add to it."""
        return self._desk.moves_too

    async def merge_contacts(self, source_id: str, target_id: str, agent: Agent) -> ContactMerge:
        """Put one contact into another one.

        Raises ``DifferentCustomers``, ``AlreadyMerged`` when a colleague was quicker, ``NotFound``, ``InvalidMessage``.
        """
        async with self._both(source_id, target_id) as (connection, source, target):
            error = refusal(source, target)
            if error is not None:
                raise error
            merge = await merge_rows(self._desk, connection, source, target, by_id=agent.id, by_name=agent.name)
        moved = merge.moved
        await self._tell_moved(moved["conversations"], source.id, target.id)
        return merge

    async def separate_contacts(
        self, merge_id: str, agent: Agent, *, of: str | None = None, oversees: bool = False
    ) -> ContactMerge:
        """Take a merge back: the source gets everything it brought, and what came to its addresses since.

        With ``of`` it must be a merge into that contact. Raises ``CannotSeparate`` with the reason, ``AlreadyMerged``
        when a colleague was quicker, ``NotYours``.
        """
        async with self.database.read() as connection:
            known = await ContactMergeStore(connection).find_merge(merge_id)
            contacts = ContactStore(connection)
            if known is not None and of is not None:
                same = await contacts.root_of(known.target_id) == await contacts.root_of(of)
                known = known if same else None
        if known is None:
            raise AlreadyMerged("these contacts are separate already; reload the conversation")
        async with self._both(known.source_id, known.target_id) as (connection, source, target):
            store = ContactMergeStore(connection)
            merge = await store.find_merge(merge_id)
            if merge is None:
                raise AlreadyMerged("a colleague has separated them already; reload the conversation")
            if merge.by_id != agent.id and not oversees:
                raise NotYours(f"{merge.by_name} merged these; ask them or a supervisor to separate them")
            moving = await part_rows(self._desk, connection, merge, source, target, by_id=agent.id)
        await self._tell_moved(moving, source.id, target.id)
        return merge

    async def preview_merge(self, source_id: str, target_id: str) -> MergePreview:
        """What merging two contacts would do; nothing is changed."""
        async with self.database.read() as connection:
            store, merges = ContactStore(connection), ContactMergeStore(connection)
            source, target = await store.get(source_id), await store.get(target_id)
            error = refusal(source, target)
            holds = await merges.holding(source.id), await merges.holding(target.id)
        return MergePreview(source, target, *holds, None if error is None else error.code)

    async def merges_of_contact(self, contact_id: str) -> list[tuple[ContactMerge, str | None]]:
        """What was merged into a contact and can be separated again, by merge and former name, the newest first."""
        async with self.database.read() as connection:
            merges = await ContactMergeStore(connection).merges_into(contact_id)
            store = ContactStore(connection)
            return [(one, (await store.get(one.source_id)).name) for one in merges]

    async def same_person(self, profile: ContactProfile, reached_at: Sequence[str] = ()) -> list[SamePerson]:
        """Contacts that are probably the same person: same proved customer, phone or e-mail; a name proves nothing.

        ``reached_at`` are phone and e-mail of the customer the contact proved to be.
        """
        async with self.database.read() as connection:
            store = ContactMergeStore(connection)
            left = await store.contact_points(profile.id)
            points = [*(one.address.contact for one in profile.addresses), *left, *reached_at]
            phones, emails = _spellings([self._desk.contact_point(one) or "" for one in points])
            return await store.same_person(profile.id, profile.customer_id, phones, emails)

    async def search_contacts(self, text: str, customer_ids: Sequence[str], besides: str) -> list[SamePerson]:
        """Contacts by part of a name or an address, and those of some customers."""
        async with self.database.read() as connection:
            return await ContactMergeStore(connection).search(parse(text), customer_ids, besides)

    @asynccontextmanager
    async def _both(
        self, source_id: str, target_id: str
    ) -> AsyncIterator[tuple[AsyncConnection, ContactProfile, ContactProfile]]:
        """Both contacts, with everything of theirs locked; one merge of contacts or conversations at a time."""
        if source_id == target_id:
            raise InvalidMessage("a contact cannot be merged with itself; choose another one")
        async with self.database.write() as connection:
            await OrganisingStore(connection).lock_merging()
            await ContactStore(connection).lock(source_id, target_id)
            store = ContactStore(connection)
            yield connection, await store.get(source_id), await store.get(target_id)

    async def _tell_moved(self, conversation_ids: Sequence[str], *contact_ids: str) -> None:
        """Consoles learn of the contacts, and of the conversations they may be showing."""
        for contact_id in contact_ids:
            await self.hub.publish(STAFF, {"type": "contact", "contact_id": contact_id, "revision": None})
        async with self.database.read() as connection:
            shown = [(await ConversationStore(connection).find(one)).conversation for one in conversation_ids[-50:]]
        for one in shown:
            await self.hub.publish(STAFF, {"type": "conversation", "conversation": conversation_json(one)})


async def merge_rows(
    desk: Desk, connection: AsyncConnection, source: ContactProfile, target: ContactProfile, *, by_id: str, by_name: str
) -> ContactMerge:
    """Put one contact into another one in a transaction that has locked both; ``by_id`` is an agent's, or ``CONTACT``."""
    now = desk.now()
    store = ContactMergeStore(connection)
    moved = await store.move_in(source, target)
    before = _kept(target) | {"shared": target.shared}
    after = _merged(source, target)
    await ContactStore(connection).update(source.id, merged_into=target.id)
    await ContactStore(connection).update(target.id, shared=True, **after)
    for move in desk.moves_too:
        await move(connection, moved["conversations"], target.id)
    merge = ContactMerge(new_id(), source.id, target.id, by_id, by_name, now, moved, _json(before), _json(after))
    await store.add_merge(merge)
    data = {"source": source.id, "target": target.id, "merge": merge.id}
    counts = {name: len(moved[name]) for name in moved}
    entry = AuditEntry("contacts_merged", _actor(by_id), None, target.id, data | counts)
    await desk.audit.append(connection, now, [entry])
    return merge


async def part_rows(
    desk: Desk,
    connection: AsyncConnection,
    merge: ContactMerge,
    source: ContactProfile,
    target: ContactProfile,
    *,
    by_id: str,
) -> list[str]:
    """Take a merge back in a transaction that has locked both; returns the conversations that go back to the source.

    The addresses are remembered as parted, so that no proof links them again. Raises ``CannotSeparate``.
    """
    store, now = ContactMergeStore(connection), desk.now()
    await _check_separable(store, merge, target)
    moving, proofs = await store.move_out(source, target, merge.moved)
    left = [Address(one["channel"], one["account"], one["contact"]) for one in merge.moved["addresses"]]
    await LinkStore(connection).unlink(left)
    stayed = [one.address for one in target.addresses if one.address not in left]
    await ProofStore(connection).refuse(left, stayed, now)
    await ProofStore(connection).bring_back(left)
    await ContactStore(connection).update(source.id, merged_into=None, **_proved(source, proofs))
    values = _restored(target, merge)
    if merge.before["shared"]:
        values["shared"] = True
    else:
        own = await store.forget_proofs(target.id)
        values |= {"shared": False, "customer_id": own[0] if own else merge.before["customer_id"]}
    await ContactStore(connection).update(target.id, **values)
    await SearchStore(connection).put_contact(target.id)  # also where its name stays: the addresses have gone
    for move in desk.moves_too:
        await move(connection, moving, source.id)
    await store.end_merge(merge.id, now)
    data = {"source": source.id, "target": target.id, "merge": merge.id, "conversations": len(moving)}
    entry = AuditEntry("contacts_separated", _actor(by_id), None, target.id, data)
    await desk.audit.append(connection, now, [entry])
    return moving


def refusal(source: ContactProfile, target: ContactProfile) -> ConversationError | None:
    """Why two contacts cannot be one person, if so."""
    for one in (source, target):
        if one.erased_at is not None:
            return NotFound(GONE)
        if one.merged_into is not None:
            return AlreadyMerged("one of these contacts was merged meanwhile; reload the conversation")
    for own, other in ((source.customer_id, target.customer_id), (source.known_as, target.known_as)):
        if own is not None and other is not None and own != other:
            return DifferentCustomers(
                "these contacts belong to different customers, so they are not one person; "
                "if an agent linked one of them by mistake, unlink it first"
            )
    return None


async def _check_separable(store: ContactMergeStore, merge: ContactMerge, target: ContactProfile) -> None:
    if target.erased_at is not None or not merge.moved:
        raise CannotSeparate("this contact was erased; there is nothing left to separate")
    if target.merged_into is not None:
        raise CannotSeparate("this contact was itself merged into another one since; separate that merge first")
    newest = (await store.merges_into(target.id))[0]
    if newest.id != merge.id:
        raise CannotSeparate("another contact was merged in after this one; separate the newer merge first")


def _actor(by_id: str) -> str:
    return by_id if by_id == CONTACT else f"agent:{by_id}"


def _kept(profile: ContactProfile) -> dict[str, Any]:
    return {name: getattr(profile, name) for name in _MERGED} | {"note": profile.note or None}


def _merged(source: ContactProfile, target: ContactProfile) -> dict[str, Any]:
    """What the target becomes: its own values, the source's where it has none, both notes."""
    own, other = _kept(target), _kept(source)
    values = {name: own[name] for name in _MERGED}
    for group in (("name", "named_by"), ("language",), ("tier",), ("customer_id",), _LINK, ("unasked_at",)):
        if own[group[0]] is None:
            values |= {name: other[name] for name in group}
    notes = [note for note in (own["note"], other["note"]) if note]
    values["note"] = "\n\n".join(dict.fromkeys(notes))[: 2 * MAX_NOTE] or None
    return values


def _restored(target: ContactProfile, merge: ContactMerge) -> dict[str, Any]:
    """What the target was before, except for what was changed since the merge."""
    now = _json(_kept(target))
    values = {name: merge.before[name] for name in _MERGED if now[name] == merge.after[name]}
    for name in ("linked_at", "unasked_at"):
        if values.get(name) is not None:
            values[name] = datetime.fromisoformat(values[name])
    return values


def _proved(source: ContactProfile, proofs: Sequence[str | None]) -> dict[str, Any]:
    """Who the source is: what was proved at its addresses while it was merged counts."""
    proved = next((one for one in proofs if one is not None), None)
    return {} if proved is None or proved == source.customer_id else {"customer_id": proved}


def _json(values: dict[str, Any]) -> dict[str, Any]:
    return {name: value.isoformat() if isinstance(value, datetime) else value for name, value in values.items()}


def _spellings(points: Sequence[str]) -> tuple[list[str], list[str]]:
    """Phone numbers as channels write them, and e-mail addresses."""
    phones: dict[str, None] = {}
    emails: dict[str, None] = {}
    for point in filter(None, points):
        if "@" in point:
            emails[point.lower()] = None
            continue
        digits = re.sub(r"\D", "", point)
        mainland = digits[2:] if re.fullmatch(r"861\d{10}", digits) else digits
        for one in (point, digits, f"+{digits}", mainland):
            phones[one] = None
        if re.fullmatch(r"1\d{10}", mainland):
            phones |= dict.fromkeys((f"86{mainland}", f"+86{mainland}"))
    return list(phones), list(emails)
