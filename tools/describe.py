"""Writes the descriptions of both APIs to ``docs/openapi/``; run by ``make openapi``."""

from __future__ import annotations

import asyncio
import json
import secrets
import sys
import tempfile
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

import app
import settings as desk_settings
from openapi.public_api import describe_public_api
from openapi.staff_api import describe_staff_api

FOLDER = ROOT / "docs" / "openapi"


def written(document: dict[str, Any]) -> str:
    """A description as its stored copy holds it."""
    return json.dumps(document, ensure_ascii=False, indent=1) + "\n"


async def descriptions(folder: Path) -> dict[str, dict[str, Any]]:
    """Both, by the name of their file; a desk in this folder is set up for it and never serves."""
    names = ("BOT_SECRET", "ACTION_SECRET", "SECRET_KEY")
    made = {name: secrets.token_urlsafe(32) for name in names} | {"DATA_DIR": str(folder)}
    desk = await app.build(desk_settings.load(made))
    try:
        staff = describe_staff_api(desk.staff.guard.handlers)
    finally:
        await desk.stop()
    return {"public.json": describe_public_api(), "staff.json": staff}


def main() -> None:
    """Write them."""
    with tempfile.TemporaryDirectory() as folder:
        found = asyncio.run(descriptions(Path(folder)))
    FOLDER.mkdir(exist_ok=True)
    for name, document in found.items():
        (FOLDER / name).write_text(written(document), encoding="utf-8")
        print(f"docs/openapi/{name}: {len(document['paths'])} addresses")


if __name__ == "__main__":
    main()
