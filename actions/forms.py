"""Forms: which slots a task needs next, how each answer is checked, and the confirmation before anything is written."""

from __future__ import annotations

import re
from abc import abstractmethod
from collections.abc import Awaitable, Callable
from typing import Any, ClassVar

from actions.base import REQUESTED_SLOT, DeskAction, Question, Turn
from actions.explain import explain
from actions.identity import check_proof, kept_mark
from actions.texts import (
    NOTHING_CHANGED,
    PLAIN_ANSWER,
    START_AGAIN,
    TASKS,
    Both,
    button,
    fill,
    goods,
    person_button,
    yes_no,
)
from crm.errors import CrmError, NotFound
from crm.model import Order, find_number
from crm.port import Crm
from knowledge_base.wording import fold

BAD_ORDER_NUMBER = Both(
    "这个订单号看起来不对：订单号是 KT 加 8 位数字，例如 KT20261234。请再发一次。",
    "That does not look like an order number: it is KT and 8 digits, for example KT20261234. Please send it again.",
)
NOT_YOUR_ORDER = Both(
    "在您的账户里没有找到订单 {number}，请核对一下订单号。",
    "I cannot find order {number} in your account. Please check the number.",
)
MOST_OFFERED = 3  #: orders to choose from
ABOUT_ORDER = Both("订单 {number}：", "About order {number}: ")
ASK_ORDER = Both(
    "请发一下订单号（KT 开头加 8 位数字）。", "Which order is it about? Please send the order number (KT and 8 digits)."
)
ASK_ORDER_OF_MINE = Both(
    "请问是哪个订单？可以直接点选，或者发订单号。", "Which order is it about? Pick one or send the order number."
)


_PLACES = (
    r"1st|first|第?[一1]",
    r"2nd|second|第?[二两2]",
    r"3rd|third|第?[三3]",
    r"4th|fourth|第?[四4]",
    r"5th|fifth|第?[五5]",
)
_PLACE = [
    re.compile(
        rf"^(?:the|it'?s|um|uh|i mean|is|我要|就|是|要|选|退|换|取消|[\s,，])*(?:(?:item|number|no\.?|option|#)\s*)?(?:{words})\s*(?:one|item|order|product|个|件|单|款|样)?"
        r"(?:please|thanks|pls|吧|的|谢谢|那个|那件|[\s,，。.!！])*$",
        re.IGNORECASE,
    )
    for words in _PLACES
]


def place_named(text: str) -> int | None:
    """Which of those that were offered: 2 for "the second one", "item 2", "第二个"."""
    plain = fold(text).strip()
    return next((place for place, words in enumerate(_PLACE, 1) if words.match(plain)), None)


class TaskForm(DeskAction):
    """Validates a form's slots in their order. A subclass has a ``check_<slot>`` for each of them:
    it returns the value to keep, or None after saying why not."""

    task: ClassVar[str]
    slots: ClassVar[tuple[str, ...]]

    def __init__(self, crm: Crm) -> None:
        self.crm = crm
        self.action_name = f"validate_{self.task}_form"

    @abstractmethod
    def required(self, turn: Turn) -> list[str]:
        """The slots this contact must fill, in the order in which they are asked."""

    async def act(self, turn: Turn) -> None:
        """Check what was extracted and decide what to ask next."""
        candidates = self._candidates(turn)
        for slot in self.slots:
            if candidates.get(slot) is None or turn.form_done:
                continue
            check: Callable[[Any, Turn], Awaitable[Any]] = getattr(self, f"check_{slot}")
            turn.change(**{slot: None})
            turn.change(**{slot: await check(candidates[slot], turn)})
            if turn.slot(slot) is not None:
                turn.change(misses=0.0, clarified=False)
        self._next(turn)

    def after_failure(self, turn: Turn) -> None:
        """Keep nothing that could not be checked."""
        turn.change(**dict.fromkeys(self._candidates(turn)))
        self._next(turn)

    def refuse(self, turn: Turn, error: CrmError, about: str = "") -> None:
        """Say which rule stands against the task and end the form."""
        turn.say(about + explain(error, turn.language), [person_button(turn.language)])
        turn.form_done = True

    async def check_confirmed(self, value: Any, turn: Turn) -> bool | None:
        """A yes counts only as the answer to the summary: not left over, and not together with a changed value."""
        others = self._candidates(turn).keys() - {"confirmed"}
        asked = turn.tracker.slots.get(REQUESTED_SLOT) == "confirmed"
        return bool(value) if asked and not others and isinstance(value, bool) else None

    def _candidates(self, turn: Turn) -> dict[str, Any]:
        found: dict[str, Any] = turn.tracker.slots_to_validate()
        return {slot: value for slot, value in found.items() if slot in self.slots}

    def _next(self, turn: Turn) -> None:
        missing = [] if turn.form_done else [slot for slot in self.required(turn) if turn.slot(slot) is None]
        turn.change(**{REQUESTED_SLOT: missing[0] if missing else None})


class OrderForm(TaskForm):
    """A task about one order: its number, then who is asking, then whatever the task needs."""

    details: ClassVar[tuple[str, ...]] = ()

    def __init_subclass__(cls) -> None:
        super().__init_subclass__()
        cls.slots = ("order_number", "identity_proof", *cls.details)

    def required(self, turn: Turn) -> list[str]:
        """Identity only while it is open."""
        proof = [] if turn.customer_id else ["identity_proof"]
        return ["order_number", *proof, *self.details]

    async def order_ready(self, order: Order, turn: Turn) -> None:
        """Raise the rule that forbids the task for this order, or fill slots that need no asking."""
        return

    async def check_order_number(self, value: Any, turn: Turn) -> str | None:
        """A well-formed number; that it exists is told only to its owner."""
        given = turn.given("order_number", value)
        place = place_named(given) if turn.customer_id else None
        offered = await self.crm.orders_of(turn.customer_id or "", limit=MOST_OFFERED) if place else []
        number = offered[place - 1].number if place and place <= len(offered) else find_number(given, "KT", 8)
        if number is None:
            turn.say(BAD_ORDER_NUMBER(turn.language), asked_order_number=True)
            return None
        if turn.customer_id:
            return number if await self._own_order(number, turn) else None
        last4 = turn.entity("last4")
        if last4 and "identity_proof" not in self._candidates(turn):
            turn.change(order_number=number, identity_proof=await self.check_identity_proof(last4, turn))
        return number

    async def check_identity_proof(self, value: Any, turn: Turn) -> str | None:
        """Digits or code; afterwards the order is looked at for the first time."""
        text = turn.given("identity_proof", value)
        if turn.customer_id:
            return kept_mark(text, turn)
        number = turn.slot("order_number") or find_number(
            str(self._candidates(turn).get("order_number") or ""), "KT", 8
        )
        if not number or text.startswith("verified:"):
            return None
        mark = await check_proof(self.crm, number, text, turn)
        if mark:
            await self._own_order(number, turn)
        return mark

    async def _own_order(self, number: str, turn: Turn) -> bool:
        order = await self.crm.find_order(number)
        if order is None or order.customer_id != turn.customer_id:
            buttons = await order_buttons(self.crm, turn)
            turn.say(NOT_YOUR_ORDER(turn.language, number=number), buttons, asked_order_number=True)
            return False
        try:
            await self.order_ready(order, turn)
        except CrmError as error:
            self.refuse(turn, error, ABOUT_ORDER(turn.language, number=number))
        return True


class AskOrderNumber(Question):
    """Asks for the order, with the latest ones as buttons for a customer we know."""

    action_name = "action_ask_order_number"
    slot = "order_number"

    def __init__(self, crm: Crm) -> None:
        self._crm = crm

    async def ask(self, turn: Turn) -> None:
        """Strangers must know the number."""
        buttons = await order_buttons(self._crm, turn)
        turn.say((ASK_ORDER_OF_MINE if buttons else ASK_ORDER)(turn.language), buttons)


async def order_buttons(crm: Crm, turn: Turn) -> list[dict[str, str]]:
    """The latest orders of a known customer to choose from."""
    if not turn.customer_id:
        return []
    found = await crm.orders_of(turn.customer_id, limit=MOST_OFFERED)
    return [
        button(f"{order.number} {goods(order, turn.language)}", fill("order_number", order.number)) for order in found
    ]


class Confirmation(Question):
    """Repeats what is about to be written, with its values, and asks yes or no."""

    slot = "confirmed"
    task: ClassVar[str]

    def __init__(self, crm: Crm) -> None:
        self.crm = crm
        self.action_name = f"action_ask_{self.task}_form_confirmed"

    @abstractmethod
    async def summary(self, turn: Turn) -> str:
        """What would be done, and the question."""

    async def ask(self, turn: Turn) -> None:
        """The summary with the two answers; whoever answered neither is told what to answer."""
        try:
            plainly = "\n" + PLAIN_ANSWER(turn.language) if turn.asks_again else ""
            turn.say(await self.summary(turn) + plainly, yes_no(turn.language))
        except CrmError as error:
            turn.say(explain(error, turn.language), [person_button(turn.language)])

    async def get_order(self, turn: Turn) -> Order:
        """The customer's own order; anything else is a failure here, the form has checked it."""
        return await get_order(self.crm, turn)


class Task(DeskAction):
    """Does what the form collected, says the result and clears the task's slots; identity and order stay."""

    task: ClassVar[str]
    clears: ClassVar[tuple[str, ...]] = ()
    #: The slots without which nothing can be done.
    needs: ClassVar[tuple[str, ...]] = ()
    writes: ClassVar[bool] = False

    def __init__(self, crm: Crm) -> None:
        self.crm = crm
        self.action_name = f"action_{self.task}"
        self.retry = f"/{self.task}"

    @abstractmethod
    async def submit(self, turn: Turn) -> None:
        """Do it and say the result."""

    async def act(self, turn: Turn) -> None:
        """Write only what was confirmed; when the form ended early, what it said stands."""
        if self.writes and turn.slot("confirmed") is False:
            turn.say(NOTHING_CHANGED(turn.language))
        elif self._incomplete(turn) or (self.writes and turn.slot("confirmed") is not True):
            if not turn.said():
                turn.say(
                    START_AGAIN(turn.language),
                    [button(TASKS[self.task](turn.language), f"/{self.task}"), person_button(turn.language)],
                )
        else:
            try:
                await self.submit(turn)
            except CrmError as error:
                turn.say(explain(error, turn.language), [person_button(turn.language)])
        turn.change(
            **dict.fromkeys((*self.clears, *(("confirmed",) if self.writes else ()))), misses=0.0, clarified=False
        )

    def _incomplete(self, turn: Turn) -> bool:
        values = {slot: turn.slot(slot) for slot in self.needs} | {"customer_id": turn.customer_id}
        return any(values[slot] is None for slot in self.needs)

    def after_failure(self, turn: Turn) -> None:
        """A new try asks for the yes again."""
        if self.writes:
            turn.change(confirmed=None)


async def get_order(crm: Crm, turn: Turn) -> Order:
    """The order in the slot, if it is the customer's; raises ``NotFound`` otherwise."""
    order = await crm.find_order(turn.slot("order_number") or "")
    if order is None or order.customer_id != turn.customer_id:
        raise NotFound(str(turn.slot("order_number")))
    return order
