"""Everything that opens over the console, and the chat's own forms, stand up to axe's rules of WCAG 2.2, levels A and AA."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.journeys.conftest import Desk, shot
from tests.journeys.people import CHEN, REPLY_MS, SAM, Agent, NewContext, at_work, waiting_visitor
from tests.journeys.test_accessibility import violations
from tests.journeys.test_organise import row_of, writes

pytestmark = [pytest.mark.browser]
LOOKS = [("en", "light"), ("zh", "dark")]
SAID = {"en": ("talk to a human", "Ada Marsh"), "zh": ("转人工", "顾清和")}
BOX = ".el-dialog:visible"


class Inspection:
    """Opens one thing after the other on a page and notes what axe finds in it."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.report: list[str] = []
        self.seen: list[str] = []

    def look(self, name: str, opened: str | Locator) -> None:
        place = self.page.locator(opened) if isinstance(opened, str) else opened
        expect(place.first).to_be_visible(timeout=REPLY_MS)
        expect(self.page.locator("[aria-busy=true]")).to_have_count(0, timeout=REPLY_MS)
        expect(self.page.locator(".el-popper.is-dark:visible")).to_have_count(0)  # a tooltip that fades is no finding
        self.seen.append(name)
        self.report += [f"{name}: {line}" for line in violations(self.page, place)]

    @contextmanager
    def box(self, name: str, test_id: str) -> Iterator[Locator]:
        """A dialog behind a button: opened, filled in by the caller, looked at, and closed with Escape."""
        self.page.get_by_test_id(test_id).first.click()
        dialog = self.page.locator(BOX)
        expect(dialog).to_be_visible(timeout=REPLY_MS)
        yield dialog
        self.look(name, dialog)
        self.page.keyboard.press("Escape")
        expect(dialog).to_have_count(0)

    def menu(self, name: str, test_id: str) -> None:
        self.page.get_by_test_id(test_id).first.click()
        self.look(name, "[data-menu]")
        self.page.keyboard.press("Escape")
        expect(self.page.locator("[data-menu]")).to_have_count(0)


def everything_over_a_conversation(found: Inspection, name: str) -> None:
    page = found.page
    with found.box("transfer to an agent", "transfer"):
        pass
    with found.box("transfer to a team", "transfer") as dialog:
        dialog.get_by_test_id("to-team").locator("..").click()
    with found.box("back to the queue", "requeue"):
        pass
    with found.box("invite", "invite"):
        pass
    with found.box("merge conversations", "merge") as dialog:
        expect(dialog.get_by_test_id("duplicate").filter(has_text=name).first).to_be_visible(timeout=REPLY_MS)
    with found.box("ticket", "ticket-open") as dialog:
        dialog.get_by_test_id("ticket-submit").click()
        expect(dialog.get_by_test_id("ticket-problem")).to_be_visible()
    with found.box("link a customer", "contact-link") as dialog:
        dialog.get_by_test_id("link-search").fill("emma.clarke")
        expect(dialog.get_by_test_id("link-customer")).to_be_visible(timeout=REPLY_MS)
    with found.box("merge contacts", "contact-merge") as dialog:
        dialog.get_by_test_id("contact-search").fill(name)
        dialog.get_by_test_id("same-person").filter(has_text=name).first.click()
        expect(dialog.get_by_test_id("merge-preview")).to_be_visible(timeout=REPLY_MS)
    for menu in ("labels", "priority", "snooze", "sort"):
        found.menu(menu, menu)
    page.get_by_test_id("labels").click()
    page.get_by_test_id("label-search").fill("?")
    page.locator("[data-menu] button").last.click()  # looks after the labels themselves
    found.look("manage labels", BOX)
    page.keyboard.press("Escape")
    page.get_by_test_id("resolve").click()
    found.look("resolve", ".el-popconfirm:visible")
    page.keyboard.press("Escape")
    expect(page.locator(".el-popconfirm:visible")).to_have_count(0)
    expect(page.get_by_test_id("resolve")).to_be_visible()  # Escape took the question away, not the conversation
    page.get_by_test_id("account").click()
    found.look("account", ".el-dropdown__popper:visible")
    page.keyboard.press("Escape")


def everything_by_keyboard(found: Inspection, agent: Agent) -> None:
    page = found.page
    agent.composer.fill("")
    agent.composer.press_sequentially("/")
    expect(page.get_by_test_id("suggestion").first).to_be_visible(timeout=REPLY_MS)
    found.look("canned replies", ".composer")
    page.keyboard.press("Escape")
    agent.composer.fill("")
    page.get_by_test_id("mode-note").click()
    agent.composer.press_sequentially("@")
    expect(page.get_by_test_id("suggestion").first).to_be_visible(timeout=REPLY_MS)
    found.look("mention a colleague", ".composer")
    page.keyboard.press("Escape")
    agent.composer.fill("")
    page.locator(".box[role=log]").click()
    page.keyboard.press("Control+k")
    page.get_by_test_id("bar-input").fill("e")
    found.look("command bar", page.get_by_test_id("command-bar"))
    page.keyboard.press("Escape")
    page.get_by_test_id("open-macros").click()
    page.locator("[data-item^=macro-]").first.click()
    found.look("run a macro", ".macro-dialog")
    page.keyboard.press("Escape")
    expect(page.locator(".macro-dialog")).to_have_count(0)
    page.locator(".box[role=log]").click()
    page.keyboard.press("?")
    found.look("keyboard help", ".shortcuts-dialog")
    page.keyboard.press("Escape")
    expect(page.locator(".shortcuts-dialog")).to_have_count(0)


def everything_over_the_pages(found: Inspection, url: str) -> None:
    page = found.page
    with found.box("alerts", "alerts"):
        pass
    with found.box("filter", "filter-add") as dialog:
        for one in ("status", "priority", "waiting_longer_minutes", "created", "label"):
            dialog.get_by_test_id("add-condition").select_option(one)
    page.goto(f"{url}/staff/#/canned")
    with found.box("canned reply", "canned-add") as dialog:
        dialog.get_by_test_id("canned-shortcut").fill("x")
        dialog.get_by_test_id("canned-title-en").fill("x")
        dialog.get_by_test_id("canned-text-en").fill("{{order.day}}")
        dialog.get_by_test_id("canned-save").click()
        expect(dialog.get_by_test_id("canned-problem")).to_be_visible(timeout=REPLY_MS)
    page.goto(f"{url}/staff/#/macros")
    with found.box("macro", "macro-add") as dialog:
        for one in ("reply", "note", "transfer", "label", "priority", "snooze", "resolve"):
            dialog.get_by_test_id("macro-add-step").select_option(one)
    page.goto(f"{url}/staff/#/synonyms")
    with found.box("synonym", "synonym-add"):
        pass
    page.goto(f"{url}/staff/#/teams")
    with found.box("team", "team-add") as dialog:
        dialog.get_by_test_id("team-offer").locator("..").click()
        dialog.get_by_role("button", name=re.compile("Add a day|添加日期")).click()
    for tab in page.get_by_role("tab").all():
        tab.click()
        found.look(f"tab {tab.get_attribute('id')}", "main.teams [role=tabpanel]:visible")
    page.get_by_role("tab").nth(1).click()
    page.get_by_test_id("rule-add").click()
    found.look("a rule", page.get_by_test_id("rule").last)


@pytest.mark.parametrize(("language", "scheme"), LOOKS)
def test_everybody_can_use_what_opens_over_the_console(
    desk: Desk, new_context: NewContext, language: str, scheme: str
) -> None:
    ask, name = SAID[language]
    for number in (1, 2):
        writes(desk, f"boxes-{language}-{number}", ask, language, name)
    agent = at_work(
        new_context, desk, language, "admin@kite.example", color_scheme=scheme, viewport={"width": 1280, "height": 720}
    )
    found = Inspection(agent.page)
    agent.page.get_by_test_id("view-queued").click()
    row_of(agent.page, name).click()
    agent.accept()
    expect(agent.page.get_by_test_id("contact-history")).to_be_visible(timeout=REPLY_MS)
    everything_over_a_conversation(found, name)
    everything_by_keyboard(found, agent)
    everything_over_the_pages(found, desk.url)
    assert not found.report, "\n".join(found.report)
    assert len(found.seen) == len(set(found.seen))


def test_everybody_can_use_the_desk_on_a_phone(desk: Desk, new_context: NewContext) -> None:
    writes(desk, "boxes-phone", SAID["zh"][0], "zh", f"{SAID['zh'][1]} 手机")
    agent = at_work(
        new_context, desk, "zh", SAM, viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True
    )
    found = Inspection(agent.page)
    agent.page.get_by_test_id("view-queued").click()
    expect(row_of(agent.page, f"{SAID['zh'][1]} 手机")).to_be_visible(timeout=REPLY_MS)
    found.look("list", "body")
    row_of(agent.page, f"{SAID['zh'][1]} 手机").click()
    expect(agent.page.locator("[role=log] .bubble").first).to_be_visible(timeout=REPLY_MS)
    found.look("conversation", "body")
    agent.page.get_by_test_id("details").first.click()
    expect(agent.page.get_by_test_id("contact-history")).to_be_visible(timeout=REPLY_MS)
    found.look("details", ".details-drawer")
    assert not found.report, "\n".join(found.report)


@pytest.mark.parametrize(("language", "scheme"), LOOKS)
def test_everybody_can_rate_in_the_chat(desk: Desk, new_context: NewContext, language: str, scheme: str) -> None:
    visitor, mark = waiting_visitor(new_context, desk, language, color_scheme=scheme)
    found = Inspection(visitor.page)
    visitor.chat.locator("header").get_by_role("button", name=re.compile("More|更多")).click()
    found.look("menu", visitor.chat.get_by_role("menu"))
    visitor.page.keyboard.press("Escape")
    agent = at_work(new_context, desk, language, CHEN)
    agent.open_waiting(mark)
    agent.accept()
    agent.resolve()
    form = visitor.chat.locator("form.rating")
    form.locator("label.star").nth(3).click(timeout=REPLY_MS)
    found.look("rating", form)
    shot(visitor.page, f"rating-form-{language}-{scheme}")
    form.locator("button.submit").click()
    found.look("rated", visitor.chat.locator(".rating.done"))
    assert not found.report, "\n".join(found.report)
