"""The file of messaging accounts: its entries with their variables filled in, and the secrets among them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from pathlib import Path

import yaml

from env_file import everything
from settings import ROOT, BadSetting

_SECRET_NAME = re.compile(r"token|secret|password|key", re.IGNORECASE)


def read_channels(path: Path | None, environment: Mapping[str, str] | None = None) -> tuple[Mapping[str, object], ...]:
    """The entries of the channels file, ``${NAME}`` replaced by that environment variable; no file: none.

    Raises ``BadSetting`` for a file that cannot be read as a list and for variables that are not set.
    """
    known = everything() if environment is None else environment
    chosen = path or ROOT / "channels.yml"
    if path is None and not chosen.exists():
        return ()

    def filled(value: object) -> object:
        if isinstance(value, str):
            return re.sub(r"\$\{(\w+)\}", variable, value)
        if isinstance(value, dict):
            return {name: filled(inner) for name, inner in value.items()}
        return [filled(inner) for inner in value] if isinstance(value, list) else value

    def variable(match: re.Match[str]) -> str:
        if not known.get(match[1]):
            raise BadSetting(f"{chosen} uses ${{{match[1]}}}, but {match[1]} is not set; put it into .env.")
        return known[match[1]]

    try:
        entries = yaml.safe_load(chosen.read_text(encoding="utf-8")) or []
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise BadSetting(f"CHANNELS_FILE {chosen} cannot be read: {error}") from None
    if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
        raise BadSetting(f'{chosen} must be a list of accounts, each beginning with "- channel: NAME".')
    return tuple({str(name): filled(value) for name, value in entry.items()} for entry in entries)


def secrets_of(accounts: Iterable[Mapping[str, object]]) -> tuple[str, ...]:
    """The keys, tokens and passwords in entries of the channels file, however deep they lie."""
    found: list[str] = []

    def look(value: object, named: bool) -> None:
        if isinstance(value, str):
            found.extend({value, *re.split(r"[\s,]+", value)} if named else ())
        elif isinstance(value, Mapping):
            for name, inner in value.items():
                look(inner, named or _SECRET_NAME.search(str(name)) is not None)
        elif isinstance(value, list | tuple):
            for inner in value:
                look(inner, named)

    for entry in accounts:
        look(entry, False)
    return tuple(found)
