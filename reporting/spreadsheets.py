"""Writes an Excel workbook row by row, in memory that does not grow with it: a sheet is never held as a whole.

Everything is a value and nothing a formula: texts are inline strings, and those that would begin a formula if somebody
edited their cell carry the mark that keeps them text.
"""

from __future__ import annotations

import re
import zipfile
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import IO
from xml.sax.saxutils import escape

from reporting.export_cells import Cell, would_run

MOST_ROWS = 1_048_576  #: of one sheet; more go on in the next one
MOST_LETTERS = 32_767  #: of one cell
_EPOCH = datetime(1899, 12, 30, tzinfo=UTC)
#: What XML cannot hold, and what Excel would take for one of its own escapes.
_FORBIDDEN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
_ESCAPE = re.compile(r"_(?=x[0-9A-Fa-f]{4}_)")
_MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_PACKAGE = "http://schemas.openxmlformats.org/package/2006"
_HEAD = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml"
_PLAIN, _MOMENT, _QUOTED, _TITLE = range(4)  #: places among the styles below
_STYLES = (
    f'{_HEAD}<styleSheet xmlns="{_MAIN}"><numFmts count="1"><numFmt numFmtId="164" formatCode="yyyy\\-mm\\-dd\\ hh:mm:ss"/>'
    '</numFmts><fonts count="2"><font><sz val="11"/><name val="Calibri"/></font><font><b/><sz val="11"/><name val="Calibri"/>'
    '</font></fonts><fills count="2"><fill><patternFill patternType="none"/></fill><fill><patternFill patternType="gray125"/>'
    '</fill></fills><borders count="1"><border/></borders><cellStyleXfs count="1"><xf/></cellStyleXfs><cellXfs count="4">'
    '<xf xfId="0"/><xf xfId="0" numFmtId="164" applyNumberFormat="1"/><xf xfId="0" quotePrefix="1"/>'
    '<xf xfId="0" fontId="1" applyFont="1"/></cellXfs></styleSheet>'
)
_TOP_ROW = (
    '<sheetViews><sheetView workbookViewId="0"><pane ySplit="1" topLeftCell="A2" activePane="bottomLeft" state="frozen"/>'
    "</sheetView></sheetViews>"
)


class Workbook:
    """A workbook that is written into a file which need not be able to go back; call ``close`` at the end."""

    def __init__(self, file: IO[bytes], columns: Sequence[str], *, most_rows: int = MOST_ROWS) -> None:
        self._archive = zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED, compresslevel=3)
        self._columns, self._most_rows = columns, most_rows
        self._sheets = self._rows = 0
        self._sheet: IO[bytes] | None = None
        self._begin()

    def write(self, rows: Iterable[Sequence[Cell]]) -> None:
        """Add rows."""
        written: list[str] = []
        for row in rows:
            if self._rows >= self._most_rows:
                self._put("".join(written))
                written.clear()
                self._end()
                self._begin()
            self._rows += 1
            written.append(f"<row>{''.join(map(_cell, row))}</row>")
        self._put("".join(written))

    def close(self) -> None:
        """Write what names the sheets, and the end of the file."""
        self._end()
        numbers = range(1, self._sheets + 1)
        sheets = "".join(f'<sheet name="{number}" sheetId="{number}" r:id="r{number}"/>' for number in numbers)
        book = f'<workbook xmlns="{_MAIN}" xmlns:r="{_OFFICE}"><sheets>{sheets}</sheets></workbook>'
        named = [(f"r{number}", f"worksheets/sheet{number}.xml", "worksheet") for number in numbers]
        types = "".join(
            f'<Override PartName="/xl/worksheets/sheet{number}.xml" ContentType="{_TYPE}.worksheet+xml"/>'
            for number in numbers
        )
        self._part("xl/workbook.xml", _HEAD + book)
        self._part("xl/styles.xml", _STYLES)
        self._part("xl/_rels/workbook.xml.rels", _relations([*named, ("s", "styles.xml", "styles")]))
        self._part("_rels/.rels", _relations([("b", "xl/workbook.xml", "officeDocument")]))
        self._part(
            "[Content_Types].xml",
            f'{_HEAD}<Types xmlns="{_PACKAGE}/content-types">'
            '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
            f'<Override PartName="/xl/workbook.xml" ContentType="{_TYPE}.sheet.main+xml"/>'
            f'<Override PartName="/xl/styles.xml" ContentType="{_TYPE}.styles+xml"/>{types}</Types>',
        )
        self._archive.close()

    def _begin(self) -> None:
        self._sheets, self._rows = self._sheets + 1, 1
        self._sheet = self._archive.open(f"xl/worksheets/sheet{self._sheets}.xml", "w", force_zip64=True)
        titles = "".join(_text(name, _TITLE) for name in self._columns)
        self._put(f'{_HEAD}<worksheet xmlns="{_MAIN}">{_TOP_ROW}<sheetData><row>{titles}</row>')

    def _end(self) -> None:
        self._put("</sheetData></worksheet>")
        assert self._sheet is not None
        self._sheet.close()

    def _put(self, xml: str) -> None:
        assert self._sheet is not None
        self._sheet.write(xml.encode())

    def _part(self, name: str, xml: str) -> None:
        self._archive.writestr(name, xml)


def _relations(listed: Iterable[tuple[str, str, str]]) -> str:
    each = "".join(
        f'<Relationship Id="{own}" Type="{_OFFICE}/{kind}" Target="{target}"/>' for own, target, kind in listed
    )
    return f'{_HEAD}<Relationships xmlns="{_PACKAGE}/relationships">{each}</Relationships>'


def _cell(value: Cell) -> str:
    if value is None or value == "":
        return "<c/>"
    if isinstance(value, bool):
        return f'<c t="b"><v>{int(value)}</v></c>'
    if isinstance(value, int | float):
        return f"<c><v>{value!r}</v></c>"
    if isinstance(value, datetime):
        days = (value.astimezone(UTC) - _EPOCH).total_seconds() / 86_400
        return f'<c s="{_MOMENT}"><v>{days:.8f}</v></c>'
    return _text(value, _QUOTED if would_run(value) else _PLAIN)


def _text(value: str, style: int) -> str:
    clean = _FORBIDDEN.sub("\ufffd", _ESCAPE.sub("_x005F_", value[:MOST_LETTERS]))
    return f'<c t="inlineStr" s="{style}"><is><t xml:space="preserve">{escape(clean)}</t></is></c>'
