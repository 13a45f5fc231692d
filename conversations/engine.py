"""Runs the bot's turns: one at a time per conversation, many conversations at once, and never silence."""

from __future__ import annotations

import asyncio
import contextlib
import random
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import replace
from typing import Any

import structlog
from structlog.contextvars import bound_contextvars

from conversations import turns
from conversations.conversations import Conversations
from conversations.dialogue import Dialogue
from conversations.errors import DialogueRefused, DialogueUnavailable, FencedOut, ModelGone
from conversations.model import SPOKEN, Conversation, Message
from conversations.pace import Pace
from conversations.signals import Signals
from conversations.store import is_outage, through_outages
from conversations.turn_model import Thresholds, TurnRequest, TurnResult
from conversations.turns import Claim
from failpoints import reach

log = structlog.get_logger()

_CRASH_PAUSE_SECONDS = 1.0


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
        patience_seconds: float = 8.0,
        audiences: Callable[[str, str], Sequence[str]] = _nobody_special,
        products_in: Callable[[str], Sequence[dict[str, Any]]] = _no_products,
        signals: Signals | None = None,
        watch: turns.Watch = turns.unwatched,
    ) -> None:
        self._conversations = conversations
        self._watch = watch
        self._dialogue = dialogue
        self._thresholds = thresholds
        self._pace = Pace(workers)
        self._poll_seconds = poll_seconds
        self._deadline_seconds = deadline_seconds
        self._drain_seconds = drain_seconds
        self._first_retry_seconds = first_retry_seconds
        self._patience_seconds = patience_seconds  #: after which the contact is told that it takes longer
        self._audiences = audiences  #: by channel and account
        self._products_in = products_in
        self._signals = signals
        self._wake = asyncio.Event()
        self._tasks: set[asyncio.Task[None]] = set()
        self._suspects = 0  # turns that run their last attempt
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

    def stored(self, seconds: float) -> None:
        """A message was stored within this time of its arrival; turns give way when that takes long."""
        self._pace.stored(seconds)

    @property
    def pressed(self) -> bool:
        """Whether messages come so fast that whatever can wait should."""
        return self._pace.pressed

    def _free(self) -> int:
        return self._pace.turns - len(self._tasks) - self._reserved

    def reserve(self) -> bool:
        """Keep a place for one turn; False when all are taken or the engine stops."""
        if not self._accepting or self._free() <= 0:
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
        self._suspects += claim.suspect
        task = asyncio.create_task(self._work(claim), name=f"turn-{claim.message.id}")
        self._tasks.add(task)
        task.add_done_callback(self._done)

    def _done(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if self._backlog:
            self._wake.set()
        if not task.cancelled() and task.exception() is not None:
            log.error("turn_lost", error=task.exception())  # its lease expires and it is taken again

    async def _run(self) -> None:
        while self._accepting:
            self._wake.clear()
            free = self._free()
            if free > 0:
                self._backlog = False
                try:
                    claims = await self._conversations.claim_turns(free, suspects=1 - min(1, self._suspects))
                except Exception as error:
                    log.error("claim_failed", error=error, retry_in_seconds=self._poll_seconds)
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
        try:
            following = await self._turn(claim)
            self._pace.answered()
        finally:
            if claim.suspect:
                self._suspects -= 1
                self._backlog = True  # others may have waited for it
        while following is not None:
            await asyncio.sleep(self._pace.rest())
            following = await self._turn(following)
            self._pace.answered()

    async def _turn(self, claim: Claim) -> Claim | None:
        where = claim.conversation.reached_at
        with (
            bound_contextvars(
                conversation_id=claim.conversation.id,
                turn_id=claim.message.id,
                channel=where.channel,
                account=where.account,
                private_words=(claim.message.text, claim.conversation.contact_name, where.contact),
            ),
            self._watch(claim) as seen,
        ):
            return await self._watched(claim, seen)

    async def _watched(self, claim: Claim, seen: turns.TurnSeen) -> Claim | None:
        started_at = self._conversations.now()
        try:
            reach("after_claim")
            if claim.poisoned:
                log.error("turn_quarantined")
                seen.result = turns.apology(claim.conversation.language, "quarantined")
            elif self._signals is None:
                seen.result = await self._answer(claim)
            else:
                seen.result = await self._signals.around(claim, self._answer(claim))
            following = await self._conversations.commit_turn(
                claim, seen.result, started_at, go_on=self._accepting, dead=claim.poisoned
            )
            reach("after_turn_commit")
            if any(reply.proved_by for reply in seen.result.replies):
                await self._link_proved()
            seen.outcome = "quarantined" if claim.poisoned else "done"
            return following
        except FencedOut:
            seen.outcome = "taken_away"
            log.info("turn_taken_away")
        except asyncio.CancelledError:
            seen.outcome = "cancelled"
            await self._give_back(claim)
            raise
        except Exception as error:
            log.error("turn_crashed", error=error)
            # A database that is away is not the message's fault.
            await self._give_back(
                claim, None if is_outage(error) else type(error).__name__, seconds=_CRASH_PAUSE_SECONDS
            )
        return None

    async def _link_proved(self) -> None:
        try:
            await self._conversations.link_proved()
        except Exception as error:  # the next sweep tries it again
            log.error("linking_failed", error=repr(error))

    async def _give_back(self, claim: Claim, crashed: str | None = None, seconds: float = 0.0) -> None:
        delay = seconds * claim.attempts
        with contextlib.suppress(FencedOut):
            # With the database back, nobody waits for the lease; without patience it expires and the turn is taken again.
            await through_outages(
                lambda: self._conversations.give_back(claim, delay_seconds=delay, crashed=crashed),
                lambda: self._accepting,
            )

    async def _answer(self, claim: Claim) -> TurnResult:
        message, conversation = claim.message, claim.conversation
        if not message.text and claim.payload is None:
            return turns.file_received(conversation.language)
        await self._conversations.bot_typing(conversation)
        request = self._request(conversation, message, payload=claim.payload, agent_said=claim.agent_said)
        try:
            async with asyncio.timeout(self._deadline_seconds), self._patience(claim):
                reach("before_bot_call")
                result = await self._asked_on_what_there_is(request, claim)
                reach("after_bot_call")
                return result
        except (DialogueUnavailable, TimeoutError) as error:
            log.error("dialogue_failed", error=str(error))
            return turns.apology(conversation.language, str(error) or "no answer in time")

    @contextlib.asynccontextmanager
    async def _patience(self, claim: Claim) -> AsyncIterator[None]:
        """Tell the contact once if what happens inside takes long; a notice that cannot be stored holds nothing up."""

        async def tell() -> None:
            try:
                await self._conversations.still_working(claim)
            except Exception as error:
                log.info("still_working_not_said", turn_id=claim.message.id, error=repr(error))

        telling: list[asyncio.Task[None]] = []
        timer = asyncio.get_running_loop().call_later(
            self._patience_seconds, lambda: telling.append(asyncio.create_task(tell()))
        )
        try:
            yield
        finally:
            timer.cancel()
            await asyncio.gather(*telling)  # never after the answer

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
            told=conversation.told,
            model=conversation.model,
            misses=2 if self._signals is None else self._signals.misses(conversation),
            **more,
        )

    async def try_out(self, conversation: Conversation, message: Message) -> TurnResult:
        """What the bot would answer to a message now, changing nothing; raises ``DialogueUnavailable``.

        Where it would write something, ``would`` in the trace names that and nothing is said about its outcome.
        """
        request = self._request(conversation, message, dry_run=True)
        try:
            return await self._dialogue.respond(request)
        except ModelGone:
            return await self._dialogue.respond(replace(request, model=None))

    async def _asked_on_what_there_is(self, request: TurnRequest, claim: Claim) -> TurnResult:
        """The answer on the conversation's version, else on what is live, else on what the bot serves by default."""
        try:
            return await self._ask(request)
        except ModelGone as error:
            log.warning("model_gone", model=request.model, error=str(error))
        request = replace(request, model=await self._conversations.repin(claim))
        try:
            return await self._ask(request)
        except ModelGone:
            return await self._ask(replace(request, model=None))

    async def _ask(self, request: TurnRequest) -> TurnResult:
        pause = self._first_retry_seconds
        while True:
            try:
                result = await self._dialogue.respond(request)
                if any(reply.text or reply.buttons or reply.handoff for reply in result.replies):
                    return result
                raise DialogueRefused("the bot answered with nothing to say")
            except (DialogueRefused, ModelGone):
                raise
            except DialogueUnavailable as error:
                log.warning("dialogue_retry", error=str(error), pause_seconds=pause)
            await asyncio.sleep(pause * random.uniform(0.75, 1.25))  # noqa: S311  # spreads retries, guards nothing
            pause = min(pause * 2, 8.0)
