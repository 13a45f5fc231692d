"""How many conversations an agent holds at once, and when one more is too many.

Whoever offers conversations minds it by itself (``routing.may_take``). Here are the two other ways to get one: an agent
takes it by hand, which is refused at capacity unless the team lets them; a colleague passes it on, which is worth a
question first.
"""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from sqlalchemy.ext.asyncio import AsyncConnection

from conversations.delivery_store import DeliveryStore
from conversations.errors import AtCapacity
from conversations.model import Agent, Status
from conversations.teams import Roster

if TYPE_CHECKING:
    from conversations.change import Change


async def check_may_take(change: Change, agent: Agent) -> None:
    """Raise ``AtCapacity`` where an agent who takes a conversation by hand holds enough already.

    What is offered to them was counted when it was, and is theirs to take.
    """
    conversation, roster = change.conversation, change.desk.roster()
    now = change.desk.now()
    if conversation.status not in (Status.QUEUED, Status.BOT) or conversation.offered(now) is not None:
        return
    if (roster.find(conversation.team_id) or roster.fallback).pull_over_capacity:
        return
    await change.deliveries.lock_agent(agent.id)
    held, offered = await change.deliveries.load_of(agent.id, now)
    most = roster.capacity_of(agent.id)
    if held + offered >= most:
        more = f" and {offered} more are being offered to you" if offered else ""
        raise AtCapacity(
            f"you hold {held} of {most} conversations{more}; finish one or pass it on first, or ask a supervisor",
            held,
            most,
        )


async def check_room(connection: AsyncConnection, roster: Roster, agent: Agent, now: datetime) -> None:
    """Raise ``AtCapacity`` where a colleague holds enough already; whoever passes one on may insist."""
    held, _ = await DeliveryStore(connection).load_of(agent.id, now)
    most = roster.capacity_of(agent.id)
    if held >= most:
        raise AtCapacity(
            f"{agent.name} holds {held} of {most} conversations; choose somebody else or insist", held, most
        )
