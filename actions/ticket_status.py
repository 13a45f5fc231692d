"""How far is my ticket: its state and what colleagues wrote last."""

from __future__ import annotations

from typing import Any

from actions.base import Question, Turn
from actions.forms import Task, TaskForm
from actions.identity import check_proof, kept_mark
from actions.texts import TICKET_STATUS, Both, button, fill, moment, person_button
from crm.errors import NotFound
from crm.model import Ticket, find_number
from crm.port import Crm

ASK = Both("请发一下工单号（TK 开头加 6 位数字）。", "Please send the ticket number (TK and 6 digits).")
ASK_MINE = Both("想查哪个工单？可以直接点选，或者发工单号。", "Which ticket is it? Pick one or send its number.")
BAD_NUMBER = Both(
    "这个工单号看起来不对：工单号是 TK 加 6 位数字，例如 TK100234。请再发一次。",
    "That does not look like a ticket number: it is TK and 6 digits, for example TK100234. Please send it again.",
)
NOT_YOURS = Both(
    "在您的账户里没有找到工单 {number}，请核对一下工单号。",
    "I cannot find ticket {number} in your account. Please check the number.",
)
STATUS = Both("工单 {number}（{subject}）：{status}。", "Ticket {number} ({subject}) is {status}.")
LAST = Both("{at} {author}：{text}", "{at}, {author}: {text}")
OPENED = Both("提交时间：{at}。", "Opened on {at}.")


class ValidateTicketStatus(TaskForm):
    """The number, then who is asking."""

    task = "ticket_status"
    slots = ("ticket_number", "identity_proof")

    def required(self, turn: Turn) -> list[str]:
        """Identity only while it is open."""
        return ["ticket_number"] if turn.customer_id else ["ticket_number", "identity_proof"]

    async def check_ticket_number(self, value: Any, turn: Turn) -> str | None:
        """A well-formed number; that it exists is told only to its owner."""
        number = find_number(turn.given("ticket_number", value), "TK", 6)
        if number is None:
            turn.say(BAD_NUMBER(turn.language), asked_ticket_number=True)
            return None
        if turn.customer_id:
            ticket = await self.crm.find_ticket(number)
            if ticket is None or ticket.customer_id != turn.customer_id:
                buttons = await ticket_buttons(self.crm, turn)
                turn.say(NOT_YOURS(turn.language, number=number), buttons, asked_ticket_number=True)
                return None
        return number

    async def check_identity_proof(self, value: Any, turn: Turn) -> str | None:
        """Digits or code of whoever stands behind the ticket."""
        text, number = turn.given("identity_proof", value), turn.slot("ticket_number")
        if turn.customer_id:
            return kept_mark(text, turn)
        if not number or text.startswith("verified:"):
            return None
        return await check_proof(self.crm, number, text, turn)


class AskTicketNumber(Question):
    """Asks for the ticket, with the latest ones as buttons for a customer we know."""

    action_name = "action_ask_ticket_number"
    slot = "ticket_number"

    def __init__(self, crm: Crm) -> None:
        self._crm = crm

    async def ask(self, turn: Turn) -> None:
        """Strangers must know the number."""
        buttons = await ticket_buttons(self._crm, turn)
        turn.say((ASK_MINE if buttons else ASK)(turn.language), buttons)


class TicketStatusAction(Task):
    """Tells state and latest comment."""

    task = "ticket_status"
    clears = ("ticket_number",)
    needs = ("ticket_number",)

    async def submit(self, turn: Turn) -> None:
        """Checks again whose ticket it is: the slot alone proves nothing."""
        number = str(turn.slot("ticket_number"))
        ticket = await self.crm.find_ticket(number)
        proved = turn.slot("identity_proof") == f"verified:{number}"
        if ticket is None or not (proved or (turn.customer_id and ticket.customer_id == turn.customer_id)):
            raise NotFound(number)
        turn.say(ticket_text(ticket, turn.language), [person_button(turn.language)])


async def ticket_buttons(crm: Crm, turn: Turn) -> list[dict[str, str]]:
    """The latest tickets of a known customer to choose from."""
    found = (await crm.tickets_of(turn.customer_id))[:3] if turn.customer_id else []
    return [button(f"{ticket.number} {ticket.subject}", fill("ticket_number", ticket.number)) for ticket in found]


def ticket_text(ticket: Ticket, language: str) -> str:
    """A ticket's state, and the latest comment or when it was opened."""
    status = TICKET_STATUS[ticket.status](language)
    lines = [STATUS(language, number=ticket.number, subject=ticket.subject[:60], status=status)]
    country = "CN" if language == "zh" else "GB"
    if ticket.comments:
        last = ticket.comments[-1]
        lines.append(LAST(language, at=moment(last.at, country, language), author=last.author, text=last.text))
    else:
        lines.append(OPENED(language, at=moment(ticket.opened_at, country, language)))
    return "\n".join(lines)
