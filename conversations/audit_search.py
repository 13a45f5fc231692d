"""Looks through the audit trail a bounded stretch at a time, newest first, and says how far it looked."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection

from conversations.audit import AuditLog
from conversations.audit_store import AuditStore, Wanted

#: How many entries one look passes over at most, and how many of them it opens.
SPAN = 20_000
MOST_OPENED = 1_000


@dataclass(frozen=True, slots=True)
class Looked:
    """What a look found; ``next`` is where the following one begins, None at the beginning of the trail."""

    rows: tuple[Any, ...]
    next: int | None
    down_to: int  #: the lowest number that was passed over
    at: datetime | None  #: when that was


async def look(
    connection: AsyncConnection,
    audit: AuditLog,
    wanted: Wanted,
    before: int | None,
    limit: int,
    words: Sequence[str] = (),
    since: datetime | None = None,
    until: datetime | None = None,
) -> Looked:
    """Entries below a number that are wanted; every one of ``words`` stands somewhere in the entry or in what is sealed in it."""
    store = AuditStore(connection)
    top = await store.highest() if before is None else before - 1
    if until is not None:
        top = min(top, await store.first_since(until) - 1)
    bottom = max(1, await store.first_since(since) if since is not None else 1)
    # A conversation's own entries are found by their index, so all of them are within reach.
    floor = bottom if wanted.conversation_id is not None else max(bottom, top - SPAN + 1)
    rows = await store.latest(top, floor, wanted, MOST_OPENED if words else limit)
    if top < bottom:
        return Looked((), None, bottom, None)
    full = len(rows) == (MOST_OPENED if words else limit)
    found: list[Any] = []
    down_to = rows[-1].n if full else floor
    for row in rows:
        if words and not await _says(connection, audit, row.body, words):
            continue
        found.append(row)
        if len(found) == limit:
            down_to = row.n
            break
    return Looked(tuple(found), down_to if down_to > bottom else None, down_to, await store.time_of(down_to))


async def _says(connection: AsyncConnection, audit: AuditLog, body: str, words: Sequence[str]) -> bool:
    try:
        form = await audit.open_entry(connection, body)
    except ValueError:
        form = json.loads(body)
        form["personal"] = None
    text = json.dumps([form["data"], form["personal"]], ensure_ascii=False).casefold()
    return all(word in text for word in words)


def words_of(text: str) -> tuple[str, ...]:
    """What is looked for: the words of a text, whatever their case."""
    return tuple(text.casefold().split())
