"""Cuts an article into passages: at headings first, then between sentences, so that every passage reads as written."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

from knowledge_base.articles import Article, Passage

if TYPE_CHECKING:
    from spacy.language import Language

#: Room in one passage; a Chinese character counts as two, because it says about as much as half an English word.
MAX_WEIGHT = 700
_LARGEST_BLOCK = 50_000  #: characters given to the sentence splitter at once
_HEADING = re.compile(r"(#{1,6})[ \t]+(.*)$")
_ITEM = re.compile(r"[ \t]*(?:[-*+]|\d{1,9}[.)])[ \t]+")
_FENCE = re.compile(r"[ \t]{0,3}(```+|~~~+)")
_LINE_START = re.compile(r"(?<=\n)(?=[ \t]*(?:[-*+]|\d{1,9}[.)])[ \t]|[ \t]*[|\n])")
_WIDE = re.compile(r"[\u2e80-\ua4cf\uac00-\ud7af\uf900-\ufaff\uff00-\uffef]")
_RUN_OF_MARKS = re.compile(r"([^\w\s]{60,})")
_UNIT_ENDS = re.compile(r"\d [A-Z]\.\s+(?=[A-Z])")
_UNFINISHED = re.compile(r"(?:\b(?:No|Nos|approx|incl|excl|max|min|St|vs)\.|^\s*\d{1,9}[.)])\s*$", re.IGNORECASE)


#: Shortened where a number follows; words of their own at the end of a sentence ("in the sun.").
_BEFORE_NUMBERS = re.compile(
    r"\b(?:tel|ext|fig|sect?|art|pp?|mon|tue|wed|thu|fri|sat|sun|jan|feb|mar|apr|jun|jul|aug|sept?|oct|nov|dec)\.\s*$",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Block:
    """A paragraph, list item, table or code block: the slice of the body from ``start`` to ``end``."""

    start: int
    end: int
    headings: tuple[str, ...]
    kind: str  #: "text", "item", "table", "fence" or, for one that nothing follows, "heading"

    @property
    def whole(self) -> bool:
        """Tables and code are not cut between sentences."""
        return self.kind in ("fence", "table")


@cache
def _sentence_splitter(language: str) -> Language:
    import spacy

    nlp = spacy.blank("zh" if language == "zh" else "en")
    stops = ["。", "！", "？", "；", "…", "!", "?"] if language == "zh" else ["。", "！", "？", "!", "?", ".", "…"]
    nlp.add_pipe("sentencizer", config={"punct_chars": stops})
    return nlp


def weight(text: str) -> int:
    """How much of a passage's room the text takes."""
    return len(text) + len(_WIDE.findall(text))


def sentences(text: str, language: str) -> list[str]:
    """The text's sentences in order, list items apart; joined again they are exactly the text."""
    found: list[str] = []
    for first in range(0, len(text), _LARGEST_BLOCK):
        for line in _LINE_START.split(text[first : first + _LARGEST_BLOCK]):
            # The splitter takes marks off one by one, each time from what is left: a minute for a page of brackets.
            for number, part in enumerate(_RUN_OF_MARKS.split(line)):
                found.extend([part] if number % 2 else _sentences_of_line(part, language))
    return found


def _sentences_of_line(line: str, language: str) -> list[str]:
    found: list[str] = []
    finished = True
    for sentence in _sentence_splitter(language)(line).sents:
        text = sentence.text_with_ws
        unit = _UNIT_ENDS.search(text)  # "5 V and 2 A." looks like an initial to the splitter
        if unit is not None:
            found.append(text[: unit.end()])
            text = text[unit.end() :]
        if found and (not finished or not text.strip() or _goes_on(found[-1], text, language)):
            found[-1] += text
        else:
            found.append(text)
        finished = not _UNFINISHED.search(found[-1])
    return found


def _goes_on(before: str, text: str, language: str) -> bool:
    """Whether a text is still of the sentence before it: after "etc." or "Fig.", and within an address or a link."""
    if before.endswith("![") or (before.endswith(("?", "!")) and re.match(r"[A-Za-z0-9\[=&%#/_.-]", text)):
        return True
    if language != "en" or not before.rstrip().endswith("."):
        return False
    return text[:1].islower() or (text[:1].isdigit() and _BEFORE_NUMBERS.search(before) is not None)


def split(article: Article, max_weight: int = MAX_WEIGHT) -> list[Passage]:
    """The article's passages in order; outside headings and blank space no character is left out."""
    passages: list[Passage] = []
    ordinals: Counter[str] = Counter()
    slugs: dict[tuple[str, ...], str] = {}
    taken: dict[str, int] = {}
    version = article.version
    for start, end, headings in _spans(article, max_weight):
        raw = article.body[start:end]
        text = raw.strip()
        if headings not in slugs:
            slugs[headings] = _new_slug(headings, taken)
        slug = slugs[headings]
        ordinals[slug] += 1
        passages.append(
            Passage(
                article_id=article.id,
                language=article.language,
                anchor=f"{slug}-{ordinals[slug]}",
                title=article.title,
                headings=headings,
                text=text,
                version=version,
                start=start + len(raw) - len(raw.lstrip()),
            )
        )
    return passages


def _new_slug(headings: tuple[str, ...], taken: dict[str, int]) -> str:
    """A free slug; ``taken`` keeps how far each was numbered, so that a thousand equal headings are not counted anew."""
    words = re.findall(r"\w+", headings[-1].lower()) if headings else ["intro"]
    slug = base = "-".join(words)[:60].strip("-") or "part"
    number = taken.get(base, 1)
    while slug in taken:
        number += 1
        slug = f"{base}_{number}"
    taken[base] = number
    taken.setdefault(slug, 1)
    return slug


def _spans(article: Article, max_weight: int) -> Iterator[tuple[int, int, tuple[str, ...]]]:
    """Slices of the body that become passages, each within one section and as full as its sentences allow."""
    body = article.body
    start = end = -1
    section: tuple[str, ...] | None = None
    for block in blocks(body):
        # Most paragraphs fit as they are; finding their sentences would change nothing but the time it takes.
        if block.headings == section and weight(body[start : block.end].strip()) <= max_weight:
            end = block.end
            continue
        if block.headings != section and weight(body[block.start : block.end].strip()) <= max_weight:
            if section is not None:
                yield start, end, section
            start, end, section = block.start, block.end, block.headings
            continue
        for first, last in _units(body, block, article.language, max_weight):
            if section is not None and (block.headings != section or weight(body[start:last].strip()) > max_weight):
                yield start, end, section
                section = None
            if section is None:
                start, section = first, block.headings
            end = last
    if section is not None:
        yield start, end, section


def _units(body: str, block: Block, language: str, max_weight: int) -> Iterator[tuple[int, int]]:
    """The smallest slices of a block that may stand apart."""
    text = body[block.start : block.end]
    if block.whole:
        pieces = [text] if weight(text.strip()) <= max_weight else text.splitlines(keepends=True)
    else:
        pieces = sentences(text, language)
    at = block.start
    for piece in pieces:
        for part in _parts(piece, max_weight):
            if part.strip():
                yield at, at + len(part)
            at += len(part)


def _parts(sentence: str, max_weight: int) -> Iterator[str]:
    """The sentence itself, or slices of it where it alone exceeds the room of a passage."""
    while weight(sentence.strip()) > max_weight:
        room, taken = max_weight, 0
        while room >= (needed := weight(sentence[taken])):
            room -= needed
            taken += 1
        pause = max((sentence.rfind(mark, taken // 2, taken) for mark in (" ", "，", "、", ",")), default=-1)
        cut = pause + 1 if pause > 0 else max(taken, 1)
        yield sentence[:cut]
        sentence = sentence[cut:]
    if sentence:
        yield sentence


def blocks(body: str) -> Iterator[Block]:
    """The body's blocks in order, each with the headings above it; headings that something follows are no blocks."""
    path: list[tuple[int, str]] = []
    start: int | None = None
    kind = ""
    fence = ""
    heading: Block | None = None  # a heading that nothing has followed yet: its words must not be lost
    at = 0
    for line in body.splitlines(keepends=True):
        first, at = at, at + len(line)
        headings = tuple(title for _, title in path)
        stripped = line.rstrip()
        this = "fence" if fence else _kind_of(stripped)
        if (start is not None and this != kind and not (this == "text" and kind == "item")) or (
            start is not None and this == "item"
        ):
            yield Block(start, first, headings, kind)
            start = None
        if this == "blank":
            continue
        if this == "heading":
            match = _HEADING.match(stripped)
            assert match is not None
            level = len(match.group(1))
            if heading is not None and level <= path[-1][0]:
                yield heading
            path = [(depth, title) for depth, title in path if depth < level] + [(level, heading_text(match.group(2)))]
            heading = Block(first, at, tuple(title for _, title in path), "heading")
            continue
        heading = None
        if start is None:
            start, kind = first, this
        if this == "fence":
            fence = _next_fence(fence, stripped)
            if not fence:
                yield Block(start, at, headings, kind)
                start = None
    if start is not None:
        yield Block(start, at, tuple(title for _, title in path), kind)
    if heading is not None:
        yield heading


def heading_text(rest: str) -> str:
    """What follows the marks of a heading, without closing marks; a pattern would try every way to divide them."""
    return rest.strip(" \t").rstrip("#").rstrip(" \t")


def _kind_of(line: str) -> str:
    if not line.strip():
        return "blank"
    if _FENCE.match(line):
        return "fence"
    if _HEADING.match(line):
        return "heading"
    if _ITEM.match(line):
        return "item"
    return "table" if line.lstrip().startswith("|") else "text"


def _next_fence(fence: str, line: str) -> str:
    """The fence that is open after this line, or nothing."""
    match = _FENCE.match(line)
    if not fence:
        return match.group(1) if match else ""
    closes = match is not None and match.group(1).startswith(fence) and not line.strip().strip(fence[0])
    return "" if closes else fence
