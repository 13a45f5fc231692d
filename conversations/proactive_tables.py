"""Tables of what the desk tells contacts without being asked, and of what they do not want to be told."""

from __future__ import annotations

from sqlalchemy import Column, Index, Integer, String, Table, Text, UniqueConstraint

from conversations.sealed_tables import SealedJson
from conversations.tables import UtcDateTime, metadata

proactive_messages = Table(
    "proactive_messages",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("owner", String(64), nullable=False),  # whose key it is: an API key by its short name, or "desk"
    Column("key", String(255), nullable=False),  # of the event; told twice it counts once
    Column("request_hash", String(64), nullable=False),
    Column("kind", String(40), nullable=False),
    # Sealed with the desk's own key: an event may name somebody whom nobody knows yet. Emptied when they are erased.
    Column("recipient", SealedJson("proactive_messages", "recipient")),  # as the event named them
    Column("facts", SealedJson("proactive_messages", "facts")),  # what the texts are filled with
    Column("tried", SealedJson("proactive_messages", "tried")),  # [{address, how, reason}], in order
    # By what an erasure finds those who were only named.
    Column("named_contact", String(32), index=True),
    Column("named_address_mark", String(32), index=True),
    Column("named_email_mark", String(32), index=True),
    Column("state", String(12), nullable=False),  # waiting | sending | sent | unknown | not_sent
    Column("reason", String(40)),  # why it was not sent, or waits
    Column("created_at", UtcDateTime, nullable=False),
    Column("due_at", UtcDateTime, nullable=False),
    Column("expires_at", UtcDateTime, nullable=False),
    Column("settled_at", UtcDateTime),
    Column("contact_id", String(32), index=True),
    Column("channel", String(64)),  # where it went last
    Column("account", String(128)),
    Column("how", String(12)),  # free | template | kept
    Column("conversation_id", String(32)),
    Column("seq", Integer),
    Column("begun_at", UtcDateTime),  # a send was begun, and nobody has seen its end yet
    UniqueConstraint("owner", "key"),
    Index("ix_proactive_messages_place", "conversation_id", "seq"),
)
#: What of an event names somebody or is about them: emptied when they are erased.
FORGOTTEN = dict.fromkeys(("recipient", "facts", "tried", "named_address_mark", "named_email_mark"))
_open = proactive_messages.c.state.in_(("waiting", "sending"))
Index("ix_proactive_messages_open", proactive_messages.c.due_at, sqlite_where=_open, postgresql_where=_open)
Index("ix_proactive_messages_settled", proactive_messages.c.settled_at)

proactive_choices = Table(
    "proactive_choices",
    metadata,
    Column("contact_id", String(32), primary_key=True),
    Column("kind", String(40), primary_key=True),  # "*" is every kind
    Column("off_at", UtcDateTime, nullable=False),
    Column("off_by", Text, nullable=False),  # "contact", or an agent's name
)
