"""Which customer somebody is whose phone, e-mail or id another system vouches for: exactly one, or nobody.

What is vouched for is compared as it is, but for case, spaces in phone numbers and the country's code. Letters that only
look alike (Cyrillic а, full-width ａ) are other letters: a site that lets people sign up with them would otherwise hand
over somebody's account.
"""

from __future__ import annotations

import re
from collections.abc import Collection

from crm.model import Customer, normal_phone
from crm.port import Crm

_FOUND = 20  #: with more than that the number says nothing
_EMAIL = re.compile(r"[!-?A-~]{1,64}@[!-?A-~]{1,190}")


class Vouching:
    """Asks the customer system; ``accepted`` names whose word counts, as the setting ``VOUCHED_PROOF`` does."""

    def __init__(self, crm: Crm, accepted: Collection[str]) -> None:
        self._crm = crm
        self._accepted = frozenset(accepted)

    async def of_point(self, point: str) -> str | None:
        """The customer with a phone number or e-mail address that a channel vouches for."""
        kind = "channel_email" if "@" in point else "channel_phone"
        return await self._with_point(point) if kind in self._accepted else None

    async def of_site_user(self, user_id: str, email: str | None, phone: str | None) -> str | None:
        """The customer whom a site's signature names; nobody if what it names leads to different ones."""
        found: set[str] = set()
        if "site_id" in self._accepted:
            customer = await self._crm.find_customer(user_id)
            found |= {customer.id} if customer is not None else set()
        for kind, point in (("site_email", email), ("site_phone", phone)):
            if point and kind in self._accepted:
                named = await self._all_with_point(point)
                if len(named) > 1:
                    return None
                found |= named
        return found.pop() if len(found) == 1 else None

    async def _with_point(self, point: str) -> str | None:
        found = await self._all_with_point(point)
        return found.pop() if len(found) == 1 else None

    async def _all_with_point(self, point: str) -> set[str]:
        if not point.isascii():
            return set()
        if "@" in point:
            if _EMAIL.fullmatch(point) is None:
                return set()
            asked = point.lower()
            return {one.id for one in await self._asked(asked) if (one.email or "").lower() == asked}
        phone = normal_phone(point)
        if phone is None:
            return set()
        return {one.id for one in await self._asked(phone) if one.phone and normal_phone(one.phone) == phone}

    async def _asked(self, text: str) -> list[Customer]:
        found = await self._crm.search_customers(text, _FOUND)
        return found if len(found) < _FOUND else []
