"""The families of how people really write are complete, apart from the training data, and their evaluation can fail."""

from __future__ import annotations

from collections import Counter

import pytest

from bot import settings
from bot.evaluate_families import FAMILIES, HALVES, Line, memory_before, misses, read_families
from bot.nlu_data import read, same
from bot.references import Memory
from bot.understanding import Part

FOLDER = settings.ROOT / "nlu_data"


def parse(intent: str, text: str = "x", **entities: str) -> dict:
    found = [{"entity": name, "value": value} for name, value in entities.items()]
    return {"intent": {"name": intent, "confidence": 1.0}, "entities": found, "text": text}


def line(**expected: object) -> Line:
    return Line("negation", "en", "dev", "x", expected)


def test_every_family_has_32_lines_in_each_language_half_of_them_held_out() -> None:
    count = Counter((one.family, one.language, one.half) for one in read_families(FOLDER / "families"))
    for family in FAMILIES:
        for language in ("zh", "en"):
            halves = [count[family, language, half] for half in HALVES]
            assert sum(halves) >= 32
            assert halves[0] == halves[1]


def test_no_held_out_line_is_trained_on() -> None:
    trained = {same(example.text) for part in ("en", "zh", "gate/en", "gate/zh") for example in read(FOLDER, part)}
    held = [one.text for one in read_families(FOLDER / "families") if one.half == "held"]
    # An emoji alone is the same in anybody's hands.
    assert [text for text in held if same(text) in trained and any(map(str.isalnum, text))] == []


@pytest.mark.parametrize(("expected", "right", "wrong"), [
    ({"intent": "deny", "not": ["handoff"]}, Part(parse("deny")), Part(parse("handoff"))),
    ({"intent": "ask_knowledge"}, Part(parse("out_of_scope")), Part(parse("clarify"))),
    ({"intent": "inform", "entities": {"phone": "1"}}, Part(parse("inform", phone="1")), Part(parse("inform", phone="2"))),
    ({"expect": {"ask": "which"}}, Part(parse("clarify"), say="utter_which_one"), Part(parse("clarify"))),
    ({"expect": {"order": "ask"}}, Part(parse("deny"), ask="order_number"), Part(parse("deny", order_number="KT1"))),
    ({"expect": {"about": "refund"}}, Part(parse("ask_knowledge", "my refund")), Part(parse("ask_knowledge", "it"))),
    ({"parts": [["ask_knowledge", "a"]]}, Part(parse("ask_knowledge", "a")), Part(parse("ask_knowledge", "b"))),
])  # fmt: skip
def test_a_line_is_right_only_when_all_it_expects_holds(expected: dict, right: Part, wrong: Part) -> None:
    assert misses(line(**expected), [right], Memory()) == []
    assert misses(line(**expected), [wrong], Memory()) != []


def test_the_number_of_parts_counts() -> None:
    part = Part(parse("ask_knowledge", "a"))
    assert misses(line(parts=[["ask_knowledge", "a"]]), [part, part], Memory()) != []


def test_a_line_brings_what_the_conversation_knew() -> None:
    memory = memory_before(line(context={"article": "Returns", "order": "KT1"}))
    assert (memory.article, memory.order, memory.topic) == ("Returns", "KT1", "article")
