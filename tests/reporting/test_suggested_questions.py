"""Whatever the console's reports page proposes to ask is understood."""

from __future__ import annotations

import re
from datetime import date
from pathlib import Path

import pytest

from reporting.asking import Understood, parse
from reporting.lexicon import Lexicon

WORDS = Path(__file__).resolve().parents[2] / "handoff" / "web" / "src" / "i18n"


@pytest.mark.parametrize("language", ["zh", "en"])
def test_every_proposed_question_is_understood(language: str) -> None:
    text = (WORDS / f"reports.{language}.ts").read_text(encoding="utf-8")
    listed = re.search(r"suggestions: \[(.*?)\]", text)
    placeholder = re.search(r"placeholder: '[^:：']*[:：] ?(.*?)'", text)
    assert listed is not None
    assert placeholder is not None
    questions = [*re.findall(r"'(.*?)'", listed.group(1)), placeholder.group(1)]
    assert len(questions) > 3
    for question in questions:
        found = parse(question, date(2026, 11, 30), Lexicon({}))
        assert isinstance(found, Understood), question
        assert not found.unknown, question
        assert found.query.by is not None, question
