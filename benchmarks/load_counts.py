"""What the desk's own database says of a load run: nothing that contacts saw can hide a lost or overtaken message from it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from sqlalchemy import text

from conversations.store import Database

_MESSAGES = "SELECT count(*) FROM inbox"
_UNFINISHED = "SELECT count(*) FROM inbox WHERE state IN ('new', 'running')"
_GAPS = "SELECT count(*) FROM (SELECT conversation_id FROM messages GROUP BY conversation_id HAVING max(seq) <> count(*)) AS gaps"
_SIZE = {
    "sqlite": "SELECT page_count * page_size FROM pragma_page_count(), pragma_page_size()",
    "postgresql": "SELECT pg_database_size(current_database())",
}
_TURNS = "SELECT conversation_id, in_seq, out_seqs FROM turns ORDER BY conversation_id, in_seq"


@dataclass(frozen=True, slots=True)
class DeskCounts:
    """Totals of a database."""

    messages: int  #: of contacts
    unfinished: int  #: of them, without an answer yet
    turns: int
    out_of_order: int  #: turns whose answer was said before the one to an earlier message
    gaps: int  #: conversations in whose numbering something is missing
    size: int  #: of the database in bytes, indexes included


async def desk_counts(url: str) -> DeskCounts:
    """Count everything in the database at this address."""
    database = Database.open(url)
    try:
        async with database.read() as connection:

            async def number(query: str) -> int:
                return int((await connection.execute(text(query))).scalar_one())

            rows = [tuple(row) for row in await connection.execute(text(_TURNS))]
            return DeskCounts(
                messages=await number(_MESSAGES),
                unfinished=await number(_UNFINISHED),
                turns=len(rows),
                out_of_order=overtaken(rows),
                gaps=await number(_GAPS),
                size=await number(_SIZE[connection.dialect.name]),
            )
    finally:
        await database.close()


def overtaken(turns: list[Any]) -> int:
    """How many answers come before the answer to an earlier message; turns sorted by conversation and message."""
    found = 0
    for _, one in groupby(turns, key=lambda turn: turn[0]):
        latest = 0
        for _, in_seq, out_seqs in one:
            said = json.loads(out_seqs) if isinstance(out_seqs, str) else out_seqs
            if said and (min(said) < latest or min(said) < in_seq):
                found += 1
            latest = max([latest, *said])
    return found
