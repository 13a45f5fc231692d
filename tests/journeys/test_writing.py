"""What agents write with, in a browser: canned replies, recall, read marks, collision, mentions, macros, the command bar."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.journeys.conftest import Desk, shot
from tests.journeys.people import (
    CHEN,
    GRACE,
    SAM,
    Agent,
    NewContext,
    at_work,
    confirm,
    hand_to,
    waiting_visitor,
)
from tests.pictures import PNG

pytestmark = [pytest.mark.browser]
LANGUAGES = ("en", "zh")
expect.set_options(timeout=20_000)  # three browsers and a bot share the machine


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_canned_reply_is_found_filled_in_and_blocked_until_its_gaps_are_closed(
    desk: Desk, new_context: NewContext, language: str
) -> None:
    visitor, mark = waiting_visitor(new_context, desk, language)
    agent = at_work(new_context, desk, language, CHEN, viewport={"width": 1280, "height": 720})
    agent.open_waiting(mark)
    agent.accept()
    page = agent.page
    agent.composer.press_sequentially({"en": "/order", "zh": "/ddjd"}[language], delay=40)  # zh: initials of the title
    expect(page.get_by_test_id("suggestion").first).to_contain_text("/order")
    shot(page, f"7-canned-{language}")
    agent.composer.press("Enter")
    gaps = page.get_by_test_id("gaps")
    expect(gaps.locator("button")).to_have_count(2)
    shot(page, f"7-gaps-{language}")
    agent.composer.press("Enter")  # not sent: the first gap is selected instead
    expect(page.locator(".el-message--warning")).to_be_visible()
    page.keyboard.type("KT20260001")
    expect(gaps.locator("button")).to_have_count(1)
    page.keyboard.press("Tab")
    page.keyboard.type({"en": "on its way", "zh": "运输中"}[language])
    expect(gaps).to_have_count(0)
    page.keyboard.press("Enter")
    visitor.heard({"en": "order KT20260001 .* is on its way", "zh": "订单 KT20260001.*运输中"}[language])
    visitor.never_heard(r"\{\{")

    agent.composer.press_sequentially("/nothing-like-this")
    expect(page.get_by_test_id("suggestion")).to_have_count(0)
    page.keyboard.press("Escape")
    agent.composer.fill("")


@pytest.mark.parametrize("language", LANGUAGES)
def test_reading_is_shown_to_both_sides_and_a_reply_is_taken_back(
    desk: Desk, new_context: NewContext, language: str
) -> None:
    visitor, mark = waiting_visitor(new_context, desk, language)
    agent, colleague = (at_work(new_context, desk, language, email) for email in (CHEN, SAM))
    agent.open_waiting(mark)
    agent.accept()
    read = visitor.chat.locator(".foot .read")
    expect(read).to_contain_text({"en": "Read", "zh": "已读"}[language])
    secret = {"en": f"the code is {mark}9", "zh": f"验证码是 {mark}9"}[language]
    agent.reply(secret)
    visitor.heard(re.escape(secret))
    receipt = agent.page.get_by_test_id("receipt").last
    expect(receipt).to_contain_text(re.compile({"en": r"Read \d\d:\d\d", "zh": r"已读 \d\d:\d\d"}[language]))
    shot(agent.page, f"7-read-{language}")
    shot(visitor.page, f"7-read-contact-{language}")
    colleague.open_in("all", mark)
    expect(colleague.page.get_by_test_id("recall")).to_have_count(0)  # not theirs

    agent.page.get_by_test_id("recall").last.click()
    confirm(agent.page)
    visitor.never_heard(re.escape(secret))
    expect(visitor.chat.locator(".system").last).to_contain_text({"en": "took back", "zh": "撤回"}[language])
    expect(colleague.page.locator("s", has_text=secret)).to_be_visible()
    expect(colleague.page.get_by_test_id("recalled")).to_contain_text("Chen Yu")
    shot(colleague.page, f"7-recalled-{language}")
    shot(visitor.page, f"7-recalled-contact-{language}")
    visitor.page.reload()
    visitor.open_chat()
    expect(visitor.chat.locator(".system").last).to_contain_text({"en": "took back", "zh": "撤回"}[language])
    assert secret not in visitor.chat.inner_text()


@pytest.mark.parametrize("language", LANGUAGES)
def test_two_agents_see_each_other_write_and_the_second_answer_asks_first(
    desk: Desk, new_context: NewContext, language: str
) -> None:
    visitor, mark = waiting_visitor(new_context, desk, language)
    agent, other = (at_work(new_context, desk, language, email) for email in (CHEN, GRACE))
    agent.open_waiting(mark)
    agent.accept()
    other.open_in("all", mark)
    strip = agent.page.get_by_test_id("collision")
    expect(strip).to_contain_text({"en": "Grace Holt is also viewing", "zh": "Grace Holt 也在查看"}[language])

    visitor.field.press_sequentially({"en": "is it lost", "zh": "是不是丢了"}[language], delay=60)
    for console in (agent.page, other.page):
        expect(console.locator(".typing .preview")).to_have_text({"en": "is it lost", "zh": "是不是丢了"}[language])
    visitor.field.fill("")
    expect(agent.page.locator(".typing")).to_have_count(0)

    other.page.get_by_test_id("mode-note").click()
    other.composer.press_sequentially({"en": "@Che", "zh": "@cy"}[language], delay=40)
    expect(other.page.get_by_test_id("suggestion").first).to_contain_text("Chen Yu")
    other.composer.press("Enter")
    other.composer.press_sequentially({"en": "I know this one", "zh": "这个我清楚"}[language], delay=30)
    expect(strip).to_contain_text({"en": "Grace Holt is writing a note", "zh": "Grace Holt 正在写备注"}[language])
    shot(agent.page, f"7-collision-{language}")
    other.composer.press("Enter")
    expect(agent.page.locator(".mention.me")).to_have_text("@Chen Yu 陈雨")
    assert "这个我清楚" not in visitor.chat.inner_text()
    assert "I know this one" not in visitor.chat.inner_text()

    agent.composer.press_sequentially({"en": "Let me look", "zh": "我看一下"}[language], delay=30)
    writes = {"en": "Chen Yu 陈雨 is writing a reply", "zh": "Chen Yu 陈雨 正在写回复"}[language]
    expect(other.page.get_by_test_id("collision")).to_contain_text(writes)
    hand_to(other, "Grace Holt")
    answer = {"en": f"It left today {mark}", "zh": f"今天已经发出 {mark}"}[language]
    other.page.get_by_test_id("mode-reply").click()
    other.reply(answer)
    visitor.heard(re.escape(answer))
    hand_to(other, "Chen Yu")
    expect(agent.page.get_by_test_id("meanwhile")).to_contain_text("Grace Holt")
    agent.composer.press("Enter")
    box = agent.page.locator(".el-message-box")
    expect(box).to_contain_text({"en": "Grace Holt answered", "zh": "Grace Holt 在"}[language])
    shot(agent.page, f"7-answered-{language}")
    box.locator(".el-button--primary").click()  # read it first
    visitor.never_heard({"en": "Let me look", "zh": "我看一下"}[language])
    agent.composer.press("Enter")  # read it, and asked only once
    visitor.heard({"en": "Let me look", "zh": "我看一下"}[language])


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_command_bar_and_the_keyboard_do_everything_and_a_macro_ends_the_conversation(
    desk: Desk, new_context: NewContext, language: str
) -> None:
    visitor, mark = waiting_visitor(new_context, desk, language)
    agent = at_work(new_context, desk, language, SAM, viewport={"width": 1280, "height": 720})
    page, bar = agent.page, agent.page.get_by_test_id("bar-input")
    page.keyboard.press("Control+k")
    bar.fill(mark)
    expect(page.locator("[data-item^=conversation-]").first).to_be_visible()
    shot(page, f"7-bar-found-{language}")
    page.keyboard.press("Enter")
    expect(page.get_by_test_id("accept")).to_be_visible()
    page.locator(".box[role=log]").click()
    page.keyboard.press("a")
    expect(agent.composer).to_be_enabled()

    page.keyboard.press("Control+k")
    expect(page.locator("[data-item=transfer]")).to_be_visible()
    active = bar.get_attribute("aria-activedescendant")
    page.keyboard.press("ArrowDown")
    assert bar.get_attribute("aria-activedescendant") != active
    expect(page.locator(f"#{bar.get_attribute('aria-activedescendant')}")).to_have_attribute("aria-selected", "true")
    bar.fill({"en": "transf", "zh": "zhuanj"}[language])
    expect(page.locator("[data-item][aria-selected=true]")).to_have_attribute("data-item", "transfer")
    shot(page, f"7-bar-{language}")
    page.keyboard.press("Enter")
    expect(page.locator(".el-dialog:visible")).to_contain_text(
        {"en": "Transfer conversation", "zh": "转接会话"}[language]
    )
    page.keyboard.press("Escape")
    expect(page.locator(".el-dialog:visible")).to_have_count(0)

    page.keyboard.press("Control+k")
    bar.fill({"en": "goodbye", "zh": "道别"}[language])
    page.keyboard.press("Enter")
    dialog = page.locator(".macro-dialog")
    expect(dialog.locator("li")).to_have_count(2)
    shot(page, f"7-macro-{language}")
    dialog.get_by_test_id("macro-run").click()
    visitor.heard({"en": "Thank you for your patience", "zh": "感谢您的耐心"}[language])
    expect(page.locator(".facts .chip").first).to_contain_text({"en": "Resolved", "zh": "已结束"}[language])
    expect(dialog).to_have_count(0)  # the chip may come by the live connection before the macro's own answer

    page.keyboard.press("?")
    expect(page.locator(".shortcuts-dialog")).to_contain_text(
        {"en": "Next unread conversation", "zh": "下一个未读会话"}[language]
    )
    page.keyboard.press("Escape")
    expect(page.locator(".shortcuts-dialog")).to_have_count(0)
    page.keyboard.press("g")
    page.keyboard.press("r")
    expect(page.get_by_test_id("view-resolved")).to_have_attribute("aria-current", "page")


def test_files_come_by_button_paste_and_drop_and_can_be_taken_off(
    desk: Desk, new_context: NewContext, tmp_path: Path
) -> None:
    visitor, mark = waiting_visitor(new_context, desk, "en")
    agent = at_work(new_context, desk, "en", CHEN)
    agent.open_waiting(mark)
    agent.accept()
    page = agent.page
    png = PNG
    files = [tmp_path / name for name in ("one.png", "two.png")]
    for file in files:
        file.write_bytes(png)
    page.get_by_test_id("file-input").set_input_files(files)
    tray = page.get_by_test_id("uploads").locator("li")
    expect(tray).to_have_count(2)
    give = """([selector, kind, bytes]) => {
        const data = new DataTransfer()
        data.items.add(new File([new Uint8Array(bytes)], `${kind}.png`, { type: 'image/png' }))
        const event = kind === 'paste'
          ? new ClipboardEvent('paste', { clipboardData: data, bubbles: true, cancelable: true })
          : new DragEvent('drop', { dataTransfer: data, bubbles: true, cancelable: true })
        document.querySelector(selector).dispatchEvent(event)
    }"""
    for kind in ("paste", "drop"):
        page.evaluate(give, ["[data-testid=composer]", kind, list(png)])
    expect(tray).to_have_count(4)
    expect(page.locator("[data-testid=uploads] li.arrived")).to_have_count(4)
    tray.nth(1).get_by_role("button").click()
    expect(tray).to_have_count(3)
    shot(page, "7-uploads-en")
    page.get_by_test_id("send").click()
    expect(visitor.chat.locator(".picture img")).to_have_count(3)


@pytest.mark.parametrize("language", LANGUAGES)
def test_supervisors_keep_shared_canned_replies_and_macros(desk: Desk, new_context: NewContext, language: str) -> None:
    grace = at_work(new_context, desk, language, GRACE, viewport={"width": 1280, "height": 720})
    page = grace.page
    page.get_by_test_id("page-canned").click()
    page.get_by_test_id("canned-add").click()
    shortcut = f"j{language}"
    page.get_by_test_id("canned-shortcut").fill(shortcut)
    page.get_by_test_id(f"canned-title-{language}").fill({"en": "Opening hours", "zh": "营业时间"}[language])
    text = page.get_by_test_id(f"canned-text-{language}")
    text.fill({"en": "We are here on {{order.day}}", "zh": "我们{{order.day}}都在"}[language])
    page.get_by_test_id("canned-save").click()
    expect(page.get_by_test_id("canned-problem")).to_contain_text("order.day")
    text.fill({"en": "We are here from 9 to 21, ", "zh": "我们每天 9 点到 21 点都在，"}[language])
    page.get_by_role("button", name={"en": "tomorrow", "zh": "明天"}[language]).click()
    expect(text).to_have_value(re.compile(r"\{\{date\.tomorrow\}\}$"))
    shot(page, f"7-canned-edit-{language}")
    page.get_by_test_id("canned-save").click()
    page.get_by_test_id("canned-search").fill({"en": "openi", "zh": "yysj"}[language])
    row = page.get_by_test_id("canned-row")
    expect(row).to_have_count(1)
    expect(row).to_contain_text(f"/{shortcut}")
    with page.expect_download() as download:
        page.get_by_test_id("canned-export").click()
    exported = Path(download.value.path()).read_bytes()
    assert exported.startswith(b"\xef\xbb\xbf")
    page.get_by_test_id("canned-import").set_input_files(
        {"name": "bad.csv", "mimeType": "text/csv", "buffer": b"shortcut,title_en,text_en\nx y,T,t\n"}
    )
    expect(page.locator(".report")).to_contain_text("2")
    page.get_by_test_id("canned-import").set_input_files(
        {"name": "good.csv", "mimeType": "text/csv", "buffer": exported}
    )
    expect(page.locator(".report")).to_have_count(0)
    shot(page, f"7-canned-page-{language}")
    page.get_by_test_id("canned-delete").click()
    confirm(page)
    expect(page.get_by_test_id("canned-row")).to_have_count(0)

    page.get_by_test_id("page-macros").click()
    page.get_by_test_id("macro-add").click()
    page.get_by_test_id(f"macro-title-{language}").fill({"en": "Greet twice", "zh": "问候两次"}[language])
    editor = page.locator(".macro-editor")
    editor.get_by_test_id("macro-add-step").select_option("resolve")
    editor.get_by_test_id("macro-add-step").select_option("reply")
    editor.locator("li").nth(1).locator("textarea").fill("hi")
    page.get_by_test_id("macro-save").click()
    expect(page.get_by_test_id("macro-problem")).to_be_visible()  # nothing can be said after resolving
    editor.locator("li").nth(1).get_by_role("button").first.click()
    shot(page, f"7-macro-edit-{language}")
    page.get_by_test_id("macro-save").click()
    made = page.get_by_test_id("macro-row").filter(has_text={"en": "Greet twice", "zh": "问候两次"}[language])
    expect(made).to_have_count(1)


def test_two_tabs_ring_once_and_nothing_rings_while_away(desk: Desk, new_context: NewContext) -> None:
    context = new_context(locale="en-GB", permissions=["notifications"])
    context.add_init_script(
        """window.rung = []
        window.Notification = class { constructor(title, more) { window.rung.push([title, more.tag]) } close() {} }
        window.Notification.permission = 'granted'
        document.hasFocus = () => false"""
    )
    first = Agent(context.new_page())
    first.sign_in(desk.url, SAM, desk.password)
    second = context.new_page()
    second.goto(f"{desk.url}/staff/")
    expect(second.get_by_test_id("view-queued")).to_be_visible()
    expect(second.locator(".connection.open")).to_be_visible()

    def rung() -> list[tuple[str, str]]:
        """What rang in either tab; what other journeys left behind may come back to the queue meanwhile."""
        return [(title, tag) for page in (first.page, second) for title, tag in page.evaluate("window.rung")]

    before = rung()
    _, mark = waiting_visitor(new_context, desk, "en")
    second.get_by_test_id("view-queued").click()
    expect(second.get_by_text(mark).first).to_be_visible(timeout=20_000)
    second.wait_for_timeout(600)
    heard = rung()
    assert len(set(heard)) == len(heard) > len(before)
    assert {title for title, _ in heard} == {"A customer is waiting"}
    first.page.get_by_test_id("presence").click()
    expect(first.page.locator(".presence")).to_contain_text("Away")
    expect(second.locator(".presence")).to_contain_text("Away")
    heard = rung()
    _, mark = waiting_visitor(new_context, desk, "en")
    expect(second.get_by_text(mark).first).to_be_visible(timeout=20_000)
    second.wait_for_timeout(600)
    assert rung() == heard
    first.page.get_by_test_id("presence").click()  # back for the next journey
    expect(first.page.locator(".presence")).to_contain_text("Online")
