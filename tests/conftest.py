"""What holds for all tests: time says something about the machine, not the desk, and the project's own data stays as it is."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

ROOT = Path(__file__).resolve().parent.parent
#: What desks write when their settings do not name another place: examples and tests that trainers save, articles.
_OURS = ("nlu_data", "knowledge_base/articles")

settings.register_profile("unhurried", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("unhurried")


def _ours() -> dict[str, tuple[int, int]]:
    files = (path for name in _OURS for path in (ROOT / name).rglob("*") if path.is_file() and path.suffix != ".lock")
    return {str(path.relative_to(ROOT)): (path.stat().st_mtime_ns, path.stat().st_size) for path in files}


@pytest.fixture(scope="session", autouse=True)
def the_projects_own_data_stays_as_it_is() -> Iterator[None]:
    """A desk of a test that writes where the project keeps its data would change what the next test finds."""
    before = _ours()
    yield
    assert _ours() == before, "a test has written into the project's own data; give its desk a folder of its own"
