"""Measures the reports of a large desk: reading its history, every section of the page, and exports.

    python -m benchmarks.reports                              # 100 000 conversations on SQLite
    python -m benchmarks.reports --conversations 20000
    python -m benchmarks.reports --conversations 2000 --facts-times 50  # as many facts, without waiting for the follower
    python -m benchmarks.reports --url postgresql+asyncpg://… # an empty database; asked without HTTP

A section is asked as the page asks: every figure by day with its total and its change, and by one dimension. Prints one
JSON object last.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import statistics
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import func, select, text

from benchmarks.reports_history import create_everything, fill, tell_on_screen
from conversations.model import utc_now
from conversations.sealing import Keyring
from conversations.sight import EVERYTHING
from conversations.store import Database
from conversations.work_leases import WorkLeases
from handoff.roles import Role
from personal_data.masks import masked
from reporting.catalogue import METRICS
from reporting.exports import Format, export_of
from reporting.following import FactFollower
from reporting.query import Query
from reporting.reports import Reports
from reporting.tables import FACTS
from tests.handoff.desk import open_desk

ZONE = ZoneInfo("Asia/Shanghai")
GOAL_SECONDS = 1.5
_BREAKDOWNS = ("article", "served", "reason", "intent", "agent", "channel")
#: Asks one page: its questions together, as the console does.
Ask = Callable[[list[Query]], Awaitable[None]]


def sections(days: int) -> dict[str, list[Query]]:
    """The questions of each section of the page for so many days."""
    until = utc_now().astimezone(ZONE).date()
    since = until - timedelta(days=days - 1)
    found: dict[str, list[Query]] = defaultdict(list)
    for metric in METRICS.values():
        found[metric.group].append(Query(metric.key, since, until, by="day"))
        breakdown = next(one for one in _BREAKDOWNS if one in metric.dimensions)
        found[metric.group].append(Query(metric.key, since, until, by=breakdown, top=10))
    return dict(found)


@asynccontextmanager
async def desk(url: str) -> AsyncIterator[tuple[Database, Callable[[], Awaitable[Ask]]]]:
    """A database and what asks it: over HTTP where the desk can be had whole, else the reports themselves."""
    if url:
        database = Database.open(url)
        database.lend_keys(Keyring(os.urandom(32)))
        await create_everything(database)
        reports = Reports(database, WorkLeases(database), ZONE)

        async def directly(queries: list[Query]) -> None:
            for query in queries:
                await reports.answer(query, EVERYTHING)

        async def own() -> Ask:
            return directly

        yield database, own
        await database.close()
        return
    with tempfile.TemporaryDirectory() as folder:
        async with open_desk(Path(folder)) as whole:

            async def signed_in() -> Ask:
                boss = await whole.browser("Grace", Role.SUPERVISOR)

                async def over_http(queries: list[Query]) -> None:
                    response = await boss.post("reports/figures", {"queries": [one.form() for one in queries]})
                    assert response.status_code == 200, response.text
                    assert all("error" not in one for one in response.json()["answers"])

                return over_http

            yield whole.database, signed_in


async def read_history(database: Database, conversations: int) -> dict[str, float]:
    """How fast the follower makes the facts of everything, and then looks once more for what trainers said."""
    follower = FactFollower(database, WorkLeases(database), ZONE)
    found: dict[str, float] = {}
    for name, step in (("facts", follower.step), ("labels", follower.step_of_labels)):
        began = time.perf_counter()
        steps = 0
        while await step():
            steps += 1
            if steps % 500 == 0:
                print(f"  {name}: {steps * 200:>9,} entries", file=sys.stderr, flush=True)
        seconds = time.perf_counter() - began
        found |= {f"{name}_s": round(seconds, 1), f"{name}_conversations_per_s": round(conversations / seconds)}
    return found


async def multiply(database: Database, times: int) -> None:
    """Keep every fact so many times, each with ids of its own: pages are counted from nothing else."""
    ids = {"conversation_id", "message_id", "turn_id", "episode_id", "wait_id"}
    for number in range(1, times):
        async with database.write() as connection:
            for table in FACTS.values():
                copied = [
                    func.substr(one, 1, 27).concat(f"-{number:04d}") if one.name in ids else one
                    for one in table.columns
                ]
                old = func.substr(table.c.conversation_id, 28, 1) != "-"
                await connection.execute(
                    table.insert().from_select([one.name for one in table.columns], select(*copied).where(old))
                )
    async with database.write() as connection:
        if not database.is_sqlite:
            await connection.execute(text("ANALYZE"))


async def ask_sections(ask: Ask, rounds: int) -> dict[str, Any]:
    """Median and longest seconds of each section, over 30 and over 90 days."""
    found: dict[str, Any] = {}
    for days in (30, 90):
        for section, queries in sections(days).items():
            taken, worked = [], []  # the processor's time is not changed by other work on the machine
            for _ in range(rounds):
                began, used = time.perf_counter(), time.process_time()
                await ask(queries)
                taken.append(time.perf_counter() - began)
                worked.append(time.process_time() - used)
            figures = {
                "queries": len(queries),
                "p50_s": round(statistics.median(taken), 3),
                "max_s": round(max(taken), 3),
                "cpu_p50_s": round(statistics.median(worked), 3),
            }
            found[f"{section}_{days}d"] = figures
            print(f"{section:<14} {days:>3} days  {figures}", flush=True)
    return found


async def export(database: Database, kind: str, form: Format) -> dict[str, float]:
    """Rows a second of a whole export, and by how much the process grew meanwhile."""
    until = utc_now().astimezone(ZONE).date()
    period = {"since": str(until - timedelta(days=89)), "until": str(until)}
    found = export_of(
        kind, period, EVERYTHING, {}, lambda _column, value, name: masked(value, names=(name or "",)).text
    )
    rows = await found.count(database)
    before = largest = _resident()
    size, began, counted = 0, time.perf_counter(), time.process_time()
    async for piece in found.written(database, form):
        size += len(piece)
        largest = max(largest, _resident())
    seconds = time.perf_counter() - began
    return {
        "rows": rows,
        "seconds": round(seconds, 1),
        "rows_per_s": round(rows / seconds),
        "cpu_s": round(time.process_time() - counted, 1),
        "mb": round(size / 1e6, 1),
        "grew_mb": round((largest - before) / 1e6, 1),
    }


def _resident() -> int:
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")


async def measure(
    url: str, conversations: int, rounds: int, exports: Sequence[str], facts_times: int = 1
) -> dict[str, Any]:
    """Fill, read, ask, export."""
    found: dict[str, Any] = {"conversations": conversations, "database": "postgresql" if url else "sqlite"}
    async with desk(url) as (database, asker):
        began = time.perf_counter()
        found["filled"] = await fill(database, conversations, utc_now(), tell=tell_on_screen)
        found["fill_s"] = round(time.perf_counter() - began, 1)
        found["follower"] = await read_history(database, conversations)
        print(f"follower: {found['follower']}", flush=True)
        if facts_times > 1:
            await multiply(database, facts_times)
            found["conversations"] = conversations * facts_times
        found["sections"] = await ask_sections(await asker(), rounds)
        found["exports"] = {}
        for kind in exports:
            for form in (Format.CSV, Format.XLSX):
                figures = await export(database, kind, form)
                found["exports"][f"{kind}_{form.value}"] = figures
                print(f"export of {kind} as {form.value}: {figures}", flush=True)
    found["slowest_s"] = max(one["max_s"] for one in found["sections"].values())
    found["within_goal"] = found["slowest_s"] <= GOAL_SECONDS
    return found


def main(arguments: Sequence[str] | None = None) -> None:
    """The command."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.reports", description="Measure the reports.")
    parser.add_argument("--conversations", type=int, default=100_000)
    parser.add_argument("--facts-times", type=int, default=1, help="keep the facts so many times, for the pages")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--exports", nargs="*", default=["conversations", "messages"])
    parser.add_argument("--url", default="", help="an empty PostgreSQL database; empty: SQLite in a temporary folder")
    options = parser.parse_args(arguments)
    found = measure(options.url, options.conversations, options.rounds, options.exports, options.facts_times)
    print(json.dumps(asyncio.run(found)))


if __name__ == "__main__":
    main()
