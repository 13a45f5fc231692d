"""Send an order to another address, while it is still in the warehouse."""

from __future__ import annotations

import re
from typing import Any

from actions.base import Question, Turn
from actions.explain import explain
from actions.forms import Confirmation, OrderForm, Task, get_order
from actions.texts import Both, goods
from crm.errors import BadValue
from crm.model import Order
from crm.rules import check_changeable, new_address
from knowledge_base.wording import fold

ASK = Both(
    "请发一下新的收货地址，包括省市区、街道和门牌号。",
    "What is the new delivery address? Please include street, number, city and postcode.",
)
CONFIRM = Both(
    "请确认：把订单 {number}（{goods}）的收货地址改为\n{address}\n对吗？",
    "Please confirm: send order {number} ({goods}) to\n{address}\nIs that right?",
)
DONE = Both("改好了，订单 {number} 将寄往：{address}。", "Done. Order {number} will be sent to {address}.")


_LEADS_TO_ADDRESS = re.compile(
    r"不是|不对|不|错了|写错|应该|应为|而是|请|麻烦|帮我|帮忙|把|新的?|收货|地址|订单|改成|改为|改到|换成|换到|寄到|送到|发到|是|为|到|吧|谢谢|一下|了|的"
    r"|\b(?:please|pls|change|it|to|at|deliver|send|ship|my|the|new|address|is|order|parcel|instead|now|thanks|thank|you|would|be|use|no|not|sorry|should|wrong|actually|oops)\b",
    re.IGNORECASE,
)


def bare_address(text: str, found: Any) -> str:
    """The address that was found, without the words that only lead to it; a name or a number beside it is kept."""
    if not isinstance(found, str) or found not in text:
        return text
    beside = _LEADS_TO_ADDRESS.sub(" ", fold(text.replace(found, " ", 1)))
    return text if re.search(r"\w", beside) else found


class ValidateChangeAddress(OrderForm):
    """Says at once when the parcel has left."""

    task = "change_address"
    details = ("new_address", "confirmed")

    async def order_ready(self, order: Order, turn: Turn) -> None:
        """Only before shipping."""
        check_changeable(order)

    async def check_new_address(self, value: Any, turn: Turn) -> str | None:
        """Something a courier can use."""
        try:
            return new_address(bare_address(turn.given("new_address", value), turn.entity("address")))
        except BadValue as error:
            turn.say(explain(error, turn.language), asked_new_address=True)
            return None


class AskNewAddress(Question):
    """Asks for the address."""

    action_name = "action_ask_new_address"
    slot = "new_address"

    async def ask(self, turn: Turn) -> None:
        """The same question for everybody."""
        turn.say(ASK(turn.language))


class ConfirmChangeAddress(Confirmation):
    """Repeats order and address."""

    task = "change_address"

    async def summary(self, turn: Turn) -> str:
        """Order, goods and the new address."""
        order = await self.get_order(turn)
        language = turn.language
        return CONFIRM(language, number=order.number, goods=goods(order, language), address=turn.slot("new_address"))


class ChangeAddressAction(Task):
    """Writes the address."""

    task = "change_address"
    clears = ("new_address",)
    needs = ("order_number", "customer_id", "new_address")
    writes = True

    async def submit(self, turn: Turn) -> None:
        """Once per turn."""
        order = await get_order(self.crm, turn)
        changed = await self.crm.change_address(
            order.customer_id, order.number, turn.slot("new_address"), turn.key(self.action_name)
        )
        turn.say(DONE(turn.language, number=changed.number, address=changed.address))
