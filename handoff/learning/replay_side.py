"""The replays of one service process: opened by the app, fed by the queue of long work."""

from __future__ import annotations

from collections.abc import Mapping

from conversations.conversations import Conversations
from conversations.turn_model import Thresholds
from learning.jobs import Jobs
from learning.replaying import Replaying


def open_replays(conversations: Conversations, jobs: Jobs, thresholds: Mapping[str, Thresholds]) -> Replaying:
    """Replays over the queue; ``thresholds`` are those that turns are sent with, by language."""

    async def now() -> Mapping[str, Mapping[str, float]]:
        return {language: one.given for language, one in thresholds.items()}

    replaying = Replaying(conversations, jobs, now)
    jobs.on_done["replay"] = replaying.take_in
    return replaying
