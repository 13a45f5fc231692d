"""Replays from the wish to the gate: what is replayed, what is kept of it, and how trainers judge it together."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select

from conversations.store import Database
from conversations.tables import conversations, turns
from learning.model_tables import learning_jobs
from learning.replay_estimate import Budget
from learning.replay_store import Wanted
from learning.replaying import Replaying, ReplayRefused, Wish
from tests.learning.builders import EVA, TOM, Loop
from tests.learning.replay_bot import ReplayBot, add_model, change, create_tables, open_replaying

CANDIDATE = "frontdesk-20261129-120000"


@dataclass
class Studio:
    """A desk with customers, a bot that replays, and one model to be replayed on."""

    loop: Loop
    bot: ReplayBot
    replaying: Replaying
    jobs: Any

    async def said(self, text: str, contact: str, score: int | None = None, **more: Any) -> dict[str, Any]:
        """A contact writes, is answered and perhaps rates it; returns the turn as a change."""
        conversation_id = await self.loop.turn(text, contact)
        latest = (
            select(turns.c.turn_id).where(turns.c.conversation_id == conversation_id).order_by(turns.c.in_seq.desc())
        )
        async with self.loop.database.read() as connection:
            turn_id = (await connection.execute(latest)).scalars().first()
        if score is not None:
            await self.loop.rated(conversation_id, score, contact)
        return change(str(turn_id), conversation_id, **more)

    async def erase(self, conversation_id: str) -> None:
        """Erase whoever a conversation is with."""
        async with self.loop.database.read() as connection:
            query = select(conversations.c.contact_id).where(conversations.c.id == conversation_id)
            contact_id = (await connection.execute(query)).scalar_one()
        await self.loop.desk.conversations.erase_contact(contact_id, None)

    async def replayed(self, *finds: dict[str, Any], **wished: Any) -> str:
        self.bot.finds = list(finds)
        replay = await self.replaying.start(Wish(CANDIDATE, **wished), EVA)
        await self.step()
        return replay.id

    async def step(self) -> None:
        for _ in range(3):
            await self.jobs.step()

    async def judge_all(self, replay_id: str, verdict: Any) -> int:
        count = 0
        while (shown := await self.replaying.next(replay_id, EVA)) is not None:
            await self.replaying.judge(replay_id, shown.change.turn_id, verdict, EVA)
            count += 1
        return count


@pytest.fixture
async def studio(database: Database, loop: Loop) -> Studio:
    await create_tables(database)
    await add_model(database, CANDIDATE, loop.clock() - timedelta(hours=1))
    bot = ReplayBot()
    replaying, jobs = open_replaying(loop.desk.conversations, bot)
    return Studio(loop, bot, replaying, jobs)


async def test_the_latest_conversations_are_replayed_whole_and_nothing_of_whom_was_erased(studio: Studio) -> None:
    await studio.said("where is my parcel", "ann")
    await studio.said("send it back", "ben")
    first = await studio.said("an invoice please", "cid")
    gone = await studio.said("hello", "dora")
    await studio.erase(gone["conversation_id"])
    await studio.replayed(turns=2)
    asked = studio.bot.asked[0]
    assert asked["kind"] == "replay"
    assert asked["model"] == CANDIDATE
    assert asked["thresholds"] is None
    assert len(asked["conversations"]) == 2
    assert asked["conversations"][0] == first["conversation_id"]
    assert gone["conversation_id"] not in asked["conversations"]
    await studio.replayed(turns=100, thresholds="now")
    assert studio.bot.asked[1]["thresholds"] == {"en": {"answer": 0.7}}


async def test_changes_are_joined_with_words_and_ratings_and_the_job_keeps_figures_only(studio: Studio) -> None:
    pleased = await studio.said("where is my parcel", "ann", 5)
    cross = await studio.said("send it back", "ben", 1)
    quiet = await studio.said("an invoice please", "cid")
    strange = change("f" * 32, "e" * 32)  # of a conversation that is not here
    replay_id = await studio.replayed(pleased, cross, quiet, strange)
    shown, total = await studio.replaying.changes(replay_id, Wanted(), 10, 0)
    assert total == 3
    by_text = {one.text: one.change for one in shown}
    assert by_text["where is my parcel"].rating == 5
    assert by_text["where is my parcel"].risky
    assert (by_text["send it back"].rating, by_text["send it back"].risky) == (1, False)
    assert by_text["an invoice please"].rating is None
    assert shown[0].text == "where is my parcel"  # what went well before is judged first
    low, _ = await studio.replaying.changes(replay_id, Wanted(rating="low", kind="actions"), 10, 0)
    assert [one.text for one in low] == ["send it back"]
    standing = await studio.replaying.look(replay_id)
    assert list(standing.intents) == [("order_status", "return_refund", 3)]
    async with studio.loop.database.read() as connection:
        row = (await connection.execute(select(learning_jobs).where(learning_jobs.c.id == replay_id))).one()
    assert row.state == "done"
    assert row.result["changed"] == 4
    assert "changes" not in row.result
    assert "conversations" not in row.options


async def test_two_trainers_never_judge_the_same_change(studio: Studio) -> None:
    said = [await studio.said(f"question {n}", f"contact-{n}") for n in range(6)]
    replay_id = await studio.replayed(*said)
    eva, tom = await asyncio.gather(studio.replaying.next(replay_id, EVA), studio.replaying.next(replay_id, TOM))
    assert eva is not None
    assert tom is not None
    assert eva.change.turn_id != tom.change.turn_id
    again = await studio.replaying.next(replay_id, EVA)
    assert again is not None
    assert again.change.turn_id == eva.change.turn_id  # still before her
    with pytest.raises(ReplayRefused) as refused:
        await studio.replaying.judge(replay_id, tom.change.turn_id, "worse", EVA)
    assert refused.value.code == "taken"
    await studio.replaying.judge(replay_id, tom.change.turn_id, "worse", TOM)
    with pytest.raises(ReplayRefused):
        await studio.replaying.judge(replay_id, tom.change.turn_id, "better", EVA)
    studio.loop.clock.advance(360)  # Eva went for lunch
    freed = await studio.replaying.next(replay_id, TOM)
    assert freed is not None
    assert freed.change.turn_id == eva.change.turn_id


async def test_a_judgement_is_taken_back_by_whoever_gave_it(studio: Studio) -> None:
    replay_id = await studio.replayed(await studio.said("hello", "ann"))
    shown = await studio.replaying.next(replay_id, EVA)
    assert shown is not None
    await studio.replaying.judge(replay_id, shown.change.turn_id, "better", EVA)
    with pytest.raises(ReplayRefused):
        await studio.replaying.take_back(replay_id, shown.change.turn_id, TOM)
    await studio.replaying.take_back(replay_id, shown.change.turn_id, EVA)
    standing = await studio.replaying.look(replay_id)
    assert standing.estimate is not None
    assert standing.estimate.judged == 0
    assert await studio.replaying.next(replay_id, EVA) is not None


async def test_a_change_is_shown_with_what_was_said_before_it(studio: Studio) -> None:
    await studio.said("hello there", "ann")
    later = await studio.said("and my parcel?", "ann")
    replay_id = await studio.replayed(later)
    shown = await studio.replaying.next(replay_id, EVA)
    assert shown is not None
    assert [one.text for one in shown.context] == ["hello there", "well"]
    assert (shown.text, list(shown.replies)) == ("and my parcel?", ["well"])


async def test_a_bad_model_is_blocked_and_a_good_one_passes(studio: Studio) -> None:
    gate = await studio.replaying.gate(CANDIDATE)
    assert (gate.passed, gate.reason) == (False, "no_replay")
    said = [await studio.said(f"question {n}", f"contact-{n}") for n in range(40)]
    bad = await studio.replayed(*said)
    assert (await studio.replaying.gate(CANDIDATE)).reason == "judge_more"
    assert await studio.judge_all(bad, "worse") == 40
    gate = await studio.replaying.gate(CANDIDATE)
    assert (gate.passed, gate.reason, gate.replay_id) == (False, "too_many_worse", bad)
    studio.loop.clock.advance(60)
    good = await studio.replayed(*said)
    await studio.judge_all(good, "better")
    gate = await studio.replaying.gate(CANDIDATE)
    assert (gate.passed, gate.reason, gate.replay_id) == (True, "within_budget", good)
    studio.loop.clock.advance(15 * 86_400)
    assert (await studio.replaying.gate(CANDIDATE)).reason == "too_old"


async def test_messages_without_an_answer_keep_the_gate_shut_until_they_are_no_matter(studio: Studio) -> None:
    failed = await studio.said("hello", "ann")
    failed |= {"kinds": ["failed"], "after": {"failed": "TurnFailed"}}
    replay_id = await studio.replayed(failed)
    await studio.judge_all(replay_id, "worse")
    await studio.replaying.set_budget(Budget(worse_percent=50), 0, EVA)
    assert (await studio.replaying.gate(CANDIDATE)).reason == "failures"
    await studio.replaying.take_back(replay_id, failed["turn_id"], EVA)
    await studio.judge_all(replay_id, "same")
    assert (await studio.replaying.gate(CANDIDATE)).passed


async def test_a_replay_of_a_part_is_for_looking_only(studio: Studio) -> None:
    await studio.said("hello", "ann")
    with pytest.raises(ReplayRefused) as nothing:
        await studio.replayed(languages=("zh",), channels=("telegram",))
    assert nothing.value.code == "no_turns"
    await studio.replayed(languages=("zh", "en"))
    assert (await studio.replaying.gate(CANDIDATE)).reason == "only_a_part"


async def test_turns_that_the_bot_has_no_record_of_are_counted_as_lost(studio: Studio) -> None:
    for number in range(4):
        await studio.said("hello", f"contact-{number}")
    studio.bot.turns = 3
    replay_id = await studio.replayed()
    figures = (await studio.replaying.look(replay_id)).replay.figures or {}
    assert (figures["turns"], figures["not_replayable"]) == (4, {"not_in_log": 1})
    assert (await studio.replaying.gate(CANDIDATE)).numbers == {"turns": 3, "needed": 100}


async def test_the_budget_is_changed_by_one_at_a_time(studio: Studio) -> None:
    await studio.replaying.set_budget(Budget(worse_percent=2.5), 0, EVA)
    with pytest.raises(ReplayRefused):
        await studio.replaying.set_budget(Budget(worse_percent=9), 0, TOM)
    budget, revision, by_name = await studio.replaying.budget()
    assert (budget.worse_percent, revision, by_name) == (2.5, 1, "Eva")
    await studio.replaying.set_budget(Budget(worse_percent=3), 1, TOM)
    assert (await studio.replaying.budget())[0].worse_percent == 3


async def test_who_is_erased_leaves_no_change_behind(studio: Studio) -> None:
    mine = await studio.said("hello", "ann", 5)
    other = await studio.said("hello", "ben")
    replay_id = await studio.replayed(mine, other)
    await studio.erase(mine["conversation_id"])
    shown, total = await studio.replaying.changes(replay_id, Wanted(), 10, 0)
    assert (total, [one.change.turn_id for one in shown]) == (1, [other["turn_id"]])
    assert (await studio.replaying.look(replay_id)).estimate is not None


async def test_a_replay_says_how_far_it_is_why_it_failed_and_can_be_stopped(studio: Studio) -> None:
    await studio.said("hello", "ann")
    studio.bot.runs = True
    replay_id = await studio.replayed()
    standing = await studio.replaying.look(replay_id)
    assert (standing.state, (standing.progress or {}).get("share")) == ("running", 0.4)
    await studio.replaying.cancel(replay_id, EVA)
    await studio.step()
    assert (await studio.replaying.look(replay_id)).state == "cancelled"
    studio.bot.problem = "There is no model."
    failed = await studio.replayed()
    standing = await studio.replaying.look(failed)
    assert (standing.state, standing.problem) == ("failed", "There is no model.")
    with pytest.raises(ReplayRefused):
        await studio.replaying.look("0" * 32)
    with pytest.raises(ReplayRefused):
        await studio.replaying.start(Wish("nothing"), EVA)
