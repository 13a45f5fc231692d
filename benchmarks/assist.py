"""How long an agent waits for help: ``python -m benchmarks.assist [RESOLVED]``, with the demo's articles and as many resolved
conversations. Prints one JSON object last.

Each look is the whole path behind the route: the conversation is read, the question searched, similar conversations found,
read and masked, and a reply chosen. No look repeats a question. The bot is not asked; its dry run is a turn without a write.
"""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from conversations.audit import AuditLog
from conversations.conversations import Conversations
from conversations.hub import LocalHub
from conversations.model import Address, Agent, Conversation, InboundMessage, Message, new_id
from conversations.store import Database
from conversations.turn_model import TurnResult
from crm.codes import MailboxCodeSender
from crm.store import SqlCrm
from handoff.assist.assist_side import open_assist
from knowledge_base.index_digests import EdgeDigests
from knowledge_base.knowledge_base import KnowledgeBase
from migrations.schema import migrate

ROOT = Path(__file__).resolve().parent.parent
AGENT = Agent("a" * 32, "Max")
LOOKS = 60


async def main(resolved: int, digests: int = 100_000) -> None:
    """Measure and print."""
    lines = [
        json.loads(line)
        for name in ("questions.en", "questions.zh")
        for line in (ROOT / "knowledge_base" / "dev" / f"{name}.jsonl").read_text("utf-8").splitlines()
    ]
    with tempfile.TemporaryDirectory() as folder:
        data_dir = Path(folder)
        shutil.copytree(ROOT / "var" / "knowledge", data_dir / "knowledge")
        database = Database.open(f"sqlite+aiosqlite:///{data_dir / 'desk.db'}")
        await migrate(database.engine)
        knowledge = await KnowledgeBase.open(data_dir)
        await knowledge.prepare_answers()
        crm = SqlCrm(database.engine, MailboxCodeSender(data_dir / "mailbox.jsonl"), os.urandom(32))
        conversations = Conversations(database, LocalHub(), AuditLog(os.urandom(32)))

        async def nobody(_conversation: Conversation, _message: Message) -> TurnResult:
            raise NotImplementedError

        assist = await open_assist(
            conversations, crm, knowledge, data_dir, None, nobody, None, None, lambda *_: (), None
        )
        for number in range(resolved):
            text = lines[number % len(lines)]["text"]
            conversation_id = await asked(conversations, f"x{number}", f"{text} ({number})")
            await conversations.assign(conversation_id, AGENT)
            await conversations.reply_as_agent(
                conversation_id, AGENT, f"About this: {text} We answer it like this, number {number}."
            )
            await conversations.resolve(conversation_id, AGENT)
        started = time.perf_counter()
        await assist.precedents.catch_up()
        indexed = time.perf_counter() - started
        walls, processor = [], []
        for number in range(LOOKS):
            text = lines[(number * 7) % len(lines)]["text"]
            conversation_id = await asked(conversations, f"y{number}", f"hello, {text}")
            conversation = await conversations.get_conversation(conversation_id)
            wall, used = time.perf_counter(), time.process_time()
            look = await assist.desk.look(conversation, lambda _one: True, "agent")
            walls.append((time.perf_counter() - wall) * 1000)
            processor.append((time.process_time() - used) * 1000)
            assert look.asked.texts
        await assist.close()
        await knowledge.close()
        await database.close()
        print(
            json.dumps(
                {
                    "resolved": resolved,
                    "index_s": round(indexed, 1),
                    "look_ms": spread(walls[3:]),
                    "look_processor_ms": spread(processor[3:]),
                    f"nearest_of_{digests}_ms": nearest(data_dir / "many", digests),
                }
            )
        )


async def asked(conversations: Conversations, contact: str, text: str) -> str:
    """A contact asks something; returns the conversation's id."""
    inbound = InboundMessage(Address("web", "default", contact), new_id(), text)
    return (await conversations.receive(inbound)).conversation_id


def nearest(directory: Path, count: int) -> dict[str, float]:
    """A search among very many digests."""
    index, random = EdgeDigests(directory, 512), np.random.default_rng(7)
    for _ in range(0, count, 5000):
        rows = random.normal(size=(5000, 512)).astype(np.float32)
        index.put([new_id() for _ in range(5000)], rows / np.linalg.norm(rows, axis=1, keepdims=True))
    times = []
    for _ in range(20):
        started = time.perf_counter()
        index.nearest(random.normal(size=(2, 512)).astype(np.float32), 24)
        times.append((time.perf_counter() - started) * 1000)
    index.close()
    return spread(times)


def spread(values: list[float]) -> dict[str, float]:
    """Median and 95th percentile."""
    ordered = sorted(values)
    return {"p50": round(ordered[len(ordered) // 2], 1), "p95": round(ordered[int(len(ordered) * 0.95)], 1)}


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]) if len(sys.argv) > 1 else 500))
