"""Writes our light Markdown in Telegram's HTML, in parts that Telegram takes.

Telegram counts the text that remains once the tags are read, in UTF-16 units, so a text is cut before it gets its tags
and every part opens and closes its own (https://core.telegram.org/bots/api#formatting-options).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from html import escape

from connectors.text import language_of, split_text, tables_as_lists
from conversations.model import Button, Citation, MessageKind, OutboundMessage

MAX_TEXT = 4096  #: UTF-16 units of a message
MAX_CALLBACK_DATA = 64  #: bytes
MAX_BUTTONS = 100
_ROW_WIDTH = 24  #: what one row of buttons shows on a phone without cutting titles; a Chinese character counts twice
_ROW_BUTTONS = 8

#: Bounded, so that a line of nothing but opening marks is not read again and again to its end.
_INLINE = re.compile(
    r"\*\*(?P<bold>(?=\S)[^\n]{1,1000}?(?<=\S))\*\*"
    r"|`(?P<code>[^`\n]{1,500})`"
    r"|\[(?P<title>[^\]\n]{1,300})\]\((?P<href>(?:https?://|/)[^\s()<>]{0,1000})\)"
)
_HEADING = re.compile(r"^#{1,6}[ \t]+(?P<title>\S.*?)[ \t]*$")
_BULLET = re.compile(r"^(?P<indent>[ \t]*)[-*][ \t]+(?=\S)")
_SOURCE = {"zh": "来源：", "en": "Source: "}


@dataclass(frozen=True, slots=True)
class Run:
    """Characters that look alike."""

    text: str
    bold: bool = False
    code: bool = False
    href: str = ""

    def html(self) -> str:
        """With its tags."""
        written = escape(self.text, quote=False)
        if self.code:
            written = f"<code>{written}</code>"
        if self.bold:
            written = f"<b>{written}</b>"
        return f'<a href="{escape(self.href)}">{written}</a>' if self.href else written


@dataclass(frozen=True, slots=True)
class Part:
    """What one message says."""

    runs: tuple[Run, ...]

    @property
    def text(self) -> str:
        """Without marks and addresses: what Telegram counts."""
        return "".join(run.text for run in self.runs)

    @property
    def html(self) -> str:
        """As it is sent."""
        return "".join(run.html() for run in self.runs)

    @property
    def plain(self) -> str:
        """What is sent where Telegram refuses the tags; addresses stand behind their titles as far as they fit."""
        full = "".join(f"{run.text} {run.href}" if run.href else run.text for run in self.runs)
        return full if utf16(full) <= MAX_TEXT else self.text


def utf16(text: str) -> int:
    """The length as Telegram counts it."""
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


def parts_of(message: OutboundMessage, public_url: str, *, numbered: bool = False) -> list[Part]:
    """Text, choices that cannot be buttons, and sources of a message, cut to what Telegram takes."""
    runs = list(written(message.text, language_of(message.text), public_url))
    if numbered and message.buttons:
        rates = message.kind is MessageKind.RATING_REQUEST  # a number typed back is the score, not a place
        titles = [button.title if rates else f"{at}. {button.title}" for at, button in enumerate(message.buttons, 1)]
        runs.append(Run(("\n\n" if runs else "") + "\n".join(titles)))
    for place, citation in enumerate(message.citations):
        gap = ("\n" if place else "\n\n") if runs else ""
        runs.append(Run(gap + _SOURCE[language_of(message.text + citation.title)]))
        runs.append(_source(citation, public_url))
    return cut(runs)


def cut(runs: Sequence[Run], limit: int = MAX_TEXT) -> list[Part]:
    """The runs in parts; joined again they are the same characters. Parts that show nothing are left out."""
    parts: list[Part] = []
    left = list(runs)
    for text in split_text("".join(run.text for run in runs), limit, "utf-16"):
        size, inside = len(text), list[Run]()
        while size:
            run = left.pop(0)
            inside.append(replace(run, text=run.text[:size]))
            if len(run.text) > size:
                left.insert(0, replace(run, text=run.text[size:]))
            size -= len(inside[-1].text)
        if text.strip():
            parts.append(Part(tuple(inside)))
    return parts


def written(text: str, language: str = "en", public_url: str = "") -> Iterator[Run]:
    """The runs of a text in our light Markdown; what is no Markdown stands for itself."""
    clean = text.encode("utf-8", "replace").decode()
    for place, line in enumerate(tables_as_lists(clean, language).split("\n")):
        if place:
            yield Run("\n")
        heading = _HEADING.match(line)
        if heading:
            yield from (replace(run, bold=True) for run in _inline(heading["title"], public_url))
        else:
            yield from _inline(_BULLET.sub(r"\g<indent>• ", line), public_url)


def keyboard(buttons: Sequence[Button]) -> list[list[Button]] | None:
    """Rows of buttons, short ones beside each other; None where Telegram cannot show them."""
    if len(buttons) > MAX_BUTTONS:
        return None
    rows: list[list[Button]] = []
    for button in buttons:
        if not 1 <= len(button.id.encode("utf-8", "replace")) <= MAX_CALLBACK_DATA or not button.title.strip():
            return None
        row = rows[-1] if rows else []
        if row and len(row) < _ROW_BUTTONS and sum(map(_width, [*row, button])) <= _ROW_WIDTH:
            row.append(button)
        else:
            rows.append([button])
    return rows


def _inline(line: str, public_url: str) -> Iterator[Run]:
    at = 0
    for found in _INLINE.finditer(line):
        if found.start() > at:
            yield Run(line[at : found.start()])
        at = found.end()
        if found["bold"] is not None:
            yield from (replace(run, bold=True) for run in _inline(found["bold"], public_url))
        elif found["code"] is not None:
            yield Run(found["code"], code=True)
        else:
            yield Run(found["title"], href=_complete(found["href"], public_url))
    if at < len(line):
        yield Run(line[at:])


def _source(citation: Citation, public_url: str) -> Run:
    title = citation.title.encode("utf-8", "replace").decode()
    href = _complete(citation.url, public_url)
    return Run(title or href, href=href)


def _complete(url: str, public_url: str) -> str:
    if url.startswith("/"):
        url = f"{public_url.rstrip('/')}{url}"
    return url if url.startswith(("http://", "https://")) else ""


def _width(button: Button) -> int:
    return 3 + sum(1 if ord(letter) < 0x1100 else 2 for letter in button.title)
