"""The ledger says what is published, survives crashes up to its last commit, and starts anew when damaged."""

from __future__ import annotations

import tempfile
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from knowledge_base import ledger as ledger_module
from knowledge_base.columns import slices
from knowledge_base.entries import Head, Sparse
from knowledge_base.ledger import Ledger, Line
from knowledge_base.postings import turned_around
from knowledge_base.view import View, halved, restored

Article = tuple[Head, list[Line]]


def entry(article: str, place: int, version: str) -> Line:
    seed = zlib.crc32(f"{article} {place} {version}".encode())
    words = sorted({seed % 50, seed // 50 % 50, 4_000_000_000 + place})
    return Line(seed % 2**63, Sparse(words, [1.0 + place / 8] * len(words)), np.full(5, 1 + place / 4))


def article(name: str, language: str = "en", version: str = "1", questions: int = 2, passages: int = 1) -> Article:
    head = Head(name, language, version, questions, passages)
    return head, [entry(head.key, place, version) for place in range(head.entries)]


def open_ledger(directory: Path) -> Ledger:
    return Ledger(directory, (2, 3))


def content(view: View) -> dict[str, list[tuple[int, list[int], list[float]]]]:
    """For each article the points, words and vectors of its entries, as any reader would find them."""
    found = {}
    for key, number in view.numbers.items():
        found[key] = []
        for row in view.rows_of([number]):
            numbers, weights, _ = view.words_of(np.array([row]))
            hashes = view.vocabulary.hashes[numbers].tolist()
            assert view.vectors is not None
            vector = [*restored(view.vectors[row]).tolist(), *weights.tolist()]
            found[key].append((int(view.points[row]), hashes, vector))
    return found


def test_articles_are_found_by_key_by_point_and_by_shelf(tmp_path: Path) -> None:
    ledger = open_ledger(tmp_path)
    ledger.add([article("refunds"), article("refunds", "zh", passages=2), article("gifts", questions=1)])
    view = ledger.view
    assert (view.entries, view.passages, len(view.numbers)) == (9, 4, 3)
    assert [view.heads[number].language for number in view.translations["refunds"]] == ["en", "zh"]
    point = view.point_of("refunds/zh", 3)
    assert view.place(view.find_rows(np.array([point], dtype=np.uint64))).tolist() == [3]
    assert view.find_rows(np.array([5], dtype=np.uint64)).tolist() == [-1]
    assert {shelf: len(rows) for shelf, rows in view.shelves.items()} == {
        ("question", "en"): 3,
        ("passage", "en"): 2,
        ("question", "zh"): 2,
        ("passage", "zh"): 2,
    }


def test_a_new_version_takes_the_place_of_the_old_one(tmp_path: Path) -> None:
    ledger = open_ledger(tmp_path)
    ledger.add([article("refunds")])
    before = ledger.view
    ledger.add([article("refunds", version="2", passages=3)])
    assert ledger.view.head("refunds/en") == Head("refunds", "en", "2", 2, 3)
    assert (before.entries, ledger.view.entries) == (3, 5)  # who still looks at the former view sees the former article
    assert ledger.view.vocabulary.counts.sum() == sum(
        len(line.words.indices) for line in article("refunds", version="2", passages=3)[1]
    )


def test_what_was_committed_is_there_when_it_is_opened_again(tmp_path: Path) -> None:
    ledger = open_ledger(tmp_path)
    ledger.add([article("refunds"), article("gifts")])
    ledger.discard(["gifts/en"])
    ledger.commit(7)
    ledger.add([article("lost")])
    kept = content(ledger.view)
    del kept["lost/en"]
    ledger.close()
    again = open_ledger(tmp_path)
    assert (again.generation, content(again.view)) == (7, kept)
    assert again.view.vocabulary.entries == 3
    again.close()


@pytest.mark.parametrize(
    "damage",
    [
        lambda folder: (folder / "commit.json").write_text("{"),
        lambda folder: (folder / "commit.json").unlink(),
        lambda folder: (folder / "words").write_bytes(b"\1" * (folder / "words").stat().st_size),
        lambda folder: (folder / "points").write_bytes(b""),
        lambda folder: (folder / "vectors").unlink(),
    ],
    ids=["torn commit", "no commit", "other words", "no points", "no vectors"],
)
def test_a_damaged_ledger_knows_nothing_and_says_so(tmp_path: Path, damage: Callable[[Path], object]) -> None:
    ledger = open_ledger(tmp_path)
    ledger.add([article("refunds")])
    ledger.commit(7)
    ledger.close()
    damage(tmp_path / "0")
    again = open_ledger(tmp_path)
    assert (again.generation, again.view.entries, again.view.numbers) == (-1, 0, {})
    again.add([article("refunds")])
    again.commit(8)
    again.close()
    assert open_ledger(tmp_path).generation == 8


def test_deleted_entries_are_cleared_away_when_there_are_many(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ledger_module, "_WORTH_REWRITING", 3)
    ledger = open_ledger(tmp_path)
    for version in "123":
        ledger.add([article("refunds", version=version), article("gifts")])
    kept = content(ledger.view)
    ledger.commit(1)
    assert len(ledger.view.alive) == ledger.view.entries == 6
    assert content(ledger.view) == kept
    assert [path.name for path in tmp_path.iterdir()] == ["1"]
    ledger.close()
    assert content(open_ledger(tmp_path).view) == kept


def test_a_shared_ledger_keeps_no_vectors(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path, None)
    head, lines = article("refunds")
    ledger.add([(head, [Line(line.point, line.words) for line in lines])])
    assert ledger.view.vectors is None
    assert ledger.view.entries == 3


@settings(deadline=None, max_examples=40)
@given(
    st.lists(
        st.one_of(
            st.tuples(st.just("add"), st.sampled_from("abc"), st.sampled_from(["zh", "en"]), st.sampled_from("12")),
            st.tuples(st.just("discard"), st.sampled_from("abc"), st.sampled_from(["zh", "en"])),
            st.tuples(st.just("reopen")),
        ),
        max_size=12,
    )
)
def test_any_history_leaves_exactly_what_was_published_last(history: list[tuple[str, ...]]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        ledger, expected = open_ledger(Path(folder)), dict[str, Article]()
        for number, (what, *how) in enumerate(history):
            if what == "add":
                one = article(how[0], how[1], how[2], questions=1 + number % 3)
                ledger.add([one])
                expected[one[0].key] = one
            elif what == "discard":
                ledger.discard([f"{how[0]}/{how[1]}"])
                expected.pop(f"{how[0]}/{how[1]}", None)
            else:
                ledger.commit(number)
                ledger.close()
                ledger = open_ledger(Path(folder))
        view = ledger.view
        found = content(view)
        assert found.keys() == expected.keys()
        for key, (head, lines) in expected.items():
            assert view.head(key) == head
            assert [(point, sorted(words)) for point, words, _ in found[key]] == [
                (line.point, line.words.indices) for line in lines
            ]
        assert view.entries == sum(head.entries for head, _ in expected.values())
        assert {number for numbers in view.translations.values() for number in numbers} == set(view.numbers.values())
        counted = np.zeros(len(view.vocabulary.hashes), dtype=np.int64)
        for number in view.numbers.values():
            np.add.at(counted, view.words_of(view.rows_of([number]))[0], 1)
        assert view.vocabulary.counts.tolist() == counted.tolist()
        postings = turned_around(view.words, view.weights, view.offsets, len(view.vocabulary.hashes))
        every = np.arange(len(view.vocabulary.hashes), dtype=np.int32)
        owners, words, _ = postings.of(every)
        numbers, _, rows = view.words_of(np.arange(len(view.alive)))
        assert sorted(zip(owners.tolist(), words.tolist(), strict=True)) == sorted(
            zip(rows.tolist(), numbers.tolist(), strict=True)
        )
        ledger.close()


@given(st.lists(st.floats(-2, 2, width=32), min_size=1, max_size=20))
def test_halved_numbers_keep_three_digits(values: list[float]) -> None:
    kept = restored(halved(np.array(values, dtype=np.float32)))
    assert np.allclose(kept, values, rtol=1 / 256, atol=1e-30)


@given(st.lists(st.tuples(st.integers(0, 50), st.integers(0, 5)), max_size=10))
def test_slices_are_the_runs_one_after_the_other(runs: list[tuple[int, int]]) -> None:
    expected = [number for start, length in runs for number in range(start, start + length)]
    assert slices([start for start, _ in runs], [length for _, length in runs]).tolist() == expected
