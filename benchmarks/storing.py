"""What storing a message costs on SQLite, straight and through all of SQLAlchemy, in turns.

    python -m benchmarks.storing [--messages N] [--rounds N]

Eight contacts write at once, first new ones, then the same again; each is acknowledged once it is on the disk. The ways
alternate, so what else the machine does hits both. Processor time is what counts on a busy machine, the time that passes
on a quiet one. The last line is one JSON object; times are in ms per message, ratios are medians of the rounds.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import statistics
import tempfile
import time
from collections import defaultdict
from pathlib import Path
from unittest import mock

from conversations.audit import AuditLog
from conversations.conversations import Conversations
from conversations.hub import LocalHub
from conversations.model import Address, InboundMessage
from conversations.store import Database
from migrations.schema import migrate

TOGETHER = 8
WAYS = ("usual", "straight")
Times = dict[str, list[tuple[float, float]]]  #: by way and kind of message: processor and passed time of each round


async def store(folder: Path, messages: int) -> dict[str, tuple[float, float]]:
    """Processor and passed milliseconds per message, of new contacts and of known ones."""
    database = Database.open(f"sqlite+aiosqlite:///{folder / 'desk.db'}")
    await migrate(database.engine)
    desk = Conversations(database, LocalHub(), AuditLog(b"k" * 32))

    async def write(contact: int, turn: int) -> None:
        here = Address("webhook", "shop", f"contact-{contact}")
        await desk.receive(InboundMessage(here, f"{contact}-{turn}", "Where is my order?", language="en"))

    found = {}
    for turn, kind in enumerate(("new", "known")):
        used, began = time.process_time(), time.perf_counter()
        for first in range(0, messages, TOGETHER):
            await asyncio.gather(*(write(contact, turn) for contact in range(first, first + TOGETHER)))
        used, passed = time.process_time() - used, time.perf_counter() - began
        found[kind] = (1000 * used / messages, 1000 * passed / messages)
    await database.close()
    return found


async def measure(messages: int, rounds: int) -> dict[str, object]:
    """All rounds; the first one of each way warms up and does not count."""
    times: Times = defaultdict(list)
    for number in range(rounds + 1):
        for way in WAYS if number % 2 else reversed(WAYS):
            with tempfile.TemporaryDirectory(prefix="storing-") as name:
                if way == "straight":
                    found = await store(Path(name), messages)
                else:
                    with (
                        mock.patch("conversations.prepared_store.direct", return_value=None),
                        mock.patch("conversations.store.direct", return_value=None),
                    ):
                        found = await store(Path(name), messages)
            if number:
                for kind, spent in found.items():
                    times[f"{way} {kind}"].append(spent)
    figures: dict[str, object] = {"messages": messages, "rounds": rounds}
    for kind in ("new", "known"):
        for place, what in enumerate(("processor", "passed")):
            usual, straight = ([one[place] for one in times[f"{way} {kind}"]] for way in WAYS)
            ratio = statistics.median(a / b for a, b in zip(usual, straight, strict=True))
            figures[f"{kind}_{what}"] = {
                "usual": round(statistics.median(usual), 2),
                "straight": round(statistics.median(straight), 2),
                "ratio": round(ratio, 2),
            }
    return figures


def main() -> None:
    """Read the options, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--messages", type=int, default=400)
    parser.add_argument("--rounds", type=int, default=5)
    chosen = parser.parse_args()
    figures = asyncio.run(measure(-(-chosen.messages // TOGETHER) * TOGETHER, chosen.rounds))
    for name, value in figures.items():
        print(f"  {name:<18} {value}")
    print(json.dumps(figures))


if __name__ == "__main__":
    main()
