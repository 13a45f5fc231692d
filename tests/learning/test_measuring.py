"""Questions to the index, two results beside each other, and what cross-validation says about examples."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from knowledge_base.articles import Article, Passage
from knowledge_base.evaluate import Outcome, Query
from knowledge_base.knowledge_base import Hit
from learning.changes import Example
from learning.cross_notes import CrossNotes
from learning.example_check import Note
from learning.job_store import Job
from learning.knowledge_tests import KnowledgeTesting, measured, mistake, own_questions, questions_of
from learning.saved_tests import Question
from learning.side_by_side import compared
from tests.learning.example_shelf import make_folder


def query(text: str, *relevant: str, language: str = "en") -> Query:
    return Query(text, frozenset(relevant), language)


@pytest.mark.parametrize(("relevant", "found", "score", "kind"), [
    (("a",), ("a", "b"), 0.9, None),
    (("a",), ("a", "b"), 0.1, "withheld"),
    (("a",), ("b", "a"), 0.9, "wrong_article"),
    (("a",), ("b", "a"), 0.1, "withheld"),
    (("a",), ("b", "c", "d", "a"), 0.1, "missed"),
    (("a",), (), 0.0, "missed"),
    ((), ("a",), 0.9, "answered"),
    ((), ("a",), 0.1, None),
])  # fmt: skip
def test_what_counts_as_a_mistake(
    relevant: tuple[str, ...], found: tuple[str, ...], score: float, kind: str | None
) -> None:
    assert mistake(Outcome(query("x", *relevant), found, score, 1.0), 0.5) == kind


def test_questions_about_articles_that_are_not_there_are_left_out() -> None:
    saved = [Question("en", "mine", ("warranty",)), Question("en", "old", ("gone",)), Question("en", "none", ())]
    own = [query("theirs", "delivery"), query("other", "unknown"), query("nobody knows")]
    kept, left_out = questions_of(saved, own, frozenset({"warranty", "delivery"}))
    assert [one.text for one in kept] == ["mine", "none", "theirs", "nobody knows"]
    assert left_out == 2
    kept, left_out = questions_of(saved, own, frozenset({"warranty"}))
    assert [one.text for one in kept] == ["mine", "none"]


def test_the_product_brings_questions_of_its_own() -> None:
    questions = own_questions()
    assert len(questions) > 400
    assert {one.language for one in questions} == {"zh", "en"}
    assert any(not one.relevant for one in questions)


class TwoArticles:
    """Finds the warranty for whatever names it."""

    def articles(self) -> list[Article]:
        return [Article(id=one, title=one.title(), language="en", body="x") for one in ("warranty", "delivery")]

    async def search(self, text: str, language: str | None = None, limit: int = 10) -> list[Hit]:
        score = 0.9 if "warranty" in text else 0.2
        return [Hit(Passage("warranty", "en", "a", "Warranty", (), "x", "v", 0), score)]


async def test_figures_and_mistakes_of_a_run() -> None:
    heard: list[int] = []
    queries = [query("warranty?", "warranty"), query("delivery?", "delivery"), query("warranty on the moon?")]
    result = await measured(TwoArticles(), queries, 1, 0.5, heard.append)
    assert heard == [3]
    assert result["sections"]["all"]["recall@1"] == 0.5
    assert result["sections"]["all"]["refused_recall"] == 0.0
    assert result["sections"]["zh"]["queries"] == 0
    assert [(one["kind"], one["text"]) for one in result["mistakes"]] == [
        ("answered", "warranty on the moon?"),
        ("missed", "delivery?"),
    ]
    assert result["mistakes"][1]["expected"] == [{"article_id": "delivery", "title": "Delivery"}]


async def test_one_run_at_a_time_and_what_it_found_is_told() -> None:
    found: list[dict[str, Any]] = []

    async def done(result: dict[str, Any]) -> None:
        found.append(result)

    testing = KnowledgeTesting(TwoArticles(), lambda: 0.5, lambda: [query("delivery?", "delivery")])
    assert testing.begin([Question("en", "warranty?", ("warranty",))], done)
    assert not testing.begin([], done)
    assert testing._task is not None
    await testing._task
    assert (found[0]["saved"], found[0]["left_out"], found[0]["mistakes_in_all"]) == (1, 0, 1)
    assert not testing.running


# -- side by side


def result(
    accuracy: float, wrong: list[tuple[str, str]], *, same: str = "s", stories: dict[str, bool] | None = None
) -> Any:
    section = {"figures": {"accuracy": accuracy, "ece": 0.01}, "intents": [{"name": "greet", "f1": accuracy}]}
    return {
        "set": same,
        "thresholds": None,
        "sections": {"all": section},
        "wrong": [{"language": "en", "intent": intent, "text": text, "predicted": "joke"} for intent, text in wrong],
        "stories": [{"name": name, "title": name, "passed": passed} for name, passed in (stories or {}).items()],
    }


def test_lines_that_only_one_of_two_gets_right() -> None:
    one = result(0.9, [("greet", "a"), ("greet", "b")], stories={"x": True, "y": True})
    other = result(0.8, [("greet", "b"), ("greet", "c")], stories={"x": False, "y": True, "z": True})
    found = compared(one, other)
    assert [line["text"] for line in found["only_one_right"]] == ["c"]
    assert [line["text"] for line in found["only_other_right"]] == ["a"]
    assert [story["name"] for story in found["stories"]] == ["x"]
    assert found["sections"]["all"]["intents"] == [{"name": "greet", "one": 0.9, "other": 0.8}]
    assert found["sections"]["all"]["figures"]["accuracy"] == {"one": 0.9, "other": 0.8, "more_is_better": True}


def test_other_lines_are_not_compared_line_by_line() -> None:
    found = compared(result(0.9, [("greet", "a")]), result(0.8, [], same="t"))
    assert not found["same_set"]
    assert found["only_one_right"] is None


# -- cross-validation at the examples


def job(job_id: str, *wrong: dict[str, Any]) -> Job:
    now = datetime(2026, 3, 10, tzinfo=UTC)
    done = {"wrong": list(wrong)}
    return Job(job_id, "cross_validate", "done", "m", {}, None, done, None, 1, None, "a", "Mei", now, now, now)


async def test_an_example_that_others_contradict_is_noted_until_it_is_reworded(tmp_path: Path) -> None:
    folder = make_folder(tmp_path)
    shelf = folder.look()
    newest: list[Job | None] = [None]

    async def latest() -> Job | None:
        return newest[0]

    notes = CrossNotes(latest)
    hello = Example("en", "greet", "hello")
    others = {hello: (Note("bot", 0.5, None, "thanks"),)}
    assert await notes.beside(others, shelf) is others
    taken = {"language": "en", "intent": "greet", "text": "hello", "predicted": "joke", "confidence": 0.8}
    newest[0] = job("1", taken, {**taken, "text": "an example that is gone"})
    found = await notes.beside(others, shelf)
    assert found == {hello: (Note("bot", 0.5, None, "thanks"), Note("crossed", 0.8, None, "joke"))}
    assert await notes.beside(others, shelf) is found
    newest[0] = job("2")
    assert await notes.beside(others, shelf) == others
