"""Turns what the rooms report into metrics: the callables that ``app.py`` hands to each of them."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Iterable
from datetime import datetime
from typing import Any

from connectors.checked_address import ForbiddenAddress
from conversations.change import Change
from conversations.delivery_store import Delivery
from conversations.errors import (
    ChannelUnavailable,
    ContactUnreachable,
    DeliveryUnknown,
    DialogueRefused,
    DialogueUnavailable,
    MessageRejected,
    RateLimited,
)
from conversations.model import Address, Author, Conversation, MessageKind, Status
from conversations.turn_model import TurnResult
from conversations.turns import Claim
from monitoring.collectors import Collectors

_ANSWERS = {"knowledge": "answered", "task": "task", "smalltalk": "smalltalk", "clarify": "clarified", "file": "file"}
_SEND_OUTCOMES: tuple[tuple[type[BaseException], str], ...] = (
    (ForbiddenAddress, "blocked"),
    (RateLimited, "limited"),
    (DeliveryUnknown, "in_doubt"),
    (ContactUnreachable, "unreachable"),
    (MessageRejected, "rejected"),
    (ChannelUnavailable, "unavailable"),
    (TimeoutError, "in_doubt"),
)


class Meter:
    """Counts for one process; each method costs some microseconds and never fails its caller."""

    def __init__(self, collectors: Collectors, clock: Callable[[], float] = time.time) -> None:
        self.collectors = collectors
        self._clock = clock

    # -- conversations ------------------------------------------------------------------------------------------

    def changed(self, change: Change) -> None:
        """Look at one committed change of a conversation: what was said, where it went, how it was rated."""
        of, now = self.collectors, change.conversation
        before = change.before.conversation if change.before else None
        channel, account = self._place(now.reached_at)
        if before is None:
            of.opened.labels(channel, account).inc()
        for message in change.said:
            direction = "in" if message.author is Author.CONTACT else "note" if message.private else "out"
            of.messages.labels(channel, account, direction, message.author.value).inc()
        if before is not None and before.status is not now.status:
            self._moved(change, before, now, channel)
        elif before is None and now.status is Status.QUEUED:
            of.handoffs.labels(channel, of.bounded("reason", now.handoff_reason)).inc()
        self._first_answer(change, before, now)
        for entry in change.entries:
            if entry.kind == "rated":
                score = entry.data.get("score")
                of.ratings.labels(str(entry.data.get("kind")), "none" if score is None else str(score)).inc()

    def _moved(self, change: Change, before: Conversation, now: Conversation, channel: str) -> None:
        of = self.collectors
        if now.status is Status.RESOLVED:
            of.resolved.labels(channel, of.bounded("by", now.resolved_by)).inc()
        given = now.status is Status.QUEUED or (before.status is Status.BOT and now.status is Status.ASSIGNED)
        if given:
            of.handoffs.labels(channel, of.bounded("reason", now.handoff_reason)).inc()
        if before.status is Status.QUEUED and before.queued_at is not None:
            outcome = {Status.ASSIGNED: "accepted", Status.RESOLVED: "resolved"}.get(now.status, "left")
            of.queue_wait.labels(outcome).observe(_seconds(before.queued_at, change.now))

    def _first_answer(self, change: Change, before: Conversation | None, now: Conversation) -> None:
        said = [one.author for one in change.said if one.kind is MessageKind.TEXT]
        if Author.BOT in said and (change.before is None or not change.before.bot_seq):
            # A notice may have opened the conversation hours before the contact wrote.
            since = change.answers.created_at if change.answers is not None else now.opened_at
            self.collectors.first_response.labels("bot").observe(_seconds(since, change.now))
        if Author.AGENT in said and before is not None and before.sla_due_at is not None and now.sla_due_at is None:
            since = before.queued_at or before.assigned_at or change.now
            self.collectors.first_response.labels("agent").observe(_seconds(since, change.now))

    def committed(self, seconds: float, writers: int) -> None:
        """The database took a commit."""
        self.collectors.commit_seconds.observe(seconds)
        self.collectors.commit_writers.observe(writers)

    def lost(self, then: Callable[[], None]) -> Callable[[], None]:
        """Count a failed commit, then do what is to be done about it."""

        def happened() -> None:
            self.collectors.commit_failures.inc()
            then()

        return happened

    def full(self, overloaded: Callable[[], bool]) -> Callable[[], bool]:
        """The same question, counting each yes: whoever asks refuses a request then."""

        def asked() -> bool:
            yes = overloaded()
            if yes:
                self.collectors.backlog_refusals.inc()
            return yes

        return asked

    def swept(self, chore: Callable[[], Awaitable[object]]) -> Callable[[], Awaitable[object]]:
        """A chore of the housekeeping that leaves the time at which it was last begun."""

        async def done() -> object:
            self.collectors.last_sweep.set(self._clock())
            return await chore()

        done.__name__ = "checkpoint"  # the housekeeping names its failing chores
        return done

    # -- the bot ------------------------------------------------------------------------------------------------

    def turn_ended(self, claim: Claim, outcome: str, result: TurnResult | None, seconds: float) -> None:
        """A turn was committed, taken away, given back or given up."""
        of = self.collectors
        trace = result.trace if result is not None else {}
        language = _language(trace.get("language") or claim.conversation.language)
        route = of.bounded("route", trace.get("route"))
        of.turns.labels(route, language, outcome).inc()
        of.turn_seconds.labels(route).observe(seconds)
        if result is None or outcome != "done":
            return
        of.answers.labels(_answer(result, trace), language).inc()
        confidence = trace.get("confidence")
        if isinstance(confidence, int | float):
            of.confidence.labels(language).observe(confidence)
        if result.feeling is not None:
            of.sentiments.labels(of.bounded("sentiment", result.feeling.label)).inc()
        self._retrieval(trace, language)
        timings = trace.get("timings_ms")
        for step, took in timings.items() if isinstance(timings, dict) else ():
            if isinstance(took, int | float):
                of.bot_step_seconds.labels(of.bounded("step", step)).observe(took / 1000)
        model = trace.get("model_id")
        if isinstance(model, str):
            of.model_info.labels(of.bounded("model_id", model)).set(1)
        phrased = trace.get("generation")
        if isinstance(phrased, dict):
            used, reason = of.bounded("used", phrased.get("used")), of.bounded("why", phrased.get("reason"))
            of.phrasings.labels(used, reason).inc()

    def _retrieval(self, trace: dict[str, Any], language: str) -> None:
        found = trace.get("retrieval")
        best = found[0].get("score") if isinstance(found, list) and found and isinstance(found[0], dict) else None
        if isinstance(best, int | float):
            self.collectors.retrieval_score.labels(language).observe(best)

    def bot_called(self, seconds: float, error: BaseException | None) -> None:
        """The bot was asked for a turn."""
        outcome = "answered"
        if error is not None:
            outcome = "cancelled"
            if isinstance(error, DialogueUnavailable):
                outcome = "refused" if isinstance(error, DialogueRefused) else "unavailable"
        self.collectors.bot_call_seconds.labels(outcome).observe(seconds)

    def looked_up(self, what: str, seconds: float) -> None:
        """The knowledge base was asked."""
        self.collectors.retrieval_seconds.labels(what).observe(seconds)

    def acted(self, action: str, status: int, seconds: float) -> None:
        """The bot had an action run."""
        known = self.collectors.bounded("action", action) if status == 200 else "unknown"
        outcome = "done" if status == 200 else "failed" if status >= 500 else "refused"
        self.collectors.action_seconds.labels(known, outcome).observe(seconds)

    def completed(self, outcome: str, seconds: float, tokens: dict[str, int]) -> None:
        """The language model was asked."""
        of = self.collectors
        of.llm_calls.labels(of.bounded("llm", outcome)).inc()
        of.llm_seconds.observe(seconds)
        for kind, count in tokens.items():
            of.llm_tokens.labels(of.bounded("tokens", kind)).inc(count)

    # -- channels -----------------------------------------------------------------------------------------------

    def sent(self, address: Address, seconds: float, error: BaseException | None) -> None:
        """A channel was given a message; what it said is the outcome."""
        of, (channel, account) = self.collectors, self._place(address)
        outcome = (
            "sent"
            if error is None
            else next((name for kind, name in _SEND_OUTCOMES if isinstance(error, kind)), "failed")
        )
        of.deliveries.labels(channel, account, outcome).inc()
        of.delivery_seconds.labels(channel).observe(seconds)
        if outcome == "blocked":
            of.blocked_addresses.labels(channel).inc()

    def settled(self, delivery: Delivery, state: str) -> None:
        """The outbox gave a delivery up, or does not know what became of it."""
        if state in ("dead", "unknown"):
            channel, account = self._place(delivery.address)
            self.collectors.deliveries.labels(channel, account, state).inc()

    def prepare(self, places: Iterable[tuple[str, str]]) -> None:
        """Begin with a zero for every channel account, so that the first failure is seen as a rise."""
        for channel, account in places:
            self.collectors.bounded("channel", channel)
            self.collectors.bounded("account", account)
            for outcome in ("sent", "dead", "unknown"):
                self.collectors.deliveries.labels(channel, account, outcome)
            self.collectors.refused_webhooks.labels(channel, account, "bad_signature")

    def visitor_refused(self, why: str) -> None:
        """The web chat turned a visitor away on its socket or a route: "bad_token" or "too_fast"."""
        if why == "too_fast":
            self.collectors.rate_limited.labels("webchat").inc()
        else:
            self.collectors.refusals.labels("webchat", why).inc()

    def _place(self, address: Address) -> tuple[str, str]:
        of = self.collectors
        return of.bounded("channel", address.channel), of.bounded("account", address.account)


def _answer(result: TurnResult, trace: dict[str, Any]) -> str:
    if any(reply.handoff for reply in result.replies):
        return "handed_off"
    if trace.get("missed"):
        return "missed"
    return _ANSWERS.get(str(trace.get("route")), "other")


def _language(value: object) -> str:
    return value if isinstance(value, str) and value in ("zh", "en") else "other"


def _seconds(since: datetime, until: datetime) -> float:
    return max(0.0, (until - since).total_seconds())
