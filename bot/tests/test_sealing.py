"""Whoever has the bot's database without the keys reads nothing in it; with them everything is read as it was said."""

from __future__ import annotations

from pathlib import Path

import pytest
import sqlalchemy as sa
from rasa.shared.core.events import ActionExecuted, SessionStarted, SlotSet, UserUttered

from bot import settings
from bot.replay_log import Log, LogUnreadable
from bot.sealing import Seal, SealBroken
from bot.tests.test_tracker_store import DOMAIN, url  # noqa: F401
from bot.tracker_store import StoreFailed, TurnStore

NEW, OLD = "ab" * 32, "01" * 32
SAID = "my walrus 海象 swallowed it"
ANSWER = {"replies": [{"text": "a doctor for the walrus 海象"}]}
LOG = {"text": SAID, "events": 1, "calls": []}


def store_with(monkeypatch: pytest.MonkeyPatch, url: str, keys: str) -> TurnStore:  # noqa: F811
    monkeypatch.setenv("BOT_FIELD_KEYS", keys)
    return TurnStore(DOMAIN, host=url)


def talk(store: TurnStore, conversation: str = "c1", turn: str = "t1") -> None:
    tracker = store.load(conversation)
    heard = UserUttered(SAID, input_channel="turn", message_id=turn)
    events = [SessionStarted(), ActionExecuted("action_listen"), heard, SlotSet("name", "Wilhelmina")]
    tracker.update_with_events(events, DOMAIN)
    store.save_turn(tracker, turn, ANSWER, LOG)


def rows(url: str) -> str:  # noqa: F811
    """All that the database holds."""
    engine = sa.create_engine(url, future=True)
    with engine.connect() as connection:
        return "\n".join(
            str(row) for table in ("events", "turns") for row in connection.execute(sa.text(f"SELECT * FROM {table}"))
        )


def holds(text: str) -> list[str]:
    return [word for word in ("walrus", "海象", "Wilhelmina", "u6d77", "doctor", "swallowed") if word in text]


def reads(store: TurnStore, conversation: str = "c1", turn: str = "t1") -> None:
    assert store.find_answer(conversation, turn) == ANSWER
    tracker = store.load(conversation)
    assert tracker.latest_message.text == SAID
    assert tracker.get_slot("name") == "Wilhelmina"


def test_nothing_that_was_said_or_answered_is_in_the_database(monkeypatch: pytest.MonkeyPatch, url: str) -> None:  # noqa: F811
    store = store_with(monkeypatch, url, NEW)
    talk(store)
    assert holds(rows(url)) == []
    reads(store_with(monkeypatch, url, NEW))  # another process, which has nothing in memory
    [turn] = Log(url).conversation("c1")
    assert (turn.turn.text, turn.answer) == (SAID, ANSWER)
    assert store.open_turn("c1", "t1").answer == ANSWER
    if url.startswith("sqlite"):
        folder = Path(sa.engine.make_url(url).database).parent
        assert holds("".join(path.read_bytes().decode("utf-8", "ignore") for path in folder.glob("bot.db*"))) == []


def test_without_keys_it_is_kept_as_it_is_and_sealed_once_there_are_some(
    monkeypatch: pytest.MonkeyPatch,
    url: str,  # noqa: F811
) -> None:
    plain = store_with(monkeypatch, url, "")
    for number in range(60):
        talk(plain, f"c{number}", f"t{number}")
    assert plain.seal_older() == 0
    assert holds(rows(url)) == ["walrus", "海象", "Wilhelmina", "doctor", "swallowed"]
    store = store_with(monkeypatch, url, OLD)
    reads(store, "c7", "t7")
    assert store.seal_older(0) == 60 * (4 + 2)
    assert holds(rows(url)) == []
    assert store.seal_older(0) == 0
    reads(store, "c7", "t7")
    # The same with a newer key: the older one opens until everything is sealed anew, and is needed no more then.
    both = store_with(monkeypatch, url, f"{NEW}, {OLD}")
    reads(both, "c59", "t59")
    assert both.seal_older(0) == 60 * 6
    reads(store_with(monkeypatch, url, NEW), "c0", "t0")


def test_a_conversation_in_memory_goes_on_while_its_rows_are_sealed(monkeypatch: pytest.MonkeyPatch, url: str) -> None:  # noqa: F811
    talk(store_with(monkeypatch, url, ""))
    store = store_with(monkeypatch, url, NEW)
    tracker = store.open_turn("c1", "t2").tracker
    assert tracker is not None
    store.seal_older(0)
    tracker.update(UserUttered("and then?"), DOMAIN)
    store.save_turn(tracker, "t2", ANSWER)
    again = store.open_turn("c1", "t3").tracker
    assert again is not None
    assert [event.text for event in again.events if isinstance(event, UserUttered)] == [SAID, "and then?"]


def test_a_bot_without_the_key_does_not_start_and_says_which_setting(monkeypatch: pytest.MonkeyPatch, url: str) -> None:  # noqa: F811
    talk(store_with(monkeypatch, url, OLD))
    for keys in ("", NEW):
        with pytest.raises(StoreFailed, match="BOT_FIELD_KEYS lacks"):
            store_with(monkeypatch, url, keys)
        with pytest.raises(LogUnreadable):
            Log(url).conversation("c1")


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE events SET data = (SELECT data FROM events WHERE sender_id = 'c2' LIMIT 1) WHERE sender_id = 'c1'",
        "UPDATE turns SET answer = log WHERE sender_id = 'c1'",
        "UPDATE turns SET answer = (SELECT answer FROM turns WHERE turn_id = 'other') WHERE turn_id = 't1'",
        "UPDATE turns SET answer = 'fb1.' || substr(answer, 5, 8) || '.AAAA'",
        "UPDATE turns SET answer = 'fb1.nonsense'",
    ],
)
def test_what_was_moved_or_changed_fails_the_turn(monkeypatch: pytest.MonkeyPatch, url: str, change: str) -> None:  # noqa: F811
    """F39: nothing opens in another conversation, column or turn."""
    store = store_with(monkeypatch, url, NEW)
    talk(store)
    talk(store, "c1", "other")
    talk(store, "c2", "t2")
    engine = sa.create_engine(url, future=True)
    with engine.begin() as connection:
        connection.execute(sa.text(change))
    other = store_with(monkeypatch, url, NEW)
    with pytest.raises(StoreFailed):
        reads(other)
    other.seal_older(0)  # goes past what it cannot open


def test_a_database_that_fails_says_nothing_of_what_was_said(
    monkeypatch: pytest.MonkeyPatch,
    url: str,  # noqa: F811
    caplog: pytest.LogCaptureFixture,
) -> None:
    """F40: neither the error of a turn nor what sealing older rows leaves in the log."""
    plain = store_with(monkeypatch, url, "")
    talk(plain)
    with pytest.raises(StoreFailed) as failed:
        talk(plain)  # the turn is there already
    assert holds(str(failed.value)) == []
    store = store_with(monkeypatch, url, NEW)
    with sa.create_engine(url, future=True).begin() as connection:
        connection.execute(sa.text("ALTER TABLE events RENAME COLUMN data TO gone"))
    assert store.seal_older(0) == 0
    assert "is left to the next start" in caplog.text
    assert holds(caplog.text) == []


def test_the_same_words_look_different_every_time() -> None:
    seal = Seal([bytes.fromhex(NEW)])
    assert len({seal.close(SAID, "c1", "events.data") for _ in range(100)}) == 100
    assert seal.open(seal.close(SAID, "c1", "p"), "c1", "p") == SAID
    with pytest.raises(SealBroken, match="BOT_FIELD_KEYS"):
        Seal().open(seal.close(SAID, "c1", "p"), "c1", "p")


@pytest.mark.parametrize("bad", ["abc", f"{NEW},xyz", "g" * 64])
def test_a_bad_key_is_named(bad: str) -> None:
    with pytest.raises(settings.BadSetting, match="BOT_FIELD_KEYS needs keys of 64"):
        settings.field_keys({"BOT_FIELD_KEYS": bad})
