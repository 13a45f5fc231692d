"""What sealing costs: processor time of a turn in the conversations room, in this checkout and in another one.

    git worktree add ../before COMMIT && .venv/bin/python -m benchmarks.sealing --against ../before

Both do the same in turns, several times: contacts write, the bot (a script) answers, agents read the conversation and a
page of the list. The last line is one JSON object; ``cost_ms`` is what a turn takes more here than there.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
CONTACTS, TURNS_EACH = 40, 10
WORDS = (
    "Hello, where is my order KT20260001? It should have been here on Monday.",
    "我上周买的耳机左边没有声音，可以换一个吗？",
    "Thanks. And can the invoice be sent to wilhelmina@example.com instead?",
    "好的，麻烦尽快处理一下，我的电话是13955557788",
)


async def run(folder: str) -> dict[str, float]:
    """Processor milliseconds of a turn, of reading a conversation and of a page of the list, in this process."""
    from conversations.audit import AuditLog
    from conversations.conversations import Conversations
    from conversations.hub import LocalHub
    from conversations.model import Address, InboundMessage, utc_now
    from conversations.store import Database
    from conversations.turn_model import Reply, TurnResult

    database = Database.open(f"sqlite+aiosqlite:///{folder}/desk.db")
    await database.create_tables()
    desk = Conversations(database, LocalHub(), AuditLog(b"k" * 32))
    trace = {"language": "en", "intent": "order_status", "confidence": 0.93, "route": "task", "entities": []}
    reply = TurnResult((Reply("Your order is on its way and arrives tomorrow between nine and twelve."),), trace)
    conversation_id = ""

    async def turns(rounds: range) -> None:
        nonlocal conversation_id
        for number in rounds:
            for contact in range(CONTACTS):
                address = Address("webchat", "default", f"visitor-{contact}")
                text = WORDS[(number + contact) % len(WORDS)]
                message = InboundMessage(address, f"{number}-{contact}", text, contact_name=f"Name {contact}")
                conversation_id = (await desk.receive(message)).conversation_id
                for claim in await desk.claim_turns(10):
                    await desk.commit_turn(claim, reply, utc_now())

    await turns(range(2))  # statements are built, contacts have keys
    began = time.process_time()
    await turns(range(2, 2 + TURNS_EACH))
    turn = (time.process_time() - began) / (CONTACTS * TURNS_EACH)
    began = time.process_time()
    for _ in range(100):
        await desk.messages(conversation_id)
    reading = (time.process_time() - began) / 100
    began = time.process_time()
    for _ in range(50):
        await desk.list_conversations("all", limit=40)
    listing = (time.process_time() - began) / 50
    await database.close()
    return {"turn": 1000 * turn, "conversation": 1000 * reading, "page": 1000 * listing}


def measured_in(checkout: Path) -> dict[str, float]:
    """The same in a process of another checkout."""
    command = [sys.executable, str(Path(__file__).resolve()), "--once"]
    environment = {**os.environ, "PYTHONPATH": str(checkout.resolve())}
    done = subprocess.run(command, cwd=checkout, env=environment, capture_output=True, text=True, check=True)
    found: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return found


def main() -> None:
    """The command."""
    parser = argparse.ArgumentParser(description="What sealing costs.")
    parser.add_argument("--against", type=Path, help="another checkout to compare with")
    parser.add_argument("--rounds", type=int, default=5, help="how often each is measured")
    parser.add_argument("--once", action="store_true", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.once:
        with tempfile.TemporaryDirectory() as folder:
            print(json.dumps(asyncio.run(run(folder))))
        return
    sides = {"here": ROOT} | ({"there": given.against} if given.against else {})
    found: dict[str, list[dict[str, float]]] = {side: [] for side in sides}
    for _ in range(given.rounds):
        for side, checkout in sides.items():
            found[side].append(measured_in(checkout))
    result: dict[str, object] = {}
    for name in ("turn", "conversation", "page"):
        median = {side: statistics.median(one[name] for one in every) for side, every in found.items()}
        shown = "  ".join(f"{side} {value:7.2f} ms" for side, value in median.items())
        print(f"{name:13}{shown}")
        result[name] = {side: round(value, 3) for side, value in median.items()}
        if given.against:
            result[name] |= {  # type: ignore[operator]
                "cost_ms": round(median["here"] - median["there"], 3),
                "ratio": round(median["here"] / median["there"], 3),
            }
    print(json.dumps(result))


if __name__ == "__main__":
    main()
