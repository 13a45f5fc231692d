"""Make a backup of a desk, running or not: databases, files, index, audit trail and secrets in one checked archive.

    make backup [TO=folder]        by default DATA_DIR/backups

A database on PostgreSQL is backed up with its own tools (docs/durability.md); everything else is in the archive.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import shutil
import sqlite3
import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

import data_lock
import settings as desk_settings
from conversations import audit_check
from conversations.audit_store import AuditStore
from conversations.store import Database
from tools.archive import BadArchive, digest_of, files_in, pack

#: What is made again from the rest, belongs to one machine, or is no state at all.
LEFT_OUT = ("backups", "logs", "stamps", "models", "conversations", "demo_mailbox.jsonl")
_TRIES = 5


def copy_database(source: Path, target: Path) -> None:
    """SQLite's own online copy: one moment of the database, while others go on writing."""
    target.parent.mkdir(parents=True, exist_ok=True)
    reading = sqlite3.connect(f"file:{source}?mode=ro", uri=True, timeout=30)
    writing = sqlite3.connect(target)
    try:
        reading.backup(writing)  # in one step: a copy in steps begins again with every write of somebody else
        writing.execute("PRAGMA journal_mode=DELETE")
        said = writing.execute("PRAGMA integrity_check(1)").fetchone()[0]
    finally:
        reading.close()
        writing.close()
    if said != "ok":
        raise BadArchive(f"{source} is damaged: {said}. No backup was made. {source} 已损坏，未生成备份。")


def copy_folder(source: Path, target: Path) -> None:
    """Files that may change meanwhile: the copy counts when everything is as it was when it is done."""
    for _ in range(_TRIES):
        shutil.rmtree(target, ignore_errors=True)
        try:
            shutil.copytree(source, target, ignore=shutil.ignore_patterns("*.part", "lock", "*.db-wal", "*.db-shm"))
            for database in target.rglob("*.db"):
                database.unlink()
                copy_database(source / database.relative_to(target), database)
            if all(
                digest_of(source / path.relative_to(target)) == digest_of(path)
                for path in files_in(target)
                if path.suffix != ".db"
            ):
                return
        except (FileNotFoundError, shutil.Error):
            pass  # it changes right now
        time.sleep(0.5)
    raise BadArchive(
        f"{source} changes all the time; make the backup when nothing is imported. "
        f"{source} 一直在变化，请在没有导入任务时再备份。"
    )


def collect(data: Path, database: Path | None, staging: Path, ledger: Path) -> None:
    """Copy everything in an order that keeps it consistent."""
    # Checkpoints first: one that is ahead of its database would look like a database that has lost its end.
    if (data / "audit").is_dir():
        shutil.copytree(data / "audit", staging / "audit")
    if database is not None:
        copy_database(database, staging / "frontdesk.db")
    if (data / "bot.db").exists():
        copy_database(data / "bot.db", staging / "bot.db")
    # Files after the rows that name them; a file is never changed, and is written before its row.
    for path in sorted(data.iterdir()):
        if path.name in (*LEFT_OUT, "audit") or path.name.endswith((".db", ".db-wal", ".db-shm", ".db.lock")):
            continue
        if path.is_dir():
            copy_folder(path, staging / path.name)
        elif path.is_file():
            shutil.copy2(path, staging / path.name)
    if ledger.exists():
        shutil.copy2(ledger, staging / "erasures.jsonl")


async def verified(staging: Path) -> dict[str, object]:
    """What the copy says about its audit trail; raises ``BadArchive`` when that does not hold."""
    url = f"sqlite+aiosqlite:///{staging / 'frontdesk.db'}"
    checkpoints, key = staging / audit_check.CHECKPOINTS, staging / audit_check.PUBLIC_KEY
    if key.exists():
        checkpoints.touch()
        verdict = await audit_check.verify_files(url, checkpoints, key)
        if verdict.exit_code:
            raise BadArchive(f"The audit trail does not hold: {verdict.message}. 审计链校验未通过：{verdict.message}。")
    database = Database.open(url)
    try:
        async with database.read() as connection:
            head = await AuditStore(connection).find_head()
    finally:
        await database.close()
    return {"entries": head[0], "hash": head[1]} if head else {"entries": 0}


def back_up(settings: desk_settings.Settings, to: Path) -> Path:
    """Make one archive; returns its path. Raises ``BadArchive``."""
    data = settings.data_dir
    database = data_lock.database_file(settings.database_url)
    if database is not None and not database.exists():
        raise BadArchive(f"There is no database {database}; nothing to back up. 没有数据库 {database}，无可备份。")
    now = datetime.now(UTC)
    archive = to / f"frontdesk-{now:%Y%m%d-%H%M%S}.tar.gz"
    to.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".backup-", dir=to) as name:
        staging = Path(name)
        collect(data, database, staging, settings.erasure_ledger or data / "erasures.jsonl")
        audit = asyncio.run(verified(staging)) if database is not None else {}
        for rest in staging.glob("frontdesk.db-*"):
            rest.unlink()
        models = (
            {path.relative_to(data / "models").as_posix(): digest_of(path) for path in files_in(data / "models")}
            if (data / "models").is_dir()
            else {}
        )
        kind = "sqlite" if database is not None else "postgresql"
        pack(staging, archive, made_at=now.isoformat(), models=models, audit=audit, database=kind)
    return archive


def main() -> None:
    """The command."""
    parser = argparse.ArgumentParser(description="Make a backup of the desk.")
    parser.add_argument("--to", type=Path, default=None, help="folder of the archive; default: DATA_DIR/backups")
    given = parser.parse_args()
    settings = desk_settings.load()
    try:
        archive = back_up(settings, given.to or settings.data_dir / "backups")
    except (BadArchive, OSError, sqlite3.Error) as error:
        sys.exit(f"{error}")
    size = os.stat(archive).st_size / 1024 / 1024
    print(f"{archive} ({size:.1f} MiB). It holds messages and secrets: keep it like the machine itself.")
    print(f"备份已生成：{archive}（{size:.1f} MiB）。其中含有消息与密钥，请像保管服务器一样保管它。")
    if data_lock.database_file(settings.database_url) is None:
        print("The PostgreSQL database is NOT in it: use pg_dump or continuous archiving (docs/durability.md).")
        print("其中不含 PostgreSQL 数据库：请用 pg_dump 或持续归档另行备份（见 docs/durability.md）。")


if __name__ == "__main__":
    main()
