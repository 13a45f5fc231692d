"""What the desk stands on goes away: the bot, the disk, Redis, PostgreSQL, the search server, the processor itself."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import subprocess
import time

from tests.faults.actions import call_action
from tests.faults.desk import Service
from tests.faults.history import Books, judge
from tests.faults.http import LOOPBACK, free_port
from tests.faults.injection import Ground, Report, settle
from tests.faults.servers import own_postgres, own_redis

_BAD_BOTS = ("down", "refuse", "empty", "500")


async def bot_troubles(ground: Ground, modes: tuple[str, ...] = _BAD_BOTS, messages: int = 60) -> Report:
    """F16: the bot is down, refuses, answers 200 [] or 500 for a while; every message is answered, in order."""
    report = Report(f"F16 bot {', '.join(modes)}")
    async with ground.desk() as (desk, books):
        assert await desk.service.start(), desk.service.tail()
        for mode in modes:
            if mode == "down":
                desk.kill_bot()
            else:
                await desk.bot_does(mode=mode)
            writing = asyncio.create_task(desk.load.write(messages, 6, 60, hand_off=False))
            await asyncio.sleep(3)
            if mode == "down":
                desk.start_bot()
            await desk.bot_does(mode="ok")
            await writing
            report.injections += 1
            verdict = await settle(desk, books, report)
            handed = await books.rows("SELECT count(*) FROM conversations WHERE status <> 'bot'")
            if handed != [(0,)]:
                verdict.broken.append(f"{mode}: {handed[0][0]} contacts were handed off although the bot came back")
    return report


async def hanging_bot(ground: Ground) -> Report:
    """F16: the bot hangs for 70 s; the contact is told after 8 s and given to a person before 30 s."""
    report = Report("F16 bot hangs 70 s")
    async with ground.desk() as (desk, books):
        assert await desk.service.start(), desk.service.tail()
        await desk.bot_does(mode="ok", seconds=70)
        assert await desk.load.write(4, 4, 30, hand_off=False) == 4
        await asyncio.sleep(12)
        told = sum(author == "system" and "still on it" in text for _, author, text in await books.said())
        report.injections += 1
        verdict = await settle(desk, books, report)
        if told < 3:  # one of the four speaks REST; all are told
            verdict.broken.append(f"after 12 s only {told} of 4 contacts were told that it takes longer")
        waiting = await books.rows("SELECT count(*) FROM conversations WHERE status = 'queued'")
        if waiting != [(4,)]:
            verdict.broken.append(f"{waiting[0][0]} of 4 contacts wait for a person")
    return report


async def action_once(ground: Ground, times: int = 3) -> Report:
    """F17: killed after an action booked something; the turn runs again and the booking is there once."""
    report = Report("F17 killed after an action")
    async with ground.desk() as (desk, books):
        for number in range(times):
            turn, slots = f"turn-{number}", {"problem": f"broken kettle {number}", "contact_point": "a@b.example"}
            assert await desk.service.start("after_action=kill@1"), desk.service.tail()
            await call_action(desk, "action_open_ticket", turn, f"conversation-{number}", **slots)
            assert await desk.service.died(20), "the action was not reached"
            report.injections += 1
            assert await desk.service.start(), desk.service.tail()
            again = [
                await call_action(desk, "action_open_ticket", turn, f"conversation-{number}", **slots) for _ in "ab"
            ]
            assert again[0] is not None
            assert again[0] == again[1]
            desk.service.kill()
        verdict = await judge(desk, books)
        tickets = await books.rows("SELECT count(*) FROM crm_tickets")
        if tickets != [(times,)]:
            verdict.duplicated.append(f"{tickets[0][0]} tickets of {times} turns")
        report.verdicts.append(verdict)
    return report


async def stopped_worker(ground: Ground, lease_seconds: float = 4.0) -> Report:
    """F18: a worker stands still longer than its lease; another one takes over, and its late write is refused."""
    report = Report("F18 SIGSTOP beyond the lease, then SIGCONT")
    async with ground.desk(TURN_LEASE_SECONDS=str(lease_seconds)) as (desk, books):
        shutil.copytree(desk.data, desk.folder / "data-b")
        shared = f"sqlite+aiosqlite:///{desk.data / 'frontdesk.db'}"
        more = {"DATA_DIR": str(desk.folder / "data-b"), "DATABASE_URL": shared}
        other = Service(desk.folder, {**desk.service.environment, **more})
        try:
            assert await desk.service.start(), desk.service.tail()
            assert await other.start(), other.tail()
            await desk.bot_does(mode="ok", seconds=1.5)
            writing = asyncio.create_task(desk.load.write(8, 8, 60, hand_off=False))
            await _asked(books)
            assert desk.service.process is not None
            desk.service.process.send_signal(signal.SIGSTOP)
            await asyncio.sleep(lease_seconds + 4)
            report.injections += 1
            desk.service.process.send_signal(signal.SIGCONT)
            await writing
            await desk.bot_does(mode="ok")
            verdict = await settle(desk, books, report)
            until = time.monotonic() + 30
            while "turn_taken_away" not in desk.service.log.read_text(errors="replace") and time.monotonic() < until:
                await asyncio.sleep(0.1)
            if time.monotonic() >= until:
                verdict.broken.append("no late write was refused, so nothing was tested")
        finally:
            other.kill()
    return report


async def _asked(books: Books, turns: int = 3, seconds: float = 20.0) -> None:
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        if (await books.rows("SELECT count(*) FROM inbox WHERE state = 'running'"))[0][0] >= turns:
            return
        await asyncio.sleep(0.02)
    raise AssertionError(f"{turns} turns never ran at once")


async def full_disk(ground: Ground, messages: int = 400) -> Report:
    """F14: the disk is full while messages come; they are refused or stored whole, and space brings everything back."""
    report = Report("F14 disk full")
    async with ground.desk() as (desk, _):
        disk = desk.folder / "disk"
        disk.mkdir()
        if os.geteuid() != 0 or subprocess.run(["mount", "-t", "tmpfs", "-o", "size=6m", "none", disk]).returncode:
            report.skipped = "mounting a small file system needs root"
            return report
        try:
            shutil.copy(desk.data / "frontdesk.db", disk / "frontdesk.db")
            (desk.data / "frontdesk.db").unlink()
            (desk.data / "frontdesk.db").symlink_to(disk / "frontdesk.db")
            url = f"sqlite+aiosqlite:///{disk / 'frontdesk.db'}"
            assert await desk.service.start(DATABASE_URL=url), desk.service.tail()
            stone = disk / "stone"
            stone.write_bytes(b"x" * max(0, shutil.disk_usage(disk).free - 600_000))
            writing = asyncio.create_task(desk.load.write(messages, 8, 120))
            until = time.monotonic() + 60
            while desk.load.asked_to_wait < 20 and not writing.done() and time.monotonic() < until:
                await asyncio.sleep(0.1)
            report.injections += 1
            refused, alive = desk.load.asked_to_wait, desk.service.running()
            subprocess.run(["mount", "-o", "remount,size=256m", disk], check=True)
            stone.unlink()
            await writing
            verdict = await settle(desk, Books("", desk.data), report)
            if not refused:
                verdict.broken.append("the disk never became full, so nothing was tested")
            if not alive:
                verdict.broken.append("the service died when the disk was full")
            if desk.load.refused:
                verdict.broken.append(f"{desk.load.refused} messages were refused with something other than 503")
            desk.service.kill()
        finally:
            subprocess.run(["umount", "-l", disk], check=False)
    return report


async def redis_away(ground: Ground, messages: int = 400) -> Report:
    """F21: Redis is killed, comes back, and is flushed; messages go on as if nothing had been."""
    report = Report("F21 Redis killed, restarted, flushed")
    if shutil.which("redis-server") is None:
        report.skipped = "there is no redis-server"
        return report
    port = free_port()
    async with ground.desk(REDIS_URL=f"redis://{LOOPBACK}:{port}/0") as (desk, books):
        redis = own_redis(port, desk.folder)
        try:
            assert await desk.service.start(), desk.service.tail()
            writing = asyncio.create_task(desk.load.write(messages, 8, 120))
            for _ in range(2):
                await asyncio.sleep(1)
                redis.kill()
                redis.wait()
                report.injections += 1
                await asyncio.sleep(1)
                redis = own_redis(port, desk.folder)
                await asyncio.sleep(1)
                subprocess.run(["redis-cli", "-p", str(port), "flushall"], check=False, capture_output=True)
                report.injections += 1
            await writing
            await settle(desk, books, report)
        finally:
            redis.kill()
            redis.wait()
    return report


async def postgres_restarts(ground: Ground, messages: int = 600, restarts: int = 3) -> Report:
    """F22: PostgreSQL crashes and comes back, and connections are cut in mid-transaction."""
    report = Report("F22 PostgreSQL crashes, connections cut")
    async with own_postgres() as postgres:
        if postgres is None:
            report.skipped = "there are no PostgreSQL server programs"
            return report
        async with ground.desk(postgres.url, TURN_LEASE_SECONDS="20") as (desk, books):
            assert await desk.service.start(), desk.service.tail()
            writing = asyncio.create_task(desk.load.write(messages, 8, 240))
            for _ in range(restarts):
                await asyncio.sleep(2)
                await postgres.cut_connections()
                report.injections += 1
                await asyncio.sleep(1)
                await asyncio.to_thread(postgres.crash)
                report.injections += 1
                came_back, before = time.monotonic(), len(desk.load.acknowledged)
                while (
                    len(desk.load.acknowledged) == before and time.monotonic() - came_back < 30 and not writing.done()
                ):
                    await asyncio.sleep(0.05)
                report.recovery.append(time.monotonic() - came_back)
            await writing
            verdict = await settle(desk, books, report)
            if max(report.recovery[:restarts]) > 10:
                verdict.broken.append(f"{max(report.recovery[:restarts]):.1f} s until a message was taken again")
            if desk.load.refused:
                verdict.broken.append(f"{desk.load.refused} messages were refused with something other than 503")
    return report
