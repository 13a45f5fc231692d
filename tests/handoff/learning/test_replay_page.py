"""Replays in a browser: a trainer replays, judges with three keys, and the gate opens or stays shut; in both languages."""

from __future__ import annotations

import re
from datetime import timedelta
from pathlib import Path

import pytest
from playwright.async_api import Browser, expect

from conversations.model import Address, InboundMessage, new_id
from conversations.turn_model import Reply, TurnResult
from handoff.roles import Role
from handoff.store import StaffMember
from tests.handoff.desk import Desk, open_desk
from tests.handoff.learning.console_page import ConsolePage
from tests.handoff.learning.test_replay_api import MODEL, Studio
from tests.learning.replay_bot import ReplayBot, add_model

pytestmark = [pytest.mark.browser]
expect.set_options(timeout=30_000)
SAID = {
    "en": ["where is my parcel?", "I'd like my money back for KT20261234", "do you wrap gifts?", "call me on 13912345678", "hello"],
    "zh": ["我的快递到哪了？", "KT20261234 想退货退款", "可以包成礼物吗？", "打我电话 13912345678", "你好"],
}  # fmt: skip
CHANNELS = {
    "en": ("E-mail", "some channels or languages", "Replayed: E-mail"),
    "zh": ("邮件", "部分渠道或语言", "回放范围：邮件"),
}
WORDS = {"en": ("Not to be released yet", "May be released"), "zh": ("暂不能上线", "可以上线")}


class Trainer(ConsolePage):
    """A trainer at the tab of replays."""

    async def come_in(self, desk: Desk, member: StaffMember) -> None:
        await self.sign_in(desk, member)
        await self.by("page-models").click()
        await self.by("models-replay").click()
        await expect(self.by("replay-budget")).to_be_visible()

    async def shot(self, name: str, *, whole: bool = True) -> None:
        await super().shot(name, whole=whole)


async def prepared(desk: Desk, bot: ReplayBot, language: str) -> Studio:
    """Conversations that a candidate would answer in different ways."""
    await add_model(desk.database, MODEL, desk.clock() - timedelta(hours=1))
    studio = Studio(desk, bot)
    for number, text in enumerate(SAID[language]):
        await studio.said(text, f"contact-{number}", language)
    last = bot.finds[2]
    last["kinds"] = ["route", "actions", "asked"]
    last["after"] = last["after"] | {
        "intent": "ask_knowledge", "route": "knowledge", "actions": ["action_answer_question"], "replies": [],
        "asked": {"action": "action_answer_question", "otherwise": False},
    }  # fmt: skip
    bot.finds[4]["kinds"] = ["intent"]
    bot.finds[4]["stops"] = False
    bot.finds[4]["after"] = bot.finds[4]["before"] | {"intent": "greet", "confidence": 0.81}
    bot.turns = 800
    return studio


async def at_console(browser: Browser, desk: Desk, name: str, language: str, dark: bool = False) -> Trainer:
    locale = "zh-CN" if language == "zh" else "en-GB"
    context = await browser.new_context(
        viewport={"width": 1600 if dark else 1280, "height": 900},
        locale=locale,
        color_scheme="dark" if dark else "light",
    )
    context.set_default_timeout(30_000)
    trainer = Trainer(await context.new_page())
    await trainer.come_in(desk, await desk.hire(name, Role.TRAINER))
    return trainer


@pytest.mark.parametrize("language", ["en", "zh"])
async def test_a_trainer_replays_judges_and_the_gate_follows(tmp_path: Path, browser: Browser, language: str) -> None:
    bot = ReplayBot()
    shut, opened = WORDS[language]
    async with open_desk(tmp_path, replay_bot=bot) as desk:
        await prepared(desk, bot, language)
        trainer = await at_console(browser, desk, "Lin Wei", language)
        await expect(trainer.by("replay-past")).to_have_count(0)
        await trainer.shot(f"replay-empty-{language}")
        bot.runs = True
        await trainer.by("replay-start").click()
        await expect(trainer.by("replay-summary")).to_have_attribute("data-state", "queued")
        await bot.step()
        await expect(trainer.by("replay-summary")).to_have_attribute("data-state", "running")
        await trainer.shot(f"replay-running-{language}")
        bot.runs = False
        await bot.step()
        await expect(trainer.by("replay-changed")).to_have_text("5")
        await expect(trainer.by("replay-gate")).to_contain_text(shut)
        await expect(trainer.by("replay-change")).to_have_count(5)
        assert "13912345678" not in await trainer.page.content()
        await trainer.shot(f"replay-summary-{language}")

        await trainer.by("replay-judge").click()
        await expect(trainer.by("replay-words")).to_be_visible()
        await trainer.shot(f"replay-judging-{language}")
        for place, key in enumerate("2213"):
            words = await trainer.by("replay-words").inner_text()
            await trainer.page.keyboard.press(key)
            await expect(trainer.by("replay-words")).not_to_have_text(words)
            await expect(trainer.by("replay-judged")).to_contain_text(str(place + 1))
        await trainer.page.keyboard.press("u")
        await expect(trainer.by("replay-judged")).to_contain_text("3")
        await expect(trainer.by("replay-words")).to_have_text(words)
        for _ in range(2):
            await expect(trainer.by("replay-judging")).to_have_attribute("aria-busy", "false")
            await trainer.by("replay-better").click()
        await expect(trainer.by("replay-gate")).to_have_attribute("data-passed", "true")
        await expect(trainer.by("replay-gate")).to_contain_text(opened)
        await trainer.by("replay-close").click()

        # What is allowed is set lower than what got worse: the gate shuts again, and says by how much.
        await trainer.by("replay-budget-edit").click()
        field = trainer.by("budget-worse").locator("input")
        await field.fill("0.1")
        await field.press("Tab")
        await trainer.by("budget-save").click()
        await expect(trainer.by("replay-gate")).to_have_attribute("data-reason", "too_many_worse")
        await expect(trainer.by("replay-gate")).to_contain_text(re.compile(r"0\.25"))
        await trainer.shot(f"replay-shut-{language}")
        await trainer.by("replay-open").first.click()
        await expect(trainer.page).to_have_url(re.compile(r"#/all/[0-9a-f]{32}/\d+"))


@pytest.mark.parametrize("language", ["en", "zh"])
async def test_a_replay_of_some_channels_says_so_and_opens_no_gate(
    tmp_path: Path, browser: Browser, language: str
) -> None:
    bot = ReplayBot()
    async with open_desk(tmp_path, replay_bot=bot) as desk:
        studio = await prepared(desk, bot, language)
        await desk.conversations.receive(InboundMessage(Address("email", "default", "ann"), new_id(), "hello"))
        for claim in await desk.conversations.claim_turns(5):
            await desk.conversations.commit_turn(claim, TurnResult((Reply("Hello."),), {}), desk.clock(), go_on=False)
        wanted, partly, replayed = CHANNELS[language]
        trainer = await at_console(browser, desk, "Lin Wei", language)
        await expect(trainer.by("replay-part-hint")).to_have_count(0)
        await trainer.by("replay-channels").click()
        await trainer.page.get_by_role("option", name=wanted, exact=True).click()
        await expect(trainer.by("replay-part-hint")).to_contain_text(partly)
        await trainer.page.keyboard.press("Escape")
        studio.bot.finds.clear()
        await trainer.by("replay-start").click()
        await expect(trainer.by("replay-past")).to_have_count(1)
        await bot.step()
        await expect(trainer.by("replay-summary")).to_have_attribute("data-state", "done")
        await expect(trainer.by("replay-part")).to_have_text(replayed)
        await expect(trainer.by("replay-gate")).to_have_attribute("data-reason", "only_a_part")
        await trainer.shot(f"replay-part-{language}")
        assert len(bot.asked[-1]["conversations"]) == 1


async def test_it_looks_as_it_should_in_the_dark_and_two_trainers_judge_different_changes(
    tmp_path: Path, browser: Browser
) -> None:
    bot = ReplayBot()
    async with open_desk(tmp_path, replay_bot=bot) as desk:
        await prepared(desk, bot, "zh")
        eva = await at_console(browser, desk, "Eva", "zh", dark=True)
        await eva.by("replay-start").click()
        await expect(eva.by("replay-past")).to_have_count(1)
        await bot.step()
        await expect(eva.by("replay-changed")).to_have_text("5")
        await eva.shot("replay-dark-zh")
        tom = await at_console(browser, desk, "Tom", "en")
        seen = set()
        for trainer in (eva, tom):
            await trainer.by("replay-judge").click()
            seen.add(await trainer.by("replay-words").inner_text())
        await eva.shot("replay-judging-dark-zh")
        assert len(seen) == 2


async def test_a_desk_without_models_says_so(tmp_path: Path, browser: Browser) -> None:
    async with open_desk(tmp_path, replay_bot=ReplayBot()) as desk:
        trainer = await at_console(browser, desk, "Eva", "en")
        await expect(trainer.by("model-replay")).to_contain_text("Train one first")
