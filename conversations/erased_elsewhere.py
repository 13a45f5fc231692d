"""Forgets what this process keeps in memory of contacts that another process has erased."""

from __future__ import annotations

import asyncio

from conversations.audit import AuditLog
from conversations.change import STAFF
from conversations.errors import SlowConsumer
from conversations.hub import Hub

_AGAIN_SECONDS = 1.0


class ErasedElsewhere:
    """Start it once per service process."""

    def __init__(self, hub: Hub, audit: AuditLog) -> None:
        self._hub = hub
        self._audit = audit
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Listen from now on."""
        self._task = asyncio.create_task(self._listen(), name="erased elsewhere")

    async def stop(self) -> None:
        """Listen no more."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def _listen(self) -> None:
        while True:
            try:
                async with self._hub.subscribe(STAFF) as events:
                    self._audit.forget_all()  # nobody knows what was erased while we did not listen
                    async for event in events:
                        if event.get("type") == "erased":
                            self._audit.forget_all()  # merged contacts go with theirs; keys are read again when needed
            except SlowConsumer:
                continue
            await asyncio.sleep(_AGAIN_SECONDS)
