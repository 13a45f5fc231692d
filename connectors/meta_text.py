"""Writes our messages as WhatsApp and Messenger show them: hardly any markup, addresses spelled out."""

from __future__ import annotations

import re
from dataclasses import replace

from connectors.text import as_plain_text, language_of, split_markdown
from conversations.model import Author, Button, OutboundMessage

_RELATIVE = re.compile(r"(\[[^\]\n]{1,300}\]\()(/[^\s()<>]{0,1000}\))")
#: Bounded, so that a line of nothing but opening marks is not read again and again to its end.
_MARKUP = re.compile(
    r"\[(?P<label>[^\]\n]{1,300})\]\((?P<url>(?:https?://|mailto:)[^\s()<>]{1,2000})\)"
    r"|\*\*(?P<bold>(?=\S)[^*\n]{1,1000}(?<=\S))\*\*"
    r"|^[ ]{0,3}\#{1,6}[ ]+(?P<heading>\S[^\n]{0,1000})$"
    r"|^(?P<indent>[ ]*)[-*][ ](?=\S)",
    re.MULTILINE,
)


def fits_natively(buttons: tuple[Button, ...], most: int, longest_title: int) -> bool:
    """Whether all choices can be buttons: few enough, with titles that are short, different and not blank."""
    titles = [button.title.strip() for button in buttons]
    fits = all(title and len(title) <= longest_title for title in titles)
    return 0 < len(buttons) <= most and len(set(titles)) == len(buttons) and fits


def texts_of(
    message: OutboundMessage,
    public_url: str,
    limit: int,
    *,
    bold: str,
    with_buttons: bool,
    last_limit: int | None = None,
) -> list[str]:
    """The texts in their order, each of at most ``limit`` characters and the last one of ``last_limit``.

    ``bold`` is what stands around bold words, if anything; buttons are listed in the text unless ``with_buttons``.
    """
    shown = replace(message, buttons=()) if with_buttons else message
    written = _RELATIVE.sub(
        lambda found: f"{found[1]}{public_url.rstrip('/')}{found[2]}",
        as_plain_text(shown, public_url, language_of(message.text)),
    )
    pieces = [piece for piece in split_markdown(written, limit) if piece.strip()]
    if pieces and last_limit is not None:
        pieces[-1:] = [piece for piece in split_markdown(pieces[-1], last_limit) if piece.strip()]
    if message.author is Author.AGENT:  # what people type is not meant as markup
        return pieces
    return [without_markdown(piece, bold) for piece in pieces]


def without_markdown(text: str, bold: str = "") -> str:
    """Markdown's links, headings and lists in plain signs, never longer than before."""

    def spell(found: re.Match[str]) -> str:
        if found["url"] is not None:
            url = found["url"].removeprefix("mailto:")
            return url if found["label"] == url else f"{found['label']} ({url})"
        if found["bold"] is not None:
            return f"{bold}{found['bold']}{bold}"
        if found["heading"] is not None:
            heading = found["heading"].rstrip().replace("**", "")
            return f"{bold}{heading}{bold}" if heading else ""
        return f"{found['indent']}• "

    return _MARKUP.sub(spell, text)
