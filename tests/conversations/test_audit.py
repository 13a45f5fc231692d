"""The audit chain shows every tampering, and a contact can be erased from it."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from conversations.audit import AuditLog, chain_hash, main
from conversations.audit_check import CHECKPOINTS, PUBLIC_KEY, Checkpoint, Checkpoints, signing_key, verify
from conversations.audit_store import AuditStore
from conversations.model import Author
from conversations.store import Database
from tests.conversations.builders import LIN, Clock, TestDesk, address, says


async def a_story(desk: TestDesk) -> str:
    """A conversation with a turn, a handoff, an agent, the end and a rating."""
    await desk.send("my phone is 13800000000")
    await desk.answer(says("noted"))
    conversation_id = await desk.assigned()
    await desk.conversations.reply_as_agent(conversation_id, LIN, "I called 13800000000")
    await desk.conversations.resolve(conversation_id, LIN)
    await desk.conversations.rate(address(), conversation_id, 5, "great")
    return conversation_id


async def entries(database: Database) -> list[Any]:
    async with database.read() as connection:
        return [row async for row in AuditStore(connection).entries()]


async def execute(database: Database, statement: str, **values: Any) -> None:
    async with database.write() as connection:
        await connection.execute(text(statement), values)


async def rewrite_from(database: Database, first: int) -> None:
    """What an attacker with the database does: recompute every hash from an entry on."""
    rows = await entries(database)
    previous = next((row.hash for row in rows if row.n == first - 1), "0" * 64)
    for row in rows:
        if row.n >= first:
            previous = chain_hash(previous, row.body)
            await execute(database, "UPDATE audit_entries SET hash = :hash WHERE n = :n", hash=previous, n=row.n)
    await execute(database, "UPDATE audit_head SET hash = :hash", hash=previous)


async def checkpoints_of(database: Database, clock: Clock, directory: Path) -> list[Checkpoint]:
    writer = Checkpoints(directory / CHECKPOINTS, signing_key(directory), clock)
    await writer.write_if_due(database, at_once=True)
    lines = (directory / CHECKPOINTS).read_text().splitlines()
    return [Checkpoint(**json.loads(line)) for line in lines]


async def test_everything_that_happens_is_an_entry_and_verifies(desk: TestDesk) -> None:
    await a_story(desk)
    await desk.conversations.record("threshold_changed", LIN, {"answer": 0.6})
    kinds = [json.loads(row.body)["kind"] for row in await entries(desk.database)]
    assert kinds[0] == "opened"
    assert {"opened", "turn", "status", "replied", "rated", "threshold_changed"} <= set(kinds)
    verdict = await verify(desk.database, [])
    assert (verdict.exit_code, verdict.entries) == (0, len(kinds))


async def test_entries_appended_at_the_same_time_form_one_chain(desk: TestDesk) -> None:
    await asyncio.gather(*(desk.send("hi", contact=f"visitor {n}") for n in range(20)))
    verdict = await verify(desk.database, [])
    assert (verdict.exit_code, verdict.entries) == (0, 20)


async def test_an_edited_entry_is_named(desk: TestDesk) -> None:
    """F41: an entry that was edited."""
    await a_story(desk)
    await execute(desk.database, "UPDATE audit_entries SET body = replace(body, 'opened', 'closed') WHERE n = 1")
    verdict = await verify(desk.database, [])
    assert (verdict.exit_code, verdict.first_bad) == (3, 1)


async def test_a_deleted_entry_is_named(desk: TestDesk) -> None:
    """F41: an entry that was deleted."""
    await a_story(desk)
    await execute(desk.database, "DELETE FROM audit_entries WHERE n = 3")
    verdict = await verify(desk.database, [])
    assert (verdict.exit_code, verdict.first_bad) == (3, 3)


async def test_two_exchanged_entries_are_named(desk: TestDesk) -> None:
    """F41: entries in another order."""
    await a_story(desk)
    for old, new in ((2, -1), (3, 2), (-1, 3)):
        await execute(desk.database, "UPDATE audit_entries SET n = :new WHERE n = :old", old=old, new=new)
    assert (await verify(desk.database, [])).first_bad == 2


async def test_an_entry_pinned_on_another_conversation_is_named(desk: TestDesk) -> None:
    await a_story(desk)
    await execute(desk.database, "UPDATE audit_entries SET conversation_id = 'someone else' WHERE n = 4")
    assert (await verify(desk.database, [])).first_bad == 4


async def test_a_tail_cut_off_is_seen_by_the_head(desk: TestDesk) -> None:
    """F41: a tail that was cut off."""
    await a_story(desk)
    count = len(await entries(desk.database))
    await execute(desk.database, "DELETE FROM audit_entries WHERE n > :n", n=count - 2)
    verdict = await verify(desk.database, [])
    assert (verdict.exit_code, verdict.first_bad) == (4, count - 1)


async def test_a_tail_cut_off_together_with_the_head_is_seen_by_the_checkpoints(
    desk: TestDesk, clock: Clock, tmp_path: Path
) -> None:
    """F41: a tail that was cut off by somebody who mended the head."""
    await a_story(desk)
    marks = await checkpoints_of(desk.database, clock, tmp_path)
    rows = await entries(desk.database)
    await execute(desk.database, "DELETE FROM audit_entries WHERE n > 4")
    await execute(desk.database, "UPDATE audit_head SET n = 4, hash = :hash", hash=rows[3].hash)
    assert (await verify(desk.database, [])).exit_code == 0  # this is why there are checkpoints
    verdict = await verify(desk.database, marks)
    assert (verdict.exit_code, verdict.first_bad) == (4, 5)


async def test_a_chain_rewritten_from_the_middle_is_seen_by_the_checkpoints(
    desk: TestDesk, clock: Clock, tmp_path: Path
) -> None:
    await a_story(desk)
    marks = await checkpoints_of(desk.database, clock, tmp_path)
    await execute(desk.database, "UPDATE audit_entries SET body = replace(body, 'bot', 'b0t') WHERE n = 2")
    await rewrite_from(desk.database, 2)
    assert (await verify(desk.database, [])).exit_code == 0
    assert (await verify(desk.database, marks)).exit_code == 3


async def test_sealed_parts_cannot_be_moved_between_entries(desk: TestDesk) -> None:
    """F39: a sealed part in another entry of the same contact."""
    await a_story(desk)
    log = AuditLog(b"k" * 32)
    sealed = [(row.n, row.body) for row in await entries(desk.database) if json.loads(row.body)["sealed"]]
    (first_n, first), (_, second), *_ = sealed
    async with desk.database.read() as connection:
        assert (await log.open_entry(connection, first))["personal"]["text"] == "my phone is 13800000000"
        forged = json.loads(first) | {"sealed": json.loads(second)["sealed"]}
        with pytest.raises(ValueError, match=f"entry {first_n} does not belong"):
            await log.open_entry(connection, json.dumps(forged))


async def test_personal_words_are_nowhere_in_the_chain(desk: TestDesk) -> None:
    await a_story(desk)
    assert all("13800000000" not in row.body and "great" not in row.body for row in await entries(desk.database))


async def test_erasing_a_contact_leaves_the_chain_valid_and_unreadable(desk: TestDesk) -> None:
    conversation_id = await a_story(desk)
    conversation = await desk.conversations.get_conversation(conversation_id)
    await desk.conversations.erase_contact(conversation.contact_id, LIN)
    assert (await verify(desk.database, [])).exit_code == 0
    log = AuditLog(b"k" * 32)
    for row in await entries(desk.database):
        async with desk.database.read() as connection:
            assert (await log.open_entry(connection, row.body))["personal"] is None
    assert set(await desk.said(conversation_id, Author.CONTACT)) == {""}
    assert await desk.conversations.transcript(address()) == []
    again = await desk.send("hello, I am new")
    assert (await desk.conversations.get_conversation(again.conversation_id)).contact_id != conversation.contact_id


async def test_checkpoints_are_written_every_hundred_entries_or_every_minute(
    desk: TestDesk, clock: Clock, tmp_path: Path
) -> None:
    writer = Checkpoints(tmp_path / CHECKPOINTS, signing_key(tmp_path), clock)
    await desk.send("hello")
    assert not await writer.write_if_due(desk.database)
    clock.advance(61)
    assert await writer.write_if_due(desk.database)
    clock.advance(61)
    assert not await writer.write_if_due(desk.database)  # nothing happened
    for _ in range(100):
        await desk.conversations.record("action", LIN)
    assert await writer.write_if_due(desk.database)


@pytest.fixture
def sqlite_url(sqlite_template: Path, tmp_path: Path) -> str:
    path = tmp_path / "chain.db"
    path.write_bytes(sqlite_template.read_bytes())
    return f"sqlite+aiosqlite:///{path}"


def prepare(url: str, directory: Path, *statements: str) -> list[str]:
    """A desk with a story, a checkpoint, and then the attacker's statements; returns the command's arguments."""

    async def run() -> None:
        database = Database.open(url)
        clock = Clock()
        await a_story(TestDesk(database, clock))
        await checkpoints_of(database, clock, directory)
        for statement in statements:
            await execute(database, statement)
        await database.close()

    asyncio.run(run())
    files = ["--checkpoints", str(directory / CHECKPOINTS), "--public-key", str(directory / PUBLIC_KEY)]
    return ["verify", "--database-url", url, *files]


def test_the_command_says_ok(sqlite_url: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(prepare(sqlite_url, tmp_path)) == 0
    assert capsys.readouterr().out.startswith("ok: ")


def test_the_command_names_the_first_bad_entry(
    sqlite_url: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(prepare(sqlite_url, tmp_path, "UPDATE audit_entries SET body = body || ' ' WHERE n = 5")) == 3
    assert "entry 5" in capsys.readouterr().out


def test_the_command_sees_a_truncated_tail(sqlite_url: str, tmp_path: Path) -> None:
    assert main(prepare(sqlite_url, tmp_path, "DELETE FROM audit_entries WHERE n > 5")) == 4


def test_the_command_refuses_checkpoints_signed_by_someone_else(sqlite_url: str, tmp_path: Path) -> None:
    arguments = prepare(sqlite_url, tmp_path)
    signing_key(tmp_path / "other")
    arguments[-1] = str(tmp_path / "other" / PUBLIC_KEY)
    assert main(arguments) == 3


def test_the_command_forgives_a_last_line_cut_off_by_a_crash(sqlite_url: str, tmp_path: Path) -> None:
    arguments = prepare(sqlite_url, tmp_path)
    with (tmp_path / CHECKPOINTS).open("a") as file:
        file.write('{"n":12,"ha')
    assert main(arguments) == 0


def test_the_command_says_what_is_missing(sqlite_url: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = prepare(sqlite_url, tmp_path)
    arguments[2] = f"sqlite+aiosqlite:///{tmp_path / 'nowhere.db'}"
    assert main(arguments) == 2
    assert "there is no database" in capsys.readouterr().err
