"""What the routes of thresholds accept."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from handoff.bodies import Body, Prose

_Share = Annotated[float, Field(ge=0, le=1)]
_Cost = Annotated[float, Field(ge=0, le=100)]
_Why = Annotated[Prose, Field(min_length=1, max_length=500)]
_Based = Annotated[int, Field(ge=0, le=2**31 - 1)]


class LimitsQuery(Body):
    """Which part of the log, and what each outcome costs in handoffs; ``silence`` is how much an answer that nobody said
    anything about counts as a right one."""

    language: Literal["zh", "en"]
    days: Annotated[int, Field(ge=0, le=3660)] = 90
    models: Literal["all", "latest"] = "all"
    wrong: _Cost = 4.0
    clarified: _Cost = 0.3
    handed_off: _Cost = 1.0
    missed: _Cost = 0.6
    silence: _Share = 0.5


class OutcomeQuery(LimitsQuery):
    """The same, with the thresholds that are tried."""

    answer: _Share
    clarify: _Share
    retrieval: _Share


class LanguageLimits(Body):
    """The thresholds of one language."""

    answer: _Share
    clarify: _Share
    retrieval: _Share


class Wanted(Body):
    """The thresholds to apply, by language; a language that is missing stays as it is."""

    zh: LanguageLimits | None = None
    en: LanguageLimits | None = None


class Expected(Body):
    """What the one who applies them saw: the costs, and the outcomes that were reckoned with."""

    wrong: _Cost
    clarified: _Cost
    handed_off: _Cost
    missed: _Cost
    silence: _Share


class ApplyBody(Body):
    """Thresholds to apply from the next turn on; ``based_on`` is the version that was in force when they were chosen."""

    based_on: _Based
    limits: Wanted
    why: _Why
    costs: Expected | None = None


class RestoreBody(Body):
    """Why an earlier version is to be in force again."""

    based_on: _Based
    why: _Why
