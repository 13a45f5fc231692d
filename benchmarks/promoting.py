"""Promoting under load: versions change while people write, no turn fails, and every conversation stays on its version.

    python -m benchmarks.promoting [--seconds 60] [--rate 25] [--scaled]

A real desk with real bots (``--scaled``: 2 services and 2 bots on local PostgreSQL and Redis) gets the trained model under
two names. People write over REST in an open loop: messages are sent when they are due, however long answers take, and each
conversation has four of them. Meanwhile a trainer promotes, rolls back, compares and stops, over and over. At the end every
message must have been answered by a bot, and all turns of a conversation on one version: the one that was noted for it.
The last line is one JSON object; times are in ms.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import asyncpg
import httpx
from sqlalchemy import func, select

from benchmarks.load_desk import Target, own_desk
from conversations.model import HandoffReason
from conversations.store import Database
from conversations.tables import conversations, inbox, turns
from tools.run import ROOT

MESSAGES_EACH = 4
SAID = (
    "hello", "what is the warranty on headphones?", "thanks", "你好", "怎么退货？", "tell me a joke", "how are you?",
    "保修多久？", "what can you do?", "how long does delivery take?",
)  # fmt: skip
STEPS = ("promote", "rollback", "compare", "stop")
EVERY_SECONDS = 6.0
SETTLE_SECONDS = 90.0
TRAINER, PASSWORD = "trainer@kite.example", "frontdesk-demo"


@dataclass
class Seen:
    """What was sent and what came of it."""

    sent: int = 0
    refused: Counter[str] = field(default_factory=Counter)
    changes: list[tuple[str, float]] = field(default_factory=list)  #: what, and for how long the trainer waited
    problems: list[str] = field(default_factory=list)


def two_versions(folder: Path) -> Path:
    """The trained model under two names, each sealed, with the keys beside the folder."""
    trained = Path(os.environ.get("MODEL_DIR", ROOT / "var" / "models"))
    models = folder / "models"
    models.mkdir(parents=True)
    shutil.copytree(trained.parent / "model_keys", folder / "model_keys")
    named = json.loads((trained / "fingerprint.json").read_text())["model"]
    for name in ("version-a", "version-b"):
        shutil.copy(trained / named, models / f"{name}.tar.gz")
    (models / "fingerprint.json").write_text(json.dumps({"fingerprint": "", "model": "version-a.tar.gz"}))
    seal = "import sys; from pathlib import Path; from bot.model_seal import seal; [seal(Path(one), Path(sys.argv[1])) for one in sys.argv[2:]]"
    archives = [str(one) for one in sorted(models.glob("*.tar.gz"))]
    python = str(ROOT / "bot" / ".venv" / "bin" / "python")
    subprocess.run([python, "-c", seal, str(folder / "model_keys"), *archives], cwd=ROOT, check=True)
    return models


async def people(target: Target, seen: Seen, rate: float, seconds: float) -> None:
    """Messages when they are due, each contact's a second and a half apart."""
    began = time.monotonic()
    limits = httpx.Limits(max_connections=200)
    async with httpx.AsyncClient(base_url=target.url, timeout=30, limits=limits, trust_env=False) as client:

        async def post(number: int) -> None:
            # Forty contacts at a time, the next forty once each of these has said what they had to say.
            wave, place = divmod(number, 40 * MESSAGES_EACH)
            contact = f"load-{wave}-{place % 40}"
            body = {"contact": contact, "text": SAID[number % len(SAID)], "language": "en"}
            try:
                answer = await client.post(
                    "/api/v1/messages", json=body, headers={"Authorization": f"Bearer {target.key}"}
                )
                if answer.status_code not in (200, 202):
                    seen.refused[str(answer.status_code)] += 1
            except httpx.HTTPError as error:
                seen.refused[type(error).__name__] += 1

        async with asyncio.TaskGroup() as sending:
            while (now := time.monotonic() - began) < seconds:
                due = int(now * rate)
                while seen.sent <= due:
                    sending.create_task(post(seen.sent))
                    seen.sent += 1
                await asyncio.sleep(0.005)


async def trainer(target: Target, seen: Seen, seconds: float) -> None:
    """Changes what serves again and again, as the console does."""
    began, number = time.monotonic(), 0
    async with httpx.AsyncClient(base_url=f"{target.url}/staff/api/", timeout=120, trust_env=False) as client:
        signed = await client.post("sign-in", json={"email": TRAINER, "password": PASSWORD})
        signed.raise_for_status()
        client.headers["X-CSRF-Token"] = signed.json()["csrf"]
        state = (await client.get("models/live")).json()
        while time.monotonic() - began < seconds - EVERY_SECONDS:
            await asyncio.sleep(EVERY_SECONDS)
            step = STEPS[number % len(STEPS)]
            other = "version-b" if state["live_model"] == "version-a" else "version-a"
            wish: dict[str, Any] = {"revision": state["revision"], "note": "a load test of ours"}
            wish |= {"promote": {"model": other, "without_replay": True}, "compare": {"model": other, "share": 50}}.get(
                step, {}
            )
            asked = time.monotonic()
            answer = await client.post(f"models/live/{step}", json=wish)
            if answer.status_code == 200:
                seen.changes.append((step, round(time.monotonic() - asked, 2)))
                state, number = answer.json(), number + 1
            else:
                seen.problems.append(f"{step}: {answer.status_code} {answer.text[:200]}")
                state = (await client.get("models/live")).json()


async def settled(database: Database) -> dict[str, int]:
    """The messages that are left without an answer after waiting for it, by their state."""
    until, left = time.monotonic() + SETTLE_SECONDS, dict[str, int]()
    while time.monotonic() < until:
        async with database.read() as connection:
            query = select(inbox.c.state, func.count()).where(inbox.c.state != "done").group_by(inbox.c.state)
            left = {state: int(number) for state, number in await connection.execute(query)}
        if not left:
            break
        await asyncio.sleep(1)
    return left


async def ran_on(target: Target) -> dict[str, list[str]]:
    """By conversation, the versions its turns ran on, as the bots noted them."""
    url = next(one.environment["BOT_DATABASE_URL"] for one in target.processes if one.name.startswith("bot"))
    query = "SELECT sender_id, answer FROM turns"
    if url.startswith("sqlite:///"):
        with sqlite3.connect(url.removeprefix("sqlite:///")) as held:
            rows = held.execute(query).fetchall()
    else:
        connection = await asyncpg.connect("postgresql://" + url.partition("://")[2])
        rows = [tuple(row) for row in await connection.fetch(query)]
        await connection.close()
    found: dict[str, list[str]] = defaultdict(list)
    for conversation_id, answer in rows:
        found[conversation_id].append(json.loads(answer)["trace"]["model"])
    return found


async def figures(target: Target, seen: Seen, seconds: float, rate: float) -> dict[str, Any]:
    """What the run was worth."""
    database = Database.open(target.database_url)
    try:
        left = await settled(database)
        on = await ran_on(target)
        async with database.read() as connection:
            columns = (conversations.c.id, conversations.c.model, conversations.c.handoff_reason)
            noted = (await connection.execute(select(*columns).where(conversations.c.account != "demo"))).all()
            took = [
                (row.finished_at - row.started_at).total_seconds() * 1000
                for row in await connection.execute(
                    select(turns.c.started_at, turns.c.finished_at, turns.c.conversation_id)
                )
                if row.conversation_id in on
            ]
    finally:
        await database.close()
    ours = [row for row in noted if row.id in on]
    failed = sum(row.handoff_reason == HandoffReason.DIALOGUE_FAILED.value for row in noted)
    strayed = [row.id for row in ours if set(on[row.id]) != {row.model} and row.model is not None]
    mixed = [one for one, versions in on.items() if len(set(versions)) > 1]
    took.sort()
    return {
        "profile": "promote",
        "form": target.form,
        "seconds": seconds,
        "rate": rate,
        "messages": seen.sent,
        "turns": sum(len(versions) for versions in on.values()),
        "turns_per_s": round(sum(len(versions) for versions in on.values()) / seconds, 1),
        "refused": dict(seen.refused),
        "unanswered": left,
        "after_handoff": seen.sent - sum(len(versions) for versions in on.values()),
        "failed_turns": failed,
        "conversations": len(on),
        "pinned": sum(row.model is not None for row in ours),
        "strayed": len(set(strayed) | set(mixed)),
        "by_version": dict(Counter(version for versions in on.values() for version in versions)),
        "changes": dict(Counter(what for what, _ in seen.changes)),
        "change_s_max": max((took for _, took in seen.changes), default=None),
        "problems": seen.problems,
        "turn_ms": {
            name: round(took[min(len(took) - 1, int(len(took) * part))]) if took else None
            for name, part in (("p50", 0.5), ("p95", 0.95), ("max", 1.0))
        },
        "rss_mb": target.rss_mb(),
    }


async def run(seconds: float, rate: float, *, scaled: bool) -> dict[str, Any]:
    """Start a desk, write and change, and count."""
    with tempfile.TemporaryDirectory(prefix="promoting-") as name:
        folder = Path(name)
        os.environ["MODEL_DIR"], before = str(two_versions(folder / "shelf")), os.environ.get("MODEL_DIR")
        desk = own_desk(folder / "desk", 9, "x" * 32, "y" * 32, scaled=scaled)
        (folder / "desk").mkdir()
        try:
            target = await asyncio.to_thread(desk.__enter__)
            try:
                seen = Seen()
                await asyncio.sleep(5)
                await asyncio.gather(people(target, seen, rate, seconds), trainer(target, seen, seconds))
                return await figures(target, seen, seconds, rate)
            finally:
                await asyncio.to_thread(desk.__exit__, None, None, None)
        finally:
            os.environ.pop("MODEL_DIR")
            if before is not None:
                os.environ["MODEL_DIR"] = before


def sound(found: dict[str, Any]) -> bool:
    """Whether nothing was lost, nothing failed, and nobody changed version."""
    bad = ("refused", "unanswered", "failed_turns", "strayed", "problems")
    return not any(found[name] for name in bad)


def main() -> None:
    """Read the options, run, print the figures; the status is 1 when a turn failed or a conversation changed version."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--rate", type=float, default=25.0, help="messages per second")
    parser.add_argument("--scaled", action="store_true", help="2 services and 2 bots on local PostgreSQL and Redis")
    chosen = parser.parse_args()
    found = asyncio.run(run(chosen.seconds, chosen.rate, scaled=chosen.scaled))
    for name, value in found.items():
        print(f"  {name:<16} {value}")
    print(json.dumps(found, ensure_ascii=False))
    if not sound(found):
        sys.exit(1)


if __name__ == "__main__":
    main()
