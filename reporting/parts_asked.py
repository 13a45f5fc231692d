"""What a question breaks its figure down by, limits it to, and how many rows of which end it wants."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from reporting.catalogue import METRICS, TIMES
from reporting.lexicon import Lexicon
from reporting.measured import OF_PEOPLE, OF_THE_BOT, Measured, Misfit
from reporting.query import MOST_ROWS
from reporting.segments import Segment
from reporting.times_said import Period

_LISTING = (
    "按",
    "各",
    "每",
    "分",
    "不同",
    "by",
    "per",
    "each",
    "every",
    "across",
    "哪些",
    "哪几",
    "个别",
    "所有",
    "individual",
    "different",
)
_SINGLE = {"哪个", "哪位", "哪一个", "哪种", "哪家", "哪篇", "which", "what", "谁", "who"}


@dataclass(frozen=True, slots=True)
class Named:
    """A value that limits the figure, and the words for it."""

    key: str
    said: str


@dataclass(frozen=True, slots=True)
class _Asked:
    key: str
    said: str
    marked: bool


def filters_of(segments: Sequence[Segment], meant: Measured, lexicon: Lexicon) -> dict[str, tuple[Named, ...]]:
    """The values by their dimension; raises ``Misfit`` for what the figure is not known by."""
    found: dict[str, list[Named]] = {}
    metric = METRICS[meant.key]
    for one in segments:
        if one.kind != "filter":
            continue
        same = [
            meaning for meaning in one.meanings if meaning.kind == "filter" and meaning.rank == one.meanings[0].rank
        ]
        if len({meaning.dimension for meaning in same}) == 1 and len(same) > 1:
            raise Misfit("ambiguous", [one.said], [meant.key])
        fitting = [meaning for meaning in same if meaning.dimension in metric.dimensions]
        meaning = (fitting or same)[0]
        if not fitting:
            redundant = (meaning.key == "bot" and meant.key in OF_THE_BOT) or (
                meaning.key == "human" and meant.key in OF_PEOPLE
            )
            if meaning.dimension == "served" and redundant:
                continue
            raise Misfit("no_such_part", [one.said], [meant.key])
        named = found.setdefault(meaning.dimension, [])
        if meaning.key not in {other.key for other in named}:
            named.append(Named(meaning.key, one.said))
    agents = [one for one in segments if one.kind == "dimension" and one.key == "agent"]
    free = "served" in metric.dimensions and not found.get("served") and not found.get("agent")
    if agents and free and not any(_asked(segments, one) for one in agents):
        found["served"] = [Named("human", agents[0].said)]
    return {name: tuple(named) for name, named in found.items()}


def parts_of(
    segments: Sequence[Segment], meant: Measured, filters: Mapping[str, Sequence[Named]], period: Period
) -> tuple[str | None, str]:
    """What it is broken down by, and the words for it; raises ``Misfit``."""
    metric = METRICS[meant.key]
    asked: list[_Asked] = []
    for one in segments:
        if one.kind == "broken_down":
            key = _trend(period) if one.key == "trend" else "reason" if one.key == "why" else one.key
            if one.key == "why" and meant.key != "handoffs":
                raise Misfit("condition", [one.said], [meant.key])
            asked.append(_Asked(key, one.said, True))
        elif one.kind == "dimension":
            marked = _asked(segments, one)
            if one.key == "article" and _counted(segments, one):
                continue  # "article citations"
            if not marked and metric.group == one.key:
                continue  # "calibration of the model"
            if not marked and (one.key in filters or (one.key == "agent" and _about_people(meant, filters))):
                continue
            asked.append(_Asked(one.key, one.said, marked))
    if any(one.kind == "broken_down" and one.key != "trend" and one.key in TIMES for one in segments):
        asked = [one for one in asked if one.said not in {other.said for other in segments if other.key == "trend"}]
    keys = {one.key for one in asked}
    if "served" in filters and len(filters["served"]) > 1 and not keys:
        return "served", " ".join(one.said for one in filters["served"])
    if len(keys) > 1:
        rest = {one.key for one in asked if one.marked}
        if len(rest) != 1 or any(not one.marked and one.key not in ("agent", "reason", "article") for one in asked):
            raise Misfit("two_breakdowns", [one.said for one in asked], [meant.key])
        asked = [one for one in asked if one.marked]
    if not asked:
        versus = chooses(segments) or any(
            one.said.lower() in ("vs", "versus", "compare", "对比", "比较") for one in segments
        )
        several = [name for name, named in filters.items() if len(named) > 1]
        return (several[0], "") if versus and len(several) == 1 else (None, "")
    chosen = asked[0]
    if chosen.key in TIMES and not chosen.marked:
        raise Misfit("unknown_part", [chosen.said], [meant.key])
    if chosen.key == "served" and chosen.key not in metric.dimensions:
        raise Misfit("no_such_part", [chosen.said], [meant.key])
    if chosen.key not in TIMES and chosen.key not in metric.dimensions:
        raise Misfit("no_such_part", [chosen.said], [meant.key])
    if chosen.key == "agent" and not chosen.marked:
        raise Misfit("no_such_part", [chosen.said], [meant.key])
    return chosen.key, chosen.said


def end_of(segments: Sequence[Segment]) -> Segment | None:
    """Which end is wanted; raises ``Misfit`` for both."""
    ends = [one for one in segments if one.kind == "end"]
    if not ends and chooses(segments):
        ends = [one for one in segments if one.meaning("comparative", "adjective")]
    if len({one.key for one in ends if one.said.lower() != "top"}) > 1:
        raise Misfit("two_ends", [one.said for one in ends])
    return next((one for one in ends if one.said.lower() != "top"), ends[0] if ends else None)


def top_of(segments: Sequence[Segment], end: Segment | None, by: str | None) -> tuple[int, str] | None:
    """How many rows, and the words for it; raises ``Misfit`` for a number or an end of nothing."""
    numbers = [one for one in segments if one.number is not None]
    if len(numbers) > 1 or (
        numbers and (by is None or (end is None and not numbers[0].ranked and not _which(segments)))
    ):
        raise Misfit("unknown_part", [one.said for one in numbers])
    if numbers:
        number = numbers[0].number or 0
        if not 1 <= number <= MOST_ROWS:
            raise Misfit("wrong_top", [numbers[0].said])
        return number, numbers[0].said
    if end is None or (end.kind != "end" and by is not None):
        return None
    if by is None:
        raise Misfit("no_dimension", [end.said])
    named = [one for one in segments if one.kind in ("dimension", "broken_down") and one.key == by]
    listing = any(
        one.said.lower().startswith(_LISTING)
        for one in segments
        if one.kind == "broken_down" or _marks(segments, one, by)
    )
    listing = (
        listing
        or any(one.kind == "mark_behind" for one in segments)
        or any(one.plural or one.said.lower() == "staff" for one in named)
    )
    return None if listing else (1, end.said)


def chooses(segments: Sequence[Segment]) -> bool:
    """Whether one of several is asked for: which team, who."""
    return any(one.said.lower() in _SINGLE for one in segments if one.kind in ("mark", "broken_down"))


def _which(segments: Sequence[Segment]) -> bool:
    return any(one.kind == "mark" for one in segments)


def _counted(segments: Sequence[Segment], one: Segment) -> bool:
    """Whether the word only says what the figure behind it counts."""
    at = segments.index(one)
    others = any(other.kind in ("dimension", "broken_down") and other.key != one.key for other in segments)
    behind = segments[at + 1].kind if at + 1 < len(segments) else ""
    return behind == "metric" and (others or at == 0 or segments[at - 1].kind not in ("mark", "number"))


def _marks(segments: Sequence[Segment], one: Segment, by: str) -> bool:
    """Whether a mark is the breakdown's: "by channel", but not "which channel by satisfaction"."""
    if one.said.startswith(("哪些", "哪几")):
        return True
    behind = [other for other in segments[segments.index(one) + 1 :] if other.kind not in ("filler", "number", "end")]
    return one.kind == "mark" and bool(behind) and (behind[0].key == by or behind[0].meaning("dimension") is not None)


def _asked(segments: Sequence[Segment], one: Segment) -> bool:
    """Whether something makes the word a breakdown: a mark before it or behind it, or a wanted end."""
    at = segments.index(one)
    before = at - 1
    while before >= 0 and segments[before].kind in ("filler", "number", "end") and at - before < 4:
        if segments[before].kind == "end":
            return True
        before -= 1
    if before >= 0 and segments[before].kind == "mark":
        return True
    if any(other.kind == "mark_behind" for other in segments[at + 1 : at + 3]):
        return True
    return (any(other.kind == "end" for other in segments) and one.key not in TIMES) or any(
        other.ranked for other in segments
    )


def _about_people(meant: Measured, filters: Mapping[str, Sequence[Named]]) -> bool:
    return (
        meant.key in OF_PEOPLE
        or "served" in filters
        or "agent" in filters
        or meant.key in ("first_contact_resolution", "csat", "nps", "response_rate")
    )


def _trend(period: Period) -> str:
    days = (period.until - period.since).days + 1
    return "day" if days <= 31 else "week" if days <= 190 else "month"
