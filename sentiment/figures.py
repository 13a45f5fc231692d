"""Figures that tell how well labels were found."""

from __future__ import annotations

from collections.abc import Sequence

from sentiment.lines import LABELS


def accuracy(wanted: Sequence[str], found: Sequence[str]) -> float:
    """The share of right labels."""
    return sum(one == other for one, other in zip(wanted, found, strict=True)) / len(wanted)


def confusion(wanted: Sequence[str], found: Sequence[str]) -> list[list[int]]:
    """How often each label (row) was found as each label (column), in the order of ``LABELS``."""
    pairs = list(zip(wanted, found, strict=True))
    return [[pairs.count((label, other)) for other in LABELS] for label in LABELS]


def macro_f1(wanted: Sequence[str], found: Sequence[str]) -> float:
    """The mean of the labels' F1, each label counting the same; labels that are nowhere do not count."""
    scores = []
    for label in LABELS:
        hits = sum(one == other == label for one, other in zip(wanted, found, strict=True))
        either = wanted.count(label) + found.count(label)
        if either:
            scores.append(2 * hits / either)
    return sum(scores) / len(scores)
