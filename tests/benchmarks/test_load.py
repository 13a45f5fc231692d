"""The load generator counts waiting, tells a wrong answer from a right one, and lets nothing lost go unseen."""

from __future__ import annotations

import asyncio
import random
import re
from typing import Any

import httpx
import pytest

from benchmarks.load import PROFILES, Memory
from benchmarks.load_contacts import Contact, PostBox, Way, new_secret
from benchmarks.load_counts import overtaken
from benchmarks.load_desk import Target
from benchmarks.load_record import Record, spread
from benchmarks.load_scripts import SCRIPTS, Line, script
from benchmarks.load_wire import Wire
from connectors.standard_webhooks import Signatures, key_of

LINE = Line("task", "where is my order?", "order number")


def way(patience_seconds: float = 0.2) -> Way:
    signatures = Signatures([key_of(new_secret())])
    return Way("http://127.0.0.1:9", "key", signatures, "load", Record(), PostBox(), patience_seconds)


class Scripted(Contact):
    """Hears what the test says, without a desk."""

    channel = "test"

    def __init__(self, to: Way, *replies: dict[str, Any] | Exception) -> None:
        super().__init__(to, "en")
        self.replies = list(replies)

    async def _talk(self, line: Line, due_at: float) -> None:
        heard: list[dict[str, Any]] = []
        for reply in self.replies:
            if isinstance(reply, Exception):
                raise reply
            heard.append(reply)
            if self.heard(line, due_at, 1, list(heard)):
                return
        raise TimeoutError


def reply(seq: int, text: str) -> dict[str, Any]:
    return {"seq": seq, "text": text}


def test_a_spread_is_by_rank_so_that_one_slow_message_in_a_hundred_shows() -> None:
    times = [0.01] * 98 + [0.5, 2.0]
    assert spread(times) == {"p50": 10.0, "p95": 10.0, "p99": 500.0}
    assert spread([]) == {"p50": None, "p95": None, "p99": None}


def test_time_begins_when_a_message_was_due_and_warming_up_is_left_out() -> None:
    record = Record(begins_at=100.0)
    record.sent("rest", 99.0, 99.0)
    record.answered(99.0, 99.1)
    record.sent("rest", 101.0, 104.0)
    record.answered(101.0, 104.5)
    assert (record.due, record.replies, record.late, record.replied) == ([101.0], [3.5], [3.0], 2)


async def test_an_answer_may_come_in_parts_and_its_first_words_are_measured() -> None:
    contact = Scripted(way(), reply(2, "One moment."), reply(3, "What is your order number?"))
    await contact.say(LINE, 0.0)
    assert contact.way.record.errors == 0
    assert (len(contact.way.record.replies), contact.last_seq) == (1, 3)


@pytest.mark.parametrize(
    ("replies", "kind"),
    [
        ([], "lost"),
        ([reply(2, "I like turtles.")], "wrong"),
        ([reply(3, "One moment."), reply(2, "Your order number?")], "out_of_order"),
        ([httpx.ReadError("cut")], "failed"),
    ],
)
async def test_what_a_contact_would_call_broken_is_an_error(replies: list[Any], kind: str) -> None:
    contact = Scripted(way(), *replies)
    await contact.say(LINE, 0.0)
    assert dict(contact.way.record.wrong) == {kind: 1}
    assert contact.way.record.examples


def test_a_turn_that_overtakes_an_earlier_one_is_found_in_the_database() -> None:
    in_order = [("a", 1, [2]), ("a", 3, "[4, 5]"), ("b", 1, []), ("b", 2, [3])]
    assert overtaken(in_order) == 0
    assert overtaken([("a", 1, [4]), ("a", 2, [3])]) == 1
    assert overtaken([("a", 5, [4])]) == 1


def test_every_line_can_be_told_right_from_wrong_and_both_languages_say_the_same_kinds_of_things() -> None:
    kinds = {}
    for language, scripts in SCRIPTS.items():
        kinds[language] = sorted(line.kind for one in scripts for line in one)
        for line in (line for one in scripts for line in one):
            re.compile(line.expects)
            assert not line.answered_by("")
    assert kinds["en"] == kinds["zh"]
    assert {script(random.Random(seed))[0] for seed in range(20)} == {"en", "zh"}


def test_every_profile_sends_something_and_the_soak_takes_twenty_minutes() -> None:
    assert {"smoke", "100-users", "soak", "spike", "acks"} <= set(PROFILES)
    assert all(profile.users or profile.webhooks_per_second for profile in PROFILES.values())
    assert PROFILES["soak"].seconds == 20 * 60
    assert PROFILES["100-users"].users == 100


def test_memory_that_grows_is_told_from_memory_that_warms_up() -> None:
    memory = Memory(Target("", "", "", "", "given"))
    memory.seen = [100.0, 400.0, 800.0, 900.0, *[1000.0] * 12]
    assert memory.growth_mb() == 0.0
    memory.seen = [float(number) for number in range(1000, 1040)]
    assert memory.growth_mb() == 20.0
    memory.seen = [1.0]
    assert memory.growth_mb() is None


async def test_the_wire_keeps_connections_and_tells_every_status() -> None:
    statuses = [200, 503, 200]
    opened = 0

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal opened
        opened += 1
        while statuses:
            head = await reader.readuntil(b"\r\n\r\n")
            assert b"POST /door HTTP/1.1" in head
            assert await reader.readexactly(5) == b"hello"
            status = statuses.pop(0)
            writer.write(f"HTTP/1.1 {status} Said\r\nContent-Length: 2\r\n\r\nok".encode())
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    wire = Wire(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}")
    assert [await wire.post("/door", b"hello", {"x": "y"}) for _ in range(3)] == [200, 503, 200]
    assert opened == 1
    with pytest.raises(OSError, match="closed"):
        await wire.post("/door", b"hello", {})
    wire.close()
    server.close()
