"""What the staff API accepts about teams, rules of routing and people's abilities; also the form they are kept in."""

from __future__ import annotations

import re
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, StringConstraints, field_validator, model_validator

from conversations.hours import BusinessHours, Holiday
from conversations.teams import DEFAULT_CAPACITY, Rule, Team
from handoff.bodies import Body, Identifier, Prose

_CODE = re.compile(r"[a-z][a-z0-9_]{0,39}")


def _skill(text: str) -> str:
    return " ".join(text.split()).lower()


def _code(text: str) -> str:
    if not _CODE.fullmatch(text):
        raise ValueError(f"{text!r} is not a name such as webchat or order_status")
    return text


Language = Literal["zh", "en"]
Tier = Literal["standard", "silver", "gold", "vip"]
Name = Annotated[Prose, StringConstraints(strip_whitespace=True, max_length=60)]
Skill = Annotated[Prose, AfterValidator(_skill), Field(min_length=1, max_length=40)]
Skills = Annotated[tuple[Skill, ...], Field(max_length=20)]
Code = Annotated[str, AfterValidator(_code)]
Codes = Annotated[tuple[Code, ...], Field(max_length=50)]
TeamId = Annotated[str, StringConstraints(pattern=r"^([0-9a-f]{32}|default)$")]


class HolidayBody(Body):
    """Days on which the weekly hours do not hold; no hours means closed."""

    first: Annotated[str, Field(max_length=10)]
    last: Annotated[str, Field(max_length=10)] = ""
    hours: Annotated[str, Field(max_length=100)] = ""
    name: Name = ""

    def holiday(self) -> Holiday:
        """The holiday; raises ``ValueError`` saying what is wrong."""
        return Holiday.parse(self.first, self.last, self.hours, self.name)


class TeamBody(Body):
    """A team as a supervisor writes it; empty lists mean "all"."""

    name_zh: Name = ""
    name_en: Name = ""
    languages: Annotated[tuple[Language, ...], Field(max_length=2)] = ()
    skills: Skills = ()
    hours: Annotated[str, Field(max_length=400)] = ""  #: empty: the desk's own hours
    time_zone: Annotated[str, Field(max_length=60)] = "Asia/Shanghai"
    holidays: Annotated[tuple[HolidayBody, ...], Field(max_length=100)] = ()
    channels: Codes = ()
    intents: Codes = ()
    mode: Literal["pull", "offer"] = "pull"
    offer_seconds: Annotated[int, Field(ge=10, le=300)] = 30
    first_response_seconds: Annotated[int, Field(ge=30, le=86_400)] = 300
    capacity: Annotated[int, Field(ge=1, le=50)] = DEFAULT_CAPACITY
    pull_over_capacity: bool = False
    active: bool = True
    members: Annotated[tuple[Identifier, ...], Field(max_length=500)] = ()

    @field_validator("hours")
    @classmethod
    def _tidy(cls, value: str) -> str:
        return " ".join(value.split())

    @model_validator(mode="after")
    def _check(self) -> Self:
        if not self.name_zh and not self.name_en:
            raise ValueError("give the team a name")
        if self.hours:
            BusinessHours.of(self.hours, self.time_zone)
        elif self.holidays:
            raise ValueError("holidays need the team's own hours; write them, for example always")
        for one in self.holidays:
            one.holiday()
        return self

    def team(self, team_id: str) -> Team:
        """The team that the routing works with."""
        hours = None
        if self.hours:
            holidays = tuple(one.holiday() for one in self.holidays)
            hours = BusinessHours.of(self.hours, self.time_zone, holidays)
        return Team(
            id=team_id,
            name_zh=self.name_zh or self.name_en,
            name_en=self.name_en or self.name_zh,
            languages=self.languages,
            skills=self.skills,
            hours=hours,
            channels=self.channels,
            intents=self.intents,
            members=frozenset(self.members),
            mode=self.mode,
            offer_seconds=self.offer_seconds,
            first_response_seconds=self.first_response_seconds,
            capacity=self.capacity,
            pull_over_capacity=self.pull_over_capacity,
            active=self.active,
        )


class RuleBody(Body):
    """One rule: what fits every condition goes to the team; empty conditions fit everything."""

    team_id: TeamId
    channels: Codes = ()
    languages: Annotated[tuple[Language, ...], Field(max_length=2)] = ()
    topics: Codes = ()
    tiers: Annotated[tuple[Tier, ...], Field(max_length=4)] = ()
    skills: Skills = ()
    only_when_open: bool = False
    enabled: bool = True

    def rule(self) -> Rule:
        """The rule that the routing works with."""
        return Rule(**self.model_dump())


class RulesBody(Body):
    """All rules, in the order in which they are tried."""

    rules: Annotated[tuple[RuleBody, ...], Field(max_length=100)]


class PersonBody(Body):
    """What a member of staff can do."""

    languages: Annotated[tuple[Language, ...], Field(max_length=2)]
    skills: Skills = ()
    capacity: Annotated[int, Field(ge=1, le=50)] | None = None
