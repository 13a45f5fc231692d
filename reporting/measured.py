"""Which figure a question asks for, when its words name one, several or only imply it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from reporting.catalogue import METRICS, Unit
from reporting.lexicon import Meaning
from reporting.part_words import SAYS_METRIC
from reporting.segments import Segment

#: The figures that are only about the bot, or only about people: naming them once more limits nothing.
OF_THE_BOT = frozenset(
    [
        "turns",
        "bot_share",
        "escalation",
        "contained",
        "miss_rate",
        "failed_actions",
        "saved_verified",
        "saved_assumed",
        "answered",
        "missed",
        "cited",
        "disliked",
        "accuracy",
        "calibration",
        "latency",
        "handoffs",
    ]
)
OF_PEOPLE = frozenset(["first_response", "wait", "wait_error", "handle_time", "sla", "handoffs", "escalation"])
_SHARES = frozenset(["share", "percentage", "percent", "proportion", "ratio", "rate", "率", "比例", "占比", "often"])


class Misfit(Exception):
    """Something in the question that cannot be asked: why, the words, and the figures that were meant."""

    def __init__(self, code: str, said: Sequence[str] = (), keys: Sequence[str] = ()) -> None:
        super().__init__(code)
        self.code, self.said, self.keys = code, tuple(dict.fromkeys(said)), tuple(keys)


@dataclass(frozen=True, slots=True)
class Measured:
    """The figure, and the words for it ("" when it is only implied)."""

    key: str
    said: str
    weak: bool = False


def reasons_apart(segments: Sequence[Segment]) -> list[Segment]:
    """The segments, with words that name both a figure and a reason taken for the reason beside another figure that is
    known by reasons: "failed actions" is a figure, "handoffs because of failed actions" is not."""
    both = {one: meant for one in segments if one.kind == "metric" and (meant := _reasons_of(one))}
    other = any(one.key == "reason" for one in segments if one.kind in ("dimension", "broken_down")) or any(
        "reason" in METRICS[key].dimensions
        for one in segments
        if one.kind in ("metric", "weak", "several") and one not in both
        for key in one.key.split(",")
    )
    if not other:
        return list(segments)
    return [replace(one, meanings=both[one]) if one in both else one for one in segments]


def _reasons_of(one: Segment) -> tuple[Meaning, ...]:
    return tuple(meaning for meaning in one.meanings if meaning.dimension == "reason")


def measured(segments: Sequence[Segment]) -> Measured | None:
    """The figure; None when nothing says which. Raises ``Misfit`` for several."""
    strong = _unique([one for one in segments if one.kind == "metric"])
    weak = _unique([one for one in segments if one.kind == "weak"])
    several = [one for one in segments if one.kind == "several"]
    bot = any(one.meaning("filter") and one.key == "bot" for one in segments)
    if len(strong) > 1:
        raise Misfit("two_metrics", [one.said for one in strong], [one.key for one in strong])
    if strong:
        found = Measured(strong[0].key, strong[0].said)
        if found.key == "first_response" and bot:
            found = Measured("latency", found.said)
    elif several:
        raise Misfit("which_metric", [one.said for one in several], several[0].key.split(","))
    elif weak:
        rest = [one for one in weak if one.key != "conversations"] or weak
        rest = [one for one in rest if one.key != "first_response"] if len(rest) > 1 else rest
        if len(rest) > 1:
            raise Misfit("two_metrics", [one.said for one in rest], [one.key for one in rest])
        found = _of_weak(rest[0], segments, bot=bot)
    else:
        return _implied(segments)
    for one in weak:
        _check_absorbed(one, found)
    return found


def _of_weak(one: Segment, segments: Sequence[Segment], *, bot: bool) -> Measured:
    shared = any(
        word in _SHARES for segment in segments if segment.kind == "filler" for word in segment.said.lower().split()
    )
    reasons = any(segment.key == "reason" for segment in segments if segment.kind in ("dimension", "broken_down"))
    if one.key == "handoffs" and shared and not reasons:
        return Measured("escalation", one.said)
    if one.key == "first_response" and bot:
        return Measured("latency", one.said)
    return Measured(one.key, one.said, weak=True)


def _implied(segments: Sequence[Segment]) -> Measured | None:
    for one in segments:
        if one.kind == "end" and one.said.lower() in SAYS_METRIC:
            return Measured(SAYS_METRIC[one.said.lower()], one.said)
    named = {one.key for one in segments if one.kind in ("dimension", "broken_down")}
    if "reason" in named or any(
        (meaning := one.meaning("filter")) and meaning.dimension == "reason" for one in segments
    ):
        return Measured("handoffs", "")
    if "article" in named:
        return Measured("cited", "")
    ends = {one.key for one in segments if one.kind == "end"}
    if (
        named & {"intent", "hour", "weekday", "day", "language"}
        and ends <= {"highest", "lowest"}
        and (ends or "intent" in named)
    ):
        return Measured("conversations", "")
    return None


def _check_absorbed(one: Segment, found: Measured) -> None:
    """A noun beside the figure that would limit it to something the reports do not know it by."""
    other, metric = METRICS[one.key], METRICS[found.key]
    if one.key == found.key or one.key in ("conversations", "first_response", "answered", "miss_rate", "missed"):
        return
    same = other.unit is metric.unit or other.group == metric.group
    queued = one.key in ("handoffs", "wait") and metric.group == "people"
    if not (same or queued or (one.key == "handoffs" and found.key == "escalation") or metric.unit is Unit.TURN):
        raise Misfit("no_such_part", [one.said], [found.key])


def _unique(segments: Sequence[Segment]) -> list[Segment]:
    return list({one.key: one for one in reversed(segments)}.values())[::-1]
