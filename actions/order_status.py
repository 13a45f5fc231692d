"""Where is my order: its state, the parcel's latest steps and when it should arrive."""

from __future__ import annotations

from actions.base import Turn
from actions.forms import OrderForm, Task, get_order
from actions.texts import CARRIERS, TASKS, Both, button, day, goods, moment, money, payment
from crm.model import Order, OrderStatus

HEAD = Both("订单 {number}（{goods}）", "Order {number} ({goods})")
SENTENCES = {
    OrderStatus.UNPAID: Both(
        "还没有付款，应付 {total}。下单 30 分钟内未付款会自动取消。",
        "is waiting for payment of {total}. Unpaid orders are cancelled after 30 minutes.",
    ),
    OrderStatus.PAID: Both(
        "已付款 {total}，仓库正在备货。现货订单 16:00 前下单当天发出。",
        "is paid ({total}) and being prepared. In-stock orders placed before 16:00 leave the same day.",
    ),
    OrderStatus.PACKED: Both(
        "已打包好，等待快递取件，发出后就能查到物流。",
        "is packed and waits for the carrier. Tracking starts as soon as it leaves.",
    ),
    OrderStatus.SHIPPED: Both(
        "在路上了，由{carrier}承运，运单号 {tracking}，预计 {expected}送达。",
        "is on its way with {carrier}, tracking number {tracking}. It should arrive on {expected}.",
    ),
    OrderStatus.DELIVERED: Both(
        "已于 {delivered} 签收（{carrier}，运单号 {tracking}）。",
        "was delivered on {delivered} ({carrier}, tracking number {tracking}).",
    ),
    OrderStatus.CANCELLED: Both(
        "已取消。已付的款项会在 3 个工作日内（信用卡最多 7 个工作日）退回{payment}。",
        "was cancelled. Anything you paid goes back to {payment} within 3 working days (credit cards up to 7).",
    ),
    OrderStatus.RETURNED: Both(
        "已退货。退款在仓库收到商品后 3 个工作日内退回{payment}。",
        "was returned. The refund to {payment} is made within 3 working days of the goods arriving.",
    ),
}
EVENTS = Both("最近的物流：", "Latest steps:")
OFFERS = {
    OrderStatus.UNPAID: ("cancel_order",),
    OrderStatus.PAID: ("change_address", "cancel_order"),
    OrderStatus.PACKED: ("change_address", "cancel_order"),
    OrderStatus.DELIVERED: ("return_refund", "request_invoice"),
}
SHOWN_EVENTS = 3


def status_text(order: Order, language: str) -> str:
    """An order's state in one sentence, with the parcel's latest steps below."""
    parcel = order.shipment
    values = {
        "total": money(order.total, order.currency),
        "payment": payment(order.payment_method, language),
        "carrier": CARRIERS[parcel.carrier](language) if parcel else "",
        "tracking": parcel.tracking_number if parcel else "",
        "expected": day(parcel.expected_on, language) if parcel and parcel.expected_on else "",
        "delivered": moment(order.delivered_at, order.country, language) if order.delivered_at else "",
    }
    head = HEAD(language, number=order.number, goods=goods(order, language))
    lines = [head + ("" if language == "zh" else " ") + SENTENCES[order.status](language, **values)]
    if parcel and parcel.events and order.status is OrderStatus.SHIPPED:
        lines.append(EVENTS(language))
        latest = parcel.events[: -SHOWN_EVENTS - 1 : -1]
        lines += [f"· {moment(event.at, order.country, language)}  {event.text(language)}" for event in latest]
    return "\n".join(lines)


class ValidateOrderStatus(OrderForm):
    """Number and identity are all it takes."""

    task = "order_status"


class OrderStatusAction(Task):
    """Tells the state and offers what the state allows."""

    task = "order_status"
    needs = ("order_number", "customer_id")

    async def submit(self, turn: Turn) -> None:
        """Read the order again: the slot alone proves nothing."""
        order = await get_order(self.crm, turn)
        offers = [button(TASKS[task](turn.language), f"/{task}") for task in OFFERS.get(order.status, ())]
        turn.say(status_text(order, turn.language), offers)
