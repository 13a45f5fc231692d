"""Articles as trainers keep them: what is being written, what is published, and every version in between."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

from knowledge_base.articles import Article

State = Literal["draft", "published", "archived"]
Origin = Literal["desk", "file", "upload", "gap"]
ORIGINS: tuple[Origin, ...] = ("desk", "file", "upload", "gap")


@dataclass(frozen=True, slots=True)
class Editor:
    """Who changes an article."""

    id: str
    name: str


@dataclass(frozen=True, slots=True)
class Kept:
    """One article in one language as the desk keeps it, without its words."""

    id: str
    language: str
    revision: int  #: the newest version
    live: int | None  #: the version that is published
    archived: bool
    origin: Origin
    source: str
    created_at: datetime
    created_by: str
    updated_at: datetime
    updated_by: str
    reviewed_at: datetime
    published_at: datetime | None = None

    @property
    def key(self) -> str:
        """As in ``Article.key``."""
        return f"{self.id}/{self.language}"

    @property
    def state(self) -> State:
        """Whether customers may be told it."""
        if self.archived:
            return "archived"
        return "draft" if self.live is None else "published"

    @property
    def ahead(self) -> bool:
        """Whether something newer was written than what is published."""
        return self.live is not None and self.live != self.revision


@dataclass(frozen=True, slots=True)
class Version:
    """What an article said at one time."""

    revision: int
    article: Article
    reason: str
    at: datetime
    by: Editor
    restores: int | None = None


@dataclass(frozen=True, slots=True)
class Opened:
    """An article with its newest version."""

    kept: Kept
    version: Version


class LibraryRefused(Exception):
    """A change that was not made; ``code`` is one of not_found, changed, exists, bad_article, not_published, archived,
    nothing, and ``detail`` says what the other one wrote meanwhile."""

    def __init__(self, code: str, message: str, detail: Mapping[str, Any] | None = None) -> None:
        super().__init__(message)
        self.code = code
        self.detail: dict[str, Any] = dict(detail or {})


@dataclass(frozen=True, slots=True)
class Owned:
    """What the index has to hold of the articles that the desk keeps."""

    revision: int  #: of the library
    live: Mapping[str, str] = field(default_factory=dict)  #: version by key, of what is published
    held: frozenset[str] = frozenset()  #: keys of what is not


@dataclass(frozen=True, slots=True)
class Change:
    """What was done to an article: as it is now, the version that came before (None for a new article), and whether the
    index has it already."""

    kept: Kept
    version: Version
    before: Version | None
    indexed: bool = True
