"""Turns that are watched: feelings are stored, rules hand off within the turn, and agents get a summary."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any

import pytest

from conversations.errors import RulesChanged
from conversations.model import Author, Citation, Conversation, Status
from conversations.rule_book import RuleBook
from conversations.signals import Signals
from conversations.triggers import Rules
from conversations.turn_model import Feeling, Reply, TurnRequest, TurnResult
from tests.conversations.builders import LIN, TestDesk, says, until

FURIOUS = Feeling("negative", -0.97, 0.95)
CALM = Feeling("neutral", 0.02, 0.01)


def feels(text: str) -> Feeling:
    if "!!!" in text:
        return FURIOUS
    return Feeling("negative", -0.7, 0.2) if "bad" in text else CALM


class Watched:
    """A desk with signals, and an engine that runs what is due."""

    def __init__(self, desk: TestDesk, **options: Any) -> None:
        self.desk = desk
        self.tier: str | None = None
        self.book = RuleBook(desk.database, desk.conversations.audit, desk.clock, self.tier_of)
        self.signals = Signals(desk.conversations, self.book, **{"read": feels, "tier_of": self.tier_of, **options})

    async def tier_of(self, customer_id: str) -> str | None:
        return self.tier

    async def says(self, text: str, **more: Any) -> Conversation:
        """The contact writes and the bot's turn is over; returns the conversation."""
        receipt = await self.desk.send(text, **more)
        engine = self.desk.engine(signals=self.signals)
        await engine.start()

        async def done() -> bool:
            async with self.desk.database.read() as connection:
                from conversations.delivery_store import DeliveryStore

                return not await DeliveryStore(connection).has_unfinished(receipt.conversation_id)

        await until(done)
        await engine.stop()
        await self.signals.close()
        return await self.desk.conversations.get_conversation(receipt.conversation_id)


def answers(text: str = "fine", **trace: Any) -> Any:
    def respond(_request: TurnRequest) -> TurnResult:
        facts = {"language": "en", "intent": "ask_knowledge", "confidence": 0.9, "route": "knowledge"}
        return TurnResult((Reply(text),), facts | trace)

    return respond


async def test_a_calm_message_is_stored_with_how_it_feels_and_stays_with_the_bot(desk: TestDesk) -> None:
    watched = Watched(desk)
    conversation = await watched.says("how long is the warranty")
    assert (conversation.status, conversation.sentiment_label) == (Status.BOT, "neutral")
    message = (await desk.conversations.messages(conversation.id))[0]
    assert (message.sentiment, message.sentiment_label, message.anger) == (0.02, "neutral", 0.01)


async def test_an_angry_contact_reads_an_apology_and_where_they_stand_instead_of_a_canned_answer(
    desk: TestDesk,
) -> None:
    watched = Watched(desk)
    desk.bot.answer = answers("Our warranty lasts two years.")
    conversation = await watched.says("three weeks and nothing!!!")
    assert (conversation.status, conversation.handoff_reason) == (Status.QUEUED, "angry")
    said = await desk.said(conversation.id, Author.BOT)
    assert len(said) == 1
    assert "sorry" in said[0]
    assert "next in line" in (await desk.last(conversation.id)).text
    assert (conversation.sentiment, conversation.sentiment_label) == (-0.97, "negative")
    summary = conversation.handoff_summary
    assert summary is not None
    assert (summary["reason"], summary["detail"]) == ("angry", {"anger": 0.95, "messages": 1})
    assert summary["wants"]["said"] == "three weeks and nothing!!!"


async def test_an_angry_chinese_contact_is_answered_in_chinese(desk: TestDesk) -> None:
    watched = Watched(desk)
    desk.bot.answer = answers("保修两年。", language="zh")
    conversation = await watched.says("等了三个星期!!!", language="zh")
    assert "抱歉" in (await desk.said(conversation.id, Author.BOT))[0]


async def test_what_a_task_did_stays_said_to_an_angry_contact(desk: TestDesk) -> None:
    watched = Watched(desk)
    desk.bot.answer = answers(
        "Order FD1 is cancelled.", route="task", intent="cancel_order", actions=["action_cancel_order"]
    )
    conversation = await watched.says("cancel it!!!")
    said = await desk.said(conversation.id, Author.BOT)
    assert said[0] == "Order FD1 is cancelled."
    assert "colleague" in said[1]


async def test_an_angry_contact_is_not_asked_the_next_question_of_a_form(desk: TestDesk) -> None:
    watched = Watched(desk)
    desk.bot.answer = answers(
        "What is your order number?",
        route="task",
        intent="return_refund",
        actions=["return_refund_form", "action_ask_order_number"],
    )
    conversation = await watched.says("I want my money back!!!")
    said = await desk.said(conversation.id, Author.BOT)
    assert len(said) == 1
    assert "sorry" in said[0]


async def test_who_the_contact_proved_to_be_is_not_lost_when_replies_are_replaced(desk: TestDesk) -> None:
    watched = Watched(desk)
    desk.bot.answer = lambda _request: replace(says("Hello Wei.", customer_id="C-7"), trace={"language": "en", "route": "knowledge"})  # fmt: skip
    conversation = await watched.says("it is me, and I have had enough!!!")
    assert conversation.customer_id == "C-7"


async def test_a_wish_for_a_person_keeps_its_own_reason_however_angry(desk: TestDesk) -> None:
    watched = Watched(desk)
    desk.bot.answer = lambda _request: says("Of course.", handoff="asked_for_person")
    conversation = await watched.says("a human!!!")
    assert conversation.handoff_reason == "asked_for_person"


async def test_after_leaving_the_queue_a_calm_message_stays_with_the_bot(desk: TestDesk) -> None:
    watched = Watched(desk)
    conversation = await watched.says("enough!!!")
    button = (await desk.last(conversation.id)).buttons[0]
    await desk.send("", button_id=button.id)
    conversation = await watched.says("sorry, how long is the warranty")
    assert conversation.status is Status.BOT


async def test_a_vip_is_handed_off_at_the_first_trouble(desk: TestDesk) -> None:
    watched = Watched(desk)
    watched.tier = "vip"
    desk.bot.answer = lambda _request: replace(says("Hello Wei.", customer_id="C-7"), trace={"language": "en", "route": "task"})  # fmt: skip
    assert (await watched.says("hello")).status is Status.BOT
    conversation = await watched.says("that was bad")
    assert (conversation.handoff_reason, conversation.handoff_summary["detail"]) == ("vip", {"tier": "vip"})  # type: ignore[index]


async def test_a_tier_set_by_hand_counts_for_the_vip_rule_and_its_preview(desk: TestDesk) -> None:
    watched = Watched(desk)
    conversation = await watched.says("hello")
    profile = await desk.conversations.contact_profile(conversation.contact_id)
    await desk.conversations.edit_contact(profile.id, LIN, profile.revision, {"tier": "vip"})
    conversation = await watched.says("that was bad")
    assert conversation.handoff_reason == "vip"
    assert (await watched.book.preview(Rules()))["by_reason"]["vip"] == 1


async def test_a_tier_set_by_hand_also_lowers_what_the_account_says(desk: TestDesk) -> None:
    watched = Watched(desk)
    watched.tier = "vip"
    desk.bot.answer = lambda _request: replace(says("Hello Wei.", customer_id="C-7"), trace={"language": "en", "route": "task"})  # fmt: skip
    conversation = await watched.says("hello")
    profile = await desk.conversations.contact_profile(conversation.contact_id)
    await desk.conversations.edit_contact(profile.id, LIN, profile.revision, {"tier": "standard"})
    assert (await watched.says("that was bad")).status is Status.BOT
    assert (await watched.book.preview(Rules()))["by_reason"]["vip"] == 0


async def test_the_same_answer_three_times_is_a_loop(desk: TestDesk) -> None:
    watched = Watched(desk)
    desk.bot.answer = answers("Please tell me more.", route="clarify", confidence=0.6)
    await watched.says("it is broken")
    await watched.says("the lamp")
    conversation = await watched.says("in the kitchen")
    assert conversation.handoff_reason == "loop"
    assert "circles" in (await desk.said(conversation.id, Author.BOT))[-1]


async def test_the_bot_is_told_at_how_many_misses_to_hand_off(desk: TestDesk) -> None:
    watched = Watched(desk)
    await watched.says("hello")
    form = Rules().to_json()
    form["two_misses"]["count"] = 4
    await watched.book.save(Rules.from_json(form), 0, "", LIN)
    await watched.says("hello again")
    form["two_misses"]["enabled"] = False
    await watched.book.save(Rules.from_json(form), 1, "", LIN)
    await watched.says("and again")
    assert [request.misses for request in desk.bot.requests] == [2, 4, 0]


async def test_a_reader_that_fails_leaves_the_turn_as_it_was(desk: TestDesk) -> None:
    def breaks(_text: str) -> Feeling:
        raise RuntimeError("no model")

    conversation = await Watched(desk, read=breaks).says("enough!!!")
    assert (conversation.status, conversation.sentiment) == (Status.BOT, None)


async def test_what_a_waiting_contact_adds_is_in_the_summary_and_changes_the_sentiment(desk: TestDesk) -> None:
    watched = Watched(desk)
    conversation_id = await desk.queued()
    receipt = await desk.send("the order is FD2041, and this is bad")
    await watched.signals.close()
    conversation = await desk.conversations.get_conversation(conversation_id)
    assert conversation.handoff_summary is not None
    assert conversation.handoff_summary["added"] == [
        {"seq": receipt.seq, "text": "the order is FD2041, and this is bad", "files": 0}
    ]
    assert conversation.sentiment == -0.7
    assert conversation.handoff_summary["reason"] == "asked_for_person"


async def test_looking_up_and_rewording_complete_the_summary_after_the_turn(desk: TestDesk) -> None:
    async def records(_conversation: Conversation, _summary: dict[str, Any]) -> dict[str, Any]:
        return {"order": {"number": "FD1"}, "ticket": None}

    async def rewrite(summary: dict[str, Any]) -> dict[str, Any]:
        return {"en": f"About {summary['record']['order']['number']}.", "model": "test"}

    watched = Watched(desk, records_of=records, rewrite=rewrite)
    conversation = await watched.says("enough!!!")
    summary = conversation.handoff_summary
    assert summary is not None
    assert summary["record"] == {"order": {"number": "FD1"}, "ticket": None}
    assert summary["rewritten"] == {"en": "About FD1.", "model": "test"}


async def test_an_agent_who_steps_in_gets_a_summary(desk: TestDesk) -> None:
    watched = Watched(desk)
    citation = Citation("p1", "warranty", "Warranty", "Two years.", "/kb/en/warranty")
    desk.bot.answer = lambda _request: TurnResult(
        (Reply("Two years.", citations=(citation,)),),
        {"language": "en", "intent": "ask_knowledge", "route": "knowledge"},
    )
    conversation = await watched.says("how long is the warranty")
    conversation = await desk.conversations.assign(conversation.id, LIN)
    summary = conversation.handoff_summary
    assert summary is not None
    assert summary["tried"]["articles"] == [{"title": "Warranty", "url": "/kb/en/warranty", "seq": 2}]


async def test_rules_are_versioned_audited_and_not_overwritten_unseen(desk: TestDesk) -> None:
    watched = Watched(desk)
    form = Rules().to_json()
    form["angry"]["enabled"] = False
    saved = await watched.book.save(Rules.from_json(form), 0, "calmer", LIN)
    assert saved.version == 1
    with pytest.raises(RulesChanged, match="somebody saved other rules"):
        await watched.book.save(Rules(), 0, "", LIN)
    assert (await watched.says("enough!!!")).status is Status.BOT
    assert [one.note for one in await watched.book.versions()] == ["calmer"]
    other = RuleBook(desk.database, desk.conversations.audit, desk.clock)
    assert not (await other.current()).angry.enabled


async def test_two_who_save_at_once_do_not_both_win(desk: TestDesk) -> None:
    book = Watched(desk).book
    outcomes = await asyncio.gather(
        *(book.save(Rules(), 0, f"by {number}", LIN) for number in range(4)), return_exceptions=True
    )
    assert sum(not isinstance(one, BaseException) for one in outcomes) == 1


async def test_a_preview_counts_what_rules_would_have_done_in_the_last_days(desk: TestDesk) -> None:
    watched = Watched(desk)
    off = Rules().to_json()
    off["angry"]["enabled"] = False
    await watched.book.save(Rules.from_json(off), 0, "", LIN)
    await watched.says("enough!!!", contact="one")
    await watched.says("how long is the warranty", contact="two")
    desk.bot.answer = lambda _request: says("Of course.", handoff="asked_for_person")
    await watched.says("a person", contact="three")
    found = await watched.book.preview(Rules())
    assert (found["conversations"], found["handed_off"]) == (3, 2)
    assert {name: number for name, number in found["by_reason"].items() if number} == {
        "angry": 1,
        "asked_for_person": 1,
    }
    assert (await watched.book.preview(Rules.from_json(off)))["handed_off"] == 1
    desk.clock.advance(8 * 86_400)
    assert (await watched.book.preview(Rules()))["conversations"] == 0
