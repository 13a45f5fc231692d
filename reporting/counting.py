"""How each figure is counted: of which facts, by which moment, what of how many, and what is left out."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Table, and_, not_, or_, true

from reporting.facts import COMES_BACK_WITHIN
from reporting.tables import (
    fact_citations,
    fact_conversations,
    fact_episodes,
    fact_messages,
    fact_turns,
    fact_waits,
)

Condition = ColumnElement[bool]


@dataclass(frozen=True, slots=True)
class Counting:
    """The facts behind one figure; ``counted`` are those that count, ``part`` those of them a share is about."""

    table: Table
    unit: ColumnElement[Any]  #: names one of the things counted
    at: ColumnElement[Any]
    day: ColumnElement[int]
    hour: ColumnElement[int]
    counted: Callable[[datetime], Condition] = lambda _now: true()
    part: Condition | None = None
    against: Condition | None = None  #: of points, what is subtracted
    value: ColumnElement[Any] | None = None
    tail: float = 0.9
    fewest: int = 0  #: fewer are not shown


_C, _M, _T, _A, _E, _W = (
    one.c for one in (fact_conversations, fact_messages, fact_turns, fact_citations, fact_episodes, fact_waits)
)


def _opened(**more: Any) -> Counting:
    return Counting(fact_conversations, _C.conversation_id, _C.opened_at, _C.opened_day, _C.opened_hour, **more)


def _resolved(part: Condition | None = None, counted: Condition | None = None) -> Counting:
    chosen = _C.resolved_day.is_not(None) if counted is None else and_(_C.resolved_day.is_not(None), counted)
    return Counting(
        fact_conversations, _C.conversation_id, _C.resolved_at, _C.resolved_day, _C.resolved_hour,
        counted=lambda _now: chosen, part=part,
    )  # fmt: skip


def _of(table: Table, unit: str, counted: Condition | None = None, **more: Any) -> Counting:
    c = table.c
    chosen = true() if counted is None else counted
    return Counting(table, c[unit], c.at, c.day, c.hour, counted=lambda _now: chosen, **more)


def _whole_week_later(now: datetime) -> Condition:
    """Whether the contact came back is known: they did, or their week is over."""
    return and_(_C.resolved_day.is_not(None), or_(_C.again, _C.resolved_at <= now - COMES_BACK_WITHIN))


def _promised(now: datetime) -> Condition:
    return or_(_W.in_time.is_not(None), _W.due_at <= now)


_ALONE = and_(not_(_C.handed_off), not_(_C.held))
#: Fewer answers than these would tell what one contact thought (decision 0008).
FEWEST_ANSWERS = 5

COUNTINGS: dict[str, Counting] = {
    "conversations": _opened(),
    "messages": _of(fact_messages, "message_id"),
    "turns": _of(fact_turns, "turn_id"),
    "handoffs": _of(fact_waits, "wait_id", _W.by_bot),
    "bot_share": _opened(part=and_(_C.bot_answered, not_(_C.agent_wrote))),
    "escalation": _opened(part=_C.handed_off),
    "contained": _resolved(_ALONE),
    "verified": _resolved(_C.resolution == "verified"),
    "assumed": _resolved(_C.resolution == "assumed"),
    "refuted": _resolved(_C.resolution == "refuted"),
    "miss_rate": _of(fact_turns, "turn_id", part=_T.missed),
    "failed_actions": _of(fact_turns, "turn_id", _T.failed),
    "saved_verified": _resolved(counted=and_(_ALONE, _C.resolution == "verified")),
    "saved_assumed": _resolved(counted=and_(_ALONE, _C.resolution == "assumed")),
    "csat": _of(fact_episodes, "episode_id", _E.score.is_not(None), part=_E.score >= 4, fewest=FEWEST_ANSWERS, value=_E.score),
    "nps": _of(
        fact_episodes, "episode_id", _E.nps.is_not(None), part=_E.nps >= 9, against=_E.nps <= 6,
        fewest=FEWEST_ANSWERS, value=_E.nps,
    ),
    "response_rate": _of(fact_episodes, "episode_id", _E.asked, part=_E.answered),
    "first_response": _opened(counted=lambda _now: _C.response_seconds.is_not(None), value=_C.response_seconds),
    "wait": _of(fact_waits, "wait_id", _W.waited_seconds.is_not(None), value=_W.waited_seconds),
    "wait_error": _of(fact_waits, "wait_id", _W.error_seconds.is_not(None), value=_W.error_seconds),
    "handle_time": _of(fact_episodes, "episode_id", _E.served == "human", value=_E.seconds),
    "first_contact_resolution": Counting(
        fact_conversations, _C.conversation_id, _C.resolved_at, _C.resolved_day, _C.resolved_hour,
        counted=_whole_week_later, part=and_(_C.resolution != "refuted", not_(_C.again)),
    ),
    "reopened": _resolved(_C.again),
    "sla": Counting(
        fact_waits, _W.wait_id, _W.at, _W.day, _W.hour, counted=_promised, part=and_(_W.in_time.is_not(None), _W.in_time)
    ),
    "answered": _of(fact_turns, "turn_id", _T.knowledge == "answered"),
    "missed": _of(fact_turns, "turn_id", _T.knowledge == "missed"),
    "cited": _of(fact_citations, "turn_id"),
    "disliked": _of(fact_citations, "turn_id", _A.disliked),
    "accuracy": _of(fact_turns, "turn_id", _T.correct.is_not(None), part=_T.correct),
    "calibration": _of(
        fact_turns, "turn_id", and_(_T.correct.is_not(None), _T.confidence.is_not(None)), part=_T.correct, value=_T.confidence
    ),
    "latency": _of(fact_turns, "turn_id", value=_T.latency_ms, tail=0.95),
}  # fmt: skip
