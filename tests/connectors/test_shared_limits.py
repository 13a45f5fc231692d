"""Limits that several processes count together, and what happens when Redis goes away in the middle."""

from __future__ import annotations

import asyncio
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import redis as blocking

from connectors.parts import Pace
from connectors.rate_limit import RateLimit
from connectors.shared_buckets import Away, SharedBuckets
from connectors.telegram import TelegramConnector
from conversations.errors import RateLimited
from tests.connectors.test_channels import MEANS
from tests.faults.http import free_port
from tests.faults.servers import own_redis

ROOT = Path(__file__).resolve().parents[2]
pytestmark = pytest.mark.skipif(shutil.which("redis-server") is None, reason="there is no redis-server")


class Server:
    """A Redis of the test's own, which it can kill and start again."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.port = free_port()
        self.url = f"redis://127.0.0.1:{self.port}/0"
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        self.process = own_redis(self.port, self.folder)
        client = blocking.Redis.from_url(self.url)
        for _ in range(200):
            try:
                client.ping()
                break
            except blocking.RedisError:
                assert self.process.poll() is None
                time.sleep(0.05)
        client.close()

    def kill(self) -> None:
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            self.process = None


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    server = Server(tmp_path)
    server.start()
    yield server
    server.kill()


#: Another service process: takes as many tokens as it can and says how many it got.
_TAKER = """
import asyncio, sys
from connectors.rate_limit import RateLimit
from connectors.shared_buckets import SharedBuckets

async def main():
    buckets = SharedBuckets(sys.argv[1])
    limit = RateLimit(40, 4000)
    limit.share(buckets, "test")
    print(sum([await limit.take("visitor") == 0 for _ in range(60)]))
    await buckets.close()

asyncio.run(main())
"""


async def test_two_processes_together_get_no_more_than_one_alone(server: Server) -> None:
    """F44: a visitor who is spread over two service processes."""
    running = [
        await asyncio.create_subprocess_exec(
            sys.executable, "-c", _TAKER, server.url, cwd=ROOT, stdout=asyncio.subprocess.PIPE
        )
        for _ in range(2)
    ]
    got = [int((await one.communicate())[0]) for one in running]
    # A token comes back every hundred seconds: on the slowest machine a few do.
    assert 40 <= sum(got) < 60


async def test_a_limit_that_is_shared_waits_like_one_that_is_not(server: Server) -> None:
    buckets = SharedBuckets(server.url)
    limit = RateLimit(2, 2000)
    limit.share(buckets, "test")
    assert [await limit.take("a"), await limit.take("a")] == [0, 0]
    assert 900 < await limit.take("a") <= 1000
    assert await limit.take("b") == 0
    await limit.put_back("a")
    assert await limit.take("a") == 0
    for _ in range(5):
        await limit.put_back("b")  # never more than there were
    assert [await limit.take("b"), await limit.take("b")] == [0, 0]
    assert await limit.take("b") > 0
    await buckets.close()


async def test_what_nobody_uses_any_more_leaves_redis_and_no_address_is_in_it(server: Server) -> None:
    """F40: keys are addresses of people."""
    buckets = SharedBuckets(server.url)
    limit = RateLimit(1, 1)
    limit.share(buckets, "test")
    await limit.take("+8613800138000")
    client = blocking.Redis.from_url(server.url)
    (key,) = client.keys("*")
    assert b"8613800138000" not in key
    assert 0 < client.pttl(key) <= 2000
    client.close()
    await buckets.close()


async def test_without_redis_each_process_counts_for_itself_and_together_again_afterwards(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    """F21: Redis killed in the middle. The chat goes on, limited by each process, and nobody waits for Redis."""
    monkeypatch.setattr("connectors.shared_buckets._AGAIN_SECONDS", 0.0)
    buckets = SharedBuckets(server.url)
    one, two = RateLimit(3, 3000), RateLimit(3, 3000)
    for limit in (one, two):
        limit.share(buckets, "test")
    assert [await one.take("v"), await two.take("v"), await one.take("v")] == [0, 0, 0]
    assert await two.take("v") > 0
    server.kill()
    with pytest.raises(Away):
        await buckets.take("test", "v", 3, 1)
    assert [await one.take("v") for _ in range(3)] == [0, 0, 0]
    assert await one.take("v") > 0  # still limited
    await one.put_back("v")
    assert await one.take("v") == 0
    server.start()
    assert [await two.take("v"), await one.take("v"), await two.take("v")] == [0, 0, 0]
    assert await one.take("v") > 0
    await buckets.close()


async def test_while_redis_is_known_to_be_away_nobody_asks_it(server: Server) -> None:
    server.kill()
    buckets = SharedBuckets(server.url)
    with pytest.raises(Away):
        await buckets.take("test", "v", 1, 1)
    server.start()
    with pytest.raises(Away):
        await buckets.take("test", "v", 1, 1)  # not yet
    await buckets.close()


async def test_the_paces_of_one_account_are_one_and_of_two_accounts_are_two(server: Server) -> None:
    """Two service processes with the same two bots of Telegram."""
    entry = {"channel": "telegram", "token": f"1:{'x' * 30}", "secret": "s" * 16, "per_second": 1}
    buckets = SharedBuckets(server.url)
    paces: list[Pace] = []
    for account in ("a", "a", "b"):
        connector = TelegramConnector(TelegramConnector.Settings.model_validate(entry | {"account": account}), MEANS)
        connector.share_limits(buckets)
        paces.append(connector._pace)
    await paces[0].take("1")
    with pytest.raises(RateLimited):
        await paces[1].take("2")
    await paces[2].take("3")
    await buckets.close()
