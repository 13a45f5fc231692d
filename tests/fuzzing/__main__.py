"""``python -m tests.fuzzing [--minutes 10] [--as ROLE] [--seed N]``: prints what failed and, last, one JSON object."""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
import tempfile
import time
from pathlib import Path

from tests.fuzzing.run import fuzz


def main() -> int:
    """0 when nothing failed."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzzing")
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--as", dest="only", action="append", default=[], help="program, visitor, nobody or a role")
    parser.add_argument("--seed", type=int)
    parser.add_argument("--keep", type=Path, help="a folder for what schemathesis wrote")
    options = parser.parse_args()
    began = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        where = options.keep or Path(folder)
        where.mkdir(parents=True, exist_ok=True)
        report = asyncio.run(fuzz(where, options.minutes, seed=options.seed, only=options.only))
    for line in (*report.server_errors, *report.violations):
        print(line)
    print(json.dumps(report.as_json() | {"seconds": round(time.monotonic() - began)}))
    return 1 if report.server_errors or report.violations or report.broken else 0


if __name__ == "__main__":
    sys.exit(main())
