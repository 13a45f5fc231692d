"""``python -m crm demo-load``: put the demo shop's customers and orders into the database."""

from __future__ import annotations

import argparse
import asyncio
import secrets
import sys
from datetime import date
from pathlib import Path

from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import create_async_engine

from crm.codes import MailboxCodeSender
from crm.demo import load_demo
from crm.model import utc_now
from crm.store import SqlCrm, create_tables


async def demo_load(url: str, today: date, reset: bool) -> int:
    """Load the demo shop into the database at ``url``; says how many rows were new."""
    engine = create_async_engine(url)
    try:
        await create_tables(engine)
        crm = SqlCrm(engine, MailboxCodeSender(Path("unused")), secrets.token_bytes(32))
        if reset:
            await crm.clear()
        return await load_demo(crm, today)
    finally:
        await engine.dispose()


def main() -> None:
    """Read the command line and run it."""
    parser = argparse.ArgumentParser(prog="python -m crm", description="the demo shop's customers and orders")
    parser.add_argument("command", choices=["demo-load"])
    parser.add_argument("--database-url", help="default: DATABASE_URL of the settings")
    parser.add_argument("--today", type=date.fromisoformat, help="YYYY-MM-DD; dates are counted back from it")
    parser.add_argument("--reset", action="store_true", help="delete the CRM's tables' content first")
    arguments = parser.parse_args()
    url = arguments.database_url
    if not url:
        import settings

        url = settings.load().database_url
    today = arguments.today or utc_now().date()
    try:
        added = asyncio.run(demo_load(url, today, arguments.reset))
    except (SQLAlchemyError, OSError) as error:
        sys.exit(
            f"The demo shop could not be loaded ({type(error).__name__}). Is the database at DATABASE_URL running?"
        )
    print(f"Demo shop: {added} new rows." if added else "Demo shop: already there.")


if __name__ == "__main__":
    main()
