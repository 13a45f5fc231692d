"""A thousand sign-ins in a minute are counted and refused, and the machine stays free for those who work."""

from __future__ import annotations

import asyncio
import threading
from collections import Counter
from typing import Any

import pytest

from conversations.model import utc_now
from handoff.errors import Refused
from handoff.roles import Role
from handoff.sign_in import Passwords, SignIn
from handoff.store import StaffStore

PASSWORD = "correct horse battery"


class Watched:
    """A hasher that notes how many of its hashes are made at once, and how many in all."""

    def __init__(self, hasher: Any) -> None:
        self._hasher = hasher
        self._lock = threading.Lock()
        self.running = self.most = self.verified = 0

    def __getattr__(self, name: str) -> Any:
        return getattr(self._hasher, name)

    def hash(self, password: str) -> str:
        return str(self._watched(self._hasher.hash, password))

    def verify(self, *given: str) -> bool:
        self.verified += 1
        return bool(self._watched(self._hasher.verify, *given))

    def _watched(self, work: Any, *given: str) -> Any:
        with self._lock:
            self.running += 1
            self.most = max(self.most, self.running)
        try:
            return work(*given)
        finally:
            with self._lock:
                self.running -= 1


@pytest.fixture
def watched(passwords: Passwords, monkeypatch: pytest.MonkeyPatch) -> Watched:
    watched = Watched(passwords._hasher)
    monkeypatch.setattr(passwords, "_hasher", watched)
    return watched


async def outcome(sign_in: SignIn, email: str, password: str, ip: str) -> int:
    try:
        await sign_in.sign_in(email, password, ip)
    except Refused as error:
        return error.status
    return 200


async def test_a_thousand_guesses_make_few_hashes_and_never_more_than_two_at_once(
    store: StaffStore, passwords: Passwords, watched: Watched
) -> None:
    """F38: what is over the limit is refused before anything is hashed; a colleague elsewhere still gets in."""
    await store.add("chen@kite.example", "Chen Yu", Role.AGENT, await passwords.hash(PASSWORD), (), utc_now())
    sign_in = SignIn(store, passwords)
    seen: Counter[int] = Counter()
    for first in range(0, 1000, 20):
        seen.update(
            await asyncio.gather(
                *(
                    outcome(
                        sign_in,
                        f"n{n % 40}@kite.example" if n % 2 else "chen@kite.example",
                        f"guess {n}",
                        "198.51.100.7",
                    )
                    for n in range(first, first + 20)
                )
            )
        )
    assert seen[200] == 0
    assert seen[401] == watched.verified <= 50
    assert seen[401] + seen[429] + seen[503] == 1000
    assert watched.most <= 2
    assert await outcome(sign_in, "chen@kite.example", PASSWORD, "203.0.113.9") == 200


async def test_a_flood_from_everywhere_hashes_two_at_a_time(
    store: StaffStore, passwords: Passwords, watched: Watched
) -> None:
    """F38: where no address is over its limit, the threads are: others are asked to come back."""
    sign_in = SignIn(store, passwords)
    seen = Counter(
        await asyncio.gather(
            *(outcome(sign_in, f"n{n}@kite.example", "x", f"203.0.{n % 250}.{n // 250 + 1}") for n in range(300))
        )
    )
    assert set(seen) <= {401, 503}
    assert seen[401] == watched.verified > 0
    assert watched.most <= 2


async def test_whoever_asks_there_is_one_hash(store: StaffStore, passwords: Passwords, watched: Watched) -> None:
    """F38: unknown, known and closed accounts cost the same work, whatever else the machine does."""
    await store.add("chen@kite.example", "Chen Yu", Role.AGENT, await passwords.hash(PASSWORD), (), utc_now())
    await store.add("gone@kite.example", "Gone", Role.AGENT, await passwords.hash(PASSWORD), (), utc_now())
    await store.set_active("gone@kite.example", False)
    sign_in = SignIn(store, passwords)
    for email in ("nobody@kite.example", "chen@kite.example", "gone@kite.example"):
        before = watched.verified
        assert await outcome(sign_in, email, "wrong", "198.51.100.7") == 401
        assert watched.verified == before + 1
