"""The append-only audit chain: what happened, in an order nobody can change unnoticed.

Each entry's hash covers the previous one. Personal data in an entry is sealed with the contact's own key, so
destroying that key erases the contact and leaves the chain valid. ``python -m conversations.audit`` verifies a chain and
exports it as a signed bundle.
"""

from __future__ import annotations

import argparse
import asyncio
import base64
import hashlib
import json
import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from cryptography.exceptions import InvalidTag
from sqlalchemy.ext.asyncio import AsyncConnection

from conversations.audit_store import AuditStore
from conversations.sealing import NONCE_BYTES, ContactKey, Keyring
from conversations.sealing_store import SealingStore

GENESIS = "0" * 64


@dataclass(frozen=True, slots=True)
class AuditEntry:
    """Something that happened; ``personal`` is what must vanish when the contact is erased."""

    kind: str
    actor: str  #: "bot", "contact", "system" or "agent:<id>"
    conversation_id: str | None = None
    contact_id: str | None = None
    data: dict[str, Any] = field(default_factory=dict)
    personal: dict[str, Any] | None = None


def canonical(value: Any) -> str:
    """The one JSON text of a value: sorted keys, no spaces, ASCII."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=True)


def chain_hash(previous: str, body: str) -> str:
    """The hash of an entry after the entry whose hash is ``previous``."""
    return hashlib.sha256(b"\x00" + bytes.fromhex(previous) + body.encode()).hexdigest()


class AuditLog:
    """Appends entries to the chain; ``keys`` are the desk's, or just the key (32 bytes) that wraps the contacts'."""

    def __init__(self, keys: Keyring | bytes) -> None:
        self.keyring = keys if isinstance(keys, Keyring) else Keyring(keys)

    async def append(self, connection: AsyncConnection, at: datetime, entries: Sequence[AuditEntry]) -> None:
        """Add entries in the caller's transaction; call it last, because other writers wait from here on."""
        if not entries:
            return
        store = AuditStore(connection)
        sealing = {
            e.contact_id: await self._key_for(connection, e.contact_id) for e in entries if e.personal is not None
        }
        first, previous = await store.reserve(len(entries), GENESIS)
        rows = []
        for n, entry in enumerate(entries, start=first):
            body = canonical(
                {
                    "n": n,
                    "at": at.isoformat(),
                    "kind": entry.kind,
                    "actor": entry.actor,
                    "conversation_id": entry.conversation_id,
                    "contact_id": entry.contact_id,
                    "data": entry.data,
                    "sealed": None if entry.personal is None else _seal(sealing[entry.contact_id], n, entry),
                }
            )
            previous = chain_hash(previous, body)
            rows.append({"n": n, "conversation_id": entry.conversation_id, "body": body, "hash": previous})
        await store.add(rows)

    async def open_entry(self, connection: AsyncConnection, body: str) -> dict[str, Any]:
        """An entry as it was written, ``personal`` readable; None there once the contact was erased.

        Raises ``ValueError`` if the sealed part does not belong to this entry.
        """
        entry: dict[str, Any] = json.loads(body)
        sealed = entry.pop("sealed")
        entry["personal"] = None
        wrapped = await SealingStore(connection).find_keys(entry["contact_id"]) if sealed else None
        if wrapped is not None:
            number, _, body = sealed.rpartition(".")  # what the first key sealed names no number
            blob = base64.b64decode(body)
            key = self.keyring.keys_of(entry["contact_id"], wrapped).get(int(number or 1))
            try:
                if key is None:
                    raise InvalidTag
                plain = key.cipher.decrypt(
                    blob[:NONCE_BYTES], blob[NONCE_BYTES:], _binding(entry["n"], entry["contact_id"])
                )
            except InvalidTag:
                raise ValueError(f"the sealed part of audit entry {entry['n']} does not belong to it") from None
            entry["personal"] = json.loads(plain)
        return entry

    def forget(self, contact_id: str) -> None:
        """Drop a contact's key from memory after it was destroyed in the database."""
        self.keyring.forget(contact_id)

    def forget_all(self) -> None:
        """Drop every key from memory: some may never have been stored."""
        self.keyring.forget_all()

    async def _key_for(self, connection: AsyncConnection, contact_id: str | None) -> ContactKey:
        if contact_id is None:
            raise ValueError("an entry with personal data needs its contact")
        return await SealingStore(connection).writing_key(self.keyring, contact_id)


def _binding(n: int, contact_id: str) -> bytes:
    return f"{n}|{contact_id}".encode()


def _seal(key: ContactKey, n: int, entry: AuditEntry) -> str:
    nonce = os.urandom(NONCE_BYTES)
    sealed = key.cipher.encrypt(nonce, canonical(entry.personal).encode(), _binding(n, key.owner))
    body = base64.b64encode(nonce + sealed).decode()
    return body if key.version == 1 else f"{key.version}.{body}"


def main(arguments: Sequence[str] | None = None) -> int:
    """The command: prints one line and returns 0 sound or exported, 2 cannot do it, 3 broken, 4 truncated."""
    from conversations import audit_check, audit_commands

    parser = argparse.ArgumentParser(prog="python -m conversations.audit", description="The audit chain.")
    commands = parser.add_subparsers(dest="command", required=True)
    audit_commands.add_export_options(commands.add_parser("export", help="write a signed bundle for somebody else"))
    check = commands.add_parser("verify", help="verify chain and file")
    check.add_argument("--database-url", help="default: the service's settings")
    check.add_argument("--checkpoints", type=Path, help="signed checkpoints, one JSON object a line")
    check.add_argument("--public-key", type=Path, help="PEM of the Ed25519 public key")
    given = parser.parse_args(arguments)
    if given.command == "export":
        keys: tuple[bytes, ...] = ()
        if given.opened or not (given.database_url and given.data_dir):
            import settings

            ours = settings.load()
            keys = ours.wrapping_keys
            given.database_url = given.database_url or ours.database_url
            given.data_dir = given.data_dir or Path(ours.data_dir)
        try:
            return asyncio.run(audit_commands.export(given, keys))
        except (OSError, ValueError) as error:
            print(f"cannot export: {error}", file=sys.stderr)
            return 2
    if not (given.database_url and given.checkpoints and given.public_key):
        import settings

        ours = settings.load()
        given.database_url = given.database_url or ours.database_url
        given.checkpoints = given.checkpoints or Path(ours.data_dir) / audit_check.CHECKPOINTS
        given.public_key = given.public_key or Path(ours.data_dir) / audit_check.PUBLIC_KEY
    try:
        verdict = asyncio.run(audit_check.verify_files(given.database_url, given.checkpoints, given.public_key))
    except (OSError, ValueError) as error:
        print(f"cannot verify: {error}; check the database URL and both files", file=sys.stderr)
        return 2
    print(verdict.message)
    return verdict.exit_code


if __name__ == "__main__":
    raise SystemExit(main())
