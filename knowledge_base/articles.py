"""An article as its author writes it: Markdown with front matter, one file per language, one id for all languages."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any
from urllib.parse import quote

import yaml

from knowledge_base.errors import UnreadableSource

LANGUAGES = ("zh", "en")
MAX_BODY = 2_000_000  #: characters; more than this is a book, not an article
_ID = re.compile(r"\w[\w.-]{0,79}")
_FIELDS = {"id", "title", "language", "questions", "tags", "updated"}


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

    @property
    def key(self) -> str:
        """What names this article in this language."""
        return f"{self.id}/{self.language}"

    @property
    def version(self) -> str:
        """A hash of everything that is searched or shown: equal versions need no new encoding."""
        content = [self.id, self.title, self.language, self.body, list(self.questions), list(self.tags)]
        content.append(self.updated.isoformat() if self.updated else "")
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
        }

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> Article:
        """The article that ``to_json`` described."""
        updated = stored.get("updated")
        return cls(
            id=stored["id"],
            title=stored["title"],
            language=stored["language"],
            body=stored["body"],
            questions=tuple(stored["questions"]),
            tags=tuple(stored["tags"]),
            updated=date.fromisoformat(updated) if updated else None,
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
        raise UnreadableSource(source, f"more than {MAX_BODY} characters; split it into several articles")
    return article


def split_front_matter(text: str) -> tuple[str | None, str]:
    """The YAML between the leading ``---`` lines (None without any) and the Markdown after it."""
    text = text.removeprefix("\ufeff").replace("\r\n", "\n")
    match = re.match(r"---[ \t]*\n(.*?\n)?---[ \t]*(?:\n|$)", text, re.DOTALL)
    if match is None:
        return None, text
    return match.group(1) or "", text[match.end() :]


def parse_article(text: str, source: str) -> Article:
    """The article in a Markdown text with front matter; raises ``UnreadableSource`` naming the field to correct."""
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
