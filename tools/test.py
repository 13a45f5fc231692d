"""Run every test suite of the project, one after the other, and fail if one fails; the bot is trained beside the first."""

from __future__ import annotations

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


def passes(commands: list[list[str]], folder: Path) -> bool:
    """Run commands side by side; what each of several prints comes in one piece."""
    if len(commands) == 1:
        return subprocess.run(commands[0], cwd=folder).returncode == 0
    with ThreadPoolExecutor() as pool:
        done = list(pool.map(partial(subprocess.run, cwd=folder, stdout=PIPE, stderr=STDOUT, text=True), commands))
    for one in done:
        print(one.stdout, flush=True)
    return all(one.returncode == 0 for one in done)


def ran(name: str, commands: list[list[str]], folder: Path) -> bool:
    """Run one suite and say how long it took."""
    for command in commands:
        print(f"== {name}: {' '.join(command)}", flush=True)
    started = time.monotonic()
    passed = passes(commands, folder)
    print(f"== {name}: {time.monotonic() - started:.0f} s", flush=True)
    return passed


def main() -> None:
    failed = []
    in_ci = bool(os.environ.get("CI"))
    if in_ci:  # what is kept is of this run
        shutil.rmtree(ROOT / "tests" / "screenshots", ignore_errors=True)
    with tempfile.TemporaryFile("w+", encoding="utf-8") as said:
        training = subprocess.Popen([BOT_PYTHON, "train.py"], cwd=BOT, stdout=said, stderr=STDOUT)
        try:
            if not ran(*SERVICE):
                failed.append(SERVICE[0])
            trained = training.wait() == 0
        finally:
            training.terminate()
        said.seek(0)
        print(said.read(), flush=True)
    if not trained:
        sys.exit("Failed: the bot could not be trained; the other suites need it.")
    for name, commands, folder in SUITES:
        if not ran(name, commands, folder):
            failed.append(name)
    if in_ci:
        subprocess.run([".venv/bin/python", "tools/gallery.py"], cwd=ROOT)  # a red run is the one to look at
    if failed:
        sys.exit(f"Failed: {', '.join(failed)}")
    print("All suites passed.")


if __name__ == "__main__":
    main()
