"""Fills the variables of canned replies from the conversation, the customer system and the calendar."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import structlog

from conversations.conversations import Conversations
from conversations.model import Author, Conversation
from crm.model import Customer, Order, Ticket
from crm.port import Crm
from handoff.store import StaffMember
from handoff.writing.canned import Filled, fill, variables_in

_CRM_SECONDS = 4.0
_ORDERS = 20
_RECENT = 60  # messages in which an order or ticket may have been named
_NUMBER = re.compile(
    r"(?<![A-Za-z0-9])(?:KT\d{8}|TK\d{6})(?!\d)", re.IGNORECASE
)  # also right after a Chinese character
_CHINESE = re.compile(r"[\u3400-\u9fff·]+")
_ORDER_STATUS = {
    "unpaid": ("待付款", "waiting for payment"),
    "paid": ("已付款，待发货", "paid and being prepared"),
    "packed": ("已打包，等待快递取件", "packed and waiting for the courier"),
    "shipped": ("运输中", "on its way"),
    "delivered": ("已签收", "delivered"),
    "cancelled": ("已取消", "cancelled"),
    "returned": ("已退货", "returned"),
}
_TICKET_STATUS = {
    "open": ("待处理", "open"),
    "in_progress": ("处理中", "being worked on"),
    "waiting": ("等待您回复", "waiting for your answer"),
    "resolved": ("已解决", "resolved"),
}
_DAYS_ZH = "一二三四五六日"
log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class _Known:
    customer: Customer | None = None
    order: Order | None = None
    ticket: Ticket | None = None
    ticket_number: str | None = None


class Variables:
    """Where values come from; ``team_name`` is asked for ``team.name`` where the desk has teams."""

    def __init__(
        self,
        conversations: Conversations,
        crm: Crm,
        zone: ZoneInfo,
        team_name: Callable[[Conversation, str], Awaitable[str | None]] | None = None,
    ) -> None:
        self._conversations = conversations
        self._crm = crm
        self._zone = zone
        self.team_name = team_name

    async def fill(self, text: str, conversation: Conversation, member: StaffMember, language: str) -> Filled:
        """The text for this conversation, with what could not be filled; only what it uses is looked up."""
        wanted = variables_in(text)
        zh = language == "zh"
        known = await self._look_up(conversation, wanted)
        name = _name_in((known.customer.name if known.customer else None) or conversation.contact_name, language)
        today = self._conversations.now().astimezone(self._zone)
        values: dict[str, str | None] = {
            "contact.name": name,
            "contact.first_name": _first(name),
            "agent.name": _name_in(member.name, language),
            "ticket.number": known.ticket_number,
            "date.today": _day(today, zh),
            "date.tomorrow": _day(today + timedelta(days=1), zh),
        }
        if known.order is not None:
            status = _ORDER_STATUS.get(known.order.status.value)
            values |= {
                "order.number": known.order.number,
                "order.status": status[not zh] if status else None,
                "order.product": known.order.items[0].name(language) if known.order.items else None,
            }
        if known.ticket is not None:
            shown = _TICKET_STATUS.get(known.ticket.status.value)
            values["ticket.status"] = shown[not zh] if shown else None
        if "team.name" in wanted and self.team_name is not None:
            values["team.name"] = await self.team_name(conversation, language)
        return fill(text, values)

    async def _look_up(self, conversation: Conversation, wanted: Iterable[str]) -> _Known:
        """The customer, and the order and ticket spoken of last; else the newest of each. Only what the identity allows."""
        kinds = {name.partition(".")[0] for name in wanted}
        callback = conversation.callback_ticket
        if conversation.customer_id is None or not kinds & {"contact", "order", "ticket"}:
            return _Known(ticket_number=callback)
        customer_id = conversation.customer_id
        try:
            async with asyncio.timeout(_CRM_SECONDS):
                customer = await self._crm.find_customer(customer_id) if "contact" in kinds else None
                orders = await self._crm.orders_of(customer_id, _ORDERS) if "order" in kinds else []
                tickets = await self._crm.tickets_of(customer_id) if "ticket" in kinds else []
        except Exception as error:  # the agent fills in by hand what the CRM does not tell
            log.warning("crm_unavailable", conversation_id=conversation.id, error=error)
            return _Known(ticket_number=callback)
        named = await self._named(conversation) if orders or tickets else []
        order = next((one for number in named for one in orders if one.number == number), orders[0] if orders else None)
        newest = max(tickets, key=lambda one: one.opened_at, default=None)
        ticket = next((one for number in [*named, callback] for one in tickets if one.number == number), newest)
        return _Known(customer, order, ticket, ticket.number if ticket else callback)

    async def _named(self, conversation: Conversation) -> list[str]:
        """Order and ticket numbers in the last messages, the last one first."""
        after = max(0, conversation.last_seq - _RECENT)
        said = await self._conversations.messages(conversation.id, after, _RECENT)
        found = [n.upper() for one in said if one.author is not Author.SYSTEM for n in _NUMBER.findall(one.text)]
        return found[::-1]


def _name_in(name: str | None, language: str) -> str | None:
    """Of a name written in both scripts ("Chen Yu 陈雨") the part the language reads; any other name as it is."""
    chinese = _CHINESE.findall(name or "")
    latin = _CHINESE.sub(" ", name or "").strip()
    if not name or not chinese or not latin:
        return name
    return "".join(chinese) if language == "zh" else latin


def _first(name: str | None) -> str | None:
    """What to call somebody: the first word of a Latin name, the whole of a Chinese one."""
    return name.split()[0] if name and name.strip() else None


def _day(moment: datetime, zh: bool) -> str:
    if zh:
        return f"{moment.month}月{moment.day}日（周{_DAYS_ZH[moment.weekday()]}）"
    return f"{moment:%A}, {moment.day} {moment:%B}"
