"""Somebody asks for a person when nobody is there: a true promise, a ticket, and the answer where they asked."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest

from conversations.audit_store import AuditStore
from conversations.delivery_store import DeliveryStore
from conversations.errors import BadContactPoint
from conversations.hours import BusinessHours, Holiday
from conversations.json_form import conversation_json
from conversations.model import Author, Conversation, MessageKind, Status
from conversations.teams import Roster
from tests.conversations.builders import LIN, MAX, TestDesk, address, hands_off, team


async def told(desk: TestDesk, conversation_id: str) -> str:
    return (await desk.said(conversation_id, Author.SYSTEM))[-1]


@pytest.fixture
async def night(desk: TestDesk) -> str:
    """A conversation that was handed off while nobody works."""
    desk.open = False
    return await desk.queued("my parcel is lost, a person please")


async def test_the_contact_learns_when_people_are_back_and_is_asked_how_to_reach_them(
    desk: TestDesk, night: str
) -> None:
    said = await told(desk, night)
    assert "19:00 today" in said
    assert "TK100001" in said
    assert "phone number or e-mail" in said


@pytest.mark.parametrize(
    ("text", "point"),
    [
        ("call me at +44 7700 900123 please", "+447700900123"),
        ("138-0013-2468", "13800132468"),
        ("Lin.Mei@Example.COM", "lin.mei@example.com"),
    ],
)
async def test_what_they_leave_is_normalised_confirmed_and_written_on_the_ticket(
    desk: TestDesk, night: str, text: str, point: str
) -> None:
    await desk.send(text)
    assert point in await told(desk, night)
    assert (await desk.get(night)).contact_point == point
    assert await desk.conversations.file_callbacks() == 1
    reached, words = desk.filed["TK100001"]
    assert reached == point
    assert "my parcel is lost" in words
    assert await desk.conversations.file_callbacks() == 0


async def test_a_form_says_which_part_is_the_address_and_repeats_change_nothing(desk: TestDesk, night: str) -> None:
    form = {"external_id": "form-1", "contact_point": "138 0013 2468"}
    first = await desk.send("138 0013 2468\nBest time: not before lin@example.com has answered", **form)
    again = await desk.send("138 0013 2468\nBest time: not before lin@example.com has answered", **form)
    assert (again.duplicate, again.seq) == (True, first.seq)
    assert (await desk.get(night)).contact_point == "13800132468"
    assert "13800132468" in await told(desk, night)
    await desk.conversations.file_callbacks()
    reached, words = desk.filed["TK100001"]
    assert (reached, "Best time" in words) == ("13800132468", True)


async def test_the_contacts_page_is_told_whether_to_show_the_form(desk: TestDesk, night: str) -> None:
    assert conversation_json(await desk.get(night), for_contact=True)["asks_contact_details"]
    with pytest.raises(BadContactPoint):
        await desk.send("1380013", contact_point="1380013")
    await desk.send("lin@example.com", contact_point="lin@example.com")
    assert not conversation_json(await desk.get(night), for_contact=True)["asks_contact_details"]


async def test_a_form_that_comes_when_an_agent_is_there_is_just_a_message(desk: TestDesk, night: str) -> None:
    desk.open = True
    await desk.conversations.assign(night, LIN)
    await desk.send("13800132468", contact_point="13800132468")
    assert (await desk.last(night)).text == "13800132468"


async def test_half_a_number_is_asked_for_again_and_an_order_number_is_not_taken_for_one(
    desk: TestDesk, night: str
) -> None:
    await desk.send("it is order KT20260001")
    before = await desk.said(night, Author.SYSTEM)
    await desk.send("call 1380013")
    after = await desk.said(night, Author.SYSTEM)
    assert len(after) == len(before) + 1
    assert "incomplete" in after[-1]
    assert (await desk.get(night)).contact_point is None


async def test_what_is_written_later_is_added_and_a_ticket_system_that_is_away_gets_it_when_it_is_back(
    desk: TestDesk, night: str
) -> None:
    await desk.conversations.file_callbacks()
    await desk.send("it was due on Monday")
    broken, desk.conversations.surroundings = desk.conversations.surroundings, _failing(desk)
    assert await desk.conversations.file_callbacks() == 0
    desk.conversations.surroundings = broken
    assert await desk.conversations.file_callbacks() == 1
    assert "due on Monday" in desk.filed["TK100001"][1]


def _failing(desk: TestDesk):  # type: ignore[no-untyped-def]
    from dataclasses import replace

    async def fail(_conversation: Conversation, _ticket: str, _words: str) -> None:
        raise RuntimeError("the ticket system is away")

    return replace(desk.conversations.surroundings, file_callback=fail)


async def test_a_ticket_that_could_not_be_opened_at_night_is_opened_later(desk: TestDesk) -> None:
    async def broken(_conversation: Conversation) -> str:
        raise RuntimeError("the ticket system is away")

    desk.open = False
    works, desk.conversations._open_callback = desk.conversations._open_callback, broken
    conversation_id = await desk.queued()
    await desk.send("lin@example.com")
    assert "lin@example.com" in await told(desk, conversation_id)
    desk.conversations._open_callback = works
    await desk.conversations.file_callbacks()
    assert (await desk.get(conversation_id)).callback_ticket == "TK100001"
    assert desk.filed["TK100001"][0] == "lin@example.com"


async def test_the_answer_returns_on_the_channel_they_used(desk: TestDesk, night: str) -> None:
    await desk.send("lin@example.com")
    assert (await desk.get(night)).status is Status.QUEUED  # agents find it in their queue
    desk.open = True
    desk.clock.advance(9 * 3600)
    await desk.conversations.assign(night, LIN)
    await desk.conversations.reply_as_agent(night, LIN, "we found your parcel")
    sent: list[tuple[str, str]] = []
    for _ in range(20):
        async with desk.database.write() as connection:
            store = DeliveryStore(connection)
            for delivery in await store.claim_deliveries(desk.clock(), desk.clock(), 10):
                sent.append((str(delivery.address), delivery.message.text))
                await store.settle_delivery(delivery, "sent")
    assert sent[-1] == (str(address()), "we found your parcel")  # telegram, where they asked


async def test_once_an_agent_is_there_a_number_is_just_a_message(desk: TestDesk, night: str) -> None:
    desk.open = True
    await desk.conversations.assign(night, LIN)
    before = await desk.said(night, Author.SYSTEM)
    await desk.send("13800132468")
    assert await desk.said(night, Author.SYSTEM) == before


async def test_when_people_are_back_the_contact_learns_their_place(desk: TestDesk, night: str) -> None:
    assert await desk.conversations.tell_waits() == 0
    desk.open = True
    assert await desk.conversations.tell_waits() == 1
    assert "Our team is back. You're next in line" in await told(desk, night)
    assert await desk.conversations.tell_waits() == 0


async def test_when_the_desk_closes_who_still_waits_is_not_left_with_a_wait_in_minutes(desk: TestDesk) -> None:
    conversation_id = await desk.queued()
    desk.open = False
    assert await desk.conversations.tell_waits() == 1
    said = await told(desk, conversation_id)
    assert "Sorry we didn't get to you" in said
    assert "TK100001" in said
    assert (await desk.get(conversation_id)).callback_ticket == "TK100001"
    assert await desk.conversations.tell_waits() == 0


async def test_overnight_conversations_do_not_jump_the_queue_of_the_morning(desk: TestDesk, night: str) -> None:
    desk.clock.advance(8 * 3600)
    desk.open = True
    early = await desk.queued(contact="early bird")  # an hour before the promised opening
    queue = [one.id for one in (await desk.conversations.list_conversations("queued")).items]
    assert queue == [early, night]


async def test_a_teams_own_hours_holidays_and_zone_make_the_promise(desk: TestDesk) -> None:
    holidays = (Holiday.parse("2026-03-03", "2026-03-06"),)
    hours = BusinessHours.of("Mon-Fri 09:00-18:00", "Asia/Shanghai", holidays)
    desk.roster = Roster((team(hours=hours),))  # the desk itself is open
    assert hours.is_open(datetime(2026, 3, 2, 9, tzinfo=UTC))
    conversation_id = await desk.queued()  # Monday, 18:00 in Shanghai
    said = await told(desk, conversation_id)
    assert "09:00 on Monday, 9 March" in said
    assert "TK100001" in said


async def test_out_of_hours_texts_are_chinese_for_chinese_contacts(desk: TestDesk) -> None:
    desk.open = False
    receipt = await desk.send("转人工", language="zh")
    [claim] = await desk.conversations.claim_turns(1)
    result = type(hands_off())(hands_off().replies, {"language": "zh"})
    await desk.conversations.commit_turn(claim, result, desk.clock())
    assert "请直接在这里回复手机号或邮箱" in await told(desk, receipt.conversation_id)
    await desk.send("13800132468", language="zh")
    assert "已记下 13800132468" in await told(desk, receipt.conversation_id)


async def test_erasing_a_contact_erases_how_to_reach_them(desk: TestDesk, night: str) -> None:
    await desk.send("lin@example.com")
    conversation = await desk.get(night)
    await desk.conversations.erase_contact(conversation.contact_id, LIN)
    assert (await desk.get(night)).contact_point is None
    assert await desk.conversations.file_callbacks() == 0


async def accepted(desk: TestDesk, conversation_id: str) -> None:
    desk.open = True
    await desk.conversations.assign(conversation_id, LIN)


async def staff_lines(desk: TestDesk, conversation_id: str) -> list[str]:
    messages = await desk.conversations.messages(conversation_id)
    return [one.text for one in messages if one.kind is MessageKind.NOTE]


async def test_an_answer_in_the_conversation_closes_the_callback_ticket(desk: TestDesk, night: str) -> None:
    await accepted(desk, night)
    await desk.conversations.reply_as_agent(night, LIN, "we found your parcel")
    await desk.send("thanks a lot")
    assert await desk.conversations.close_callbacks() == 0
    await desk.conversations.resolve(night, LIN)
    assert await desk.conversations.close_callbacks() == 1
    assert desk.closed == ["TK100001"]
    assert await staff_lines(desk, night) == ["The contact has been answered; callback ticket TK100001 is closed."]
    assert "thanks a lot" in desk.filed["TK100001"][1]
    shown = await desk.conversations.transcript(address(), None, 100)
    assert not any("is closed" in message.text for message in shown)
    async with desk.database.read() as connection:
        audited = [json.loads(row.body) async for row in AuditStore(connection).entries(0, night)]
    assert [one["data"] for one in audited if one["kind"] == "callback_closed"] == [{"ticket": "TK100001"}]
    assert await desk.conversations.close_callbacks() == 0
    assert await desk.conversations.file_callbacks() == 0


async def test_resolving_without_an_answer_leaves_the_ticket_to_whoever_calls_back(desk: TestDesk, night: str) -> None:
    await accepted(desk, night)
    await desk.conversations.add_note(night, LIN, "will phone them")
    await desk.conversations.resolve(night, LIN)
    assert await desk.conversations.close_callbacks() == 0
    assert desk.closed == []


async def test_an_answer_that_was_taken_back_is_none(desk: TestDesk, night: str) -> None:
    await accepted(desk, night)
    said = await desk.conversations.reply_as_agent(night, LIN, "we found your parcel")
    await desk.conversations.recall(night, LIN, said.seq)
    await desk.conversations.resolve(night, LIN)
    assert await desk.conversations.close_callbacks() == 0


async def test_an_answer_still_counts_when_a_colleague_resolves_after_the_queue(desk: TestDesk, night: str) -> None:
    await accepted(desk, night)
    await desk.conversations.reply_as_agent(night, LIN, "we found your parcel")
    await desk.conversations.requeue(night, LIN)
    await desk.conversations.assign(night, MAX)
    await desk.conversations.resolve(night, MAX)
    assert await desk.conversations.close_callbacks() == 1


async def test_a_second_promise_wants_a_second_answer(desk: TestDesk, night: str) -> None:
    await accepted(desk, night)
    await desk.conversations.reply_as_agent(night, LIN, "we are looking for it")
    desk.open = False
    await desk.conversations.requeue(night, LIN)
    await accepted(desk, night)
    await desk.conversations.resolve(night, LIN)
    assert await desk.conversations.close_callbacks() == 0


async def test_a_ticket_system_that_is_away_closes_the_ticket_when_it_is_back(desk: TestDesk, night: str) -> None:
    await accepted(desk, night)
    await desk.conversations.reply_as_agent(night, LIN, "we found your parcel")
    await desk.conversations.resolve(night, LIN)
    works, desk.conversations.surroundings = desk.conversations.surroundings, _failing(desk)
    assert await desk.conversations.close_callbacks() == 0
    assert await staff_lines(desk, night) == []
    desk.conversations.surroundings = works
    assert await desk.conversations.close_callbacks() == 1


async def test_what_was_answered_before_there_was_a_ticket_needs_none(desk: TestDesk) -> None:
    async def broken(_conversation: Conversation) -> str:
        raise RuntimeError("the ticket system is away")

    desk.open = False
    works, desk.conversations._open_callback = desk.conversations._open_callback, broken
    conversation_id = await desk.queued()
    await accepted(desk, conversation_id)
    await desk.conversations.reply_as_agent(conversation_id, LIN, "good morning")
    await desk.conversations.resolve(conversation_id, LIN)
    desk.conversations._open_callback = works
    assert await desk.conversations.file_callbacks() == 0
    assert desk.tickets == []


async def test_coming_back_the_next_night_makes_a_new_ticket(desk: TestDesk, night: str) -> None:
    await accepted(desk, night)
    await desk.conversations.reply_as_agent(night, LIN, "we found your parcel")
    await desk.conversations.resolve(night, LIN)
    await desk.conversations.close_callbacks()
    desk.open = False
    again = await desk.queued("it is lost again, a person please")
    assert again != night
    assert (await desk.get(again)).callback_ticket == "TK100002"
    contact_id = (await desk.get(again)).contact_id
    assert await desk.conversations.tickets_of_contacts([contact_id]) == ["TK100002", "TK100001"]
