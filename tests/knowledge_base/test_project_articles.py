"""The articles, test questions and stored calibration that come with the project fit together."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import knowledge_base
from knowledge_base.articles import LANGUAGES
from knowledge_base.calibration import load_calibration
from knowledge_base.evaluate import read_queries
from knowledge_base.importing import find_sources, read_sources
from knowledge_base.prepared import questions_of
from knowledge_base.ranking import FEATURES
from knowledge_base.splitting import split

ROOM = Path(knowledge_base.__file__).parent


def files_of(part: str, language: str = "*") -> list[Path]:
    """The files of questions that measure retrieval; ``answers.*`` measure what is quoted."""
    return [path for path in (ROOM / part).glob(f"*.{language}.jsonl") if not path.name.startswith("answers.")]


def test_every_article_can_be_read_and_lies_where_its_id_and_language_say() -> None:
    paths = find_sources([ROOM / "articles"])
    articles, problems = read_sources(paths)
    assert problems == []
    assert {f"{path.stem}/{path.parent.name}" for path in paths} == {article.key for article in articles}
    assert all(split(article) for article in articles)


@pytest.mark.parametrize("language", LANGUAGES)
def test_development_and_test_questions_are_strangers(language: str) -> None:
    development = {query.text for path in files_of("dev", language) for query in read_queries(path)}
    test = {query.text for path in files_of("test", language) for query in read_queries(path)}
    assert development
    assert not development & test


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_article_stores_a_question_it_is_tested_with(language: str) -> None:
    articles = read_sources(find_sources([ROOM / "articles" / language]))[0]
    stored = {_bare(question) for article in articles for question in questions_of(article)}
    for part in ("dev", "test"):
        asked = {_bare(query.text) for path in files_of(part) for query in read_queries(path)}
        assert not stored & asked


def _bare(question: str) -> str:
    return re.sub(r"\W+", "", question.lower())


def test_every_question_points_at_an_article_that_exists() -> None:
    ids = {article.id for article in read_sources(find_sources([ROOM / "articles"]))[0]}
    for path in (*files_of("test"), *files_of("dev")):
        for query in read_queries(path):
            assert query.relevant <= ids, f"{path.name}: {query.text}"


def test_the_stored_calibration_orders_good_above_bad() -> None:
    calibration = load_calibration()
    none = dict.fromkeys(FEATURES, 0.0) | {"setting": 0.8, "length": 0.4}
    near = {"use": 0.7, "question": 0.9, "passage": 0.85, "passage_use": 0.6}
    far = {"use": 0.3, "question": 0.83, "passage": 0.74, "passage_use": 0.2}
    good = none | near | {"lead": 2.0, "above": 8.0, "covered": 0.9}
    bad = none | far | {"lead": 0.1, "above": 4.0, "covered": 0.3, "unknown": 0.5}
    for language in LANGUAGES:
        assert calibration.score(good, language) > calibration.gate > calibration.score(bad, language)
    assert set(calibration.advantage) == set(LANGUAGES)
