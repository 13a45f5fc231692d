"""What a page about the examples shows: intents with what is to be looked at, one list to search, and what is not trained yet."""

from __future__ import annotations

import asyncio
import json
import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from conversations.dialogue import Dialogue
from conversations.store import Database
from conversations.turn_model import Thresholds
from knowledge_base.encoder import UseEncoder
from learning.annotations import annotations_of
from learning.bot_check import BotCheck
from learning.changes import LANGUAGES, OUT_OF_SCOPE, Example
from learning.cross_notes import CrossNotes
from learning.example_book import ExampleBook
from learning.example_check import KINDS, ExampleCheck, Findings, Note, note_json
from learning.example_folder import Entry, ExampleFolder, Shelf
from learning.intent_file import FEWEST
from learning.likeness import VectorShelf

#: Names every intent, also those without examples.
_DOMAIN = Path(__file__).resolve().parent.parent / "bot" / "domain.yml"
_MODEL_NAME = re.compile(r"frontdesk-(\d{8}-\d{6})\.tar\.gz")


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which examples to list: of an intent, of a language, with words in them, with a kind of note."""

    intent: str | None = None
    language: str | None = None
    words: str = ""
    kind: str | None = None
    offset: int = 0
    limit: int = 100


class ExampleDesk:
    """The book, what was found out about it, and the bot that can be asked."""

    def __init__(self, book: ExampleBook, check: ExampleCheck, bot: BotCheck, models: Path) -> None:
        self.book = book
        self.check = check
        self.bot = bot
        self._models = models
        self.cross: CrossNotes | None = None  #: what the last cross-validation found
        self._folded: tuple[Shelf, list[str]] | None = None

    @classmethod
    async def open(
        cls,
        database: Database,
        folder: Path,
        data_dir: Path,
        dialogue: Dialogue,
        thresholds: Mapping[str, Thresholds],
    ) -> ExampleDesk:
        """The desk of one process; an edit that a dead one left is finished first."""
        book = ExampleBook(database, ExampleFolder(folder, _DOMAIN))
        await book.start()
        vectors = data_dir / "examples" / f"{UseEncoder.name}.npz"
        check = ExampleCheck(lambda: VectorShelf(UseEncoder().passages, vectors))
        return cls(book, check, BotCheck(dialogue, thresholds), data_dir / "models")

    async def close(self) -> None:
        """Stop what runs in the background."""
        await self.bot.stop()
        await self.check.close()

    async def overview(self) -> dict[str, Any]:
        """Every intent with its numbers, and how far the looking through has come."""
        shelf = await self.book.shelf()
        findings = await self.check.findings(shelf, await self._notes(shelf))
        noted: dict[str, Counter[str]] = {intent: Counter() for intent in shelf.intents}
        for example, notes in findings.notes.items():
            noted[example.intent].update({note.kind for note in notes})
        what, done, total = self.check.progress
        trained_at = self.trained_at()
        return {
            "intents": [
                {
                    "name": name,
                    "counts": {language: shelf.counts.get((name, language), 0) for language in LANGUAGES},
                    "trained": name != OUT_OF_SCOPE,
                    "made": asdict(shelf.made[name]) if name in shelf.made else None,
                    "notes": dict(noted[name]),
                    "warnings": [
                        {"kind": one.kind, "language": one.language, "count": one.count}
                        for one in findings.warnings.get(name, ())
                    ],
                }
                for name in shelf.intents
            ],
            "total": len(shelf.entries),
            "fewest": FEWEST,
            "notes": {kind: sum(counter[kind] for counter in noted.values()) for kind in KINDS},
            "problems": [{"file": one.file, "line": one.line, "reason": one.reason} for one in shelf.problems],
            "checked": self.check.done(shelf),
            "progress": {"what": what, "done": done, "total": total, "failed": self.check.failed},
            "bot": {
                "running": self.bot.running,
                "done": self.bot.progress[0],
                "total": self.bot.progress[1],
                "asked": self.bot.asked,
                "failed": self.bot.failed,
            },
            "entity_types": [{"name": name, "title": title} for name, title in sorted(shelf.entity_types.items())],
            "product_names": sorted(shelf.product_names),
            "trained_at": trained_at.isoformat() if trained_at else None,
            "untrained": await self.book.count_since(trained_at) if trained_at else None,
        }

    async def listing(self, wanted: Wanted) -> dict[str, Any]:
        """A page of examples; with a kind of note, the strongest first."""
        shelf = await self.book.shelf()
        findings = await self.check.findings(shelf, await self._notes(shelf))
        return await asyncio.to_thread(self._listed, shelf, findings, wanted)

    async def entries(self, wanted: Wanted) -> list[Entry]:
        """Every example that is wanted, without pages."""
        return await asyncio.to_thread(self._found, await self.book.shelf(), wanted)

    async def _notes(self, shelf: Shelf) -> Mapping[Example, tuple[Note, ...]]:
        return self.bot.notes if self.cross is None else await self.cross.beside(self.bot.notes, shelf)

    def trained_at(self) -> datetime | None:
        """When the training of the newest model began, if its folder is on this machine."""
        try:
            name = str(json.loads((self._models / "fingerprint.json").read_text())["model"])
        except (OSError, ValueError, KeyError, TypeError):
            return None
        found = _MODEL_NAME.fullmatch(name)
        # The bot names its models by the clock of the machine that trained them.
        return datetime.strptime(found[1], "%Y%m%d-%H%M%S").astimezone() if found else None

    def _listed(self, shelf: Shelf, findings: Findings, wanted: Wanted) -> dict[str, Any]:
        found = self._found(shelf, wanted)
        if wanted.kind is not None:
            strength = {
                example: max((note.score for note in notes if note.kind == wanted.kind), default=-1.0)
                for example, notes in findings.notes.items()
            }
            found = [one for one in found if strength.get(one.example, -1.0) >= 0]
            found.sort(key=lambda one: -strength[one.example])
        page = found[wanted.offset : wanted.offset + wanted.limit]
        return {
            "total": len(found),
            "examples": [
                {
                    "language": one.example.language,
                    "intent": one.example.intent,
                    "text": one.example.text,
                    "plain": one.plain,
                    "entities": [
                        {"start": mark.start, "end": mark.end, "entity": mark.entity, "value": mark.value}
                        for mark in annotations_of(one.example.text)
                    ],
                    "notes": [note_json(note) for note in findings.notes.get(one.example, ())],
                }
                for one in page
            ],
        }

    def _found(self, shelf: Shelf, wanted: Wanted) -> list[Entry]:
        words = wanted.words.casefold().split()
        if self._folded is None or self._folded[0] is not shelf:
            self._folded = (shelf, [one.plain.casefold() for one in shelf.entries])
        return [
            entry
            for entry, folded in zip(shelf.entries, self._folded[1], strict=True)
            if wanted.intent in (None, entry.example.intent)
            and wanted.language in (None, entry.example.language)
            and all(word in folded for word in words)
        ]
