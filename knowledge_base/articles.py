"""An article as its author writes it: Markdown with front matter, one file per language, one id for all languages."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any
from urllib.parse import quote
from zoneinfo import ZoneInfo

import yaml

from knowledge_base.errors import UnreadableSource
from knowledge_base.readers import AUDIENCE, CUSTOMER, SHANGHAI, first_moment, moment_after

LANGUAGES = ("zh", "en")
MAX_BODY = 2_000_000  #: characters; more than this is a book, not an article
_ID = re.compile(r"\w[\w.-]{0,79}")
_FIELDS = {
    *("id", "title", "language", "questions", "tags", "updated"),
    *("audience", "valid_from", "valid_until", "replaced_by"),
}


@dataclass(frozen=True, slots=True)
class Article:
    """One piece of knowledge in one language; the same ``id`` in another language is its translation."""

    id: str
    title: str
    language: str
    body: str  #: Markdown
    questions: tuple[str, ...] = ()  #: other ways to ask what the title asks
    tags: tuple[str, ...] = ()
    updated: date | None = None
    audience: tuple[str, ...] = (CUSTOMER,)  #: who may read it; one of these is enough
    valid_from: datetime | None = None  #: aware UTC
    valid_until: datetime | None = None  #: aware UTC, the first moment at which it no longer holds
    replaced_by: str | None = None  #: id of the article that says it now

    @property
    def key(self) -> str:
        """What names this article in this language."""
        return f"{self.id}/{self.language}"

    @property
    def version(self) -> str:
        """A hash of everything that is searched or shown: equal versions need no new encoding."""
        content: list[Any] = [self.id, self.title, self.language, self.body, list(self.questions), list(self.tags)]
        content.append(self.updated.isoformat() if self.updated else "")
        # Articles without these fields keep the version they had before there were such fields.
        terms = self._terms()
        content += [terms] if terms else []
        return hashlib.sha256(json.dumps(content, ensure_ascii=False).encode()).hexdigest()[:16]

    @property
    def url(self) -> str:
        """The path of the article's page."""
        return f"/kb/{self.language}/{quote(self.id)}"

    def to_json(self) -> dict[str, Any]:
        """The article as plain values, for storage."""
        return {
            "id": self.id,
            "title": self.title,
            "language": self.language,
            "body": self.body,
            "questions": list(self.questions),
            "tags": list(self.tags),
            "updated": self.updated.isoformat() if self.updated else None,
            **self._terms(),
        }

    def _terms(self) -> dict[str, Any]:
        """For whom and when it holds, as far as that differs from everybody and always."""
        terms = {
            "audience": list(self.audience) if self.audience != (CUSTOMER,) else None,
            "valid_from": self.valid_from.isoformat() if self.valid_from else None,
            "valid_until": self.valid_until.isoformat() if self.valid_until else None,
            "replaced_by": self.replaced_by,
        }
        return {name: value for name, value in terms.items() if value is not None}

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> Article:
        """The article that ``to_json`` described."""
        updated, start, end = stored.get("updated"), stored.get("valid_from"), stored.get("valid_until")
        return cls(
            id=stored["id"],
            title=stored["title"],
            language=stored["language"],
            body=stored["body"],
            questions=tuple(stored["questions"]),
            tags=tuple(stored["tags"]),
            updated=date.fromisoformat(updated) if updated else None,
            audience=tuple(stored.get("audience") or (CUSTOMER,)),
            valid_from=datetime.fromisoformat(start) if start else None,
            valid_until=datetime.fromisoformat(end) if end else None,
            replaced_by=stored.get("replaced_by"),
        )


@dataclass(frozen=True, slots=True)
class Passage:
    """A few whole sentences of an article under one heading: the unit that is found and quoted."""

    article_id: str
    language: str
    anchor: str  #: heading and ordinal below it, so an edit elsewhere in the article does not move it
    title: str  #: of the article
    headings: tuple[str, ...]
    text: str  #: Markdown, exactly as in the article
    version: str  #: of the article
    start: int  #: where the text begins in the article's body

    @property
    def id(self) -> str:
        """Names the passage everywhere: in traces, citations and URLs."""
        return f"{self.article_id}/{self.language}/{self.anchor}"

    @property
    def url(self) -> str:
        """The path of the article's page with this passage marked."""
        return f"/kb/{self.language}/{quote(self.article_id)}#{quote(self.anchor)}"


def check_article(article: Article, source: str) -> Article:
    """The article itself if it can be indexed and linked to; raises ``UnreadableSource`` naming what to correct."""
    if not _ID.fullmatch(article.id):
        raise UnreadableSource(source, f"the id {article.id[:80]!r} may hold only letters, digits, '.', '_' and '-'")
    if article.language not in LANGUAGES:
        raise UnreadableSource(source, f"the language {article.language!r} is not one of {', '.join(LANGUAGES)}")
    if not article.title.strip():
        raise UnreadableSource(source, "the title is empty; give the article a title")
    if not article.body.strip():
        raise UnreadableSource(source, "there is no text below the title; write the answer there")
    if len(article.body) > MAX_BODY:
        raise UnreadableSource(source, f"more than {MAX_BODY} characters; split it into several articles", "too_long")
    strange = next((name for name in article.audience if not AUDIENCE.fullmatch(name)), None)
    if strange is not None or not article.audience:
        raise UnreadableSource(
            source, f"the audience {strange or ''!r} must be a word such as customer, member or staff"
        )
    if article.valid_from and article.valid_until and article.valid_from >= article.valid_until:
        raise UnreadableSource(source, "'valid_until' lies before 'valid_from'; exchange the dates")
    if article.replaced_by is not None and (
        not _ID.fullmatch(article.replaced_by) or article.replaced_by == article.id
    ):
        raise UnreadableSource(source, "'replaced_by' must be the id of another article")
    return article


def split_front_matter(text: str) -> tuple[str | None, str]:
    """The YAML between the leading ``---`` lines (None without any) and the Markdown after it."""
    text = text.removeprefix("\ufeff").replace("\r\n", "\n")
    match = re.match(r"---[ \t]*\n(.*?\n)?---[ \t]*(?:\n|$)", text, re.DOTALL)
    if match is None:
        return None, text
    return match.group(1) or "", text[match.end() :]


def parse_article(text: str, source: str, zone: ZoneInfo = SHANGHAI) -> Article:
    """The article in a Markdown text with front matter; raises ``UnreadableSource`` naming the field to correct.

    Dates without a time are days in ``zone``; an article valid until a day holds on that day.
    """
    front, body = split_front_matter(text)
    if front is None:
        raise UnreadableSource(source, "no front matter; begin the file with --- id, title and language ---")
    try:
        fields = yaml.safe_load(front) or {}
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f" in line {mark.line + 2}" if mark is not None else ""
        raise UnreadableSource(
            source, f"the front matter is not YAML{where}; put texts with a colon in quotes"
        ) from None
    except ValueError as error:  # a day that is in no calendar
        raise UnreadableSource(
            source, f"a date in the front matter is wrong ({error}); write it like 2026-05-01"
        ) from None
    if not isinstance(fields, dict):
        raise UnreadableSource(source, "the front matter must be fields such as 'title: …'")
    unknown = sorted(str(name) for name in fields if name not in _FIELDS)
    if unknown:
        raise UnreadableSource(source, f"unknown field {unknown[0]!r}; known are {', '.join(sorted(_FIELDS))}")
    article = Article(
        id=_text(fields, "id", source),
        title=_text(fields, "title", source),
        language=_text(fields, "language", source),
        body=body.strip("\n"),
        questions=_texts(fields, "questions", source),
        tags=_texts(fields, "tags", source),
        updated=_day(fields, source),
        audience=audience_of(fields.get("audience"), source),
        valid_from=moment_of(fields.get("valid_from"), "valid_from", source, zone),
        valid_until=moment_of(fields.get("valid_until"), "valid_until", source, zone),
        replaced_by=str(fields["replaced_by"]).strip() if fields.get("replaced_by") else None,
    )
    return check_article(article, source)


def read_article(path: Path) -> Article:
    """The article in a Markdown file with front matter."""
    try:
        return parse_article(path.read_text(encoding="utf-8"), path.name)
    except UnicodeDecodeError:
        raise UnreadableSource(path.name, "not UTF-8 text; save the file as UTF-8") from None
    except OSError as error:
        raise UnreadableSource(path.name, f"cannot be read ({error.strerror}); check the file") from None


def audience_of(value: Any, source: str) -> tuple[str, ...]:
    """The audiences in a list, or in a text that separates them by commas; everybody when there is none."""
    if value is None or value == "":
        return (CUSTOMER,)
    named = re.split(r"[,;，；|、]", value) if isinstance(value, str) else value
    if not isinstance(named, list) or any(not isinstance(name, str) for name in named):
        raise UnreadableSource(source, "'audience' must be a list of names such as customer, member or staff")
    return tuple(dict.fromkeys(lower for name in named if (lower := name.strip().lower())))


def moment_of(value: Any, name: str, source: str, zone: ZoneInfo) -> datetime | None:
    """The moment a day or a date with time stands for, in UTC; a day that ends something ends it at its last midnight."""
    if value is None or value == "":
        return None
    try:
        if type(value) is not date and not isinstance(value, datetime):
            text = str(value).strip()
            value = date.fromisoformat(text) if len(text) == len("2026-05-01") else datetime.fromisoformat(text)
    except ValueError:
        raise UnreadableSource(source, f"{name!r} must be a date such as 2026-05-01") from None
    if isinstance(value, datetime):
        return (value if value.tzinfo else value.replace(tzinfo=zone)).astimezone(UTC)
    return moment_after(value, zone) if name == "valid_until" else first_moment(value, zone)


def _text(fields: Mapping[str, Any], name: str, source: str) -> str:
    value = fields.get(name)
    if value is None or isinstance(value, (dict, list)) or not str(value).strip():
        raise UnreadableSource(source, f"the front matter needs a text in {name!r}")
    return str(value).strip()


def _texts(fields: Mapping[str, Any], name: str, source: str) -> tuple[str, ...]:
    value = fields.get(name) or []
    if not isinstance(value, list) or any(isinstance(item, (dict, list)) or item is None for item in value):
        raise UnreadableSource(source, f"{name!r} in the front matter must be a list of texts")
    return tuple(text for item in value if (text := str(item).strip()))


def _day(fields: Mapping[str, Any], source: str) -> date | None:
    value = fields.get("updated")
    if value is None:
        return None
    try:
        return value if type(value) is date else date.fromisoformat(str(value)[:10])
    except ValueError:
        raise UnreadableSource(source, "'updated' in the front matter must be a date such as 2026-05-01") from None
