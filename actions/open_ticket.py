"""Report a problem: in the account of a customer we know, otherwise with a way to reach the stranger."""

from __future__ import annotations

import re
from typing import Any

from actions.base import REQUESTED_SLOT, Question, Turn
from actions.forms import Task, TaskForm
from actions.texts import Both
from crm.model import normal_contact_point
from knowledge_base.wording import fold

ASK_PROBLEM = Both(
    "请描述一下遇到的问题，越具体越好，我来帮您提交工单。",
    "Please describe the problem in as much detail as you like, and I will open a ticket for it.",
)
TOO_SHORT = Both("请再多说一点，同事才能帮上忙。", "Please say a little more, so that a colleague can help.")
ASK_CONTACT = Both(
    "同事处理时怎么联系您？请留一个邮箱或手机号。",
    "How can a colleague reach you about it? Please give an e-mail address or a phone number.",
)
ASK_ACCOUNT = Both(
    "请发一下账户的邮箱或手机号，我会发送验证码核实身份。",
    "Please give the e-mail address or phone number of your account. I will send a one-time code to it.",
)
BAD_CONTACT = Both(
    "这不像邮箱或手机号，请再发一次；海外号码请带国家代码，例如 +447700900123。",
    "That does not look like an e-mail address or a phone number. Please send it again, "
    "numbers from abroad with the country code such as +447700900123.",
)
DONE = Both(
    "工单 {number} 已提交，同事会尽快处理并联系您。凭工单号可以随时查进度。",
    "Ticket {number} is open. A colleague will look into it and get back to you. Ask me about it any time by its number.",
)
DONE_URGENT = Both(
    "工单 {number} 已加急提交。请先断电并停止使用该商品，注意安全，同事会尽快联系您。",
    "Ticket {number} is open and marked urgent. Please unplug the product and stop using it; a colleague will contact you soon.",
)
#: In simplified characters, as the words below.
DANGER = re.compile(
    r"冒烟|起火|着火|冒火|火花|爆炸|鼓包|烫伤|烧焦|漏电|触电|电击|被电|smok(e|ing)|on fire|caught fire|explo|swollen|burn(t|ed|ing)|electric shock|electrocut|sparks",
    re.IGNORECASE,
)
HURRY = re.compile(r"紧急|加急|马上|尽快|投诉|urgent|asap|immediately|complain", re.IGNORECASE)


#: What people say to open a ticket without yet saying what is wrong.
_OPENING = re.compile(
    r"你好|您好|请问|我|你们|要|想|帮|给|一下|个|报修|报告|反映|投诉|提交|开|工单|问题|故障|售后|商品|东西|产品|麻烦|有|了|的"
    r"|\b(?:hi|hello|i|i'm|im|i'd|we|you|me|my|a|an|the|to|it|is|and|please|pls|want|would|like|need|can|could|open|raise|file|log|create|submit"
    r"|report|make|ticket|case|issue|problem|complaint|support|about|with|for|something|product|order|this|help)\b",
    re.IGNORECASE,
)


def describes_a_problem(text: str) -> bool:
    """Whether the first message already says what is wrong, so that nobody is asked to say it twice."""
    rest = _OPENING.sub(" ", fold(text))
    return len(re.findall(r"[\u4e00-\u9fff]", rest)) >= 4 or len(re.findall(r"[A-Za-z]{3,}", rest)) >= 3


def priority_of(text: str) -> str:
    """Danger first, hurry second."""
    plain = fold(text)
    if DANGER.search(plain):
        return "urgent"
    return "high" if HURRY.search(plain) else "normal"


class ValidateOpenTicket(TaskForm):
    """A problem, and for strangers a contact point."""

    task = "open_ticket"
    slots = ("problem", "contact_point")

    def required(self, turn: Turn) -> list[str]:
        """Customers we know have been reached before."""
        message = turn.tracker.latest_message or {}
        starting = (
            turn.tracker.slots.get(REQUESTED_SLOT) is None and (message.get("intent") or {}).get("name") == self.task
        )
        if starting and turn.slot("problem") is None and describes_a_problem(turn.text):
            turn.change(problem=turn.text[:4000])
        return ["problem"] if turn.customer_id else ["problem", "contact_point"]

    async def check_problem(self, value: Any, turn: Turn) -> str | None:
        """A sentence at least."""
        text = turn.given("problem", value)
        if sum(character.isalpha() for character in text) < 4:  # a number alone is data, not a description
            turn.say(TOO_SHORT(turn.language), asked_problem=True)
            return None
        return text[:4000]

    async def check_contact_point(self, value: Any, turn: Turn) -> str | None:
        """An e-mail address or a phone number."""
        point = normal_contact_point(turn.given("contact_point", value))
        if point is None:
            turn.say(BAD_CONTACT(turn.language), asked_contact_point=True)
        return point


class AskProblem(Question):
    """Asks what is wrong."""

    action_name = "action_ask_problem"
    slot = "problem"

    async def ask(self, turn: Turn) -> None:
        """The same question for everybody."""
        turn.say(ASK_PROBLEM(turn.language))


class AskContactPoint(Question):
    """Asks how to reach a stranger, or where to send the code to."""

    action_name = "action_ask_contact_point"
    slot = "contact_point"

    async def ask(self, turn: Turn) -> None:
        """By the form that asks."""
        ask = ASK_CONTACT if turn.tracker.active_loop_name == "open_ticket_form" else ASK_ACCOUNT
        turn.say(ask(turn.language))


class OpenTicketAction(Task):
    """Opens it."""

    task = "open_ticket"
    clears = ("problem", "contact_point")
    needs = ("problem",)

    async def submit(self, turn: Turn) -> None:
        """An order is attached only when it is the customer's own."""
        customer_id, text = turn.customer_id, str(turn.slot("problem"))
        order = await self.crm.find_order(turn.slot("order_number") or "") if customer_id else None
        priority = priority_of(text)
        ticket = await self.crm.open_ticket(
            text,
            turn.language,
            turn.key(self.action_name),
            customer_id=customer_id,
            contact_point=None if customer_id else turn.slot("contact_point"),
            order_number=order.number if order and order.customer_id == customer_id else None,
            priority=priority,
        )
        turn.say((DONE_URGENT if priority == "urgent" else DONE)(turn.language, number=ticket.number))
