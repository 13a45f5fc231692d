"""Every test that the page of durability names is there."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

from conversations.backlog import Backlog
from tests.faults.run import FULL

ROOT = Path(__file__).resolve().parent.parent.parent
PAGE = (ROOT / "docs" / "durability.md").read_text()
CASES = ("F10", "F11", "F12", "F13", "F14", "F15", "F16", "F17", "F18", "F19", "F20", "F21", "F22", "F25", "F49", "F50")


@pytest.mark.parametrize("named", sorted(set(re.findall(r"`((?:bot/)?tests/[\w/]+\.py::\w+)`", PAGE))))
def test_a_named_test_exists(named: str) -> None:
    file, _, name = named.partition("::")
    functions = {
        node.name
        for node in ast.walk(ast.parse((ROOT / file).read_text()))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    }
    assert name in functions


def test_every_injection_is_named_and_every_named_one_exists() -> None:
    assert set(re.findall(r"`faults:([\w-]+)`", PAGE)) == {*FULL, "volume"}


@pytest.mark.parametrize("case", CASES)
def test_a_case_has_a_line_with_a_test(case: str) -> None:
    assert re.search(rf"^\| {case} .*(faults:|::)", PAGE, re.MULTILINE), f"{case} has no test"


def test_the_commands_of_the_page_exist() -> None:
    makefile = (ROOT / "Makefile").read_text()
    for target in set(re.findall(r"(?:^|`)make ([a-z-]+)", PAGE, re.MULTILINE)):
        assert re.search(rf"^{target}:", makefile, re.MULTILINE), target


def test_the_limit_of_what_may_wait_is_the_one_in_the_code() -> None:
    assert f"({Backlog.__init__.__defaults__[0]} conversations)" in PAGE  # type: ignore[index]
