"""Where conversations and their answered turns are kept; a failure to read or save is told, never papered over.

Rasa's own wrapper answers a failing database with an empty conversation in memory. Here the turn fails instead, and the
service repeats it. Events and the answer of a turn are committed together, so a turn is either done or can be run again.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from rasa.core.tracker_store import SerializedTrackerAsText, TrackerStore
from rasa.shared.core.domain import Domain
from rasa.shared.core.events import SessionStarted
from rasa.shared.core.trackers import DialogueStateTracker

_METADATA = sa.MetaData()
_EVENTS = sa.Table(
    "events",
    _METADATA,
    sa.Column("id", sa.BigInteger().with_variant(sa.Integer, "sqlite"), primary_key=True, autoincrement=True),
    sa.Column("sender_id", sa.String(255), nullable=False),
    sa.Column("type_name", sa.String(255), nullable=False),
    sa.Column("timestamp", sa.Float),
    sa.Column("data", sa.Text, nullable=False),
    sa.Index("ix_events_sender_id_id", "sender_id", "id"),
)
_TURNS = sa.Table(
    "turns",
    _METADATA,
    sa.Column("turn_id", sa.String(64), primary_key=True),
    sa.Column("sender_id", sa.String(255), nullable=False),
    sa.Column("answer", sa.Text, nullable=False),
)


class StoreFailed(Exception):
    """The conversation could not be read or saved; nothing of the turn is stored."""


class TurnStore(TrackerStore, SerializedTrackerAsText):  # type: ignore[misc]  # rasa is not installed where types are checked
    """Events and answers in SQLite or PostgreSQL."""

    def __init__(self, domain: Domain | None = None, event_broker: Any = None, host: str = "", **kwargs: Any) -> None:
        """``host`` is the database URL: the name under which Rasa hands over ``url`` of ``endpoints.yml``."""
        super().__init__(domain, event_broker)
        url = sa.engine.make_url(host)
        is_file = url.get_backend_name() == "sqlite" and bool(url.database)
        try:
            if is_file:
                Path(str(url.database)).parent.mkdir(parents=True, exist_ok=True)
            # Every statement runs in the event loop's thread; one open connection saves opening a file per statement.
            kept = {"poolclass": sa.pool.QueuePool, "pool_size": 1, "max_overflow": 2}
            options: dict[str, Any] = (
                {"connect_args": {"timeout": 5, "check_same_thread": False}, **kept}
                if is_file
                else {"pool_pre_ping": True}
            )
            self._engine = sa.create_engine(url, future=True, **options)
            if is_file:
                sa.event.listen(self._engine, "connect", _tune_sqlite)
            _METADATA.create_all(self._engine)
            self._prove_writable()
        except (sa.exc.SQLAlchemyError, OSError) as error:
            raise StoreFailed(f"The bot's database {url!r} cannot be used: {error}") from error

    def _prove_writable(self) -> None:
        with self._engine.begin() as connection:
            connection.execute(_TURNS.insert().values(turn_id="canary", sender_id="canary", answer="{}"))
            connection.execute(_TURNS.delete().where(_TURNS.c.turn_id == "canary"))

    @contextmanager
    def _transaction(self) -> Iterator[sa.engine.Connection]:
        try:
            with self._engine.begin() as connection:
                yield connection
        except sa.exc.SQLAlchemyError as error:
            raise StoreFailed(str(error)) from error

    def find_answer(self, conversation_id: str, turn_id: str) -> dict[str, Any] | None:
        """The answer given to a turn before, exactly as it was, or None."""
        query = sa.select(_TURNS.c.answer).where(_TURNS.c.turn_id == turn_id, _TURNS.c.sender_id == conversation_id)
        with self._transaction() as connection:
            stored = connection.execute(query).scalar_one_or_none()
        answer: dict[str, Any] | None = None if stored is None else json.loads(stored)
        return answer

    def load(self, conversation_id: str) -> DialogueStateTracker:
        """The conversation since its latest session start; a new one has no events."""
        latest = (
            sa.select(sa.func.max(_EVENTS.c.id))
            .where(_EVENTS.c.sender_id == conversation_id, _EVENTS.c.type_name == SessionStarted.type_name)
            .scalar_subquery()
        )
        query = (
            sa.select(_EVENTS.c.data)
            .where(_EVENTS.c.sender_id == conversation_id, _EVENTS.c.id >= sa.func.coalesce(latest, 0))
            .order_by(_EVENTS.c.id)
        )
        with self._transaction() as connection:
            rows = connection.execute(query).scalars().all()
        assert self.domain is not None, "a model is loaded before the first turn"
        tracker = DialogueStateTracker.from_dict(conversation_id, [json.loads(row) for row in rows], self.domain.slots)
        tracker.stored_events = len(tracker.events)
        return tracker

    def save_turn(self, tracker: DialogueStateTracker, turn_id: str, answer: dict[str, Any]) -> None:
        """Commit the new events together with the answer; a turn that was saved meanwhile is refused."""
        rows = []
        for event in list(tracker.events)[tracker.stored_events :]:
            data = event.as_dict()
            rows.append(
                {
                    "sender_id": tracker.sender_id,
                    "type_name": event.type_name,
                    "timestamp": data.get("timestamp"),
                    "data": json.dumps(data, ensure_ascii=False),
                }
            )
        stored = {"turn_id": turn_id, "sender_id": tracker.sender_id, "answer": json.dumps(answer, ensure_ascii=False)}
        with self._transaction() as connection:
            connection.execute(_TURNS.insert().values(stored))
            if rows:
                connection.execute(_EVENTS.insert(), rows)

    async def save(self, tracker: DialogueStateTracker) -> None:
        """Rasa's way to save; here a conversation is only ever saved with its turn."""
        raise NotImplementedError("Use save_turn.")

    async def retrieve(self, sender_id: str) -> DialogueStateTracker | None:
        """Rasa's way to read."""
        tracker = self.load(sender_id)
        return tracker if tracker.events else None

    async def keys(self) -> list[str]:
        """The ids of all conversations."""
        with self._transaction() as connection:
            return list(connection.execute(sa.select(_EVENTS.c.sender_id).distinct()).scalars())


def _tune_sqlite(connection: Any, _: Any) -> None:
    cursor = connection.cursor()
    for pragma in ("journal_mode=WAL", "synchronous=NORMAL", "busy_timeout=5000"):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()
