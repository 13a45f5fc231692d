"""Articles and what is known of them, as the console gets them."""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from conversations.json_form import moment
from knowledge_base.articles import Article, Passage
from knowledge_base.contradicting import Contradiction, Mark, Said
from knowledge_base.library_model import Kept, Version
from knowledge_base.previewing import Preview
from knowledge_base.trying import Tried
from learning.article_usage import Usage


def article_json(article: Article) -> dict[str, Any]:
    """All of an article."""
    return {
        "id": article.id,
        "language": article.language,
        "title": article.title,
        "body": article.body,
        "questions": list(article.questions),
        "tags": list(article.tags),
        "audience": list(article.audience),
        "valid_from": moment(article.valid_from),
        "valid_until": moment(article.valid_until),
        "replaced_by": article.replaced_by,
        "updated": article.updated.isoformat() if article.updated else None,
    }


def kept_json(kept: Kept) -> dict[str, Any]:
    """How an article is kept."""
    times = ("created_at", "updated_at", "reviewed_at", "published_at")
    form = asdict(kept) | {name: moment(getattr(kept, name)) for name in times}
    return form | {"state": kept.state, "ahead": kept.ahead}


def version_json(version: Version) -> dict[str, Any]:
    """A version without its words."""
    return {
        "revision": version.revision,
        "reason": version.reason,
        "at": moment(version.at),
        "by_name": version.by.name,
        "restores": version.restores,
    }


def usage_json(usage: Usage | None) -> dict[str, Any]:
    """How an article was used."""
    found = usage or Usage()
    return asdict(found) | {"last_at": moment(found.last_at), "handed_off_share": found.handed_off_share}


def passage_json(passage: Passage) -> dict[str, Any]:
    """A passage as it is cut."""
    return {"anchor": passage.anchor, "headings": list(passage.headings), "text": passage.text}


def preview_json(preview: Preview) -> dict[str, Any]:
    """An article as it would be published."""
    return {
        "article": article_json(preview.article),
        "passages": [passage_json(one) for one in preview.passages],
        "problems": [{"code": one.code, "detail": one.detail, "stops": one.stops} for one in preview.problems],
        "ready": not any(one.stops for one in preview.problems),
    }


def tried_json(tried: Tried) -> dict[str, Any]:
    """What became of a question that was tried."""
    answer = tried.answer
    return {
        "language": tried.language,
        "understood": tried.understood,
        "gate": tried.gate,
        "audiences": list(tried.audiences),
        "candidates": [
            {
                "article_id": one.passage.article_id,
                "language": one.passage.language,
                "title": one.passage.title,
                "headings": list(one.passage.headings),
                "text": one.passage.text,
                "url": one.passage.url,
                "probability": one.probability,
                "standing": one.standing,
                "steps": one.steps,
                "drafted": one.drafted,
                "reaches": one.probability >= tried.gate,
            }
            for one in tried.candidates
        ],
        "answer": None
        if answer is None
        else {"text": answer.text, "title": answer.citation.title, "article_id": answer.citation.article_id},
        "asked_back": list(tried.asked_back),
    }


def contradiction_json(one: Contradiction) -> dict[str, Any]:
    """Two sentences that cannot both hold."""
    return {
        "pair": one.pair,
        "kind": one.kind,
        "nearness": one.nearness,
        "sides": [_side(one.first, one.marks[0]), _side(one.second, one.marks[1])],
    }


def _side(said: Said, marks: Sequence[Mark]) -> dict[str, Any]:
    article = said.article
    return {
        "article_id": article.id,
        "language": article.language,
        "title": article.title,
        "text": said.text,
        "marks": [[one.start, one.end] for one in marks],
    }


def differences(old: Article, new: Article) -> list[dict[str, str]]:
    """What changed, line by line: each line with whether it is kept, gone or new; then the fields that changed."""
    lines: list[dict[str, str]] = []
    for line in difflib.ndiff(old.body.splitlines(), new.body.splitlines()):
        kind = {"  ": "kept", "- ": "gone", "+ ": "new"}.get(line[:2])
        if kind is not None:
            lines.append({"kind": kind, "text": line[2:]})
    return lines


def changed_fields(old: Article, new: Article) -> list[dict[str, Any]]:
    """The fields beside the text that changed, with both values."""
    one, other = article_json(old), article_json(new)
    names = ("title", "questions", "tags", "audience", "valid_from", "valid_until", "replaced_by")
    return [{"field": name, "old": one[name], "new": other[name]} for name in names if one[name] != other[name]]


def row_json(
    article: Article, kept: Kept | None, usage: Usage | None, stale: Sequence[str], contradicting: Mapping[str, int]
) -> dict[str, Any]:
    """An article in the list; ``kept`` is None for one that only lies in a file."""
    return {
        "id": article.id,
        "language": article.language,
        "title": article.title,
        "tags": list(article.tags),
        "audience": list(article.audience),
        "valid_from": moment(article.valid_from),
        "valid_until": moment(article.valid_until),
        "state": kept.state if kept else "published",
        "ahead": kept.ahead if kept else False,
        "origin": kept.origin if kept else "file",
        "edited": kept is not None,
        "updated_at": moment(kept.updated_at) if kept else None,
        "updated_by": kept.updated_by if kept else None,
        "updated": article.updated.isoformat() if article.updated else None,
        "stale": list(stale),
        "contradicting": contradicting.get(article.key, 0),
        "usage": usage_json(usage),
    }
