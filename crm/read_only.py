"""A CRM in which nothing can be changed: what is read is real, and a write says what it would have done instead."""

from __future__ import annotations

from typing import Any, NoReturn

from crm.model import Customer, Invoice, Order, ReturnReason, ReturnTerms, Ticket
from crm.port import Crm


class WouldWrite(Exception):
    """Something would have been written; ``what`` is the name of the write in the port."""

    def __init__(self, what: str) -> None:
        super().__init__(f"{what} would have been written")
        self.what = what


class ReadOnlyCrm:
    """The port over another CRM, for trying out what an action would do; every write raises ``WouldWrite``."""

    def __init__(self, crm: Crm) -> None:
        self._crm = crm

    async def find_customer(self, customer_id: str) -> Customer | None:
        """The customer with that id."""
        return await self._crm.find_customer(customer_id)

    async def search_customers(self, text: str, limit: int = 20) -> list[Customer]:
        """Customers that fit."""
        return await self._crm.search_customers(text, limit)

    async def find_order(self, number: str) -> Order | None:
        """The order with that number."""
        return await self._crm.find_order(number)

    async def orders_of(self, customer_id: str, limit: int = 5) -> list[Order]:
        """A customer's latest orders."""
        return await self._crm.orders_of(customer_id, limit)

    async def find_ticket(self, number: str) -> Ticket | None:
        """The ticket with that number."""
        return await self._crm.find_ticket(number)

    async def tickets_of(self, customer_id: str) -> list[Ticket]:
        """A customer's tickets."""
        return await self._crm.tickets_of(customer_id)

    async def find_invoice(self, order_number: str) -> Invoice | None:
        """The invoice of an order."""
        return await self._crm.find_invoice(order_number)

    async def code_pending(self, reference: str) -> bool:
        """Whether a code was asked for that can still be typed."""
        return await self._crm.code_pending(reference)

    async def quote_return(self, customer_id: str, order_number: str, line: int, reason: ReturnReason) -> ReturnTerms:
        """What a return would mean today."""
        return await self._crm.quote_return(customer_id, order_number, line, reason)

    # -- writes; a wrong proof is counted, so proving is one of them

    async def verify_last4(self, *_: Any, **__: Any) -> NoReturn:
        """Refused."""
        raise WouldWrite("verify_last4")

    async def start_code(self, *_: Any, **__: Any) -> NoReturn:
        """Refused."""
        raise WouldWrite("start_code")

    async def check_code(self, *_: Any, **__: Any) -> NoReturn:
        """Refused."""
        raise WouldWrite("check_code")

    async def change_address(self, *_: Any, **__: Any) -> NoReturn:
        """Refused."""
        raise WouldWrite("change_address")

    async def file_callback(self, *_: Any, **__: Any) -> NoReturn:
        """Refused."""
        raise WouldWrite("file_callback")

    async def close_callback(self, *_: Any, **__: Any) -> NoReturn:
        """Refused."""
        raise WouldWrite("close_callback")

    async def cancel_order(self, *_: Any, **__: Any) -> NoReturn:
        """Refused."""
        raise WouldWrite("cancel_order")

    async def request_return(self, *_: Any, **__: Any) -> NoReturn:
        """Refused."""
        raise WouldWrite("request_return")

    async def request_invoice(self, *_: Any, **__: Any) -> NoReturn:
        """Refused."""
        raise WouldWrite("request_invoice")

    async def open_ticket(self, *_: Any, **__: Any) -> NoReturn:
        """Refused."""
        raise WouldWrite("open_ticket")

    async def open_callback_ticket(self, *_: Any, **__: Any) -> NoReturn:
        """Refused."""
        raise WouldWrite("open_callback_ticket")

    async def update_ticket(self, *_: Any, **__: Any) -> NoReturn:
        """Refused."""
        raise WouldWrite("update_ticket")

    async def update_contact(self, *_: Any, **__: Any) -> NoReturn:
        """Refused."""
        raise WouldWrite("update_contact")
