"""Folding of what people type, so that full-width, traditional and oddly spaced text is understood alike.

Folding keeps the length of the text: a position in the folded text is the same position in the original.
"""

from __future__ import annotations

import unicodedata
from functools import lru_cache
from pathlib import Path

#: Looks like a slash but is not the one that Rasa reads as a command.
DIVISION_SLASH = "\u2215"

_INVISIBLE = {0x200B, 0x200C, 0x200D, 0x200E, 0x200F, 0x2060, 0xFEFF, 0x00AD}


@lru_cache(maxsize=1)
def _traditional_to_simplified() -> dict[int, str]:
    import opencc  # type: ignore[import-not-found]

    table: dict[int, str] = {}
    characters = Path(opencc.__file__).parent / "dictionary" / "TSCharacters.txt"
    for line in characters.read_text(encoding="utf-8").splitlines():
        traditional, _, simplified = line.partition("\t")
        first = simplified.split(" ")[0] if simplified else ""
        if len(traditional) == 1 and len(first) == 1:
            table[ord(traditional)] = first
    return table


@lru_cache(maxsize=16_384)
def _fold_character(character: str) -> str:
    if ord(character) in _INVISIBLE or character.isspace():
        return " "
    composed = unicodedata.normalize("NFKC", character)
    if len(composed) != 1:
        composed = character
    return _traditional_to_simplified().get(ord(composed), composed)


def fold(text: str) -> str:
    """The text with half-width forms, simplified characters and plain spaces, of exactly the same length."""
    return "".join(map(_fold_character, text))


def fold_case(text: str) -> str:
    """As ``fold`` and in lower case, with runs of spaces collapsed; positions are not kept."""
    return " ".join(fold(text).lower().split())


def is_cjk(character: str) -> bool:
    """Whether the character is a Han ideograph."""
    return (
        "\u3400" <= character <= "\u9fff"
        or "\uf900" <= character <= "\ufaff"
        or "\U00020000" <= character <= "\U0003ffff"
    )


def neutralise(text: str) -> str:
    """The text made harmless for Rasa: a leading slash, after any white or invisible space, is replaced."""
    stripped = text.strip()
    while stripped and (ord(stripped[0]) in _INVISIBLE or stripped[0].isspace() or not stripped[0].isprintable()):
        stripped = stripped[1:]
    if stripped[:1] in {"/", "\uff0f"}:
        return DIVISION_SLASH + stripped[1:]
    return stripped
