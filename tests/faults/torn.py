"""Power failures and rotting disks, on copies of a real database: what was acknowledged is in every copy."""

from __future__ import annotations

import asyncio
import random
import shutil
import sqlite3
from dataclasses import dataclass
from pathlib import Path

from conversations.audit import AuditLog
from conversations.conversations import Conversations
from conversations.hub import LocalHub
from conversations.model import Address, InboundMessage
from conversations.store import Database
from migrations.schema import migrate
from tests.faults.history import Verdict
from tests.faults.injection import Report

_MESSAGES = 40  # of a copy: the log must not be folded into the database meanwhile


@dataclass(frozen=True)
class Copy:
    """Database and log as the disk had them, and how much of the log was on the disk at each acknowledgement."""

    database: Path
    log: Path
    safe_at: tuple[tuple[str, int], ...]  #: external id, bytes of the log
    before: frozenset[str]  #: acknowledged before this log began


async def copies(folder: Path, count: int) -> list[Copy]:
    """Let a desk store messages, and copy its files again and again."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "frontdesk.db"
    database = Database.open(f"sqlite+aiosqlite:///{path}")
    await migrate(database.engine)
    desk = Conversations(database, LocalHub(), AuditLog(b"k" * 32))
    made: list[Copy] = []
    acknowledged: list[str] = []
    for number in range(count):
        await asyncio.to_thread(_fold, path)
        before = frozenset(acknowledged)
        safe: list[tuple[str, int]] = []

        async def write(contact: int, number: int = number, safe: list[tuple[str, int]] = safe) -> None:
            for place in range(_MESSAGES // 4):
                external_id = f"{number}-{contact}-{place}"
                await desk.receive(InboundMessage(Address("webhook", "shop", f"c{contact}"), external_id, "hello"))
                safe.append((external_id, path.with_name("frontdesk.db-wal").stat().st_size))
                acknowledged.append(external_id)

        await asyncio.gather(*(write(contact) for contact in range(4)))
        kept = folder / f"copy-{number}.db"
        shutil.copy(path, kept)
        shutil.copy(path.with_name("frontdesk.db-wal"), folder / f"copy-{number}.log")
        made.append(Copy(kept, folder / f"copy-{number}.log", tuple(safe), before))
    await database.close()
    return made


def _fold(path: Path) -> None:
    connection = sqlite3.connect(path, timeout=20)
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    connection.close()


def _opened(copy: Copy, log: bytes, place: Path) -> tuple[str, set[str]]:
    """What the copy says about itself with another log, and what it holds."""
    for old in place.parent.glob(f"{place.name}*"):
        old.unlink()
    shutil.copy(copy.database, place)
    place.with_name(f"{place.name}-wal").write_bytes(log)
    connection = sqlite3.connect(place)
    try:
        said = str(connection.execute("PRAGMA integrity_check").fetchone()[0])
        held = {row[0] for row in connection.execute("SELECT external_id FROM inbox")}
        orphans = connection.execute(
            "SELECT count(*) FROM inbox i LEFT JOIN messages m ON m.id = i.message_id WHERE m.id IS NULL"
        ).fetchone()[0]
        return said if not orphans else f"{orphans} messages are there by half", held
    except sqlite3.DatabaseError as error:
        return str(error), set()
    finally:
        connection.close()


async def power_failures(folder: Path, truncations: int = 200) -> Report:
    """F12: the log ends at a random byte, perhaps in rubbish; everything acknowledged up to there is in the database."""
    report = Report(f"F12 the log torn at {truncations} places")
    verdict, chance = Verdict(), random.Random(12)
    made = await copies(folder, max(2, truncations // 20))
    for number in range(truncations):
        copy = made[number % len(made)]
        log = copy.log.read_bytes()
        end = chance.randrange(32, len(log) + 1)
        rubbish = chance.randbytes(chance.randrange(0, 4096)) if number % 2 else b""
        said, held = await asyncio.to_thread(_opened, copy, log[:end] + rubbish, folder / "torn.db")
        report.injections += 1
        safe = copy.before | {external_id for external_id, size in copy.safe_at if size <= end}
        verdict.acknowledged += len(safe)
        if said != "ok":
            verdict.broken.append(f"cut at byte {end} of {len(log)}: {said}")
        verdict.lost += [f"{one} was on the disk and is gone after a cut at {end}" for one in sorted(safe - held)]
    report.verdicts.append(verdict)
    return report
