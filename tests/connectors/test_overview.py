"""What an operator sees of accounts: what to enter at the vendor, entries for new ones, and every sign of life."""

from __future__ import annotations

import asyncio
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import pytest
import yaml

from channels_file import read_channels
from connectors.accounts import CHANNELS, class_of, connectors_of
from connectors.base import Connector, Receive, Sign
from connectors.channels import Channels
from connectors.door import Door
from connectors.overview import Overview
from connectors.rest import RestConnector
from connectors.set_up import is_public
from connectors.webchat.connector import WebchatConnector
from conversations.errors import ChannelUnavailable, ContactUnreachable, RateLimited
from conversations.hub import LocalHub
from conversations.model import Address, OutboundMessage, utc_now
from tests.connectors.desk import API_KEY, Server, running_server
from tests.connectors.meta_desk import desk_of, number
from tests.connectors.slack_desk import app
from tests.connectors.test_channels import MEANS, Box, Pigeon, Shelf, outbound, pigeon
from tests.connectors.test_telegram import connector as telegram
from tests.doubles.messenger import Messenger
from tests.doubles.meta import VERIFY_TOKEN
from tests.doubles.slack import Slack
from tests.doubles.webhook_program import FROM_DESK, TO_DESK
from tests.doubles.whatsapp import Whatsapp

AES_KEY = "jWmYm7qr5nMoAUwZRjGtBxmz3KA1tkAj3ykkR6q2B2C"
#: What an operator would put into .env for each variable of the entries.
VALUES = {
    "TELEGRAM_TOKEN": "123456789:AAHdqTcvCH1vGWJxfSeofSAs0K5PALDsaw",
    "EMAIL_ADDRESS": "support@shop.example",
    "EMAIL_SINCE": "2026-12-01",
    "EMAIL_IMAP_HOST": "imap.shop.example",
    "EMAIL_SMTP_HOST": "smtp.shop.example",
    "WECHAT_APP_ID": "wx0123456789abcdef",
    "WECHAT_ENCODING_AES_KEY": AES_KEY,
    "WECOM_CORP_ID": "ww0123456789abcdef",
    "WECOM_AGENT_ID": "1000002",
    "WECOM_ENCODING_AES_KEY": AES_KEY,
    "WHATSAPP_PHONE_NUMBER_ID": "106540352242922",
    "MESSENGER_PAGE_ID": "108361758641234",
    "WEBHOOK_INCOMING_SECRETS": TO_DESK,
    "WEBHOOK_OUTGOING_SECRETS": FROM_DESK,
    "WEBHOOK_URL": "https://partner.example/frontdesk",
    "MQTT_HOST": "broker.example.com",
}


class Heard(list[tuple[str, Sign, str, str]]):
    """What accounts reported."""

    def __call__(self, channel: str, account: str, sign: Sign, code: str, detail: str) -> None:
        self.append((f"{channel}/{account}", sign, code, detail))

    def signs(self) -> list[Sign]:
        return [one[1] for one in self]


def overview(*connectors: Connector, public_url: str = "https://desk.shop.example") -> Overview:
    return Overview(Channels(connectors, Door(Box(), Shelf())), public_url, utc_now)


@pytest.mark.parametrize("channel", CHANNELS)
@pytest.mark.parametrize("public", ["https://desk.shop.example", "http://127.0.0.1:8000"])
async def test_the_entry_of_every_channel_works_as_it_is_once_its_variables_are_set(
    tmp_path: Path, channel: str, public: str
) -> None:
    [form] = [one for one in await overview(public_url=public).addable() if one["channel"] == channel]
    (tmp_path / "channels.yml").write_text(form["snippet"])
    values = {name: VALUES.get(name, "abcdefgh12345678") for name in form["variables"]}
    [made] = connectors_of(read_channels(tmp_path / "channels.yml", values), MEANS)
    assert (made.channel, made.account) == (channel, "default")
    # Nothing that proves who we are stands in the file itself.
    [entry] = yaml.safe_load(form["snippet"])
    needed = {name for name, one in class_of(channel).Settings.model_fields.items() if one.is_required()}
    assert all(str(entry[name]).startswith("${") for name in needed - {"channel"})


async def test_a_desk_without_a_public_address_is_offered_the_way_that_works_there() -> None:
    def entry(forms: list[dict[str, Any]]) -> str:
        return str(next(one["snippet"] for one in forms if one["channel"] == "telegram"))

    assert "set_webhook: true" in entry(await overview().addable())
    assert "polling: true" in entry(await overview(public_url="http://127.0.0.1:8000").addable())


@pytest.mark.parametrize(
    ("url", "public"),
    [
        ("https://desk.shop.example", True),
        ("https://8.8.8.8:8443", True),
        ("http://desk.shop.example", False),
        ("https://localhost", False),
        ("https://desk.local", False),
        ("https://127.0.0.1:8000", False),
        ("https://192.168.1.20", False),
        ("https://10.0.0.3", False),
        ("https://172.16.4.1", False),
        ("https://[::1]", False),
        ("https://desk", False),
        ("", False),
    ],
)
def test_an_address_is_public_if_a_vendor_on_the_internet_can_call_it(url: str, public: bool) -> None:
    assert is_public(url) is public


def test_accounts_tell_what_to_enter_at_the_vendor_and_no_secret() -> None:
    accounts = overview(WebchatConnector(LocalHub()), RestConnector([API_KEY]), number(Whatsapp()), app(Slack()))
    web, rest, whatsapp, slack = accounts.accounts()
    assert (web["url"], rest["url"], web["sendable"], rest["checkable"]) == (None, None, False, False)
    assert whatsapp["url"] == "https://desk.shop.example/webhooks/whatsapp/default"
    assert whatsapp["set_up"]["enter"] == [{"field": "Verify token", "setting": "verify_token"}]
    assert "message.channels" in slack["set_up"]["events"]
    assert (whatsapp["warning"], slack["warning"]) == (None, None)
    assert VERIFY_TOKEN not in str(accounts.accounts())
    assert API_KEY not in str(accounts.accounts())


@pytest.mark.parametrize(
    ("settings", "how", "url"),
    [
        ({}, "pasted", True),
        ({"secret": None, "set_webhook": True}, "registered", True),
        ({"secret": None, "polling": True}, "none", False),
    ],
)
def test_a_webhook_that_nobody_calls_is_not_shown(settings: dict[str, Any], how: str, url: bool) -> None:
    [form] = overview(telegram(**settings)).accounts()
    assert (form["webhook"], form["url"] is not None, form["holds_connection"]) == (how, url, not url)


def test_an_address_that_the_vendor_cannot_reach_is_marked() -> None:
    [form] = overview(app(Slack()), public_url="http://127.0.0.1:8000").accounts()
    assert form["url_is_private"]
    [form] = overview(app(Slack())).accounts()
    assert not form["url_is_private"]


@pytest.mark.parametrize(
    ("trouble", "expected"),
    [
        (None, ("sent", "")),
        (ChannelUnavailable("HTTP 502"), ("failed", "unavailable")),
        (ContactUnreachable("blocked"), ("failed", "unreachable")),
        (RateLimited(3), None),
    ],
)
async def test_every_delivery_is_a_sign(trouble: Exception | None, expected: tuple[str, str] | None) -> None:
    class Flying(Pigeon):
        async def send(self, to: str, message: OutboundMessage) -> str:
            if trouble is not None:
                raise trouble
            return "1"

    heard = Heard()
    channels = Channels(
        [Flying(Pigeon.Settings(channel="pigeon", token="t"), MEANS)], Door(Box(), Shelf()), report=heard
    )
    with nullcontext() if trouble is None else pytest.raises(type(trouble)):
        await channels.deliver(Address("pigeon", "default", "ann"), outbound())
    assert [one[1:3] for one in heard] == ([] if expected is None else [expected])


async def test_a_connection_that_breaks_says_why_and_begins_again() -> None:
    class Breaking(Pigeon):
        async def run(self, receive: Receive) -> None:
            self.report("connected", "", "")
            raise ChannelUnavailable("the broker hung up")

    heard = Heard()
    bird = Breaking(Pigeon.Settings(channel="pigeon", token="t"), MEANS)
    channels = Channels([bird, pigeon("other")], Door(Box(), Shelf()), first_pause_seconds=0.01, report=heard)
    await channels.start()
    async with asyncio.timeout(10):
        while len(heard) < 6:  # noqa: ASYNC110  # what is waited for happens in a task of the channels
            await asyncio.sleep(0.005)
    await channels.stop()
    assert heard.signs()[:6] == ["connecting", "connected", "broken"] * 2
    assert heard[2] == ("pigeon/default", "broken", "unavailable", "the broker hung up")


class TestAtTheDoor:
    @pytest.fixture
    def heard(self) -> Heard:
        return Heard()

    def listen(self, server: Server, heard: Heard) -> None:
        for one in server.connectors:
            one.report = lambda sign, code, detail, one=one: heard(one.channel, one.account, sign, code, detail)  # type: ignore[misc]

    async def test_a_request_with_another_secret_is_counted_with_its_reason(self, tmp_path: Path, heard: Heard) -> None:
        async with Messenger().running() as double, desk_of(tmp_path, double) as (server, url):
            self.listen(server, heard)
            answer = await server.http.post(url, content=b"{}", headers={"x-hub-signature-256": "sha256=00"})
            assert answer.status_code == 403
            assert heard == [("messenger/default", "refused", "", "x-hub-signature-256 does not match")]

    async def test_the_handshake_proves_an_account_or_is_refused(self, tmp_path: Path, heard: Heard) -> None:
        async with Messenger().running() as double, desk_of(tmp_path, double) as (server, url):
            self.listen(server, heard)
            assert (await double.subscribe(url)).status_code == 200
            assert (await double.subscribe(url, verify_token="another")).status_code == 403
            assert heard.signs() == ["fine", "refused"]

    async def test_a_stored_message_and_an_unreadable_one_are_signs(self, tmp_path: Path, heard: Heard) -> None:
        async with Slack().running() as double:

            def made(_means: object) -> list[Connector]:
                return [app(double)]

            async with running_server(tmp_path, made) as server:
                self.listen(server, heard)
                url = f"{server.url}/webhooks/slack/default"
                await double.post(url, double.event("hello"))
                await double.post(url, b"\xff")
                await double.until(lambda: len(double.said) == 1)
        assert [one[1:3] for one in heard if one[1] != "sent"] == [("received", ""), ("failed", "unreadable")]

    async def test_knocking_at_an_account_that_has_no_webhook_says_nothing_about_it(
        self, tmp_path: Path, heard: Heard
    ) -> None:
        async with running_server(
            tmp_path, [telegram(secret=None, polling=True, api_base="http://127.0.0.1:9")]
        ) as server:
            self.listen(server, heard)
            assert (await server.http.post("/webhooks/telegram/default", content=b"{}")).status_code == 403
            assert "refused" not in heard.signs()
