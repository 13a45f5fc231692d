"""Saved tests: files that read the same again, that diff by the line, and that never become or equal an example."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from learning.changes import ExampleRefused
from learning.example_folder import ExampleFolder
from learning.saved_tests import EXPECTED, Line, Message, Question, SavedTests, Story, read_story, written_story
from tests.learning.example_shelf import contents, make_folder

CHAT = Story(
    "取消订单，中间问一句",
    "zh",
    (
        Message("帮我取消订单", None, {"intent": "cancel_order", "route": "task", "actions": ["cancel_order_form"]}),
        Message("保修多久？", None, {"article": "warranty", "handoff": None}),
        Message("是的", "/affirm", {"would": ["cancel_order"], "entities": {"order_number": "KT20260002"}}),
    ),
    "a customer asked",
)


@pytest.fixture
def folder(tmp_path: Path) -> ExampleFolder:
    return make_folder(tmp_path)


@pytest.fixture
def tests(folder: ExampleFolder) -> SavedTests:
    return SavedTests(folder)


async def test_a_saved_chat_is_a_file_that_people_can_read(folder: ExampleFolder, tests: SavedTests) -> None:
    made = await tests.save_story(CHAT)
    content = (folder.root / "test" / "stories" / f"{made.name}.yml").read_text(encoding="utf-8")
    assert content.splitlines()[1:8] == [
        'story: "取消订单，中间问一句"',
        "language: zh",
        'note: "a customer asked"',
        "messages:",
        '  - says: "帮我取消订单"',
        "    expect:",
        '      intent: "cancel_order"',
    ]
    assert made.name.startswith("cancel_order-zh-")
    assert (await tests.look()).stories == (made,)
    assert (await tests.delete_story(made.name)) == made
    assert (await tests.look()).stories == ()


@pytest.mark.parametrize("name", ["../en/greet", "greet-en-00000000", "x" * 300, ""])
async def test_only_saved_chats_can_be_deleted(folder: ExampleFolder, tests: SavedTests, name: str) -> None:
    before = contents(folder)
    with pytest.raises(ExampleRefused) as refused:
        await tests.delete_story(name)
    assert refused.value.code == "gone"
    assert contents(folder) == before


WORDS = st.text(st.characters(exclude_categories=["Cs", "Cc", "Co", "Cn"]), min_size=1, max_size=30)
EXPECTATIONS = st.fixed_dictionaries(
    {},
    optional={
        "intent": st.sampled_from(["greet", "cancel_order"]),
        "entities": st.dictionaries(st.sampled_from(["product", "order_number"]), WORDS, max_size=2),
        "actions": st.lists(st.sampled_from(["utter_greet", "cancel_order_form"]), max_size=3),
        "article": st.none() | st.sampled_from(["warranty"]),
        "handoff": st.none() | st.sampled_from(["asked_for_person"]),
        "would": st.lists(st.sampled_from(["cancel_order"]), max_size=1),
    },
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=80)
@given(WORDS, st.lists(st.tuples(WORDS, st.none() | st.just("/affirm"), EXPECTATIONS), min_size=1, max_size=4))
async def test_whatever_is_saved_is_read_as_it_was_meant_or_refused(
    tests: SavedTests, title: str, messages: list[tuple[str, str | None, dict[str, object]]]
) -> None:
    try:
        made = await tests.save_story(Story(title, "en", tuple(Message(*one) for one in messages)))
    except ExampleRefused:
        return
    again = read_story(made.name, written_story(made).encode())
    assert again == made
    assert [(one.presses, dict(one.expect)) for one in again.messages] == [
        (presses, {name: expect[name] for name in EXPECTED if name in expect}) for _, presses, expect in messages
    ]


async def test_a_broken_file_is_named_and_the_others_are_shown(folder: ExampleFolder, tests: SavedTests) -> None:
    made = await tests.save_story(CHAT)
    (folder.root / "test" / "stories" / "by_hand.yml").write_text("story: [x\n")
    saved = await tests.look()
    assert saved.stories == (made,)
    assert "by_hand.yml" in saved.problems[0]


async def test_saved_lines_measure_and_can_therefore_be_no_examples(folder: ExampleFolder, tests: SavedTests) -> None:
    before = contents(folder)
    await tests.add_line(Line("zh", "greet", "老板好呀"))
    await tests.add_line(Line("zh", "order_status", " 包裹  寄了没 "))
    await tests.add_line(Line("zh", "greet", "晚上好"))
    after = contents(folder)
    assert {name for name in after if after[name] != before.get(name)} == {"test/saved_zh.yml"}
    assert yaml.safe_load(after["test/saved_zh.yml"]) == {
        "version": "3.1",
        "nlu": [
            {"intent": "greet", "examples": "- 老板好呀\n- 晚上好\n"},
            {"intent": "order_status", "examples": "- 包裹 寄了没\n"},
        ],
    }
    assert folder.look().held_as("老板好呀", "zh") == "test/saved_zh.yml"
    await tests.delete_line(Line("zh", "greet", "晚上好"))
    assert Line("zh", "greet", "晚上好") not in (await tests.look()).lines
    with pytest.raises(ExampleRefused):
        await tests.delete_line(Line("zh", "greet", "晚上好"))


@pytest.mark.parametrize(("line", "code"), [
    (Line("en", "greet", "Hello!"), "exists"),
    (Line("en", "order_status", "hello"), "exists"),
    (Line("en", "greet", "good evening"), "held_out"),
    (Line("en", "dance", "let us dance"), "unknown_intent"),
    (Line("en", "greet", "   "), "empty"),
    (Line("en", "greet", "x" * 2001), "too_long"),
])  # fmt: skip
async def test_a_line_that_cannot_measure_is_refused(
    folder: ExampleFolder, tests: SavedTests, line: Line, code: str
) -> None:
    before = contents(folder)
    with pytest.raises(ExampleRefused) as refused:
        await tests.add_line(line)
    assert refused.value.code == code
    assert contents(folder) == before


async def test_questions_are_a_line_each(folder: ExampleFolder, tests: SavedTests) -> None:
    await tests.add_question(Question("en", "How long is the warranty?", ("warranty",)))
    await tests.add_question(Question("en", 'Do you sell "fridges"?', ()))
    with pytest.raises(ExampleRefused):
        await tests.add_question(Question("en", "how long is the warranty", ()))
    content = (folder.root / "test" / "knowledge" / "en.yml").read_text()
    assert content.splitlines()[1:] == [
        '- {"text": "How long is the warranty?", "relevant": ["warranty"]}',
        '- {"text": "Do you sell \\"fridges\\"?", "relevant": []}',
    ]
    await tests.delete_question("en", "How long is the warranty?")
    assert [one.text for one in (await tests.look()).questions] == ['Do you sell "fridges"?']
