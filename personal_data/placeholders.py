"""Whole placeholders for what leaves the machine, and the way back, which lives no longer than one call."""

from __future__ import annotations

import re
from collections.abc import Collection

from personal_data.finding import find
from personal_data.kinds import EVERY_KIND, Kind
from personal_data.masks import Find

_WORDS = {
    Kind.ID_CARD: "ID", Kind.BANK_CARD: "CARD", Kind.PHONE: "PHONE", Kind.EMAIL: "EMAIL", Kind.ADDRESS: "ADDRESS",
    Kind.PASSPORT: "PASSPORT", Kind.PLATE: "PLATE", Kind.IP: "IP", Kind.NAME: "NAME",
}  # fmt: skip
_PLACEHOLDER = re.compile(rf"\[(?:{'|'.join(_WORDS.values())})_[A-Z]{{1,2}}\]")


class Placeholders:
    """Takes personal data out of the texts of one call to a machine elsewhere, and puts it back into its answer.

    The same value has the same placeholder in every text of the call. A placeholder has letters for numbers, so that
    whoever compares figures of question and answer finds none in it.
    """

    def __init__(self, kinds: Collection[Kind] = EVERY_KIND, finder: Find = find) -> None:
        self._kinds = frozenset(kinds)
        self._find = finder
        self._values: dict[str, str] = {}
        self._names: dict[tuple[Kind, str], str] = {}

    @property
    def used(self) -> int:
        """How many values were taken out."""
        return len(self._values)

    def hide(self, text: str, language: str = "", names: Collection[str] = ()) -> str:
        """The text as it may leave the machine."""
        # What was written like one of ours must not be taken for it on the way back.
        text = _PLACEHOLDER.sub(lambda found: found[0].lower(), text)
        written: list[str] = []
        behind = 0
        for span in self._find(text, language, names):
            if span.kind in self._kinds:
                written += [text[behind : span.start], self._of(span.kind, text[span.start : span.end])]
                behind = span.end
        return "".join([*written, text[behind:]])

    def restore(self, text: str) -> str:
        """The answer with the values back in; a placeholder that was not given out stays as it is."""
        return _PLACEHOLDER.sub(lambda found: self._values.get(found[0], found[0]), text)

    def _of(self, kind: Kind, value: str) -> str:
        known = self._names.get((kind, value))
        if known is None:
            place = sum(1 for one, _ in self._names if one is kind)
            letters = (chr(64 + place // 26) if place >= 26 else "") + chr(65 + place % 26)
            known = self._names[kind, value] = f"[{_WORDS[kind]}_{letters}]"
            self._values[known] = value
        return known
