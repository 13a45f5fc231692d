"""Documents become articles whole, or not at all with a reason."""

from __future__ import annotations

from pathlib import Path

import pytest
from docx import Document
from fpdf import FPDF

from knowledge_base.errors import UnreadableSource
from knowledge_base.importing import MAX_BYTES, find_sources, read_source, read_sources


def write_pdf(path: Path, text: str, password: str | None = None) -> Path:
    pdf = FPDF()
    pdf.add_page()
    pdf.set_font("Helvetica", size=12)
    if text:
        pdf.multi_cell(0, 8, text)
    if password:
        pdf.set_encryption(owner_password="owner", user_password=password)
    pdf.output(str(path))
    return path


def write(path: Path, content: str | bytes) -> Path:
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def test_markdown_without_front_matter_takes_its_heading_as_title(tmp_path: Path) -> None:
    (found,) = read_source(write(tmp_path / "Gift Wrapping.md", "# Do you wrap gifts?\n\nYes, for free.\n"))
    assert (found.id, found.title, found.language, found.body) == (
        "gift-wrapping",
        "Do you wrap gifts?",
        "en",
        "Yes, for free.",
    )


def test_html_keeps_headings_and_loses_scripts(tmp_path: Path) -> None:
    page = (
        "<html><head><title>保修</title><script>x()</script></head><body><h2>手机</h2><p>保修两年。</p></body></html>"
    )
    (found,) = read_source(write(tmp_path / "warranty.html", page))
    assert (found.id, found.title, found.language) == ("warranty", "保修", "zh")
    assert "## 手机" in found.body
    assert "x()" not in found.body


def test_html_in_a_chinese_encoding_is_read(tmp_path: Path) -> None:
    page = '<meta charset="gb2312"><p>七天之内可以退货。</p>'
    (found,) = read_source(write(tmp_path / "returns.html", page.encode("gb18030")))
    assert "七天之内可以退货。" in found.body


def test_word_documents_are_read(tmp_path: Path) -> None:
    document = Document()
    document.add_heading("Repairs", 1)
    document.add_paragraph("A repair takes five working days.")
    document.save(str(tmp_path / "repairs.docx"))
    (found,) = read_source(tmp_path / "repairs.docx")
    assert (found.title, found.language) == ("Repairs", "en")
    assert "A repair takes five working days." in found.body


def test_pdf_documents_are_read(tmp_path: Path) -> None:
    (found,) = read_source(write_pdf(tmp_path / "manual.pdf", "Charge the lamp with the adapter."))
    assert "Charge the lamp with the adapter." in found.body


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030"])
def test_a_table_gives_one_article_per_row_in_any_usual_encoding(tmp_path: Path, encoding: str) -> None:
    table = (
        'question,answer,language,id,tags\n怎么退货？,在订单页申请。,zh,returns,退货;售后\n"Open, when?",Daily.,,,\n'
    )
    first, second = read_source(write(tmp_path / "faq.csv", table.encode(encoding)))
    assert (first.id, first.title, first.body, first.tags) == (
        "returns",
        "怎么退货？",
        "在订单页申请。",
        ("退货", "售后"),
    )
    assert (second.title, second.language) == ("Open, when?", "en")
    assert second.id.startswith("faq-")


def test_semicolons_separate_columns_too(tmp_path: Path) -> None:
    (found,) = read_source(write(tmp_path / "faq.csv", "question;answer\nWhere?;Here, in town.\n"))
    assert found.body == "Here, in town."


@pytest.mark.parametrize(
    ("name", "content", "hint"),
    [
        ("a.csv", "ask,answer\nx,y\n", "'question'"),
        ("a.csv", "question,answer,price\nx,y,1\n", "'price'"),
        ("a.csv", "question,answer\nx,y\nx2\n", "row 3"),
        ("a.csv", "question,answer\nx,y\n,z\n", "row 3"),
        ("a.csv", "question,answer,id\nx,y,a\nx2,y2,a\n", "row 3 repeats a/en"),
        ("a.csv", "question,answer,language\nx,y,fr\n", "'fr'"),
        ("a.csv", "question,answer\n", "no rows"),
        ("a.csv", 'question,answer\n"x,y\n', "quotes"),
        ("a.csv", b"question,answer\n\xff\xff\xff,\x00\n", "UTF-8"),
        ("a.md", "", "empty"),
        ("a.html", "<html><body></body></html>", "no text"),
        ("a.docx", "not a zip", "damaged"),
        ("a.pdf", "%PDF-1.4 nothing more", "damaged"),
        ("a.exe", "MZ", ".docx"),
        ("a.md", "x" * (MAX_BYTES + 1), "20 MiB"),
    ],
)
def test_a_bad_file_gives_no_article_and_says_why(tmp_path: Path, name: str, content: str | bytes, hint: str) -> None:
    with pytest.raises(UnreadableSource) as problem:
        read_source(write(tmp_path / name, content))
    assert str(problem.value).startswith(name)
    assert hint in str(problem.value)


def test_a_protected_pdf_and_a_scan_say_so(tmp_path: Path) -> None:
    with pytest.raises(UnreadableSource, match="protected by a password"):
        read_source(write_pdf(tmp_path / "secret.pdf", "Hidden", password="pw"))
    with pytest.raises(UnreadableSource, match="scan"):
        read_source(write_pdf(tmp_path / "scan.pdf", ""))


def test_good_files_are_read_although_others_are_bad(tmp_path: Path) -> None:
    write(tmp_path / "a.md", "# A\nText.")
    write(tmp_path / "b.csv", "nothing")
    (tmp_path / "sub").mkdir()
    write(tmp_path / "sub" / "a.markdown", "# A again\nText.")
    write(tmp_path / "notes.txt", "ignored")
    write(tmp_path / ".hidden.md", "ignored")
    articles, problems = read_sources(find_sources([tmp_path]))
    assert [found.title for found in articles] == ["A"]
    assert [problem.source for problem in problems] == ["b.csv", "a.markdown"]
    assert "already in a.md" in problems[1].problem


def test_a_path_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(UnreadableSource, match="no such file"):
        find_sources([tmp_path / "missing"])
