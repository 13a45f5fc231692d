"""Words that several tasks share, in both languages, and how amounts, days and private data are written."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from crm.model import Order, OrderStatus, TicketStatus

Button = dict[str, str]


@dataclass(frozen=True, slots=True)
class Both:
    """One thing to say, in Chinese and in English; calling it fills in the values."""

    zh: str
    en: str

    def __call__(self, language: str, **values: Any) -> str:
        return (self.zh if language == "zh" else self.en).format(**values)


SYMBOLS = {"CNY": "¥", "HKD": "HK$", "SGD": "S$", "GBP": "£", "EUR": "€"}
ZONES = {
    "GB": "Europe/London",
    "DE": "Europe/Berlin",
    "FR": "Europe/Paris",
    "NL": "Europe/Amsterdam",
    "SG": "Asia/Singapore",
    "HK": "Asia/Hong_Kong",
}
CHINA_HOURS = 8

ORDER_STATUS = {
    OrderStatus.UNPAID: Both("待付款", "waiting for payment"),
    OrderStatus.PAID: Both("已付款，待发货", "paid, being prepared"),
    OrderStatus.PACKED: Both("已打包，待出库", "packed, about to leave"),
    OrderStatus.SHIPPED: Both("运输中", "on its way"),
    OrderStatus.DELIVERED: Both("已签收", "delivered"),
    OrderStatus.CANCELLED: Both("已取消", "cancelled"),
    OrderStatus.RETURNED: Both("已退货", "returned"),
}
TICKET_STATUS = {
    TicketStatus.OPEN: Both("已登记，等待处理", "registered and waiting for a colleague"),
    TicketStatus.IN_PROGRESS: Both("处理中", "being worked on"),
    TicketStatus.WAITING: Both("等待您的回复", "waiting for your answer"),
    TicketStatus.RESOLVED: Both("已解决", "resolved"),
}
CARRIERS = {
    "SF": Both("顺丰速运", "SF Express"),
    "JD": Both("京东物流", "JD Logistics"),
    "YTO": Both("圆通速递", "YTO Express"),
    "DHL": Both("DHL", "DHL"),
}
PAYMENTS = {"WeChat Pay": "微信支付", "Alipay": "支付宝", "UnionPay": "银联"}
TASKS = {
    "order_status": Both("查订单和物流", "Track an order"),
    "change_address": Both("修改收货地址", "Change the address"),
    "cancel_order": Both("取消订单", "Cancel an order"),
    "return_refund": Both("退换货", "Return or exchange"),
    "request_invoice": Both("开发票", "Get an invoice"),
    "open_ticket": Both("提交问题工单", "Report a problem"),
    "ticket_status": Both("查工单进度", "Check a ticket"),
    "update_contact": Both("修改联系方式", "Change my contact details"),
}

TALK_TO_A_PERSON = Both("转人工客服", "Talk to a person")
TRY_AGAIN = Both("再试一次", "Try again")
SEND_CODE = Both("发送验证码", "Send me a code")
YES = Both("确认", "Yes, go ahead")
NO = Both("先不用", "No, leave it")
PLAIN_ANSWER = Both(
    "回复“确认”就办理，回复“先不用”就不办。",
    "Please answer “yes” and I will do it, or “no” and nothing changes.",
)
APOLOGY = Both(
    "抱歉，系统刚才出了点问题，这一步没能完成。您可以再试一次，也可以转人工客服。",
    "Sorry, something went wrong on our side and this step did not go through. You can try again or talk to a person.",
)
NOTHING_CHANGED = Both("好的，没有做任何更改。", "All right, nothing has been changed.")
START_AGAIN = Both(
    "信息还不全，这次没有办成。我们重新来一遍好吗？",
    "Some details are missing, so nothing was done. Shall we start again?",
)


def fill(slot: str, value: str) -> str:
    """The payload of a button that answers the question for a slot."""
    return "/inform" + json.dumps({slot: value}, ensure_ascii=False)


def button(title: str, payload: str) -> Button:
    """A quick reply; channels cut long titles, so keep them short."""
    return {"title": title[:60], "payload": payload}


def person_button(language: str) -> Button:
    """The way to a person."""
    return button(TALK_TO_A_PERSON(language), "/handoff")


def yes_no(language: str) -> list[Button]:
    """The two answers to a confirmation."""
    return [button(YES(language), "/affirm"), button(NO(language), "/deny")]


def money(amount: int, currency: str) -> str:
    """An amount in its currency; whole amounts without decimals."""
    whole, cents = divmod(amount, 100)
    return f"{SYMBOLS.get(currency, currency + ' ')}{whole:,}" + (f".{cents:02d}" if cents else "")


def local(at: datetime, country: str) -> datetime:
    """A time on the clock of the place the order goes to; China's where the zone is not installed."""
    try:
        return at.astimezone(ZoneInfo(ZONES.get(country, "Asia/Shanghai")))
    except ZoneInfoNotFoundError:
        return at + timedelta(hours=CHINA_HOURS)


def day(value: date, language: str) -> str:
    """A day as people write it: 11月21日, 21 November."""
    return f"{value.month}月{value.day}日" if language == "zh" else f"{value.day} {value:%B}"


def moment(at: datetime, country: str, language: str) -> str:
    """A day and a time on the local clock."""
    there = local(at, country)
    return f"{day(there.date(), language)}{' ' if language == 'zh' else ', '}{there:%H:%M}"


def payment(method: str, language: str) -> str:
    """A payment method by its local name."""
    return PAYMENTS.get(method, method) if language == "zh" else method


def goods(order: Order, language: str) -> str:
    """The products of an order in one line."""
    names = [item.name(language) + (f" ×{item.quantity}" if item.quantity > 1 else "") for item in order.items]
    return ("、" if language == "zh" else ", ").join(names)


def masked(contact_point: str) -> str:
    """A phone number or e-mail address that only its owner recognises."""
    if "@" in contact_point:
        name, _, domain = contact_point.partition("@")
        return f"{name[0]}***@{domain}"
    return f"{contact_point[:3]}****{contact_point[-4:]}"
