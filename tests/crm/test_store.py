"""Accounts are read, and changed only as the shop's rules allow, once per key. On SQLite and PostgreSQL alike."""

from __future__ import annotations

import asyncio

import pytest

from crm.errors import (
    AlreadyRequested,
    AlreadyShipped,
    BadValue,
    ContactInUse,
    HygieneRule,
    InvoiceTooLate,
    NotDelivered,
    NotFound,
    OrderClosed,
    ReturnTooLate,
)
from crm.model import OrderStatus, ReturnReason, TicketKind, TicketStatus
from crm.port import Crm
from crm.store import SqlCrm
from tests.crm.builders import (
    EMMA,
    EMMA_DELIVERED,
    EMMA_TICKET,
    LI,
    LI_DELIVERED,
    LI_PAID,
    LI_SHIPPED,
    UNKNOWN,
    Clock,
    Keys,
)

ADDRESS = "浙江省杭州市西湖区文三路 90 号 2 单元 301 室"


def implements_the_port(crm: SqlCrm) -> Crm:
    """Checked by the type checker: the store fits the port."""
    return crm


async def test_an_order_comes_with_its_lines_and_its_parcels_history(crm: SqlCrm) -> None:
    order = await crm.find_order(LI_SHIPPED)
    assert order is not None
    assert (order.status, order.currency, order.total) == (OrderStatus.SHIPPED, "CNY", 129_900)
    assert [item.product for item in order.items] == ["Murmur Max"]
    assert order.shipment is not None
    assert order.shipment.carrier == "SF"
    times = [event.at for event in order.shipment.events]
    assert times == sorted(times)
    assert times[0].tzinfo is not None


async def test_latest_orders_come_first_and_belong_to_one_customer(crm: SqlCrm) -> None:
    orders = await crm.orders_of(LI, limit=2)
    assert [order.number for order in orders] == [LI_PAID, LI_SHIPPED]
    assert all(order.customer_id == LI for order in await crm.orders_of(LI))


@pytest.mark.parametrize("text", ["李婷", "0013246", "138 0013 2468", "LITING@", "kt20260001", " KT-2026 0005 "])
async def test_a_customer_is_found_by_what_agents_type(crm: SqlCrm, text: str) -> None:
    assert [customer.id for customer in await crm.search_customers(text)] == [LI]


@pytest.mark.parametrize("text", ["", "  ", "%", "nobody", UNKNOWN])
async def test_a_search_for_nothing_or_nobody_finds_nobody(crm: SqlCrm, text: str) -> None:
    assert await crm.search_customers(text) == []


async def test_an_address_changes_before_shipping(crm: SqlCrm, keys: Keys) -> None:
    order = await crm.change_address(LI, LI_PAID, f"  {ADDRESS} ", keys.new())
    assert order.address == ADDRESS


async def test_after_shipping_neither_address_nor_cancellation(crm: SqlCrm, keys: Keys) -> None:
    with pytest.raises(AlreadyShipped):
        await crm.change_address(LI, LI_SHIPPED, ADDRESS, keys.new())
    with pytest.raises(AlreadyShipped):
        await crm.cancel_order(LI, LI_SHIPPED, keys.new())


@pytest.mark.parametrize("address", ["", "here", "12345678", "see https://example.com/map"])
async def test_an_address_no_courier_could_use_is_refused(crm: SqlCrm, keys: Keys, address: str) -> None:
    with pytest.raises(BadValue):
        await crm.change_address(LI, LI_PAID, address, keys.new())


async def test_nobody_changes_the_order_of_somebody_else(crm: SqlCrm, keys: Keys) -> None:
    with pytest.raises(NotFound):
        await crm.cancel_order(EMMA, LI_PAID, keys.new())
    with pytest.raises(NotFound):
        await crm.cancel_order(EMMA, UNKNOWN, keys.new())
    order = await crm.find_order(LI_PAID)
    assert order
    assert order.status is OrderStatus.PAID


async def test_an_order_is_cancelled_once(crm: SqlCrm, keys: Keys) -> None:
    order = await crm.cancel_order(LI, LI_PAID, keys.new())
    assert order.status is OrderStatus.CANCELLED
    with pytest.raises(OrderClosed):
        await crm.cancel_order(LI, LI_PAID, keys.new())


async def test_the_same_key_gives_the_first_result_and_writes_nothing_more(crm: SqlCrm, keys: Keys) -> None:
    key = keys.new("open_ticket")
    first = await crm.open_ticket("no sound on the left", "en", key, customer_id=EMMA)
    again = await crm.open_ticket("something else", "en", key, customer_id=EMMA)
    assert again == first
    assert len(await crm.tickets_of(EMMA)) == 2
    cancel = keys.new("cancel")
    assert await crm.cancel_order(LI, LI_PAID, cancel) == await crm.cancel_order(LI, LI_PAID, cancel)


async def test_the_same_key_at_the_same_time_writes_once(crm: SqlCrm, keys: Keys) -> None:
    key = keys.new("open_ticket")
    made = await asyncio.gather(*(crm.open_ticket("screen flickers", "en", key, customer_id=EMMA) for _ in range(5)))
    assert len({ticket.number for ticket in made}) == 1
    assert len(await crm.tickets_of(EMMA)) == 2


async def test_different_keys_at_the_same_time_get_different_numbers(crm: SqlCrm, keys: Keys) -> None:
    made = await asyncio.gather(
        *(crm.open_ticket("screen flickers", "en", keys.new(), customer_id=EMMA) for _ in range(5))
    )
    assert len({ticket.number for ticket in made}) == 5
    assert min(ticket.number for ticket in made) == "TK100201"


async def test_a_refused_write_leaves_its_key_free(crm: SqlCrm, keys: Keys, clock: Clock) -> None:
    key = keys.new()
    clock.go_on(days=30)
    with pytest.raises(ReturnTooLate):
        await crm.request_return(EMMA, EMMA_DELIVERED, 1, ReturnReason.FAULTY, key)
    clock.go_on(days=-30)
    assert (await crm.request_return(EMMA, EMMA_DELIVERED, 1, ReturnReason.FAULTY, key)).ticket_number == "TK100201"


async def test_within_seven_days_a_return_is_refunded(crm: SqlCrm, keys: Keys) -> None:
    made = await crm.request_return(LI, LI_DELIVERED, 2, ReturnReason.CHANGED_MIND, keys.new())
    assert (made.terms.outcome, made.terms.shipping_fee) == ("refund", 1200)
    ticket = await crm.find_ticket(made.ticket_number)
    assert ticket
    assert (ticket.kind, ticket.customer_id, ticket.order_number) == (TicketKind.RETURN, LI, LI_DELIVERED)


async def test_gold_members_and_faults_return_for_free(crm: SqlCrm) -> None:
    assert (await crm.quote_return(EMMA, EMMA_DELIVERED, 1, ReturnReason.CHANGED_MIND)).shipping_fee == 0
    assert (await crm.quote_return(LI, LI_DELIVERED, 2, ReturnReason.FAULTY)).shipping_fee == 0


async def test_after_seven_days_only_a_fault_is_exchanged_and_after_fifteen_nothing(crm: SqlCrm, clock: Clock) -> None:
    clock.go_on(days=8)
    with pytest.raises(ReturnTooLate):
        await crm.quote_return(EMMA, EMMA_DELIVERED, 1, ReturnReason.UNOPENED)
    assert (await crm.quote_return(EMMA, EMMA_DELIVERED, 1, ReturnReason.FAULTY)).outcome == "exchange"
    clock.go_on(days=8)
    with pytest.raises(ReturnTooLate):
        await crm.quote_return(EMMA, EMMA_DELIVERED, 1, ReturnReason.FAULTY)


async def test_opened_earbuds_come_back_only_when_faulty(crm: SqlCrm) -> None:
    with pytest.raises(HygieneRule):
        await crm.quote_return(LI, LI_DELIVERED, 1, ReturnReason.CHANGED_MIND)
    for reason in (ReturnReason.UNOPENED, ReturnReason.FAULTY):
        assert (await crm.quote_return(LI, LI_DELIVERED, 1, reason)).outcome == "refund"


async def test_nothing_is_returned_before_delivery_or_twice(crm: SqlCrm, keys: Keys) -> None:
    with pytest.raises(NotDelivered):
        await crm.quote_return(LI, LI_SHIPPED, 1, ReturnReason.FAULTY)
    first = await crm.request_return(EMMA, EMMA_DELIVERED, 1, ReturnReason.FAULTY, keys.new())
    with pytest.raises(AlreadyRequested) as again:
        await crm.request_return(EMMA, EMMA_DELIVERED, 1, ReturnReason.FAULTY, keys.new())
    assert again.value.ticket_number == first.ticket_number
    assert len(await crm.tickets_of(EMMA)) == 2


async def test_a_company_invoice_needs_title_and_tax_number(crm: SqlCrm, keys: Keys) -> None:
    with pytest.raises(BadValue) as missing:
        await crm.request_invoice(LI, LI_PAID, "company", "杭州风和（集团）有限公司", keys.new())
    assert missing.value.field == "tax_number"
    title = "杭州风和（集团）有限公司，税号：９１330100MA2ABCDE1X"
    invoice = await crm.request_invoice(LI, LI_PAID, "company", title, keys.new())
    assert (invoice.title, invoice.tax_number) == ("杭州风和（集团）有限公司", "91330100MA2ABCDE1X")
    assert invoice.number == "INV20260501"


async def test_a_title_is_corrected_on_the_same_invoice(crm: SqlCrm, keys: Keys) -> None:
    first = await crm.request_invoice(LI, LI_PAID, "personal", "李婷", keys.new())
    second = await crm.request_invoice(LI, LI_PAID, "personal", "李 婷婷", keys.new())
    assert (second.number, second.title) == (first.number, "李 婷婷")


async def test_old_or_cancelled_orders_get_no_invoice(crm: SqlCrm, keys: Keys, clock: Clock) -> None:
    await crm.cancel_order(LI, LI_PAID, keys.new())
    with pytest.raises(OrderClosed):
        await crm.request_invoice(LI, LI_PAID, "personal", "李婷", keys.new())
    clock.go_on(days=366)
    with pytest.raises(InvoiceTooLate):
        await crm.request_invoice(EMMA, EMMA_DELIVERED, "personal", "Emma Clarke", keys.new())


async def test_a_strangers_ticket_needs_a_way_to_reach_them(crm: SqlCrm, keys: Keys) -> None:
    with pytest.raises(BadValue):
        await crm.open_ticket("it does not charge", "en", keys.new())
    ticket = await crm.open_ticket("it does not charge", "en", keys.new(), contact_point="sam@example.org")
    assert (ticket.customer_id, ticket.contact_point, ticket.status) == (None, "sam@example.org", TicketStatus.OPEN)


async def test_a_callback_ticket_keeps_the_contact_as_written(crm: SqlCrm, keys: Keys) -> None:
    ticket = await crm.open_callback_ticket("webchat visitor 42, call 010-1234", "zh", keys.new())
    assert (ticket.kind, ticket.priority) == (TicketKind.CALLBACK, "high")
    assert "010-1234" in ticket.text


async def test_a_callback_ticket_is_closed_once_and_says_by_whom(crm: SqlCrm, keys: Keys) -> None:
    ticket = await crm.open_callback_ticket("webchat visitor 42", "zh", keys.new())
    key = keys.new()
    assert await crm.close_callback(ticket.number, "Lin Mei", key)
    assert await crm.close_callback(ticket.number, "Lin Mei", key)  # the same answer again
    assert not await crm.close_callback(ticket.number, "Max", keys.new())
    closed = await crm.find_ticket(ticket.number)
    assert closed
    assert closed.status is TicketStatus.RESOLVED
    assert [(event.author, event.new) for event in closed.events] == [("Lin Mei", "resolved")]


async def test_only_a_callback_ticket_is_closed_like_that(crm: SqlCrm, keys: Keys) -> None:
    assert not await crm.close_callback(EMMA_TICKET, "Lin Mei", keys.new())
    untouched = await crm.find_ticket(EMMA_TICKET)
    assert untouched
    assert untouched.status is not TicketStatus.RESOLVED


async def test_tickets_come_with_comments(crm: SqlCrm) -> None:
    ticket = await crm.find_ticket(EMMA_TICKET)
    assert ticket
    assert [comment.author for comment in ticket.comments] == ["Sam"]


@pytest.mark.parametrize(
    ("field", "typed", "kept"),
    [
        ("phone", "+86 139-0013-9999", "13900139999"),
        ("phone", "0044 7700 900999", "+447700900999"),
        ("email", " New.Mail@Example.com", "new.mail@example.com"),
        ("name", "李  小婷", "李 小婷"),
    ],
)
async def test_contact_details_are_stored_in_one_form(
    crm: SqlCrm, keys: Keys, field: str, typed: str, kept: str
) -> None:
    assert getattr(await crm.update_contact(LI, field, typed, keys.new()), field) == kept


@pytest.mark.parametrize(
    ("field", "value"), [("phone", "12345"), ("email", "not an address"), ("name", "  "), ("level", "gold")]
)
async def test_contact_details_that_make_no_sense_are_refused(crm: SqlCrm, keys: Keys, field: str, value: str) -> None:
    with pytest.raises(BadValue):
        await crm.update_contact(LI, field, value, keys.new())


async def test_two_accounts_never_share_a_phone(crm: SqlCrm, keys: Keys) -> None:
    with pytest.raises(ContactInUse):
        await crm.update_contact(EMMA, "phone", "13800132468", keys.new())
