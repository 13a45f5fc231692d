"""Says of a turn whether it was right, from what its outcome or a trainer told of it."""

from __future__ import annotations

from enum import IntEnum

from reporting.facts import Label


class Done(IntEnum):
    """What became of a message; the numbers are those in ``limit_cases``."""

    ACTED = 0
    CLARIFIED = 1
    ANSWERED = 2
    MISSED = 3
    HANDED_OFF = 4


def label_of(
    done: int,
    top: str | None,
    score: float | None,
    act_wrong: bool | None,
    answer_wrong: bool | None,
    decision: tuple[str, str | None] | None = None,
) -> Label | None:
    """The label; None where nobody knows. ``decision`` is a trainer's kind and intent, and outweighs the outcome.

    A score belongs to the intent that came first, so it is kept only where that intent is what was right or wrong.
    """
    if decision is not None and decision[0] in ("assign", "new_intent"):
        chosen = done in (Done.ACTED, Done.CLARIFIED)
        return Label(chosen and decision[1] == top, score if chosen else None)
    if decision is not None and decision[0] in ("out_of_scope", "gap"):
        if done in (Done.ACTED, Done.CLARIFIED):
            return Label(False, score)
        return Label(done != Done.ANSWERED)  # that nothing was found was right
    if done == Done.ANSWERED:
        return None if answer_wrong is None else Label(not answer_wrong)
    if done in (Done.ACTED, Done.CLARIFIED) and act_wrong is not None:
        return Label(not act_wrong, score)
    return None
