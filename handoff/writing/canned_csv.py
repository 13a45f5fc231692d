"""Canned replies as a CSV file: what a spreadsheet opens, and what it saves is read again."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable
from dataclasses import dataclass

from handoff.writing.canned import BadCanned, CannedDraft, CannedReply, checked

COLUMNS = ("shortcut", "title_zh", "title_en", "text_zh", "text_en")
MAX_ROWS = 2000
_FORMULA = ("=", "+", "-", "@", "\t")  # a spreadsheet would run these; an apostrophe keeps them text


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong with one line of a file; the first line after the header is line 2."""

    line: int
    message: str
    code: str  #: for a console that says it in its own words
    detail: str | None = None


def written(replies: Iterable[CannedReply]) -> bytes:
    """The file, in UTF-8 with the mark by which spreadsheets recognise it."""
    sheet = io.StringIO()
    writer = csv.writer(sheet, lineterminator="\r\n")
    writer.writerow(COLUMNS)
    for one in replies:
        writer.writerow([_safe(str(getattr(one, column))) for column in COLUMNS])
    return sheet.getvalue().encode("utf-8-sig")


def read(content: bytes) -> tuple[list[CannedDraft], list[Problem]]:
    """The drafts of a file and everything wrong with it; nothing may be kept while there is a problem."""
    try:
        rows = csv.DictReader(io.StringIO(_text(content), newline=""), strict=True)
        names = {(name or "").strip().lower() for name in rows.fieldnames or ()}
    except csv.Error as error:
        return [], [Problem(1, f"This is not a CSV file: {error}.", "file")]
    if "shortcut" not in names or not names & {"text_zh", "text_en"}:
        return [], [Problem(1, f"The first line must name the columns: {', '.join(COLUMNS)}.", "header")]
    drafts: list[CannedDraft] = []
    problems: list[Problem] = []
    lines: dict[str, int] = {}
    try:
        for row in rows:
            line = rows.line_num
            cells = {(k or "").strip().lower(): _plain(v) for k, v in row.items() if isinstance(v, str)}
            if not any(cells.values()):
                continue
            if len(drafts) >= MAX_ROWS:
                problems.append(Problem(line, f"A file may have at most {MAX_ROWS} canned replies.", "too_many"))
                break
            try:
                draft = checked(CannedDraft(**{column: cells.get(column, "") for column in COLUMNS}))
            except BadCanned as error:
                problems.append(Problem(line, str(error), error.code, error.detail))
                continue
            if draft.shortcut in lines:
                told = f"Line {lines[draft.shortcut]} has the shortcut {draft.shortcut} too."
                problems.append(Problem(line, told, "twice", draft.shortcut))
            lines.setdefault(draft.shortcut, line)
            drafts.append(draft)
    except csv.Error as error:
        problems.append(Problem(rows.line_num, f"This line cannot be read: {error}.", "file"))
    if not drafts and not problems:
        problems.append(Problem(2, "The file has no canned replies.", "empty"))
    return drafts, problems


def _text(content: bytes) -> str:
    """UTF-8 as most programs write it, else the encoding in which Chinese spreadsheets save."""
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        return content.decode("gb18030", "replace")


def _safe(text: str) -> str:
    return f"'{text}" if text.startswith(_FORMULA) else text


def _plain(text: str) -> str:
    text = text.replace("\0", "")
    return text[1:] if text[:1] == "'" and text[1:].startswith(_FORMULA) else text
