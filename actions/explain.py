"""Why the shop says no, told to the customer: one sentence per rule, always with what they can do instead."""

from __future__ import annotations

from actions.texts import ORDER_STATUS, Both
from crm.errors import (
    AlreadyRequested,
    AlreadyShipped,
    BadValue,
    ContactInUse,
    CrmError,
    HygieneRule,
    InvoiceTooLate,
    NotDelivered,
    NotFound,
    NotPaid,
    OrderClosed,
    ReturnTooLate,
)
from crm.model import OrderStatus
from crm.rules import RETURN_DAYS

SENTENCES: dict[type[CrmError], Both] = {
    AlreadyShipped: Both(
        "这个订单的包裹已经出库，现在改不了地址，也不能取消。您可以拒收，或者签收后 7 天内申请退货。",
        "This parcel has already left our warehouse, so the order can no longer be changed or cancelled. "
        "You can refuse the parcel, or return it within 7 days of delivery.",
    ),
    NotDelivered: Both(
        "这个订单还没有签收，签收后才能申请退换货。",
        "This order has not been delivered yet; a return can start once you have received it.",
    ),
    HygieneRule: Both(
        "出于卫生原因，耳机类商品拆封后只有存在质量问题才能退换。如果是故障，请重新申请并选择“商品有故障”。",
        "For reasons of hygiene, opened earbuds and headphones can only come back when they are faulty. "
        "If yours are faulty, start again and choose “It is faulty”.",
    ),
    NotPaid: Both(
        "这个订单还没有付款，付款后才能开发票。", "This order has not been paid yet; the invoice comes after payment."
    ),
    ContactInUse: Both(
        "这个联系方式不能使用，请换一个，或者转人工客服处理。",
        "These contact details cannot be used. Please give others, or talk to a person.",
    ),
    NotFound: Both(
        "在您的账户里没有找到它，请核对一下号码。", "I cannot find that in your account. Please check the number."
    ),
}
RETURN_TOO_LATE = Both(
    "无理由退货要在签收后 7 天内提出，这个订单已经过了期限。商品有故障的话，签收后 15 天内可以换货，之后按保修处理。",
    "Returns without a reason are possible within 7 days of delivery, and that time is over for this order. "
    "A faulty product can be exchanged within 15 days, and after that the warranty covers it.",
)
EXCHANGE_TOO_LATE = Both(
    "故障换货要在签收后 {days} 天内提出，这个订单已经过了期限，不过还可以按保修维修。需要的话我帮您转人工或提交工单。",
    "A faulty product can be exchanged within {days} days of delivery. That time is over for this order, but the warranty "
    "still covers repairs: I can pass you to a person or open a ticket.",
)
CLOSED = Both(
    "这个订单的状态是“{status}”，不能再办理这项操作。", "This order is {status}, so nothing more can be done with it."
)
ALREADY_REQUESTED = Both(
    "这件商品已经申请过退换货了，进度请看工单 {ticket}。",
    "A return of this product has already been requested; ticket {ticket} follows it up.",
)
INVOICE_TOO_LATE = Both(
    "下单一年以内可以开发票，这个订单已经超过期限。", "Invoices can be made for one year, and this order is older."
)
TITLE_TOO_LATE = Both(
    "发票开出 30 天内可以更正抬头，这张发票已经超过期限。",
    "The title of an invoice can be corrected for 30 days after it was issued, and this one is older.",
)
BAD_VALUES = {
    "address": Both(
        "这个地址看起来不完整，请写明省市区、街道和门牌号。",
        "That address looks incomplete. Please include street, number, city and postcode.",
    ),
    "tax_number": Both(
        "公司发票需要抬头和税号，请一起发给我，例如：杭州某某科技有限公司 91330100MA2ABCDE1X。",
        "A company invoice needs the company name and its tax number together, for example: Example Ltd GB123456789.",
    ),
    "title": Both(
        "请写一下发票抬头，不超过 100 个字。", "Please give the name for the invoice, at most 100 characters."
    ),
    "phone": Both(
        "这个手机号格式不对。大陆手机号 11 位；其他地区请带国家或地区代码，例如 +447700900123。",
        "That does not look like a phone number. Please include the country code, for example +447700900123.",
    ),
    "email": Both(
        "这个邮箱地址格式不对，请再检查一下。", "That does not look like an e-mail address. Please check it."
    ),
    "name": Both("请写一下姓名，不超过 80 个字。", "Please give the name, at most 80 characters."),
}
FALLBACK = Both(
    "这项操作现在办不了，可以转人工客服处理。", "This cannot be done right now; a person can help you with it."
)


def explain(error: CrmError, language: str) -> str:
    """The sentence for a rule of the shop."""
    match error:
        case OrderClosed():
            return CLOSED(language, status=ORDER_STATUS[OrderStatus(error.status)](language))
        case ReturnTooLate():
            late = RETURN_TOO_LATE if error.days == RETURN_DAYS else EXCHANGE_TOO_LATE
            return late(language, days=error.days)
        case AlreadyRequested():
            return ALREADY_REQUESTED(language, ticket=error.ticket_number)
        case InvoiceTooLate():
            return (INVOICE_TOO_LATE if error.days > 30 else TITLE_TOO_LATE)(language)
        case BadValue():
            return BAD_VALUES.get(error.field, FALLBACK)(language)
    return SENTENCES.get(type(error), FALLBACK)(language)
