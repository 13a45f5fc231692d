"""Proofs of identity: guessing does not pay, and nothing tells an unknown number from a wrong answer."""

from __future__ import annotations

import asyncio

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from crm.errors import CodeExpired, Locked
from crm.model import Proof
from crm.store import SqlCrm
from crm.tables import attempts, writes
from crm.tables import codes as codes_table
from tests.crm.builders import (
    EMMA,
    EMMA_DELIVERED,
    EMMA_EMAIL,
    EMMA_TICKET,
    LI,
    LI_DELIVERED,
    LI_LAST4,
    LI_PAID,
    LI_PHONE,
    LI_SHIPPED,
    UNKNOWN,
    Clock,
    KeptCodes,
    Keys,
    build_crm,
)


async def test_the_right_digits_prove_the_customer(crm: SqlCrm, keys: Keys) -> None:
    assert await crm.verify_last4(LI_SHIPPED, LI_LAST4, keys.new()) == Proof(LI_SHIPPED, LI)
    assert await crm.verify_last4(EMMA_TICKET, "0123", keys.new()) == Proof(EMMA_TICKET, EMMA)


@pytest.mark.parametrize("number", [LI_SHIPPED, UNKNOWN])
async def test_known_and_unknown_orders_fail_and_lock_alike(crm: SqlCrm, keys: Keys, number: str) -> None:
    for _ in range(4):
        assert await crm.verify_last4(number, "0000", keys.new()) is None
    with pytest.raises(Locked):
        await crm.verify_last4(number, "0000", keys.new())
    with pytest.raises(Locked):
        await crm.verify_last4(number, LI_LAST4, keys.new())


async def test_a_lock_ends_after_an_hour(crm: SqlCrm, keys: Keys, clock: Clock) -> None:
    for _ in range(4):
        await crm.verify_last4(LI_SHIPPED, "0000", keys.new())
    with pytest.raises(Locked):
        await crm.verify_last4(LI_SHIPPED, "0000", keys.new())
    clock.go_on(minutes=59)
    with pytest.raises(Locked):
        await crm.verify_last4(LI_SHIPPED, LI_LAST4, keys.new())
    clock.go_on(minutes=2)
    assert await crm.verify_last4(LI_SHIPPED, LI_LAST4, keys.new())


async def test_guessing_across_the_orders_of_one_account_ends_in_silence(crm: SqlCrm, keys: Keys) -> None:
    for number, tries in ((LI_SHIPPED, 4), (LI_DELIVERED, 4), (LI_PAID, 2)):
        for _ in range(tries):
            assert await crm.verify_last4(number, "0000", keys.new()) is None
    assert await crm.verify_last4(LI_PAID, LI_LAST4, keys.new()) is None


async def test_parallel_guesses_are_all_counted(crm: SqlCrm, keys: Keys) -> None:
    guesses = (crm.verify_last4(LI_SHIPPED, "0000", keys.new()) for _ in range(8))
    results = await asyncio.gather(*guesses, return_exceptions=True)
    assert sum(result is None for result in results) == 4
    assert sum(isinstance(result, Locked) for result in results) == 4


async def test_a_repeated_turn_counts_one_wrong_answer(crm: SqlCrm, keys: Keys) -> None:
    key = keys.new()
    for _ in range(8):
        assert await crm.verify_last4(LI_SHIPPED, "0000", key) is None
    assert await crm.verify_last4(LI_SHIPPED, LI_LAST4, keys.new())


@pytest.mark.parametrize("reference", [EMMA_DELIVERED, EMMA_TICKET, EMMA_EMAIL, "+44 7700 900123", EMMA])
async def test_a_code_proves_whoever_stands_behind_a_reference(
    crm: SqlCrm, keys: Keys, codes: KeptCodes, reference: str
) -> None:
    assert await crm.start_code(reference, keys.new())
    assert await crm.code_pending(reference)
    assert await crm.check_code(reference, codes.last, keys.new()) == Proof(reference, EMMA)
    assert not await crm.code_pending(reference)


async def test_a_code_goes_where_the_customer_looks(crm: SqlCrm, keys: Keys, codes: KeptCodes) -> None:
    await crm.start_code(LI_PHONE, keys.new())
    await crm.start_code(LI_SHIPPED, keys.new())
    assert [(to, language) for to, _, language in codes.sent] == [(LI_PHONE, "zh"), ("liting@example.cn", "zh")]


async def test_a_sender_of_mail_gets_mail_addresses_only(engine: AsyncEngine, keys: Keys) -> None:
    mail = KeptCodes(only="@")
    crm = await build_crm(engine, mail)
    await crm.start_code(LI_PHONE, keys.new())
    assert [to for to, _, _ in mail.sent] == ["liting@example.cn"]


async def test_a_code_works_once_and_for_its_reference_only(crm: SqlCrm, keys: Keys, codes: KeptCodes) -> None:
    await crm.start_code(LI_SHIPPED, keys.new())
    with pytest.raises(CodeExpired):
        await crm.check_code(EMMA_DELIVERED, codes.last, keys.new())
    assert await crm.check_code(LI_SHIPPED, codes.last, keys.new())
    with pytest.raises(CodeExpired):
        await crm.check_code(LI_SHIPPED, codes.last, keys.new())


async def test_a_repeated_turn_sends_no_second_code_and_proves_again(crm: SqlCrm, keys: Keys, codes: KeptCodes) -> None:
    start, check = keys.new("start"), keys.new("check")
    assert await crm.start_code(LI_SHIPPED, start)
    assert await crm.start_code(LI_SHIPPED, start)
    assert len(codes.sent) == 1
    first = await crm.check_code(LI_SHIPPED, codes.last, check)
    assert first
    assert await crm.check_code(LI_SHIPPED, codes.last, check) == first


async def test_a_code_is_valid_for_ten_minutes(crm: SqlCrm, keys: Keys, codes: KeptCodes, clock: Clock) -> None:
    await crm.start_code(LI_SHIPPED, keys.new())
    clock.go_on(minutes=10, seconds=1)
    assert not await crm.code_pending(LI_SHIPPED)
    with pytest.raises(CodeExpired):
        await crm.check_code(LI_SHIPPED, codes.last, keys.new())


async def test_the_sixth_try_of_a_code_comes_too_late(crm: SqlCrm, keys: Keys, codes: KeptCodes) -> None:
    await crm.start_code(LI_SHIPPED, keys.new())
    for _ in range(5):
        assert await crm.check_code(LI_SHIPPED, codes.wrong(), keys.new()) is None
    with pytest.raises(CodeExpired):
        await crm.check_code(LI_SHIPPED, codes.last, keys.new())


@pytest.mark.parametrize("reference", [LI_SHIPPED, UNKNOWN, "nobody@example.org"])
async def test_asking_for_codes_looks_the_same_for_everybody(crm: SqlCrm, keys: Keys, reference: str) -> None:
    answers = [await crm.start_code(reference, keys.new()) for _ in range(4)]
    assert answers == [True, True, True, False]
    assert await crm.code_pending(reference)


async def test_an_unknown_reference_takes_no_code_at_all(crm: SqlCrm, keys: Keys, codes: KeptCodes) -> None:
    await crm.start_code(UNKNOWN, keys.new())
    assert codes.sent == []
    for _ in range(5):
        assert await crm.check_code(UNKNOWN, "123456", keys.new()) is None
    with pytest.raises(CodeExpired):
        await crm.check_code(UNKNOWN, "123456", keys.new())


async def test_codes_can_be_asked_for_again_after_an_hour(crm: SqlCrm, keys: Keys, clock: Clock) -> None:
    for _ in range(4):
        await crm.start_code(LI_SHIPPED, keys.new())
    clock.go_on(minutes=61)
    assert await crm.start_code(LI_SHIPPED, keys.new())


async def test_no_account_gets_codes_without_end(crm: SqlCrm, keys: Keys, codes: KeptCodes) -> None:
    for reference in (LI_SHIPPED, LI_PAID, LI_DELIVERED, LI_PHONE):
        for _ in range(3):
            assert await crm.start_code(reference, keys.new())
    assert len(codes.sent) == 6


async def test_a_strangers_ticket_proves_the_ticket_only(crm: SqlCrm, keys: Keys, codes: KeptCodes) -> None:
    ticket = await crm.open_ticket("it rattles", "en", keys.new(), contact_point="+447700900555")
    assert await crm.verify_last4(ticket.number, "0555", keys.new()) == Proof(ticket.number, None)
    await crm.start_code(ticket.number, keys.new())
    assert codes.sent[-1][0] == "+447700900555"
    assert await crm.check_code(ticket.number, codes.last, keys.new()) == Proof(ticket.number, None)


async def test_codes_and_references_are_not_readable_at_rest(
    crm: SqlCrm, keys: Keys, codes: KeptCodes, engine: AsyncEngine
) -> None:
    await crm.start_code(EMMA_EMAIL, keys.new())
    async with engine.connect() as connection:
        stored = [
            str(row) for table in (codes_table, attempts, writes) for row in await connection.execute(table.select())
        ]
    assert len(stored) >= 3
    assert not any(codes.last in row or EMMA_EMAIL in row for row in stored)


async def test_old_counts_codes_and_keys_are_forgotten(
    crm: SqlCrm, keys: Keys, clock: Clock, engine: AsyncEngine
) -> None:
    await crm.start_code(EMMA_EMAIL, keys.new())
    clock.go_on(days=31)
    await crm.purge()
    async with engine.connect() as connection:
        for table in (codes_table, attempts, writes):
            assert (await connection.execute(table.select())).first() is None


def test_a_short_key_is_refused(sqlite_engine: AsyncEngine) -> None:
    with pytest.raises(ValueError, match="16 bytes"):
        SqlCrm(sqlite_engine, KeptCodes(), b"short")
