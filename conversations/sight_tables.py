"""The table of who had to do with a conversation, by which its being hidden from others is decided."""

from __future__ import annotations

from sqlalchemy import Column, ForeignKey, Index, String, Table

from conversations.tables import metadata

__all__ = ["conversation_people", "metadata"]

conversation_people = Table(
    "conversation_people",
    metadata,
    Column("conversation_id", ForeignKey("conversations.id"), primary_key=True),
    Column("staff_id", String(64), primary_key=True),
    Index("ix_conversation_people_staff", "staff_id"),
)
