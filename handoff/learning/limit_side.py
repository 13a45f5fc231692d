"""The thresholds of one service process: opened by the app, started and closed with the staff's side."""

from __future__ import annotations

from pathlib import Path
from typing import Protocol

from conversations.conversations import Conversations
from conversations.dialogue import Dialogue
from conversations.work_leases import WorkLeases
from learning import limit_store
from learning.limit_book import LimitBook
from learning.limit_check import HeldOutCheck
from learning.limit_desk import LimitDesk
from learning.limit_following import LimitFollower


class Articles(Protocol):
    """What is needed of the knowledge base."""

    @property
    def gate(self) -> float:
        """The score from which it quotes by itself."""


def open_limits(
    conversations: Conversations,
    leases: WorkLeases,
    book: LimitBook,
    dialogue: Dialogue,
    nlu_data: Path,
    articles: Articles,
) -> LimitDesk:
    """The thresholds over a desk's conversations; a contact who is erased is erased here, too."""
    conversations.erases_too.append(limit_store.erase)
    conversations.forgets_too.append(limit_store.forget)
    database, now = conversations.database, conversations.now
    follower = LimitFollower(database, leases, now=now, give_way=conversations.give_way)
    check = HeldOutCheck(database, dialogue, book, nlu_data)
    return LimitDesk(database, book, follower, check, lambda: articles.gate, now)
