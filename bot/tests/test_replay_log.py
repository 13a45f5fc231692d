"""The bot's store cut into turns, on SQLite and PostgreSQL; whatever a turn cannot be run again for is said."""

from __future__ import annotations

import json
from typing import Any

import pytest
import sqlalchemy as sa
from rasa.shared.core.events import ActionExecuted, BotUttered, SessionStarted, SlotSet, UserUttered

from bot.replay_log import Log, LogUnreadable
from bot.replay_stub import LoggedActions, NotLogged
from bot.tests.test_tracker_store import DOMAIN, store, url
from bot.tracker_store import TurnStore
from bot.turn_log import CALLS, log_of

__all__ = ["store", "url"]
ANSWER = {"replies": [], "trace": {"model_id": "m"}}


def heard(text: str, turn_id: str, **metadata: Any) -> UserUttered:
    parse = {"intent": {"name": "greet", "confidence": 0.9}, "entities": [], "reading": text, "intent_ranking": []}
    return UserUttered(text, parse["intent"], [], parse, message_id=turn_id, metadata={"turn_id": turn_id, **metadata})


def keep(
    store: TurnStore, turn_id: str, events: list[Any], *, text: str = "hello", logged: bool = True, **answer: Any
) -> None:
    tracker = store.load("c1")
    tracker.update_with_events(events, DOMAIN)
    CALLS.set([])
    log = log_of(text, None, events) if logged else None
    store.save_turn(tracker, turn_id, {**ANSWER, **answer}, log)


def begins() -> list[Any]:
    return [ActionExecuted("action_session_start"), SessionStarted(), ActionExecuted("action_listen")]


def said(text: str) -> list[Any]:
    return [ActionExecuted("utter_greet"), BotUttered(text), ActionExecuted("action_listen")]


@pytest.mark.parametrize("logged", [True, False])
def test_turns_begin_and_end_where_they_did(store: TurnStore, url: str, logged: bool) -> None:
    keep(store, "t1", [*begins(), heard("hello", "t1"), *said("hi"), SlotSet("name", "a")], logged=logged)
    keep(store, "t2", [heard("again", "t2"), *said("hi again"), SlotSet("name", "b")], text="again", logged=logged)
    keep(store, "t3", [*begins(), heard("later", "t3"), *said("welcome")], text="later", logged=logged)
    turns = Log(url).conversation("c1")
    assert [one.turn.text for one in turns] == ["hello", "again", "later"]
    assert [one.problem for one in turns] == [None, None, None]
    assert [one.started_session for one in turns] == [True, False, True]
    assert [event["value"] for event in turns[1].before if event["event"] == "slot"] == ["a"]
    assert [event["value"] for event in turns[1].events if event["event"] == "slot"] == ["b"]
    assert turns[0].before == []
    assert (turns[0].calls is None) is not logged


def test_a_told_slot_at_the_beginning_belongs_to_its_turn(store: TurnStore, url: str) -> None:
    keep(store, "t1", [*begins(), heard("hello", "t1"), *said("hi"), SlotSet("name", "a")])
    keep(
        store, "t2", [SlotSet("name", "told"), heard("it?", "t2", told={"order_number": "1"}), *said("yes")], text="it?"
    )
    turns = Log(url).conversation("c1")
    assert [event["value"] for event in turns[1].events if event["event"] == "slot"] == ["told"]
    assert turns[1].turn.metadata["told"] == {"order_number": "1"}
    assert turns[1].turn.metadata["sent_at"]


def test_what_cannot_be_run_again_says_why(store: TurnStore, url: str) -> None:
    parts = {"model_id": "m", "parts": [{"text": "a"}, {"text": "b"}]}
    keep(
        store, "t1", [*begins(), heard("a", "t1"), *said("1"), heard("b", "t1"), *said("2")], logged=False, trace=parts
    )
    keep(store, "t2", [SlotSet("name", "x"), heard("it?", "t2", told={"order_number": "1"}), *said("y")], logged=False)
    keep(store, "t3", [SlotSet("name", "nobody")], logged=False)
    turns = {one.turn.turn_id: one for one in Log(url).conversation("c1")}
    assert [turns[name].problem for name in ("t1", "t2", "t3")] == ["several_parts", "told", "events_missing"]
    keep(store, "t4", [heard("a", "t4"), *said("1"), heard("b", "t4"), *said("2")], text="a? and b?", trace=parts)
    whole = next(one for one in Log(url).conversation("c1") if one.turn.turn_id == "t4")
    assert (whole.turn.text, whole.problem) == ("a? and b?", None)


def test_a_store_from_before_is_read_and_gets_its_column_with_the_next_start(store: TurnStore, url: str) -> None:
    keep(store, "t1", [*begins(), heard("hello", "t1"), *said("hi")])
    with store._engine.begin() as connection:
        connection.execute(sa.text("ALTER TABLE turns DROP COLUMN log"))
    assert [one.calls for one in Log(url).conversation("c1")] == [None]
    again = TurnStore(DOMAIN, host=url)
    keep(again, "t2", [heard("again", "t2"), *said("hi")], text="again")
    assert [one.calls for one in Log(url).conversation("c1")] == [None, []]


def test_the_log_is_read_only(store: TurnStore, url: str) -> None:
    keep(store, "t1", [*begins(), heard("hello", "t1"), *said("hi")])
    assert Log(url).newest(10) == ["c1"]
    with pytest.raises(LogUnreadable):
        Log(url)._read(sa.text("DELETE FROM turns"), {})
    assert store.find_answer("c1", "t1") is not None


async def ask(actions: LoggedActions, name: str, digest: str = "d") -> dict[str, Any]:
    calls = CALLS.get()
    assert calls is not None
    calls.append([name, digest])
    return await actions.request(json={"next_action": name})


def run(work: Any) -> Any:
    import asyncio

    return asyncio.run(work)


def test_a_form_answers_its_check_and_its_question_apart(store: TurnStore, url: str) -> None:
    form = [
        ActionExecuted("order_form"), SlotSet("name", "KT1"), SlotSet("requested_slot", "proof"), BotUttered("Who are you?"),
        ActionExecuted("action_listen"),
    ]  # fmt: skip
    keep(store, "t1", [*begins(), heard("hello", "t1"), *form], logged=False)
    recorded = Log(url).conversation("c1")[0]

    async def work() -> None:
        CALLS.set([])
        actions = LoggedActions()
        actions.begin(recorded)
        checked = await ask(actions, "validate_order_form")
        assert [event["name"] for event in checked["events"]] == ["name", "requested_slot"]
        assert checked["responses"] == []
        asked = await ask(actions, "action_ask_proof")
        assert [one["text"] for one in asked["responses"]] == ["Who are you?"]
        with pytest.raises(NotLogged):
            await ask(actions, "action_answer_question")

    run(work())


def test_an_action_is_answered_only_if_it_is_asked_the_same(store: TurnStore, url: str) -> None:
    events = [*begins(), heard("hello", "t1"), ActionExecuted("action_clarify"), BotUttered("Did you mean?")]
    tracker = store.load("c1")
    tracker.update_with_events(events, DOMAIN)
    log = {"events": len(events), "calls": [["action_clarify", "same"]]}
    store.save_turn(tracker, "t1", ANSWER, json.loads(json.dumps(log)))
    recorded = Log(url).conversation("c1")[0]

    async def work() -> None:
        for digest in ("same", "other"):
            CALLS.set([])
            actions = LoggedActions()
            actions.begin(recorded)
            if digest == "same":
                assert (await ask(actions, "action_clarify", digest))["responses"][0]["text"] == "Did you mean?"
            else:
                with pytest.raises(NotLogged) as unknown:
                    await ask(actions, "action_clarify", digest)
                assert unknown.value.otherwise

    run(work())
