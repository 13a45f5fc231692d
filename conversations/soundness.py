"""Looks at the database before the desk serves from it: a disk that has lost something must not go unnoticed."""

from __future__ import annotations

import asyncio
from pathlib import Path

import structlog
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from conversations import audit_check
from conversations.audit_store import AuditStore
from conversations.sqlite_log import damage_in_log
from conversations.sqlite_store import damage_in_file
from conversations.store import Database

log = structlog.get_logger()


class Unsound(SystemExit):
    """The database is damaged or has lost its end; the message says what was found and what to do."""


def _refuse(found: str, found_zh: str) -> Unsound:
    return Unsound(
        f"The database is not sound: {found}. Nothing was changed. Restore the last backup (make restore FILE=…), "
        f"or see docs/durability.md for what can be saved.\n"
        f"数据库已损坏：{found_zh}。未做任何改动。请用最近的备份恢复（make restore FILE=…），"
        f"或查看 docs/durability.md 了解还能挽救什么。"
    )


async def check_file(path: Path) -> None:
    """Raise ``Unsound`` for an SQLite file or log with damage; it must not be open yet, or its log is gone."""
    if not await asyncio.to_thread(path.exists):
        return
    damaged = await asyncio.to_thread(damage_in_log, path.with_name(f"{path.name}-wal"))
    if damaged is not None:
        raise _refuse(
            f"its write-ahead log {path.name}-wal is damaged at byte {damaged}, and sound entries follow, which "
            "opening it would drop",
            f"预写日志 {path.name}-wal 在第 {damaged} 字节处损坏，其后仍有完好的记录，打开数据库会丢弃它们",
        )
    wrong = await asyncio.to_thread(damage_in_file, path)
    if wrong is not None:
        raise _refuse(f"{path.name}: {wrong}", f"{path.name} 校验未通过（{wrong}）")


async def check_tail(database: Database, checkpoints: Path, public_key: Path) -> None:
    """Raise ``Unsound`` when the audit chain ends before its last signed checkpoint, or disagrees with it there."""
    signed = await asyncio.to_thread(_signed, checkpoints, public_key)
    if isinstance(signed, audit_check.Verdict):
        log.error("the signed checkpoints cannot be used", found=signed.message)  # a message is not lost by that
        return
    if not signed:
        return
    last = signed[-1]
    async with database.read() as connection:
        store = AuditStore(connection)
        head = await store.find_head()
        rows = [row async for row in store.entries(after=last.n - 1, until=last.n)]
    if head is None:
        log.error("the database is empty although its audit trail was signed before", entries=last.n)
        return
    if not rows or rows[0].hash != last.hash:
        raise _refuse(
            f"its audit trail has {head[0]} entries and does not agree with the checkpoint signed at entry {last.n}, "
            "so what was written last is gone or was changed",
            f"审计链有 {head[0]} 条，与第 {last.n} 条处签名的检查点不符，最后写入的内容已丢失或被改动",
        )


def _signed(checkpoints: Path, public_key: Path) -> list[audit_check.Checkpoint] | audit_check.Verdict:
    if not checkpoints.exists() or not public_key.exists():
        return []
    key = serialization.load_pem_public_key(public_key.read_bytes())
    assert isinstance(key, Ed25519PublicKey), f"{public_key} is not the key that signs checkpoints"
    return audit_check.read_checkpoints(checkpoints, key)
