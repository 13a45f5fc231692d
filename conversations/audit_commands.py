"""``python -m conversations.audit export``: a signed bundle from the command line, noted in the trail like one from the page."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

from sqlalchemy.exc import SQLAlchemyError

from conversations.audit import AuditEntry, AuditLog
from conversations.audit_bundle import Bundler, Scope, fingerprint_of
from conversations.key_rotation import open_keys
from conversations.model import utc_now
from conversations.store import Database


def add_export_options(parser: argparse.ArgumentParser) -> None:
    """Describe the command."""
    parser.add_argument("file", type=Path, help="the .zip to write")
    parser.add_argument("--conversation", help="only this conversation's entries, by its id")
    parser.add_argument("--alone", action="store_true", help="without the entries in between; proves less")
    parser.add_argument("--since", type=_moment, help="from this moment on, as 2026-01-31T00:00+08:00")
    parser.add_argument("--until", type=_moment, help="before this moment")
    parser.add_argument("--opened", action="store_true", help="with personal parts readable; needs --reason")
    parser.add_argument("--reason", default="", help="why, for the trail")
    parser.add_argument("--database-url", help="default: the service's settings")
    parser.add_argument("--data-dir", type=Path, help="where audit/ with key and checkpoints is; default: the settings")


async def export(given: argparse.Namespace, keys: Sequence[bytes]) -> int:
    """Write a bundle, with ``keys`` to open what is sealed; raises ``ValueError`` or ``OSError`` for what cannot be read or written."""
    if given.opened and not given.reason.strip():
        raise ValueError("--opened needs --reason")
    if given.conversation and (given.since or given.until):
        raise ValueError("a conversation is exported as a whole; leave out --since and --until")
    database = Database.open(given.database_url)
    try:
        log = AuditLog(await open_keys(database, keys) if given.opened else bytes(32))
        scope = Scope(given.conversation, given.since, given.until, linked=not given.alone, opened=given.opened)
        bundler = Bundler(database, log, given.data_dir)
        key = bundler.key()
        data = (
            scope.form() | {"by": "command line"} | ({"reason": given.reason.strip()} if given.reason.strip() else {})
        )
        async with database.write(prepared=False) as connection:
            await log.append(connection, utc_now(), [AuditEntry("audit_exported", "system", data=data)])
        written = 0
        with given.file.open("xb") as file:
            async for piece in bundler.pieces(scope, utc_now()):
                file.write(piece)
                if written // 10_000_000 != (written + len(piece)) // 10_000_000:
                    print(f"{(written + len(piece)) // 1_000_000} MB", file=sys.stderr)
                written += len(piece)
    except SQLAlchemyError as error:
        raise ValueError(f"the database cannot be read: {str(error).splitlines()[0]}") from error
    finally:
        await database.close()
    print(f"{given.file}: {written} bytes; fingerprint of the key: {fingerprint_of(key)}")
    return 0


def _moment(text: str) -> datetime:
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise argparse.ArgumentTypeError(f"say the time zone, as {text}+08:00")
    return moment
