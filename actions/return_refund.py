"""Return or exchange something that was delivered: which item, why, what that means, then the request."""

from __future__ import annotations

import re
from typing import Any

from actions.base import Question, Turn
from actions.forms import Confirmation, OrderForm, Task, get_order, place_named
from actions.texts import Both, Button, button, day, fill, masked, money
from crm.errors import CrmError
from crm.model import Order, OrderItem, ReturnReason
from crm.port import Crm
from crm.rules import check_returnable
from knowledge_base.wording import fold

REASONS = {
    ReturnReason.UNOPENED: Both("未拆封，不想要了", "Unopened, changed my mind"),
    ReturnReason.CHANGED_MIND: Both("已拆封，不想要了", "Opened, changed my mind"),
    ReturnReason.FAULTY: Both("商品有故障", "It is faulty"),
    ReturnReason.DAMAGED: Both("收到时已损坏", "It arrived damaged"),
    ReturnReason.WRONG_ITEM: Both("发错货了", "Wrong item"),
}
#: In simplified characters. First match wins: "opened" must not find "unopened".
REASON_WORDS = (
    (ReturnReason.UNOPENED, r"未拆|没拆|没开封|未开封|没有拆|unopened|not opened|sealed|haven'?t opened|never opened"),
    (ReturnReason.WRONG_ITEM, r"发错|错货|不是我(买|订)|wrong (item|product|colou?r|one)|not what i ordered"),
    (
        ReturnReason.DAMAGED,
        r"破损|摔|压坏|碎|损坏|到(?:货|手)?(?:的时候|时)?就?是?坏|damaged|cracked|smashed|dent|(?:arriv|came|deliver)\w* (?:\w+ ){0,2}broken|broken (?:on arrival|when)",
    ),
    (
        ReturnReason.FAULTY,
        r"故障|坏|质量|品质|瑕疵|毛病|不能用|用不了|没声音|没有声音|充不|开不了|不工作|fault|broke|defect|(doesn'?t|does not|won'?t|not|stopped) "
        r"(work|charg|turn)|dead",
    ),
    (
        ReturnReason.CHANGED_MIND,
        r"不想要|不喜欢|不合适|后悔|已拆|拆了|chang.{0,8}mind|don'?t (like|want|need)|opened|too (big|small)",
    ),
)
ASK_ITEM = Both("这个订单里要退换哪一件？", "Which item of the order is it about?")
NOT_AN_ITEM = Both("订单里没有找到这件商品，请选一个：", "I cannot find that in the order. Please pick one:")
ASK_REASON = Both("退换的原因是什么？", "What is the reason?")
NOT_A_REASON = Both(
    "抱歉，没对上您说的原因，请选一个最接近的：", "Sorry, I could not match that to a reason. Which of these fits best?"
)
CONFIRM_REFUND = Both(
    "请确认：退货退款 {item}（订单 {number}），原因：{reason}。{fee}收到商品后 3 个工作日内原路退款。提交申请吗？",
    "Please confirm: return {item} (order {number}) for a refund. Reason: {reason}. {fee}"
    "The refund is made within 3 working days of the item arriving. Shall I send the request?",
)
CONFIRM_EXCHANGE = Both(
    "请确认：换货 {item}（订单 {number}），原因：{reason}。签收已超过 7 天，15 天内故障可以换新。{fee}提交申请吗？",
    "Please confirm: exchange {item} (order {number}). Reason: {reason}. More than 7 days have passed since delivery, "
    "so a faulty item is exchanged (within 15 days). {fee}Shall I send the request?",
)
FREE = Both("退回运费由我们承担。", "The way back is free. ")
FEE = Both("退回运费 {fee} 由您承担。", "The way back costs you {fee}. ")
DONE = Both(
    "申请已提交，工单号 {ticket}。寄回方式会发到 {to}，请在 {last_day} 前寄出，并保留好全部配件。",
    "The request is in, ticket {ticket}. Instructions for the way back go to {to}. "
    "Please send the item by {last_day}, complete with all parts.",
)


def find_item(order: Order, text: str) -> OrderItem | None:
    """The line people mean by its number, or by (part of) the product's name in either language."""
    flat = _squeezed(text)
    if flat.isdigit() and len(flat) <= 2:
        return order.item(int(flat))
    named = [
        item for item in order.items if flat and any(_same(flat, name) for name in (item.product, item.product_zh))
    ]
    if not named and (place := place_named(text)):
        return order.item(place)
    if not named and not re.search(
        r"\bnot\b|n't\b|不|别", text
    ):  # "the watch", "耳机那件": a word that only one name has
        named = [item for item in order.items if _words(text) & (_words(item.product) | _words(item.product_zh))]
    return named[0] if len(named) == 1 else None


def _words(text: str) -> set[str]:
    """Latin words of three letters and more, and every two Han characters that stand together."""
    plain = fold(text).lower()
    pairs = {run[at : at + 2] for run in re.findall(r"[\u3400-\u9fff]+", plain) for at in range(len(run) - 1)}
    return pairs | set(re.findall(r"[a-z]{3,}", plain))


def find_reason(text: str) -> ReturnReason | None:
    """The reason behind a button's value or in somebody's own words."""
    wanted = fold(text).lower()
    if wanted in set(ReturnReason):
        return ReturnReason(wanted)
    titled = [reason for reason, title in REASONS.items() if wanted in {title.zh.lower(), title.en.lower()}]
    if titled:
        return titled[0]
    return next((reason for reason, pattern in REASON_WORDS if re.search(pattern, wanted.replace("’", "'"))), None)


def _squeezed(text: str) -> str:
    return re.sub(r"\s+", "", fold(text)).lower()


def _same(flat: str, name: str) -> bool:
    return _squeezed(name) in flat or (len(flat) >= 2 and flat in _squeezed(name))


def item_buttons(order: Order, language: str) -> list[Button]:
    """The lines of an order to choose from."""
    return [button(item.name(language), fill("order_item", str(item.line))) for item in order.items]


def reason_buttons(language: str) -> list[Button]:
    """The reasons to choose from."""
    return [button(title(language), fill("return_reason", reason.value)) for reason, title in REASONS.items()]


class ValidateReturnRefund(OrderForm):
    """Tells eligibility as soon as item and reason are known."""

    task = "return_refund"
    details = ("order_item", "return_reason", "confirmed")

    async def order_ready(self, order: Order, turn: Turn) -> None:
        """Only after delivery; a single line needs no choice."""
        check_returnable(order)
        named = find_item(order, str(turn.slot("order_item") or ""))
        item = order.items[0] if len(order.items) == 1 else named
        turn.change(order_item=str(item.line) if item else None)

    async def check_order_item(self, value: Any, turn: Turn) -> str | None:
        """One of the order's lines."""
        if not turn.customer_id or not turn.slot("order_number"):
            return turn.given("order_item", value) or None  # looked at again when the order is known
        order = await get_order(self.crm, turn)
        item = find_item(order, turn.given("order_item", value))
        if item is None and len(order.items) == 1:
            item = order.items[0]
        if item is None:
            turn.say(NOT_AN_ITEM(turn.language), item_buttons(order, turn.language), asked_order_item=True)
            return None
        reason = turn.slot("return_reason")
        return str(item.line) if reason is None or await self._allowed(item.line, find_reason(reason), turn) else None

    async def check_return_reason(self, value: Any, turn: Turn) -> str | None:
        """A reason the shop knows, and one that still allows the return."""
        reason = find_reason(turn.given("return_reason", value))
        if reason is None:
            turn.say(NOT_A_REASON(turn.language), reason_buttons(turn.language), asked_return_reason=True)
            return None
        line = str(turn.slot("order_item") or "")
        if turn.customer_id and line.isdigit() and not await self._allowed(int(line), reason, turn):
            return None
        return reason.value

    async def _allowed(self, line: int, reason: ReturnReason | None, turn: Turn) -> bool:
        """Whether the rules allow this return today; if not, the rule is told and the form ends."""
        if reason is None or not turn.customer_id:
            return True
        try:
            await self.crm.quote_return(turn.customer_id, turn.slot("order_number"), line, reason)
        except CrmError as error:
            self.refuse(turn, error)
            return False
        return True


class AskOrderItem(Question):
    """Offers the order's lines."""

    action_name = "action_ask_order_item"
    slot = "order_item"

    def __init__(self, crm: Crm) -> None:
        self._crm = crm

    async def ask(self, turn: Turn) -> None:
        """As buttons."""
        turn.say(ASK_ITEM(turn.language), item_buttons(await get_order(self._crm, turn), turn.language))


class AskReturnReason(Question):
    """Offers the reasons."""

    action_name = "action_ask_return_reason"
    slot = "return_reason"

    async def ask(self, turn: Turn) -> None:
        """As buttons."""
        turn.say(ASK_REASON(turn.language), reason_buttons(turn.language))


class ConfirmReturnRefund(Confirmation):
    """Repeats item and reason and says what follows: refund or exchange, and who pays the way back."""

    task = "return_refund"

    async def summary(self, turn: Turn) -> str:
        """The terms as they are today."""
        order, language = await self.get_order(turn), turn.language
        reason, line = ReturnReason(turn.slot("return_reason")), int(turn.slot("order_item"))
        terms = await self.crm.quote_return(order.customer_id, order.number, line, reason)
        fee = FEE(language, fee=money(terms.shipping_fee, order.currency)) if terms.shipping_fee else FREE(language)
        item = order.item(line)
        assert item
        confirm = CONFIRM_REFUND if terms.outcome == "refund" else CONFIRM_EXCHANGE
        return confirm(
            language, item=item.name(language), number=order.number, reason=REASONS[reason](language), fee=fee
        )


class ReturnRefundAction(Task):
    """Sends the request."""

    task = "return_refund"
    clears = ("order_item", "return_reason")
    needs = ("order_number", "customer_id", "order_item", "return_reason")
    writes = True

    async def submit(self, turn: Turn) -> None:
        """Names the ticket on which it is followed up."""
        order = await get_order(self.crm, turn)
        reason, line = ReturnReason(turn.slot("return_reason")), int(turn.slot("order_item"))
        made = await self.crm.request_return(order.customer_id, order.number, line, reason, turn.key(self.action_name))
        customer = await self.crm.find_customer(order.customer_id)
        assert customer
        last_day = day(made.terms.last_day, turn.language)
        to = masked(customer.email or customer.phone or "")
        turn.say(DONE(turn.language, ticket=made.ticket_number, to=to, last_day=last_day))
