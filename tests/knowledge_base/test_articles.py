"""Articles are read as written, and a bad file says what to correct."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from knowledge_base.articles import Article, parse_article, read_article
from knowledge_base.errors import UnreadableSource
from tests.knowledge_base.builders import article

GOOD = """---
id: refunds
title: "Refunds: how long?"
language: en
questions:
  - When is my money back?
tags: [returns, money]
updated: 2026-05-01
---
Three days.

## Cards
Seven days.
"""


def test_front_matter_and_body_become_an_article() -> None:
    read = parse_article(GOOD, "refunds.md")
    assert read == Article(
        id="refunds",
        title="Refunds: how long?",
        language="en",
        body="Three days.\n\n## Cards\nSeven days.",
        questions=("When is my money back?",),
        tags=("returns", "money"),
        updated=date(2026, 5, 1),
    )


def test_windows_line_ends_and_a_byte_order_mark_change_nothing(tmp_path: Path) -> None:
    path = tmp_path / "a.md"
    path.write_bytes(("\ufeff" + GOOD.replace("\n", "\r\n")).encode())
    assert read_article(path) == parse_article(GOOD, "a.md")


@pytest.mark.parametrize(
    "changed",
    [{"title": "Other"}, {"body": "Other"}, {"questions": ()}, {"tags": ("x",)}, {"updated": date(2026, 1, 1)}],
)
def test_every_change_gives_a_new_version(changed: dict[str, object]) -> None:
    original = parse_article(GOOD, "a.md")
    assert replace(original, **changed).version != original.version  # type: ignore[arg-type]


def test_equal_articles_have_equal_versions_and_survive_storage() -> None:
    original = parse_article(GOOD, "a.md")
    stored = Article.from_json(original.to_json())
    assert stored == original
    assert stored.version == original.version


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("Just text", "no front matter"),
        (GOOD.replace("id: refunds\n", ""), "'id'"),
        (GOOD.replace("language: en", "language: fr"), "'fr'"),
        (GOOD.replace("id: refunds", "id: a/b"), "letters, digits"),
        (GOOD.replace('"Refunds: how long?"', "Refunds: how: long?"), "line 3"),
        (GOOD.replace("tags: [returns, money]", "tags: money"), "'tags'"),
        (GOOD.replace("updated: 2026-05-01", "updated: spring"), "'updated'"),
        (GOOD.replace("tags:", "tag:"), "'tag'"),
        ("---\nid: a\ntitle: b\nlanguage: en\n---\n", "no text"),
    ],
)
def test_a_bad_file_names_what_to_correct(text: str, hint: str) -> None:
    with pytest.raises(UnreadableSource) as problem:
        parse_article(text, "bad.md")
    assert str(problem.value).startswith("bad.md: ")
    assert hint in str(problem.value)


def test_urls_of_articles_are_safe_to_paste() -> None:
    assert article("退款").url == "/kb/en/%E9%80%80%E6%AC%BE"
