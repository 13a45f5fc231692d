"""An agent is helped with the answer: suggestion by key, the bot's own answer, similar conversations, and translation."""

from __future__ import annotations

import json
import re
import sqlite3
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from tests.journeys.conftest import SCALED, Desk, running_desk, shot
from tests.journeys.people import Agent, Visitor
from tests.knowledge_base.generation.model_double import Messages, Reply, completion, model_double

pytestmark = [pytest.mark.browser]
NewContext = Callable[..., BrowserContext]
#: Nothing in the demo's own past is like it.
SETTLED = {
    "en": (
        "The courier left my parcel out in the rain and the box is soaked, what now?",
        "Sorry about the wet box. Please leave everything packed and send us two photos of it here; "
        "we send the goods again the same day and pay for the return.",
    ),
    "zh": (
        "快递员把箱子放在门口淋了一夜的雨，纸箱都泡烂了，怎么办？",
        "箱子淋湿了先不要拆，拍两张照片发给我们，当天给您重新发货，旧的由我们安排上门取回。",
    ),
}
SOAKED = {
    "en": "My box stood in the rain because the courier left it outside, everything is soaked",
    "zh": "箱子被快递员扔在门外淋雨，全泡湿了",
}
ASKED = {
    "en": "The tracking says my parcel was delivered but I never got it",
    "zh": "物流写着已签收，但是包裹我没有收到",
}
PERSON = {"en": "human please", "zh": "转人工"}
NEXT = {"en": "How long do I have to return something?", "zh": "买了不喜欢，几天内可以退货？"}


@pytest.fixture(scope="module")
def assisted(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    """A desk with a model that translates word for word what a test expects and phrases nothing usable."""

    def answers(messages: Messages) -> Reply:
        if "You translate" not in messages[0]["content"]:
            return completion(json.dumps({"sentences": []}))
        source = messages[-1]["content"].partition("\n")[2].rpartition("\n")[0]
        return completion(json.dumps({"translation": TRANSLATED.get(source, "?")}, ensure_ascii=False))

    with model_double() as double:
        double.answers = answers
        settings = {"LLM_URL": double.url, "LLM_MODEL": "double"}
        with running_desk(tmp_path_factory.mktemp("assisted"), **settings) as desk:
            yield desk


TRANSLATED = {
    "物流写着已签收，但是包裹我没有收到": "The tracking says it was signed for, but I have not received the parcel",
    "We look into it and write to you today.": "我们会查一下，今天回复您。",
}


def visitor_in(new_context: NewContext, desk: Desk, language: str) -> Visitor:
    context = new_context(locale="zh-CN" if language == "zh" else "en-GB")
    visitor = Visitor(context.new_page(), language)
    visitor.arrive(desk.url)
    return visitor


def agent_in(new_context: NewContext, desk: Desk, language: str, **options: object) -> Agent:
    context = new_context(locale="zh-CN" if language == "zh" else "en-GB", **options)
    agent = Agent(context.new_page())
    agent.sign_in(desk.url, "agent@kite.example", desk.password)
    return agent


def rows(data_dir: Path) -> dict[str, list[str]]:
    """What conversations, customers and the bot's memory hold, apart from what lives by the clock."""
    apart = re.compile(
        r'INTO (?:"|public\.)(?:presence|assist_|audit_|contact_keys|key_rotations|staff_|message_translations|leases|channel_health|mishap|learning_|limit_|model_|fact_|report_|alert|digest|sign_in_|sqlite_sequence)'
    )
    found = {}
    for name in data_dir.rglob("*.db"):
        with sqlite3.connect(name) as connection:
            found[name.name] = [line for line in connection.iterdump() if not apart.search(line)]
    if SCALED:
        for name, url in json.loads((data_dir / "databases.json").read_text()).items():
            command = ["pg_dump", "--data-only", "--inserts", url]
            dumped = subprocess.run(command, capture_output=True, text=True, check=True).stdout
            rows = [line for line in dumped.splitlines() if "INSERT INTO" in line and not apart.search(line)]
            found[name] = sorted(rows)  # rows that were written again change their place
            assert found[name]
    return found


def settled(page: Page, data_dir: Path) -> dict[str, list[str]]:
    """What is held once all that follows a message (receipts, notes of what it is about) is written down."""
    deadline = time.monotonic() + 30
    before = rows(data_dir)
    while True:
        page.wait_for_timeout(700)
        now = rows(data_dir)
        if now == before:
            return now
        assert time.monotonic() < deadline, "the desk does not come to rest"
        before = now


@pytest.mark.parametrize("language", ["en", "zh"])
def test_an_agent_answers_with_a_key(desk: Desk, new_context: NewContext, language: str) -> None:
    request, told = SETTLED[language]
    agent = agent_in(new_context, desk, language)
    before = visitor_in(new_context, desk, language)
    before.say(PERSON[language])
    before.say_unheard(request)
    agent.open_waiting(request[:20])
    agent.accept()
    agent.reply(told)
    before.heard(re.escape(told[:20]))
    agent.resolve()
    before.page.close()

    visitor = visitor_in(new_context, desk, language)
    visitor.say(PERSON[language])
    visitor.say_unheard(SOAKED[language])
    agent.open_waiting(SOAKED[language][:20])
    agent.accept()
    page = agent.page
    page.keyboard.press("Alt+1")  # brings help into view
    panel = page.get_by_test_id("assist-panel")
    expect(panel.locator(".asked")).to_contain_text(SOAKED[language], timeout=20_000)
    similar = page.get_by_test_id(re.compile("^assist-card-[678]$")).filter(has_text=told[:20])
    expect(similar).to_have_count(1, timeout=20_000)
    shot(page, f"assist-similar-{language}")

    visitor.say_unheard(NEXT[language])
    expect(panel.locator(".asked")).to_contain_text(NEXT[language], timeout=20_000)
    suggested = page.get_by_test_id("assist-card-1")
    expect(suggested).to_contain_text(re.compile("7 ?(days|天)"), timeout=20_000)
    expect(page.get_by_test_id("assist-card-2").get_by_test_id("assist-confidence")).to_be_visible(timeout=20_000)
    unchanged = settled(page, desk.data_dir)
    page.get_by_role("tab").first.click()
    page.keyboard.press("Alt+1")
    expect(page.get_by_test_id("assist-card-2").get_by_test_id("assist-confidence")).to_be_visible(timeout=20_000)
    assert rows(desk.data_dir) == unchanged, "looking must change nothing"
    shot(page, f"assist-panel-{language}")

    page.keyboard.press("Alt+1")
    expect(agent.composer).to_have_value(re.compile("7 ?(days|天)"))
    expect(agent.composer).to_be_focused()
    expect(page.get_by_test_id("composer-sources").get_by_role("link").first).to_be_visible()
    shot(page, f"assist-inserted-{language}")
    page.keyboard.type({"en": " Anything else?", "zh": "还有其他问题吗？"}[language])
    agent.composer.press("Enter")
    visitor.heard("7 ?(days|天)")
    expect(visitor.chat.locator(".sources a").last).to_be_visible()
    shot(visitor.page, f"assist-visitor-{language}")
    agent.resolve()


def test_the_report_shows_what_was_used(desk: Desk, new_context: NewContext) -> None:
    boss = Agent(new_context(locale="en-GB").new_page())
    boss.sign_in(desk.url, "supervisor@kite.example", desk.password)
    boss.page.get_by_test_id("page-assist").click()
    expect(boss.page.get_by_test_id("assist-report-row").first).to_be_visible()
    expect(boss.page.get_by_test_id("assist-report-row").filter(has_text="Chen Yu")).to_be_visible()
    shot(boss.page, "assist-report")


def test_help_fits_a_phone(desk: Desk, new_context: NewContext) -> None:
    visitor = visitor_in(new_context, desk, "en")
    visitor.say(PERSON["en"])
    visitor.say_unheard(NEXT["en"])
    agent = agent_in(new_context, desk, "en", viewport={"width": 390, "height": 844})
    agent.open_waiting(NEXT["en"][:20])
    agent.accept()
    page = agent.page
    page.get_by_test_id("details").click()
    page.get_by_role("tab", name="Assist").click()
    suggested = page.get_by_test_id("assist-card-1")
    expect(suggested).to_contain_text("7 days", timeout=20_000)
    shot(page, "assist-phone")
    suggested.get_by_role("button", name="Insert").click()
    expect(agent.composer).to_have_value(re.compile("7 days"))
    expect(agent.composer).to_be_visible()
    shot(page, "assist-phone-inserted")
    agent.composer.press("Enter")
    visitor.heard("7 days")


def test_messages_are_translated_both_ways(assisted: Desk, new_context: NewContext) -> None:
    visitor = visitor_in(new_context, assisted, "zh")
    visitor.say(PERSON["zh"])
    visitor.say_unheard(ASKED["zh"])
    agent = agent_in(new_context, assisted, "en")
    agent.open_waiting(ASKED["zh"][:10])
    agent.accept()
    page = agent.page
    page.get_by_test_id("translate-all").check()
    expect(page.get_by_test_id("translation").filter(has_text="The tracking says it was signed for")).to_be_visible()
    agent.composer.fill("We look into it and write to you today.")
    page.get_by_test_id("translate-reply").click()
    expect(agent.composer).to_have_value("我们会查一下，今天回复您。")
    expect(page.get_by_test_id("composer-original")).to_contain_text("We look into it")
    shot(page, "translation-composer")
    agent.composer.press("Enter")
    visitor.heard("今天回复您")
    expect(page.get_by_text("We look into it and write to you today.")).to_be_visible()
    page.reload()
    expect(page.get_by_test_id("translation").filter(has_text="The tracking says it was signed for")).to_be_visible()
    expect(page.get_by_text("We look into it and write to you today.")).to_be_visible(timeout=20_000)
    shot(page, "translation-kept")
    assert "We look into it" not in visitor.chat.inner_text()
