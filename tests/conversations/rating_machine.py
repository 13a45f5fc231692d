"""How contacts of the promises answer the question for a rating: in every way, late, again, and while a process dies."""

from __future__ import annotations

import contextlib

from conversations.errors import AlreadyRated, RatingClosed
from conversations.model import InboundMessage, Message, MessageKind, Rating, Status
from tests.conversations.builders import Crash, inbound, last_rating
from tests.conversations.order_machine import OrderMachine

_WORDS = {5: "5 stars", 4: "4分 解决了", 3: "three", 2: "2 not solved", 1: "terrible"}


class RatingMachine(OrderMachine):
    """A desk whose contacts may rate what is over."""

    async def rates(self, contact: str, score: int, how: str, *, dies: bool) -> None:
        """Answer the request of a contact's newest conversation and check what became of it."""
        desk = self.desk.conversations
        latest = await desk.find_current(inbound(contact=contact).address)
        if latest is None or latest.status is not Status.RESOLVED or latest.resolved_by == "merged":
            return
        messages = await desk.messages(latest.id, 0, 10_000)
        request = next(message for message in messages if message.kind is MessageKind.RATING_REQUEST)
        before = await last_rating(desk, latest.id)
        if how == "form":
            await self._fills_in(latest.id, contact, score, dies=dies)
        else:
            texts = {"button": "", "text": str(score), "words": _WORDS[score]}
            button = request.buttons[5 - score].id if how == "button" else None
            message = inbound(texts[how], contact, button_id=button)
            if dies:
                await self._lost_on_the_way(message)
            receipt = await self.receive(message)
            if receipt.conversation_id != latest.id:  # too late for text: an ordinary message
                assert how != "button"
                assert self._too_late(request, before) or self._means_something_else(messages, score)
                assert await last_rating(desk, latest.id) == before
                return
        current = await desk.find_current(latest.address)
        assert current is not None
        assert current.id == latest.id  # promise 9
        after = await last_rating(desk, latest.id)
        if before is not None:
            assert after is not None
            assert after.rated_at == before.rated_at  # corrected, never added

    def _too_late(self, request: Message, before: Rating | None) -> bool:
        now = self.clock()
        if before is not None and (now - before.rated_at).total_seconds() > 595:
            return True
        return (now - request.created_at).total_seconds() > 72 * 3600 - 5 or before is not None

    def _means_something_else(self, messages: list[Message], score: int) -> bool:
        """A number that chooses what was offered after the rating: to talk to a person."""
        shown = [message for message in messages if message.buttons]
        return score == 1 and shown[-1].kind is not MessageKind.RATING_REQUEST

    async def _fills_in(self, conversation_id: str, contact: str, score: int, *, dies: bool) -> None:
        address = inbound(contact=contact).address
        self.audit.armed = dies
        for _ in range(2 if dies else 1):  # the page sends it again until it is acknowledged
            with contextlib.suppress(AlreadyRated, RatingClosed, Crash):
                await self.desk.conversations.rate(address, conversation_id, score, "as typed")
            self.audit.armed = False

    async def _lost_on_the_way(self, message: InboundMessage) -> None:
        self.audit.armed = True
        with contextlib.suppress(Crash):
            await self.desk.conversations.receive(message)
        self.audit.armed = False
