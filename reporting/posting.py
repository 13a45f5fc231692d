"""Posts what is in line to other programs: tried again with growing pauses, given up after a day."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Protocol

import structlog

from conversations.model import utc_now
from conversations.store import Database
from reporting.alert_store import AlertStore

GIVE_UP = timedelta(hours=24)
_FIRST, _LONGEST = timedelta(seconds=15), timedelta(hours=1)
log = structlog.get_logger()


class NotTaken(Exception):
    """The other program did not take it; the message says how it answered, never what."""


class Sender(Protocol):
    """Whoever signs and sends; addresses inside of networks are refused."""

    @property
    def secret(self) -> str:
        """With which the receiver checks signatures."""
        ...

    def check(self, url: str) -> None:
        """Raise ``ValueError`` for an address that nothing may be posted to."""
        ...

    async def send(self, url: str, post_id: str, body: str, about: str) -> None:
        """Raise ``NotTaken`` unless the program took it; ``about`` tells it what it gets: alerts, digests."""
        ...

    async def close(self) -> None:
        """Close the connections."""
        ...


class Posting:
    """The line of posts."""

    def __init__(self, database: Database, sender: Sender, now: Callable[[], datetime] = utc_now) -> None:
        self._database = database
        self.sender = sender
        self._now = now

    async def go_on(self) -> int:
        """Try everything that is due once; returns how many were taken."""
        async with self._database.read() as connection:
            due = await AlertStore(connection).due_posts(self._now())
        taken = 0
        for one in due:
            attempts = one["attempts"] + 1
            try:
                await self.sender.send(one["url"], one["id"], one["body"], f"{one['about']}s")
                values = {"state": "sent", "sent_at": self._now(), "error": None}
                taken += 1
            except (NotTaken, ValueError) as error:
                now = self._now()
                pause = min(_LONGEST, _FIRST * 2 ** min(attempts - 1, 12))
                dead = now + pause - one["created_at"] >= GIVE_UP
                values = {"state": "dead" if dead else "waiting", "due_at": now + pause, "error": str(error)[:200]}
                log.warning("report_post_not_taken", about=one["about"], attempts=attempts, dead=dead)
            async with self._database.write() as connection:
                await AlertStore(connection).settle_post(one["id"], values | {"attempts": attempts})
        return taken
