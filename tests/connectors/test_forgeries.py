"""F09: whatever is changed about a genuine webhook, it is refused with a 4xx, nothing is stored and nothing breaks."""

from __future__ import annotations

import hmac
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy import text

from connectors.accounts import CHANNELS, BadAccount, connectors_of
from connectors.base import BadSignature, Connector, Means, WebhookRequest
from connectors.rest import RestConnector
from connectors.standard_webhooks import Signatures
from connectors.webchat.tokens import VisitorTokens
from tests.connectors.desk import Server, running_server
from tests.connectors.dingtalk_desk import Shelf
from tests.connectors.signed_requests import ENTRIES, NOW, SIGNED, Signed
from tests.connectors.test_contract import CONNECTORS

MEANS = Means("https://desk.example", Shelf(), lambda: NOW)
EVERY = pytest.mark.parametrize("name", SIGNED)


def flipped(value: str) -> Iterator[str]:
    """A text with each of its characters changed in turn."""
    for place, letter in enumerate(value):
        yield value[:place] + ("0" if letter != "0" else "1") + value[place + 1 :]


def mutations(how: Signed) -> Iterator[tuple[str, WebhookRequest]]:
    """A genuine request with one thing wrong, and what it is."""
    genuine = how.sign(NOW)
    proofs = how.proof(genuine)
    for proof in how.proofs:
        value = proofs[proof]
        yield f"without {proof}", how.with_proof(genuine, proof, None)
        wrong: dict[str, str] = {
            "empty": "",
            "in other letters": value.swapcase() if value.swapcase() != value else f"{value}0",
            "with a line behind it": f"{value}\n",
            "with a blank behind it": f"{value} ",
            "cut": value[:-1],
            "twice": f"{value}, {value}",
            "twice without a blank": f"{value},{value}",
            "not ASCII": f"{value[:-1]}é",
            "in another script": "签名",
            "in other digits": "".join(chr(0x0660 + int(one)) if one.isdigit() else one for one in value) + "٣",
            "half a character": "\ud800",
            "with a NUL": f"{value}\x00",
            "of a megabyte": value + "0" * 1_000_000,
        }
        yield from ((f"{proof} {what}", how.with_proof(genuine, proof, changed)) for what, changed in wrong.items())
        yield from ((f"{proof} changed", how.with_proof(genuine, proof, changed)) for changed in flipped(value))
        for right, other in how.other_algorithms:
            if right in value:
                yield f"{proof} of {other!r}", how.with_proof(genuine, proof, value.replace(right, other))
    if how.body_is_signed:
        for place in how.signed_part(genuine.body):
            body = bytes(byte ^ (place == at) for at, byte in enumerate(genuine.body))
            yield f"byte {place} of the body", replace(genuine, body=body)
        after = how.signed_part(genuine.body).stop
        yield "a byte more", replace(genuine, body=genuine.body[:after] + b"A" + genuine.body[after:])
        yield "no body", replace(genuine, body=b"")
    if how.window_seconds is not None:
        for seconds in (how.window_seconds + 2, -how.window_seconds - 2):
            yield f"{seconds} s away", how.sign(NOW + timedelta(seconds=seconds))
    yield "signed with an empty secret", how.sign_with_nothing()


def test_every_channel_that_takes_webhooks_is_among_them() -> None:
    """A new channel adds its genuine request and its entry to tests/connectors/signed_requests.py."""
    without = {"webchat", "mqtt", "email"}  # they refuse every webhook, as tests/connectors/test_contract.py shows
    assert {connector.channel for connector in CONNECTORS} - without <= set(SIGNED)
    assert set(ENTRIES) == set(CHANNELS)


def is_refused(connector: Connector, request: WebhookRequest) -> bool:
    try:
        connector.verify(request)
    except BadSignature:
        return True
    return False


@EVERY
def test_one_thing_wrong_is_enough_to_be_refused(name: str) -> None:
    """F09: each change of the list, looked at by the verifier itself."""
    how = SIGNED[name]
    connector = how.make(MEANS)
    for what, request in mutations(how):
        assert is_refused(connector, request), f"a request {what[:100]} is taken"
    connector.verify(how.sign(NOW))
    if how.window_seconds is not None:
        for seconds in (how.window_seconds - 1, 1 - how.window_seconds):
            connector.verify(how.sign(NOW + timedelta(seconds=seconds)))


@EVERY
def test_a_proof_is_compared_in_the_same_time_whatever_it_holds(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """F09: a proof that is wrong in its first or its last character went through ``hmac.compare_digest``."""
    how = SIGNED[name]
    connector = how.make(MEANS)
    genuine = how.sign(NOW)
    proof = how.proofs[-1]
    compared: list[tuple[Any, Any]] = []
    compare = hmac.compare_digest

    def watched(one: Any, other: Any) -> bool:
        compared.append((one, other))
        return compare(one, other)

    monkeypatch.setattr(hmac, "compare_digest", watched)
    counts = set()
    value = how.proof(genuine)[proof]
    first = value.find("=") + 1 if "=" in value[:8] else value.find(",") + 1 or value.find(" ") + 1
    for place in (first, len(value) // 2, len(value) - 2):
        changed = value[:place] + ("A" if value[place] != "A" else "B") + value[place + 1 :]
        compared.clear()
        with pytest.raises(BadSignature):
            connector.verify(how.with_proof(genuine, proof, changed))
        counts.add(len(compared))
    assert counts == {1}


@dataclass
class Door:
    """A running desk with one channel."""

    server: Server
    connector: Connector

    async def knock(self, request: WebhookRequest, more: tuple[tuple[str, str], ...] = ()) -> int:
        """The status of a request, 0 where the server hung up instead."""
        headers = [(name.encode(), value.encode("utf-8", "surrogatepass")) for name, value in request.headers.items()]
        headers += [(name.encode(), value.encode()) for name, value in more if not request.query]
        query: list[tuple[str, str | int | float | bool | None]] = [*request.query.items()]
        query += more if request.query else ()
        path = f"/webhooks/{self.connector.channel}/{self.connector.account}"
        with suppress(httpx.TransportError):
            answer = await self.server.http.post(path, content=request.body, headers=headers, params=query)
            return answer.status_code
        return 0

    async def stored(self) -> int:
        """How many messages are in the inbox."""
        async with self.server.desk.database.read() as connection:
            return int((await connection.execute(text("select count(*) from inbox"))).scalar_one())


@asynccontextmanager
async def door(folder: Path, how: Signed) -> AsyncIterator[Door]:
    made: list[Connector] = []

    def make(means: Means) -> list[Connector]:
        made.append(how.make(means))
        return [] if made[0].channel == "rest" else made  # which every desk of the tests has

    async with running_server(folder, make, now=lambda: NOW) as server:
        yield Door(server, made[0])


def writable(request: WebhookRequest) -> bool:
    """Whether our HTTP client can say it at all."""
    values = [*request.headers.values(), *request.query.values()]
    if any(len(value) > 60_000 for value in request.query.values()):
        return False
    return not any(one in value for value in values for one in ("\n", "\x00", "\ud800")) and all(
        value == value.strip() for value in request.headers.values()
    )


@EVERY
async def test_forged_requests_are_a_4xx_and_leave_no_row(name: str, tmp_path: Path) -> None:
    """F09: the same over HTTP, with each proof sent twice as well; then the genuine request is taken, once."""
    how = SIGNED[name]
    async with door(tmp_path, how) as at:
        genuine = how.sign(NOW)
        seen = 0
        for what, request in mutations(how):
            if " changed" in what or what.startswith("byte "):
                seen += 1
                if seen % 8:  # all of them are looked at above
                    continue
            if writable(request):
                status = await at.knock(request)
                # On the way the server may hang up on a header of a megabyte.
                assert 400 <= status < 500 or (status == 0 and "megabyte" in what), (what, status)
        for proof in how.proofs:
            value = how.proof(genuine)[proof]
            for again in (value, "x"):
                assert await at.knock(genuine, ((proof, again),)) in (400, 401, 403), (proof, again)
        assert await at.stored() == 0
        assert await at.knock(genuine) == 200
        assert await at.stored() == 1


@pytest.mark.parametrize("channel", ENTRIES)
def test_the_service_does_not_start_with_an_empty_secret(channel: str) -> None:
    """F09: an account whose secret is empty, blank or missing stops the start and says which field it is."""
    entry, secrets = ENTRIES[channel]
    [connector] = connectors_of([{"channel": channel} | entry], MEANS)
    assert connector.channel == channel
    for field in secrets:
        for nothing in ("", "   ", "\t"):
            with pytest.raises(BadAccount, match=rf"entry 1 \({channel}\).*") as stopped:
                connectors_of([{"channel": channel} | entry | {field: nothing}], MEANS)
            assert field.split("_")[-1] in str(stopped.value), "the message names the field"
    # What may be left out: mail accounts make their thread secret from the password and sign in with one for both
    # servers, and brokers of a closed network may ask for no password.
    for field in set(secrets) - {"smtp_password", "secret"} | (
        {"secret"} if channel in ("wecom", "telegram") else set()
    ):
        if (channel, field) != ("mqtt", "password"):
            with pytest.raises(BadAccount):
                connectors_of([{"channel": channel} | {key: one for key, one in entry.items() if key != field}], MEANS)


@pytest.mark.parametrize("nothing", ["", "  "])
def test_rest_and_the_widget_do_not_start_with_an_empty_secret_either(nothing: str) -> None:
    """F09: the two channels that are not in the channels file."""
    with pytest.raises(ValueError, match="empty"):
        RestConnector(["a key", nothing])
    with pytest.raises(ValueError, match="secret"):
        VisitorTokens(nothing)
    with pytest.raises(ValueError, match="secret"):
        Signatures([])
