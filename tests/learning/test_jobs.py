"""The queue of long work: one driver, any bot, and whatever dies in between nothing is lost and nothing is done twice."""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from conversations.audit import AuditLog
from conversations.audit_store import AuditStore
from conversations.change import STAFF
from conversations.conversations import Conversations
from conversations.dialogue import RasaDialogue
from conversations.hub import LocalHub
from conversations.store import Database
from conversations.work_leases import WorkLeases
from learning.bot_work import HttpBotWork
from learning.job_store import OVER, Job
from learning.jobs import Jobs
from learning.model_tables import metadata
from tests.blank_database import blank_database
from tests.learning.bot_double import RESULT, SECRET, BotDouble, transport_to
from tests.learning.builders import EVA, TOM


@dataclass
class Works:
    """One desk with its bots; ``taken`` are the jobs that were taken in."""

    database: Database
    conversations: Conversations
    bots: list[BotDouble]
    taken: list[str] = field(default_factory=list)
    fails_to_take: bool = False

    def driver(self) -> Jobs:
        """A service process."""
        work = HttpBotWork(RasaDialogue([one.url for one in self.bots], SECRET, transport=transport_to(*self.bots)))
        jobs = Jobs(self.conversations, work, WorkLeases(self.database), poll_seconds=0.01, away_seconds=0)
        jobs.on_done["train"] = self._take
        return jobs

    async def _take(self, job: Job) -> str | None:
        if self.fails_to_take:
            raise RuntimeError("the disk is full")
        self.taken.append(job.id)
        return str((job.result or {})["model"])

    async def audited(self) -> list[str]:
        async with self.database.read() as connection:
            bodies = [json.loads(row.body) async for row in AuditStore(connection).entries()]
        return [body["kind"] for body in bodies]


@pytest.fixture
async def works(database: Database) -> AsyncIterator[Works]:
    async with database.engine.begin() as connection:
        await connection.run_sync(metadata.create_all)
    return make_works(database)


def make_works(database: Database) -> Works:
    conversations = Conversations(database, LocalHub(), AuditLog(os.urandom(32)))
    return Works(database, conversations, [BotDouble(), BotDouble("http://bot-2:5005")])


async def state_of(jobs: Jobs, job: Job) -> str:
    found = await jobs.find(job.id)
    assert found is not None
    return found.state


async def test_work_goes_to_a_bot_is_followed_and_taken_in(works: Works) -> None:
    jobs = works.driver()
    async with works.conversations.hub.subscribe(STAFF) as events:
        job = await jobs.enqueue("train", {"note": "gift cards"}, EVA)
        await jobs.step()
        assert works.bots[0].asked[f"{job.id}-1"]["options"] == {"note": "gift cards"}
        works.bots[0].goes(0.4)
        await jobs.step()
        running = await jobs.find(job.id)
        assert running is not None
        assert running.progress == {"share": 0.4, "step": "train", "note": ""}
        works.bots[0].ends(result=RESULT)
        await jobs.step()
        told = [(await anext(aiter(events))) for _ in range(4)]
    done = await jobs.find(job.id)
    assert done is not None
    assert (done.state, done.model, done.result) == ("done", RESULT["model"], RESULT)
    assert works.taken == [job.id]
    assert [one["job"]["state"] for one in told] == ["queued", "running", "running", "done"]
    assert "result" not in told[-1]["job"]
    assert await works.audited() == ["learning_job_queued", "learning_job_done"]


async def test_each_bot_does_one_thing_at_a_time_and_the_oldest_comes_first(works: Works) -> None:
    jobs = works.driver()
    queue = [await jobs.enqueue("train", {"n": n}, EVA) for n in range(3)]
    await jobs.step()
    assert [await state_of(jobs, one) for one in queue] == ["running", "running", "queued"]
    works.bots[1].ends(result=RESULT)
    await jobs.step()
    await jobs.step()
    assert [await state_of(jobs, one) for one in queue] == ["running", "done", "running"]


async def test_a_bot_that_is_busy_or_away_is_passed_over_and_costs_no_attempt(works: Works) -> None:
    jobs = works.driver()
    works.bots[0].busy = True
    works.bots[1].away = True
    job = await jobs.enqueue("train", {}, EVA)
    for _ in range(5):
        await jobs.step()
    assert await state_of(jobs, job) == "queued"
    works.bots[1].away = False
    await jobs.step()
    assert works.bots[1].runs() == [f"{job.id}-1"]


async def test_a_bot_whose_answer_was_lost_is_not_asked_to_do_it_twice(works: Works) -> None:
    works.bots = works.bots[:1]
    jobs = works.driver()
    works.bots[0].loses_answers = True
    job = await jobs.enqueue("train", {}, EVA)
    await jobs.step()
    works.bots[0].loses_answers = False
    await jobs.step()
    assert list(works.bots[0].jobs) == [f"{job.id}-1"]
    assert await state_of(jobs, job) == "running"


async def test_work_that_died_with_its_bot_is_done_once_more_and_then_has_failed(works: Works) -> None:
    jobs = works.driver()
    job = await jobs.enqueue("train", {}, EVA)
    await jobs.step()
    works.bots[0].dies()
    await jobs.step()
    await jobs.step()
    again = await jobs.find(job.id)
    assert again is not None
    assert (again.state, again.attempts) == ("running", 2)
    next(bot for bot in works.bots if bot.runs()).dies()
    await jobs.step()
    failed = await jobs.find(job.id)
    assert failed is not None
    assert (failed.state, failed.problem, failed.result) == ("failed", "Killed", {"code": "died"})
    assert await works.audited() == ["learning_job_queued", "learning_job_failed"]


async def test_work_at_a_bot_that_never_answers_again_goes_to_another_one(works: Works) -> None:
    jobs = works.driver()
    job = await jobs.enqueue("train", {}, EVA)
    await jobs.step()
    works.bots[0].away = True
    for _ in range(4):
        await jobs.step()
    assert works.bots[1].runs() == [f"{job.id}-2"]


async def test_what_the_bot_refuses_or_cannot_do_says_why(works: Works) -> None:
    jobs = works.driver()
    strange = await jobs.enqueue("nonsense", {}, EVA)
    await jobs.step()
    refused = await jobs.find(strange.id)
    assert refused is not None
    assert (refused.state, refused.problem) == ("failed", "kind must be another one.")
    bad = await jobs.enqueue("train", {}, EVA)
    await jobs.step()
    works.bots[0].ends(state="failed", problem="Correct it.", result={"code": "bad_data", "lines": ["en/greet.yml: …"]})
    await jobs.step()
    failed = await jobs.find(bad.id)
    assert failed is not None
    assert failed.result == {"code": "bad_data", "lines": ["en/greet.yml: …"]}


async def test_a_result_that_cannot_be_taken_in_is_no_success(works: Works) -> None:
    works.fails_to_take = True
    jobs = works.driver()
    job = await jobs.enqueue("train", {}, EVA)
    await jobs.step()
    works.bots[0].ends(result=RESULT)
    await jobs.step()
    failed = await jobs.find(job.id)
    assert failed is not None
    assert (failed.state, (failed.result or {})["code"]) == ("failed", "not_taken_in")


@pytest.mark.parametrize("began", [False, True])
async def test_work_is_cancelled_at_any_moment_and_its_bot_is_free_again(works: Works, began: bool) -> None:
    jobs = works.driver()
    job = await jobs.enqueue("train", {}, EVA)
    if began:
        await jobs.step()
    cancelled = await jobs.cancel(job.id, TOM)
    assert cancelled is not None
    assert cancelled.state == "cancelled"
    await jobs.step()
    assert works.bots[0].runs() == []
    assert await state_of(jobs, job) == "cancelled"
    assert await works.audited() == ["learning_job_queued", "learning_job_cancelled"]
    again = await jobs.cancel(job.id, TOM)
    assert again is not None
    assert len(await works.audited()) == 2
    assert await jobs.cancel("f" * 32, TOM) is None


async def test_a_bot_that_was_away_hears_later_that_its_work_is_cancelled(works: Works) -> None:
    jobs = works.driver()
    job = await jobs.enqueue("train", {}, EVA)
    await jobs.step()
    works.bots[0].away = True
    await jobs.cancel(job.id, EVA)
    await jobs.step()
    works.bots[0].away = False
    assert works.bots[0].runs() == [f"{job.id}-1"]
    await jobs.step()
    assert works.bots[0].runs() == []


async def test_another_process_goes_on_with_what_a_dead_one_drove(works: Works) -> None:
    first = works.driver()
    job = await first.enqueue("train", {}, EVA)
    await first.step()
    works.bots[0].ends(result=RESULT)
    second = works.driver()
    await second.step()
    assert await state_of(second, job) == "done"
    assert works.taken == [job.id]


async def test_two_processes_drive_the_queue_once(works: Works) -> None:
    processes = [works.driver(), works.driver()]
    for one in processes:
        await one.start()
    try:
        queue = [await processes[n % 2].enqueue("train", {"n": n}, EVA) for n in range(4)]
        async with asyncio.timeout(30):
            while [await state_of(processes[0], one) for one in queue] != ["done"] * 4:
                for bot in works.bots:
                    bot.ends(result=RESULT)
                await asyncio.sleep(0.01)
    finally:
        for one in processes:
            await one.stop()
    assert sorted(works.taken) == sorted(one.id for one in queue)
    begun = [name for bot in works.bots for name in bot.asked]
    assert sorted(begun) == sorted(f"{one.id}-1" for one in queue)


EVENTS = st.lists(
    st.sampled_from(["add", "step", "step", "end", "die", "fail", "cancel", "away", "back", "busy", "idle", "restart"]),
    max_size=25,
)


@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
@given(events=EVENTS)
async def test_whatever_happens_all_work_ends_once_and_no_bot_stays_taken(
    tmp_path_factory: pytest.TempPathFactory, events: list[str]
) -> None:
    database = await blank_database(tmp_path_factory.mktemp("queue"))
    async with database.engine.begin() as connection:
        await connection.run_sync(metadata.create_all)
    works = make_works(database)
    jobs, queue = works.driver(), list[Job]()
    does: dict[str, Callable[[], Any]] = {
        "end": lambda: [bot.ends(result=RESULT) for bot in works.bots],
        "die": lambda: [bot.dies() for bot in works.bots],
        "fail": lambda: [bot.ends(state="failed", problem="bad", result={"code": "bad_data"}) for bot in works.bots],
        "away": lambda: [setattr(works.bots[0], "away", True)],
        "back": lambda: [setattr(works.bots[0], "away", False)],
        "busy": lambda: [setattr(works.bots[1], "busy", True)],
        "idle": lambda: [setattr(works.bots[1], "busy", False)],
    }
    for event in events:
        if event == "add":
            queue.append(await jobs.enqueue("train", {}, EVA))
        elif event == "step":
            await jobs.step()
        elif event == "cancel" and queue:
            await jobs.cancel(queue[-1].id, EVA)
        elif event == "restart":
            jobs = works.driver()
        elif event in does:
            does[event]()
    works.bots[0].away = works.bots[1].busy = False
    for _ in range(4 * len(queue) + 4):
        await jobs.step()
        for bot in works.bots:
            bot.ends(result=RESULT)
    await jobs.step()
    found = [await jobs.find(one.id) for one in queue]
    assert all(one is not None and one.state in OVER for one in found)
    done = [one.id for one in found if one is not None and one.state == "done"]
    assert sorted(set(works.taken)) == sorted(done)
    assert len(works.taken) == len(set(works.taken)), "taken in twice"
    assert all(bot.runs() == [] for bot in works.bots)
    await database.close()
