"""The versions of the bot's models: what each was made of, who made it, what was measured, and whether it is still there."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, datetime
from typing import Any

import structlog

from conversations.bot_models import BotModel, BotModels
from conversations.model import utc_now
from conversations.store import Database
from learning.job_store import Job
from learning.version_store import Served, Version, VersionStore

_ENDING = ".tar.gz"
_NAME = re.compile(r"frontdesk-(\d{8}-\d{6})")
LOOKED_EVERY_SECONDS = 30.0
log = structlog.get_logger()

#: Told of every version that training made; returns what it is called there.
Track = Callable[[Version], Awaitable[str | None]]


class Versions:
    """The versions as one service process sees them."""

    def __init__(
        self, database: Database, bots: BotModels, *, track: Track | None = None, now: Callable[[], datetime] = utc_now
    ) -> None:
        """``track`` carries a new version to where experiments are kept; that it fails stops nothing."""
        self._database = database
        self._bots = bots
        self._track = track
        self._now = now
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Look now and then at what the bots have."""
        self._task = asyncio.create_task(self._look_on(), name="model versions")

    async def stop(self) -> None:
        """Look no more."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def all(self) -> list[Version]:
        """Every version, the newest first."""
        async with self._database.read() as connection:
            return await VersionStore(connection).all()

    async def find(self, name: str) -> Version | None:
        """A version by its name."""
        async with self._database.read() as connection:
            return await VersionStore(connection).find(name)

    async def served(self) -> Served | None:
        """What serves, once the desk has decided it."""
        async with self._database.read() as connection:
            return await VersionStore(connection).served()

    async def note_metrics(self, name: str, metrics: Mapping[str, Any]) -> None:
        """Add figures to those that a version has; an unknown version has none."""
        async with self._database.write() as connection:
            await VersionStore(connection).note_metrics(name, metrics)

    async def note_trained(self, job: Job) -> str:
        """Write down what a training made, and return its name; the same again changes nothing."""
        result = job.result or {}
        made = dict(result["made"])
        version = Version(
            name=str(result["model"]),
            model_id=result.get("model_id"),
            sha256=str(result["sha256"]),
            bytes=int(result["bytes"]),
            state="ready",
            made_at=_moment(made.get("begun_at")) or job.started_at or self._now(),
            by_id=job.by_id,
            by_name=job.by_name,
            note=str(job.options.get("note") or ""),
            data_hash=str(made["data_hash"]),
            made=made,
            metrics=result.get("metrics") or None,
            tracked_as=None,
        )
        async with self._database.write() as connection:
            store = VersionStore(connection)
            if not await store.add(version):  # a bot has listed it before its job was taken in
                known = ("model_id", "made_at", "by_id", "by_name", "note", "metrics")
                await store.change(version.name, **{name: getattr(version, name) for name in known})
        await self.track_missing()
        return version.name

    async def track_missing(self) -> None:
        """Carry what training made to where experiments are kept, as far as it is not there; the newest first."""
        if self._track is None:
            return
        for version in await self.all():
            if version.tracked_as is not None or version.by_id is None:
                continue
            try:
                tracked_as = await self._track(version)
            except Exception as error:
                log.warning("model_not_tracked", model=version.name, error=repr(error))
                return  # the others would fare no better
            async with self._database.write() as connection:
                await VersionStore(connection).change(version.name, tracked_as=tracked_as)

    async def look(self) -> None:
        """Compare with what the bots have: what is new was made by hand, what no bot has is gone."""
        states = await self._bots.look()
        listed = [model for state in states for model in state.models]
        if not listed or any(state.problem is not None for state in states):
            return  # a bot that is away may have what the others lack
        async with self._database.write() as connection:
            store = VersionStore(connection)
            for model in listed:
                version = self._listed(model)
                if version is not None:
                    await store.add(version)
            await store.mark({model.name.removesuffix(_ENDING) for model in listed})

    def _listed(self, model: BotModel) -> Version | None:
        if model.sha256 is None or model.size is None:
            return None  # it is not sealed
        made = model.made
        return Version(
            name=model.name.removesuffix(_ENDING),
            model_id=None,
            sha256=model.sha256,
            bytes=model.size,
            state="ready",
            made_at=_moment(made.get("begun_at")) or _named_at(model.name) or self._now(),
            by_id=None,
            by_name=made.get("author"),
            note=str(made.get("note") or ""),
            data_hash=str(made.get("data_hash") or ""),
            made=made,
            metrics=None,
            tracked_as=None,
        )

    async def _look_on(self) -> None:
        while True:
            try:
                await self.look()
            except Exception as error:
                log.warning("model_versions_not_looked_at", error=repr(error))
            await asyncio.sleep(LOOKED_EVERY_SECONDS)


def _moment(text: Any) -> datetime | None:
    try:
        found = datetime.fromisoformat(text)
    except (TypeError, ValueError):
        return None
    return found.astimezone(UTC)


def _named_at(name: str) -> datetime | None:
    """When a model was made by hand, as its name tells it by the clock of the machine that trained it."""
    found = _NAME.match(name)
    return datetime.strptime(found[1], "%Y%m%d-%H%M%S").astimezone(UTC) if found else None
