"""The reviews of one service process, told of every contact that is erased, moved or copied."""

from __future__ import annotations

from conversations.conversations import Conversations
from reviewing import review_store
from reviewing.contact_copy import copy_of
from reviewing.reviews import Reviews


def open_reviews(conversations: Conversations) -> Reviews:
    """The reviews over a desk's conversations."""
    conversations.erases_too.append(review_store.erase)
    conversations.forgets_too.append(review_store.forget)
    conversations.moves_too.append(review_store.move)
    conversations.copies_too.append(copy_of)
    return Reviews(conversations.database, conversations.audit, conversations.now)
