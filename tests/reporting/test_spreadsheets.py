"""Workbooks: XML that is sound whatever the cells hold, and sheets that go on in the next one."""

from __future__ import annotations

import io
import zipfile
from datetime import UTC, datetime
from xml.etree import ElementTree

from hypothesis import given
from hypothesis import strategies as st

from reporting.export_cells import Cell, csv_lines
from reporting.spreadsheets import Workbook

_MAIN = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"
CELLS = st.one_of(
    st.text(), st.integers(-(2**53), 2**53), st.booleans(), st.none(), st.floats(allow_nan=False, allow_infinity=False)
)


def written(rows: list[list[Cell]], columns: int, most_rows: int = 1000) -> zipfile.ZipFile:
    file = io.BytesIO()
    book = Workbook(file, [f"c{place}" for place in range(columns)], most_rows=most_rows)
    book.write(rows)
    book.close()
    return zipfile.ZipFile(file)


def sheet(book: zipfile.ZipFile, number: int = 1) -> list[list[ElementTree.Element]]:
    tree = ElementTree.fromstring(book.read(f"xl/worksheets/sheet{number}.xml"))
    return [list(row) for row in tree.iter(f"{_MAIN}row")]


@given(st.lists(st.lists(CELLS, min_size=3, max_size=3), max_size=8))
def test_every_cell_is_in_its_place_and_no_formula(rows: list[list[Cell]]) -> None:
    book = written(rows, 3)
    found = sheet(book)
    assert [len(row) for row in found] == [3] * (len(rows) + 1)
    for row, cells in zip(rows, found[1:], strict=True):
        for value, cell in zip(row, cells, strict=True):
            assert cell.find(f"{_MAIN}f") is None
            if isinstance(value, bool):
                assert (cell.get("t"), cell.findtext(f"{_MAIN}v")) == ("b", str(int(value)))
            elif isinstance(value, int | float):
                assert float(cell.findtext(f"{_MAIN}v") or "") == value
            elif value:
                assert cell.get("t") == "inlineStr"


def test_words_come_back_as_they_were() -> None:
    said = "=1+1 <b>&\"'</b> 你好 😀\nnext line _x0041_"
    cell = sheet(written([[said]], 1))[1][0]
    assert "".join(cell.itertext()) == said.replace("_x0041_", "_x005F_x0041_")
    assert cell.get("s") == "2"  # stays text when somebody edits it


def test_a_moment_is_a_date_that_can_be_reckoned_with() -> None:
    cell = sheet(written([[datetime(2026, 11, 30, 12, tzinfo=UTC)]], 1))[1][0]
    assert (cell.get("s"), float(cell.findtext(f"{_MAIN}v") or "")) == ("1", 46356.5)


def test_rows_beyond_a_sheet_go_on_in_the_next_one_with_the_titles() -> None:
    book = written([[number] for number in range(25)], 1, most_rows=11)
    sheets = [sheet(book, number) for number in (1, 2, 3)]
    assert [len(one) - 1 for one in sheets] == [10, 10, 5]
    assert all("".join(one[0][0].itertext()) == "c0" for one in sheets)
    assert book.read("xl/workbook.xml").count(b"<sheet ") == 3


@given(st.text(min_size=1))
def test_no_line_of_csv_begins_what_a_spreadsheet_runs(text: str) -> None:
    line = csv_lines([[text]]).decode().removeprefix('"')
    assert not line.lstrip(" \u3000\ufeff").startswith(("=", "+", "-", "@", "\t"))
