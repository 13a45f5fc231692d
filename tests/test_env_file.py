"""What stands in ``.env`` counts wherever it is needed: for the tools, the bot and the folder of the secrets."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

import env_file

NAMES = (*env_file._ALSO_FOR_THE_BOT, "BOT_SECRET", "SECRET_KEY")


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project's folder in which nothing is set by the environment."""
    for name in NAMES:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(env_file, "ROOT", tmp_path)
    return tmp_path


def test_a_demo_that_is_off_in_the_file_is_off_for_those_who_would_turn_it_on(project: Path) -> None:
    (project / ".env").write_text("DEMO=false\n# DATA_DIR=elsewhere\nSHOP=kite\n")
    env_file.take_env_file()
    os.environ.setdefault("DEMO", "1")
    assert os.environ.pop("DEMO") == "false"
    assert "SHOP" not in os.environ  # the service reads the rest of the file by itself


def test_what_the_environment_says_goes_before_the_file(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (project / ".env").write_text("DEMO=false\nBOT_FIELD_KEYS=of-the-file\n")
    monkeypatch.setenv("DEMO", "1")
    env_file.take_env_file()
    assert os.environ["DEMO"] == "1"
    assert os.environ.pop("BOT_FIELD_KEYS") == "of-the-file"


def test_folders_of_the_file_are_the_same_for_a_bot_that_runs_elsewhere(project: Path) -> None:
    (project / ".env").write_text('DATA_DIR=data\nNLU_DATA="examples"\n')
    env_file.take_env_file()
    assert os.environ.pop("DATA_DIR") == str(project / "data")
    assert os.environ.pop("NLU_DATA") == str(project / "examples")


def test_secrets_lie_in_the_data_folder_that_the_file_names(project: Path) -> None:
    (project / ".env").write_text("DATA_DIR=data\n")
    assert env_file.data_folder() == project / "data"
    env_file.ensure_secrets(env_file.data_folder())
    written = env_file.read_env_file(project / "data" / "secrets.env")
    assert set(written) >= {"BOT_SECRET", "ACTION_SECRET", "SECRET_KEY", "REST_API_KEYS"}
    assert env_file.everything()["SECRET_KEY"] == written["SECRET_KEY"]
    assert (project / "data" / "secrets.env").stat().st_mode & 0o077 == 0


def test_a_desk_whose_secrets_an_older_version_wrote_elsewhere_keeps_them(project: Path) -> None:
    env_file.ensure_secrets(project / "var")
    former = env_file.read_env_file(project / "var" / "secrets.env")
    (project / ".env").write_text("DATA_DIR=data\n")
    assert env_file.everything()["SECRET_KEY"] == former["SECRET_KEY"]
    env_file.ensure_secrets(env_file.data_folder())
    assert env_file.read_env_file(project / "data" / "secrets.env") == former
    assert env_file.everything()["SECRET_KEY"] == former["SECRET_KEY"]
