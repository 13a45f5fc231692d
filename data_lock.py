"""Whether another service process uses the same SQLite database; the lock goes with the process, however that ends."""

from __future__ import annotations

import fcntl
from pathlib import Path
from typing import IO

from sqlalchemy.engine import make_url


def database_file(url: str) -> Path | None:
    """The file of an SQLite database; None for a server, which many processes use."""
    found = make_url(url)
    return Path(found.database) if found.get_backend_name() == "sqlite" and found.database else None


def hold(url: str) -> IO[str] | None:
    """Take the lock of a database until the file is closed; None while another process has it, and for a server."""
    file = database_file(url)
    if file is None:
        return None
    file.parent.mkdir(parents=True, exist_ok=True)
    lock = file.with_name(f"{file.name}.lock").open("a")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        lock.close()
        return None
    return lock
