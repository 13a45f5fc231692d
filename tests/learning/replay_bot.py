"""A bot that replays what it is told to, for tests: it runs nothing, and says what it is to have found."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import insert

from conversations.store import Database
from conversations.work_leases import WorkLeases
from learning.jobs import Jobs
from learning.model_tables import metadata as model_metadata
from learning.model_tables import model_versions
from learning.replay_tables import metadata as replay_metadata
from learning.replaying import Replaying

SIDE: dict[str, Any] = {
    "intent": "order_status", "confidence": 0.95, "parts": [], "entities": [], "language": "en", "route": "task",
    "actions": ["order_status_form"], "passages": [], "handoff": None, "missed": False, "replies": ["order_status_form"],
    "slots": {},
}  # fmt: skip


def change(turn_id: str, conversation_id: str, *kinds: str, **after: Any) -> dict[str, Any]:
    """What the bot tells of a turn that would go otherwise."""
    told = SIDE | {"intent": "return_refund", "actions": ["return_refund_form"], "replies": ["return_refund_form"]}
    return {
        "turn_id": turn_id, "conversation_id": conversation_id, "kinds": list(kinds or ("intent", "actions", "replies")),
        "stops": True, "before": SIDE, "after": told | after,
    }  # fmt: skip


class ReplayBot:
    """One bot at one address; ``finds`` are the changes of the next replay, among ``turns`` turns."""

    urls: Sequence[str] = ("http://bot",)

    def __init__(self) -> None:
        self.finds: list[dict[str, Any]] = []
        self.turns = 1000
        self.asked: list[dict[str, Any]] = []
        self.problem = ""
        self.runs = False
        self.jobs: Jobs | None = None  #: the queue that asks it

    async def step(self) -> None:
        """What the queue does in a few seconds."""
        assert self.jobs is not None
        for _ in range(3):
            await self.jobs.step()

    async def begin(self, url: str, job_id: str, kind: str, options: Mapping[str, Any]) -> None:
        self.asked.append({"id": job_id, "kind": kind, **options})

    async def look(self, url: str, job_id: str) -> dict[str, Any] | None:
        if self.runs:
            return {"state": "running", "progress": {"share": 0.4, "step": "replay", "note": ""}}
        if self.problem:
            return {"state": "failed", "problem": self.problem, "result": {"code": "broken"}}
        kinds = [kind for one in self.finds for kind in one["kinds"]]
        figures = {
            "turns": self.turns, "same": self.turns - len(self.finds), "changed": len(self.finds), "after_divergence": 0,
            "not_replayable": {}, "by_kind": {kind: kinds.count(kind) for kind in kinds}, "conversations": 3, "seconds": 2.5,
            "load_seconds": 4.0, "model_id": "m", "changes": self.finds, "digest": "d" * 64,
        }  # fmt: skip
        return {"state": "done", "result": figures}

    async def cancel(self, url: str, job_id: str) -> None:
        self.runs = False

    async def models(self) -> list[dict[str, Any]]:
        return []


async def create_tables(database: Database) -> None:
    """The tables of models and replays."""
    async with database.engine.begin() as connection:
        await connection.run_sync(model_metadata.create_all)
        await connection.run_sync(replay_metadata.create_all)


async def add_model(database: Database, name: str, made_at: datetime) -> None:
    """A version of the model that is ready."""
    row = {
        "name": name, "sha256": "0" * 64, "bytes": 1, "state": "ready", "made_at": made_at, "data_hash": "0" * 64, "made": {},
        "note": "",
    }  # fmt: skip
    async with database.write() as connection:
        await connection.execute(insert(model_versions).values(**row))


def open_replaying(conversations: Any, bot: ReplayBot) -> tuple[Replaying, Jobs]:
    """Replays over the queue of long work with this bot."""
    jobs = Jobs(conversations, bot, WorkLeases(conversations.database))

    async def now() -> Mapping[str, Mapping[str, float]]:
        return {"en": {"answer": 0.7}}

    bot.jobs = jobs
    replaying = Replaying(conversations, jobs, now)
    jobs.on_done["replay"] = replaying.take_in
    return replaying, jobs
