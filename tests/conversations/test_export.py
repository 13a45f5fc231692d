"""Data teams get every event in order and at least once, by one process at a time, and nothing personal unasked."""

from __future__ import annotations

import asyncio
import json
import os
import uuid
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from redis.asyncio import Redis
from redis.exceptions import RedisError

from conversations import export_sinks
from conversations.export import Exporter
from conversations.export_events import Event
from conversations.export_sinks import BadExport, KafkaTopic, RedisStream, stream_at
from conversations.export_store import ExportStore
from conversations.store import Database
from conversations.turn_model import Reply, TurnResult
from conversations.work_leases import WorkLeases
from tests.conversations.builders import LIN, MAX, TestDesk, hands_off, says, until
from tests.conversations.conftest import connect_again

ROOT = Path(__file__).resolve().parent.parent.parent
SCHEMA = json.loads((ROOT / "docs" / "events.schema.json").read_text())
REDIS = os.environ.get("TEST_REDIS_URL", "redis://127.0.0.1:6379/15")
SECRET_WORDS = "my number is 139 1234 5678"
VALIDATOR = jsonschema.Draft202012Validator(SCHEMA, format_checker=jsonschema.FormatChecker())


class Collected:
    """A target that keeps what it is sent, and fails when told to."""

    target = "memory://events"

    def __init__(self) -> None:
        self.events: list[Event] = []
        self.fails = 0
        self.batches: list[int] = []

    async def send(self, events: Sequence[Event]) -> None:
        if self.fails:
            self.fails -= 1
            self.events += events[: len(events) // 2]  # half of it arrived, and nobody knows
            raise ConnectionError("cut")
        self.events += events
        self.batches.append(len(events))

    async def close(self) -> None:
        """Nothing to let go of."""


def exporter(desk: TestDesk, sink: Any, database: Database | None = None, **options: Any) -> Exporter:
    database = database or desk.database
    quick = {"poll_seconds": 0.02, "first_pause_seconds": 0.01}
    return Exporter(database, WorkLeases(database, seconds=3), sink, **{**quick, **options})


async def exported(desk: TestDesk, **options: Any) -> list[Event]:
    """Everything the desk has to tell, each event checked against the published schema."""
    _, events = await exporter(desk, Collected(), batch=10_000, **options).next_batch(0)
    for event in events:
        VALIDATOR.validate(json.loads(export_sinks.written(event)))
    return events


def traced() -> TurnResult:
    return TurnResult(
        (Reply("Seven days."),),
        {
            "language": "en", "intent": "ask_knowledge", "confidence": 0.83, "route": "knowledge", "policy": "RulePolicy",
            "model_id": "m1", "entities": [{"entity": "phone", "value": SECRET_WORDS}], "reading": SECRET_WORDS,
            "ranking": [{"name": "ask_knowledge", "confidence": 0.83}], "actions": ["action_answer_question"],
            "thresholds": {"answer": 0.6, "clarify": 0.3, "retrieval": 0.5}, "slots_changed": {"phone": SECRET_WORDS},
            "retrieval": [{"passage_id": "return/en/1", "version": "v1", "score": 0.71}],
            "timings_ms": {"understand": 3.1, "act": 2.0, "total": 5.2, "call": 6.0},
        },
    )  # fmt: skip


async def a_busy_day(desk: TestDesk) -> str:
    """A conversation that meets most of what can happen; returns its contact."""
    receipt = await desk.send(SECRET_WORDS)
    await desk.answer(traced())
    await desk.send("a person please")
    await desk.answer(hands_off())
    one = receipt.conversation_id
    await desk.conversations.assign(one, LIN, over_capacity=True)
    await desk.conversations.reply_as_agent(one, LIN, "Let me look.")
    await desk.at_the_desk(MAX)
    await desk.conversations.transfer(one, LIN, MAX, SECRET_WORDS)
    await desk.conversations.resolve(one, MAX)
    conversation = await desk.get(one)
    await desk.conversations.rate(conversation.address, one, 4, SECRET_WORDS)
    return conversation.contact_id


async def test_every_event_fits_the_published_schema_and_its_numbers_only_grow(desk: TestDesk) -> None:
    jsonschema.Draft202012Validator.check_schema(SCHEMA)
    await a_busy_day(desk)
    events = await exported(desk)
    told = [event["type"] for event in events]
    assert told[:2] == ["conversation.opened", "turn"]
    assert {"conversation.status", "conversation.transferred", "agent.replied", "rating"} <= set(told)
    assert [event["id"] for event in events] == sorted({event["id"] for event in events})
    assert {event["version"] for event in events} == {1}


async def test_a_turn_tells_intent_scores_and_times_and_no_word_of_anybody(desk: TestDesk) -> None:
    await a_busy_day(desk)
    events = await exported(desk)
    turn = next(event for event in events if event["type"] == "turn")["data"]
    assert (turn["intent"], turn["confidence"], turn["route"]) == ("ask_knowledge", 0.83, "knowledge")
    assert turn["retrieval"] == [{"passage_id": "return/en/1", "version": "v1", "score": 0.71}]
    assert turn["timings_ms"]["total"] == 5.2
    assert turn["received_at"] <= turn["finished_at"]
    everything = json.dumps(events, ensure_ascii=False)
    for word in (SECRET_WORDS, "139 1234", "Seven days", "Let me look", "visitor-1", LIN.name):
        assert word not in everything, f"{word!r} left the desk"


async def test_words_that_go_along_are_masked_where_the_target_need_not_know_who_it_was(desk: TestDesk) -> None:
    await a_busy_day(desk)
    hidden = await exported(desk, with_text=True, hide=lambda text: f"<{len(text)}>")
    turn = next(event["data"] for event in hidden if event["type"] == "turn")
    assert (turn["text"], turn["replies"]) == (f"<{len(SECRET_WORDS)}>", [f"<{len('Seven days.')}>"])
    assert SECRET_WORDS not in json.dumps(hidden, ensure_ascii=False)


async def test_words_go_along_only_when_asked_for_and_never_of_an_erased_contact(desk: TestDesk) -> None:
    contact_id = await a_busy_day(desk)
    await desk.send("is it open on sunday", contact="visitor-2")
    await desk.answer(says("Yes."))
    turns = [event["data"] for event in await exported(desk, with_text=True) if event["type"] == "turn"]
    assert (turns[0]["text"], turns[0]["replies"]) == (SECRET_WORDS, ["Seven days."])
    await desk.conversations.erase_contact(contact_id, LIN)
    events = await exported(desk, with_text=True)
    everything = json.dumps(events, ensure_ascii=False)
    assert SECRET_WORDS not in everything
    assert "Seven days." not in everything
    assert "is it open on sunday" in everything
    assert events[-1]["type"] == "contact.erased", "who keeps events is told to erase them as well"
    assert events[-1]["contact_id"] == contact_id


async def test_what_failed_is_sent_again_and_nothing_is_skipped(desk: TestDesk) -> None:
    for number in range(12):
        await desk.send(f"message {number}", contact=f"visitor-{number}")
    await desk.answer()
    wanted = [event["id"] for event in await exported(desk)]
    sink = Collected()
    sink.fails = 2
    running = exporter(desk, sink, batch=5)
    await running.start()

    async def all_there() -> bool:
        return bool(sink.events) and sink.events[-1]["id"] == wanted[-1]

    await until(all_there)
    await running.stop()
    ids = [event["id"] for event in sink.events]
    assert list(dict.fromkeys(ids)) == wanted, "in order, without a gap"
    assert len(ids) > len(wanted), "what nobody could be sure of came again"
    assert max(sink.batches) <= 5


async def test_a_killed_exporter_is_followed_by_another_process_that_goes_on_where_it_was(
    desk: TestDesk, place: str
) -> None:
    for number in range(6):
        await desk.send(f"message {number}", contact=f"visitor-{number}")
    await desk.answer()
    wanted = [event["id"] for event in await exported(desk)]
    stuck, other = asyncio.Event(), connect_again(place)

    class Dying(Collected):
        async def send(self, events: Sequence[Event]) -> None:
            if len(self.events) >= 6:
                stuck.set()
                await asyncio.Event().wait()
            await super().send(events)

    first, second = Dying(), Collected()
    one, two = exporter(desk, first, batch=3), exporter(desk, second, other, batch=3)
    await one.start()
    await asyncio.wait_for(stuck.wait(), 10)
    await two.start()
    await asyncio.sleep(0.1)
    assert second.events == [], "one at a time"
    await one.stop()

    async def all_there() -> bool:
        return bool(second.events) and second.events[-1]["id"] == wanted[-1]

    await until(all_there)
    await two.stop()
    await other.close()
    ids = [event["id"] for event in [*first.events, *second.events]]
    assert ids == wanted, "what was confirmed is not told again, what was not is"


async def test_entries_that_are_not_told_do_not_hold_up_the_next_ones(desk: TestDesk) -> None:
    await desk.conversations.record("something_of_the_desk", LIN)
    last, events = await exporter(desk, Collected()).next_batch(0)
    assert (last, events) == (1, [])
    assert await exporter(desk, Collected()).next_batch(1) == (1, [])


@pytest.fixture
async def stream() -> AsyncIterator[tuple[Redis, str]]:
    """A connection to Redis and a stream of this test's own."""
    client = Redis.from_url(REDIS, socket_connect_timeout=1)
    try:
        await client.ping()
    except (RedisError, OSError) as error:
        await client.aclose()
        if os.environ.get("CI"):
            raise
        pytest.skip(f"Redis does not answer: {error}")
    name = f"test-events-{uuid.uuid4().hex}"
    yield client, name
    await client.delete(name)
    await client.aclose()


async def test_a_redis_stream_holds_each_event_once_confirmed(desk: TestDesk, stream: tuple[Redis, str]) -> None:
    client, name = stream
    await a_busy_day(desk)
    wanted = await exported(desk)
    sink = stream_at(f"{REDIS}/{name}")
    running = exporter(desk, sink, batch=4)
    await running.start()

    async def all_confirmed() -> bool:
        async with desk.database.read() as connection:
            position = await ExportStore(connection).position(sink.target)
        return position > 0 and (await running.next_batch(position))[0] == position

    await until(all_confirmed)
    await running.stop()
    entries = [fields for _, fields in await client.xrange(name)]
    assert [json.loads(fields[b"event"]) for fields in entries] == wanted
    assert [int(fields[b"id"]) for fields in entries] == [event["id"] for event in wanted]
    again = exporter(desk, stream_at(f"{REDIS}/{name}"))
    await again.start()
    await asyncio.sleep(0.2)
    await again.stop()
    assert await client.xlen(name) == len(wanted), "a restart repeats nothing that was confirmed"


class Producer:
    """The part of aiokafka's producer that is used; ``futures`` decides how sending ends."""

    made: list[Producer]

    def __init__(self, **options: Any) -> None:
        self.options = options
        self.sent: list[tuple[str, bytes, bytes]] = []
        self.running = False
        self.refuses = False
        Producer.made.append(self)

    async def start(self) -> None:
        self.running = True

    async def stop(self) -> None:
        self.running = False

    async def send(self, topic: str, value: bytes, key: bytes) -> asyncio.Future[None]:
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        if self.refuses:
            done.set_exception(ConnectionError("not enough replicas"))
        else:
            self.sent.append((topic, value, key))
            done.set_result(None)
        return done


async def test_kafka_gets_events_keyed_by_conversation_and_a_failed_producer_is_replaced(desk: TestDesk) -> None:
    Producer.made = []
    await a_busy_day(desk)
    events = await exported(desk)
    topic = KafkaTopic("kafkas://ann:p%40ss@k1:9092,k2:9092/desk", Producer)
    assert "p%40ss" not in topic.target
    await topic.send(events)
    [first] = Producer.made
    assert first.options["bootstrap_servers"] == ["k1:9092", "k2:9092"]
    assert (first.options["acks"], first.options["enable_idempotence"]) == ("all", True)
    assert (first.options["security_protocol"], first.options["sasl_plain_password"]) == ("SASL_SSL", "p@ss")
    assert [json.loads(value) for _, value, _ in first.sent] == events
    assert {key.decode() for _, _, key in first.sent} == {event["conversation_id"] for event in events}
    first.refuses = True
    with pytest.raises(ConnectionError):
        await topic.send(events[:1])
    assert not first.running
    await topic.send(events[:1])
    assert len(Producer.made) == 2
    await topic.close()
    assert not Producer.made[1].running


@pytest.mark.parametrize(
    ("url", "says"),
    [
        ("ftp://host/stream", "EXPORT_URL must begin with"),
        ("redis://host:6379", "names no stream"),
        ("redis://host/zero/stream", "number of the Redis database"),
        ("redis://host/0/stream?maxlen=0", "maxlen"),
        ("kafka://host:9092", "EXPORT_URL must look like kafka"),
    ],
)
def test_an_address_that_cannot_work_says_what_to_write(url: str, says: str) -> None:
    with pytest.raises(BadExport, match=says):
        stream_at(url, Producer)


def test_kafka_without_its_library_says_how_to_install_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "aiokafka", None)
    with pytest.raises(BadExport, match="aiokafka is not installed"):
        stream_at("kafka://host:9092/desk")


def test_the_name_under_which_progress_is_kept_holds_no_secret() -> None:
    assert RedisStream("redis://ann:secret@host/3/events").target == "redis://host:6379/3/events"
