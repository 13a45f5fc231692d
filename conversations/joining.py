"""Two places become one person's without a code: the conversation that is going on goes on, and only one of them does.

The conversations are kept at the home of ``there``, which has the longer past; what is going on at ``here`` is carried to
it, so that every place shows one thread. Where it was before is noted in the merge, which takes it back when the contacts
are separated.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum
from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection

from conversations import contact_merging, notices
from conversations.change import STAFF, Change, Desk, contact_topic
from conversations.contact_merge_store import ContactMergeStore
from conversations.contact_model import ContactMerge
from conversations.contact_store import ContactStore
from conversations.conversation_store import ConversationStore, Locked
from conversations.link_store import LinkStore
from conversations.model import Address, Status
from conversations.proof_store import ProofStore

BY_PROOF, BY_SIGN_IN = "proof", "sign_in"  #: what stands in a merge as who made it
_PEOPLE = (Status.QUEUED, Status.ASSIGNED)


class Outcome(StrEnum):
    """What became of an attempt to join two places."""

    JOINED = "joined"
    KNOWN = "known"  #: they were joined before
    BUSY = "busy"  #: people help in both; later
    REFUSED = "refused"  #: different customers, or parted before


@dataclass(slots=True)
class Joined:
    """What came of it, and what has to be announced once it is committed."""

    outcome: Outcome
    changes: list[Change] = field(default_factory=list)
    events: list[tuple[str, dict[str, Any]]] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Manner:
    """How two places are joined: ``by`` names the reason in the merge, ``notice`` is what the contact is told.

    ``leaving``: nobody goes on writing at ``here``, so it is answered at ``there`` from now on.
    """

    by: str
    notice: str | None = None
    leaving: bool = False


async def join(desk: Desk, connection: AsyncConnection, here: Address, there: Address, manner: Manner) -> Joined:
    """Make two known addresses one person's in a transaction in which no other merge is under way."""
    store, links = ConversationStore(connection), LinkStore(connection)
    now = desk.now()
    homes = {here: await links.home_of(here), there: await links.home_of(there)}
    left, home = homes[here], homes[there]
    if left == home:
        return Joined(Outcome.KNOWN)
    order = sorted((left, home), key=str)
    contacts = {one: await store.lock_contact(one, None, None, now) for one in order}
    latest = {one: await store.lock_latest(one) for one in order}
    if _helped(latest[left]) and _helped(latest[home]):
        return Joined(Outcome.BUSY)
    merge: ContactMerge | None = None
    if contacts[left].id != contacts[home].id:
        source, target = [await ContactStore(connection).get(contacts[one].id) for one in (left, home)]
        if contact_merging.refusal(source, target) is not None:
            return Joined(Outcome.REFUSED)
        if await ProofStore(connection).refused(source.id, target.id):
            return Joined(Outcome.REFUSED)
        by = contact_merging.CONTACT
        merge = await contact_merging.merge_rows(desk, connection, source, target, by_id=by, by_name=manner.by)
    elif manner.leaving:
        merge = next(iter(await ContactMergeStore(connection).merges_into(contacts[home].id)), None)
    goes_on = _goes_on(latest[left], latest[home])
    if goes_on is not None and goes_on is latest[left] and merge is None and not manner.leaving:
        left, home = home, left  # nothing would bring it back, so it stays, and the other place joins it
    proof = contacts[home].customer_id or contacts[left].customer_id
    if proof is not None and not manner.leaving:  # a user for good is not whoever sat at this browser before
        await links.set_proof((left, home), proof)
    joined = Joined(Outcome.JOINED)
    for one in (left, home):
        if latest[one] is not goes_on:
            await _end(desk, connection, latest[one], joined)
    await links.set_home(left, home)
    if goes_on is not None:
        moving = Change(desk, connection, now, await store.lock(goes_on.conversation.id))
        at = _written_last(*latest.values())
        at = there if manner.leaving and at == here else at
        if moving.conversation.address != home:
            await _carry(moving, home, latest[home], merge)
        moving.set(reply_to=None if at == home else at)
        if manner.notice is not None:
            text = notices.notice(manner.notice, moving.conversation.language)
            moving.tell(text, stays=True)
        await moving.save()
        joined.changes.append(moving)
    if manner.leaving:
        await links.unlink([here])  # whoever still holds its token must not read what follows
    for contact in {one.id for one in contacts.values()}:
        joined.events.append((STAFF, {"type": "contact", "contact_id": contact, "revision": None}))
    joined.events += [(contact_topic(one), {"type": "look"}) for one in (here, there)]
    return joined


def _goes_on(here: Locked | None, there: Locked | None) -> Locked | None:
    """Whoever people help goes on, then what is open where the contact is, then what is open elsewhere."""
    both = [one for one in (here, there) if one is not None and one.conversation.status is not Status.RESOLVED]
    return next((one for one in both if _helped(one)), both[0] if both else None)


def _written_last(*latest: Locked | None) -> Address:
    """Where the contact is: they are told there, and answered there from now on."""
    both = [one.conversation for one in latest if one is not None]
    going_on = [one for one in both if one.status is not Status.RESOLVED]
    return max(going_on, key=lambda one: one.updated_at).reached_at


async def _end(desk: Desk, connection: AsyncConnection, locked: Locked | None, joined: Joined) -> None:
    """What the bot was doing in the other place is over, without a request for a rating."""
    if locked is None or locked.conversation.status is Status.RESOLVED:
        return
    ended = Change(desk, connection, desk.now(), await ConversationStore(connection).lock(locked.conversation.id))
    await ended.hand_to_people()
    ended.move(Status.RESOLVED, "contact", "linked", resolved_at=ended.now, resolved_by="linked", priority=0)
    await ended.save()
    joined.changes.append(ended)


async def _carry(moving: Change, home: Address, latest: Locked | None, merge: ContactMerge | None) -> None:
    """Keep a conversation at another address, as the newest there."""
    conversation = moving.conversation
    before, opened_at = conversation.address, conversation.opened_at
    if latest is not None and latest.conversation.opened_at >= opened_at:
        opened_at = latest.conversation.opened_at + timedelta(microseconds=1)
    place = {"channel": before.channel, "account": before.account, "contact": before.contact}
    carried = {"id": conversation.id, "opened_at": conversation.opened_at.isoformat(), **place}
    moving.set(address=home, opened_at=opened_at)
    moving.record("carried", "contact", {"from": before.channel, "to": home.channel})
    if merge is not None:  # which brings it back
        await ContactMergeStore(moving.connection).note_carried(merge, carried)


def _helped(locked: Locked | None) -> bool:
    return locked is not None and locked.conversation.status in _PEOPLE
