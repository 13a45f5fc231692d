"""Where conversations and their answered turns are kept; a failure to read or save is told, never papered over.

Rasa's own wrapper answers a failing database with an empty conversation in memory. Here the turn fails instead, and the
service repeats it. Events and the answer of a turn are committed together, so a turn is either done or can be run again.

The conversations of the last turns are kept in memory as well. Each turn asks the database, in the look-up it needs
anyway, whether the kept one is all there is; where another process has added to it, it is read again. So it is where
the turn before ran on another version of the model: a conversation in memory has the slots of one domain.

Events, answers and logs are sealed where the bot has keys (``sealing.py``).
"""

from __future__ import annotations

import functools
import json
import logging
import time
import uuid
from collections import OrderedDict
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from rasa.core.tracker_store import SerializedTrackerAsText, TrackerStore
from rasa.shared.core.domain import Domain
from rasa.shared.core.events import Event, SessionStarted, SlotSet
from rasa.shared.core.trackers import DialogueStateTracker

from bot import settings
from bot.sealing import EVENT, Seal, SealBroken, answer_of, log_of

_logger = logging.getLogger(__name__)
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
    sa.Column("log", sa.Text),  # what a replay needs beside the events, see turn_log.py
    sa.Index("ix_turns_sender_id", "sender_id"),
)
_MINE = _EVENTS.c.sender_id == sa.bindparam("conversation_id")
_EXTENT = [
    sa.select(sa.func.count()).select_from(_EVENTS).where(_MINE).scalar_subquery().label("number"),
    sa.select(sa.func.max(_EVENTS.c.id)).where(_MINE).scalar_subquery().label("last"),
]
_ANSWERED = (
    _TURNS.select()
    .with_only_columns(_TURNS.c.answer)
    .where(_TURNS.c.turn_id == sa.bindparam("turn_id"), _TURNS.c.sender_id == sa.bindparam("conversation_id"))
)
_LOOK_UP = sa.select(_ANSWERED.scalar_subquery().label("answer"), *_EXTENT)
_MEASURE = sa.select(*_EXTENT)
_LATEST_SESSION = (
    sa.select(sa.func.max(_EVENTS.c.id)).where(_MINE, _EVENTS.c.type_name == SessionStarted.type_name).scalar_subquery()
)
_READ = (
    sa.select(_EVENTS.c.data).where(_MINE, _EVENTS.c.id >= sa.func.coalesce(_LATEST_SESSION, 0)).order_by(_EVENTS.c.id)
)
_ADD_TURN, _ADD_EVENTS = _TURNS.insert(), _EVENTS.insert()
_LOCK = 0x66726F6E74626F74  #: any number that nobody else locks in this database
_MOST_KEPT = 256  #: conversations in memory
_AT_ONCE = 200  #: conversations that one transaction deletes, rows that one seals

# Rasa lists and inspects every class of event for each event that it reads.
Event.resolve_by_type = staticmethod(functools.cache(Event.resolve_by_type))


@dataclass(frozen=True)
class Opened:
    """A conversation at the beginning of a turn, or the answer if the turn was done before."""

    answer: dict[str, Any] | None
    tracker: DialogueStateTracker | None


@dataclass(frozen=True)
class _Extent:
    """How much of a conversation the database holds; it changes with every event that anybody adds or deletes."""

    number: int
    last: int | None


class StoreFailed(Exception):
    """The conversation could not be read or saved; nothing of the turn is stored."""


class TurnStore(TrackerStore, SerializedTrackerAsText):  # type: ignore[misc]  # rasa is not installed where types are checked
    """Events and answers in SQLite or PostgreSQL."""

    def __init__(self, domain: Domain | None = None, event_broker: Any = None, host: str = "", **kwargs: Any) -> None:
        """``host`` is the database URL: the name under which Rasa hands over ``url`` of ``endpoints.yml``.

        ``domain`` counts where a call names none; a bot with several versions names it with each call.
        """
        super().__init__(domain, event_broker)
        self._seal = Seal(settings.field_keys())
        self._kept: OrderedDict[str, tuple[_Extent, DialogueStateTracker]] = OrderedDict()
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
            # Errors end up in the log, which must not say what people wrote.
            self._engine = sa.create_engine(url, future=True, hide_parameters=True, **options)
            if is_file:
                sa.event.listen(self._engine, "connect", _tune_sqlite)
            with self._engine.begin() as connection:
                if not is_file and connection.dialect.name == "postgresql":  # bots that start together take turns
                    connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({_LOCK})")
                _METADATA.create_all(connection)
                if "log" not in {column["name"] for column in sa.inspect(connection).get_columns("turns")}:
                    connection.exec_driver_sql("ALTER TABLE turns ADD COLUMN log TEXT")
                for index in _TURNS.indexes:  # databases from before it do not get it with their tables
                    index.create(connection, checkfirst=True)
            self._prove_writable()
            self._prove_readable()
        except (sa.exc.SQLAlchemyError, OSError, SealBroken) as error:
            raise StoreFailed(f"The bot's database {url!r} cannot be used: {error}") from error

    def _prove_writable(self) -> None:
        canary = f"canary-{uuid.uuid4().hex}"  # another bot may start at the same moment
        with self._engine.begin() as connection:
            connection.execute(_TURNS.insert().values(turn_id=canary, sender_id="canary", answer="{}"))
            connection.execute(_TURNS.delete().where(_TURNS.c.turn_id == canary))

    def _prove_readable(self) -> None:
        with self._engine.begin() as connection:
            row = connection.execute(sa.select(_EVENTS).order_by(_EVENTS.c.id.desc()).limit(1)).first()
        if row is not None:
            self._seal.open(row.data, row.sender_id, EVENT)

    @contextmanager
    def _transaction(self) -> Iterator[sa.engine.Connection]:
        try:
            with self._engine.begin() as connection:
                yield connection
        except (sa.exc.SQLAlchemyError, SealBroken) as error:
            raise StoreFailed(str(error)) from error

    def find_answer(self, conversation_id: str, turn_id: str) -> dict[str, Any] | None:
        """The answer given to a turn before, exactly as it was, or None."""
        with self._transaction() as connection:
            wanted = {"conversation_id": conversation_id, "turn_id": turn_id}
            stored = connection.execute(_ANSWERED, wanted).scalar_one_or_none()
            return None if stored is None else self._answer(stored, conversation_id, turn_id)

    def _answer(self, stored: str, conversation_id: str, turn_id: str) -> dict[str, Any]:
        answer: dict[str, Any] = json.loads(self._seal.open(stored, conversation_id, answer_of(turn_id)))
        return answer

    def open_turn(self, conversation_id: str, turn_id: str, domain: Domain | None = None) -> Opened:
        """The answer of the turn if it was done, else its conversation, which nobody else gets until it is saved."""
        with self._transaction() as connection:
            row = connection.execute(_LOOK_UP, {"conversation_id": conversation_id, "turn_id": turn_id}).one()
            if row.answer is not None:
                return Opened(self._answer(row.answer, conversation_id, turn_id), None)
        extent, tracker = self._kept.pop(conversation_id, (None, None))
        same = tracker is not None and tracker.read_with is (domain or self.domain)
        if not same or extent != _Extent(row.number, row.last):
            tracker = self.load(conversation_id, domain)
        return Opened(None, tracker)

    def load(self, conversation_id: str, domain: Domain | None = None) -> DialogueStateTracker:
        """The conversation since its latest session start, from the database; a new one has no events.

        What an earlier version noted in a slot that this domain lacks is left out; it stays in the database.
        """
        with self._transaction() as connection:
            kept = connection.execute(_READ, {"conversation_id": conversation_id}).scalars().all()
            rows = [self._seal.open(one, conversation_id, EVENT) for one in kept]
        domain = domain or self.domain
        assert domain is not None, "a model is loaded before the first turn"
        slots = {slot.name for slot in domain.slots}
        events = [
            event for event in map(json.loads, rows) if event["event"] != SlotSet.type_name or event["name"] in slots
        ]
        tracker = DialogueStateTracker.from_dict(conversation_id, events, domain.slots)
        tracker.stored_events = len(tracker.events)
        tracker.read_with = domain
        return tracker

    def save_turn(
        self, tracker: DialogueStateTracker, turn_id: str, answer: dict[str, Any], log: dict[str, Any] | None = None
    ) -> None:
        """Commit the new events together with the answer; a turn that was saved meanwhile is refused."""
        rows = []
        for event in list(tracker.events)[tracker.stored_events :]:
            data = event.as_dict()
            rows.append(
                {
                    "sender_id": tracker.sender_id,
                    "type_name": event.type_name,
                    "timestamp": data.get("timestamp"),
                    "data": self._seal.close(json.dumps(data, ensure_ascii=False), tracker.sender_id, EVENT),
                }
            )
        stored = {
            "turn_id": turn_id,
            "sender_id": tracker.sender_id,
            "answer": self._closed(answer, tracker, answer_of(turn_id)),
            "log": None if log is None else self._closed(log, tracker, log_of(turn_id)),
        }
        with self._transaction() as connection:
            connection.execute(_ADD_TURN, stored)
            if rows:
                connection.execute(_ADD_EVENTS, rows)
            extent = connection.execute(_MEASURE, {"conversation_id": tracker.sender_id}).one()
        self._keep(tracker, _Extent(extent.number, extent.last))

    def _closed(self, value: dict[str, Any], tracker: DialogueStateTracker, place: str) -> str:
        return self._seal.close(json.dumps(value, ensure_ascii=False), tracker.sender_id, place)

    def seal_older(self, pause_seconds: float = 0.05) -> int:
        """Seal what is not sealed with the key in force, some rows at a time; returns how many values that were.

        What no key opens stays as it is, and is told in the log; so is a database that fails, and the next start goes on.
        """
        if not self._seal:
            return 0
        places = (
            (_EVENTS.c.id, _EVENTS.c.data, lambda _: EVENT),
            (_TURNS.c.turn_id, _TURNS.c.answer, answer_of),
            (_TURNS.c.turn_id, _TURNS.c.log, log_of),
        )
        try:
            return sum(self._seal_column(*place, pause_seconds) for place in places)
        except StoreFailed as error:
            _logger.error("what is not sealed with the newest key yet is left to the next start: %s", error)
            return 0

    def _seal_column(self, key: Any, column: Any, place: Callable[[Any], str], pause_seconds: float) -> int:
        older = sa.select(key.label("row"), key.table.c.sender_id, column.label("kept")).where(
            column.is_not(None), ~column.startswith(self._seal.beginning, autoescape=True)
        )
        after, sealed = None, 0
        while True:
            some = older if after is None else older.where(key > after)
            with self._transaction() as connection:
                rows = connection.execute(some.order_by(key).limit(_AT_ONCE)).all()
                for row in rows:
                    sealed += self._seal_value(connection, key, column, row, place(row.row))
            if len(rows) < _AT_ONCE:
                return sealed
            after = rows[-1].row
            time.sleep(pause_seconds)  # turns come first

    def _seal_value(self, connection: Any, key: Any, column: Any, row: Any, place: str) -> int:
        try:
            text = self._seal.open(row.kept, row.sender_id, place)
        except SealBroken as error:
            _logger.error("a value of %s in row %s stays as it is: %s", column, row.row, error)
            return 0
        values = {column.name: self._seal.close(text, row.sender_id, place)}
        same = sa.and_(key == row.row, column == row.kept)
        return int(connection.execute(sa.update(key.table).where(same).values(values)).rowcount)

    def forget(self, conversation_ids: Sequence[str]) -> int:
        """Delete conversations with everything that was said and answered in them; returns how many were there.

        Other bot processes notice with their next turn that what they kept in memory is not all there is.
        """
        there = 0
        for first in range(0, len(conversation_ids), _AT_ONCE):
            some = list(conversation_ids[first : first + _AT_ONCE])
            known = sa.select(sa.func.count(_EVENTS.c.sender_id.distinct())).where(_EVENTS.c.sender_id.in_(some))
            with self._transaction() as connection:
                there += int(connection.execute(known).scalar_one())
                for table in (_EVENTS, _TURNS):
                    connection.execute(table.delete().where(table.c.sender_id.in_(some)))
            for one in some:
                self._kept.pop(one, None)
        return there

    def _keep(self, tracker: DialogueStateTracker, extent: _Extent) -> None:
        begins = [place for place, event in enumerate(tracker.events) if isinstance(event, SessionStarted)]
        if begins and begins[-1] > 1:
            return  # what came before the new session is left behind when it is read from the database
        tracker.stored_events = len(tracker.events)
        self._kept[tracker.sender_id] = (extent, tracker)
        self._kept.move_to_end(tracker.sender_id)
        if len(self._kept) > _MOST_KEPT:
            self._kept.popitem(last=False)

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
