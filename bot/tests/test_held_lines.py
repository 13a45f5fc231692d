"""The lines that measure: what trainers saved counts, what is trained on does not, and none of it is ever trained on."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from bot import made_intents, settings
from bot.held_lines import digest, held_out
from bot.nlu_data import count_examples
from bot.train import data_hash


def block(intent: str, *lines: str) -> str:
    return f"nlu:\n- intent: {intent}\n  examples: |\n" + "".join(f"    - {line}\n" for line in lines)


def write(folder: Path, name: str, content: str) -> None:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content, encoding="utf-8")


@pytest.fixture
def data(tmp_path: Path) -> Path:
    write(tmp_path, "en/greet.yml", block("greet", "hi there", "hello"))
    write(tmp_path, "zh/greet.yml", block("greet", "你好"))
    write(tmp_path, "test/en.yml", block("greet", "howdy", "Hello!") + block("out_of_scope", "who won")[5:])
    write(
        tmp_path,
        "near/en.yml",
        '- {split: test, near: greet, text: "greet my dog"}\n- {split: dev, near: greet, text: "x"}\n',
    )
    return tmp_path


def test_a_line_that_is_trained_on_measures_nothing(data: Path) -> None:
    lines, left_out = held_out(data)
    assert [(one.text, one.intent, one.origin) for one in lines] == [
        ("howdy", "greet", "set"),
        ("who won", "oos", "set"),
        ("greet my dog", "oos", "near"),
    ]
    assert [one.text for one in left_out] == ["Hello!"]


def test_what_trainers_saved_is_measured_with_and_makes_another_set(data: Path) -> None:
    before = held_out(data)[0]
    write(data, "test/saved_zh.yml", block("greet", "老板好"))
    after = held_out(data)[0]
    assert [(one.text, one.language, one.origin) for one in after if one not in before] == [("老板好", "zh", "saved")]
    assert digest(after) != digest(before)
    assert digest(list(reversed(before))) == digest(before)


def test_saved_tests_are_never_trained_on(tmp_path: Path) -> None:
    data = tmp_path / "nlu_data"
    shutil.copytree(settings.ROOT / "nlu_data", data)
    before = data_hash(data)
    write(data, "test/saved_zh.yml", block("greet", "独一无二的测试句"))
    write(data, "test/stories/one.yml", 'story: "x"\nlanguage: zh\nmessages:\n- says: "独一无二的测试句"\n')
    write(data, "test/knowledge/zh.yml", '- {"text": "独一无二的测试句", "relevant": []}\n')
    assert data_hash(data) == before
    project = made_intents.project_of(data, tmp_path / "made", count_examples(data))
    for path in project.training:
        for file in path.rglob("*.yml") if path.is_dir() else [path]:
            assert "独一无二的测试句" not in file.read_text(encoding="utf-8")
