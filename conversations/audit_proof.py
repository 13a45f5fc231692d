"""What shows that one entry of the audit trail is as it was written, and whether the desk still holds what it says."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import json
import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from sqlalchemy.ext.asyncio import AsyncConnection

from conversations.audit import GENESIS, AuditLog, canonical, chain_hash
from conversations.audit_check import CHECKPOINTS, PUBLIC_KEY, Checkpoint
from conversations.audit_store import AuditStore
from conversations.reading_store import ReadingStore

#: How many entries are handed out to lead from an entry to the checkpoint after it.
LONGEST_PATH = 500
_LINE = 4096


@dataclass(frozen=True, slots=True)
class Covering:
    """The first checkpoint at or after an entry, and whether it stands up."""

    checkpoint: Checkpoint
    signed: bool  #: its signature is this desk's
    fits: bool  #: the chain has that hash at that entry
    leads: bool | None  #: the entries up to it hash to it; None where there are too many for one look


@dataclass(frozen=True, slots=True)
class Proof:
    """One entry with what it hangs on; ``path`` are the texts and hashes of the entries up to the checkpoint."""

    n: int
    body: str
    hash: str
    previous: str
    computed: str
    covering: Covering | None
    path: tuple[tuple[int, str, str], ...]
    public_key: bytes | None


async def prove(connection: AsyncConnection, directory: Path, row: Any) -> Proof:
    """The proof of an entry, recomputed here; whoever doubts this machine recomputes it from what it holds."""
    store = AuditStore(connection)
    before = await store.find(row.n - 1) if row.n > 1 else None
    previous = GENESIS if row.n == 1 else (before.hash if before is not None else "")
    computed = chain_hash(previous, row.body) if previous or row.n == 1 else ""
    key = await asyncio.to_thread(_public_key, directory / PUBLIC_KEY)
    checkpoint = await asyncio.to_thread(first_covering, directory / CHECKPOINTS, row.n)
    if checkpoint is None:
        return Proof(row.n, row.body, row.hash, previous, computed, None, (), _raw(key))
    end = await store.find(checkpoint.n)
    path: tuple[tuple[int, str, str], ...] = ()
    leads: bool | None = None
    if checkpoint.n - row.n <= LONGEST_PATH:
        rows = await store.range(row.n + 1, checkpoint.n, LONGEST_PATH)
        path = tuple((one.n, one.body, one.hash) for one in rows)
        leads = _leads(row.n, computed, path, checkpoint)
    fits = end is not None and end.hash == checkpoint.hash
    return Proof(
        row.n, row.body, row.hash, previous, computed, Covering(checkpoint, _signed(checkpoint, key), fits, leads),
        path, _raw(key),
    )  # fmt: skip


def _leads(n: int, last: str, path: Iterable[tuple[int, str, str]], checkpoint: Checkpoint) -> bool:
    for number, body, _ in path:
        if number != n + 1 or not last:
            return False
        n, last = number, chain_hash(last, body)
    return (n, last) == (checkpoint.n, checkpoint.hash)


def first_covering(path: Path, n: int) -> Checkpoint | None:
    """The first checkpoint at or after an entry, found by halving the file; None if it is not signed yet."""
    if not path.exists():
        return None
    with path.open("rb") as file:
        low, high = 0, file.seek(0, os.SEEK_END)
        while high - low > _LINE:
            middle = (low + high) // 2
            file.seek(middle)
            file.readline()  # the rest of a line that began before
            found = _read(file.readline())
            if found is None or found.n >= n:
                high = middle
            else:
                low = middle
        file.seek(low)
        if low:
            file.readline()
        while line := file.readline():
            found = _read(line)
            if found is not None and found.n >= n:
                return found
    return None


def _read(line: bytes) -> Checkpoint | None:
    try:
        form = json.loads(line)
        return Checkpoint(int(form["n"]), str(form["hash"]), str(form["at"]), str(form["signature"]))
    except (ValueError, KeyError, TypeError):
        return None


def _public_key(path: Path) -> Ed25519PublicKey | None:
    try:
        key = serialization.load_pem_public_key(path.read_bytes())
    except (OSError, ValueError):
        return None
    return key if isinstance(key, Ed25519PublicKey) else None


def _raw(key: Ed25519PublicKey | None) -> bytes | None:
    return None if key is None else key.public_bytes_raw()


def _signed(checkpoint: Checkpoint, key: Ed25519PublicKey | None) -> bool:
    try:
        if key is None:
            return False
        key.verify(base64.b64decode(checkpoint.signature), checkpoint.signed_part())
    except (InvalidSignature, ValueError):
        return False
    return True


# -- what the desk holds now -----------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Compared:
    """A field of a turn in the trail and in the database; ``state`` is same, differs, erased, gone or broken."""

    field: str
    state: str
    trail: Any = None
    now: Any = None


async def compare_turn(connection: AsyncConnection, audit: AuditLog, body: str) -> tuple[Compared, ...]:
    """A bot's turn as the trail says it beside the messages and the trace that the database holds now."""
    try:
        entry = await audit.open_entry(connection, body)
    except ValueError:
        return (Compared("sealed", "broken"),)
    data, personal = entry["data"], entry["personal"]
    reading = ReadingStore(connection)
    turn = await reading.find_turn(data["turn_id"])
    asked = await reading.messages_at(entry["conversation_id"], [data["in_seq"]])
    said = await reading.messages_at(entry["conversation_id"], data["out_seqs"])
    places = [
        _of("conversation_id", entry["conversation_id"], turn.conversation_id if turn else None, turn is None),
        _of("in_seq", data["in_seq"], turn.in_seq if turn else None, turn is None),
        _of("out_seqs", data["out_seqs"], list(turn.out_seqs) if turn else None, turn is None),
    ]
    if personal is None:
        return (*places, *(Compared(name, "erased") for name in ("text", "replies", "trace")))
    replies = [text for text in personal["replies"] if text]
    now = [message.text for message in said if message.text]
    facts = {
        name: data[name] for name in ("intent", "confidence", "route", "policy", "model_id", "model") if name in data
    }
    trace = turn.trace if turn else {}
    return (
        *places,
        _of("text", personal["text"], asked[0].text if asked else None, not asked),
        _of("replies", replies, now, len(said) < len(data["out_seqs"])),
        _of("trace", digest(personal["trace"]), digest(trace), turn is None),
        *(_of(name, value, trace.get(name), turn is None) for name, value in facts.items()),
    )


def _of(field: str, trail: Any, now: Any, gone: bool) -> Compared:
    return Compared(field, "gone" if gone else "same" if trail == now else "differs", trail, None if gone else now)


def digest(value: Any) -> str:
    """SHA-256 of the canonical text of a value."""
    return hashlib.sha256(canonical(value).encode()).hexdigest()
