"""Does one job and writes what came of it into its folder; started by ``jobs.py``, never by hand.

python job.py FOLDER
"""

from __future__ import annotations

import contextlib
import os
import select
import shutil
import signal
import sys
import threading
import traceback
from importlib import import_module
from pathlib import Path

if __package__ in (None, ""):
    sys.path[0] = str(Path(__file__).resolve().parent.parent)

from bot import jobs, settings


def main() -> None:
    """Do it, at the lowest priority."""
    folder = Path(sys.argv[1])
    with contextlib.suppress(OSError):
        os.nice(19)
    threading.Thread(target=_end_when_told, args=(folder,), daemon=True).start()
    settings.quieten()
    request = jobs.read_json(folder / jobs.REQUEST)

    def report(share: float, step: str, note: str = "") -> None:
        jobs.write_json(
            folder / jobs.PROGRESS, {"share": round(min(max(share, 0.0), 1.0), 4), "step": step, "note": note}
        )

    module, function = jobs.KINDS[request["kind"]].split(":")
    try:
        result = getattr(import_module(module), function)(request["options"], report)
        ended = {"state": "done", "result": result}
        report(1.0, "done")
    except jobs.JobRefused as refused:
        ended = {"state": "failed", "problem": str(refused), "result": {"code": refused.code, "lines": refused.lines}}
    except BaseException as error:  # a library that ends the process has failed, too
        traceback.print_exc()
        ended = {"state": "failed", "problem": f"{type(error).__name__}: {error}", "result": {"code": "broken"}}
    shutil.rmtree(folder / "tmp", ignore_errors=True)
    jobs.write_json(folder / jobs.RESULT, ended)
    # Threads of libraries would keep the process, and the bot busy, for nothing.
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(0)


def _end_when_told(folder: Path) -> None:
    """End with the bot, whose end closes the pipe, or when another bot was asked to cancel."""
    while not (folder / jobs.CANCELLED).exists():
        if select.select([0], [], [], 1.0)[0] and not os.read(0, 1024):
            break
    os.killpg(0, signal.SIGKILL)


if __name__ == "__main__":
    main()
