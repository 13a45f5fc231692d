"""Slack: whose requests are taken, what they hold, and what the desk makes of them."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError
from slack_sdk.signature import Clock, SignatureVerifier
from sqlalchemy import text as sql

from connectors.base import BadPayload, BadSignature, WebhookRequest
from connectors.slack_messages import Contact, plain
from conversations.model import Address, Author, InboundMessage, Message
from tests.connectors.desk import AGENT, Server
from tests.connectors.slack_desk import PATH, app, desk_with_app, settings
from tests.doubles.slack import BOT_USER, SECRET, Said, Slack
from tests.doubles.vendor_server import Answer
from tests.pictures import PNG

DOUBLE = Slack()
APP = app(DOUBLE)
ANN = Address("slack", "default", "dm:D0ANN:U0ANN")


@pytest.fixture
async def double() -> AsyncIterator[Slack]:
    async with Slack().running() as double:
        yield double


def request(body: Any, **headers: str) -> WebhookRequest:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    return WebhookRequest("POST", headers or DOUBLE.signed(raw), {}, raw)


async def said_by_contact(server: Server, address: Address = ANN) -> list[Message]:
    return [one for one in await server.desk.transcript(address) if one.author is Author.CONTACT]


class TestTheSignature:
    def test_slacks_own_sample_is_verified(self) -> None:
        double = Slack()
        double.now = datetime.fromtimestamp(1531420618, UTC)
        body = (
            b"token=xyzz0WbapA4vBCDEFasx0q6G&team_id=T1DC2JH3J&team_domain=testteamnow&channel_id=G8PSS9T3V&"
            b"channel_name=foobar&user_id=U2CERLKJA&user_name=roadrunner&command=%2Fwebhook-collect&text=&"
            b"response_url=https%3A%2F%2Fhooks.slack.com%2Fcommands%2FT1DC2JH3J%2F397700885554%2F96rGlfmibIGlgcZRskXaIFfN&"
            b"trigger_id=398738663015.47445629121.803a0bc887a14d10d2c447fce8b6703c"
        )
        signature = "v0=a2114d57b48eac39b9ad189dd8316235a7b4a8d21a10bd27519666489c69b503"
        headers = {"x-slack-request-timestamp": "1531420618", "x-slack-signature": signature}
        app(double).verify(WebhookRequest("POST", headers, {}, body))

    @given(st.binary(max_size=200))
    def test_what_we_take_is_what_slacks_own_verifier_takes(self, body: bytes) -> None:
        class Now(Clock):
            def now(self) -> float:
                return DOUBLE.now.timestamp()

        headers = DOUBLE.signed(body)
        APP.verify(WebhookRequest("POST", headers, {}, body))
        with suppress(UnicodeDecodeError):  # theirs cannot read such bodies
            assert SignatureVerifier(SECRET, Now()).is_valid_request(body, headers)

    @pytest.mark.parametrize("seconds", [301, -301])
    def test_a_request_from_another_time_is_refused(self, seconds: int) -> None:
        with pytest.raises(BadSignature, match="five minutes"):
            APP.verify(request(b"{}", **DOUBLE.signed(b"{}", DOUBLE.now + timedelta(seconds=seconds))))

    def test_no_flipped_character_passes(self) -> None:
        raw = b'{"type":"event_callback"}'
        good = DOUBLE.signed(raw)
        for name, value in good.items():
            for place in range(len(value)):
                flipped = value[:place] + ("0" if value[place] != "0" else "1") + value[place + 1 :]
                with pytest.raises(BadSignature):
                    APP.verify(request(raw, **(good | {name: flipped})))
        for place in range(len(raw)):
            with pytest.raises(BadSignature):
                APP.verify(request(raw[:place] + bytes([raw[place] ^ 1]) + raw[place + 1 :], **good))

    @given(st.dictionaries(st.sampled_from(["x-slack-signature", "x-slack-request-timestamp"]), st.text(max_size=50)))
    def test_any_headers_are_refused_with_a_reason_and_nothing_else(self, headers: dict[str, str]) -> None:
        with pytest.raises(BadSignature):
            APP.verify(WebhookRequest("POST", headers, {}, b"{}"))

    def test_secrets_must_be_there_and_are_not_shown(self) -> None:
        for field in ("bot_token", "signing_secret"):
            with pytest.raises(ValidationError):
                settings(DOUBLE, **{field: " "})
        assert SECRET not in repr(settings(DOUBLE))

    async def test_bad_requests_leave_no_trace(self, double: Slack, tmp_path: Path) -> None:
        async with desk_with_app(tmp_path, double) as server:
            event = double.event("x")
            raw = json.dumps(event).encode()
            good = double.signed(raw)
            old = double.signed(raw, double.now - timedelta(minutes=6))
            for headers in (
                {},
                {"x-slack-signature": good["x-slack-signature"]},
                {"x-slack-request-timestamp": good["x-slack-request-timestamp"]},
                good | {"x-slack-signature": good["x-slack-signature"].upper()},
                good | {"x-slack-signature": good["x-slack-signature"].replace("v0", "v1")},
                good | {"x-slack-signature": good["x-slack-signature"] + "," + good["x-slack-signature"]},
                good | {"x-slack-signature": "v0=" + "a" * 9_000},
                old,
            ):
                answer = await server.http.post(PATH, content=raw, headers=headers)
                assert answer.status_code in (400, 401, 403, 413), headers
            for body in (b"", b"[]", b"\xff\xfe", b"payload=", b"{" * 50_000, b"payload=%5B%5D", b"null"):
                assert (await double.post(server.url + PATH, body)).status_code == 400
            for bad in ({"event_id": ""}, {"event": "x"}, {"event": double.event()["event"] | {"ts": "x"}}):
                assert (await double.post(server.url + PATH, event | bad)).status_code == 400
            assert await server.desk.transcript(ANN) == []


KEYS = (
    "type event event_id channel user text ts thread_ts files bot_id subtype authorizations user_id actions message "
    "action_id block_id value id blocks challenge channel_type mimetype url_private"
)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8) | st.sampled_from(["im", "message"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(KEYS.split()), inner, max_size=6),
    max_leaves=20,
)


@given(JSON, st.sampled_from(["event_callback", "block_actions", "url_verification"]))
def test_any_json_is_a_message_or_a_bad_payload(value: Any, kind: str) -> None:
    body = value if isinstance(value, dict) else {"event": value, "actions": value}
    said = Said("D0ANN", "1.1", "x", blocks=[])
    whole = {"event_callback": DOUBLE.event(), "url_verification": {}}.get(kind) or {
        "user": {"id": "U0ANN"},
        "x": said.ts,
    }
    for one in (body, whole | body | {"type": kind}, DOUBLE.event() | {"event": DOUBLE.event()["event"] | body}):
        with suppress(BadPayload):
            APP.parse(request(one))
        with suppress(BadPayload):
            APP.parse(request(urlencode({"payload": json.dumps(one)}).encode()))


@given(
    st.builds(
        Contact,
        st.from_regex(r"[CD][A-Z0-9]{3}", fullmatch=True),
        st.from_regex(r"U[A-Z0-9]{3}", fullmatch=True),
        st.none() | st.from_regex(r"[0-9]{3}\.[0-9]{3}", fullmatch=True),
    )
)
def test_a_contacts_address_says_all_that_a_reply_needs(contact: Contact) -> None:
    assert Contact.read(str(contact)) == contact


@pytest.mark.parametrize(
    ("written", "read"),
    [
        (f"<@{BOT_USER}> hi <@U1|bob> &amp; &lt;b&gt;", "hi @bob & <b>"),
        (
            "see <https://a.b/?x=1&amp;y=2|the page> and <https://c.d>",
            "see the page (https://a.b/?x=1&y=2) and https://c.d",
        ),
        ("<mailto:a@b.c|a@b.c> <#C1|general> <!here> <!subteam^S1|@team>", "a@b.c #general @here @team"),
        ("&amp;lt;", "&lt;"),
    ],
)
def test_slacks_text_is_read_as_people_read_it(written: str, read: str) -> None:
    assert plain(written, frozenset({BOT_USER})) == read


class TestEvents:
    def parse(self, body: Any) -> list[Any]:
        return APP.parse(request(body))

    def test_a_direct_message_and_a_mention_are_for_us_and_know_where_they_are_answered(self) -> None:
        [direct] = self.parse(DOUBLE.event("hello"))
        assert (str(direct.message.address), direct.message.text) == ("slack:default:dm:D0ANN:U0ANN", "hello")
        event = DOUBLE.event("help", channel="C0SHOP")
        [mention] = self.parse(event)
        assert mention.message.address.contact == f"thread:C0SHOP:{event['event']['ts']}:U0ANN"
        [later] = self.parse(DOUBLE.event("more", channel="C0SHOP", thread_ts=event["event"]["ts"]))
        assert later.message.address == mention.message.address

    @pytest.mark.parametrize(
        "more",
        [
            {"bot_id": "B1"},
            {"user": BOT_USER},
            {"subtype": "message_changed"},
            {"subtype": "message_deleted"},
            {"subtype": "bot_message"},
            {"edited": {"user": "U0ANN", "ts": "1.1"}},
            {"type": "reaction_added"},
            {"type": "app_mention"},
            {"text": f"<@{BOT_USER}>"},
            {"user": None},
        ],
    )
    def test_what_is_not_said_to_us_is_ignored(self, more: dict[str, Any]) -> None:
        event = DOUBLE.event()
        assert self.parse(event | {"event": event["event"] | more}) == []

    def test_other_messages_of_a_channel_and_unknown_events_are_ignored(self) -> None:
        assert self.parse(DOUBLE.event(channel="C0SHOP", type="message", channel_type="channel")) == []
        for kind in ("app_rate_limited", "view_submission", "shortcut", "something_new"):
            assert self.parse({"type": kind}) == []

    def test_files_become_media_of_their_kind(self) -> None:
        files = [
            {"mimetype": "image/png", "name": "a.png", "url_private_download": "https://files.slack.com/a"},
            {"mimetype": "audio/mp4", "name": "b.m4a", "url_private": "https://files.slack.com/b"},
            {"mimetype": "application/pdf", "name": "c.pdf", "url_private": "https://files.slack.com/c"},
            {"mode": "tombstone"},
        ]
        [arrival] = self.parse(DOUBLE.event("", subtype="file_share", files=files))
        assert [(media.kind, media.name) for media in arrival.media] == [
            ("image", "a.png"),
            ("voice", "b.m4a"),
            ("file", "c.pdf"),
        ]


class TestTheDesk:
    @pytest.mark.parametrize("seconds", [301, -301])
    async def test_a_request_from_another_time_is_a_401_and_no_row(
        self, double: Slack, tmp_path: Path, seconds: int
    ) -> None:
        """F06: a valid signature, 301 s old or 301 s in the future → 401, no row."""
        async with desk_with_app(tmp_path, double) as server:
            raw = json.dumps(double.event("x")).encode()
            headers = double.signed(raw, double.now + timedelta(seconds=seconds))
            answer = await server.http.post(PATH, content=raw, headers=headers)
            assert (answer.status_code, answer.json()["error"]["code"]) == (401, "bad_signature")
            async with server.desk.database.read() as connection:
                assert (await connection.execute(sql("select count(*) from inbox"))).scalar_one() == 0
            assert (await server.http.post(PATH, content=raw, headers=double.signed(raw))).status_code == 200

    async def test_the_handshake_is_answered_only_if_slack_signed_it(self, double: Slack, tmp_path: Path) -> None:
        async with desk_with_app(tmp_path, double) as server:
            body = {"type": "url_verification", "challenge": "3eZbrw1aBm2rZgRNFdxV2595E9CY3gmdALWMmHkvFXO7tYXAYM8P"}
            answer = await double.post(server.url + PATH, body)
            assert (answer.status_code, answer.text) == (200, body["challenge"])
            unsigned = await server.http.post(PATH, json=body)
            assert (unsigned.status_code, "3eZb" in unsigned.text) == (403, False)

    async def test_an_event_that_comes_again_makes_one_turn(self, double: Slack, tmp_path: Path) -> None:
        async with desk_with_app(tmp_path, double) as server:
            event = double.event("How do I return?")
            answers = await asyncio.gather(
                *(double.post(server.url + PATH, event, **{"x-slack-retry-num": str(n)}) for n in range(4))
            )
            assert [answer.status_code for answer in answers] == [200] * 4
            await double.until(lambda: double.said)
            assert len(await said_by_contact(server)) == 1

    async def test_a_repeated_event_counts_if_the_first_attempt_was_never_stored(
        self, double: Slack, tmp_path: Path
    ) -> None:
        """F02: a retry after the first attempt was killed before its commit is processed, once."""
        async with desk_with_app(tmp_path, double) as server:
            event = double.event("keep me")
            server.desk.broken = True
            assert (await double.post(server.url + PATH, event)).status_code == 500
            server.desk.broken = False
            retry = {"x-slack-retry-num": "1", "x-slack-retry-reason": "http_error"}
            for _ in range(2):
                assert (await double.post(server.url + PATH, event, **retry)).status_code == 200
            assert [one.text for one in await said_by_contact(server)] == ["keep me"]
            await double.until(lambda: double.said)
            alone = double.event("a retry of which no first attempt is known")
            for _ in range(2):  # the header alone drops nothing
                assert (await double.post(server.url + PATH, alone, **retry)).status_code == 200
            await double.until(lambda: len(double.said) == 2)
            assert len(await said_by_contact(server)) == 2

    async def test_the_senders_name_and_language_are_asked_for_once(self, double: Slack, tmp_path: Path) -> None:
        async with desk_with_app(tmp_path, double) as server:
            for text in ("1234", "5678"):
                await double.deliver(server.url + PATH, double.event(text, user="U0BOB"))
            bob = Address("slack", "default", "dm:D0BOB:U0BOB")
            conversation = await server.desk.find_current(bob)
            assert conversation is not None
            assert conversation.contact_name == "王波"
            introduced = await server.connectors[0].introduce(InboundMessage(bob, "1"))
            assert introduced.language == "zh"
            assert sum(method == "users.info" for method, _ in double.calls) == 1

    async def test_a_sender_whom_slack_does_not_tell_about_is_served_all_the_same(
        self, double: Slack, tmp_path: Path
    ) -> None:
        double.failures["users.info"] = [Answer({"ok": False, "error": "missing_scope", "needed": "users:read"})] * 9
        async with desk_with_app(tmp_path, double) as server:
            for text in ("hello", "again"):
                assert await double.deliver(server.url + PATH, double.event(text)) == 1
            assert len(await said_by_contact(server)) == 2
            assert sum(method == "users.info" for method, _ in double.calls) == 1

    async def test_a_picture_is_fetched_with_the_token_and_kept(self, double: Slack, tmp_path: Path) -> None:
        double.files["a"] = PNG
        async with desk_with_app(tmp_path, double) as server:
            file = {"mimetype": "image/png", "name": "a.png", "url_private": f"{double.url}/files/a"}
            stranger = file | {"url_private": "https://evil.example/files.slack.com"}
            event = double.event("see", subtype="file_share", files=[file, stranger])
            await double.deliver(server.url + PATH, event)
            [stored] = await said_by_contact(server)
            assert [one.name for one in stored.attachments] == ["a.png"]
            assert "could not be received" in stored.text

    async def test_buttons_are_pressed_once_and_by_whom_they_are_for(self, double: Slack, tmp_path: Path) -> None:
        async with desk_with_app(tmp_path, double) as server:
            url = server.url + PATH
            event = double.event("I want to send back it", channel="C0SHOP")
            await double.deliver(url, event)
            await double.until(lambda: double.said)
            [asked] = double.said
            assert (asked.channel, asked.thread) == ("C0SHOP", event["event"]["ts"])
            stranger = double.pressing(asked, "Order one", user="U0BOB")
            press = double.pressing(asked, "Order two")
            assert await double.deliver(url, stranger) == 1
            assert asked.buttons
            for _ in range(2):
                assert await double.deliver(url, press) == 1
            await double.until(lambda: len(double.said) == 2 and not asked.buttons)
            assert double.said[1].text == "Return noted for 2"
            assert "✓ *Order two*" in asked.shown
            address = Address("slack", "default", f"thread:C0SHOP:{event['event']['ts']}:U0ANN")
            assert [one.text for one in await said_by_contact(server, address)] == [
                "I want to send back it",
                "Order two",
            ]


@pytest.mark.parametrize("language", ["zh", "en"])
async def test_a_conversation_goes_from_a_question_to_a_rating(double: Slack, tmp_path: Path, language: str) -> None:
    words = {
        "zh": ("怎么退货", "我要退掉它", "订单二", "已登记退货 2", "转人工", "您好 & 欢迎", "U0BOB"),
        "en": (
            "How do I return?",
            "I want to send back it",
            "Order two",
            "Return noted for 2",
            "a person",
            "Hi & hello",
            "U0ANN",
        ),
    }
    question, task, choice, noted, person, greeting, user = words[language]
    contact = Address("slack", "default", f"dm:D{user[1:]}:{user}")
    async with desk_with_app(tmp_path, double) as server:
        url = server.url + PATH

        async def say(body: Any) -> Said:
            before = len(double.said)
            assert await double.deliver(url, body)  # again, where three seconds were too short
            await double.until(lambda: len(double.said) > before)
            return double.said[-1]

        answer = await say(double.event(question, user=user))
        assert f"<{server.url}/articles/returns-{language}|" in answer.shown
        asked = await say(double.event(task, user=user))
        done = await say(double.pressing(asked, choice, user=user))
        assert done.text == noted
        await say(double.event(person, user=user))
        conversation = await server.desk.find_current(contact)
        assert conversation is not None
        await server.desk.assign(conversation.id, AGENT)
        await server.desk.reply_as_agent(conversation.id, AGENT, greeting)
        await double.until(lambda: double.said[-1].text == greeting.replace("&", "&amp;"))
        await server.desk.resolve(conversation.id, AGENT)
        await double.until(lambda: len(double.said[-1].buttons) == 5)
        rated = await say(double.pressing(double.said[-1], next(iter(double.said[-1].buttons)), user=user))
        assert rated.buttons  # thanks, and asks whether it was solved
        transcript = await server.desk.transcript(contact)
        assert {message.conversation_id for message in transcript} == {conversation.id}
