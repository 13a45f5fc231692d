"""What is live: changed by people, one after the other, only with every bot at it, and never under a running conversation."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
from sqlalchemy import select

from conversations.errors import ModelGone
from conversations.store import Database
from conversations.tables import audit_entries
from conversations.turn_model import TurnRequest
from learning.model_choice import Choice
from learning.serving import Gate, ServingRefused
from tests.conversations.builders import LIN
from tests.learning.builders import EVA, TOM
from tests.learning.model_bots import ModelBot
from tests.learning.serving_desk import REASON, ServingDesk, serving_desk


@pytest.fixture
async def shop(database: Database) -> AsyncIterator[ServingDesk]:
    folder = {"a", "b", "c"}
    async with serving_desk(database, [ModelBot(folder, "a"), ModelBot(folder, "a")]) as shop:
        yield shop


async def promote(shop: ServingDesk, name: str, **more: object) -> Choice:
    return await shop.serving.promote(name, EVA, shop.revision, note=REASON, without_replay=True)


async def entries(shop: ServingDesk, kind: str) -> list[dict[str, Any]]:
    async with shop.database.read() as connection:
        bodies = (await connection.execute(select(audit_entries.c.body).order_by(audit_entries.c.n))).scalars()
        return [one for one in map(json.loads, bodies) if one["kind"] == kind]


async def resolve(shop: ServingDesk, conversation_id: str) -> None:
    await shop.desk.conversations.assign(conversation_id, LIN, over_capacity=True)
    await shop.desk.conversations.resolve(conversation_id, LIN)


async def refusal(doing: object) -> ServingRefused:
    with pytest.raises(ServingRefused) as refused:
        await doing  # type: ignore[misc]
    return refused.value


async def test_what_the_bots_serve_at_first_is_found(shop: ServingDesk) -> None:
    assert shop.served.choice == Choice(1, "a")
    overview = await shop.serving.overview()
    assert [(one.what, one.live, one.before, one.by) for one in overview.changes] == [("found", "a", None, None)]
    assert all(not bot.by_training for bot in shop.bots.bots.values())


async def test_new_conversations_begin_on_what_is_promoted_and_running_ones_stay(shop: ServingDesk) -> None:
    ann, version = await shop.say(contact="ann")
    assert (version, await shop.pin(ann)) == ("a", "a")
    assert await promote(shop, "b") == Choice(2, "b")
    assert [bot.default for bot in shop.bots.bots.values()] == ["b", "b"]
    assert (await shop.say(contact="ann"))[1] == "a"
    bo, version = await shop.say(contact="bo")
    assert (version, await shop.pin(bo)) == ("b", "b")
    assert (await shop.serving.overview()).pinned == {"a": 1, "b": 1}
    assert await shop.episodes(ann) == [("bot", "a")]
    await resolve(shop, ann)
    assert await shop.pin(ann) is None
    again, version = await shop.say(contact="ann")
    assert again != ann
    assert version == "b"


async def test_the_pin_outlasts_people_and_the_next_episode_remembers_it(shop: ServingDesk) -> None:
    ann, _ = await shop.say("person", "ann")
    await promote(shop, "b")
    await shop.desk.conversations.assign(ann, LIN, over_capacity=True)
    await shop.desk.conversations.release(ann, LIN)
    assert await shop.episodes(ann) == [("bot", "a"), ("human", None), ("bot", None)]
    assert await shop.say(contact="ann") == (ann, "a")
    assert await shop.episodes(ann) == [("bot", "a"), ("human", None), ("bot", "a")]


async def test_a_version_that_is_gone_hands_its_conversations_to_what_is_live(shop: ServingDesk) -> None:
    ann, _ = await shop.say(contact="ann")
    await promote(shop, "b")
    for bot in shop.bots.bots.values():
        bot.folder.discard("a")
        bot.loaded = ["b"]
    assert await shop.say(contact="ann") == (ann, "b")
    assert await shop.pin(ann) == "b"
    assert await shop.episodes(ann) == [("bot", "a")]  # most of it was a's doing
    noted = await entries(shop, "model_gone")
    assert [(one["data"]["gone"], one["data"]["model"]) for one in noted] == [("a", "b")]


async def test_without_what_is_live_the_bot_answers_with_what_it_has(shop: ServingDesk) -> None:
    for bot in shop.bots.bots.values():
        bot.folder.discard("a")
        bot.default, bot.loaded = "c", ["c"]
    ann, version = await shop.say(contact="ann")
    assert version == "c"
    assert await shop.pin(ann) == "c"
    assert await shop.episodes(ann) == [("bot", "c")]


async def test_a_dry_run_of_a_gone_version_is_tried_on_the_default(shop: ServingDesk) -> None:
    request = TurnRequest("t1", "c1", "hello", "en", {}, dry_run=True, model="nowhere")
    with pytest.raises(ModelGone):
        await shop.dialogue.respond(request)
    ann, _ = await shop.say(contact="ann")
    conversation = await shop.desk.get(ann)
    message = (await shop.desk.conversations.messages(ann))[0]
    for bot in shop.bots.bots.values():
        bot.folder.discard("a")
        bot.default, bot.loaded = "b", ["b"]
    assert (await shop.engine.try_out(conversation, message)).trace["model"] == "b"


async def test_rolling_back_goes_to_what_was_live_before_and_ends_a_comparison(shop: ServingDesk) -> None:
    assert (await refusal(shop.serving.rollback(EVA, shop.revision))).code == "nothing_before"
    await promote(shop, "b")
    await shop.serving.compare("c", 50, EVA, shop.revision)
    assert shop.served.choice == Choice(3, "b", "c", 50)
    assert await shop.serving.rollback(TOM, shop.revision) == Choice(4, "a")
    changes = (await shop.serving.overview()).changes
    assert [(one.what, one.live, one.before, one.by) for one in changes[:1]] == [("rollback", "a", "b", TOM)]
    assert await shop.serving.rollback(TOM, shop.revision) == Choice(5, "b")
    assert shop.told == ["found", "promote", "compare", "rollback", "rollback"]


async def test_the_second_of_two_trainers_is_told_who_was_quicker(shop: ServingDesk) -> None:
    seen = shop.revision
    outcomes = await asyncio.gather(
        shop.serving.promote("b", EVA, seen, note=REASON, without_replay=True),
        shop.serving.promote("c", TOM, seen, note=REASON, without_replay=True),
        return_exceptions=True,
    )
    [late] = [one for one in outcomes if isinstance(one, ServingRefused)]
    [made] = [one for one in outcomes if isinstance(one, Choice)]
    assert late.code == "changed"
    assert late.detail["by"] == ("Eva" if made.live == "b" else "Tom")
    assert late.detail["live"] == made.live
    assert (await refusal(shop.serving.stop(EVA, seen))).code == "changed"


async def test_a_bot_that_cannot_load_it_stops_a_promotion_and_is_named(shop: ServingDesk) -> None:
    second = shop.bots.bots["http://bot2"]
    second.unsealed.add("b")
    refused = await refusal(promote(shop, "b"))
    assert refused.code == "no_model"
    assert "http://bot2" in str(refused)
    assert "no seal" in str(refused)
    second.unsealed.clear()
    second.away = True
    refused = await refusal(promote(shop, "b"))
    assert (refused.code, refused.detail) == ("bot_failed", {"bot": "http://bot2"})
    assert shop.served.choice == Choice(1, "a")
    assert (await refusal(promote(shop, "nowhere"))).code == "no_model"
    assert (await shop.say(contact="ann"))[1] == "a"


async def test_a_rollback_does_not_wait_for_a_bot_that_is_away(shop: ServingDesk) -> None:
    await promote(shop, "b")
    shop.bots.bots["http://bot1"].away = True
    await shop.serving.rollback(EVA, shop.revision)
    assert shop.served.choice == Choice(3, "a")
    shop.bots.bots["http://bot1"].away = False
    assert shop.bots.bots["http://bot1"].default == "b"
    await shop.serving.reconcile()
    assert shop.bots.bots["http://bot1"].default == "a"


async def test_a_bot_that_restarts_with_what_it_served_before_is_told_and_not_followed(shop: ServingDesk) -> None:
    await promote(shop, "b")
    bot = shop.bots.bots["http://bot1"]
    bot.restart(trained="a")  # its own folder never heard of the promotion
    await shop.serving.reconcile()
    assert shop.served.choice == Choice(2, "b")
    assert (bot.default, bot.by_training) == ("b", False)


async def test_what_was_trained_by_hand_is_taken_over(shop: ServingDesk) -> None:
    await promote(shop, "b")
    await shop.serving.compare("c", 10, EVA, shop.revision)
    shop.bots.bots["http://bot1"].restart(trained="d")
    await shop.serving.reconcile()
    assert shop.served.choice == Choice(4, "d")
    assert shop.bots.bots["http://bot2"].default == "d"
    overview = await shop.serving.overview()
    assert (overview.changes[0].what, overview.before, overview.live_by) == ("found", "b", None)


async def test_bots_are_left_alone_while_all_is_as_it_should_be(shop: ServingDesk) -> None:
    await promote(shop, "b")
    before = [bot.arranged for bot in shop.bots.bots.values()]
    await shop.serving.reconcile()
    await shop.serving.reconcile()
    assert [bot.arranged for bot in shop.bots.bots.values()] == before
    assert all(set(bot.kept) == {"a", "b"} for bot in shop.bots.bots.values())


async def test_without_a_replay_a_promotion_needs_a_reason_and_a_failed_one_blocks_it(shop: ServingDesk) -> None:
    at = shop.revision
    assert (await refusal(shop.serving.promote("b", EVA, at))).code == "replay_needed"
    assert (await refusal(shop.serving.promote("b", EVA, at, note=" so ", without_replay=True))).code == "reason_needed"

    async def failed(name: str) -> Gate:
        return Gate(False, "r1", "too_many_worse", {"worse": 3.0})

    shop.serving.gate = failed
    refused = await refusal(promote(shop, "b"))
    assert refused.code == "blocked"
    assert refused.detail == {"replay": "r1", "reason": "too_many_worse", "numbers": {"worse": 3.0}}
    assert (await refusal(shop.serving.compare("b", 5, EVA, at))).code == "blocked"

    async def of_three_turns(name: str) -> Gate:
        return Gate(False, "r1", "too_few_turns")

    shop.serving.gate = of_three_turns
    assert (await refusal(shop.serving.promote("b", EVA, at))).code == "replay_needed"

    async def passed(name: str) -> Gate:
        return Gate(True, "r2")

    shop.serving.gate = passed
    await shop.serving.promote("b", EVA, at)
    [promoted] = await entries(shop, "model_promoted")
    assert promoted["data"] == {"live": "b", "before": "a", "replay_id": "r2"}
    assert promoted["actor"] == f"agent:{EVA.id}"


async def test_only_sensible_changes_are_made(shop: ServingDesk) -> None:
    at = shop.revision
    assert (await refusal(shop.serving.promote("a", EVA, at))).code == "live_already"
    assert (await refusal(shop.serving.compare("a", 10, EVA, at))).code == "live_already"
    for share in (0, 100, -1):
        assert (await refusal(shop.serving.compare("b", share, EVA, at))).code == "bad_share"
    assert (await refusal(shop.serving.stop(EVA, at))).code == "no_comparison"


async def test_another_process_takes_over_what_this_one_changed(shop: ServingDesk) -> None:
    other = ServingDesk(shop.database, shop.bots, shop.clock)
    await other.serving.refresh()
    await promote(shop, "b")
    assert other.served.choice == Choice(1, "a")
    await other.serving.refresh()
    assert other.served.choice == shop.served.choice
    assert (await refusal(other.serving.promote("c", TOM, 1, note=REASON, without_replay=True))).code == "changed"


async def test_while_people_write_versions_change_without_a_failed_turn_or_a_stray_one(shop: ServingDesk) -> None:
    done = asyncio.Event()

    async def write(contact: str) -> None:
        for _ in range(5):
            await shop.say("hello", contact)

    async def change() -> None:
        number = 0
        while not done.is_set():
            if number % 2:
                await shop.serving.rollback(EVA, shop.revision)
            else:
                await promote(shop, "b" if shop.served.choice and shop.served.choice.live == "a" else "c")
            number += 1
            await asyncio.sleep(0.02)

    changing = asyncio.create_task(change())
    await asyncio.gather(*(write(f"c{number}") for number in range(12)))
    done.set()
    await changing
    ran: dict[str, set[str]] = {}
    for turn in shop.bots.turns:
        ran.setdefault(turn["conversation_id"], set()).add(turn["ran_on"])
    assert len(shop.bots.turns) == 60
    assert {one: {pin} for one, pin in (await shop.pins()).items()} == ran
    assert shop.told.count("promote") > 1


def test_the_share_is_what_was_asked_for_and_the_same_everywhere() -> None:
    ids = [f"conversation-{number}" for number in range(20_000)]
    for share in (1, 10, 50, 99):
        choice, same = Choice(7, "a", "b", share), Choice(7, "a", "b", share)
        drawn = [choice.version_of(one) for one in ids]
        assert drawn == [same.version_of(one) for one in ids]
        assert drawn.count("b") / len(ids) == pytest.approx(share / 100, abs=0.012)
    first, second = (Choice(revision, "a", "b", 50) for revision in (7, 8))
    agree = sum(first.version_of(one) == second.version_of(one) for one in ids)
    assert agree / len(ids) == pytest.approx(0.5, abs=0.02)
