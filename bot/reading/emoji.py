"""Emoji read as words: an object stands for its name, a message of nothing else for what the sign says."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path

import yaml

from bot.reading.edits import Edit
from bot.text import is_cjk

_WORDS = Path(__file__).with_name("emoji.yml")
#: Skin tones, presentation marks, joiners, flags' tags and keycaps: they colour an emoji and say nothing themselves.
_MARKS = "\ufe0e\ufe0f\u200d\u20e3\U0001f3fb-\U0001f3ff\u2640\u2642"
_EMOJI = re.compile(
    rf"(?:[\U0001f1e6-\U0001f1ff\U0001f300-\U0001f3fa\U0001f400-\U0001faff\u2600-\u263f\u2641\u2643-\u27bf"
    rf"\u231a\u231b\u23e9-\u23f3\u23f8-\u23fa\u2b05-\u2b07\u2b1b\u2b1c\u2b50\u2b55\u2190-\u21ff\u203c\u2049\u3030\u303d]"
    rf"[{_MARKS}]*)|[{_MARKS}]+"
)


@lru_cache(maxsize=1)
def _tables() -> dict[str, dict[str, dict[str, str]]]:
    held = yaml.safe_load(_WORDS.read_text(encoding="utf-8"))
    return {part: {sign: words for signs, words in rows.items() for sign in signs} for part, rows in held.items()}


def read_emoji(text: str, language: str) -> Iterator[Edit]:
    """Edits for the emoji of a text that speaks ``language``; what a beside-standing emoji only feels is dropped."""
    found = list(_EMOJI.finditer(text)) if not text.isascii() else []
    if not found:
        return
    tables = _tables()
    alone, words = tables["alone"], tables["word"]
    rest = text
    for match in reversed(found):
        rest = rest[: match.start()] + " " + rest[match.end() :]
    if not any(character.isalnum() for character in rest):
        meant = next((alone[match.group()[0]] for match in found if match.group()[0] in alone), None)
        if meant is not None:
            yield Edit(0, len(text), meant[language])
        return
    for match in found:
        sign = match.group()[0]
        named = words.get(sign) or (tables["first"].get(sign) if not text[: match.start()].strip() else None)
        said = named[language] if named else ""
        if said:
            before, after = text[: match.start()][-1:], text[match.end() :][:1]
            if language == "en":
                said = (
                    ("" if not before or before.isspace() else " ")
                    + said
                    + ("" if not after or after.isspace() else " ")
                )
            yield Edit(match.start(), match.end(), said)
        else:
            # A gap stays a gap, but two Chinese characters are not torn apart.
            joins = is_cjk(text[: match.start()][-1:] or " ") and is_cjk(text[match.end() :][:1] or " ")
            yield Edit(match.start(), match.end(), "，" if joins else " ")
