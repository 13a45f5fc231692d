"""Who holds a conversation: agents accept, answer, hand on, give back and finish."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from conversations import callbacks, rating
from conversations.change import AWAKE, STAFF, Change
from conversations.errors import AlreadyAssigned, IllegalTransition, InvalidMessage, NotAssigned, OfferedToColleague
from conversations.mentions import mentioned
from conversations.model import (
    Agent,
    Attachment,
    Author,
    Citation,
    HandoffReason,
    Message,
    MessageKind,
    Participant,
    Status,
)
from conversations.reception import MAX_TEXT
from conversations.teams import Team


def assign(change: Change, agent: Agent, *, anyway: bool = False) -> bool:
    """Give the conversation to an agent who accepts it; returns False if they hold it already.

    Raises ``AlreadyAssigned`` when a colleague was quicker, and ``OfferedToColleague`` while another one is being
    asked, unless ``anyway``. A conversation with the bot must be queued first.
    """
    conversation = change.conversation
    asked = conversation.offered(change.desk.now())
    if asked is not None and asked != agent.id and not anyway:
        raise OfferedToColleague(f"{conversation.offered_name} is being asked to take it; try again in a moment")
    if conversation.status is Status.ASSIGNED:
        if conversation.agent_id == agent.id:
            return False
        raise AlreadyAssigned(f"{conversation.agent_name} has taken this conversation")
    change.move(
        Status.ASSIGNED,
        _actor(agent),
        "accepted",
        agent_id=agent.id,
        agent_name=agent.name,
        assigned_at=change.now,
        priority=0,
    )
    change.notice("joined", agent=agent.name)
    return True


async def take_over(change: Change, agent: Agent) -> None:
    """Take a conversation from the bot: what it is about to answer is not said."""
    change.move(
        Status.QUEUED,
        _actor(agent),
        HandoffReason.TAKEN_OVER.value,
        handoff_reason=HandoffReason.TAKEN_OVER.value,
        queued_at=change.now,
    )
    await change.hand_to_people()
    await change.summarise(HandoffReason.TAKEN_OVER.value)
    change.queued = True
    assign(change, agent)


def reply(
    change: Change,
    agent: Agent,
    text: str,
    client_msg_id: str | None,
    attachments: tuple[Attachment, ...],
    citations: tuple[Citation, ...] = (),
) -> Message:
    """Let the assigned agent, or a colleague who takes part, say something to the contact."""
    if change.conversation.participant(agent.id) is None or change.conversation.status is not Status.ASSIGNED:
        require(change, agent)
    else:
        join(change, agent)
    said = _text(text, attachments)
    if change.conversation.sla_due_at is not None:
        change.set(sla_due_at=None)
    callbacks.note_answer(change)
    message = change.say(
        Author.AGENT,
        said,
        author_id=agent.id,
        author_name=agent.name,
        citations=citations,
        attachments=attachments,
        client_msg_id=client_msg_id,
    )
    change.record("replied", _actor(agent), {"seq": message.seq}, {"text": said})
    return message


def note(change: Change, agent: Agent, text: str, client_msg_id: str | None = None) -> Message:
    """Add a note that only staff see; any agent may, at any time."""
    said = _text(text, ())
    message = change.say(
        Author.AGENT, said, MessageKind.NOTE, author_id=agent.id, author_name=agent.name, client_msg_id=client_msg_id
    )
    for staff_id in mentioned(said):
        if staff_id != agent.id:
            change.notify("mention", staff_id, message.seq, agent.name)
    change.record("noted", _actor(agent), {"seq": message.seq}, {"text": said})
    return message


def transfer(change: Change, agent: Agent, to_agent: Agent, text: str) -> None:
    """Pass the conversation to a colleague and tell the contact who takes over."""
    require(change, agent)
    if to_agent.id == agent.id:
        raise InvalidMessage("choose another agent; this one has the conversation already")
    if text.strip():
        note(change, agent, text)
    hand_to(change, to_agent)
    change.record("transferred", _actor(agent), {"to": to_agent.id})
    change.notice("transferred", agent=to_agent.name)
    tell_staff(change, "transferred", agent_id=to_agent.id, by=agent.name)


def hand_to(change: Change, agent: Agent) -> None:
    """Make another agent the assignee of an assigned conversation; the caller says why."""
    conversation = change.conversation
    change.set(
        agent_id=agent.id,
        agent_name=agent.name,
        previous_agent=conversation.agent_id,
        participants=tuple(one for one in conversation.participants if one.agent_id != agent.id),
        updated_at=change.now,
        **AWAKE,
    )


def tell_staff(change: Change, kind: str, **facts: str | None) -> None:
    """Let the consoles know what happened to a conversation of theirs, so that whom it concerns is told."""
    change.events.append((STAFF, {"type": kind, "conversation_id": change.conversation.id, **facts}))


def join(change: Change, agent: Agent) -> None:
    """Turn an invitation into taking part; raises ``NotAssigned`` without one."""
    conversation = change.conversation
    part = conversation.participant(agent.id)
    if part is None or conversation.status is not Status.ASSIGNED:
        raise NotAssigned("you are not invited to this conversation any more")
    if part.joined_at is not None:
        return
    add_participant(change, replace(part, joined_at=change.now, invited_until=None))
    change.record("joined", _actor(agent), {"role": part.role})
    change.notice("guest_joined", agent=agent.name)


def add_participant(change: Change, part: Participant) -> None:
    """Put somebody on the list of participants, or change their entry."""
    others = tuple(one for one in change.conversation.participants if one.agent_id != part.agent_id)
    change.set(participants=(*others, part), updated_at=change.now)


async def transfer_to_team(change: Change, agent: Agent, team: Team, text: str, ticket: str | None) -> None:
    """Pass the conversation to the head of a team's queue: the contact has waited once already."""
    require(change, agent)
    if text.strip():
        note(change, agent, text)
    change.record("transferred", _actor(agent), {"to_team": team.id})
    await change.queue(_actor(agent), "transferred", text="to_team", priority=1, ticket=ticket, team=team)


async def reroute(change: Change, agent: Agent, team: Team, text: str, ticket: str | None) -> None:
    """Put a conversation that nobody holds in a team's queue, for somebody who oversees; whoever waits goes on waiting."""
    conversation = change.conversation
    if text.strip():
        note(change, agent, text)
    change.record("transferred", _actor(agent), {"to_team": team.id})
    if conversation.status is Status.QUEUED:
        waiting_since = change.conversation.waiting_since
        change.move(Status.BOT, _actor(agent), "transferred", waiting_since=waiting_since)
    await change.hand_to_people()
    await change.queue(_actor(agent), "transferred", text="to_team", priority=1, ticket=ticket, team=team)


async def requeue(change: Change, agent: Agent, text: str, ticket: str | None) -> None:
    """Give the conversation back to the head of the queue: the contact has waited once already."""
    require(change, agent)
    if text.strip():
        note(change, agent, text)
    await change.queue(_actor(agent), "requeued", text="requeued", priority=1, ticket=ticket)


async def lose_agent(change: Change, ticket: str | None) -> None:
    """Put a conversation whose agent went away at the head of the queue and tell the contact."""
    lost = change.conversation.agent_id
    await change.queue("system", "agent_lost", text="lost", priority=1, ticket=ticket)
    change.record("agent_lost", "system", {"agent_id": lost})


def release(change: Change, agent: Agent) -> None:
    """Give the conversation to the bot; a waiting one may be released by anyone."""
    if change.conversation.status is not Status.QUEUED:
        require(change, agent)
    changes: dict[str, Any] = {"agent_id": None, "agent_name": None, "handoff_reason": None, "priority": 0}
    change.move(Status.BOT, _actor(agent), "released", **changes)
    change.notice("released")


async def resolve(change: Change, agent: Agent | None, *, ask: bool = True) -> None:
    """Finish the conversation and, with ``ask``, ask for a rating; without an agent the contact has simply gone quiet."""
    if agent is not None and change.conversation.status is Status.ASSIGNED:
        require(change, agent)
    if change.conversation.status is Status.BOT:
        await change.hand_to_people()
    by = "idle" if agent is None else "agent"
    change.move(
        Status.RESOLVED,
        "system" if agent is None else _actor(agent),
        by,
        resolved_at=change.now,
        resolved_by=by,
        priority=0,
    )
    callbacks.note_end(change)
    if agent is not None:
        change.notice("resolved")
    if ask:
        await rating.ask(change)


def require(change: Change, agent: Agent) -> None:
    """Raise unless the agent is the assignee."""
    conversation = change.conversation
    if conversation.status is Status.RESOLVED:
        raise IllegalTransition(Status.RESOLVED, Status.ASSIGNED)
    if conversation.status is not Status.ASSIGNED or conversation.agent_id != agent.id:
        holder = f"{conversation.agent_name} has it" if conversation.agent_id else "accept it first"
        raise NotAssigned(f"this conversation is not assigned to you: {holder}")


def _text(text: str, attachments: tuple[Attachment, ...]) -> str:
    text = text.replace("\x00", "").encode("utf-8", "replace").decode().strip()
    if not text and not attachments:
        raise InvalidMessage("the message is empty; write something or attach a file")
    if len(text) > MAX_TEXT:
        raise InvalidMessage(f"the message is longer than {MAX_TEXT} characters; send it in parts")
    return text


def _actor(agent: Agent) -> str:
    return f"agent:{agent.id}"
