"""Run every test suite of the project, one after the other, and fail if one fails."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PYTEST = [".venv/bin/python", "-m", "pytest", "-q"]
SUITES = (
    # One desk in one browser needs the whole machine; everything else shares it between two processes.
    ("service", [*PYTEST, "-n", "2", "--ignore", "tests/journeys", "tests"], ROOT),
    ("browser journeys", [*PYTEST, "tests/journeys"], ROOT),
    ("bot", [str(ROOT / "bot/.venv/bin/python"), "-m", "pytest", "-q", "tests"], ROOT / "bot"),
    ("chat widget", ["npm", "run", "--silent", "test"], ROOT / "connectors/webchat/widget"),
    ("staff console", ["npm", "run", "--silent", "test"], ROOT / "handoff/web"),
)


def main() -> None:
    failed = []
    in_ci = bool(os.environ.get("CI"))
    if in_ci:  # what is kept is of this run
        shutil.rmtree(ROOT / "tests" / "screenshots", ignore_errors=True)
    for name, command, folder in SUITES:
        print(f"== {name}: {' '.join(command)}", flush=True)
        started = time.monotonic()
        if subprocess.run(command, cwd=folder).returncode != 0:
            failed.append(name)
        print(f"== {name}: {time.monotonic() - started:.0f} s", flush=True)
    if in_ci:
        subprocess.run([".venv/bin/python", "tools/gallery.py"], cwd=ROOT)  # a red run is the one to look at
    if failed:
        sys.exit(f"Failed: {', '.join(failed)}")
    print("All suites passed.")


if __name__ == "__main__":
    main()
