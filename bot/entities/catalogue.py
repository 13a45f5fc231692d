"""Reads ``nlu_data/entities/*.yml``: the kinds of entities and how each is found; a mistake is told with its place."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from bot.entities.checksums import CHECKSUMS
from bot.entities.normalisers import NORMALISERS
from bot.entities.numbers import NUMBER
from bot.entities.times import TIME_TYPES

LANGUAGES = ("zh", "en")
#: Types made of an amount of money, found beside the plain amount.
MONEY_TYPES = ("amount", "price_range")
_FILE_KEYS = {"family", "title", "types", "words"}
_TYPE_KEYS = {
    "name", "title", "languages", "is_a", "patterns", "units", "values", "values_from", "fuzzy", "pinyin", "except",
    "not_before", "not_after", "grammar", "normaliser", "text", "priority", "examples",
}  # fmt: skip
_PATTERN_KEYS = {
    "regex", "near", "within", "after", "checksum", "whole", "case", "core", "only_core", "script", "normaliser", "value",
}  # fmt: skip
_VALUE_KEYS = {"value", *LANGUAGES}
_NAME = re.compile(r"[a-z][a-z0-9_]*")


class BadCatalogue(ValueError):
    """The catalogue cannot be used; the message has one line per mistake: file, type, what to correct."""


@dataclass(frozen=True)
class Pattern:
    """A regular expression over folded lower-case text; group ``v``, or else the whole match, is the entity."""

    regex: str
    near: tuple[str, ...] = ()
    within: int = 12
    after: tuple[str, ...] = ()
    checksum: str | None = None
    whole: bool = False
    case: bool = False
    core: int | None = None
    only_core: bool = False
    script: str | None = None
    normaliser: Any = None
    value: Any = None


@dataclass(frozen=True)
class Value:
    """One entry of a gazetteer: the value and how it is written; ``=`` before a word keeps its capitals."""

    value: Any
    words: tuple[str, ...]


@dataclass(frozen=True)
class EntityType:
    """One kind of entity. Found by patterns, by numbers with a unit, by listed values, or by a grammar of the code."""

    name: str
    family: str
    title: Mapping[str, str]
    examples: Mapping[str, tuple[str, ...]]
    languages: tuple[str, ...] = LANGUAGES
    is_a: str | None = None
    patterns: tuple[Pattern, ...] = ()
    units: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    values: tuple[Value, ...] = ()
    values_from: str | None = None
    fuzzy: bool = False
    pinyin: bool = False
    excluded: tuple[str, ...] = ()
    not_before: str | None = None
    not_after: str | None = None
    grammar: str | None = None
    normaliser: Any = None
    text: Any = None
    priority: int = 0


@dataclass(frozen=True)
class Catalogue:
    """All types, in the order of the files."""

    types: tuple[EntityType, ...]
    source: Mapping[str, Any] = field(default_factory=dict, compare=False)

    def find_type(self, name: str) -> EntityType | None:
        """The type of a name."""
        return next((kind for kind in self.types if kind.name == name), None)

    def dump(self) -> str:
        """What ``restore`` reads back, kept inside a trained model."""
        return json.dumps(self.source, ensure_ascii=False)


def load(folder: Path) -> Catalogue:
    """The catalogue of a folder; raises ``BadCatalogue`` with everything that must be corrected."""
    source: dict[str, Any] = {}
    problems: list[str] = []
    for path in sorted(folder.glob("*.yml")):
        try:
            source[path.name] = yaml.load(path.read_text(encoding="utf-8"), Loader=_Loader)  # noqa: S506 - a safe loader
        except (yaml.YAMLError, UnicodeDecodeError, OSError) as error:
            problems.append(f"{path.name}: not readable as YAML ({' '.join(str(error).split())})")
    if not source and not problems:
        problems.append(f"{folder} holds no entity files (*.yml).")
    if problems:
        raise BadCatalogue("\n".join(problems))
    return build(source)


def restore(dumped: str) -> Catalogue:
    """The catalogue that ``dump`` wrote."""
    return build(json.loads(dumped))


class _Loader(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):  # type: ignore[misc]
    """YAML without its habit of reading ``no``, ``on`` and ``off`` as truth values: they are words customers use."""


_Loader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if tag != "tag:yaml.org,2002:bool" or first in "tTfF"]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}


def build(source: Mapping[str, Any]) -> Catalogue:
    """The catalogue of parsed files by name; raises ``BadCatalogue``."""
    reader = _Reader()
    for name, content in source.items():
        reader.read_file(name, content)
    reader.check_references()
    if reader.problems:
        raise BadCatalogue("\n".join(reader.problems))
    return Catalogue(tuple(reader.types), source)


class _Reader:
    def __init__(self) -> None:
        self.types: list[EntityType] = []
        self.problems: list[str] = []
        self._files: dict[str, str] = {}

    def read_file(self, file: str, content: Any) -> None:
        if not isinstance(content, dict) or not isinstance(content.get("types"), list):
            self.problems.append(f"{file}: expected the keys family, title and types (a list).")
            return
        self._unknown(file, content, _FILE_KEYS)
        family = str(content.get("family") or "")
        if not _NAME.fullmatch(family):
            self.problems.append(f"{file}: family must be a short name in lower case, like parcels.")
        for place, entry in enumerate(content["types"], 1):
            if not isinstance(entry, dict) or not _NAME.fullmatch(str(entry.get("name", ""))):
                self.problems.append(f"{file}: entry {place} needs a name of lower-case letters, digits and _.")
                continue
            self._read_type(f"{file}: {entry['name']}", family, entry)
            if entry["name"] in self._files:
                self.problems.append(
                    f"{file}: {entry['name']} is also defined in {self._files[entry['name']]}; rename one."
                )
            self._files[entry["name"]] = file

    def _read_type(self, where: str, family: str, entry: dict[str, Any]) -> None:
        self._unknown(where, entry, _TYPE_KEYS)
        title, examples = entry.get("title"), entry.get("examples")
        languages = tuple(entry.get("languages") or LANGUAGES)
        if not set(languages) <= set(LANGUAGES):
            self.problems.append(f"{where}: languages may hold zh and en only.")
        if not isinstance(title, dict) or set(title) != set(LANGUAGES):
            self.problems.append(f"{where}: title needs one text for zh and one for en.")
        if not isinstance(examples, dict) or not set(languages) <= set(examples):
            self.problems.append(f"{where}: examples needs a list for each of {', '.join(languages)}.")
            examples = {}
        for key in ("fuzzy", "pinyin"):
            if not isinstance(entry.get(key, False), bool):
                self.problems.append(f"{where}: {key} must be true or false.")
        if not isinstance(entry.get("priority", 0), int):
            self.problems.append(f"{where}: priority must be a whole number.")
        for key in ("normaliser", "text"):
            self._check_normaliser(where, key, entry.get(key))
        for key in ("not_before", "not_after"):
            self._check_regex(where, key, entry.get(key))
        grammar = entry.get("grammar")
        if grammar is not None and grammar not in (*TIME_TYPES, *MONEY_TYPES):
            self.problems.append(f"{where}: grammar must be one of {', '.join((*TIME_TYPES, *MONEY_TYPES))}.")
        if not any(entry.get(key) for key in ("patterns", "units", "values", "values_from", "grammar")):
            self.problems.append(f"{where}: needs patterns, units, values or a grammar, else it can never be found.")
        self.types.append(
            EntityType(
                name=entry["name"],
                family=family,
                title=title if isinstance(title, dict) else {},
                examples={language: _words(examples.get(language)) for language in LANGUAGES},
                languages=languages,
                is_a=entry.get("is_a"),
                patterns=tuple(self._read_patterns(where, entry.get("patterns") or [])),
                units=self._read_units(where, entry.get("units") or {}),
                values=tuple(self._read_values(where, entry.get("values") or [])),
                values_from=entry.get("values_from"),
                fuzzy=bool(entry.get("fuzzy")),
                pinyin=bool(entry.get("pinyin")),
                excluded=_words(entry.get("except")),
                not_before=entry.get("not_before"),
                not_after=entry.get("not_after"),
                grammar=grammar,
                normaliser=entry.get("normaliser"),
                text=entry.get("text"),
                priority=entry.get("priority", 0) if isinstance(entry.get("priority", 0), int) else 0,
            )
        )

    def _read_patterns(self, where: str, patterns: Any) -> list[Pattern]:
        read = []
        for place, entry in enumerate(patterns if isinstance(patterns, list) else [None], 1):
            at = f"{where}: pattern {place}"
            entry = {"regex": entry} if isinstance(entry, str) else entry
            if not isinstance(entry, dict) or not isinstance(entry.get("regex"), str):
                self.problems.append(f"{at} needs a regex.")
                continue
            self._unknown(at, entry, _PATTERN_KEYS)
            regex = expand(entry["regex"])
            self._check_regex(at, "regex", regex)
            if entry.get("checksum") is not None and entry["checksum"] not in CHECKSUMS:
                self.problems.append(
                    f"{at}: unknown checksum {entry['checksum']}; there are {', '.join(sorted(CHECKSUMS))}."
                )
            self._check_normaliser(at, "normaliser", entry.get("normaliser"))
            if entry.get("script") not in (None, "latin", "han"):
                self.problems.append(f"{at}: script must be latin (no Chinese character in the message) or han.")
            if not isinstance(entry.get("within", 12), int):
                self.problems.append(f"{at}: within must be a number of characters.")
            read.append(
                Pattern(
                    **{**entry, "regex": regex, "near": _words(entry.get("near")), "after": _words(entry.get("after"))}
                )
                if set(entry) <= _PATTERN_KEYS
                else Pattern(regex)
            )
        return read

    def _read_units(self, where: str, units: Any) -> dict[str, tuple[str, ...]]:
        if not isinstance(units, dict):
            self.problems.append(f"{where}: units must map each unit to the words for it.")
            return {}
        return {str(unit): _words(words) for unit, words in units.items()}

    def _read_values(self, where: str, values: Any) -> list[Value]:
        read = []
        for place, entry in enumerate(values if isinstance(values, list) else [None], 1):
            if not isinstance(entry, dict) or "value" not in entry or not set(entry) <= _VALUE_KEYS or len(entry) < 2:
                self.problems.append(f"{where}: value {place} needs value and lists of words under zh, en or both.")
                continue
            words = tuple(word for language in LANGUAGES for word in _words(entry.get(language)))
            if any(not word.strip("= ") for word in words):
                self.problems.append(f"{where}: value {entry['value']} has an empty word.")
            read.append(Value(entry["value"], words))
        return read

    def check_references(self) -> None:
        names = {kind.name for kind in self.types}
        for kind in self.types:
            if kind.is_a is not None and kind.is_a not in names:
                self.problems.append(f"{self._files[kind.name]}: {kind.name}: is_a names the unknown type {kind.is_a}.")

    def _check_normaliser(self, where: str, key: str, value: Any) -> None:
        name = next(iter(value)) if isinstance(value, dict) and value else value
        if name is not None and name not in NORMALISERS:
            self.problems.append(f"{where}: unknown {key} {name}; there are {', '.join(sorted(NORMALISERS))}.")

    def _check_regex(self, where: str, key: str, value: Any) -> None:
        if value is None:
            return
        try:
            re.compile(str(value))
        except re.error as error:
            self.problems.append(f"{where}: {key} is not a regular expression ({error}).")

    def _unknown(self, where: str, entry: dict[str, Any], known: set[str]) -> None:
        for key in sorted(set(map(str, entry)) - known):
            self.problems.append(f"{where}: unknown key {key}; there are {', '.join(sorted(known))}.")


def expand(regex: str) -> str:
    """A pattern's regex with ``{number}`` written out and without the line breaks and leading spaces that only order it."""
    return re.sub(r"\s*\n\s*", "", regex).replace("{number}", NUMBER)


def _words(words: Any) -> tuple[str, ...]:
    """A list of words, or one string of words separated by ``|``."""
    if words is None:
        return ()
    if isinstance(words, str):
        words = words.split("|")
    return tuple(str(word).strip() for word in words)
