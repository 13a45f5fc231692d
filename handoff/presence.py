"""Keeps agents "online" while a console of theirs is open, "away" when they say so, and "offline" soon after they leave."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Coroutine
from datetime import timedelta
from typing import Any

import structlog

from conversations.conversations import Conversations
from conversations.model import Agent, Presence
from conversations.presence_store import PresenceStore

_AWAY_IS_KEPT = timedelta(minutes=10)  # a reload of the page must not make an agent available again

log = structlog.get_logger()


class PresenceBoard:
    """Who is at the desk. Heartbeats come from here, so agents of a process that dies fall silent by themselves."""

    def __init__(
        self, conversations: Conversations, *, beat_seconds: float = 5.0, farewell_seconds: float = 6.0
    ) -> None:
        self._conversations = conversations
        self._beat_seconds = beat_seconds
        self._farewell_seconds = farewell_seconds
        self._consoles: dict[str, int] = {}
        self._states: dict[str, str] = {}
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._closed = False

    async def arrive(self, agent: Agent) -> None:
        """A console of the agent opened."""
        self._consoles[agent.id] = self._consoles.get(agent.id, 0) + 1
        if self._consoles[agent.id] > 1:
            return
        self._states.setdefault(agent.id, "online")
        self._run(agent, self._beat(agent))  # before any waiting: a farewell that is being said ends here
        self._states[agent.id] = await self._remembered(agent.id)
        await self._conversations.agent_seen(agent.id, agent.name, self._states[agent.id])

    def leave(self, agent: Agent) -> None:
        """A console of the agent closed; with the last one they are offline unless they come back at once."""
        self._consoles[agent.id] -= 1
        if self._consoles[agent.id] == 0:
            del self._consoles[agent.id]
            self._run(agent, self._say_farewell(agent))

    def at_console(self, agent_id: str) -> bool:
        """Whether an agent has a console open at this process."""
        return agent_id in self._consoles

    async def choose(self, agent: Agent, state: str) -> None:
        """The agent says that they are online or away; their console may be open at another process."""
        if agent.id in self._consoles:
            self._states[agent.id] = state
        await self._conversations.agent_seen(agent.id, agent.name, state)

    async def everyone(self) -> dict[str, Presence]:
        """Presence by agent id, as it is now; agents never seen are missing."""
        return {presence.agent_id: presence for presence in await self._conversations.agents()}

    def state_of(self, presence: Presence | None) -> str:
        """What to believe of a stored presence: nobody is online without heartbeats."""
        return "offline" if presence is None else presence.state_at(self._conversations.now())

    async def close(self) -> None:
        """Stop the heartbeats; consoles that reconnect to another process keep their agents online."""
        self._closed = True
        tasks = list(self._tasks.values())
        self._tasks.clear()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _run(self, agent: Agent, work: Coroutine[Any, Any, None]) -> None:
        before = self._tasks.pop(agent.id, None)
        if before is not None:
            before.cancel()
        if self._closed:
            work.close()
            return
        self._tasks[agent.id] = asyncio.create_task(work, name=f"presence-{agent.id}")

    async def _remembered(self, agent_id: str) -> str:
        stored = (await self.everyone()).get(agent_id)
        fresh = stored is not None and self._conversations.now() - stored.last_seen_at <= _AWAY_IS_KEPT
        return "away" if stored is not None and fresh and stored.state == "away" else "online"

    async def _beat(self, agent: Agent) -> None:
        while True:
            await asyncio.sleep(self._beat_seconds)
            try:
                await self._still_here(agent)
            except Exception as error:  # the database may be back before the grace period is over
                log.warning("heartbeat_failed", agent_id=agent.id, error=error)

    async def _still_here(self, agent: Agent) -> None:
        """Prolong whatever state they chose last, at this process or another; who was taken for gone is back."""
        now = self._conversations.now()
        async with self._conversations.database.glance() as connection:
            stored = await PresenceStore(connection).find(agent.id)
        if stored is None or stored.state_at(now) == "offline":
            await self._conversations.agent_seen(agent.id, agent.name, self._states[agent.id])
            return
        self._states[agent.id] = stored.state
        if 0 <= (now - stored.last_seen_at).total_seconds() < self._beat_seconds * 0.9:
            return  # another process has just said so
        async with self._conversations.database.write() as connection:
            await PresenceStore(connection).beat(agent.id, now)

    async def _say_farewell(self, agent: Agent) -> None:
        left_at = self._conversations.now()
        await asyncio.sleep(self._farewell_seconds)
        self._states.pop(agent.id, None)
        with contextlib.suppress(KeyError):
            del self._tasks[agent.id]
        async with self._conversations.database.glance() as connection:
            stored = await PresenceStore(connection).find(agent.id)
        if stored is None or stored.state == "away":  # "away" is kept for their return and goes stale by itself
            return
        if stored.last_seen_at <= left_at:  # else a console of theirs is open at another process
            await self._conversations.agent_seen(agent.id, agent.name, "offline")
