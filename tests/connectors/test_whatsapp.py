"""WhatsApp: what its webhooks hold, and what the desk makes of them."""

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

from connectors.base import Arrival, BadPayload, Media, WebhookRequest
from conversations.errors import MessageRejected
from conversations.model import Address, Status
from conversations.notices import rating_titles
from tests.connectors.desk import AGENT
from tests.connectors.meta_desk import desk_of, number, said_by_contact, turns_of
from tests.doubles.meta import Said
from tests.doubles.vendor_server import Answer
from tests.doubles.whatsapp import ANN, BOB, NUMBER, Whatsapp
from tests.pictures import PNG

DOUBLE = Whatsapp()
CONNECTOR = number(DOUBLE)
OGG = b"OggS" + bytes(64)


@pytest.fixture
async def double() -> AsyncIterator[Whatsapp]:
    async with Whatsapp().running() as double:
        yield double


def request(body: Any) -> WebhookRequest:
    return WebhookRequest("POST", {}, {}, json.dumps(body).encode())


def parse(*messages: dict[str, Any], **more: Any) -> list[Arrival]:
    return CONNECTOR.parse(request(DOUBLE.webhook(*messages, **more)))


def address(contact: str = ANN) -> Address:
    return Address("whatsapp", "default", contact)


class TestMessages:
    def test_a_text_has_its_sender_name_time_and_id(self) -> None:
        body = DOUBLE.message("hello\n世界")
        [arrival] = parse(body)
        message = arrival.message
        assert (message.address, message.text, message.external_id) == (address(), "hello\n世界", body["id"])
        assert message.contact_name == "Ann Lee"
        assert message.vouched == f"+{message.address.contact}"  # which WhatsApp has checked
        assert message.sent_at is not None
        assert int(message.sent_at.timestamp()) == int(body["timestamp"])

    def test_somebody_who_hides_their_number_is_known_by_their_user_id(self) -> None:
        [arrival] = parse(DOUBLE.message("hi", by="US.1349"))
        assert (arrival.message.address.contact, arrival.message.contact_name) == ("US.1349", "Hidden")
        assert arrival.message.vouched is None

    @pytest.mark.parametrize(
        ("kind", "body", "text", "media"),
        [
            ("image", {"id": "1", "sha256": "x", "caption": "see"}, "see", Media("1 x", "image", "photo.jpg")),
            ("sticker", {"id": "1", "animated": False}, "", Media("1", "image", "sticker.webp")),
            ("audio", {"id": "1", "voice": True}, "", Media("1", "voice", "voice.ogg")),
            ("audio", {"id": "1", "voice": False}, "", Media("1", "file", "")),
            ("video", {"id": "1"}, "", Media("1", "video", "video.mp4")),
            ("document", {"id": "1", "filename": "a.pdf", "caption": "c"}, "c", Media("1", "file", "a.pdf")),
        ],
    )
    def test_files_are_fetched_later(self, kind: str, body: dict[str, Any], text: str, media: Media) -> None:
        [arrival] = parse(DOUBLE.message(**dict[str, Any]({"type": kind, kind: body})))
        assert (arrival.message.text, arrival.media) == (text, (media,))

    @pytest.mark.parametrize(
        ("body", "text"),
        [
            (
                {"latitude": 31.23, "longitude": 121.47, "name": "店", "address": "1 Road"},
                "📍 店, 1 Road (31.230000, 121.470000)\n"
                "https://www.openstreetmap.org/?mlat=31.230000&mlon=121.470000#map=17/31.230000/121.470000",
            ),
            (
                {"latitude": -1, "longitude": 2},
                "📍 -1.000000, 2.000000\n"
                "https://www.openstreetmap.org/?mlat=-1.000000&mlon=2.000000#map=17/-1.000000/2.000000",
            ),
        ],
    )
    def test_a_place_is_a_text_with_a_link_to_a_map(self, body: dict[str, Any], text: str) -> None:
        [arrival] = parse(DOUBLE.message(type="location", location=body))
        assert arrival.message.text == text

    def test_contact_cards_are_names_and_numbers(self) -> None:
        cards = [
            {
                "name": {"formatted_name": "Bob"},
                "phones": [{"phone": "+1 5"}, {"phone": "+1 6"}],
                "emails": [{"email": "b@c"}],
            },
            {"name": {"formatted_name": "Eve"}},
        ]
        [arrival] = parse(DOUBLE.message(type="contacts", contacts=cards))
        assert arrival.message.text == "Bob: +1 5, +1 6, b@c\nEve"

    @pytest.mark.parametrize(
        "more",
        [
            {
                "type": "interactive",
                "interactive": {"type": "button_reply", "button_reply": {"id": "b1", "title": "One"}},
            },
            {"type": "interactive", "interactive": {"type": "list_reply", "list_reply": {"id": "b1", "title": "One"}}},
            {"type": "button", "button": {"payload": "b1", "text": "One"}},
        ],
    )
    def test_presses_name_their_button_and_its_words(self, more: dict[str, Any]) -> None:
        [arrival] = parse(DOUBLE.message(**more))
        assert (arrival.message.button_id, arrival.message.text) == ("b1", "One")

    @pytest.mark.parametrize(
        "more",
        [
            {"type": "reaction", "reaction": {"message_id": "wamid.1", "emoji": "👍"}},
            {"type": "unsupported", "errors": [{"code": 131051}]},
            {"type": "system", "system": {"body": "changed number"}},
            {"type": "order", "order": {"catalog_id": "1"}},
            {"type": "interactive", "interactive": {"type": "nfm_reply", "nfm_reply": {"response_json": "{}"}}},
            {"type": "hologram", "hologram": {"text": "x"}},
            {"type": "text", "text": {"body": "hi"}, "group_id": "1"},
            {"type": "text", "text": {"body": " "}},
        ],
    )
    def test_what_is_not_said_to_us_is_ignored(self, more: dict[str, Any]) -> None:
        assert parse(DOUBLE.message(**more)) == []

    def test_other_numbers_fields_and_objects_are_ignored(self) -> None:
        assert parse(DOUBLE.message(), number="1") == []
        body = DOUBLE.webhook(DOUBLE.message())
        assert CONNECTOR.parse(request(body | {"object": "page"})) == []
        body["entry"][0]["changes"][0]["field"] = "account_alerts"
        assert CONNECTOR.parse(request(body)) == []

    def test_one_bad_message_does_not_hold_up_the_others(self) -> None:
        bad: list[dict[str, Any]] = [
            {"from": "12 34"},
            {"from": None},
            {"id": ""},
            {"id": "x" * 501},
            {"timestamp": "now"},
            {"type": "location", "location": {"latitude": "x"}},
            {"type": "location", "location": {"latitude": 91, "longitude": 0}},
            {"type": "location", "location": {"latitude": float("nan"), "longitude": 0}},
            {"type": "image", "image": {"id": "../me"}},
        ]
        messages = [DOUBLE.message("good"), *(DOUBLE.message() | one for one in bad), DOUBLE.message("also good")]
        assert [arrival.message.text for arrival in parse(*messages)] == ["good", "also good"]


KEYS = (
    "object entry changes value field metadata phone_number_id messages statuses contacts from id timestamp type text body "
    "image audio location latitude longitude interactive button_reply list_reply title errors code status profile name "
    "wa_id error_data biz_opaque_callback_data recipient_id phones"
)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8) | st.sampled_from(["text", "failed"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(KEYS.split()), inner, max_size=6),
    max_leaves=20,
)


@given(JSON, JSON)
def test_any_json_is_read_or_refused(one: Any, other: Any) -> None:
    fields = one if isinstance(one, dict) else {"type": one}
    whole = DOUBLE.webhook(DOUBLE.message() | fields, other, statuses=(one, {"status": "failed", "errors": other}))
    value = {"entry": [{"changes": [{"field": "messages", "value": one}, other]}]}
    for body in (one, whole, whole | fields, whole | value):
        with suppress(BadPayload):
            for arrival in CONNECTOR.parse(request(body)):
                assert arrival.message.external_id


class TestTheDesk:
    async def test_a_batch_is_taken_but_for_what_is_bad_or_known(self, double: Whatsapp, tmp_path: Path) -> None:
        """F05: of 50 messages #7 is malformed and #20 a duplicate → 48 turns, #7 kept aside with its reason, 200."""
        async with desk_of(tmp_path, double) as (server, url):
            messages = [double.message(f"message {n}") for n in range(50)]
            messages[7]["timestamp"] = "yesterday"
            messages[20] = messages[3]
            assert (await double.post(url, double.webhook(*messages))).status_code == 200
            assert await turns_of(server, 48)
            [letter] = server.unreadables.all()
            assert (letter.channel, letter.account, letter.reason) == ("whatsapp", "default", "timestamp is not a time")
            assert json.loads(letter.content) == messages[7]
            assert await double.deliver(url, double.webhook(*messages)) == 1  # as Meta repeats it
            assert (len(server.unreadables.all()), await turns_of(server, 48)) == (1, True)
            said = await said_by_contact(server, address())
            assert [one.text for one in said] == [f"message {n}" for n in range(50) if n not in (7, 20)]
            await double.until(lambda: double.reads)
            assert {read["message_id"] for read in double.reads} == {messages[49]["id"]}

    async def test_characters_that_no_database_stores_are_no_reason_to_fail(
        self, double: Whatsapp, tmp_path: Path
    ) -> None:
        async with desk_of(tmp_path, double) as (server, url):
            odd = "\ud800\x00x"
            reply = {"type": "button_reply", "button_reply": {"id": odd, "title": f"One{odd}"}}
            press = double.message(type="interactive", interactive=reply)
            said = Said(ANN, odd, {"biz_opaque_callback_data": odd})
            failed = double.status(said, "failed", {"code": 1234, "title": odd})
            assert await double.deliver(url, double.webhook(press, double.message(odd), statuses=(failed,))) == 1
            assert [one.text for one in await said_by_contact(server, address())] == ["One?x", "?x"]
            said.body["biz_opaque_callback_data"] = "x"
            assert await double.deliver(url, double.webhook(statuses=(double.status(said, "failed"),))) == 1

    async def test_the_same_webhook_at_the_same_time_makes_one_turn(self, double: Whatsapp, tmp_path: Path) -> None:
        async with desk_of(tmp_path, double) as (server, url):
            body = double.webhook(double.message("How do I return?"))
            answers = await asyncio.gather(*(double.post(url, body) for _ in range(6)))
            assert {answer.status_code for answer in answers} == {200}
            await double.until(lambda: double.said)
            assert len(await said_by_contact(server, address())) == 1

    async def test_a_large_batch_is_not_refused(self, double: Whatsapp, tmp_path: Path) -> None:
        async with desk_of(tmp_path, double) as (server, url):
            body = double.webhook(double.message("x"), {"padding": "x" * 2_900_000})
            assert await double.deliver(url, body) == 1
            assert (await double.post(url, b"x" * 3_200_000)).status_code == 413
            assert len(await said_by_contact(server, address())) == 1

    async def test_files_are_fetched_with_the_token_and_kept(self, double: Whatsapp, tmp_path: Path) -> None:
        async with desk_of(tmp_path, double) as (server, url):
            picture = double.file("image", PNG, "image/png", caption="see")
            voice = double.file("audio", OGG, "audio/ogg", voice=True)
            assert await double.deliver(url, double.webhook(picture, voice)) == 1
            first, second = await said_by_contact(server, address())
            assert (first.text, [one.name for one in first.attachments]) == ("see", ["photo.png"])
            assert [one.name for one in second.attachments] == ["voice.ogg"]

    async def test_a_file_of_which_another_came_is_said_to_be_missing(self, double: Whatsapp, tmp_path: Path) -> None:
        async with desk_of(tmp_path, double) as (server, url):
            message = double.file("image", PNG, "image/png")
            double.media[message["image"]["id"]] = ("image/png", PNG + b"changed")
            assert await double.deliver(url, double.webhook(message)) == 1
            [stored] = await said_by_contact(server, address())
            assert (stored.attachments, "could not be received" in stored.text) == ((), True)

    async def test_contacts_see_that_they_were_heard_while_the_bot_answers(
        self, double: Whatsapp, tmp_path: Path
    ) -> None:
        async with desk_of(tmp_path, double) as (_, url):
            message = double.message("hello")
            await double.deliver(url, double.webhook(message))
            await double.until(lambda: double.reads)
            assert double.reads[0]["message_id"] == message["id"]
            assert double.reads[0]["typing_indicator"] == {"type": "text"}

    async def test_a_message_that_fails_later_is_marked_once_in_whatever_order_states_come(
        self, double: Whatsapp, tmp_path: Path
    ) -> None:
        async with desk_of(tmp_path, double) as (server, url):
            await double.deliver(url, double.webhook(double.message("How do I return?")))
            await double.until(lambda: double.said)
            [said] = double.said
            failed = double.status(said, "failed", {"code": 131026, "title": "Message undeliverable"})
            states = (double.status(said, "read"), double.status(said, "sent"), double.status(said, "delivered"))
            await double.deliver(url, double.webhook(statuses=states))
            assert not (await server.desk.transcript(address()))[-1].delivery_failed
            for _ in range(2):
                assert await double.deliver(url, double.webhook(statuses=(failed, *states))) == 1
            assert (await server.desk.transcript(address()))[-1].delivery_failed
            letters = await server.outbox.dead_letters()
            [(outbox_id, state, _, reason)] = letters
            assert (outbox_id, state) == (said.body["biz_opaque_callback_data"], "dead")
            assert reason is not None
            assert "131026" in reason
            assert await server.outbox.replay(outbox_id)
            await double.until(lambda: len(double.said) == 2)
            await double.deliver(url, double.webhook(statuses=(failed,)))  # of the first attempt, once more
            assert not (await server.desk.transcript(address()))[-1].delivery_failed

    async def test_states_of_unknown_messages_are_acknowledged(self, double: Whatsapp, tmp_path: Path) -> None:
        async with desk_of(tmp_path, double) as (_, url):
            stranger = Said(ANN, "wamid.x", {"biz_opaque_callback_data": "nothing of ours"})
            states = (
                double.status(stranger, "failed", {"code": 1}),
                double.status(stranger, "failed"),
                {"status": "failed"},
                double.status(stranger, "read"),
                {"status": "read", "timestamp": "soon", "biz_opaque_callback_data": ["x"]},
                {"status": "delivered", "timestamp": {}, "biz_opaque_callback_data": "x\u0000"},
            )
            assert await double.deliver(url, double.webhook(statuses=states)) == 1


class TestMedia:
    async def test_links_to_other_hosts_are_not_followed(self, double: Whatsapp) -> None:
        connector = number(double)
        message = double.file("image", PNG, "image/png")
        reference = f"{message['image']['id']} {message['image']['sha256']}"
        assert await connector.fetch(Media(reference, "image", "a.png")) == ("a.png", PNG)
        true_answer = double.answer
        for url in (
            "http://169.254.169.254/latest",
            "http://lookaside.fbsbx.com/x",
            "https://lookaside.fbsbx.com.evil.example/x",
            "https://lookaside.fbsbx.com@evil.example/x",
            "https://evil.example/lookaside.fbsbx.com",
            "file:///etc/passwd",
            "",
        ):
            double.answer = lambda call, path, url=url: Answer({"url": url})  # type: ignore[method-assign, misc]
            with pytest.raises(MessageRejected, match="media_hosts"):
                await connector.fetch(Media(reference, "image"))
        double.answer = true_answer  # type: ignore[method-assign]
        double.wrong_checksum = True
        with pytest.raises(MessageRejected, match="checksum"):
            await connector.fetch(Media(message["image"]["id"], "image"))
        with pytest.raises(MessageRejected):
            await connector.fetch(Media("999", "image"))


@pytest.mark.parametrize("language", ["zh", "en"])
async def test_a_conversation_goes_from_a_question_to_a_rating(double: Whatsapp, tmp_path: Path, language: str) -> None:
    words = {
        "zh": ("怎么退货", "我要退掉它", "订单二", "已登记退货 2", "转人工", "您好 *欢迎*", BOB),
        "en": ("How do I return?", "I want to send back it", "Order two", "Return noted for 2", "a person", "Hi!", ANN),
    }
    question, task, choice, noted, person, greeting, who = words[language]
    async with desk_of(tmp_path, double) as (server, url):

        async def say(message: dict[str, Any]) -> Said:
            before = len(double.said)
            assert await double.deliver(url, double.webhook(message)) == 1
            await double.until(lambda: len(double.said) > before)
            return double.said[-1]

        answer = await say(double.message(question, by=who))
        assert f"{server.url}/articles/returns-{language}" in answer.body["text"]["body"]
        asked = await say(double.message(task, by=who))
        assert asked.body["interactive"]["type"] == "button"
        done = await say(double.pressing(asked, choice))
        assert done.body["text"]["body"] == noted
        await say(double.message(task, by=who))
        done = await say(double.message("2", by=who))  # typed instead of pressed
        assert done.body["text"]["body"] == noted
        await say(double.message(person, by=who))
        conversation = await server.desk.find_current(address(who))
        assert conversation is not None
        assert conversation.status is Status.QUEUED
        await server.desk.assign(conversation.id, AGENT)
        await server.desk.reply_as_agent(conversation.id, AGENT, greeting)
        await double.until(lambda: double.said[-1].body.get("text", {}).get("body") == greeting)
        await double.until(lambda: double.reads)
        reads = len(double.reads)
        await double.deliver(url, double.webhook(double.message("thanks", by=who)))
        await server.desk.resolve(conversation.id, AGENT)
        await double.until(lambda: double.said[-1].body.get("interactive", {}).get("type") == "list")
        assert len(double.reads) == reads  # where a person answers, nothing claims that they type
        rated = await say(double.pressing(double.said[-1], rating_titles(language)[0][1]))
        assert rated.to == who
        async with server.desk.database.read() as connection:
            [score] = (await connection.execute(sql("select score from ratings"))).scalars()
        assert score == 5
        transcript = await server.desk.transcript(address(who))
        assert {message.conversation_id for message in transcript} == {conversation.id}
        assert not any(message.delivery_failed for message in transcript)
        paths = {call.path for call in double.calls}
        assert paths == {f"/v25.0/{NUMBER}/messages"}
