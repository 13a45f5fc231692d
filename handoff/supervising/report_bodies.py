"""What the routes of the reports accept."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import AllowInfNan, Field, StringConstraints

from handoff.bodies import Body, Prose

MOST_QUERIES = 24
_Money = Annotated[float, AllowInfNan(False), Field(ge=0, le=1_000_000)]


class FiguresBody(Body):
    """Questions in the form of ``Query.form``; each is answered, or refused, by itself."""

    queries: Annotated[tuple[dict[str, Any], ...], Field(min_length=1, max_length=MOST_QUERIES)]
    compare: bool = True


class UnitsBody(Body):
    """Which of the things that a figure counted are wanted: of all rows or one, and of a share all or its part."""

    query: dict[str, Any]
    key: Annotated[Prose, Field(max_length=128)] | None = None
    part: Literal["all", "part"] = "all"
    offset: Annotated[int, Field(ge=0, le=1_000_000)] = 0
    limit: Annotated[int, Field(ge=1, le=200)] = 50


class CostBody(Body):
    """What one conversation costs with people, and with the bot alone."""

    human_per_conversation: _Money
    bot_per_conversation: _Money
    currency: Annotated[str, StringConstraints(pattern=r"^[A-Z]{3}$")] = "CNY"
