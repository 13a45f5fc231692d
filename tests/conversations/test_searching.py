"""Full-text search on both databases: written with each message, gone with an erased contact, filled for old rows."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import delete, func, select

from conversations.organising_tables import search_documents
from conversations.search_store import SearchFilter, SearchStore
from conversations.segmenting import parse
from tests.conversations.builders import LIN, Crash, CrashingAudit, TestDesk


async def found(desk: TestDesk, asked: str, **wanted: object) -> list[str]:
    hits, _ = await desk.conversations.search_messages(asked, SearchFilter(**wanted), desk.clock())  # type: ignore[arg-type]
    return [hit.snippet for hit in hits]


async def documents(desk: TestDesk) -> int:
    async with desk.database.read() as connection:
        return int((await connection.execute(select(func.count()).select_from(search_documents))).scalar_one())


@pytest.mark.parametrize(
    "asked",
    ["退", "货", "退货", "我要退", "要退货款", "refund", "refunds", "refu", "KT20260001", "20260001", "kt 2026 0001"],
)
async def test_any_part_of_a_message_finds_it(desk: TestDesk, asked: str) -> None:
    await desk.send("今天天气不错", "ann")
    text = "我要退货款，order KT20260001 please refund"
    await desk.send(text, "bo")
    assert await found(desk, asked) == [text]


@pytest.mark.parametrize("asked", ["退款", "货退", "fund", "KT20260002", "weather"])
async def test_what_was_not_said_is_not_found(desk: TestDesk, asked: str) -> None:
    await desk.send("我要退货款，order KT20260001 please refund", "bo")
    assert await found(desk, asked) == []


@pytest.mark.parametrize(
    "asked", ["%", "' OR 1=1 --", '"', "NEAR(a b)", "a AND", "*", "=", "😀", "(", "col:x", "&|!<->"]
)
async def test_nothing_typed_is_taken_for_a_query_language(desk: TestDesk, asked: str) -> None:
    await desk.send("hello there", "ann")
    assert await found(desk, asked) == []


async def test_better_and_newer_matches_come_first(desk: TestDesk) -> None:
    await desk.send("delivery was late", "old-scattered")
    desk.clock.advance(30 * 86400)
    await desk.send("a late delivery", "exact")
    await desk.send("my delivery comes late again", "scattered")
    assert await found(desk, "late delivery") == [
        "a late delivery",
        "my delivery comes late again",
        "delivery was late",
    ]


async def test_a_search_can_be_narrowed(desk: TestDesk) -> None:
    conversation_id = await desk.assigned(LIN)
    await desk.send("screen broken")
    await desk.conversations.add_note(conversation_id, LIN, "screen: photo checked")
    await desk.conversations.reply_as_agent(conversation_id, LIN, "we replace the screen")
    middle = desk.clock()
    await desk.send("thanks, screen")
    assert await found(desk, "screen", author="note") == ["screen: photo checked"]
    assert await found(desk, "screen", author="agent") == ["we replace the screen"]
    assert len(await found(desk, "screen", author="contact")) == 2
    assert await found(desk, "screen", since=middle) == ["thanks, screen"]
    assert len(await found(desk, "screen", until=middle)) == 3
    assert len(await found(desk, "screen", channel="telegram")) == 4
    assert await found(desk, "screen", channel="email") == []


async def test_contacts_are_found_by_name_and_by_an_address_people_type(desk: TestDesk) -> None:
    by_name = (await desk.send("hello", "visitor-7", contact_name="李小婷")).conversation_id
    by_phone = (await desk.send("hello", "+8613812345678")).conversation_id
    for asked, wanted in (("小婷", by_name), ("李", by_name), ("13812345678", by_phone)):
        matches = await desk.conversations.search_conversations(asked, [], 10, desk.clock())
        assert [match.conversation_id for match in matches] == [wanted], asked
    await desk.send("again", "visitor-7", contact_name="王芳")
    assert await desk.conversations.search_conversations("小婷", [], 10, desk.clock()) == []


async def test_the_index_and_the_message_stand_or_fall_together(database: object, clock: object) -> None:
    audit = CrashingAudit()
    desk = TestDesk(database, clock, audit=audit)  # type: ignore[arg-type]
    await desk.send("first words", "ann")
    audit.armed = True
    with pytest.raises(Crash):
        await desk.send("never stored", "bo")
    assert await found(desk, "stored") == []
    assert await found(desk, "words") == ["first words"]


async def test_erasing_a_contact_takes_them_out_of_the_index(desk: TestDesk) -> None:
    receipt = await desk.send("secret wish", "ann", contact_name="Ann Lee")
    await desk.send("open wish", "bo", contact_name="Bo")
    conversation = await desk.conversations.get_conversation(receipt.conversation_id)
    await desk.conversations.erase_contact(conversation.contact_id, LIN)
    assert await found(desk, "wish") == ["open wish"]
    assert await desk.conversations.search_conversations("Ann", [], 10, desk.clock()) == []
    assert await documents(desk) == 2
    if desk.database.is_sqlite:  # not in the index's own pages either
        async with desk.database.read() as connection:
            blocks = await connection.exec_driver_sql("SELECT block FROM search_index_data")
            assert not any(b"secret" in block for block in blocks.scalars())


async def test_old_messages_are_indexed_afterwards_in_their_order(desk: TestDesk) -> None:
    for number in range(250):
        await desk.send(f"order number {number}", f"contact-{number % 7}", contact_name=f"Name{number % 7}")
    async with desk.database.write() as connection:
        await connection.execute(delete(search_documents))
    await desk.send("order number newest", "late", contact_name="Late")
    await desk.conversations.fill_search_index()
    assert await documents(desk) == 251 + 8
    async with desk.database.read() as connection:
        newest = await SearchStore(connection).find_messages(parse("order"), SearchFilter(), 3)
    assert [one.text for one in newest] == ["order number newest", "order number 249", "order number 248"]
    before = await documents(desk)
    await desk.conversations.fill_search_index()
    assert await documents(desk) == before


@settings(max_examples=15, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
async def test_every_substring_of_chinese_is_found(desk: TestDesk, data: st.DataObject) -> None:
    text = data.draw(st.text(alphabet="退货运费订单我要查的", min_size=3, max_size=12))
    start = data.draw(st.integers(0, len(text) - 1))
    asked = text[start : start + data.draw(st.integers(1, 5))]
    await desk.send(text, f"c-{abs(hash(text))}")
    hits, _ = await desk.conversations.search_messages(
        asked, SearchFilter(since=desk.clock() - timedelta(days=1)), desk.clock()
    )
    assert text in [hit.snippet for hit in hits]
