"""The form of a text that is compared: one script, one width, and words that a keyword index can count."""

from __future__ import annotations

import re
import threading
import unicodedata
from functools import cache, lru_cache
from itertools import zip_longest
from pathlib import Path
from typing import Protocol

import rjieba


class _Simplifier(Protocol):
    def convert(self, text: str) -> str: ...


_HAN = re.compile(r"[\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff]")
_WORD = re.compile(r"\w")
_lock = threading.Lock()


@cache
def _simplifier() -> _Simplifier:
    from opencc import OpenCC  # type: ignore[import-untyped]

    simplifier: _Simplifier = OpenCC("t2s")
    return simplifier


@cache
def _changing() -> frozenset[str]:
    """The characters that simplifying changes, alone or in some phrase; most Chinese texts have none of them, and
    looking that up takes a hundredth of the time."""
    import opencc

    dictionary = Path(opencc.__file__).parent / "dictionary"
    changing: set[str] = set()
    for name in ("TSCharacters.txt", "TSPhrases.txt"):
        for line in (dictionary / name).read_text(encoding="utf-8").splitlines():
            written, _, simplified = line.partition("\t")
            simplified = simplified.split(" ")[0]
            if written != simplified and changing.isdisjoint(written):  # otherwise another character gives it away
                changing.update(old for old, new in zip_longest(written, simplified) if old and old != new)
    return frozenset(changing)


@lru_cache(maxsize=1024)
def fold(text: str) -> str:
    """The text in simplified characters, half-width letters and single spaces, which is how both encoders know it."""
    text = text.encode("utf-8", "replace").decode("utf-8")  # half of a surrogate pair is no text to an encoder
    text = " ".join(unicodedata.normalize("NFKC", text).split())
    if not _HAN.search(text) or _changing().isdisjoint(text):
        return text
    with _lock:
        return _simplifier().convert(text)


def language_of(text: str) -> str:
    """ "zh" when Chinese characters carry the text, otherwise "en"; a product name in Latin letters does not decide."""
    han = len(_HAN.findall(text))
    if not han:
        return "en"
    words = len(re.findall(r"[A-Za-z]+", text))
    return "zh" if han >= words else "en"


def words_of(text: str) -> list[str]:
    """Lower-case words for keyword search; Chinese is segmented, and long words come with the shorter ones inside."""
    return [word for word in rjieba.cut_for_search(fold(text).lower()) if _WORD.search(word)]


def longest_words(text: str) -> list[str]:
    """The words of a text without the shorter ones inside them, as written."""
    return [word for word in rjieba.cut(text) if _WORD.search(word)]


_CODE = re.compile(
    r"(?s)(?:^|(?<=\n))[ \t]{0,3}(```+|~~~+)[^\n]*\n(?P<fenced>.*?)(?:\n[ \t]{0,3}\1[`~]*[ \t]*(?=\n|$)|$)|`+(?P<inline>[^`\n]+)`+"
)


def plain(markdown: str) -> str:
    """Markdown without its marks, for channels that show plain text; code, addresses, list markers and lines stay."""
    parts: list[str] = []
    at = 0
    for match in _CODE.finditer(markdown):
        parts += [
            _unmarked(markdown[at : match.start()]),
            match["fenced"] if match["inline"] is None else match["inline"],
        ]
        at = match.end()
    parts.append(_unmarked(markdown[at:]))
    return "".join(parts).strip()


def _unmarked(text: str) -> str:
    text = re.sub(r"!\[([^\]]*)\]\([^)]*\)", r"\1", text)
    text = re.sub(r"<((?:https?://|mailto:|tel:)[^<>\s]+)>", r"\1", text)
    text = re.sub(r"\[([^\]]+)\]\(([^)\s]*)[^)]*\)", _link, text)
    text = re.sub(r"(\*\*|__)(?=\S)(.+?)(?<=\S)\1", r"\2", text)
    text = re.sub(r"(?<![\w*])\*(?=\S)([^*\n]+?)(?<=\S)\*(?![\w*])", r"\1", text)
    return re.sub(r"(?m)^\s{0,3}(#{1,6}|>)\s+", "", text)


def _link(match: re.Match[str]) -> str:
    """The words of a link, and its address where it leads elsewhere and the words do not say it."""
    words, address = match.group(1), match.group(2)
    elsewhere = address.startswith(("http://", "https://")) and address not in words
    return f"{words} ({address})" if elsewhere else words
