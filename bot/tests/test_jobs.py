"""Long work in a child of the bot: one at a time, followed, cancelled with all its processes, and never left behind."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from bot import jobs as jobs_module
from bot import settings
from bot.jobs import KEPT, BadJob, Busy, Jobs

#: Kinds of work as a test needs them, in a module that the child finds beside its folder.
KINDS = """
import os, subprocess, sys, time
from bot.jobs import JobRefused

def sleep(options, report):
    report(0.25, "sleep", "well")
    subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"]).pid
    open("begun", "w").close()
    time.sleep(600)

def add(options, report):
    return {"sum": sum(options["numbers"]), "threads": os.environ["OMP_NUM_THREADS"], "nice": os.nice(0), "cwd": os.getcwd()}

def refuse(options, report):
    raise JobRefused("bad_data", "Correct it.", ("en/greet.yml: ...",))

def leave(options, report):
    sys.exit("Rasa says no.")

def vanish(options, report):
    print("the last words", flush=True)
    os._exit(9)
"""
NAMES = ("sleep", "add", "refuse", "leave", "vanish")


@pytest.fixture
def jobs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Jobs]:
    (tmp_path / "kinds_of_a_test.py").write_text(KINDS)
    table = {name: f"kinds_of_a_test:{name}" for name in NAMES}
    (tmp_path / "sitecustomize.py").write_text(
        f"import sys\nsys.path.insert(1, {str(settings.ROOT)!r})\nimport bot.jobs\nbot.jobs.KINDS.update({table!r})\n"
    )
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    monkeypatch.setattr(jobs_module, "KINDS", {**jobs_module.KINDS, **table})
    running = Jobs(tmp_path / "models")
    yield running
    running.close()


def wait(look: Callable[[], Any], seconds: float = 120) -> Any:
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        found = look()
        if found:
            return found
        time.sleep(0.05)
    raise AssertionError("it did not come to that")


def over(jobs: Jobs, job_id: str) -> dict[str, Any]:
    def look() -> Any:
        found = jobs.look(job_id)
        return found if found and found["state"] != "running" else None

    return wait(look)


def processes_in(place: Path) -> list[int]:
    """Who still works in a folder."""
    found = []
    for entry in Path("/proc").iterdir():
        try:
            if entry.name.isdigit() and Path(os.readlink(entry / "cwd")).is_relative_to(place):
                found.append(int(entry.name))
        except OSError:
            continue
    return found


def test_work_runs_beside_the_bot_at_the_lowest_priority_and_says_what_came_of_it(jobs: Jobs, tmp_path: Path) -> None:
    begun = jobs.begin("j1", "add", {"numbers": [1, 2], "threads": 2})
    assert (begun["state"], begun["progress"]["step"]) == ("running", "start")
    done = over(jobs, "j1")
    assert done["state"] == "done"
    assert done["result"]["sum"] == 3
    assert done["result"]["threads"] == "2"
    assert done["result"]["nice"] == 19
    assert done["result"]["cwd"] == str((tmp_path / "models" / "jobs" / "j1").resolve())
    assert done["progress"] == {"share": 1.0, "step": "done", "note": ""}


def test_the_same_job_again_is_the_same_job(jobs: Jobs) -> None:
    jobs.begin("j1", "add", {"numbers": [1]})
    done = over(jobs, "j1")
    assert jobs.begin("j1", "add", {"numbers": [5]}) == done


def test_there_is_one_job_at_a_time(jobs: Jobs) -> None:
    jobs.begin("j1", "sleep", {})
    with pytest.raises(Busy):
        jobs.begin("j2", "add", {"numbers": []})
    assert jobs.look("j2") is None


@pytest.mark.parametrize(
    ("job_id", "kind", "options"),
    [
        ("", "add", {}), ("a/b", "add", {}), ("../a", "add", {}), ("a" * 65, "add", {}), (5, "add", {}), (None, "add", {}),
        ("a", "dance", {}), ("a", None, {}), ("a", "add", {"threads": 0}), ("a", "add", {"threads": "2"}),
        ("a", "add", {"threads": True}), ("a", "add", {"threads": 65}),
    ],
)  # fmt: skip
def test_what_is_no_job_is_refused(jobs: Jobs, job_id: Any, kind: Any, options: dict[str, Any]) -> None:
    with pytest.raises(BadJob):
        jobs.begin(job_id, kind, options)


def test_cancelling_ends_the_work_and_all_that_it_started(jobs: Jobs, tmp_path: Path) -> None:
    place = (tmp_path / "models" / "jobs" / "j1").resolve()
    jobs.begin("j1", "sleep", {})
    wait((place / "begun").exists)
    assert jobs.look("j1")["progress"] == {"share": 0.25, "step": "sleep", "note": "well"}
    assert len(processes_in(place)) == 2
    assert jobs.cancel("j1")["state"] == "cancelled"
    wait(lambda: not processes_in(place))
    assert not (place / "tmp").exists()
    assert jobs.begin("j2", "add", {"numbers": []})["state"] == "running"
    assert over(jobs, "j2")["state"] == "done"
    assert jobs.cancel("j2")["state"] == "done", "what is over stays"
    assert jobs.cancel("unknown") is None


def test_another_bot_of_the_same_folder_sees_the_work_and_can_cancel_it(jobs: Jobs, tmp_path: Path) -> None:
    place = (tmp_path / "models" / "jobs" / "j1").resolve()
    jobs.begin("j1", "sleep", {})
    wait((place / "begun").exists)
    other = Jobs(tmp_path / "models")
    assert other.look("j1")["state"] == "running"
    assert other.cancel("j1")["state"] == "cancelled"
    wait(lambda: not processes_in(place))


@pytest.mark.parametrize(
    ("kind", "code", "said"),
    [("refuse", "bad_data", "Correct it."), ("leave", "broken", "Rasa says no."), ("vanish", "died", "the last words")],
)
def test_work_that_fails_says_why(jobs: Jobs, kind: str, code: str, said: str) -> None:
    jobs.begin("j1", kind, {})
    failed = over(jobs, "j1")
    assert failed["state"] == "failed"
    assert failed["result"]["code"] == code
    assert said in failed["problem"]


def test_a_killed_child_has_failed(jobs: Jobs, tmp_path: Path) -> None:
    place = (tmp_path / "models" / "jobs" / "j1").resolve()
    jobs.begin("j1", "sleep", {})
    wait((place / "begun").exists)
    for process in processes_in(place):
        os.kill(process, signal.SIGKILL)
    failed = over(jobs, "j1")
    assert (failed["state"], failed["result"]) == ("failed", {"code": "died"})


BOT = """
import sys, time
from pathlib import Path
sys.path.insert(0, sys.argv[1])
from bot import jobs
jobs.KINDS["sleep"] = "kinds_of_a_test:sleep"
jobs.Jobs(Path(sys.argv[2])).begin("j1", "sleep", {})
time.sleep(600)
"""


def test_work_ends_with_its_bot_however_that_dies(jobs: Jobs, tmp_path: Path) -> None:
    """A bot that is killed leaves no child behind, and the next one knows that the work died."""
    place = (tmp_path / "models" / "jobs" / "j1").resolve()
    bot = subprocess.Popen([sys.executable, "-c", BOT, str(settings.ROOT), str(tmp_path / "models")])
    wait((place / "begun").exists)
    bot.kill()
    bot.wait()
    wait(lambda: not processes_in(place))
    failed = Jobs(tmp_path / "models").look("j1")
    assert (failed["state"], failed["result"]) == ("failed", {"code": "died"})


def test_old_jobs_are_cleaned_up_and_what_they_left_half_done_as_well(jobs: Jobs, tmp_path: Path) -> None:
    folder = tmp_path / "models" / "jobs"
    for number in range(KEPT + 5):
        old = folder / f"old-{number:02}"
        (old / "tmp").mkdir(parents=True)
        (old / "request.json").write_text(json.dumps({"kind": "add"}))
        os.utime(old, (number, number))
    jobs.begin("j1", "add", {"numbers": []})
    left = sorted(path.name for path in folder.iterdir())
    assert len(left) == KEPT
    assert left[0] == "j1"
    assert "old-00" not in left
    assert not list(folder.glob("old-*/tmp"))
    over(jobs, "j1")


# -- over HTTP -----------------------------------------------------------------------------------------------------

ADDRESS = "/webhooks/turn/jobs"


def test_the_addresses_of_jobs_are_for_the_service_only(bot: Any) -> None:
    for method, path in (("POST", ADDRESS), ("GET", f"{ADDRESS}/x"), ("DELETE", f"{ADDRESS}/x")):
        assert bot.request(method, path, {} if method == "POST" else None, "wrong")[0] == 401


@pytest.mark.parametrize("body", [b"{", [], {}, {"job_id": "a"}, {"job_id": "a", "kind": "dance"}, {"job_id": "a", "kind": "train", "options": 5}])  # fmt: skip
def test_a_body_that_is_no_job_is_refused(bot: Any, body: Any) -> None:
    assert bot.request("POST", ADDRESS, body)[0] == 400


def test_a_job_that_nobody_began_is_unknown(bot: Any) -> None:
    assert bot.request("GET", f"{ADDRESS}/nothing")[0] == 404
    assert bot.request("DELETE", f"{ADDRESS}/nothing")[0] == 404
    assert bot.request("GET", f"{ADDRESS}/a%2fb")[0] in {400, 404}
