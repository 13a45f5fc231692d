"""What the routes of what is live accept."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from handoff.bodies import Body, Prose

_Name = Annotated[str, Field(pattern=r"^[0-9A-Za-z][0-9A-Za-z._-]{0,79}$")]
_Note = Annotated[Prose, Field(max_length=1000)]


class ChangeBody(Body):
    """A change of what serves, as it was when it was looked at."""

    revision: Annotated[int, Field(ge=0, le=2**31)]
    note: _Note = ""


class PromoteBody(ChangeBody):
    """Which version goes live; ``without_replay`` needs a reason as note."""

    model: _Name
    without_replay: bool = False


class CompareBody(ChangeBody):
    """Which version is compared with the live one, on how many percent of the new conversations."""

    model: _Name
    share: Annotated[int, Field(ge=1, le=99)]
