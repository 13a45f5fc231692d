"""Measures the trainers' inbox: how pure its groups are, and how long its lists take.

    python -m benchmarks.inbox                       # both
    python -m benchmarks.inbox --items 50000         # of so many messages
    python -m benchmarks.inbox --url postgresql+asyncpg://…

Purity is measured on the held-out lines of ``nlu_data/test``: a group is pure where its messages have one intent. Prints
one JSON object last.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import random
import re
import statistics
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np
import yaml
from sqlalchemy import insert

from conversations.model import new_id, utc_now
from conversations.store import Database
from knowledge_base.encoder import UseEncoder
from learning.grouping import JOINS_FROM, MERGES_FROM, WIDTH, Centres, join_or_lead
from learning.inbox_list_store import Filters, InboxListStore
from learning.inbox_store import InboxStore, create_tables
from learning.inbox_tables import mishap_groups, mishaps
from learning.reasons import Reason

ROOT = Path(__file__).resolve().parent.parent


def held_out() -> list[tuple[str, str, str]]:
    """Language, intent and text of every held-out line, shuffled the same way every time."""
    found = []
    for language in ("en", "zh"):
        content = yaml.safe_load((ROOT / "nlu_data" / "test" / f"{language}.yml").read_text(encoding="utf-8"))
        for block in content["nlu"]:
            for line in str(block.get("examples") or "").splitlines():
                text = re.sub(r"^\s*-\s?", "", line).strip()
                if text and "intent" in block:
                    found.append((language, str(block["intent"]), text))
    random.Random(3).shuffle(found)  # the same every time is what is wanted
    return found


def grouped(vectors: Any, joins: float, merges: float) -> list[list[int]]:
    """The groups of all lines, merged until nothing is close any more."""
    centres = Centres()
    members: dict[str, list[int]] = {}
    for place, vector in enumerate(vectors):
        members.setdefault(join_or_lead(centres, vector, str(place), joins), []).append(place)
    while True:
        ids = list(members)
        means = np.stack([vectors[members[one]].mean(axis=0) for one in ids])
        pairs = Centres(ids, means, [len(members[one]) for one in ids]).close_pairs(merges, [0] * len(ids))
        if not pairs:
            return list(members.values())
        for kept, other in pairs:
            members[kept] += members.pop(other)


def purity(joins: float = JOINS_FROM, merges: float = MERGES_FROM) -> dict[str, Any]:
    """How well the groups of the held-out lines keep to one intent, and to one wish in both languages."""
    lines = held_out()
    vectors = UseEncoder().questions([text for _, _, text in lines])
    groups = grouped(vectors, joins, merges)
    several = [group for group in groups if len(group) > 1]

    def agreeing(listed: Sequence[Sequence[int]]) -> float:
        most = sum(max(Counter(lines[place][1] for place in group).values()) for group in listed)
        return round(most / max(1, sum(map(len, listed))), 4)

    return {
        "joins_from": joins,
        "merges_from": merges,
        "lines": len(lines),
        "groups": len(groups),
        "purity": agreeing(groups),
        "groups_of_several": len(several),
        "purity_of_several": agreeing(several),
        "lines_in_groups_of_several": sum(map(len, several)),
        "in_both_languages": sum(len({lines[place][0] for place in group}) > 1 for group in several),
    }


async def lists(url: str, items: int, groups: int) -> dict[str, Any]:
    """How long the page of groups takes with so many messages, in milliseconds."""
    database = Database.open(url)
    await database.create_tables()
    await create_tables(database)
    dice, now = random.Random(7), utc_now()  # the same every time is what is wanted
    ids = [new_id() for _ in range(groups)]
    centre = np.zeros(WIDTH, np.float32).tobytes()
    await _fill(database, mishap_groups, [
        {"id": one, "state": "new", "medoid": one, "centre": centre, "weight": 1, "created_at": now, "revision": 0, "first_at": now, "last_at": now} for one in ids
    ])  # fmt: skip
    reasons, spread = (
        [int(one) for one in Reason],
        [int(groups * dice.random() ** 3) for _ in range(items)],
    )
    await _fill(database, mishaps, [
        {
            "message_id": new_id(), "group_id": ids[spread[number]], "state": "new", "conversation_id": new_id(), "seq": 1,
            "contact_id": f"{dice.randrange(items // 2):032x}", "episode_id": new_id(), "channel": dice.choice(["webchat", "wechat"]),
            "language": dice.choice(["zh", "en"]), "at": now - timedelta(minutes=dice.randrange(100_000)),
            "reasons": dice.choice(reasons) | dice.choice(reasons), "rating": dice.choice([None, 1, 2, 5]),
            "handed_off": dice.random() < 0.3, "arrived": number,
        }
        for number in range(items)
    ])  # fmt: skip
    for one in sorted({ids[place] for place in spread}):
        async with database.write() as connection:
            await InboxStore(connection).settle(one)
    took: dict[str, float] = {}
    for name, filters, sort in (
        ("frequent", Filters(), "frequent"),
        ("newest", Filters(), "newest"),
        ("cost", Filters(), "cost"),
        ("filtered", Filters(reasons=Reason.HANDED_OFF, language="zh", since=now - timedelta(days=30)), "frequent"),
    ):
        times = []
        for _ in range(9):
            began = time.perf_counter()
            async with database.read() as connection:
                listed, _ = await InboxListStore(connection).groups(filters, sort, 50)
            times.append((time.perf_counter() - began) * 1000)
            assert len(listed) == 50
        took[name] = round(statistics.median(times), 1)
    await database.close()
    return {"items": items, "groups": len(set(spread)), "list_ms": took}


async def _fill(database: Database, table: Any, rows: list[dict[str, Any]]) -> None:
    for start in range(0, len(rows), 1000):
        async with database.write() as connection:
            await connection.execute(insert(table), rows[start : start + 1000])


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure, and print what was found."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.inbox", description="Measure the trainers' inbox.")
    parser.add_argument("--items", type=int, default=50_000)
    parser.add_argument("--groups", type=int, default=4_000)
    parser.add_argument("--url", default="", help="an empty database; empty: SQLite in a temporary folder")
    parser.add_argument("--only", choices=["purity", "lists"])
    options = parser.parse_args(arguments)
    found: dict[str, Any] = {}
    if options.only != "lists":
        found["purity"] = purity()
    if options.only != "purity":
        with tempfile.TemporaryDirectory() as folder:
            url = options.url or f"sqlite+aiosqlite:///{folder}/desk.db"
            found["lists"] = asyncio.run(lists(url, options.items, options.groups))
    print(json.dumps(found))


if __name__ == "__main__":
    main()
