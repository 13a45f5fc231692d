"""Three browsers at once, a contact and two colleagues: out of hours, a merge, help with the answer, and a rating."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

import pytest
from playwright.sync_api import Page, expect

from tests.journeys.conftest import Desk, shot
from tests.journeys.people import (
    CHEN,
    GRACE,
    REPLY_MS,
    SAM,
    NewContext,
    Visitor,
    at_work,
    confirm,
    in_language,
    waiting_visitor,
)
from tests.journeys.test_accessibility import violations

pytestmark = [pytest.mark.browser]
#: An order of a customer of whom no other journey speaks, and how its phone number ends.
PROOF = ("KT20260013", "0788")
DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
NIGHT_TEAM = "Returns desk"


def open_a_closed_team(page: Page) -> None:
    """A team for whoever asks for a person in English on the web, with people there in two days."""
    day = DAYS[(datetime.now(UTC) + timedelta(days=2)).weekday()]
    page.get_by_test_id("page-teams").click()
    page.get_by_test_id("team-add").click()
    dialog = page.locator(".team-dialog")
    dialog.get_by_test_id("team-zh").fill("退货专席")
    dialog.get_by_test_id("team-en").fill(NIGHT_TEAM)
    dialog.get_by_test_id("team-hours").fill(f"{day} 09:00-18:00")
    dialog.locator("#team-channels").fill("webchat")
    dialog.locator("#team-intents").fill("handoff")
    dialog.get_by_role("checkbox", name="English").locator("xpath=ancestor::label").click()
    shot(page, "three-hours-team")
    dialog.get_by_test_id("team-save").click()
    expect(page.get_by_test_id("team").filter(has_text=NIGHT_TEAM)).to_contain_text(f"{day} 09:00-18:00")


def close_the_team(page: Page) -> None:
    page.get_by_test_id("page-teams").click()
    team = page.get_by_test_id("team").filter(has_text=NIGHT_TEAM)
    team.get_by_test_id("team-delete").click()
    confirm(page)
    expect(team).to_have_count(0)


def test_who_comes_out_of_hours_is_answered_where_they_asked(desk: Desk, new_context: NewContext) -> None:
    agent, boss = at_work(new_context, desk, "en", CHEN), at_work(new_context, desk, "en", GRACE)
    open_a_closed_team(boss.page)
    try:
        visitor, mark = waiting_visitor(
            new_context, desk, "en", "The zip of my rucksack from order {mark} is broken, can I send it back?"
        )
        visitor.heard(r"Our team is offline right now\. I've opened ticket TK\d+ for you")
        visitor.heard("reply with your phone number or e-mail address")
        visitor.status("We’ll reply as soon as we’re back")
        form = visitor.chat.locator("form.details")
        form.get_by_label("Phone number or e-mail").fill("nora.whitfield@example")
        form.get_by_role("button", name="Send").click()
        expect(form.get_by_role("alert")).to_contain_text("looks incomplete")
        assert violations(visitor.page, form) == []
        shot(visitor.page, "three-hours-form")
        form.get_by_label("Phone number or e-mail").fill("nora.whitfield@example.com")
        form.get_by_label("Best time").fill("after 2 pm")
        form.get_by_role("button", name="Send").click()
        expect(form).to_have_count(0)
        visitor.heard(r"Got it: nora\.whitfield@example\.com is on ticket TK\d+")
        shot(visitor.page, "three-hours-contact")
    finally:
        close_the_team(boss.page)
    ticket = visitor.said.filter(has_text="Got it").inner_text().rpartition("ticket ")[2].split(".")[0]

    for console in (agent, boss):
        console.page.get_by_test_id("view-queued").click()
        row = console.row("nora.whitfield@example.com")
        expect(row).to_contain_text(ticket, timeout=REPLY_MS)
        row.click()
        expect(console.bubbles(mark)).to_be_visible(timeout=REPLY_MS)
        expect(console.page.locator("div.facts")).to_contain_text("Reach at nora.whitfield@example.com")
    expect(agent.page.locator("aside")).to_contain_text(f"Callback promised{ticket}")
    shot(agent.page, "three-hours-agent")
    shot(boss.page, "three-hours-supervisor")
    agent.accept()
    agent.reply("Good morning, of course you can. I have sent you a return label.")
    visitor.heard("I have sent you a return label")
    agent.page.get_by_test_id("view-mine").click()
    expect(agent.row("I have sent you a return label")).to_have_count(1)
    expect(boss.row("I have sent you a return label")).to_have_count(0)  # nobody's turn any more
    boss.page.get_by_test_id("view-all").click()
    expect(boss.row("I have sent you a return label")).to_contain_text("CY", timeout=REPLY_MS)
    shot(visitor.page, "three-hours-answered")
    agent.resolve()


def proved(new_context: NewContext, desk: Desk, says: str, **options: object) -> Visitor:
    """Somebody who proved who they are to the bot and then asked for a person."""
    visitor = Visitor(in_language(new_context, "zh", **options), "zh")
    visitor.arrive(desk.url)
    visitor.say(f"查一下订单 {PROOF[0]} 到哪了")
    visitor.say(PROOF[1])
    visitor.say("转人工")
    visitor.say_unheard(says)
    return visitor


def test_two_conversations_of_one_person_become_one_before_a_colleagues_eyes(
    desk: Desk, new_context: NewContext
) -> None:
    agent, colleague = at_work(new_context, desk, "zh", CHEN), at_work(new_context, desk, "zh", SAM)
    laptop = proved(new_context, desk, "耳机充不进电，请帮我看看")
    phone = proved(
        new_context, desk, "刚才在电脑上问过，耳机还是不行", viewport={"width": 390, "height": 780}, is_mobile=True
    )
    agent.open_waiting("耳机充不进电")
    agent.accept()
    colleague.open_waiting("耳机还是不行")
    expect(colleague.page.get_by_test_id("accept")).to_be_visible()

    agent.page.get_by_test_id("merge").click()
    twin = agent.page.get_by_test_id("duplicate").filter(has_text="耳机还是不行")
    expect(twin).to_contain_text("同一客户", timeout=REPLY_MS)
    twin.click()
    shot(agent.page, "three-merge-agent-asks")
    agent.page.get_by_test_id("merge-submit").click()
    expect(agent.page.get_by_test_id("merged-threads")).to_be_visible(timeout=REPLY_MS)
    expect(agent.bubbles("耳机还是不行")).to_be_visible()
    expect(colleague.page.get_by_text("此会话已并入另一个会话")).to_be_visible(timeout=REPLY_MS)
    expect(colleague.page.get_by_test_id("accept")).to_have_count(0)
    colleague.cannot_reply()
    shot(colleague.page, "three-merge-colleague")
    phone.heard("客服会在那里回复您，请在那边继续")
    phone.status("已并入您的另一个对话")
    expect(colleague.page.locator("div.facts")).to_contain_text("已合并")
    shot(phone.page, "three-merge-phone")
    colleague.page.get_by_role("button", name="打开", exact=True).click()
    expect(colleague.bubbles("耳机充不进电")).to_be_visible(timeout=REPLY_MS)
    expect(colleague.page.locator("div.facts")).to_contain_text("Chen Yu 陈雨 接待")

    laptop.say_unheard("好，我在电脑这边等")
    phone.say_unheard("手机上也能收到吗")
    for one in ("好，我在电脑这边等", "手机上也能收到吗"):
        expect(agent.bubbles(one)).to_have_count(1, timeout=REPLY_MS)
        expect(colleague.bubbles(one)).to_have_count(1, timeout=REPLY_MS)
    agent.reply("请换一根线试试，还不行就给您换新。")
    laptop.heard("还不行就给您换新")
    phone.never_heard("还不行就给您换新")
    expect(colleague.bubbles("还不行就给您换新")).to_be_visible()
    shot(agent.page, "three-merge-agent")
    shot(laptop.page, "three-merge-contact")
    agent.resolve()


def used(page: Page) -> int:
    """How many cards the report says that this agent used."""
    page.get_by_test_id("page-assist").click()
    shown = page.get_by_test_id("assist-report-row").or_(page.locator("main.report .nothing"))
    expect(shown.first).to_be_visible()
    row = page.get_by_test_id("assist-report-row").filter(has_text="Chen Yu")
    return int(row.locator("td").nth(1).inner_text()) if row.count() else 0


def test_a_suggested_answer_goes_out_with_one_key_and_is_counted(desk: Desk, new_context: NewContext) -> None:
    agent, boss = at_work(new_context, desk, "en", CHEN), at_work(new_context, desk, "en", GRACE)
    before = used(boss.page)
    visitor, mark = waiting_visitor(new_context, desk, "zh", "订单 {mark} 买了不喜欢，几天内可以退货？")
    agent.open_waiting(mark)
    agent.accept()
    boss.open_in("all", mark)
    agent.page.keyboard.press("Alt+1")  # shows what there is
    card = agent.page.get_by_test_id("assist-card-1")
    expect(card).to_contain_text("7", timeout=REPLY_MS)
    agent.page.keyboard.press("Alt+1")
    expect(agent.composer).to_have_value(re.compile("7 ?天"))
    expect(agent.page.get_by_test_id("composer-sources").get_by_role("link").first).to_be_visible()
    expect(boss.page.get_by_test_id("collision")).to_contain_text("Chen Yu 陈雨 is writing a reply")
    shot(agent.page, "three-assist-agent")
    shot(boss.page, "three-assist-colleague")
    said = agent.composer.input_value()
    agent.composer.press("Enter")
    visitor.heard("7 ?天")
    expect(visitor.people_said).to_have_count(1)
    expect(visitor.chat.locator(".row.agent .sources a").first).to_be_visible()
    expect(boss.bubbles(said[:12]).last).to_be_visible()
    shot(visitor.page, "three-assist-contact")
    agent.resolve()
    assert used(boss.page) == before + 1
    shot(boss.page, "three-assist-report")


def test_a_rating_of_person_and_bot_appears_on_both_consoles_at_once(desk: Desk, new_context: NewContext) -> None:
    agent, boss = at_work(new_context, desk, "zh", CHEN), at_work(new_context, desk, "zh", GRACE)
    visitor, mark = waiting_visitor(new_context, desk, "zh", "平板 {mark} 的屏幕有一条亮线", first="平板保修多久？")
    agent.open_waiting(mark)
    agent.accept()
    boss.open_in("all", mark)
    agent.reply("这属于保修范围，今天就为您安排换新。")
    visitor.heard("今天就为您安排换新")
    agent.resolve()
    for console in (agent, boss):
        expect(console.page.locator("div.facts .chip").first).to_have_text("已结束", timeout=REPLY_MS)
        expect(console.page.get_by_test_id("episode-rating")).to_have_count(0)
    form = visitor.chat.locator("form.rating")
    expect(form).to_be_visible()
    form.locator("fieldset").first.locator("label.star").nth(4).click()
    form.get_by_role("radio", name="解决了", exact=True).check()
    form.locator("fieldset", has_text="那之前的").locator("label.star").nth(3).click()
    comment = "换新很快，讲得也清楚"
    form.locator("textarea").fill(comment)
    shot(visitor.page, "three-rating-form")
    form.locator("button.submit").click()
    expect(visitor.chat.locator(".rating.done")).to_be_visible()
    for console in (agent, boss):
        expect(console.page.get_by_test_id("episode-rating")).to_have_count(2, timeout=REPLY_MS)
        expect(console.page.get_by_text(comment).first).to_be_visible()
        console.page.get_by_test_id("episode-rating").first.scroll_into_view_if_needed()
    shot(visitor.page, "three-rating-contact")
    shot(agent.page, "three-rating-agent")
    boss.page.get_by_test_id("page-ratings").click()
    expect(boss.page.get_by_test_id("rating-comments")).to_contain_text(comment)
    shot(boss.page, "three-rating-supervisor")
