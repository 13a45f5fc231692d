"""What an official account sends, and how each refusal of its API ends."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import settings as checks
from hypothesis import strategies as st
from pydantic import ValidationError
from wechatpy.client import WeChatClient  # type: ignore[import-untyped]
from wechatpy.enterprise import WeChatClient as WecomClient  # type: ignore[import-untyped]
from wechatpy.exceptions import WeChatException  # type: ignore[import-untyped]

from connectors.accounts import BadAccount, connectors_of
from connectors.base import BadPayload, Means, Media, WebhookRequest
from connectors.wechat import WechatConnector
from connectors.wechat_messages import content_of, message_id_of, sender_of, sent_at_of
from connectors.wechat_text import parts_of, without_markdown
from conversations.errors import (
    ChannelUnavailable,
    ContactUnreachable,
    DeliveryUnknown,
    MessageRejected,
    RateLimited,
    SendError,
)
from conversations.model import Attachment, Button, Citation
from tests.connectors.wechat_desk import ANN, Shelf, outbound, settings
from tests.doubles.wechat import APP_ID, SECRET, WechatDouble
from tests.doubles.wechat_vendor import Clock, Fault, xml_of
from tests.doubles.wecom import AGENT_ID, CORP_ID, WecomDouble
from tests.pictures import PNG

SEND = "/cgi-bin/message/custom/send"


@asynccontextmanager
async def alone(shelf: Shelf | None = None, **more: Any) -> AsyncIterator[tuple[WechatDouble, WechatConnector]]:
    """The connector without a desk; Ann has just written."""
    double = WechatDouble(Clock())
    double.quota[ANN] = (5, double.clock.seconds + 48 * 3600)
    async with double.running():
        means = Means(
            "https://desk.example", shelf or Shelf(), double.clock, lambda file: f"https://f.example/{file.id}"
        )
        connector = WechatConnector(settings(double, **more), means)
        yield double, connector
        await connector.close()


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        (Fault(status=502), ChannelUnavailable),
        (Fault(status=429, headers={"retry-after": "9"}), RateLimited),
        (Fault(status=302, headers={"location": "http://127.0.0.1:1/"}), MessageRejected),
        (Fault(code=-1), ChannelUnavailable),
        (Fault(code=45009), RateLimited),
        (Fault(code=45011), RateLimited),
        (Fault(code=45015), ContactUnreachable),
        (Fault(code=45047), ContactUnreachable),
        (Fault(code=43004), ContactUnreachable),
        (Fault(code=48001), MessageRejected),
        (Fault(code=99999), MessageRejected),
        (Fault(cut=True), DeliveryUnknown),
        (Fault(cut=True, done_before=True), DeliveryUnknown),
    ],
    ids=repr,
)
async def test_every_refusal_ends_in_its_state(fault: Fault, error: type[SendError]) -> None:
    async with alone() as (double, connector):
        double.faults[SEND] = [fault]
        with pytest.raises(error) as raised:
            await connector.send(ANN, outbound())
        assert not any(token in str(raised.value) for token in double.tokens)


async def test_a_token_that_ended_is_replaced_and_the_message_goes_out() -> None:
    for stable in (False, True):
        async with alone(stable_token=stable) as (double, connector):
            double.faults[SEND] = [Fault(code=40001)]
            await connector.send(ANN, outbound())
            assert (double.shown[ANN], double.token_calls) == (["hello"], 2)
    async with alone(app_secret="wrong") as (double, connector):
        with pytest.raises(ChannelUnavailable, match="check id and secret"):
            await connector.send(ANN, outbound())


async def test_who_waits_for_a_token_that_does_not_come_waits_only_once() -> None:
    async with alone() as (double, connector):
        double.faults["/cgi-bin/token"] = [Fault(status=500)] * 5
        ended = await asyncio.gather(
            *(connector.send(ANN, outbound(str(one), f"outbox-{one}")) for one in range(5)), return_exceptions=True
        )
        assert {type(one) for one in ended} == {ChannelUnavailable}
        assert double.calls["/cgi-bin/token"] == 1
        double.faults.clear()
        await connector.send(ANN, outbound())
        assert double.shown[ANN] == ["hello"]


async def test_after_five_messages_or_two_days_the_contact_must_write_first() -> None:
    async with alone() as (double, connector):
        for place in range(5):
            await connector.send(ANN, outbound(str(place), f"outbox-{place}"))
        with pytest.raises(ContactUnreachable, match="45047"):
            await connector.send(ANN, outbound("6", "outbox-6"))
        double.quota[ANN] = (5, double.clock.seconds + 48 * 3600)
        double.clock.advance(48 * 3600 + 1)
        with pytest.raises(ContactUnreachable, match="48 hours"):
            await connector.send(ANN, outbound("7", "outbox-7"))
        assert double.shown[ANN] == list("01234")


async def test_the_longest_answer_takes_five_messages_and_says_that_it_goes_on() -> None:
    async with alone() as (double, connector):
        words = "很长的回答。" * 900
        await connector.send(ANN, outbound(words))
        assert len(double.shown[ANN]) == 5
        assert words.startswith("".join(double.shown[ANN][:4]))
        assert double.shown[ANN][4].endswith("（内容较长，请就具体问题继续提问）")


async def test_pictures_and_voice_are_sent_and_other_files_are_links() -> None:
    kinds = {"p": "image/png", "v": "audio/amr", "d": "application/pdf"}
    files = {name: (Attachment(name, f"{name}.bin", kind, len(PNG)), PNG) for name, kind in kinds.items()}
    async with alone(Shelf(**files)) as (double, connector):
        await connector.send(ANN, outbound("See", attachments=tuple(file for file, _ in files.values())))
        assert double.shown[ANN] == ["See\n\nFile: d.bin https://f.example/d", "[image] p.bin", "[voice] v.bin"]
        gone = Attachment("gone", "gone.png", "image/png", 3)
        with pytest.raises(MessageRejected, match=r"gone\.png"):
            await connector.send(ANN, outbound("", "outbox-2", attachments=(gone,)))


async def test_a_message_in_parts_goes_on_where_it_was_interrupted() -> None:
    picture = Attachment("p", "p.png", "image/png", len(PNG))
    async with alone(Shelf(p=(picture, PNG))) as (double, connector):
        double.faults["/cgi-bin/media/upload"] = [Fault(status=500)]
        message = outbound("See", attachments=(picture,))
        with pytest.raises(ChannelUnavailable):
            await connector.send(ANN, message)
        await connector.send(ANN, message)
        assert double.shown[ANN] == ["See", "[image] p.png"]


async def test_a_menu_shows_the_choices_and_a_source_its_link() -> None:
    async with alone(msgmenu=True) as (double, connector):
        citation = Citation("p", "a", "Delivery", "", "/articles/en/delivery")
        buttons = (Button("b1", "Yes"), Button("b2", "No"))
        await connector.send(ANN, outbound("Is it **this**?", citations=(citation,), buttons=buttons))
        assert double.shown[ANN] == [
            "Is it this?\n\nSource: Delivery https://desk.example/articles/en/delivery\nYes\nNo"
        ]
        assert [entry["id"] for entry in double.menus[0]["list"]] == ["b1", "b2"]


async def test_a_file_that_is_too_large_or_lies_elsewhere_is_not_fetched() -> None:
    async with alone() as (double, connector):
        large = double.keep("a.png", b"x" * (10 * 1024 * 1024 + 1), "image/png")
        for reference in (large, "gone", "https://evil.example/a", "https://[", "https://qq.com.evil.example/a"):
            with pytest.raises(MessageRejected):
                await connector.fetch(Media(reference, "image"))
        double.faults["/cgi-bin/media/get"] = [Fault(code=42001)]
        picture = double.keep("图.png", PNG, "image/png")
        assert (await connector.fetch(Media(picture, "image")))[1] == PNG


def test_without_the_api_a_picture_is_fetched_from_where_it_is_shown() -> None:
    double = WechatDouble(Clock(), encrypted=False)
    fields: dict[str, str | int] = {
        "MsgType": "image",
        "FromUserName": ANN,
        "CreateTime": 1,
        "MsgId": 1,
        "MediaId": "m",
    }
    push = WebhookRequest("POST", {}, {}, xml_of({**fields, "PicUrl": "http://mmbiz.qpic.cn/p/0"}).encode())
    for api, reference in ((True, "m"), (False, "https://mmbiz.qpic.cn/p/0")):
        connector = WechatConnector(settings(double, customer_service_api=api), Means("", Shelf(), Clock()))
        assert [media.reference for media in connector.parse(push)[0].media] == [reference]


def test_an_account_without_encryption_is_refused_unless_it_is_asked_for() -> None:
    entry = {"channel": "wechat", "token": "abc", "app_id": "wx123456", "app_secret": "s"}
    means = Means("", Shelf(), Clock())
    with pytest.raises(BadAccount, match=r"safe mode.*insecure_plaintext: true"):
        connectors_of([entry], means)
    assert connectors_of([{**entry, "insecure_plaintext": True}], means)
    for wrong in ({"token": ""}, {"app_secret": ""}, {"encoding_aes_key": "x" * 42}, {"token": "has spaces"}):
        with pytest.raises((ValidationError, BadAccount)):
            connectors_of([{**entry, "insecure_plaintext": True, **wrong}], means)


async def test_the_double_takes_what_the_other_library_sends() -> None:
    double, company = WechatDouble(Clock()), WecomDouble(Clock())
    double.quota[ANN] = (5, double.clock.seconds + 1000)

    def send() -> None:  # in a thread, for the library blocks
        # With a token at hand the library calls nothing but the address it is given.
        client = WeChatClient(APP_ID, SECRET, access_token=double.new_token(double.token_parameters)["access_token"])
        client.API_BASE_URL = f"{double.url}/cgi-bin/"
        client.message.send_text(ANN, "你好")
        client.message.send_image(ANN, client.media.upload("image", ("a.png", PNG))["media_id"])
        with pytest.raises(WeChatException):
            client.message.send_text("stranger", "hello")
        other = WecomClient(CORP_ID, SECRET, access_token=company.new_token(company.token_parameters)["access_token"])
        other.API_BASE_URL = f"{company.url}/cgi-bin/"
        other.message.send_text_card(AGENT_ID, "lin", "T", "D", "https://e.example", "more")

    async with double.running(), company.running():
        await asyncio.to_thread(send)
    assert double.shown[ANN] == ["你好", "[image] a.png"]
    assert company.shown["lin"] == ["[card] T https://e.example"]


PLAIN = WechatConnector(settings(WechatDouble(Clock(), encrypted=False)), Means("", Shelf(), Clock()))
SOMETHING = st.text(max_size=30) | st.sampled_from(
    ["text", "event", "image", "location", "voice", "1", "23.5", "CLICK"]
)


@checks(deadline=None)
@given(st.dictionaries(st.sampled_from(
    ["MsgType", "MsgId", "FromUserName", "CreateTime", "Content", "MediaId", "Event", "EventKey", "Location_X",
     "Location_Y", "Label", "Format", "Recognition", "PicUrl", "bizmsgmenuid"]), SOMETHING))  # fmt: skip
def test_reading_anything_gives_messages_or_a_bad_payload(fields: dict[str, str]) -> None:
    body = xml_of({name: "".join(one for one in value if one.isprintable()) for name, value in fields.items()})
    with suppress(BadPayload):
        for arrival in PLAIN.parse(WebhookRequest("POST", {}, {}, body.encode("utf-8", "replace"))):
            assert arrival.message.external_id
            assert arrival.message.address.contact
    for read in (content_of, message_id_of, sender_of, sent_at_of):
        with suppress(BadPayload):
            read(fields)


@checks(deadline=None)
@given(st.text(), st.integers(100, 400), st.integers(1, 6))
def test_no_part_is_over_the_limit_and_nothing_is_lost_but_what_is_said_to_be(text: str, limit: int, most: int) -> None:
    parts = parts_of(text, limit, most)
    assert len(parts) <= most
    assert all(len(part.encode("utf-8", "surrogatepass")) <= limit for part in parts)
    if len(text.encode("utf-8", "surrogatepass")) <= limit:
        assert "".join(parts).strip() == text.strip()


@pytest.mark.parametrize(
    ("written", "shown"),
    [
        ("# Title\n\n**Bold** and `code`", "Title\n\nBold and code"),
        ("- one\n* two", "• one\n• two"),
        (
            "[Guide](/articles/a) and [x](https://y.example)",
            "Guide https://d.example/articles/a and x https://y.example",
        ),
        ("![](https://y.example/a.png)", "https://y.example/a.png"),
        ("> said\n```\nrun\n```\n2 * 3 * 4, snake_case_name", "said\nrun\n2 * 3 * 4, snake_case_name"),
    ],
)
def test_marks_that_would_be_shown_are_taken_out(written: str, shown: str) -> None:
    assert without_markdown(written, "https://d.example").strip() == shown


@checks(deadline=None)
@given(st.text())
def test_taking_marks_out_of_anything_never_crashes(text: str) -> None:
    without_markdown(text)


def test_a_time_is_read_in_utc() -> None:
    assert sent_at_of({"CreateTime": "1348831860"}) == datetime(2012, 9, 28, 11, 31, tzinfo=UTC)
