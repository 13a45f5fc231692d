"""The queue of long work: what waits is given to a bot, what runs is followed, what was done is taken in.

The queue lies in the database, so any service process may add to it or cancel; one process at a time (the one with the
lease) drives it. A driver that dies leaves nothing behind that the next one would not find.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Collection, Mapping
from typing import Any

import structlog

from conversations.audit import AuditEntry
from conversations.change import STAFF
from conversations.conversations import Conversations
from conversations.json_form import moment
from conversations.model import Agent, new_id
from conversations.work_leases import WorkLeases
from learning.bot_work import BotAway, BotBusy, BotRefused, BotWork
from learning.job_store import OVER, Job, JobStore

MOST_ATTEMPTS = 2
log = structlog.get_logger()

#: Told once a job of its kind is done, before others see it as done; again if the process dies meanwhile.
Taken = Callable[[Job], Awaitable[str | None]]


class Jobs:
    """The queue as one service process sees it; start it once per process."""

    def __init__(
        self,
        conversations: Conversations,
        bots: BotWork,
        leases: WorkLeases,
        *,
        poll_seconds: float = 1.0,
        away_seconds: float = 60.0,
    ) -> None:
        """``away_seconds``: a bot that has not answered for so long is taken for dead."""
        self._conversations = conversations
        self._database = conversations.database
        self._bots = bots
        self._leases = leases
        self._poll_seconds = poll_seconds
        self._away_seconds = away_seconds
        self._away_since: dict[str, float] = {}
        self._task: asyncio.Task[None] | None = None
        self._wake = asyncio.Event()
        #: By kind; returns the name of the model that the job made, if it made one.
        self.on_done: dict[str, Taken] = {}

    async def start(self) -> None:
        """Drive the queue, or wait to drive it."""
        self._task = asyncio.create_task(
            self._leases.keep_at("learning jobs", self._drive, self._poll_seconds), name="learning jobs"
        )

    async def stop(self) -> None:
        """Let go of the queue; what runs goes on at the bots and is asked for again at the next start."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    # -- for whoever wants work done ------------------------------------------------------------------------------

    async def enqueue(self, kind: str, options: Mapping[str, Any], agent: Agent, model: str | None = None) -> Job:
        """Put work at the end of the queue."""
        now = self._conversations.now()
        job = Job(
            new_id(), kind, "queued", model, dict(options), None, None, None, 0, None, agent.id, agent.name, now, None, None
        )  # fmt: skip
        async with self._database.write() as connection:
            await JobStore(connection).add(job)
            entry = AuditEntry("learning_job_queued", f"agent:{agent.id}", data=_facts(job))
            await self._conversations.audit.append(connection, now, [entry])
        await self._tell(job)
        self._wake.set()
        return job

    async def cancel(self, job_id: str, agent: Agent) -> Job | None:
        """Take work out of the queue or stop it; what is over already stays. None if there is no such job."""
        async with self._database.write() as connection:
            store = JobStore(connection)
            found = await store.find(job_id, hold=True)
            if found is None or found.state in OVER:
                return found
            now = self._conversations.now()
            job = await store.move(found, ("queued", "running"), state="cancelled", ended_at=now)
            assert job is not None, "the row is held"
            entry = AuditEntry("learning_job_cancelled", f"agent:{agent.id}", data=_facts(job))
            await self._conversations.audit.append(connection, now, [entry])
        await self._tell(job)
        self._wake.set()
        return job

    async def find(self, job_id: str) -> Job | None:
        """A job by its id."""
        async with self._database.read() as connection:
            return await JobStore(connection).find(job_id)

    async def latest(self, kind: str, model: str | None = None, states: Collection[str] = ()) -> Job | None:
        """The newest job of a kind, about or for a model, in one of the states."""
        async with self._database.read() as connection:
            return await JobStore(connection).latest(kind, model, states)

    async def recent(self, limit: int = 30, kinds: Collection[str] = ()) -> list[Job]:
        """The newest first."""
        async with self._database.read() as connection:
            return await JobStore(connection).recent(limit, kinds)

    # -- driving --------------------------------------------------------------------------------------------------

    async def _drive(self) -> None:
        while True:
            self._wake.clear()  # before looking: what is added meanwhile is looked for again
            idle = not await self.step()
            # Others add to the queue, too; with nothing to follow a look now and then is enough.
            pause = self._poll_seconds * (3 if idle else 1)
            try:
                await asyncio.wait_for(self._wake.wait(), pause)
            except TimeoutError:
                continue

    async def step(self) -> bool:
        """Look once at everything that is not over; whether there was anything."""
        async with self._database.read() as connection:
            found = await JobStore(connection).open()
        taken = set()
        for job in found:
            if job.state == "cancelled":
                await self._have_ended(job)
            elif job.state == "running":
                taken.add(job.bot)
                await self._follow(job)
        free = [url for url in self._bots.urls if url not in taken]
        for job in found:
            if job.state == "queued" and free:
                await self._give(job, free)
        return bool(found)

    async def _give(self, job: Job, free: list[str]) -> None:
        for url in list(free):
            free.remove(url)
            now = self._conversations.now()
            given = await self._moved(
                job, ("queued",), state="running", bot=url, attempts=job.attempts + 1, started_at=now
            )
            if given is None:
                return
            try:
                await self._bots.begin(url, given.at_the_bot, given.kind, given.options)
            except BotRefused as refused:
                await self._fail(given, str(refused), "refused")
                return
            except (BotBusy, BotAway) as trouble:
                # Whoever gets it next is asked for the same attempt, which a bot that has begun all the same knows.
                log.info("learning_job_not_begun", job=job.id, trouble=repr(trouble))
                back = await self._moved(given, ("running",), state="queued", bot=None, attempts=job.attempts)
                if back is None:
                    return
                job = back
                continue
            self._away_since.pop(url, None)
            await self._tell(given)
            return

    async def _follow(self, job: Job) -> None:
        assert job.bot is not None
        try:
            found = await self._bots.look(job.bot, job.at_the_bot)
        except BotAway as away:
            since = self._away_since.setdefault(job.bot, time.monotonic())
            if time.monotonic() - since > self._away_seconds or job.bot not in self._bots.urls:
                await self._again(job, str(away))
            return
        self._away_since.pop(job.bot, None)
        result = (found or {}).get("result")
        if found is None or (found["state"] == "failed" and isinstance(result, dict) and result.get("code") == "died"):
            await self._again(job, str((found or {}).get("problem") or "The bot does not know of it any more."))
        elif found["state"] == "done":
            await self._take(job, result if isinstance(result, dict) else {})
        elif found["state"] == "failed":
            code = str(result.get("code", "broken")) if isinstance(result, dict) else "broken"
            await self._fail(job, str(found.get("problem") or ""), code, result if isinstance(result, dict) else None)
        elif found["state"] == "cancelled":  # by hand, at the bot
            await self._end(job, "learning_job_cancelled", state="cancelled", bot=None)
        elif found.get("progress") != job.progress:
            moved = await self._moved(job, ("running",), progress=found.get("progress"))
            if moved is not None:
                await self._tell(moved)

    async def _take(self, job: Job, result: dict[str, Any]) -> None:
        whole = await self._moved(job, ("running",), result=result)
        if whole is None:
            return
        model = job.model
        taken = self.on_done.get(job.kind)
        if taken is not None:
            try:
                model = await taken(whole) or model
            except Exception as error:
                log.exception("learning_job_not_taken_in", job=job.id, kind=job.kind)
                await self._fail(whole, f"{type(error).__name__}: {error}", "not_taken_in", result)
                return
        await self._end(whole, "learning_job_done", state="done", bot=None, model=model, problem=None)

    async def _again(self, job: Job, problem: str) -> None:
        """The bot died with the job: once more, then no more."""
        if job.attempts >= MOST_ATTEMPTS:
            await self._fail(job, problem, "died")
            return
        self._away_since.pop(str(job.bot), None)
        log.warning("learning_job_again", job=job.id, kind=job.kind, bot=job.bot)
        back = await self._moved(job, ("running",), state="queued", bot=None, progress=None, problem=problem)
        if back is not None:
            await self._tell(back)

    async def _fail(self, job: Job, problem: str, code: str, result: dict[str, Any] | None = None) -> None:
        full = {"code": code} | (result or {})
        await self._end(job, "learning_job_failed", state="failed", bot=None, problem=problem, result=full)

    async def _have_ended(self, job: Job) -> None:
        """Tell the bot of a job that was cancelled; until it has heard, it is told again."""
        assert job.bot is not None
        if job.bot in self._bots.urls:
            try:
                await self._bots.cancel(job.bot, job.at_the_bot)
            except BotAway:
                return
        await self._moved(job, ("cancelled",), bot=None)

    async def _end(self, job: Job, kind: str, **values: Any) -> None:
        now = self._conversations.now()
        async with self._database.write() as connection:
            ended = await JobStore(connection).move(job, ("running", "queued"), ended_at=now, **values)
            if ended is None:
                return
            await self._conversations.audit.append(connection, now, [AuditEntry(kind, "system", data=_facts(ended))])
        await self._tell(ended)

    async def _moved(self, job: Job, expected: Collection[str], **values: Any) -> Job | None:
        async with self._database.write() as connection:
            return await JobStore(connection).move(job, expected, **values)

    async def _tell(self, job: Job) -> None:
        await self._conversations.hub.publish(STAFF, {"type": "learning_job", "job": job_json(job, whole=False)})


def _facts(job: Job) -> dict[str, Any]:
    """What the audit trail keeps; never what the training data says."""
    facts = {"job_id": job.id, "kind": job.kind, "model": job.model, "attempts": job.attempts}
    code = (job.result or {}).get("code") if job.state == "failed" else None
    return facts | ({"code": code} if code else {})


def job_json(job: Job, *, whole: bool = True) -> dict[str, Any]:
    """A job as consoles see it; without ``whole``, how far it is and not what came of it."""
    form: dict[str, Any] = {
        "id": job.id,
        "kind": job.kind,
        "state": job.state,
        "model": job.model,
        "progress": job.progress,
        "attempts": job.attempts,
        "by_id": job.by_id,
        "by": job.by_name,
        "created_at": moment(job.created_at),
        "started_at": moment(job.started_at),
        "ended_at": moment(job.ended_at),
    }
    return form | ({"options": job.options, "result": job.result, "problem": job.problem} if whole else {})
