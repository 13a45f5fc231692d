"""What contacts thought, in figures: the bot and people apart, and nothing that tells what a few of them answered."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, tzinfo

from conversations.anonymity import FEWEST, Cell, Hidden, protect
from conversations.episode_store import RatedRow
from conversations.episodes import Kind, Resolution

_Z = 1.959964  # of a 95 % interval
BREAKDOWNS = ("team", "agent", "channel", "language", "intent")


@dataclass(frozen=True, slots=True)
class Filters:
    """What a report is limited to; None does not limit."""

    team: str | None = None
    agent: str | None = None
    channel: str | None = None
    language: str | None = None
    intent: str | None = None

    def fits(self, row: RatedRow, *, besides: str | None = None) -> bool:
        """Whether an episode belongs in the report; ``besides`` leaves one filter out."""
        wanted = {name: getattr(self, name) for name in BREAKDOWNS if name != besides}
        return all(value is None or key_of(name, row) == value for name, value in wanted.items())

    def given(self) -> list[str]:
        """The names of the filters that limit."""
        return [name for name in BREAKDOWNS if getattr(self, name) is not None]


@dataclass(frozen=True, slots=True)
class Figures:
    """The figures of a group that may be shown."""

    answers: int  #: scores, or only whether it was solved
    scored: int
    satisfied: int  #: scores of 4 and 5
    low: float  #: of the 95 % interval of the share of satisfied ones
    high: float
    mean: float
    distribution: tuple[int, int, int, int, int]  #: from 1 to 5
    verified: int
    refuted: int
    assumed: int

    @property
    def csat(self) -> float:
        """The share of scores of 4 and 5."""
        return self.satisfied / self.scored


@dataclass(frozen=True, slots=True)
class Group:
    """One line of a breakdown; without figures where they would tell what a few people answered."""

    breakdown: str
    key: str
    label: str
    asked: int
    figures: Figures | None
    hidden: Hidden | None


@dataclass(frozen=True, slots=True)
class Nps:
    """How likely contacts recommend the shop: the share of 9 and 10 less that of 0 to 6, in points."""

    promoters: int
    passives: int
    detractors: int

    @property
    def points(self) -> float:
        """From -100 to 100."""
        return 100 * (self.promoters - self.detractors) / (self.promoters + self.passives + self.detractors)


@dataclass(frozen=True, slots=True)
class Comment:
    """What a contact wrote; without the names of groups that may not be shown, and then without the way to its place."""

    text: str
    score: int | None
    solved: bool | None
    week: date | None
    agent: str | None
    conversation_id: str | None


@dataclass(frozen=True, slots=True)
class KindReport:
    """Everything about the bot, or about people."""

    kind: Kind
    total: Group
    nps: Nps | None
    groups: tuple[Group, ...]
    weeks: tuple[Group, ...]
    comments: tuple[Comment, ...]


def wilson(successes: float, n: float) -> tuple[float, float]:
    """The 95 % interval of a share after Wilson, which holds for few answers as well; (0, 1) of none.

    Of a weighted sample ``n`` is the number of answers that it is worth, which need not be whole.
    """
    if n <= 0:
        return 0.0, 1.0
    share, square = successes / n, _Z * _Z
    middle = (share + square / (2 * n)) / (1 + square / n)
    half = _Z / (1 + square / n) * math.sqrt(share * (1 - share) / n + square / (4 * n * n))
    return max(0.0, middle - half), min(1.0, middle + half)


def key_of(breakdown: str, row: RatedRow) -> str:
    """The group an episode belongs to; empty where that is not known."""
    episode = row.episode
    if breakdown == "agent":
        return episode.agent.id if episode.agent else ""
    if breakdown == "team":
        return episode.team_id or ""
    if breakdown == "intent":
        return episode.intent or ""
    return row.channel if breakdown == "channel" else row.language


def week_of(at: datetime, zone: tzinfo) -> date:
    """The Monday of a moment's week."""
    day = at.astimezone(zone).date()
    return day - timedelta(days=day.weekday())


def report_of(
    rows: Sequence[RatedRow],
    kind: Kind,
    filters: Filters,
    zone: tzinfo,
    label_of: Callable[[str, str], str],
    comments: int = 200,
    periods: Sequence[datetime] = (datetime.min.replace(tzinfo=UTC),),
    period: int = 0,
) -> KindReport:
    """The report about the bot or about people; ``label_of`` names a group of a breakdown.

    It is the one that begins at ``periods[period]``; the periods, shortest first, are those there are reports of, which
    anybody may subtract from each other.
    """
    of_kind = [(number, row) for number, row in enumerate(rows) if row.episode.kind is kind]

    def rows_of(length: int, besides: str | None = None) -> list[tuple[int, RatedRow]]:
        return _within([one for one in of_kind if filters.fits(one[1], besides=besides)], periods[: length + 1])

    inside = rows_of(period)
    breakdowns = [name for name in BREAKDOWNS if kind is Kind.HUMAN or name not in ("team", "agent")]
    members: dict[tuple[str, str], list[tuple[int, RatedRow]]] = {}
    for number, row in inside:
        assert row.episode.ended_at is not None
        week = week_of(row.episode.ended_at, zone).isoformat()
        for place in (*((name, key_of(name, row)) for name in breakdowns), ("week", week)):
            members.setdefault(place, []).append((number, row))
    total = Cell("total", "", _answers(inside))
    cells = {place: Cell(*place, _answers(found)) for place, found in members.items()}
    outer = [rows_of(length) for length in range(period + 1, len(periods))]
    wider = []
    for outside in (*(rows_of(period, besides=name) for name in filters.given()), *outer):
        wider.append(_answers(outside))
        for place in cells:
            same = [one for one in outside if place[0] == "week" or key_of(place[0], one[1]) == place[1]]
            wider.append(_answers(same))
    protect(total, list(cells.values()), wider)
    names = {row.episode.agent.id: row.episode.agent.name for _, row in inside if row.episode.agent}

    def group(place: tuple[str, str], cell: Cell, found: Sequence[tuple[int, RatedRow]]) -> Group:
        asked = sum(row.episode.asked_at is not None for _, row in found)
        label = names.get(place[1], "") if place[0] == "agent" else label_of(*place)
        return Group(*place, label, asked, None if cell.hidden else _figures([r for _, r in found]), cell.hidden)

    groups = [group(place, cells[place], found) for place, found in members.items()]
    groups.sort(key=lambda one: (BREAKDOWNS.index(one.breakdown) if one.breakdown in BREAKDOWNS else 9, -one.asked))
    shown = {(one.breakdown, one.key) for one in groups if one.figures is not None}
    return KindReport(
        kind=kind,
        total=group(("total", ""), total, inside),
        # Whom it counts differs from who answered, so a filter's may not be compared with the one without it.
        nps=None if total.hidden or filters.given() else _nps(inside, outer),
        groups=tuple(one for one in groups if one.breakdown != "week"),
        weeks=tuple(sorted((one for one in groups if one.breakdown == "week"), key=lambda one: one.key)),
        comments=() if total.hidden else tuple(_comments(inside, shown, breakdowns, zone))[:comments],
    )


def _answers(found: Sequence[tuple[int, RatedRow]]) -> tuple[frozenset[int], frozenset[int]]:
    """All answers and those with a score: the figures of both are shown."""
    rated = [(number, row.episode.rating) for number, row in found if row.episode.rating is not None]
    scored = frozenset(number for number, rating in rated if rating.score is not None)
    return frozenset(number for number, _ in rated), scored


def _figures(rows: Sequence[RatedRow]) -> Figures:
    ratings = [row.episode.rating for row in rows if row.episode.rating is not None]
    scores = [rating.score for rating in ratings if rating.score is not None]
    resolutions = [row.episode.resolution for row in rows]
    satisfied = sum(score >= 4 for score in scores)
    low, high = wilson(satisfied, len(scores))
    return Figures(
        answers=len(ratings),
        scored=len(scores),
        satisfied=satisfied,
        low=low,
        high=high,
        mean=sum(scores) / len(scores),
        distribution=(scores.count(1), scores.count(2), scores.count(3), scores.count(4), scores.count(5)),
        verified=resolutions.count(Resolution.VERIFIED),
        refuted=resolutions.count(Resolution.REFUTED),
        assumed=resolutions.count(Resolution.ASSUMED),
    )


def _within(found: Sequence[tuple[int, RatedRow]], periods: Sequence[datetime]) -> list[tuple[int, RatedRow]]:
    """The rows of the longest of these periods; what it adds to a shorter one is left out if that is one to four answers."""
    ended = [(one, one[1].episode.ended_at) for one in found]
    kept: list[tuple[int, RatedRow]] = []
    until = None
    for begins in periods:
        band = [one for one, at in ended if at is not None and at >= begins and (until is None or at < until)]
        if until is None or not any(0 < len(answers) < FEWEST for answers in _answers(band)):
            kept = [*band, *kept]
        until = begins
    return kept


def _said_nps(found: Sequence[tuple[int, RatedRow]]) -> list[int]:
    given = [row.episode.rating.nps for _, row in found if row.episode.rating is not None]
    return [nps for nps in given if nps is not None]


def _nps(found: Sequence[tuple[int, RatedRow]], outer: Sequence[Sequence[tuple[int, RatedRow]]]) -> Nps | None:
    said = _said_nps(found)
    if len(said) < FEWEST or any(0 < len(_said_nps(outside)) - len(said) < FEWEST for outside in outer):
        return None
    promoters, detractors = sum(nps >= 9 for nps in said), sum(nps <= 6 for nps in said)
    return Nps(promoters, len(said) - promoters - detractors, detractors)


def _comments(
    found: Sequence[tuple[int, RatedRow]], shown: set[tuple[str, str]], breakdowns: Sequence[str], zone: tzinfo
) -> list[Comment]:
    listed = []
    for _, row in reversed(found):
        episode, rating = row.episode, row.episode.rating
        if rating is None or not rating.comment or episode.ended_at is None:
            continue
        week = week_of(episode.ended_at, zone)
        places = {("week", week.isoformat()), *((name, key_of(name, row)) for name in breakdowns)}
        named = episode.agent is not None and ("agent", episode.agent.id) in shown
        listed.append(
            Comment(
                text=rating.comment,
                score=rating.score,
                solved=rating.solved,
                week=week if ("week", week.isoformat()) in shown else None,
                agent=episode.agent.name if episode.agent is not None and named else None,
                conversation_id=episode.conversation_id if places <= shown else None,
            )
        )
    return listed
