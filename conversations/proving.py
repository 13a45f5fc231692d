"""Who proves at two places to be the same customer is one person there: the places are linked without being asked.

Only strong proofs link: a one-time code, the word of the channel for a phone number or e-mail address, and the signature of
the site the contact is signed in to. Four digits are known to others, so they link nothing, and neither does a name.
"""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta

import structlog

from conversations import joining
from conversations.contact_merging import ContactMerging
from conversations.joining import BY_PROOF, Joined, Manner, Outcome
from conversations.model import InboundMessage
from conversations.organising_store import OrganisingStore
from conversations.proof_store import ProofStore, ProvedPlace
from conversations.store import Database
from conversations.verbs import Surroundings

_AT_ONCE = 20
_BUSY = timedelta(seconds=30)
_CRM_SECONDS = 1.5
_ASK_AGAIN = timedelta(minutes=10)
_STRANGERS_KEPT = 10_000

log = structlog.get_logger()


class Proving(ContactMerging):
    """The part of ``Conversations`` that links the places of one proved customer."""

    surroundings: Surroundings

    def __init__(self, database: Database) -> None:
        super().__init__(database)
        self._strangers: dict[str, datetime] = {}  #: whom the customer system did not know, and until when that counts

    async def link_proved(self) -> int:
        """Link what was proved since the last look; what people help with in both places is looked at again later."""
        async with self.database.read() as connection:
            due = await ProofStore(connection).due(self.now(), _AT_ONCE)
        return sum([await self._link_place(place) for place in due])

    async def _link_place(self, place: ProvedPlace) -> int:
        made: list[Joined] = []
        async with self.database.write() as connection:
            await OrganisingStore(connection).lock_merging()
            store = ProofStore(connection)
            for other in await store.others(place):
                made.append(
                    await joining.join(self._desk, connection, place.address, other, Manner(BY_PROOF, "link_proved"))
                )
            busy = any(one.outcome is Outcome.BUSY for one in made)
            await store.set_due(place.address, self.now() + _BUSY if busy else None)
        for one in made:
            await self._tell_joined(one)
        return sum(one.outcome is Outcome.JOINED for one in made)

    async def _tell_joined(self, joined: Joined) -> None:
        await self.publish(*joined.changes)
        for topic, event in joined.events:
            await self.hub.publish(topic, event)

    async def _vouched_for(self, inbound: InboundMessage) -> str | None:
        """The customer whose phone or e-mail the channel says the sender has, if there is exactly one."""
        ask, point = self.surroundings.customer_of, inbound.vouched
        if ask is None or point is None or self._strangers.get(point, self.now()) > self.now():
            return None
        async with self.database.read() as connection:
            if await ProofStore(connection).knows(inbound.address):
                return None
        try:
            async with asyncio.timeout(_CRM_SECONDS):
                found = await ask(point)
        except Exception as error:  # the contact can still prove it to the bot
            log.warning("vouched_customer_unknown", error=str(error))
            return None
        if found is None:
            while len(self._strangers) >= _STRANGERS_KEPT:
                self._strangers.pop(next(iter(self._strangers)))
            self._strangers[point] = self.now() + _ASK_AGAIN
        return found
