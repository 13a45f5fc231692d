"""Decides which groups of a report may be shown without telling what fewer than five people answered.

A group is shown only if it holds five answers or more, and only if nothing that is shown gives away a group that does
not, neither by subtracting shown groups from their total nor by any other sum of what is shown.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

FEWEST = 5
_PRIME = (1 << 61) - 1  # sums are compared modulo it: exact, and no fractions


class Hidden(StrEnum):
    """Why a group is not shown."""

    FEW = "few"  #: fewer than five answers
    PROTECTS = "protects"  #: it would give away a group with fewer


@dataclass(slots=True)
class Cell:
    """One group of one breakdown; ``answers`` are the answers in it, several sets where several figures are shown."""

    breakdown: str
    key: Hashable
    answers: tuple[frozenset[int], ...]
    hidden: Hidden | None = field(default=None)

    def few(self) -> bool:
        """Whether one of its figures would be of fewer than five answers."""
        return any(len(one) < FEWEST for one in self.answers)

    @property
    def size(self) -> int:
        """How much its largest set holds."""
        return max((len(one) for one in self.answers), default=0)


def protect(total: Cell, cells: Sequence[Cell], wider: Iterable[tuple[frozenset[int], ...]] = ()) -> None:
    """Mark what may not be shown of a total and of the groups of its breakdowns.

    ``wider`` are what the same report would hold with one filter less: a part of one is hidden where the rest of it
    would be known from the difference.
    """
    wider = list(wider)
    for cell in (total, *cells):
        if cell.few():
            cell.hidden = Hidden.FEW
        elif any(_leaves_few(one, part) for outer in wider for one, part in zip(outer, cell.answers, strict=True)):
            cell.hidden = Hidden.PROTECTS
    if total.hidden is not None:
        for cell in cells:
            cell.hidden = Hidden.FEW if cell.few() else Hidden.PROTECTS
        return
    breakdowns: dict[str, list[Cell]] = defaultdict(list)
    for cell in cells:
        breakdowns[cell.breakdown].append(cell)
    for kind in range(len(total.answers)):
        for groups in breakdowns.values():
            _hide_more(groups, kind)
    while (gives_away := _gives_away(total, cells)) is not None:
        gives_away.hidden = Hidden.PROTECTS
        for kind in range(len(total.answers)):
            _hide_more(breakdowns[gives_away.breakdown], kind)


def _leaves_few(outer: frozenset[int], part: frozenset[int]) -> bool:
    return part < outer and len(outer - part) < FEWEST


def _hide_more(groups: list[Cell], kind: int) -> None:
    """Hide the smallest shown groups until what is hidden together is no group of fewer than five, and not one alone."""
    while True:
        hidden = [len(cell.answers[kind]) for cell in groups if cell.hidden is not None]
        hidden = [size for size in hidden if size]
        if not hidden or (len(hidden) > 1 and sum(hidden) >= FEWEST):
            return
        shown = [cell for cell in groups if cell.hidden is None]
        if not shown:
            return
        min(shown, key=lambda cell: (cell.size, str(cell.key))).hidden = Hidden.PROTECTS


def _gives_away(total: Cell, cells: Sequence[Cell]) -> Cell | None:
    """A shown group without which no sum of shown groups is a hidden one of fewer than five answers, if there is any."""
    shown = [cell for cell in cells if cell.hidden is None]
    for kind in range(len(total.answers)):
        known = [total.answers[kind], *(cell.answers[kind] for cell in shown)]
        for cell in cells:
            secret = cell.answers[kind]
            if cell.hidden is not None and 0 < len(secret) < FEWEST and recoverable(secret, known):
                touching = [one for one in shown if one.breakdown != cell.breakdown] or shown
                return min(touching, key=lambda one: (one.size, one.breakdown, str(one.key))) if touching else None
    return None


def recoverable(secret: frozenset[int], known: Sequence[frozenset[int]]) -> bool:
    """Whether the figures of a set of answers follow from those of others by adding and subtracting."""
    if secret in known:
        return True
    patterns: dict[tuple[bool, ...], bool] = {}  # answers that nothing tells apart count as one
    for answer in frozenset().union(secret, *known):
        pattern = tuple(answer in one for one in known)
        wanted = answer in secret
        if patterns.setdefault(pattern, wanted) != wanted:
            return False  # an answer inside and one outside are always together
    columns = list(patterns)
    rows = [[int(pattern[number]) for pattern in columns] for number in range(len(known))]
    target = [int(patterns[pattern]) for pattern in columns]
    return _in_span(target, rows)


def _in_span(target: list[int], rows: list[list[int]]) -> bool:
    """Gaussian elimination modulo a prime."""
    basis: list[tuple[int, list[int]]] = []
    for row in rows:
        rest = _reduced(row, basis)
        pivot = next((place for place, value in enumerate(rest) if value), None)
        if pivot is not None:
            inverse = pow(rest[pivot], -1, _PRIME)
            basis.append((pivot, [value * inverse % _PRIME for value in rest]))
    return not any(_reduced(target, basis))


def _reduced(row: list[int], basis: list[tuple[int, list[int]]]) -> list[int]:
    rest = list(row)
    for pivot, known in basis:
        factor = rest[pivot]
        if factor:
            rest = [(value - factor * other) % _PRIME for value, other in zip(rest, known, strict=True)]
    return rest
