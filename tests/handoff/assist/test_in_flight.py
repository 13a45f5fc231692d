"""Work for consoles that look: done once, stopped when it is out of date or nobody waits."""

from __future__ import annotations

import asyncio

import pytest

from handoff.assist.in_flight import InFlight, Superseded


class Slow:
    """Work that ends when told to."""

    def __init__(self, result: str = "done") -> None:
        self.result = result
        self.go = asyncio.Event()
        self.runs = 0
        self.cancelled = 0

    async def __call__(self) -> str:
        self.runs += 1
        try:
            await self.go.wait()
        except asyncio.CancelledError:
            self.cancelled += 1
            raise
        return self.result


async def settled() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


async def test_two_consoles_that_look_at_the_same_share_the_work() -> None:
    flights, work = InFlight(), Slow()
    both = [asyncio.create_task(flights.of("a", 1, work)) for _ in range(2)]
    await settled()
    work.go.set()
    assert await asyncio.gather(*both) == ["done", "done"]
    assert work.runs == 1
    assert await flights.of("a", 1, work) == "done"
    assert work.runs == 1


async def test_a_newer_message_stops_the_work_on_the_older_one() -> None:
    flights, old, new = InFlight(), Slow("old"), Slow("new")
    first = asyncio.create_task(flights.of("a", 1, old))
    await settled()
    second = asyncio.create_task(flights.of("a", 2, new))
    with pytest.raises(Superseded):
        await first
    assert old.cancelled == 1
    with pytest.raises(Superseded):
        await flights.of("a", 1, old)
    new.go.set()
    assert await second == "new"
    assert (flights.started, flights.stopped) == (2, 1)


async def test_what_nobody_waits_for_is_stopped_but_not_while_somebody_does() -> None:
    flights, work = InFlight(), Slow()
    one, other = (asyncio.create_task(flights.of("a", 1, work)) for _ in range(2))
    await settled()
    one.cancel()
    with pytest.raises(asyncio.CancelledError):
        await one
    assert work.cancelled == 0
    other.cancel()
    with pytest.raises(asyncio.CancelledError):
        await other
    await settled()
    assert work.cancelled == 1
    work.go.set()
    assert await flights.of("a", 1, work) == "done"


async def test_a_failure_is_told_and_not_kept() -> None:
    flights = InFlight()

    async def fails() -> str:
        raise ValueError("broken")

    with pytest.raises(ValueError, match="broken"):
        await flights.of("a", 1, fails)
    work = Slow()
    work.go.set()
    assert await flights.of("a", 1, work) == "done"


async def test_a_result_grows_old_and_the_oldest_are_forgotten() -> None:
    now = [0.0]
    flights, work = InFlight(kept_seconds=10, most=2, clock=lambda: now[0]), Slow()
    work.go.set()
    await flights.of("a", 1, work)
    now[0] = 11
    await flights.of("a", 1, work)
    assert work.runs == 2
    for key in "bcd":
        await flights.of(key, 1, work)
    await flights.of("a", 1, work)
    assert work.runs == 6
