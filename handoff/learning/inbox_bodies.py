"""What the routes of the inbox accept."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from handoff.bodies import Body, Identifier, Prose
from handoff.learning.example_bodies import IntentBody

_Whole = Annotated[int, Field(ge=0, le=2**53)]
Kind = Literal["assign", "new_intent", "out_of_scope", "gap", "done", "ignored", "new"]


class InboxQuery(Body):
    """Which groups to list; ``reasons`` are separated by commas, ``days`` look back, ``q`` is compared by meaning."""

    state: Literal["new", "done", "ignored"] = "new"
    sort: Literal["frequent", "newest", "cost"] = "frequent"
    reasons: Annotated[str, Field(max_length=200, pattern=r"^[a-z_,]*$")] = ""
    language: Literal["", "zh", "en"] = ""
    channel: Annotated[Prose, Field(max_length=64)] = ""
    days: Annotated[int, Field(ge=0, le=3660)] = 0
    q: Annotated[Prose, Field(max_length=200)] = ""
    limit: Annotated[int, Field(ge=1, le=200)] = 50
    offset: Annotated[int, Field(ge=0, le=1_000_000)] = 0


class SuggestionsQuery(Body):
    """For which message of the group; without one, for the message that stands for it."""

    message_id: Identifier | None = None


class LineBody(Body):
    """A line for the book of examples, annotations of entities included."""

    language: Literal["zh", "en"]
    text: Annotated[Prose, Field(max_length=2000)]


class DecideBody(Body):
    """What a trainer decides about a group as they saw it; ``message_ids`` limits it to some of its messages."""

    revision: _Whole
    kind: Kind
    upto: _Whole | None = None
    message_ids: Annotated[tuple[Identifier, ...], Field(min_length=1, max_length=500)] | None = None
    intent: Annotated[str, Field(max_length=80)] | None = None
    made: IntentBody | None = None  #: of a new intent; without it, its questions go to the knowledge base
    lines: Annotated[tuple[LineBody, ...], Field(max_length=200)] = ()
    keep: bool = False  #: the trainer has looked: what seems personal in the lines is not


class ChosenGroup(Body):
    """A group of several that are decided at once, as it was seen."""

    id: Identifier
    revision: _Whole
    upto: _Whole | None = None


class DecideManyBody(Body):
    """The same for several groups, each by itself."""

    kind: Literal["gap", "done", "ignored", "new"]
    groups: Annotated[tuple[ChosenGroup, ...], Field(min_length=1, max_length=100)]
