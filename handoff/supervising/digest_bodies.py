"""What the routes of digests accept."""

from __future__ import annotations

import re
from datetime import time
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, model_validator

from handoff.bodies import Body, Prose
from reporting.catalogue import METRICS
from reporting.digests import Digest, Rhythm, Schedule, Way

_MAIL = re.compile(r"[A-Za-z0-9._%+'-]{1,64}@(?=.{1,190}$)[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)+")


def _one_line(text: str) -> str:
    cleaned = " ".join(text.split())
    if not cleaned or not cleaned.isprintable():
        raise ValueError("write a name on one line")
    return cleaned


def _known(metric: str) -> str:
    if metric not in METRICS:
        raise ValueError("there is no such figure")
    return metric


class DigestBody(Body):
    """A digest as it is to be; ``based_on`` is the revision that was looked at."""

    based_on: Annotated[int, Field(ge=0, le=2**31 - 2)] = 0
    name: Annotated[Prose, Field(max_length=100), AfterValidator(_one_line)]
    rhythm: Rhythm
    day: Annotated[int, Field(ge=0, le=28)] = 0
    clock: Annotated[str, Field(pattern=r"^([01][0-9]|2[0-3]):[0-5][0-9]$")]
    language: Literal["zh", "en"]
    metrics: Annotated[tuple[Annotated[str, AfterValidator(_known)], ...], Field(min_length=1, max_length=30)]
    way: Way
    addresses: Annotated[tuple[Annotated[Prose, Field(max_length=1000)], ...], Field(min_length=1, max_length=20)]
    active: bool = True

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.rhythm is Rhythm.WEEKLY and not 1 <= self.day <= 7:
            raise ValueError("choose a weekday from 1 (Monday) to 7")
        if self.rhythm is Rhythm.MONTHLY and self.day < 1:
            raise ValueError("choose a day of the month from 1 to 28")
        if self.way is Way.EMAIL and not all(_MAIL.fullmatch(one.strip()) for one in self.addresses):
            raise ValueError("check the e-mail addresses")
        return self

    def digest(self, digest_id: str = "") -> Digest:
        """What it describes."""
        day = 0 if self.rhythm is Rhythm.DAILY else self.day
        return Digest(
            digest_id, self.based_on, self.name, Schedule(self.rhythm, time.fromisoformat(self.clock), day), self.language,
            tuple(dict.fromkeys(self.metrics)), self.way, tuple(dict.fromkeys(one.strip() for one in self.addresses)),
            self.active,
        )  # fmt: skip
