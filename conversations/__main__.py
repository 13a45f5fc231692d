"""What an operator does about messages and deliveries that went wrong, without a running desk.

    python -m conversations set-aside             messages whose turn broke too often
    python -m conversations release MESSAGE_ID    let the bot try one again
    python -m conversations dead-letters          deliveries that were given up
    python -m conversations replay OUTBOX_ID      try one again
    python -m conversations keys status           which wrapping keys are in use
    python -m conversations keys rotate           wrap contacts' keys by the first of FIELD_KEYS
    python -m conversations keys rotate --fields  the same, and seal everything with new keys of contacts

A running desk takes up what was released within a second.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict
from typing import Any

import settings as desk_settings
from conversations.audit import AuditLog
from conversations.conversations import Conversations
from conversations.errors import ConversationError, SendError
from conversations.hub import LocalHub
from conversations.key_rotation import KeyRotation, Rotated, open_keys
from conversations.key_rotation_store import KeyRotationStore
from conversations.model import Address, OutboundMessage
from conversations.outbox import Outbox
from conversations.sealed_tables import keys_of
from conversations.store import Database


async def _nowhere(_address: Address, _message: OutboundMessage) -> str:
    raise SendError("this command sends nothing; the running desk does")


async def operate(conversations: Conversations, command: str, id: str = "") -> list[str]:
    """Do what the command says; returns the lines to print. Raises a ``ConversationError``."""
    outbox = Outbox(conversations, _nowhere)
    if command == "set-aside":
        lines = [
            f"{one.message_id}  {one.received_at:%Y-%m-%d %H:%M}  {one.channel}/{one.account}  "
            f"conversation {one.conversation_id}  {one.attempts} attempts  {one.reason}"
            for one in await conversations.set_aside()
        ]
        return lines or ["No message is set aside. 没有被搁置的消息。"]
    if command == "release":
        await conversations.release_message(id)
        return [f"{id} is in line for the bot again. 已重新交给机器人处理。"]
    if command == "dead-letters":
        lines = ["  ".join((row[0], row[1], row[2], row[3] or "")) for row in await outbox.dead_letters()]
        return lines or ["No delivery was given up. 没有放弃投递的消息。"]
    if not await outbox.replay(id):
        raise ConversationError(f"{id} is not a dead letter; `python -m conversations dead-letters` lists them")
    return [f"{id} will be sent again. 将重新投递。"]


async def change_keys(database: Database, fields: bool, progress: Callable[[str], None]) -> dict[str, Any]:
    """Rotate keys while the desk runs; returns what was done."""
    began = time.monotonic()
    done, rotation = Rotated(), KeyRotation(database, progress=progress)
    await rotation.wrap_anew(done)
    if fields:
        await rotation.change_keys(done)
    return {**asdict(done), **await key_status(database), "seconds": round(time.monotonic() - began, 1)}


async def key_status(database: Database) -> dict[str, Any]:
    """How many contacts' keys each wrapping key wraps, by its name; an empty name is from before there were names."""
    async with database.read() as connection:
        store = KeyRotationStore(connection)
        return {
            "in_use": await store.wrapped_by(),
            "in_force": keys_of(connection.dialect).current,
            "older_values_sealed": not await store.with_older(),
            "rotation_unfinished": await store.unfinished() is not None,
        }


async def _main(given: argparse.Namespace) -> int:
    settings = desk_settings.load()
    database = Database.open(settings.database_url)
    conversations = Conversations(database, LocalHub(), AuditLog(await open_keys(database, settings.wrapping_keys)))
    try:
        if given.command == "keys":
            fields = given.what == "rotate" and given.fields
            status = await (change_keys(database, fields, print) if given.what == "rotate" else key_status(database))
            print(json.dumps(status))
            return 0
        lines = await operate(conversations, given.command, getattr(given, "id", ""))
    except ConversationError as error:
        print(f"{error}", file=sys.stderr)
        return 1
    finally:
        await database.close()
    print("\n".join(lines))
    return 0


def main(arguments: Sequence[str] | None = None) -> int:
    """The command."""
    parser = argparse.ArgumentParser(prog="python -m conversations", description="Messages that went wrong.")
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("set-aside", help="list messages whose turn broke too often")
    commands.add_parser("release", help="let the bot try one again").add_argument("id")
    commands.add_parser("dead-letters", help="list deliveries that were given up")
    commands.add_parser("replay", help="try one again").add_argument("id")
    keys = commands.add_parser("keys", help="the keys that seal contacts' data").add_subparsers(
        dest="what", required=True
    )
    keys.add_parser("status", help="which wrapping keys are in use, by name")
    rotate = keys.add_parser("rotate", help="wrap contacts' keys by the first of FIELD_KEYS")
    rotate.add_argument("--fields", action="store_true", help="also make new keys and seal everything with them")
    return asyncio.run(_main(parser.parse_args(arguments)))


if __name__ == "__main__":
    raise SystemExit(main())
