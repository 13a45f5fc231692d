"""Runs the bot's turns: one at a time per conversation, many conversations at once, and never silence."""

from __future__ import annotations

import asyncio
import contextlib
import random
import time
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

import structlog

from conversations import turns
from conversations.conversations import Conversations
from conversations.dialogue import Dialogue
from conversations.dispatch import Shown
from conversations.errors import DialogueRefused, DialogueUnavailable, FencedOut
from conversations.model import SPOKEN, Conversation, Message
from conversations.signals import Signals
from conversations.turn_model import Thresholds, TurnRequest, TurnResult
from conversations.turns import Claim

log = structlog.get_logger()

_CRASH_PAUSE_SECONDS = 1.0
_DAY_SECONDS = 86_400.0
_SLOWER = 4  # sweeps between chores that need not be prompt
_ROUTE_EVERY_SECONDS = 1.0


def _nobody_special(_channel: str, _account: str) -> Sequence[str]:
    return ()


def _no_products(_text: str) -> Sequence[dict[str, Any]]:
    return ()


class Engine:
    """Takes turns from ``Conversations`` and asks the dialogue; start it once per service process."""

    def __init__(
        self,
        conversations: Conversations,
        dialogue: Dialogue,
        thresholds: Callable[[], dict[str, Thresholds]],
        *,
        workers: int = 32,
        poll_seconds: float = 1.0,
        deadline_seconds: float = 25.0,
        drain_seconds: float = 20.0,
        first_retry_seconds: float = 0.5,
        audiences: Callable[[str, str], Sequence[str]] = _nobody_special,
        products_in: Callable[[str], Sequence[dict[str, Any]]] = _no_products,
        signals: Signals | None = None,
    ) -> None:
        self._conversations = conversations
        self._dialogue = dialogue
        self._thresholds = thresholds
        self._workers = workers
        self._poll_seconds = poll_seconds
        self._deadline_seconds = deadline_seconds
        self._drain_seconds = drain_seconds
        self._first_retry_seconds = first_retry_seconds
        self._audiences = audiences  #: by channel and account
        self._products_in = products_in
        self._signals = signals
        self._wake = asyncio.Event()
        self._tasks: set[asyncio.Task[None]] = set()
        self._reserved = 0
        self._backlog = False  # turns may be due that found no place
        self._accepting = False
        self._loop: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Begin to take turns."""
        self._accepting = True
        self._conversations.turn_taker = self
        self._loop = asyncio.create_task(self._run(), name="engine")

    async def stop(self) -> None:
        """Take no more turns, let running ones finish for a while, and give the rest back to the inbox."""
        self._accepting = False
        if self._conversations.turn_taker is self:
            self._conversations.turn_taker = None
        self._wake.set()
        if self._loop is not None:
            await self._loop
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(self._drain_seconds):
                while self._tasks or self._reserved:
                    await asyncio.wait(self._tasks, timeout=0.1) if self._tasks else await asyncio.sleep(0.01)
        late = list(self._tasks)
        for task in late:
            task.cancel()
        await asyncio.gather(*late, return_exceptions=True)

    @property
    def running(self) -> int:
        """How many turns run now."""
        return len(self._tasks)

    def reserve(self) -> bool:
        """Keep a place for one turn; False when all are taken or the engine stops."""
        if not self._accepting or len(self._tasks) + self._reserved >= self._workers:
            self._backlog = True
            return False
        self._reserved += 1
        return True

    def take(self, claim: Claim | None) -> None:
        """Use the reserved place, or give it up with None."""
        self._reserved -= 1
        if claim is not None:
            self._spawn(claim)

    def _spawn(self, claim: Claim) -> None:
        task = asyncio.create_task(self._work(claim), name=f"turn-{claim.message.id}")
        self._tasks.add(task)
        task.add_done_callback(self._done)

    def _done(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if self._backlog:
            self._wake.set()
        if not task.cancelled() and task.exception() is not None:
            log.error("turn_lost", error=repr(task.exception()))  # its lease expires and it is taken again

    async def _run(self) -> None:
        while self._accepting:
            self._wake.clear()
            free = self._workers - len(self._tasks) - self._reserved
            if free > 0:
                self._backlog = False
                try:
                    claims = await self._conversations.claim_turns(free)
                except Exception as error:
                    log.error("claim_failed", error=repr(error), retry_in_seconds=self._poll_seconds)
                    claims = []
                    await asyncio.sleep(self._poll_seconds)
                for claim in claims:
                    self._spawn(claim)
                self._backlog = self._backlog or len(claims) >= free
            if self._accepting:
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(self._poll_seconds):
                        await self._wake.wait()

    async def _work(self, claim: Claim) -> None:
        following: Claim | None = claim
        while following is not None:
            following = await self._turn(following)

    async def _turn(self, claim: Claim) -> Claim | None:
        conversation_id, turn_id = claim.conversation.id, claim.message.id
        started_at = self._conversations.now()
        try:
            if claim.poisoned:
                log.error("turn_quarantined", conversation_id=conversation_id, turn_id=turn_id)
                result = turns.apology(claim.conversation.language, "quarantined")
            elif self._signals is None:
                result = await self._answer(claim)
            else:
                result = await self._signals.around(claim, self._answer(claim))
            return await self._conversations.commit_turn(
                claim, result, started_at, go_on=self._accepting, dead=claim.poisoned
            )
        except FencedOut:
            log.info("turn_taken_away", conversation_id=conversation_id, turn_id=turn_id)
        except asyncio.CancelledError:
            await self._give_back(claim, crashed=False)
            raise
        except Exception as error:
            log.error("turn_crashed", conversation_id=conversation_id, turn_id=turn_id, error=repr(error))
            await self._give_back(claim, crashed=True)
        return None

    async def _give_back(self, claim: Claim, *, crashed: bool) -> None:
        delay = _CRASH_PAUSE_SECONDS * claim.attempts if crashed else 0.0
        with contextlib.suppress(FencedOut):
            await self._conversations.give_back(claim, delay_seconds=delay, crashed=crashed)

    async def _answer(self, claim: Claim) -> TurnResult:
        message, conversation = claim.message, claim.conversation
        if not message.text and claim.payload is None:
            return turns.file_received(conversation.language)
        await self._conversations.bot_typing(conversation)
        request = self._request(conversation, message, payload=claim.payload, agent_said=claim.agent_said)
        try:
            async with asyncio.timeout(self._deadline_seconds):
                return await self._ask(request)
        except (DialogueUnavailable, TimeoutError) as error:
            log.error("dialogue_failed", conversation_id=conversation.id, turn_id=message.id, error=str(error))
            return turns.apology(conversation.language, str(error) or "no answer in time")

    def _request(self, conversation: Conversation, message: Message, **more: Any) -> TurnRequest:
        return TurnRequest(
            turn_id=message.id,
            conversation_id=conversation.id,
            text=message.text.removeprefix(SPOKEN),
            language_hint=conversation.language,
            thresholds=self._thresholds(),
            sent_at=message.created_at,
            customer_id=conversation.customer_id,
            products=tuple(self._products_in(message.text)),
            audiences=tuple(self._audiences(conversation.reached_at.channel, conversation.reached_at.account)),
            misses=2 if self._signals is None else self._signals.misses(conversation),
            **more,
        )

    async def try_out(self, conversation: Conversation, message: Message) -> TurnResult:
        """What the bot would answer to a message now, changing nothing; raises ``DialogueUnavailable``.

        Where it would write something, ``would`` in the trace names that and nothing is said about its outcome.
        """
        return await self._dialogue.respond(self._request(conversation, message, dry_run=True))

    async def _ask(self, request: TurnRequest) -> TurnResult:
        pause = self._first_retry_seconds
        while True:
            try:
                result = await self._dialogue.respond(request)
                if any(reply.text or reply.buttons or reply.handoff for reply in result.replies):
                    return result
                raise DialogueRefused("the bot answered with nothing to say")
            except DialogueRefused:
                raise
            except DialogueUnavailable as error:
                log.warning("dialogue_retry", turn_id=request.turn_id, error=str(error), pause_seconds=pause)
            await asyncio.sleep(pause * random.uniform(0.75, 1.25))  # noqa: S311  # spreads retries, guards nothing
            pause = min(pause * 2, 8.0)


class Sweeper:
    """Repeats the desk's housekeeping: lost agents, quiet contacts, places in the queue, offers, audit checkpoints, and once a
    day (and at the start) what the owner of old records wants forgotten."""

    def __init__(
        self,
        conversations: Conversations,
        *,
        checkpoint: Callable[[], Awaitable[object]] | None = None,
        daily: Callable[[], Awaitable[object]] | None = None,
        refresh: Callable[[], Awaitable[object]] | None = None,
        every_seconds: float = 2.0,
        idle_seconds: float = 3600.0,
    ) -> None:
        self._conversations = conversations
        self._checkpoint = checkpoint
        self._daily = daily
        self._refresh = refresh  #: takes over what another process changed
        self._daily_after = 0.0
        self._every_seconds = every_seconds
        self._idle_seconds = idle_seconds
        self._places: dict[str, Shown] = {}
        self._sweeps = 0
        self._loops: list[asyncio.Task[None]] = []

    async def start(self) -> None:
        """Begin to sweep."""
        self._loops = [
            asyncio.create_task(self._run(), name="sweeper"),
            asyncio.create_task(self._route(), name="router"),
        ]

    async def stop(self) -> None:
        """Stop sweeping."""
        for loop in self._loops:
            loop.cancel()
        await asyncio.gather(*self._loops, return_exceptions=True)
        self._loops = []

    async def sweep(self) -> None:
        """Do everything once; a failing chore does not keep the others from being done."""
        chores = (
            self._requeue_lost,
            self._wake_due,
            self._resolve_idle,
            self._positions,
            self._conversations.close_callbacks,
            self._checkpoint,
            self._refresh,
        )
        desk = self._conversations
        now_and_then = () if self._sweeps % _SLOWER else (desk.tell_waits, desk.file_callbacks, desk.tidy_company)
        self._sweeps += 1
        for chore in (*chores, *now_and_then, self._once_a_day):
            if chore is None:
                continue
            try:
                await chore()
            except Exception as error:
                log.error("sweep_failed", chore=getattr(chore, "__name__", "checkpoint"), error=repr(error))

    async def _run(self) -> None:
        while True:
            await self.sweep()
            await asyncio.sleep(self._every_seconds)

    async def _route(self) -> None:
        """Offer what waits as soon as somebody waits or becomes free; what other processes changed, soon after."""
        wanted = self._conversations.routing_wanted
        while True:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(_ROUTE_EVERY_SECONDS):
                    await wanted.wait()
            wanted.clear()
            try:
                await self._conversations.route_queue()
            except Exception as error:
                log.error("routing_failed", error=repr(error))
                await asyncio.sleep(_ROUTE_EVERY_SECONDS)

    async def _once_a_day(self) -> None:
        if self._daily is not None and time.monotonic() >= self._daily_after:
            self._daily_after = time.monotonic() + _DAY_SECONDS
            await self._daily()

    async def _requeue_lost(self) -> None:
        await self._conversations.requeue_lost()

    async def _wake_due(self) -> None:
        await self._conversations.wake_due()

    async def _resolve_idle(self) -> None:
        await self._conversations.resolve_idle(self._idle_seconds)

    async def _positions(self) -> None:
        self._places = await self._conversations.publish_positions(self._places)
