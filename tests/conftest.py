"""What holds for all tests: time says something about the machine, not the desk, and the project's own data stays as it is."""

from __future__ import annotations

import gc
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import certifi
import pytest
from hypothesis import HealthCheck, settings

from tests.blank_database import blank_schema
from tests.compiled_statements import share_statements

ROOT = Path(__file__).resolve().parent.parent
#: What desks write when their settings do not name another place: examples and tests that trainers save, articles.
_OURS = ("nlu_data", "knowledge_base/articles")

settings.register_profile("unhurried", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("unhurried")


def _one_authority() -> str:
    """Servers of tests are on this machine: reading every authority of the world for each client took a tenth of a run."""
    end = "-----END CERTIFICATE-----\n"
    path = Path(tempfile.gettempdir()) / f"one-authority-{os.getuid()}.pem"
    path.write_text(Path(certifi.where()).read_text(encoding="utf-8").partition(end)[0] + end, encoding="utf-8")
    return str(path)


def pytest_configure() -> None:
    os.environ.setdefault("SSL_CERT_FILE", _one_authority())
    share_statements()


def pytest_collection_finish() -> None:
    """What is loaded by now stays for the whole run: looking through it for garbage again and again cost a fifth of it."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(5_000, 20, 10)


def _ours() -> dict[str, tuple[int, int]]:
    files = (path for name in _OURS for path in (ROOT / name).rglob("*") if path.is_file() and path.suffix != ".lock")
    return {str(path.relative_to(ROOT)): (path.stat().st_mtime_ns, path.stat().st_size) for path in files}


@pytest.fixture(scope="session", autouse=True)
def the_projects_own_data_stays_as_it_is() -> Iterator[None]:
    """A desk of a test that writes where the project keeps its data would change what the next test finds."""
    before = _ours()
    yield
    assert _ours() == before, "a test has written into the project's own data; give its desk a folder of its own"


@pytest.fixture(scope="session")
def desk_schema() -> Iterator[str]:
    """A schema with the tables of every room, which rooms empty for each of their tests."""
    with blank_schema() as schema:
        yield schema
