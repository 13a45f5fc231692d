"""Says what nobody asked for where the contact may be told it now, and goes on to the next address where that failed.

A message waits (for office hours, for a day with room), is under way in the outbox, and ends as sent, unknown or not
sent. It is said in the contact's conversation like everything else and goes out in order with it.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

import structlog
from sqlalchemy.ext.asyncio import AsyncConnection

from conversations import merging, opting
from conversations.change import Change
from conversations.conversation_store import ConversationStore, Locked
from conversations.errors import ConversationError
from conversations.model import Address, Author, Contact, Conversation, Status, new_id
from conversations.proactive import Proactive
from conversations.proactive_aiming import Accounts, Aim, Aiming, Ways
from conversations.proactive_outcomes import Outcomes
from conversations.proactive_store import EVERY_KIND, Place, ProactiveStore, Told

log = structlog.get_logger()

_AT_ONCE = 20
_ASK_AGAIN = timedelta(minutes=2)  # when the shop's system did not answer
_ASK_SECONDS = 5.0
_DAY = timedelta(days=1)
#: A new conversation would take the place of the one that waits for its rating.
_RATING = timedelta(minutes=10)
#: What a fact is called in the bot's memory.
_REMEMBERED = {"order": "order_number", "ticket": "ticket_number"}


@dataclass(frozen=True, slots=True)
class Hours:
    """When contacts may be disturbed."""

    is_open: Callable[[datetime], bool]
    opens_at: Callable[[datetime], datetime | None]


class ProactiveSender:
    """Runs in every service process; they share the work through the database."""

    def __init__(
        self,
        proactive: Proactive,
        ways: Ways,
        accounts: Accounts,
        hours: Hours,
        *,
        per_day: int,
        poll_seconds: float = 1.0,
    ) -> None:
        self._proactive = proactive
        self._conversations = proactive.conversations
        self._database = proactive.conversations.database
        self._ways = ways
        self._aiming = Aiming(self._database, ways, accounts)
        self._outcomes = Outcomes(proactive.conversations)
        self._hours = hours
        self._per_day = per_day
        self._poll_seconds = poll_seconds
        self._wake = asyncio.Event()
        self._loop: asyncio.Task[None] | None = None
        proactive.sender = self

    def wake(self) -> None:
        """Look now instead of at the next poll."""
        self._wake.set()

    async def start(self) -> None:
        """Begin to look at what is due."""
        self._loop = asyncio.create_task(self._run(), name="proactive")

    async def stop(self) -> None:
        """Stop looking; what waits is safe."""
        if self._loop is not None:
            self._loop.cancel()
            await asyncio.gather(self._loop, return_exceptions=True)

    async def _run(self) -> None:
        while True:
            self._wake.clear()
            try:
                worked = await self.work()
            except Exception as error:
                log.error("proactive_failed", error=repr(error), retry_in_seconds=self._poll_seconds)
                worked = 0
            if not worked:
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(self._poll_seconds):
                        await self._wake.wait()

    async def work(self) -> int:
        """One look: what the outbox is done with, then what is due; returns how much was looked at."""
        now = self._conversations.now()
        async with self._database.read() as connection:
            ended = await ProactiveStore(connection).ended(now, _AT_ONCE)
            due = await ProactiveStore(connection).due(now, _AT_ONCE)
        for one in ended:
            repeatable = self._ways.repeatable(one.address)
            await self._outcomes.ended(
                one.id, one.state, one.error or "", repeatable=repeatable, where=str(one.address)
            )
        for id in due:
            try:
                await self._send(id)
            except ConversationError as error:  # somebody else changed the same conversation
                log.warning("proactive_put_off", id=id, error=repr(error))
                await self._outcomes.postpone(id, now + _ASK_AGAIN, "busy")
        return len(ended) + len(due)

    async def _send(self, id: str) -> None:
        now = self._conversations.now()
        async with self._database.read() as connection:
            told = await ProactiveStore(connection).find(id)
        if told is None or told.state != "waiting":
            return
        if now >= told.expires_at:
            await self._outcomes.give_up(told, told.reason if told.reason == "too_many" else "expired")
            return
        if not self._hours.is_open(now):
            opens = self._hours.opens_at(now) or told.expires_at
            await self._outcomes.postpone(id, min(opens, told.expires_at), "quiet_hours")
            return
        try:
            async with asyncio.timeout(_ASK_SECONDS):
                aim = await self._aiming.aim(told)
        except Exception as error:  # whatever the shop's system raises
            log.warning("proactive_recipient_unknown", id=id, error=repr(error))
            await self._outcomes.postpone(id, min(now + _ASK_AGAIN, told.expires_at), "shop_silent")
            return
        reason = aim.missing or await self._first_open(told, aim)
        if reason is not None:
            await self._outcomes.give_up(told, reason, aim.contact_ids)

    async def _first_open(self, told: Told, aim: Aim) -> str | None:
        """Say it at the first address that is open; None when that is done or put off, else why none is."""
        reasons = [one["reason"] for one in told.tried]
        for place in aim.places:
            if place.unreachable:
                reasons.append("unreachable")
                continue
            how = self._ways.way(place.address, self._proactive.form_of(told, place, aim.language))
            if how is None:
                reasons.append("window_closed")
            elif not told.was_tried(place.address, how):
                refused = await self._say(told, aim, place, how)
                if refused in (None, "opted_out"):
                    return refused
                reasons.append(str(refused))
        return reasons[0] if reasons else "no_address"

    async def _say(self, told: Told, aim: Aim, place: Place, how: str) -> str | None:
        """One transaction: the words in the transcript, the outbox, the audit entry; None when done, else why not."""
        async with self._database.write() as connection:
            store, proactive = ConversationStore(connection), ProactiveStore(connection)
            now = self._conversations.now()
            contact = await store.lock_contact(place.address, None, None, now)
            home = contact.home or place.address
            if home != place.address:
                contact = await store.lock_contact(home, None, None, now)
            latest = await store.lock_latest(place.address)
            current = await proactive.find(told.id, lock=True)
            if current is None or current.state != "waiting":
                return None  # another process was quicker
            families = [await opting.family_of(connection, one) for one in {contact.id, *aim.contact_ids}]
            family = {one for each in families for one in each}
            people = family | await opting.people_of(connection, contact.id)
            if await proactive.is_off(people, EVERY_KIND, told.kind):
                return "opted_out"
            put_off = await self._put_off(proactive, family, latest, now)
            if put_off is not None:
                again, reason = put_off
                await proactive.change(told.id, due_at=min(again, told.expires_at), reason=reason)
                return None
            change = await self._change(connection, contact, home, latest, aim.language, now)
            kind = self._proactive.catalogue.kinds.get(told.kind)
            if kind is None:
                return "unknown_type"
            if how == "kept" and change.conversation.address != home:
                return "merged"
            text = kind.text(change.conversation.language, told.facts)
            message = change.say(Author.SYSTEM, text, stays=True)
            change.sent_to[message.id] = place.address
            change.set(told=_remembered(told.facts))
            went: dict[str, Any] = {"channel": place.address.channel, "account": place.address.account, "how": how}
            data = {"id": told.id, "kind": told.kind, "seq": message.seq, **went}
            change.record("proactive", "system", data, {"text": text})
            await change.save()
            here: dict[str, Any] = {
                "contact_id": contact.id,
                "conversation_id": change.conversation.id,
                "seq": message.seq,
            }
            begun = {"state": "sending", "reason": None, "due_at": now, "begun_at": None}
            await proactive.change(told.id, **begun, **here, **went)
            if how == "kept":
                await self._outcomes.settle(connection, replace(told, **here, **went), "sent")
        await self._conversations.publish(change)
        await self._outcomes.show(contact.id)
        return None

    async def _put_off(
        self, store: ProactiveStore, family: set[str], latest: Locked | None, now: datetime
    ) -> tuple[datetime, str] | None:
        """Until when a contact is left alone, and why."""
        said = await store.said_since(family, now - _DAY)
        if len(said) >= self._per_day:
            return said[len(said) - self._per_day] + _DAY, "too_many"
        over = latest.conversation if latest is not None and latest.shown_buttons else None
        if over is not None and over.status is Status.RESOLVED and over.resolved_at is not None:
            until = over.resolved_at + _RATING
            return (until, "rating") if over.resolved_at <= now < until else None
        return None

    async def _change(
        self,
        connection: AsyncConnection,
        contact: Contact,
        home: Address,
        latest: Locked | None,
        language: str | None,
        now: datetime,
    ) -> Change:
        """The conversation in which it is said: the open one, the one that people merged it into, or a new one."""
        desk, after = self._conversations.desk, now
        if latest is not None:
            change = Change(desk, connection, max(now, latest.conversation.updated_at), latest)
            target = await merging.follow(change, now) if latest.conversation.merged_into is not None else None
            if target is not None:
                return target
            if latest.conversation.status is not Status.RESOLVED:
                return change
            after = max(now, latest.conversation.opened_at + timedelta(microseconds=1))
        conversation = Conversation(
            id=new_id(),
            address=home,
            contact_id=contact.id,
            status=Status.BOT,
            language=contact.language or (latest.conversation.language if latest else None) or language or "zh",
            opened_at=after,
            updated_at=after,
            contact_name=contact.name,
            customer_id=contact.customer_id,
            origin_id=contact.origin_id,
        )
        opened = Change(desk, connection, after, None, conversation)
        opened.record("opened", "system", {"channel": home.channel})
        return opened


def _remembered(facts: Mapping[str, str]) -> dict[str, str] | None:
    return {_REMEMBERED[name]: value for name, value in facts.items() if name in _REMEMBERED} or None
