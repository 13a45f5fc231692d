"""What people do about messages that could not be delivered: look at them, try again, or let them be."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from conversations.audit import AuditEntry
from conversations.change import STAFF
from conversations.conversations import Conversations
from conversations.dead_letter_store import Choice, Count, DeadLetter, DeadLetterStore, Settled
from conversations.json_form import message_json
from conversations.model import Agent
from conversations.sight import EVERYTHING, Sight

_TOGETHER = 100  #: settled in one transaction, so that nobody waits long for the audit chain


@dataclass(frozen=True, slots=True)
class LetterPage:
    """A part of the list, newest first; ``cursor`` leads to the next part."""

    letters: list[DeadLetter]
    cursor: int | None


class DeadLetters:
    """Dead letters of the whole desk; ``wake`` tells the outbox that there is something to send."""

    def __init__(self, conversations: Conversations, wake: Callable[[], None]) -> None:
        self._conversations = conversations
        self._database = conversations.database
        self._wake = wake

    async def page(self, choice: Choice, before: int | None = None, limit: int = 50) -> LetterPage:
        """The newest of the chosen ones, or those before a cursor."""
        async with self._database.read() as connection:
            found = await DeadLetterStore(connection).page(choice, before, limit + 1)
        return LetterPage(found[:limit], found[limit - 1].ordinal if len(found) > limit else None)

    async def counts(self, sight: Sight = EVERYTHING) -> list[Count]:
        """How many there are to be seen, by account and state."""
        async with self._database.read() as connection:
            return await DeadLetterStore(connection).counts(sight)

    async def replay(self, ids: Sequence[str], agent: Agent | None = None, sight: Sight = EVERYTHING) -> int:
        """Try dead letters again, each at its old place; returns how many were still dead, and to be seen."""
        done = 0
        for start in range(0, len(ids), _TOGETHER):
            part = ids[start : start + _TOGETHER]
            async with self._database.write() as connection:
                settled = await DeadLetterStore(connection).replay(part, self._conversations.now(), sight)
                entries = [_entry("delivery_replayed", one, agent) for one in settled]
                await self._conversations.audit.append(connection, self._conversations.now(), entries)
            for one in settled:
                await self._show(one)
            done += len(settled)
            self._wake()
        return done

    async def discard(self, ids: Sequence[str], agent: Agent, reason: str, sight: Sight = EVERYTHING) -> int:
        """Give dead letters up for good; the transcript goes on saying that they failed. Returns how many."""
        done = 0
        for start in range(0, len(ids), _TOGETHER):
            part = ids[start : start + _TOGETHER]
            async with self._database.write() as connection:
                settled = await DeadLetterStore(connection).settle(part, "dropped", sight)
                entries = [_entry("delivery_discarded", one, agent, reason) for one in settled]
                await self._conversations.audit.append(connection, self._conversations.now(), entries)
            done += len(settled)
        return done

    async def oldest(self, choice: Choice, limit: int) -> tuple[list[str], int | None]:
        """The ids of the oldest of the chosen ones, and the ordinal after which there are more."""
        async with self._database.read() as connection:
            found = await DeadLetterStore(connection).oldest(choice, limit + 1)
        return [one for _, one in found[:limit]], found[limit - 1][0] if len(found) > limit else None

    async def _show(self, settled: Settled) -> None:
        message = replace(settled.message, delivery_failed=False)
        event = {"type": "message", "conversation_id": message.conversation_id, "message": message_json(message)}
        await self._conversations.hub.publish(STAFF, event)


def _entry(kind: str, settled: Settled, agent: Agent | None, reason: str = "") -> AuditEntry:
    message = settled.message
    data = {"seq": message.seq, "outbox_id": settled.id, "was": settled.state}
    actor = "system" if agent is None else f"agent:{agent.id}"
    # A reason may name the contact, so it goes when they are erased.
    personal = {"reason": reason} if reason else None
    return AuditEntry(kind, actor, message.conversation_id, settled.contact_id, data, personal)
