"""What the documentation promises is really there."""

from __future__ import annotations

import ast
import json
import re
from pathlib import Path

import pytest

from settings import Settings

ROOT = Path(__file__).resolve().parent.parent
READMES = (ROOT / "README.md", ROOT / "README.zh.md")
ROOMS = (
    "app.py",
    "connectors/",
    "conversations/",
    "bot/",
    "nlu_data/",
    "actions/",
    "crm/",
    "knowledge_base/",
    "handoff/",
)


def test_every_setting_is_in_the_example_file() -> None:
    example = (ROOT / ".env.example").read_text()
    for name in Settings.model_fields:
        assert re.search(rf"^#? ?{name.upper()}=", example, re.MULTILINE), f"{name.upper()} is missing in .env.example"


def test_the_example_file_names_no_setting_that_does_not_exist() -> None:
    bot_only = {"BOT_DATABASE_URL", "BOT_FIELD_KEYS", "BOT_MOST_MODELS", "BOT_PYTHON", "BOT_TIME_ZONE", "MODEL_KEYS"}
    named = set(re.findall(r"^#? ?([A-Z][A-Z_]+)=", (ROOT / ".env.example").read_text(), re.MULTILINE))
    assert named <= {name.upper() for name in Settings.model_fields} | bot_only


@pytest.mark.parametrize("readme", READMES, ids=lambda path: path.name)
def test_the_readme_names_every_room_and_the_two_commands(readme: Path) -> None:
    text = readme.read_text()
    for room in ROOMS:
        assert f"`{room}`" in text, f"{room} is missing"
    assert "make run" in text
    assert "make test" in text


@pytest.mark.parametrize("readme", [*READMES, ROOT / "CONTRIBUTING.md"], ids=lambda path: path.name)
def test_every_file_a_page_links_to_exists(readme: Path) -> None:
    for target in re.findall(r"\]\(([^)#]+)", readme.read_text()):
        if not target.startswith(("http:", "https:", "mailto:")):
            assert (ROOT / target).exists(), f"{readme.name} links to {target}"


def fault_cases() -> dict[str, list[str]]:
    """The rows of docs/reliability.md: which tests prove a case."""
    rows = re.findall(
        r"^\| (F[0-9]{2}) \|.*\| ([^|]*) \|$", (ROOT / "docs" / "reliability.md").read_text(), re.MULTILINE
    )
    assert len(dict(rows)) == len(rows), "a case has two rows"
    return {case: re.findall(r"`([^`]+)`", tests) for case, tests in rows}


def docstring_of(name: str) -> str:
    """What a test named as ``file::name`` or ``file::Class::name`` says of itself; fails where there is none."""
    file, *path = name.split("::")
    node: ast.AST = ast.parse((ROOT / file).read_text())
    for part in path:
        kinds = (ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
        found = [one for one in ast.iter_child_nodes(node) if isinstance(one, kinds) and one.name == part]
        assert found, f"docs/reliability.md names {name}, which does not exist"
        node = found[0]
    assert isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef), f"{name} is no test"
    return ast.get_docstring(node) or ""


def test_the_fault_cases_are_in_their_order_and_none_is_missing() -> None:
    cases = list(fault_cases())
    assert cases == sorted(cases)
    durable = re.findall(r"^\| (F[0-9]{2}) ", (ROOT / "docs" / "durability.md").read_text(), re.MULTILINE)
    assert {*cases, *durable} == {f"F{number:02}" for number in range(1, 51)}


@pytest.mark.parametrize("case", fault_cases())
def test_every_fault_case_is_proved_by_tests_that_name_it(case: str) -> None:
    tests = fault_cases()[case]
    assert tests, f"{case} names no test"
    for name in tests:
        assert case in docstring_of(name) + name, f"{name} does not name {case} in its docstring"


def test_every_make_target_of_the_readme_exists() -> None:
    makefile = (ROOT / "Makefile").read_text()
    for readme in READMES:
        for target in re.findall(r"`?make ([a-z-]+)", readme.read_text()):
            assert re.search(rf"^{target}:", makefile, re.MULTILINE), f"{readme.name} names make {target}"


def test_every_action_of_the_domain_exists() -> None:
    import yaml

    from tests.actions.builders import build_test_executor

    domain = yaml.safe_load((ROOT / "bot" / "domain.yml").read_text())
    served = set(build_test_executor().actions)
    named = {name for name in domain["actions"] if not name.startswith("utter_")}
    assert named <= served, f"the domain names actions nobody serves: {sorted(named - served)}"


def test_the_figures_of_the_readme_are_the_printed_ones() -> None:
    figures = json.loads((ROOT / "docs" / "figures.json").read_text())
    text = READMES[0].read_text()
    for printed in figures.values():
        for name in printed["quoted"]:
            value = printed["printed"]
            for part in name.split("/"):
                value = value[part]
            assert str(value) in text, f"README.md does not quote {name} = {value}"
