"""A program that asks too fast, and an address that tries wrong keys, are told to wait; the others notice nothing."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from connectors.key_limits import KeyLimits, TooManyRequests
from connectors.shared_buckets import SharedBuckets
from settings import Settings
from tests.connectors.desk import API_KEY, running_server
from tests.connectors.test_key_scopes import REQUESTS, ask, desk_with_keys
from tests.connectors.test_shared_limits import Server as Redis

SLOWLY = 1 / 1000  #: tokens a second: none comes back while a test runs


def limits(keys: int = 0, wrong: int = 0) -> KeyLimits:
    """Twice as many requests of a key as ``keys``, ``wrong`` wrong keys, and then a long time nothing."""
    made = KeyLimits(keys, wrong)
    for limit in (made._of_keys, made._of_wrong):
        if limit is not None:
            limit._per_second = SLOWLY
    return made


async def test_a_key_that_is_used_too_fast_waits_while_another_goes_on(tmp_path: Path) -> None:
    async with desk_with_keys(tmp_path, limits(keys=1)) as (server, keys):
        _, slow = await keys.add("slow", ["messages:read", "events:read"], "test")
        taken = [(await ask(server, "list", API_KEY)).status_code for _ in range(3)]
        assert taken == [200, 200, 429]
        for name in REQUESTS:
            refused = await ask(server, name, API_KEY)
            assert (refused.status_code, refused.json()["error"]["code"]) == (429, "too_fast"), name
            assert int(refused.headers["retry-after"]) > 1
            assert "Retry-After" in refused.json()["error"]["message"]
        assert (await ask(server, "list", slow)).status_code == 200
        assert (await ask(server, "ask", slow)).status_code == 404


async def test_a_message_that_was_refused_for_its_speed_is_not_stored_and_may_come_again(tmp_path: Path) -> None:
    made = limits(keys=1)
    async with running_server(tmp_path, key_limits=made) as server:
        for _ in range(2):
            await ask(server, "list", API_KEY)
        assert (await ask(server, "send", API_KEY, **{"idempotency-key": "k"})).status_code == 429
        assert made._of_keys is not None
        made._of_keys._buckets.clear()  # time has passed
        assert (await ask(server, "list", API_KEY)).json()["messages"] == []
        assert (await ask(server, "send", API_KEY, **{"idempotency-key": "k"})).status_code == 202


async def test_an_address_that_tries_wrong_keys_is_slowed_down(tmp_path: Path) -> None:
    async with running_server(tmp_path, key_limits=limits(wrong=4)) as server:
        tried = [(await ask(server, name, f"guess-{n}")).status_code for n, name in enumerate(REQUESTS)]
        assert tried == [401, 401, 401, 401, 429]
        refused = await ask(server, "send", "guess-again")
        assert refused.json()["error"]["code"] == "too_many_wrong_keys"
        assert int(refused.headers["retry-after"]) > 1
        # A right guess is not told apart from a wrong one while the address waits.
        assert (await ask(server, "list", API_KEY)).status_code == 429


async def test_whoever_guesses_does_not_stop_the_program_behind_the_same_address(tmp_path: Path) -> None:
    async with running_server(tmp_path, key_limits=limits(wrong=2)) as server:
        assert (await ask(server, "list", API_KEY)).status_code == 200
        assert [(await ask(server, "list", f"guess-{n}")).status_code for n in range(3)] == [401, 401, 429]
        assert (await ask(server, "list", API_KEY)).status_code == 200


async def test_a_right_key_costs_the_address_nothing(tmp_path: Path) -> None:
    async with desk_with_keys(tmp_path, limits(wrong=1)) as (server, keys):
        for n in range(3):
            _, key = await keys.add(f"program {n}", ["messages:read"], "test")
            assert (await ask(server, "list", key)).status_code == 200
        assert [(await ask(server, "list", "guess")).status_code for _ in range(2)] == [401, 429]


async def test_a_revoked_key_is_a_wrong_one_from_then_on(tmp_path: Path) -> None:
    async with desk_with_keys(tmp_path, limits(wrong=1)) as (server, keys):
        key, secret = await keys.add("shop", ["messages:read"], "test")
        assert (await ask(server, "list", secret)).status_code == 200
        await keys.revoke(key.id)
        assert [(await ask(server, "list", secret)).status_code for _ in range(3)] == [401, 401, 429]


async def test_a_database_that_does_not_answer_makes_no_key_a_wrong_one() -> None:
    made = limits(wrong=1)

    async def fails() -> str | None:
        raise OSError("no space left on device")

    for _ in range(3):
        with pytest.raises(OSError, match="no space"):
            await made.tried("192.0.2.1", "hash", fails)
    assert await made.tried("192.0.2.1", "other", _finds(None)) is None


async def test_many_wrong_keys_at_once_are_not_all_looked_at() -> None:
    made, looked = limits(wrong=3), 0

    async def slowly() -> str | None:
        nonlocal looked
        looked += 1
        await asyncio.sleep(0.01)
        return None

    tried = [made.tried("192.0.2.1", f"hash-{n}", slowly) for n in range(20)]
    refused = [one for one in await asyncio.gather(*tried, return_exceptions=True) if one is not None]
    assert (looked, len(refused)) == (3, 17)
    assert all(isinstance(one, TooManyRequests) for one in refused)
    assert await made.tried("192.0.2.2", "hash", _finds("somebody else")) == "somebody else"


async def test_without_limits_nobody_waits(tmp_path: Path) -> None:
    async with running_server(tmp_path, key_limits=KeyLimits(0, 0)) as server:
        assert {(await ask(server, "list", API_KEY)).status_code for _ in range(40)} == {200}
        assert {(await ask(server, "list", "guess")).status_code for _ in range(40)} == {401}


def test_by_default_several_hundred_requests_a_second_of_one_key_go_through() -> None:
    """As a program brings them that speaks for a whole shop, a minute long."""
    limit = KeyLimits(Settings.model_fields["rest_per_second"].default)._of_keys
    assert limit is not None
    now = [0.0]
    limit._clock = lambda: now[0]
    for n in range(400 * 60):
        now[0] = n / 400
        assert limit.wait_seconds("shop") == 0
    assert any(limit.wait_seconds("shop") > 0 for _ in range(2000))  # but not any number at once


def test_half_a_request_a_second_is_one_every_two_seconds() -> None:
    """A burst of two seconds, and never less than one request."""
    limit = KeyLimits(0.5)._of_keys
    assert limit is not None
    assert limit.wait_seconds("key") == 0
    assert 1.5 < limit.wait_seconds("key") <= 2


@pytest.mark.skipif(shutil.which("redis-server") is None, reason="there is no redis-server")
async def test_service_processes_count_a_key_together(tmp_path: Path) -> None:
    redis = Redis(tmp_path)
    redis.start()
    try:
        buckets = SharedBuckets(redis.url)
        one, two = limits(keys=1, wrong=1), limits(keys=1, wrong=1)
        one.share(buckets)
        two.share(buckets)
        await one.take("key")
        await two.take("key")
        with pytest.raises(TooManyRequests):
            await one.take("key")
        assert await one.tried("192.0.2.1", "guess", _finds(None)) is None
        with pytest.raises(TooManyRequests):
            await two.tried("192.0.2.1", "another guess", _finds(None))
        await buckets.close()
    finally:
        redis.kill()


def _finds(found: str | None) -> Callable[[], Awaitable[str | None]]:
    async def find() -> str | None:
        return found

    return find
