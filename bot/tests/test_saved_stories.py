"""Saved chats: how they are written down, what is expected of an answer, and that playing one writes nothing."""

from __future__ import annotations

import asyncio
import sqlite3
from pathlib import Path
from typing import Any

import pytest

from bot import without_tensorflow
from bot.stories import Story, play, read_stories, seen_of, wrong_in
from bot.tests.desk import Bot, Chat

STORY = """\
story: "Cancelling with a question in between"
language: en
messages:
- says: "please cancel my order"
  expect:
    intent: cancel_order
    route: task
    actions: [cancel_order_form]
- says: "how long does delivery take?"
  expect:
    route: knowledge
- says: "KT20261234"
  expect:
    entities: {order_number: KT20261234}
- says: "2468"
  expect:
    would: [verify_last4]
- says: "talk to a human please"
  expect:
    handoff: asked_for_person
"""


def saved(folder: Path, content: str, name: str = "one") -> list[Any]:
    place = folder / "test" / "stories"
    place.mkdir(parents=True, exist_ok=True)
    (place / f"{name}.yml").write_text(content, encoding="utf-8")
    return list(read_stories(folder))


def test_a_story_is_read(tmp_path: Path) -> None:
    (story,), problems = saved(tmp_path, STORY)
    assert problems == []
    assert (story.name, story.language, len(story.steps)) == ("one", "en", 5)
    assert story.steps[2].expect == {"entities": {"order_number": "KT20261234"}}


@pytest.mark.parametrize("content", [
    "story: x\nlanguage: fr\nmessages: [{says: hi}]\n",
    "story: x\nlanguage: en\nmessages: []\n",
    "story: x\nlanguage: en\nmessages: [{says: hi, expect: {mood: good}}]\n",
    "story: x\nlanguage: en\nmessages: [{says: hi, presses: nothing}]\n",
    "story: x\nlanguage: en\nmessages: [{says: '  '}]\n",
    "story: [x\n",
    "- just a list\n",
])  # fmt: skip
def test_what_is_no_story_is_named_and_the_others_are_read(tmp_path: Path, content: str) -> None:
    saved(tmp_path, STORY, "good")
    stories, problems = saved(tmp_path, content, "bad")
    assert [story.name for story in stories] == ["good"]
    assert len(problems) == 1
    assert "bad.yml" in problems[0]


SEEN = {
    "intent": "order_status", "route": "task", "language": "en", "entities": {"order_number": "KT1", "date": "today"},
    "actions": ["order_status_form", "action_order_status"], "article": None, "handoff": None, "would": [],
}  # fmt: skip


@pytest.mark.parametrize(("expect", "wrong"), [
    ({}, []),
    ({"intent": "order_status", "handoff": None, "article": None, "would": []}, []),
    ({"intent": "joke"}, ["intent"]),
    ({"entities": {"order_number": "KT1"}}, []),
    ({"entities": {"order_number": "KT2"}, "route": "knowledge"}, ["entities", "route"]),
    ({"entities": {"product": "Aria"}}, ["entities"]),
    ({"actions": ["action_order_status"]}, []),
    ({"actions": ["action_order_status", "order_status_form"]}, ["actions"]),
    ({"handoff": "asked_for_person", "would": ["cancel_order"], "article": "x"}, ["handoff", "would", "article"]),
])  # fmt: skip
def test_only_what_is_expected_is_looked_at(expect: dict[str, Any], wrong: list[str]) -> None:
    assert [one["what"] for one in wrong_in(expect, SEEN)] == wrong


def test_no_answer_is_wrong_whatever_is_expected() -> None:
    assert wrong_in({}, seen_of(None)) != []


@pytest.fixture(scope="module")
def dialogue(bot: Bot, model_dir: Path) -> Any:
    without_tensorflow.install()
    asyncio.set_event_loop(asyncio.new_event_loop())
    from bot.action_calls import ActionEndpoint, install
    from bot.serve import find_model
    from bot.tracker_store import TurnStore
    from bot.turn import Dialogue

    install()
    return Dialogue(str(find_model(model_dir)), TurnStore(host="sqlite://"), ActionEndpoint(bot.actions.url, 10.0))


def played(dialogue: Any, story: Story) -> dict[str, Any]:
    return asyncio.get_event_loop().run_until_complete(play(dialogue, story, {"misses": 2}))


def test_a_story_is_played_again_and_again_with_the_same_result(dialogue: Any, tmp_path: Path) -> None:
    (story,), _ = saved(tmp_path, STORY)
    first = played(dialogue, story)
    assert first["passed"], first
    assert {**first, "steps": [{**step, "seen": None} for step in first["steps"]]} == {
        **(again := played(dialogue, story)),
        "steps": [{**step, "seen": None} for step in again["steps"]],
    }


def test_what_a_model_does_otherwise_is_named(dialogue: Any, tmp_path: Path) -> None:
    (story,), _ = saved(tmp_path, STORY.replace("intent: cancel_order", "intent: joke"))
    result = played(dialogue, story)
    assert not result["passed"]
    assert result["steps"][0]["wrong"] == [{"what": "intent", "expected": "joke", "got": "cancel_order"}]


# -- the same over HTTP: a chat that is tried out


def rehearsed(bot: Bot, said: list[str], text: str, **more: Any) -> tuple[int, dict[str, Any]]:
    body = {**Chat(bot).body(text), "dry_run": True, "earlier": [{"text": one} for one in said], **more}
    return bot.request("POST", "/webhooks/turn/dry-run", body)


def test_a_rehearsed_message_is_answered_as_in_the_chat_that_it_continues(bot: Bot) -> None:
    said = ["where is my order", "how long does delivery take?"]
    chat = Chat(bot)
    for one in said:
        chat.say(one)
    real = chat.say("KT20261234")
    with sqlite3.connect(bot.database) as connection:
        before = list(connection.iterdump())
    status, tried = rehearsed(bot, said, "KT20261234")
    assert status == 200
    for name in ("intent", "route", "actions"):
        assert tried["trace"][name] == real[name]
    assert tried["replies"] == chat.answer["replies"]
    assert tried["trace"]["form"] == "order_status_form"
    assert tried["trace"]["slots"]["order_number"] == "KT20261234"
    with sqlite3.connect(bot.database) as connection:
        assert list(connection.iterdump()) == before


def test_a_chat_goes_on_after_something_would_have_been_written(bot: Bot) -> None:
    said = ["cancel KT20261234", "2468"]
    assert rehearsed(bot, said[:1], "2468")[1]["trace"]["would"] == ["verify_last4"]
    status, answer = rehearsed(bot, said, "never mind")
    assert status == 200
    assert answer["trace"]["actions"] == ["utter_stopped"]
    assert rehearsed(bot, said, "tell me a joke")[1]["trace"]["intent"] == "joke"


@pytest.mark.parametrize(
    "earlier", ["hello", [1], [{"text": 3}], [{"text": ""}], [{"text": "x", "payload": "no"}], [{"text": "x"}] * 61]
)
def test_what_was_said_before_is_checked(bot: Bot, earlier: Any) -> None:
    body = {**Chat(bot).body("hello"), "dry_run": True, "earlier": earlier}
    assert bot.request("POST", "/webhooks/turn/dry-run", body)[0] == 400


def test_a_turn_has_no_earlier_messages_of_its_own(bot: Bot) -> None:
    chat = Chat(bot)
    assert chat.send({**chat.body("hello"), "earlier": []})[0] == 400
