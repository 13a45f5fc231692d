"""Canned replies: what agents say often, in both languages, with places for what differs each time."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache

#: What a text may stand for; each is filled by ``handoff.writing.variables``.
VARIABLES = (
    "contact.name",
    "contact.first_name",
    "agent.name",
    "team.name",
    "order.number",
    "order.status",
    "order.product",
    "ticket.number",
    "ticket.status",
    "date.today",
    "date.tomorrow",
)
MAX_TITLE = 80
MAX_TEXT = 4000
SHARED = ""  #: the owner of what belongs to everybody
_VARIABLE = re.compile(r"\{\{\s*([A-Za-z_.]+)\s*(?:\|([^{}|]*))?\}\}")
_PLACE = re.compile(r"\{\{([^{}]*)\}\}")  # whatever somebody may have meant for one
_SHORTCUT = re.compile(r"[\w-]{1,32}")
_CHINESE = re.compile(r"[\u3400-\u9fff]")


class BadCanned(Exception):
    """A canned reply cannot be kept like this; ``code`` is for a console that says it in its own words."""

    def __init__(self, code: str, message: str, detail: str | None = None) -> None:
        super().__init__(message)
        self.code = code
        self.detail = detail


@dataclass(frozen=True, slots=True)
class CannedDraft:
    """A canned reply as somebody writes it; one language may be left empty."""

    shortcut: str
    title_zh: str = ""
    title_en: str = ""
    text_zh: str = ""
    text_en: str = ""


@dataclass(frozen=True, slots=True)
class CannedReply:
    """A stored canned reply; ``owner`` is a member's id, or empty when everybody may use it."""

    id: str
    owner: str
    shortcut: str
    title_zh: str
    title_en: str
    text_zh: str
    text_en: str
    uses: int
    last_used_at: datetime | None
    updated_at: datetime
    updated_by: str

    def text_in(self, language: str) -> str:
        """The text in the contact's language, or in the other one where it was never written."""
        return (self.text_zh or self.text_en) if language == "zh" else (self.text_en or self.text_zh)


@dataclass(frozen=True, slots=True)
class Filled:
    """A text with its variables filled; those nobody could fill still stand in it as they were written."""

    text: str
    unfilled: tuple[str, ...]


def checked(draft: CannedDraft) -> CannedDraft:
    """The draft as it is kept; raises ``BadCanned``."""
    shortcut = draft.shortcut.strip().removeprefix("/").casefold()
    if not _SHORTCUT.fullmatch(shortcut):
        raise BadCanned("shortcut", "The shortcut needs 1 to 32 letters, digits, - or _, without spaces.")
    title_zh, title_en = draft.title_zh.strip(), draft.title_en.strip()
    text_zh, text_en = draft.text_zh.strip(), draft.text_en.strip()
    if not title_zh and not title_en:
        raise BadCanned("title", "Give it a title in at least one language.")
    if not text_zh and not text_en:
        raise BadCanned("text", "Write the text in at least one language.")
    if max(len(title_zh), len(title_en)) > MAX_TITLE:
        raise BadCanned("too_long", f"A title has at most {MAX_TITLE} characters.")
    if max(len(text_zh), len(text_en)) > MAX_TEXT:
        raise BadCanned("too_long", f"A text has at most {MAX_TEXT} characters.")
    for text in (text_zh, text_en):
        check_variables(text)
    return CannedDraft(shortcut, title_zh, title_en, text_zh, text_en)


def check_variables(text: str) -> None:
    """Raise ``BadCanned`` for a variable that does not exist: it would stand in front of customers as it is."""
    for place in _PLACE.finditer(text):
        match = _VARIABLE.fullmatch(place[0])
        name = match[1] if match else " ".join(place[1].split())
        if name not in VARIABLES or match is None:
            known = ", ".join(VARIABLES)
            raise BadCanned("variable", f"There is no variable {name}. Use one of: {known}.", name)


def variables_in(text: str) -> frozenset[str]:
    """The variables a text uses."""
    return frozenset(match[1] for match in _VARIABLE.finditer(text) if match[1] in VARIABLES)


def fill(text: str, values: Mapping[str, str | None]) -> Filled:
    """Put values in; ``{{name|words}}`` says ``words`` where there is no value, ``{{name}}`` then stays and is reported."""
    unfilled: list[str] = []

    def put(match: re.Match[str]) -> str:
        name, fallback = match[1], match[2]
        if name not in VARIABLES:
            return match[0]
        value = values.get(name)
        if value:
            return value
        if fallback is not None:
            return fallback.strip()
        unfilled.append(name)
        return f"{{{{{name}}}}}"

    return Filled(_VARIABLE.sub(put, text), tuple(dict.fromkeys(unfilled)))


def still_unfilled(text: str) -> tuple[str, ...]:
    """Variables that stand in a text about to be sent."""
    return tuple(dict.fromkeys(m[1] for m in _VARIABLE.finditer(text) if m[1] in VARIABLES))


@lru_cache(4096)
def pinyin_keys(title: str) -> str:
    """What people type to find a Chinese title with a Latin keyboard: its pinyin, and the initials of it."""
    if not _CHINESE.search(title):
        return ""
    from pypinyin import Style, lazy_pinyin  # its dictionary takes 55 MB, which a desk without Chinese titles keeps

    sounds = lazy_pinyin(title)
    initials = lazy_pinyin(title, style=Style.FIRST_LETTER)
    return f"{''.join(sounds)} {''.join(initials)}".lower()
