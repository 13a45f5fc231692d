"""Cross-validation splits fairly, and never lets an example be taught by its own twin."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.cross_validation import labelled, run, stratified
from bot.jobs import JobRefused


@given(
    st.lists(st.tuples(st.sampled_from("abc"), st.integers(0, 30)), min_size=1, max_size=120),
    st.sampled_from((2, 3, 5)),
)
def test_folds_share_every_intent_and_keep_twins_together(rows: list[tuple[str, int]], folds: int) -> None:
    strata, keys = [intent for intent, _ in rows], [f"{key}" for _, key in rows]
    fold_of = stratified(strata, keys, folds)
    assert set(fold_of.tolist()) <= set(range(folds))
    of_key: dict[str, int] = {}
    for key, fold in zip(keys, fold_of.tolist()):
        assert of_key.setdefault(key, fold) == fold
    assert stratified(strata, keys, folds).tolist() == fold_of.tolist()


def test_without_twins_the_folds_of_an_intent_are_of_one_size() -> None:
    strata = ["a"] * 31 + ["b"] * 8
    count = Counter(zip(strata, stratified(strata, list(map(str, range(39))), 3).tolist()))
    for intent in "ab":
        sizes = [count[intent, fold] for fold in range(3)]
        assert max(sizes) - min(sizes) <= 1


def test_examples_are_read_without_their_marks_and_each_once(tmp_path: Path) -> None:
    (tmp_path / "en").mkdir()
    (tmp_path / "en" / "all.yml").write_text(
        "nlu:\n- intent: order_status\n  examples: |\n"
        '    - where is my [Aria]{"entity": "product", "value": "Aria 5"}\n    - where is my Aria\n    - any news\n'
        "- intent: greet\n  examples: |\n    - hi\n    - hello\n- intent: alone\n  examples: |\n    - only this\n"
    )
    found = labelled(tmp_path)
    assert [(one.intent, one.text) for one in found] == [
        ("order_status", "where is my Aria"), ("order_status", "any news"), ("greet", "hi"), ("greet", "hello"),
    ]  # fmt: skip


def test_one_intent_cannot_be_cross_validated(tmp_path: Path) -> None:
    (tmp_path / "en").mkdir()
    (tmp_path / "en" / "greet.yml").write_text("nlu:\n- intent: greet\n  examples: |\n    - hi\n    - hello\n")
    with pytest.raises(ValueError, match="two intents"):
        labelled(tmp_path)


@pytest.mark.parametrize("folds", [1, 6, "3", True, None])
def test_folds_are_a_small_number(folds: object) -> None:
    with pytest.raises(JobRefused, match="folds"):
        run({"model": "frontdesk-x", "folds": folds}, lambda share, step, note: None)


@pytest.mark.parametrize("model", [None, "../x", "frontdesk-gone"])
def test_the_version_must_be_there(model: object, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MODEL_DIR", str(tmp_path))
    with pytest.raises(JobRefused):
        run({"model": model}, lambda share, step, note: None)
