"""A stored question that is near to everything does not win for that alone."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pytest

from knowledge_base import crowding as crowding_module
from knowledge_base.candidates import Candidates
from knowledge_base.entries import Head, Sparse
from knowledge_base.ledger import Ledger, Line
from knowledge_base.ranking import rank

#: In both spaces: two questions that stand close together, and one that stands alone.
PLACES = {"hub": (1.0, 0.0), "near-hub": (0.96, 0.28), "alone": (-0.6, 0.8)}


def put_in(ledger: Ledger, places: dict[str, tuple[float, float]]) -> None:
    articles = []
    for number, (name, place) in enumerate(places.items()):
        point = len(ledger.view.alive) * 10 + number * 3 + 1
        lines = [Line(point, Sparse([1], [1.0]), [*place, *place]), Line(point + 1, Sparse([1], [1.0]), [0, 1, 0, 1])]
        articles.append((Head(name, "en", "1", 1, 1), lines))
    ledger.add(articles)


def crowding_of(ledger: Ledger, name: str) -> list[float]:
    rows = ledger.view.rows_of([ledger.view.numbers[f"{name}/en"]])
    return [round(float(value), 2) for value in ledger.view.crowded(rows).ravel()]


@pytest.fixture
def nearest_only(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(crowding_module, "_NEAREST", 1)


def test_crowding_is_how_near_the_nearest_strangers_are(tmp_path: Path, nearest_only: None) -> None:
    ledger = Ledger(tmp_path, (2, 2))
    put_in(ledger, PLACES)
    assert not np.isfinite(ledger.view.crowded(np.arange(6))).any()  # while more is to come nothing is measured
    ledger.commit(1)
    assert crowding_of(ledger, "hub")[:2] == crowding_of(ledger, "near-hub")[:2] == [0.96, 0.96]
    assert crowding_of(ledger, "alone")[:2] == [-0.35, -0.35]
    assert not np.isfinite(crowding_of(ledger, "alone")[2:]).any()  # of a passage it is not known


def test_of_an_article_alone_nothing_is_taken_off(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path, (2, 2))
    put_in(ledger, {"only": (1.0, 0.0)})
    ledger.commit(1)
    assert crowding_of(ledger, "only")[:2] == [0.0, 0.0]


def test_only_new_questions_are_measured_until_there_are_many(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, nearest_only: None
) -> None:
    ledger = Ledger(tmp_path, (2, 2))
    put_in(ledger, {f"old-{number}": (np.cos(number), np.sin(number)) for number in range(9)})
    ledger.commit(1)
    measured: list[int] = []
    nearness = crowding_module._nearness
    monkeypatch.setattr(
        crowding_module,
        "_nearness",
        lambda view, rows, sampled: measured.append(len(rows)) or nearness(view, rows, sampled),
    )
    put_in(ledger, {"new": (1.0, 0.0)})
    ledger.commit(2)
    assert crowding_of(ledger, "new")[:2] == [1.0, 1.0]
    put_in(ledger, {f"newer-{number}": (np.cos(number / 2), np.sin(number / 2)) for number in range(9)})
    ledger.commit(3)
    assert measured == [1, 19]


@pytest.mark.parametrize(
    "damage",
    [
        lambda path: None,
        lambda path: path.unlink(),
        lambda path: path.write_bytes(path.read_bytes()[:-9]),
        lambda path: path.write_bytes(b""),
    ],
)
def test_it_is_the_same_after_a_restart_whatever_became_of_its_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, damage: Callable[[Path], object]
) -> None:
    monkeypatch.setattr("knowledge_base.ledger._WORTH_KEEPING", 0)
    ledger = Ledger(tmp_path, (2, 2))
    put_in(ledger, PLACES)
    ledger.commit(1)
    before = [crowding_of(ledger, name) for name in PLACES]
    ledger.close()
    (kept,) = tmp_path.rglob("crowding-*")
    damage(kept)
    again = Ledger(tmp_path, (2, 2))
    np.testing.assert_equal([crowding_of(again, name) for name in PLACES], before)


def test_a_ledger_that_lost_its_rows_does_not_keep_their_crowding(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("knowledge_base.ledger._WORTH_KEEPING", 0)
    ledger = Ledger(tmp_path, (2, 2))
    put_in(ledger, PLACES)
    ledger.commit(1)
    ledger.close()
    (commit,) = tmp_path.rglob("0/commit.json")
    commit.unlink()
    again = Ledger(tmp_path, (2, 2))
    assert not again.view.numbers
    put_in(again, {"other": (0.0, 1.0), "another": (0.0, -1.0)})
    again.commit(1)
    assert crowding_of(again, "other")[:2] == [-1.0, -1.0]


def ranked_with(crowding: Sequence[float]) -> list[str]:
    """The order of two articles that are equally near, with these crowdings."""
    heads = [Head(name, "en", "1", 1, 0) for name in ("first", "second")]
    same = np.array([0.8, 0.8])
    candidates = Candidates(
        heads=heads,
        owner=np.arange(2),
        passage=np.zeros(2, dtype=np.bool_),
        ordinal=np.zeros(2, dtype=np.int64),
        use=same,
        e5=same,
        crowding=np.array([[value, value] for value in crowding]),
        words=np.zeros(2),
        covered=np.zeros(2),
        unknown=0.0,
        asked=3,
    )
    return [one.article_id for one in rank(candidates, "en", {})]


def test_of_two_that_are_equally_near_the_less_crowded_comes_first() -> None:
    assert ranked_with([0.9, 0.5]) == ["second", "first"]
    assert ranked_with([0.5, 0.9]) == ["first", "second"]


def test_where_crowding_is_not_known_nothing_changes() -> None:
    assert ranked_with([np.nan, np.nan]) == ["first", "second"]
