"""A WeChat official account, through its double, with the desk's own door, engine and outbox."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest

from connectors.base import Connector, Means
from connectors.wechat import WechatConnector, WechatSettings
from conversations.model import Author, Message
from conversations.turn_model import TurnRequest, TurnResult
from tests.connectors.desk import AGENT, Server, running_server
from tests.connectors.shop_bot import ShopBot
from tests.doubles.wechat import AES_KEY, APP_ID, SECRET, TOKEN, WechatDouble
from tests.doubles.wechat_vendor import Clock, Fault, Pushed, xml_of

PNG = b"\x89PNG\r\n\x1a\n" + b"\x00" * 20
ANN = "o-ann"


def settings(double: WechatDouble, **more: Any) -> WechatSettings:
    given = {
        "channel": "wechat",
        "token": TOKEN,
        "app_id": APP_ID,
        "app_secret": SECRET,
        "encoding_aes_key": AES_KEY if double.crypto is not None else None,
        "insecure_plaintext": double.crypto is None,
        "passive_seconds": 0.4,
        "api_url": double.url,
        **more,
    }
    return WechatSettings.model_validate(given)


@asynccontextmanager
async def account(
    folder: Path, *, encrypted: bool = True, bot: ShopBot | None = None, **more: Any
) -> AsyncIterator[tuple[WechatDouble, Server]]:
    double = WechatDouble(Clock(), encrypted=encrypted)

    def make(means: Means) -> list[Connector]:
        return [WechatConnector(settings(double, **more), replace(means, now=double.clock))]

    async with double.running(), running_server(folder, make, bot=bot or ShopBot()) as server:
        double.webhook = f"{server.url}/webhooks/wechat/default"
        yield double, server


async def until(happened: Callable[[], Any], seconds: float = 8.0) -> None:
    async with asyncio.timeout(seconds):
        while not happened():
            await asyncio.sleep(0.01)


async def transcript(server: Server, contact: str = ANN) -> list[Message]:
    return await server.desk.transcript(WechatConnector.address(_named(), contact))


def _named() -> Any:
    return type("Named", (), {"channel": "wechat", "account": "default"})()


async def said(server: Server, contact: str = ANN) -> list[str]:
    return [message.text for message in await transcript(server, contact) if message.author is Author.CONTACT]


class SlowBot(ShopBot):
    """Answers after a while that the test chooses."""

    def __init__(self, seconds: float) -> None:
        super().__init__()
        self.seconds = seconds

    async def respond(self, request: TurnRequest) -> TurnResult:
        await asyncio.sleep(self.seconds)
        return await super().respond(request)


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
        states = await _states(server)
        assert states == ["sent"]


async def _states(server: Server) -> list[str]:
    from sqlalchemy import text

    async with server.desk.database.read() as connection:
        return [row[0] for row in await connection.execute(text("select state from outbox order by ordinal"))]


async def test_a_late_reply_comes_by_the_api(tmp_path: Path) -> None:
    async with account(tmp_path, bot=SlowBot(0.8)) as (double, _):
        pushed = await double.says(ANN, "How long does delivery take?")
        assert (pushed.attempts, pushed.answer) == (["200"], None)
        await until(lambda: double.shown.get(ANN))
        assert len(double.shown[ANN]) == 1
        assert double.typing == [ANN]


async def test_a_push_that_is_repeated_while_it_is_open_makes_one_turn_and_one_answer(tmp_path: Path) -> None:
    bot = SlowBot(0.7)
    async with account(tmp_path, bot=bot, passive_seconds=3.0) as (double, server):
        pushed = await double.push(ANN, "text", Content="How long does delivery take?", hang_up=0.45)
        assert pushed.attempts == ["ReadTimeout", "200"]
        await asyncio.sleep(0.5)
        assert len(double.shown[ANN]) == 1
        assert double.calls["/cgi-bin/message/custom/send"] == 0
        assert (len(bot.asked), await said(server)) == (1, ["How long does delivery take?"])


async def test_of_two_open_requests_of_a_message_the_newest_is_answered(tmp_path: Path) -> None:
    async with account(tmp_path, bot=SlowBot(0.5), passive_seconds=3.0) as (double, _):
        fields: dict[str, str | int] = {
            "ToUserName": double.receiver,
            "FromUserName": ANN,
            "CreateTime": double.clock.seconds,
            "MsgType": "text",
            "Content": "delivery",
            "MsgId": double.number(),
        }
        first = asyncio.create_task(double.push_again(fields, hang_up=5))
        await asyncio.sleep(0.2)
        second = asyncio.create_task(double.push_again(fields, hang_up=5))
        answers: list[Pushed] = [await first, await second]
        assert [one.answer is not None for one in answers] == [False, True]
        assert all(one.acknowledged for one in answers)
        third = await double.push_again(fields, hang_up=5)  # the second answer did not arrive, else there was no third
        assert third.answer is not None
        assert double.calls["/cgi-bin/message/custom/send"] == 0


async def test_a_reply_whose_connection_breaks_arrives_all_the_same(tmp_path: Path) -> None:
    async with account(tmp_path, bot=SlowBot(0.5), passive_seconds=3.0) as (double, server):
        pushed = await double.push(ANN, "text", Content="delivery", hang_up=0.2)
        assert pushed.attempts == ["ReadTimeout", "ReadTimeout", "200"]
        await asyncio.sleep(0.2)
        assert len(double.shown[ANN]) == 1
        assert len(await said(server)) == 1
        double.quota[ANN] = (5, double.clock.seconds + 100)
        lost = await double.push(ANN, "text", Content="returns", hang_up=0.1)  # nobody waits when the answer comes
        assert lost.answer is None
        await until(lambda: len(double.shown[ANN]) == 2)
        assert await _states(server) == ["sent", "sent"]


async def test_the_same_push_again_makes_no_second_turn(tmp_path: Path) -> None:
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
        assert len(await _states(server)) == 1


async def test_log_and_errors_hold_no_secret(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    async with account(tmp_path, passive_seconds=0) as (double, server):
        double.faults["/cgi-bin/message/custom/send"] = [Fault(code=48001)]
        await double.says(ANN, "delivery")
        await until(lambda: double.calls["/cgi-bin/message/custom/send"])
        tokens = list(double.tokens)
        await asyncio.sleep(0.2)
        async with server.desk.database.read() as connection:
            from sqlalchemy import text

            errors = [str(row) for row in await connection.execute(text("select * from outbox"))]
    assert tokens
    for secret in (*tokens, SECRET):
        assert secret not in caplog.text
        assert not any(secret in error for error in errors)
    assert AGENT and httpx
