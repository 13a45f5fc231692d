"""The inbox as the console sees it: who may do what, what is refused and how, and what others see at once."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from conversations.audit import AuditEntry
from conversations.model import Conversation, Message
from conversations.turn_model import TurnResult
from handoff.roles import Role
from tests.handoff.desk import Browser, Desk, open_desk
from tests.learning.builders import MISSED, ExampleBook, encode, trace

BASE = "learning/inbox"
CATALOGUE = """
family: goods
types:
  - name: product
    title: {zh: 商品, en: Product}
"""


async def the_bot_knows(conversation: Conversation, message: Message) -> TurnResult:
    """A bot that is fairly sure it is about a return."""
    return TurnResult(
        (), {"ranking": [{"name": "return_refund", "confidence": 0.7}, {"name": "greet", "confidence": 0.2}]}
    )


class Shop:
    """A desk with an inbox and its book."""

    def __init__(self, desk: Desk, book: ExampleBook) -> None:
        self.desk, self.book = desk, book

    async def missed(self, *texts: str, contact: str = "ann", language: str = "en") -> None:
        for text in texts:
            await self.desk.contact_writes(text, contact, language=language)
            for claim in await self.desk.conversations.claim_turns(5):
                result = TurnResult((), trace(**MISSED | {"language": language}))
                await self.desk.conversations.commit_turn(claim, result, self.desk.clock(), go_on=False)
        inbox = self.desk.side.studio.inbox
        assert inbox is not None
        await inbox.follower.catch_up()


async def listed(browser: Browser, **query: Any) -> dict[str, Any]:
    response = await browser.get(BASE, **query)
    assert response.status_code == 200, response.text
    return dict(response.json())


def decision(group: dict[str, Any], kind: str, *lines: str, **more: Any) -> dict[str, Any]:
    listed = [{"language": "en", "text": line} for line in lines]
    return {"revision": group["revision"], "upto": group["upto"], "kind": kind, "lines": listed} | more


@pytest.fixture
async def shop(tmp_path: Path) -> AsyncIterator[Shop]:
    (tmp_path / "entities").mkdir()
    (tmp_path / "entities" / "goods.yml").write_text(CATALOGUE)
    (tmp_path / "entities" / "broken.yml").write_text("types: [")
    book = ExampleBook(
        ("en", "return_refund", 'I want to send my [lamp]{"entity": "product"} back'),
        ("en", "order_status", "where is my parcel"),
    )
    options = {"book": book, "encode": encode, "understand": the_bot_knows, "nlu_data": tmp_path}
    async with open_desk(tmp_path, **options) as desk:
        yield Shop(desk, book)


async def test_a_trainer_sees_groups_opens_one_and_assigns_it(shop: Shop) -> None:
    await shop.missed("can you gift wrap it", contact="ann")
    await shop.missed("gift wrap it please", contact="ben")
    lin = await shop.desk.browser("Lin", Role.TRAINER)
    page = await listed(lin)
    [group] = page["groups"]
    assert (group["messages"], group["contacts"], page["counts"]["new"], page["teaches"]) == (2, 2, 1, True)
    assert group["text"] in {"can you gift wrap it", "gift wrap it please"}
    assert 0 < page["progress"]["read"] <= page["progress"]["of"]
    seen = (await lin.get(f"{BASE}/groups/{group['id']}")).json()
    assert {one["text"] for one in seen["messages"]} == {"can you gift wrap it", "gift wrap it please"}
    assert seen["messages"][0]["reasons"] == ["low_confidence", "missed"]
    response = await lin.post(
        f"{BASE}/groups/{group['id']}/decide", decision(group, "assign", "gift wrap it", intent="greet")
    )
    assert response.status_code == 200, response.text
    assert shop.book.lines[-1].text == "gift wrap it"
    page = await listed(lin)
    assert (page["groups"], page["counts"]) == ([], {"new": 0, "done": 1, "ignored": 0, "gaps": 0})
    [entry] = await shop.desk.audited("inbox_decided")
    assert (entry["data"]["kind"], entry["data"]["intent"], entry["data"]["messages"]) == ("assign", "greet", 2)
    made = response.json()["decision"]
    assert (await lin.post(f"{BASE}/decisions/{made['id']}/undo")).status_code == 200
    assert len(shop.book.lines) == 2
    assert len(await shop.desk.audited("inbox_undone")) == 1


async def test_intents_are_suggested_from_the_bot_and_from_the_nearest_examples(shop: Shop) -> None:
    await shop.missed("my lamp I want to send back")
    lin = await shop.desk.browser("Lin", Role.TRAINER)
    [group] = (await listed(lin))["groups"]
    found = (await lin.get(f"{BASE}/groups/{group['id']}/suggestions")).json()["suggestions"]
    assert found[0]["intent"] == "return_refund"
    assert found[0]["nearest"] == "I want to send my lamp back"
    assert (found[0]["by_bot"], found[0]["similarity"] > 0.8) == (0.7, True)
    assert [one["confidence"] for one in found] == sorted((one["confidence"] for one in found), reverse=True)
    known = (await lin.get(f"{BASE}/intents")).json()
    assert known["intents"][-1] == "out_of_scope"
    assert known["entities"] == [{"name": "product", "zh": "商品", "en": "Product"}]
    assert known["titles"] == []


async def test_an_intent_that_a_trainer_made_is_offered_under_its_own_name(shop: Shop) -> None:
    await shop.missed("can you gift wrap it")
    lin = await shop.desk.browser("Lin", Role.TRAINER)
    [group] = (await listed(lin))["groups"]
    made = {"name": "gift_wrapping", "title_zh": "礼品包装", "title_en": "Gift wrapping", "does": "handoff"}
    wish = decision(group, "new_intent", "can you gift wrap it", intent="gift_wrapping", made=made)
    response = await lin.post(f"{BASE}/groups/{group['id']}/decide", wish)
    assert response.status_code == 200, response.text
    known = (await lin.get(f"{BASE}/intents")).json()
    assert "gift_wrapping" in known["intents"]
    assert known["titles"] == [{"name": "gift_wrapping", "zh": "礼品包装", "en": "Gift wrapping"}]


async def test_the_second_trainer_gets_a_409_that_says_what_happened(shop: Shop) -> None:
    await shop.missed("can you gift wrap it")
    lin, tom = await shop.desk.browser("Lin", Role.TRAINER), await shop.desk.browser("Tom", Role.ADMIN)
    [group] = (await listed(lin))["groups"]
    async with tom.live() as live:
        await live.next("ready")
        await lin.post(f"{BASE}/groups/{group['id']}/decide", decision(group, "assign", "gift wrap", intent="greet"))
        event = await live.next("mishaps", change="assign")
        assert (event["by_name"], event["groups"]) == ("Lin", [group["id"]])
    late = await tom.post(f"{BASE}/groups/{group['id']}/decide", decision(group, "ignored"))
    error = late.json()["error"]
    assert (late.status_code, error["code"]) == (409, "inbox_changed")
    told = json.loads(error["detail"])
    assert (told["by"], told["change"]) == ("Lin", "assign")


async def test_what_seems_personal_is_replaced_unless_the_trainer_says_that_it_is_not(shop: Shop) -> None:
    await shop.missed("call me at 13800138000 about the gift wrap")
    lin = await shop.desk.browser("Lin", Role.TRAINER)
    [group] = (await listed(lin))["groups"]
    seen = (await lin.get(f"{BASE}/groups/{group['id']}")).json()
    assert "13800138000" not in seen["messages"][0]["masked"]
    line = "call me at 13800138000 about the gift wrap"
    body = decision(group, "assign", line, intent="greet")
    refused = await lin.post(f"{BASE}/groups/{group['id']}/decide", body)
    assert (refused.status_code, refused.json()["error"]["code"]) == (400, "inbox_personal")
    [found] = json.loads(refused.json()["error"]["detail"])
    assert found == {"text": line, "masked": seen["messages"][0]["masked"]}
    assert (await lin.post(f"{BASE}/groups/{group['id']}/decide", body | {"keep": True})).status_code == 200
    [entry] = await shop.desk.audited("inbox_decided")
    assert entry["data"]["kept_as_written"] == 1


async def test_what_the_book_refuses_is_said_and_nothing_is_half_done(shop: Shop) -> None:
    await shop.missed("can you gift wrap it")
    lin = await shop.desk.browser("Lin", Role.TRAINER)
    [group] = (await listed(lin))["groups"]
    body = decision(group, "assign", "gift wrap", "where is my parcel", intent="order_status")
    refused = await lin.post(f"{BASE}/groups/{group['id']}/decide", body)
    assert (refused.status_code, refused.json()["error"]["code"]) == (409, "inbox_exists")
    assert json.loads(refused.json()["error"]["detail"]) == {"text": "where is my parcel"}
    assert len(shop.book.lines) == 2
    assert (await listed(lin))["counts"]["new"] == 1


async def test_several_groups_are_decided_at_once_and_each_says_how_it_went(shop: Shop) -> None:
    await shop.missed("can you gift wrap it", contact="ann")
    await shop.missed("is the shop closed on monday", contact="ben")
    lin = await shop.desk.browser("Lin", Role.TRAINER)
    chosen = [{name: one[name] for name in ("id", "revision", "upto")} for one in (await listed(lin))["groups"]]
    chosen[1]["revision"] += 7
    results = (await lin.post(f"{BASE}/decide", {"kind": "ignored", "groups": chosen})).json()["results"]
    assert [one["ok"] for one in results] == [True, False]
    assert results[1]["error"]["code"] == "inbox_changed"
    assert (await listed(lin))["counts"] == {"new": 1, "done": 0, "ignored": 1, "gaps": 0}


async def test_gaps_are_listed_and_exported_masked_and_safe_for_spreadsheets(shop: Shop) -> None:
    await shop.missed("=cmd call 13800138000 is the lamp dimmable")
    lin = await shop.desk.browser("Lin", Role.TRAINER)
    [group] = (await listed(lin))["groups"]
    await lin.post(f"{BASE}/groups/{group['id']}/decide", decision(group, "gap"))
    [gap] = (await lin.get(f"{BASE}/gaps")).json()["gaps"]
    assert (gap["by_name"], gap["contacts"], gap["texts"]) == ("Lin", 1, ["=cmd call 138****8000 is the lamp dimmable"])
    response = await lin.get(f"{BASE}/gaps/export")
    assert response.headers["content-type"].startswith("text/csv")
    [row] = list(csv.DictReader(io.StringIO(response.content.decode("utf-8-sig"))))
    assert row["question"].startswith("'=cmd call")
    assert "13800138000" not in row["question"]


@pytest.mark.parametrize("role", [Role.SUPERVISOR, Role.AUDITOR])
async def test_who_only_looks_changes_nothing(shop: Shop, role: Role) -> None:
    await shop.missed("can you gift wrap it")
    grace = await shop.desk.browser("Grace", role)
    [group] = (await listed(grace))["groups"]
    assert (await grace.get(f"{BASE}/groups/{group['id']}")).status_code == 200
    assert (await grace.post(f"{BASE}/groups/{group['id']}/decide", decision(group, "done"))).status_code == 403
    assert (await grace.post(f"{BASE}/decisions/{'0' * 32}/undo")).status_code == 403


async def test_an_agent_has_no_business_in_the_inbox(shop: Shop) -> None:
    sam = await shop.desk.browser("Sam")
    assert (await sam.get(BASE)).status_code == 403


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ({"reasons": "nonsense"}, 400), ({"reasons": "A B"}, 400), ({"days": "-1"}, 400), ({"sort": "best"}, 400),
        ({"q": "x" * 201}, 400), ({"limit": "0"}, 400), ({"state": "gone"}, 400), ({"reasons": "missed,handed_off"}, 200),
        ({"q": "gift"}, 200), ({"days": "7", "language": "zh", "channel": "web"}, 200),
    ],
)  # fmt: skip
async def test_a_query_that_makes_no_sense_is_refused(shop: Shop, query: dict[str, str], status: int) -> None:
    await shop.missed("can you gift wrap it")
    lin = await shop.desk.browser("Lin", Role.TRAINER)
    assert (await lin.get(BASE, **query)).status_code == status


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        ("groups/zzz/decide", {"revision": 0, "kind": "done"}, 404),
        (f"groups/{'0' * 32}/decide", {"revision": 0, "kind": "done"}, 404),
        (f"groups/{'0' * 32}/decide", {"revision": 0, "kind": "explode"}, 400),
        (f"groups/{'0' * 32}/decide", {"kind": "done"}, 400),
        ("decide", {"kind": "assign", "groups": []}, 400),
        (f"decisions/{'0' * 32}/undo", {}, 404),
    ],
)
async def test_a_decision_that_makes_no_sense_is_refused(shop: Shop, path: str, body: Any, status: int) -> None:
    lin = await shop.desk.browser("Lin", Role.TRAINER)
    assert (await lin.post(f"{BASE}/{path}", body)).status_code == status


async def test_an_agents_correction_comes_to_the_inbox(shop: Shop) -> None:
    conversation_id = await shop.desk.contact_writes("is the lamp dimmable")
    facts = {"conversation_id": conversation_id, "kind": "bot", "seq": 1, "reason": "wrong"}
    async with shop.desk.database.write() as connection:
        entry = AuditEntry("assist_rejected", "agent:x", data=facts)
        await shop.desk.conversations.audit.append(connection, shop.desk.clock(), [entry])
    await shop.missed()
    lin = await shop.desk.browser("Lin", Role.TRAINER)
    [group] = (await listed(lin, reasons="corrected"))["groups"]
    assert group["text"] == "is the lamp dimmable"
