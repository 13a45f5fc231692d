"""Versions of the models and the long work for them, of one service process."""

from __future__ import annotations

from dataclasses import dataclass

from conversations.bot_models import BotModels
from conversations.conversations import Conversations
from conversations.dialogue import RasaDialogue
from conversations.work_leases import WorkLeases
from learning.bot_work import HttpBotWork
from learning.jobs import Jobs
from learning.tracking import Mlflow
from learning.versions import Versions


@dataclass(slots=True)
class ModelSide:
    """The parts that the routes use."""

    jobs: Jobs
    versions: Versions
    tracker: Mlflow | None = None

    async def start(self) -> None:
        """Drive the queue, and look at what the bots have."""
        await self.jobs.start()
        await self.versions.start()

    async def close(self) -> None:
        """Stop what runs in the background; the bots go on."""
        await self.jobs.stop()
        await self.versions.stop()
        if self.tracker is not None:
            await self.tracker.close()


def open_models(
    conversations: Conversations,
    leases: WorkLeases,
    dialogue: RasaDialogue,
    mlflow: tuple[str | None, str | None, str] = (None, None, ""),
    poll_seconds: float = 1.0,
) -> ModelSide:
    """The models of a desk; ``mlflow`` is the address of the server that hears of new versions, its token, the experiment."""
    uri, token, experiment = mlflow
    tracker = Mlflow(uri, token, experiment) if uri else None
    jobs = Jobs(conversations, HttpBotWork(dialogue), leases, poll_seconds=poll_seconds)
    track = tracker.track if tracker is not None else None
    versions = Versions(conversations.database, BotModels(dialogue), track=track, now=conversations.now)
    jobs.on_done["train"] = versions.note_trained
    return ModelSide(jobs, versions, tracker)
