"""What the staff API accepts of handoff rules; what a rule may hold is decided by ``Rules.from_json``."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field

from handoff.bodies import Body, Prose


class RulesBody(Body):
    """Rules by reason, and the version they were made from."""

    rules: dict[str, Any]
    based_on: Annotated[int, Field(ge=0, le=2**31 - 1)] = 0
    note: Annotated[Prose, Field(max_length=1000)] = ""


class RulesPreviewBody(Body):
    """Rules to try on the conversations of the last days."""

    rules: dict[str, Any]
    days: Annotated[int, Field(ge=1, le=31)] = 7
