"""Nobody can make the desk call an address inside of its own network: not when it is set, and not when it is called."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Any

import httpx
import pytest
import structlog.testing

from connectors.checked_address import ForbiddenAddress, check_url, checked_client
from connectors.vendor_calls import is_host_of, vendor_client
from connectors.webhook import WebhookConnector
from conversations.model import Address, Author
from tests.connectors.desk import running_server
from tests.connectors.shop_bot import ShopBot
from tests.connectors.test_webhook_sending import message, outcome
from tests.connectors.webhook_desk import program_account, settings
from tests.doubles.vendor_server import Answer
from tests.doubles.webhook_program import Program

INSIDE = (
    "127.0.0.1",
    "localhost",
    "LOCALHOST.",
    "desk.localhost",
    "127.1",
    "0x7f.1",
    "0x7f000001",
    "017700000001",
    "2130706433",
    "0",
    "0.0.0.0",
    "10.0.0.1",
    "192.168.1.1",
    "172.16.0.1",
    "100.64.0.1",
    "169.254.169.254",
    "0xa9fea9fe",
    "[::1]",
    "[::]",
    "[::ffff:10.0.0.1]",
    "[::ffff:a9fe:a9fe]",
    "[64:ff9b::7f00:1]",
    "[fd00::1]",
    "[fe80::1]",
)
#: Hosts of vendors as a link in a message could imitate them.
IMITATIONS = (
    "https://fbcdn.net.evil.example/a",
    "https://evil.example/fbcdn.net",
    "https://evilfbcdn.net/a",
    "https://fbcdn.net@evil.example/a",
    "https://evil.example#@fbcdn.net/a",
    "https://evil.example\\@fbcdn.net/a",
    "https://x@fbcdn.net/a",
    "http://fbcdn.net/a",
    "https://fbcdn.net:8080/a",
    "file://fbcdn.net/etc/passwd",
    "gopher://fbcdn.net/a",
    "//fbcdn.net/a",
    "https:///a",
    "https://[fbcdn.net/a",
    "",
)


@pytest.fixture
async def program() -> AsyncIterator[Program]:
    async with Program().running() as program:
        yield program


@pytest.mark.parametrize("host", INSIDE)
def test_an_address_inside_is_refused_when_it_is_set(host: str) -> None:
    """F37: at registration, in every notation of it; the start stops and says what to do."""
    with pytest.raises(ValueError, match=r"private network"):
        settings(f"https://{host}/hook", allow_private_addresses=False)


@pytest.mark.parametrize(
    "url",
    [
        "file:///etc/passwd",
        "file://localhost/etc/passwd",
        "http://hooks.example/",
        "gopher://hooks.example/_x",
        "ftp://hooks.example/",
        "https://hooks.example:22/",
        "https://hooks.example:6379/",
        "https://user:password@hooks.example/",
        "https://hooks.example/#@127.0.0.1",
        "https://hooks.example /",
        "https://",
        "//hooks.example/",
    ],
)
def test_what_is_no_public_https_address_is_refused_when_it_is_set(url: str) -> None:
    """F37: other schemes, other ports, and addresses that two readers could read in two ways."""
    with pytest.raises(ValueError, match=r"^its? "):
        check_url(url, private=False)


@pytest.mark.parametrize("host", INSIDE)
async def test_an_address_inside_is_never_connected_to(program: Program, host: str) -> None:
    """F37: at delivery, whatever was found good before."""
    async with checked_client(private=False) as client:
        for address in (f"https://{host}/", f"http://{host}:{httpx.URL(program.url).port}/"):
            with pytest.raises((ForbiddenAddress, httpx.ConnectError, httpx.InvalidURL)):
                await client.post(address, content=b"x")
    assert program.calls == []


async def test_a_name_that_turns_inwards_after_it_was_set_is_refused_and_staff_see_why(
    tmp_path: Path, program: Program
) -> None:
    """F37: a name that led outside when it was set and leads to the metadata service when a message is due."""
    asked: list[str] = []

    async def resolve(host: str, port: int) -> Sequence[str]:
        asked.append(host)
        return ["169.254.169.254"]

    def made(means: Any) -> list[WebhookConnector]:
        account = settings("https://hooks.example/", allow_private_addresses=False)
        connector = WebhookConnector(account, means)
        connector._http = checked_client(private=False, resolve=resolve)
        return [connector]

    with structlog.testing.capture_logs() as written:
        async with running_server(tmp_path, made, bot=ShopBot()) as server:
            await program.says(server.http, "ann", "hello")
            bot_said = await failed_replies(server)
    assert bot_said == [True]
    assert asked == ["hooks.example"]
    assert any("private network" in str(line) for line in written), written


async def failed_replies(server: Any) -> list[bool]:
    async with asyncio.timeout(10):
        while True:
            said = await server.desk.transcript(Address("webhook", "shop", "ann"))
            failed = [one.delivery_failed for one in said if one.author is Author.BOT]
            if any(failed):
                return failed
            await asyncio.sleep(0.02)


async def test_a_name_is_asked_for_once_so_that_its_second_answer_is_never_seen() -> None:
    """F37: a name that answers with a public address first and with a private one a moment later."""
    answers = [["192.0.2.1"], ["127.0.0.1"]]

    async def resolve(host: str, port: int) -> Sequence[str]:
        return answers.pop(0)

    async with checked_client(private=False, resolve=resolve) as client:
        with pytest.raises((ForbiddenAddress, httpx.TransportError)):
            await client.post("https://hooks.example/", content=b"x", timeout=0.5)
    assert answers == [["127.0.0.1"]]


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_a_redirect_inwards_is_not_followed(program: Program, status: int) -> None:
    """F37: a public program that answers with a way back into our network."""
    raised = await outcome(program, Answer({}, status, {"location": f"{program.url}/inside"}))
    assert "redirect" in str(raised)
    assert len(program.calls) == 1


@pytest.mark.parametrize("url", IMITATIONS)
async def test_a_link_in_a_message_is_only_called_on_its_vendors_hosts(url: str) -> None:
    """F37: customers can put links where pictures are expected; only the vendor's own hosts are fetched from."""
    assert not is_host_of(url, ("fbcdn.net", "fbsbx.com"))
    async with vendor_client() as client:
        assert not client.follow_redirects


async def test_an_account_that_may_go_inside_says_so_in_its_settings(program: Program) -> None:
    """F37: intranets are for whoever writes the channels file, by a field of its own."""
    connector = program_account(program.url)
    await connector.send("ann", message())
    await connector.close()
    assert len(program.calls) == 1
    with pytest.raises(ValueError, match="https"):
        settings(program.url, allow_private_addresses=False)
