"""Stores what contacts send: messages, presses of buttons, and ratings."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from sqlalchemy.ext.asyncio import AsyncConnection

from conversations import linking, merging, notices, opting, organising, queueing, rating
from conversations.change import Change, Desk
from conversations.contact_store import ContactStore
from conversations.conversation_store import ConversationStore, Locked
from conversations.delivery_store import DeliveryStore
from conversations.errors import BadContactPoint, InvalidMessage, SignedIn
from conversations.model import (
    SPOKEN,
    Address,
    Author,
    Contact,
    Conversation,
    InboundMessage,
    Message,
    Receipt,
    Status,
    new_id,
)
from conversations.organising_store import OrganisingStore
from conversations.proactive_store import ProactiveStore
from conversations.proof_store import ProofStore
from conversations.turns import Claim, claim_of
from failpoints import reach

MAX_TEXT = 20_000
_BUTTON = re.compile(r"[\x21-\x7e]{1,128}")  # ours are shorter; others may reach us, and no database stores everything
_SHORT = 60  # longer texts are not compared with the titles of buttons
_ASK_FOR_PERSON = "/handoff"  # what the bot makes of "talk to a person"


@dataclass(frozen=True, slots=True)
class Reception:
    """What became of an inbound message; ``claim`` if the caller shall run its turn at once."""

    receipt: Receipt
    change: Change | None = None
    claim: Claim | None = None


@dataclass(frozen=True, slots=True)
class _Press:
    conversation_id: str
    title: str
    payload: str
    answer: rating.Answer | None = None  #: what it says about a conversation, where it is a rating


def clean(inbound: InboundMessage) -> InboundMessage:
    """The message without what no database stores; raises ``InvalidMessage``."""
    text = inbound.text.replace("\x00", "").encode("utf-8", "replace").decode().strip()
    if len(text) > MAX_TEXT:
        raise InvalidMessage(f"the message is longer than {MAX_TEXT} characters; send it in parts")
    if not text and not inbound.attachments and not inbound.button_id:
        raise InvalidMessage("the message is empty; write something or attach a file")
    if inbound.button_id is not None and _BUTTON.fullmatch(inbound.button_id) is None:
        raise InvalidMessage("there is no such button; write what you need instead")
    address = inbound.address
    parts = (address.channel, address.account, address.contact, inbound.external_id)
    if not all(0 < len(part) <= 512 and "\x00" not in part for part in parts):
        raise InvalidMessage("channel, account, contact and external id must have 1 to 512 characters")
    name = (inbound.contact_name or "").replace("\x00", "").encode("utf-8", "replace").decode().strip()[:200]
    return InboundMessage(
        address=address,
        external_id=inbound.external_id,
        text=text,
        button_id=inbound.button_id,
        attachments=inbound.attachments,
        contact_name=name or None,
        language=inbound.language if inbound.language in ("zh", "en") else None,
        sent_at=inbound.sent_at,
        contact_point=inbound.contact_point,
        vouched=inbound.vouched,
    )


async def receive(
    desk: Desk,
    connection: AsyncConnection,
    inbound: InboundMessage,
    lease_until: datetime | None,
    proves: str | None = None,
) -> Reception:
    """Store one message; with ``lease_until`` its turn is claimed in the same transaction where that is possible.

    ``proves`` is the customer whom the channel vouches for.
    """
    store, deliveries = ConversationStore(connection), DeliveryStore(connection)
    now = desk.now()
    asked, says = linking.asked_by(inbound), None
    if asked is not None:
        await OrganisingStore(connection).lock_merging()  # which whoever merges contacts takes before any address
    here = (inbound.address, inbound.contact_name, inbound.language, now)
    contact = await store.lock_contact(*here)
    known = await deliveries.find_received(inbound)
    if known is not None:
        receipt, address = known
        if address.contact not in (inbound.address.contact, contact.home.contact if contact.home else None):
            raise InvalidMessage("this message id was used by another contact; use a new one")
        return Reception(receipt)
    if contact.retired_at is not None:
        raise SignedIn("the visitor has signed in; say hello again to go on")
    await ProactiveStore(connection).note_wrote(inbound.address, now)
    if inbound.contact_point is not None:
        inbound = replace(inbound, contact_point=_contact_point(desk, inbound.contact_point))
    if asked is not None:
        says = await linking.obey(desk, connection, contact, inbound.address, asked)
        if says is not None:
            inbound = replace(inbound, text=says.shown or inbound.text)
            contact = await store.lock_contact(*here)
    home = contact.home or inbound.address
    if home != inbound.address:
        contact = await store.lock_contact(home, None, None, now)
    if proves is not None and contact.customer_id in (None, proves):
        await ContactStore(connection).note_proof(contact.id, home, proves)
        await ProofStore(connection).note(inbound.address, proves, "channel", now)
        contact = replace(contact, customer_id=proves)
    latest = await store.lock_latest(inbound.address)
    wish = opting.wish_of(inbound) if says is None else None
    if wish is not None:
        inbound = replace(inbound, language=inbound.language or opting.language_of(inbound))
        says = await opting.obey(desk, connection, contact, wish)
    press = None if says is not None else await _find_press(desk, connection, inbound, latest)
    if press is None and inbound.button_id is not None and not inbound.text:
        raise InvalidMessage("there is no such button; write what you need instead")
    rates = press is not None and press.answer is not None
    if latest is not None and latest.conversation.merged_into is not None and not rates:
        merged = Change(desk, connection, max(now, latest.conversation.updated_at), latest)
        target = await merging.follow(merged, now)
        if target is not None:
            return await _store_merged(merged, target, inbound, press, says)
    if latest is None or (latest.conversation.status is Status.RESOLVED and not rates):
        # The newest conversation at an address is known by when it was opened, also after the clock was set back.
        after = now if latest is None else max(now, latest.conversation.opened_at + timedelta(microseconds=1))
        change = _open(desk, connection, inbound, home, contact, after)
    elif rates and press is not None and press.conversation_id != latest.conversation.id:
        change = Change(desk, connection, now, await store.lock(press.conversation_id))
    else:
        change = Change(desk, connection, max(now, latest.conversation.updated_at), latest)
    return await _store(change, inbound, press, says, lease_until)


def _contact_point(desk: Desk, typed: str) -> str:
    """What a form sent, in its normal form; raises ``BadContactPoint``."""
    point = desk.contact_point(typed)
    if point is None:
        raise BadContactPoint("this is neither a phone number nor an e-mail address; correct it and send it again")
    return point


async def _store(
    change: Change,
    inbound: InboundMessage,
    press: _Press | None,
    says: linking.Answer | None,
    lease_until: datetime | None,
) -> Reception:
    linking.follow(change, inbound)
    title = press.title if press is not None else ""
    message = change.say(
        Author.CONTACT,
        inbound.text or title,
        author_name=inbound.contact_name or change.conversation.contact_name,
        attachments=inbound.attachments,
        external_id=inbound.external_id,
    )
    if change.conversation.snoozed_until is not None:
        organising.wake(change, "contact")
    payload = press.payload if press is not None and press.conversation_id == change.conversation.id else None
    if press is not None and press.payload == notices.PERSON:
        payload = _ASK_FOR_PERSON
    if says is not None:
        state = "done"
        change.notice(says.notice, stays=True, **says.values)
        change.events += says.events
    elif payload is not None and payload.startswith("frontdesk:") and press is not None:
        await _obey(change, press)
        state, payload = "done", None
    else:
        state = "new" if change.conversation.status is Status.BOT else "done"
    if state == "done" and change.conversation.status in (Status.QUEUED, Status.ASSIGNED):
        change.record("shown", "contact", {"seq": message.seq}, {"text": message.text})
        queueing.note_contact_point(change, message.text, inbound.contact_point)
    claim = await _claim(change, message, payload, lease_until) if state == "new" else None
    state, attempts = ("running", 1) if claim else (state, 0)
    change.arrived(inbound, message, state=state, payload=payload, attempts=attempts, next_at=change.now)
    await change.save()
    reach("before_inbound_commit")
    return Reception(Receipt(message.conversation_id, message.id, message.seq), change, claim)


async def _store_merged(
    source: Change, target: Change, inbound: InboundMessage, press: _Press | None, says: linking.Answer | None
) -> Reception:
    linking.follow(source, inbound)
    message = source.say(
        Author.CONTACT,
        inbound.text or (press.title if press is not None else ""),
        author_name=inbound.contact_name or source.conversation.contact_name,
        attachments=inbound.attachments,
        external_id=inbound.external_id,
    )
    if target.conversation.snoozed_until is not None:
        organising.wake(target, "contact")
    source.arrived(inbound, message, state="done", payload=None, attempts=0, next_at=source.now)
    await merging.show_in_target(source, target, message)
    if says is not None:
        source.notice(says.notice, stays=True, **says.values)
        source.events += says.events
    await source.save()
    await target.save()
    source.events += target.events
    return Reception(Receipt(message.conversation_id, message.id, message.seq), source)


async def _claim(change: Change, message: Message, payload: str | None, lease_until: datetime | None) -> Claim | None:
    before = change.before
    if lease_until is None or (before is not None and before.lease_until is not None):
        return None
    if before is not None and await change.deliveries.has_unfinished(change.conversation.id):
        return None
    return await claim_of(change, message, payload, 1, lease_until)


def _open(
    desk: Desk, connection: AsyncConnection, inbound: InboundMessage, home: Address, contact: Contact, now: datetime
) -> Change:
    conversation = Conversation(
        id=new_id(),
        address=home,
        contact_id=contact.id,
        status=Status.BOT,
        language=contact.language or inbound.language or guess_language(inbound.text),
        opened_at=now,
        updated_at=now,
        contact_name=contact.name,
        customer_id=contact.customer_id,
        origin_id=contact.origin_id,
    )
    change = Change(desk, connection, now, None, conversation)
    change.record("opened", "contact", {"channel": inbound.address.channel})
    return change


def guess_language(text: str) -> str:
    """Chinese if there is any Chinese character or nothing to go by, else English."""
    if any("\u4e00" <= letter <= "\u9fff" for letter in text):
        return "zh"
    return "en" if any(letter.isalpha() for letter in text) else "zh"


async def _find_press(
    desk: Desk, connection: AsyncConnection, inbound: InboundMessage, latest: Locked | None
) -> _Press | None:
    store = ConversationStore(connection)
    if inbound.button_id is not None:
        return await _press_of(store, inbound.button_id, inbound)
    if latest is None or not inbound.text:
        return None
    conversation = latest.conversation
    if conversation.merged_into is not None:
        return None  # nobody asked for anything here: the conversation goes on elsewhere
    spoken = inbound.text.startswith(SPOKEN)
    if spoken:  # machines that write down end everything with a full stop
        inbound = replace(inbound, text=inbound.text.removeprefix(SPOKEN).rstrip(".。 "))
    pressed = await _press_by_text(store, inbound, latest)
    if pressed is not None or not rating.waits_for_answer(latest) or (inbound.attachments and not spoken):
        return pressed
    over = Change(desk, connection, max(desk.now(), conversation.updated_at), latest)
    answer = await rating.read_answer(over, inbound.text)
    return None if answer is None else _Press(conversation.id, inbound.text, notices.RATE, answer)


async def _press_by_text(store: ConversationStore, inbound: InboundMessage, latest: Locked) -> _Press | None:
    """The button whose title or place in the list a text is; a number after a request for a rating is the score."""
    if len(inbound.text) > _SHORT:
        return None
    over = latest.conversation.status is Status.RESOLVED
    digit = int(inbound.text) if inbound.text in ("1", "2", "3", "4", "5", "6", "7", "8", "9") else None
    for place, button in enumerate(latest.shown_buttons, start=1):
        numbered = place == digit and (over or latest.conversation.status is Status.BOT)
        if numbered or button.title.casefold() == inbound.text.casefold():
            press = await _press_of(store, button.id, inbound)
            if over and (press is None or press.payload.startswith(notices.RATE)):
                return None  # what is typed is read as a rating, for as long as one is waited for
            return press
    return None


async def _press_of(store: ConversationStore, button_id: str, inbound: InboundMessage) -> _Press | None:
    found = await store.find_button(button_id, inbound.address)
    return None if found is None else _Press(*found, rating.answer_of(found[2]))


async def _obey(change: Change, press: _Press) -> None:
    if press.answer is not None:
        await rating.obey(change, press.answer)
    elif press.payload == notices.LEAVE_QUEUE and change.conversation.status is Status.QUEUED:
        change.move(Status.BOT, "contact", "left_queue", queued_at=None, handoff_reason=None, priority=0)
        change.notice("left_queue")
