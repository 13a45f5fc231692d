"""What the staff API accepts about order at the desk: filters, labels, priority, snoozing, bulk actions, merging."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal, Self

from pydantic import AwareDatetime, BeforeValidator, ConfigDict, Field, StringConstraints, model_validator

from conversations.organising import COLOURS, MAX_REASON, MAX_TITLE
from handoff.bodies import Body, Identifier, Prose

MAX_BULK = 100
BUILT_IN = ("mine", "queued", "team", "bot", "all", "snoozed", "mentions", "resolved")
SORTS = ("newest", "oldest", "waiting", "priority", "opened")


View = Annotated[str, StringConstraints(pattern=rf"^({'|'.join(BUILT_IN)}|filter:[0-9a-f]{{32}})$")]
Sort = Literal["newest", "oldest", "waiting", "priority", "opened"]
Level = Literal["none", "low", "normal", "high", "urgent"]
Colour = Annotated[str, StringConstraints(pattern=f"^({'|'.join(COLOURS)})$")]
_Word = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,31}$")]
_Channel = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_.-]{1,64}$")]
_IdOr = StringConstraints(pattern=r"^([0-9a-f]{32}|me|none)$")


class Conditions(Body):
    """What a saved filter asks for; every condition that is given must hold, a list is one of its values.

    ``agent`` also takes "me" and "none", ``team`` takes "none"; times are absolute, ``…_within_days`` reckon from now.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    status: Annotated[tuple[Literal["bot", "queued", "assigned", "resolved"], ...], Field(max_length=4)] = ()
    channel: Annotated[tuple[_Channel, ...], Field(max_length=20)] = ()
    language: Annotated[tuple[Literal["zh", "en"], ...], Field(max_length=2)] = ()
    label: Annotated[tuple[Identifier, ...], Field(max_length=20)] = ()
    every_label: bool = False  #: all of them instead of one of them
    priority: Annotated[tuple[Level, ...], Field(max_length=5)] = ()
    team: Annotated[tuple[Annotated[str, _IdOr], ...], Field(max_length=20)] = ()
    agent: Annotated[tuple[Annotated[str, _IdOr], ...], Field(max_length=20)] = ()
    waiting_longer_minutes: Annotated[int, Field(ge=1, le=60 * 24 * 60)] | None = None
    sentiment: Annotated[tuple[Literal["negative", "neutral", "positive"], ...], Field(max_length=3)] = ()
    handoff_reason: Annotated[tuple[_Word, ...], Field(max_length=20)] = ()
    tier: Annotated[tuple[_Word, ...], Field(max_length=10)] = ()
    created_after: AwareDatetime | None = None
    created_before: AwareDatetime | None = None
    created_within_days: Annotated[int, Field(ge=1, le=3650)] | None = None
    updated_after: AwareDatetime | None = None
    updated_before: AwareDatetime | None = None
    updated_within_days: Annotated[int, Field(ge=1, le=3650)] | None = None
    unread: bool = False
    snoozed: bool | None = None

    @model_validator(mode="after")
    def _check(self) -> Self:
        if not stored(self).keys() - {"every_label"}:
            raise ValueError("choose at least one condition")
        for name in ("created", "updated"):
            after, before = getattr(self, f"{name}_after"), getattr(self, f"{name}_before")
            if after is not None and before is not None and after >= before:
                raise ValueError(f"{name}_after must be earlier than {name}_before")
        return self


class FilterBody(Body):
    """A filter to save."""

    name: Annotated[Prose, StringConstraints(strip_whitespace=True, min_length=1, max_length=60)]
    shared: bool = False
    conditions: Conditions
    sort: Sort = "newest"


class FilterCountBody(Body):
    """Conditions to try before they are saved."""

    conditions: Conditions


class FilterOrderBody(Body):
    """The filters in the order the rail shows them."""

    ids: Annotated[tuple[Identifier, ...], Field(max_length=200)]


class LabelBody(Body):
    """A label as somebody makes or changes it."""

    title: Annotated[Prose, Field(min_length=1, max_length=4 * MAX_TITLE)]
    colour: Colour = "grey"
    archived: bool = False


class LabelsBody(Body):
    """Labels to put on a conversation and to take off it."""

    add: Annotated[tuple[Identifier, ...], Field(max_length=20)] = ()
    remove: Annotated[tuple[Identifier, ...], Field(max_length=20)] = ()

    @model_validator(mode="after")
    def _some(self) -> Self:
        if not (self.add or self.remove):
            raise ValueError("choose labels to add or remove")
        return self


class PriorityBody(Body):
    """How urgent a conversation is."""

    level: Level


class SnoozeBody(Body):
    """Until when a conversation is put aside, and why."""

    until: AwareDatetime
    reason: Annotated[Prose, Field(max_length=2 * MAX_REASON)] = ""


class MergeBody(Body):
    """The conversation in which this one goes on."""

    into: Identifier


class BulkBody(Body):
    """One thing to do with several conversations."""

    ids: Annotated[tuple[Identifier, ...], Field(min_length=1, max_length=MAX_BULK)]
    action: Literal["assign_me", "label", "priority", "snooze", "wake", "resolve"]
    add: Annotated[tuple[Identifier, ...], Field(max_length=20)] = ()
    remove: Annotated[tuple[Identifier, ...], Field(max_length=20)] = ()
    level: Level | None = None
    until: AwareDatetime | None = None
    reason: Annotated[Prose, Field(max_length=2 * MAX_REASON)] = ""

    @model_validator(mode="after")
    def _complete(self) -> Self:
        if self.action == "label" and not (self.add or self.remove):
            raise ValueError("choose labels to add or remove")
        if self.action == "priority" and self.level is None:
            raise ValueError("choose a priority")
        if self.action == "snooze" and self.until is None:
            raise ValueError("choose until when")
        return self


def _empty_is_none(value: Any) -> Any:
    return None if value == "" else value


_Moment = Annotated[AwareDatetime | None, BeforeValidator(_empty_is_none)]


class MessageSearchQuery(Body):
    """What to look for in messages, and where."""

    q: Annotated[Prose, Field(min_length=1, max_length=200)]
    author: Annotated[Literal["contact", "bot", "agent", "note"] | None, BeforeValidator(_empty_is_none)] = None
    channel: Annotated[_Channel | None, BeforeValidator(_empty_is_none)] = None
    since: _Moment = None
    until: _Moment = None
    offset: Annotated[int, Field(ge=0, le=1000)] = 0
    limit: Annotated[int, Field(ge=1, le=50)] = 20


def stored(conditions: Conditions) -> dict[str, Any]:
    """The conditions that were chosen, as JSON."""
    chosen = conditions.model_dump(mode="json", exclude_defaults=True)
    return {name: value for name, value in chosen.items() if value not in (None, [], ())}


def moment_of(value: str) -> datetime:
    """A time from a cursor; raises ``ValueError``."""
    moment = datetime.fromisoformat(value)
    if moment.tzinfo is None:
        raise ValueError("a time without a zone")
    return moment
