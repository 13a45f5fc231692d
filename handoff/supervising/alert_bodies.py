"""What the routes of alerts accept."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from handoff.bodies import Body, Prose
from reporting.anomalies import Kind, Sensitivity

Clock = Annotated[str, Field(pattern=r"^(|([01][0-9]|2[0-3]):[0-5][0-9])$")]


class AlertsQuery(Body):
    """Which alerts are listed."""

    state: Literal["open", "acknowledged", "closed", "all"] = "all"


class KindRule(Body):
    """Of one kind."""

    on: bool
    sensitivity: Sensitivity


class AlertRulesBody(Body):
    """Everything that can be chosen; ``based_on`` is the revision that was looked at."""

    based_on: Annotated[int, Field(ge=0, le=2**31 - 2)]
    kinds: dict[Kind, KindRule]
    quiet_from: Clock = ""
    quiet_until: Clock = ""
    webhook: Annotated[Prose, Field(max_length=1000)] = ""

    @model_validator(mode="after")
    def _check(self) -> Self:
        if bool(self.quiet_from) != bool(self.quiet_until):
            raise ValueError("give both ends of the quiet hours, or none")
        return self


class AcknowledgeBody(Body):
    """What is said about an alert; ``expected`` closes it."""

    note: Annotated[Prose, Field(max_length=1000)] = ""
    expected: bool = False
