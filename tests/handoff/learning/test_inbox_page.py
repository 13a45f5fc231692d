"""The inbox in a browser: what was misunderstood is assigned, taught and gone; two trainers do not overwrite each other."""

from __future__ import annotations

import contextlib
import re
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import yaml
from playwright.async_api import Browser, Locator, expect

from conversations.model import utc_now
from handoff.learning.demo_mishaps import WISHES, load_mishaps
from handoff.roles import Role
from handoff.store import StaffMember
from learning.example_book import ExampleBook as BookOfFiles
from learning.tables import metadata as example_metadata
from tests.handoff.desk import Desk, open_desk
from tests.handoff.learning.console_page import ConsolePage
from tests.handoff.learning.test_inbox_api import the_bot_knows
from tests.journeys.conftest import ROOT
from tests.learning.builders import ExampleBook
from tests.learning.example_shelf import make_folder

pytestmark = [pytest.mark.browser]
expect.set_options(timeout=20_000)
INVALID = {"en": "A name has 3 to 40 small letters", "zh": "名称须为 3–40 个小写字母"}
FIELDS = {
    "intent-title-zh": "学生优惠",
    "intent-title-en": "Student discount",
    "intent-reply-zh": "凭学生证可以打九折。",
    "intent-reply-en": "Students pay 10% less with their card.",
}


class Trainer(ConsolePage):
    """A trainer at the inbox."""

    async def come_in(self, desk: Desk, member: StaffMember) -> None:
        await self.sign_in(desk, member)
        await self.by("page-mishaps").click()
        await expect(self.by("mishap-row").first).to_be_visible()

    def row(self, text: str) -> Locator:
        return self.by("mishap-row").filter(has_text=text)

    async def open(self, text: str) -> None:
        await self.row(text).first.click()
        await expect(self.by("mishap-detail").locator("h2")).to_contain_text(text)


@contextlib.asynccontextmanager
async def taught_desk(folder: Path) -> AsyncIterator[tuple[Desk, ExampleBook]]:
    """A desk with the demo's mishaps, the real encoder and a small book."""
    from knowledge_base.encoder import UseEncoder

    book = ExampleBook(
        ("en", "return_refund", "I want to send it back and get my money"), ("zh", "return_refund", "我想退货退款"),
        ("en", "order_status", "where is my parcel"), ("zh", "order_status", "我的快递到哪了"), ("en", "greet", "hello"),
    )  # fmt: skip
    options = {"book": book, "encode": UseEncoder().questions, "understand": the_bot_knows}
    options["nlu_data"] = ROOT / "nlu_data"
    async with open_desk(folder, **options) as desk:
        agent = (await desk.hire("Sam")).agent
        await load_mishaps(desk.database, desk.conversations.audit, agent, utc_now)
        assert desk.side.studio.inbox is not None
        await desk.side.studio.inbox.follower.catch_up()
        yield desk, book


async def at_console(browser: Browser, desk: Desk, member: StaffMember, language: str) -> Trainer:
    locale = "zh-CN" if language == "zh" else "en-GB"
    context = await browser.new_context(viewport={"width": 1360, "height": 860}, locale=locale)
    context.set_default_timeout(20_000)
    trainer = Trainer(await context.new_page())
    await trainer.come_in(desk, member)
    return trainer


@pytest.mark.parametrize(("language", "asked"), [("en", "student"), ("zh", "学生")])
async def test_what_was_misunderstood_is_assigned_taught_and_gone(
    tmp_path: Path, browser: Browser, language: str, asked: str
) -> None:
    async with taught_desk(tmp_path) as (desk, book):
        trainer = await at_console(browser, desk, await desk.hire("Lin Wei", Role.TRAINER), language)
        await trainer.shot(f"inbox-list-{language}")
        await trainer.by("mishap-search").fill("student discount" if language == "en" else "学生优惠")
        await expect(trainer.by("mishap-row").first).to_contain_text(re.compile("student|学生"))
        await trainer.by("mishap-row").first.click()
        await expect(trainer.by("mishap-suggestion").first).to_be_visible()
        await trainer.shot(f"inbox-group-{language}")
        await trainer.page.keyboard.press("1")
        line = trainer.by("mishap-line").first
        await expect(line).to_be_visible()
        taught = await line.input_value()
        before = len(book.lines)
        await trainer.shot(f"inbox-teach-{language}")
        await trainer.by("mishap-confirm").click()
        await expect(trainer.by("mishap-teach")).to_have_count(0)
        assert len(book.lines) > before
        assert taught in [one.text for one in book.lines]
        await trainer.by("mishap-search").fill("")
        await expect(trainer.by("mishaps-done")).to_contain_text("1")
        await expect(trainer.row(taught)).to_have_count(0)
        await trainer.by("mishaps-done").click()
        await trainer.by("mishap-row").first.click()
        await expect(trainer.by("mishap-decision")).to_contain_text("Lin Wei")
        await trainer.shot(f"inbox-done-{language}")
        await trainer.by("mishap-undo").click()
        await expect(trainer.by("mishap-decision").first).to_have_class(re.compile("undone"))
        assert len(book.lines) == before


@pytest.mark.parametrize("language", ["en", "zh"])
async def test_a_group_becomes_an_intent_of_its_own_and_a_bad_name_loses_nothing(
    tmp_path: Path, browser: Browser, language: str
) -> None:
    async with taught_desk(tmp_path) as (desk, _):
        assert desk.side.studio.inbox is not None
        async with desk.database.engine.begin() as connection:
            await connection.run_sync(example_metadata.create_all)
        shelf = make_folder(tmp_path / "shelf")
        desk.side.studio.inbox.inbox.book = BookOfFiles(desk.database, shelf, now=utc_now)
        trainer = await at_console(browser, desk, await desk.hire("Lin Wei", Role.TRAINER), language)
        await trainer.by("mishap-search").fill("student discount" if language == "en" else "学生优惠")
        await expect(trainer.by("mishap-row").first).to_contain_text(re.compile("student|学生"))
        await trainer.by("mishap-row").first.click()
        await trainer.by("mishap-new-intent").click()
        await expect(trainer.by("mishap-confirm")).to_be_disabled()
        await trainer.by("intent-name").fill("Student Discount!")
        await trainer.by("intent-does-reply").click()
        for field, text in FIELDS.items():
            await trainer.by(field).fill(text)
        lines = [await one.input_value() for one in await trainer.by("mishap-line").all()]
        await trainer.by("mishap-line").first.fill(f"{lines[0]} please")
        await trainer.by("mishap-confirm").click()
        await expect(trainer.by("mishap-problem")).to_contain_text(INVALID[language])
        await trainer.shot(f"inbox-new-intent-{language}")
        for field, text in FIELDS.items():
            await expect(trainer.by(field)).to_have_value(text)
        await expect(trainer.by("intent-name")).to_have_value("Student Discount!")
        await expect(trainer.by("mishap-line").first).to_have_value(f"{lines[0]} please")
        assert not (shelf.root / "intents.yml").exists()

        await trainer.by("intent-name").fill("student_discount")
        await trainer.by("mishap-confirm").click()
        await expect(trainer.by("mishap-teach")).to_have_count(0)
        await trainer.by("mishap-search").fill("")
        await expect(trainer.by("mishaps-done")).to_contain_text("1")
        [made] = yaml.safe_load((shelf.root / "intents.yml").read_text())
        assert made == {
            "name": "student_discount",
            "title": {"zh": FIELDS["intent-title-zh"], "en": FIELDS["intent-title-en"]},
            "does": "reply",
            "reply": {"zh": FIELDS["intent-reply-zh"], "en": FIELDS["intent-reply-en"]},
        }
        taught = "\n".join(path.read_text() for path in shelf.root.rglob("student_discount.yml"))
        assert all(text in taught for text in [f"{lines[0]} please", *lines[1:]])


async def test_two_trainers_at_once_see_what_the_other_did(tmp_path: Path, browser: Browser) -> None:
    async with taught_desk(tmp_path) as (desk, book):
        lin = await at_console(browser, desk, await desk.hire("Lin Wei", Role.TRAINER), "en")
        ming = await at_console(browser, desk, await desk.hire("Zhao Ming", Role.ADMIN), "zh")
        for one in (lin, ming):
            await one.by("mishap-row").first.click()
            await expect(one.by("mishap-suggestion").first).to_be_visible()
        await ming.page.keyboard.press("1")
        await expect(ming.by("mishap-line").first).to_be_visible()
        before = len(book.lines)
        await lin.page.keyboard.press("i")
        await expect(lin.by("mishaps-ignored")).to_contain_text("1")
        await expect(ming.by("mishap-meanwhile")).to_contain_text("Lin Wei")
        await ming.by("mishap-confirm").click()
        await expect(ming.by("mishap-conflict")).to_contain_text("Lin Wei")
        await ming.shot("inbox-conflict-zh")
        assert len(book.lines) == before
        await ming.by("mishap-leave").click()
        await lin.page.keyboard.press("u")
        await expect(lin.by("mishaps-ignored")).not_to_contain_text("1")


async def test_gaps_are_kept_and_several_groups_are_ignored_at_once(tmp_path: Path, browser: Browser) -> None:
    async with taught_desk(tmp_path) as (desk, _):
        lin = await at_console(browser, desk, await desk.hire("Lin Wei", Role.TRAINER), "en")
        await lin.by("mishap-row").first.click()
        await lin.by("mishap-gap").click()
        await expect(lin.by("mishaps-gaps")).to_contain_text("1")
        for place in (0, 1):
            await lin.by("mishap-choose").nth(place).click()
        await lin.shot("inbox-batch-en")
        await lin.by("mishaps-ignore").click()
        await expect(lin.by("mishaps-ignored")).to_contain_text("2")
        await lin.by("mishaps-gaps").click()
        await expect(lin.by("gap")).to_have_count(1)
        await lin.shot("inbox-gaps-en")


async def test_the_demos_mishaps_are_made_once_and_become_few_groups(tmp_path: Path) -> None:
    async with taught_desk(tmp_path) as (desk, _):
        agent = (await desk.hire("Eva")).agent
        assert await load_mishaps(desk.database, desk.conversations.audit, agent, utc_now) == 0
        assert desk.side.studio.inbox is not None
        counts = await desk.side.studio.inbox.inbox.counts()
        said = sum(len(wish.said) for wish in WISHES)
        assert len(WISHES) <= counts["new"] <= said * 0.7
