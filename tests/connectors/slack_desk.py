"""A Slack app of the tests: a connector without a desk, and a desk with it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from connectors.base import Means
from connectors.slack import SlackConnector, SlackSettings
from tests.connectors.desk import Server, running_server
from tests.connectors.dingtalk_desk import Shelf
from tests.connectors.shop_bot import ShopBot
from tests.doubles.slack import SECRET, TOKEN, Slack

PATH = "/webhooks/slack/default"


def settings(double: Slack, **more: Any) -> SlackSettings:
    values = {
        "channel": "slack",
        "bot_token": TOKEN,
        "signing_secret": SECRET,
        "api_base": double.api if double.url else "http://127.0.0.1:9/api",
        "burst": 100,
    }
    return SlackSettings.model_validate(values | more)


def app(double: Slack, shelf: Shelf | None = None, **more: Any) -> SlackConnector:
    means = Means("https://desk.example", shelf or Shelf(), lambda: double.now)
    return SlackConnector(settings(double, **more), means)


@asynccontextmanager
async def desk_with_app(folder: Path, double: Slack, **more: Any) -> AsyncIterator[Server]:
    """The desk with one app."""

    def made(means: Means) -> list[SlackConnector]:
        here = Means(means.public_url, means.files, lambda: double.now)
        return [SlackConnector(settings(double, **more), here)]

    async with running_server(folder, made, bot=ShopBot()) as server:
        yield server
