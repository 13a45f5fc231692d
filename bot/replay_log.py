"""The bot's own store as a log to replay: read-only, cut into turns, each with what is needed to run it once more.

Turns from before ``turn_log.py`` are told apart by their events alone; where that cannot be done, the turn says why.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa
from rasa.shared.core.events import Event

from bot import settings
from bot.sealing import EVENT, Seal, SealBroken, answer_of, log_of
from bot.turn import Turn

Form = dict[str, Any]  #: an event as Rasa writes it

_SESSION, _LISTEN = "action_session_start", "action_listen"
#: Why a turn cannot be run again; words for them are in the console.
NO_MESSAGE, SEVERAL_PARTS, TOLD, NO_EVENTS = "no_message", "several_parts", "told", "events_missing"


class LogUnreadable(Exception):
    """The bot's store cannot be read."""


@dataclass(frozen=True)
class Recorded:
    """A turn as it was: the events before it, its own, and its answer."""

    turn: Turn
    before: Sequence[Form]
    events: Sequence[Form]
    answer: dict[str, Any]
    calls: Sequence[Sequence[str]] | None  #: names and digests of the calls; None where they were not kept
    problem: str | None = None  #: why it cannot be run again

    @property
    def parse(self) -> Form:
        """What the first part of the message was understood to be."""
        return dict(self.messages[0]["parse_data"]) if self.messages else {}

    @property
    def messages(self) -> list[Form]:
        """The parts of the message, as the conversation heard them."""
        return [event for event in self.events if event["event"] == "user"]

    @property
    def started_session(self) -> bool:
        """Whether the turn began a session."""
        return any(event["event"] == "session_started" for event in self.events)


@dataclass
class Log:
    """The store, opened so that nothing can be written to it."""

    url: str
    _engine: Any = field(init=False, repr=False)
    _seal: Seal = field(init=False, repr=False)

    def __post_init__(self) -> None:
        """Opens no connection yet."""
        self._seal = Seal(settings.field_keys())
        url = sa.engine.make_url(self.url)
        if url.get_backend_name() == "sqlite":
            self._engine = sa.create_engine(
                f"sqlite:///file:{url.database}?mode=ro&uri=true", future=True, poolclass=sa.pool.NullPool
            )
        else:
            options = {"options": " ".join(filter(None, [url.query.get("options"), _READ_ONLY]))}
            self._engine = sa.create_engine(url, future=True, poolclass=sa.pool.NullPool, connect_args=options)

    def newest(self, most_turns: int) -> list[str]:
        """The conversations with the latest turns, newest first, until they have so many turns."""
        listed = sa.text(
            "SELECT e.sender_id, t.turns FROM (SELECT sender_id, MAX(id) AS last FROM events GROUP BY sender_id) e"
            " JOIN (SELECT sender_id, COUNT(*) AS turns FROM turns GROUP BY sender_id) t ON t.sender_id = e.sender_id"
            " ORDER BY e.last DESC"
        )
        chosen: list[str] = []
        turns = 0
        for row in self._read(listed, {}):
            if turns >= most_turns:
                break
            chosen.append(row.sender_id)
            turns += row.turns
        return chosen

    def conversation(self, conversation_id: str) -> list[Recorded]:
        """The turns of a conversation in their order."""
        mine = {"mine": conversation_id}
        events = self._read(sa.text("SELECT data FROM events WHERE sender_id = :mine ORDER BY id"), mine)
        columns = "turn_id, answer" + (", log" if self._has_log() else ", NULL AS log")
        turns = self._read(sa.text(f"SELECT {columns} FROM turns WHERE sender_id = :mine ORDER BY turn_id"), mine)  # noqa: S608

        def read(kept: str, place: str) -> Any:
            return json.loads(self._seal.open(kept, conversation_id, place))

        try:
            return cut(
                conversation_id,
                [read(row.data, EVENT) for row in events],
                {
                    row.turn_id: (
                        read(row.answer, answer_of(row.turn_id)),
                        read(row.log, log_of(row.turn_id)) if row.log else None,
                    )
                    for row in turns
                },
            )
        except SealBroken as error:
            raise LogUnreadable(type(error).__name__) from error

    def _has_log(self) -> bool:
        try:
            with self._engine.connect() as connection:
                return "log" in {column["name"] for column in sa.inspect(connection).get_columns("turns")}
        except sa.exc.SQLAlchemyError as error:
            raise LogUnreadable(type(error).__name__) from error

    def _read(self, statement: Any, values: dict[str, Any]) -> Sequence[Any]:
        try:
            with self._engine.connect() as connection:
                return list(connection.execute(statement, values))
        except sa.exc.SQLAlchemyError as error:
            raise LogUnreadable(type(error).__name__) from error


_READ_ONLY = "-c default_transaction_read_only=on"


def cut(conversation_id: str, events: Sequence[Form], answers: dict[str, tuple[Form, Form | None]]) -> list[Recorded]:
    """The turns of a conversation, from all its events and the answers by turn."""
    first: dict[str, int] = {}
    for place, event in enumerate(events):
        if event["event"] == "user" and event.get("message_id") in answers:
            first.setdefault(event["message_id"], place)
    order = list(first)
    starts = _starts(events, [first[name] for name in order], [answers[name][1] for name in order])
    turns = []
    for number, (name, start) in enumerate(zip(order, starts)):
        end = starts[number + 1] if number + 1 < len(starts) else len(events)
        answer, log = answers[name]
        turns.append(_recorded(conversation_id, name, events[:start], events[start:end], answer, log))
    lost = [name for name in answers if name not in first]
    return turns + [
        Recorded(Turn(name, conversation_id, ""), [], [], answers[name][0], None, NO_EVENTS) for name in sorted(lost)
    ]


def _starts(events: Sequence[Form], heard: Sequence[int], logs: Sequence[Form | None]) -> list[int]:
    """Where each turn begins: counted from the end while the turns say how long they are, else by what they begin with."""
    starts = [0] * len(heard)
    end: int | None = len(events)
    for number in range(len(heard) - 1, -1, -1):
        log = logs[number]
        counted = end - int(log["events"]) if end is not None and log is not None else None
        if counted is not None and 0 <= counted <= heard[number]:
            starts[number] = end = counted
            continue
        end = None
        after = heard[number - 1] if number else -1
        begun = [
            place
            for place in range(after + 1, heard[number])
            if events[place]["event"] == "action" and events[place]["name"] == _SESSION
        ]
        starts[number] = begun[0] if begun else heard[number] if number else 0
    return starts


def _recorded(
    conversation_id: str, name: str, before: Sequence[Form], events: Sequence[Form], answer: Form, log: Form | None
) -> Recorded:
    messages = [event for event in events if event["event"] == "user" and event.get("message_id") == name]
    message = messages[0]
    metadata = {key: value for key, value in (message.get("metadata") or {}).items() if key not in _ADDED}
    if not metadata.get("sent_at"):  # else “tomorrow” would be another day with each replay
        metadata["sent_at"] = _moment(message.get("timestamp"))
    text, payload = message.get("text") or "", None
    problem = None
    if log is not None:
        text, payload = log.get("text", text), log.get("payload")
    elif answer.get("trace", {}).get("parts"):  # of which the events hold each by itself, or only the first
        problem = SEVERAL_PARTS
    elif metadata.get("told"):
        problem = TOLD
    else:
        payload = _pressed(message)
    if not text.strip() and payload is None:
        problem = problem or NO_MESSAGE
    turn = Turn(name, conversation_id, text, payload, metadata)
    known = [begin for begin, event in enumerate(before) if event["event"] == "session_started"]
    history = before[known[-1] :] if known and known[-1] > 1 else before
    return Recorded(turn, history, events, answer, None if log is None else log.get("calls") or [], problem)


#: What ``Dialogue`` itself adds to the metadata that the service sent.
_ADDED = {"turn_id", "requested_slot", "language"}


def _moment(timestamp: Any) -> str:
    from datetime import datetime, timezone

    return datetime.fromtimestamp(float(timestamp or 0), timezone.utc).isoformat()


def _pressed(message: Form) -> str | None:
    """The payload of the button, read off what ``Dialogue`` makes of one; None for words."""
    parse = message.get("parse_data") or {}
    intent, entities = parse.get("intent") or {}, parse.get("entities") or []
    words = "reading" in parse or len(parse.get("intent_ranking") or []) != 1 or intent.get("confidence") != 1.0
    if words or any(one.get("end") for one in entities):
        return None
    values = {one["entity"]: one["value"] for one in entities}
    return f"/{intent['name']}" + (json.dumps(values, ensure_ascii=False) if values else "")


def as_events(forms: Sequence[Form]) -> list[Event]:
    """Events of Rasa."""
    return [event for event in (Event.from_parameters(dict(form)) for form in forms) if event is not None]
