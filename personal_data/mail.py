"""E-mail addresses, also those that people disguise from machines."""

from __future__ import annotations

import re
from collections.abc import Iterator

from personal_data.kinds import Kind, Span

#: Anything that may be an address, letters of other scripts included: for where too much is better than too little.
MAIL_ADDRESS = re.compile(r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+")
_PLAIN = re.compile(
    r"[A-Za-z0-9][A-Za-z0-9._%+'-]*\s?@\s?[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)*\.(?:[A-Za-z]{2,}|xn--[A-Za-z0-9-]+)"
)
_NATIVE = re.compile(r"[\w.+-]+@[\w-]*[^\x00-\x7f][\w-]*(?:\.[\w-]+)+")
_AT = r"(?:\s*(?:\(at\)|\[at\]|\{at\}|<at>|\(@\)|\[@\]|_at_|-at-|艾特|\(a\)|圈a)\s*)"
_DOT = r"(?:\s*(?:\(dot\)|\[dot\]|\{dot\}|<dot>|_dot_|点|。)\s*|\.|\s+dot\s+)"
_TOP = r"(?:com|cn|net|org|edu|gov|io|co|me|info|biz|uk|de|fr|hk|tw|example|email)"
_DISGUISED = re.compile(
    rf"[A-Za-z0-9][A-Za-z0-9._%+-]*(?:\s+dot\s+[A-Za-z0-9]+)?(?:{_AT}[A-Za-z0-9-]+(?:{_DOT}[A-Za-z0-9-]+){{0,2}}?{_DOT}{_TOP}(?:{_DOT}{_TOP})?"
    rf"|\s+at\s+[A-Za-z0-9-]+(?:\s+dot\s+[A-Za-z0-9-]+){{0,2}}?\s+dot\s+{_TOP}(?:\s+dot\s+{_TOP})?"
    rf"|\s?#\s?[A-Za-z0-9-]+\.{_TOP})\b",
    re.IGNORECASE,
)


def mails_in(text: str) -> Iterator[Span]:
    """Every e-mail address in a folded text."""
    if "@" in text:
        for pattern in (_PLAIN, _NATIVE):
            for found in pattern.finditer(text):
                yield Span(*found.span(), Kind.EMAIL)
    lower = text.lower()
    if "at" in lower or "#" in text or "艾特" in text or "@)" in text or "@]" in text or "圈a" in lower:
        for found in _DISGUISED.finditer(text):
            yield Span(*found.span(), Kind.EMAIL)
