"""Messages whose turn broke too often: what they are, and how an operator gives them back to the bot."""

from __future__ import annotations

import structlog

from conversations.errors import IllegalTransition, NotFound
from conversations.model import Status
from conversations.quarantine_store import QuarantineStore, SetAside
from conversations.verbs import Verbs

log = structlog.get_logger()


class Quarantine(Verbs):
    """The part of ``Conversations`` for what went wrong."""

    async def set_aside(self, limit: int = 100) -> list[SetAside]:
        """The messages that were set aside, newest first."""
        async with self.database.read() as connection:
            return await QuarantineStore(connection).all(limit)

    async def release_message(self, message_id: str, actor: str = "operator") -> None:
        """Let the bot try a message again, after whatever broke its turn was mended.

        Raises ``NotFound`` if it was not set aside, ``IllegalTransition`` while people have its conversation.
        """
        async with self.database.read() as connection:
            conversation_id = await QuarantineStore(connection).conversation_of(message_id)
        if conversation_id is None:
            raise NotFound(f"no message {message_id} was set aside; `python -m conversations set-aside` lists them")
        async with self._change(conversation_id) as change:
            if change.conversation.status is not Status.BOT:
                raise IllegalTransition(change.conversation.status, Status.BOT)
            if await QuarantineStore(change.connection).take_back(message_id, change.now):
                change.record("turn_released", actor, {"turn_id": message_id})

    async def recover(self) -> tuple[int, int]:
        """Take back at once what a dead process of this desk held, instead of waiting for its leases.

        Only for a process that knows that it is the only one; returns how many turns and deliveries that were.
        """
        async with self.database.write() as connection:
            turns, deliveries = await QuarantineStore(connection).give_up_leases(self.now())
        if turns or deliveries:
            log.warning("recovered", turns=turns, deliveries=deliveries)
        return turns, deliveries

    async def free_turns_of(self, process: str) -> int:
        """Take the turns of a process that died, instead of waiting for its leases; returns how many that were."""
        async with self.database.write() as connection:
            return await QuarantineStore(connection).free_turns_of(process)
