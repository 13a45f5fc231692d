"""The figures mean what their names say, and the evaluation runs the product's pipeline."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from knowledge_base.evaluate import Outcome, Query, auroc, main, percentile, summary

KEYS = {
    *("passages", "queries", "recall@1", "recall@3", "recall@10", "mrr", "gate_auroc", "answered_precision"),
    *("answered_recall", "refused_recall", "index_s", "search_p50", "search_p95"),
}


def outcome(relevant: str, found: str, score: float) -> Outcome:
    return Outcome(Query("q", frozenset(relevant.split()), "en"), tuple(found.split()), score, 10.0)


def test_recall_and_gate_figures_of_known_outcomes() -> None:
    figures = summary(
        [outcome("a", "a b c", 0.9), outcome("b", "a x b", 0.8), outcome("z", "a b c", 0.3), outcome("", "a", 0.4)], 0.5
    )
    assert figures["recall@1"] == pytest.approx(1 / 3, abs=1e-4)
    assert figures["recall@3"] == pytest.approx(2 / 3, abs=1e-4)
    assert figures["mrr"] == pytest.approx((1 + 1 / 3) / 3, abs=1e-4)
    assert figures["gate_auroc"] == pytest.approx(2 / 3, abs=1e-4)
    assert figures["answered_precision"] == 0.5
    assert figures["refused_recall"] == 1.0
    assert figures["answered_recall"] == pytest.approx(2 / 3, abs=1e-4)


def test_figures_that_cannot_be_measured_are_null() -> None:
    figures = summary([outcome("a", "a", 0.9)], 0.5)
    assert figures["gate_auroc"] is None
    assert figures["refused_recall"] is None


def test_auroc_counts_ties_half() -> None:
    assert auroc([0.9, 0.5], [0.5, 0.1]) == pytest.approx(3.5 / 4)


def test_a_percentile_is_one_of_the_values() -> None:
    assert percentile([3.0, 1.0, 2.0], 0.5) == 2.0
    assert percentile([], 0.5) == 0.0


def test_any_knowledge_base_is_measured_from_files(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    kb, queries = tmp_path / "kb.jsonl", tmp_path / "q.jsonl"
    lines = [
        {"id": "FAQ/1 a", "title": "How long does a refund take?", "text": "Three working days."},
        {"id": "2", "text": "手表可以戴着游泳吗", "lang": "zh"},
    ]
    kb.write_text("\n".join(json.dumps(line, ensure_ascii=False) for line in lines), encoding="utf-8")
    asked = [{"text": "when is my refund here", "relevant": ["FAQ/1 a"]}, {"text": "who won the match", "relevant": []}]
    queries.write_text("\n".join(map(json.dumps, asked)), encoding="utf-8")
    assert main(["--kb", str(kb), "--queries", str(queries)]) == 0
    figures = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert figures.keys() >= KEYS
    assert (figures["passages"], figures["queries"], figures["recall@1"]) == (2, 2, 1.0)


@pytest.mark.parametrize("line", ["{broken", '{"id": "a"}', '["text"]', '{"text": "no id"}'])
def test_a_bad_line_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str], line: str) -> None:
    (tmp_path / "kb.jsonl").write_text(line)
    (tmp_path / "q.jsonl").write_text('{"text": "a", "relevant": []}')
    assert main(["--kb", str(tmp_path / "kb.jsonl"), "--queries", str(tmp_path / "q.jsonl")]) == 1
    assert "1 " in capsys.readouterr().err
