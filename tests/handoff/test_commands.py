"""``python -m handoff staff``: accounts from the command line."""

from __future__ import annotations

import io
from pathlib import Path

import pytest

from conversations.model import utc_now
from conversations.store import Database
from handoff.__main__ import main
from handoff.access.identity_store import IdentityStore
from handoff.errors import Refused
from handoff.roles import Role
from handoff.sign_in import Passwords, SignIn
from handoff.store import StaffStore


def run(url: str, *arguments: str, typed: str = "", monkeypatch: pytest.MonkeyPatch) -> int:
    monkeypatch.setattr("sys.stdin", io.StringIO(typed))
    return main(["staff", *arguments], url)


def test_a_member_is_added_listed_given_a_password_and_closed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    import asyncio

    url = f"sqlite+aiosqlite:///{tmp_path / 'desk.db'}"

    async def with_store(work):  # type: ignore[no-untyped-def]
        database = Database.open(url)
        try:
            return await work(StaffStore(database))
        finally:
            await database.close()

    async def sign_in(store: StaffStore, password: str) -> str:
        return str(
            (await SignIn(store, Passwords()).sign_in("chen@kite.example", password, "127.0.0.1")).session.member.role
        )

    assert run(url, "list", monkeypatch=monkeypatch) == 1
    assert "Start the desk once" in capsys.readouterr().err
    asyncio.run(with_store(lambda store: store.create_tables()))

    add = ("add", "Chen@kite.example", "Chen Yu 陈雨", "--role", "supervisor", "--languages", "zh, en")
    assert run(url, *add, typed="short\n", monkeypatch=monkeypatch) == 1
    assert "12 to 256 characters" in capsys.readouterr().err
    assert run(url, *add, typed="a long password\n", monkeypatch=monkeypatch) == 0
    assert run(url, *add, typed="a long password\n", monkeypatch=monkeypatch) == 1
    assert asyncio.run(with_store(lambda store: sign_in(store, "a long password"))) == Role.SUPERVISOR

    assert run(url, "password", "chen@kite.example", typed="another password\n", monkeypatch=monkeypatch) == 0
    assert asyncio.run(with_store(lambda store: sign_in(store, "another password"))) == Role.SUPERVISOR

    assert run(url, "deactivate", "chen@kite.example", monkeypatch=monkeypatch) == 0
    capsys.readouterr()
    assert run(url, "list", monkeypatch=monkeypatch) == 0
    assert "chen@kite.example" in (listed := capsys.readouterr().out)
    assert "(deactivated)" in listed
    assert run(url, "activate", "chen@kite.example", monkeypatch=monkeypatch) == 0
    assert run(url, "reset-second-factor", "chen@kite.example", monkeypatch=monkeypatch) == 0
    assert "had no second factor" in capsys.readouterr().out
    for command in ("password", "deactivate", "activate", "reset-second-factor"):
        assert run(url, command, "nobody@kite.example", typed="a long password\n", monkeypatch=monkeypatch) == 1


def test_an_unknown_role_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(SystemExit) as stopped:
        run("", "add", "a@kite.example", "A", "--role", "king", monkeypatch=monkeypatch)
    assert stopped.value.code == 2


def test_passwords_that_are_off_are_taken_for_a_while_and_a_link_to_the_provider_is_undone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    import asyncio

    url = f"sqlite+aiosqlite:///{tmp_path / 'desk.db'}"

    async def prepare() -> None:
        database = Database.open(url)
        store, passwords = StaffStore(database), Passwords(memory_kib=64, passes=1)
        await store.create_tables()
        hashed = await passwords.hash("a long password")
        member = await store.add("chen@kite.example", "Chen Yu", Role.AGENT, hashed, ("en",), utc_now())
        await IdentityStore(database).link("https://id.example", "sub-1", member.id, utc_now())
        await database.close()

    async def sign_in() -> bool:
        database = Database.open(url)
        sign_in = SignIn(StaffStore(database), Passwords(memory_kib=64, passes=1), passwords_taken=False)
        try:
            await sign_in.sign_in("chen@kite.example", "a long password", "127.0.0.1")
            return True
        except Refused:
            return False
        finally:
            await database.close()

    asyncio.run(prepare())
    assert not asyncio.run(sign_in())
    assert run(url, "allow-password", "chen@kite.example", "--minutes", "5", monkeypatch=monkeypatch) == 0
    assert "/staff/?password for 5 minutes" in capsys.readouterr().out
    assert asyncio.run(sign_in())
    assert run(url, "unlink", "chen@kite.example", monkeypatch=monkeypatch) == 0
    assert "is linked to no account" in capsys.readouterr().out
    assert run(url, "unlink", "chen@kite.example", monkeypatch=monkeypatch) == 0
    assert "was linked to none" in capsys.readouterr().out
    for command in ("allow-password", "unlink"):
        assert run(url, command, "nobody@kite.example", monkeypatch=monkeypatch) == 1
