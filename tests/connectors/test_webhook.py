"""Signed webhooks come in once, and nothing that is not signed or not a message is stored."""

from __future__ import annotations

import base64
import json
from collections.abc import AsyncIterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError
from sqlalchemy import text as sql

from connectors.accounts import BadAccount, connectors_of
from connectors.base import BadPayload, BadSignature, Means, WebhookRequest
from connectors.json_messages import SentMessage
from connectors.standard_webhooks import Signatures, key_of
from conversations.model import Address, Author, Message, Status, utc_now
from conversations.notices import rating_titles
from tests.connectors.desk import AGENT, Server
from tests.connectors.dingtalk_desk import Shelf
from tests.connectors.webhook_desk import PATH, desk_with_program, program_account, settings
from tests.doubles.webhook_program import FROM_DESK, TO_DESK, Program
from tests.pictures import PNG

BODY = b'{"contact":"ann","text":"hello"}'


@pytest.fixture
async def program() -> AsyncIterator[Program]:
    async with Program().running() as program:
        yield program


@pytest.fixture
async def desk(tmp_path: Path, program: Program) -> AsyncIterator[Server]:
    async with desk_with_program(tmp_path, program) as server:
        yield server


async def stored(server: Server) -> int:
    async with server.desk.database.read() as connection:
        return int((await connection.execute(sql("select count(*) from messages"))).scalar_one())


async def said(server: Server, contact: str = "ann") -> list[Message]:
    transcript = await server.desk.transcript(Address("webhook", "shop", contact))
    return [message for message in transcript if message.author is Author.CONTACT]


MUTATIONS: dict[str, dict[str, str | None]] = {
    "no id": {"webhook-id": None},
    "no timestamp": {"webhook-timestamp": None},
    "no signature": {"webhook-signature": None},
    "another id": {"webhook-id": "msg_other"},
    "an empty signature": {"webhook-signature": ""},
    "a stale timestamp": {"webhook-timestamp": "1614265330"},
    "a future timestamp": {"webhook-timestamp": "9914265330"},
    "a negative timestamp": {"webhook-timestamp": "-5"},
    "a timestamp in other digits": {"webhook-timestamp": "١٦١٤٢٦٥٣٣٠"},
    "a fraction": {"webhook-timestamp": "1614265330.5"},
    "a wrong scheme": {"webhook-signature": "v2,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="},
    "no scheme": {"webhook-signature": "g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="},
    "hexadecimal": {"webhook-signature": "v1," + "AB" * 32},
    "not ASCII": {"webhook-signature": "v1,签名"},
    "a huge signature": {"webhook-signature": "v1," + "A" * 5_000},
    "a huge id": {"webhook-id": "m" * 5_000},
}


class TestTheDoor:
    @pytest.mark.parametrize("name", MUTATIONS)
    async def test_a_changed_header_is_refused_and_nothing_is_stored(
        self, desk: Server, program: Program, name: str
    ) -> None:
        headers = program.signed(BODY) | {
            header: value for header, value in MUTATIONS[name].items() if value is not None
        }
        for header, value in MUTATIONS[name].items():
            if value is None:
                del headers[header]
        raw = [(header.encode(), value.encode()) for header, value in headers.items()]
        answer = await desk.http.post(PATH, content=BODY, headers=raw)
        assert answer.status_code == 403
        assert await stored(desk) == 0

    async def test_every_flipped_byte_and_every_header_given_twice_is_refused(
        self, desk: Server, program: Program
    ) -> None:
        good = program.signed(BODY)
        for place in range(len(BODY)):
            body = bytes(byte ^ (place == at) for at, byte in enumerate(BODY))
            assert (await desk.http.post(PATH, content=body, headers=good)).status_code == 403
        for place in range(3, len(good["webhook-signature"]) - 2):
            letters = list(good["webhook-signature"])
            letters[place] = "A" if letters[place] != "A" else "B"
            changed = good | {"webhook-signature": "".join(letters)}
            assert (await desk.http.post(PATH, content=BODY, headers=changed)).status_code == 403
        for place in range(len(good["webhook-timestamp"])):
            digits = list(good["webhook-timestamp"])
            digits[place] = str((int(digits[place]) + 1) % 10)
            changed = good | {"webhook-timestamp": "".join(digits)}
            assert (await desk.http.post(PATH, content=BODY, headers=changed)).status_code == 403
        for header in good:
            twice = [*good.items(), (header, good[header])]
            assert (await desk.http.post(PATH, content=BODY, headers=twice)).status_code == 403
        assert (await desk.http.post(PATH, content=BODY + b"\n", headers=good)).status_code == 403
        assert await stored(desk) == 0

    async def test_a_header_of_a_megabyte_ends_the_request(self, desk: Server, program: Program) -> None:
        headers = program.signed(BODY) | {"webhook-signature": "v1," + "A" * 1_000_000}
        with suppress(httpx.TransportError):  # the server may hang up before all of it was sent
            assert 400 <= (await desk.http.post(PATH, content=BODY, headers=headers)).status_code < 500
        assert await stored(desk) == 0

    @pytest.mark.parametrize(
        "body",
        [
            b"",
            b"[]",
            b"null",
            b"{}",
            b"\xff\xfe",
            b"[" * 10_000,
            b'{"contact":"ann"}',
            b'{"text":"hello"}',
            b'{"contact":"ann","text":"  "}',
            b'{"contact":"a/b","text":"hello"}',
            b'{"contact":"ann+","text":"hello"}',
            b'{"contact":"ann","text":5}',
            b'{"contact":"ann","text":"hello","colour":"red"}',
            b'{"contact":"ann","text":"hello","sent_at":"yesterday"}',
            b'{"contact":"ann","text":"hello","sent_at":"2026-01-01T00:00:00"}',
            b'{"contact":"ann","attachments":[{"name":"a.png","content":"not base64!"}]}',
            b'{"contact":"ann","attachments":[{"name":"a.png","content":"QUJDR"}]}',
        ],
    )
    async def test_a_signed_body_that_is_no_message_is_a_400_and_nothing_is_stored(
        self, desk: Server, program: Program, body: bytes
    ) -> None:
        headers = Signatures([key_of(TO_DESK)]).headers("m1", body, utc_now().timestamp())
        answer = await desk.http.post(PATH, content=body, headers=headers)
        assert (answer.status_code, answer.json()["error"]["code"]) == (400, "bad_payload")
        assert await stored(desk) == 0

    async def test_a_repeat_is_acknowledged_and_makes_one_turn(self, desk: Server, program: Program) -> None:
        for _ in range(3):
            answer = await program.says(desk.http, "ann", "hello", webhook_id="m1")
            assert answer.status_code == 200
        await program.says(desk.http, "ann", "again", webhook_id="m2")
        assert [one["text"] for one in await program.until(2)] == ["you said hello", "you said again"]
        assert [message.external_id for message in await said(desk)] == ["m1", "m2"]

    async def test_what_could_not_be_stored_is_a_500_and_comes_in_when_it_is_sent_again(
        self, desk: Server, program: Program
    ) -> None:
        desk.desk.broken = True
        assert (await program.says(desk.http, "ann", "hello", webhook_id="m1")).status_code == 500
        desk.desk.broken = False
        assert (await program.says(desk.http, "ann", "hello", webhook_id="m1")).status_code == 200
        assert len(await said(desk)) == 1

    async def test_name_language_time_and_files_come_along(self, desk: Server, program: Program) -> None:
        file = {"name": "a.png", "content": base64.b64encode(PNG).decode(), "kind": "image"}
        answer = await program.says(
            desk.http,
            "ann",
            "看",
            name="安",
            language="zh-Hans",
            sent_at="2026-03-01T10:00:00+08:00",
            attachments=[file],
        )
        assert answer.status_code == 200
        [message] = await said(desk)
        assert (message.author_name, message.text) == ("安", "看")
        assert [(one.name, one.size) for one in message.attachments] == [("a.png", len(PNG))]
        bad = {"name": "virus.exe", "content": base64.b64encode(b"MZ\x00\x01").decode()}
        await program.says(desk.http, "ann", attachments=[bad])
        assert (await said(desk))[1].text == "[a file that could not be received]"


@given(
    st.recursive(
        st.none() | st.booleans() | st.floats(allow_nan=False) | st.text(max_size=20),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(st.sampled_from([*SentMessage.model_fields, "content", "kind"]), inner, max_size=5)
        ),
        max_leaves=10,
    )
)
def test_any_json_is_a_message_or_a_bad_payload_without_the_value_in_its_text(value: Any) -> None:
    request = WebhookRequest("POST", {"webhook-id": "m1"}, {}, json.dumps(value).encode())
    with suppress(BadPayload):
        [arrival] = program_account().parse(request)
        assert arrival.message.text or arrival.message.button_id or arrival.media


def test_a_bad_payload_does_not_repeat_what_was_written() -> None:
    for body in ('{"contact":"ann","text":"x","language":["geheim"]}', '{"contact":"geheim!","text":"x"}'):
        with pytest.raises(BadPayload) as raised:
            SentMessage.read(body.encode())
        assert "geheim" not in str(raised.value)


def test_the_time_and_language_are_read() -> None:
    message = SentMessage.read(b'{"text":"x","language":"ZH_tw","sent_at":"2026-03-01T10:00:00.5Z"}')
    assert (message.language, message.sent_at) == ("zh", datetime(2026, 3, 1, 10, 0, 0, 500_000, UTC))
    assert SentMessage.read(b'{"text":"x","language":"fr-FR"}').language is None
    assert SentMessage.read(b'{"text":"x","language":"zhu"}').language is None


@pytest.mark.parametrize(
    ("more", "complaint"),
    [
        ({"incoming_secrets": []}, "incoming_secrets"),
        ({"incoming_secrets": ""}, "24 to 64 bytes"),
        ({"incoming_secrets": "whsec_QUJD"}, "24 to 64 bytes"),
        ({"incoming_secrets": "whsec_!!!"}, "Base64"),
        ({"incoming_secrets": [TO_DESK, FROM_DESK]}, "must differ"),
        ({"url": "ftp://partner.example/"}, "https"),
        ({"url": "https://user:pw@partner.example/"}, "user name"),
        ({"url": "http://partner.example/", "allow_private_addresses": False}, "https"),
        ({"url": "https://partner.example:22/", "allow_private_addresses": False}, "port"),
        ({"url": "https:///x"}, "host"),
        ({"ca_file": "/nowhere/ca.pem"}, "no file"),
        ({"colour": "red"}, "colour"),
    ],
)
def test_an_account_that_cannot_work_stops_the_start(more: dict[str, Any], complaint: str) -> None:
    entry = {
        "channel": "webhook",
        "url": "https://partner.example/desk",
        "incoming_secrets": TO_DESK,
        "outgoing_secrets": FROM_DESK,
        "allow_private_addresses": True,
    }
    means = Means("https://desk.example", Shelf(), utc_now)
    assert [one.channel for one in connectors_of([entry], means)] == ["webhook"]
    with pytest.raises(BadAccount, match=complaint) as raised:
        connectors_of([entry | more], means)
    assert TO_DESK not in str(raised.value)


def test_secrets_are_not_shown() -> None:
    with pytest.raises(ValidationError) as raised:
        settings(incoming_secrets=TO_DESK, outgoing_secrets=TO_DESK)
    assert TO_DESK not in raised.value.json(include_input=False)
    assert TO_DESK not in repr(settings())


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
    desk: Server, program: Program, language: str, words: tuple[str, ...], answered: tuple[str, ...]
) -> None:
    async def says(text: str = "", **more: Any) -> None:
        answer = await program.says(desk.http, "ann", text, language=language, name="Ann", **more)
        assert answer.status_code == 200, answer.text

    await says(words[0])
    [answer] = await program.until(1)
    assert (answer["contact"], answer["author"], answer["text"]) == ("ann", "bot", answered[0])
    assert answer["citations"][0]["url"] == f"{desk.url}/articles/returns-{language}"
    await says(words[1])
    which = (await program.until(2))[1]
    assert which["text"] == answered[1]
    await says(button_id=which["buttons"][0]["id"])
    assert (await program.until(3))[2]["text"] == answered[2]
    await says(words[1])
    await program.until(4)
    await says("2")  # the number chooses as well
    assert "B2" in (await program.until(5))[4]["text"]

    await says(words[2])
    await program.until(7)
    conversation = await desk.desk.find_current(Address("webhook", "shop", "ann"))
    assert conversation is not None
    assert conversation.status is Status.QUEUED
    await desk.desk.agent_seen(AGENT.id, AGENT.name)
    await desk.desk.assign(conversation.id, AGENT)
    await desk.desk.reply_as_agent(conversation.id, AGENT, "Lin here / 我来帮您")
    reply = await program.saying("我来帮您")
    assert (reply["author"], reply["author_name"]) == ("agent", AGENT.name)
    await says(words[3])
    await desk.desk.resolve(conversation.id, AGENT)
    best = rating_titles(language)[0][1]
    rating = await program.saying(best)
    assert rating["kind"] == "rating_request"
    before = len(program.got)
    await says(button_id=next(button["id"] for button in rating["buttons"] if button["title"] == best))
    await program.until(before + 1)  # the thanks
    async with desk.desk.database.read() as connection:
        assert list((await connection.execute(sql("select score from ratings"))).scalars()) == [5]
    assert [message["seq"] for message in program.got] == sorted(message["seq"] for message in program.got)
    assert (program.forged, program.repeats) == (0, 0)


async def test_a_replay_after_five_minutes_is_refused(tmp_path: Path) -> None:
    clock = [utc_now()]
    connector = program_account(now=lambda: clock[0])
    request = WebhookRequest("POST", Program(now=lambda: clock[0]).signed(BODY), {}, BODY)
    connector.verify(request)
    clock[0] += timedelta(minutes=6)
    with pytest.raises(BadSignature):
        connector.verify(request)
    await connector.close()
