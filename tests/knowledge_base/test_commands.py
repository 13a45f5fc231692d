"""The knowledge base from a terminal."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from knowledge_base.__main__ import main


@pytest.fixture
def articles(tmp_path: Path) -> Path:
    directory = tmp_path / "articles"
    directory.mkdir()
    (directory / "refunds.md").write_text("# How long does a refund take?\n\nThree working days.\n")
    return directory


def test_loaded_articles_can_be_searched(tmp_path: Path, articles: Path, capsys: pytest.CaptureFixture[str]) -> None:
    data = ["--data-dir", str(tmp_path / "var")]
    assert main([*data, "load", str(articles)]) == 0
    assert "1 added" in capsys.readouterr().out
    assert main([*data, "search", "how long does a refund take", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["hits"][0]["passage_id"] == "refunds/en/intro-1"
    assert main([*data, "search", "refund time"]) == 0
    assert "refunds/en/intro-1" in capsys.readouterr().out


def test_one_bad_file_loads_nothing_and_is_named(
    tmp_path: Path, articles: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (articles / "bad.csv").write_text("nothing")
    assert main(["--data-dir", str(tmp_path / "var"), "load", str(articles)]) == 1
    told = capsys.readouterr().err
    assert "bad.csv" in told
    assert "nothing was loaded" in told
    assert not (tmp_path / "var").exists()


@pytest.mark.parametrize("command", [["load", "/no/such/place"], ["watch", "/no/such/place"]])
def test_a_wrong_path_is_one_sentence(tmp_path: Path, capsys: pytest.CaptureFixture[str], command: list[str]) -> None:
    assert main(["--data-dir", str(tmp_path), *command]) == 1
    assert "/no/such/place" in capsys.readouterr().err
