"""The runner of the suites: what fails twice is broken, what passes the second time is named."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from tools.test import FEW, passes_at_last


def suite(folder: Path, body: str) -> list[str]:
    (folder / "test_it.py").write_text(body)
    return [sys.executable, "-m", "pytest", "-q", "."]


def test_a_suite_that_passes_names_nothing(tmp_path: Path) -> None:
    unsteady: list[str] = []
    assert passes_at_last(suite(tmp_path, "def test_it():\n    pass\n"), tmp_path, unsteady)
    assert unsteady == []


def test_a_test_that_passes_the_second_time_is_named(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    body = """
from pathlib import Path
import pytest

@pytest.mark.parametrize("name", ["a b", "中"])
def test_it(name):
    mark = Path(__file__).with_name(f"seen {name}")
    seen = mark.exists()
    mark.touch()
    assert seen

def test_sound():
    runs = Path(__file__).with_name("runs")
    runs.write_text((runs.read_text() if runs.exists() else "") + "x")
"""
    unsteady: list[str] = []
    assert passes_at_last(suite(tmp_path, body), tmp_path, unsteady)
    assert len(unsteady) == 2
    assert all(one.startswith("test_it.py::test_it[") for one in unsteady)
    assert (tmp_path / "runs").read_text() == "x", "what passed is not run again"
    assert "once more, alone" in capfd.readouterr().out


def test_a_test_that_fails_twice_fails_the_suite(tmp_path: Path) -> None:
    unsteady: list[str] = []
    assert not passes_at_last(suite(tmp_path, "def test_it():\n    assert False\n"), tmp_path, unsteady)
    assert unsteady == []


def test_many_failures_are_not_tried_again(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    body = f"import pytest\n@pytest.mark.parametrize('n', range({FEW + 1}))\ndef test_it(n):\n    assert False\n"
    assert not passes_at_last(suite(tmp_path, body), tmp_path, [])
    assert "once more" not in capfd.readouterr().out


@pytest.mark.parametrize("body", ["import nothing_of_this_name\n", "", "def test_it(:\n"])
def test_a_suite_that_cannot_be_read_or_is_empty_fails(tmp_path: Path, body: str) -> None:
    assert not passes_at_last(suite(tmp_path, body), tmp_path, [])
