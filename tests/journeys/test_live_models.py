"""A trainer puts a version live: the next customer gets it, the one who is talking stays where they are, and it goes back."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from benchmarks.promoting import two_versions
from tests.journeys.conftest import Desk, running_desk, shot
from tests.journeys.people import Agent, Visitor

pytestmark = [pytest.mark.browser]
LOADED_MS = 120_000


@pytest.fixture(scope="module")
def shelf(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    """A desk whose bot has two versions."""
    models = two_versions(tmp_path_factory.mktemp("shelf"))
    with running_desk(tmp_path_factory.mktemp("live"), MODEL_DIR=str(models)) as desk:
        yield desk


def choose(page: Page, version: str) -> None:
    page.get_by_test_id("choose-version").click()
    page.locator(".el-select-dropdown:visible .el-select-dropdown__item").filter(has_text=version).click()


@pytest.mark.parametrize("language", ["en", "zh"])
def test_a_version_goes_live_is_compared_and_goes_back(
    shelf: Desk, new_context: Callable[..., BrowserContext], language: str
) -> None:
    locale, hello = ("zh-CN", "你好") if language == "zh" else ("en-GB", "hello")
    trainer = Agent(new_context(locale=locale, viewport={"width": 1280, "height": 860}).new_page())
    trainer.sign_in(shelf.url, "trainer@kite.example", shelf.password)
    page = trainer.page
    page.get_by_test_id("page-models").click()
    page.get_by_test_id("models-live").click()
    live, pinned = page.get_by_test_id("live-name"), page.get_by_test_id("pinned")
    expect(live).to_have_text("version-a", timeout=LOADED_MS)

    early = Visitor(new_context(locale=locale).new_page(), language)
    early.arrive(shelf.url)
    early.say(hello)
    expect(pinned).to_contain_text("version-a", timeout=LOADED_MS)

    choose(page, "version-b")
    page.get_by_test_id("promote").click()
    expect(page.get_by_test_id("stays")).to_contain_text("version-a")
    shot(page, f"7-live-sure-{language}")
    page.get_by_test_id("change-confirm").click()
    expect(page.get_by_test_id("unproved")).to_be_visible(timeout=LOADED_MS)
    expect(page.get_by_test_id("change-confirm")).to_be_disabled()
    page.get_by_test_id("change-note").fill("It was tried out by the whole team.")
    page.get_by_test_id("change-confirm").click()
    expect(live).to_have_text("version-b", timeout=LOADED_MS)

    late = Visitor(new_context(locale=locale).new_page(), language)
    late.arrive(shelf.url)
    late.say(hello)
    expect(pinned).to_contain_text("version-b", timeout=LOADED_MS)
    early.say(hello)
    expect(pinned).to_contain_text("version-a")
    shot(page, f"7-live-{language}")

    page.get_by_test_id("rollback").click()
    page.get_by_test_id("change-confirm").click()
    expect(live).to_have_text("version-a", timeout=LOADED_MS)

    choose(page, "version-b")
    page.get_by_test_id("compare").click()
    page.get_by_test_id("change-confirm").click()
    expect(page.get_by_test_id("metric-containment")).to_be_visible(timeout=LOADED_MS)
    shot(page, f"7-live-comparison-{language}")
    page.get_by_test_id("stop-comparison").click()
    page.get_by_test_id("change-confirm").click()
    expect(page.get_by_test_id("comparison")).to_have_count(0, timeout=LOADED_MS)
    expect(page.get_by_test_id("history")).to_contain_text("It was tried out by the whole team.")
