"""Run every test suite of the project, one after the other, and fail if one fails; the bot is trained beside the first.

Suites that take half an hour on a busy machine meet what a test of one second does not: when only a few of their tests
fail, those run once more, alone. What fails twice is broken. What passes the second time is named as *unsteady* at the
very end with what it failed of; somebody has to find out why, for a race is a fault of the test or of the product.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from subprocess import PIPE, STDOUT

ROOT = Path(__file__).resolve().parent.parent
PYTEST = [".venv/bin/python", "-m", "pytest", "-q"]
#: More than so many failures of one suite are no accident.
FEW = 4
TESTS_FAILED = 1  #: pytest's exit code when it ran to its end and tests failed


def halves_of(folder: Path) -> tuple[list[str], list[str]]:
    """The files of tests in two parts of about the same size, for an environment without pytest-xdist."""
    files = sorted(folder.glob("tests/test_*.py"), key=lambda one: (one.stat().st_size, one.name))
    names = [one.relative_to(folder).as_posix() for one in files]
    return names[::2], names[1::2]


BOT = ROOT / "bot"
BOT_PYTHON = str(BOT / ".venv/bin/python")
SERVICE = ("service", [[*PYTEST, "-n", "2", "--ignore", "tests/journeys", "tests"]], ROOT)
#: What needs a trained bot, or nothing of ours.
SUITES = (
    ("browser journeys", [[*PYTEST, "-n", "2", "--dist", "loadfile", "tests/journeys"]], ROOT),
    ("bot", [[BOT_PYTHON, "-m", "pytest", "-q", *half] for half in halves_of(BOT)], BOT),
    ("chat widget", [["npm", "run", "--silent", "test"]], ROOT / "connectors/webchat/widget"),
    ("staff console", [["npm", "run", "--silent", "test"]], ROOT / "handoff/web"),
)


def failed_tests(cache: Path) -> list[str]:
    """The tests that failed in the run that kept its cache there; none when it did not come that far."""
    try:
        return sorted(json.loads((cache / "v/cache/lastfailed").read_text(encoding="utf-8")))
    except FileNotFoundError:
        return []


def passes_at_last(command: list[str], folder: Path, unsteady: list[str]) -> bool:
    """Run a pytest command, and a few tests that failed once more; those that pass then are added to ``unsteady``."""
    with tempfile.TemporaryDirectory() as kept:
        cache = Path(kept) / "cache"
        code = subprocess.run([*command, "-o", f"cache_dir={cache}"], cwd=folder).returncode
        failed = failed_tests(cache)
        if code == 0:
            return True
        if code != TESTS_FAILED or not 0 < len(failed) <= FEW or any("::" not in one for one in failed):
            return False
        print("== once more, alone: " + " ".join(failed), flush=True)
        again = [*command[: command.index("-q") + 1], "-o", f"cache_dir={cache}", *failed]
        if subprocess.run(again, cwd=folder).returncode != 0:
            return False
        unsteady += failed
        return True


def passes(commands: list[list[str]], folder: Path, unsteady: list[str]) -> bool:
    """Run commands side by side; what each of several prints comes in one piece."""
    if len(commands) == 1 and "pytest" in commands[0]:
        return passes_at_last(commands[0], folder, unsteady)
    if len(commands) == 1:
        return subprocess.run(commands[0], cwd=folder).returncode == 0
    with ThreadPoolExecutor() as pool:
        done = list(pool.map(partial(subprocess.run, cwd=folder, stdout=PIPE, stderr=STDOUT, text=True), commands))
    for one in done:
        print(one.stdout, flush=True)
    return all(one.returncode == 0 for one in done)


def ran(name: str, commands: list[list[str]], folder: Path, unsteady: list[str]) -> bool:
    """Run one suite and say how long it took."""
    for command in commands:
        print(f"== {name}: {' '.join(command)}", flush=True)
    started = time.monotonic()
    passed = passes(commands, folder, unsteady)
    print(f"== {name}: {time.monotonic() - started:.0f} s", flush=True)
    return passed


def main() -> None:
    failed: list[str] = []
    unsteady: list[str] = []
    in_ci = bool(os.environ.get("CI"))
    if in_ci:  # what is kept is of this run
        shutil.rmtree(ROOT / "tests" / "screenshots", ignore_errors=True)
    with tempfile.TemporaryFile("w+", encoding="utf-8") as said:
        training = subprocess.Popen([BOT_PYTHON, "train.py"], cwd=BOT, stdout=said, stderr=STDOUT)
        try:
            if not ran(*SERVICE, unsteady):
                failed.append(SERVICE[0])
            trained = training.wait() == 0
        finally:
            training.terminate()
        said.seek(0)
        print(said.read(), flush=True)
    if not trained:
        sys.exit("Failed: the bot could not be trained; the other suites need it.")
    for name, commands, folder in SUITES:
        if not ran(name, commands, folder, unsteady):
            failed.append(name)
    if in_ci:
        subprocess.run([".venv/bin/python", "tools/gallery.py"], cwd=ROOT)  # a red run is the one to look at
    for one in unsteady:
        print(f"Unsteady, failed once and passed alone: {one}")
    if failed:
        sys.exit(f"Failed: {', '.join(failed)}")
    print("All suites passed.")


if __name__ == "__main__":
    main()
