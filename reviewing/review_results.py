"""What reviews add up to: scores of people, of the bot and of questions, with how sure one may be of them.

A mean of fewer than five reviews is not shown: two bad afternoons are not a person. How many there were is.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from statistics import fmean, stdev
from zoneinfo import ZoneInfo

from conversations.rating_report import wilson
from reviewing.scorecards import Answer, share_of

FEWEST = 5
BREAKDOWNS = ("agent", "team", "week", "question")
#: Student's t for 95 % by degrees of freedom; from 30 on the last one is close enough.
_T = (
    12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228, 2.201, 2.179, 2.160, 2.145, 2.131, 2.120, 2.110,
    2.101, 2.093, 2.086, 2.080, 2.074, 2.069, 2.064, 2.060, 2.056, 2.052, 2.048, 2.045, 2.042, 1.96,
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Result:
    """A submitted review, as it is counted."""

    subject: str
    submitted_at: datetime
    score: float | None
    passed: bool | None
    answers: Mapping[str, Answer]
    card_id: str
    agent_id: str | None = None
    agent_name: str | None = None
    team_id: str | None = None
    disputed: bool = False
    changed: bool = False


@dataclass(frozen=True, slots=True)
class Line:
    """One line of figures; without a mean there were fewer than five reviews."""

    by: str  #: total, agent, team, week or question
    key: str
    label: str
    reviews: int
    mean: float | None = None  #: out of 100
    low: float | None = None
    high: float | None = None
    passed: float | None = None  #: share; None for questions
    passed_low: float | None = None
    passed_high: float | None = None


@dataclass(frozen=True, slots=True)
class Report:
    """Of the bot or of people."""

    subject: str
    disputed: int
    changed: int
    lines: tuple[Line, ...]


def report_of(results: Iterable[Result], subject: str, zone: ZoneInfo) -> Report:
    """Everything there is to say about the bot, or about people."""
    found = [one for one in results if one.subject == subject and one.score is not None]
    lines = [line_of("total", "", "", found)]
    for by in ("agent", "team", "week"):
        groups: dict[str, list[Result]] = {}
        for one in found:
            key = _key(by, one, zone)
            if key is not None:
                groups.setdefault(key, []).append(one)
        lines += [line_of(by, key, _label(by, groups[key]), groups[key]) for key in sorted(groups)]
    questions: dict[tuple[str, str], list[float]] = {}
    for one in found:
        for key, answer in one.answers.items():
            share = share_of(answer)
            if share is not None:
                questions.setdefault((one.card_id, key), []).append(100 * share)
    for (card_id, key), values in sorted(questions.items()):
        lines.append(Line("question", f"{card_id}/{key}", "", len(values), *_mean(values)))
    return Report(subject, sum(one.disputed for one in found), sum(one.changed for one in found), tuple(lines))


def line_of(by: str, key: str, label: str, results: Sequence[Result]) -> Line:
    """The figures of some reviews."""
    scores = [one.score for one in results if one.score is not None]
    if len(scores) < FEWEST:
        return Line(by, key, label, len(scores))
    passed = sum(bool(one.passed) for one in results)
    return Line(by, key, label, len(scores), *_mean(scores), passed / len(scores), *wilson(passed, len(scores)))


def _mean(values: Sequence[float]) -> tuple[float | None, float | None, float | None]:
    """The mean with its 95 % interval after Student, kept within 0 and 100."""
    if len(values) < FEWEST:
        return None, None, None
    mean = fmean(values)
    half = _T[min(len(values) - 2, len(_T) - 1)] * stdev(values) / math.sqrt(len(values))
    return round(mean, 2), round(max(0.0, mean - half), 2), round(min(100.0, mean + half), 2)


def _key(by: str, one: Result, zone: ZoneInfo) -> str | None:
    if by == "agent":
        return one.agent_id
    if by == "team":
        return one.team_id
    return week_of(one.submitted_at, zone).isoformat()


def week_of(at: datetime, zone: ZoneInfo) -> date:
    """The Monday of the week of a moment at the desk."""
    day = at.astimezone(zone).date()
    return day - timedelta(days=day.weekday())


def _label(by: str, results: Sequence[Result]) -> str:
    return next((one.agent_name or "" for one in reversed(results)), "") if by == "agent" else ""
