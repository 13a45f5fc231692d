"""Looks through ``nlu_data/``: every example, what must never become one, and what an example may name.

Files are read again when they have changed, so what is edited by hand is seen at the next look.
"""

from __future__ import annotations

import threading
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, TypeVar

import yaml

from learning.annotations import key_of, plain
from learning.changes import LANGUAGES, OUT_OF_SCOPE, Example, MadeIntent
from learning.example_files import BadFile, ExampleFile
from learning.intent_file import FILE as INTENTS
from learning.intent_file import IntentFile

GATE = "gate"
#: Lines that only measure; an example that equals one would make the figures better than the bot.
MEASURING = ("test", "near", "families")
#: Decided by the gate, without examples.
_WITHOUT_EXAMPLES = {"clarify"}
_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
Kept = TypeVar("Kept")


@dataclass(frozen=True, slots=True)
class Entry:
    """An example and where it stands; ``key`` is what equal examples share, ``plain`` the words without annotations."""

    example: Example
    file: str
    key: str
    plain: str


@dataclass(frozen=True, slots=True)
class Held:
    """A line that measures: its file, and the language it measures, or None for both."""

    file: str
    language: str | None


@dataclass(frozen=True, eq=False)
class Shelf:
    """All of it at one moment."""

    entries: tuple[Entry, ...]
    problems: tuple[BadFile, ...]
    intents: tuple[str, ...]
    held: Mapping[str, tuple[Held, ...]]
    entity_types: Mapping[str, Mapping[str, str]]
    product_names: frozenset[str]
    files: Mapping[str, ExampleFile] = field(repr=False)
    made: Mapping[str, MadeIntent] = field(default_factory=dict)  #: the intents that trainers have made

    @cached_property
    def by_key(self) -> Mapping[str, list[Entry]]:
        """The entries that differ in nothing but case, spaces, punctuation and annotations."""
        found: dict[str, list[Entry]] = defaultdict(list)
        for entry in self.entries:
            found[entry.key].append(entry)
        return found

    @cached_property
    def counts(self) -> Mapping[tuple[str, str], int]:
        """Number of examples by intent and language."""
        found: dict[tuple[str, str], int] = defaultdict(int)
        for entry in self.entries:
            found[entry.example.intent, entry.example.language] += 1
        return found

    def held_as(self, key: str, language: str) -> str | None:
        """The file that measures a language with this line."""
        return next((one.file for one in self.held.get(key, ()) if one.language in (None, language)), None)


@dataclass(frozen=True, slots=True)
class _Read:
    """A file with its entries, which are worked out once for each time it is saved."""

    file: ExampleFile
    entries: tuple[Entry, ...]


class ExampleFolder:
    """The folder of one desk; ``domain`` is the bot's domain, whose intents may have examples. Safe in threads."""

    def __init__(self, root: Path, domain: Path | None = None) -> None:
        self.root = root
        self._domain = domain
        self._known: dict[Path, tuple[tuple[int, int, int], Any]] = {}
        self._shelf: Shelf | None = None
        self._looking = threading.Lock()

    def look(self) -> Shelf:
        """What the files hold now; the same object as before when nothing has changed."""
        with self._looking:
            before, self._known = self._known, {}
            files: dict[str, _Read] = {}
            problems: list[BadFile] = []
            for path in self._example_paths():
                name = self.name_of(path)
                try:
                    files[name] = self._once(before, path, lambda one: _read(self.name_of(one), one.read_bytes()))
                except BadFile as problem:
                    problems.append(problem)
            made = self._made_intents(before, problems)
            held = {path: self._lenient(before, path, _measuring_lines) for path in self._measuring_paths()}
            types = [self._lenient(before, one, _types_of) for one in sorted((self.root / "entities").glob("*.yml"))]
            names = self._lenient(before, self.root / "lookups" / "products.yml", _names_of) or []
            domain = (self._lenient(before, self._domain, _intents_of) or []) if self._domain else []
            unchanged = self._known.keys() == before.keys() and all(
                before[path][0] == stamp for path, (stamp, _) in self._known.items()
            )
            if unchanged and self._shelf is not None and len(problems) == len(self._shelf.problems):
                return self._shelf
            self._shelf = self._shelf_of(files, problems, held, types, names, domain, made)
            return self._shelf

    def name_of(self, path: Path) -> str:
        """A file's name below the folder, like ``en/greet.yml``."""
        return path.relative_to(self.root).as_posix()

    def _example_paths(self) -> Iterator[Path]:
        for part in (*LANGUAGES, GATE):
            yield from sorted((self.root / part).glob("*.yml"))

    def _measuring_paths(self) -> Iterator[Path]:
        for part in MEASURING:
            yield from sorted((self.root / part).glob("*.yml"))

    def _made_intents(
        self, before: Mapping[Path, tuple[tuple[int, int, int], Any]], problems: list[BadFile]
    ) -> list[MadeIntent]:
        path = self.root / INTENTS
        if not path.exists():
            return []
        try:
            return self._once(before, path, lambda one: list(IntentFile(one.read_bytes()).intents()))
        except BadFile as problem:
            problems.append(problem)
            return []

    def _once(
        self, before: Mapping[Path, tuple[tuple[int, int, int], Any]], path: Path, read: Callable[[Path], Kept]
    ) -> Kept:
        """What a file holds, read only if it has changed; a problem is remembered as well."""
        try:
            status = path.stat()
        except OSError as error:
            raise BadFile(path.name, 1, f"cannot be read ({error.strerror})") from None
        stamp = (status.st_mtime_ns, status.st_size, status.st_ino)
        known = before.get(path)
        if known is not None and known[0] == stamp:
            found = known[1]
        else:
            try:
                found = read(path)
            except BadFile as problem:
                found = problem
            except OSError as error:
                raise BadFile(path.name, 1, f"cannot be read ({error.strerror})") from None
        self._known[path] = (stamp, found)
        if isinstance(found, BadFile):
            raise found
        return found  # type: ignore[no-any-return]

    def _lenient(
        self, before: Mapping[Path, tuple[tuple[int, int, int], Any]], path: Path, read: Callable[[Any], list[Any]]
    ) -> list[Any]:
        """What a file beside the examples holds; training says what is wrong with it."""

        def loaded(one: Path) -> list[Any]:
            try:
                return read(yaml.load(one.read_text(encoding="utf-8"), Loader=_LOADER))  # noqa: S506  # a safe loader
            except (yaml.YAMLError, UnicodeDecodeError, AttributeError, TypeError, KeyError):
                return []

        try:
            return self._once(before, path, loaded)
        except BadFile:
            return []

    def _shelf_of(
        self,
        files: Mapping[str, _Read],
        problems: list[BadFile],
        held: Mapping[Path, list[str]],
        types: list[list[Any]],
        names: list[Any],
        domain: list[str],
        made: list[MadeIntent],
    ) -> Shelf:
        entries = tuple(entry for one in files.values() for entry in one.entries)
        lines: dict[str, list[Held]] = defaultdict(list)
        for path, texts in held.items():
            name = self.name_of(path)
            language = None if name.startswith("near/") else language_of(name)
            for key in texts:
                lines[key].append(Held(name, language))
        seen = {entry.example.intent for entry in entries}
        intents = sorted((set(domain) | seen | {one.name for one in made}) - _WITHOUT_EXAMPLES - {OUT_OF_SCOPE})
        return Shelf(
            entries,
            tuple(problems),
            (*intents, OUT_OF_SCOPE),
            {key: tuple(found) for key, found in lines.items()},
            {name: title for listed in types for name, title in listed},
            frozenset(names),
            {name: one.file for name, one in files.items()},
            {one.name: one for one in made},
        )


def _read(name: str, content: bytes) -> _Read:
    file, language = ExampleFile(name, content), language_of(name)
    return _Read(
        file,
        tuple(
            Entry(Example(language, intent, text), name, key_of(text), plain(text)) for intent, text in file.examples()
        ),
    )


def language_of(name: str) -> str:
    """The language of a file: its folder, or what the file's own name ends in, as ``gate/near_zh.yml``."""
    folder, _, file = name.partition("/")
    if folder in LANGUAGES:
        return folder
    ending = file.removesuffix(".yml").replace(".", "_").rpartition("_")[2]
    return ending if ending in LANGUAGES else "en"


def _measuring_lines(content: Any) -> list[str]:
    """The keys of the lines of a file of ``test/``, ``near/`` or ``families/``, whatever its form."""
    return [key_of(text) for text in _measuring_texts(content)]


def _measuring_texts(content: Any) -> list[str]:
    if isinstance(content, list):
        return [str(entry["text"]) for entry in content if isinstance(entry, dict) and "text" in entry]
    found: list[str] = []
    for block in content.get("nlu") or []:
        if isinstance(block, dict):
            lines = str(block.get("examples") or "").splitlines()
            found += [text for line in lines if (text := line.strip().removeprefix("-").strip())]
    for part in content.values():
        if isinstance(part, list):
            found += [str(one["text"]) for one in part if isinstance(one, dict) and "text" in one]
    return found


def _types_of(content: Any) -> list[Any]:
    return [
        (str(one["name"]), {language: str(one.get("title", {}).get(language, one["name"])) for language in LANGUAGES})
        for one in content["types"]
    ]


def _names_of(content: Any) -> list[Any]:
    return [str(block["synonym"]) for block in content["nlu"] if "synonym" in block]


def _intents_of(content: Any) -> list[Any]:
    return [str(one) if not isinstance(one, dict) else str(next(iter(one))) for one in content["intents"]]
