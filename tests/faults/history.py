"""What must hold once everything has come to rest, whatever was done to the desk: checkers a to h."""

from __future__ import annotations

import asyncio
import re
import sqlite3
import time
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import asyncpg
from sqlalchemy import select

import settings as desk_settings
from conversations import audit_check
from conversations.key_rotation import open_keys
from conversations.sealing import Files
from conversations.store import Database
from conversations.tables import conversations, messages
from tests.faults.desk import Around

_ANSWER = re.compile(r"^re: #(\d+) ")
_TOKEN = re.compile(r"tok[0-9a-f]{12}")
REST_SECONDS = 60.0


@dataclass
class Books:
    """The desk's database, read from outside."""

    url: str  #: "" is SQLite in the folder
    data: Path

    async def rows(self, query: str) -> list[tuple[Any, ...]]:
        """The rows of a query."""
        if self.url.startswith("postgresql"):
            connection = await asyncpg.connect(self.url.replace("+asyncpg", ""))
            try:
                return [tuple(row.values()) for row in await connection.fetch(query)]
            finally:
                await connection.close()
        return await asyncio.to_thread(self._sqlite, query)

    async def said(self) -> list[tuple[str, str, str]]:
        """Every message with the address of its contact and its author, opened with the desk's keys."""
        from tests.faults.desk import SECRETS

        database = Database.open(self.url or f"sqlite+aiosqlite:///{self.data / 'frontdesk.db'}")
        try:
            await open_keys(database, desk_settings.load(SECRETS).wrapping_keys)
            async with database.read() as connection:
                query = select(conversations.c.contact, messages.c.author, messages.c.text)
                rows = await connection.execute(query.join(messages, messages.c.conversation_id == conversations.c.id))
                return [tuple(row) for row in rows]
        finally:
            await database.close()

    def _sqlite(self, query: str) -> list[tuple[Any, ...]]:
        connection = sqlite3.connect(f"file:{self.data / 'frontdesk.db'}?mode=ro", uri=True, timeout=20)
        try:
            return connection.execute(query).fetchall()
        finally:
            connection.close()


@dataclass
class Verdict:
    """What the checkers found."""

    acknowledged: int = 0
    lost: list[str] = field(default_factory=list)
    duplicated: list[str] = field(default_factory=list)
    out_of_order: list[str] = field(default_factory=list)
    broken: list[str] = field(default_factory=list)  #: everything else that must hold
    repeats: int = 0  #: posted again after an interruption, under the same id, and counted as doubtful
    set_aside: int = 0
    recovery_seconds: float = 0.0

    @property
    def sound(self) -> bool:
        """Whether nothing was found."""
        return not (self.lost or self.duplicated or self.out_of_order or self.broken)

    def first(self) -> str:
        """The first few findings."""
        found = [*self.lost[:3], *self.duplicated[:3], *self.out_of_order[:3], *self.broken[:3]]
        return "; ".join(found) or "sound"


async def at_rest(books: Books, seconds: float = REST_SECONDS, *, deliveries: bool = True) -> float:
    """Wait until nothing is waiting any more; returns the seconds, raises when it takes too long."""
    began = time.monotonic()
    while True:
        [(turns,)] = await books.rows("SELECT count(*) FROM inbox WHERE state IN ('new', 'running')")
        waiting = await books.rows("SELECT count(*) FROM outbox WHERE state IN ('pending', 'sending')")
        if turns == 0 and (waiting[0][0] == 0 or not deliveries):
            return time.monotonic() - began
        if time.monotonic() - began > seconds:
            raise AssertionError(f"after {seconds:.0f} s {turns} turns and {waiting[0][0]} deliveries still wait")
        await asyncio.sleep(0.1)


async def judge(desk: Around, books: Books, *, chain: bool = True) -> Verdict:
    """All checkers on a desk at rest."""
    verdict = Verdict(acknowledged=len(desk.load.acknowledged))
    inbox = await books.rows("SELECT channel, external_id, message_id, conversation_id, seq, state FROM inbox")
    await _nothing_lost(desk, books, verdict, inbox)
    await _answered_once_in_order(books, verdict, inbox)
    await _delivered(desk, books, verdict)
    await _gap_free(books, verdict)
    await _files(books, verdict)
    _no_leak(desk, verdict)
    if chain:
        await _chain(desk, books, verdict)
    _log(desk, verdict)
    return verdict


async def _nothing_lost(desk: Around, books: Books, verdict: Verdict, inbox: list[tuple[Any, ...]]) -> None:
    """(a) Every acknowledged message is there once, and finished."""
    states = {row[1]: row[5] for row in inbox if row[0] == "webhook"}
    verdict.set_aside = sum(row[5] == "dead" for row in inbox)
    texts = Counter((contact, text) for contact, author, text in await books.said() if author == "contact")
    for external_id, one in desk.load.acknowledged.items():
        stored = texts[one.contact, one.text]
        if stored == 0 or (one.channel == "webhook" and external_id not in states):
            verdict.lost.append(f"{external_id} was acknowledged and is gone")
        elif stored > 1:
            verdict.duplicated.append(f"{external_id} is stored {stored} times")
        if one.channel == "webhook" and states.get(external_id, "done") not in ("done", "dead"):
            verdict.lost.append(f"{external_id} was never finished: {states[external_id]}")


async def _answered_once_in_order(books: Books, verdict: Verdict, inbox: list[tuple[Any, ...]]) -> None:
    """(a, b) One turn per message, answered once, in the order of the messages."""
    seqs = {row[2]: row[4] for row in inbox}
    said = await books.rows(
        "SELECT conversation_id, seq, turn_id FROM messages WHERE author = 'bot' AND turn_id IS NOT NULL"
        " ORDER BY conversation_id, seq"
    )
    verdict.duplicated += [
        f"turn {turn} answered {count} times" for turn, count in Counter(row[2] for row in said).items() if count > 1
    ]
    last: dict[str, int] = defaultdict(int)
    for conversation_id, seq, turn_id in said:
        if seqs[turn_id] < last[conversation_id]:
            verdict.out_of_order.append(f"conversation {conversation_id}: answer {seq} came after a later one")
        last[conversation_id] = seqs[turn_id]
    turns = {row[0] for row in await books.rows("SELECT turn_id FROM turns")}
    for turn_id in {row[2] for row in said} - turns:
        verdict.broken.append(f"the answer to {turn_id} has no turn")


async def _delivered(desk: Around, books: Books, verdict: Verdict) -> None:
    """(b, c) Each delivery arrived, in order, once unless its doubt is on record."""
    sent = await books.rows("SELECT id, state, doubts, contact, channel FROM outbox ORDER BY ordinal")
    posts = desk.program.posts
    for outbox_id, state, doubts, contact, _ in sent:
        times = posts[outbox_id]
        if state == "sent" and times == 0:
            verdict.lost.append(f"delivery {outbox_id} to {contact} counts as sent and never arrived")
        if state == "dead":
            verdict.lost.append(f"delivery {outbox_id} to {contact} was given up")
        if times > 1:
            verdict.repeats += times - 1
            if doubts < times - 1 or times > 2:
                verdict.duplicated.append(f"delivery {outbox_id} arrived {times} times with {doubts} doubts")
    known = {row[0] for row in sent}
    verdict.broken += [f"{one} was delivered and is not in the outbox" for one in posts if one not in known]
    answers: dict[str, list[int]] = defaultdict(list)
    for _, contact, text in desk.program.first:
        found = _ANSWER.match(text)
        if found is not None:
            answers[contact].append(int(found[1]))
    for contact, places in answers.items():
        if places != sorted(places):
            verdict.out_of_order.append(f"{contact} heard the answers {places}")
        if len(places) != len(set(places)):
            verdict.duplicated.append(f"{contact} heard an answer twice: {places}")


async def _gap_free(books: Books, verdict: Verdict) -> None:
    """(d) The transcript of every conversation is numbered without gaps."""
    for conversation_id, last, count, highest in await books.rows(
        "SELECT c.id, c.last_seq, count(m.id), max(m.seq) FROM conversations c"
        " LEFT JOIN messages m ON m.conversation_id = c.id GROUP BY c.id, c.last_seq"
    ):
        if not last == count == highest:
            verdict.broken.append(f"conversation {conversation_id}: {count} messages up to {highest}, last is {last}")


async def _files(books: Books, verdict: Verdict) -> None:
    """(a) What came with an acknowledged message is there as well."""
    for attachment_id, size in await books.rows("SELECT id, size FROM attachments"):
        file = books.data / "files" / attachment_id[:2] / attachment_id
        if not file.exists() or file.stat().st_size != size + Files.GROWN:
            verdict.lost.append(f"the file {attachment_id} of an acknowledged message is gone")


def _no_leak(desk: Around, verdict: Verdict) -> None:
    """(e) Nobody hears what belongs to somebody else."""
    from tests.faults.load import token_of

    for _, contact, text in desk.program.first:
        if any(token != token_of(contact) for token in _TOKEN.findall(text)):
            verdict.broken.append(f"{contact} heard what belongs to somebody else")
    if desk.program.forged:
        verdict.broken.append(f"{desk.program.forged} deliveries had a wrong signature")


async def _chain(desk: Around, books: Books, verdict: Verdict) -> None:
    """(f) The audit chain is whole and agrees with its signed checkpoints."""
    url = books.url or f"sqlite+aiosqlite:///{books.data / 'frontdesk.db'}"
    checkpoints = books.data / audit_check.CHECKPOINTS
    if not checkpoints.exists():
        checkpoints.touch()
    found = await audit_check.verify_files(url, checkpoints, books.data / audit_check.PUBLIC_KEY)
    if found.exit_code:
        verdict.broken.append(f"audit chain: {found.message}")


def _log(desk: Around, verdict: Verdict) -> None:
    """(h) No log line holds what a contact wrote or is called."""
    for log in desk.folder.glob("service-*.log"):
        with log.open(errors="replace") as lines:
            leaked = next((line for line in lines if _TOKEN.search(line)), None)
        if leaked is not None:
            verdict.broken.append(f"{log.name} holds personal data: {leaked[:200]}")
