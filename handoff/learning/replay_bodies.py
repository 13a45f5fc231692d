"""What the routes of replays accept."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from handoff.bodies import Body, Prose

_Name = Annotated[Prose, Field(max_length=80)]


class ReplayBody(Body):
    """What to replay; ``days`` of 0 looks back as far as there are turns."""

    model: Annotated[Prose, Field(min_length=1, max_length=80)]
    turns: Annotated[int, Field(ge=1, le=20_000)] = 5000
    days: Annotated[int, Field(ge=0, le=3660)] = 0
    thresholds: Literal["logged", "now"] = "logged"
    channels: Annotated[tuple[_Name, ...], Field(max_length=50)] = ()
    languages: Annotated[tuple[Literal["zh", "en"], ...], Field(max_length=2)] = ()
    precision: Annotated[float, Field(ge=0.05, le=0.3)] = 0.15


class ChangesQuery(Body):
    """Which changes to list."""

    kind: Annotated[str, Field(max_length=16, pattern=r"^[a-z]*$")] = ""
    language: Literal["", "zh", "en"] = ""
    rating: Literal["", "low", "high", "none"] = ""
    intent: _Name = ""
    intent_after: _Name = ""
    verdict: Literal["", "better", "worse", "same", "open", "risky"] = ""
    limit: Annotated[int, Field(ge=1, le=200)] = 50
    offset: Annotated[int, Field(ge=0, le=1_000_000)] = 0


class JudgeBody(Body):
    """What the candidate does, compared with what was done; ``same`` is otherwise, but no matter."""

    verdict: Literal["better", "worse", "same"]


class BudgetBody(Body):
    """How much may get worse, as a change of what was seen."""

    revision: Annotated[int, Field(ge=0, le=2**31)]
    worse_percent: Annotated[float, Field(ge=0, le=100)]
    least_judged: Annotated[int, Field(ge=0, le=1000)]
    least_turns: Annotated[int, Field(ge=1, le=20_000)]
    most_days: Annotated[int, Field(ge=1, le=365)]
