"""The JSON form of messages and conversations: the one shape the widget, the console and the API all see."""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime
from typing import Any

from conversations import callbacks
from conversations.episodes import Episode
from conversations.model import Attachment, Author, Conversation, Label, Message, Participant, Presence, Rating
from conversations.turn_model import Trace


def moment(value: datetime | None) -> str | None:
    """A time as ISO 8601 in UTC with milliseconds, as browsers read it."""
    return None if value is None else value.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def message_json(message: Message, *, for_contact: bool = False) -> dict[str, Any]:
    """A message; a contact sees neither ids of staff and turns nor delivery troubles."""
    form: dict[str, Any] = {
        "id": message.id,
        "conversation_id": message.conversation_id,
        "seq": message.seq,
        "author": message.author.value,
        "author_name": message.author_name,
        "kind": message.kind.value,
        "text": message.text,
        "created_at": moment(message.created_at),
        "buttons": [asdict(button) for button in message.buttons],
        "citations": [asdict(citation) for citation in message.citations],
        "attachments": [attachment_json(attachment) for attachment in message.attachments],
    }
    if not for_contact:
        form |= {
            "author_id": message.author_id,
            "turn_id": message.turn_id,
            "delivery_failed": message.delivery_failed,
            "sentiment": message.sentiment,
            "sentiment_label": message.sentiment_label,
            "anger": message.anger,
            "external_id": message.external_id,
            "recalled_at": moment(message.recalled_at),
            "recalled_by": message.recalled_by,
        }
    elif message.author is Author.CONTACT:
        form["author_name"] = None
    if message.asks is not None:
        form["asks"] = message.asks
    if for_contact and message.recalled_at is not None:
        form |= {"text": "", "buttons": [], "citations": [], "attachments": [], "recalled": True}
    return form


def attachment_json(attachment: Attachment) -> dict[str, Any]:
    """A file without its address; whoever shows it signs a URL for it."""
    return asdict(attachment)


def conversation_json(conversation: Conversation, *, for_contact: bool = False) -> dict[str, Any]:
    """A conversation; a contact sees who is with them, not the workings of the desk."""
    form: dict[str, Any] = {
        "id": conversation.id,
        "status": conversation.status.value,
        "language": conversation.language,
        "agent_name": conversation.agent_name,
        "opened_at": moment(conversation.opened_at),
        "updated_at": moment(conversation.updated_at),
        "resolved_at": moment(conversation.resolved_at),
        "last_seq": conversation.last_seq,
        "agent_read_seq": conversation.agent_read_seq,
    }
    if for_contact:
        form["asks_contact_details"] = conversation.callback_state == callbacks.ASKED
        form["merged"] = conversation.merged_into is not None
    else:
        form |= {
            "channel": conversation.reached_at.channel,
            "account": conversation.reached_at.account,
            "address": str(conversation.reached_at),
            "contact_id": conversation.contact_id,
            "contact_name": conversation.contact_name,
            "customer_id": conversation.customer_id,
            "agent_id": conversation.agent_id,
            "handoff_reason": conversation.handoff_reason,
            "queued_at": moment(conversation.queued_at),
            "assigned_at": moment(conversation.assigned_at),
            "resolved_by": conversation.resolved_by,
            "callback_ticket": conversation.callback_ticket,
            "priority": conversation.priority,
            "preview": conversation.preview,
            "preview_author": conversation.preview_author,
            "team_id": conversation.team_id,
            "required_skills": list(conversation.required_skills),
            "tier": conversation.tier,
            "sla_due_at": moment(conversation.sla_due_at),
            "rank_at": moment(conversation.rank_at),
            "offered_to": conversation.offered_to,
            "offered_name": conversation.offered_name,
            "offered_until": moment(conversation.offered_until),
            "participants": [participant_json(one) for one in conversation.participants],
            "told_seconds": conversation.told_seconds,
            "told_at": moment(conversation.told_at),
            "contact_point": conversation.contact_point,
            "manual_priority": conversation.manual_priority,
            "label_ids": list(conversation.label_ids),
            "snoozed_until": moment(conversation.snoozed_until),
            "snoozed_by": conversation.snoozed_by,
            "snooze_reason": conversation.snooze_reason,
            "waiting_since": moment(conversation.waiting_since),
            "merged_into": conversation.merged_into,
            "revision": conversation.revision,
            "contact_read_seq": conversation.contact_read_seq,
            "contact_read_at": moment(conversation.contact_read_at),
            "contact_received_seq": conversation.contact_received_seq,
            "agent_read_at": moment(conversation.agent_read_at),
            "sentiment": conversation.sentiment,
            "sentiment_label": conversation.sentiment_label,
            "handoff_summary": conversation.handoff_summary,
        }
    return form


def participant_json(participant: Participant) -> dict[str, Any]:
    """An agent who takes part, or is invited to, in somebody else's conversation."""
    return {
        "agent_id": participant.agent_id,
        "name": participant.name,
        "role": participant.role,
        "joined_at": moment(participant.joined_at),
        "invited_until": moment(participant.invited_until),
    }


def label_json(label: Label) -> dict[str, Any]:
    """A label, for staff."""
    return asdict(label)


def trace_json(trace: Trace) -> dict[str, Any]:
    """Why the bot answered, for staff."""
    return {
        "turn_id": trace.turn_id,
        "conversation_id": trace.conversation_id,
        "in_seq": trace.in_seq,
        "out_seqs": list(trace.out_seqs),
        "trace": trace.trace,
        "started_at": moment(trace.started_at),
        "finished_at": moment(trace.finished_at),
    }


def rating_json(rating: Rating) -> dict[str, Any]:
    """What the contact thought, for staff."""
    return {
        "conversation_id": rating.conversation_id,
        "score": rating.score,
        "solved": rating.solved,
        "nps": rating.nps,
        "comment": rating.comment,
        "rated_at": moment(rating.rated_at),
        "corrected_at": moment(rating.corrected_at),
    }


def episode_json(episode: Episode) -> dict[str, Any]:
    """Who served the contact in a part of a conversation, and what they thought of it, for staff."""
    return {
        "conversation_id": episode.conversation_id,
        "number": episode.number,
        "kind": episode.kind.value,
        "agents": [asdict(agent) for agent in episode.agents],
        "team_id": episode.team_id,
        "intent": episode.intent,
        "started_at": moment(episode.started_at),
        "ended_at": moment(episode.ended_at),
        "ended_by": episode.ended_by,
        "asked_at": moment(episode.asked_at),
        "resolution": episode.resolution.value if episode.resolution else None,
        "rating": rating_json(episode.rating) if episode.rating else None,
    }


def presence_json(presence: Presence) -> dict[str, Any]:
    """Whether an agent is at the desk, for staff."""
    return {
        "agent_id": presence.agent_id,
        "name": presence.name,
        "state": presence.state,
        "last_seen_at": moment(presence.last_seen_at),
        "assigned": presence.assigned,
    }
