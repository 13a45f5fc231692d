"""The webhook channel of the tests: a connector without a desk, and a desk with it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

from connectors.base import Means
from connectors.webhook import WebhookConnector, WebhookSettings
from conversations.model import utc_now
from tests.connectors.desk import Server, running_server
from tests.connectors.dingtalk_desk import Shelf
from tests.connectors.shop_bot import ShopBot
from tests.doubles.webhook_program import FROM_DESK, TO_DESK, Program

PATH = "/webhooks/webhook/shop"


def settings(url: str = "http://127.0.0.1:9/", **more: Any) -> WebhookSettings:
    values = {
        "channel": "webhook",
        "account": "shop",
        "incoming_secrets": TO_DESK,
        "outgoing_secrets": FROM_DESK,
        "url": url,
        "allow_private_addresses": True,
    }
    return WebhookSettings.model_validate(values | more)


def program_account(
    url: str = "http://127.0.0.1:9/", shelf: Shelf | None = None, now: Callable[[], datetime] = utc_now, **more: Any
) -> WebhookConnector:
    return WebhookConnector(settings(url, **more), Means("https://desk.example", shelf or Shelf(), now))


@asynccontextmanager
async def desk_with_program(folder: Path, program: Program, **more: Any) -> AsyncIterator[Server]:
    """The desk with one program behind it."""

    def made(means: Means) -> list[WebhookConnector]:
        return [WebhookConnector(settings(program.url, **more), means)]

    async with running_server(folder, made, bot=ShopBot()) as server:
        yield server
