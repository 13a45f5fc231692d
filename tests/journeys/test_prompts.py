"""A trainer writes a prompt, tries it, puts it into use and takes it back; the customer and the trace follow."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from tests.journeys.conftest import Desk, running_desk, shot
from tests.journeys.people import Visitor
from tests.knowledge_base.generation.model_double import Messages, ModelDouble, Reply, completion, model_double

pytestmark = [pytest.mark.browser]
NewContext = Callable[..., BrowserContext]
LANGUAGES = ("en", "zh")
SAID = {
    "en": "You can return a product within 7 days of delivery, and you need no reason.",
    "zh": "签收后 7 天内可以无理由退货。",
}
ASK = {"en": "How long do I have to return something?", "zh": "买回来不喜欢，几天内能退？"}
INVENTED = {"en": "We also give you a voucher of 50 pounds.", "zh": "另外送您 50 元代金券。"}


def phrase(messages: Messages) -> Reply:
    """Says what the return article says; with "voucher" or 代金券 in the prompt it adds a promise nobody made."""
    prompt = messages[1]["content"]
    language = "zh" if "顾客的问题" in prompt else "en"
    found = re.findall(r"passage (p\d+)>\n[^\n]*(?:return|退)", prompt, re.IGNORECASE) or ["p1"]
    said = [SAID[language]]
    if "voucher" in prompt or "代金券" in prompt:
        said.append(INVENTED[language])
    listed = [{"text": one, "passages": found} for one in said]
    return completion(json.dumps({"sentences": listed}, ensure_ascii=False))


@pytest.fixture(scope="module")
def model() -> Iterator[ModelDouble]:
    with model_double() as double:
        double.answers = phrase
        yield double


@pytest.fixture(scope="module")
def desk_with_model(model: ModelDouble, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    folder = tmp_path_factory.mktemp("desk-with-model")
    with running_desk(folder, LLM_URL=model.url, LLM_MODEL="double-1", LLM_KEY="sk-test-key-123") as desk:
        yield desk


def sign_in(page: Page, desk: Desk, email: str) -> None:
    page.goto(f"{desk.url}/staff/")
    page.locator("input[autocomplete=username], input[type=email]").first.fill(email)
    page.locator("input[type=password]").fill(desk.password)
    page.keyboard.press("Enter")
    expect(page.get_by_test_id("view-queued")).to_be_visible()


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_trainer_writes_tries_uses_and_takes_back_a_prompt(
    desk_with_model: Desk, model: ModelDouble, new_context: NewContext, language: str
) -> None:
    page = new_context(locale="zh-CN" if language == "zh" else "en-GB").new_page()
    sign_in(page, desk_with_model, "trainer@kite.example")
    page.get_by_test_id("page-prompts").click()
    page.get_by_test_id(f"prompt-answer_{language}").click()
    template = page.get_by_test_id("template")
    expect(template).to_have_value(re.compile(r"\{\{passages\}\}"))
    shot(page, f"6-prompts-{language}")

    page.get_by_test_id("question").fill(ASK[language])
    page.get_by_test_id("run-test").click()
    expect(page.get_by_test_id("final-answer")).to_have_text(SAID[language], timeout=20_000)
    expect(page.get_by_test_id("verdict")).to_have_count(1)
    page.get_by_test_id("test-result").scroll_into_view_if_needed()
    shot(page, f"6-prompt-test-{language}")

    written = template.input_value()
    template.fill(written + "\n{{colour}}")
    expect(page.locator("#prompt-problems")).to_contain_text("colour")
    expect(page.get_by_test_id("save-version")).to_be_disabled()
    shot(page, f"6-prompt-problem-{language}")
    template.fill(written + "\n" + {"en": "Offer a voucher.", "zh": "送一张代金券。"}[language])
    page.get_by_test_id("run-test").click()
    expect(page.get_by_test_id("verdict")).to_have_count(2, timeout=20_000)
    expect(page.get_by_test_id("final-answer")).not_to_contain_text("50")
    page.get_by_test_id("verdict").last.scroll_into_view_if_needed()
    shot(page, f"6-prompt-refused-{language}")

    page.get_by_test_id("note").fill({"en": "With a voucher", "zh": "加上代金券"}[language])
    page.get_by_test_id("save-version").click()
    expect(page.get_by_test_id("version-2")).to_be_visible()
    page.get_by_test_id("use-version").click()
    page.locator(".el-popconfirm:visible .el-button--primary").click()
    expect(page.get_by_test_id("version-2").locator(".chip.ok")).to_be_visible()

    visitor = Visitor(new_context(locale="zh-CN" if language == "zh" else "en-GB").new_page(), language)
    visitor.arrive(desk_with_model.url)
    visitor.say(ASK[language])
    visitor.heard("7 ?(days|天)")
    visitor.never_heard("50")

    page.get_by_test_id("version-1").click()
    page.get_by_test_id("use-version").click()
    page.locator(".el-popconfirm:visible .el-button--primary").click()
    expect(page.get_by_test_id("version-1").locator(".chip.ok")).to_be_visible()
    visitor.say(ASK[language])
    visitor.heard(re.escape(SAID[language]))
    expect(visitor.chat.locator(".sources a").last).to_be_visible()

    page.get_by_test_id("view-all").click()
    page.get_by_text(SAID[language]).first.click()
    page.get_by_role("tab", name=re.compile("Bot trace|机器人")).click()
    details = page.locator("aside")
    expect(details.get_by_test_id("verdict").first).to_contain_text(SAID[language])
    details.locator("article.turn").first.get_by_test_id("sent").locator("summary").click()
    expect(details.locator("article.turn").first).to_contain_text(ASK[language])
    assert "sk-test-key-123" not in page.content()
    shot(page, f"6-prompt-trace-{language}")


def test_without_a_model_the_page_shows_what_would_be_sent_and_the_quoted_answer(
    desk: Desk, new_context: NewContext
) -> None:
    page = new_context(locale="zh-CN").new_page()
    sign_in(page, desk, "admin@kite.example")
    page.get_by_test_id("page-prompts").click()
    page.get_by_test_id("prompt-answer_zh").click()
    page.get_by_test_id("question").fill(ASK["zh"])
    page.get_by_test_id("run-test").click()
    expect(page.get_by_test_id("final-answer")).to_contain_text(re.compile("7 ?天"), timeout=20_000)
    page.get_by_test_id("sent").locator("summary").click()
    expect(page.get_by_test_id("test-result")).to_contain_text(ASK["zh"])
    shot(page, "6-prompts-no-model-zh")


def test_an_agent_does_not_see_the_page(desk: Desk, new_context: NewContext) -> None:
    page = new_context(locale="en-GB").new_page()
    sign_in(page, desk, "agent@kite.example")
    expect(page.get_by_test_id("page-prompts")).to_have_count(0)
    page.goto(f"{desk.url}/staff/#/prompts")
    expect(page.get_by_test_id("prompts")).to_have_count(0)
