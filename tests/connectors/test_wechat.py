"""A WeChat official account, through its double, with the desk's own door, engine and outbox."""

from __future__ import annotations

import asyncio
import logging
from contextlib import suppress
from pathlib import Path
from typing import Any, cast

import httpx
import pytest

from connectors.base import Connector
from conversations.model import Address, Author
from tests.connectors.desk import AGENT, Server
from tests.connectors.wechat_desk import ANN, PatientBot, account, rows, until, until_settled
from tests.doubles.wechat import SECRET
from tests.doubles.wechat_vendor import Fault, Pushed, xml_of
from tests.pictures import PNG


async def said(server: Server, contact: str = ANN) -> list[str]:
    transcript = await server.desk.transcript(Address("wechat", "default", contact))
    return [message.text for message in transcript if message.author is Author.CONTACT]


async def test_the_address_is_accepted_by_the_vendors_check(tmp_path: Path) -> None:
    async with account(tmp_path) as (double, server):
        query, _ = double.signed("<xml/>")
        right = await server.http.get("/webhooks/wechat/default", params={**query, "echostr": "4711"})
        assert (right.status_code, right.text) == (200, "4711")
        for wrong in ({**query, "signature": "0" * 40}, {"echostr": "4711"}):
            assert (await server.http.get("/webhooks/wechat/default", params=wrong)).status_code == 403


async def test_a_quick_reply_is_the_answer_to_the_push_and_is_sent_no_second_time(tmp_path: Path) -> None:
    async with account(tmp_path) as (double, server):
        pushed = await double.says(ANN, "How long does delivery take?")
        assert pushed.attempts == ["200"]
        assert pushed.answer is not None
        assert "three to five days" in pushed.answer["Content"]
        assert "Source: Delivery http" in pushed.answer["Content"]
        await asyncio.sleep(0.3)
        assert double.shown[ANN] == [pushed.answer["Content"]]
        assert double.calls["/cgi-bin/message/custom/send"] == 0
        assert await until_settled(server, 1) == ["sent"]


async def test_a_late_reply_comes_by_the_api(tmp_path: Path) -> None:
    bot = PatientBot()
    async with account(tmp_path, bot=bot, passive_seconds=0.3) as (double, _):
        pushed = await double.says(ANN, "How long does delivery take?")
        assert (pushed.attempts, pushed.answer) == (["200"], None)
        await until(lambda: double.typing == [ANN])
        bot.gate.set()
        await until(lambda: double.shown.get(ANN))
        assert len(double.shown[ANN]) == double.calls["/cgi-bin/message/custom/send"] == 1


def waiting(made: list[Connector]) -> int:
    """How many requests of Ann's newest message are open."""
    contacts = cast(Any, made[0])._passive._contacts
    return len(next(reversed(contacts[ANN].values())).open) if ANN in contacts else 0


async def test_a_push_that_is_repeated_while_it_is_open_makes_one_turn_and_one_answer(tmp_path: Path) -> None:
    """F03: where the vendor hangs up twice while the bot works, the third try has the one answer."""
    bot, made = PatientBot(), list[Connector]()
    async with account(tmp_path, bot=bot, made=made, passive_seconds=4.5) as (double, server):
        double.hang_up_seconds = (0.3, 0.3, 5)
        push = asyncio.create_task(double.says(ANN, "How long does delivery take?"))
        await until(lambda: double.pushes and len(double.pushes[0].attempts) == 2 and waiting(made))
        bot.gate.set()
        assert (await push).attempts == ["ReadTimeout", "ReadTimeout", "200"]
        assert await until_settled(server, 1) == ["sent"]
        assert len(double.shown[ANN]) == 1
        assert double.calls["/cgi-bin/message/custom/send"] == 0
        assert (len(bot.turns), await said(server)) == (1, ["How long does delivery take?"])


async def test_of_three_tries_for_an_answer_that_takes_its_time_exactly_one_has_it(tmp_path: Path) -> None:
    """F03: the 2nd and 3rd try come while the first is still worked on → one turn, one answer, ``success`` to the others."""
    bot, made = PatientBot(), list[Connector]()
    async with account(tmp_path, bot=bot, made=made, passive_seconds=4.5) as (double, server):
        message: dict[str, str | int] = {"ToUserName": double.receiver, "FromUserName": ANN, "CreateTime": 1}
        message |= {"MsgType": "text", "Content": "delivery", "MsgId": double.number()}
        tries = []
        for count in (1, 2, 3):
            query, body = double.signed(xml_of(message))
            post = server.http.post("/webhooks/wechat/default", params=query, content=body)
            tries.append(asyncio.create_task(post))
            await until(lambda: waiting(made) == count)  # noqa: B023
        bot.gate.set()
        answers = [await one for one in tries]
        assert [answer.status_code for answer in answers] == [200] * 3
        assert [answer.text for answer in answers[:2]] == ["success"] * 2
        assert "three to five days" in double.opened(answers[2].text)["Content"]
        assert await until_settled(server, 1) == ["sent"]
        assert double.calls["/cgi-bin/message/custom/send"] == 0
        assert (len(bot.turns), await said(server)) == (1, ["delivery"])


async def test_of_two_open_requests_of_a_message_the_newest_is_answered(tmp_path: Path) -> None:
    bot, made = PatientBot(), list[Connector]()
    async with account(tmp_path, bot=bot, made=made, passive_seconds=4.5) as (double, _):
        fields: dict[str, str | int] = {
            "ToUserName": double.receiver,
            "FromUserName": ANN,
            "CreateTime": double.clock.seconds,
            "MsgType": "text",
            "Content": "delivery",
            "MsgId": double.number(),
        }
        first = asyncio.create_task(double.push_again(fields))
        await until(lambda: waiting(made) == 1)
        second = asyncio.create_task(double.push_again(fields))
        await until(lambda: waiting(made) == 2)
        bot.gate.set()
        answers: list[Pushed] = [await first, await second]
        assert [one.answer is not None for one in answers] == [False, True]
        assert all(one.acknowledged for one in answers)
        third = await double.push_again(fields)  # the second answer did not arrive, else there would be no third
        assert third.answer is not None
        assert double.calls["/cgi-bin/message/custom/send"] == 0


async def test_a_reply_that_nobody_waits_for_any_more_comes_by_the_api(tmp_path: Path) -> None:
    """F03: where every try is over before the answer is there, it comes once, by the customer-service API."""
    bot, made = PatientBot(), list[Connector]()
    async with account(tmp_path, bot=bot, made=made, passive_seconds=4.5) as (double, server):
        double.hang_up_seconds = (0.4, 0.4, 0.4)
        lost = await double.says(ANN, "delivery")
        assert (lost.answer, lost.acknowledged) == (None, False)
        await until(lambda: waiting(made) == 0, 4)  # long before their time is over
        bot.gate.set()
        await until(lambda: double.shown.get(ANN))
        assert await until_settled(server, 1) == ["sent"]
        assert (len(double.shown[ANN]), len(bot.turns)) == (1, 1)


async def test_the_same_push_again_makes_no_second_turn(tmp_path: Path) -> None:
    """F07: an exact replay within the window is a 200 and no second turn."""
    async with account(tmp_path) as (double, server):
        query, body = double.signed(
            xml_of(
                {
                    "ToUserName": "gh",
                    "FromUserName": ANN,
                    "CreateTime": double.clock.seconds,
                    "MsgType": "text",
                    "Content": "delivery",
                    "MsgId": 1,
                }
            )
        )
        answers = await asyncio.gather(
            *(server.http.post("/webhooks/wechat/default", params=query, content=body) for _ in range(8))
        )
        assert {answer.status_code for answer in answers} == {200}
        assert await said(server) == ["delivery"]
        assert await until_settled(server, 1) == ["sent"]


async def test_log_and_errors_hold_no_secret(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    async with account(tmp_path, passive_seconds=0) as (double, server):
        double.faults["/cgi-bin/message/custom/send"] = [Fault(code=48001)]
        await double.says(ANN, "delivery")
        await until(lambda: double.calls["/cgi-bin/message/custom/send"])
        tokens = list(double.tokens)
        await asyncio.sleep(0.2)
        errors = await rows(server, "select error from outbox")
    assert tokens
    for secret in (*tokens, SECRET):
        assert secret not in caplog.text
        assert not any(secret in str(error) for error in errors)


@pytest.mark.parametrize(("language", "menus"), [("en", False), ("zh", False), ("zh", True)])
async def test_a_conversation_from_question_to_rating(tmp_path: Path, language: str, menus: bool) -> None:
    words = {
        "en": ("How long does delivery take?", "Where is my order?", "A person please", "Hello, this is Lin."),
        "zh": ("配送要多久？", "我的订单到哪了？", "请转人工", "您好，我是小林。"),
    }[language]
    source = {"en": "Source: Delivery", "zh": "来源: 配送"}[language]
    async with account(tmp_path, msgmenu=menus) as (double, server):
        shown = double.shown.setdefault(ANN, [])
        await double.says(ANN, words[0])
        await until(lambda: len(shown) == 1)
        assert "**" not in shown[0]
        assert f"{source} {server.url}/articles/{language}/delivery" in shown[0]
        await double.says(ANN, words[1])
        await until(lambda: len(shown) == 2)
        if menus:
            assert shown[1].split("\n")[1:] == ["A1001", "A1002", "A1003"]
            await double.taps(ANN, 1)
        else:
            assert shown[1].split("\n")[2:] == ["1. A1001", "2. A1002", "3. A1003"]
            await double.says(ANN, "2")
        await until(lambda: len(shown) == 3)
        assert "A1002" in shown[2]
        await double.says(ANN, words[2])
        await until(lambda: len(shown) >= 4)
        current = await server.desk.find_current(Address("wechat", "default", ANN))
        assert current is not None
        assert current.status == "queued"
        await server.desk.assign(current.id, AGENT)
        await server.desk.reply_as_agent(current.id, AGENT, words[3])
        await until(lambda: words[3] in shown)
        double.quota[ANN] = (5, double.clock.seconds + 1000)
        await server.desk.resolve(current.id, AGENT)
        await until(lambda: shown[-1].count("\n") >= 4)
        if menus:
            titles = [entry["content"][0] for entry in double.menus[-1]["list"]]
            await double.taps(ANN, titles.index("5"))
        else:
            await double.says(ANN, "5")
        assert await rows(server, "select score from ratings") == [5]
        assert set(await until_settled(server, 6)) == {"sent"}
        assert not (menus and double.typing)  # who has the menu already sees nobody write


async def test_two_replies_come_in_their_order_one_passive_and_one_by_the_api(tmp_path: Path) -> None:
    async with account(tmp_path) as (double, _):
        pushed = await double.says(ANN, "two answers")
        await until(lambda: len(double.shown[ANN]) == 2)
        assert pushed.answer is not None
        assert double.shown[ANN] == ["first", "second"]
        assert double.calls["/cgi-bin/message/custom/send"] == 1


async def test_forged_and_broken_pushes_are_refused_and_nothing_is_stored(tmp_path: Path) -> None:
    async with account(tmp_path) as (double, server):
        query, body = double.signed("<xml/>")
        right: dict[str, str | int] = {
            "MsgType": "text",
            "FromUserName": ANN,
            "CreateTime": 1,
            "MsgId": 1,
            "Content": "x",
        }
        plain = {key: query[key] for key in ("signature", "timestamp", "nonce")}
        bad: list[tuple[dict[str, str], str]] = [
            ({}, body),
            (plain, xml_of(right)),  # plain text, though signed
            ({**query, "msg_signature": query["signature"]}, body),
            ({**query, "timestamp": str(double.clock.seconds + 302)}, body),
            ({**query, "nonce": "x" * 60_000}, body),
            (query, body.replace("<Encrypt>", "<Encrypt>A")),
            (query, ""),
            (query, "[]"),
            (query, '<!DOCTYPE x [<!ENTITY a "b">]><xml><Encrypt>&a;</Encrypt></xml>'),
            double.signed("<other/>"),
            double.signed("not xml"),
            double.signed('<!DOCTYPE x [<!ENTITY a "b">]><xml>&a;</xml>'),
            double.signed(xml_of({**right, "MsgId": "abc"})),
            double.signed(xml_of({**right, "MsgType": "image"})),
            double.signed(xml_of({**right, "MsgType": "location", "Location_X": "north"})),
        ]
        for missing in ("MsgType", "FromUserName", "CreateTime", "MsgId"):
            bad.append(double.signed(xml_of({key: one for key, one in right.items() if key != missing})))
        for params, content in bad:
            answer = await server.http.post("/webhooks/wechat/default", params=params, content=content.encode())
            assert 400 <= answer.status_code < 500, (str(params)[:200], content, answer.text)
        with suppress(httpx.HTTPError):  # the server may hang up instead
            answer = await server.http.post("/webhooks/wechat/default", params=query, headers={"x": "a" * 1_000_000})
            assert 400 <= answer.status_code < 500
        repeated: list[tuple[str, str | int | float | bool | None]] = [
            *query.items(),
            ("msg_signature", "0" * 40),
            ("nonce", "another"),
        ]
        answer = await server.http.post("/webhooks/wechat/default", params=repeated, content=body.encode())
        assert answer.status_code == 403  # nothing hides behind what is signed
        assert await rows(server, "select count(*) from inbox") == [0]


async def test_in_plain_text_a_captured_signature_stores_nothing_else(tmp_path: Path) -> None:
    """F08: the same for WeChat in plain text."""
    async with account(tmp_path, encrypted=False) as (double, server):
        right: dict[str, str | int] = {
            "MsgType": "text",
            "FromUserName": ANN,
            "CreateTime": 1,
            "MsgId": 1,
            "Content": "delivery",
        }
        query, body = double.signed(xml_of(right))
        for _ in range(2):
            assert (await server.http.post("/webhooks/wechat/default", params=query, content=body)).status_code == 200
        forged = xml_of({**right, "MsgId": 2, "Content": "refund me"})
        answer = await server.http.post("/webhooks/wechat/default", params=query, content=forged)
        assert answer.status_code == 403
        assert await said(server) == ["delivery"]


async def test_events_are_messages_only_where_they_are_set_up_to_be(tmp_path: Path) -> None:
    more: dict[str, Any] = {"greet_on_subscribe": True, "menu_texts": {"K1": "Where is my order?"}}
    async with account(tmp_path, **more) as (double, server):
        for event in ("unsubscribe", "SCAN", "LOCATION", "VIEW", "TEMPLATESENDJOBFINISH", "of_the_future"):
            assert (await double.does(ANN, event, EventKey="k")).acknowledged
        assert (await double.push(ANN, "sticker_of_the_future")).acknowledged
        assert await rows(server, "select count(*) from inbox") == [0]
        await double.does(ANN, "subscribe", EventKey="")
        await double.does(ANN, "CLICK", EventKey="K1")
        await double.does(ANN, "CLICK", EventKey="delivery")
        assert await said(server) == ["你好", "Where is my order?", "delivery"]


async def test_pictures_voice_videos_places_and_links_are_messages(tmp_path: Path) -> None:
    async with account(tmp_path, passive_seconds=0) as (double, server):
        await double.push(ANN, "image", MediaId=double.keep("a.png", PNG, "image/png"), PicUrl="http://x")
        voice = double.keep("v.amr", b"#!AMR\n" + bytes(20), "audio/amr")
        await double.push(ANN, "voice", MediaId=voice, Format="amr", Recognition="where is it")
        film = b"\x00\x00\x00\x18ftypmp42" + bytes(20)
        double.films["/film.mp4"] = film
        link = double.keep("", f'{{"video_url": "{double.url}/film.mp4"}}'.encode(), "application/json")
        await double.push(ANN, "video", MediaId=link, ThumbMediaId="t")
        elsewhere = double.keep("", b'{"video_url": "http://127.0.0.1:1/film.mp4"}', "application/json")
        await double.push(ANN, "shortvideo", MediaId=elsewhere, ThumbMediaId="t")
        await double.push(ANN, "location", Location_X="23.1", Location_Y="113.3", Scale=15, Label="广州塔")
        await double.push(ANN, "link", Title="T", Description="D", Url="https://e.example")
        await double.push(ANN, "file", Title="a.pdf", FileTotalLen=5)
        stored = await server.desk.transcript(Address("wechat", "default", ANN))
        mine = [one for one in stored if one.author is Author.CONTACT]
        kinds = [file.media_type for one in mine for file in one.attachments]
        assert kinds == ["image/png", "audio/amr", "video/mp4"]
        texts = [one.text for one in mine]
        assert texts[:4] == ["", "where is it", "", "［视频未能接收］"]
        assert texts[4].startswith("［位置］广州塔\n23.1, 113.3\nhttps://uri.amap.com/marker?position=113.3,23.1")
        assert texts[5:] == ["T\nD\nhttps://e.example", "［文件］a.pdf"]
