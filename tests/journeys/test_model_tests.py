"""A trainer tries a message, sees why, saves it as a test, runs the tests and reads the figures."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from tests.journeys.conftest import Desk, shot
from tests.journeys.people import Agent

pytestmark = [pytest.mark.browser]

MINUTES = 60_000


def open_tab(desk: Desk, new_context: Callable[..., BrowserContext], locale: str, tab: str, **more: object) -> Page:
    trainer = Agent(new_context(locale=locale, **more).new_page())
    trainer.sign_in(desk.url, "trainer@kite.example", desk.password)
    trainer.page.get_by_test_id("page-models").click()
    trainer.page.get_by_test_id(f"models-{tab}").click()
    return trainer.page


def say(page: Page, text: str, number: int) -> None:
    page.get_by_test_id("trial-text").fill(text)
    page.get_by_test_id("trial-send").click()
    expect(page.get_by_test_id("trial-turn")).to_have_count(number)


def test_a_message_is_tried_explained_saved_and_tested(desk: Desk, new_context: Callable[..., BrowserContext]) -> None:
    page = open_tab(desk, new_context, "zh-CN", "trial", viewport={"width": 1600, "height": 960})
    say(page, "帮我取消订单 KT20260002", 1)
    trace = page.get_by_test_id("trial-trace")
    expect(trace).to_contain_text("取消订单")
    expect(trace).to_contain_text("KT20260002")
    expect(trace).to_contain_text("cancel_order_form")
    say(page, "2468", 2)
    expect(page.get_by_test_id("trial-turn").nth(1)).to_contain_text("身份已核实")
    page.get_by_test_id("trial-turn").nth(1).get_by_test_id("trial-button").first.click()
    expect(page.get_by_test_id("trial-turn")).to_have_count(3)
    expect(page.get_by_test_id("trial-would")).to_contain_text("取消订单")
    shot(page, "9-trial-zh")

    page.get_by_test_id("trial-save").last.click()
    dialog = page.get_by_test_id("trial-save-dialog")
    dialog.get_by_test_id("trial-save-title").fill("核实身份后取消订单")
    shot(page, "9-trial-save-zh")
    dialog.get_by_test_id("trial-save-confirm").click()
    expect(dialog).to_have_count(0)
    (story,) = (desk.data_dir / "nlu_data" / "test" / "stories").glob("*.yml")
    assert "核实身份后取消订单" in story.read_text(encoding="utf-8")

    say(page, "质保多久", 4)
    expect(page.get_by_test_id("trial-trace")).to_contain_text(re.compile(r"\d+%"))
    shot(page, "9-trial-knowledge-zh")

    page.get_by_test_id("models-tests").click()
    expect(page.get_by_test_id("tests-run")).to_be_enabled()
    page.get_by_test_id("tests-run").click()
    expect(page.get_by_test_id("tests-job")).to_have_count(1)
    expect(page.get_by_test_id("tests-told")).to_be_visible(timeout=15 * MINUTES)
    expect(page.get_by_test_id("intent-score").first).to_be_visible()
    page.get_by_test_id("matrix-mistake").first.click()
    expect(page.get_by_test_id("confusions").locator("details[open]")).to_have_count(1)
    shot(page, "9-tests-zh")
    page.get_by_test_id("tests-view-stories").click()
    expect(page.get_by_test_id("played-story")).to_contain_text("核实身份后取消订单")
    expect(page.get_by_test_id("played-story")).to_contain_text("通过")
    expect(page.get_by_test_id("story-mistake")).to_have_count(0)
    shot(page, "9-tests-stories-zh")
    page.get_by_test_id("tests-view-entities").click()
    expect(page.get_by_test_id("entity-score").first).to_be_visible()

    page.get_by_test_id("tests-cross").click()
    page.get_by_test_id("tests-view-cross").click()
    expect(page.get_by_test_id("cross-told")).to_be_visible(timeout=15 * MINUTES)
    shot(page, "9-tests-cross-zh")


def test_the_knowledge_base_is_tested_and_figures_are_read_in_english(
    desk: Desk, new_context: Callable[..., BrowserContext]
) -> None:
    page = open_tab(desk, new_context, "en-GB", "tests", viewport={"width": 1280, "height": 860}, color_scheme="dark")
    page.get_by_test_id("tests-view-saved").click()
    page.locator(".el-radio-button", has_text="Questions").click()
    page.get_by_test_id("saved-question-text").fill("Do you repair bicycles on the moon?")
    page.get_by_role("button", name="Save question").click()
    expect(page.get_by_test_id("saved-question")).to_have_count(1)
    page.get_by_test_id("tests-knowledge").click()
    page.get_by_test_id("tests-view-knowledge").click()
    expect(page.get_by_test_id("knowledge-result")).to_be_visible(timeout=10 * MINUTES)
    expect(page.get_by_test_id("knowledge-mistake").first).to_be_visible()
    shot(page, "9-tests-knowledge-en")
    page.get_by_test_id("tests-view-understanding").click()
    expect(page.get_by_test_id("section-figures")).to_be_visible()
    page.get_by_test_id("sort-lines").click()
    shot(page, "9-tests-en")
    page.get_by_test_id("tests-view-wrong").click()
    page.get_by_test_id("wrong-line").first.get_by_role("button", name="Try it").click()
    expect(page.get_by_test_id("trial-trace")).to_be_visible()
    shot(page, "9-trial-en")

    page.get_by_test_id("page-examples").click()
    page.get_by_test_id("example-trial").click()
    expect(page.get_by_test_id("trial-turn")).to_have_count(1)
    shot(page, "9-trial-beside-examples-en")
