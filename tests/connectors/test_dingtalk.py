"""DingTalk: signed HTTP requests, what messages hold, and who they are from."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import dingtalk_stream  # type: ignore[import-untyped]
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError
from structlog.testing import capture_logs

from connectors.base import BadPayload, BadSignature, WebhookRequest
from connectors.dingtalk_messages import Contact, read_json, read_message, read_press
from conversations.model import Address, Author
from tests.connectors.dingtalk_desk import desk_with_robot, robot, settings
from tests.doubles.dingtalk import DingTalk

DOUBLE = DingTalk()
HTTP_ROBOT = robot(DOUBLE, mode="http")
PATH = "/webhooks/dingtalk/default"


@pytest.fixture
async def double() -> AsyncIterator[DingTalk]:
    async with DingTalk().running() as double:
        yield double


def address(contact: str) -> Address:
    return Address("dingtalk", "default", contact)


def request(body: Any, **headers: str) -> WebhookRequest:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    return WebhookRequest("POST", headers or DOUBLE.signed(), {}, raw)


def test_the_signature_is_the_vendors_formula() -> None:
    """The vector was made with the formula of open.dingtalk.com for a fixed time and secret."""
    double = DingTalk()
    double.now = datetime.fromtimestamp(1577262236.757, UTC)
    connector = robot(double, mode="http", client_secret="this is secret")
    sign = "hmPWwU+7lVdm3ZZz0r9tSfx0L4Q26jWOZr9+Gs6EZQM="
    connector.verify(WebhookRequest("POST", {"timestamp": "1577262236757", "sign": sign}))


def test_an_account_without_a_secret_is_refused_at_the_start() -> None:
    for secret in ("", "  "):
        with pytest.raises(ValidationError):
            settings(DOUBLE, client_secret=secret)
    assert "secret-of-the-robot" not in repr(settings(DOUBLE))


# Signed when the tests are loaded, and perhaps used much later.
MUTATIONS: list[dict[str, str]] = [
    {},
    {"timestamp": DOUBLE.signed()["timestamp"]},
    {"sign": DOUBLE.signed()["sign"]},
    DOUBLE.signed() | {"sign": DOUBLE.signed()["sign"].lower()},
    DOUBLE.signed() | {"sign": DOUBLE.signed()["sign"] + "\n"},
    DOUBLE.signed() | {"sign": DOUBLE.signed()["sign"] + ", " + DOUBLE.signed()["sign"]},
    DOUBLE.signed() | {"sign": "签名"},
    DOUBLE.signed() | {"sign": "x" * 5000},
    DOUBLE.signed() | {"timestamp": "abc"},
    DOUBLE.signed() | {"timestamp": "1e3"},
    DOUBLE.signed() | {"timestamp": ""},
    DOUBLE.signed(DOUBLE.now - timedelta(hours=3)),
    DOUBLE.signed(DOUBLE.now + timedelta(hours=3)),
]


@pytest.mark.parametrize("headers", MUTATIONS)
def test_a_request_that_is_not_signed_as_documented_is_refused(headers: dict[str, str]) -> None:
    with pytest.raises(BadSignature):
        HTTP_ROBOT.verify(WebhookRequest("POST", headers, {}, b"{}"))


def test_no_flipped_character_of_a_signature_or_its_time_passes() -> None:
    good = DOUBLE.signed()
    for name, value in good.items():
        for place in range(len(value)):
            flipped = value[:place] + ("0" if value[place] != "0" else "1") + value[place + 1 :]
            with pytest.raises(BadSignature):
                HTTP_ROBOT.verify(request({}, **(good | {name: flipped})))


@given(
    headers=st.dictionaries(st.sampled_from(["timestamp", "sign", "x"]), st.text(max_size=40), max_size=3),
    body=st.binary(max_size=100),
)
def test_any_headers_are_refused_with_a_reason_and_nothing_else(headers: dict[str, str], body: bytes) -> None:
    with pytest.raises(BadSignature):
        HTTP_ROBOT.verify(WebhookRequest("POST", headers, {}, body))


KEYS = (
    "msgId msgtype text content richText senderId senderStaffId conversationId userId conversationType createAt "
    "outTrackId cardPrivateData params button_id downloadCode sessionWebhook sessionWebhookExpiredTime"
)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(KEYS.split()), inner, max_size=6),
    max_leaves=20,
)


@given(JSON)
def test_any_json_is_a_message_or_a_bad_payload(body: Any) -> None:
    raw = json.dumps(body).encode()
    with suppress(BadPayload):
        HTTP_ROBOT.parse(request(raw))
    with suppress(BadPayload):
        read_press(read_json(raw), address)
    if isinstance(body, dict):
        whole = {**DOUBLE.message(), **body}
        with suppress(BadPayload):
            HTTP_ROBOT.parse(request(whole))


@given(st.builds(Contact, st.text(min_size=1), st.booleans(), st.none() | st.text("abc/+=", min_size=1)))
def test_a_contacts_address_says_all_that_a_reply_needs(contact: Contact) -> None:
    assert Contact.read(str(contact)) == contact


@pytest.mark.parametrize("written", ["", "staff:", "group:cid", "group::x", "telegram:1", "staff"])
def test_anything_else_is_no_address(written: str) -> None:
    assert Contact.read(written) is None


class TestWhatAMessageHolds:
    def read(self, **more: Any) -> Any:
        return self.of(DOUBLE.message(**more))

    def of(self, body: Any) -> Any:
        reading = read_message(body, address)
        return None if reading is None else reading.arrival

    def test_text_with_sender_name_and_time(self) -> None:
        message = self.read(text=" 你好 ").message
        assert (message.text, message.contact_name, message.address.contact) == ("你好", "王芳", "staff:manager01")
        assert abs((message.sent_at - DOUBLE.now).total_seconds()) < 0.01

    def test_a_picture_a_video_a_file_and_a_recording_without_words_are_fetched(self) -> None:
        for kind, content, wanted in (
            ("picture", {"downloadCode": "code"}, ("image", "")),
            ("video", {"downloadCode": "code", "videoType": "mp4", "duration": 3000}, ("video", "video.mp4")),
            ("file", {"downloadCode": "code", "fileName": "a.pdf"}, ("file", "a.pdf")),
            ("audio", {"downloadCode": "code", "duration": 1000}, ("voice", "")),
        ):
            [media] = self.read(msgtype=kind, content=content).media
            assert (media.reference, (media.kind, media.name)) == ("code", wanted)

    def test_a_recording_is_the_words_that_dingtalk_recognised(self) -> None:
        arrival = self.read(msgtype="audio", content={"downloadCode": "c", "recognition": "我要退货"})
        assert (arrival.message.text, arrival.media) == ("我要退货", ())

    def test_rich_text_is_its_text_and_its_pictures_as_the_official_client_reads_them(self) -> None:
        items = [
            {"text": "看这个"},
            {"type": "picture", "downloadCode": "one"},
            {"text": "坏了"},
            {"downloadCode": "two"},
        ]
        body = DOUBLE.message(msgtype="richText", content={"richText": items})
        arrival, theirs = self.of(body), dingtalk_stream.ChatbotMessage.from_dict(body)
        assert arrival.message.text == "".join(theirs.get_text_list())
        assert [media.reference for media in arrival.media] == theirs.get_image_list()

    @pytest.mark.parametrize(
        "more", [{"msgtype": "unknownMsgType"}, {"msgtype": "richText", "content": {}}, {"msgtype": 3}]
    )
    def test_what_cannot_be_read_is_named_in_the_transcript(self, more: dict[str, Any]) -> None:
        assert "收不到" in self.read(**more).message.text

    def test_in_a_group_only_what_mentions_the_robot_is_for_us(self) -> None:
        assert self.read(group="cidGROUP==").message.address.contact == "group:cidGROUP==:manager01"
        assert self.read(group="cidGROUP==", isInAtList=False) is None

    def test_people_outside_the_organisation_have_addresses_too(self) -> None:
        assert self.read(staff=None).message.address.contact == "guest:$:LWCP_v1:$stranger"
        contact = Contact.read(self.read(staff=None, group="cidGROUP==").message.address.contact)
        assert contact == Contact("$:LWCP_v1:$stranger", False, "cidGROUP==")

    def test_a_press_on_a_card_is_a_button_of_whoever_pressed_it(self) -> None:
        content = json.dumps({"cardPrivateData": {"actionIds": ["choose"], "params": {"button_id": "b1"}}})
        body = {"outTrackId": "outbox-1", "userId": "manager01", "content": content, "spaceType": "IM_ROBOT"}
        arrival = read_press(body, address)
        assert arrival is not None
        assert (arrival.message.button_id, arrival.message.address.contact) == ("b1", "staff:manager01")
        in_group = read_press(body | {"spaceType": "IM_GROUP", "spaceId": "cid"}, address)
        assert in_group is not None
        assert in_group.message.address.contact == "group:cid:manager01"
        assert read_press(body | {"content": "{}"}, address) is None


class TestHttpMode:
    async def test_a_signed_message_is_stored_once_and_answered(self, double: DingTalk, tmp_path: Path) -> None:
        """F07: an exact replay within the window is a 200 and no second turn."""
        async with desk_with_robot(tmp_path, double, mode="http") as server:
            body, headers = double.message("怎么退货"), double.signed()
            for _ in range(3):
                assert (await double.post(server.url + PATH, body, headers)).status_code == 200
            await double.until(lambda: double.said)
            transcript = await server.desk.transcript(address("staff:manager01"))
            assert [one.author for one in transcript] == [Author.CONTACT, Author.BOT]
            assert not double.connections

    async def test_an_old_signature_with_another_body_is_a_replay(self, double: DingTalk, tmp_path: Path) -> None:
        """F08: an old (timestamp, sign) with a new body and a new msgId is rejected."""
        async with desk_with_robot(tmp_path, double, mode="http") as server:
            headers, body = double.signed(), double.message("mine")
            assert (await double.post(server.url + PATH, body, headers)).status_code == 200
            same_moment = double.message("somebody else's in the same millisecond", staff="staff02")
            assert (await double.post(server.url + PATH, same_moment, headers)).status_code == 200
            double.now += timedelta(minutes=5)
            forged = double.message("forged", staff="staff02")
            assert (await double.post(server.url + PATH, forged, headers)).status_code == 403
            assert (await double.post(server.url + PATH, body, headers)).status_code == 200
            texts = [one.text for one in await server.desk.transcript(address("staff:staff02"))]
            assert "forged" not in texts

    async def test_a_restarted_desk_still_knows_the_signatures_of_before(
        self, double: DingTalk, tmp_path: Path
    ) -> None:
        """F08: the replay cache is in the database, so that neither a restart nor another process forgets it."""
        headers, body = double.signed(), double.message("mine")
        async with desk_with_robot(tmp_path, double, mode="http") as server:
            assert (await double.post(server.url + PATH, body, headers)).status_code == 200
        double.now += timedelta(minutes=5)
        async with desk_with_robot(tmp_path, double, mode="http") as server:
            forged = double.message("forged", staff="staff02")
            assert (await double.post(server.url + PATH, forged, headers)).status_code == 403
            assert (await double.post(server.url + PATH, body, headers)).status_code == 200
            assert await server.desk.transcript(address("staff:staff02")) == []
            texts = [one.text for one in await server.desk.transcript(address("staff:manager01"))]
            assert texts.count("mine") == 1

    async def test_an_account_in_http_mode_warns_for_as_long_as_it_is(self, double: DingTalk, tmp_path: Path) -> None:
        """F08: the warning is the account's own, in both languages, and repeated in the log at each start."""
        robots = {mode: robot(double, mode=mode) for mode in ("http", "stream")}
        assert robots["stream"].warning is None
        warning = robots["http"].warning
        assert warning is not None
        assert "HTTP 模式" in warning["zh"]
        assert "HTTP mode" in warning["en"]
        with capture_logs() as logs:
            async with desk_with_robot(tmp_path, double, mode="http"):
                await asyncio.sleep(0)
        [told] = [one for one in logs if one["event"] == "channel_unsafe"]
        assert (told["channel"], told["account"], told["zh"]) == ("dingtalk", "default", warning["zh"])

    async def test_bad_requests_leave_no_trace(self, double: DingTalk, tmp_path: Path) -> None:
        async with desk_with_robot(tmp_path, double, mode="http") as server:
            good = double.signed()
            for headers in MUTATIONS:
                clean = {name: value for name, value in headers.items() if value.isascii() and "\n" not in value}
                answer = await double.post(server.url + PATH, double.message("x"), clean or {"x": "y"})
                assert answer.status_code in (400, 401, 403)
            for body in (b"", b"[]", b"\xff", b"[" * 100_000, b'{"msgId": NaN}', b'{"msgtype": "text"}'):
                assert (await double.post(server.url + PATH, body, good)).status_code == 400
            assert await server.desk.transcript(address("staff:manager01")) == []

    async def test_events_that_are_not_messages_for_us_are_acknowledged(self, double: DingTalk, tmp_path: Path) -> None:
        async with desk_with_robot(tmp_path, double, mode="http") as server:
            body = double.message("not for us", group="cidGROUP==", isInAtList=False)
            assert (await double.post(server.url + PATH, body)).status_code == 200
            assert await server.desk.transcript(address("group:cidGROUP==:manager01")) == []

    async def test_an_account_in_stream_mode_takes_no_webhooks(self, double: DingTalk, tmp_path: Path) -> None:
        async with desk_with_robot(tmp_path, double) as server:
            assert (await double.post(server.url + PATH, double.message("x"))).status_code == 403
