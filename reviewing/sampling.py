"""Which conversations are reviewed by whom: drawn by a seed so that anybody can draw the same again.

Every conversation gets a place by hashing the seed with its id, so the draw does not depend on the order in which the
database names them. Strata take turns, so a busy agent or channel does not crowd the others out.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

Stratum = Literal["none", "agent", "channel"]


@dataclass(frozen=True, slots=True)
class Candidate:
    """A finished conversation that could be reviewed, and what it is chosen by."""

    conversation_id: str
    contact_id: str
    resolved_at: datetime
    channel: str
    language: str
    agent_id: str | None = None  #: who is credited with what people did in it
    agent_name: str | None = None
    team_id: str | None = None
    intent: str | None = None
    people: frozenset[str] = frozenset()  #: who took part, and so may not review it
    rating: int | None = None  #: the lowest that the contact gave
    refuted: bool = False
    misses: int = 0
    waited_seconds: float = 0.0  #: the longest wait for a person
    negative: bool = False
    handed_off: bool = False


@dataclass(frozen=True, slots=True)
class Criteria:
    """What a targeted sample is about; a conversation needs all that is named here."""

    rating_to: int | None = None
    refuted: bool = False
    misses_from: int | None = None
    waited_from_seconds: int | None = None
    negative: bool = False
    handed_off: bool = False
    agent_id: str | None = None
    team_id: str | None = None
    channel: str | None = None
    language: str | None = None
    intent: str | None = None

    def fits(self, one: Candidate) -> bool:
        """Whether a conversation is what is looked for."""
        return (
            (self.rating_to is None or (one.rating is not None and one.rating <= self.rating_to))
            and (not self.refuted or one.refuted)
            and (self.misses_from is None or one.misses >= self.misses_from)
            and (self.waited_from_seconds is None or one.waited_seconds >= self.waited_from_seconds)
            and (not self.negative or one.negative)
            and (not self.handed_off or one.handed_off)
            and all(
                wanted is None or wanted == has
                for wanted, has in (
                    (self.agent_id, one.agent_id),
                    (self.team_id, one.team_id),
                    (self.channel, one.channel),
                    (self.language, one.language),
                    (self.intent, one.intent),
                )
            )
        )


@dataclass(frozen=True, slots=True)
class Drawn:
    """The conversations of a sample by reviewer, and how many there were to draw from."""

    of: int
    by_reviewer: Mapping[str, Sequence[Candidate]] = field(default_factory=dict)

    @property
    def size(self) -> int:
        """How many reviews that makes."""
        return sum(len(chosen) for chosen in self.by_reviewer.values())


def in_turn(candidates: Iterable[Candidate], seed: str, stratum: Stratum = "none") -> list[Candidate]:
    """The candidates in the order of the draw, strata taking turns."""
    strata: dict[str, list[Candidate]] = {}
    for one in sorted(candidates, key=lambda one: _place(seed, one.conversation_id)):
        strata.setdefault(_stratum_of(one, stratum), []).append(one)
    order = sorted(strata, key=lambda name: _place(seed, f"stratum {name}"))
    longest = max((len(found) for found in strata.values()), default=0)
    return [strata[name][turn] for turn in range(longest) for name in order if turn < len(strata[name])]


def draw(
    candidates: Iterable[Candidate], reviewers: Sequence[str], each: int, seed: str, stratum: Stratum = "none"
) -> Drawn:
    """Up to ``each`` conversations for every reviewer, none for two of them, and for nobody their own."""
    order = in_turn(candidates, seed, stratum)
    chosen: dict[str, list[Candidate]] = {one: [] for one in reviewers}
    for candidate in order:
        free = [one for one in reviewers if len(chosen[one]) < each and one not in candidate.people]
        if free:
            chosen[min(free, key=lambda one: len(chosen[one]))].append(candidate)
    return Drawn(len(order), chosen)


def draw_for_all(
    candidates: Iterable[Candidate], reviewers: Sequence[str], each: int, seed: str, stratum: Stratum = "none"
) -> Drawn:
    """The same conversations for every reviewer, to compare them; none in which one of them took part."""
    able = [one for one in candidates if not one.people & set(reviewers)]
    order = in_turn(able, seed, stratum)
    return Drawn(len(order), dict.fromkeys(reviewers, order[:each]))


def _place(seed: str, id: str) -> bytes:
    return hashlib.sha256(f"{seed}\x1f{id}".encode("utf-8", "surrogatepass")).digest()


_STRATUM: Mapping[Stratum, Callable[[Candidate], Any]] = {
    "none": lambda one: "",
    "agent": lambda one: one.agent_id or "",
    "channel": lambda one: one.channel,
}


def _stratum_of(one: Candidate, stratum: Stratum) -> str:
    return str(_STRATUM[stratum](one))
