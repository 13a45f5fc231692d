"""Long work in a child process of the bot: begun, looked at and cancelled from outside; turns never wait for it.

A job is a folder, ``MODEL_DIR/jobs/ID``: ``request.json`` (what is wanted), ``progress.json``, ``result.json``, ``log.txt``.
Its child holds a lock on ``alive`` as long as it lives, so that any bot that shares the folder knows whether it still runs.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

#: What can be asked for, and the function that does it: ``(options, report) -> result``. It runs with the job's folder as
#: working folder, and is imported in the child only.
KINDS = {
    "train": "bot.training:train",
    "test": "bot.testing:run",
    "cross_validate": "bot.cross_validation:run",
    "replay": "bot.replay:run",
}
Report = Callable[[float, str, str], None]  #: share of the work done (0 to 1), name of the step, note

KEPT = 20  #: folders of jobs that are over
_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")
_LAST_LINES = 12
_MOST_THREADS = 64
REQUEST, PROGRESS, RESULT, LOG = "request.json", "progress.json", "result.json", "log.txt"
CANCELLED, _ALIVE = "cancelled", "alive"
_THREADS = ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "BOT_JOB_THREADS")


class BadJob(ValueError):
    """What was asked for is no job; the message says why."""


class JobRefused(Exception):
    """A job cannot be done as it was asked for; ``code`` says why to a program, the message and ``lines`` to people."""

    def __init__(self, code: str, message: str, lines: tuple[str, ...] = ()) -> None:
        super().__init__(message)
        self.code = code
        self.lines = lines


class Busy(Exception):
    """This bot is at work on another job."""


class Jobs:
    """The jobs of one bot, one at a time."""

    def __init__(self, model_dir: Path) -> None:
        """``model_dir`` is the folder of the models; the jobs lie beneath it."""
        self._folder = (model_dir / "jobs").resolve()
        self._child: subprocess.Popen | None = None
        self._job_id = ""
        self._turn = threading.RLock()

    def begin(self, job_id: str, kind: str, options: dict[str, Any]) -> dict[str, Any]:
        """Start a job and say how it stands; one that is known is left as it is. Raises ``BadJob`` or ``Busy``."""
        with self._turn:
            return self._begun(job_id, kind, options)

    def _begun(self, job_id: str, kind: str, options: dict[str, Any]) -> dict[str, Any]:
        folder = self._folder_of(job_id)
        if kind not in KINDS:
            raise BadJob(f"kind must be one of {', '.join(sorted(KINDS))}.")
        threads = options.get("threads", 1)
        if type(threads) is not int or not 1 <= threads <= _MOST_THREADS:
            raise BadJob(f"threads must be a number from 1 to {_MOST_THREADS}.")
        if (folder / REQUEST).exists():
            return self.look(job_id) or {}
        if self._running():
            raise Busy(f"This bot is at work on the job {self._job_id}.")
        folder.mkdir(parents=True, exist_ok=True)
        # What a job leaves half done lies here, and goes with it.
        (folder / "tmp").mkdir(exist_ok=True)
        write_json(folder / REQUEST, {"job_id": job_id, "kind": kind, "options": options, "begun_at": time.time()})
        environment = {
            **os.environ,
            **{name: str(threads) for name in _THREADS},
            "TMPDIR": str(folder / "tmp"),
            "MODEL_DIR": str(self._folder.parent),
            "PYTHONUNBUFFERED": "1",
        }
        with open(folder / _ALIVE, "w") as alive, open(folder / LOG, "ab") as log:
            fcntl.flock(alive, fcntl.LOCK_EX)
            # The child reads from a pipe of ours: it ends when this process does, however that happens.
            self._child = subprocess.Popen(
                [sys.executable, str(Path(__file__).with_name("job.py")), str(folder)],
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=subprocess.STDOUT,
                env=environment,
                cwd=folder,
                pass_fds=(alive.fileno(),),
                start_new_session=True,
            )
        self._job_id = job_id
        self._clean(folder)
        return self.look(job_id) or {}

    def look(self, job_id: str) -> dict[str, Any] | None:
        """How a job stands, or None if it is not known here. Raises ``BadJob`` for what is no id."""
        folder = self._folder_of(job_id)
        request = read_json(folder / REQUEST)
        if request is None:
            return None
        if self._child is not None and job_id == self._job_id:
            self._child.poll()
        # In this order: whoever still lives while we look has had no time to write a result we missed.
        lives = _is_held(folder / _ALIVE)
        ended = read_json(folder / RESULT)
        form = {
            "job_id": job_id,
            "kind": request["kind"],
            "state": "running",
            "progress": read_json(folder / PROGRESS) or {"share": 0.0, "step": "start", "note": ""},
            "result": None,
            "problem": None,
        }
        if ended is not None:
            return {**form, **ended}
        if (folder / CANCELLED).exists():
            return {**form, "state": "cancelled"}
        if lives:
            return form
        return {**form, "state": "failed", "result": {"code": "died"}, "problem": _last_words(folder)}

    def cancel(self, job_id: str) -> dict[str, Any] | None:
        """End a job with all its processes, unless it is over already; None if it is not known here."""
        found = self.look(job_id)
        if found is None or found["state"] != "running":
            return found
        folder = self._folder_of(job_id)
        (folder / CANCELLED).touch()  # the child looks for it, too, should it be another bot's
        if job_id == self._job_id:
            self._kill()
        shutil.rmtree(folder / "tmp", ignore_errors=True)
        return self.look(job_id)

    def close(self) -> None:
        """End what runs: a bot that stops takes its job with it."""
        with self._turn:
            if self._running():
                self._kill()

    def _running(self) -> bool:
        return self._child is not None and self._child.poll() is None

    def _kill(self) -> None:
        child = self._child
        if child is None:
            return
        with contextlib.suppress(ProcessLookupError):
            os.killpg(child.pid, signal.SIGKILL)
        child.wait()

    def _folder_of(self, job_id: str) -> Path:
        if not isinstance(job_id, str) or not _ID.fullmatch(job_id):
            raise BadJob("job_id must be 1 to 64 letters, digits, dashes and underscores.")
        return self._folder / job_id

    def _clean(self, newest: Path) -> None:
        over = [one for one in self._folder.iterdir() if one != newest and not _is_held(one / _ALIVE)]
        over.sort(key=lambda one: one.stat().st_mtime, reverse=True)
        for old in over:
            shutil.rmtree(old / "tmp", ignore_errors=True)
        for old in over[KEPT - 1 :]:
            shutil.rmtree(old, ignore_errors=True)


def write_json(path: Path, content: Any) -> None:
    """Write a file so that whoever reads it finds the old content or the new one, never half of it."""
    written = path.with_name(f"{path.name}.new")
    written.write_text(json.dumps(content, ensure_ascii=False), encoding="utf-8")
    os.replace(written, path)


def read_json(path: Path) -> Any:
    """What ``write_json`` wrote, or None if there is nothing."""
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None


def _is_held(path: Path) -> bool:
    try:
        with open(path) as file:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:
        return False
    return False


def _last_words(folder: Path) -> str:
    try:
        lines = (folder / LOG).read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        lines = []
    said = "\n".join(line for line in lines[-_LAST_LINES:] if line.strip())
    return said or "The work ended without a word; perhaps there was too little memory."
