"""What the desk asks of the customer system before it tells a customer something."""

from __future__ import annotations

from conversations.proactive_aiming import Account, Accounts
from crm.port import Crm


def shop_accounts(crm: Crm) -> Accounts:
    """Customers and the owners of orders, each with e-mail address and language."""

    async def of_customer(customer_id: str) -> Account | None:
        customer = await crm.find_customer(customer_id)
        return None if customer is None else Account(customer.id, customer.email, customer.language)

    async def of_order(number: str) -> Account | None:
        order = await crm.find_order(number)
        return None if order is None else await of_customer(order.customer_id)

    return Accounts(of_customer, of_order)
