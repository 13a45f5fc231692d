"""What the channel pages of the console stand on: the accounts, how they do, trials of them, and dead letters."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable
from typing import Any, Protocol

from conversations.channel_health import ChannelHealth
from conversations.channel_signs import Health
from conversations.conversations import Conversations
from conversations.dead_letters import DeadLetters
from conversations.model import Agent
from handoff.channels.channel_status import health_json, status_of
from handoff.errors import Refused

_TRIALS, _WITHIN_SECONDS = 6, 60.0


class Overview(Protocol):
    """The accounts of this process, as plain values."""

    def accounts(self) -> list[dict[str, Any]]:
        """Every account with what must be entered at the vendor."""
        ...

    async def addable(self) -> list[dict[str, Any]]:
        """Every channel of which an account could be added."""
        ...

    async def check(self, channel: str, account: str) -> dict[str, Any] | None:
        """Whether the channel knows us; None where that cannot be asked."""
        ...

    async def send_test(self, channel: str, account: str, to: str, text: str) -> dict[str, Any] | None:
        """How sending one message went; None where nothing can be sent."""
        ...


class ChannelDesk:
    """Channels as staff see them."""

    def __init__(
        self,
        overview: Overview,
        health: ChannelHealth,
        letters: DeadLetters,
        conversations: Conversations,
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._overview = overview
        self._health = health
        self._conversations = conversations
        self._clock = clock
        self._trials: dict[tuple[str, str], deque[float]] = {}
        self.letters = letters

    async def accounts(self) -> list[dict[str, Any]]:
        """Every account with its status and health."""
        known, now = await self._health.read(), self._conversations.now()
        found = []
        for form in self._overview.accounts():
            health = known.get((form["channel"], form["account"]), Health())
            found.append(form | {"status": status_of(form, health, now), "health": health_json(health, now)})
        return found

    async def addable(self) -> list[dict[str, Any]]:
        """Channels of which there is no account yet first, then those that could have another one."""
        used = {form["channel"] for form in self._overview.accounts()}
        channels = [one | {"used": one["channel"] in used} for one in await self._overview.addable()]
        return sorted(channels, key=lambda one: bool(one["used"]))

    async def writers(self, channel: str, account: str) -> list[dict[str, Any]]:
        """Who wrote to an account last."""
        self._find(channel, account)
        found = await self._health.last_writers(channel, account)
        return [{"contact": one.contact, "name": one.name, "at": one.at.isoformat()} for one in found]

    async def check(self, channel: str, account: str, agent: Agent) -> dict[str, Any]:
        """Ask a channel whether it knows us; raises ``Refused``."""
        if not self._find(channel, account)["checkable"]:
            raise Refused(409, "not_checkable", "This channel cannot be asked; send a test message instead.")
        self._take_trial(channel, account)
        outcome = await self._overview.check(channel, account) or {}
        await self._note("channel_checked", channel, account, agent, outcome)
        return outcome

    async def send_test(self, channel: str, account: str, to: str, text: str, agent: Agent) -> dict[str, Any]:
        """Send one message that belongs to no conversation; raises ``Refused``."""
        if not self._find(channel, account)["sendable"]:
            raise Refused(409, "not_sendable", "Contacts of this channel read their conversation; open it and write.")
        self._take_trial(channel, account)
        outcome = await self._overview.send_test(channel, account, to, text) or {}
        # Enough to tell whom it went to for whoever knows the contact, not enough to write to them.
        await self._note("channel_tested", channel, account, agent, outcome, to=f"…{to[-3:]}")
        return outcome

    def _find(self, channel: str, account: str) -> dict[str, Any]:
        for form in self._overview.accounts():
            if (form["channel"], form["account"]) == (channel, account):
                return form
        raise Refused(404, "not_found", "There is no such channel account here. Reload the page.")

    def _take_trial(self, channel: str, account: str) -> None:
        recent = self._trials.setdefault((channel, account), deque())
        now = self._clock()
        while recent and now - recent[0] >= _WITHIN_SECONDS:
            recent.popleft()
        if len(recent) >= _TRIALS:
            wait = max(1, round(_WITHIN_SECONDS - (now - recent[0])))
            told = f"This account was tried {_TRIALS} times within a minute. Wait {wait} seconds."
            raise Refused(429, "too_many_trials", told, wait, detail=str(wait))
        recent.append(now)

    async def _note(
        self, kind: str, channel: str, account: str, agent: Agent, outcome: dict[str, Any], **more: str
    ) -> None:
        result = {"ok": bool(outcome.get("ok")), "code": str(outcome.get("code", ""))}
        await self._conversations.record(kind, agent, {"channel": channel, "account": account} | result | more)
