"""What counts as a yes to the summary of a task: nothing but words of ``assent.yml``, since what follows may not be undone."""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache
from pathlib import Path
from typing import Any

import yaml

from bot.text import fold_case

_HAN = re.compile(r"[\u3400-\u9fff]")
#: Makes a question of a yes.
_ASKED = re.compile(r"[?⁇吗]")
#: Whoever ends so has not said it all.
_BREAKS_OFF = re.compile(r"(?<!do )(?<!it )\b(?:and|so|to|the|my|an?|with|of)\W*$")
_DRAWN_OUT = re.compile(r"([a-z])\1{2,}")


class Assent:
    """The words of one file."""

    def __init__(self, content: dict[str, Any]) -> None:
        """``content`` is what ``assent.yml`` holds."""
        always = {word: kind for kind in ("beside", "agreeing", "unsure") for word in _words(content[kind])}
        self._kinds = {
            task: dict.fromkeys(_words(content["things"].get(task, {})), "thing")
            | dict.fromkeys(_words(own), "doing")
            | always
            for task, own in {"": {}, **content["tasks"]}.items()
        }
        # The longest first: "right now" is no "right".
        self._patterns = {
            task: re.compile("|".join(map(_spelled, sorted(kinds, key=len, reverse=True))))
            for task, kinds in self._kinds.items()
        }
        self._but = re.compile("|".join(map(_spelled, _words(content["but"]))))

    def is_yes(self, text: str, task: str | None = None) -> bool:
        """Whether the text is a yes to doing the task, with nothing added that could make it something else."""
        plain = _DRAWN_OUT.sub(r"\1", fold_case(text).replace("’", "'"))
        if _ASKED.search(plain) or _BREAKS_OFF.search(plain) or self.has_condition(plain):
            return False
        known = task if task in self._kinds else ""
        position, said, words = 0, set(), []
        while position < len(plain):
            found = self._patterns[known].match(plain, position)
            if found is not None:
                words.append(" ".join(re.split(r"[ ,]+", found.group())))
                said.add(self._kinds[known][words[-1]])
                position = found.end()
            elif _is_silent(plain[position]):
                position += 1
            else:
                return False
        if "thing" in said and "doing" not in said:  # "continue with my order" agrees to no cancellation
            return False
        agreeing = [word for word in words if self._kinds[known][word] == "agreeing"]
        if agreeing == ["right"] and words[-1] == "right" and "doing" in said:  # "so you can cancel it, right"
            return False
        return bool(agreeing) and "unsure" not in said

    def knows_signs(self, text: str) -> bool:
        """Whether all emoji in the text agree or say nothing; a reading may leave them out."""
        signs = (sign for sign in fold_case(text) if unicodedata.category(sign) == "So")
        return all(self._kinds[""].get(sign) in {"agreeing", "beside"} for sign in signs)

    def has_condition(self, text: str) -> bool:
        """Whether something in the text restricts what is agreed to beside it."""
        return self._but.search(fold_case(text)) is not None


@lru_cache(maxsize=1)
def assent() -> Assent:
    """The words in the file beside this one."""
    return Assent(yaml.safe_load(Path(__file__).with_suffix(".yml").read_text(encoding="utf-8")))


def _words(listed_by_language: dict[str, Any]) -> list[str]:
    """The words of all languages; between signs are spaces, between words bars."""
    found: list[str] = []
    for language, listed in listed_by_language.items():
        for line in [listed] if isinstance(listed, str) else listed:
            found += line.replace('"', "").split() if language == "signs" else line.split("|")
    return [fold_case(word) for word in found]


def _spelled(word: str) -> str:
    """A Latin word stands by itself; between its words there may be commas."""
    if _HAN.search(word) or not word[0].isalpha():
        return re.escape(word)
    return rf"(?<![a-z0-9'])(?:{r'[ ,]+'.join(map(re.escape, word.split()))})(?![a-z0-9'])"


def _is_silent(character: str) -> bool:
    """Whether a character says nothing: spaces, punctuation, marks that only modify the one before."""
    return unicodedata.category(character)[0] in "ZPCM" or unicodedata.category(character) == "Sk"
