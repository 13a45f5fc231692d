"""Both hubs carry news to whoever listens, and end listeners who fall behind."""

from __future__ import annotations

import asyncio
import os
import uuid
from collections.abc import AsyncIterator

import pytest
from redis.asyncio import Redis
from redis.exceptions import RedisError

from conversations.errors import SlowConsumer
from conversations.hub import BUFFER, Hub, LocalHub, RedisHub

REDIS = os.environ.get("TEST_REDIS_URL", "redis://127.0.0.1:6379/15")


async def redis_hub(prefix: str) -> RedisHub:
    client = Redis.from_url(REDIS, socket_connect_timeout=1)
    try:
        await client.ping()
    except (RedisError, OSError) as error:
        if os.environ.get("CI"):
            raise
        pytest.skip(f"Redis does not answer: {error}")
    finally:
        await client.aclose()
    hub = RedisHub(REDIS, prefix=prefix)
    await hub.start()
    return hub


@pytest.fixture(params=["local", "redis"])
async def hub(request: pytest.FixtureRequest) -> AsyncIterator[Hub]:
    hub: Hub = LocalHub() if request.param == "local" else await redis_hub(f"test-{uuid.uuid4().hex}:")
    yield hub
    await hub.close()


async def test_a_subscriber_hears_its_topic_in_order(hub: Hub) -> None:
    async with hub.subscribe("staff") as news, asyncio.timeout(5):
        await hub.publish("contact:x", {"type": "message", "n": -1})
        for n in range(5):
            await hub.publish("staff", {"type": "message", "n": n, "text": "你好"})
        heard = [await anext(news) for _ in range(5)]
    assert [event["n"] for event in heard] == list(range(5))
    assert heard[0]["text"] == "你好"


async def test_who_gives_up_before_redis_confirmed_leaves_nothing_behind() -> None:
    hub = await redis_hub(f"test-{uuid.uuid4().hex}:")
    try:
        subscription = hub.subscribe("staff")
        entering = asyncio.create_task(subscription.__aenter__())
        await asyncio.sleep(0)
        assert not entering.done()
        entering.cancel()
        await asyncio.gather(entering, return_exceptions=True)
        assert "staff" not in hub._topics
    finally:
        await hub.close()


async def test_every_subscriber_hears_everything(hub: Hub) -> None:
    async with hub.subscribe("staff") as one, hub.subscribe("staff") as two, asyncio.timeout(5):
        await hub.publish("staff", {"n": 1})
        assert await anext(one) == await anext(two) == {"n": 1}


async def test_a_slow_subscriber_is_ended_and_others_are_not(hub: Hub) -> None:
    async with hub.subscribe("staff") as slow, hub.subscribe("staff") as quick, asyncio.timeout(20):
        for n in range(BUFFER + 1):
            await hub.publish("staff", {"n": n})
            assert (await anext(quick))["n"] == n
        with pytest.raises(SlowConsumer):
            await anext(slow)


async def test_a_closed_subscription_ends_and_a_new_one_hears_what_follows(hub: Hub) -> None:
    async with asyncio.timeout(5):
        async with hub.subscribe("staff") as first:
            await hub.publish("staff", {"n": 1})
            await anext(first)
        with pytest.raises(StopAsyncIteration):
            await anext(first)
        async with hub.subscribe("staff") as second:
            await hub.publish("staff", {"n": 2})
            assert await anext(second) == {"n": 2}


async def test_closing_the_hub_ends_those_who_wait(hub: Hub) -> None:
    async with hub.subscribe("staff") as news, asyncio.timeout(5):
        waiting = asyncio.ensure_future(anext(news))
        await asyncio.sleep(0.01)
        await hub.close()
        with pytest.raises(StopAsyncIteration):
            await waiting


async def test_news_crosses_processes_through_redis() -> None:
    prefix = f"test-{uuid.uuid4().hex}:"
    here, there = await redis_hub(prefix), await redis_hub(prefix)
    async with there.subscribe("staff") as news, asyncio.timeout(5):
        await here.publish("staff", {"from": "here"})
        assert await anext(news) == {"from": "here"}
    await here.close()
    await there.close()


async def test_without_redis_the_process_still_hears_itself() -> None:
    hub = RedisHub("redis://127.0.0.1:1/0")
    await hub.start()
    news = hub.subscribe("staff")
    async with asyncio.timeout(5):
        await hub.publish("staff", {"n": 1})
        assert await anext(news) == {"n": 1}
    await hub.close()


async def test_a_redis_that_hangs_holds_up_one_message_and_not_every_one(monkeypatch: pytest.MonkeyPatch) -> None:
    async def never(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await asyncio.sleep(60)
        writer.close()

    monkeypatch.setattr("conversations.hub._PUBLISH_SECONDS", 0.2)
    server = await asyncio.start_server(never, "127.0.0.1", 0)
    hub = RedisHub(f"redis://127.0.0.1:{server.sockets[0].getsockname()[1]}/0")
    news = LocalHub.subscribe(hub, "staff")
    async with asyncio.timeout(2):  # without a limit each waits for the client's own five seconds
        for n in range(20):
            await hub.publish("staff", {"n": n})
        assert [(await anext(news))["n"] for _ in range(20)] == list(range(20))
    server.close()
    await hub.close()


async def test_a_lost_redis_connection_ends_subscribers_so_that_they_read_what_they_missed() -> None:
    hub = await redis_hub(f"test-{uuid.uuid4().hex}:")
    async with hub.subscribe("staff") as news, asyncio.timeout(5):
        assert hub._listening is not None
        assert hub._listening.connection is not None
        await hub._listening.connection.disconnect()
        with pytest.raises(SlowConsumer):
            await anext(news)
    await hub.close()


async def test_desks_on_different_databases_of_one_redis_do_not_hear_each_other() -> None:
    """Redis itself hands news to the subscribers of every database."""
    probe = await redis_hub("probe:")  # skips where no Redis answers
    await probe.close()
    server, topic = REDIS.rpartition("/")[0], f"staff-{uuid.uuid4().hex}"
    ours, theirs = RedisHub(f"{server}/15"), RedisHub(f"{server}/14")
    for hub in (ours, theirs):
        await hub.start()
    async with ours.subscribe(topic) as news, theirs.subscribe(topic) as elsewhere, asyncio.timeout(10):
        await theirs.publish(topic, {"from": "them"})
        assert await anext(elsewhere) == {"from": "them"}
        await ours.publish(topic, {"from": "us"})
        assert await anext(news) == {"from": "us"}
    for hub in (ours, theirs):
        await hub.close()
