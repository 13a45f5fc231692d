"""Who is told at once of what this process stores, without waiting for a poll."""

from __future__ import annotations

from typing import Protocol

from conversations.turns import Claim


class TurnTaker(Protocol):
    """Whoever runs the bot's turns in this process; told about each new message without waiting for a poll."""

    def reserve(self) -> bool:
        """Keep a place for one turn; False when all are taken, and then it looks for due turns once one is free."""
        ...

    def take(self, claim: Claim | None) -> None:
        """Use the reserved place, or give it up with None."""
        ...

    def stored(self, seconds: float) -> None:
        """A message was stored within this time of its arrival."""
        ...

    @property
    def pressed(self) -> bool:
        """Whether messages come so fast that whatever can wait should."""
        ...


class Watcher(Protocol):
    """Whoever looks at what was committed, without holding anybody up."""

    def shown(self, conversation_id: str, message_id: str, text: str) -> None:
        """A contact's message was shown to people without a turn of the bot."""
        ...

    def queued(self, conversation_id: str) -> None:
        """A conversation was given to people."""
        ...
