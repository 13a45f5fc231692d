"""What channels brought and nobody could read: kept on disk with the reason, so that nothing disappears into a log line.

A channel that is told "no" sends the same again for days and holds back what comes after it. So the readable part of a
webhook is stored, the rest lies here, and the channel is told that everything arrived.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import os
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from connectors.base import Unreadable

FOLDER = "unreadable"  #: in the data folder
_FORMER_FOLDER = "dead_letters"
KEPT_FOR = timedelta(days=30)  #: they hold what customers wrote
_MOST = 10_000
_LONGEST = 256 * 1024  # characters of one


@dataclass(frozen=True, slots=True)
class KeptUnreadable:
    """One that was kept; ``content`` is what the channel sent."""

    name: str
    at: datetime
    channel: str
    account: str
    reason: str
    content: str


class Unreadables:
    """A folder with a file for each; the same one again is the same file."""

    def __init__(self, folder: Path, now: Callable[[], datetime]) -> None:
        self._folder = folder
        self._now = now
        former = folder.with_name(_FORMER_FOLDER)
        if former.is_dir() and not folder.exists():
            former.rename(folder)

    async def keep(self, channel: str, account: str, unreadable: Unreadable) -> None:
        """Put one aside; it is safe on disk when this returns. Raises ``OSError``."""
        await asyncio.to_thread(self._keep, channel, account, unreadable)

    def all(self) -> list[KeptUnreadable]:
        """Every one, the newest first."""
        return sorted(filter(None, map(_read, self._files())), key=lambda one: one.at, reverse=True)

    def drop(self, name: str) -> bool:
        """Throw one away; False where there is none of that name."""
        found = [file for file in self._files() if file.stem == name]
        for file in found:
            file.unlink(missing_ok=True)
        return bool(found)

    async def erase(self, channel: str, account: str, contact: str) -> int:
        """Throw away what a contact at an address may have written; returns how much that was.

        Nobody could read it, so whatever of that account names the contact goes.
        """
        return await asyncio.to_thread(self._erase, channel, account, contact)

    def _erase(self, channel: str, account: str, contact: str) -> int:
        names = {contact, json.dumps(contact)[1:-1], json.dumps(contact, ensure_ascii=False)[1:-1]}
        theirs = [
            one
            for one in self.all()
            if (one.channel, one.account) == (channel, account) and any(name in one.content for name in names)
        ]
        return sum(self.drop(one.name) for one in theirs)

    def _files(self) -> list[Path]:
        return list(self._folder.glob("*.json"))

    def _keep(self, channel: str, account: str, unreadable: Unreadable) -> None:
        now = self._now()
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        digest = hashlib.sha256(f"{channel}\0{account}\0{unreadable.content}".encode("utf-8", "surrogatepass"))
        one = KeptUnreadable(
            digest.hexdigest()[:16], now, channel, account, unreadable.reason, unreadable.content[:_LONGEST]
        )
        file = self._folder / f"{one.name}.json"
        if file.exists():
            return
        self._make_room(now)
        aside = file.with_suffix(f".{os.getpid()}.aside")
        with os.fdopen(os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="ascii") as writing:
            json.dump(asdict(one) | {"at": now.isoformat()}, writing)
            writing.flush()
            os.fsync(writing.fileno())
        aside.replace(file)
        folder = os.open(self._folder, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)

    def _make_room(self, now: datetime) -> None:
        """Throw away what is too old, and the oldest where there are too many."""
        written = sorted((file.stat().st_mtime, file) for file in self._files() if file.exists())
        oldest = (now - KEPT_FOR).timestamp()
        for place, (at, file) in enumerate(written):
            if at < oldest or len(written) - place >= _MOST:
                file.unlink(missing_ok=True)


def _read(file: Path) -> KeptUnreadable | None:
    try:
        held: Mapping[str, Any] = json.loads(file.read_text())
        return KeptUnreadable(**{**held, "at": datetime.fromisoformat(held["at"])})
    except (OSError, ValueError, TypeError, KeyError):  # thrown away meanwhile, or not one of ours
        return None
