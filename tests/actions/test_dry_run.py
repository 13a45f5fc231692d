"""A dry run says what would happen and writes nothing, at every step of every task."""

from __future__ import annotations

import copy
import inspect
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from rasa_sdk.executor import ActionExecutor
from sqlalchemy.ext.asyncio import AsyncEngine

from actions import ActionSettings, build_executor
from crm.port import Crm
from crm.read_only import ReadOnlyCrm, WouldWrite
from crm.store import SqlCrm
from crm.tables import metadata
from tests.actions.builders import FewArticles
from tests.actions.chat import TASKS, Chat, Said
from tests.crm.builders import EMMA, EMMA_DELIVERED, EMMA_SHIPPED, LI, LI_PAID, Clock, KeptCodes


@pytest.fixture
def dry(crm: SqlCrm, clock: Clock) -> ActionExecutor:
    return build_executor(ReadOnlyCrm(crm), FewArticles(), ActionSettings(now=clock))


async def dump(engine: AsyncEngine) -> dict[str, list[Any]]:
    """Every row of the CRM."""
    async with engine.connect() as connection:
        return {
            table.name: [tuple(row) for row in await connection.execute(table.select())]
            for table in metadata.sorted_tables
        }


async def tried(chat: Chat, dry: ActionExecutor, engine: AsyncEngine, text: str, **said: Any) -> Said:
    """What a message would bring, with the proof that nothing was written."""
    before = await dump(engine)
    twin = chat.copy()
    twin.executor = dry
    told = await twin.say(text, **said)
    assert await dump(engine) == before
    return told


async def test_what_is_only_read_is_told_as_in_earnest(
    english: Chat,
    dry: ActionExecutor,
    sqlite_engine: AsyncEngine,
) -> None:
    english.customer_id = EMMA
    asked: dict[str, Any] = {"intent": "order_status", "order_number": EMMA_SHIPPED}
    would = await tried(english, dry, sqlite_engine, "where is it", **asked)
    assert would.custom("would") is None
    assert would.text == (await english.say("where is it", **asked)).text


async def test_a_proof_is_not_tried_and_not_counted(
    english: Chat,
    dry: ActionExecutor,
    sqlite_engine: AsyncEngine,
) -> None:
    await english.say("where is my order", "order_status", order_number=EMMA_SHIPPED)
    for _ in range(20):  # in earnest the account would be locked by now
        assert (await tried(english, dry, sqlite_engine, "0000")).custom("would") == "verify_last4"
    assert (await tried(english, dry, sqlite_engine, "send me a code")).custom("would") == "start_code"


async def test_a_yes_would_write_and_does_not(
    english: Chat,
    dry: ActionExecutor,
    sqlite_engine: AsyncEngine,
    codes: KeptCodes,
) -> None:
    english.customer_id = LI
    await english.say("cancel my order", "cancel_order", order_number=LI_PAID)
    would = await tried(english, dry, sqlite_engine, "/affirm")
    assert would.custom("would") == "cancel_order"
    assert "cancelled" not in would.text
    assert codes.sent == []


async def test_every_write_of_the_port_is_refused(crm: SqlCrm) -> None:
    read_only = ReadOnlyCrm(crm)
    writes = [
        name
        for name, method in inspect.getmembers(Crm, inspect.isfunction)
        if "key" in inspect.signature(method).parameters
    ]
    assert len(writes) >= 10
    for name in writes:
        with pytest.raises(WouldWrite, match=name):
            await getattr(read_only, name)("x", key=("t", "a"))


#: What people send in the middle of anything.
MESSAGES = st.sampled_from(
    [
        ("/affirm", {}), ("/deny", {}), ("0123", {}), ("9999", {}), ("send me a code", {}), ("135790", {}),
        ("it never arrived", {}), ("broken", {}), ("emma@example.com", {}), ("12 Nathan Road, Hong Kong", {}),
        ("Kite Ltd, 91330000MA27XYZ123", {}), (EMMA_DELIVERED, {"order_number": EMMA_DELIVERED}), (LI_PAID, {"order_number": LI_PAID}),
        *((task, {"intent": task}) for task in TASKS), *((task, {"intent": task, "order_number": LI_PAID}) for task in TASKS),
    ]
)  # fmt: skip


@given(customer=st.sampled_from([None, EMMA, LI]), said=st.lists(MESSAGES, min_size=1, max_size=7))
@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
async def test_no_dry_run_changes_the_crm_wherever_the_conversation_stands(
    executor: ActionExecutor,
    dry: ActionExecutor,
    sqlite_engine: AsyncEngine,
    customer: str | None,
    said: list[tuple[str, dict[str, Any]]],
) -> None:
    chat = Chat(executor, "en", customer)
    for text, more in said:
        slots, events = copy.deepcopy(chat.slots), len(chat.events)
        await tried(chat, dry, sqlite_engine, text, **more)
        assert (chat.slots, len(chat.events)) == (slots, events)
        await chat.say(text, **more)
