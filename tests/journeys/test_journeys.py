"""The five journeys a new user tries first, in both languages, in a real browser against the whole desk."""

from __future__ import annotations

import re
import time
from collections.abc import Callable

import httpx
import pytest
from playwright.sync_api import BrowserContext, expect

from tests.journeys.conftest import Desk, shot
from tests.journeys.cuttable_network import CuttableNetwork
from tests.journeys.people import WORDS, Agent, Visitor

pytestmark = [pytest.mark.browser]
NewContext = Callable[..., BrowserContext]
LANGUAGES = ("en", "zh")


def visitor_in(new_context: NewContext, desk: Desk, language: str, **options: object) -> Visitor:
    context = new_context(locale="zh-CN" if language == "zh" else "en-GB", **options)
    visitor = Visitor(context.new_page(), language)
    visitor.arrive(desk.url)
    return visitor


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_question_is_answered_with_a_citation_that_opens_the_passage(
    desk: Desk, new_context: NewContext, language: str
) -> None:
    visitor = visitor_in(new_context, desk, language)
    visitor.say({"en": "how many days do I have to send something back?", "zh": "买回来不喜欢，几天内能退？"}[language])
    visitor.heard({"en": "7 days", "zh": "7 ?天"}[language])
    source = visitor.chat.locator(".sources a").last
    expect(source).to_be_visible()
    shot(visitor.page, f"1-answer-{language}")
    with visitor.page.context.expect_page() as opened:
        source.click()
    article = opened.value
    passage = article.locator("section.passage:target")
    expect(passage).to_be_visible()
    expect(passage).to_contain_text(re.compile("7 ?(days|天)"))
    shot(article, f"1-passage-{language}")


@pytest.mark.parametrize("language", LANGUAGES)
def test_an_order_is_found_after_an_identity_check_and_an_interruption(
    desk: Desk, new_context: NewContext, language: str
) -> None:
    visitor = visitor_in(new_context, desk, language)
    visitor.say({"en": "where is my order?", "zh": "我的快递到哪了"}[language])
    visitor.heard({"en": "order number", "zh": "订单号"}[language])
    visitor.say({"en": "what is the warranty on a phone?", "zh": "手机保修多久？"}[language])
    visitor.heard({"en": "24 months", "zh": "24 ?个月|两年"}[language])
    visitor.say({"en": "KT20260003", "zh": "KT20260001"}[language])
    visitor.never_heard("DHL|顺丰|SF Express")
    visitor.say({"en": "0999", "zh": "0999"}[language])
    visitor.never_heard("DHL|顺丰|SF Express")
    visitor.say({"en": "0123", "zh": "2468"}[language])
    visitor.heard({"en": "DHL", "zh": "顺丰"}[language])
    shot(visitor.page, f"2-order-{language}")


@pytest.mark.parametrize("language", LANGUAGES)
def test_small_talk_clarification_and_a_second_miss(desk: Desk, new_context: NewContext, language: str) -> None:
    visitor = visitor_in(new_context, desk, language)
    visitor.say({"en": "tell me a joke", "zh": "讲个笑话听听"}[language])
    visitor.never_heard("not sure|没太明白")
    visitor.say({"en": "qwrt zzxcv plmokn", "zh": "咿呀嗡嗡哒啦噗叽"}[language])
    expect(visitor.chat.locator(".replies button").first).to_be_visible()
    shot(visitor.page, f"3-clarification-{language}")
    visitor.say({"en": "blorf wibble znork", "zh": "昨天国家队踢得怎么样"}[language])
    expect(visitor.chat.locator("header, .header").first).to_contain_text(
        re.compile({"en": "queue|Waiting", "zh": "排队|等待"}[language])
    )
    shot(visitor.page, f"3-handoff-{language}")


@pytest.mark.parametrize(("language", "words"), [("en", "human please"), ("zh", "转人工")])
def test_asking_for_a_person_hands_off_in_one_turn(
    desk: Desk, new_context: NewContext, language: str, words: str
) -> None:
    visitor = visitor_in(new_context, desk, language)
    visitor.say({"en": "where is my order?", "zh": "查一下物流"}[language])
    visitor.say(words)
    expect(visitor.chat.locator("header, .header").first).to_contain_text(
        re.compile({"en": "queue|Waiting", "zh": "排队|等待"}[language])
    )


@pytest.mark.parametrize("language", LANGUAGES)
def test_an_agent_sees_accepts_answers_and_is_rated(desk: Desk, new_context: NewContext, language: str) -> None:
    agent = Agent(new_context(locale="zh-CN" if language == "zh" else "en-GB").new_page())
    agent.sign_in(desk.url, "agent@kite.example", desk.password)
    visitor = visitor_in(new_context, desk, language)
    mark = f"{language}{time.time_ns() % 10**8}"
    visitor.say({"en": "how long does delivery take to London?", "zh": "寄到新疆要多久"}[language])
    visitor.say({"en": "human please", "zh": "转人工"}[language])
    visitor.say_unheard({"en": f"my code is {mark}", "zh": f"我的暗号是 {mark}"}[language])
    agent.open_waiting(mark)
    shot(agent.page, f"4-waiting-{language}")
    agent.accept()
    agent.page.get_by_role("tab", name=re.compile("Bot trace|机器人")).click()
    agent.sees(
        {"en": "Understood as", "zh": "理解为"}[
            "zh" if "zh" in agent.page.locator("html").get_attribute("lang") else "en"
        ]
    )  # type: ignore[operator]
    shot(agent.page, f"4-trace-{language}")
    agent.composer.press_sequentially({"en": "Hel", "zh": "您"}[language], delay=60)
    expect(visitor.chat.locator(".typing")).to_be_visible(timeout=10_000)
    answer = {"en": f"Hello, this is a person. {mark} received.", "zh": f"您好，我是人工客服，{mark} 收到了。"}[
        language
    ]
    agent.reply(answer)
    visitor.heard(re.escape(answer))
    visitor.say_unheard({"en": "great, thank you", "zh": "好的谢谢"}[language])
    agent.sees({"en": "great, thank you", "zh": "好的谢谢"}[language])
    shot(visitor.page, f"4-agent-{language}")
    agent.release()
    visitor.say({"en": "tell me a joke", "zh": "讲个笑话"}[language])
    visitor.say({"en": "human please", "zh": "转人工"}[language])
    visitor.say_unheard(f"again {mark}")
    agent.open_waiting(f"again {mark}")
    agent.accept()
    agent.resolve()
    agent.open_in("resolved", mark)
    agent.page.get_by_role("tab", name=re.compile("Contact|客户")).click()
    comment = {"en": "Quick and kind", "zh": "很耐心，点赞"}[language]
    visitor.rate(5, comment)
    shot(visitor.page, f"4-rated-{language}")
    agent.sees(comment)
    shot(agent.page, f"4-console-{language}")


@pytest.mark.parametrize("language", LANGUAGES)
def test_coming_back_and_a_lost_network_lose_nothing_and_repeat_nothing(
    desk: Desk, new_context: NewContext, language: str
) -> None:
    network = CuttableNetwork(desk.url)
    try:
        context = new_context(locale="zh-CN" if language == "zh" else "en-GB")
        visitor = Visitor(context.new_page(), language)
        visitor.arrive(network.url)
        visitor.say({"en": "hello there", "zh": "你好呀"}[language])
        shown = visitor.said.all_inner_texts()
        visitor.page.close()
        visitor = Visitor(context.new_page(), language)
        visitor.arrive(network.url)
        expect(visitor.said).to_have_count(len(shown))
        assert visitor.said.all_inner_texts() == shown
        network.cut()
        expect(visitor.chat.get_by_text(re.compile(WORDS[language]["offline"])).first).to_be_visible(timeout=30_000)
        kept = {"en": "can I pay in instalments?", "zh": "能分期付款吗"}[language]
        visitor.say_unheard(kept)
        shot(visitor.page, f"5-offline-{language}")
        time.sleep(12)
        network.mend()
        visitor.heard({"en": "instalment", "zh": "分期"}[language])
        expect(visitor.own.filter(has_text=kept)).to_have_count(1)
        count = visitor.said.count()
        visitor.page.reload()
        visitor.open_chat()
        expect(visitor.own.filter(has_text=kept)).to_have_count(1)
        expect(visitor.said).to_have_count(count)
        shot(visitor.page, f"5-back-{language}")
    finally:
        network.close()


def test_the_console_catches_up_after_a_lost_network(desk: Desk, new_context: NewContext) -> None:
    network = CuttableNetwork(desk.url)
    try:
        agent = Agent(new_context(locale="en-GB").new_page())
        agent.sign_in(network.url, "sam@kite.example", desk.password)
        visitor = visitor_in(new_context, desk, "en")
        visitor.say("human please")
        visitor.say_unheard("before the cut")
        agent.open_waiting("before the cut")
        agent.accept()
        network.cut()
        visitor.say_unheard("while the agent was away")
        time.sleep(2)
        network.mend()
        agent.sees("while the agent was away")
        expect(agent.page.locator(".bubble").filter(has_text="while the agent was away")).to_have_count(1)
        agent.reply("I am back")
        visitor.heard("I am back")
        agent.resolve()
    finally:
        network.close()


def test_the_chat_works_on_a_phone_in_the_dark(desk: Desk, new_context: NewContext) -> None:
    context = new_context(
        viewport={"width": 390, "height": 780}, color_scheme="dark", locale="zh-CN", has_touch=True, is_mobile=True
    )
    visitor = Visitor(context.new_page(), "zh")
    visitor.arrive(desk.url)
    visitor.say("充电宝能带上飞机吗")
    visitor.heard("74 ?Wh|飞机")
    shot(visitor.page, "phone-dark-zh")


def test_the_rest_channel_answers_a_question(desk: Desk) -> None:
    answer = httpx.post(
        f"{desk.url}/api/v1/messages",
        headers={"Authorization": f"Bearer {desk.rest_key()}", "Idempotency-Key": "journey-1"},
        json={"contact": "journey", "text": "What does delivery cost?", "wait_seconds": 20},
        timeout=40,
    )
    assert answer.status_code == 200, answer.text
    reply = answer.json()["replies"][0]
    assert reply["citations"][0]["article_id"] == "delivery-cost"
    again = httpx.post(
        f"{desk.url}/api/v1/messages",
        headers={"Authorization": f"Bearer {desk.rest_key()}", "Idempotency-Key": "journey-1"},
        json={"contact": "journey", "text": "What does delivery cost?", "wait_seconds": 20},
        timeout=40,
    )
    assert again.json() == answer.json()
