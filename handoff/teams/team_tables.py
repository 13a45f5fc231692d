"""The tables of teams: their settings, who is in them, and the rules that choose one."""

from __future__ import annotations

from sqlalchemy import JSON, Column, ForeignKey, Integer, String, Table, Text

from conversations.tables import UtcDateTime
from handoff.tables import metadata

__all__ = ["metadata", "routing_rules", "sight_rules", "team_members", "teams"]

teams = Table(
    "teams",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("position", Integer, nullable=False),
    Column("settings", JSON, nullable=False),  # what ``TeamBody`` accepts
    Column("updated_at", UtcDateTime, nullable=False),
    Column("updated_by", Text, nullable=False),
)

team_members = Table(
    "team_members",
    metadata,
    Column("team_id", ForeignKey("teams.id", ondelete="CASCADE"), primary_key=True),
    Column("staff_id", ForeignKey("staff.id", ondelete="CASCADE"), primary_key=True),
)

sight_rules = Table(
    "sight_rules",
    metadata,
    Column("role", String(16), primary_key=True),
    Column("sees", String(16), nullable=False),  # a ``Scope``
)

routing_rules = Table(
    "routing_rules",
    metadata,
    Column("position", Integer, primary_key=True, autoincrement=False),
    Column("team_id", ForeignKey("teams.id", ondelete="CASCADE"), nullable=False),
    Column("settings", JSON, nullable=False),
)
