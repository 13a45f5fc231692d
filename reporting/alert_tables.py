"""The tables of alerts, and of what is posted to other programs; no personal data of contacts in any of them."""

from __future__ import annotations

from sqlalchemy import JSON, Boolean, Column, Float, Index, Integer, MetaData, String, Table, Text

from conversations.tables import UtcDateTime

metadata = MetaData()

alerts = Table(
    "alerts",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("kind", String(24), nullable=False),  # reporting.anomalies.Kind
    Column("key", String(80), nullable=False),  # the intent; empty for other kinds
    # hour | day: the shortest window in which it stands out; the figures are its
    Column("span", String(8), nullable=False),
    Column("state", String(16), nullable=False),  # open | acknowledged | closed
    Column("since", UtcDateTime, nullable=False),  # where the window began in which it was found
    Column("opened_at", UtcDateTime, nullable=False),
    Column("updated_at", UtcDateTime, nullable=False),
    Column("calm_since", UtcDateTime),
    Column("closed_at", UtcDateTime),
    Column("part", Integer, nullable=False),
    Column("whole", Integer, nullable=False),  # 0: there is no whole
    Column("usual", Float, nullable=False),
    Column("chance", Float, nullable=False),
    Column("windows", Integer, nullable=False),  # so many earlier ones were compared with
    Column("stands_out", JSON, nullable=False, server_default="[]"),  # the figures of each such window
    Column("contributions", JSON, nullable=False),
    Column("examples", JSON, nullable=False),  # ids of conversations
    Column("expected", Boolean, nullable=False, default=False),
    Column("acknowledged_at", UtcDateTime),
    Column("by_id", String(64)),
    Column("by_name", Text),
    Column("note", Text, nullable=False, default=""),
    Index("ix_alerts_thing", "kind", "key", "span", "opened_at"),
    Index("ix_alerts_state", "state", "opened_at"),
)

#: One row: what alerts, how readily, when it is quiet, and where it is posted to.
alert_rules = Table(
    "alert_rules",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("revision", Integer, nullable=False),
    Column("rules", JSON, nullable=False),
    Column("by_name", Text, nullable=False),
    Column("at", UtcDateTime, nullable=False),
)

#: How many sign-ins failed in a minute; whose is not kept.
failed_sign_ins = Table(
    "failed_sign_ins",
    metadata,
    Column("minute", UtcDateTime, primary_key=True),
    Column("count", Integer, nullable=False),
)

posts = Table(
    "report_posts",
    metadata,
    Column("id", String(80), primary_key=True),  # the receiver knows a repeat by it
    Column("about", String(16), nullable=False),  # alert
    Column("about_id", String(32), nullable=False, index=True),
    Column("url", Text, nullable=False),
    Column("body", Text, nullable=False),
    Column("state", String(8), nullable=False),  # waiting | sent | dead
    Column("attempts", Integer, nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("due_at", UtcDateTime, nullable=False),
    Column("sent_at", UtcDateTime),
    Column("error", String(200)),
    Index("ix_report_posts_due", "state", "due_at"),
)
