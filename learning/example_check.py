"""Looks after the quality of the examples: what is there twice, what contradicts, what is too little, what measures.

What needs the encoder is worked out in a thread in the background when somebody looks, and again after changes.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from statistics import median
from typing import Any

import structlog

from learning.changes import LANGUAGES, OUT_OF_SCOPE, Example
from learning.example_folder import Entry, Shelf
from learning.intent_file import FEWEST as FEWEST_OF_MADE
from learning.likeness import Likeness, VectorShelf

#: Training refuses an intent with fewer; the bot's own check has the same number.
FEWEST = 12
#: Below this an intent is worth more examples.
ENOUGH = 30
#: One language has so many times the examples of the other, or an intent of the middle one.
LOPSIDED, DOMINANT = 2.0, 4.0
#: Cosines from which two examples of one intent say the same, and two of different intents contradict each other.
NEAR, CONFLICT = 0.95, 0.85
#: How sure the estimate must be that an example is taken for another intent.
MISTAKEN = 0.3
KINDS = ("duplicate", "conflict", "near", "mistaken", "bot", "crossed", "held_out")
log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Note:
    """What is to be looked at in an example. ``score`` says how strongly, ``other`` is the example it is about."""

    kind: str
    score: float = 1.0
    other: Example | None = None
    intent: str | None = None  #: what it is taken for
    file: str | None = None  #: the file it measures


@dataclass(frozen=True, slots=True)
class IntentWarning:
    """What is to be looked at in an intent: few, too_few, lopsided or dominant."""

    kind: str
    language: str | None
    count: int


@dataclass
class Findings:
    """The notes of every example that has any, and the warnings of every intent."""

    notes: Mapping[Example, tuple[Note, ...]] = field(default_factory=dict)
    warnings: Mapping[str, tuple[IntentWarning, ...]] = field(default_factory=dict)


class ExampleCheck:
    """The findings of one process. ``vectors`` is None for a desk without an encoder."""

    def __init__(self, vectors: Callable[[], VectorShelf] | None) -> None:
        self._open_vectors = vectors
        self._vectors: VectorShelf | None = None
        self._likeness = {language: Likeness() for language in LANGUAGES}
        self._compared: tuple[Shelf, Mapping[Example, tuple[Note, ...]]] | None = None
        self._checked: tuple[Shelf, object, object, Findings] | None = None
        self._task: asyncio.Task[None] | None = None
        self._wanted: Shelf | None = None
        #: What is being done, how far, and how much there is: encoding, comparing, or nothing.
        self.progress: tuple[str, int, int] = ("", 0, 0)
        self.failed = ""

    async def findings(self, shelf: Shelf, bot: Mapping[Example, tuple[Note, ...]]) -> Findings:
        """What is known at this moment; the comparison of a changed shelf begins by itself. ``bot`` is what it takes for what."""
        self._begin(shelf)
        compared, checked = self._compared, self._checked
        if checked is None or checked[0] is not shelf or checked[1] is not compared or checked[2] is not bot:
            found = await asyncio.to_thread(_all_of, shelf, compared[1] if compared else {}, bot)
            self._checked = checked = (shelf, compared, bot, found)
        return checked[3]

    def done(self, shelf: Shelf) -> bool:
        """Whether the comparison of exactly this shelf is finished."""
        return self._open_vectors is None or (self._compared is not None and self._compared[0] is shelf)

    async def close(self) -> None:
        """Stop working in the background; what a thread has begun it finishes."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    def _begin(self, shelf: Shelf) -> None:
        if self._open_vectors is None or self.done(shelf):
            return
        self._wanted = shelf
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._work(), name="compare examples")

    async def _work(self) -> None:
        while self._wanted is not None:
            shelf, self._wanted = self._wanted, None
            try:
                self._compared = (shelf, await asyncio.to_thread(self._compare, shelf))
                self.failed = ""
            except Exception as error:
                log.error("examples_not_compared", exc_info=error)
                self.failed = str(error) or type(error).__name__
                return
            finally:
                self.progress = ("", 0, 0)

    def _compare(self, shelf: Shelf) -> Mapping[Example, tuple[Note, ...]]:
        if self._vectors is None:
            assert self._open_vectors is not None
            self.progress = ("encoding", 0, len(shelf.entries))
            self._vectors = self._open_vectors()
        notes: dict[Example, list[Note]] = defaultdict(list)
        read: list[str] = []
        for language in LANGUAGES:
            entries = _compared_entries(shelf, language)
            texts = [one.plain for one in entries]
            vectors = self._vectors.vectors(texts, lambda done, total: self._tell("encoding", done, total))
            read += texts
            likeness = self._likeness[language]
            names = [(one.example.intent, one.example.text) for one in entries]
            likeness.update(names, vectors, lambda done, total: self._tell("comparing", done, total))
            for place, entry in enumerate(entries):
                _note(notes[entry.example], likeness, place, entries)
        self._vectors.keep(read)
        return {example: tuple(found) for example, found in notes.items() if found}

    def _tell(self, what: str, done: int, total: int) -> None:
        self.progress = (what, done, total)


def _compared_entries(shelf: Shelf, language: str) -> list[Entry]:
    """The entries of a language, each once; lines for the gate are near on purpose."""
    found: dict[tuple[str, str], Entry] = {}
    for entry in shelf.entries:
        if entry.example.language == language and entry.example.intent != OUT_OF_SCOPE:
            found.setdefault((entry.example.intent, entry.key), entry)
    return list(found.values())


def _note(notes: list[Note], likeness: Likeness, place: int, entries: list[Entry]) -> None:
    near = likeness.nearest(place, same_intent=True)
    if near is not None and near.likeness >= NEAR:
        notes.append(Note("near", near.likeness, entries[near.place].example))
    other = likeness.nearest(place, same_intent=False)
    if other is not None and other.likeness >= CONFLICT and entries[other.place].key != entries[place].key:
        notes.append(Note("conflict", other.likeness, entries[other.place].example))
    mistaken = likeness.mistaken[place]
    if mistaken is not None and mistaken[1] >= MISTAKEN:
        notes.append(Note("mistaken", mistaken[1], None, mistaken[0]))


def _all_of(
    shelf: Shelf, compared: Mapping[Example, tuple[Note, ...]], bot: Mapping[Example, tuple[Note, ...]]
) -> Findings:
    notes: dict[Example, list[Note]] = defaultdict(list)
    for key, entries in shelf.by_key.items():
        if len(entries) > 1:
            for entry in entries:
                _note_equal(notes[entry.example], entry, entries)
        if key in shelf.held:
            for entry in entries:
                file = shelf.held_as(key, entry.example.language)
                if file is not None:
                    notes[entry.example].append(Note("held_out", 1.0, None, None, file))
    for known in (compared, bot):
        for example, listed in known.items():
            notes[example] += listed
    present = {entry.example for entry in shelf.entries}
    return Findings(
        {example: tuple(found) for example, found in notes.items() if found and example in present},
        {intent: found for intent in shelf.intents if (found := _warnings_of(shelf, intent))},
    )


def _note_equal(notes: list[Note], entry: Entry, entries: list[Entry]) -> None:
    """Equal words: twice in one intent, or in two; only the two languages may share them."""
    own = entry.example
    for other in entries:
        if other is entry:
            continue
        apart = other.example.intent != own.intent
        if apart and (other.example.language == own.language or OUT_OF_SCOPE in (own.intent, other.example.intent)):
            notes.append(Note("conflict", 1.0, other.example))
            return
    for other in entries:
        if other is not entry and (other.example.language, other.example.intent) == (own.language, own.intent):
            notes.append(Note("duplicate", 1.0, other.example))
            return


def _warnings_of(shelf: Shelf, intent: str) -> tuple[IntentWarning, ...]:
    counts = {language: shelf.counts.get((intent, language), 0) for language in LANGUAGES}
    found = []
    # One that a trainer made is trained as soon as one language has a few; the other one is understood through it.
    suffices = intent in shelf.made and max(counts.values()) >= FEWEST_OF_MADE
    for language, count in counts.items():
        if intent != OUT_OF_SCOPE and count < ENOUGH:
            found.append(IntentWarning("too_few" if count < FEWEST and not suffices else "few", language, count))
        middle = median([shelf.counts.get((one, language), 0) for one in shelf.intents if one != OUT_OF_SCOPE] or [0])
        if intent != OUT_OF_SCOPE and count > DOMINANT * max(middle, 1):
            found.append(IntentWarning("dominant", language, count))
    few, many = sorted(counts, key=lambda language: counts[language])
    if counts[many] >= FEWEST and counts[many] > LOPSIDED * counts[few]:
        found.append(IntentWarning("lopsided", few, counts[few]))
    return tuple(found)


def note_json(note: Note) -> dict[str, Any]:
    """A note as the console shows it."""
    form: dict[str, Any] = {"kind": note.kind, "score": round(note.score, 3)}
    if note.other is not None:
        form |= {"language": note.other.language, "intent": note.other.intent, "text": note.other.text}
    if note.intent is not None:
        form["intent"] = note.intent
    if note.file is not None:
        form["file"] = note.file
    return form
