"""The live comparison counts what became of the conversations of both versions, and says when that is not enough."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator
from datetime import UTC, datetime

import pytest

from conversations.model import Rating
from conversations.store import Database
from learning.comparing import compared, comparison_of
from learning.comparison_store import CONTAINED, HANDED_OFF, RUNNING, Counts
from tests.conversations.builders import LIN
from tests.learning.builders import EVA
from tests.learning.model_bots import ModelBot
from tests.learning.serving_desk import ServingDesk, serving_desk

NOW = datetime(2026, 11, 29, tzinfo=UTC)


@pytest.fixture
async def shop(database: Database) -> AsyncIterator[ServingDesk]:
    async with serving_desk(database, [ModelBot({"a", "b"}, "a")]) as shop:
        yield shop


async def test_the_counts_are_those_of_the_conversations_since_it_began(shop: ServingDesk) -> None:
    await shop.say(contact="before")
    shop.clock.advance(60)
    await shop.serving.compare("b", 50, EVA, shop.revision)
    expected: dict[str, Counter[str]] = {"a": Counter(), "b": Counter()}
    for number in range(12):
        shop.clock.advance(1)
        text = "person" if number % 3 == 0 else "hello"
        conversation_id, version = await shop.say("hello", f"c{number}")
        if text == "person":
            await shop.say("person", f"c{number}")
            if number % 2:
                await shop.desk.conversations.assign(conversation_id, LIN, over_capacity=True)
            expected[version][HANDED_OFF] += 1
        elif number % 3 == 1:
            expected[version][RUNNING] += 1
        else:
            expected[version][CONTAINED] += 1
    shop.clock.advance(10_000)
    left = [name for name in (await shop.pins()) if name]
    assert len(left) == 13
    overview = await shop.serving.overview()
    assert overview.since is not None
    # Quiet conversations are over: those that were still running count as solved, too.
    await shop.desk.conversations.resolve_idle(3600)
    found = await compared(shop.database, "a", "b", overview.since, 50)
    for arm, name in ((found.live, "a"), (found.candidate, "b")):
        handed, all_of_them = expected[name][HANDED_OFF], sum(expected[name].values())
        assert arm.conversations == all_of_them
        assert (arm.figures["handoffs"].n, arm.figures["handoffs"].value) == (
            all_of_them,
            pytest.approx(handed / all_of_them) if all_of_them else None,
        )
        assert sum(arm.reasons.values()) == handed
        assert arm.figures["turns"].n == all_of_them
    assert found.live.conversations + found.candidate.conversations == 12
    # Chance decides who gets which version, so what is enough is asked of the same counts.
    live, candidate = (counts(of[CONTAINED] + of[RUNNING], of[HANDED_OFF]) for of in (expected["a"], expected["b"]))
    wanted = comparison_of("a", "b", live, candidate, NOW, 50).verdicts["containment"]
    assert (found.verdicts["containment"].word, found.verdicts["containment"].more) == (wanted.word, wanted.more)


async def test_a_rating_counts_for_the_version_that_was_rated(shop: ServingDesk) -> None:
    await shop.serving.compare("b", 99, EVA, shop.revision)
    conversation_id, version = await shop.say(contact="ann")
    shop.clock.advance(7200)
    await shop.desk.conversations.resolve_idle(3600)
    conversation = await shop.desk.get(conversation_id)
    rated = await shop.desk.conversations.rate(conversation.address, conversation_id, 4)
    assert isinstance(rated, Rating)
    since = (await shop.serving.overview()).since
    assert since is not None
    found = await compared(shop.database, "a", "b", since, 99)
    arm = found.live if version == "a" else found.candidate
    assert (arm.figures["rating"].value, arm.figures["satisfied"].value) == (4.0, 1.0)


def counts(contained: int, handed: int, **scores: int) -> Counts:
    return Counts(
        Counter({CONTAINED: contained, HANDED_OFF: handed}),
        Counter({"asked_for_person": handed}),
        Counter({int(score[1:]): often for score, often in scores.items()}),
        Counter({3: contained + handed}),
        Counter({0: contained + handed}),
    )


def test_a_difference_that_is_more_than_chance_is_told_in_the_right_direction() -> None:
    found = comparison_of("a", "b", counts(600, 400), counts(700, 300), NOW, 50)
    assert found.verdicts["containment"].word == "better"
    assert found.verdicts["handoffs"].word == "better"  # fewer of them
    worse = comparison_of("a", "b", counts(700, 300, s5=90, s1=10), counts(600, 400, s5=50, s1=50), NOW, 50)
    assert {worse.verdicts[name].word for name in ("containment", "handoffs", "rating", "satisfied")} == {"worse"}


def test_without_enough_it_says_how_many_more_and_fewer_are_needed_the_more_there_are() -> None:
    few = comparison_of("a", "b", counts(9, 3), counts(1, 0), NOW, 10).verdicts["containment"]
    more = comparison_of("a", "b", counts(900, 300), counts(100, 33), NOW, 10).verdicts["containment"]
    assert few.word == more.word == "too_few"
    assert few.more > more.more > 0
    nothing = comparison_of("a", "b", Counts(), Counts(), NOW, 10).verdicts
    assert all(one.word == "too_few" and one.difference is None for one in nothing.values())
    same = comparison_of("a", "b", counts(60_000, 20_000), counts(6_000, 2_000), NOW, 10).verdicts["containment"]
    assert (same.word, same.more) == ("close", 0)
