"""Token buckets that several service processes share, in Redis: one script counts, by the clock of the server.

Without Redis, and while it is away, each process counts for itself: what is limited here is the chat, which goes on.
(Sign-ins are counted in the database, without which nobody gets in.)
"""

from __future__ import annotations

import asyncio
import hashlib
import time

import redis.asyncio as redis
import structlog
from redis.exceptions import RedisError

_ANSWER_SECONDS = 0.5  # a limit must not hold up what it limits
_AGAIN_SECONDS = 2.0  # not every message waits to learn that Redis is away
_SCRIPT = """
local clock = redis.call('TIME')
local now = tonumber(clock[1]) + tonumber(clock[2]) / 1000000
local burst, per_second, take = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local kept = redis.call('HMGET', KEYS[1], 'left', 'at')
local left, at = tonumber(kept[1]) or burst, tonumber(kept[2]) or now
left = math.min(burst, left + math.max(0, now - at) * per_second)
local wait = 0
if take > left then
  wait = (take - left) / per_second
else
  left = math.min(burst, left - take)
end
redis.call('HSET', KEYS[1], 'left', string.format('%.6f', left), 'at', string.format('%.6f', now))
redis.call('PEXPIRE', KEYS[1], math.ceil(burst / per_second * 1000) + 1000)
return string.format('%.6f', wait)
"""
log = structlog.get_logger()


class Away(Exception):
    """Redis does not answer; count here instead."""


class SharedBuckets:
    """The buckets of all service processes of a desk."""

    def __init__(self, url: str, prefix: str | None = None) -> None:
        self._redis = redis.Redis.from_url(url, socket_connect_timeout=_ANSWER_SECONDS, socket_timeout=_ANSWER_SECONDS)
        self._prefix = "frontdesk:bucket:" if prefix is None else prefix
        self._script = self._redis.register_script(_SCRIPT)
        self._away_until = float("-inf")

    async def take(self, name: str, key: str, burst: float, per_second: float, tokens: int = 1) -> float:
        """Take tokens: 0 when they were there, else how long until they are. Negative ones are given back.

        Raises ``Away``.
        """
        if time.monotonic() < self._away_until:
            raise Away
        # Keys are addresses of contacts, which Redis need not know.
        bucket = self._prefix + name + ":" + hashlib.sha256(key.encode("utf-8", "replace")).hexdigest()[:32]
        try:
            async with asyncio.timeout(2 * _ANSWER_SECONDS):
                return float(await self._script(keys=[bucket], args=[burst, per_second, tokens]))
        except (RedisError, OSError, TimeoutError, ValueError) as error:
            self._away_until = time.monotonic() + _AGAIN_SECONDS
            log.warning("shared_limits_away", error=type(error).__name__, counted="in each process")
            raise Away from None

    async def close(self) -> None:
        """Let go of the connection."""
        await self._redis.aclose()
