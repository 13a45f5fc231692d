"""Puts changed files in their place so that no reader ever sees half of one, and lets one process do so at a time."""

from __future__ import annotations

import contextlib
import fcntl
import os
import stat
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from failpoints import reach
from learning.changes import ExampleRefused

LOCK = ".editing.lock"
_UNFINISHED = ".editing-"
_WAIT_SECONDS = 10.0


@contextmanager
def sole_editor(root: Path, wait_seconds: float = _WAIT_SECONDS) -> Iterator[None]:
    """Keep other editors out of the folder, in this process and others, until the block or the process ends.

    Raises ``ExampleRefused``: ``busy`` if another one stays in too long, ``read_only`` if nothing may be written there.
    """
    try:
        lock = os.open(root / LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    except OSError as error:
        raise read_only(root, error) from None
    try:
        deadline = time.monotonic() + wait_seconds
        while True:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except OSError:
                if time.monotonic() >= deadline:
                    raise ExampleRefused(
                        "busy", "Somebody else is changing examples at this moment. Try again in a few seconds."
                    ) from None
                time.sleep(0.05)
        yield
    finally:
        os.close(lock)


def content_of(path: Path) -> bytes | None:
    """What a file holds; None if there is none."""
    try:
        return path.read_bytes()
    except FileNotFoundError:
        return None


def replace_file(path: Path, content: bytes | None) -> None:
    """Give a file another content, or delete it for None; after a power cut it is the old or the new one, never a mixture."""
    path = path.resolve()  # a link stays a link
    if content is None:
        path.unlink(missing_ok=True)
        _settle(path.parent)
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor, name = tempfile.mkstemp(prefix=_UNFINISHED, suffix=".tmp", dir=path.parent)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fchmod(file.fileno(), _mode_of(path))
            os.fsync(file.fileno())
        reach("before_example_file_replaced")
        os.replace(name, path)
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(name)
        raise
    _settle(path.parent)
    reach("after_example_file_replaced")


def sweep(root: Path) -> None:
    """Delete what an editor that died did not get to put in its place."""
    for path in root.glob(f"*/{_UNFINISHED}*.tmp"):
        path.unlink(missing_ok=True)


def read_only(root: Path, error: OSError) -> ExampleRefused:
    """Nothing can be written there."""
    return ExampleRefused(
        "read_only",
        f"The examples in {root} cannot be changed from here ({error.strerror}). Give the service the right to write there.",
    )


def _mode_of(path: Path) -> int:
    try:
        return stat.S_IMODE(path.stat().st_mode)
    except FileNotFoundError:
        return 0o644


def _settle(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
