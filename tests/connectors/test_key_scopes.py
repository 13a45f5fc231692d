"""What an API key with scopes opens on the REST channel, request by request; keys of the settings open everything."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from connectors.key_limits import KeyLimits
from handoff.access.api_keys import SCOPES, ApiKeys
from tests.blank_database import blank_database
from tests.connectors.desk import API_KEY, Server, running_server

MESSAGE = {"contact": "ann", "text": "hello", "language": "en"}
EVENT = {
    "type": "order_shipped",
    "address": {"channel": "rest", "contact": "ann"},
    "data": {"order": "KT20260301", "carrier": "SF"},
    "idempotency_key": "shipped",
}
#: Each request, the scopes it needs, and the status it has then.
REQUESTS: dict[str, tuple[str, str, Any, set[str], int]] = {
    "send": ("POST", "messages", MESSAGE, {"messages:write"}, 202),
    "send and wait": (
        "POST",
        "messages",
        MESSAGE | {"wait_seconds": 5},
        {"messages:write", "messages:read"},
        200,
    ),
    "list": ("GET", "messages?contact=ann", None, {"messages:read"}, 200),
    "tell": ("POST", "events", EVENT, {"events:write"}, 202),
    "ask": ("GET", "events/unknown", None, {"events:read"}, 404),
}


@asynccontextmanager
async def desk_with_keys(folder: Path, limits: KeyLimits | None = None) -> AsyncIterator[tuple[Server, ApiKeys]]:
    database = await blank_database(folder)
    keys = ApiKeys.of(database)
    async with running_server(folder, database=database, find_key=keys.find, key_limits=limits) as server:
        yield server, keys


async def ask(server: Server, name: str, key: str, **headers: str) -> httpx.Response:
    method, path, body, _, _ = REQUESTS[name]
    return await server.http.request(
        method, f"/api/v1/{path}", json=body, headers={"authorization": f"Bearer {key}", **headers}
    )


async def test_every_request_needs_exactly_its_scopes(tmp_path: Path) -> None:
    async with desk_with_keys(tmp_path) as (server, keys):
        for name, (_, _, _, needed, status) in REQUESTS.items():
            _, enough = await keys.add(name, needed, "test")
            assert (await ask(server, name, enough)).status_code == status, name
            assert (await ask(server, name, API_KEY)).status_code == status, name
            for missing in sorted(needed):
                _, narrow = await keys.add(name, (set(SCOPES) - {missing}) or {missing}, "test")
                refused = await ask(server, name, narrow)
                assert (refused.status_code, refused.json()["error"]["code"]) == (403, "missing_scope"), name
                assert missing in refused.json()["error"]["message"]


async def test_a_refused_message_is_not_stored(tmp_path: Path) -> None:
    async with desk_with_keys(tmp_path) as (server, keys):
        _, reader = await keys.add("reader", ["messages:read"], "test")
        assert (await ask(server, "send", reader)).status_code == 403
        assert (await ask(server, "list", reader)).json()["messages"] == []


@pytest.mark.parametrize("name", sorted(REQUESTS))
async def test_a_revoked_key_opens_nothing_from_the_next_request_on(tmp_path: Path, name: str) -> None:
    async with desk_with_keys(tmp_path) as (server, keys):
        key, secret = await keys.add("shop", SCOPES, "test")
        assert (await ask(server, name, secret)).status_code == REQUESTS[name][4]
        await keys.revoke(key.id)
        refused = await ask(server, name, secret)
        assert (refused.status_code, refused.json()["error"]["code"]) == (401, "unauthorized")
        assert "revoked" in refused.json()["error"]["message"]


async def test_two_keys_do_not_share_idempotency_or_events(tmp_path: Path) -> None:
    async with desk_with_keys(tmp_path) as (server, keys):
        _, one = await keys.add("one", SCOPES, "test")
        _, two = await keys.add("two", SCOPES, "test")
        first = await ask(server, "send", one, **{"idempotency-key": "k"})
        again = await ask(server, "send", one, **{"idempotency-key": "k"})
        other = await ask(server, "send", two, **{"idempotency-key": "k"})
        assert again.json() == first.json()
        assert other.json()["message_id"] != first.json()["message_id"]
        told = (await ask(server, "tell", one)).json()["id"]
        headers = {"authorization": f"Bearer {two}"}
        assert (await server.http.get(f"/api/v1/events/{told}", headers=headers)).status_code == 404
