"""The dependency rules of the rooms, checked on the source itself."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
ROOMS = (
    "connectors",
    "conversations",
    "actions",
    "crm",
    "knowledge_base",
    "handoff",
    "bot",
    "encoders",
    "sentiment",
    "monitoring",
    "personal_data",
    "learning",
    "openapi",
    "reporting",
    "reviewing",
)
#: What each room may import of ours; a dotted entry allows only that module.
MAY_IMPORT = {
    "connectors": {"connectors", "conversations.model", "conversations.errors"},
    "conversations": {"conversations"},
    "actions": {"actions", "knowledge_base", "crm"},
    "crm": {"crm"},
    "knowledge_base": {"knowledge_base", "encoders", "personal_data"},
    "encoders": {"encoders"},
    "sentiment": {"sentiment", "encoders"},
    "handoff": {
        "handoff",
        "conversations",
        "knowledge_base",
        "crm",
        "learning",
        "personal_data",
        "reporting",
        "reviewing",
    },
    "reporting": {"reporting", "conversations", "learning.limit_tables", "learning.inbox_tables"},
    "reviewing": {"reviewing", "conversations"},
    "learning": {"learning", "conversations", "knowledge_base", "encoders"},
    "bot": {"bot", "encoders"},
    "monitoring": {
        "monitoring",
        "conversations",
        "connectors.checked_address",
        "actions.webhook",
        "knowledge_base",
        "personal_data",
    },
    "personal_data": {"personal_data"},
    "openapi": {"openapi", "connectors", "handoff", "conversations.model", "conversations.json_form"},
}
#: Where a library may be imported; a prefix ending in "/" is a folder.
WALLS = {
    "sanic": (
        "app.py",
        "pages.py",
        "desk.py",
        "slow_clients.py",
        "connectors/webhooks.py",
        "connectors/rest_routes.py",
        "connectors/event_routes.py",
        "connectors/webchat/",
        "handoff/",
        "actions/webhook.py",
        "monitoring/page.py",
        "openapi/serving.py",
        "bot/",
    ),
    "prometheus_client": ("monitoring/",),
    "opentelemetry": ("monitoring/spans.py",),
    "qdrant_client": ("knowledge_base/index",),
    "qdrant_edge": ("knowledge_base/index",),
    "rasa_sdk": ("actions/", "bot/bench_stock/"),
    "rasa": ("bot/",),
}
SQL_FILES = ("store.py", "tables.py")
FORBIDDEN_NAMES = {"utils", "helpers", "common", "misc", "manager"}
MAX_LINES = 400


def python_files() -> list[Path]:
    folders = [ROOT / room for room in ROOMS] + [ROOT / "tools", ROOT / "benchmarks", ROOT / "tests"]
    files = [file for folder in folders if folder.exists() for file in folder.rglob("*.py")]
    skipped = {".venv", "node_modules", "__pycache__"}
    return [
        ROOT / "app.py",
        ROOT / "certificate.py",
        ROOT / "data_lock.py",
        ROOT / "failpoints.py",
        ROOT / "logs.py",
        ROOT / "pages.py",
        ROOT / "channels_file.py",
        ROOT / "desk.py",
        ROOT / "serving.py",
        ROOT / "setting_rules.py",
        ROOT / "settings.py",
        ROOT / "slow_clients.py",
        *(file for file in files if not skipped & set(file.parts)),
    ]


def name_of(file: Path) -> str:
    return file.relative_to(ROOT).as_posix()


def imports_of(file: Path) -> list[str]:
    modules = []
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.Import):
            modules += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module and node.level == 0:
            modules.append(node.module)
            modules += [f"{node.module}.{alias.name}" for alias in node.names]
    return modules


FILES = python_files()
ROOM_FILES = [file for file in FILES if file.relative_to(ROOT).parts[0] in ROOMS and "tests" not in file.parts]


@pytest.mark.parametrize("file", ROOM_FILES, ids=name_of)
def test_a_room_imports_only_what_the_table_allows(file: Path) -> None:
    room = file.relative_to(ROOT).parts[0]
    allowed = MAY_IMPORT[room]
    for module in imports_of(file):
        if module.split(".")[0] not in ROOMS:
            continue
        if file.name == "__main__.py" and module.split(".")[0] == room:
            continue
        fits = any(
            module == entry or module.startswith(entry + ".") or entry.startswith(module + ".") for entry in allowed
        )
        assert fits, f"{name_of(file)} imports {module}; {room}/ may import {sorted(allowed)}"


@pytest.mark.parametrize("file", ROOM_FILES, ids=name_of)
def test_nobody_imports_the_app(file: Path) -> None:
    assert "app" not in imports_of(file), f"{name_of(file)} imports app.py"


@pytest.mark.parametrize("file", ROOM_FILES, ids=name_of)
def test_settings_are_read_only_at_the_edges(file: Path) -> None:
    if file.name in {"__main__.py", "settings.py"} or name_of(file) == "conversations/audit.py":
        return
    assert "settings" not in imports_of(file), f"{name_of(file)} reads settings; take the value as an argument"
    if not name_of(file).startswith("bot/"):
        assert "os.environ" not in file.read_text(), (
            f"{name_of(file)} reads the environment; take the value as an argument"
        )


@pytest.mark.parametrize(
    "file", [*ROOM_FILES, ROOT / "app.py", ROOT / "pages.py", ROOT / "desk.py", ROOT / "slow_clients.py"], ids=name_of
)
def test_libraries_stay_behind_their_walls(file: Path) -> None:
    for module in imports_of(file):
        library = module.split(".")[0]
        if library in WALLS:
            assert name_of(file).startswith(WALLS[library]), f"{name_of(file)} imports {library}"


@pytest.mark.parametrize("file", ROOM_FILES, ids=name_of)
def test_sql_stays_in_stores(file: Path) -> None:
    if file.name.endswith(SQL_FILES) or name_of(file).startswith("bot/"):
        return
    statements = {"select", "insert", "update", "delete", "text"}
    for module in imports_of(file):
        package, _, name = module.rpartition(".")
        assert not (package.startswith("sqlalchemy") and name in statements), f"{name_of(file)} writes SQL ({module})"


@pytest.mark.parametrize("file", FILES, ids=name_of)
def test_files_stay_short_and_honestly_named(file: Path) -> None:
    assert len(file.read_text().splitlines()) <= MAX_LINES, f"{name_of(file)} is too long; split it by what it says"
    assert file.stem not in FORBIDDEN_NAMES, f"{name_of(file)} is a drawer; name what it keeps"


def test_the_bots_only_channel_is_the_turn_channel() -> None:
    import yaml

    credentials = yaml.safe_load((ROOT / "bot" / "credentials.yml").read_text())
    assert list(credentials) == ["bot.turn_channel.TurnChannel"]


def test_the_model_room_needs_only_the_standard_library() -> None:
    import sys

    for module in imports_of(ROOT / "conversations" / "model.py"):
        top = module.split(".")[0]
        assert top in sys.stdlib_module_names or module.startswith("conversations.errors"), module


@pytest.mark.parametrize("lock", ["requirements.lock", "bot/requirements.lock"])
def test_locks_have_hashes_and_no_index_address(lock: str) -> None:
    text = (ROOT / lock).read_text()
    assert "--hash=sha256:" in text
    assert "http://" not in text
    assert "https://" not in text
    assert "index-url" not in text.replace("--no-emit-index-url", "")
    assert "find-links" not in text


def test_the_image_holds_every_module_beside_the_app() -> None:
    copied = (ROOT / "docker" / "service.Dockerfile").read_text()
    for file in ROOT.glob("*.py"):
        assert f" {file.name} " in copied, f"docker/service.Dockerfile does not copy {file.name}"
