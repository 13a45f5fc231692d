"""API keys: made by admins, shown once, kept as hashes, narrow, and gone the moment they are revoked."""

from __future__ import annotations

import asyncio
import hashlib
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import text

from conversations.store import Database
from handoff.__main__ import main
from handoff.access.api_key_store import ApiKeyStore
from handoff.access.api_keys import SCOPES, ApiKeys, BadKey
from handoff.roles import Role
from handoff.store import StaffStore
from tests.blank_database import blank_database
from tests.handoff.desk import Desk
from tests.handoff.test_sign_in import Clock


def hash_of(key: str) -> str:
    return hashlib.sha256(key.encode()).hexdigest()


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def keys(store: StaffStore, database: Database, clock: Clock) -> ApiKeys:
    return ApiKeys(ApiKeyStore(database), clock)


async def test_a_key_is_found_by_its_hash_with_its_scopes_and_owner(keys: ApiKeys) -> None:
    key, secret = await keys.add(" shop ", ["events:write", "messages:write"], "command line")
    assert key.name == "shop"
    assert secret.startswith(key.begins_with)
    assert len(secret) >= 43
    assert await keys.find(hash_of(secret)) == (key.id[:16], frozenset({"events:write", "messages:write"}))
    assert await keys.find(hash_of(secret + "x")) is None


async def test_the_key_itself_is_not_stored(keys: ApiKeys, database: Database) -> None:
    _, secret = await keys.add("shop", SCOPES, "command line")
    async with database.read() as connection:
        rows = str((await connection.execute(text("SELECT * FROM api_keys"))).all())
    assert secret[9:] not in rows


async def test_a_key_ends_when_it_expires_and_at_once_when_it_is_revoked(keys: ApiKeys, clock: Clock) -> None:
    short, first = await keys.add("short", ["messages:read"], "command line", expires_days=1)
    long, second = await keys.add("long", ["messages:read"], "command line")
    clock.forward(hours=23, minutes=59)
    assert await keys.find(hash_of(first)) is not None
    clock.forward(minutes=1)
    assert await keys.find(hash_of(first)) is None
    await keys.revoke(long.id)
    assert await keys.find(hash_of(second)) is None
    with pytest.raises(BadKey, match="revoked before"):
        await keys.revoke(long.id)
    with pytest.raises(BadKey, match="no such key"):
        await keys.revoke("f" * 32)
    assert {one.id for one in await keys.everything()} == {short.id, long.id}


async def test_the_last_use_is_noted_but_not_at_every_request(keys: ApiKeys, clock: Clock) -> None:
    _, secret = await keys.add("shop", ["messages:read"], "command line")
    began = clock.at
    for _ in range(3):
        await keys.find(hash_of(secret))
        clock.forward(seconds=25)
    assert (await keys.everything())[0].last_used_at == began
    await keys.find(hash_of(secret))
    assert (await keys.everything())[0].last_used_at == began + timedelta(seconds=75)


@pytest.mark.parametrize(
    ("name", "scopes", "days", "said"),
    [
        ("", ["messages:read"], None, "1 to 80 characters"),
        ("x" * 81, ["messages:read"], None, "1 to 80 characters"),
        ("shop", [], None, "nothing is no scope"),
        ("shop", ["messages:read", "everything"], None, "everything is no scope"),
        ("shop", ["messages:read"], 0, "1 to 3650 days"),
        ("shop", ["messages:read"], 3651, "1 to 3650 days"),
    ],
)
async def test_a_bad_key_is_refused_with_what_to_do(
    keys: ApiKeys, name: str, scopes: list[str], days: int | None, said: str
) -> None:
    with pytest.raises(BadKey, match=said):
        await keys.add(name, scopes, "command line", days)
    assert not await keys.everything()


async def test_an_admin_makes_lists_and_revokes_keys_and_all_of_it_is_on_record(desk: Desk) -> None:
    zhao = await desk.browser("Zhao", Role.ADMIN)
    made = await zhao.post("api-keys", {"name": "shop", "scopes": ["messages:write"], "expires_days": 30})
    assert made.status_code == 201
    secret, key_id = made.json()["text"], made.json()["key"]["id"]
    listed = await zhao.get("api-keys")
    [key] = listed.json()["keys"]
    assert (key["name"], key["state"], key["scopes"], key["created_by"]) == (
        "shop",
        "works",
        ["messages:write"],
        "Zhao",
    )
    assert secret not in listed.text
    assert listed.json()["scopes"] == list(SCOPES)
    assert (await zhao.post(f"api-keys/{key_id}/revoke")).status_code == 200
    assert (await zhao.post(f"api-keys/{key_id}/revoke")).status_code == 404
    assert (await zhao.get("api-keys")).json()["keys"][0]["state"] == "revoked"
    assert await desk.side.api_keys.find(hash_of(secret)) is None
    added, revoked = await desk.audited("api_key_added"), await desk.audited("api_key_revoked")
    assert [one["data"]["id"] for one in added + revoked] == [key_id, key_id]
    assert secret not in str(added)


async def test_a_bad_key_is_refused_in_the_console(desk: Desk) -> None:
    zhao = await desk.browser("Zhao", Role.ADMIN)
    response = await zhao.post("api-keys", {"name": "shop", "scopes": ["root"]})
    assert (response.status_code, response.json()["error"]["code"]) == (400, "bad_key")
    assert "messages:read" in response.json()["error"]["message"]


def test_keys_are_made_listed_and_revoked_on_the_command_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    url = f"sqlite+aiosqlite:///{tmp_path / 'desk.db'}"

    async def prepare() -> None:
        await (await blank_database(tmp_path)).close()

    async def found(key: str) -> tuple[str, frozenset[str]] | None:
        database = Database.open(url)
        try:
            return await ApiKeys.of(database).find(hash_of(key))
        finally:
            await database.close()

    asyncio.run(prepare())
    assert main(["keys", "add", "--name", "shop", "--scope", "messages:write,sudo"], url) == 1
    assert "sudo is no scope" in capsys.readouterr().err
    assert main(["keys", "add", "--name", "shop", "--scope", "messages:write, events:write"], url) == 0
    key = capsys.readouterr().out.splitlines()[0]
    opened = asyncio.run(found(key))
    assert opened is not None
    assert opened[1] == {"messages:write", "events:write"}
    assert main(["keys", "list"], url) == 0
    listed = capsys.readouterr().out
    assert "works" in listed
    assert key not in listed
    assert main(["keys", "revoke", listed.split()[0]], url) == 0
    assert asyncio.run(found(key)) is None
    assert main(["keys", "revoke", listed.split()[0]], url) == 1
