"""Watches turns: how the contact feels, whether the rules hand off, and what the agent is told then."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from typing import Any

import structlog

from conversations import notices
from conversations.contact_model import tier_that_counts
from conversations.contact_store import ContactStore
from conversations.conversations import Conversations
from conversations.errors import ConversationError
from conversations.model import Conversation, HandoffReason, Status
from conversations.rule_book import RuleBook, TierOf, nobodys_tier, seen_of
from conversations.rule_store import RuleStore
from conversations.triggers import ALWAYS, REMEMBERED, Decision, TurnSeen, decide
from conversations.turn_model import Feeling, Reply, TurnResult
from conversations.turns import Claim

log = structlog.get_logger()

Summary = dict[str, Any]
_LATE_SECONDS = 1.5  #: after the bot's answer; a turn does not wait longer for how its message feels
_LOOK_UP_SECONDS = 4.0


@dataclass(frozen=True, slots=True)
class _Seen:
    """What was gathered while the bot worked."""

    feeling: Feeling | None
    earlier: tuple[TurnSeen, ...]
    tier: str


async def _nothing_known(_conversation: Conversation, _summary: Summary) -> Summary | None:
    return None


class Signals:
    """One per service process, between engine and conversations.

    ``read`` says how a text feels and runs in a thread; ``records_of`` looks up the open order or ticket that a summary
    is about; ``rewrite`` phrases a summary, where a language model is set up.
    """

    def __init__(
        self,
        conversations: Conversations,
        book: RuleBook,
        *,
        read: Callable[[str], Feeling] | None = None,
        tier_of: TierOf = nobodys_tier,
        records_of: Callable[[Conversation, Summary], Awaitable[Summary | None]] = _nothing_known,
        rewrite: Callable[[Summary], Awaitable[Summary | None]] | None = None,
    ) -> None:
        self._conversations = conversations
        self.book = book
        self._read = read
        self._tier_of = tier_of
        self._records_of = records_of
        self._rewrite = rewrite
        self._jobs: set[asyncio.Task[None]] = set()
        conversations.watcher = self

    async def close(self) -> None:
        """Let what is being noted finish for a moment, and drop the rest."""
        if self._jobs:
            await asyncio.wait(self._jobs, timeout=2.0)
        for job in self._jobs:
            job.cancel()

    # -- during a turn ------------------------------------------------------------------------------------------

    def misses(self, conversation: Conversation) -> int:
        """At how many misses in a row the bot hands off; 0 is never."""
        rule = self.book.rules.two_misses.here(conversation.language, conversation.reached_at.channel)
        return rule.count if rule.enabled else 0

    async def around(self, claim: Claim, answer: Awaitable[TurnResult]) -> TurnResult:
        """The bot's answer as the rules leave it; what they need is gathered while the bot works."""
        gathering = asyncio.create_task(self._gather(claim))
        try:
            result = await answer
            try:
                async with asyncio.timeout(_LATE_SECONDS):
                    seen = await gathering
            except Exception as error:  # without signals the turn is the bot's own
                log.error("signals_failed", conversation_id=claim.conversation.id, error=error)
                return result
        finally:
            gathering.cancel()
        return self._judged(claim, result, seen)

    async def _gather(self, claim: Claim) -> _Seen:
        conversation = claim.conversation
        reading = asyncio.create_task(self.feeling_of(claim.message.text if claim.payload is None else ""))
        try:
            await self.book.current()
            async with self._conversations.database.glance() as connection:
                store = RuleStore(connection)
                rows = await store.latest_turns(conversation.id, REMEMBERED)
                said = await store.said_in([conversation.id]) if rows else {}
                own = await ContactStore(connection).own_tier(conversation.contact_id)
            tier = tier_that_counts(own, None if own else await self._accounts_tier(conversation.customer_id))
            return _Seen(await reading, tuple(seen_of(row, said) for row in rows), tier)
        finally:
            reading.cancel()

    async def _accounts_tier(self, customer_id: str | None) -> str | None:
        if customer_id is None or not self.book.rules.vip.enabled:
            return None
        try:
            return await self._tier_of(customer_id)
        except Exception as error:
            log.error("tier_unknown", error=error)
            return None

    async def feeling_of(self, text: str) -> Feeling | None:
        """How a text feels, or None without a model, without words, or when reading fails."""
        if self._read is None or not text.strip():
            return None
        try:
            return await asyncio.to_thread(self._read, text)
        except Exception as error:
            log.error("sentiment_failed", error=error)
            return None

    def _judged(self, claim: Claim, result: TurnResult, seen: _Seen) -> TurnResult:
        feeling, conversation = seen.feeling, claim.conversation
        named = next((reply.handoff for reply in result.replies if reply.handoff), None)
        said = "\n".join(reply.text for reply in result.replies if reply.text)
        turn = TurnSeen.of(
            result.trace,
            claim.message.text if claim.payload is None else "",
            said,
            feeling.anger if feeling else None,
            feeling.value if feeling else None,
        )
        had = frozenset((conversation.handoff_summary or {}).get("reasons") or ())
        language = str(result.trace.get("language") or conversation.language)
        decision = None
        if named not in {reason.value for reason in ALWAYS}:
            channel = conversation.reached_at.channel
            decision = decide(turn, seen.earlier, had, seen.tier, language, channel, self.book.rules)
        if decision is None:
            if named is None:
                return replace(result, feeling=feeling)
            handoff = {"reason": named, "detail": {}}
            return replace(result, trace=result.trace | {"handoff": handoff}, feeling=feeling)
        handoff = {"reason": decision.reason.value, "detail": decision.detail}
        replies = result.replies if named == decision.reason.value else _said_instead(result, decision, turn, language)
        return TurnResult(replies, result.trace | {"handoff": handoff, "route": "handoff"}, feeling)

    # -- after a commit -----------------------------------------------------------------------------------------

    def shown(self, conversation_id: str, message_id: str, text: str) -> None:
        """A message was shown to people without a turn: note how it feels and renew the summary, afterwards."""
        self._later(self._note(conversation_id, message_id, text))

    def queued(self, conversation_id: str) -> None:
        """A conversation was queued: look up what it is about, and have the summary phrased, afterwards."""
        self._later(self._complete(conversation_id))

    def _later(self, work: Any) -> None:
        job = asyncio.get_running_loop().create_task(work)
        self._jobs.add(job)
        job.add_done_callback(self._finished)

    def _finished(self, job: asyncio.Task[None]) -> None:
        self._jobs.discard(job)
        if not job.cancelled() and job.exception() is not None:
            log.error("signal_lost", error=job.exception())

    async def _note(self, conversation_id: str, message_id: str, text: str) -> None:
        feeling = await self.feeling_of(text)
        try:
            await self._conversations.note_sentiment(conversation_id, message_id, feeling)
        except ConversationError as error:
            log.warning("sentiment_not_noted", conversation_id=conversation_id, error=str(error))

    async def _complete(self, conversation_id: str) -> None:
        conversation = await self._conversations.get_conversation(conversation_id)
        summary = conversation.handoff_summary
        if summary is None or conversation.status is Status.RESOLVED:
            return
        try:
            async with asyncio.timeout(_LOOK_UP_SECONDS):
                record = await self._records_of(conversation, summary)
        except Exception as error:
            log.error("records_unknown", conversation_id=conversation_id, error=error)
            record = None
        if record:
            await self._conversations.complete_summary(conversation_id, record=record)
        if self._rewrite is not None:
            written = await self._rewrite(summary | {"record": record})
            if written:
                await self._conversations.complete_summary(conversation_id, rewritten=written)


def _said_instead(result: TurnResult, decision: Decision, turn: TurnSeen, language: str) -> tuple[Reply, ...]:
    """What the contact is told: what was done stays said, what did not help is not repeated."""
    line = notices.notice(f"handoff_{decision.reason.value}", language)
    helped = turn.route == "knowledge" or (turn.route == "task" and not turn.failed)
    repeats = decision.reason is HandoffReason.LOOP
    canned = decision.reason is HandoffReason.ANGRY and not turn.done
    kept = result.replies if helped and not repeats and not canned else ()
    customer_id = next((reply.customer_id for reply in result.replies if reply.customer_id), None)
    spoken = tuple(replace(reply, buttons=(), handoff=None) for reply in kept if reply.text)
    return (*spoken, Reply(line, handoff=decision.reason.value, customer_id=customer_id))
