"""Articles through the staff API: who may do what, two trainers at once, files that are sent, and questions that are tried."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from conversations.model import Agent, Citation, HandoffReason
from conversations.sight import Scope
from conversations.turn_model import Reply
from handoff.learning.knowledge_side import open_knowledge
from handoff.roles import Role
from knowledge_base.knowledge_base import KnowledgeBase
from knowledge_base.library import Library
from knowledge_base.library_store import LibraryStore
from tests.handoff.access.test_sight import narrow, team_of
from tests.handoff.desk import Browser, Desk, open_desk
from tests.knowledge_base.builders import knowledge_base, small_shop
from tests.knowledge_base.hostile_files import pdf, table, word_bomb, word_of_laughs

GIFT = {
    "id": "gift-wrapping",
    "language": "en",
    "title": "Can you gift wrap my order?",
    "body": "We wrap every order for CNY 10.\n\n## Cards\nA card is free.",
    "questions": ["gift wrapping"],
}
BASE = "knowledge/articles"
ONE = f"{BASE}/gift-wrapping/en"


class Shop:
    """A desk with a small knowledge base whose articles can be edited."""

    def __init__(self, desk: Desk, kb: KnowledgeBase) -> None:
        self.desk, self.kb = desk, kb

    async def asks(self, text: str, article_id: str, *, contact: str, handoff: bool = False) -> str:
        """A contact is answered from an article, and maybe handed off then; returns the conversation's id."""
        conversation_id = await self.desk.contact_writes(text, contact, language="en")
        cited = Citation(f"{article_id}/en/intro-1", article_id, "Title", "words", f"/kb/en/{article_id}")
        await self.desk.bot_answers(Reply("Three days.", citations=(cited,)))
        if handoff:
            await self.desk.contact_writes("a person please", contact, language="en")
            await self.desk.bot_answers(Reply("Sure.", handoff=HandoffReason.ASKED_FOR_PERSON.value))
            await self.desk.conversations.assign(conversation_id, Agent("a" * 32, "Ann"))
        return conversation_id


@pytest.fixture
async def shop(tmp_path: Path) -> AsyncIterator[Shop]:
    kb = knowledge_base(tmp_path / "kb")
    async with open_desk(tmp_path, knowledge=kb) as desk:
        store = LibraryStore(desk.database.engine)
        await store.create_tables()
        library = Library(store, kb, desk.clock)
        await library.load(small_shop())
        assert desk.side.studio.inbox is not None
        desk.side.studio.knowledge = open_knowledge(
            library,
            desk.conversations,
            desk.side.studio.inbox,
            "Asia/Shanghai",
            lambda _language: 0.5,
        )
        yield Shop(desk, kb)
    await kb.close()


async def error(response: Any, status: int) -> dict[str, Any]:
    assert response.status_code == status, response.text
    return dict(response.json()["error"])


async def created(trainer: Browser, **more: Any) -> dict[str, Any]:
    response = await trainer.post(BASE, {"article": GIFT | more, "publish": True})
    assert response.status_code == 201, response.text
    return dict(response.json())


async def test_a_trainer_writes_publishes_changes_restores_and_takes_back_an_article(shop: Shop) -> None:
    eva = await shop.desk.browser("Eva", Role.TRAINER)
    made = await eva.post(BASE, {"article": GIFT})
    assert (made.json()["kept"]["state"], made.json()["article"]["updated"]) == ("draft", _today(shop))
    assert shop.kb.find_article("gift-wrapping", "en") is None
    published = (await eva.post(f"{ONE}/publish", {"revision": 1})).json()
    assert (published["kept"]["state"], published["indexed"]) == ("published", True)
    assert shop.kb.find_article("gift-wrapping", "en") is not None
    dearer = GIFT | {"body": "We wrap every order for CNY 12.\n\n## Cards\nA card is free."}
    await eva.post(ONE, {"article": dearer, "revision": 1, "reason": "dearer since May", "publish": True})
    seen = (await eva.get(f"{BASE}/gift-wrapping")).json()["languages"][0]
    assert [one["reason"] for one in seen["versions"]] == ["dearer since May", ""]
    changed = (await eva.get(f"{ONE}/diff", old=1, new=2)).json()
    assert [line["kind"] for line in changed["lines"]] == ["gone", "new", "kept", "kept", "kept"]
    restored = (await eva.post(f"{ONE}/restore", {"revision": 2, "to": 1})).json()
    assert (restored["kept"]["revision"], restored["kept"]["ahead"]) == (3, True)
    assert (await eva.post(f"{ONE}/unpublish", {"revision": 3})).json()["kept"]["state"] == "draft"
    assert shop.kb.find_article("gift-wrapping", "en") is None
    assert (await eva.post(f"{ONE}/archive", {"revision": 3})).json()["kept"]["state"] == "archived"
    kinds = ("article_created", "article_published", "article_saved", "article_restored", "article_unpublished")
    told = [await shop.desk.audited(kind) for kind in (*kinds, "article_archived")]
    assert [len(entries) for entries in told] == [1, 2, 1, 1, 1, 1]
    assert told[2][0]["data"]["reason"] == "dearer since May"


def _today(shop: Shop) -> str:
    assert shop.desk.side.studio.knowledge is not None
    return shop.desk.side.studio.knowledge.today().isoformat()


async def test_the_second_of_two_trainers_gets_both_texts(shop: Shop) -> None:
    eva, tom = await shop.desk.browser("Eva", Role.TRAINER), await shop.desk.browser("Tom", Role.ADMIN)
    await created(eva)
    await eva.post(ONE, {"article": GIFT | {"body": "Eva's words."}, "revision": 1})
    late = await error(await tom.post(ONE, {"article": GIFT | {"body": "Tom's words."}, "revision": 1}), 409)
    theirs = json.loads(late["detail"])
    assert (late["code"], theirs["by"], theirs["article"]["body"]) == ("article_changed", "Eva", "Eva's words.")
    kept = await tom.post(ONE, {"article": GIFT | {"body": "Tom's words."}, "revision": theirs["revision"]})
    assert kept.json()["kept"]["revision"] == 3


async def test_who_sees_and_does_what(shop: Shop) -> None:
    eva, chen = await shop.desk.browser("Eva", Role.TRAINER), await shop.desk.browser("Chen")
    sue, aud = await shop.desk.browser("Sue", Role.SUPERVISOR), await shop.desk.browser("Aud", Role.AUDITOR)
    await eva.post(BASE, {"article": GIFT})
    for browser, sees in ((eva, True), (sue, True), (aud, True), (chen, False)):
        listed = (await browser.get(BASE)).json()["articles"]
        assert ("gift-wrapping" in {one["id"] for one in listed}) is sees
        assert (await browser.get(f"{BASE}/gift-wrapping")).status_code == (200 if sees else 404)
        assert (await browser.get(f"{BASE}/refunds")).status_code == 200
    for browser in (sue, aud, chen):
        for path in (BASE, f"{ONE}/publish", "knowledge/preview", "knowledge/upload", "knowledge/drafts"):
            assert (await browser.post(path, {"revision": 1})).status_code == 403
    assert (await sue.post("knowledge/test", {"text": "refund?"})).status_code == 200
    assert (await chen.post("knowledge/test", {"text": "refund?"})).status_code == 403
    assert (await chen.get("knowledge/health")).status_code == 403


async def test_an_article_of_a_file_is_taken_over_and_then_edited(shop: Shop) -> None:
    eva = await shop.desk.browser("Eva", Role.TRAINER)
    before = {(one["id"], one["language"]): one for one in (await eva.get(BASE)).json()["articles"]}
    assert (before["refunds", "en"]["origin"], before["refunds", "en"]["edited"]) == ("file", False)
    taken = (await eva.post(f"{BASE}/refunds/en/take-over")).json()
    assert (taken["kept"]["origin"], taken["kept"]["state"]) == ("file", "published")
    assert (await error(await eva.post(f"{BASE}/refunds/en/take-over"), 409))["code"] == "article_exists"
    edited = taken["article"] | {"body": "Two days."}
    assert (await eva.post(f"{BASE}/refunds/en", {"article": edited, "revision": 1})).status_code == 200
    assert (await eva.post(f"{BASE}/refunds/zh", {"article": edited, "revision": 1})).status_code == 400


async def test_days_are_days_of_the_desk_and_what_is_over_is_stale(shop: Shop) -> None:
    eva = await shop.desk.browser("Eva", Role.TRAINER)
    today = datetime.now(UTC) + timedelta(days=3)
    made = await created(eva, valid_until=today.date().isoformat(), body="Until 3 May 2021 it is free.")
    assert made["article"]["valid_until"].endswith("T16:00:00.000Z")
    assert (await eva.get(ONE.removesuffix("/en"))).json()["time_zone"] == "Asia/Shanghai"
    [row] = [one for one in (await eva.get(BASE, q="gift")).json()["articles"] if one["id"] == "gift-wrapping"]
    assert row["stale"] == ["ends_soon", "past_date"]
    shop.desk.clock.forward(days=10)
    eva = await shop.desk.sign_in(eva.member)
    [row] = [one for one in (await eva.get(BASE, flag="stale")).json()["articles"] if one["id"] == "gift-wrapping"]
    assert row["stale"] == ["expired", "past_date"]
    shop.desk.clock.forward(days=200)
    eva = await shop.desk.sign_in(eva.member)
    again = (await eva.get(BASE, flag="stale", q="gift")).json()
    assert "unreviewed" in again["articles"][0]["stale"]
    await eva.post(f"{ONE}/reviewed")
    assert "unreviewed" not in (await eva.get(BASE, flag="stale", q="gift")).json()["articles"][0]["stale"]
    assert (await error(await eva.post(BASE, {"article": GIFT | {"valid_from": "2026-13-45"}}), 400))["code"]


async def test_a_file_becomes_a_preview_and_chosen_articles_become_drafts(shop: Shop) -> None:
    eva = await shop.desk.browser("Eva", Role.TRAINER)
    sheet = (
        "question,answer,id\n"
        "How long does a refund take?,The refund arrives within three working days. Credit cards may take seven days.,new-refunds\n"
        "When will my parcel arrive?,Parcels arrive within three days.,delivery\n"
        "Do you sell lamps?,No.,lamps\n"
    )
    preview = await sent(eva, "faq.csv", sheet.encode())
    codes = [[one["code"] for one in found["problems"]] for found in preview["articles"]]
    assert "same_as" in codes[0]
    assert "exists" in codes[1]
    assert "short" in codes[2]
    assert [one["ready"] for one in preview["articles"]] == [True, False, True]
    assert preview["articles"][0]["passages"][0]["text"].startswith("The refund")
    chosen = [one["article"] for one in preview["articles"]]
    taken = (await eva.post("knowledge/drafts", {"source": "faq.csv", "articles": chosen})).json()["results"]
    assert [one["ok"] for one in taken] == [True, False, True]
    [row] = (await eva.get(BASE, q="lamps")).json()["articles"]
    assert (row["state"], row["origin"]) == ("draft", "upload")


async def sent(browser: Browser, name: str, content: bytes, status: int = 200) -> dict[str, Any]:
    response = await browser.http.post(
        "/staff/api/knowledge/upload",
        files={"file": (name, content)},
        headers={"X-CSRF-Token": browser.csrf},
        timeout=90,
    )
    assert response.status_code == status, response.text
    return dict(response.json())


async def test_a_page_with_scripts_becomes_plain_text_and_a_strange_file_a_clear_refusal(shop: Shop) -> None:
    eva = await shop.desk.browser("Eva", Role.TRAINER)
    page = b"<html><head><title>Lamps</title><script>alert(1)</script></head><body><h1>Lamps</h1><p onclick='x()'>We sell lamps in three colours.</p><script>steal()</script></body></html>"
    [found] = (await sent(eva, "lamps.html", page))["articles"]
    assert "three colours" in found["article"]["body"]
    assert "alert" not in found["article"]["body"] + found["article"]["title"]
    assert "steal" not in found["article"]["body"]
    problem = (await sent(eva, "lamps.exe", b"MZ", 400))["error"]
    assert (problem["code"], "cannot be read" in problem["message"]) == ("unreadable_file", True)
    assert "damaged" in (await sent(eva, "lamps.pdf", b"%PDF-1.4 nonsense", 400))["error"]["message"]
    assert (await eva.post("knowledge/upload")).status_code == 400


async def test_a_file_that_cannot_be_read_says_why_so_that_the_console_can_say_it_in_chinese(shop: Shop) -> None:
    eva = await shop.desk.browser("Eva", Role.TRAINER)
    for name, content, reason in (
        ("a.docx", word_bomb(150), "unpacks"),
        ("a.docx", word_of_laughs(), "entities"),
        ("a.pdf", pdf(1, password="pw"), "password"),
        ("a.csv", b"question,answer\nWhat?\n", "row_cells"),
        ("a.md", b"", "empty"),
        ("a.pdf", b"<html></html>", "damaged"),
    ):
        problem = (await sent(eva, name, content, 400))["error"]
        assert (problem["code"], problem["detail"]["reason"]) == ("unreadable_file", reason)
    assert problem["detail"]["kind"] == "PDF"


async def test_others_are_answered_while_a_huge_table_is_read_and_what_is_beyond_is_counted(shop: Shop) -> None:
    eva = await shop.desk.browser("Eva", Role.TRAINER)
    sending = asyncio.create_task(sent(eva, "faq.csv", table(150_000)))
    answered = 0
    while not sending.done():
        assert (await eva.get("knowledge/health")).status_code == 200
        answered += 1
    assert answered > 1
    found = await sending
    assert (len(found["articles"]), found["beyond"]) == (found["most"], 150_000 - found["most"])


async def test_an_article_too_long_to_be_kept_is_shown_and_cannot_be_taken(shop: Shop) -> None:
    eva = await shop.desk.browser("Eva", Role.TRAINER)
    [found] = (await sent(eva, "long.md", b"# Manual\n" + b"A sentence. " * 20_000))["articles"]
    assert ([one["code"] for one in found["problems"]], found["ready"]) == (["too_long"], False)
    [found] = (await sent(eva, "ask.csv", f"question,answer\n{'why ' * 60}?,Because.\n".encode()))["articles"]
    assert found["ready"] is False


async def test_more_files_than_can_be_read_at_once_are_asked_to_wait(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    eva = await shop.desk.browser("Eva", Role.TRAINER)
    monkeypatch.setattr("knowledge_base.uploading.MOST_AT_ONCE", 0)
    assert (await sent(eva, "a.md", b"# A\nText.", 429))["error"]["detail"]["reason"] == "busy"


async def test_comparing_a_file_with_the_articles_ends_in_time(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    eva = await shop.desk.browser("Eva", Role.TRAINER)
    monkeypatch.setattr("handoff.learning.article_trial_routes.COMPARING_SECONDS", 0)
    [found] = (await sent(eva, "a.md", b"# A lamp\nWe sell lamps in three colours."))["articles"]
    assert "not_compared" in {one["code"] for one in found["problems"]}
    assert found["ready"] is True


async def test_a_question_is_tried_on_what_is_published_and_with_a_draft(shop: Shop) -> None:
    eva = await shop.desk.browser("Eva", Role.TRAINER)
    without = (await eva.post("knowledge/test", {"text": "gift wrapping", "language": "en"})).json()
    assert (without["answer"], without["gate"]) == (None, 0.5)
    assert len(without["asked_back"]) > 0
    with_draft = (await eva.post("knowledge/test", {"text": "gift wrapping", "language": "en", "draft": GIFT})).json()
    first = with_draft["candidates"][0]
    assert (first["article_id"], first["drafted"]) == ("gift-wrapping", True)
    assert {"use", "question", "passage"} <= first["steps"].keys()
    assert shop.kb.find_article("gift-wrapping", "en") is None
    staff_only = GIFT | {"audience": ["staff"]}
    for audiences, found in (([], False), (["staff"], True)):
        body = {"text": "gift wrapping", "language": "en", "draft": staff_only, "audiences": audiences}
        ids = {one["article_id"] for one in (await eva.post("knowledge/test", body)).json()["candidates"]}
        assert ("gift-wrapping" in ids) is found


async def test_an_article_knows_what_it_answered_and_how_that_ended(shop: Shop) -> None:
    eva = await shop.desk.browser("Eva", Role.TRAINER)
    await shop.asks("how long does a refund take, I am 13800138000", "refunds", contact="ann")
    await shop.asks("when do I get my money", "refunds", contact="ben", handoff=True)
    [row] = [
        one for one in (await eva.get(BASE, q="refund", language="en")).json()["articles"] if one["id"] == "refunds"
    ]
    assert (row["usage"]["by_bot"], row["usage"]["parts"], row["usage"]["handed_off"]) == (2, 2, 1)
    unused = (await eva.get(BASE, flag="unused")).json()["articles"]
    assert ("refunds", "en") not in {(one["id"], one["language"]) for one in unused}
    asked = (await eva.get("learning/articles/refunds/en")).json()["questions"]
    assert [one["handed_off"] for one in asked] == [True, False]
    assert "13800138000" not in json.dumps(asked)


async def test_what_an_article_answered_beyond_ones_sight_is_left_out(shop: Shop) -> None:
    wu, grace = await shop.desk.browser("Wu"), await shop.desk.browser("Grace", Role.SUPERVISOR)
    await team_of(shop.desk, "After-sales", wu.member.id, intents=("handoff",))
    await team_of(shop.desk, "Pre-sales", grace.member.id)
    await shop.asks("how long does a refund take", "refunds", contact="ann")
    await shop.asks("when do I get my money", "refunds", contact="ben", handoff=True)
    read = "learning/articles/refunds/en"
    assert len((await grace.get(read)).json()["questions"]) == 2
    await narrow(shop.desk, grace.member.id, Scope.TEAM)
    [question] = (await grace.get(read)).json()["questions"]
    assert question["text"] == "how long does a refund take"


async def test_contradicting_articles_are_listed_until_somebody_says_that_they_agree(shop: Shop) -> None:
    eva = await shop.desk.browser("Eva", Role.TRAINER)
    await created(eva, title="Refund", body="The refund arrives within nine working days.", questions=[])
    assert shop.desk.side.studio.knowledge is not None
    await shop.desk.side.studio.knowledge.contradictions.found(wait=True)
    await shop.desk.side.studio.knowledge.contradictions.found(wait=True)
    [found] = (await eva.get("knowledge/health")).json()["contradictions"]
    assert {one["article_id"] for one in found["sides"]} == {"refunds", "gift-wrapping"}
    marked = [one["text"][slice(*one["marks"][0])] for one in found["sides"]]
    assert sorted(marked) == ["nine working days", "three working days"]
    assert (await eva.get(BASE, flag="contradicting")).json()["articles"] != []
    await eva.post("knowledge/agreements", {"pair": found["pair"], "agrees": True})
    assert (await eva.get("knowledge/health")).json()["contradictions"] == []
    assert len(await shop.desk.audited("articles_agree")) == 1
