"""Restore a backup: checked first, erasures repeated, what was there before kept aside.

    make restore FILE=archive [FORCE=1] [ERASURES=ledger|none]

It refuses while a desk runs, and where there is data already unless FORCE=1 is given (which moves that data aside).
"""

from __future__ import annotations

import argparse
import asyncio
import os
import shutil
import sqlite3
import sys
import tempfile
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import IO

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

import data_lock
import env_file
import settings as desk_settings
from conversations import audit_check
from conversations.audit import AuditLog
from conversations.conversations import Conversations
from conversations.erasure_ledger import ErasureLedger, ListedErasure
from conversations.hub import LocalHub
from conversations.key_rotation import open_keys
from conversations.proactive_store import erase as erase_unasked
from conversations.store import Database
from handoff.assist.assist_store import erase as erase_assist
from learning.inbox_store import erase as erase_inbox
from learning.limit_store import erase as erase_limits
from learning.replay_store import erase as erase_replays
from migrations.schema import migrate
from reviewing.review_store import erase as erase_reviews
from tools.archive import BadArchive, Manifest, unpack
from tools.backup import LEFT_OUT

#: What forgets a contact besides the conversations themselves, as a running desk has it.
ERASES = (erase_unasked, erase_assist, erase_inbox, erase_limits, erase_replays, erase_reviews)


def refuse_if_in_use(data: Path, force: bool) -> IO[str]:
    """Raise ``BadArchive`` while a desk runs on the folder, or when there is something to lose.

    No desk starts on the folder until the lock that is returned is closed.
    """
    database = data / "frontdesk.db"
    lock = data_lock.hold(f"sqlite+aiosqlite:///{database}")
    if lock is None:
        raise BadArchive(f"A desk is running on {data}; stop it first. 前台正在使用 {data}，请先停止它。")
    if database.exists() and not force:
        lock.close()
        raise BadArchive(
            f"{data} already holds a desk; nothing was changed. FORCE=1 moves it aside and restores. "
            f"{data} 中已有数据，未做任何改动；加上 FORCE=1 会先把它移到一旁再恢复。"
        )
    return lock


def known_erasures(data: Path, unpacked: Path, ledger: Path, given: str) -> list[ListedErasure]:
    """Every erasure that anybody wrote down; raises ``BadArchive`` where the list since the backup is missing."""
    found = ErasureLedger(unpacked / "erasures.jsonl").read()
    if given and given != "none":
        if not Path(given).exists():
            raise BadArchive(f"There is no ledger {given}. 没有删除记录文件 {given}。")
        found += ErasureLedger(Path(given)).read()
    if ledger.exists():
        found += ErasureLedger(ledger).read()
    elif not given and not (data / "frontdesk.db").exists():  # a desk that was here would have left its list
        raise BadArchive(
            f"The list of erasures {ledger} is not here, so people who were erased after the backup would come back. "
            "Give the latest copy with ERASURES=file, or ERASURES=none if nobody was erased since. "
            f"缺少删除记录 {ledger}，备份之后被删除的客户会重新出现；请用 ERASURES=文件 指定最新副本，"
            "若此后无人要求删除，请用 ERASURES=none。"
        )
    return list(dict.fromkeys(found))


def check(unpacked: Path, manifest: Manifest) -> None:
    """Raise ``BadArchive`` unless databases and audit trail of an unpacked backup hold."""
    for path in unpacked.rglob("*.db"):
        connection = sqlite3.connect(path)
        try:
            said = str(connection.execute("PRAGMA integrity_check(1)").fetchone()[0])
        except sqlite3.DatabaseError as error:
            said = str(error)
        finally:
            connection.close()
        if said != "ok":
            raise BadArchive(f"{path.name} in the backup is damaged: {said}. 备份中的 {path.name} 已损坏。")
    if manifest.database != "sqlite":
        return
    database, key = unpacked / "frontdesk.db", unpacked / audit_check.PUBLIC_KEY
    if key.exists():
        url = f"sqlite+aiosqlite:///{database}"
        verdict = asyncio.run(audit_check.verify_files(url, unpacked / audit_check.CHECKPOINTS, key))
        if verdict.exit_code:
            raise BadArchive(f"The audit trail does not hold: {verdict.message}. 审计链校验未通过。")


async def erase_again(unpacked: Path, erasures: Sequence[ListedErasure], secret_key: str, field_keys: str = "") -> int:
    """Repeat erasures in an unpacked backup: its database, its files, and what the bot remembers."""
    values = {"secret_key": secret_key, "field_keys": field_keys, "bot_secret": "-" * 16, "action_secret": "-" * 16}
    keys = desk_settings.Settings.model_validate(values).wrapping_keys
    database = Database.open(f"sqlite+aiosqlite:///{unpacked / 'frontdesk.db'}")
    try:
        await migrate(database.engine)
        conversations = Conversations(database, LocalHub(), AuditLog(await open_keys(database, keys)))
        conversations.erases_too += ERASES
        again = await conversations.erase_again(erasures)
    finally:
        await database.close()
    for erasure in erasures:
        for file in erasure.files:
            (unpacked / "files" / file[:2] / file).unlink(missing_ok=True)
    if (unpacked / "bot.db").exists():
        forget_in_bot(unpacked / "bot.db", [one for erasure in erasures for one in erasure.conversations])
    vacuum(unpacked / "frontdesk.db")
    return len(again)


def forget_in_bot(path: Path, conversations: Sequence[str]) -> None:
    """Delete what the bot remembers of conversations."""
    connection = sqlite3.connect(path)
    try:
        tables = {row[0] for row in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
        for table in ("events", "turns"):
            if table in tables:
                # The names are ours, not anybody's input.
                statement = f"DELETE FROM {table} WHERE sender_id = ?"  # noqa: S608
                connection.executemany(statement, [(one,) for one in conversations])
        connection.commit()
    finally:
        connection.close()
    vacuum(path)


def vacuum(path: Path) -> None:
    """Write a database anew, so that nothing erased stays in its free pages."""
    connection = sqlite3.connect(path)
    try:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        connection.execute("VACUUM")
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    finally:
        connection.close()
    for rest in path.parent.glob(f"{path.name}-*"):
        rest.unlink()


def put_in_place(unpacked: Path, data: Path) -> Path | None:
    """Swap the folders' contents; what was there is moved aside, and its place returned."""
    data.mkdir(parents=True, exist_ok=True)
    stays = (*LEFT_OUT, "frontdesk.db.lock")
    mine = [path for path in data.iterdir() if path.name not in stays and not path.name.startswith(".restore-")]
    aside: Path | None = None
    if mine:
        aside = data / "backups" / f"before-restore-{datetime.now(UTC):%Y%m%d-%H%M%S-%f}"
        aside.mkdir(parents=True, mode=0o700)
        for path in mine:
            path.rename(aside / path.name)
    # Made from the restored database when the desk starts.
    shutil.rmtree(data / "conversations", ignore_errors=True)
    for path in list(unpacked.iterdir()):
        path.rename(data / path.name)
    return aside


def restore(
    archive: Path, data: Path, ledger: Path, *, force: bool, erasures: str
) -> tuple[Manifest, int, Path | None]:
    """Do it; returns the manifest, how many erasures were repeated, and where the old data is. Raises ``BadArchive``."""
    with refuse_if_in_use(data, force), tempfile.TemporaryDirectory(prefix=".restore-", dir=data) as name:
        staging = Path(name)
        manifest = unpack(archive, staging)
        unpacked = staging / "data"
        check(unpacked, manifest)
        known = known_erasures(data, unpacked, ledger, erasures)
        secrets = env_file.read_env_file(unpacked / "secrets.env")
        again = 0
        if manifest.database == "sqlite":
            set_by_hand = {**env_file.read_env_file(ROOT / ".env"), **os.environ}
            key = set_by_hand.get("SECRET_KEY") or secrets.get("SECRET_KEY", "-" * 32)
            wrapping = set_by_hand.get("FIELD_KEYS") or secrets.get("FIELD_KEYS", "")
            again = asyncio.run(erase_again(unpacked, known, key, wrapping))
        # The ledger outlives every restore: it is merged, never put back.
        (unpacked / "erasures.jsonl").unlink(missing_ok=True)
        before = ErasureLedger(ledger).read()
        aside = None
        if ledger.parent == data and ledger.exists():
            shutil.copy2(ledger, unpacked / ledger.name)
        aside = put_in_place(unpacked, data)
        ErasureLedger(ledger).note([one for one in known if one not in before])
    return manifest, again, aside


def main() -> None:
    """The command."""
    parser = argparse.ArgumentParser(description="Restore a backup of the desk.")
    parser.add_argument("archive", type=Path)
    parser.add_argument("--force", action="store_true", help="move existing data aside")
    parser.add_argument("--erasures", default="", help="the latest copy of the list of erasures, or none")
    given = parser.parse_args()
    known = env_file.everything()
    data = Path(known.get("DATA_DIR") or ROOT / "var").resolve()
    ledger = Path(known.get("ERASURE_LEDGER") or data / "erasures.jsonl").resolve()
    elsewhere = data_lock.database_file(known.get("DATABASE_URL") or "sqlite+aiosqlite:///")
    if elsewhere is not None and elsewhere.resolve() != data / "frontdesk.db":
        sys.exit(
            f"DATABASE_URL names {elsewhere}; a restored database is {data / 'frontdesk.db'}. Take DATABASE_URL out first. "
            f"DATABASE_URL 指向 {elsewhere}，而恢复的数据库是 {data / 'frontdesk.db'}；请先去掉 DATABASE_URL。"
        )
    try:
        manifest, again, aside = restore(given.archive, data, ledger, force=given.force, erasures=given.erasures)
    except (BadArchive, OSError, sqlite3.Error) as error:
        sys.exit(f"{error}")
    print(f"Restored the desk of {manifest.made_at}; {again} erasures were repeated. Start it with make run.")
    print(f"已恢复 {manifest.made_at} 的数据，并重新执行了 {again} 次删除。请用 make run 启动。")
    if aside is not None:
        print(
            f"What was there before is in {aside}; delete it when nobody needs it. 原有数据已移到 {aside}，不再需要时请删除。"
        )
    if manifest.database != "sqlite":
        print("Now restore PostgreSQL (docs/durability.md); erasures are repeated when the desk starts.")
        print("接下来请恢复 PostgreSQL（见 docs/durability.md）；前台启动时会重新执行删除。")


if __name__ == "__main__":
    main()
