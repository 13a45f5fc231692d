"""Exports of the facts: one row for each conversation, message, turn, episode, wait or citation of a period.

Rows come in pages, so an export needs no more memory for a year than for a day. Every figure can be counted again from
them; docs/exports.md says how, and what the columns are. Names of columns do not change.
"""

from __future__ import annotations

import asyncio
import io
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from typing import Any

from conversations.sight import Sight
from conversations.store import Database
from reporting.export_cells import BEFORE_CSV, Cell, csv_lines, day_of, json_lines
from reporting.export_store import ExportRows, ExportStore, Place
from reporting.query import Query, QueryError
from reporting.spreadsheets import Workbook
from reporting.tables import (
    fact_citations,
    fact_conversations,
    fact_episodes,
    fact_messages,
    fact_turns,
    fact_waits,
)

PAGE = 500
#: By column, value and the contact's name, what the reader may see of it.
Hide = Callable[[str, str, str | None], str]
Labels = Mapping[str, Mapping[str, str]]
_PARTS = ("channel", "language", "intent", "model", "team", "team_name", "agent", "agent_name")
_PLACE = ("conversation_id", "seq", "at", "day", "hour")
_APART = ("conversation_id", "at", "day", "hour")


class Format(StrEnum):
    """How a file is written."""

    CSV = "csv"
    XLSX = "xlsx"
    JSON = "jsonl"


@dataclass(frozen=True, slots=True)
class Kind:
    """What one row of an export is."""

    rows: ExportRows
    metric: str  #: a figure that counts these rows: what it can be limited to, so can they
    columns: tuple[str, ...]


_CONVERSATION = (
    "conversation_id", "opened_at", "opened_day", "opened_hour", "resolved_at", "resolved_day", "resolved_hour", "status",
    *_PARTS, "reason", "contact_name", "contact_address", "bot_answered", "agent_wrote", "handed_off", "held", "resolution",
    "response_seconds", "again", "contact_messages", "bot_messages", "agent_messages", "turns", "missed_turns", "failed_turns",
    "answered_turns", "unanswered_turns", "labelled_turns", "correct_turns", "latency_ms_total", "bot_episodes",
    "human_episodes", "bot_seconds", "handle_seconds", "asked", "rated", "bot_score", "human_score", "bot_nps", "human_nps",
    "waits", "handoffs", "waits_taken", "waited_seconds_total", "promises", "promises_kept", "citations", "disliked_citations",
)  # fmt: skip
_BY_OPENING = ExportRows(fact_conversations, ("opened_day", "conversation_id"))
_BY_END = ExportRows(fact_conversations, ("resolved_day", "conversation_id"))
KINDS: dict[str, Kind] = {
    "conversations": Kind(_BY_OPENING, "conversations", _CONVERSATION),
    "resolved": Kind(_BY_END, "conversations", _CONVERSATION),
    "messages": Kind(
        ExportRows(fact_messages, ("day", "message_id")), "messages",
        ("message_id", *_PLACE, *_PARTS, "author", "contact_name", "text"),
    ),
    "turns": Kind(
        ExportRows(fact_turns, ("day", "turn_id")), "turns",
        ("turn_id", *_PLACE, *_PARTS, "missed", "failed", "knowledge", "latency_ms", "confidence", "correct"),
    ),
    "episodes": Kind(
        ExportRows(fact_episodes, ("day", "episode_id")), "csat",
        ("episode_id", *_APART, *_PARTS, "served", "asked", "answered", "score", "nps", "seconds"),
    ),
    "waits": Kind(
        ExportRows(fact_waits, ("day", "wait_id")), "handoffs",
        ("wait_id", *_APART, *_PARTS, "reason", "by_bot", "waited_seconds", "error_seconds", "in_time", "due_at"),
    ),
    "citations": Kind(
        ExportRows(fact_citations, ("day", "turn_id", "article")), "cited",
        ("turn_id", *_PLACE, *_PARTS, "article", "article_title", "disliked"),
    ),
}  # fmt: skip
_DAYS = {"day", "opened_day", "resolved_day"}


@dataclass(frozen=True, slots=True)
class Export:
    """One file that somebody asked for; ``query`` holds its period and what it is limited to."""

    kind: Kind
    query: Query
    sight: Sight
    labels: Labels
    hide: Hide

    async def count(self, database: Database) -> int:
        """How many rows it has."""
        async with database.read() as connection:
            return await ExportStore(connection).count(self.kind.rows, self.query, self.sight)

    async def written(self, database: Database, form: Format) -> AsyncIterator[bytes]:
        """The file, piece by piece; no transaction stays open while a piece is on its way."""
        if form is Format.XLSX:
            sink = _Sink()
            book = Workbook(sink, self.kind.columns)  # type: ignore[arg-type]  # all that is used of a file
            async for rows in self._pages(database):
                await asyncio.to_thread(book.write, map(self._row, rows))
                yield sink.taken()
            await asyncio.to_thread(book.close)
            yield sink.taken()
            return
        if form is Format.CSV:
            yield BEFORE_CSV + csv_lines([self.kind.columns])
        async for rows in self._pages(database):
            yield await asyncio.to_thread(self._lines, rows, form)

    def _lines(self, rows: Sequence[dict[str, Any]], form: Format) -> bytes:
        cells = map(self._row, rows)
        return csv_lines(cells) if form is Format.CSV else json_lines(self.kind.columns, cells)

    async def _pages(self, database: Database) -> AsyncIterator[list[dict[str, Any]]]:
        after: Place | None = None
        while True:
            async with database.read() as connection:
                store = ExportStore(connection)
                found = await store.page(self.kind.rows, self.query, self.sight, after, PAGE)
                rows = [dict(row._mapping) for row in found]
                if rows:
                    await self._add(store, rows)
            if rows:
                yield rows
            if len(rows) < PAGE:
                return
            after = self.kind.rows.place_of(found[-1])

    async def _add(self, store: ExportStore, rows: list[dict[str, Any]]) -> None:
        """What is not in the facts themselves, because it is personal or adds up others."""
        ids = {row["conversation_id"] for row in rows}
        if "contact_name" in self.kind.columns:
            people = await store.people(ids)
            for row in rows:
                one = people.get(row["conversation_id"])
                if one is not None:
                    row |= {"contact_name": one.name, "status": one.status}
                    row["contact_address"] = f"{one.channel}:{one.account}:{one.contact}"
        if "text" in self.kind.columns:
            words = await store.words({row["message_id"] for row in rows})
            for row in rows:
                row["text"] = words.get(row["message_id"], "")
        if "turns" in self.kind.columns:
            sums = await store.sums(ids)
            for row in rows:
                row |= sums[row["conversation_id"]]

    def _row(self, row: dict[str, Any]) -> list[Cell]:
        for name in ("team", "agent"):
            row[f"{name}_name"] = self.labels.get(name, {}).get(row[name], "")
        if "article" in row:
            row["article_title"] = self.labels.get("article", {}).get(row["article"], "")
        return [self._cell(name, row) for name in self.kind.columns]

    def _cell(self, name: str, row: dict[str, Any]) -> Cell:
        value = row.get(name)
        if name in _PERSONAL and value:
            return self.hide(name, value, row.get("contact_name"))
        if name in _DAYS:
            return day_of(value)
        if value is None and name in _COUNTS and self.kind.columns is _CONVERSATION:
            return 0
        return int(value) if isinstance(value, Decimal) else value  # sums are decimals on PostgreSQL


_PERSONAL = {"contact_name", "contact_address", "text"}
#: Empty where there was nothing to be counted.
_COUNTS = frozenset(_CONVERSATION[_CONVERSATION.index("contact_messages") :]) - {
    "bot_score", "human_score", "bot_nps", "human_nps",
}  # fmt: skip


def export_of(kind: str, form: Mapping[str, Any], sight: Sight, labels: Labels, hide: Hide) -> Export:
    """An export of a kind; ``form`` holds ``since``, ``until`` and ``filters`` as a question to the reports has them."""
    found = KINDS.get(kind)
    if found is None:
        raise QueryError("unknown_rows", f"There is no export of {kind!r}.", kind)
    return Export(found, Query.of({**form, "metric": found.metric}), sight, labels, hide)


class _Sink(io.RawIOBase):
    """Takes what is written and gives it on; nobody can go back in it, so nothing needs to be kept."""

    def __init__(self) -> None:
        super().__init__()
        self._parts: list[bytes] = []

    def writable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return False

    def write(self, data: Any) -> int:
        self._parts.append(bytes(data))
        return len(data)

    def taken(self) -> bytes:
        """What was written since the last time."""
        found = b"".join(self._parts)
        self._parts.clear()
        return found
