"""One contact on several channels: a code from one place, sent at another, makes both the same person's.

Whoever can read here and write there is one person; a name never is. From then on their conversations are kept at one
of the addresses, the home, and go on wherever the contact writes: the same thread, the same slots, the same agent. Only
where answers are sent changes (``Conversation.reply_to``). The contacts are merged as if an agent had done it, and can be
separated like any others, which parts the addresses again.
"""

from __future__ import annotations

import re
import secrets
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection

from conversations import contact_merging
from conversations.change import STAFF, Change, Desk
from conversations.contact_merge_store import ContactMergeStore
from conversations.contact_store import ContactStore
from conversations.conversation_store import ConversationStore, Locked
from conversations.errors import CannotSeparate
from conversations.joining import BY_PROOF
from conversations.link_store import LinkStore
from conversations.model import Address, Contact, Conversation, InboundMessage, Status

DIGITS = 8
VALID_FOR = timedelta(minutes=10)
#: Wrong codes before nobody may try: from one address within an hour, from everywhere within ten minutes. With a hundred
#: codes in force, guessing would take a year on average.
MOST_WRONG, MOST_WRONG_EVERYWHERE = 5, 50
COMMAND = "/link"  #: what stands in the transcript, without the code
_WANTS_CODE = re.compile(
    r"/link|link code|绑定码|綁定碼|换个?渠道(?:继续)?|換個?渠道(?:繼續)?|continue elsewhere", re.IGNORECASE
)
_GIVES_CODE = re.compile(rf"/?(?:link|绑定|綁定)\s*[:：]?\s*((?:\d[\s-]?){{{DIGITS - 1}}}\d)", re.IGNORECASE)
_BY = "contact"


#: What undoes, for a week, that places were linked by proof.
_DENIES = re.compile(
    r"(?:这|那|這)?不是(?:我|本人)|not me|(?:that|this|it)(?:['’]s| is| was) not me|(?:that|this|it) (?:isn|wasn)['’]t me",
    re.IGNORECASE,
)
DENY_WITHIN = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class Asked:
    """A contact wants a code, gives one, or says that what was linked is not theirs."""

    code: str | None
    denies: bool = False


@dataclass(slots=True)
class Answer:
    """What the contact is told, and what else consoles must hear."""

    notice: str
    shown: str | None = COMMAND  #: what stands in the transcript instead of the contact's words; None: the words
    values: dict[str, str | int] = field(default_factory=dict)
    events: list[tuple[str, dict[str, Any]]] = field(default_factory=list)


def asked_by(inbound: InboundMessage) -> Asked | None:
    """What a message has to do with codes, if anything."""
    if inbound.attachments or inbound.button_id is not None or len(inbound.text) > 40:
        return None
    text = inbound.text.strip()
    given = _GIVES_CODE.fullmatch(text)
    if given is not None:
        return Asked(re.sub(r"\D", "", given[1]))
    if _DENIES.fullmatch(text.rstrip("。.！!，, ")):
        return Asked(None, denies=True)
    return Asked(None) if _WANTS_CODE.fullmatch(text) else None


def follow(change: Change, inbound: InboundMessage) -> None:
    """The conversation is answered where the contact wrote last."""
    conversation = change.conversation
    reply_to = None if inbound.address == conversation.address else inbound.address
    if reply_to != conversation.reply_to:
        data = {"from": conversation.reached_at.channel, "to": inbound.address.channel}
        change.set(reply_to=reply_to)
        change.record("moved", "contact", data)


async def obey(desk: Desk, connection: AsyncConnection, contact: Contact, here: Address, asked: Asked) -> Answer | None:
    """Give out a code, make two addresses one person's, or part them; the merging of contacts and this address are locked.

    None: there is nothing to part, so it is a message like any other.
    """
    links, now = LinkStore(connection), desk.now()
    if asked.denies:
        return await _part(desk, connection, contact, now)
    if asked.code is None:
        code = f"{secrets.randbelow(10**DIGITS):0{DIGITS}d}"
        await links.add_code(code, here, now + VALID_FOR, now)
        shown = f"{code[: DIGITS // 2]} {code[DIGITS // 2 :]}"
        return Answer("link_code", values={"code": shown, "minutes": round(VALID_FOR.total_seconds() / 60)})
    own, everywhere = await links.wrong_codes(here, now)
    if own >= MOST_WRONG or everywhere >= MOST_WRONG_EVERYWHERE:
        return Answer("link_later")
    there = await links.take_code(asked.code, now)
    if there is None:
        await links.note_wrong_code(here, now)
        return Answer("link_wrong")
    return await _link(desk, connection, contact, await links.home_of(here), await links.home_of(there), now)


async def _link(
    desk: Desk, connection: AsyncConnection, contact: Contact, here: Address, there: Address, now: datetime
) -> Answer:
    """Make ``here``, where the code was sent, and ``there``, where it came from, one person's."""
    if here == there:
        return Answer("link_here")
    store, links = ConversationStore(connection), LinkStore(connection)
    other = await store.lock_contact(there, None, None, now)
    begun, waiting = await store.lock_latest(there), await store.lock_latest(here)
    if _with_people(begun) and _with_people(waiting):
        return Answer("link_busy")
    if contact.id != other.id:
        source, target = [await ContactStore(connection).get(one.id) for one in (contact, other)]
        if contact_merging.refusal(source, target) is not None:
            return Answer("link_refused")
        await contact_merging.merge_rows(desk, connection, source, target, by_id=_BY, by_name=COMMAND)
    # Whoever is with people stays there; otherwise the conversation goes on that the code came from.
    home, joined = (here, there) if _with_people(waiting) else (there, here)
    proof = other.customer_id or contact.customer_id
    if proof is not None:
        await links.set_proof((here, there), proof)
    left = waiting if home == there else begun
    events: list[tuple[str, dict[str, Any]]] = []
    if _open(left) is not None:
        ended = Change(desk, connection, now, await store.lock(left.conversation.id))  # type: ignore[union-attr]
        await ended.hand_to_people()
        ended.move(Status.RESOLVED, "contact", "linked", resolved_at=now, resolved_by="linked", priority=0)
        await ended.save()
        events = ended.events
    await links.set_home(joined, home)
    goes_on = _open(waiting if home == here else begun)
    return Answer("link_done" if goes_on is not None else "link_known", events=events)


async def _part(desk: Desk, connection: AsyncConnection, contact: Contact, now: datetime) -> Answer | None:
    """Take back what a proof linked last, if that is not long ago."""
    store = ContactMergeStore(connection)
    by_proof = (contact_merging.CONTACT, BY_PROOF)
    recent = [one for one in await store.merges_into(contact.id) if now - one.at <= DENY_WITHIN]
    merge = next((one for one in recent if (one.by_id, one.by_name) == by_proof), None)
    if merge is None:
        return None
    contacts = ContactStore(connection)
    await contacts.lock(merge.source_id, merge.target_id)
    source, target = await contacts.get(merge.source_id), await contacts.get(merge.target_id)
    try:
        await contact_merging.part_rows(desk, connection, merge, source, target, by_id=contact_merging.CONTACT)
    except CannotSeparate:
        return Answer("link_stays", None)
    told = [(STAFF, {"type": "contact", "contact_id": one, "revision": None}) for one in (source.id, target.id)]
    return Answer("link_parted", None, events=told)


def _open(locked: Locked | None) -> Conversation | None:
    if locked is None or locked.conversation.status is Status.RESOLVED:
        return None
    return locked.conversation


def _with_people(locked: Locked | None) -> bool:
    return locked is not None and locked.conversation.status in (Status.QUEUED, Status.ASSIGNED)
