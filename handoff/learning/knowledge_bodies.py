"""What the routes of articles and gaps accept."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from handoff.bodies import Body, Identifier, Prose
from knowledge_base.previewing import MAX_QUESTION, MAX_QUESTIONS, MAX_TAG, MAX_TAGS, MAX_TEXT, MAX_TITLE

MAX_ARTICLE_BYTES = 1024 * 1024
_Whole = Annotated[int, Field(ge=1, le=2**31 - 1)]
_Language = Literal["zh", "en"]
_Name = Annotated[str, StringConstraints(pattern=r"^\w[\w.-]{0,79}$")]
_Audience = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_-]{0,31}$")]
_Moment = Annotated[str, StringConstraints(pattern=r"^\d{4}-\d{2}-\d{2}(?:[T ][0-9:.]+(?:Z|[+-]\d{2}:?\d{2})?)?$")]
Flag = Literal["stale", "contradicting", "unused", "ahead", "expired"]


class ArticlesQuery(Body):
    """Which articles to list; ``q`` is looked for in titles, ids, questions, tags and texts."""

    q: Annotated[Prose, Field(max_length=200)] = ""
    state: Literal["", "draft", "published", "archived"] = ""
    language: Literal["", "zh", "en"] = ""
    flag: Literal["", "stale", "contradicting", "unused", "ahead", "one_language"] = ""


class ArticleBody(Body):
    """An article as a trainer writes it; a day without a time is a day in the desk's time zone."""

    id: _Name
    language: _Language
    title: Annotated[Prose, Field(max_length=MAX_TITLE)]
    body: Annotated[Prose, Field(max_length=MAX_TEXT)]
    questions: Annotated[
        tuple[Annotated[Prose, Field(max_length=MAX_QUESTION)], ...], Field(max_length=MAX_QUESTIONS)
    ] = ()
    tags: Annotated[tuple[Annotated[Prose, Field(max_length=MAX_TAG)], ...], Field(max_length=MAX_TAGS)] = ()
    audience: Annotated[tuple[_Audience, ...], Field(max_length=20)] = ()
    valid_from: _Moment | None = None
    valid_until: _Moment | None = None
    replaced_by: _Name | None = None


class CreateBody(Body):
    """A new article, as a draft or published at once."""

    article: ArticleBody
    reason: Annotated[Prose, Field(max_length=500)] = ""
    publish: bool = False


class SaveBody(Body):
    """A new version of the article that its writer saw as ``revision``."""

    article: ArticleBody
    revision: _Whole
    reason: Annotated[Prose, Field(max_length=500)] = ""
    publish: bool = False


class RevisionBody(Body):
    """The version that is meant."""

    revision: _Whole


class RestoreBody(Body):
    """Which older version is to come back, in place of ``revision``."""

    revision: _Whole
    to: _Whole


class DiffQuery(Body):
    """Which two versions to compare."""

    old: _Whole
    new: _Whole


class DraftsBody(Body):
    """Articles of a file that are taken as drafts."""

    source: Annotated[Prose, Field(max_length=200)]
    articles: Annotated[tuple[ArticleBody, ...], Field(min_length=1, max_length=500)]


class PreviewBody(Body):
    """An article that is being written."""

    article: ArticleBody
    new: bool = False


class QuestionBody(Body):
    """A question to try; with a draft, as if that were published, too."""

    text: Annotated[Prose, Field(min_length=1, max_length=500, pattern=r"\S")]
    language: _Language | None = None
    audiences: Annotated[tuple[_Audience, ...], Field(max_length=20)] = ()
    at: _Moment | None = None
    draft: ArticleBody | None = None


class AgreementBody(Body):
    """A pair of sentences that do, or do not, contradict each other."""

    pair: Identifier
    agrees: bool


class GapsQuery(Body):
    """Which gaps to list; ``days`` look back."""

    state: Literal["open", "answered", "rejected"] = "open"
    days: Annotated[int, Field(ge=0, le=3660)] = 0


class ApproveBody(Body):
    """The article that a gap becomes; ``seen`` is the last decision its trainer knew of."""

    article: ArticleBody
    publish: bool
    seen: Identifier | None = None


class MergeBody(Body):
    """The article into which a gap's question, and maybe its answer, are put; ``revision`` as the trainer saw it."""

    article: ArticleBody
    revision: _Whole
    publish: bool
    seen: Identifier | None = None


class RejectBody(Body):
    """Why a gap needs no article."""

    reason: Annotated[Prose, Field(max_length=500)] = ""
    seen: Identifier | None = None
    again: bool = False  #: take a rejection back
