"""What is masked looks meant: a trainer reads a masked conversation, the agent who serves it has an ID card shown."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from tests.journeys.conftest import Desk, shot
from tests.journeys.people import REPLY_MS, NewContext, at_work
from tests.journeys.test_accessibility import violations
from tests.journeys.test_organise import row_of, writes

pytestmark = [pytest.mark.browser]
ID_CARD, CARD, PHONE = "11010519491231002X", "4111 1111 1111 1111", "13912345678"
#: What the contact asks and says, the name and its mask, a place, and what the masks say of themselves.
SAID = {
    "en": (
        "talk to a human", f"My phone is {PHONE}, my ID is {ID_CARD} and my card {CARD}. I live at 10 Downing Street, London",
        "Imogen Hartley", "I*** H***", "10 Downing Street", "Hidden by your role",
    ),
    "zh": (
        "转人工", f"我的手机是{PHONE}，身份证{ID_CARD}，银行卡{CARD}，住北京市朝阳区建国路93号", "慕容晓月", "慕容**", "建国路93号", "按角色隐藏",
    ),
}  # fmt: skip


@pytest.mark.parametrize("language", ["en", "zh"])
def test_a_masked_message_is_shown_to_who_serves_it_and_to_nobody_else(
    desk: Desk, new_context: NewContext, language: str
) -> None:
    ask, words, name, mask, place, hint = SAID[language]
    writes(desk, f"masked-{language}", ask, language, name)
    writes(desk, f"masked-{language}", words, language, name, wait_seconds=0)
    agent = at_work(new_context, desk, language, "agent@kite.example")
    agent.open_waiting(name)
    agent.accept()
    page = agent.page
    said = page.locator(".bubble", has_text="11**************2X").first
    expect(said).to_contain_text(PHONE, timeout=REPLY_MS)
    expect(said).to_contain_text(place)
    expect(said.get_by_test_id("masked")).to_have_text(["11**************2X", "**** **** **** 1111"])
    expect(said.get_by_test_id("masked").first).to_have_attribute("title", hint)
    shot(page, f"10-masked-agent-{language}")
    page.get_by_test_id("reveal").last.click()
    shown = page.locator(".bubble", has_text=ID_CARD)
    expect(shown).to_contain_text(CARD, timeout=REPLY_MS)
    shot(page, f"10-masked-revealed-{language}")
    assert violations(page) == []
    page.get_by_test_id("reveal-hide").click()
    expect(shown).to_have_count(0)

    trainer = at_work(new_context, desk, language, "trainer@kite.example").page
    trainer.get_by_test_id("view-all").click()
    row = row_of(trainer, mask)
    expect(row).to_be_visible(timeout=REPLY_MS)
    row.click()
    hidden = trainer.locator(".bubble", has_text="139****5678").first
    expect(hidden).to_be_visible(timeout=REPLY_MS)
    for canary in (PHONE, ID_CARD, CARD, place, name):
        expect(trainer.get_by_text(re.compile(re.escape(canary)))).to_have_count(0)
    expect(trainer.get_by_test_id("reveal")).to_have_count(0)
    shot(trainer, f"10-masked-trainer-{language}")
    assert violations(trainer) == []

    boss = at_work(new_context, desk, language, "admin@kite.example").page
    boss.get_by_test_id("page-audit").click()
    expect(boss.get_by_text("personal_data_revealed").first).to_be_visible(timeout=REPLY_MS)
    expect(boss.get_by_text(ID_CARD)).to_have_count(0)
