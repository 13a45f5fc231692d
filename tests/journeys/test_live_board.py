"""A supervisor watches the desk: who waits, a whisper to the agent, joining, taking over; and the wallboard names nobody."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.journeys.conftest import Desk, shot
from tests.journeys.people import CHEN, GRACE, REPLY_MS, NewContext, at_work, confirm, waiting_visitor

pytestmark = [pytest.mark.browser]

SAYS = {
    "en": {"whisper": "check the delivery date first", "reply": "I am looking into it", "boss": "supervisor|joined"},
    "zh": {"whisper": "先核对一下送达日期", "reply": "我正在查", "boss": "主管|加入"},
}


def row_of(page: Page, mark: str) -> Locator:
    return page.get_by_test_id("board-row").filter(has_text=mark)


def seconds(time: str) -> int:
    minutes, rest = time.split(":")[-2:]
    return 60 * int(minutes) + int(rest)


@pytest.mark.parametrize("language", ["en", "zh"])
def test_a_supervisor_watches_whispers_joins_and_takes_over(desk: Desk, new_context: NewContext, language: str) -> None:
    says = SAYS[language]
    scheme = "light" if language == "en" else "dark"
    boss = at_work(new_context, desk, language, GRACE, color_scheme=scheme).page
    boss.get_by_test_id("page-live").click()
    expect(boss.get_by_test_id("board-queues")).to_be_visible(timeout=REPLY_MS)
    visitor, mark = waiting_visitor(new_context, desk, language)

    # it comes by itself, and what it waits ticks
    row = row_of(boss, mark)
    expect(row).to_be_visible(timeout=REPLY_MS)
    waits = row.get_by_test_id("row-waits")
    first = seconds(waits.inner_text())
    expect(waits).not_to_have_text(waits.inner_text())
    assert seconds(waits.inner_text()) > first
    assert int(boss.get_by_test_id("total-queued").locator("b").inner_text()) >= 1
    shot(boss, f"30-live-{language}")

    # an agent takes it; the row says who, without anybody asking
    agent = at_work(new_context, desk, language, CHEN)
    agent.open_waiting(mark)
    agent.accept()
    agent.reply(f"{says['reply']} {mark}")
    visitor.heard(mark)
    row = boss.locator(f"[data-testid=board-row][data-id='{agent.page.url.rsplit('/', 1)[-1]}']")
    expect(row.locator(".agent")).to_contain_text(re.compile("Chen|陈"), timeout=REPLY_MS)

    # listening in: what is said comes at once
    row.get_by_test_id("listen").click()
    panel = boss.get_by_test_id("listening")
    expect(panel.locator("[role=log]")).to_contain_text(says["reply"], timeout=REPLY_MS)
    visitor.say_unheard(f"still waiting {mark}")
    expect(panel.locator("[role=log]")).to_contain_text(f"still waiting {mark}", timeout=REPLY_MS)

    # a whisper is heard by the agent and by nobody else
    boss.get_by_test_id("whisper").fill(f"{says['whisper']} {mark}")
    shot(boss, f"30-live-listening-{language}")
    boss.get_by_test_id("whisper-send").click()
    expect(agent.bubbles(says["whisper"])).to_be_visible(timeout=REPLY_MS)
    expect(agent.bubbles(says["whisper"])).to_contain_text(re.compile("@(Chen|陈)"))
    expect(boss.get_by_test_id("whisper")).to_have_value("")
    before = visitor.said.count()

    # joining: the contact is told who is there
    panel.get_by_test_id("barge-in").click()
    expect(panel.get_by_test_id("participant")).to_be_visible(timeout=REPLY_MS)
    expect(visitor.said.nth(before)).to_be_visible(timeout=REPLY_MS)
    visitor.never_heard(says["whisper"])

    # taking over: the agent is told, the row says who has it now
    panel.get_by_test_id("take-over").click()
    confirm(boss)
    expect(row.locator(".agent")).not_to_contain_text(re.compile("Chen|陈雨"), timeout=REPLY_MS)
    agent.cannot_reply()
    boss.get_by_test_id("listen-stop").click()
    expect(panel).to_have_count(0)
    expect(boss).to_have_url(re.compile("#/live$"))


@pytest.mark.parametrize("language", ["en", "zh"])
def test_the_wallboard_counts_and_names_nobody(desk: Desk, new_context: NewContext, language: str) -> None:
    scheme = "dark" if language == "en" else "light"
    big = {"width": 1920, "height": 1080}
    boss = at_work(new_context, desk, language, GRACE, color_scheme=scheme, viewport=big).page
    asked: list[str] = []
    boss.on("request", lambda request: asked.append(request.url))
    boss.get_by_test_id("page-live").click()
    boss.get_by_test_id("wall-open").click()
    wall = boss.get_by_test_id("wall")
    waiting = wall.get_by_test_id("wall-waiting")
    expect(waiting).to_have_text(re.compile(r"^\d+$"), timeout=REPLY_MS)
    asked.clear()
    before = int(waiting.inner_text())
    _, mark = waiting_visitor(new_context, desk, language)
    expect(waiting).to_have_text(str(before + 1), timeout=REPLY_MS)
    expect(wall.get_by_test_id("wall-oldest")).to_have_text(re.compile(r"\d"))
    board = [url for url in asked if "/live/board" in url]
    assert board
    assert all("limit=0" in url for url in board)
    assert mark not in wall.inner_text()
    assert waiting.evaluate("(one) => parseFloat(getComputedStyle(one).fontSize)") > 100
    shot(boss, f"30-wall-{language}")
    boss.keyboard.press("Escape")
    expect(boss.get_by_test_id("board-conversations")).to_be_visible(timeout=REPLY_MS)


def test_the_board_is_right_again_after_the_connection_was_away(desk: Desk, new_context: NewContext) -> None:
    boss = at_work(new_context, desk, "en", GRACE).page
    boss.get_by_test_id("page-live").click()
    expect(boss.get_by_test_id("board-queues")).to_be_visible(timeout=REPLY_MS)
    boss.context.set_offline(True)
    boss.evaluate("window.dispatchEvent(new Event('offline'))")
    _, mark = waiting_visitor(new_context, desk, "en")
    expect(row_of(boss, mark)).to_have_count(0)
    boss.context.set_offline(False)
    expect(row_of(boss, mark)).to_be_visible(timeout=REPLY_MS)
