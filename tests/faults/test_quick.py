"""What `make faults QUICK=1` runs: a real service is killed and cheated, and nothing is lost, doubled or out of order.

`make faults` runs every injection at full size.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator

import pytest

from tests.faults.injection import Ground
from tests.faults.run import FULL, QUICK


@pytest.fixture(scope="module")
def ground() -> Iterator[Ground]:
    made = Ground()
    yield made
    shutil.rmtree(made.folder, ignore_errors=True)


@pytest.mark.parametrize("name", QUICK)
async def test_nothing_is_lost_doubled_or_out_of_order(ground: Ground, name: str) -> None:
    """F10, F12, F16: the quick half of each."""
    report = await QUICK[name](ground)
    assert report.findings == []
    assert report.injections > 0
    if name != "torn":
        assert report.acknowledged > 0


def test_the_full_run_has_everything_the_quick_one_has() -> None:
    assert set(QUICK) <= set(FULL)
