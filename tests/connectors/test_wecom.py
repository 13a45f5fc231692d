"""An app of WeCom, through its double, with the desk's own door, engine and outbox."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from connectors.base import Connector, Means, WebhookRequest
from connectors.wechat_xml import write_fields
from connectors.wecom import WecomConnector
from conversations.errors import (
    ChannelUnavailable,
    ContactUnreachable,
    DeliveryUnknown,
    MessageRejected,
    RateLimited,
    SendError,
)
from conversations.model import Address, Attachment, Author, Button, Citation, MessageKind
from tests.connectors.desk import AGENT, Server, running_server
from tests.connectors.shop_bot import ShopBot
from tests.connectors.wechat_desk import Shelf, outbound, rows, until, until_settled, wecom_settings
from tests.doubles.wechat import SECRET
from tests.doubles.wechat_vendor import Clock, Fault
from tests.doubles.wecom import AGENT_ID, CORP_ID, WecomDouble
from tests.pictures import PNG

LIN = Address("wecom", "default", "lin")


@asynccontextmanager
async def app(folder: Path, **more: Any) -> AsyncIterator[tuple[WecomDouble, Server]]:
    double = WecomDouble(Clock())

    def make(means: Means) -> list[Connector]:
        return [WecomConnector(wecom_settings(double, **more), replace(means, now=double.clock))]

    async with double.running(), running_server(folder, make, bot=ShopBot()) as server:
        double.webhook = f"{server.url}/webhooks/wecom/default"
        yield double, server


@asynccontextmanager
async def alone(shelf: Shelf | None = None, **more: Any) -> AsyncIterator[tuple[WecomDouble, WecomConnector]]:
    """The connector without a desk."""
    double = WecomDouble(Clock())
    async with double.running():
        means = Means("https://desk.example", shelf or Shelf(), double.clock)
        connector = WecomConnector(wecom_settings(double, **more), means)
        yield double, connector
        await connector.close()


async def said(server: Server) -> list[str]:
    return [one.text for one in await server.desk.transcript(LIN) if one.author is Author.CONTACT]


async def test_the_address_is_accepted_by_the_vendors_check(tmp_path: Path) -> None:
    async with app(tmp_path) as (double, server):
        query, body = double.signed("4711")
        query["echostr"] = body.split("<Encrypt>")[1].split("</Encrypt>")[0]
        right = await server.http.get("/webhooks/wecom/default", params=query)
        assert (right.status_code, right.text) == (200, "4711")
        query["echostr"] = "x" + query["echostr"]
        assert (await server.http.get("/webhooks/wecom/default", params=query)).status_code == 403


@pytest.mark.parametrize("language", ["en", "zh"])
async def test_a_conversation_from_question_to_rating(tmp_path: Path, language: str) -> None:
    words = {
        "en": ("How long does delivery take?", "Where is my order?", "A person please", "Hello, this is Lin."),
        "zh": ("配送要多久？", "我的订单到哪了？", "请转人工", "您好，我是小林。"),
    }[language]
    source = {"en": "Source: Delivery", "zh": "来源: 配送"}[language]
    async with app(tmp_path) as (double, server):
        shown = double.shown.setdefault("lin", [])
        assert (await double.says("lin", words[0])).answer is None  # an empty 200
        await until(lambda: len(shown) == 1)
        assert "**" not in shown[0]
        assert f"{source} {server.url}/articles/{language}/delivery" in shown[0]
        await double.says("lin", words[1])
        await until(lambda: double.cards)
        assert shown[1].split("\n")[1:] == ["A1001", "A1002", "A1003"]
        await double.presses("lin", 1)
        await until(lambda: len(shown) == 3)
        assert "A1002" in shown[2]
        assert list(double.chosen.values()) == [{"en": "Chosen: A1002", "zh": "已选择: A1002"}[language]]
        await double.says("lin", words[2])
        await until(lambda: len(shown) >= 4)
        current = await server.desk.find_current(LIN)
        assert current is not None
        assert current.status == "queued"
        await server.desk.assign(current.id, AGENT)
        await server.desk.reply_as_agent(current.id, AGENT, words[3])
        await until(lambda: words[3] in shown)
        await server.desk.resolve(current.id, AGENT)
        await until(lambda: double.cards[-1]["button_list"][0]["text"][0] in "15")
        titles = [button["text"][0] for button in double.cards[-1]["button_list"]]
        assert (await double.presses("lin", titles.index("5"))).acknowledged
        assert await rows(server, "select score from ratings") == [5]
        assert not double.dropped


async def test_what_is_repeated_within_five_seconds_makes_one_turn(tmp_path: Path) -> None:
    async with app(tmp_path) as (double, server):
        fields: dict[str, str | int] = {
            "ToUserName": CORP_ID,
            "FromUserName": "lin",
            "CreateTime": double.clock.seconds,
            "MsgType": "text",
            "Content": "delivery",
            "MsgId": double.number(),
            "AgentID": AGENT_ID,
        }
        await asyncio.gather(*(double.push_again(fields) for _ in range(6)))
        assert await said(server) == ["delivery"]
        press = {**fields, "MsgType": "event", "Event": "template_card_event", "EventKey": "no-such-button"}
        del press["MsgId"], press["Content"]
        assert (await double.push_again(press)).acknowledged
        assert await until_settled(server, 1) == ["sent"]


async def test_a_desk_that_cannot_store_is_asked_again_by_the_vendor(tmp_path: Path) -> None:
    async with app(tmp_path) as (double, server):
        server.desk.broken = True
        assert (await double.says("lin", "delivery")).attempts == ["500"] * 3
        server.desk.broken = False
        assert (await double.says("lin", "delivery")).attempts == ["200"]
        assert await said(server) == ["delivery"]


async def test_forged_and_broken_pushes_are_refused_and_nothing_is_stored(tmp_path: Path) -> None:
    async with app(tmp_path) as (double, server):
        query, body = double.signed("<xml/>")
        right: dict[str, str | int | Mapping[str, str]] = {
            "MsgType": "text",
            "FromUserName": "lin",
            "CreateTime": 1,
            "MsgId": 1,
            "Content": "x",
        }
        bad: list[tuple[dict[str, str], str]] = [
            ({}, body),
            ({**query, "msg_signature": "0" * 40}, body),
            ({**query, "timestamp": str(double.clock.seconds - 301)}, body),
            (query, body.replace("<Encrypt>", "<Encrypt>A")),
            (query, ""),
            (query, "{}"),
            (query, "\x00" * 500),
            (query, '<!DOCTYPE x [<!ENTITY a "b">]><xml><Encrypt>&a;</Encrypt></xml>'),
            double.signed("<other/>"),
            double.signed("not xml"),
            double.signed('<!DOCTYPE x [<!ENTITY a "b">]><xml>&a;</xml>'),
        ]
        for missing in ("MsgType", "FromUserName", "CreateTime", "MsgId"):
            bad.append(double.signed(write_fields({key: one for key, one in right.items() if key != missing})))
        for odd in ({"MsgId": "abc"}, {"CreateTime": "-5"}, {"AgentID": 999}, {"FromUserName": "x" * 200}):
            bad.append(double.signed(write_fields({**right, **odd})))
        for params, content in bad:
            answer = await server.http.post("/webhooks/wecom/default", params=params, content=content.encode())
            assert 400 <= answer.status_code < 500, (params, content, answer.text)
        assert await rows(server, "select count(*) from inbox") == [0]


async def test_events_that_are_no_messages_are_acknowledged_and_ignored(tmp_path: Path) -> None:
    async with app(tmp_path) as (double, server):
        for event in ("enter_agent", "subscribe", "LOCATION", "view", "something_new"):
            assert (await double.push("lin", "event", Event=event, EventKey="", AgentID=AGENT_ID)).acknowledged
        assert (await double.push("lin", "sticker_of_the_future", AgentID=AGENT_ID)).acknowledged
        assert await rows(server, "select count(*) from inbox") == [0]
        await double.push("lin", "event", Event="click", EventKey="delivery", AgentID=AGENT_ID)
        assert await said(server) == ["delivery"]


async def test_pictures_voice_places_and_links_are_messages(tmp_path: Path) -> None:
    async with app(tmp_path) as (double, server):
        picture = double.keep("a.png", PNG, "image/png")
        voice = double.keep("v.amr", b"#!AMR\n" + bytes(20), "audio/amr")
        await double.push("lin", "image", MediaId=picture, PicUrl="http://x", AgentID=AGENT_ID)
        await double.push("lin", "voice", MediaId=voice, Format="amr", AgentID=AGENT_ID)
        await double.push("lin", "video", MediaId="gone", ThumbMediaId="t", AgentID=AGENT_ID)
        await double.push(
            "lin", "location", Location_X="23.1", Location_Y="113.3", Scale=15, Label="广州塔", AgentID=1 + 217
        )
        await double.push("lin", "link", Title="T", Description="D", Url="https://e.example", AgentID=AGENT_ID)
        stored = [one for one in await server.desk.transcript(LIN) if one.author is Author.CONTACT]
        assert [file.media_type for one in stored for file in one.attachments] == ["image/png", "audio/amr"]
        texts = [one.text for one in stored]
        assert texts[2] == "［视频未能接收］"
        assert texts[3].startswith("［位置］广州塔\n23.1, 113.3\nhttps://")
        assert texts[4] == "T\nD\nhttps://e.example"
        assert {one.author_name for one in stored} == {"lin"}


async def test_the_same_words_come_again_from_another_process_too() -> None:
    """The vendor drops a repeat of the last half hour without a word, whoever sends it."""
    claimed: dict[tuple[str, str], str] = {}

    async def claim(owner: str, key: str, came_with: str) -> bool:
        return claimed.setdefault((owner, key), came_with) == came_with

    double = WecomDouble(Clock())
    async with double.running():
        means = Means("https://desk.example", Shelf(), double.clock, claim=claim)
        one, other = (WecomConnector(wecom_settings(double), means) for _ in range(2))
        await one.send("lin", outbound("好的", "outbox-1"))
        await other.send("lin", outbound("好的", "outbox-1"))  # after a broken connection, by whoever took it over
        double.clock.advance(600)
        await other.send("lin", outbound("好的", "outbox-2"))
        assert (double.shown["lin"], double.dropped) == (["好的", "好的"], ["好的"])
        assert all("好的" not in key and "lin" not in key for _, key in claimed)
        await one.close()
        await other.close()


async def test_what_an_agent_types_is_no_markup() -> None:
    typed = "> 99 元包邮\n# 5 号柜台自提\n- 命令是 `ls`，变量 __init__"
    async with alone() as (double, connector):
        await connector.send("lin", outbound(typed, author=Author.AGENT))
        await connector.send("lin", outbound("# 退货\n- 七天内", "outbox-2"))
        assert double.shown["lin"] == [typed, "退货\n• 七天内"]


async def test_a_member_gets_at_most_thirty_messages_a_minute_and_none_is_lost() -> None:
    async with alone(duplicate_check_seconds=0) as (double, connector):
        waits = 0
        for place in range(70):
            while True:
                try:
                    await connector.send("lin", outbound(f"message {place}", f"outbox-{place}"))
                    break
                except RateLimited as limited:
                    waits += 1
                    double.clock.advance(limited.retry_after_seconds)
        assert double.shown["lin"] == [f"message {place}" for place in range(70)]
        assert (double.dropped, waits > 0) == ([], True)


async def test_a_long_text_comes_in_parts_that_the_vendor_does_not_cut() -> None:
    async with alone() as (double, connector):
        words = "很长的回答，" * 700
        await connector.send("lin", outbound(words))
        assert "".join(double.shown["lin"]) == words
        assert len(double.shown["lin"]) == 7


async def test_a_repeat_after_a_broken_connection_is_not_shown_twice_but_the_same_words_are() -> None:
    """F24: WeCom drops the repeat by its own check."""
    async with alone(Shelf(p=(Attachment("p", "p.png", "image/png", len(PNG)), PNG))) as (double, connector):
        path = "/cgi-bin/message/send"
        double.faults[path] = [Fault(cut=True, done_before=True)]
        with pytest.raises(DeliveryUnknown):
            await connector.send("lin", outbound("Anything else?"))
        await connector.send("lin", outbound("Anything else?"))
        assert (double.shown["lin"], double.dropped) == (["Anything else?"], ["Anything else?"])
        picture = Attachment("p", "p.png", "image/png", len(PNG))
        double.faults[path] = [Fault(cut=True, done_before=True)]
        with pytest.raises(DeliveryUnknown):
            await connector.send("lin", outbound("", "outbox-3", attachments=(picture,)))
        await connector.send("lin", outbound("", "outbox-3", attachments=(picture,)))
        assert double.shown["lin"].pop() == double.dropped.pop() == "[image] p.png"
        await connector.send("lin", outbound("Anything else?", "outbox-2"))
        assert double.shown["lin"] == ["Anything else?"] * 2


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        (Fault(status=500), ChannelUnavailable),
        (Fault(status=429, headers={"retry-after": "7"}), RateLimited),
        (Fault(status=404), MessageRejected),
        (Fault(code=-1), ChannelUnavailable),
        (Fault(code=60020), ChannelUnavailable),
        (Fault(code=45009), RateLimited),
        (Fault(code=81013), ContactUnreachable),
        (Fault(code=40056), MessageRejected),
        (Fault(code=40058), MessageRejected),
        (Fault(cut=True), DeliveryUnknown),
    ],
    ids=repr,
)
async def test_every_refusal_ends_in_its_state(fault: Fault, error: type[SendError]) -> None:
    async with alone() as (double, connector):
        double.faults["/cgi-bin/message/send"] = [fault]
        with pytest.raises(error) as raised:
            await connector.send("lin", outbound())
        assert SECRET not in str(raised.value)
        if isinstance(raised.value, RateLimited) and fault.status:
            assert raised.value.retry_after_seconds == 7
        await connector.send("lin", outbound())
        assert double.shown["lin"] == ["hello"]
        with pytest.raises(ContactUnreachable):
            await connector.send("stranger", outbound())


async def test_nobody_there_means_try_again() -> None:
    async with alone(api_url="http://127.0.0.1:9") as (_, connector):
        with pytest.raises(ChannelUnavailable):
            await connector.send("lin", outbound())


async def test_a_token_is_fetched_once_for_all_and_again_before_it_ends() -> None:
    async with alone(duplicate_check_seconds=0) as (double, connector):
        await asyncio.gather(*(connector.send("lin", outbound(str(one), f"outbox-{one}")) for one in range(8)))
        assert double.token_calls == 1
        double.clock.advance(7000)
        await connector.send("lin", outbound())
        assert double.token_calls == 2
        double.tokens.clear()  # somebody else has fetched one
        await connector.send("lin", outbound("again", "outbox-9"))
        assert double.token_calls == 3
        double.faults["/cgi-bin/message/send"] = [Fault(code=42001), Fault(code=42001)]
        with pytest.raises(ChannelUnavailable):
            await connector.send("lin", outbound("more", "outbox-10"))


async def test_files_sources_and_choices_look_as_they_can() -> None:
    files = {
        name: (Attachment(name, f"{name}.bin", kind, len(PNG)), PNG)
        for name, kind in (("p", "image/png"), ("d", "application/pdf"))
    }
    async with alone(Shelf(**files), citations="textcard") as (double, connector):
        citation = Citation("p", "a", "Delivery <b>", "It <takes> **days**" * 60, "/articles/en/delivery")
        attached = tuple(attachment for attachment, _ in files.values())
        await connector.send("lin", outbound("See", citations=(citation,), attachments=attached))
        assert double.shown["lin"] == [
            "See",
            "[card] Delivery <b> https://desk.example/articles/en/delivery",
            "[image] p.bin",
            "[file] d.bin",
        ]
        gone = Attachment("gone", "gone.pdf", "application/pdf", 3)
        with pytest.raises(MessageRejected, match="gone"):
            await connector.send("lin", outbound("", "outbox-2", attachments=(gone,)))
        many = tuple(Button(str(one), f"choice {one}") for one in range(7))
        await connector.send("lin", outbound("Which?", "outbox-3", buttons=many))
        assert "7. choice 6" in double.shown["lin"][-1]
        score = (Button("s5", "5 very good"), Button("s1", "1 bad"))
        await connector.send(
            "lin", outbound("Well?\nTell us.", "outbox-4", buttons=score, kind=MessageKind.RATING_REQUEST)
        )
        assert double.shown["lin"][-2:] == ["Well?\nTell us.", "Please choose\n5 very good\n1 bad"]


def test_settings_that_cannot_work_are_refused() -> None:
    double = WecomDouble(Clock())
    for wrong in (
        {"token": ""},
        {"encoding_aes_key": "short"},
        {"secret": ""},
        {"corp_id": ""},
        {"encoding_aes_key": None},
    ):
        with pytest.raises(ValidationError):
            wecom_settings(double, **wrong)


def test_a_request_of_another_company_is_refused() -> None:
    double = WecomDouble(Clock())
    connector = WecomConnector(wecom_settings(double, corp_id="wxANOTHER000"), Means("", Shelf(), double.clock))
    query, body = double.signed("<xml/>")
    with pytest.raises(Exception, match="cannot be read with the key"):
        connector.verify(WebhookRequest("POST", {}, query, body.encode()))
