"""An account is tried out: the channel is asked whether it knows us, and one message is sent past every conversation."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path

import pytest
from sqlalchemy import func, select

from connectors.base import Connector, Means
from connectors.checked_address import checked_client
from connectors.rest import RestConnector
from connectors.trying import Outcome, check, checkable, send_test
from connectors.wechat import WechatConnector
from connectors.wecom import WecomConnector
from conversations.errors import ContactUnreachable, RateLimited, SendError
from conversations.model import OutboundMessage, utc_now
from conversations.tables import conversations, messages, outbox
from tests.connectors.desk import free_port, running_server
from tests.connectors.dingtalk_desk import robot
from tests.connectors.mail_desk import mailbox
from tests.connectors.meta_desk import number, page
from tests.connectors.mqtt_desk import account as broker_account
from tests.connectors.mqtt_desk import desk_with_broker
from tests.connectors.slack_desk import app
from tests.connectors.test_channels import MEANS, Pigeon
from tests.connectors.test_telegram import connector as telegram
from tests.connectors.webhook_desk import program_account
from tests.connectors.wechat_desk import Shelf, wecom_settings
from tests.connectors.wechat_desk import settings as wechat_settings
from tests.doubles.dingtalk import DingTalk
from tests.doubles.dovecot import Dovecot, running_dovecot
from tests.doubles.mail_server import mail_server
from tests.doubles.messenger import Messenger
from tests.doubles.mosquitto import running as running_broker
from tests.doubles.slack import Slack
from tests.doubles.telegram import TelegramDouble
from tests.doubles.webhook_program import TO_DESK, Program
from tests.doubles.wechat import WechatDouble
from tests.doubles.wechat_vendor import Clock
from tests.doubles.wecom import WecomDouble
from tests.doubles.whatsapp import Whatsapp

Account = AbstractAsyncContextManager[Connector]


@asynccontextmanager
async def a_telegram_bot(*, right: bool) -> AsyncIterator[Connector]:
    async with TelegramDouble().running() as double:
        token = {} if right else {"token": "99:AAHwrongwrongwrongwrong"}
        yield telegram(api_base=double.url, **token)


@asynccontextmanager
async def a_slack_app(*, right: bool) -> AsyncIterator[Connector]:
    async with Slack().running() as double:
        yield app(double, **({} if right else {"bot_token": "xoxb-wrong"}))


@asynccontextmanager
async def a_robot(*, right: bool) -> AsyncIterator[Connector]:
    async with DingTalk().running() as double:
        yield robot(double, **({} if right else {"client_secret": "wrong"}))


@asynccontextmanager
async def a_number(*, right: bool) -> AsyncIterator[Connector]:
    async with Whatsapp().running() as double:
        yield number(double, **({} if right else {"access_token": "wrong"}))


@asynccontextmanager
async def a_page(*, right: bool) -> AsyncIterator[Connector]:
    async with Messenger().running() as double:
        yield page(double, **({} if right else {"access_token": "wrong"}))


@asynccontextmanager
async def an_official_account(*, right: bool) -> AsyncIterator[Connector]:
    double = WechatDouble(Clock())
    async with double.running():
        secret = {} if right else {"app_secret": "wrong"}
        yield WechatConnector(wechat_settings(double, **secret), Means("", Shelf(), double.clock))


@asynccontextmanager
async def a_wecom_app(*, right: bool) -> AsyncIterator[Connector]:
    double = WecomDouble(Clock())
    async with double.running():
        secret = {} if right else {"secret": "wrong"}
        yield WecomConnector(wecom_settings(double, **secret), Means("", Shelf(), double.clock))


@asynccontextmanager
async def a_mailbox(*, right: bool) -> AsyncIterator[Connector]:
    with running_dovecot() as own:
        async with mail_server(own) as provider:
            yield mailbox(provider, **({} if right else {"password": "wrong"}))


@asynccontextmanager
async def a_program(*, right: bool) -> AsyncIterator[Connector]:
    async with Program().running() as program:
        secrets = {} if right else {"incoming_secrets": ["whsec_" + "QQ" * 20], "outgoing_secrets": [TO_DESK]}
        yield program_account(program.url, **secrets)


KINDS: Mapping[str, tuple[Callable[..., Account], str]] = {
    "telegram": (a_telegram_bot, "@"),
    "slack": (a_slack_app, "U0BOT @ T0"),
    "dingtalk": (a_robot, ""),
    "whatsapp": (a_number, "Kite Shop +86 138 0013 8000"),
    "messenger": (a_page, "Kite Shop"),
    "wechat": (an_official_account, ""),
    "wecom": (a_wecom_app, " / "),
    "email": (a_mailbox, "@"),
    "webhook": (a_program, "http://127.0.0.1:"),
}
EACH = pytest.mark.parametrize("kind", KINDS)


def listened(connector: Connector) -> list[tuple[str, str]]:
    heard: list[tuple[str, str]] = []
    connector.report = lambda sign, code, _detail: heard.append((sign, code))
    return heard


@EACH
async def test_the_right_credentials_are_confirmed_and_say_who_we_are(kind: str) -> None:
    opened, known_as = KINDS[kind]
    async with opened(right=True) as connector:
        heard = listened(connector)
        assert checkable(connector)
        for _ in range(2):  # the second time a token may be there already
            outcome = await check(connector)
            assert outcome.ok, outcome.detail
        assert known_as in outcome.detail
        assert outcome.detail
        assert heard == [("fine", "")] * 2
        await connector.close()


@EACH
async def test_wrong_credentials_are_found_and_the_reason_tells_no_secret(kind: str) -> None:
    async with KINDS[kind][0](right=False) as connector:
        heard = listened(connector)
        outcome = await check(connector)
        assert not outcome.ok
        assert outcome.code in ("rejected", "unavailable")
        assert outcome.detail
        assert "AAHwrong" not in outcome.detail
        assert TO_DESK not in outcome.detail
        assert heard == [("failed", outcome.code)]
        await connector.close()


async def test_a_withdrawn_token_is_found_although_it_has_not_run_out(tmp_path: Path) -> None:
    double = WechatDouble(Clock())
    async with double.running():
        connector = WechatConnector(wechat_settings(double), Means("", Shelf(), double.clock))
        assert (await check(connector)).ok
        double.tokens.clear()
        double.token_parameters = {"grant_type": "client_credential", "appid": "another", "secret": "one"}
        assert not (await check(connector)).ok
        await connector.close()


async def test_the_ping_of_a_webhook_is_signed_and_no_message(tmp_path: Path) -> None:
    async with Program().running() as program:
        connector = program_account(program.url)
        assert (await check(connector)).ok
        [ping] = program.got
        assert (ping["type"], "text" in ping, program.forged) == ("ping", False, 0)
        await connector.close()


async def test_a_mailbox_that_is_read_but_cannot_send_is_not_fine(dovecot: Dovecot) -> None:
    async with mail_server(dovecot) as provider:
        connector = mailbox(provider, smtp_port=free_port())
        outcome = await check(connector)
        assert (outcome.ok, outcome.code) == (False, "unavailable")
        assert outcome.detail.startswith("SMTP")
        await connector.close()


async def test_a_broker_is_fine_once_it_hands_us_what_comes_in(tmp_path: Path) -> None:
    port = free_port()
    outcome = await check(broker_account(port))
    assert (outcome.ok, outcome.code) == (False, "unavailable")
    async with running_broker(tmp_path / "broker", port), desk_with_broker(tmp_path, port) as server:
        [connector] = server.connectors
        await connector.listening.wait()  # type: ignore[attr-defined]
        outcome = await check(connector)
        assert (outcome.ok, outcome.detail) == (True, f"frontdesk-shop @ 127.0.0.1:{port}")


async def test_a_channel_without_a_check_says_so() -> None:
    connector = RestConnector([])
    assert not checkable(connector)
    assert (await check(connector)).code == "rejected"


class Pecking(Pigeon):
    """Does not carry what it is given."""

    trouble: Exception

    async def send(self, to: str, message: OutboundMessage) -> str:
        raise self.trouble


@pytest.mark.parametrize(
    ("trouble", "code", "heard"),
    [
        (ContactUnreachable("blocked"), "unreachable", [("failed", "unreachable")]),
        (RateLimited(12), "rate_limited", []),
        (ZeroDivisionError("oops"), "crashed", [("failed", "crashed")]),
    ],
)
async def test_a_test_message_that_fails_tells_why(trouble: Exception, code: str, heard: list[tuple[str, str]]) -> None:
    bird = Pecking(Pigeon.Settings(channel="pigeon", token="t"), MEANS)
    bird.trouble = trouble
    told = listened(bird)
    outcome = await send_test(bird, "ann", "hello", utc_now())
    assert (outcome.ok, outcome.code) == (False, code)
    assert outcome.retry_after_seconds == (12 if isinstance(trouble, RateLimited) else None)
    assert isinstance(trouble, SendError) or "oops" in outcome.detail
    assert told == heard


async def test_a_test_message_arrives_and_no_conversation_hears_of_it(tmp_path: Path) -> None:
    double = Slack()
    async with double.running():

        def made(means: Means) -> list[Connector]:
            return [app(double)]

        async with running_server(tmp_path, made) as server:
            [connector] = server.connectors
            outcome = await send_test(connector, "dm:D0ANN:U0ANN", "Testing, testing", utc_now())
            assert outcome == Outcome(True, detail=double.said[0].ts)
            assert [one.text for one in double.said] == ["Testing, testing"]
            async with server.desk.database.read() as connection:
                for table in (conversations, messages, outbox):
                    assert (await connection.execute(select(func.count()).select_from(table))).scalar() == 0


async def test_an_address_that_leads_inside_is_told_apart_from_what_a_vendor_refuses() -> None:
    """F37: the console says in its own words what to do about it."""

    async def inside(host: str, port: int) -> Sequence[str]:
        return ["10.0.0.1"]

    connector = program_account("https://hooks.example/", allow_private_addresses=False)
    connector._http = checked_client(private=False, resolve=inside)
    heard = listened(connector)
    outcome = await send_test(connector, "ann", "hello", utc_now())
    assert (outcome.ok, outcome.code) == (False, "forbidden_address")
    assert "leads into a private network" in outcome.detail  # by which the list of undelivered messages knows it
    assert heard == [("failed", "forbidden_address")]
    await connector.close()
