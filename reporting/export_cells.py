"""What stands in the cells of an export, and how CSV and JSON write it."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, date, datetime

Cell = str | int | float | bool | datetime | None
_FORMULA = ("=", "+", "-", "@", "\t", "\r")  # a spreadsheet would run what begins with these
BEFORE_CSV = "\ufeff".encode()  #: by which spreadsheets recognise UTF-8
_BLANK = " \u3000\ufeff"


def would_run(text: str) -> bool:
    """Whether a spreadsheet would take a text for a formula; it passes over blanks before one."""
    return text.lstrip(_BLANK).startswith(_FORMULA)


def harmless(text: str) -> str:
    """A text as CSV may hold it: an apostrophe before what a spreadsheet would run keeps it text."""
    return f"'{text}" if would_run(text) else text


def moment_of(value: datetime) -> str:
    """A time as every export but the workbook has it: ISO 8601 in UTC."""
    return value.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def day_of(number: int | None) -> str | None:
    """The day that facts keep as a number."""
    return None if number is None else date.fromordinal(number).isoformat()


def csv_lines(rows: Iterable[Sequence[Cell]]) -> bytes:
    """Rows as CSV; an apostrophe before what a spreadsheet would run keeps it text."""
    sheet = io.StringIO()
    csv.writer(sheet, lineterminator="\r\n").writerows([_plain(cell) for cell in row] for row in rows)
    return sheet.getvalue().encode("utf-8", "replace")


def json_lines(columns: Sequence[str], rows: Iterable[Sequence[Cell]]) -> bytes:
    """Rows as one JSON object a line."""
    return b"".join(_object(dict(zip(columns, row, strict=True))) for row in rows)


def _object(form: Mapping[str, Cell]) -> bytes:
    written = {name: moment_of(one) if isinstance(one, datetime) else one for name, one in form.items()}
    return (json.dumps(written, ensure_ascii=False) + "\n").encode("utf-8", "replace")


def _plain(cell: Cell) -> str | int | float:
    if cell is None:
        return ""
    if isinstance(cell, bool):
        return int(cell)
    if isinstance(cell, datetime):
        return moment_of(cell)
    if isinstance(cell, str):
        return harmless(cell)
    return cell
