"""Three browsers at once, a contact and two colleagues: collision, transfer, take-over, and an agent who drops out."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.journeys.conftest import Desk, shot
from tests.journeys.cuttable_network import CuttableNetwork
from tests.journeys.people import (
    CHEN,
    GRACE,
    REPLY_MS,
    SAM,
    Agent,
    NewContext,
    at_work,
    confirm,
    hand_to,
    in_language,
    waiting_visitor,
)
from tests.journeys.test_organise import row_of, writes

pytestmark = [pytest.mark.browser]
#: Out of the grace period, and the steps before and after it that follow the clock.
LOST_MS = 60_000
LEFT = "It left our depot today"
FOLLOW = "You can follow it with the link in your confirmation e-mail"


def test_two_agents_answer_at_once_and_the_contact_reads_what_was_really_sent(
    desk: Desk, new_context: NewContext
) -> None:
    first, second = at_work(new_context, desk, "en", CHEN), at_work(new_context, desk, "en", SAM)
    visitor, mark = waiting_visitor(new_context, desk, "en")
    first.open_waiting(mark)
    first.accept()
    first.page.get_by_test_id("invite").click()
    dialog = first.page.locator(".el-dialog:visible")
    dialog.locator("label", has_text="Sam Rivera").click()
    dialog.get_by_test_id("hand-on").click()
    expect(dialog).to_have_count(0)
    second.page.get_by_test_id("invited-yes").click()
    expect(second.composer).to_be_enabled(timeout=REPLY_MS)
    visitor.heard("Sam Rivera is here too")
    expect(first.page.get_by_test_id("collision")).to_contain_text("Sam Rivera is also viewing")
    expect(second.page.get_by_test_id("collision")).to_contain_text("Chen Yu 陈雨 is also viewing")

    first.composer.press_sequentially(LEFT, delay=5)
    second.composer.press_sequentially("I will ask the courier", delay=15)
    expect(first.page.get_by_test_id("collision")).to_contain_text("Sam Rivera is writing a reply")
    expect(second.page.get_by_test_id("collision")).to_contain_text("Chen Yu 陈雨 is writing a reply")
    expect(visitor.chat.locator(".typing")).to_be_visible()
    shot(first.page, "three-collision-first")
    shot(visitor.page, "three-collision-contact-waits")

    first.composer.press("Enter")
    visitor.heard(LEFT)
    expect(second.page.get_by_test_id("meanwhile")).to_contain_text("Chen Yu 陈雨")
    second.composer.press("Enter")
    question = second.page.locator(".el-message-box")
    expect(question).to_contain_text("Chen Yu 陈雨 answered")
    shot(second.page, "three-collision-second")
    question.locator(".el-button--primary").click()  # read it first
    expect(question).to_have_count(0)
    expect(second.composer).to_have_value("I will ask the courier")
    second.reply(FOLLOW)
    visitor.heard(FOLLOW)
    expect(visitor.people_said).to_have_text([LEFT, FOLLOW])
    for agent in (first, second):
        expect(agent.page.locator("[role=log] .group.agent .bubble")).to_have_text([LEFT, FOLLOW])
    shot(visitor.page, "three-collision-contact")
    first.resolve()


def test_a_conversation_goes_to_a_colleague_and_then_to_a_team(desk: Desk, new_context: NewContext) -> None:
    first, second = at_work(new_context, desk, "zh", CHEN), at_work(new_context, desk, "zh", SAM)
    visitor, mark = waiting_visitor(new_context, desk, "zh")
    first.open_waiting(mark)
    first.accept()
    note = "客户很急，麻烦先查物流"
    hand_to(first, "Sam Rivera", note)
    second.told("Chen Yu 陈雨")
    visitor.heard("已为您转给客服 Sam Rivera")
    first.cannot_reply()
    expect(first.page.locator("div.facts")).to_contain_text("Sam Rivera 接待")
    shot(first.page, "three-transfer-from")
    bot_said = visitor.bot_said.count()
    visitor.say_unheard("好的，麻烦快一点")
    second.open_in("mine", "好的，麻烦快一点")
    expect(second.bubbles(note)).to_be_visible()
    expect(second.page.get_by_test_id("contact-history")).to_be_visible(timeout=REPLY_MS)
    shot(second.page, "three-transfer-to")
    second.reply("包裹正在派送，今天能到。")
    visitor.heard("今天能到")
    expect(first.bubbles("今天能到")).to_be_visible()
    shot(visitor.page, "three-transfer-contact")

    team_note = "请售后确认能否赔付"
    second.page.get_by_test_id("transfer").click()
    dialog = second.page.locator(".el-dialog:visible")
    dialog.get_by_test_id("to-team").locator("..").click()
    dialog.locator("label", has_text="售后服务").click()
    dialog.locator("textarea").fill(team_note)
    shot(second.page, "three-transfer-team")
    dialog.get_by_test_id("hand-on").click()
    expect(dialog).to_have_count(0)
    visitor.heard("正在为您转到售后服务")
    second.cannot_reply()
    first.page.get_by_test_id("view-queued").click()
    waiting = first.row("今天能到")
    expect(waiting).to_contain_text("售后服务", timeout=REPLY_MS)
    waiting.click()
    first.accept()
    for one in (note, team_note):
        expect(first.bubbles(one)).to_be_visible()
    first.reply("我是售后，可以为您办理赔付。")
    visitor.heard("可以为您办理赔付")
    expect(visitor.chat.get_by_role("button", name="先问机器人")).to_have_count(0)  # nobody is in the queue any more
    visitor.never_heard("客户很急|请售后确认")
    expect(visitor.bot_said).to_have_count(bot_said)
    shot(visitor.page, "three-transfer-contact-team")
    first.resolve()


def test_a_supervisor_joins_a_conversation_and_then_takes_it_over(desk: Desk, new_context: NewContext) -> None:
    agent, boss = at_work(new_context, desk, "en", SAM), at_work(new_context, desk, "en", GRACE)
    visitor, mark = waiting_visitor(new_context, desk, "en")
    agent.open_waiting(mark)
    agent.accept()
    agent.reply("Hello, I am looking for your parcel")
    boss.open_in("all", "I am looking for your parcel")
    boss.page.get_by_test_id("barge-in").click()
    agent.told("Grace Holt joined your conversation")
    expect(agent.page.get_by_test_id("participant")).to_contain_text("Grace Holt")
    visitor.heard("Grace Holt is here too")
    boss.reply("Grace here, I have the courier on the phone")
    visitor.heard("courier on the phone")
    expect(agent.composer).to_be_enabled()  # it is still theirs
    shot(boss.page, "three-barge-in-supervisor")
    agent.composer.fill("I was about to write")

    boss.page.get_by_test_id("take-over").click()
    confirm(boss.page)
    agent.told("Grace Holt took over your conversation")
    agent.cannot_reply()
    expect(agent.page.locator("div.facts")).to_contain_text("With Grace Holt")
    expect(boss.page.locator("div.facts")).to_contain_text("With you")
    expect(boss.page.get_by_test_id("participant")).to_have_count(0)
    visitor.heard("Grace Holt is now looking after you")
    shot(agent.page, "three-take-over-agent")
    boss.reply("Your parcel arrives before noon")
    visitor.heard("arrives before noon")
    visitor.never_heard("I was about to write")
    expect(visitor.people_said).to_have_count(3)
    shot(visitor.page, "three-take-over-contact")
    shot(boss.page, "three-take-over-supervisor")
    boss.resolve()


def test_an_agent_who_drops_out_gives_the_conversation_back_with_its_place(desk: Desk, new_context: NewContext) -> None:
    network = CuttableNetwork(desk.url)
    try:
        gone = Agent(in_language(new_context, "zh"))
        gone.sign_in(network.url, SAM, desk.password)
        colleague = at_work(new_context, desk, "zh", CHEN)
        writes(desk, "three-waits-before", "转人工", "zh", "先来的客户")
        visitor, mark = waiting_visitor(new_context, desk, "zh")
        gone.open_waiting(mark)
        gone.accept()
        gone.reply("您好，我来帮您查。")
        visitor.heard("我来帮您查")

        network.cut()
        kept = f"快递单尾号是 8842，订单 {mark}"
        visitor.say_unheard(kept)
        expect(gone.page.locator("div.offline")).to_be_visible(timeout=REPLY_MS)
        expect(gone.bubbles("我来帮您查")).to_have_count(1)  # also while nobody can say that it arrived
        shot(gone.page, "three-lost-agent")
        expect(visitor.said.filter(has_text="客服的连接断开了")).to_have_count(1, timeout=LOST_MS)
        visitor.heard("已为您优先安排其他客服，(您排在第一位|前面还有)")
        visitor.status("排队")
        expect(visitor.chat.get_by_role("button", name="先问机器人")).to_be_in_viewport(ratio=1)
        shot(visitor.page, "three-lost-contact")

        colleague.page.get_by_test_id("view-queued").click()
        expect(colleague.row(kept)).to_be_visible(timeout=REPLY_MS)
        expect(row_of(colleague.page, "先来的客户")).to_be_visible(timeout=REPLY_MS)
        order = colleague.page.locator("button[data-id]").all_inner_texts()
        places = [next(n for n, row in enumerate(order) if words in row) for words in (kept, "先来的客户")]
        assert places == sorted(places), "who had an agent before comes before who has just begun to wait"
        colleague.row(kept).click()
        expect(colleague.page.get_by_test_id("contact-history")).to_be_visible(timeout=REPLY_MS)
        shot(colleague.page, "three-lost-colleague")
        colleague.accept()
        expect(colleague.bubbles(kept)).to_have_count(1)
        colleague.reply("我是陈雨，接着为您查。")
        visitor.heard("接着为您查")
        expect(visitor.own.filter(has_text=kept)).to_have_count(1)

        network.mend()
        gone.cannot_reply()
        expect(gone.page.locator("div.facts")).to_contain_text("Chen Yu 陈雨 接待", timeout=REPLY_MS)
        expect(gone.bubbles(kept)).to_have_count(1)
        expect(gone.bubbles("接着为您查")).to_have_count(1)
        gone.page.get_by_test_id("view-mine").click()
        expect(gone.row("接着为您查")).to_have_count(0)
        shot(gone.page, "three-lost-back")
        colleague.resolve()
    finally:
        network.close()
