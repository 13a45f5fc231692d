"""``python -m handoff keys add|list|revoke``: API keys from the command line."""

from __future__ import annotations

import argparse

from conversations.audit import AuditEntry, AuditLog
from conversations.model import utc_now
from conversations.store import Database
from handoff.access.api_key_store import ApiKey, ApiKeyStore
from handoff.access.api_keys import SCOPES, ApiKeys, told


def add_key_commands(parser: argparse.ArgumentParser) -> None:
    """Describe the commands."""
    commands = parser.add_subparsers(dest="command", required=True)
    add = commands.add_parser("add", help="a new key, printed once")
    add.add_argument("--name", required=True, help="the program that uses it")
    add.add_argument("--scope", required=True, help=f"comma separated, of {', '.join(SCOPES)}")
    add.add_argument("--expires-days", type=int, help="how long it lasts; left out: until it is revoked")
    commands.add_parser("list", help="all keys, newest first, without the keys themselves")
    commands.add_parser("revoke", help="end a key at once").add_argument("id", help="as `keys list` shows it")


async def run_key_command(options: argparse.Namespace, database: Database) -> None:
    """Run one of the commands; raises ``BadKey``."""
    keys = ApiKeys(ApiKeyStore(database))
    if options.command == "add":
        scopes = [part.strip() for part in options.scope.split(",") if part.strip()]
        key, text = await keys.add(options.name, scopes, "command line", options.expires_days)
        await _record(database, "api_key_added", key)
        print(text)
        print(f"The key of {key.name} opens {', '.join(key.scopes)}. It is shown only now; its id is {key.id}.")
    elif options.command == "revoke":
        key = await keys.revoke(options.id)
        await _record(database, "api_key_revoked", key)
        print(f"The key of {key.name} no longer opens anything.")
    else:
        for key in await keys.everything():
            state = "works" if key.works_at(utc_now()) else "revoked" if key.revoked_at else "expired"
            used = f"{key.last_used_at:%Y-%m-%d %H:%M}" if key.last_used_at else "never used"
            print(f"{key.id}  {key.begins_with}…  {state:<8} {used:<16}  {','.join(key.scopes)}  {key.name}")


async def _record(database: Database, kind: str, key: ApiKey) -> None:
    # Nothing here is personal, so nothing is sealed and the key is never used.
    log = AuditLog(bytes(32))
    async with database.write() as connection:
        await log.append(connection, utc_now(), [AuditEntry(kind, "system", data=told(key) | {"by": "command line"})])
