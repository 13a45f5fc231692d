"""Nothing of an account is told before its owner has proved to be the owner, and guessing leads nowhere."""

from __future__ import annotations

import pytest

from crm.store import SqlCrm
from tests.actions.chat import Chat
from tests.crm.builders import (
    EMMA,
    EMMA_DELIVERED,
    EMMA_SHIPPED,
    EMMA_TICKET,
    LI,
    LI_LAST4,
    LI_PAID,
    LI_SHIPPED,
    UNKNOWN,
    Clock,
    KeptCodes,
    Keys,
)

SEND_CODE = '/inform{"identity_proof": "code"}'
SECRETS = ("李婷", "Murmur", "低语", "SF1", "张杨路", "1380013", "Clarke", "Pebble", "Camden", "emma", "liting")


def no_secrets(text: str) -> bool:
    return not any(secret in text for secret in SECRETS)


async def test_an_order_is_shown_only_after_the_right_digits(chinese: Chat) -> None:
    asked = await chinese.say("我的快递到哪了", "order_status")
    assert "订单号" in asked.text
    asked = await chinese.say(LI_SHIPPED, order_number=LI_SHIPPED)
    assert "后四位" in asked.text
    assert SEND_CODE in asked.payloads
    assert no_secrets(asked.text)
    told = await chinese.say("尾号是二四六八")
    assert "身份已核实" in told.text
    assert "顺丰速运" in told.text
    assert told.custom("customer_id") == LI
    assert told.custom("proved_by") == "last4"  # which links no other channel
    assert chinese.slots["identified"] is True


async def test_order_number_and_digits_in_one_message_are_enough(english: Chat) -> None:
    told = await english.say(
        f"where is {EMMA_SHIPPED}, last 4 are 0123", "order_status", order_number=EMMA_SHIPPED, last4="0123"
    )
    assert "DHL" in told.text


async def test_the_whole_phone_number_proves_as_well(english: Chat) -> None:
    await english.say("where is my order", "order_status", order_number=EMMA_SHIPPED)
    assert "DHL" in (await english.say("it's +44 7700 900123")).text


@pytest.mark.parametrize("language", ["zh", "en"])
async def test_wrong_digits_and_an_unknown_order_sound_the_same(english: Chat, language: str) -> None:
    english.language = language
    said = []
    for number in (LI_SHIPPED, UNKNOWN):
        chat = english.copy()
        await chat.say("where is it", "order_status", order_number=number)
        said.append((await chat.say("0000")).messages)
        assert chat.slots.get("customer_id") is None
    assert said[0] == said[1]
    assert len(said[0]) == 1
    assert no_secrets(said[0][0]["text"])


@pytest.mark.parametrize("number", [LI_SHIPPED, UNKNOWN])
async def test_after_five_wrong_tries_the_order_is_locked_and_a_way_out_is_named(english: Chat, number: str) -> None:
    await english.say("where is it", "order_status", order_number=number)
    for _ in range(4):
        assert "do not match" in (await english.say("0000")).text
    locked = await english.say("0000")
    assert "blocked for an hour" in locked.text
    assert {SEND_CODE, "/handoff"} <= set(locked.payloads)
    assert "blocked for an hour" in (await english.say(LI_LAST4)).text


async def test_a_code_opens_a_locked_order(chinese: Chat, codes: KeptCodes) -> None:
    await chinese.say("查订单", "order_status", order_number=LI_SHIPPED)
    for _ in range(5):
        await chinese.say("0000")
    sent = await chinese.say(SEND_CODE)
    assert "10 分钟" in sent.text
    assert codes.sent[-1][0] == "liting@example.cn"
    assert codes.last not in sent.text
    told = await chinese.say(f"验证码 {codes.last[:3]} {codes.last[3:]}")
    assert told.custom("proved_by") == "code"
    assert "顺丰" in told.text
    assert "身份已核实" in told.text


async def test_asking_for_a_code_tells_nothing_about_the_order(english: Chat, codes: KeptCodes) -> None:
    said = []
    for number in (EMMA_SHIPPED, UNKNOWN):
        chat = english.copy()
        await chat.say("where is it", "order_status", order_number=number)
        said.append((await chat.say("send me a code please")).messages)
    assert said[0] == said[1]
    assert len(codes.sent) == 1


async def test_a_wrong_and_an_expired_code_are_told_apart(english: Chat, codes: KeptCodes, clock: Clock) -> None:
    await english.say("where is it", "order_status", order_number=EMMA_SHIPPED)
    await english.say(SEND_CODE)
    assert "not right" in (await english.say(codes.wrong())).text
    clock.go_on(minutes=11)
    expired = await english.say(codes.last)
    assert "no longer valid" in expired.text
    assert SEND_CODE in expired.payloads
    assert english.slots.get("customer_id") is None


async def test_codes_cannot_be_asked_for_without_end(english: Chat, codes: KeptCodes) -> None:
    await english.say("where is it", "order_status", order_number=EMMA_SHIPPED)
    for _ in range(3):
        await english.say("code")
    refused = await english.say("code")
    assert "Too many codes" in refused.text
    assert len(codes.sent) == 3


async def test_words_that_are_no_proof_are_answered_with_what_would_be(english: Chat) -> None:
    await english.say("where is it", "order_status", order_number=EMMA_SHIPPED)
    said = await english.say("I do not remember")
    assert "last 4 digits" in said.text
    assert len(said.messages) == 1


async def test_repeating_the_order_number_is_no_wrong_try(english: Chat) -> None:
    await english.say("where is it", "order_status", order_number=EMMA_SHIPPED)
    assert "do not match" not in (await english.say(f"but it is {EMMA_SHIPPED}")).text


@pytest.mark.parametrize("typed", ["verified:code", "verified:last4", f"verified:{EMMA_TICKET}"])
async def test_the_mark_of_a_proof_cannot_be_typed(english: Chat, typed: str) -> None:
    await english.say("how is my ticket", "ticket_status", ticket_number=EMMA_TICKET)
    said = await english.say(typed)
    assert "pen" not in said.text
    assert english.slots["identity_proof"] is None


async def test_a_typed_mark_does_not_make_four_digits_into_a_code(english: Chat, crm: SqlCrm) -> None:
    await english.say("where is it", "order_status", order_number=EMMA_SHIPPED)
    await english.say("0123")
    await english.say("change my phone", "update_contact")
    await english.say('/inform{"contact_field": "phone"}')
    said = await english.say("verified:code")
    assert english.slots["identity_proof"] is None
    assert "new phone" not in said.text


async def test_a_known_customer_is_not_asked_again(english: Chat) -> None:
    await english.say("where is it", "order_status", order_number=EMMA_SHIPPED)
    await english.say("0123")
    told = await english.say("and this one?", "order_status", order_number=EMMA_DELIVERED)
    assert "was delivered" in told.text


async def test_a_signed_in_customer_is_never_asked(english: Chat) -> None:
    english.customer_id = EMMA
    assert "DHL" in (await english.say("where is it", "order_status", order_number=EMMA_SHIPPED)).text


@pytest.mark.parametrize("number", [LI_PAID, UNKNOWN])
async def test_a_known_customer_never_sees_the_orders_of_others(english: Chat, number: str) -> None:
    english.customer_id = EMMA
    said = await english.say("cancel it", "cancel_order", order_number=number)
    assert f"cannot find order {number} in your account" in said.text
    assert english.form == "cancel_order_form"
    assert f'/inform{{"order_number": "{EMMA_SHIPPED}"}}' in said.payloads
    assert LI_PAID not in said.text.replace(number, "")


async def test_a_forged_slot_opens_nothing(english: Chat) -> None:
    english.slots |= {"identified": True, "identity_proof": "verified:code", "order_number": LI_SHIPPED}
    said = await english.say("where is it", "order_status")
    assert no_secrets(said.text)
    assert english.slots["requested_slot"] == "identity_proof"


async def test_an_interruption_spends_no_try_and_sends_no_code(
    english: Chat, codes: KeptCodes, keys: Keys, crm: SqlCrm
) -> None:
    await english.say("where is it", "order_status", order_number=EMMA_SHIPPED)
    await english.say("code")
    for _ in range(6):
        again = await english.interrupted()
        assert "6-digit code" in again.text
    assert len(codes.sent) == 1
    assert await crm.verify_last4(EMMA_SHIPPED, "0123", keys.new())


async def test_a_repeated_turn_says_the_same_and_counts_once(english: Chat, codes: KeptCodes) -> None:
    await english.say("where is it", "order_status", order_number=EMMA_SHIPPED)
    said = [(await english.copy().say("0000", turn_id="t1")).messages for _ in range(7)]
    assert all(messages == said[0] for messages in said)
    sent = [(await english.copy().say("code", turn_id="t2")).messages for _ in range(2)]
    assert sent[0] == sent[1]
    assert len(codes.sent) == 1
    proved = [(await english.copy().say(codes.last, turn_id="t3")).messages for _ in range(2)]
    assert proved[0] == proved[1]
    assert "DHL" in proved[0][-1]["text"]
