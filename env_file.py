"""``.env`` and ``secrets.env``: where they lie and what of them the tools and the bot need. Standard library only."""

from __future__ import annotations

import os
import secrets
import shutil
from pathlib import Path

ROOT = Path(__file__).resolve().parent
#: What the tools and the bot read from their environment; the service reads all of ``.env`` by itself.
_ALSO_FOR_THE_BOT = (
    "BOT_DATABASE_URL", "BOT_FIELD_KEYS", "BOT_MOST_MODELS", "BOT_PYTHON", "BOT_TIME_ZONE", "DATABASE_URL", "DATA_DIR",
    "DEMO", "ENCODER", "METRICS_TOKEN", "MODEL_DIR", "MODEL_KEYS", "NLU_DATA", "QDRANT_URL", "SANIC_PROXIES_COUNT",
)  # fmt: skip
_FOLDERS = {"DATA_DIR", "MODEL_DIR", "MODEL_KEYS", "NLU_DATA"}


def read_env_file(path: Path) -> dict[str, str]:
    """The NAME=value lines of a file, or nothing if there is no such file; quotes around values are taken off."""
    if not path.exists():
        return {}
    pairs = (
        line.split("=", 1)
        for line in path.read_text().splitlines()
        if "=" in line and not line.lstrip().startswith("#")
    )
    return {name.strip(): value.strip().strip("\"'") for name, value in pairs}


def take_env_file() -> None:
    """Put what the tools and the bot need of ``.env`` into the environment; what is set there already stays."""
    written = read_env_file(ROOT / ".env")
    for name in _ALSO_FOR_THE_BOT:
        if written.get(name) and not os.environ.get(name):
            # The bot runs in a folder of its own.
            os.environ[name] = str(ROOT / written[name]) if name in _FOLDERS else written[name]


def data_folder() -> Path:
    """The folder of everything the embedded form stores, wherever it is set."""
    return ROOT / (os.environ.get("DATA_DIR") or read_env_file(ROOT / ".env").get("DATA_DIR") or "var")


def everything() -> dict[str, str]:
    """The environment, with ``.env`` and the made-up secrets behind it."""
    return {**read_env_file(_secrets_file()), **read_env_file(ROOT / ".env"), **os.environ}


def ensure_secrets(data_dir: Path) -> None:
    """Write random secrets for a single-machine desk into ``secrets.env`` once, readable by the owner only."""
    path = data_dir / "secrets.env"
    if path.exists():
        return
    data_dir.mkdir(parents=True, exist_ok=True)
    if data_dir == data_folder() and (former := _secrets_file()).exists():
        shutil.copy2(former, path)
        return
    names = ("BOT_SECRET", "ACTION_SECRET", "SECRET_KEY", "REST_API_KEYS")
    lines = [f"{name}={secrets.token_urlsafe(32)}" for name in names]
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write("# Made on first start. Keep this file: links, tokens and the audit trail depend on it.\n")
        file.write("\n".join(lines) + "\n")


def _secrets_file() -> Path:
    """The secrets of this desk. Where ``.env`` names DATA_DIR, older versions wrote them into ``var`` all the same."""
    own, former = data_folder() / "secrets.env", ROOT / "var" / "secrets.env"
    in_env_file = not os.environ.get("DATA_DIR") and own != former
    return former if in_env_file and not own.exists() else own
