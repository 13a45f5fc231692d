"""Messenger: what its webhooks hold, and what the desk makes of them."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import text as sql

from connectors.base import Arrival, BadPayload, WebhookRequest
from conversations.model import Address, InboundMessage
from conversations.notices import rating_titles
from tests.connectors.desk import AGENT
from tests.connectors.meta_desk import desk_of, page, said_by_contact, turns_of
from tests.doubles.messenger import ANN, BOB, PAGE, Messenger
from tests.doubles.meta import Said
from tests.pictures import PNG

DOUBLE = Messenger()
CONNECTOR = page(DOUBLE)


@pytest.fixture
async def double() -> AsyncIterator[Messenger]:
    async with Messenger().running() as double:
        for contact in (ANN, BOB):
            double.wrote_at[contact] = double.now
        yield double


def request(body: Any) -> WebhookRequest:
    return WebhookRequest("POST", {}, {}, json.dumps(body).encode())


def parse(*events: Any, **more: Any) -> list[Arrival]:
    return CONNECTOR.parse(request(DOUBLE.webhook(*events, **more)))


def address(contact: str = ANN) -> Address:
    return Address("messenger", "default", contact)


class TestMessages:
    def test_a_text_has_its_sender_time_and_id(self) -> None:
        event = DOUBLE.message("hello 世界")
        [arrival] = parse(event)
        message = arrival.message
        assert (message.address, message.text, message.external_id) == (
            address(),
            "hello 世界",
            event["message"]["mid"],
        )
        assert message.sent_at is not None
        assert int(message.sent_at.timestamp()) == event["timestamp"] // 1000

    def test_quick_replies_and_postbacks_name_their_button_and_its_words(self) -> None:
        quick = DOUBLE.message("One", quick_reply={"payload": "b1"})
        for event in (quick, DOUBLE.postback("One", "b1")):
            [arrival] = parse(event)
            assert (arrival.message.button_id, arrival.message.text) == ("b1", "One")

    def test_files_links_and_places(self) -> None:
        attachments = [
            {"type": "image", "payload": {"url": "https://scontent.xx.fbcdn.net/a.png", "sticker_id": 1}},
            {"type": "audio", "payload": {"url": "https://cdn.fbsbx.com/b.mp4"}},
            {"type": "video", "payload": {"url": "https://video.xx.fbcdn.net/c.mp4"}},
            {"type": "file", "payload": {"url": "https://cdn.fbsbx.com/d.pdf"}},
            {"type": "location", "title": "Ann's place", "payload": {"coordinates": {"lat": 1.5, "long": 2}}},
            {"type": "fallback", "title": "A page", "payload": {"url": "https://shop.example", "title": "A page"}},
            {"type": "template", "payload": {}},
            {"type": "image", "payload": {}},
        ]
        [arrival] = parse(DOUBLE.message("", attachments=attachments))
        assert [media.kind for media in arrival.media] == ["image", "voice", "video", "file"]
        assert arrival.message.text.startswith("📍 Ann's place (1.500000, 2.000000)\nhttps://www.openstreetmap.org/")
        assert arrival.message.text.endswith("\nA page https://shop.example")

    @pytest.mark.parametrize(
        "more",
        [
            {"message": {"mid": "m_1", "text": "ours", "is_echo": True, "app_id": 1}},
            {"message": {"mid": "m_1", "is_deleted": True}},
            {"message": {"mid": "m_1", "text": "  "}},
            {"message": {"mid": "m_1", "text": "x"}, "sender": {"id": PAGE}},
            {"delivery": {"mids": ["m_1"], "watermark": 1}},
            {"read": {"watermark": 1}},
            {"reaction": {"mid": "m_1", "action": "react"}},
            {"message_edit": {"mid": "m_1", "text": "x"}},
            {"referral": {"ref": "x"}},
            {"optin": {}},
        ],
    )
    def test_what_is_not_said_to_us_is_ignored(self, more: dict[str, Any]) -> None:
        event = DOUBLE.message()
        del event["message"]
        assert parse(event | more) == []

    def test_other_pages_objects_and_what_another_app_handles_are_ignored(self) -> None:
        assert parse(DOUBLE.message(), page="1") == []
        body = DOUBLE.webhook(DOUBLE.message())
        assert CONNECTOR.parse(request(body | {"object": "instagram"})) == []
        entry = body["entry"][0]
        assert (
            CONNECTOR.parse(request(body | {"entry": [entry | {"messaging": [], "standby": entry["messaging"]}]})) == []
        )

    def test_one_bad_event_does_not_hold_up_the_others(self) -> None:
        bad: list[dict[str, Any]] = [
            {"sender": {"id": "x"}},
            {"timestamp": "now"},
            {"timestamp": -1},
            {"message": {"mid": "", "text": "x"}},
        ]
        events = [DOUBLE.message("good"), *(DOUBLE.message() | one for one in bad), None, DOUBLE.message("also good")]
        assert [arrival.message.text for arrival in parse(*events)] == ["good", "also good"]


KEYS = (
    "object entry id messaging sender recipient timestamp message mid text attachments type payload url coordinates lat "
    "long quick_reply postback title is_echo"
)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8) | st.sampled_from(["page", PAGE]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(KEYS.split()), inner, max_size=6),
    max_leaves=20,
)


@given(JSON, JSON)
def test_any_json_is_read_or_refused(one: Any, other: Any) -> None:
    fields = one if isinstance(one, dict) else {"message": one}
    event = DOUBLE.message()
    for body in (
        one,
        DOUBLE.webhook(event | fields, other),
        DOUBLE.webhook(event | {"message": event["message"] | fields}),
        DOUBLE.webhook(event) | fields,
    ):
        with suppress(BadPayload):
            for arrival in CONNECTOR.parse(request(body)):
                assert arrival.message.external_id


class TestTheDesk:
    async def test_the_senders_name_and_language_are_asked_for_once(self, double: Messenger, tmp_path: Path) -> None:
        async with desk_of(tmp_path, double, ask_language=True) as (server, url):
            for text in ("1234", "5678"):
                assert await double.deliver(url, double.webhook(double.message(text, by=BOB))) == 1
            conversation = await server.desk.find_current(address(BOB))
            assert conversation is not None
            assert conversation.contact_name == "波 王"
            introduced = await server.connectors[0].introduce(InboundMessage(address(BOB), "1"))
            assert introduced.language == "zh"
            assert sum(call.method == "GET" for call in double.calls) == 1

    async def test_a_sender_whom_meta_does_not_tell_about_is_served_all_the_same(
        self, double: Messenger, tmp_path: Path
    ) -> None:
        double.people[BOB] = {}
        double.people["700"] = {}
        async with desk_of(tmp_path, double) as (server, url):
            for contact in (BOB, "700", "999"):
                assert await double.deliver(url, double.webhook(double.message("hello", by=contact))) == 1
                assert len(await said_by_contact(server, address(contact))) == 1

    async def test_a_batch_is_taken_but_for_what_is_bad_or_known(self, double: Messenger, tmp_path: Path) -> None:
        """F05: of 50 messages #7 is malformed and #20 a duplicate → 48 turns, #7 kept aside with its reason, 200."""
        async with desk_of(tmp_path, double) as (server, url):
            events = [double.message(f"message {n}") for n in range(50)]
            events[7]["timestamp"] = "yesterday"
            events[20] = events[3]
            assert (await double.post(url, double.webhook(*events))).status_code == 200
            assert await turns_of(server, 48)
            said = await said_by_contact(server, address())
            assert [one.text for one in said] == [f"message {n}" for n in range(50) if n not in (7, 20)]
            [letter] = server.unreadables.all()
            assert (letter.channel, letter.reason) == ("messenger", "timestamp is not a time")
            assert json.loads(letter.content) == events[7]

    async def test_the_same_webhook_at_the_same_time_makes_one_turn(self, double: Messenger, tmp_path: Path) -> None:
        async with desk_of(tmp_path, double) as (server, url):
            body = double.webhook(double.message("How do I return?"))
            answers = await asyncio.gather(*(double.post(url, body) for _ in range(6)))
            assert {answer.status_code for answer in answers} == {200}
            await double.until(lambda: double.said)
            assert len(await said_by_contact(server, address())) == 1

    async def test_pictures_are_kept_and_contacts_see_that_they_were_heard(
        self, double: Messenger, tmp_path: Path
    ) -> None:
        async with desk_of(tmp_path, double) as (server, url):
            await double.deliver(url, double.webhook(double.file("image", PNG)))
            [stored] = await said_by_contact(server, address())
            assert [one.name for one in stored.attachments] == ["photo.png"]
            await double.until(lambda: len(double.actions) == 2)
            assert double.actions == [(ANN, "mark_seen"), (ANN, "typing_on")]

    async def test_a_menu_button_that_is_none_of_ours_is_read_as_its_words(
        self, double: Messenger, tmp_path: Path
    ) -> None:
        async with desk_of(tmp_path, double) as (_, url):
            await double.deliver(url, double.webhook(double.postback("How do I return?", "GET_STARTED")))
            await double.until(lambda: double.said)
            assert "30 days" in double.said[0].body["message"]["text"]


@pytest.mark.parametrize("language", ["zh", "en"])
async def test_a_conversation_goes_from_a_question_to_a_rating(
    double: Messenger, tmp_path: Path, language: str
) -> None:
    words = {
        "zh": ("怎么退货", "我要退掉它", "订单二", "已登记退货 2", "转人工", "您好，欢迎", BOB),
        "en": ("How do I return?", "I want to send back it", "Order two", "Return noted for 2", "a person", "Hi!", ANN),
    }
    question, task, choice, noted, person, greeting, who = words[language]
    async with desk_of(tmp_path, double) as (server, url):

        async def say(event: dict[str, Any]) -> Said:
            before = len(double.said)
            assert await double.deliver(url, double.webhook(event)) == 1
            await double.until(lambda: len(double.said) > before)
            return double.said[-1]

        answer = await say(double.message(question, by=who))
        assert f"{server.url}/articles/returns-{language}" in answer.body["message"]["text"]
        asked = await say(double.message(task, by=who))
        done = await say(double.pressing(asked, choice))
        assert done.body["message"]["text"] == noted
        await say(double.message(task, by=who))
        done = await say(double.message("2", by=who))  # typed instead of pressed
        assert done.body["message"]["text"] == noted
        await say(double.message(person, by=who))
        conversation = await server.desk.find_current(address(who))
        assert conversation is not None
        await server.desk.assign(conversation.id, AGENT)
        await server.desk.reply_as_agent(conversation.id, AGENT, greeting)
        await double.until(lambda: double.said[-1].body["message"].get("text") == greeting)
        await server.desk.resolve(conversation.id, AGENT)
        await double.until(lambda: len(double.said[-1].body["message"].get("quick_replies", [])) == 5)
        await say(double.pressing(double.said[-1], rating_titles(language)[0][1]))
        async with server.desk.database.read() as connection:
            [score] = (await connection.execute(sql("select score from ratings"))).scalars()
        assert score == 5
        transcript = await server.desk.transcript(address(who))
        assert {message.conversation_id for message in transcript} == {conversation.id}
        assert not any(message.delivery_failed for message in transcript)
