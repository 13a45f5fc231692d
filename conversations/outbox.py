"""Delivers what was said: in order for each contact, with patience for channels, and with dead letters to replay."""

from __future__ import annotations

import asyncio
import contextlib
import random
from collections.abc import Awaitable, Callable, Collection
from datetime import timedelta
from typing import Any

import structlog
from structlog.contextvars import bound_contextvars

from conversations.audit import AuditEntry
from conversations.change import STAFF
from conversations.conversation_store import ConversationStore
from conversations.conversations import Conversations
from conversations.dead_letter_store import Choice
from conversations.dead_letters import DeadLetters
from conversations.delivery_store import Delivery, DeliveryStore
from conversations.errors import ContactUnreachable, DeliveryUnknown, RateLimited, SendError, WindowClosed
from conversations.json_form import message_json
from conversations.model import Address, OutboundMessage
from conversations.reach_store import note_reached, note_unreachable
from conversations.store import through_outages
from failpoints import reach

log = structlog.get_logger()

MAX_ATTEMPTS = 10
MAX_AGE = timedelta(hours=24)
LONGEST_PAUSE_SECONDS = 300.0
_LEASE = timedelta(seconds=60)
_SEND_SECONDS = 30.0

Deliver = Callable[[Address, OutboundMessage], Awaitable[str]]


class Outbox:
    """Sends through ``deliver(address, message) -> external id``; start it once per service process."""

    def __init__(
        self,
        conversations: Conversations,
        deliver: Deliver,
        *,
        elsewhere: Callable[[], Collection[tuple[str, str]]] = tuple,
        workers: int = 16,
        poll_seconds: float = 1.0,
        drain_seconds: float = 20.0,
        settled: Callable[[Delivery, str], None] = lambda _delivery, _state: None,
        jitter: Callable[[], float] = lambda: random.uniform(0.5, 1.5),  # noqa: S311  # spreads retries, guards nothing
    ) -> None:
        self._conversations = conversations
        self._database = conversations.database
        self._deliver = deliver
        self._elsewhere = elsewhere  #: channel and account of what another process must send
        self._workers = workers
        self._poll_seconds = poll_seconds
        self._drain_seconds = drain_seconds
        self._jitter = jitter
        self._settled = settled
        self._wake = asyncio.Event()
        self.letters = DeadLetters(conversations, self._wake.set)
        self._tasks: dict[asyncio.Task[None], str] = {}  #: and the delivery that each is at
        self._running = False
        self._loop: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Begin to deliver."""
        self._running = True
        self._conversations.on_outbound = self._wake.set
        self._loop = asyncio.create_task(self._run(), name="outbox")

    async def stop(self) -> None:
        """Start nothing more and let running deliveries finish; what is cut off counts as unknown and is retried once."""
        self._running = False
        self._wake.set()
        if self._loop is not None:
            await self._loop
        if self._tasks:
            _, late = await asyncio.wait(self._tasks, timeout=self._drain_seconds)
            for task in late:
                task.cancel()
            await asyncio.gather(*late, return_exceptions=True)

    async def dead_letters(self, limit: int = 100) -> list[tuple[str, str, str, str | None]]:
        """Outbox id, state, address and error of what was given up, newest first."""
        page = await self.letters.page(Choice(), limit=limit)
        return [(one.id, one.state, str(one.address), one.error) for one in page.letters]

    async def replay(self, outbox_id: str) -> bool:
        """Try a dead letter again; returns False if it is not dead."""
        return await self.letters.replay([outbox_id]) == 1

    async def undelivered(self, channel: str, account: str, outbox_id: str, reason: str) -> None:
        """A channel that had taken a message says that it did not reach the contact; said twice it counts once."""
        async with self._database.write() as connection:
            message = await DeliveryStore(connection).refused_later(channel, account, outbox_id, reason)
            if message is not None:
                data = {"seq": message.seq, "outbox_id": outbox_id, "error": reason}
                entry = AuditEntry("delivery_failed", "system", message.conversation_id, data=data)
                await self._conversations.audit.append(connection, self._conversations.now(), [entry])
        if message is not None:
            log.error("delivery_refused_later", channel=channel, account=account, outbox_id=outbox_id)
            await self._show(message.id)

    async def _run(self) -> None:
        while self._running:
            self._wake.clear()
            try:
                claimed = await self._claim(self._workers - len(self._tasks))
            except Exception as error:
                log.error("outbox_claim_failed", error=error, retry_in_seconds=self._poll_seconds)
                claimed = []
                await asyncio.sleep(self._poll_seconds)
            if claimed:
                reach("after_delivery_claim")
            for delivery in claimed:
                task = asyncio.create_task(self._send(delivery), name=f"delivery-{delivery.id}")
                self._tasks[task] = delivery.id
                task.add_done_callback(self._done)
            if self._running:
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(self._poll_seconds):
                        await self._wake.wait()

    async def _claim(self, free: int) -> list[Delivery]:
        if free <= 0:
            return []
        now, elsewhere = self._conversations.now(), self._elsewhere()
        async with self._database.read() as connection:
            if not await DeliveryStore(connection).has_deliveries_due(now, elsewhere):
                return []
        async with self._database.write() as connection:
            return await DeliveryStore(connection).claim_deliveries(
                now, now + _LEASE, free, elsewhere, tuple(self._tasks.values())
            )

    def _done(self, task: asyncio.Task[None]) -> None:
        self._tasks.pop(task, None)
        self._wake.set()
        if not task.cancelled() and task.exception() is not None:
            log.error("delivery_lost", error=task.exception())  # its lease expires and it is taken again

    async def _send(self, delivery: Delivery) -> None:
        message, address = delivery.message, delivery.address
        with bound_contextvars(
            conversation_id=message.conversation_id,
            message_id=message.id,
            outbox_id=delivery.id,
            channel=address.channel,
            account=address.account,
            private_words=(message.text, address.contact),
        ):
            await self._try(delivery)

    async def _try(self, delivery: Delivery) -> None:
        if delivery.doubts > 1:
            await self._settle(delivery, "unknown", error="it may have arrived: sending was interrupted twice")
            return
        outbound = _outbound(delivery)
        try:
            async with asyncio.timeout(_SEND_SECONDS):
                reach("before_send")
                external_id = await self._deliver(delivery.address, outbound)
                reach("after_send")
        except TimeoutError:
            await self._failed(delivery, outbound, DeliveryUnknown("no answer in time"))
        except SendError as error:
            await self._failed(delivery, outbound, error)
        except Exception as error:
            log.error("delivery_crashed", error=error)
            await self._failed(delivery, outbound, error)
        else:
            await self._settle(delivery, "sent", external_id=external_id, sent_at=self._conversations.now(), error=None)

    async def _failed(self, delivery: Delivery, outbound: OutboundMessage, error: Exception) -> None:
        now = self._conversations.now()
        kind = type(error).__name__
        reason = (str(error) if isinstance(error, SendError | OSError) else "") or kind  # a bug may quote the message
        attempts, doubts = delivery.attempts + 1, delivery.doubts
        pause = min(LONGEST_PAUSE_SECONDS, 2.0**delivery.attempts) * self._jitter()
        out = outbound.sent_parts or None
        if isinstance(error, RateLimited):
            attempts, pause = delivery.attempts, max(error.retry_after_seconds, 0.05)
        if isinstance(error, DeliveryUnknown):
            if doubts >= 1:
                await self._settle(delivery, "unknown", kind, error=reason, sent_parts=out)
                return
            doubts += 1
        hopeless = isinstance(error, SendError) and not error.retryable
        if hopeless or attempts >= MAX_ATTEMPTS or now - delivery.created_at >= MAX_AGE:
            gone = isinstance(error, ContactUnreachable) and not isinstance(error, WindowClosed)
            await self._settle(delivery, "dead", kind, gone=gone, error=reason, sent_parts=out)
            return
        next_at = now + timedelta(seconds=pause)
        values: dict[str, Any] = {"next_at": next_at, "attempts": attempts, "doubts": doubts, "sent_parts": out}
        await self._settle(delivery, "pending", error=reason, **values)

    async def _settle(
        self, delivery: Delivery, state: str, kind: str = "Interrupted", *, gone: bool = False, **values: Any
    ) -> None:
        # What was sent and is not noted would be sent again.
        ours = await through_outages(
            lambda: self._write_down(delivery, state, values, gone=gone), lambda: self._running
        )
        reach("after_mark_sent")
        if ours:
            self._settled(delivery, state)
        if ours and state in ("dead", "unknown"):
            # What the channel said may quote the message; it is with the dead letter.
            log.error("delivery_given_up", state=state, error=kind)
            await self._show(delivery.message.id)

    async def _write_down(self, delivery: Delivery, state: str, values: dict[str, Any], *, gone: bool) -> bool:
        message = delivery.message
        async with self._database.write() as connection:
            deliveries = DeliveryStore(connection)
            ours = await deliveries.settle_delivery(delivery, state, **values)
            if ours and state == "sent":
                await note_reached(connection, delivery.address)
            if ours and gone:
                await note_unreachable(connection, delivery.address, self._conversations.now())
            if ours and state == "dead":
                await deliveries.mark_undelivered(message.id)
                data = {"seq": message.seq, "outbox_id": delivery.id, "error": values["error"]}
                entry = AuditEntry("delivery_failed", "system", message.conversation_id, data=data)
                await self._conversations.audit.append(connection, self._conversations.now(), [entry])
            reach("before_mark_sent")
        return ours

    async def _show(self, message_id: str) -> None:
        async with self._database.read() as connection:
            message = await ConversationStore(connection).get_message(message_id)
        event = {"type": "message", "conversation_id": message.conversation_id, "message": message_json(message)}
        await self._conversations.hub.publish(STAFF, event)


def _outbound(delivery: Delivery) -> OutboundMessage:
    message = delivery.message
    return OutboundMessage(
        outbox_id=delivery.id,
        conversation_id=message.conversation_id,
        seq=message.seq,
        author=message.author,
        kind=message.kind,
        text=message.text,
        created_at=message.created_at,
        author_name=message.author_name,
        buttons=message.buttons,
        citations=message.citations,
        attachments=message.attachments,
        sent_parts=list(delivery.sent_parts),
    )
