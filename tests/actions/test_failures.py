"""When the CRM is down the contact hears an apology with a way out, once, and the log has the ids."""

from __future__ import annotations

import asyncio
import logging

import pytest

from actions.answer_question import AnswerQuestion
from actions.cancel_order import CancelOrderAction
from actions.order_status import OrderStatusAction
from crm.model import OrderStatus
from crm.store import SqlCrm
from knowledge_base.errors import IndexUnavailable
from tests.actions.builders import BrokenCrm, FewArticles, build_test_executor
from tests.actions.chat import TASKS, Chat
from tests.crm.builders import LI, LI_PAID, LI_SHIPPED


def broken(language: str = "en", customer_id: str | None = LI) -> Chat:
    return Chat(build_test_executor(BrokenCrm()), language, customer_id)


@pytest.mark.parametrize("task", TASKS)
@pytest.mark.parametrize(("language", "words"), [("zh", "抱歉"), ("en", "Sorry")])
async def test_every_task_apologises_and_offers_a_person(task: str, language: str, words: str) -> None:
    chat = broken(language)
    said = await chat.say("please", task, order_number=LI_PAID, ticket_number="TK100001")
    if chat.slots["requested_slot"] in {"problem", "contact_field"}:
        said = await chat.say("phone does not work")
    if chat.slots["requested_slot"] == "contact_value":
        await chat.say("Emma")
        said = await chat.say("/affirm")
    assert words in said.text
    assert "/handoff" in said.payloads
    assert sum(words in message["text"] for message in said.messages) == 1


async def test_every_action_survives_any_slots(caplog: pytest.LogCaptureFixture) -> None:
    chat = broken()
    await chat.say("hello", "greet")
    for name in chat.executor.actions:
        before = chat.copy()
        before.slots |= {
            "order_number": 7,
            "confirmed": True,
            "return_reason": "x",
            "order_item": [],
            "contact_field": "x",
        }
        await before.run(name)
    assert "Traceback" in caplog.text


async def test_a_failure_is_logged_with_turn_and_conversation(caplog: pytest.LogCaptureFixture) -> None:
    chat = broken()
    with caplog.at_level(logging.ERROR, logger="actions.base"):
        await chat.say("cancel", "cancel_order", turn_id="turn-77", order_number=LI_PAID)
    assert "validate_cancel_order_form failed in turn turn-77 of conversation conversation-1" in caplog.text


async def test_an_unchecked_proof_is_not_kept(english: Chat) -> None:
    await english.say("where is it", "order_status", order_number=LI_SHIPPED)
    english.executor = build_test_executor(BrokenCrm())
    said = await english.say("2468")
    assert "Sorry" in said.text
    assert english.slots["identity_proof"] is None
    assert english.slots.get("customer_id") is None
    assert english.slots["requested_slot"] == "identity_proof"


async def test_after_a_failed_write_one_can_try_again_and_is_asked_for_the_yes_again(
    english: Chat, crm: SqlCrm
) -> None:
    english.customer_id = LI
    await english.say("cancel it", "cancel_order", order_number=LI_PAID)
    working, english.executor = english.executor, build_test_executor(BrokenCrm())
    failed = await english.say("/affirm")
    assert failed.payloads == ["/cancel_order", "/handoff"]
    english.executor = working
    again = await english.say(failed.payloads[0])
    assert again.payloads == ["/affirm", "/deny"]
    assert "is cancelled" in (await english.say("/affirm")).text


async def test_a_hanging_crm_is_given_up_in_time(crm: SqlCrm) -> None:
    class Hanging(BrokenCrm):
        def __getattr__(self, name: str):  # type: ignore[no-untyped-def]
            return lambda *_, **__: asyncio.sleep(60)

    action = OrderStatusAction(Hanging())  # type: ignore[arg-type]
    action.timeout_seconds = 0.05
    chat = broken()
    chat.executor.register_action(action)
    chat.slots["order_number"] = LI_PAID
    await chat.say("where is it", "greet")
    assert "Sorry" in (await chat.run("action_order_status")).text


async def test_a_failure_after_half_a_reply_unsays_it(crm: SqlCrm) -> None:
    class Half(CancelOrderAction):
        async def submit(self, turn) -> None:  # type: ignore[no-untyped-def]
            turn.say("cancelled!")
            raise RuntimeError("but no")

    chat = broken()
    chat.executor.register_action(Half(crm))
    chat.slots |= {"order_number": LI_PAID, "confirmed": True}
    await chat.say("yes", "affirm")
    said = await chat.run("action_cancel_order")
    assert "cancelled!" not in said.text
    assert chat.slots["confirmed"] is None
    order = await crm.find_order(LI_PAID)
    assert order
    assert order.status is OrderStatus.PAID


class SearchAway(FewArticles):
    """A knowledge base whose server is down, or takes its time."""

    def __init__(self, error: Exception | None) -> None:
        super().__init__()
        self._error = error

    async def answer(self, *_: object, **__: object) -> None:
        if self._error is not None:
            raise self._error
        await asyncio.sleep(60)


@pytest.mark.parametrize("error", [IndexUnavailable("the Qdrant server did not answer"), None], ids=["down", "hangs"])
@pytest.mark.parametrize(("language", "words"), [("zh", "抱歉"), ("en", "Sorry")])
async def test_a_search_that_is_away_costs_an_apology_and_offers_a_person(
    crm: SqlCrm, error: Exception | None, language: str, words: str
) -> None:
    """F25: within the budget, whatever the search server does."""
    action = AnswerQuestion(SearchAway(error), crm, None)
    assert action.search_seconds <= 4
    action.search_seconds = 0.05
    chat = Chat(build_test_executor(crm), language)
    chat.executor.register_action(action)
    await chat.say("how long does delivery take?", "greet")
    said = await chat.run("action_answer_question")
    assert words in said.text
    assert "/handoff" in said.payloads
