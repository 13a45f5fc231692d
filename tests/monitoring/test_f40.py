"""F40: what people write, who they are, and the secrets of channels reach neither the log nor the metrics.

Canaries go through every channel, where everything works and where everything fails in the worst way: vendors that
answer with what they were sent, tokens included, and exceptions that quote the message.
"""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import httpx
import pytest
import structlog
from pydantic import SecretStr

from channels_file import secrets_of
from connectors.base import Arrival, BadPayload, Connector, Media, WebhookRequest
from connectors.door import Door
from conversations.errors import InvalidMessage
from conversations.model import Address, InboundMessage, Receipt
from conversations.store import Database
from conversations.turn_model import TurnRequest, TurnResult
from tests.connectors.desk import API_KEY, Server, running_server
from tests.connectors.dingtalk_desk import Shelf, desk_with_robot
from tests.connectors.meta_desk import desk_of
from tests.connectors.slack_desk import desk_with_app
from tests.connectors.test_contract import PUSHED
from tests.connectors.webhook_desk import desk_with_program
from tests.connectors.wechat_desk import account as wechat_account
from tests.conversations.builders import says
from tests.doubles.dingtalk import DingTalk
from tests.doubles.messenger import Messenger
from tests.doubles.slack import Slack
from tests.doubles.webhook_program import Program
from tests.doubles.whatsapp import Whatsapp
from tests.monitoring.test_metrics import until
from tests.monitoring.watched import watched_desk, written_log

NAME = "王小明 Kanarienvogel"
EMAIL = "xiaoming.canary@example.org"
PHONE = "8613912345678"
TEXT = f"mein geheimer Wunsch 我想退那台粉色的咖啡机, card 6222 0212 3456 7890 128, ID 11010519491231002X, {EMAIL}, {PHONE}, 北京市朝阳区建国路93号, 沪A12345, canary at kite dot com"
#: None of these may be found anywhere.
CANARIES = (
    "Kanarienvogel", "王小明", "geheimer Wunsch", "粉色的咖啡机", "6222 0212", "6222021234567890128", "11010519491231002X",
    "xiaoming.canary", "13912345678", "建国路93号", "沪A12345", "canary at kite",
)  # fmt: skip
EVERY = pytest.mark.parametrize("connector", PUSHED, ids=lambda one: f"{one.channel}-{PUSHED.index(one)}")


def secrets_in(connector: Connector) -> list[str]:
    """The secrets of a connector, found as the service finds them in the channels file."""
    settings = getattr(connector, "settings", None) or connector._settings  # type: ignore[attr-defined]

    def plain(value: Any) -> Any:
        if isinstance(value, SecretStr):
            return value.get_secret_value()
        if isinstance(value, dict):
            return {name: plain(one) for name, one in value.items()}
        return [plain(one) for one in value] if isinstance(value, list | tuple) else value

    return [secret for secret in secrets_of([plain(settings.model_dump())]) if len(secret) >= 6 and " " not in secret]


def check(written: str, secrets: list[str]) -> None:
    """Whatever was written holds no canary, in no spelling programs give it."""
    for canary in (*CANARIES, *secrets):
        for form in {canary, json.dumps(canary)[1:-1], repr(canary)[1:-1], canary.encode("unicode_escape").decode()}:
            at = written.find(form)
            assert at < 0, f"{form!r} is in: …{written[max(0, at - 300) : at + 100]}…"


class HostileVendor:
    """Every vendor's API at its worst: answers with all that it was sent, or breaks with it."""

    def __init__(self, mode: str) -> None:
        self.mode = mode
        self.asked = 0

    async def answer(self, _transport: object, request: httpx.Request) -> httpx.Response:
        self.asked += 1
        body = (await request.aread()).decode("utf-8", "replace")
        echo = f"{request.url} {dict(request.headers)} {body} {TEXT} {NAME}"
        if self.mode == "cut":
            raise httpx.ReadError(f"connection lost: {echo}", request=request)
        if self.mode == "bug":
            raise ValueError(echo)
        status = 200 if self.mode == "odd" else int(self.mode)
        error = {"code": 100, "message": echo, "error_user_title": echo, "error_data": {"details": echo}}
        whole = {"ok": False, "errcode": 40001, "errmsg": echo, "description": echo, "error": error, "message": echo}
        return httpx.Response(status, json=whole | {"error_code": status}, request=request)


@pytest.fixture(params=["cut", "bug", "odd", "400"])
def vendor(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> HostileVendor:
    hostile = HostileVendor(request.param)

    async def handle(transport: object, sent: httpx.Request) -> httpx.Response:
        return await hostile.answer(transport, sent)

    monkeypatch.setattr(httpx.AsyncHTTPTransport, "handle_async_request", handle)
    return hostile


@pytest.fixture
def database(tmp_path: Path, sqlite_template: Path) -> Iterator[Database]:
    import shutil

    shutil.copy(sqlite_template, tmp_path / "desk.db")
    return Database.open(f"sqlite+aiosqlite:///{tmp_path / 'desk.db'}")  # type: ignore[return-value]


@EVERY
async def test_f40_a_message_that_cannot_be_sent_leaves_no_words_and_no_token(
    connector: Connector, vendor: HostileVendor, database: Database, tmp_path: Path
) -> None:
    """F40."""
    watched = await watched_desk(database, tmp_path)
    watched.desk.bot.answer = lambda _request: says(f"you said: {TEXT}")
    to = EMAIL if connector.channel == "email" else PHONE
    secrets = secrets_in(connector)
    with written_log(*secrets) as log:
        engine, outbox = watched.engine(), watched.outbox(lambda address, one: connector.send(address.contact, one))
        await engine.start()
        await outbox.start()
        arrived = InboundMessage(Address(connector.channel, connector.account, to), "1", TEXT, contact_name=NAME)
        receipt = await watched.desk.conversations.receive(arrived)
        tries = "frontdesk_delivery_seconds_count"
        await until(lambda: any(name.startswith(tries) for name in watched.figures))
        for _ in range(3):
            watched.desk.clock.advance(400)
            await asyncio.sleep(0.03)
        watched.desk.clock.advance(100_000)
        ended = ('outcome="sent"} 1.0', 'outcome="dead"}', 'outcome="unknown"}')
        await until(lambda: any(one in watched.text for one in ended))
        await outbox.stop()
        await engine.stop()
    await database.close()
    lines = [json.loads(line) for line in log.getvalue().splitlines() if line.startswith("{")]
    given_up = [line for line in lines if line["event"] == "delivery_given_up"]
    assert len(given_up) == ('outcome="sent"}' not in watched.text)
    for line in given_up:
        assert (line["conversation_id"], line["channel"]) == (receipt.conversation_id, connector.channel)
    check(log.getvalue(), secrets)
    check(watched.text, secrets)


class Inbox:
    """An inbox that fails with the words of the message."""

    def __init__(self, problem: Callable[[str], Exception]) -> None:
        self._problem = problem

    async def receive(self, message: InboundMessage) -> Receipt:
        raise self._problem(f"cannot store {message.text!r} of {message.contact_name}: {message.text}")


@EVERY
@pytest.mark.parametrize("problem", [InvalidMessage, ValueError, OSError], ids=lambda kind: kind.__name__)
async def test_f40_a_message_that_cannot_be_stored_leaves_no_words_and_no_token(
    connector: Connector, problem: type[Exception], monkeypatch: pytest.MonkeyPatch
) -> None:
    """F40."""
    vendor = HostileVendor("403")
    monkeypatch.setattr(httpx.AsyncHTTPTransport, "handle_async_request", vendor.answer)
    secrets = secrets_in(connector)
    door = Door(Inbox(problem), Shelf(), fetch_seconds=0.3)  # type: ignore[arg-type]
    message = InboundMessage(connector.address(PHONE), "1", TEXT, contact_name=NAME, contact_point=EMAIL)
    with written_log(*secrets) as log:
        try:
            await door.receive(connector, [Arrival(message, (Media(f"{PHONE}/{EMAIL}", "image", f"{NAME}.png"),))])
        except Exception as error:
            structlog.get_logger().error("request failed", path="/webhooks", exc_info=error)
    assert log.getvalue().strip()
    check(log.getvalue(), secrets)


@EVERY
@pytest.mark.parametrize("kind", ["json", "form", "bytes", "xml"])
def test_f40_a_webhook_that_cannot_be_read_leaves_no_words(connector: Connector, kind: str) -> None:
    """F40."""
    secrets = secrets_in(connector)
    nested = {"text": TEXT, "from": {"id": PHONE, "name": NAME}, "message": {"text": TEXT, "chat": {"id": PHONE}}}
    bodies = {
        "json": json.dumps(nested | {"entry": [{"id": PHONE, "messaging": [nested], "changes": [{"value": nested}]}]}),
        "form": f"payload={TEXT}&Body={NAME}",
        "bytes": TEXT + "\x00\ud800",
        "xml": f"<xml><FromUserName>{PHONE}</FromUserName><Content>{TEXT}</Content></xml>",
    }
    request = WebhookRequest(
        "POST", {"authorization": TEXT}, {"q": TEXT}, bodies[kind].encode("utf-8", "surrogatepass")
    )
    log_of_routes = structlog.get_logger()
    with written_log(*secrets) as log:
        for read in (connector.verify, connector.parse, connector.challenge):
            try:
                read(request)
            except BadPayload:
                continue  # answered to whoever sent it, not logged
            except Exception as error:
                log_of_routes.error("request failed", exc_info=error)
    check(log.getvalue(), secrets)


class Crashing:
    """A bot that dies of each message, and says which."""

    async def respond(self, request: TurnRequest) -> TurnResult:
        raise RuntimeError(f"no idea what to do with {request.text}")


Speaks = Callable[[], Any]


@asynccontextmanager
async def rest(folder: Path) -> AsyncIterator[tuple[Server, Speaks]]:
    async with running_server(folder, bot=Crashing()) as server:
        headers = {"authorization": f"Bearer {API_KEY}"}
        body = {"contact": PHONE, "text": TEXT, "name": NAME}
        yield server, lambda: server.http.post("/api/v1/messages", json=body, headers=headers)


@asynccontextmanager
async def web_chat(folder: Path) -> AsyncIterator[tuple[Server, Speaks]]:
    async with running_server(folder, bot=Crashing()) as server, server.widget() as widget:
        yield server, lambda: widget.say(TEXT)


@asynccontextmanager
async def whatsapp(folder: Path) -> AsyncIterator[tuple[Server, Speaks]]:
    double = Whatsapp()
    async with double.running(), desk_of(folder, double) as (server, url):
        yield server, lambda: double.deliver(url, double.webhook(double.message(TEXT, by=PHONE)))


@asynccontextmanager
async def messenger(folder: Path) -> AsyncIterator[tuple[Server, Speaks]]:
    double = Messenger()
    async with double.running(), desk_of(folder, double) as (server, url):
        yield server, lambda: double.deliver(url, double.webhook(double.message(TEXT)))


@asynccontextmanager
async def slack(folder: Path) -> AsyncIterator[tuple[Server, Speaks]]:
    double = Slack()
    double.people["U0ANN"]["profile"]["display_name"] = NAME
    async with double.running(), desk_with_app(folder, double) as server:
        url = f"{server.url}/webhooks/slack/default"
        yield server, lambda: double.deliver(url, double.event(TEXT))


@asynccontextmanager
async def dingtalk(folder: Path) -> AsyncIterator[tuple[Server, Speaks]]:
    double = DingTalk()
    async with double.running(), desk_with_robot(folder, double) as server:
        yield server, lambda: double.push(double.message(TEXT, nick=NAME))


@asynccontextmanager
async def wechat(folder: Path) -> AsyncIterator[tuple[Server, Speaks]]:
    async with wechat_account(folder) as (double, server):
        yield server, lambda: double.says("o-ann", TEXT)


@asynccontextmanager
async def program(folder: Path) -> AsyncIterator[tuple[Server, Speaks]]:
    double = Program()
    async with double.running(), desk_with_program(folder, double) as server:
        yield server, lambda: double.says(server.http, PHONE, TEXT, name=NAME)


@pytest.mark.parametrize(
    "opened", [rest, web_chat, whatsapp, messenger, slack, dingtalk, wechat, program], ids=lambda one: one.__name__
)
async def test_f40_a_whole_conversation_and_a_full_disk_leave_no_words_and_no_token(
    opened: Callable[[Path], Any], tmp_path: Path
) -> None:
    """F40."""
    with written_log(API_KEY) as log:
        async with opened(tmp_path) as (server, speak):
            secrets = [API_KEY, *(one for connector in server.connectors for one in secrets_in(connector))]
            await speak()
            async with asyncio.timeout(15):
                while not await _messages(server):  # noqa: ASYNC110  # it happens in a database
                    await asyncio.sleep(0.02)
            await asyncio.sleep(0.3)  # the answer, or the crash that stands for it
            server.desk.broken = True
            with suppress(Exception):
                async with asyncio.timeout(2):
                    await speak()
    check(log.getvalue(), secrets)


async def _messages(server: Server) -> int:
    from sqlalchemy import text

    async with server.desk.database.read() as connection:
        return int((await connection.execute(text("select count(*) from messages"))).scalar_one())


async def test_f40_an_error_of_the_database_does_not_say_what_was_stored(database: Database) -> None:
    """F40."""
    from sqlalchemy import text

    with written_log() as log:
        for statement in ("insert into nowhere values (:said)", "select :said from missing"):
            try:
                async with database.write() as connection:
                    await connection.execute(text(statement), {"said": TEXT})
            except Exception as error:
                structlog.get_logger().error("request failed", exc_info=error)
                structlog.get_logger().error("claim_failed", error=error, text=str(error))
    await database.close()
    assert "sqlalchemy.exc.OperationalError" in log.getvalue()
    check(log.getvalue(), [])


async def test_f40_a_task_and_a_program_that_die_of_a_message_do_not_quote_it() -> None:
    """F40: the crash output as well."""
    import sys

    with written_log() as log:
        try:
            raise KeyError(TEXT) from UnicodeDecodeError("utf-8", TEXT.encode(), 0, 1, NAME)
        except KeyError as error:
            sys.excepthook(type(error), error, error.__traceback__)
            try:
                raise ExceptionGroup(TEXT, [ValueError(NAME)])
            except ExceptionGroup as group:
                logging.getLogger("some.library").exception("it broke", exc_info=group)
            task = {"message": "Task exception was never retrieved", "exception": error, "future": TEXT}
            asyncio.get_running_loop().default_exception_handler(task)
    lines = [json.loads(line) for line in log.getvalue().splitlines()]
    assert [line["event"] for line in lines] == ["crashed", "it broke", "Task exception was never retrieved"]
    assert "KeyError" in lines[0]["exception"]
    assert "UnicodeDecodeError" in lines[0]["exception"]
    assert "test_f40.py" in lines[0]["exception"]
    check(log.getvalue(), [])
