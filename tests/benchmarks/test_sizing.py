"""The sizing table is what the formula gives for the costs beside it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from benchmarks.sizing import LEAST, Cost, main, size, table

PAGE = (Path(__file__).resolve().parent.parent.parent / "docs" / "scaling.md").read_text()


def test_the_table_in_the_documentation_is_computed_from_the_costs_it_names() -> None:
    named = re.search(r"benchmarks\.sizing --service-ms ([\d.]+) --bot-ms ([\d.]+) --kb ([\d.]+)", PAGE)
    assert named
    for row in table(Cost(*map(float, named.groups()))):
        assert row in PAGE, f"docs/scaling.md lacks {row}"


def test_twice_the_work_takes_twice_the_processes_and_nobody_runs_alone() -> None:
    cost = Cost(service_ms=30, bot_ms=10, database_kb=8)
    one, two = size(1_000_000, cost), size(2_000_000, cost)
    assert one.turns_per_second == 1_000_000 * 4 * 0.12 / 3600
    assert (one.services, two.services) == (7, 14)
    assert size(10, cost).services == size(10, cost).bots == LEAST
    assert two.gb_per_month == 2 * one.gb_per_month


def test_the_command_prints_the_table(capsys: pytest.CaptureFixture[str]) -> None:
    main(["--service-ms", "30", "--bot-ms", "10", "--kb", "8"])
    assert capsys.readouterr().out.splitlines() == table(Cost(30, 10, 8))
