"""A desk with a mailbox, for the tests of e-mail."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from connectors.base import Means
from connectors.mail import MailConnector
from connectors.mail_settings import MailSettings
from conversations.model import utc_now
from tests.connectors.desk import Server, running_server
from tests.connectors.dingtalk_desk import Shelf
from tests.connectors.shop_bot import ShopBot
from tests.doubles.dovecot import PASSWORD
from tests.doubles.mail_server import AUTHSERV, DESK, MailServer


def settings(provider: MailServer | None = None, **more: Any) -> MailSettings:
    values = {
        "channel": "email",
        "address": DESK,
        "name": "Kite Shop",
        "password": PASSWORD,
        "since": "2020-01-01",
        "imap_host": "127.0.0.1",
        "imap_port": provider.dovecot.port if provider else 9,
        "imap_tls": "none",
        "imap_user": provider.dovecot.login(DESK) if provider else None,
        "smtp_user": DESK,
        "smtp_host": "127.0.0.1",
        "smtp_port": provider.port if provider else 9,
        "smtp_tls": "none",
        "smtp_login": False,
        "poll_seconds": 2,
        "authserv_id": AUTHSERV,
        "mails_per_minute": 1000,
    }
    return MailSettings.model_validate(values | more)


def mailbox(provider: MailServer | None = None, shelf: Shelf | None = None, **more: Any) -> MailConnector:
    clock = more.pop("now", utc_now)
    means = Means("https://desk.example", shelf or Shelf(), clock)
    return MailConnector(settings(provider, **more), means)


@asynccontextmanager
async def desk_with_mailbox(folder: Path, provider: MailServer, **more: Any) -> AsyncIterator[Server]:
    """The desk with one mailbox."""
    bot = more.pop("bot", None) or ShopBot()

    def made(means: Means) -> list[MailConnector]:
        return [MailConnector(settings(provider, **more), means)]

    async with running_server(folder, made, bot=bot) as server:
        yield server
