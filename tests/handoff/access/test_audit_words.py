"""Every kind of entry that the code writes has its words in the console, in both languages."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent.parent.parent
#: Calls that write entries, and where the kind stands.
WRITERS = {"AuditEntry", "record", "record_of_contact", "_entry", "_note", "_audit", "_change"}
NO_KINDS = {
    "contact",
    "system",
    "from",
    "refused",
    "line",
    "question",
    "story",
}  #: other words that stand as first argument of a call of such a name
_KIND = re.compile(r"[a-z]+(_[a-z]+)*")


def kinds() -> set[str]:
    found: set[str] = set()
    for room in ("conversations", "handoff", "learning", "reporting", "reviewing"):
        for file in (ROOT / room).rglob("*.py"):
            if "node_modules" in file.parts:
                continue
            for node in ast.walk(ast.parse(file.read_text())):
                if isinstance(node, ast.Call) and node.args:
                    name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
                    if name in WRITERS:
                        for given in node.args[:3] if name == "_audit" else node.args[:1]:
                            found |= constants(given)
    return {kind for kind in found if _KIND.fullmatch(kind)} - NO_KINDS


def constants(node: ast.expr) -> set[str]:
    if isinstance(node, ast.IfExp):
        return constants(node.body) | constants(node.orelse)
    return {node.value} if isinstance(node, ast.Constant) and isinstance(node.value, str) else set()


def told(language: str) -> dict[str, str]:
    text = (ROOT / "handoff" / "web" / "src" / "i18n" / f"audit.{language}.ts").read_text()
    return dict(re.findall(r"(\w+): '([^']*)'", text[text.index("told: {") :]))


@pytest.mark.parametrize("language", ["zh", "en"])
def test_every_kind_has_words(language: str) -> None:
    assert len(kinds()) > 60
    assert kinds() - set(told(language)) == set()


def test_both_languages_tell_the_same_kinds_and_name_the_same_things() -> None:
    zh, en = told("zh"), told("en")
    assert set(zh) == set(en)
    for kind, words in zh.items():
        assert set(re.findall(r"{(\w+)}", words)) == set(re.findall(r"{(\w+)}", en[kind])), kind
