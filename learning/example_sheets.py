"""Examples as files to carry: CSV for spreadsheets and YAML as Rasa has it, both ways; nothing is changed here."""

from __future__ import annotations

import csv
import io
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from learning.annotations import key_of
from learning.changes import LANGUAGES, MAX_CHANGES, OUT_OF_SCOPE, Add, Example, ExampleRefused
from learning.edit_plan import check_new
from learning.example_files import BadFile, ExampleFile
from learning.example_folder import Shelf

COLUMNS = ("language", "intent", "text")
MAX_BYTES = 5 * 1024 * 1024
_FORMULA = ("=", "+", "-", "@", "\t", "\r")  # a spreadsheet would run these; an apostrophe keeps them text


@dataclass(frozen=True, slots=True)
class Line:
    """One example of a file: the line it stands in (0 where the format has none) and what would happen to it.

    ``state`` is new, there (already an example of that intent), twice (in the file) or the code of a refusal.
    """

    number: int
    example: Example
    state: str
    message: str = ""


def read_sheet(content: bytes, name: str, language: str | None, shelf: Shelf) -> list[Line]:
    """Every example of a CSV or YAML file with what an import would do; raises ``ExampleRefused`` for an unreadable file.

    ``language`` is that of a YAML file, which does not say it.
    """
    if len(content) > MAX_BYTES:
        raise ExampleRefused(
            "too_long", f"The file is larger than {MAX_BYTES // 1024 // 1024} MiB. Import it in parts."
        )
    if name.lower().endswith((".yml", ".yaml")):
        if language not in LANGUAGES:
            raise ExampleRefused("no_language", "Say which language the examples of this file are in.")
        found = _from_yaml(content, name, language)
    else:
        found = _from_csv(content)
    if not found:
        raise ExampleRefused("empty", "The file holds no examples.")
    if len(found) > MAX_CHANGES:
        raise ExampleRefused("too_many", f"A file may have at most {MAX_CHANGES} examples.", {"most": MAX_CHANGES})
    seen: dict[tuple[str, str], Example] = {}
    return [_judged(number, example, shelf, seen) for number, example in found]


def additions(lines: Sequence[Line]) -> list[Add]:
    """What an import adds: the new ones."""
    return [Add(one.example.language, one.example.intent, one.example.text) for one in lines if one.state == "new"]


def as_csv(examples: Iterable[Example]) -> bytes:
    """In UTF-8 with the mark by which spreadsheets recognise it."""
    sheet = io.StringIO()
    writer = csv.writer(sheet, lineterminator="\r\n")
    writer.writerow(COLUMNS)
    for one in examples:
        writer.writerow([one.language, one.intent, _safe(one.text)])
    return sheet.getvalue().encode("utf-8-sig")


def as_yaml(examples: Iterable[Example]) -> bytes:
    """One file in Rasa's format, a block for each intent; Rasa's format does not say which language a line is in."""
    blocks: dict[str, list[str]] = defaultdict(list)
    for one in examples:
        blocks[one.intent].append(one.text)
    parts = ['version: "3.1"\nnlu:\n']
    for intent, texts in blocks.items():
        parts.append(f"  - intent: {intent}\n    examples: |\n")
        parts += [f"      - {text}\n" for text in texts]
    return "".join(parts).encode()


def _from_csv(content: bytes) -> list[tuple[int, Example]]:
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = content.decode("gb18030", "replace")  # as Chinese spreadsheets save
    try:
        rows = csv.DictReader(io.StringIO(text, newline=""), strict=True)
        names = {(name or "").strip().lower() for name in rows.fieldnames or ()}
        if not set(COLUMNS) <= names:
            raise ExampleRefused("header", f"The first line must name the columns: {', '.join(COLUMNS)}.")
        found = []
        for row in rows:
            cells = {(name or "").strip().lower(): value for name, value in row.items() if isinstance(value, str)}
            language, intent, words = (_plain(cells.get(column, "")).strip() for column in COLUMNS)
            if language or intent or words:
                found.append((rows.line_num, Example(language.lower(), intent, words)))
        return found
    except csv.Error as error:
        raise ExampleRefused("bad_file", f"This is not a CSV file: {error}.") from None


def _from_yaml(content: bytes, name: str, language: str) -> list[tuple[int, Example]]:
    try:
        file = ExampleFile(name.rpartition("/")[2][:80], content)
    except BadFile as problem:
        raise ExampleRefused("bad_file", f"{problem}.", {"line": problem.line}) from None
    return [(number, Example(language, intent, text)) for number, intent, text in file.numbered()]


def _judged(number: int, example: Example, shelf: Shelf, seen: dict[tuple[str, str], Example]) -> Line:
    key = key_of(example.text)
    same = [one.example for one in shelf.by_key.get(key, ())] if example.text else []
    if any((one.language, one.intent) == (example.language, example.intent) for one in same):
        return Line(number, example, "there")
    try:
        if example.language not in LANGUAGES:
            raise ExampleRefused("bad_language", "The language must be zh or en.")
        check_new(shelf, example)
    except ExampleRefused as refused:
        return Line(number, example, refused.code, refused.message)
    for other in same:
        gate = OUT_OF_SCOPE in (other.intent, example.intent) and other.intent != example.intent
        if other.language == example.language or gate:
            return Line(number, example, "exists", f"It is already an example of {other.intent}.")
    before = seen.setdefault((example.language, key), example)
    gate_before = [seen[one, key] for one in LANGUAGES if (one, key) in seen and seen[one, key] != example]
    if before is not example:
        state = "twice" if before.intent == example.intent else "exists"
        return Line(number, example, state, f"The file has it as an example of {before.intent} too.")
    for one in gate_before:
        if OUT_OF_SCOPE in (one.intent, example.intent) and one.intent != example.intent:
            del seen[example.language, key]
            return Line(number, example, "exists", f"The file has it as an example of {one.intent} too.")
    return Line(number, example, "new")


def line_json(line: Line) -> dict[str, Any]:
    """A line as the console shows it."""
    return {
        "line": line.number,
        "language": line.example.language,
        "intent": line.example.intent,
        "text": line.example.text[:600],
        "state": line.state,
        "message": line.message,
    }


def _safe(text: str) -> str:
    return f"'{text}" if text.startswith(_FORMULA) or text[:1] == "'" else text


def _plain(text: str) -> str:
    text = text.replace("\0", "")
    return text[1:] if text[:1] == "'" and (text[1:].startswith(_FORMULA) or text[1:2] == "'") else text
