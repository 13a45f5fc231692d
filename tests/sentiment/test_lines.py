"""The lines that sentiment is taught and measured with."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from sentiment.lines import LABELS, Line, problems, read, read_test
from sentiment.train import DATA, TEST


def test_each_language_has_enough_lines_of_every_label_and_no_held_out_line_is_taught() -> None:
    training, test = read(DATA), read_test(TEST)
    for language in ("zh", "en"):
        taught = Counter(line.label for line in training if line.language == language)
        held = Counter(line.label for line in test if line.language == language)
        assert sum(taught.values()) >= 1200
        assert sum(held.values()) >= 300
        assert min(taught[label] for label in LABELS) >= 300
    assert problems(training, test) == []


def test_a_held_out_line_among_the_training_lines_is_found_however_it_is_written() -> None:
    held = [Line("Where is my parcel?", "neutral", "en")]
    assert "too much like" in problems([Line("where is  my PARCEL", "neutral", "en", topic="a")], held)[0]
    assert problems([Line("when does it close", "neutral", "en", topic="a")], held) == []


def test_a_line_with_two_labels_is_found() -> None:
    lines = [Line("fine", "neutral", "en", topic="a"), Line("Fine!", "positive", "en", topic="b")]
    assert "is neutral and positive" in problems(lines, [])[0]


def test_a_bad_file_is_named(tmp_path: Path) -> None:
    (tmp_path / "zh").mkdir()
    (tmp_path / "zh" / "a.yml").write_text("sentiment:\n- label: cross\n  examples: |\n    - hm\n")
    with pytest.raises(ValueError, match=r"zh/a\.yml.*'cross' is not one of"):
        read(tmp_path)
