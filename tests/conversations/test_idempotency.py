"""A repeated request with the same key gets the first answer."""

from __future__ import annotations

import asyncio

import pytest

from conversations.errors import IdempotencyConflict
from conversations.idempotency_store import IdempotencyKeys
from conversations.store import Database
from tests.conversations.builders import Clock


@pytest.fixture
def keys(database: Database, clock: Clock) -> IdempotencyKeys:
    return IdempotencyKeys(database, clock)


async def test_a_repeat_gets_the_first_answer(keys: IdempotencyKeys) -> None:
    assert await keys.begin("shop", "k1", "hash") is None
    await keys.finish("shop", "k1", 202, {"seq": 1})
    assert await keys.begin("shop", "k1", "hash") == (202, {"seq": 1})
    assert await keys.begin("another caller", "k1", "hash") is None


async def test_the_same_key_for_another_request_is_a_conflict(keys: IdempotencyKeys) -> None:
    await keys.begin("shop", "k1", "hash")
    with pytest.raises(IdempotencyConflict) as caught:
        await keys.begin("shop", "k1", "other")
    assert not caught.value.in_progress


async def test_of_two_requests_at_once_one_runs(keys: IdempotencyKeys) -> None:
    outcomes = await asyncio.gather(*(keys.begin("shop", "k1", "hash") for _ in range(4)), return_exceptions=True)
    assert outcomes.count(None) == 1
    assert all(
        outcome is None or (isinstance(outcome, IdempotencyConflict) and outcome.in_progress) for outcome in outcomes
    )


async def test_an_abandoned_or_died_request_may_run_again(keys: IdempotencyKeys, clock: Clock) -> None:
    await keys.begin("shop", "k1", "hash")
    await keys.abandon("shop", "k1")
    assert await keys.begin("shop", "k1", "hash") is None
    clock.advance(61)
    assert await keys.begin("shop", "k1", "hash") is None


async def test_keys_are_forgotten_after_a_day(keys: IdempotencyKeys, clock: Clock) -> None:
    await keys.begin("shop", "k1", "hash")
    await keys.finish("shop", "k1", 202, {})
    clock.advance(24 * 3600 + 1)
    assert await keys.begin("shop", "k1", "other") is None
