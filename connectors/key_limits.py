"""How often programs may call the API: with each key, and with keys that nobody has from each address."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Awaitable, Callable
from typing import TypeVar

from connectors.rate_limit import RateLimit
from connectors.shared_buckets import SharedBuckets

_SECONDS_AT_ONCE = 2  # a program may send in bursts
_WRONG_SECONDS = 60.0
_REMEMBERED = 10_000
_FAST = (
    "this API key is used faster than the desk allows; send the request again after the seconds in Retry-After, "
    "and spread requests out"
)
_WRONG = (
    "too many wrong API keys came from this address; check the key that the program sends, "
    "then try again after the seconds in Retry-After"
)

Found = TypeVar("Found")


class TooManyRequests(Exception):
    """More than is taken; the message says of what and what to do, ``code`` says it to programs."""

    def __init__(self, code: str, message: str, retry_after_seconds: float) -> None:
        super().__init__(message)
        self.code = code
        self.retry_after_seconds = retry_after_seconds


class KeyLimits:
    """The limits of one API; what is 0 is not limited."""

    def __init__(self, per_second: float = 0, wrong_per_minute: int = 0) -> None:
        """``per_second`` counts for each key, ``wrong_per_minute`` for each address from which wrong keys come."""
        self._of_keys: RateLimit | None = None
        if per_second > 0:
            at_once = max(1, round(per_second * _SECONDS_AT_ONCE))
            self._of_keys = RateLimit(at_once, at_once / per_second)
        self._of_wrong = RateLimit(wrong_per_minute, _WRONG_SECONDS) if wrong_per_minute > 0 else None
        self._right: OrderedDict[tuple[str, str], None] = OrderedDict()

    def share(self, buckets: SharedBuckets) -> None:
        """Count together with the other service processes."""
        if self._of_keys is not None:
            self._of_keys.share(buckets, "rest:keys")
        if self._of_wrong is not None:
            self._of_wrong.share(buckets, "rest:wrong_keys")

    async def tried(self, address: str, key_hash: str, find: Callable[[], Awaitable[Found | None]]) -> Found | None:
        """What ``find`` says of a key from an address, None for a wrong one; raises ``TooManyRequests``.

        A key that was right from this address before is no guess, so whoever guesses beside it does not stop it.
        """
        place = (address, key_hash)
        if self._of_wrong is None or place in self._right:
            found = await find()
        else:
            # Counted before it is looked at, as several at once would otherwise all be let through.
            wait = await self._of_wrong.take(address)
            if wait > 0:
                raise TooManyRequests("too_many_wrong_keys", _WRONG, wait)
            wrong = False
            try:
                found = await find()
                wrong = found is None
            finally:
                if not wrong:
                    await self._of_wrong.put_back(address)
        self._remember(place, right=found is not None)
        return found

    def _remember(self, place: tuple[str, str], *, right: bool) -> None:
        self._right.pop(place, None)
        if right:
            self._right[place] = None
        if len(self._right) > _REMEMBERED:
            self._right.popitem(last=False)

    async def take(self, owner: str) -> None:
        """Count one request of a known key; raises ``TooManyRequests``."""
        wait = 0.0 if self._of_keys is None else await self._of_keys.take(owner)
        if wait > 0:
            raise TooManyRequests("too_fast", _FAST, wait)
