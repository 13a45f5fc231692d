"""``python -m handoff staff add|list|password|activate|deactivate``: who may sign in to the desk."""

from __future__ import annotations

import argparse
import asyncio
import getpass
import sys
from collections.abc import Sequence

from sqlalchemy.exc import DBAPIError

import settings
from conversations.model import utc_now
from conversations.store import Database
from handoff.errors import StaffError, UnknownStaff
from handoff.roles import Role
from handoff.sign_in import Passwords, check_password
from handoff.store import StaffStore


def main(arguments: Sequence[str] | None = None, database_url: str | None = None) -> int:
    """Run one command; 0 when done, 1 when it could not be, with the reason on standard error."""
    options = _parser().parse_args(arguments)
    url = database_url or settings.load().database_url
    try:
        asyncio.run(_run(options, url))
    except StaffError as error:
        print(f"Not done: {error}.", file=sys.stderr)
        return 1
    except (DBAPIError, OSError) as error:
        reason = str(getattr(error, "orig", error)).splitlines()[0]
        print(
            f"Not done: {reason}. Start the desk once so that it creates its database, and check DATABASE_URL.",
            file=sys.stderr,
        )
        return 1
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m handoff", description="Members of staff.")
    staff = parser.add_subparsers(required=True).add_parser("staff", help="who may sign in")
    commands = staff.add_subparsers(dest="command", required=True)
    add = commands.add_parser("add", help="a new member; asks for the password, or reads it from standard input")
    add.add_argument("email")
    add.add_argument("name")
    add.add_argument("--role", choices=[role.value for role in Role], default=Role.AGENT.value)
    add.add_argument("--languages", default="zh,en", help="comma separated, for example zh,en")
    commands.add_parser("list", help="everybody, with role and state")
    for command, text in (
        ("password", "a new password; ends all sessions of the member"),
        ("activate", "open a closed account again"),
        ("deactivate", "close an account and end its sessions"),
    ):
        commands.add_parser(command, help=text).add_argument("email")
    return parser


async def _run(options: argparse.Namespace, url: str) -> None:
    database = Database.open(url)
    try:
        store, passwords = StaffStore(database), Passwords()
        if options.command == "add":
            hashed = await passwords.hash(_ask_password())
            languages = [part.strip() for part in options.languages.split(",") if part.strip()]
            member = await store.add(options.email, options.name, Role(options.role), hashed, languages, utc_now())
            print(f"{member.name} <{member.email}> can sign in as {member.role}.")
        elif options.command == "list":
            for member in await store.all_staff():
                state = "" if member.active else "  (deactivated)"
                print(f"{member.role:<11} {member.email:<32} {member.name}{state}")
        elif options.command == "password":
            found = await store.find_by_email(options.email)
            if found is None:
                raise UnknownStaff(f"nobody here has the address {options.email}; `staff list` shows who has")
            await store.set_password_hash(found[0].id, await passwords.hash(_ask_password()), end_sessions=True)
            print(f"{found[0].email} has a new password and is signed out everywhere.")
        else:
            member = await store.set_active(options.email, options.command == "activate")
            print(f"{member.email} is {'active' if options.command == 'activate' else 'deactivated and signed out'}.")
    finally:
        await database.close()


def _ask_password() -> str:
    password = getpass.getpass("New password: ") if sys.stdin.isatty() else sys.stdin.readline().rstrip("\n")
    check_password(password)
    if sys.stdin.isatty() and getpass.getpass("Once more: ") != password:
        raise StaffError("the two passwords differ; start again")
    return password


if __name__ == "__main__":
    sys.exit(main())
