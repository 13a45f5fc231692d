"""Who holds a conversation: agents accept, answer, hand on, give back and finish."""

from __future__ import annotations

from typing import Any

from conversations import notices
from conversations.change import Change
from conversations.errors import AlreadyAssigned, IllegalTransition, InvalidMessage, NotAssigned
from conversations.model import Agent, Attachment, Author, Citation, HandoffReason, Message, MessageKind, Status
from conversations.reception import MAX_TEXT


def assign(change: Change, agent: Agent) -> bool:
    """Give the conversation to an agent who accepts it; returns False if they hold it already.

    Raises ``AlreadyAssigned`` when a colleague was quicker. A conversation with the bot must be queued first.
    """
    conversation = change.conversation
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
    assign(change, agent)


def reply(
    change: Change,
    agent: Agent,
    text: str,
    client_msg_id: str | None,
    attachments: tuple[Attachment, ...],
    citations: tuple[Citation, ...] = (),
) -> Message:
    """Let the assigned agent say something to the contact."""
    _require(change, agent)
    said = _text(text, attachments)
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
    change.record("noted", _actor(agent), {"seq": message.seq}, {"text": said})
    return message


def transfer(change: Change, agent: Agent, to_agent: Agent, text: str) -> None:
    """Pass the conversation to a colleague and tell the contact who takes over."""
    _require(change, agent)
    if to_agent.id == agent.id:
        raise InvalidMessage("choose another agent; this one has the conversation already")
    if text.strip():
        note(change, agent, text)
    change.set(agent_id=to_agent.id, agent_name=to_agent.name, updated_at=change.now)
    change.record("transferred", _actor(agent), {"to": to_agent.id})
    change.notice("transferred", agent=to_agent.name)


async def requeue(change: Change, agent: Agent, text: str, ticket: str | None) -> None:
    """Give the conversation back to the head of the queue: the contact has waited once already."""
    _require(change, agent)
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
        _require(change, agent)
    changes: dict[str, Any] = {"agent_id": None, "agent_name": None, "handoff_reason": None, "priority": 0}
    change.move(Status.BOT, _actor(agent), "released", **changes)
    change.notice("released")


async def resolve(change: Change, agent: Agent | None) -> None:
    """Finish the conversation and ask for a rating; without an agent the contact has simply gone quiet."""
    if agent is not None and change.conversation.status is Status.ASSIGNED:
        _require(change, agent)
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
    language = change.conversation.language
    if agent is not None:
        change.notice("resolved")
    buttons = tuple((title, f"{notices.RATE}{score}") for score, title in notices.rating_titles(language))
    change.tell(notices.notice("rate", language), MessageKind.RATING_REQUEST, buttons=buttons)


def _require(change: Change, agent: Agent) -> None:
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
