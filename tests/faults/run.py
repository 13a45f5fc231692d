"""Every injection at full size: ``make faults``. ``QUICK=1`` runs what the test suite runs.

``PHASE=disk,volume`` runs only these, ``RESUME=1`` goes on where a run ended: each phase is judged by itself and noted.
One line per injection while it goes on; the last line is one JSON object.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import shutil
import sys
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from tests.faults import kills, outages, torn
from tests.faults.history import Verdict
from tests.faults.injection import Ground, Report, figures_of, last_line

VOLUME = "volume"
SLICE = 12_500  #: messages after which everything is judged and what was found is kept
NOTES = Path("var") / "faults.jsonl"
Injection = Callable[[Ground], Awaitable[Report]]

FULL: dict[str, Injection] = {
    "points": kills.at_points,
    "each-point": kills.at_each_point,
    "every-two-seconds": kills.every_two_seconds,
    "torn": lambda ground: torn.power_failures(ground.folder / "torn", 200),
    "drain": kills.while_draining,
    "drain-slow": lambda ground: kills.while_draining(ground, 20, 40.0),
    "poison": kills.poison,
    "bad-bot": outages.bot_troubles,
    "hanging-bot": outages.hanging_bot,
    "action": outages.action_once,
    "stopped-worker": outages.stopped_worker,
    "disk": outages.full_disk,
    "redis": outages.redis_away,
    "postgres": outages.postgres_restarts,
}
QUICK: dict[str, Injection] = {
    "points": lambda ground: kills.at_points(ground, kills.QUICK_POINTS, (5,)),
    "torn": lambda ground: torn.power_failures(ground.folder / "torn", 40),
    "bad-bot": lambda ground: outages.bot_troubles(ground, ("down", "empty"), 20),
}


async def run(quick: bool, messages: int, only: str = "", notes: Notes | None = None) -> list[dict[str, Any]]:
    """All injections one after the other; the last ones write as many messages as are still wanted."""
    ground, notes = Ground(quick=quick), notes or Notes(None)
    wanted = set(filter(None, only.split(",")))
    unknown = wanted - {*FULL, VOLUME}
    if unknown:
        raise SystemExit(f"There is no {', '.join(sorted(unknown))}; there are {', '.join((*FULL, VOLUME))}.")
    figures: list[dict[str, Any]] = []
    try:
        for name, injection in (QUICK if quick else FULL).items():
            if not wanted or name in wanted:
                figures.append(notes.find(name) or notes.keep(name, await _one(name, injection, ground)))
        slice_number = 0
        while not quick and (not wanted or VOLUME in wanted):
            missing = messages - sum(one["acknowledged"] for one in figures)
            if missing <= 0:
                break
            slice_number += 1
            name, size = f"{VOLUME}-{slice_number}", min(SLICE, missing)
            print(f"{messages - missing} of {messages} acknowledged", flush=True)
            figures.append(notes.find(name) or notes.keep(name, await _one(name, _slice(size, slice_number), ground)))
            if figures[-1]["acknowledged"] == 0:
                break  # nothing comes through; that is among the findings
    finally:
        shutil.rmtree(ground.folder, ignore_errors=True)
    return figures


def _slice(messages: int, number: int) -> Injection:
    return lambda ground: kills.volume(ground, messages, seed=number)


class Notes:
    """What was found before, one JSON object a line, so that a run that ended can go on; without a file nothing is kept."""

    def __init__(self, path: Path | None) -> None:
        self._path = path
        lines = path.read_text().splitlines() if path is not None and path.exists() else []
        self._known: dict[str, dict[str, Any]] = {one["phase"]: one for one in map(json.loads, lines)}

    def find(self, phase: str) -> dict[str, Any] | None:
        """The figures of a phase that was sound before; one with findings is run again."""
        known = self._known.get(phase)
        if known is None or known["findings"]:
            return None
        print(f"  before  {phase}: {known['acknowledged']} acknowledged, sound", flush=True)
        return known

    def keep(self, phase: str, figures: dict[str, Any]) -> dict[str, Any]:
        """Remember the figures of a phase."""
        if self._path is not None:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            with self._path.open("a") as file:
                file.write(json.dumps({"phase": phase, **figures}) + "\n")
        return figures


async def _one(name: str, injection: Injection, ground: Ground) -> dict[str, Any]:
    began = time.monotonic()
    try:
        report = await injection(ground)
    except Exception as error:  # what is broken so badly that it cannot be judged is a finding, too
        report = Report(name)
        report.verdicts.append(_failed(f"{type(error).__name__} {error}"))
    print(f"{time.monotonic() - began:6.1f} s  {report.line()}", flush=True)
    return figures_of(report)


def _failed(why: str) -> Verdict:
    verdict = Verdict()
    verdict.broken.append(why)
    return verdict


def main() -> None:
    """The command."""
    parser = argparse.ArgumentParser(description="Kill the desk in every way and look for what is missing.")
    parser.add_argument("--quick", action="store_true", help="what the test suite runs, in less than two minutes")
    parser.add_argument("--only", default="", help="only these phases, by name, comma separated")
    parser.add_argument("--messages", type=int, default=100_000, help="acknowledged messages in a full run")
    parser.add_argument("--resume", action="store_true", help="go on where a full run ended")
    given = parser.parse_args()
    notes = None if given.quick else NOTES
    if notes is not None and not given.resume:
        notes.unlink(missing_ok=True)
    figures = asyncio.run(run(given.quick, given.messages, given.only, Notes(notes)))
    for one in figures:
        for finding in one["findings"]:
            print(f"  FOUND  {one['name']}: {finding}")
    print(last_line(figures))
    sys.exit(any(one["findings"] for one in figures))


if __name__ == "__main__":
    main()
