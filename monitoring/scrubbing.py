"""The last look at every log line: what people wrote, who they are, and the desk's secrets stay out of it.

Rooms log ids and codes in the first place. This catches what gets in with an exception or a vendor's words.
"""

from __future__ import annotations

import json
import re
import traceback
from collections.abc import Iterable, Mapping
from types import TracebackType
from typing import Any
from urllib.parse import quote

import httpx
from redis.exceptions import RedisError
from sqlalchemy.exc import SQLAlchemyError

from personal_data.kinds import Kind
from personal_data.mail import MAIL_ADDRESS
from personal_data.masks import masked

PRIVATE = "private_words"  #: the key under which rooms tell what must not appear while they work on it
SAID, SECRET, EMAIL, NUMBER = "[said]", "[secret]", "[e-mail]", "[number]"
UNSAID = "(message left out, it may quote somebody)"
_OURS = {"actions", "connectors", "conversations", "crm", "encoders", "handoff", "knowledge_base", "sentiment"}
#: Errors of others whose words come from the system or a server, not from what it was given.
_TRUSTED = (httpx.TimeoutException, httpx.NetworkError, RedisError, TimeoutError)
_LONGEST = 8000
_DEEPEST = 6
_ID = re.compile(r"[0-9a-f]{32}")
_URL = re.compile(r"\b([a-z][a-z0-9+]{1,20}://)(?:[^\s/@'\"<>]*@)?([^\s/?#'\"<>]*)(?:[/?#][^\s'\"<>]*)?", re.IGNORECASE)
_DIGITS = re.compile(r"(?<![A-Za-z0-9_.])(?:\+|\()?\d(?:[\s().-]{0,2}\d){6,}[Xx]?(?![A-Za-z0-9_])")
_HARMLESS = re.compile(r"\d{4}-\d\d-\d\d|\d{1,3}(?:\.\d{1,3}){3}|0\.\d+")
_ALSO = frozenset({Kind.ADDRESS, Kind.EMAIL, Kind.PHONE, Kind.ID_CARD, Kind.BANK_CARD, Kind.PASSPORT, Kind.PLATE})
_BEARER = re.compile(r"\b(Bearer|Basic|token=|key=|secret=|password=)\s*[\w.~+/=-]{8,}", re.IGNORECASE)
_DETAIL = re.compile(r"DETAIL:.*", re.DOTALL)


class Scrubber:
    """Cleans event dicts; ``secrets`` are replaced wherever they appear."""

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        known = {form for secret in secrets if len(secret) >= 6 for form in (secret, quote(secret, safe=""))}
        longest_first = sorted(known, key=len, reverse=True)
        self._secrets = re.compile("|".join(map(re.escape, longest_first))) if known else None

    def __call__(self, _logger: Any, _method: str, event: dict[str, Any]) -> dict[str, Any]:
        """A structlog processor: exceptions become text without foreign words, everything else is cleaned."""
        words = _pattern(event.pop(PRIVATE, ()))
        raised = event.pop("exc_info", None)
        error = _exception(raised)
        if error is not None:
            event["exception"] = traced(error)
        # Libraries name themselves; the name of what happened in our own lines is no free text.
        plain = event.get("event") if "logger" not in event else None
        clean: dict[str, Any] = {
            name: value if name in ("timestamp", "level") else self._clean(value, words)
            for name, value in event.items()
        }
        if isinstance(plain, str):
            clean["event"] = self.clean(plain)
        return clean

    def clean(self, text: str, words: re.Pattern[str] | None = None) -> str:
        """The text without secrets, paths of links, addresses and long numbers, and without ``words``."""
        if _ID.fullmatch(text):
            return text
        if words is not None:
            text = words.sub(SAID, text)
        if self._secrets is not None:
            text = self._secrets.sub(SECRET, text)
        text = _BEARER.sub(lambda found: f"{found[1]} {SECRET}", text)
        text = MAIL_ADDRESS.sub(EMAIL, _URL.sub(lambda found: f"{found[1]}{found[2]}", text))
        text = _DIGITS.sub(lambda found: found[0] if _HARMLESS.match(found[0]) else NUMBER, text)
        text = text if len(text) <= _LONGEST else text[:_LONGEST] + "…"
        return _without(text)

    def _clean(self, value: Any, words: re.Pattern[str] | None, depth: int = 0) -> Any:
        if isinstance(value, BaseException):
            value = described(value)
        if value is None or isinstance(value, bool | float):
            return value
        if isinstance(value, int):
            return NUMBER if abs(value) >= 10**9 else value
        if isinstance(value, Mapping) and depth < _DEEPEST:
            return {self.clean(str(name)): self._clean(one, words, depth + 1) for name, one in value.items()}
        if isinstance(value, list | tuple | set | frozenset) and depth < _DEEPEST:
            return [self._clean(one, words, depth + 1) for one in value]
        return self.clean(str(value), words)


def _without(text: str) -> str:
    """The text without what the patterns above cannot know: postal addresses, disguised e-mail, plates, papers."""
    seen = masked(text, kinds=_ALSO)
    for one in reversed(seen.hidden):
        text = f"{text[: one.was[0]]}[{one.kind}]{text[one.was[1] :]}"
    return text


def described(error: BaseException) -> str:
    """An exception in one line; what foreign code says is left out, because it may quote what it was given."""
    kind = type(error)
    name = f"{kind.__module__}.{kind.__qualname__}".removeprefix("builtins.")
    if isinstance(error, SQLAlchemyError):
        original = getattr(error, "orig", None)
        return f"{name}: {type(original).__name__}" if original is not None else f"{name}: {UNSAID}"
    if kind.__module__.split(".")[0] in _OURS or isinstance(error, _TRUSTED):
        said = _DETAIL.sub("", str(error)).strip()
        return f"{name}: {said}" if said else name
    if isinstance(error, OSError) and error.errno is not None:
        return f"{name}: {error.strerror}"
    return f"{name} {UNSAID}" if str(error) else name


def traced(error: BaseException) -> str:
    """An exception with where it came from, its causes first."""
    parts: list[str] = []
    seen: set[int] = set()
    following: BaseException | None = error
    while following is not None and id(following) not in seen and len(seen) < 10:
        seen.add(id(following))
        lines = "".join(traceback.format_tb(following.__traceback__))
        inner = following.exceptions if isinstance(following, BaseExceptionGroup) else ()
        members = "".join(f"\n  + {described(one)}" for one in inner)
        parts.append(f"{lines}{described(following)}{members}")
        following = following.__cause__ or (None if following.__suppress_context__ else following.__context__)
    return "\nled to:\n".join(reversed(parts))


def _exception(raised: Any) -> BaseException | None:
    if isinstance(raised, BaseException):
        return raised
    if isinstance(raised, tuple):
        return raised[1] if isinstance(raised[1], BaseException) else None
    if raised:
        import sys

        return sys.exc_info()[1]
    return None


def _pattern(given: Any) -> re.Pattern[str] | None:
    """Finds what was said and by whom, also line by line, as its beginning, and as programs quote it."""
    forms: set[str] = set()
    for text in given if isinstance(given, list | tuple) else ():
        if not isinstance(text, str):
            continue
        for piece in {text.strip(), text.strip()[:40], *(line.strip() for line in text.splitlines())}:
            if len(piece) >= 2:
                forms |= {piece, repr(piece)[1:-1], json.dumps(piece)[1:-1], quote(piece, safe="")}
    if not forms:
        return None
    return re.compile("|".join(map(_bounded, sorted(forms, key=len, reverse=True))))


def _bounded(form: str) -> str:
    # A short word must not be taken out of the middle of another one.
    start = r"(?<![A-Za-z0-9_])" if form[0].isascii() and form[0].isalnum() else ""
    end = r"(?![A-Za-z0-9_])" if form[-1].isascii() and form[-1].isalnum() else ""
    return f"{start}{re.escape(form)}{end}"


def crash(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    """Stands in for Python's own report of an exception that nobody caught."""
    import sys

    import structlog

    if issubclass(kind, KeyboardInterrupt):
        sys.__excepthook__(kind, error, trace)
        return
    structlog.get_logger().critical("crashed", exc_info=error)
