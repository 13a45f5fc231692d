"""What is read of an MQTT topic and payload, which settings are refused, and whole conversations over a real broker."""

from __future__ import annotations

import base64
import json
from collections.abc import AsyncIterator
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import text as sql
from structlog.testing import capture_logs

from connectors.accounts import BadAccount, connectors_of
from connectors.base import Means
from connectors.mqtt import MqttConnector
from connectors.mqtt_topics import TopicTemplate
from conversations.errors import MessageRejected
from conversations.model import Address, Author, Status, utc_now
from conversations.notices import rating_titles
from tests.connectors.desk import AGENT, Server, free_port
from tests.connectors.dingtalk_desk import Shelf
from tests.connectors.mqtt_desk import account, desk_with_broker, settings
from tests.doubles.mosquitto import Device, Mosquitto, running
from tests.pictures import PNG

IN = "frontdesk/shop/in/ann"
TEMPLATE = TopicTemplate("frontdesk/{account}/in/{contact}", "shop")


@pytest.fixture
async def broker(tmp_path: Path) -> AsyncIterator[Mosquitto]:
    async with running(tmp_path / "broker", free_port()) as broker:
        yield broker


class TestTopics:
    def test_a_topic_names_its_contact(self) -> None:
        assert TEMPLATE.filter == "frontdesk/shop/in/+"
        assert TEMPLATE.topic("ann") == IN
        assert TEMPLATE.contact(IN) == "ann"
        assert TEMPLATE.contact("frontdesk/shop/in/设备-1") == "设备-1"

    @pytest.mark.parametrize(
        "contact", ["", "a/b", "+", "#", "a+b", "$SYS", "a b", "a\x00", "a\n", "x" * 129, "{contact}"]
    )
    def test_wildcards_and_odd_characters_are_no_contacts(self, contact: str) -> None:
        assert TEMPLATE.topic(contact) is None
        assert TEMPLATE.contact(f"frontdesk/shop/in/{contact}") is None
        assert not TEMPLATE.is_below(f"frontdesk/shop/in/{contact}", contact)

    @given(st.text(max_size=60) | st.from_regex(r"frontdesk/shop/in/[^/]*", fullmatch=True))
    def test_the_topic_of_a_contact_leads_back_to_it(self, topic: str) -> None:
        contact = TEMPLATE.contact(topic)
        assert contact is None or TEMPLATE.topic(contact) == topic

    @given(st.text(max_size=60))
    def test_only_what_lies_below_belongs_to_a_contact(self, rest: str) -> None:
        if TEMPLATE.is_below(f"{IN}{rest}", "ann"):
            assert not rest or rest.startswith("/")
            assert not set(rest) & set("+#$\x00")

    @pytest.mark.parametrize(
        ("template", "fits"),
        [
            ("{contact}/in", True),
            ("a/{account}/b-c/{contact}", True),
            ("a/in", False),
            ("{contact}/{contact}", False),
            ("a/x{contact}", False),
            ("a/+/{contact}", False),
            ("a/#/{contact}", False),
            ("$SYS/{contact}", False),
            ("/{contact}", False),
            ("a//{contact}", False),
            ("{tenant}/{contact}", False),
        ],
    )
    def test_templates_are_plain_words_and_one_contact(self, template: str, fits: bool) -> None:
        if fits:
            assert TopicTemplate(template, "shop").topic("ann")
        else:
            with pytest.raises(ValueError, match="topic"):
                TopicTemplate(template, "shop")


class TestReading:
    def test_a_message_with_everything(self) -> None:
        payload = {
            "id": "m-1",
            "text": "看",
            "language": "zh-CN",
            "name": "安",
            "sent_at": "2026-03-01T10:00:00Z",
            "attachments": [{"name": "a.png", "kind": "image", "content": base64.b64encode(PNG).decode()}],
        }
        arrival = account().read(IN, json.dumps(payload).encode())
        assert arrival is not None
        message = arrival.message
        assert (message.address, message.external_id) == (Address("mqtt", "shop", "ann"), "ann/m-1")
        assert (message.text, message.language, message.contact_name) == ("看", "zh", "安")
        assert [(one.kind, one.name) for one in arrival.media] == [("image", "a.png")]

    async def test_the_files_are_in_the_payload(self) -> None:
        body = {"id": "1", "attachments": [{"name": "a.png", "content": base64.b64encode(PNG).decode()}]}
        connector = account()
        arrival = connector.read(IN, json.dumps(body).encode())
        assert arrival is not None
        assert await connector.fetch(arrival.media[0]) == ("a.png", PNG)

    @pytest.mark.parametrize(
        ("topic", "payload", "reason"),
        [
            (IN, b"hello", "JSON"),
            (IN, b'{"text":"hello"}', "id"),
            (IN, b'{"id":"a b","text":"hello"}', "id"),
            (IN, b'{"id":"1"}', "text is empty"),
            (IN, b'{"id":"1","text":"x","contact":"bob"}', "contact"),
            (IN, b'{"id":"1","text":"' + b"x" * 1_100_000 + b'"}', "bytes"),
            ("frontdesk/shop/in/a b", b'{"id":"1","text":"x"}', "topic"),
            ("frontdesk/other/in/ann", b'{"id":"1","text":"x"}', "topic"),
            ("", b'{"id":"1","text":"x"}', "topic"),
        ],
    )
    def test_what_cannot_be_read_is_left_out_with_the_reason_in_the_log(
        self, topic: str, payload: bytes, reason: str
    ) -> None:
        with capture_logs() as lines:
            assert account().read(topic, payload) is None
        [line] = lines
        assert line["event"] == "mqtt_message_refused"
        assert reason in line["error"]

    def test_retained_messages_are_old_news(self) -> None:
        assert account().read(IN, b'{"id":"1","text":"x"}', retained=True) is None

    @given(st.text(max_size=40) | st.just(IN), st.binary(max_size=80), st.booleans())
    def test_anything_is_read_or_left_out(self, topic: str, payload: bytes, plain: bool) -> None:
        arrival = account(plain_text=plain).read(topic, payload)
        assert arrival is None or arrival.message.text or arrival.message.button_id or arrival.media


class TestPlainText:
    def connector(self, clock: list[Any]) -> MqttConnector:
        return MqttConnector(settings(plain_text=True), Means("https://desk.example", Shelf(), lambda: clock[0]))

    def ids(self, connector: MqttConnector, *payloads: bytes, topic: str = IN) -> list[str]:
        arrivals = [connector.read(topic, payload) for payload in payloads]
        return [arrival.message.external_id for arrival in arrivals if arrival is not None]

    def test_text_that_is_no_json_object_is_what_the_contact_says(self) -> None:
        connector = self.connector([utc_now()])
        for said in ("hello", "你好", "42", "[1]", '"quoted"', "{broken"):
            arrival = connector.read(IN, said.encode())
            assert arrival is not None
            assert arrival.message.text == said
        for payload in (b"", b"  ", b"\xff", b"x" * 20_001, b'{"text":"an object needs an id"}'):
            assert connector.read(IN, payload) is None

    def test_the_same_text_within_the_window_is_one_message_and_later_another(self) -> None:
        clock = [utc_now()]
        connector = self.connector(clock)
        first, again, other = self.ids(connector, b"yes", b"yes", b"no")
        [bobs] = self.ids(connector, b"yes", topic="frontdesk/shop/in/bob")
        assert first == again
        assert len({first, other, bobs}) == 3
        clock[0] += timedelta(seconds=59)
        assert self.ids(connector, b"yes") == [first]
        clock[0] += timedelta(seconds=1)
        assert self.ids(connector, b"yes") != [first]

    def test_after_a_restart_the_window_still_holds_within_its_minute(self) -> None:
        clock = [utc_now().replace(second=10)]
        first = self.ids(self.connector(clock), b"yes")
        clock[0] += timedelta(seconds=30)
        assert self.ids(self.connector(clock), b"yes") == first


@pytest.mark.parametrize(
    ("more", "complaint"),
    [
        ({"in_topic": "a/in"}, "in_topic"),
        ({"out_topic": "a/#"}, "out_topic"),
        ({"in_topic": "a/{contact}", "out_topic": "a/{contact}"}, "overlap"),
        ({"in_topic": "a/{contact}/x", "out_topic": "{contact}/b/x"}, "overlap"),
        ({"username": None}, "username"),
        ({"cert_file": "/nowhere/a.pem"}, "belong together"),
        ({"ca_file": "/nowhere/a.pem"}, "tls"),
        ({"ca_file": "/nowhere/a.pem", "tls": True}, "no file"),
        ({"host": ""}, "host"),
        ({"port": 0}, "port"),
        ({"in_flight": 0}, "in_flight"),
        ({"client_id": "a/b"}, "client_id"),
    ],
)
def test_an_account_that_cannot_work_stops_the_start(more: dict[str, Any], complaint: str) -> None:
    entry = {"channel": "mqtt", "host": "broker", "tls": False, "username": "desk", "password": "pw-of-the-desk"}
    means = Means("https://desk.example", Shelf(), utc_now)
    assert [one.channel for one in connectors_of([entry], means)] == ["mqtt"]
    with pytest.raises(BadAccount, match=complaint) as raised:
        connectors_of([entry | more], means)
    assert "pw-of-the-desk" not in str(raised.value)


def test_a_response_topic_cannot_lead_back_into_the_desk() -> None:
    connector = account(in_topic="shop/{contact}/in", out_topic="shop/{contact}")
    for topic, taken in (("shop/ann/in", False), ("shop/ann/app", True), ("shop/bob/app", False)):
        connector._note_answer("ann", type("Properties", (), {"ResponseTopic": topic}))
        assert connector._answer_to.get("ann") == ((topic, None) if taken else None)


async def test_a_contact_that_fits_into_no_topic_is_refused_for_good() -> None:
    with pytest.raises(MessageRejected):
        await account().send("a/b", None)  # type: ignore[arg-type]  # it is not looked at


async def score_of(server: Server) -> list[int]:
    async with server.desk.database.read() as connection:
        return list((await connection.execute(sql("select score from ratings"))).scalars())


@pytest.mark.parametrize(
    ("language", "words", "answered"),
    [
        (
            "en",
            ("how do I return it?", "cancel my order", "a person please", "thank you"),
            ("You can return it within **30 days**.", "Which order shall I cancel?", "Order A1 is cancelled."),
        ),
        (
            "zh",
            ("怎么退货？", "我要取消订单", "转人工", "谢谢"),
            ("**30 天**内可以退货。", "取消哪个订单？", "订单 A1 已取消。"),
        ),
    ],
)
async def test_question_task_handoff_and_rating(
    tmp_path: Path, broker: Mosquitto, language: str, words: tuple[str, ...], answered: tuple[str, ...]
) -> None:
    async with desk_with_broker(tmp_path, broker.port) as server, Device("ann", broker.port).online() as ann:
        more = {"language": language, "name": "Ann"}
        assert await ann.says(words[0], **more) == 0
        [answer] = await ann.until(1)
        assert (answer["contact"], answer["author"], answer["text"]) == ("ann", "bot", answered[0])
        assert answer["citations"][0]["url"] == f"{server.url}/articles/returns-{language}"
        await ann.says(words[1])
        which = (await ann.until(2))[1]
        assert which["text"] == answered[1]
        await ann.says(button_id=which["buttons"][0]["id"], text="")
        assert (await ann.until(3))[2]["text"] == answered[2]
        await ann.says(words[1])
        await ann.until(4)
        await ann.says("2")  # the number chooses as well
        assert "B2" in (await ann.until(5))[4]["text"]

        await ann.says(words[2])
        await ann.until(7)
        conversation = await server.desk.find_current(Address("mqtt", "shop", "ann"))
        assert conversation is not None
        assert conversation.status is Status.QUEUED
        await server.desk.agent_seen(AGENT.id, AGENT.name)
        await server.desk.assign(conversation.id, AGENT)
        await server.desk.reply_as_agent(conversation.id, AGENT, "Lin here / 我来帮您")
        assert (await ann.saying("我来帮您"))["author_name"] == AGENT.name
        await ann.says(words[3])
        transcript: list[str] = []
        while words[3] not in transcript:
            await server.http.get("/")
            said = await server.desk.transcript(Address("mqtt", "shop", "ann"))
            transcript = [one.text for one in said if one.author is Author.CONTACT]
        await server.desk.resolve(conversation.id, AGENT)
        best = rating_titles(language)[0][1]
        rating = await ann.saying(best)
        assert rating["kind"] == "rating_request"
        before = len(ann.got)
        await ann.says(button_id=next(one["id"] for one in rating["buttons"] if one["title"] == best))
        await ann.until(before + 1)  # the thanks
        assert await score_of(server) == [5]
        ids = [one["id"] for one in ann.got]
        assert len(set(ids)) == len(ids)


async def test_a_restarted_desk_answers_what_came_meanwhile_and_repeats_nothing(
    tmp_path: Path, broker: Mosquitto
) -> None:
    async with Device("ann", broker.port).online() as ann:
        async with desk_with_broker(tmp_path, broker.port):
            await ann.says("hello")
            await ann.until(1)
        await ann.says("still there?")
        await ann.says("hello", id="ann-1")  # a device that sends its first message again
        async with desk_with_broker(tmp_path, broker.port):
            await ann.says("last")
            said = [one["text"] for one in await ann.until(3)]
    assert said == ["you said hello", "you said still there?", "you said last"]


async def test_what_nobody_heard_is_said_again_when_the_device_is_back(tmp_path: Path, broker: Mosquitto) -> None:
    async with Device("bob", broker.port).online(), desk_with_broker(tmp_path, broker.port) as server:
        await broker.stop()
        await broker.start()  # with the sessions it kept
        async with Device("ann", broker.port).online() as ann:
            with suppress(TimeoutError):
                await ann.says("hello")
            assert [one["text"] for one in await ann.until(1)] == ["you said hello"]
        transcript = await server.desk.transcript(Address("mqtt", "shop", "ann"))
        assert not any(one.delivery_failed for one in transcript)
