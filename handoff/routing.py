"""What ``Conversations`` routes by: the teams, what a customer is worth, and tickets for contacts who come out of hours."""

from __future__ import annotations

from conversations.model import Conversation
from conversations.store import Database
from conversations.verbs import Surroundings
from crm.model import normal_contact_point
from crm.port import Crm
from handoff.teams.team_book import TeamBook
from handoff.teams.team_store import TeamStore


class Routing:
    """The teams in force, and the promise to get back to somebody."""

    def __init__(self, teams: TeamBook, crm: Crm) -> None:
        self.teams = teams
        self._crm = crm

    @classmethod
    async def open(cls, database: Database, crm: Crm) -> Routing:
        """Read the teams."""
        teams = TeamBook(TeamStore(database))
        await teams.refresh()
        return cls(teams, crm)

    @property
    def surroundings(self) -> Surroundings:
        """What ``Conversations`` is given of the other rooms."""
        return Surroundings(
            self.teams.roster, self.tier_of, normal_contact_point, self.file_callback, self.close_callback
        )

    async def open_callback(self, conversation: Conversation) -> str:
        """The number of the ticket that promises a callback; the same one for the same conversation."""
        key = (conversation.id, "callback")
        ticket = await self._crm.open_callback_ticket(str(conversation.address), conversation.language, key)
        return ticket.number

    async def file_callback(self, conversation: Conversation, ticket: str, words: str) -> None:
        """Write on the ticket what the contact wants, whose it is, and how to reach them."""
        await self._crm.file_callback(
            ticket, words, contact_point=conversation.contact_point, customer_id=conversation.customer_id
        )

    async def close_callback(self, conversation: Conversation, ticket: str) -> bool:
        """Resolve the ticket in the name of who answered; False where it was resolved already."""
        author = conversation.agent_name or "Frontdesk"
        return await self._crm.close_callback(ticket, author, (conversation.id, "callback_closed"))

    async def tier_of(self, customer_id: str) -> str:
        """How much a customer is worth to the shop."""
        customer = await self._crm.find_customer(customer_id)
        return customer.tier if customer is not None else "standard"
