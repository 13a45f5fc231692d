"""What a channel allows where the contact asked for nothing, and the templates that its operator had approved for it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Annotated, Literal, TypeVar

from pydantic import StringConstraints

Way = Literal["free", "template"]
KindName = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,39}$")]
Language = Literal["zh", "en"]
Fact = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,39}$")]
Template = TypeVar("Template")
NOTHING = "-"  #: for a fact that is not known: vendors refuse empty values


@dataclass(frozen=True, slots=True)
class Unasked:
    """A message that answers nothing."""

    kind: str
    language: str
    facts: Mapping[str, str]
    wrote_at: datetime | None  #: the contact's last message there; None also where saying it freely was refused
    subject: str = ""
    stop_url: str = ""  #: ends these messages without signing in


@dataclass(frozen=True, slots=True)
class UnaskedRule:
    """When a channel takes such a message as it is."""

    window: timedelta | None = None  #: since the contact's last message; None: at any time
    repeatable: bool = False  #: whether a message that is sent again is not shown twice

    def open(self, told: Unasked, now: datetime) -> bool:
        """Whether it may be said freely now."""
        return self.window is None or (told.wrote_at is not None and now - told.wrote_at < self.window)


def chosen(templates: Mapping[str, Mapping[Language, Template]], told: Unasked) -> Template | None:
    """The template for a message, in its language or else in the other one."""
    known = templates.get(told.kind, {})
    return next((known[one] for one in (told.language, "zh", "en") if one in known), None)  # type: ignore[index]


def values_of(names: tuple[str, ...], told: Unasked) -> list[str]:
    """The values of a template in the order in which it was approved."""
    return [told.facts.get(name) or NOTHING for name in names]
