"""Mentions of colleagues in notes, written ``@[Name](staff id)``."""

from __future__ import annotations

import re

MAX_MENTIONS = 20  #: of one note; further ones are plain text
_MENTION = re.compile(r"@\[([^\[\]\n]{1,120})\]\(([0-9a-f]{32})\)")


def mentioned(note: str) -> tuple[str, ...]:
    """The ids of those a note mentions, each once, in order."""
    return tuple(dict.fromkeys(match[2] for match in _MENTION.finditer(note)))[:MAX_MENTIONS]


def readable(note: str) -> str:
    """The note with ``@Name`` in place of each mention."""
    return _MENTION.sub(lambda match: "@" + match[1], note)
