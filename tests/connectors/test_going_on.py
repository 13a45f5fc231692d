"""One matter that begins in the web chat, goes on in Telegram and ends in WeCom, through the real desk and the doubles."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from connectors.base import Connector, Means
from connectors.telegram import TelegramConnector
from connectors.wecom import WecomConnector
from conversations.model import Author, Status
from tests.connectors.desk import AGENT, Server, Widget, running_server
from tests.connectors.shop_bot import ShopBot
from tests.connectors.wechat_desk import until, wecom_settings
from tests.doubles.telegram import TOKEN, TelegramDouble
from tests.doubles.wechat_vendor import Clock
from tests.doubles.wecom import WecomDouble

WORDS = {
    "en": {
        "begin": "I want to cancel my order",
        "which": "Which order shall I cancel?",
        "choose": "B2 reel",
        "done": "Order B2 is cancelled.",
        "person": "A person please",
        "agent": "Hello again, this is Lin.",
        "here": "carry on here",
    },
    "zh": {
        "begin": "我要取消订单",
        "which": "取消哪个订单？",
        "choose": "B2 线轴",
        "done": "订单 B2 已取消。",
        "person": "转人工",
        "agent": "又见面了，我是小林。",
        "here": "接上之前的对话",
    },
}


@dataclass
class Places:
    """The desk with its three channels, and the person in front of them."""

    server: Server
    telegram: TelegramDouble
    wecom: WecomDouble
    bot: ShopBot

    @property
    def shown(self) -> list[str]:
        """What WeCom showed the member."""
        return self.wecom.shown.setdefault("lin", [])

    async def code(self, widget: Widget) -> str:
        """The number that the web chat gives out."""
        await widget.say("Continue elsewhere")
        while True:
            message = (await widget.until("message"))["message"]
            found = re.search(r"/link (\d{4} \d{4})", message["text"])
            if found is not None:
                return found[1]


@asynccontextmanager
async def places(folder: Path) -> AsyncIterator[Places]:
    wecom, bot = WecomDouble(Clock()), ShopBot()

    def made(means: Means) -> list[Connector]:
        entry = {"channel": "telegram", "token": TOKEN, "api_base": telegram.url, "set_webhook": True}
        return [
            TelegramConnector(TelegramConnector.Settings.model_validate(entry | {"chat_per_second": 100}), means),
            WecomConnector(wecom_settings(wecom), replace(means, now=wecom.clock)),
        ]

    async with (
        TelegramDouble().running() as telegram,
        wecom.running(),
        running_server(folder, made, bot=bot) as server,
    ):
        wecom.webhook = f"{server.url}/webhooks/wecom/default"
        await telegram.called("setWebhook")
        yield Places(server, telegram, wecom, bot)
        await telegram.updates.settled()


@pytest.mark.parametrize("language", ["en", "zh"])
async def test_nothing_is_said_twice_from_web_to_telegram_to_wecom(tmp_path: Path, language: str) -> None:
    words = WORDS[language]
    async with places(tmp_path) as at, at.server.widget() as widget:
        await widget.say(words["begin"])
        which = next(one for one in await widget.messages(2) if one["buttons"])
        assert which["text"] == words["which"]
        code = await at.code(widget)

        ann = at.telegram.updates.person(42, "Ann", "en" if language == "en" else "zh-hans")
        at.telegram.updates.says(ann, f"/link {code}")
        await at.telegram.saying(words["here"])
        at.telegram.updates.says(ann, words["choose"])  # the button that the web chat showed
        await at.telegram.saying(words["done"])
        assert at.bot.turns[-1].payload == "/cancel B2"
        at.telegram.updates.says(ann, "/link")
        given = await at.telegram.saying("/link ")
        again = re.search(r"/link (\d{4} \d{4})", given["text"])
        assert again is not None

        await at.wecom.says("lin", f"绑定 {again[1]}")
        await until(lambda: any(words["here"] in text for text in at.shown))
        await at.wecom.says("lin", words["person"])
        await until(lambda: len(at.shown) >= 3)
        visitor = at.server.desk
        current = await visitor.find_current((await visitor.list_conversations("queued")).items[0].address)
        assert current is not None
        assert (current.status, current.reached_at.channel) == (Status.QUEUED, "wecom")
        await visitor.assign(current.id, AGENT)
        await visitor.reply_as_agent(current.id, AGENT, words["agent"])
        await until(lambda: words["agent"] in at.shown)
        said = [one.text for one in await visitor.messages(current.id) if one.author is Author.CONTACT]
        assert said == [
            words["begin"], "/link", "/link", words["choose"], "/link", "/link", words["person"],
        ]  # fmt: skip
        assert len((await visitor.list_conversations("all")).items) == 1
        assert {turn.conversation_id for turn in at.bot.turns} == {current.id}
        assert not any(words["agent"] in str(one) for one in at.telegram.named("sendMessage"))
