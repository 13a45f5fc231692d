"""What every connector must hold, whatever is sent to it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import suppress
from importlib import import_module
from pathlib import Path

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.accounts import CHANNELS
from connectors.base import Acknowledgement, BadPayload, BadSignature, Connector, Means, WebhookRequest
from connectors.rate_limit import RateLimit
from connectors.rest import RestConnector
from connectors.webchat.connector import WebchatConnector
from connectors.webchat.frames import BadFrame, read_frame
from connectors.webchat.tokens import BadToken, VisitorTokens
from connectors.wechat import WechatConnector
from connectors.wecom import WecomConnector
from conversations.hub import LocalHub
from conversations.model import Author, MessageKind, OutboundMessage, utc_now
from tests.connectors.desk import API_KEY, Server, running_server
from tests.connectors.dingtalk_desk import robot
from tests.connectors.mail_desk import mailbox
from tests.connectors.meta_desk import number, page
from tests.connectors.mqtt_desk import account as mqtt_account
from tests.connectors.slack_desk import app
from tests.connectors.test_telegram import connector as telegram
from tests.connectors.webhook_desk import program_account
from tests.connectors.wechat_desk import Shelf, wecom_settings
from tests.connectors.wechat_desk import settings as wechat_settings
from tests.doubles.dingtalk import DingTalk
from tests.doubles.messenger import Messenger
from tests.doubles.slack import Slack
from tests.doubles.wechat import WechatDouble
from tests.doubles.wechat_vendor import Clock
from tests.doubles.wecom import WecomDouble
from tests.doubles.whatsapp import Whatsapp

READ: list[Connector] = [RestConnector([API_KEY]), WebchatConnector(LocalHub())]
PUSHED: list[Connector] = [
    telegram(),
    robot(DingTalk()),
    robot(DingTalk(), mode="http"),
    app(Slack()),
    WechatConnector(wechat_settings(WechatDouble(Clock())), Means("", Shelf(), utc_now)),
    WechatConnector(wechat_settings(WechatDouble(Clock(), encrypted=False)), Means("", Shelf(), utc_now)),
    WecomConnector(wecom_settings(WecomDouble(Clock())), Means("", Shelf(), utc_now)),
    number(Whatsapp()),
    page(Messenger()),
    mqtt_account(),
    program_account(),
    mailbox(),
]
CONNECTORS = [*READ, *PUSHED]
EVERY = pytest.mark.parametrize("connector", CONNECTORS, ids=lambda connector: connector.channel)
HEADERS = st.dictionaries(
    st.sampled_from(
        [
            "authorization",
            "idempotency-key",
            "content-type",
            "x-signature",
            "x-telegram-bot-api-secret-token",
            "timestamp",
            "sign",
            "x-slack-signature",
            "x-slack-request-timestamp",
            "x-hub-signature-256",
            "webhook-id",
            "webhook-timestamp",
            "webhook-signature",
        ]
    ),
    st.text(max_size=300),
    max_size=4,
)
QUERIES = st.dictionaries(
    st.sampled_from(["signature", "msg_signature", "timestamp", "nonce", "echostr", "hub.verify_token"])
    | st.text(max_size=5),
    st.text(max_size=40),
    max_size=4,
)
BODIES = st.binary(max_size=200) | st.recursive(
    st.none() | st.booleans() | st.floats() | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["contact", "text", "message", "update_id", "chat", "from", "object", "entry"]), inner
        )
    ),
    max_leaves=8,
).map(lambda value: repr(value).replace("'", '"').encode("utf-8", "surrogatepass"))


@EVERY
@given(headers=HEADERS, query=QUERIES, body=BODIES)
def test_a_request_nobody_signed_is_refused_and_never_crashes(
    connector: Connector, headers: dict[str, str], query: dict[str, str], body: bytes
) -> None:
    request = WebhookRequest("POST", headers, query, body)
    with pytest.raises(BadSignature):
        connector.verify(request)
    with suppress(BadSignature):
        assert connector.challenge(request) is None


@EVERY
@given(headers=HEADERS, body=BODIES)
def test_garbage_is_a_bad_payload_or_no_messages(connector: Connector, headers: dict[str, str], body: bytes) -> None:
    request = WebhookRequest("POST", headers, {}, body)
    with suppress(BadPayload):
        assert all(one.reason for one in connector.unreadable(request))
        arrivals = connector.parse(request)
        messages = [arrival.message for arrival in arrivals]
        assert all(message.address.channel == connector.channel and message.external_id for message in messages)


@pytest.mark.parametrize("connector", READ, ids=lambda connector: connector.channel)
async def test_sending_where_contacts_read_the_transcript_always_succeeds(connector: Connector) -> None:
    message = OutboundMessage("outbox-1", "c" * 32, 1, Author.BOT, MessageKind.TEXT, "hello", utc_now())
    assert await connector.send("someone", message) == "outbox-1"


@given(st.binary(max_size=300) | st.text(max_size=300))
def test_any_frame_is_read_or_refused_with_a_reason(raw: bytes | str) -> None:
    with suppress(BadFrame):
        assert read_frame(raw).type


@given(st.text(max_size=120))
def test_a_made_up_token_is_refused(token: str) -> None:
    with pytest.raises(BadToken):
        VisitorTokens("a secret that nobody knows").read(token)


def test_a_token_works_for_a_year_for_this_desk_only() -> None:
    now = [1_000_000_000.0]
    tokens = VisitorTokens("a secret that nobody knows", clock=lambda: now[0])
    visitor = tokens.new_visitor()
    token = tokens.issue(visitor)
    assert tokens.read(token) == visitor
    assert tokens.renewed(token) == token
    with pytest.raises(BadToken):
        VisitorTokens("another secret that is long").read(token)
    with pytest.raises(BadToken):
        tokens.read(token.replace(visitor, tokens.new_visitor()))
    now[0] += 200 * 24 * 3600
    fresh = tokens.renewed(token)
    assert fresh != token
    now[0] += 200 * 24 * 3600
    assert tokens.read(fresh) == visitor
    with pytest.raises(BadToken, match="too old"):
        tokens.read(token)


def test_the_rate_limit_lets_a_burst_through_and_then_a_steady_flow() -> None:
    now = [0.0]
    limit = RateLimit(burst=20, per_seconds=10, clock=lambda: now[0])
    assert [limit.wait_seconds("a") for _ in range(20)] == [0.0] * 20
    assert limit.wait_seconds("a") == pytest.approx(0.5)
    assert limit.wait_seconds("b") == 0
    now[0] += 0.5
    assert limit.wait_seconds("a") == 0
    assert limit.wait_seconds("a") > 0


class TestTheWebhookDoor:
    async def post(self, server: Server, path: str, body: bytes = b"{}", **headers: str) -> httpx.Response:
        return await server.http.post(path, content=body, headers=headers)

    async def test_a_committed_message_is_acknowledged_once_and_a_repeat_too(self, server: Server) -> None:
        body = b'{"contact":"ann","text":"hello"}'
        headers = {"authorization": f"Bearer {API_KEY}", "idempotency-key": "1"}
        for _ in range(2):
            answer = await self.post(server, "/webhooks/rest/default", body, **headers)
            assert answer.status_code == 200
        messages = await server.desk.transcript(RestConnector([]).address("ann"))
        assert [message.text for message in messages if message.author is Author.CONTACT] == ["hello"]

    async def test_unknown_channels_bad_signatures_and_bad_bodies_have_their_own_answers(self, server: Server) -> None:
        key = f"Bearer {API_KEY}"
        assert (await self.post(server, "/webhooks/pigeon/default")).status_code == 404
        assert (await self.post(server, "/webhooks/rest/default")).status_code == 403
        assert (await self.post(server, "/webhooks/rest/default", authorization="Bearer wrong")).status_code == 401
        bad = await self.post(server, "/webhooks/rest/default", b"\xff", authorization=key)
        assert bad.status_code == 400
        assert bad.json()["error"]["code"] == "bad_payload"
        assert (await server.http.get("/webhooks/rest/default")).status_code == 404

    async def test_a_body_over_the_limit_is_refused_whether_announced_or_not(self, server: Server) -> None:
        large = b"x" * (1024 * 1024 + 1)
        assert (await self.post(server, "/webhooks/rest/default", large)).status_code == 413

        async def in_pieces() -> AsyncIterator[bytes]:
            for _ in range(33):
                yield b"x" * 32 * 1024

        answer = await server.http.post("/webhooks/rest/default", content=in_pieces())
        assert answer.status_code == 413

    async def test_a_channel_is_told_whether_its_answer_went_out(self, tmp_path: Path) -> None:
        told: list[bool] = []
        gone = asyncio.Event()

        class Stubborn(RestConnector):
            channel = "stubborn"

            async def acknowledge(
                self, request: WebhookRequest, store: Callable[[], Awaitable[None]]
            ) -> Acknowledgement:
                if request.headers.get("wait"):
                    with suppress(asyncio.CancelledError):  # as if the answer were written at just that moment
                        await asyncio.sleep(10)
                    gone.set()
                return Acknowledgement("fine", "text/plain", told.append)

        async with running_server(tmp_path, [Stubborn([API_KEY])]) as server:
            path, body = "/webhooks/stubborn/default", b'{"contact":"ann","text":"hello"}'
            answer = await self.post(server, path, body, authorization=f"Bearer {API_KEY}")
            assert (answer.status_code, answer.text, told) == (200, "fine", [True])
            headers = {"authorization": f"Bearer {API_KEY}", "wait": "1"}
            with pytest.raises(httpx.ReadTimeout):
                await server.http.post(path, content=body, headers=headers, timeout=0.3)
            await asyncio.wait_for(gone.wait(), 5)
            await asyncio.sleep(0)
            assert told == [True, False]

    async def test_an_overloaded_desk_asks_to_come_back(self, server: Server) -> None:
        server.load["overloaded"] = True
        answer = await self.post(server, "/webhooks/rest/default")
        assert (answer.status_code, answer.headers["retry-after"]) == (503, "2")

    async def test_what_a_channel_brings_only_once_is_taken_however_much_waits(self, tmp_path: Path) -> None:
        class Fleeting(RestConnector):
            channel = "fleeting"
            retries = False

        async with running_server(tmp_path, [Fleeting([API_KEY])]) as server:
            server.load["overloaded"] = True
            body = b'{"contact":"ann","text":"hello"}'
            answer = await self.post(server, "/webhooks/fleeting/default", body, authorization=f"Bearer {API_KEY}")
            assert answer.status_code == 200

    def test_only_channels_without_patience_are_never_asked_to_come_back(self) -> None:
        classes = [getattr(import_module(module), name) for module, name in CHANNELS.values()]
        assert {one.channel for one in classes if not one.retries} == {"dingtalk", "wechat", "wecom"}
