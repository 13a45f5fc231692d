"""Ask for an invoice of an order, or for another title on it."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import datetime
from typing import Any

from actions.base import Question, Turn
from actions.explain import explain
from actions.forms import Confirmation, OrderForm, Task, get_order
from actions.person_names import bare_name, means_oneself
from actions.texts import Both, Button, button, fill, masked
from crm.errors import BadValue
from crm.model import Order
from crm.port import Crm
from crm.rules import account_address, check_invoiceable, invoice_title
from knowledge_base.wording import fold

KINDS = {"personal": Both("个人", "Personal"), "company": Both("公司", "Company")}
KIND_WORDS = {
    "company": r"公司|企业|单位|专票|专用|增值税|对公|统编|统一编号|company|business|firm|vat|corporate",
    "personal": r"个人|私人|普票|普通|自己|personal|private|individual|myself",
}
ASK_KIND = Both("发票开给个人还是公司？", "Is the invoice for you personally or for a company?")
NOT_A_KIND = Both(
    "抱歉，没看明白。发票开给个人还是公司？请选一个：",
    "Sorry, I could not tell. Is the invoice for you personally or for a company?",
)
ASK_PERSONAL = Both("发票抬头写谁的名字？", "Which name should be on the invoice?")
ASK_COMPANY = Both("请发一下公司抬头和税号。", "Please send the company's name and its tax number.")
CONFIRM = Both(
    "请确认：为订单 {number} 开{kind}发票，抬头“{title}”{tax}，发送到 {to}。提交吗？",
    "Please confirm: a {kind} invoice for order {number} to “{title}”{tax}, sent to {to}. Shall I request it?",
)
TAX = Both("，税号 {number}", ", tax number {number}")
DONE_PERSONAL = Both(
    "已为订单 {order} 申请发票 {invoice}，电子发票会在签收后 24 小时内发到 {to}。",
    "Invoice {invoice} for order {order} is requested. The electronic invoice is sent to {to} within 24 hours of delivery.",
)
DONE_COMPANY = Both(
    "已为订单 {order} 申请公司发票 {invoice}，会在 5 个工作日内发到 {to}。",
    "Company invoice {invoice} for order {order} is requested. It is sent to {to} within 5 working days.",
)


def kind_buttons(language: str) -> list[Button]:
    """The kinds to choose from."""
    return [button(kind(language), fill("invoice_kind", value)) for value, kind in KINDS.items()]


class ValidateRequestInvoice(OrderForm):
    """Says at once when the order cannot have an invoice."""

    task = "request_invoice"
    details = ("invoice_kind", "invoice_title", "confirmed")

    def __init__(self, crm: Crm, now: Callable[[], datetime]) -> None:
        super().__init__(crm)
        self._now = now

    async def order_ready(self, order: Order, turn: Turn) -> None:
        """Paid, not cancelled, not older than a year."""
        check_invoiceable(order, self._now())

    async def check_invoice_kind(self, value: Any, turn: Turn) -> str | None:
        """Personal or company, in any words."""
        text = fold(turn.given("invoice_kind", value)).lower()
        kind = next((kind for kind, words in KIND_WORDS.items() if re.search(words, text)), None)
        if kind is None:
            turn.say(NOT_A_KIND(turn.language), kind_buttons(turn.language), asked_invoice_kind=True)
        return kind

    async def check_invoice_title(self, value: Any, turn: Turn) -> str | None:
        """A name, or the customer's own; a company's with its tax number is kept as it was typed."""
        text, kind = turn.given("invoice_title", value), turn.slot("invoice_kind") or "personal"
        if kind == "personal":
            customer = await self.crm.find_customer(turn.customer_id or "") if means_oneself(text) else None
            text = customer.name if customer else bare_name(text)
        try:
            invoice_title(kind, text)
        except BadValue as error:
            turn.say(explain(error, turn.language), asked_invoice_title=True)
            return None
        return text


class AskInvoiceKind(Question):
    """Offers the two kinds."""

    action_name = "action_ask_invoice_kind"
    slot = "invoice_kind"

    async def ask(self, turn: Turn) -> None:
        """As buttons."""
        turn.say(ASK_KIND(turn.language), kind_buttons(turn.language))


class AskInvoiceTitle(Question):
    """Asks for the title, and offers the customer's own name for a personal one."""

    action_name = "action_ask_invoice_title"
    slot = "invoice_title"

    def __init__(self, crm: Crm) -> None:
        self._crm = crm

    async def ask(self, turn: Turn) -> None:
        """By kind."""
        if turn.slot("invoice_kind") == "company":
            turn.say(ASK_COMPANY(turn.language))
            return
        customer = await self._crm.find_customer(turn.customer_id or "")
        names = [button(customer.name, fill(self.slot, customer.name))] if customer else []
        turn.say(ASK_PERSONAL(turn.language), names)


class ConfirmRequestInvoice(Confirmation):
    """Repeats title and destination."""

    task = "request_invoice"

    async def summary(self, turn: Turn) -> str:
        """Order, kind, title, tax number and where it goes."""
        order, language, kind = await self.get_order(turn), turn.language, turn.slot("invoice_kind")
        customer = await self.crm.find_customer(order.customer_id)
        assert customer
        title, tax_number = invoice_title(kind, turn.slot("invoice_title"))
        return CONFIRM(
            language,
            number=order.number,
            kind=KINDS[kind](language).lower(),
            title=title,
            tax=TAX(language, number=tax_number) if tax_number else "",
            to=masked(account_address(customer)),
        )


class RequestInvoiceAction(Task):
    """Sends the request."""

    task = "request_invoice"
    clears = ("invoice_kind", "invoice_title")
    needs = ("order_number", "customer_id", "invoice_kind", "invoice_title")
    writes = True

    async def submit(self, turn: Turn) -> None:
        """Says when the invoice comes."""
        order = await get_order(self.crm, turn)
        kind, title = turn.slot("invoice_kind"), turn.slot("invoice_title")
        key = turn.key(self.action_name)
        invoice = await self.crm.request_invoice(order.customer_id, order.number, kind, title, key)
        done = DONE_COMPANY if kind == "company" else DONE_PERSONAL
        turn.say(done(turn.language, order=order.number, invoice=invoice.number, to=masked(invoice.sent_to)))
