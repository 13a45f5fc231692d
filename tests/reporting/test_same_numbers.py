"""Every figure once more, by plain SQL over the exported rows: what the reports say is what the files add up to."""

from __future__ import annotations

import csv
import io
import os
import sqlite3
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from benchmarks.reports_history import fill
from conversations.sealing import Keyring
from conversations.sight import EVERYTHING
from conversations.store import Database
from conversations.work_leases import WorkLeases
from reporting.catalogue import METRICS, Form
from reporting.export_cells import BEFORE_CSV
from reporting.exports import KINDS, Format, export_of
from reporting.query import Query
from reporting.reports import Figure, Reports

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
ZONE = ZoneInfo("Asia/Shanghai")
SINCE, UNTIL = date(2026, 11, 3), date(2026, 11, 14)
WHOLE = {"since": "2026-10-01", "until": "2026-11-30"}
_WEEK = (NOW - timedelta(days=7)).isoformat(timespec="milliseconds").replace("+00:00", "Z")
_ALONE = "handed_off = 0 and held = 0"
#: metric: the file, the column of its day, what counts, and what of it is the part, is subtracted, or is measured
SAME: dict[str, tuple[str, str, str, str]] = {
    "conversations": ("conversations", "opened_day", "1", "1"),
    "messages": ("messages", "day", "1", "1"),
    "turns": ("turns", "day", "1", "1"),
    "handoffs": ("waits", "day", "by_bot", "1"),
    "bot_share": ("conversations", "opened_day", "1", "bot_messages > 0 and agent_messages = 0"),
    "escalation": ("conversations", "opened_day", "1", "handoffs > 0"),
    "contained": ("conversations", "resolved_day", "1", "handoffs = 0 and human_episodes = 0"),
    "verified": ("conversations", "resolved_day", "1", "resolution = 'verified'"),
    "assumed": ("conversations", "resolved_day", "1", "resolution = 'assumed'"),
    "refuted": ("conversations", "resolved_day", "1", "resolution = 'refuted'"),
    "miss_rate": ("turns", "day", "1", "missed"),
    "failed_actions": ("turns", "day", "failed", "1"),
    "saved_verified": ("conversations", "resolved_day", f"{_ALONE} and resolution = 'verified'", "14"),
    "saved_assumed": ("conversations", "resolved_day", f"{_ALONE} and resolution = 'assumed'", "14"),
    "csat": ("episodes", "day", "score <> ''", "cast(score as int) >= 4"),
    "nps": ("episodes", "day", "nps <> ''", "case when cast(nps as int) >= 9 then 100.0 when cast(nps as int) <= 6 then -100.0 else 0 end"),
    "response_rate": ("episodes", "day", "asked", "answered"),
    "first_response": ("conversations", "opened_day", "response_seconds <> ''", "response_seconds"),
    "wait": ("waits", "day", "waited_seconds <> ''", "waited_seconds"),
    "wait_error": ("waits", "day", "error_seconds <> ''", "error_seconds"),
    "handle_time": ("episodes", "day", "served = 'human'", "seconds"),
    "first_contact_resolution": ("conversations", "resolved_day", f"again or resolved_at <= '{_WEEK}'", "resolution <> 'refuted' and not again"),
    "reopened": ("conversations", "resolved_day", "1", "again"),
    "sla": ("waits", "day", "in_time <> ''", "in_time"),
    "answered": ("turns", "day", "knowledge = 'answered'", "1"),
    "missed": ("turns", "day", "knowledge = 'missed'", "1"),
    "cited": ("citations", "day", "1", "1"),
    "disliked": ("citations", "day", "disliked", "1"),
    "accuracy": ("turns", "day", "correct <> ''", "correct"),
    "latency": ("turns", "day", "1", "latency_ms"),
}  # fmt: skip


async def exported(database: Database, kind: str) -> list[list[str]]:
    export = export_of(kind, WHOLE, EVERYTHING, {}, lambda _column, value, _name: value)
    content = b"".join([piece async for piece in export.written(database, Format.CSV)])
    rows = list(csv.reader(io.StringIO(content.removeprefix(BEFORE_CSV).decode(), newline="")))
    assert len(rows) == 1 + await export.count(database)
    return rows


async def loaded(database: Database) -> sqlite3.Connection:
    """The files as tables of a database that knows nothing else."""
    sheet = sqlite3.connect(":memory:")
    for kind in KINDS:
        columns, *rows = await exported(database, kind)
        sheet.execute(f"create table {kind} ({', '.join(f'{one} blob' for one in columns)})")
        typed = ([int(cell) if cell.isdigit() else cell for cell in row] for row in rows)
        sheet.executemany(f"insert into {kind} values ({', '.join('?' * len(columns))})", typed)
    return sheet


def counted(sheet: sqlite3.Connection, metric: str, where: str = "1") -> list[float]:
    """The values of everything that counts, in order."""
    kind, day, which, value = SAME[metric]
    period = f"{day} between '{SINCE}' and '{UNTIL}'"
    rows = sheet.execute(f"select {value} from {kind} where {period} and ({which}) and ({where}) order by 1")
    return [float(row[0]) for row in rows]


def agrees(metric: str, figure: Figure, values: list[float]) -> bool:
    form = METRICS[metric].form
    if form in (Form.COUNT, Form.MONEY):
        return (figure.value or 0) == sum(values)
    if form in (Form.SECONDS, Form.MILLISECONDS):
        middle = {values[(len(values) - 1) // 2], values[len(values) // 2]} if values else {None}
        return figure.whole == len(values) and (
            figure.value in middle or (values != [] and figure.value == sum(map(float, middle)) / len(middle))  # type: ignore[arg-type]
        )
    if figure.value is None:
        return len(values) < 5
    share = sum(values) / len(values)
    return figure.whole == len(values) and figure.value == pytest.approx(share)


@pytest.fixture
async def desk(database: Database) -> Reports:
    """Three weeks of a small desk, read to the end."""
    database.lend_keys(Keyring(os.urandom(32)))
    await fill(database, 400, NOW, seed=3, days=21)
    reports = Reports(database, WorkLeases(database), ZONE, lambda: NOW)
    await reports.follower.catch_up()
    return reports


def _uncounted() -> Iterator[str]:
    return (one for one in METRICS if one not in SAME and one != "calibration")


async def test_every_figure_is_what_the_exported_rows_add_up_to(database: Database, desk: Reports) -> None:
    assert list(_uncounted()) == []
    sheet = await loaded(database)
    for metric in SAME:
        answer = await desk.answer(Query(metric, SINCE, UNTIL), EVERYTHING, compare=False)
        values = counted(sheet, metric)
        assert values, metric
        assert agrees(metric, answer.total, values), (metric, answer.total, len(values), sum(values))
        parts = await desk.answer(Query(metric, SINCE, UNTIL, by="channel"), EVERYTHING, compare=False)
        assert parts.rows, metric
        for row in parts.rows:
            values = counted(sheet, metric, f"channel = '{row.key}'")
            assert agrees(metric, row.figure, values), (metric, row, len(values), sum(values))


async def test_calibration_is_what_the_exported_turns_add_up_to(database: Database, desk: Reports) -> None:
    sheet = await loaded(database)
    answer = await desk.answer(Query("calibration", SINCE, UNTIL), EVERYTHING, compare=False)
    period = f"day between '{SINCE}' and '{UNTIL}' and correct <> '' and confidence <> ''"
    bins = sheet.execute(
        "select count(*), sum(correct), sum(cast(confidence as real)) from turns "
        f"where {period} group by min(9, cast(cast(confidence as real) * 10 as int))"
    ).fetchall()
    whole = sum(row[0] for row in bins)
    assert whole == answer.total.whole
    assert whole > 20
    assert answer.total.value == pytest.approx(sum(abs(right - sure) for _, right, sure in bins) / whole)


async def test_a_conversation_adds_up_to_its_parts(database: Database, desk: Reports) -> None:
    sheet = await loaded(database)
    parts = {
        "turns": "select count(*) from turns", "missed_turns": "select sum(missed) from turns", "failed_turns": "select sum(failed) from turns",
        "citations": "select count(*) from citations", "waits": "select count(*) from waits",
        "handle_seconds": "select sum(seconds) from episodes where served = 'human'",
        "contact_messages": "select count(*) from messages where author = 'contact'",
        "agent_messages": "select count(*) from messages where author = 'agent'",
    }  # fmt: skip
    for column, part in parts.items():
        assert sheet.execute(f"select sum({column}) from conversations").fetchone() == sheet.execute(part).fetchone(), (
            column
        )
