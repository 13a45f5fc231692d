"""What may be an entity, and which of overlapping candidates is kept."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

#: How sure a way of finding is, when two candidates are equally long.
CONTEXT_AND_CHECK, CONTEXT, CHECK, GRAMMAR, PATTERN, LISTED, SOUND, TYPO, BARE = 8, 7, 6, 5, 4, 3, 2, 1, 0


@dataclass
class Candidate:
    """A type at a place. ``normalize`` gives the typed value, or None when the words turn out to mean nothing."""

    type: str
    start: int
    end: int
    evidence: int
    normalize: Callable[[], Any]
    priority: int = 0
    order: int = 0
    core: int | None = None  # its turn among the candidates that forms and the intent classifier see
    only_core: bool = False

    def rank(self) -> tuple[int, int, int, int, int]:
        """Smaller is better: priority, length, evidence, the catalogue's order, position."""
        return (-self.priority, self.start - self.end, -self.evidence, self.order, self.start)


def resolve(candidates: Iterable[Candidate]) -> list[tuple[Candidate, Any]]:
    """The best candidates that do not overlap, with their values, in order of position."""
    kept: list[tuple[Candidate, Any]] = []
    for candidate in sorted(candidates, key=Candidate.rank):
        if any(candidate.start < other.end and other.start < candidate.end for other, _ in kept):
            continue
        value = candidate.normalize()
        if value is not None:
            kept.append((candidate, value))
    return sorted(kept, key=lambda pair: pair[0].start)
