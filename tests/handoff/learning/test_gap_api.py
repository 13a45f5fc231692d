"""Gaps through the staff API: what was asked in vain gets an answer in agents' words, and becomes an article or not."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from conversations.model import Agent, HandoffReason
from conversations.turn_model import Reply, TurnResult
from handoff.learning.knowledge_side import open_knowledge
from handoff.roles import Role
from knowledge_base.knowledge_base import KnowledgeBase
from knowledge_base.library import Library
from knowledge_base.library_store import LibraryStore
from learning.gap_store import create_tables
from tests.handoff.desk import Browser, Desk, open_desk
from tests.knowledge_base.builders import WordEncoder, knowledge_base, small_shop
from tests.learning.builders import MISSED, trace

ANN = Agent("a" * 32, "Ann")
BASE = "learning/gaps"
WRAP = "can you gift wrap my order please"


class Shop:
    """A desk whose bot misses questions that its agents then answer."""

    def __init__(self, desk: Desk, kb: KnowledgeBase) -> None:
        self.desk, self.kb = desk, kb

    async def asked(self, text: str, contact: str, *answers: str, language: str = "en", name: str = "") -> str:
        """The bot misses the question; an agent takes over and answers."""
        conversations = self.desk.conversations
        conversation_id = await self.desk.contact_writes(
            text, contact, language=language, **({"contact_name": name} if name else {})
        )
        handoff = HandoffReason.TWO_MISSES.value if answers else None
        for claim in await conversations.claim_turns(5):
            result = TurnResult((Reply("One moment.", handoff=handoff),), trace(**MISSED | {"language": language}))
            await conversations.commit_turn(claim, result, self.desk.clock(), go_on=False)
        if answers:
            await conversations.assign(conversation_id, ANN)
            for one in answers:
                await conversations.reply_as_agent(conversation_id, ANN, one)
        assert self.desk.side.studio.inbox is not None
        await self.desk.side.studio.inbox.follower.catch_up()
        return conversation_id


@pytest.fixture
async def shop(tmp_path: Path) -> AsyncIterator[Shop]:
    kb = knowledge_base(tmp_path / "kb", WordEncoder())
    wide = WordEncoder(dimensions=512)
    async with open_desk(tmp_path, knowledge=kb, encode=wide.passages) as desk:
        store = LibraryStore(desk.database.engine)
        await store.create_tables()
        await create_tables(desk.database)
        library = Library(store, kb, desk.clock)
        await library.load(small_shop())
        assert desk.side.studio.inbox is not None
        side = open_knowledge(
            library,
            desk.conversations,
            desk.side.studio.inbox,
            "Asia/Shanghai",
            lambda _language: 0.0,
        )
        side.gaps.encode = wide.passages
        desk.side.studio.knowledge = side
        yield Shop(desk, kb)
    await kb.close()


async def asked_by_three(shop: Shop) -> None:
    await shop.asked(
        WRAP,
        "ann",
        "Hello Mei! Thanks for waiting.",
        "We gift wrap every order for CNY 10 in the basket. I have added it to your order KT20260001.",
        name="Mei Lin",
    )
    await shop.asked(
        "gift wrap my order please", "ben", "You can gift wrap every order in the basket for CNY 10. Anything else?"
    )
    await shop.asked("please can you gift wrap the order", "cat")
    await shop.asked("do you sell lamps anywhere", "dan")


async def look(browser: Browser) -> dict[str, Any]:
    [first, *_] = (await browser.get(BASE)).json()["gaps"]
    return dict((await browser.get(f"{BASE}/{first['id']}")).json())


async def test_gaps_are_ranked_by_contacts_and_drafted_from_agents_words_without_personal_data(shop: Shop) -> None:
    await asked_by_three(shop)
    eva = await shop.desk.browser("Eva", Role.TRAINER)
    page = (await eva.get(BASE)).json()
    assert [one["contacts"] for one in page["gaps"]] == [3, 1]
    assert page["counts"] == {"open": 2, "answered": 0, "rejected": 0}
    seen = await look(eva)
    [draft] = seen["drafts"]
    assert "gift wrap" in draft["question"]
    assert "CNY 10" in draft["answer"]
    assert len(draft["sources"][0]["conversation_ids"]) == 2
    for never in ("Thanks", "Mei", "KT2026", "Anything else", "I have added"):
        assert never not in json.dumps(draft), never
    assert {one["handed_off"] for one in seen["asked"]} == {True, False}
    assert len({one["conversation_id"] for one in seen["asked"]}) == 3


async def test_an_approved_draft_answers_the_questions_and_who_comes_again_is_counted(shop: Shop) -> None:
    await asked_by_three(shop)
    eva = await shop.desk.browser("Eva", Role.TRAINER)
    seen = await look(eva)
    gap, draft = seen["gap"]["id"], seen["drafts"][0]
    article = {"id": "gift-wrap", "language": "en", "title": draft["question"], "body": draft["answer"]}
    made = await eva.post(
        f"{BASE}/{gap}/approve", {"article": article | {"questions": draft["wordings"]}, "publish": True}
    )
    assert made.status_code == 201, made.text
    assert made.json()["effect"]["questions"] == 3
    assert made.json()["effect"]["answered"] == 3
    assert shop.kb.find_article("gift-wrap", "en") is not None
    assert (await eva.get(BASE, state="answered")).json()["gaps"][0]["decisions"][0]["article_id"] == "gift-wrap"
    assert (await eva.get("learning/inbox", state="done")).json()["total"] == 1
    shop.desk.clock.forward(hours=1)
    eva = await shop.desk.sign_in(eva.member)
    await shop.asked("can you gift wrap my order please", "eve")
    effect = (await eva.get(f"{BASE}/{gap}")).json()["effect"]
    assert (effect["again_contacts"], effect["again_messages"]) == (1, 1)
    [entry] = await shop.desk.audited("gap_decided")
    assert (entry["data"]["kind"], entry["data"]["article_id"]) == ("article", "gift-wrap")


async def test_a_rejected_gap_stays_away_until_enough_others_ask(shop: Shop) -> None:
    await asked_by_three(shop)
    eva = await shop.desk.browser("Eva", Role.TRAINER)
    gap = (await look(eva))["gap"]["id"]
    assert (await eva.post(f"{BASE}/{gap}/reject", {"reason": "we will not"})).status_code == 200
    assert (await eva.get(BASE)).json()["counts"] == {"open": 1, "answered": 0, "rejected": 1}
    for number in range(4):
        await shop.asked(WRAP, f"more-{number}")
    assert (await eva.get(BASE)).json()["counts"]["rejected"] == 1
    await shop.asked(WRAP, "more-4")
    assert (await eva.get(BASE)).json()["counts"] == {"open": 2, "answered": 0, "rejected": 0}


async def test_a_gap_is_merged_into_an_article_that_is_there(shop: Shop) -> None:
    await asked_by_three(shop)
    eva = await shop.desk.browser("Eva", Role.TRAINER)
    gap = (await look(eva))["gap"]["id"]
    taken = (await eva.post("knowledge/articles/delivery/en/take-over")).json()["article"]
    article = taken | {"questions": [*taken["questions"], WRAP], "body": f"{taken['body']}\n\nWe gift wrap for CNY 10."}
    merged = await eva.post(f"{BASE}/{gap}/merge", {"article": article, "revision": 1, "publish": True})
    assert merged.status_code == 200, merged.text
    found = shop.kb.find_article("delivery", "en")
    assert found is not None
    assert WRAP in found.questions


async def test_the_second_trainer_is_told_who_was_quicker(shop: Shop) -> None:
    await asked_by_three(shop)
    eva, tom = await shop.desk.browser("Eva", Role.TRAINER), await shop.desk.browser("Tom", Role.ADMIN)
    gap = (await look(eva))["gap"]["id"]
    await eva.post(f"{BASE}/{gap}/reject", {})
    late = await tom.post(
        f"{BASE}/{gap}/approve", {"article": {"id": "x", "language": "en", "title": "x", "body": "y"}, "publish": False}
    )
    assert late.status_code == 409
    error = late.json()["error"]
    assert (error["code"], json.loads(error["detail"])["by"]) == ("gap_changed", "Eva")
    assert (await tom.get("knowledge/articles/x")).status_code == 404


async def test_who_may_look_and_who_may_decide(shop: Shop) -> None:
    await asked_by_three(shop)
    for role, reads, writes in (
        (Role.TRAINER, 200, 200),
        (Role.SUPERVISOR, 200, 403),
        (Role.AUDITOR, 200, 403),
        (Role.AGENT, 403, 403),
    ):
        browser = await shop.desk.browser(f"Some {role.value}", role)
        assert (await browser.get(BASE)).status_code == reads
        gap = "0" * 32
        assert (await browser.post(f"{BASE}/{gap}/reject", {})).status_code == (404 if writes == 200 else 403)
    assert (await browser.get(f"{BASE}/{'0' * 32}")).status_code == 403


async def test_an_erased_contact_leaves_nothing_in_the_drafts(shop: Shop) -> None:
    conversation_id = await shop.asked(WRAP, "ann", "We gift wrap every order for CNY 10 in the basket.")
    await shop.asked("gift wrap my order please", "ben")
    eva = await shop.desk.browser("Eva", Role.TRAINER)
    assert (await look(eva))["drafts"][0]["answer"] != ""
    conversation = await shop.desk.conversations.get_conversation(conversation_id)
    await shop.desk.conversations.erase_contact(conversation.contact_id, ANN)
    seen = await look(eva)
    assert seen["drafts"][0]["answer"] == ""
    assert len(seen["asked"]) == 1
