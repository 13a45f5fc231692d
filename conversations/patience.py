"""Tells a contact who waits for a slow bot that their message is being worked on."""

from __future__ import annotations

from conversations.errors import FencedOut
from conversations.model import Status
from conversations.turns import Claim
from conversations.verbs import Verbs


class Patience(Verbs):
    """The part of ``Conversations`` that speaks while a turn runs."""

    async def still_working(self, claim: Claim) -> None:
        """Say it once for a turn; raises ``FencedOut`` if the turn was taken away meanwhile."""
        async with self._change(claim.conversation.id) as change:
            if change.fence != claim.fence or change.conversation.status is not Status.BOT:
                raise FencedOut("this turn was taken away; say nothing")
            if claim.attempts == 1:  # one that is tried again has said it before
                change.notice("still_working", stays=True)
