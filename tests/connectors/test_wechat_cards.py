"""Cards of WeChat and WeCom: a source that opens at a tap, a button that is pressed once; and tokens that end meanwhile."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from connectors.base import WebhookRequest
from connectors.wechat import WechatConnector
from connectors.wecom import WecomConnector
from conversations.errors import ChannelUnavailable, ContactUnreachable
from conversations.model import Button, Citation
from tests.connectors.test_wechat_sending import SEND
from tests.connectors.test_wechat_sending import alone as account_alone
from tests.connectors.test_wecom import alone as app_alone
from tests.connectors.test_wecom import app, said
from tests.connectors.wechat_desk import ANN, outbound, until
from tests.doubles.wechat_vendor import TOKEN_SECONDS, Fault, xml_of
from tests.doubles.wecom import AGENT_ID, CORP_ID

DELIVERY = Citation("p", "a", "配送说明", "**三天**内送达。\n偏远地区五天。", "/articles/zh/delivery")
OTHER = Citation("q", "b", "运费", "满一百元包邮。", "/articles/zh/costs")


class TestSources:
    async def test_the_first_source_is_a_card_and_the_others_stay_in_the_text(self) -> None:
        async with account_alone(citations="news") as (double, connector):
            await connector.send(ANN, outbound("三天。", citations=(DELIVERY, OTHER)))
            text, card = double.shown[ANN]
            assert text == "三天。\n\n来源: 运费 https://desk.example/articles/zh/costs"
            link = "https://desk.example/articles/zh/delivery"
            assert card == f"[news] 配送说明 | 三天内送达。 偏远地区五天。 | {link}"

    @pytest.mark.parametrize("code", [45008, 40039, 48001])
    async def test_an_account_that_may_not_send_cards_says_the_source_in_words(self, code: int) -> None:
        async with account_alone(citations="news") as (double, connector):
            double.faults[SEND] = [Fault(), Fault(code=code)]
            await connector.send(ANN, outbound("三天。", citations=(DELIVERY,)))
            assert double.shown[ANN] == ["三天。", "来源: 配送说明 https://desk.example/articles/zh/delivery"]

    async def test_what_is_refused_for_other_reasons_is_not_said_in_words(self) -> None:
        async with account_alone(citations="news") as (double, connector):
            double.faults[SEND] = [Fault(), Fault(code=45047)]
            with pytest.raises(ContactUnreachable):
                await connector.send(ANN, outbound("三天。", citations=(DELIVERY,)))
            assert double.shown[ANN] == ["三天。"]

    async def test_a_card_never_takes_the_place_of_words(self) -> None:
        long = "".join(f"第{number}句话。" for number in range(3_000))
        async with account_alone(citations="news") as (double, connector):
            await connector.send(ANN, outbound(long, citations=(DELIVERY,)))
            assert len(double.shown[ANN]) == 5
            assert double.shown[ANN][-1].startswith("[news] ")
        async with account_alone(citations="news", messages_per_answer=1) as (double, connector):
            await connector.send(ANN, outbound("三天。", citations=(DELIVERY,)))
            assert double.shown[ANN] == ["三天。\n\n来源: 配送说明 https://desk.example/articles/zh/delivery"]
        async with account_alone(citations="news") as (double, connector):
            await connector.send(ANN, outbound("三天。", citations=(Citation("p", "a", "没有网页", "x", ""),)))
            assert len(double.shown[ANN]) == 1

    async def test_a_long_quote_is_cut_and_an_empty_title_is_the_address(self) -> None:
        quote = Citation("p", "a", "", "很长。" * 500, "/articles/zh/delivery")
        async with account_alone(citations="news") as (double, connector):
            await connector.send(ANN, outbound("三天。", citations=(quote,)))
            title, description, _ = double.shown[ANN][1].removeprefix("[news] ").split(" | ")
            assert title == "https://desk.example/articles/zh/delivery"
            assert description.endswith("…")
            assert len(description.encode()) <= 512


def press_request(double: Any, **fields: Any) -> WebhookRequest:
    push = {
        "ToUserName": CORP_ID,
        "FromUserName": "lin",
        "CreateTime": double.clock.seconds,
        "MsgType": "event",
        "Event": "template_card_event",
        "EventKey": "button-1",
        "TaskId": "outbox-1",
        "ResponseCode": "press-1",
        "AgentID": AGENT_ID,
    }
    query, body = double.signed(xml_of(push | fields))
    return WebhookRequest("POST", {}, query, body.encode())


class TestPresses:
    async def test_the_same_button_counts_once_also_where_it_could_be_pressed_again(self, tmp_path: Path) -> None:
        async with app(tmp_path) as (double, server):
            await double.says("lin", "Where is my order?")
            await until(lambda: double.cards)
            await double.presses("lin", 1)
            double.clock.advance(5)
            await double.presses("lin", 1)
            await until(lambda: len(double.shown["lin"]) >= 2)
            assert len(await said(server)) == 2  # the question and one choice
            await double.presses("lin", 0)  # another choice is another message
            assert len(await said(server)) == 3

    async def test_a_card_whose_answer_got_lost_is_changed_by_the_api(self) -> None:
        async with app_alone() as (double, connector):
            assert isinstance(connector, WecomConnector)
            buttons = (Button("button-1", "订单一"), Button("button-2", "订单二"))
            await connector.send("lin", outbound("请选择订单", buttons=buttons))
            double.presses_open()

            async def store() -> None:
                return None

            for out, expected in ((True, []), (False, ["已选择: 订单一"])):
                answer = await connector.acknowledge(press_request(double), store)
                assert answer.written is not None
                answer.written(out)
                await asyncio.sleep(0.05 if out else 0)
                if expected:
                    await until(lambda: double.chosen)
                assert list(double.chosen.values()) == expected

    async def test_a_change_that_is_refused_harms_nobody(self) -> None:
        async with app_alone() as (double, connector):

            async def store() -> None:
                return None

            answer = await connector.acknowledge(press_request(double, ResponseCode="long-used"), store)
            assert answer.written is not None
            answer.written(False)
            await until(lambda: double.calls["/cgi-bin/message/update_template_card"] == 1)
            answer = await connector.acknowledge(press_request(double, ResponseCode=""), store)
            assert answer.written is not None
            answer.written(False)
            await asyncio.sleep(0.05)
            assert double.calls["/cgi-bin/message/update_template_card"] == 1


class TestTokens:
    @pytest.mark.parametrize("ended", ["expired", "replaced"])
    async def test_ten_calls_with_a_token_that_ended_fetch_one_new_one(self, ended: str) -> None:
        """42001 (expired) and 40001 (another program fetched a newer one)."""
        async with account_alone() as (double, connector):
            assert isinstance(connector, WechatConnector)
            double.quota[ANN] = (100, double.clock.seconds + 48 * 3600)
            await connector.send(ANN, outbound("first", "outbox-first"))
            assert double.token_calls == 1
            if ended == "expired":
                for token in double.tokens:
                    double.tokens[token] -= TOKEN_SECONDS + 1  # sooner than was announced
            else:
                double.faults[SEND] = [Fault(code=40001)] * 10
            await asyncio.gather(*(connector.send(ANN, outbound(str(n), f"outbox-{n}")) for n in range(10)))
            assert sorted(double.shown[ANN]) == sorted(["first", *map(str, range(10))])
            assert double.token_calls == 2

    async def test_a_token_that_is_refused_again_is_an_error_that_names_what_to_check(self) -> None:
        async with account_alone() as (double, connector):
            double.faults[SEND] = [Fault(code=42001)] * 2
            with pytest.raises(ChannelUnavailable, match="check id and secret"):
                await connector.send(ANN, outbound("x"))
            assert double.token_calls == 2
