"""The scaled desk on one machine takes nothing that belongs to somebody else, and leaves nothing behind."""

from __future__ import annotations

import asyncio
import os
from typing import Any

import asyncpg
import pytest
import redis

from tools import scaled_desk


def databases() -> set[str]:
    """Of the local server."""

    async def ask() -> set[str]:
        plain = scaled_desk.make_url(scaled_desk.POSTGRES).set(drivername="postgresql")
        connection = await asyncpg.connect(plain.render_as_string(hide_password=False), timeout=3)
        try:
            return {row["datname"] for row in await connection.fetch("SELECT datname FROM pg_database")}
        finally:
            await connection.close()

    return asyncio.run(ask())


def or_skip(ask: Any) -> Any:
    """What a local server answers; skips where there is none."""
    try:
        return ask()
    except (OSError, TimeoutError, redis.RedisError) as error:
        if os.environ.get("CI"):
            raise
        pytest.skip(f"no local server: {error}")


def test_its_databases_are_its_own_and_gone_at_the_end() -> None:
    before = or_skip(databases)
    made: set[str | None] = set()

    def stopped_halfway() -> None:
        with scaled_desk.own_databases() as (one, two):
            made.update((one.database, two.database))
            assert made <= databases() - before
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        stopped_halfway()
    assert len(made) == 2
    assert not made & databases()


def test_a_redis_database_that_holds_something_or_is_claimed_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    or_skip(redis.Redis.from_url(f"{scaled_desk.REDIS}/0", socket_connect_timeout=1).ping)
    with scaled_desk.own_redis() as first, scaled_desk.own_redis() as second:
        assert first != second, "two scaled desks on one machine"
        number = int(second.rpartition("/")[2])
        monkeypatch.setattr(scaled_desk, "_REDIS_DATABASES", [number])
        with pytest.raises(SystemExit, match="FLUSHDB"), scaled_desk.own_redis():
            pass
        assert redis.Redis.from_url(second).dbsize() == 1
    assert redis.Redis.from_url(second).dbsize() == 0


def test_a_server_that_is_away_is_told_in_both_languages(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scaled_desk, "POSTGRES", "postgresql+asyncpg://postgres:secret@127.0.0.1:1/postgres")
    monkeypatch.setattr(scaled_desk, "REDIS", "redis://127.0.0.1:1")
    with (
        pytest.raises(SystemExit, match=r"PostgreSQL .* cannot be used[\s\S]*请先启动它") as told,
        scaled_desk.own_databases(),
    ):
        pass
    assert "secret" not in str(told.value)
    with pytest.raises(SystemExit, match=r"Redis .* cannot be used[\s\S]*请先启动它"), scaled_desk.own_redis():
        pass
