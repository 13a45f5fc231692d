"""Signs checkpoints of the audit chain into a file outside the database, and verifies chain and file.

A bare chain cannot show that its tail was cut off or that all of it was rewritten; the signed file can.
"""

from __future__ import annotations

import asyncio
import base64
import json
import os
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from sqlalchemy.exc import SQLAlchemyError

from conversations.audit import GENESIS, canonical, chain_hash
from conversations.audit_store import AuditStore
from conversations.store import Database
from failpoints import reach

EVERY_ENTRIES = 100
EVERY_SECONDS = 60
CHECKPOINTS = "audit/checkpoints.jsonl"
PUBLIC_KEY = "audit/public_key.pem"
PRIVATE_KEY = "audit/private_key.pem"

_LONGEST_LINE = 4096  # bytes; a checkpoint has about 250


def signing_key(directory: Path) -> Ed25519PrivateKey:
    """The key under ``directory`` that signs checkpoints, made on first use together with its public half."""
    path = directory / PRIVATE_KEY
    if path.exists():
        loaded = serialization.load_pem_private_key(path.read_bytes(), password=None)
        if not isinstance(loaded, Ed25519PrivateKey):
            raise ValueError(f"{path} is not an Ed25519 key; move it away and a new one is made")
        return loaded
    key = Ed25519PrivateKey.generate()
    path.parent.mkdir(parents=True, exist_ok=True)
    pem = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    with open(os.open(path, os.O_CREAT | os.O_WRONLY | os.O_EXCL, 0o600), "wb") as file:
        file.write(pem)
    (directory / PUBLIC_KEY).write_bytes(
        key.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    )
    return key


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """The chain had ``n`` entries and this last hash at that time."""

    n: int
    hash: str
    at: str
    signature: str = ""

    def signed_part(self) -> bytes:
        """What the signature covers."""
        return canonical({"n": self.n, "hash": self.hash, "at": self.at}).encode()


class Checkpoints:
    """Appends signed checkpoints to a file, every 100 entries or 60 seconds."""

    def __init__(self, path: Path, key: Ed25519PrivateKey, now: Callable[[], datetime]) -> None:
        self._path = path
        self._key = key
        self._now = now
        self._last_n = 0
        self._last_at: datetime | None = None
        self._head_n = 0
        self._covered_at: datetime | None = None  #: when every entry was last known to be signed

    @property
    def unsigned(self) -> int:
        """How many entries the last checkpoint does not cover, as far as was looked."""
        return max(0, self._head_n - self._last_n)

    @property
    def unsigned_seconds(self) -> float:
        """How long entries have been waiting for a signature; 0 when there are none."""
        since = self._covered_at if self.unsigned else None
        return 0.0 if since is None else (self._now() - since).total_seconds()

    async def write_if_due(self, database: Database, *, at_once: bool = False) -> bool:
        """Sign the head of the chain if enough happened since the last time; returns whether it did."""
        async with database.read() as connection:
            head = await AuditStore(connection).find_head()
        now = self._now()
        if self._last_at is None:
            self._last_at = self._covered_at = now
        self._head_n = 0 if head is None else head[0]
        if head is None or head[0] <= self._last_n:
            self._covered_at = now
            return False
        waited = (now - self._last_at).total_seconds()
        if not at_once and head[0] - self._last_n < EVERY_ENTRIES and waited < EVERY_SECONDS:
            return False
        bare = Checkpoint(head[0], head[1], now.isoformat())
        signature = base64.b64encode(self._key.sign(bare.signed_part())).decode()
        line = canonical({"n": bare.n, "hash": bare.hash, "at": bare.at, "signature": signature})
        await asyncio.to_thread(_append, self._path, line)
        self._last_n, self._last_at, self._covered_at = head[0], now, now
        return True


def _append(path: Path, line: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a+b") as file:
        written = file.seek(0, os.SEEK_END)
        if written:
            file.seek(max(0, written - _LONGEST_LINE))
            tail = file.read()
            if not tail.endswith(b"\n"):  # the process died while writing: the torn line must not spoil the next one
                file.truncate(written - len(tail) + tail.rfind(b"\n") + 1)
        half = len(line) // 2
        file.write(line[:half].encode())
        file.flush()
        reach("during_checkpoint")
        file.write(f"{line[half:]}\n".encode())
        file.flush()
        os.fsync(file.fileno())


@dataclass(frozen=True, slots=True)
class Verdict:
    """What verification found; ``exit_code`` is 0 sound, 3 broken, 4 truncated."""

    exit_code: int
    message: str
    entries: int = 0
    first_bad: int | None = None


def read_checkpoints(path: Path, key: Ed25519PublicKey) -> list[Checkpoint] | Verdict:
    """The signed checkpoints in a file by number, or the verdict that one of them is forged."""
    found = []
    lines = path.read_text(encoding="utf-8").splitlines()
    for number, line in enumerate(lines, start=1):
        try:
            form: dict[str, Any] = json.loads(line)
            checkpoint = Checkpoint(form["n"], form["hash"], form["at"], form["signature"])
            key.verify(base64.b64decode(checkpoint.signature), checkpoint.signed_part())
        except (ValueError, KeyError, TypeError, InvalidSignature):
            if number == len(lines) and not line.endswith("}"):
                continue  # the process died while writing it
            return Verdict(3, f"broken: checkpoint in line {number} of {path.name} is not signed by this key")
        found.append(checkpoint)
    return sorted(found, key=lambda checkpoint: checkpoint.n)


@dataclass(slots=True)
class Progress:
    """How far a verification has read."""

    read: int = 0
    of: int = 0


async def verify(database: Database, checkpoints: list[Checkpoint], progress: Progress | None = None) -> Verdict:
    """Recompute the whole chain and compare it with its head and its checkpoints."""
    progress = progress or Progress()
    # Two signed hashes for one entry: the chain went back to an older state and grew again over what it had been.
    marks: dict[int, set[str]] = {}
    for checkpoint in checkpoints:
        marks.setdefault(checkpoint.n, set()).add(checkpoint.hash)
    async with database.read() as connection:
        store = AuditStore(connection)
        highest = await store.highest()
        head = await store.find_head() or (0, GENESIS)
        if highest > head[0]:
            return _broken(head[0] + 1, "lies beyond the head of the chain")
        previous, count, sound = GENESIS, 0, 0
        progress.of = head[0]
        async for row in store.entries():
            if row.n > head[0]:
                break  # written while we read
            if row.n != count + 1:
                return _broken(count + 1, "is missing")
            count = progress.read = row.n
            if chain_hash(previous, row.body) != row.hash or not _consistent(row):
                return _broken(count, "does not match its hash")
            previous = row.hash
            if marks.get(count, {previous}) != {previous}:
                return _broken(sound + 1, f"or a later one up to {count} was rewritten (checkpoint {count} disagrees)")
            sound = count if count in marks else sound
    last_mark = checkpoints[-1].n if checkpoints else 0
    expected = max(head[0], last_mark)
    if count < expected:
        return Verdict(4, f"truncated: entries {count + 1} to {expected} are missing at the end", count, count + 1)
    if previous != head[1]:
        return _broken(count, "is not the head of the chain")
    return Verdict(0, f"ok: {count} entries, {len(checkpoints)} checkpoints, the last at entry {last_mark}", count)


def _broken(n: int, why: str) -> Verdict:
    return Verdict(3, f"broken: entry {n} {why}", n - 1, n)


def _consistent(row: Any) -> bool:
    try:
        form = json.loads(row.body)
        return bool(form["n"] == row.n and form["conversation_id"] == row.conversation_id)
    except (ValueError, KeyError, TypeError):
        return False


def verifier_of(url: str, data_dir: Path) -> Callable[[Progress], Awaitable[Verdict]]:
    """The verification of a service's own trail, with the files where it keeps them."""
    return lambda progress: verify_files(url, data_dir / CHECKPOINTS, data_dir / PUBLIC_KEY, progress)


async def verify_files(url: str, checkpoints: Path, public_key: Path, progress: Progress | None = None) -> Verdict:
    """Verify the chain at a database URL; raises ``ValueError`` or ``OSError`` for what cannot be read."""
    key = serialization.load_pem_public_key(await asyncio.to_thread(public_key.read_bytes))
    if not isinstance(key, Ed25519PublicKey):
        raise ValueError(f"{public_key} is not an Ed25519 public key")
    _, _, file = url.partition("sqlite+aiosqlite:///")
    if file and not await asyncio.to_thread(Path(file).exists):
        raise ValueError(f"there is no database {file}")
    found = read_checkpoints(checkpoints, key)
    if isinstance(found, Verdict):
        return found
    database = Database.open(url)
    try:
        return await verify(database, found, progress)
    except SQLAlchemyError as error:
        raise ValueError(f"the database cannot be read: {str(error).splitlines()[0]}") from error
    finally:
        await database.close()
