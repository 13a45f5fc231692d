"""The places at which tests let the process die are really in the code, and do nothing unless asked to."""

from __future__ import annotations

import asyncio
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import failpoints
from tests.test_architecture import ROOM_FILES

ROOT = Path(__file__).resolve().parent.parent.parent


@pytest.fixture(autouse=True)
def disarmed() -> Iterator[None]:
    yield
    failpoints.arm("")


def reached_in_code() -> list[str]:
    text = "\n".join(file.read_text() for file in (*ROOM_FILES, ROOT / "app.py", ROOT / "desk.py"))
    return re.findall(r'\breach(?:_soon)?\("(\w+)"\)', text)


def test_every_point_of_the_list_is_reached_at_one_place_or_two_and_no_other_is() -> None:
    """F10: what is not in the list is never tested, and what is not in the code tests nothing."""
    assert set(reached_in_code()) == set(failpoints.POINTS)
    assert len(failpoints.POINTS) == len(set(failpoints.POINTS)) >= 15


def test_a_point_that_is_not_armed_does_nothing() -> None:
    failpoints.arm("after_send=raise")
    failpoints.reach("before_send")


def test_an_armed_point_fails_at_the_pass_that_was_asked_for_and_only_once() -> None:
    assert failpoints.arm("after_send=raise@3, before_send=delay:0") == ("after_send", "before_send")
    failpoints.reach("after_send")
    failpoints.reach("after_send")
    with pytest.raises(failpoints.Injected, match="after_send"):
        failpoints.reach("after_send")
    failpoints.reach("after_send")


async def test_a_point_reached_soon_happens_after_what_runs_now() -> None:
    failpoints.arm("after_ack=delay:0")
    failpoints.reach_soon("after_ack")
    await asyncio.sleep(0.05)


def test_an_armed_point_kills_the_process_without_a_word() -> None:
    code = "import failpoints as f; f.arm('after_disk=kill@2'); f.reach('after_disk'); print('alive', flush=True); f.reach('after_disk'); print('dead')"
    died = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False)
    assert (died.returncode, died.stdout, died.stderr) == (-9, "alive\n", "")


@pytest.mark.parametrize("text", ["nowhere=kill", "after_send=explode", "after_send=kill@often", "after_send"])
def test_a_point_that_cannot_be_armed_is_named(text: str) -> None:
    with pytest.raises(ValueError, match="FAILPOINTS has"):
        failpoints.arm(text)
