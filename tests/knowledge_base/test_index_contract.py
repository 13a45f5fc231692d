"""The embedded index and the server index keep the same promises."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from knowledge_base.articles import Article
from knowledge_base.catalog import questions_of, searched_text, shelve
from knowledge_base.entries import Entry, Index, QuestionVectors, Terms
from knowledge_base.errors import IndexLocked, IndexUnavailable
from knowledge_base.index import EdgeIndex
from knowledge_base.index_server import ServerIndex
from knowledge_base.index_words import asked_words, best_possible, stored_words
from knowledge_base.readers import Reader
from knowledge_base.vocabulary import Vocabulary
from tests.knowledge_base.builders import WordEncoder, article, edge_index, small_shop

ENCODER = WordEncoder()


@pytest.fixture(params=["edge", "server"])
def index(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Index]:
    if request.param == "edge":
        with edge_index(tmp_path / "index") as edge:
            yield edge
        return
    server = ServerIndex(":memory:", "articles", {"use": 128, "e5": 128})
    yield server
    server.close()


def entries(of: Article) -> list[Entry]:
    shelf = shelve(of)
    texts = [*questions_of(of), *(searched_text(passage) for passage in shelf.passages)]
    rows = ENCODER.passages(texts).tolist()
    return [
        Entry(
            ref=ref,
            use=row,
            e5=row,
            words=stored_words(text),
            article=of.to_json() if place == 0 else None,
            terms=Terms.of(of),
        )
        for place, (ref, row, text) in enumerate(zip(shelf.refs, rows, texts, strict=True))
    ]


def store(index: Index, *articles: Article) -> None:
    for one in articles:
        index.stage(entries(one))
    index.publish([(one.key, one.version) for one in articles])


def ask(text: str) -> QuestionVectors:
    row = ENCODER.questions([text])[0].tolist()
    return QuestionVectors(row, row, asked_words(text))


def near(index: Index, text: str, language: str = "en", reader: Reader | None = None) -> list[str]:
    stored = map(Article.from_json, index.articles())
    by_point = {ref.point_id: ref.article_id for one in stored for ref in shelve(one).refs}
    found = index.find_near(ask(text), language, 10, reader or Reader())
    return list(dict.fromkeys(by_point[point] for point in found))


def test_the_nearest_article_comes_first_in_its_language(index: Index) -> None:
    store(index, *small_shop())
    assert near(index, "how long until the refund")[0] == "refunds"
    assert near(index, "warranty on water damage")[0] == "warranty"
    assert near(index, "怎么开发票", "zh")[0] == "invoices"


def test_a_search_stays_within_one_language(index: Index) -> None:
    store(index, *small_shop())
    assert set(near(index, "退款多久", "zh")) == {"refunds", "invoices"}


def test_staged_articles_are_not_found_before_they_are_published(index: Index) -> None:
    one = article()
    index.stage(entries(one))
    assert index.find_near(ask("refund"), "en", 10, Reader()) == []
    assert index.articles() == []
    index.publish([(one.key, one.version)])
    assert index.find_near(ask("refund"), "en", 10, Reader()) != []
    assert [stored["id"] for stored in index.articles()] == ["refunds"]


def test_a_new_version_replaces_the_old_one_and_leaves_translations(index: Index) -> None:
    store(index, *small_shop())
    changed = article(body="Refunds take two days now.")
    store(index, changed)
    stored = {Article.from_json(one).key: Article.from_json(one) for one in index.articles()}
    assert stored["refunds/en"] == changed
    assert stored.keys() == {one.key for one in small_shop()}
    points = {ref.point_id for ref in shelve(changed).refs}
    assert set(index.signals(ask("refund"), ["refunds/en"]).e5) == points


def test_a_search_finds_only_what_the_reader_may_read_today(index: Index) -> None:
    june, july, august = (datetime(2026, month, 1, tzinfo=UTC) for month in (6, 7, 8))
    refunds, *_ = small_shop()
    store(
        index,
        replace(refunds, audience=("member", "staff")),
        replace(article("delivery", "When will my parcel arrive?", "Soon."), valid_from=june, valid_until=july),
    )
    by_reader = {
        name: set(near(index, "when does the refund or parcel arrive", reader=reader))
        for name, reader in {
            "customer in May": Reader(at=june - timedelta(seconds=1)),
            "customer in June": Reader(at=june),
            "member in June": Reader.of(["member"], june),
            "member in July": Reader.of(["member"], july),
            "business in August": Reader.of(["business"], august),
        }.items()
    }
    assert by_reader == {
        "customer in May": set(),
        "customer in June": {"delivery"},
        "member in June": {"delivery", "refunds"},
        "member in July": {"refunds"},
        "business in August": set(),
    }


def test_removed_articles_are_gone(index: Index) -> None:
    store(index, *small_shop())
    index.remove(["refunds/en", "warranty/en"])
    assert {stored["id"] for stored in index.articles() if stored["language"] == "en"} == {"delivery"}
    assert near(index, "warranty") == ["delivery"]


def test_signals_cover_every_entry_of_the_articles_and_nothing_else(index: Index) -> None:
    store(index, *small_shop())
    refs = {ref.point_id for one in small_shop() if one.id == "warranty" for ref in shelve(one).refs}
    found = index.signals(ask("warranty for the phone"), ["warranty/en"])
    assert set(found.e5) == refs
    assert set(found.use) == refs
    assert set(found.words) <= refs
    assert found.words
    assert all(-1.001 <= score <= 1.001 for score in (*found.e5.values(), *found.use.values()))


def test_cosines_do_not_depend_on_the_kind_of_index(tmp_path: Path) -> None:
    server = ServerIndex(":memory:", "articles", {"use": 128, "e5": 128})
    with edge_index(tmp_path / "index") as edge:
        for one in (edge, server):
            store(one, *small_shop())
        keys = [one.key for one in small_shop()]
        left, right = edge.signals(ask("long refund"), keys), server.signals(ask("long refund"), keys)
        assert left.e5 == pytest.approx(right.e5, abs=1e-4)
        assert left.use == pytest.approx(right.use, abs=1e-4)
        assert left.words == pytest.approx(right.words, rel=1e-3)
    server.close()


def test_no_text_has_more_of_a_question_than_all_its_words(index: Index) -> None:
    store(index, *small_shop())
    vocabulary = Vocabulary.of(index.words())
    assert len(vocabulary.words) == sum(len(shelve(one).refs) for one in small_shop())
    question = ask("how long does a refund take")
    best = best_possible(question.words, vocabulary)
    assert 0.3 < max(index.signals(question, ["refunds/en"]).words.values()) / best <= 1.05


def test_a_question_without_words_is_still_searched(index: Index) -> None:
    store(index, *small_shop())
    assert len(near(index, "???")) == 3
    assert index.signals(ask("???"), ["refunds/en"]).words == {}


def test_an_embedded_index_keeps_everything_when_it_is_opened_again(tmp_path: Path) -> None:
    with edge_index(tmp_path / "index") as index:
        store(index, *small_shop())
    with edge_index(tmp_path / "index") as again:
        assert len(again.articles()) == len(small_shop())
        assert near(again, "refund")[0] == "refunds"


def test_a_second_process_is_told_who_has_the_index(tmp_path: Path) -> None:
    directory = tmp_path / "index"
    script = (
        "import sys; from pathlib import Path; from knowledge_base.index import EdgeIndex\n"
        "from knowledge_base.errors import IndexLocked\n"
        "try: EdgeIndex(Path(sys.argv[1]), {'use': 128, 'e5': 128})\n"
        "except IndexLocked as problem: print(problem)\n"
    )
    with edge_index(directory):
        with pytest.raises(IndexLocked):
            EdgeIndex(directory, {"use": 128, "e5": 128})
        other = subprocess.run(
            [sys.executable, "-c", script, str(directory)], capture_output=True, text=True, check=True, timeout=120
        )
    assert "another process has the index" in other.stdout
    assert "QDRANT_URL" in other.stdout


def test_a_damaged_index_says_what_to_delete(tmp_path: Path) -> None:
    (tmp_path / "edge_config.json").write_text("{broken")
    with pytest.raises(IndexUnavailable, match="load the articles again"):
        EdgeIndex(tmp_path, {"use": 128, "e5": 128})


def test_a_server_that_does_not_answer_is_named() -> None:
    with pytest.raises(IndexUnavailable, match=r"http://127\.0\.0\.1:9 did not answer.*QDRANT_URL"):
        ServerIndex("http://127.0.0.1:9", "articles", {"use": 4, "e5": 4}, timeout_seconds=1)
