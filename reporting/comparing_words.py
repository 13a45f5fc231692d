"""Whether a question compares its period with another one, and with which."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from reporting.parts_asked import chooses
from reporting.reading import Reading
from reporting.segments import Segment
from reporting.times_said import Period

_BEFORE = re.compile(
    r"(?:(?P<strong>比起|对比|相比于?|相较于?|较之|比|较)|(?P<weak>和|与|跟|同)"
    r"|\b(?P<en>(?:compared?|comparison|relative) (?:with|to|against)|compared?|versus|vs\.?|against|than|(?:change|up|down|changed) (?:from|since)|from)) ?(?:the )?$"
)
_BEHIND = re.compile(r" ?(?:相比|比较|比|对比|相较)")
#: The period before, whatever the period is.
_RELATIVE = re.compile(
    r"(?:(?:比起?|较|和|与|跟|同|对比|相比于?|相较于?) ?(?:之?前一?个?|上一?个?)(?:周期|期|天|周|月|季度|年|同期|星期)(?:相比|比较|比)?)"
    r"|(?:\b(?:(?:compared?|comparison|relative) (?:with|to|against)|versus|vs\.?|against|than|(?:change|up|down|changed) from|from) (?:in |on )?"
    r"(?:the |that )?(?:(?:previous|preceding|prior) (?:period|one|day|week|month|quarter|year)|(?:period|day|week|month|quarter|year|one) before(?! last| yesterday)|before))\b"
)
#: Another year's same days, which the reports do not count.
_UNITS = {"周": "week", "星期": "week", "月": "month", "季度": "quarter", "年": "year", "天": "day", "week": "week", "month": "month", "quarter": "quarter", "year": "year", "day": "day"}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Compared:
    """What asks for a comparison: the words and their place, and the other period unless it is the one before."""

    said: str = ""
    start: int = 0
    end: int = 0
    period: Period | None = None
    unit: str = ""  #: which period is meant where no other one is said

    @property
    def asked(self) -> bool:
        """Whether a comparison is asked for at all."""
        return bool(self.said)


def relative_places(folded: str) -> list[tuple[int, int, str]]:
    """Where a text says "than the period before", and which unit it names."""
    found = []
    for match in _RELATIVE.finditer(folded):
        unit = next((_UNITS[word] for word in _UNITS if word in match[0]), "")
        found.append((match.start(), match.end(), unit))
    return found


def compared_with(reading: Reading, segments: Sequence[Segment]) -> Compared:
    """The comparison that a question asks for."""
    own = [one for one in segments if one.period is not None]
    kinds = ("changed",) if chooses(segments) else ("changed", "comparative")
    changed = next((one for one in segments if one.kind in kinds), None)
    for start, end, unit in relative_places(reading.folded):
        alone = all(one.start >= start and one.end <= end for one in own)
        return Compared(reading.said(start, end), start, end, unit=unit if alone else "")
    for one in own:
        before = _BEFORE.search(reading.folded[: one.start])
        behind = _BEHIND.match(reading.folded, one.end)
        loose = before is not None and (
            before["weak"] or (before["en"] or "").strip() in ("from", "compare", "compared")
        )
        if before is None or (before["weak"] and behind is None) or (loose and not before["weak"] and changed is None):
            continue
        others = [other for other in own if other is not one]
        end = behind.end() if behind is not None else one.end
        unit = one.period.unit if one.period and not others else ""
        return Compared(reading.said(before.start(), end), before.start(), end, one.period, unit)
    if changed is not None:
        unit = next((_UNITS[word] for word in ("week", "month") if word in changed.said.lower()), "")
        return Compared(changed.said, unit="" if own else unit)
    return Compared()
