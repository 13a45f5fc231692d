"""People who write to the desk at moments drawn beforehand (open loop), on web sockets, REST and signed webhooks.

    python -m benchmarks.load [smoke|100-users|soak|spike|acks] [--scaled] [--url URL]

The times begin when a message was *due*, so waiting for a slow desk is counted. An answer that is missing after 30 s, is not
to the point or comes out of order is an error. Profiles: see ``PROFILES``. ``acks`` sends 200 signed webhooks a second and
measures how soon each is acknowledged as stored; the bot may fall behind there, but nothing may be lost.
The last line is one JSON object; times are in ms.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import random
import signal
import sys
import tempfile
import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from benchmarks.load_contacts import PostBox, Way, live, new_secret
from benchmarks.load_counts import DeskCounts, desk_counts
from benchmarks.load_desk import ACCOUNT, Target, own_desk
from benchmarks.load_record import Record, spread
from benchmarks.load_scripts import SCRIPTS
from benchmarks.load_wire import Wire
from connectors.standard_webhooks import Signatures, key_of

_PROGRESS_SECONDS = 10.0
_MEMORY_SECONDS = 2.0
_DRAIN_SECONDS = 600.0


@dataclass(frozen=True, slots=True)
class Profile:
    """How many people write, how long each thinks between messages on average, and for how long."""

    seconds: float
    users: int = 0
    think_seconds: float = 8.0
    warm_up_seconds: float = 5.0
    spike: tuple[float, float, int] | None = None  #: (from, until, how many more people)
    webhooks_per_second: float = 0.0  #: instead of people: single messages of many contacts
    contacts: int = 0


PROFILES = {
    "smoke": Profile(20, users=10, think_seconds=3),
    "100-users": Profile(60, users=100, think_seconds=10),
    "soak": Profile(1200, users=40, think_seconds=8),
    "spike": Profile(90, users=30, think_seconds=8, spike=(20, 40, 120)),
    "acks": Profile(15, webhooks_per_second=200, contacts=1500),
}


class Memory:
    """Looks at the memory of the desk's processes now and then."""

    def __init__(self, target: Target) -> None:
        self._target = target
        self.seen: list[float] = []

    async def watch(self) -> None:
        """Until cancelled."""
        while True:
            now = self._target.rss_mb()
            if now is not None:
                self.seen.append(now)
            await asyncio.sleep(_MEMORY_SECONDS)

    def growth_mb(self) -> float | None:
        """Median of the last quarter less median of the second: start-up and its caches are the first quarter."""
        quarter = len(self.seen) // 4
        if quarter < 4:
            return None
        return round(
            sorted(self.seen[-quarter:])[quarter // 2] - sorted(self.seen[quarter : 2 * quarter])[quarter // 2], 1
        )


async def people(way: Way, profile: Profile, seed: int) -> None:
    """Everybody of a profile, each in a chair of their own; the first messages of all are spread over the time to think."""
    begin = time.perf_counter() + 1.0
    record, draw = way.record, random.Random(seed)
    record.begins_at = begin + profile.warm_up_seconds
    ends_at = record.begins_at + profile.seconds
    plans = [(begin + draw.uniform(0, profile.think_seconds), ends_at) for _ in range(profile.users)]
    if profile.spike is not None:
        since, until, more = profile.spike
        first = [record.begins_at + since + draw.uniform(0, profile.think_seconds / 4) for _ in range(more)]
        plans += [(one, record.begins_at + until) for one in first]
    talking = [
        live(way, random.Random(f"{seed}/{number}"), profile.think_seconds, *plan) for number, plan in enumerate(plans)
    ]
    await asyncio.gather(*talking)


async def webhooks(way: Way, profile: Profile, seed: int) -> None:
    """Poisson arrivals of single messages; only the acknowledgement is waited for."""
    record, draw, sending = way.record, random.Random(seed), set[asyncio.Task[None]]()
    record.begins_at = time.perf_counter() + 1.0 + profile.warm_up_seconds
    due_at, ends_at = record.begins_at - profile.warm_up_seconds, record.begins_at + profile.seconds
    wire = Wire(way.base)
    lines = [(language, line.text) for language, scripts in SCRIPTS.items() for one in scripts for line in one]

    async def post(due: float) -> None:
        language, text = draw.choice(lines)
        record.sent("webhook", due, time.perf_counter())
        try:
            async with asyncio.timeout(way.patience_seconds):
                status = await way.post_signed(wire, f"acks-{draw.randrange(profile.contacts)}", text, language)
        except (OSError, TimeoutError, ValueError) as error:
            record.error("failed", repr(error)[:200])
            return
        if status == 200:
            record.acked(due, time.perf_counter())
        else:
            record.error("refused" if status == 503 else "failed", f"HTTP {status}")

    while due_at < ends_at:
        await asyncio.sleep(max(0.0, due_at - time.perf_counter()))
        task = asyncio.create_task(post(due_at))
        sending.add(task)
        task.add_done_callback(sending.discard)
        due_at += draw.expovariate(profile.webhooks_per_second)
    await asyncio.gather(*sending)
    wire.close()


def chosen_profile(name: str, seconds: float | None) -> Profile:
    """A profile, or a shorter or longer run of it."""
    found = PROFILES[name]
    if seconds is None:
        return found
    return replace(found, seconds=seconds, warm_up_seconds=min(found.warm_up_seconds, seconds / 4))


async def measure(target: Target, chosen: argparse.Namespace, post_box: PostBox) -> dict[str, Any]:
    """Everything of one profile against a desk that is ready."""
    name, seed = chosen.profile, chosen.seed
    profile, record, memory = chosen_profile(name, chosen.seconds), Record(), Memory(target)
    signatures = Signatures([key_of(target.incoming)])
    way = Way(target.url, target.key, signatures, ACCOUNT, record, post_box)
    before = await counts(target)
    used = {kind: target.seconds_of(kind) for kind in ("service", "bot")}
    own, started = time.process_time(), time.perf_counter()
    beside = [asyncio.create_task(work) for work in (memory.watch(), tell(record, started))]
    await (webhooks if profile.webhooks_per_second else people)(way, profile, seed)
    own, seconds = time.process_time() - own, time.perf_counter() - started
    after = await settled(target, before, record)
    turns = after.turns - before.turns if after is not None and before is not None else None
    grown = after.size - before.size if after is not None and before is not None else 0
    used = {kind: target.seconds_of(kind) - began for kind, began in used.items()}
    for task in beside:
        task.cancel()
    await asyncio.gather(*beside, return_exceptions=True)
    await way.http.aclose()
    window = max(record.reply_at) - record.begins_at if record.reply_at else 0.0
    done = turns or record.replied
    return {
        "profile": name,
        "form": target.form,
        "messages": len(record.due),
        "errors": record.errors,
        "by_error": dict(record.wrong),
        "ack": spread(record.acks),
        "reply": spread(record.replies),
        "messages_per_s": round(len(record.due) / profile.seconds, 1),
        "replies_per_s": round(len(record.replies) / window, 1) if window > 0 else 0.0,
        "turns": turns,
        "rss_mb": memory.seen[-1] if memory.seen else None,
        "rss_peak_mb": max(memory.seen, default=None),
        "rss_growth_mb": memory.growth_mb(),
        "processor_ms_per_turn": {
            kind: round(1000 * spent / done, 1) if done and target.processes else None for kind, spent in used.items()
        },
        "database_kb_per_turn": round(grown / 1024 / turns, 1) if turns else None,
        "generator": {"late": spread(record.late), "processor_share": round(own / seconds, 2)},
        "by_channel": dict(record.by_channel),
        "load_average": round(os.getloadavg()[0], 1),
        "examples": record.examples,
    }


async def counts(target: Target) -> DeskCounts | None:
    """What the desk's own database holds; None where it is not ours to look at."""
    return await desk_counts(target.database_url) if target.database_url else None


async def settled(target: Target, before: DeskCounts | None, record: Record) -> DeskCounts | None:
    """Wait until every stored message has its turn; what was acknowledged and is not there is an error."""
    if before is None:
        return None
    deadline = time.perf_counter() + _DRAIN_SECONDS
    while True:
        now = await counts(target)
        assert now is not None
        if not now.unfinished or time.perf_counter() > deadline:
            break
        print(f"  {now.unfinished} messages still wait for the bot …", flush=True)
        await asyncio.sleep(2)
    missing = record.acknowledged - (now.messages - before.messages)
    for _ in range(max(0, missing)):
        record.error("lost", "acknowledged, but not in the database")
    for _ in range(now.unfinished):
        record.error("lost", f"no turn after {_DRAIN_SECONDS:.0f} s")
    for _ in range(now.gaps - before.gaps):
        record.error("lost", "the messages of a conversation are not numbered without gaps")
    for _ in range(now.out_of_order - before.out_of_order):
        record.error("out_of_order", "a later message of a conversation was answered first")
    return now


async def tell(record: Record, started: float) -> None:
    """A line now and then."""
    while True:
        await asyncio.sleep(_PROGRESS_SECONDS)
        replies = spread(record.replies[-200:])
        acks = spread(record.acks[-200:])
        print(
            f"  {time.perf_counter() - started:5.0f} s  {len(record.due)} sent, {record.acknowledged} acknowledged, "
            f"{record.replied} answered, {record.errors} errors; of the last 200: ack p95 {acks['p95']}, reply p95 {replies['p95']} ms",
            flush=True,
        )


async def main_async(chosen: argparse.Namespace) -> dict[str, Any]:
    """Start what is needed, measure, stop it."""
    post_box = PostBox()
    if chosen.url:
        needed = ("LOAD_REST_KEY", "LOAD_INCOMING_SECRET")
        missing = [name for name in needed if not os.environ.get(name)]
        if missing:
            raise SystemExit(
                f"{' and '.join(missing)} must be set for a desk at --url: a key of REST_API_KEYS, and the incoming secret of"
                f" a webhook account called “{ACCOUNT}” whose url is http://127.0.0.1:LOAD_ANSWERS_PORT/answers.\n"
                f"对 --url 指定的服务压测，需要设置 {'、'.join(missing)}：REST_API_KEYS 里的一个密钥，以及名为“{ACCOUNT}”的"
                " webhook 账号的 incoming secret，该账号的 url 指向 http://127.0.0.1:LOAD_ANSWERS_PORT/answers。"
            )
        await post_box.start(int(os.environ.get("LOAD_ANSWERS_PORT", "0")))
        key, incoming = (os.environ[name] for name in needed)
        return await measure(Target(chosen.url.rstrip("/"), key, incoming, "", "given"), chosen, post_box)
    await post_box.start()
    incoming, outgoing = new_secret(), new_secret()
    with tempfile.TemporaryDirectory(prefix="load-") as name:
        desk = own_desk(Path(name), post_box.port, incoming, outgoing, scaled=chosen.scaled)
        target = await asyncio.to_thread(desk.__enter__)
        try:
            return await measure(target, chosen, post_box)
        finally:
            await asyncio.to_thread(desk.__exit__, None, None, None)
            await post_box.close()


def main() -> None:
    """Read the options, run, print the figures; the status is 1 when anything went wrong."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("profile", choices=sorted(PROFILES), nargs="?", default="smoke")
    parser.add_argument("--scaled", action="store_true", help="2 services and 2 bots on local PostgreSQL and Redis")
    parser.add_argument("--url", help="a desk that runs already")
    parser.add_argument("--seconds", type=float, help="another length than the profile's")
    parser.add_argument("--seed", type=int, default=1)
    # Whoever stops the run from outside must not leave its desk behind.
    signal.signal(signal.SIGTERM, lambda *_: os.kill(os.getpid(), signal.SIGINT))
    figures = asyncio.run(main_async(parser.parse_args()))
    for name, value in figures.items():
        print(f"  {name:<22} {value}")
    print(json.dumps(figures, ensure_ascii=False))
    if figures["errors"]:
        sys.exit(1)


if __name__ == "__main__":
    main()
