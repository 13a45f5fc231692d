"""The kinds of entities that examples may mark, with their names in both languages."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import structlog
import yaml

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class EntityType:
    """A kind of entity as the catalogue names it."""

    name: str
    zh: str
    en: str


def read_entity_types(folder: Path) -> list[EntityType]:
    """The kinds in the catalogue's files, none where there is no such folder; a file that cannot be read is left out."""
    found: dict[str, EntityType] = {}
    for path in sorted(folder.glob("*.yml")):
        try:
            listed = yaml.safe_load(path.read_text(encoding="utf-8"))["types"]
            for one in listed:
                name, title = str(one["name"]), one.get("title") or {}
                found[name] = EntityType(name, str(title.get("zh", name)), str(title.get("en", name)))
        except (yaml.YAMLError, KeyError, TypeError, OSError, UnicodeDecodeError) as error:
            log.warning("entity_types_not_read", file=path.name, error=repr(error))
    return list(found.values())
