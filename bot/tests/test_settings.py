"""The bot refuses to start with one sentence that says what to do."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from bot import settings

GOOD = {"BOT_SECRET": "s" * 16, "ACTION_URL": "http://127.0.0.1:8000/internal/actions?token=t"}


def test_the_defaults_are_the_loopback_and_sqlite() -> None:
    chosen = settings.load(GOOD)
    assert (chosen.host, chosen.port) == ("127.0.0.1", 5005)
    assert chosen.database_url.startswith("sqlite:///")


@pytest.mark.parametrize(("change", "names"), [
    ({"BOT_SECRET": ""}, "BOT_SECRET"),
    ({"BOT_SECRET": "short"}, "BOT_SECRET"),
    ({"BOT_HOST": "0.0.0.0"}, "BOT_ALLOW_NETWORK"),
    ({"BOT_PORT": "http"}, "BOT_PORT"),
    ({"BOT_PORT": "70000"}, "BOT_PORT"),
    ({"ACTION_URL": ""}, "ACTION_URL"),
    ({"ACTION_URL": "ftp://x"}, "ACTION_URL"),
    ({"BOT_DATABASE_URL": "mysql://x"}, "BOT_DATABASE_URL"),
])  # fmt: skip
def test_a_bad_setting_is_named(change: dict[str, str], names: str) -> None:
    with pytest.raises(settings.BadSetting, match=names):
        settings.load({**GOOD, **change})


def test_the_network_can_be_allowed_on_purpose() -> None:
    assert settings.load({**GOOD, "BOT_HOST": "0.0.0.0", "BOT_ALLOW_NETWORK": "1"}).host == "0.0.0.0"


@pytest.mark.parametrize(
    ("change", "sentence"), [({"BOT_SECRET": ""}, "BOT_SECRET must be set"), ({}, "There is no model in")]
)
def test_starting_without_what_is_needed_ends_at_once_without_a_stack_trace(
    tmp_path: Path, change: dict[str, str], sentence: str
) -> None:
    environment = {**os.environ, **GOOD, "MODEL_DIR": str(tmp_path), **change}
    ended = subprocess.run(
        [sys.executable, "serve.py"], cwd=settings.BOT, env=environment, capture_output=True, text=True
    )
    assert ended.returncode != 0
    assert sentence in ended.stderr
    assert "Traceback" not in ended.stderr
