"""The embedded index and the server index keep the same promises."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest

from knowledge_base.articles import Article
from knowledge_base.entries import Entry, Index, QuestionVectors
from knowledge_base.errors import IndexLocked, IndexUnavailable
from knowledge_base.index import EdgeIndex
from knowledge_base.index_server import ServerIndex
from knowledge_base.index_words import asked_words
from knowledge_base.ledger import Ledger, Line
from knowledge_base.prepared import Prepared
from knowledge_base.readers import Reader
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


def entries(of: Article, staged_in: int = 1) -> list[Entry]:
    prepared = Prepared(of)
    rows = ENCODER.passages([*prepared.questions, *prepared.searched])
    return [
        Entry(
            ref=prepared.head.ref(place),
            use=row,
            e5=row,
            words=prepared.words[place],
            text=of.to_json() if place == 0 else {"anchor": f"part-{place}"},
            head=prepared.head if place == 0 else None,
            staged_in=staged_in,
            terms=prepared.head.terms,
        )
        for place, row in enumerate(rows)
    ]


def store(index: Index, *articles: Article) -> None:
    for one in articles:
        index.stage(entries(one))
    index.publish([Prepared(one).head for one in articles])


def ask(text: str) -> QuestionVectors:
    row = ENCODER.questions([text])[0]
    return QuestionVectors(row, row, asked_words(text))


def points_of(of: Article) -> set[int]:
    return {ref.point_id for ref in Prepared(of).head.refs()}


def near(index: Index, text: str, language: str = "en", reader: Reader | None = None) -> list[str]:
    """Ids of articles, those first whose best entry has the highest cosine."""
    by_point = {ref.point_id: head.id for head in index.heads() for ref in head.refs()}
    found = index.nearest(ask(text), [language], 10, reader)
    scored = [
        (score, by_point[point])
        for one in found
        if one.space == "e5"
        for point, score in zip(one.points.tolist(), one.scores.tolist(), strict=True)
    ]
    return list(dict.fromkeys(name for _, name in sorted(scored, reverse=True)))


def stored_articles(index: Index) -> dict[str, Article]:
    texts = index.texts([head.ref(0).point_id for head in index.heads()])
    return {one.key: one for text in texts if text for one in [Article.from_json(text)]}


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
    assert near(index, "refund") == []
    assert index.heads() == []
    index.publish([Prepared(one).head])
    assert near(index, "refund") == ["refunds"]
    assert index.heads() == [Prepared(one).head]


def test_a_new_version_replaces_the_old_one_and_leaves_translations(index: Index) -> None:
    store(index, *small_shop())
    changed = article(body="Refunds take two days now.")
    store(index, changed)
    stored = stored_articles(index)
    assert stored["refunds/en"] == changed
    assert stored.keys() == {one.key for one in small_shop()}
    assert index.stored(sorted(points_of(article())), vectors=False).keys() == points_of(article()) & points_of(changed)


def test_of_two_versions_that_a_crash_left_the_newer_one_is_named_last(index: Index) -> None:
    old, new = article(), article(body="Refunds take two days now.")
    store(index, new)
    index.stage(entries(old, staged_in=0))
    shelf_both_without_deleting(index, old)
    assert index.heads() == [Prepared(old).head, Prepared(new).head]


def shelf_both_without_deleting(index: Index, old: Article) -> None:
    """Publishes as far as a crash before the deletion would let it."""
    points = [ref.point_id for ref in Prepared(old).head.refs()]
    if isinstance(index, EdgeIndex):
        from qdrant_edge import UpdateOperation

        index._update(UpdateOperation.set_payload(points, {"shelf": "question/en"}))
    elif isinstance(index, ServerIndex):
        index._client.set_payload(index._collection, {"shelf": "question/en"}, points=points)


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
    assert {head.id for head in index.heads() if head.language == "en"} == {"delivery"}
    assert near(index, "warranty") == ["delivery"]


def test_the_generation_changes_with_everything_that_searches_can_notice(index: Index) -> None:
    seen = [index.generation()]
    for change in (
        lambda: store(index, *small_shop()),
        lambda: store(index, article(body="Two days now.")),
        lambda: index.remove(["refunds/en"]),
    ):
        change()
        seen.append(index.generation())
    assert len(set(seen)) == len(seen)
    index.stage(entries(article()))
    assert index.generation() == seen[-1]


def test_every_space_is_searched_in_every_language_asked_for(index: Index) -> None:
    store(index, *small_shop())
    lists = index.nearest(ask("refund 退款"), ["zh", "en"], 10)
    assert {(one.language, one.kind, one.space) for one in lists} == {
        (language, kind, space)
        for language in ("zh", "en")
        for kind, space in (
            *(("question", space) for space in ("use", "e5", "words")),
            *(("passage", space) for space in ("e5", "words")),
        )
    }
    assert all(one.scores.tolist() == sorted(one.scores.tolist(), reverse=True) for one in lists)


def test_stored_vectors_and_words_are_read_back(index: Index) -> None:
    store(index, article())
    written = {entry.ref.point_id: entry for entry in entries(article())}
    read = index.stored(list(written), vectors=True)
    assert read.keys() == written.keys()
    for point, entry in written.items():
        assert np.allclose(read[point].e5, entry.e5, atol=1e-3)
        assert np.allclose(read[point].use, entry.use, atol=1e-3)
        assert sorted(read[point].words.indices) == sorted(entry.words.indices)
    assert index.stored([123], vectors=False) == {}


def test_texts_come_in_the_order_they_were_asked_for(index: Index) -> None:
    store(index, article())
    points = [entry.ref.point_id for entry in entries(article())]
    texts = index.texts([points[-1], 123, points[0]])
    assert texts == [{"anchor": f"part-{len(points) - 1}"}, None, article().to_json()]


def test_cosines_on_a_server_are_those_of_the_ledger(tmp_path: Path) -> None:
    server = ServerIndex(":memory:", "articles", {"use": 128, "e5": 128})
    store(server, *small_shop())
    ledger = Ledger(tmp_path / "ledger", (128, 128))
    for one in small_shop():
        lines = [Line(entry.ref.point_id, entry.words, np.concatenate([entry.use, entry.e5])) for entry in entries(one)]
        ledger.add([(Prepared(one).head, lines)])
    view = ledger.view
    rows = view.rows_of(list(view.numbers.values()))
    question = ask("long refund")
    use, e5 = view.near(rows, question.use, question.e5)
    remote_use, remote_e5 = server.similarities(question, list(view.numbers))
    points = view.points[rows].tolist()
    assert use.tolist() == pytest.approx([remote_use[point] for point in points], abs=2e-3)
    assert e5.tolist() == pytest.approx([remote_e5[point] for point in points], abs=2e-3)
    server.close()


def test_a_question_without_words_is_still_searched(index: Index) -> None:
    store(index, *small_shop())
    assert len(near(index, "???")) == 3
    assert "words" not in {one.space for one in index.nearest(ask("???"), ["en"], 10)}


def test_an_embedded_index_keeps_everything_when_it_is_opened_again(tmp_path: Path) -> None:
    with edge_index(tmp_path / "index") as index:
        store(index, *small_shop())
    with edge_index(tmp_path / "index") as again:
        assert stored_articles(again) == {one.key: one for one in small_shop()}
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
    (tmp_path / "shard-0").mkdir()
    (tmp_path / "shard-0" / "edge_config.json").write_text("{broken")
    with pytest.raises(IndexUnavailable, match="load the articles again"):
        EdgeIndex(tmp_path, {"use": 128, "e5": 128})


def test_a_server_that_does_not_answer_is_named() -> None:
    with pytest.raises(IndexUnavailable, match=r"http://127\.0\.0\.1:9 did not answer.*QDRANT_URL"):
        ServerIndex("http://127.0.0.1:9", "articles", {"use": 4, "e5": 4}, timeout_seconds=1)
