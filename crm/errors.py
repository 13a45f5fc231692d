"""What the shop's rules forbid, in the words of the shop; the bot's actions turn these into sentences for customers."""

from __future__ import annotations

from datetime import datetime


class CrmError(Exception):
    """Something about a customer's account could not be done."""

    code = "crm_error"


class NotFound(CrmError):
    """There is no such customer, order or ticket in this account."""

    code = "not_found"


class AlreadyShipped(CrmError):
    """The parcel has left the warehouse: refuse it or return it."""

    code = "already_shipped"


class OrderClosed(CrmError):
    """The order was cancelled or returned and takes no more changes."""

    code = "order_closed"

    def __init__(self, status: str) -> None:
        super().__init__(f"the order is {status}")
        self.status = status


class NotDelivered(CrmError):
    """A return starts after delivery."""

    code = "not_delivered"


class ReturnTooLate(CrmError):
    """The days in which this reason allows a return are over."""

    code = "return_too_late"

    def __init__(self, days: int) -> None:
        super().__init__(f"more than {days} days since delivery")
        self.days = days


class HygieneRule(CrmError):
    """Opened earbuds and headphones come back only when they are faulty."""

    code = "hygiene_rule"


class AlreadyRequested(CrmError):
    """This was asked for before; ``ticket_number`` is where it is followed up."""

    code = "already_requested"

    def __init__(self, ticket_number: str) -> None:
        super().__init__(f"already requested, see {ticket_number}")
        self.ticket_number = ticket_number


class NotPaid(CrmError):
    """An invoice needs a paid order."""

    code = "not_paid"


class InvoiceTooLate(CrmError):
    """Invoices are made for ``days`` days after the order, titles are corrected for ``days`` days after issue."""

    code = "invoice_too_late"

    def __init__(self, days: int) -> None:
        super().__init__(f"more than {days} days")
        self.days = days


class BadValue(CrmError):
    """A value does not look like what it should be; ``field`` says which."""

    code = "bad_value"

    def __init__(self, field: str) -> None:
        super().__init__(f"not a usable {field}")
        self.field = field


class ContactInUse(CrmError):
    """Another account already uses this phone number or e-mail address."""

    code = "contact_in_use"


class ChangedMeanwhile(CrmError):
    """Somebody else changed the record after it was read; read it again before changing it."""

    code = "changed_meanwhile"


class TicketMove(CrmError):
    """A ticket cannot go from its status to the one asked for."""

    code = "ticket_move"

    def __init__(self, source: str, target: str) -> None:
        super().__init__(f"a ticket that is {source} cannot become {target}")


class Locked(CrmError):
    """Too many wrong answers about one order; until then only a one-time code helps."""

    code = "locked"

    def __init__(self, until_at: datetime) -> None:
        super().__init__(f"locked until {until_at.isoformat()}")
        self.until_at = until_at


class CodeExpired(CrmError):
    """There is no valid one-time code: it expired, was used, was tried too often, or was never sent."""

    code = "code_expired"
