"""Work in the background of one process, of which only one run goes on at a time and of which one can see how far it is."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine


class OneRun:
    """What begins, shows its progress, and stops; whoever derives from it says what a run does."""

    def __init__(self) -> None:
        self._task: asyncio.Task[None] | None = None
        self.progress = (0, 0)
        self.failed = ""  #: why the last run came to nothing

    @property
    def running(self) -> bool:
        """Whether it is at work at this moment."""
        return self._task is not None and not self._task.done()

    async def stop(self) -> None:
        """Go no further; what was found stays."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    def _begin(self, run: Coroutine[None, None, None], name: str) -> bool:
        if self.running:
            run.close()
            return False
        self.failed = ""
        self._task = asyncio.create_task(self._to_its_end(run), name=name)
        return True

    async def _to_its_end(self, run: Coroutine[None, None, None]) -> None:
        try:
            await run
        finally:
            self.progress = (0, 0)
