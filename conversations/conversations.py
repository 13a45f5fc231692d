"""The one place that changes a conversation: each change is one transaction, told to the hub after it committed."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Coroutine
from datetime import datetime, timedelta
from typing import Any

import structlog

from conversations import capacity, custody, reception, turns
from conversations import recall as recalling
from conversations.adopting import Adopting
from conversations.audit import AuditEntry, AuditLog
from conversations.callback_verbs import Callbacks
from conversations.change import STAFF, Desk, contact_topic
from conversations.company import Company
from conversations.contacts import Contacts
from conversations.delivery_store import DeliveryStore
from conversations.dispatch import Dispatch
from conversations.due_store import DueStore
from conversations.episode_verbs import Episodes
from conversations.episodes import RatingRules
from conversations.erasing import Erasing
from conversations.errors import InvalidMessage
from conversations.feelings import Feelings
from conversations.hub import Hub
from conversations.json_form import presence_json
from conversations.listeners import TurnTaker
from conversations.merging import Merging
from conversations.model import (
    Address,
    Agent,
    Attachment,
    Citation,
    Conversation,
    InboundMessage,
    Message,
    Presence,
    Receipt,
    Status,
    utc_now,
)
from conversations.organising import Organising
from conversations.patience import Patience
from conversations.presence_store import PresenceStore
from conversations.quarantine import Quarantine
from conversations.reading_store import ReadingStore
from conversations.recall import Recall
from conversations.receipts import Receipts
from conversations.store import Database
from conversations.turn_model import TurnResult
from conversations.turns import Claim
from conversations.verbs import Surroundings
from failpoints import reach

_LONGEST_BURST_SECONDS = 60
log = structlog.get_logger()

_PRESENCE_EVERY_SECONDS = 10.0
_PREVIEW = 500  # characters of what a contact is typing


def _always(_now: datetime) -> bool:
    return True


def _no_hours(_now: datetime) -> datetime | None:
    return None


def _everywhere(_address: Address) -> bool:
    return True


class Conversations(
    Adopting,
    Callbacks,
    Company,
    Contacts,
    Dispatch,
    Episodes,
    Erasing,
    Feelings,
    Organising,
    Merging,
    Receipts,
    Patience,
    Quarantine,
):
    """The conversations of the whole desk.

    ``open_callback`` opens a ticket for a contact who asks for a person out of hours and returns its number; it must
    return the same number when called again for the same conversation. ``pushes`` says which addresses need the
    outbox; web pages that read the transcript themselves do not.
    """

    def __init__(
        self,
        database: Database,
        hub: Hub,
        audit: AuditLog,
        *,
        now: Callable[[], datetime] = utc_now,
        is_open: Callable[[datetime], bool] = _always,
        opens_at: Callable[[datetime], datetime | None] = _no_hours,
        open_callback: Callable[[Conversation], Awaitable[str]] | None = None,
        pushes: Callable[[Address], bool] = _everywhere,
        agent_grace_seconds: float = 60.0,
        turn_lease_seconds: float = 45.0,
        surroundings: Surroundings | None = None,
        recall_seconds: float = 120.0,
        ratings: RatingRules | None = None,
        process: str | None = None,
    ) -> None:
        super().__init__(database)
        self.surroundings = around = surroundings or Surroundings()
        database.on_lost = audit.forget_all
        database.lend_keys(audit.keyring)
        self.hub = hub
        self.now = now
        self.audit = audit
        self.rating_rules = rules = ratings or RatingRules()
        self._desk = Desk(
            audit, now, is_open, opens_at, pushes, around.roster, self._tier, around.contact_point, rules, process,
            version_of=around.version_of,
        )  # fmt: skip
        self._open_callback = open_callback
        self._grace = timedelta(seconds=agent_grace_seconds)
        self._lease = timedelta(seconds=turn_lease_seconds)
        self.recall_seconds = recall_seconds
        self.turn_taker: TurnTaker | None = None
        self._begin_erasing()

    # -- the contact's side -------------------------------------------------------------------------------------

    async def receive(self, inbound: InboundMessage) -> Receipt:
        """Store a message that a channel delivered; it is safe on disk when this returns. Raises ``InvalidMessage``."""
        inbound, began = reception.clean(inbound), time.monotonic()
        proves = await self._vouched_for(inbound)
        taker = self.turn_taker
        reserved = taker is not None and taker.reserve()
        received: reception.Reception | None = None

        def stored() -> Coroutine[Any, Any, None]:
            nonlocal reserved
            assert received is not None
            if taker is not None:
                taker.stored(time.monotonic() - began)
            try:
                reach("after_inbound_commit")
            finally:
                if taker is not None and reserved:
                    reserved = False
                    taker.take(received.claim)
            return self._received(received, inbound.text)

        try:
            async with self.database.write(news=stored) as connection:
                lease_until = self.now() + self._lease if reserved else None
                received = await reception.receive(self._desk, connection, inbound, lease_until, proves)
        finally:
            if taker is not None and reserved:
                taker.take(None)
        return received.receipt

    async def _received(self, received: reception.Reception, text: str) -> None:
        if received.change is None:
            return
        await self.publish(received.change)
        receipt, status = received.receipt, received.change.conversation.status
        if self.watcher is not None and status in (Status.QUEUED, Status.ASSIGNED):
            self.watcher.shown(receipt.conversation_id, receipt.message_id, text)

    async def give_way(self) -> None:
        """For what can wait: returns once messages no longer come in a burst, or after a minute of it."""
        for _ in range(_LONGEST_BURST_SECONDS):
            if self.turn_taker is None or not self.turn_taker.pressed:
                return
            await asyncio.sleep(1.0)

    async def set_typing(self, address: Address, preview: str = "") -> None:
        """Show the agents that the contact is writing, and what so far."""
        conversation = await self.find_current(address)
        if conversation is None or conversation.status is Status.RESOLVED:
            return
        event = {"type": "typing", "conversation_id": conversation.id, "author": "contact"}
        await self.hub.publish(STAFF, event | {"preview": preview[:_PREVIEW]})

    # -- the staff's side ---------------------------------------------------------------------------------------

    async def assign(
        self, conversation_id: str, agent: Agent, *, anyway: bool = False, over_capacity: bool = False
    ) -> Conversation:
        """Accept a waiting conversation, or step in while the bot speaks; raises ``AlreadyAssigned``, ``AtCapacity``.

        ``anyway`` also takes one that is being offered to a colleague.
        """
        async with self._change(conversation_id) as change:
            await change.deliveries.note_work(agent.id, agent.name, change.now)
            if not over_capacity:
                await capacity.check_may_take(change, agent)
            if change.conversation.status is Status.BOT:
                await custody.take_over(change, agent)
            else:
                custody.assign(change, agent, anyway=anyway)
        return change.conversation

    async def reply_as_agent(
        self,
        conversation_id: str,
        agent: Agent,
        text: str,
        client_msg_id: str | None = None,
        attachments: tuple[Attachment, ...] = (),
        read_seq: int | None = None,
        citations: tuple[Citation, ...] = (),
    ) -> Message:
        """Say something to the contact; the same ``client_msg_id`` again returns the first message.

        With ``read_seq`` it is said only if no colleague has answered after that place; raises ``AnsweredMeanwhile``.
        """
        async with self._change(conversation_id) as change:
            if client_msg_id is not None:
                sent = await change.store.find_client_message(conversation_id, agent.id, client_msg_id)
                if sent is not None:
                    return sent
            if read_seq is not None:
                await recalling.check_unanswered(change, agent, read_seq)
            return custody.reply(change, agent, text, client_msg_id, attachments, citations)

    async def add_note(
        self, conversation_id: str, agent: Agent, text: str, client_msg_id: str | None = None
    ) -> Message:
        """Write something that only staff see."""
        async with self._change(conversation_id) as change:
            if client_msg_id is not None:
                sent = await change.store.find_client_message(conversation_id, agent.id, client_msg_id)
                if sent is not None:
                    return sent
            return custody.note(change, agent, text, client_msg_id)

    async def recall(self, conversation_id: str, agent: Agent, seq: int) -> Recall:
        """Take back what the agent said a moment ago; raises ``NotFound``, ``NotYours`` or ``TooLate``."""
        async with self._change(conversation_id) as change:
            return await recalling.recall(change, agent, seq, timedelta(seconds=self.recall_seconds))

    async def transfer(self, conversation_id: str, agent: Agent, to_agent: Agent, note: str = "") -> Conversation:
        """Pass the conversation to a colleague who is at the desk."""
        async with self._change(conversation_id) as change:
            if await change.deliveries.agent_lost(to_agent.id, self.now() - self._grace):
                raise InvalidMessage(f"{to_agent.name} is not at the desk; choose someone else or use the queue")
            custody.transfer(change, agent, to_agent, note)
        return change.conversation

    async def requeue(self, conversation_id: str, agent: Agent, note: str = "") -> Conversation:
        """Give the conversation back to the queue, to its head."""
        ticket = await self._ticket(conversation_id, "requeued")
        async with self._change(conversation_id) as change:
            await custody.requeue(change, agent, note, ticket)
        return change.conversation

    async def release(self, conversation_id: str, agent: Agent) -> Conversation:
        """Give the conversation to the bot, which keeps its slots and learns what the agent said."""
        async with self._change(conversation_id) as change:
            custody.release(change, agent)
        return change.conversation

    async def resolve(self, conversation_id: str, agent: Agent, *, ask: bool = True) -> Conversation:
        """Finish the conversation and, with ``ask``, ask the contact for a rating."""
        async with self._change(conversation_id) as change:
            await custody.resolve(change, agent, ask=ask)
        return change.conversation

    async def agent_typing(self, conversation_id: str, agent: Agent) -> None:
        """Show the contact and the other agents that the agent is writing."""
        conversation = await self.get_conversation(conversation_id)
        writes = conversation.agent_id == agent.id or conversation.participant(agent.id) is not None
        if writes and conversation.status is Status.ASSIGNED:
            await self._typing(conversation, "agent", agent.name)

    async def agent_seen(self, agent_id: str, name: str = "", state: str = "online") -> None:
        """Heartbeat of presence, for example every 15 seconds; ``state`` is "online", "away" or "offline"."""
        now = self.now()
        async with self.database.glance() as connection:
            known = await PresenceStore(connection).find(agent_id)  # as any process saw them last
        pause = (now - known.last_seen_at).total_seconds() if known is not None else 0.0
        if known is not None and known.state == state and 0 <= pause < _PRESENCE_EVERY_SECONDS:
            return
        async with self.database.write() as connection:
            await DeliveryStore(connection).see_agent(agent_id, name or agent_id, state, now)
        if known is None or known.state_at(now) != state:
            self.routing_wanted.set()
            presence = Presence(agent_id, name or agent_id, state, now)
            await self.hub.publish(STAFF, {"type": "presence", "agent": presence_json(presence)})

    async def record(self, kind: str, agent: Agent, data: dict[str, Any] | None = None) -> None:
        """Put a staff action or configuration change from elsewhere in the audit chain."""
        async with self.database.write() as connection:
            await self.audit.append(connection, self.now(), [AuditEntry(kind, f"agent:{agent.id}", data=data or {})])

    # -- the bot's side, for the engine -------------------------------------------------------------------------

    async def claim_turns(self, limit: int, suspects: int = 1) -> list[Claim]:
        """Take up to ``limit`` turns that are due; ``suspects`` of them may be such as have twice lost their worker."""
        async with self.database.glance() as connection:
            if not await DueStore(connection).find(self.now(), 1):
                return []
        async with self.database.write() as connection:
            return await turns.claim_due(self._desk, connection, limit, self._lease, suspects)

    async def commit_turn(
        self, claim: Claim, result: TurnResult, started_at: datetime, *, go_on: bool = True, dead: bool = False
    ) -> Claim | None:
        """Write a finished turn and return the conversation's next one if ``go_on``; raises ``FencedOut``."""
        reason = next((reply.handoff for reply in result.replies if reply.handoff), None)
        ticket = None
        if reason is not None:
            for reply in result.replies:
                await self._know_tier(reply.customer_id)
            ticket = await self._ticket(claim.conversation.id, reason, result.trace.get("intent"))
        async with self._change(claim.conversation.id) as change:
            lease_until = change.now + self._lease if go_on else None
            return await turns.commit_turn(
                change, claim, result, started_at=started_at, ticket=ticket, lease_until=lease_until, dead=dead
            )

    async def give_back(self, claim: Claim, *, delay_seconds: float = 0.0, crashed: str | None = None) -> None:
        """Return an unfinished turn so that it is taken again, with what crashed it; raises ``FencedOut``."""
        async with self._change(claim.conversation.id) as change:
            next_at = change.now + timedelta(seconds=delay_seconds)
            await turns.give_back(change, claim, next_at=next_at, crashed=crashed)

    async def repin(self, claim: Claim) -> str | None:
        """Move the conversation of a turn off a version of the model that is gone; returns the one it goes on with."""
        async with self._change(claim.conversation.id) as change:
            return await turns.repin(change, claim)

    async def bot_typing(self, conversation: Conversation) -> None:
        """Show that the bot is working on an answer."""
        await self._typing(conversation, "bot", "")

    # -- the sweeper --------------------------------------------------------------------------------------------

    async def requeue_lost(self) -> int:
        """Give back the conversations of agents who were away longer than the grace period; returns how many."""
        now = self.now()
        before = now - self._grace
        async with self.database.read() as connection:
            held = await DeliveryStore(connection).held_by_lost(before)
            ahead = await DeliveryStore(connection).seen_in_the_future(now)
        if ahead:
            async with self.database.write() as connection:
                await DeliveryStore(connection).forget_the_future(now)
        requeued = 0
        for conversation_id, agent_id in held:
            ticket = await self._ticket(conversation_id, "agent_lost")
            async with self._change(conversation_id) as change:
                held_still = change.conversation.agent_id == agent_id and change.conversation.status is Status.ASSIGNED
                if held_still and await change.deliveries.agent_lost(agent_id, before):
                    await custody.lose_agent(change, ticket)
                    requeued += 1
        return requeued

    async def resolve_idle(self, idle_seconds: float) -> int:
        """Finish conversations with the bot in which the contact has gone quiet; returns how many."""
        before = self.now() - timedelta(seconds=idle_seconds)
        async with self.database.read() as connection:
            idle = await ReadingStore(connection).idle(before, 100)
        resolved = 0
        for conversation_id in idle:
            async with self._change(conversation_id) as change:
                if change.conversation.status is Status.BOT and change.conversation.updated_at <= before:
                    await custody.resolve(change, None)
                    resolved += 1
        return resolved

    # ------------------------------------------------------------------------------------------------------------

    async def _typing(self, conversation: Conversation, author: str, name: str) -> None:
        event = {"type": "typing", "conversation_id": conversation.id, "author": author, "preview": ""}
        await self.hub.publish(contact_topic(conversation.reached_at), event)
        if self.on_typing is not None and self._desk.pushes(conversation.reached_at):
            self.on_typing(conversation.reached_at, author)
        await self.hub.publish(STAFF, event | {"author_name": name})
