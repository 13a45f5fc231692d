"""The service process is killed: at every named place, every two seconds, and while it stops."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Sequence

import failpoints
from tests.faults.actions import call_action
from tests.faults.desk import Around
from tests.faults.history import Books, at_rest
from tests.faults.http import Connection
from tests.faults.injection import Ground, Report, settle

QUICK_POINTS = ("after_disk", "after_inbound_commit", "before_turn_commit", "after_turn_commit", "after_send")
#: What a message passes on its way when nothing is wrong, so that a process dies there soon.
BUSY_POINTS = tuple(
    point
    for point in failpoints.POINTS
    if point not in ("after_action", "during_checkpoint", "after_recovery", "during_drain")
)
_DIE_SECONDS = 60.0


async def at_points(
    ground: Ground, points: Sequence[str] = failpoints.MESSAGE_POINTS, passes: Sequence[int] = (1,)
) -> Report:
    """F10: kill -9 at each place, then a start that must mend everything; judged after each round of all places."""
    report = Report(f"F10 kill -9 at {len(points)} places")
    async with ground.desk() as (desk, books):
        for nth in passes:
            writing = asyncio.create_task(desk.load.write(10**9, 8, 3600))
            for point in points:
                await _die_at(desk, point, nth)
                report.injections += 1
                print(f"  killed at {point}, pass {nth}", flush=True)
            await _mended(desk, books, report, writing)
            desk.service.kill()
    return report


async def at_each_point(ground: Ground, points: Sequence[str] = failpoints.MESSAGE_POINTS) -> Report:
    """F10: as above, but every place is judged by itself, so that a finding names the place."""
    report = Report(f"F10 each of {len(points)} places judged by itself")
    async with ground.desk() as (desk, books):
        for point in points:
            writing = asyncio.create_task(desk.load.write(10**9, 8, 3600))
            await _die_at(desk, point, 7)
            report.injections += 1
            print(f"  killed at {point}", flush=True)
            began = len(report.verdicts)
            await _mended(desk, books, report, writing)
            for verdict in report.verdicts[began:]:
                verdict.broken = [f"{point}: {one}" for one in verdict.broken]
            desk.service.kill()
    return report


async def _die_at(desk: Around, point: str, nth: int) -> None:
    nth = 1 if point in ("after_recovery", "during_drain", "after_action", "during_checkpoint") else nth
    alive = await desk.service.start(f"{point}=kill@{nth}")
    if alive and point == "during_drain":
        await asyncio.sleep(0.5)
        await desk.service.stop()
    elif alive and point == "after_action":
        await call_action(desk, "action_request_human", "turn-x", "conversation-x")
    if not await desk.service.died(_DIE_SECONDS):
        raise AssertionError(f"{point} was not reached within {_DIE_SECONDS:.0f} s under load")


async def _mended(desk: Around, books: Books, report: Report, writing: asyncio.Task[int]) -> None:
    """Start without failpoints, let everybody finish, and judge."""
    assert await desk.service.start(), desk.service.tail()
    desk.load.stop()
    await writing
    await settle(desk, books, report)


async def every_two_seconds(ground: Ground, seconds: float = 60.0, messages: int = 10**9) -> Report:
    """F11: kill -9 after every two seconds of service under load; the backlog is gone 30 s after the last kill."""
    report = Report("F11 kill -9 every 2 s")
    async with ground.desk() as (desk, books):
        writing = asyncio.create_task(desk.load.write(messages, 16, 3600))
        served = 0.0
        while served < seconds:
            assert await desk.service.start(), desk.service.tail()
            await asyncio.sleep(2.0)
            desk.service.kill()
            served += 2.0
            report.injections += 1
            print(f"  kill {report.injections}, {len(desk.load.acknowledged)} acknowledged", flush=True)
        assert await desk.service.start(), desk.service.tail()
        desk.load.stop()
        began = time.monotonic()
        await writing
        await settle(desk, books, report, seconds=30.0)
        report.recovery.append(time.monotonic() - began)
    return report


async def volume(ground: Ground, messages: int, kills: int = 6, seed: int = 0) -> Report:
    """F11 at volume: many messages, killed again and again at a place and a moment drawn at random."""
    report = Report(f"F11 volume with {kills} kills at random places")
    draw = random.Random(seed)
    async with ground.desk(CONCURRENT_TURNS="16") as (desk, books):
        writing = asyncio.create_task(desk.load.write(messages, 24, 3600))
        began = time.monotonic()
        for number in range(1, kills + 1):
            point = draw.choice(BUSY_POINTS)
            alive = await desk.service.start(f"{point}=kill@{draw.randint(20, 400)}")
            due = messages * number // (kills + 1)
            while alive and desk.service.running() and len(desk.load.acknowledged) < due and not writing.done():
                await asyncio.sleep(0.1)
            killed = point if alive and not desk.service.running() else f"no place (not {point})"
            desk.service.kill()
            report.injections += 1
            _tell(len(desk.load.acknowledged), messages, began, f"killed at {killed}")
        assert await desk.service.start(), desk.service.tail()
        while not writing.done():
            await asyncio.wait((writing,), timeout=15)
            _tell(len(desk.load.acknowledged), messages, began, "")
        await writing
        await settle(desk, books, report, seconds=120.0)
    return report


def _tell(done: int, wanted: int, began: float, what: str) -> None:
    rate = done / max(0.1, time.monotonic() - began)
    left = f"about {(wanted - done) / rate:.0f} s left" if done else "nothing acknowledged yet"
    print(f"  {done} of {wanted} acknowledged, {rate:.0f} a second, {left} {what}".rstrip(), flush=True)


async def while_draining(ground: Ground, turns: int = 50, turn_seconds: float = 3.0) -> Report:
    """F15: SIGTERM with 50 running turns; readiness goes off, turns finish or wait, it ends with 0 in 25 s."""
    report = Report(f"F15 SIGTERM with {turns} turns of {turn_seconds:.0f} s")
    async with ground.desk(CONCURRENT_TURNS="64", DRAIN_SECONDS="1") as (desk, books):
        assert await desk.service.start(), desk.service.tail()
        await desk.bot_does(mode="ok", seconds=turn_seconds)
        assert await desk.load.write(turns, turns, 30, hand_off=False) == turns
        connection = Connection(desk.service.port)
        stopping = asyncio.create_task(desk.service.stop())
        readiness = None
        while not stopping.done() and (readiness is None or readiness[0] == 200):
            readiness = await connection.ask("GET", "/health/ready", {}, b"", 2.0)
            await asyncio.sleep(0.05)
        code, seconds = await stopping
        connection.close()
        report.injections += 1
        await desk.bot_does(mode="ok")
        assert await desk.service.start(), desk.service.tail()
        verdict = await settle(desk, books, report)
        if code != 0 or seconds > 25:
            verdict.broken.append(f"the process ended with {code} after {seconds:.1f} s")
        if readiness is None or readiness[0] != 503:
            verdict.broken.append(f"readiness stayed {readiness and readiness[0]} while the process stopped")
    return report


async def poison(ground: Ground) -> Report:
    """A message that kills its process is set aside after three tries; who wrote at the same time is answered."""
    report = Report("poison message")
    async with ground.desk() as (desk, books):
        await desk.bot_does(mode="ok", seconds=0.5)
        assert await desk.service.start(), desk.service.tail()
        assert await desk.load.write(8, 8, 30, hand_off=False) == 8
        desk.service.kill()
        for _ in range(6):
            alive = await desk.service.start("after_bot_call=kill@1")
            if not alive or await desk.service.died(8):
                report.injections += 1
                continue
            desk.service.kill()
        await desk.bot_does(mode="ok")
        assert await desk.service.start(), desk.service.tail()
        await settle(desk, books, report)
        await at_rest(books)
    return report
