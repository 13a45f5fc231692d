"""``python -m handoff keys add|list|revoke``: which programs may use the API. ``python -m handoff staff add|list|password|activate|deactivate|reset-second-factor|allow-password|unlink``: who may sign in to the desk."""

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
from handoff.access.identity_store import IdentityStore
from handoff.access.key_commands import add_key_commands, run_key_command
from handoff.access.second_factor_store import SecondFactorStore
from handoff.errors import StaffError
from handoff.lockout import Lockout
from handoff.roles import Role
from handoff.sign_in import Passwords, check_password
from handoff.store import StaffStore

#: The page shows the form for passwords there, also where passwords are off.
SIGN_IN_PATH = "/staff/?password"


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
    parser = argparse.ArgumentParser(prog="python -m handoff", description="Members of staff and API keys.")
    subjects = parser.add_subparsers(dest="subject", required=True)
    add_key_commands(subjects.add_parser("keys", help="which programs may use the API"))
    staff = subjects.add_parser("staff", help="who may sign in")
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
        ("reset-second-factor", "let somebody who lost phone and recovery codes sign in with the password alone"),
    ):
        commands.add_parser(command, help=text).add_argument("email")
    allow = commands.add_parser(
        "allow-password", help="where PASSWORD_SIGN_IN is off: take a member's password for a while"
    )
    allow.add_argument("email")
    allow.add_argument("--minutes", type=int, choices=range(1, 24 * 60 + 1), default=60, metavar="1-1440")
    commands.add_parser("unlink", help="match a member anew at their next sign-in with the provider").add_argument(
        "email"
    )
    return parser


async def _run(options: argparse.Namespace, url: str) -> None:
    database = Database.open(url)
    try:
        if options.subject == "keys":
            await run_key_command(options, database)
            return
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
            member = await store.get_by_email(options.email)
            await store.set_password_hash(member.id, await passwords.hash(_ask_password()), end_sessions=True)
            await Lockout(store).forget_everywhere("account", member.email)
            print(f"{member.email} has a new password and is signed out everywhere.")
        elif options.command == "reset-second-factor":
            member = await store.get_by_email(options.email)
            had = await SecondFactorStore(database).remove(member.id)
            await store.close_sessions_of(member.id)
            state = "no longer has a second factor" if had else "had no second factor"
            print(f"{member.email} {state} and is signed out everywhere.")
        elif options.command == "allow-password":
            member = await store.allow_password(options.email, utc_now(), options.minutes)
            print(f"{member.email} can sign in with their password at {SIGN_IN_PATH} for {options.minutes} minutes.")
        elif options.command == "unlink":
            member = await store.get_by_email(options.email)
            had = await IdentityStore(database).unlink(member.id)
            print(f"{member.email} {'is linked to no account of a provider now' if had else 'was linked to none'}.")
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
