"""Bring the database up to date and, where ``DEMO`` is on, load the demo shop: customers and orders, and the articles into the index.

Articles that came from elsewhere stay: this runs at every start of the container and after every upgrade.
"""

from __future__ import annotations

import asyncio
import sys
from datetime import date
from pathlib import Path
from zoneinfo import ZoneInfo

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

import env_file
import settings as desk_settings
from conversations.audit import AuditLog
from conversations.key_rotation import open_keys
from conversations.model import utc_now
from conversations.store import Database
from crm.codes import MailboxCodeSender
from crm.demo import load_demo
from crm.store import SqlCrm
from handoff.demo import ensure_demo_staff
from handoff.demo_history import load_history
from handoff.learning.demo_limits import load_limit_cases
from handoff.learning.demo_mishaps import load_mishaps
from handoff.ratings.demo_ratings import load_rated
from handoff.sign_in import SignIn
from handoff.store import StaffStore
from knowledge_base.importing import find_sources, read_sources
from knowledge_base.knowledge_base import KnowledgeBase
from knowledge_base.library import Library
from knowledge_base.library_store import LibraryStore
from migrations.schema import migrate


def show(done: int, total: int) -> None:
    """One line that counts up on a terminal, and a line per hundred elsewhere."""
    if sys.stdout.isatty():
        print(f"\r      encoding passages {done}/{total}", end="\n" if done == total else "", flush=True)
    elif done == total or done % 100 == 0:
        print(f"      encoding passages {done}/{total}", flush=True)


async def load_conversations(database: Database, settings: desk_settings.Settings) -> int:
    """What the demo's agents answered in the past weeks, and what was thought of it."""
    store = StaffStore(database)
    await ensure_demo_staff(store, SignIn(store).passwords, settings.demo_password)
    found = [await store.find_by_email(email) for email in ("agent@kite.example", "sam@kite.example")]
    agents = [one[0].agent for one in found if one is not None]
    audit = AuditLog(await open_keys(database, settings.wrapping_keys))
    talked = await load_history(database, audit, agents[0], utc_now)
    talked += await load_mishaps(database, audit, agents[0], utc_now)
    await load_limit_cases(database, utc_now)
    return talked + await load_rated(database, audit, agents, utc_now)


async def main() -> None:
    env_file.ensure_secrets(env_file.data_folder())
    settings = desk_settings.load()
    database = Database.open(settings.database_url)
    await migrate(database.engine)
    if not settings.demo:
        await database.close()
        print("      DEMO is off: no customers, orders and articles of the demo shop", flush=True)
        return
    crm = SqlCrm(
        database.engine, MailboxCodeSender(settings.data_dir / "demo_mailbox.jsonl"), b"loads data only, sends nothing"
    )
    new_rows = await load_demo(crm, date.today())  # noqa: DTZ011  (a shop's calendar day, not a moment)
    talked = await load_conversations(database, settings)
    print(f"      past conversations: {talked} new", flush=True)
    print(f"      customers, orders, tickets: {new_rows} new rows", flush=True)
    knowledge_base = await KnowledgeBase.open(settings.index_home, settings.qdrant_url, settings.encoder)
    articles, problems = read_sources(
        find_sources([ROOT / "knowledge_base" / "articles"]), ZoneInfo(settings.time_zone)
    )
    if problems:
        raise problems[0]
    report = await Library(LibraryStore(database.engine), knowledge_base).load(articles, show, complete=False)
    await knowledge_base.close()
    await database.close()
    print(
        f"      articles: {len(report.added)} new, {len(report.updated)} changed, {report.unchanged} as before; {report.passages} passages",
        flush=True,
    )


if __name__ == "__main__":
    asyncio.run(main())
