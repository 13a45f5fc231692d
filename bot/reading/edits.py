"""A reading of a message: other words for some places, each of which still points to where it stood in the message."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from bot.text import fold


@dataclass(frozen=True)
class Edit:
    """The characters from ``start`` up to ``end`` read as ``text``."""

    start: int
    end: int
    text: str


@dataclass(frozen=True)
class Reading:
    """The text to understand; ``places`` has for each of its characters where it comes from, None while nothing moved."""

    text: str
    places: tuple[tuple[int, int], ...] | None = None

    @classmethod
    def of(cls, message: str) -> Reading:
        """The message folded, character by character, before any edit."""
        return cls(fold(message))

    def edited(self, edits: Iterable[Edit]) -> Reading:
        """A reading with the edits made; where two overlap the earlier one counts."""
        places = self.places or tuple((i, i + 1) for i in range(len(self.text)))
        text: list[str] = []
        kept: list[tuple[int, int]] = []
        position = 0
        for edit in sorted(edits, key=lambda edit: (edit.start, -edit.end)):
            if edit.start < position or self.text[edit.start : edit.end] == edit.text:
                continue
            text.append(self.text[position : edit.start])
            kept += places[position : edit.start]
            text.append(edit.text)
            if edit.end - edit.start == len(edit.text):
                kept += places[edit.start : edit.end]
            elif edit.end > edit.start:
                kept += [(places[edit.start][0], places[edit.end - 1][1])] * len(edit.text)
            else:
                kept += [(self._place(places, edit.start),) * 2] * len(edit.text)
            position = edit.end
        if not text:
            return self
        text.append(self.text[position:])
        kept += places[position:]
        return Reading("".join(text), tuple(kept))

    @staticmethod
    def _place(places: tuple[tuple[int, int], ...], index: int) -> int:
        if index < len(places):
            return places[index][0]
        return places[-1][1] if places else 0

    def place_of(self, start: int, end: int) -> tuple[int, int]:
        """Where in the message the characters from ``start`` up to ``end`` of the reading were written."""
        if self.places is None or not self.places:
            return start, end
        chosen = self.places[start:end]
        if not chosen:
            at = self._place(self.places, start)
            return at, at
        return min(place[0] for place in chosen), max(place[1] for place in chosen)
