"""Finds every kind of entity of a catalogue in one message, and gives each its typed value."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from bot.entities.candidates import LISTED, Candidate, resolve
from bot.entities.catalogue import Catalogue, EntityType, Value
from bot.entities.gazetteer import Gazetteer
from bot.entities.measures import Measures
from bot.entities.normalisers import normalise, plain
from bot.entities.patterns import Patterns, Text
from bot.entities.times import Times
from bot.text import fold, is_cjk

_AROUND = " .!。,，~～"
#: Longer texts are no customer messages; what stands behind this many characters is not looked at.
_LONGEST = 2000
_EXPECTED = 100


@dataclass(frozen=True)
class Entity:
    """One entity: ``value`` as text, as forms and actions take it, and ``normalized`` as a typed JSON value."""

    entity: str
    value: str
    start: int
    end: int
    normalized: Any
    is_a: str | None = None


@dataclass(frozen=True)
class Reading:
    """All entities of a message; ``core`` are those the forms and the intent classifier are built on."""

    entities: tuple[Entity, ...]
    core: tuple[Entity, ...]


class Finder:
    """The catalogue, compiled."""

    def __init__(
        self, catalogue: Catalogue, frequent: Collection[str] = (), synonyms: Mapping[str, str] | None = None
    ) -> None:
        """``frequent`` words are never taken for misspelt names; ``synonyms`` map what is written to a product's name."""
        kinds = [_with_values(kind, synonyms or {}) for kind in catalogue.types]
        catalogue = Catalogue(tuple(kinds), catalogue.source)
        self._kinds = {kind.name: kind for kind in kinds}
        order = {kind.name: place for place, kind in enumerate(kinds)}
        self._patterns = Patterns(kinds)
        self._gazetteer = Gazetteer(catalogue, frozenset(frequent))
        self._measures = Measures(catalogue)
        self._times = Times({kind.name: order[kind.name] for kind in kinds if kind.grammar})

    def find(self, text: str, now: datetime, expected: Collection[str] = ()) -> Reading:
        """The entities of a message said at ``now`` (aware); of ``expected`` types, those a form asks for, none is passed over."""
        folded = fold(text[:_LONGEST])
        lower = folded.lower()
        if len(lower) != len(folded):
            lower = "".join(one if len(one) == 1 else character for character in folded for one in [character.lower()])
        listed = self._gazetteer.find(folded, lower)
        candidates = listed.candidates
        seen = Text(folded, lower, frozenset(lower), any(map(is_cjk, lower)))
        stripped = folded.strip(_AROUND)
        begin = folded.find(stripped)
        said = (begin, begin + len(stripped))
        candidates += self._patterns.find(seen, listed.contexts, said)
        measured, _ = self._measures.find(folded, lower)
        candidates += measured
        candidates += self._times.find(lower, now)
        for kind, start, end in listed.excluded:
            candidates = [one for one in candidates if one.type != kind or one.start < start or one.end > end]
        for candidate in candidates:
            if (
                candidate.core is not None
                and self._form_name(candidate) in expected
                and not _is_part(candidate, candidates)
            ):
                candidate.priority += _EXPECTED
        entities = [
            self._entity(folded, candidate, value)
            for candidate, value in resolve(one for one in candidates if not one.only_core or one.priority >= _EXPECTED)
        ]
        return Reading(tuple(entities), tuple(self._core(folded, candidates)))

    def _form_name(self, candidate: Candidate) -> str:
        return self._kinds[candidate.type].is_a or candidate.type

    def _core(self, folded: str, candidates: list[Candidate]) -> list[Entity]:
        """Earlier turns win, then earlier places; products come first of all."""
        ranked = [
            (-1 if candidate.core is None else candidate.core, candidate.start, place, candidate)
            for place, candidate in enumerate(candidates)
            if candidate.core is not None or (candidate.type == "product" and candidate.evidence == LISTED)
        ]
        ranked.sort(key=lambda one: (one[0], one[1], one[3].start - one[3].end))
        kept: list[tuple[Candidate, Any]] = []
        for _, _, _, candidate in ranked:
            if all(candidate.end <= other.start or other.end <= candidate.start for other, _ in kept):
                kept.append((candidate, candidate.normalize()))
        entities = [self._entity(folded, candidate, value) for candidate, value in kept]
        return sorted(
            (replace(one, entity=one.is_a or one.entity, is_a=None) for one in entities), key=lambda one: one.start
        )

    def _entity(self, folded: str, candidate: Candidate, normalized: Any) -> Entity:
        kind = self._kinds[candidate.type]
        written = folded[candidate.start : candidate.end]
        if kind.text is not None:
            value = str(normalise(kind.text, written, {}))
        else:
            value = normalized if isinstance(normalized, str) else plain(written)
        return Entity(kind.name, value, candidate.start, candidate.end, normalized, kind.is_a)


def _is_part(candidate: Candidate, candidates: list[Candidate]) -> bool:
    """Whether it is a piece of something longer whose turn is earlier: the last digits of a telephone number."""
    return any(
        one.core is not None
        and one.core < (candidate.core or 0)
        and one.start <= candidate.start
        and candidate.end <= one.end
        and candidate.end - candidate.start < one.end - one.start
        for one in candidates
    )


def _with_values(kind: EntityType, synonyms: Mapping[str, str]) -> EntityType:
    if kind.values_from != "synonyms":
        return kind
    written: dict[str, list[str]] = {}
    for word, name in synonyms.items():
        written.setdefault(name, []).append(word)
    extra = tuple(Value(name, tuple({name: None, **dict.fromkeys(words)})) for name, words in written.items())
    return replace(kind, values=(*kind.values, *extra))
