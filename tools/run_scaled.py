"""Start the scaled form on local PostgreSQL and Redis, then run the browser journeys against it and kill processes under load.

``serve`` only starts it and waits for Ctrl-C, as ``make run`` does for the embedded form.
"""

from __future__ import annotations

import argparse
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from tools.run import banner, settings_of, taken, watch
from tools.scaled_desk import ScaledDesk, scaled_desk

JOURNEYS = "tests/journeys"
OWN_FOLDER = ROOT / "var" / "scaled"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("what", choices=("serve", "check"), nargs="?", default="check")
    parser.add_argument("--services", type=int, default=2)
    parser.add_argument("--bots", type=int, default=2)
    parser.add_argument("--no-journeys", action="store_true", help="only kill processes under load")
    parser.add_argument("--no-kills", action="store_true", help="only run the journeys")
    parser.add_argument("--only", default=JOURNEYS, help="a single file of journeys")
    chosen = parser.parse_args()
    if chosen.what == "serve":
        serve(chosen.services, chosen.bots)
        return
    failed = []
    if not chosen.no_journeys and not journeys(chosen.only):
        failed.append("journeys")
    if not chosen.no_kills and not kills():
        failed.append("kills under load")
    if failed:
        sys.exit(f"The scaled desk failed: {', '.join(failed)}. 扩展形态未通过：{'、'.join(failed)}。")
    print("The scaled desk passed. 扩展形态全部通过。")


def serve(services: int, bots: int) -> None:
    """Run until Ctrl-C; a process that dies is started again."""
    stopping = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stopping.set())
    port = int(os.environ.get("PORT", "8000"))
    if taken(port):
        sys.exit(
            f"Port {port} is already in use: stop what listens there or set PORT, then run make again.\n"
            f"端口 {port} 已被占用：请停掉占用它的程序，或者用 PORT 换一个端口，再运行 make。"
        )
    data_dir = Path(os.environ.get("DATA_DIR", OWN_FOLDER))
    if data_dir == OWN_FOLDER:  # the databases it belonged to are gone
        shutil.rmtree(OWN_FOLDER, ignore_errors=True)
    print(f"Starting {services} services and {bots} bots … 正在启动 {services} 个服务和 {bots} 个机器人……", flush=True)
    with scaled_desk(data_dir, port, services=services, bots=bots, stopping=stopping) as desk:
        if not stopping.is_set():
            print(banner(settings_of(desk.services[0].environment)), flush=True)
        watch(desk.processes(), stopping)
        print("\nStopping …", flush=True)
    print("Stopped.", flush=True)


def journeys(only: str) -> bool:
    """The browser journeys, each against a scaled desk."""
    print("== the browser journeys against 2 services and 2 bots", flush=True)
    command = [sys.executable, "-m", "pytest", "-q", "-n0", "-o", "timeout=900", only]
    return subprocess.run(command, cwd=ROOT, env={**os.environ, "JOURNEYS_SCALED": "1"}).returncode == 0


def kills() -> bool:
    """One service and one bot killed under load and started again: nothing lost, order kept."""
    from tools.kill_check import check

    print("== one service and one bot are killed while people write", flush=True)
    with tempfile.TemporaryDirectory(prefix="scaled-") as folder:
        return check(Path(folder), _started)


def _started(desk: ScaledDesk) -> None:
    print(f"   {len(desk.services)} services and {len(desk.bots)} bots answer at {desk.url}", flush=True)


if __name__ == "__main__":
    main()
