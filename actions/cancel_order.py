"""Cancel an order that has not left the warehouse."""

from __future__ import annotations

from actions.base import Turn
from actions.forms import Confirmation, OrderForm, Task, get_order
from actions.texts import Both, goods, money, payment
from crm.model import Order
from crm.rules import check_changeable

CONFIRM = Both(
    "请确认：取消订单 {number}（{goods}，{total}）。取消后无法恢复，确定吗？",
    "Please confirm: cancel order {number} ({goods}, {total}). This cannot be undone. Shall I cancel it?",
)
DONE_PAID = Both(
    "订单 {number} 已取消，{total} 会在 3 个工作日内（信用卡最多 7 个工作日）退回{payment}。",
    "Order {number} is cancelled. {total} goes back to {payment} within 3 working days (credit cards up to 7).",
)
DONE_UNPAID = Both("订单 {number} 已取消，没有产生扣款。", "Order {number} is cancelled. Nothing was charged.")


class ValidateCancelOrder(OrderForm):
    """Says at once when it is too late."""

    task = "cancel_order"
    details = ("confirmed",)

    async def order_ready(self, order: Order, turn: Turn) -> None:
        """Only before shipping."""
        check_changeable(order)


class ConfirmCancelOrder(Confirmation):
    """Repeats the order and what it cost."""

    task = "cancel_order"

    async def summary(self, turn: Turn) -> str:
        """Order, goods and total."""
        order = await self.get_order(turn)
        total = money(order.total, order.currency)
        return CONFIRM(turn.language, number=order.number, goods=goods(order, turn.language), total=total)


class CancelOrderAction(Task):
    """Cancels it."""

    task = "cancel_order"
    needs = ("order_number", "customer_id")
    writes = True

    async def submit(self, turn: Turn) -> None:
        """Says what is refunded, and where to."""
        before = await get_order(self.crm, turn)
        order = await self.crm.cancel_order(before.customer_id, before.number, turn.key(self.action_name))
        done = DONE_PAID if order.paid_at else DONE_UNPAID
        turn.say(
            done(
                turn.language,
                number=order.number,
                total=money(order.total, order.currency),
                payment=payment(order.payment_method, turn.language),
            )
        )
