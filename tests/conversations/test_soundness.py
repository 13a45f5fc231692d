"""A database that has lost something is not served from."""

from __future__ import annotations

import random
import shutil
import sqlite3
from pathlib import Path

import pytest

from conversations import audit_check, soundness
from conversations.audit_check import Checkpoints, signing_key
from conversations.model import utc_now
from conversations.soundness import Unsound
from conversations.sqlite_log import damage_in_log
from conversations.sqlite_store import damage_in_file
from conversations.store import Database
from tests.conversations.builders import Clock, TestDesk, inbound


@pytest.fixture
async def killed(sqlite_template: Path, tmp_path: Path) -> Path:
    """A database with a write-ahead log, as a killed process leaves it."""
    path, left = tmp_path / "desk.db", tmp_path / "left.db"
    shutil.copy(sqlite_template, path)
    database = Database.open(f"sqlite+aiosqlite:///{path}")
    desk = TestDesk(database, Clock())
    for number in range(8):
        await desk.conversations.receive(inbound(f"message {number}"))
    shutil.copy(path, left)
    shutil.copy(tmp_path / "desk.db-wal", tmp_path / "left.db-wal")
    await database.close()
    return left


def stored(path: Path, folder: Path) -> int:
    """How many messages SQLite finds in a copy."""
    folder.mkdir(exist_ok=True)
    for rest in folder.glob("copy.db*"):
        rest.unlink()
    shutil.copy(path, folder / "copy.db")
    shutil.copy(path.with_name(f"{path.name}-wal"), folder / "copy.db-wal")
    connection = sqlite3.connect(folder / "copy.db")
    count = int(connection.execute("SELECT count(*) FROM messages").fetchone()[0])
    connection.close()
    return count


async def test_a_sound_database_is_served_from(killed: Path) -> None:
    await soundness.check_file(killed)
    await soundness.check_file(killed.with_name("none.db"))


def transactions(log: bytes) -> list[int]:
    """Where each transaction of a log begins."""
    frames = range(32, len(log) - 4096 - 23, 4096 + 24)
    ends = [at + 4096 + 24 for at in frames if log[at + 4 : at + 8] != bytes(4)]
    return [32, *ends[:-1]]


def test_a_hole_in_the_last_transaction_is_no_damage(killed: Path) -> None:
    """F12: a power failure may keep the later part of what was being written and lose the earlier one."""
    log = killed.with_name(f"{killed.name}-wal")
    whole = log.read_bytes()
    last, before = transactions(whole)[-1], transactions(whole)[-2]
    log.write_bytes(whole[:last] + bytes(4096 + 24) + whole[last + 4096 + 24 :])
    assert damage_in_log(log) is None
    log.write_bytes(whole[:before] + bytes(4096 + 24) + whole[before + 4096 + 24 :])
    assert damage_in_log(log) == before


def test_a_log_that_ends_anywhere_is_no_damage(killed: Path) -> None:
    """F12: a power failure tears the end off; nothing that was safe is behind it."""
    log = killed.with_name(f"{killed.name}-wal")
    whole, chance = log.read_bytes(), random.Random(12)
    for _ in range(40):
        log.write_bytes(whole[: chance.randrange(len(whole))])
        assert damage_in_log(log) is None
    log.write_bytes(whole + chance.randbytes(3000))
    assert damage_in_log(log) is None


async def test_a_changed_bit_that_makes_sqlite_drop_messages_stops_the_start(killed: Path, tmp_path: Path) -> None:
    """F13: SQLite drops everything behind a damaged frame without a word; the desk does not."""
    log = killed.with_name(f"{killed.name}-wal")
    whole, chance, dropped = log.read_bytes(), random.Random(13), 0
    last = transactions(whole)[-1]
    everything = stored(killed, tmp_path / "copies")
    for _ in range(40):
        changed = bytearray(whole)
        changed[chance.randrange(0, last)] ^= 1 << chance.randrange(8)
        log.write_bytes(changed)
        try:
            left = stored(killed, tmp_path / "copies")
        except sqlite3.DatabaseError:
            left = 0
        if left < everything:
            dropped += 1
            with pytest.raises(Unsound, match=r"write-ahead log.*(.|\n)*损坏"):
                await soundness.check_file(killed)
    assert dropped > 10, "the test changed nothing that matters"


def test_a_damaged_page_is_found(killed: Path, tmp_path: Path) -> None:
    """F13: structure of the database file."""
    connection = sqlite3.connect(killed)
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    root = connection.execute("SELECT rootpage FROM sqlite_master WHERE name = 'messages'").fetchone()[0]
    connection.close()
    assert damage_in_file(killed) is None
    content = bytearray(killed.read_bytes())
    content[(root - 1) * 4096 + 3] ^= 0xFF  # how many rows the page says it has
    killed.write_bytes(content)
    assert damage_in_file(killed) is not None


async def test_a_database_that_ends_before_its_last_signed_checkpoint_is_refused(
    sqlite_template: Path, tmp_path: Path
) -> None:
    """F13, F41: an older copy put in place of the newer one."""
    path = tmp_path / "desk.db"
    shutil.copy(sqlite_template, path)
    old = tmp_path / "old.db"

    async def work(texts: list[str]) -> None:
        database = Database.open(f"sqlite+aiosqlite:///{path}")
        desk = TestDesk(database, Clock())
        for text in texts:
            await desk.conversations.receive(inbound(text, contact=text))
        await Checkpoints(tmp_path / audit_check.CHECKPOINTS, signing_key(tmp_path), utc_now).write_if_due(
            database, at_once=True
        )
        await database.close()

    paths = (tmp_path / audit_check.CHECKPOINTS, tmp_path / audit_check.PUBLIC_KEY)
    await work(["one"])
    shutil.copy(path, old)
    await work(["two", "three"])
    database = Database.open(f"sqlite+aiosqlite:///{path}")
    await soundness.check_tail(database, *paths)
    await database.close()
    shutil.copy(old, path)
    database = Database.open(f"sqlite+aiosqlite:///{path}")
    with pytest.raises(Unsound, match=r"audit trail has \d+ entries(.|\n)*审计链"):
        await soundness.check_tail(database, *paths)
    await database.close()


async def test_a_checkpoint_after_a_torn_one_can_be_read(desk: TestDesk, tmp_path: Path) -> None:
    """F10: killed while half a checkpoint was in its file."""
    path, key = tmp_path / audit_check.CHECKPOINTS, signing_key(tmp_path)

    async def signed() -> list[audit_check.Checkpoint] | audit_check.Verdict:
        await desk.send("hello")
        await desk.send("hello", contact=f"visitor {desk.clock()}")
        await Checkpoints(path, key, utc_now).write_if_due(desk.database, at_once=True)
        return audit_check.read_checkpoints(path, key.public_key())

    first = await signed()
    assert isinstance(first, list)
    with path.open("a") as file:
        file.write('{"at":"2026-03')
    second = await signed()
    assert isinstance(second, list)
    assert len(second) == len(first) + 1


async def test_checkpoints_that_cannot_be_read_are_told_and_stop_nothing(desk: TestDesk, tmp_path: Path) -> None:
    path = tmp_path / audit_check.CHECKPOINTS
    signing_key(tmp_path)
    path.write_text("{}\n{}\n")
    await soundness.check_tail(desk.database, path, tmp_path / audit_check.PUBLIC_KEY)
