"""A short run of the fuzzing, the same every time: nothing fails inside, and every answer is one that is described."""

from __future__ import annotations

from pathlib import Path

from tests.fuzzing.run import fuzz


async def test_made_up_requests_break_nothing_and_every_answer_is_described(tmp_path: Path) -> None:
    report = await fuzz(tmp_path, 0.4, seed=1, only=("program", "admin"), more=("--max-examples", "2"))
    assert report.broken == []
    assert report.server_errors == []
    assert report.violations == []
    # All of the public API, and as much of the staff's as fits into the time.
    assert {"POST /api/v1/messages", "POST /webchat/hello", "POST /staff/api/sign-in"} <= set(report.asked)
