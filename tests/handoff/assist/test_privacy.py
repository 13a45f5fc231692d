"""Nothing of one contact reaches another: what was planted in a resolved conversation never turns up elsewhere."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from conversations.model import Agent
from crm.model import Customer
from handoff.assist.masking import Private, masked_for_others
from handoff.assist.suggestion import general
from tests.handoff.assist.scenes import PLANTED, asks_agent, assisted_desk, resolved
from tests.handoff.desk import Desk

MAX = Agent("f" * 32, "Maximilian")
ENGLISH = [
    "Hi Tamsin, your garden gnome order KT20261111 was painted purple and left on Monday.",
    "Dear Ms Okafor, the purple gnome paint costs nothing; ticket TK482915 has the details.",
    "We sent it to 14 Privet Drive with tracking number SF1234567890, please call 020 7946 0958.",
    "I wrote to tamsin@private.example about the gnome: see https://private.example/x for the purple colour.",
    "Yes, every garden gnome can be painted purple, it takes two weeks. Regards, Maximilian",
]
#: What holds for everybody, in different words each time.
GENERAL = {
    "en": ("Garden gnomes can be painted purple for free.", "We paint every garden gnome purple for free."),
    "zh": ("花园小矮人都可以免费涂成紫色。", "所有花园小矮人都能免费涂成紫色。"),
}
CHINESE = [
    "欧阳明月您好，您的花园小矮人订单KT20262222已经涂成紫色。",
    "明月小姐，小矮人可以免费涂成紫色，会寄到浦东新区世纪大道1568号。",
    "费用退到卡号6222021234567890，有问题请打13812345678，小矮人涂紫色要两周。",
    "所有花园小矮人都可以免费涂成紫色，一般需要两周。",
]


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Desk]:
    async with assisted_desk(tmp_path) as desk:
        yield desk


@pytest.mark.parametrize(
    ("language", "name", "request_", "replies"),
    [
        ("en", "Tamsin Okafor", "can my garden gnome be painted purple", ENGLISH),
        ("zh", "欧阳明月", "花园小矮人可以涂成紫色吗", CHINESE),
    ],
)
async def test_what_was_planted_in_other_conversations_never_turns_up(
    desk: Desk, language: str, name: str, request_: str, replies: list[str]
) -> None:
    lin = await desk.browser("Lin")
    for place, reply in enumerate(replies):
        said = [f"{reply} {GENERAL[language][place % 2]}"]
        await resolved(desk, MAX, f"x{place}", request_, said, score=5, language=language, name=name)
    assert desk.side.assist is not None
    await desk.side.assist.precedents.catch_up()
    conversation_id = await asks_agent(desk, lin, "a", request_, language)
    response = await lin.get(f"conversations/{conversation_id}/assist")
    shown = response.text
    assert len(response.json()["similar"]) == 3, "the planted conversations are the ones that are found"
    leaked = [token for token in PLANTED if token in json.loads(json.dumps(shown))]
    assert leaked == []
    suggestion = response.json()["suggestion"]
    assert suggestion is not None
    assert "purple" in suggestion["text"] or "紫色" in suggestion["text"]
    assert "Maximilian" not in json.dumps(response.json()["suggestion"])


async def test_what_only_the_crm_knows_of_the_contact_is_masked_as_well(desk: Desk, tmp_path: Path) -> None:
    customer = Customer(
        "c" * 32, "Wren Ash", "+44 20 7946 0999", "wren@ash.example", "en", "GB", "gold", 0, desk.clock()
    )

    class Crm:
        async def find_customer(self, customer_id: str) -> Customer:
            return customer

        async def orders_of(self, customer_id: str, limit: int = 5) -> list[Any]:
            return []

        async def tickets_of(self, customer_id: str) -> list[Any]:
            return []

    lin = await desk.browser("Lin")
    assert desk.side.assist is not None
    desk.side.assist.precedents._crm = Crm()  # type: ignore[assignment]
    settled = await resolved(
        desk, MAX, "x", "can my garden gnome be painted purple", ["the purple gnome is for wren, a gift from ash."]
    )
    async with desk.database.write() as connection:
        from sqlalchemy import text

        await connection.execute(text("UPDATE contacts SET customer_id = :id"), {"id": customer.id})
    await desk.side.assist.precedents.catch_up()
    conversation_id = await asks_agent(desk, lin, "a", "can my garden gnome be painted purple")
    shown = (await lin.get(f"conversations/{conversation_id}/assist")).json()
    assert shown["similar"][0]["conversation_id"] == settled
    assert shown["similar"][0]["replies"] == ["the purple gnome is for [name], a gift from [name]."]


async def test_an_erased_contact_is_gone_from_the_index_the_cards_and_the_lists(desk: Desk) -> None:
    lin = await desk.browser("Lin")
    assert desk.side.assist is not None
    assist = desk.side.assist
    settled = await resolved(desk, MAX, "x", "can my garden gnome be painted purple", ["Yes, the gnome can be purple."])
    await assist.precedents.catch_up()
    asking = await asks_agent(desk, lin, "a", "can my garden gnome be painted purple")
    assert (await lin.get(f"conversations/{asking}/assist")).json()["similar"]
    contact = (await desk.conversations.get_conversation(settled)).contact_id
    await desk.conversations.erase_contact(contact, lin.member.agent)
    assist.desk.looks._work.clear()
    assert (await lin.get(f"conversations/{asking}/assist")).json()["similar"] == [], "before the index is cleaned"
    assert await assist.digests.nearest(["can my garden gnome be painted purple"], 5)
    await assist.precedents.catch_up()
    assert await assist.digests.nearest(["can my garden gnome be painted purple"], 5) == []
    assert await assist.precedents.catch_up() == 0, "it is not put in again"
    asker = (await desk.conversations.get_conversation(asking)).contact_id
    await desk.conversations.erase_contact(asker, lin.member.agent)
    async with desk.database.read() as connection:
        from sqlalchemy import text

        rows = await connection.execute(text("SELECT count(*) FROM assist_cards WHERE contact_id = :id"), {"id": asker})
        assert rows.scalar() == 0


@pytest.mark.parametrize(
    ("said", "masked"),
    [
        ("Call 020 7946 0958 or +86 138 1234 5678.", "Call [phone or e-mail] or [phone or e-mail]."),
        ("尾号2468的卡", "尾号【编号】的卡"),
        ("Refunds take 3 to 5 days, up to 30 in 2026.", "Refunds take 3 to 5 days, up to 30 in 2026."),
        ("Thanks, Priya!", "Thanks, [name]!"),
        ("Mr. Brown will visit you", "Mr. [name] will visit you"),
        ("王先生，您好", "【姓名】先生，您好"),
        ("这位先生，您好", "这位先生，您好"),
        ("请联系李娜", "请联系【姓名】"),
        ("see www.secret.example/a", "see [link]"),
    ],
)
def test_what_looks_like_somebodys_is_masked_where_nobody_knows_it(said: str, masked: str) -> None:
    language = "zh" if any("\u4e00" <= letter <= "\u9fff" for letter in said) else "en"
    known = {"refunds", "call", "see", "thanks"}
    assert masked_for_others(said, Private(), language, lambda word: word.lower() in known).text == masked


def test_the_shops_own_words_stay() -> None:
    own = {"Kite", "Buds", "4008205566", "云雀耳机"}
    said = "Kite Buds: call 400-820-5566"
    assert masked_for_others(said, Private(), "en", lambda word: word.replace("-", "") in own).text == said


@pytest.mark.parametrize(
    ("reply", "kept"),
    [
        ("Your order [number] is on its way. Lost parcels are sent again for free.", "Lost parcels are sent again for free."),
        ("I have cancelled it for you.", ""),
        ("您的订单已经寄出了。丢失的包裹会免费补发一次。", "丢失的包裹会免费补发一次。"),
        ("【姓名】您好。", ""),
    ],
)  # fmt: skip
def test_only_sentences_that_hold_for_everybody_are_suggested(reply: str, kept: str) -> None:
    assert general(reply, "zh" if "\u4e00" <= reply[-2] <= "\u9fff" else "en") == kept
