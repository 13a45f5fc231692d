"""Which models a folder holds, and which of them is served by default: the one trained last, or the one the service chose since."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from bot.train import MARK

ENDING = ".tar.gz"
CHOICE = "serving.json"  #: names the version that the service chose, and what had been trained when it did
KEPT = "kept.json"  #: names the versions that no training may delete
#: Of versions; never a path.
NAME = re.compile(r"[0-9A-Za-z][0-9A-Za-z._-]{0,79}")


def archive_of(folder: Path, name: str) -> Path:
    """Where the archive of a version lies."""
    return folder / f"{name}{ENDING}"


def name_of(archive: Path) -> str:
    """The version in an archive."""
    return archive.name.removesuffix(ENDING)


def newest_first(folder: Path) -> list[Path]:
    """The archives by age."""
    return sorted(folder.glob(f"*{ENDING}"), key=_age, reverse=True)


def in_order(folder: Path) -> list[Path]:
    """The archive that is served by default, then the one trained last, then the others by age."""
    found = newest_first(folder)
    first = [archive_of(folder, name) for name in (chosen(folder), trained(folder)) if name]
    preferred = [one for one in dict.fromkeys(first) if one in found]
    return preferred + [one for one in found if one not in preferred]


def trained(folder: Path) -> str | None:
    """The version that ``train.py`` left last."""
    return _named(_read(folder / MARK), "model")


def chosen(folder: Path) -> str | None:
    """The version that the service chose; None once something was trained by hand since."""
    choice = _read(folder / CHOICE)
    return _named(choice, "default") if _named(choice, "trained") == trained(folder) else None


def choose(folder: Path, name: str) -> None:
    """Remember what the service chose, for the next start."""
    _write(folder / CHOICE, {"default": name, "trained": trained(folder)})


def kept(folder: Path) -> list[str]:
    """The versions that no training may delete."""
    names = _read(folder / KEPT)
    return [one for one in names if isinstance(one, str)] if isinstance(names, list) else []


def keep(folder: Path, names: Iterable[str]) -> None:
    """Remember the versions that no training may delete."""
    _write(folder / KEPT, sorted(set(names)))


def _named(content: Any, field: str) -> str | None:
    value = content.get(field) if isinstance(content, dict) else None
    return value.removesuffix(ENDING) if isinstance(value, str) and value else None


def _read(path: Path) -> Any:
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None


def _write(path: Path, content: Any) -> None:
    text = json.dumps(content, indent=1) + "\n"
    if path.exists() and path.read_text(encoding="utf-8") == text:
        return
    written = path.with_name(f"{path.name}.{os.getpid()}.new")
    with written.open("w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    os.replace(written, path)


def _age(path: Path) -> float:
    try:
        return path.stat().st_mtime
    except FileNotFoundError:  # a training that just deletes it
        return 0.0
