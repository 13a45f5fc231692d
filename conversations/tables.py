"""The tables of the conversations room, for SQLite and PostgreSQL alike."""

from __future__ import annotations

from datetime import UTC, datetime

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    DateTime,
    Float,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
)
from sqlalchemy import false as sqlalchemy_false
from sqlalchemy.engine.interfaces import Dialect
from sqlalchemy.types import TypeDecorator

from conversations.sealed_tables import SealedAddress, SealedJson, SealedText, SealedWords


class UtcDateTime(TypeDecorator[datetime]):
    """Aware UTC times; SQLite, which has no time zones, stores them naive and gets them back aware."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Refuse naive times, which would be silently taken for UTC."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("times must be aware; use datetime.now(UTC)")
        value = value.astimezone(UTC)
        return value.replace(tzinfo=None) if dialect.name == "sqlite" else value

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Times come back aware on every database."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


metadata = MetaData()
_big = BigInteger().with_variant(Integer, "sqlite")  # only INTEGER counts up by itself in SQLite

contacts = Table(
    "contacts",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("name", SealedText("contacts", "name")),
    Column("name_mark", String(32), index=True),  # by which the whole name is found
    Column("language", String(8)),
    Column("customer_id", Text),
    Column("created_at", UtcDateTime, nullable=False),
    Column("erased_at", UtcDateTime),
    Column("named_by", String(64)),  # the agent who set the name; the channel's name no longer replaces it
    Column("tier", String(16)),  # set by an agent; None: whatever the customer's account says
    Column("note", SealedText("contacts", "note")),  # only staff see it
    Column("linked_customer_id", Text),  # whose account an agent thinks it is; proves nothing
    Column("linked_by", Text),
    Column("linked_at", UtcDateTime),
    Column("merged_into", String(32), index=True),
    Column("shared", Boolean, nullable=False, server_default=sqlalchemy_false(), default=False),  # holds merged ones
    Column("revision", Integer, nullable=False, server_default="0", default=0),
    Index("ix_contacts_customer_id", "customer_id"),
    Index("ix_contacts_linked_customer_id", "linked_customer_id"),
    Column("unasked_at", UtcDateTime),  # when they said not to ask them for ratings any more
)

addresses = Table(
    "addresses",
    metadata,
    Column("channel", String(64), primary_key=True),
    Column("account", String(128), primary_key=True),
    Column("contact", SealedAddress, primary_key=True),
    Column("point_mark", String(32), index=True),  # by which a phone number or e-mail address is found
    Column("contact_id", ForeignKey("contacts.id"), nullable=False, index=True),
    Column("customer_id", Text),  # of a shared contact: who was proved at this very address
    Column("origin_id", String(32)),  # the contact it belonged to before contacts were merged
    Column("home_channel", String(64)),  # of an address linked to another one: where its conversations are kept
    Column("home_account", String(128)),
    Column("home_contact", SealedAddress),
    Column("retired_at", UtcDateTime),  # since when nobody may write from it: its visitor has signed in
    Column("wrote_at", UtcDateTime),  # the contact's last message there, from which channels count their windows
    Column("unreachable_at", UtcDateTime),  # the channel said so; over once the contact writes again
)

conversations = Table(
    "conversations",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("channel", String(64), nullable=False),
    Column("account", String(128), nullable=False),
    Column("contact", SealedAddress, nullable=False),
    Column("contact_id", ForeignKey("contacts.id"), nullable=False, index=True),
    Column("status", String(16), nullable=False),
    Column("language", String(8), nullable=False),
    Column("opened_at", UtcDateTime, nullable=False),
    Column("updated_at", UtcDateTime, nullable=False),
    Column("last_seq", Integer, nullable=False, default=0),
    Column("bot_seq", Integer, nullable=False, default=0),  # what agents said after it is news to the bot
    Column("agent_id", String(64)),
    Column("agent_name", Text),
    Column("handoff_reason", String(32)),
    Column("queued_by", String(32)),  # the message that queued it, so that no message does so twice
    Column("queued_at", UtcDateTime),
    Column("assigned_at", UtcDateTime),
    Column("resolved_at", UtcDateTime),
    Column("resolved_by", String(16)),
    Column("callback_ticket", Text),
    Column("priority", Integer, nullable=False, default=0),
    Column("preview", SealedWords("conversations", "preview"), nullable=False, default=""),
    Column("preview_author", String(16)),
    Column("shown_buttons", JSON(none_as_null=True)),  # under the last thing said, for answers typed as "2"
    Column("fence", Integer, nullable=False, default=0),
    Column("lease_until", UtcDateTime),
    Column("claimed_by", String(32)),  # the process that has the lease; another one frees it if that dies
    Column("model", String(80)),  # the bot's version that serves it until it ends
    # routing: whom it waits for, in what order, and who was asked
    Column("team_id", String(32)),
    Column("required_skills", JSON(none_as_null=True)),
    Column("tier", String(16), nullable=False, server_default="standard", default="standard"),
    Column("sla_due_at", UtcDateTime),
    Column("rank_at", UtcDateTime),
    Column("previous_agent", String(64)),
    Column("offered_to", String(64)),
    Column("offered_name", Text),
    Column("offered_until", UtcDateTime),
    Column("asked", JSON(none_as_null=True)),  # agent id -> when they did not take it
    Column("participants", JSON(none_as_null=True)),
    Column("told_place", Integer),
    Column("told_seconds", Integer),
    Column("told_at", UtcDateTime),
    # a contact who came out of hours
    Column("callback_state", String(8)),  # asked | given
    Column("callback_due", Boolean, nullable=False, server_default=sqlalchemy_false(), default=False),
    Column("contact_point", SealedText("conversations", "contact_point")),
    Column("contact_point_mark", String(32), index=True),  # by which it is found
    Index("ix_conversations_offered", "offered_to"),
    Column("manual_priority", String(8), nullable=False, default="none", server_default="none"),
    Column("label_ids", JSON(none_as_null=True)),  # as in conversation_labels, so that lists need no join
    Column("snoozed_until", UtcDateTime),
    Column("snoozed_by", String(64)),
    Column("snooze_reason", SealedText("conversations", "snooze_reason")),
    Column("waiting_since", UtcDateTime),  # the contact's first message that nobody has answered
    Column("merged_into", String(32)),
    Column("revision", Integer, nullable=False, default=0, server_default="0"),  # counts saved changes
    Index("ix_conversations_snoozed", "snoozed_until"),
    Index("ix_conversations_merged_into", "merged_into"),
    Column("contact_read_seq", Integer, nullable=False, default=0, server_default="0"),
    Column("contact_read_at", UtcDateTime),
    Column("contact_received_seq", Integer, nullable=False, default=0, server_default="0"),
    Column("agent_read_seq", Integer, nullable=False, default=0, server_default="0"),
    Column("agent_read_at", UtcDateTime),
    Column("sentiment", Float),
    Column("sentiment_label", String(8)),
    Column("handoff_summary", SealedJson("conversations", "handoff_summary")),
    Column("origin_id", String(32)),  # the contact with whose key its audit entries are sealed, after a merge
    Column("forgotten_at", UtcDateTime),  # when its words were erased
    Column("reply_to", SealedAddress),  # the linked address at which the contact wrote last, if it is not this one
    Column(
        "told", SealedJson("conversations", "told")
    ),  # what a message that nobody asked for was about, until the next turn
    Index("ix_conversations_address", "channel", "account", "contact", "opened_at"),
    Index("ix_conversations_status", "status", "updated_at"),
    Index("ix_conversations_agent", "agent_id", "status"),
    Index("ix_conversations_assigned_at", "assigned_at"),
)
Index(
    "uq_conversations_open",
    conversations.c.channel,
    conversations.c.account,
    conversations.c.contact,
    unique=True,
    sqlite_where=conversations.c.status != "resolved",
    postgresql_where=conversations.c.status != "resolved",
)
Index(
    "ix_conversations_callback",
    conversations.c.updated_at,
    sqlite_where=conversations.c.callback_due,
    postgresql_where=conversations.c.callback_due,
)

messages = Table(
    "messages",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("conversation_id", ForeignKey("conversations.id"), nullable=False),
    Column("seq", Integer, nullable=False),
    Column("author", String(16), nullable=False),
    Column("kind", String(24), nullable=False),
    Column("text", SealedWords("messages", "text"), nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("author_id", String(64)),
    Column("author_name", SealedText("messages", "author_name", some=True)),  # only contacts' are sealed
    Column("buttons", JSON(none_as_null=True)),
    Column("citations", JSON(none_as_null=True)),
    Column("attachments", SealedJson("messages", "attachments")),  # names of files often say whose they are
    Column("external_id", Text),
    Column("client_msg_id", String(128)),
    Column("turn_id", String(32)),
    Column("delivery_failed", Boolean, nullable=False, default=False),
    Column("recalled_at", UtcDateTime),
    Column("recalled_by", Text),
    Column("sentiment", Float),
    Column("sentiment_label", String(8)),
    Column("anger", Float),
    Column("asks", JSON(none_as_null=True)),  # of a rating request: what the form asks for
    UniqueConstraint("conversation_id", "seq"),
    UniqueConstraint("conversation_id", "author_id", "client_msg_id"),
)

_felt = messages.c.sentiment_label.is_not(None)
Index("ix_messages_felt", messages.c.created_at, sqlite_where=_felt, postgresql_where=_felt)

inbox = Table(
    "inbox",
    metadata,
    Column("message_id", String(32), primary_key=True),
    Column("channel", String(64), nullable=False),
    Column("account", String(128), nullable=False),
    Column("external_id", String(512), nullable=False),
    Column("conversation_id", ForeignKey("conversations.id"), nullable=False),
    Column("seq", Integer, nullable=False),
    Column("state", String(8), nullable=False),  # new | running | done | dead
    Column("payload", SealedText("inbox", "payload", "message_id")),
    Column("attempts", Integer, nullable=False, default=0),
    Column("received_at", UtcDateTime, nullable=False),
    Column("next_at", UtcDateTime, nullable=False),
    Column("error", Text),  # what broke its turn: the kind of error, never its words
    UniqueConstraint("channel", "account", "external_id"),
    Index("ix_inbox_conversation", "conversation_id", "seq"),
)
_unfinished = inbox.c.state.in_(("new", "running"))
Index("ix_inbox_unfinished", inbox.c.next_at, sqlite_where=_unfinished, postgresql_where=_unfinished)

turns = Table(
    "turns",
    metadata,
    Column("turn_id", String(32), primary_key=True),  # the id of the inbound message
    Column("conversation_id", ForeignKey("conversations.id"), nullable=False),
    Column("in_seq", Integer, nullable=False),
    Column("out_seqs", JSON, nullable=False),
    Column("trace", SealedJson("turns", "trace", "turn_id", otherwise="{}"), nullable=False),
    Column("started_at", UtcDateTime, nullable=False),
    Column("finished_at", UtcDateTime, nullable=False),
    Index("ix_turns_conversation", "conversation_id", "in_seq"),
)

buttons = Table(
    "buttons",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("conversation_id", ForeignKey("conversations.id"), nullable=False, index=True),
    Column("title", Text, nullable=False),
    Column("payload", Text, nullable=False),
)

outbox = Table(
    "outbox",
    metadata,
    Column("ordinal", _big, primary_key=True, autoincrement=True),
    Column("id", String(32), nullable=False, unique=True),
    Column("channel", String(64), nullable=False),
    Column("account", String(128), nullable=False),
    Column("contact", SealedAddress, nullable=False),
    Column("message_id", ForeignKey("messages.id"), nullable=False),
    Column("state", String(8), nullable=False),  # pending | sending | sent | unknown | dead | recalled | dropped
    Column("attempts", Integer, nullable=False, default=0),
    Column("doubts", Integer, nullable=False, default=0),  # sends that may or may not have arrived
    Column("next_at", UtcDateTime, nullable=False),
    Column("lease_until", UtcDateTime),
    Column("created_at", UtcDateTime, nullable=False),
    Column("sent_at", UtcDateTime),
    Column("external_id", Text),
    Column(
        "sent_parts", JSON(none_as_null=True)
    ),  # the channel's ids of those that are out, of a message that goes in several
    Column("error", Text),
    Index("ix_outbox_address", "channel", "account", "contact", "ordinal"),
    sqlite_autoincrement=True,
)
_undelivered = outbox.c.state.in_(("pending", "sending"))
Index("ix_outbox_undelivered", outbox.c.ordinal, sqlite_where=_undelivered, postgresql_where=_undelivered)
_given_up = outbox.c.state.in_(("dead", "unknown"))
Index("ix_outbox_given_up", outbox.c.ordinal, sqlite_where=_given_up, postgresql_where=_given_up)

attachments = Table(
    "attachments",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("owner", SealedAddress, nullable=False, index=True),  # the address or agent that brought it
    Column("name", SealedWords("attachments", "name"), nullable=False),  # with the desk's own key
    Column("media_type", String(128), nullable=False),
    Column("size", Integer, nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
)

presence = Table(
    "presence",
    metadata,
    Column("agent_id", String(64), primary_key=True),
    Column("name", Text, nullable=False),
    Column("state", String(16), nullable=False),  # online | away | offline
    Column("last_seen_at", UtcDateTime, nullable=False),
    Column("online_at", UtcDateTime),  # when they last came to the desk
    Column("taken_at", UtcDateTime),  # when they last got a conversation
    Column("freed_at", UtcDateTime),  # when they last let go of one
)

queue_stays = Table(
    "queue_stays",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("conversation_id", ForeignKey("conversations.id"), nullable=False, index=True),
    Column("team_id", String(32), nullable=False),
    Column("queued_at", UtcDateTime, nullable=False),
    Column("place", Integer, nullable=False),  # 1 is next
    Column("agents", Integer, nullable=False),  # on duty then
    Column("expected_seconds", Integer),  # what the contact was told; None out of hours
    Column("ended_at", UtcDateTime),
    Column("due_at", UtcDateTime),  # until when an agent was to have answered
    Column("outcome", String(32)),  # accepted | left_queue | released | agent | …: why it ended
    Index("ix_queue_stays_team", "team_id", "queued_at"),
)

audit_entries = Table(
    "audit_entries",
    metadata,
    Column("n", _big, primary_key=True, autoincrement=False),
    Column("conversation_id", String(32), index=True),
    Column("body", Text, nullable=False),  # canonical JSON, exactly as hashed
    Column("hash", String(64), nullable=False),
)

audit_head = Table(  # one row: its lock puts entries in line
    "audit_head",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("n", _big, nullable=False),
    Column("hash", String(64), nullable=False),
)

contact_keys = Table(  # what seals a contact's fields and audit entries; without its row nobody reads them again
    "contact_keys",
    metadata,
    Column("contact_id", String(32), primary_key=True),  # or "desk"
    Column("wrapped", Text, nullable=False),  # every version: number, name of the wrapping key, the key wrapped by it
    Column("wrapped_by", String(16), nullable=False, index=True),  # that name; empty: from before there were names
    Column("made_in", String(32)),  # the rotation in which the newest version was made
)

key_rotations = Table(
    "key_rotations",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("begun_at", UtcDateTime, nullable=False),
    Column("finished_at", UtcDateTime),
)

idempotency = Table(
    "idempotency",
    metadata,
    Column("owner", String(128), primary_key=True),
    Column("key", String(255), primary_key=True),
    Column("request_hash", String(64), nullable=False),
    Column("state", String(8), nullable=False),  # started | done
    Column("status", Integer),
    Column("body", JSON(none_as_null=True)),
    Column("created_at", UtcDateTime, nullable=False, index=True),
)

handoff_rules = Table(  # nothing is changed or deleted: the highest version is in force
    "handoff_rules",
    metadata,
    Column("version", Integer, primary_key=True, autoincrement=False),
    Column("rules", JSON, nullable=False),
    Column("note", Text, nullable=False),
    Column("author_id", String(64), nullable=False),
    Column("author", Text, nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
)
