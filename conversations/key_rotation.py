"""Opens the desk's keys, changes them while it runs, and seals what was written before there were sealed values.

Every step is a small transaction that can be done again, so whoever is stopped in the middle goes on where it was.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

import structlog

from conversations.key_rotation_store import TABLES, KeyRotationStore
from conversations.model import utc_now
from conversations.sealing import WRITING_KEY_SECONDS, Keyring, SealBroken
from conversations.store import Database

_BATCH = 200
_PAUSE_SECONDS = 0.02  # so that whoever serves contacts comes first
log = structlog.get_logger()


class KeysMissing(SystemExit):
    """Something in the database was sealed with a key that the settings do not hold."""


@dataclass(slots=True)
class Rotated:
    """What a rotation did."""

    wrapped: int = 0  #: contacts' keys that were wrapped anew
    new_keys: int = 0
    sealed: int = 0  #: values
    unreadable: int = 0  #: values whose key was destroyed


def _nobody(_line: str) -> None:
    return None


async def open_keys(database: Database, wrapping_keys: Sequence[bytes]) -> Keyring:
    """Lend the keys (the one in force first) to a database; raises ``KeysMissing`` where they do not open all of it."""
    keyring = Keyring(wrapping_keys[0], wrapping_keys[1:])
    database.lend_keys(keyring)
    async with database.read(prepared=False) as connection:
        store = KeyRotationStore(connection)
        used = await store.wrapped_by()
        unknown = sum(count for name, count in used.items() if name and name not in keyring.names)
        samples = [await store.sample(name) for name in used if not name or name in keyring.names]
    for sample in samples:
        try:
            keyring.keys_of(*sample) if sample is not None else None
        except SealBroken:
            unknown += 1
    if unknown:
        raise KeysMissing(
            f"FIELD_KEYS: {unknown} keys of contacts in the database are wrapped by a key that is in neither FIELD_KEYS "
            "nor SECRET_KEY. Nothing was changed. Put the older key back behind the new one (FIELD_KEYS=new,old), start, "
            "and take it away after `python -m conversations keys rotate`.\n"
            f"FIELD_KEYS：数据库中有 {unknown} 个客户密钥所用的封装密钥不在 FIELD_KEYS 或 SECRET_KEY 中，未做任何改动。"
            "请把旧密钥放回新密钥之后（FIELD_KEYS=新,旧）再启动，执行 `python -m conversations keys rotate` 后方可去掉。"
        )
    async with database.write() as connection:
        store = KeyRotationStore(connection)
        if not await store.addresses_are_sealed():
            sealed = await store.seal_addresses()
            await store.note_addresses_sealed(utc_now())
            if sealed:
                log.info("addresses_sealed", rows=sealed)
    return keyring


class KeyRotation:
    """Changes keys; ``progress`` is told a line now and then."""

    def __init__(
        self,
        database: Database,
        *,
        now: Callable[[], datetime] = utc_now,
        progress: Callable[[str], None] = _nobody,
        batch: int = _BATCH,
        settle_seconds: float = WRITING_KEY_SECONDS,
    ) -> None:
        self._database = database
        self._now = now
        self._progress = progress
        self._batch = batch
        self._settle_seconds = settle_seconds

    async def wrap_anew(self, done: Rotated) -> None:
        """Wrap every contact's keys by the wrapping key in force."""
        while True:
            async with self._database.write() as connection:
                some = await KeyRotationStore(connection).wrap_anew(self._batch)
            done.wrapped += some
            if some:
                self._progress(f"{done.wrapped} keys wrapped anew")
            if not some:
                return
            await asyncio.sleep(_PAUSE_SECONDS)

    async def change_keys(self, done: Rotated) -> None:
        """Give every contact a new key and seal all values with it; goes on with one that was not finished."""
        async with self._database.write() as connection:
            store = KeyRotationStore(connection)
            rotation = await store.unfinished() or await store.begin(self._now())
        while True:
            async with self._database.write() as connection:
                some = await KeyRotationStore(connection).add_keys(rotation, self._batch)
            done.new_keys += some
            if some:
                self._progress(f"{done.new_keys} new keys")
            if not some:
                break
            await asyncio.sleep(_PAUSE_SECONDS)
        # Until then other processes may seal with a key that they remember.
        await asyncio.sleep(self._settle_seconds)
        await self.seal_all(done)
        async with self._database.write() as connection:
            await KeyRotationStore(connection).finish(self._now())

    async def seal_all(self, done: Rotated, tables: Sequence[str] = TABLES) -> None:
        """Seal every value that is not sealed with the newest key of its contact."""
        for table in tables:
            after: str | None = ""
            while after is not None:
                async with self._database.write() as connection:
                    batch = await KeyRotationStore(connection).seal_some(table, after, self._batch)
                after = batch.after
                done.sealed += batch.sealed
                done.unreadable += batch.unreadable
                if batch.sealed:
                    self._progress(f"{table}: {done.sealed} values sealed")
                await asyncio.sleep(_PAUSE_SECONDS if batch.sealed else 0)
        async with self._database.write() as connection:
            await KeyRotationStore(connection).note_older_sealed(self._now())

    async def seal_older(self) -> Rotated:
        """Seal what was written before there were sealed values, unless that was done before."""
        done = Rotated()
        async with self._database.read() as connection:
            tables = await KeyRotationStore(connection).with_older()
        if not tables:
            return done
        await self.seal_all(done, tables)
        await self.wrap_anew(done)
        if done.sealed:
            log.info("older_values_sealed", values=done.sealed, unreadable=done.unreadable)
        return done
