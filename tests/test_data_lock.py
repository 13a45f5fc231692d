"""One process at a time may know that it is alone with an SQLite database."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import data_lock

ROOT = Path(__file__).resolve().parent.parent


def test_a_second_process_does_not_get_the_lock_and_a_dead_one_leaves_it(tmp_path: Path) -> None:
    url = f"sqlite+aiosqlite:///{tmp_path / 'new' / 'desk.db'}"
    code = (
        f"import data_lock, sys; held = data_lock.hold({url!r}); print(held is not None, flush=True); sys.stdin.read()"
    )
    other = subprocess.Popen(
        [sys.executable, "-c", code], cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert other.stdout is not None
    assert other.stdout.readline() == "True\n"
    assert data_lock.hold(url) is None
    other.kill()
    other.wait()
    lock = data_lock.hold(url)
    assert lock is not None
    lock.close()


def test_a_server_has_no_lock_because_many_use_it() -> None:
    assert data_lock.database_file("postgresql+asyncpg://desk@127.0.0.1/desk") is None
    assert data_lock.hold("postgresql+asyncpg://desk@127.0.0.1/desk") is None
