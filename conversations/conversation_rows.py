"""Conversations and messages as rows: read from the columns of their tables, and written to them."""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime
from typing import Any

from sqlalchemy import Row

from conversations.model import (
    Address,
    Attachment,
    Author,
    Button,
    Citation,
    Conversation,
    Message,
    MessageKind,
    Participant,
    Status,
)

_COLUMNS = [
    "id",
    "contact_id",
    "language",
    "opened_at",
    "updated_at",
    "last_seq",
    "agent_id",
    "handoff_reason",
    "queued_at",
    "assigned_at",
    "resolved_at",
    "priority",
    "agent_name",
    "contact_name",
    "customer_id",
    "resolved_by",
    "callback_ticket",
    "preview",
    "preview_author",
    "team_id",
    "tier",
    "sla_due_at",
    "rank_at",
    "previous_agent",
    "offered_to",
    "offered_name",
    "offered_until",
    "told_place",
    "told_seconds",
    "told_at",
    "callback_state",
    "callback_due",
    "contact_point",
    "manual_priority",
    "snoozed_until",
    "snoozed_by",
    "snooze_reason",
    "waiting_since",
    "merged_into",
    "revision",
    "sentiment",
    "sentiment_label",
    "handoff_summary",
    "origin_id",
    "told",
    "model",
]
_READ_MARKS = [
    "contact_read_seq",
    "contact_read_at",
    "contact_received_seq",
    "agent_read_seq",
    "agent_read_at",
]  # moved by ``ReceiptStore``


def conversation_of(row: Row[Any]) -> Conversation:
    """The conversation in a row of ``SELECT_CONVERSATION``."""
    values = row._mapping
    return Conversation(
        address=Address(values["channel"], values["account"], values["contact"]),
        reply_to=Address(*values["reply_to"].split(":", 2)) if values["reply_to"] else None,
        status=Status(values["status"]),
        required_skills=tuple(values["required_skills"] or ()),
        asked=values["asked"] or {},
        participants=tuple(_participant(one) for one in values["participants"] or ()),
        label_ids=tuple(values["label_ids"] or ()),
        **{name: values[name] for name in (*_COLUMNS, *_READ_MARKS)},
    )


def _participant(form: dict[str, Any]) -> Participant:
    times = {name: datetime.fromisoformat(form[name]) for name in ("joined_at", "invited_until") if form[name]}
    return Participant(**{**form, **times})


def message_of(row: Row[Any]) -> Message:
    """The message in a row of ``messages``."""
    values = row._mapping
    return Message(
        id=values["id"],
        conversation_id=values["conversation_id"],
        seq=values["seq"],
        author=Author(values["author"]),
        kind=MessageKind(values["kind"]),
        text=values["text"],
        created_at=values["created_at"],
        author_id=values["author_id"],
        author_name=values["author_name"],
        buttons=tuple(Button(**button) for button in values["buttons"] or ()),
        citations=tuple(Citation(**citation) for citation in values["citations"] or ()),
        attachments=tuple(Attachment(**attachment) for attachment in values["attachments"] or ()),
        external_id=values["external_id"],
        turn_id=values["turn_id"],
        delivery_failed=values["delivery_failed"],
        recalled_at=values["recalled_at"],
        recalled_by=values["recalled_by"],
        sentiment=values["sentiment"],
        sentiment_label=values["sentiment_label"],
        anger=values["anger"],
        asks=values["asks"],
    )


def values_of(conversation: Conversation) -> dict[str, Any]:
    """The columns of a conversation, but for those that are written by themselves."""
    values = {name: getattr(conversation, name) for name in _COLUMNS if name not in ("contact_name", "customer_id")}
    lists = {
        "required_skills": list(conversation.required_skills) or None,
        "asked": dict(conversation.asked) or None,
        "participants": [_form(one) for one in conversation.participants] or None,
        "label_ids": list(conversation.label_ids) or None,
    }
    others = {
        "status": conversation.status.value,
        "reply_to": str(conversation.reply_to) if conversation.reply_to else None,
    }
    return values | asdict(conversation.address) | lists | others


def _form(participant: Participant) -> dict[str, Any]:
    values = asdict(participant)
    return {name: value.isoformat() if isinstance(value, datetime) else value for name, value in values.items()}


def owner_of(conversation: Conversation) -> str:
    """Whose key seals what belongs to a conversation: the contact its address began with, so merges can be taken back."""
    return conversation.origin_id or conversation.contact_id
