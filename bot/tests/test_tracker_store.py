"""The store keeps a turn whole, finds it again, and says when it cannot; the same on SQLite and PostgreSQL."""

from __future__ import annotations

import os
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import sqlalchemy as sa
from rasa.shared.core.domain import Domain
from rasa.shared.core.events import ActionExecuted, SessionStarted, SlotSet, UserUttered

from bot.tracker_store import StoreFailed, TurnStore

POSTGRES = os.environ.get("BOT_TEST_POSTGRES_URL", "postgresql+psycopg2://postgres@127.0.0.1:5432/test")
DOMAIN = Domain.from_dict({"intents": ["greet"], "slots": {"name": {"type": "text", "mappings": [{"type": "custom"}]}}})


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'folder' / 'bot.db'}"
        return
    schema = f"bot_{uuid.uuid4().hex}"
    admin = sa.create_engine(POSTGRES, future=True)
    try:
        with admin.begin() as connection:
            connection.execute(sa.text(f"CREATE SCHEMA {schema}"))
    except sa.exc.OperationalError as error:
        if os.environ.get("CI"):
            raise
        pytest.skip(f"no PostgreSQL at {POSTGRES}: {type(error).__name__}")
    yield f"{POSTGRES}?options=-csearch_path%3D{schema}"
    with admin.begin() as connection:
        connection.execute(sa.text(f"DROP SCHEMA {schema} CASCADE"))
    admin.dispose()


@pytest.fixture
def store(url: str) -> TurnStore:
    return TurnStore(DOMAIN, host=url)


def test_a_turn_is_found_again_with_its_answer(store: TurnStore) -> None:
    tracker = store.load("c1")
    assert not tracker.events
    tracker.update_with_events(
        [SessionStarted(), ActionExecuted("action_listen"), UserUttered("你好"), SlotSet("name", "李婷")], DOMAIN
    )
    store.save_turn(tracker, "t1", {"replies": ["您好 😄"]})
    assert store.find_answer("c1", "t1") == {"replies": ["您好 😄"]}
    assert store.find_answer("c2", "t1") is None
    again = store.load("c1")
    assert again.get_slot("name") == "李婷"
    assert len(again.events) == len(tracker.events)


def test_only_new_events_are_saved(store: TurnStore) -> None:
    for turn in range(3):
        tracker = store.load("c1")
        assert len(tracker.events) == turn
        tracker.update(SlotSet("name", str(turn)), DOMAIN)
        store.save_turn(tracker, f"t{turn}", {})


def test_a_new_session_is_where_reading_begins(store: TurnStore) -> None:
    tracker = store.load("c1")
    tracker.update_with_events([UserUttered("old"), SessionStarted(), UserUttered("new")], DOMAIN)
    store.save_turn(tracker, "t1", {})
    tracker = store.load("c1")
    assert [event.text for event in tracker.events if isinstance(event, UserUttered)] == ["new"]


def test_a_turn_cannot_be_saved_twice_and_the_second_leaves_nothing(store: TurnStore) -> None:
    tracker = store.load("c1")
    tracker.update(SlotSet("name", "a"), DOMAIN)
    store.save_turn(tracker, "t1", {})
    with pytest.raises(StoreFailed):
        store.save_turn(tracker, "t1", {})
    assert len(store.load("c1").events) == 1


def test_a_database_that_cannot_be_used_is_told_at_the_start(tmp_path: Path) -> None:
    (tmp_path / "bot.db").write_text("not a database, but long enough to be taken for one " * 50)
    with pytest.raises(StoreFailed, match="cannot be used"):
        TurnStore(DOMAIN, host=f"sqlite:///{tmp_path / 'bot.db'}")


def test_a_conversation_is_read_by_an_index(store: TurnStore) -> None:
    names = {index["name"]: index["column_names"] for index in sa.inspect(store._engine).get_indexes("events")}
    assert names["ix_events_sender_id_id"] == ["sender_id", "id"]


def test_forgotten_conversations_leave_nothing_and_others_stay(store: TurnStore) -> None:
    for name in ("c1", "c2", "c3"):
        tracker = store.load(name)
        tracker.update_with_events([SessionStarted(), UserUttered("我的电话是 13800138000")], DOMAIN)
        store.save_turn(tracker, f"t-{name}", {"replies": ["ok"]})
    assert store.forget(["c1", "c3", "never there"]) == 2
    assert store.find_answer("c1", "t-c1") is None
    assert not store.load("c1").events
    assert not store.open_turn("c3", "another").tracker.events  # type: ignore[union-attr]  # it was in memory
    assert store.find_answer("c2", "t-c2") == {"replies": ["ok"]}
    assert store.forget(["c1", "c3"]) == 0


def test_another_process_notices_that_a_conversation_was_forgotten(store: TurnStore, url: str) -> None:
    tracker = store.load("c1")
    tracker.update_with_events([SessionStarted(), SlotSet("name", "李婷")], DOMAIN)
    store.save_turn(tracker, "t1", {"replies": []})
    TurnStore(DOMAIN, host=url).forget(["c1"])
    opened = store.open_turn("c1", "t2")
    assert opened.tracker is not None
    assert opened.tracker.get_slot("name") is None


def test_a_database_from_before_gets_the_index_by_which_conversations_are_forgotten(url: str) -> None:
    before = TurnStore(DOMAIN, host=url)
    with before._engine.begin() as connection:
        connection.execute(sa.text("DROP INDEX ix_turns_sender_id"))
    TurnStore(DOMAIN, host=url)
    assert "ix_turns_sender_id" in {index["name"] for index in sa.inspect(before._engine).get_indexes("turns")}


def test_bots_that_start_together_on_a_new_database_do_not_trip_over_each_other(url: str) -> None:
    if url.startswith("sqlite"):
        pytest.skip("several bots share PostgreSQL, never a SQLite file")
    with ThreadPoolExecutor(4) as pool:
        stores = list(pool.map(lambda _: TurnStore(DOMAIN, host=url), range(4)))
    assert all(not store.load("c1").events for store in stores)
