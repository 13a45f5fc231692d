"""Finding conversations and messages by words, names, orders and tickets through the staff API."""

from __future__ import annotations

from datetime import date

import pytest

from crm.demo import load_demo
from handoff.roles import Role
from tests.handoff.desk import Desk


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        ("耳机坏了", {"lin"}),
        ("坏", {"lin"}),
        ("BROKEN screen", {"emma"}),
        ("李", {"lin"}),
        ("clarke", {"emma"}),
        ("100%", {"percent"}),
        ("a_b", {"percent"}),
        ("\\", set()),
        ("%", set()),
        ("nothing like it", set()),
    ],
)
async def test_words_and_names_are_found(desk: Desk, wanted: str, found: set[str]) -> None:
    made = {
        "lin": await desk.contact_writes("我的耳机坏了怎么办", "lin", contact_name="李婷"),
        "emma": await desk.contact_writes("My broken screen", "emma", contact_name="Emma Clarke"),
        "percent": await desk.contact_writes("battery 100% but a_b fails", "percent", contact_name="P"),
    }
    chen = await desk.browser("Chen Yu")
    rows = (await chen.get("search", q=wanted)).json()["conversations"]
    assert {row["id"] for row in rows} == {made[name] for name in found}


async def test_a_match_shows_the_message_that_fits_best_and_marks_it(desk: Desk) -> None:
    conversation_id = await desk.contact_writes("earbuds one")
    await desk.contact_writes("x" * 100 + "\n earbuds  two " + "y" * 300)
    await desk.contact_writes("something else")
    chen = await desk.browser("Chen Yu")
    (row,) = (await chen.get("search", q="earbuds two")).json()["conversations"]
    match = row["match"]
    assert (row["id"], match["seq"]) == (conversation_id, 2)
    assert [match["snippet"][start:end] for start, end in match["marks"]] == ["earbuds", "two"]
    assert len(match["snippet"]) < 150


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
    assert (row["match"]["seq"], row["match"]["snippet"], row["match"]["marks"]) == (1, "转人工，我要退货", [[6, 8]])
    assert row["unread"] > 0
    (row,) = (await chen.get("search", q="lin mei")).json()["conversations"]
    assert row["match"] is None


async def test_the_search_page_gets_messages_with_their_conversations_page_by_page(desk: Desk) -> None:
    chen = await desk.browser("Chen Yu")
    for number in range(7):
        await desk.contact_writes(f"parcel {number}", f"contact-{number}")
    seen: list[str] = []
    offset: int | None = 0
    while offset is not None:
        page = (await chen.get("search/messages", q="parcels", offset=offset, limit=3)).json()
        assert page["found"] == 7
        assert all(page["conversations"][hit["conversation_id"]]["channel"] == "web" for hit in page["hits"])
        seen += [hit["snippet"] for hit in page["hits"]]
        offset = page["next_offset"]
    assert sorted(seen) == [f"parcel {number}" for number in range(7)]


async def test_the_search_page_narrows_by_author_channel_and_time(desk: Desk) -> None:
    chen = await desk.browser("Chen Yu")
    conversation_id = await desk.assigned_to(chen)
    await chen.post(f"conversations/{conversation_id}/note", {"text": "parcel was seen in Ghent"})
    await desk.contact_writes("where is my parcel")

    async def found(**query: str) -> list[str]:
        page = (await chen.get("search/messages", q="parcel", **query)).json()
        return [hit["kind"] for hit in page["hits"]]

    assert sorted(await found()) == ["note", "text"]
    assert await found(author="note") == ["note"]
    assert await found(author="contact") == ["text"]
    assert await found(channel="email") == []
    assert await found(since="2200-01-01T00:00:00Z") == []
    assert await found(since="", until="", author="", channel="") == await found()


@pytest.mark.parametrize(
    "query",
    [{"q": ""}, {"q": "   "}, {"q": "x" * 201}, {"q": "a", "author": "root"}, {"q": "a", "since": "yesterday"},
     {"q": "a", "since": "2026-01-01T00:00:00"}, {"q": "a", "limit": "0"}, {"q": "a", "offset": "-1"}],
)  # fmt: skip
async def test_a_search_that_cannot_be_is_refused(desk: Desk, query: dict[str, str]) -> None:
    chen = await desk.browser("Chen Yu")
    assert (await chen.get("search/messages", **query)).status_code == 400
