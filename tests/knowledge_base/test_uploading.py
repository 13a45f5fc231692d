"""A file that somebody sends is read, cut, or refused for a reason: whatever it was made for."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import get_args

import pytest

from knowledge_base.errors import Reason, UnreadableSource
from knowledge_base.importing import MAX_PAGES
from knowledge_base.readers import SHANGHAI
from knowledge_base.uploading import MAX_ARTICLES, MAX_BYTES, MAX_CSV_BYTES, MOST_AT_ONCE, read_upload
from knowledge_base.word_files import MAX_DEPTH, MAX_ELEMENTS
from tests.knowledge_base.hostile_files import (
    lying_word_bomb,
    nested_page,
    paragraph,
    pdf,
    pdf_bomb,
    pdf_without_its_table,
    table,
    word,
    word_bomb,
    word_of_laughs,
    word_with_a_file_in_it,
)

WORDS = Path(__file__).parents[2] / "handoff" / "web" / "src" / "i18n"
DEEP = MAX_DEPTH // 3 + 1  # a table, a row and a cell each


async def refused(name: str, content: bytes, **more: float) -> UnreadableSource:
    with pytest.raises(UnreadableSource) as problem:
        await read_upload(name, content, SHANGHAI, **more)
    return problem.value


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        ("a.docx", partial(word_bomb, 150), "unpacks"),
        ("a.docx", partial(word_bomb, 250), "unpacks"),
        ("a.docx", partial(lying_word_bomb, 250), "damaged"),
        ("a.docx", partial(word, "<w:p/>" * (MAX_ELEMENTS + 1)), "unpacks"),
        ("a.docx", word("<w:tbl><w:tr><w:tc>" * DEEP + paragraph("x") + "</w:tc></w:tr></w:tbl>" * DEEP), "unpacks"),
        ("a.docx", word_of_laughs(), "entities"),
        ("a.docx", word("<w:p>"), "damaged"),
        ("a.pdf", pdf(1, password="pw"), "password"),
        ("a.pdf", pdf(1)[:300], "damaged"),
        ("a.csv", b"question,answer\nWhat?," + b"x" * 3_000_000 + b"\n", "too_long"),
        ("a.csv", b"question,answer\n" + b"x" * MAX_CSV_BYTES, "too_large"),
        ("a.md", b"x" * (MAX_BYTES + 1), "too_large"),
        ("a.pdf", b"", "empty"),
        ("a.docx", b"", "empty"),
        ("a.html", b" \n", "empty"),
        ("a.csv", b"", "empty"),
        ("a.docx", pdf(1), "damaged"),
        ("a.pdf", word(paragraph("Hello.")), "damaged"),
        ("a.html", pdf(1), "encoding"),
        ("a.csv", b"<html><p>Hello.</p></html>", "column_missing"),
        ("a.exe", b"MZ", "kind"),
        ("a", b"Hello.", "kind"),
    ],
    ids=lambda value: value if isinstance(value, str) else None,
)
async def test_a_hostile_or_wrong_file_is_refused_for_what_it_is(
    name: str, content: bytes | Callable[[], bytes], reason: str
) -> None:
    """Bombs are built by the test that sends them."""
    assert (await refused(name, content if isinstance(content, bytes) else content())).reason == reason


async def test_a_word_file_cannot_fetch_another_file(tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("the key of the safe")
    problem = await refused("a.docx", word_with_a_file_in_it(str(secret)))
    assert (problem.reason, "safe" in str(problem)) == ("entities", False)


async def test_a_pdf_of_too_many_pages_is_refused_before_any_is_read() -> None:
    problem = await refused("manual.pdf", pdf(MAX_PAGES + 1))
    assert (problem.reason, problem.facts) == ("pages", {"most": MAX_PAGES})


async def test_a_pdf_that_unpacks_to_a_gigabyte_harms_only_the_process_that_reads_it() -> None:
    assert (await refused("a.pdf", pdf_bomb(1024))).reason in ("unpacks", "damaged", "scan")


async def test_a_pdf_with_a_broken_table_of_contents_is_mended() -> None:
    [article] = (await read_upload("a.pdf", pdf_without_its_table(), SHANGHAI)).articles
    assert "Sentence 0 of the manual." in " ".join(article.body.split())


async def test_of_a_table_with_too_many_rows_the_first_are_taken_and_the_others_counted() -> None:
    found = await read_upload("faq.csv", table(MAX_ARTICLES + 7_000), SHANGHAI)
    assert (len(found.articles), found.beyond) == (MAX_ARTICLES, 7_000)
    assert found.articles[-1].title == f"Question {MAX_ARTICLES - 1}?"


async def test_a_page_nested_without_end_gives_its_text() -> None:
    [article] = (await read_upload("a.html", nested_page(100_000), SHANGHAI)).articles
    assert article.body == "We sell lamps."


async def test_a_reader_that_takes_too_long_is_stopped() -> None:
    problem = await refused("a.docx", word(paragraph("Hello.")), seconds=0.05)
    assert problem.reason == "slow"


async def test_a_third_file_waits_while_two_are_read_and_is_taken_afterwards() -> None:
    content = word(paragraph("A repair takes five days."))
    reading = [asyncio.create_task(read_upload(f"{n}.docx", content, SHANGHAI)) for n in range(MOST_AT_ONCE)]
    await asyncio.sleep(0)
    assert (await refused("late.docx", content)).reason == "busy"
    await asyncio.gather(*reading)
    assert len((await read_upload("late.docx", content, SHANGHAI)).articles) == 1


async def test_a_sender_who_goes_away_leaves_no_reader_behind() -> None:
    content = word(paragraph("Hello there."))
    for _ in range(MOST_AT_ONCE + 1):
        reading = asyncio.create_task(read_upload("a.docx", content, SHANGHAI))
        await asyncio.sleep(0.05)
        reading.cancel()
        with pytest.raises(asyncio.CancelledError):
            await reading
    assert (await read_upload("a.docx", content, SHANGHAI)).articles


@pytest.mark.parametrize("language", ["zh", "en"])
def test_the_console_has_words_for_every_reason(language: str) -> None:
    text = (WORDS / f"knowledge.{language}.ts").read_text()
    words = text[text.index("unreadable: {") : text.index("refused: {")]
    assert set(re.findall(r"(\w+): '", words)) == set(get_args(Reason)) - {""}
