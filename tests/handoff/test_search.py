"""Finding conversations by words, names, orders and tickets; on both databases where SQL is concerned."""

from __future__ import annotations

import os
from datetime import date

import pytest

from conversations.audit import AuditLog
from conversations.conversations import Conversations
from conversations.hub import LocalHub
from conversations.model import Address, InboundMessage, new_id
from conversations.store import Database
from crm.demo import load_demo
from handoff.roles import Role
from handoff.search_store import SearchStore
from tests.handoff.desk import Desk


async def write(conversations: Conversations, contact: str, text: str, name: str | None = None) -> str:
    message = InboundMessage(Address("web", "default", contact), new_id(), text, contact_name=name)
    return (await conversations.receive(message)).conversation_id


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        ("耳机坏了", {"lin"}),
        ("BROKEN screen", {"emma"}),
        ("李", {"lin"}),
        ("clarke", {"emma"}),
        ("100%", {"percent"}),
        ("a_b", {"percent"}),
        ("\\", set()),
        ("%", {"percent"}),
        ("_", {"percent"}),
        ("nothing like it", set()),
    ],
)
async def test_words_and_names_are_found_literally(database: Database, wanted: str, found: set[str]) -> None:
    conversations = Conversations(database, LocalHub(), AuditLog(os.urandom(32)))
    made = {
        "lin": await write(conversations, "lin", "我的耳机坏了怎么办", "李婷"),
        "emma": await write(conversations, "emma", "My broken screen", "Emma Clarke"),
        "percent": await write(conversations, "percent", "battery 100% but a_b fails"),
    }
    matches = await SearchStore(database).matches(wanted, [], 10)
    assert {match.conversation_id for match in matches} == {made[name] for name in found}


async def test_a_match_shows_the_newest_message_that_fits(database: Database) -> None:
    conversations = Conversations(database, LocalHub(), AuditLog(os.urandom(32)))
    conversation_id = await write(conversations, "lin", "earbuds one")
    await write(conversations, "lin", "x" * 100 + "\n earbuds  two " + "y" * 300)
    await write(conversations, "lin", "something else")
    (match,) = await SearchStore(database).matches("earbuds", [], 10)
    assert (match.conversation_id, match.seq) == (conversation_id, 2)
    assert "earbuds two" in match.snippet
    assert len(match.snippet) < 130


async def test_an_order_number_finds_the_customers_conversations(desk: Desk) -> None:
    await load_demo(desk.crm, date(2026, 11, 21))
    chen = await desk.browser("Chen Yu", Role.TRAINER)
    (customer,) = await desk.crm.search_customers("KT20260001")
    mine = await desk.queued("hello", customer_id=customer.id)
    await desk.queued("hello", contact="stranger")
    for typed in ("KT20260001", "kt 2026 0001", customer.name):
        found = (await chen.get("search", q=typed)).json()
        assert [one["id"] for one in found["conversations"]] == [mine], typed
        assert customer.id in [one["id"] for one in found["customers"]]


async def test_search_results_look_like_the_list_with_the_match(desk: Desk) -> None:
    chen = await desk.browser("Chen Yu")
    conversation_id = await desk.queued("转人工，我要退货")
    (row,) = (await chen.get("search", q="退货")).json()["conversations"]
    assert row["id"] == conversation_id
    assert row["match"] == {"seq": 1, "snippet": "转人工，我要退货"}
    assert row["unread"] > 0
    (row,) = (await chen.get("search", q="lin mei")).json()["conversations"]
    assert row["match"] is None
