"""Which version of the model a new conversation begins on: what is live, or the candidate for its share of them."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Choice:
    """What serves: ``revision`` counts the changes of it."""

    revision: int
    live: str
    candidate: str | None = None
    share: int = 0  #: percent of the new conversations

    def version_of(self, conversation_id: str, gone: str | None = None) -> str | None:
        """The version of a conversation, the same in every process; off a version that is gone it goes to what is live."""
        if gone is not None:
            return self.live if self.live != gone else None
        return self.candidate if self.candidate is not None and self._in_share(conversation_id) else self.live

    def _in_share(self, conversation_id: str) -> bool:
        # With the revision in it, each comparison draws anew, and no contact is always the one who tries things out.
        drawn = hashlib.sha256(f"{self.revision}|{conversation_id}".encode()).digest()
        return int.from_bytes(drawn[:8], "big") * 100 < self.share << 64


class Served:
    """The choice as this process knows it; None before the first bot was heard of."""

    def __init__(self) -> None:
        self.choice: Choice | None = None

    def version_of(self, conversation_id: str, gone: str | None) -> str | None:
        """The rule that ``conversations`` asks."""
        return None if self.choice is None else self.choice.version_of(conversation_id, gone)
