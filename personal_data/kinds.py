"""The kinds of personal data, and a place of one in a text."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Kind(StrEnum):
    """What a place in a text gives away."""

    ID_CARD = "id_card"
    BANK_CARD = "bank_card"
    PHONE = "phone"
    EMAIL = "email"
    ADDRESS = "address"
    PASSPORT = "passport"  #: also permits to travel
    PLATE = "plate"
    IP = "ip"
    NAME = "name"


#: With these, somebody else can open accounts or take money.
HIGH_RISK = frozenset({Kind.ID_CARD, Kind.BANK_CARD})
EVERY_KIND = frozenset(Kind)


@dataclass(frozen=True, slots=True, order=True)
class Span:
    """Where personal data stands: ``text[start:end]``."""

    start: int
    end: int
    kind: Kind
