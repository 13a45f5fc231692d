"""Two trainers look after the bot's examples in two browsers: nobody overwrites anybody, and everything can be taken back."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from tests.journeys.conftest import Desk, shot
from tests.journeys.people import Agent

pytestmark = [pytest.mark.browser]


def examples_of(desk: Desk, intent: str, language: str) -> str:
    return (desk.data_dir / "nlu_data" / language / f"{intent}.yml").read_text(encoding="utf-8")


def open_page(desk: Desk, new_context: Callable[..., BrowserContext], account: str, locale: str) -> Page:
    trainer = Agent(new_context(locale=locale).new_page())
    trainer.sign_in(desk.url, account, desk.password)
    trainer.page.get_by_test_id("page-examples").click()
    language = "中文" if locale == "zh-CN" else "English"  # so that what is added stands on the first page
    trainer.page.locator(".examples .el-radio-button", has_text=language).click()
    return trainer.page


def confirm(page: Page) -> None:
    page.locator(".el-popconfirm:visible .el-button--primary").click()


def test_an_example_is_added_reworded_moved_and_everything_is_taken_back(
    desk: Desk, new_context: Callable[..., BrowserContext]
) -> None:
    before = {name: examples_of(desk, name, "zh") for name in ("greet", "thanks")}
    page = open_page(desk, new_context, "trainer@kite.example", "zh-CN")
    page.get_by_test_id("intent-greet").click()
    page.get_by_test_id("example-add").fill("hi呀老板\n老板们上午好\n")
    page.get_by_test_id("example-add-button").click()
    row = page.get_by_test_id("example-row").filter(has_text="老板们上午好")
    expect(row).to_have_count(1)
    assert examples_of(desk, "greet", "zh") == before["greet"] + "      - hi呀老板\n      - 老板们上午好\n"
    shot(page, "8-examples-zh")

    row.get_by_test_id("example-edit").click()
    page.get_by_test_id("example-edit-field").fill("老板们早上好呀")
    page.get_by_test_id("example-save").click()
    row = page.get_by_test_id("example-row").filter(has_text="老板们早上好呀")
    expect(row).to_have_count(1)
    row.get_by_test_id("example-move").click()
    page.get_by_test_id("example-move-thanks").click()
    expect(row).to_have_count(0)
    assert examples_of(desk, "thanks", "zh") == before["thanks"] + "      - 老板们早上好呀\n"

    page.get_by_test_id("example-history").click()
    for number in range(3):
        expect(page.get_by_test_id("example-edit-row")).to_have_count(3 + number)
        if number == 0:
            shot(page, "8-examples-history-zh")
        page.get_by_test_id("example-undo").nth(number).click()
        confirm(page)
    expect(page.get_by_test_id("example-edit-row")).to_have_count(6)
    assert {name: examples_of(desk, name, "zh") for name in before} == before


def test_the_second_of_two_trainers_sees_both_versions(desk: Desk, new_context: Callable[..., BrowserContext]) -> None:
    first = open_page(desk, new_context, "trainer@kite.example", "en-GB")
    second = open_page(desk, new_context, "admin@kite.example", "en-GB")
    first.get_by_test_id("intent-goodbye").click()
    first.get_by_test_id("example-add").fill("toodle pip then old bean")
    first.get_by_test_id("example-add-button").click()
    rows = [page.get_by_test_id("example-row").filter(has_text="toodle pip") for page in (first, second)]
    expect(rows[0]).to_have_count(1)
    second.get_by_test_id("intent-goodbye").click()
    for page, row, text in zip((first, second), rows, ("toodle pip, old bean", "toodle pip, everyone"), strict=True):
        row.get_by_test_id("example-edit").click()
        page.get_by_test_id("example-edit-field").fill(text)
    first.get_by_test_id("example-save").click()
    expect(rows[0]).to_contain_text("toodle pip, old bean")
    second.get_by_test_id("example-save").click()
    dialog = second.locator(".el-dialog")
    expect(dialog).to_contain_text("toodle pip, everyone")
    expect(dialog).to_contain_text("toodle pip, old bean")
    shot(second, "8-examples-conflict-en")
    dialog.get_by_test_id("example-conflict-close").click()
    expect(rows[1]).to_contain_text("toodle pip, old bean")
    assert "toodle pip, everyone" not in examples_of(desk, "goodbye", "en")
    rows[1].get_by_test_id("example-delete").click()
    confirm(second)
    expect(rows[1]).to_have_count(0)


def test_a_file_is_looked_through_before_it_is_imported(
    desk: Desk, new_context: Callable[..., BrowserContext], tmp_path: Path
) -> None:
    measured = next(
        line.strip().removeprefix("- ")
        for line in (desk.data_dir / "nlu_data" / "test" / "en.yml").read_text(encoding="utf-8").splitlines()
        if line.startswith("      - ") and '"' not in line
    )
    sheet = tmp_path / "new.csv"
    sheet.write_text(f'language,intent,text\nen,thanks,ta ever so muchly\nen,order_status,"{measured}"\nen,dance,hey\n')
    page = open_page(desk, new_context, "trainer@kite.example", "en-GB")
    page.get_by_test_id("example-import").click()
    page.get_by_test_id("example-file").set_input_files(sheet)
    expect(page.get_by_test_id("example-import-line")).to_have_count(3)
    shot(page, "8-examples-import-en")
    page.get_by_test_id("example-import-apply").click()
    expect(page.get_by_test_id("example-import-dialog")).to_have_count(0)
    page.get_by_test_id("example-search").fill("ta ever so muchly")
    expect(page.get_by_test_id("example-row")).to_have_count(1)
    assert measured not in examples_of(desk, "order_status", "en")


def test_words_are_marked_as_an_entity(desk: Desk, new_context: Callable[..., BrowserContext]) -> None:
    page = open_page(desk, new_context, "trainer@kite.example", "en-GB")
    page.get_by_test_id("intent-order_status").click()
    page.get_by_test_id("example-add").fill("is my zebra coloured Aria on the lorry yet")
    page.get_by_test_id("example-add-button").click()
    row = page.get_by_test_id("example-row").filter(has_text="zebra coloured")
    row.get_by_test_id("example-mark").click()
    words = page.get_by_test_id("example-mark-words")
    words.evaluate(
        """(place) => {
            const text = [...place.childNodes].find((one) => one.nodeType === 3 && one.data.includes('Aria'))
            const range = document.createRange()
            range.setStart(text, text.data.indexOf('Aria'))
            range.setEnd(text, text.data.indexOf('Aria') + 4)
            getSelection().removeAllRanges()
            getSelection().addRange(range)
            place.dispatchEvent(new MouseEvent('mouseup', { bubbles: true }))
        }"""
    )
    expect(page.get_by_test_id("example-mark-said")).to_contain_text("Aria")
    page.get_by_test_id("example-mark-type").click()
    page.get_by_role("option", name="(product)").click()
    page.get_by_test_id("example-mark-add").click()
    shot(page, "8-examples-mark-en")
    page.get_by_test_id("example-mark-save").click()
    expect(row.locator("mark")).to_contain_text("Aria")
    assert '      - is my zebra coloured [Aria]{"entity": "product"} on the lorry yet\n' in examples_of(
        desk, "order_status", "en"
    )
