"""What contacts say about episodes, and what staff may read of it."""

from __future__ import annotations

from datetime import datetime

from conversations import rating
from conversations.episode_store import EpisodeStore, RatedRow
from conversations.episodes import Episode, RatingRules
from conversations.errors import NotFound
from conversations.link_store import LinkStore
from conversations.model import Address, Rating
from conversations.verbs import Verbs


class Episodes(Verbs):
    """The rating part of ``Conversations``."""

    rating_rules: RatingRules

    async def rate(
        self,
        address: Address,
        conversation_id: str,
        score: int | None,
        comment: str = "",
        *,
        solved: bool | None = None,
        nps: int | None = None,
        other_score: int | None = None,
        never_again: bool = False,
    ) -> Rating | None:
        """Store what the contact thought of a finished conversation, or correct it; None if they only declined.

        Raises ``NotFound``, ``RatingClosed`` when the time is over, and ``AlreadyRated`` when a correction is too late.
        """
        answer = rating.Answer(score, solved, nps, comment, other_score, never_again)
        async with self._change(conversation_id) as change:
            if change.conversation.address not in (address, await LinkStore(change.connection).home_of(address)):
                raise NotFound("there is no such conversation")
            return await rating.rate(change, answer)

    async def episodes(self, conversation_id: str) -> list[Episode]:
        """Who served the contact in a conversation, in order, each part with its rating."""
        async with self.database.read() as connection:
            return await EpisodeStore(connection).of_conversation(conversation_id)

    async def rated_rows(self, since: datetime, until: datetime) -> list[RatedRow]:
        """What a report about a period is made of."""
        async with self.database.read() as connection:
            return await EpisodeStore(connection).report_rows(since, until)
