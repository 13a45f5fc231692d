"""``python -m crm demo-load``: put the demo shop's customers and orders into the database; ``ship``: send one of them off."""

from __future__ import annotations

import argparse
import asyncio
import secrets
import sys
from datetime import date
from pathlib import Path

import httpx
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from crm.codes import MailboxCodeSender
from crm.demo import load_demo
from crm.errors import AlreadyShipped, NotFound
from crm.model import utc_now
from crm.shipping_store import ship_order
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


async def ship(engine: AsyncEngine, number: str, service: str, api_key: str) -> str:
    """Ship an order, and tell the desk, which tells the customer; returns what is to be said of it."""
    carrier, tracking, expected = await ship_order(engine, number, utc_now())
    event = {
        "type": "order_shipped",
        "order": number,
        "data": {"carrier": carrier, "tracking": tracking, "expected": expected},
        "idempotency_key": f"shipped-{number}",
    }
    async with httpx.AsyncClient(timeout=10, trust_env=False) as http:
        headers = {"authorization": f"Bearer {api_key}"}
        response = await http.post(f"{service.rstrip('/')}/api/v1/events", json=event, headers=headers)
    if response.status_code != 202:
        sys.exit(f"{number} is shipped, but the desk answered {response.status_code}: {response.text[:300]}")
    return (
        f"{number} is shipped with {carrier} ({tracking}). The desk tells the customer: event {response.json()['id']}."
    )


async def _ship_in(url: str, number: str, service: str, api_key: str) -> str:
    engine = create_async_engine(url)
    try:
        return await ship(engine, number, service, api_key)
    finally:
        await engine.dispose()


def _ship(arguments: argparse.Namespace, url: str) -> None:
    import settings

    if not arguments.order:
        sys.exit("Name the order that is to be shipped: python -m crm ship KT20260301")
    loaded = settings.load()
    key = arguments.api_key or next(iter(loaded.rest_api_keys), "")
    if not key:
        sys.exit("The desk takes events with an API key only: set REST_API_KEYS, or give one with --api-key.")
    try:
        print(asyncio.run(_ship_in(url, arguments.order.upper(), arguments.service or loaded.public_url, key)))
    except NotFound:
        sys.exit(f"There is no order {arguments.order}. `python -m crm demo-load` loads the demo shop.")
    except AlreadyShipped:
        sys.exit(f"{arguments.order} cannot be shipped: it is not paid, has left already, or was cancelled.")
    except (SQLAlchemyError, OSError, httpx.HTTPError) as error:
        sys.exit(f"Not done ({type(error).__name__}). Are the database and the service running?")


def main() -> None:
    """Read the command line and run it."""
    parser = argparse.ArgumentParser(prog="python -m crm", description="the demo shop's customers and orders")
    parser.add_argument("command", choices=["demo-load", "ship"])
    parser.add_argument("order", nargs="?", help="ship: its number")
    parser.add_argument("--service", help="ship: where the desk answers; default: PUBLIC_URL of the settings")
    parser.add_argument("--api-key", help="ship: default: the first of REST_API_KEYS")
    parser.add_argument("--database-url", help="default: DATABASE_URL of the settings")
    parser.add_argument("--today", type=date.fromisoformat, help="YYYY-MM-DD; dates are counted back from it")
    parser.add_argument("--reset", action="store_true", help="delete the CRM's tables' content first")
    arguments = parser.parse_args()
    url = arguments.database_url
    if not url:
        import settings

        url = settings.load().database_url
    if arguments.command == "ship":
        _ship(arguments, url)
        return
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
