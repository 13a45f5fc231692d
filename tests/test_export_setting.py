"""An export that cannot work stops the start with a sentence that says what to set."""

from __future__ import annotations

from pathlib import Path

import pytest

from conversations.store import Database
from conversations.work_leases import WorkLeases
from desk import exporter_of
from settings import BadSetting, load

NEEDED = {"BOT_SECRET": "b" * 16, "ACTION_SECRET": "a" * 16, "SECRET_KEY": "s" * 32}


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"EXPORT_URL": "smb://share/events"}, "EXPORT_URL must begin with"),
        ({"EXPORT_URL": "redis://host"}, "names no stream"),
        ({"EXPORT_URL": "https://data.example/events"}, "EXPORT_SECRET"),
        ({"EXPORT_URL": "http://data.example/events", "EXPORT_SECRET": "whsec_" + "A" * 32}, "https://"),
    ],
)
async def test_a_bad_target_names_its_setting(tmp_path: Path, changes: dict[str, str], says: str) -> None:
    database = Database.open(f"sqlite+aiosqlite:///{tmp_path / 'desk.db'}")
    with pytest.raises(BadSetting, match=says):
        exporter_of(load({**NEEDED, **changes}), database, WorkLeases(database))
    await database.close()


async def test_nothing_is_exported_unless_asked_for_and_addresses_stay_out_of_sight(tmp_path: Path) -> None:
    database = Database.open(f"sqlite+aiosqlite:///{tmp_path / 'desk.db'}")
    assert exporter_of(load(NEEDED), database, WorkLeases(database)) is None
    chosen = load({**NEEDED, "EXPORT_URL": "redis://ann:hidden@host/0/events", "EXPORT_SECRET": "whsec_hidden"})
    assert "hidden" not in repr(chosen)
    exporter = exporter_of(chosen, database, WorkLeases(database))
    assert exporter is not None
    await exporter.stop()
    await database.close()


@pytest.mark.parametrize(("masked", "leaves"), [("true", "打138****5678"), ("false", "打13812345678")])
async def test_words_leave_masked_unless_the_setting_says_otherwise(tmp_path: Path, masked: str, leaves: str) -> None:
    database = Database.open(f"sqlite+aiosqlite:///{tmp_path / 'desk.db'}")
    changes = {"EXPORT_URL": "redis://127.0.0.1:1/events", "EXPORT_TEXT": "true", "EXPORT_MASKED": masked}
    exporter = exporter_of(load({**NEEDED, **changes}), database, WorkLeases(database))
    assert exporter is not None
    assert exporter.hide("打13812345678") == leaves
    await database.close()
