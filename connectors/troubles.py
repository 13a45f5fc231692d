"""One short word for what went wrong with a channel, for whoever shows it in their own words."""

from __future__ import annotations

from typing import Literal

from connectors.base import BadPayload
from connectors.checked_address import ForbiddenAddress
from conversations.errors import (
    ChannelUnavailable,
    ContactUnreachable,
    DeliveryUnknown,
    InvalidMessage,
    MessageRejected,
    RateLimited,
)

Trouble = Literal[
    "unreachable", "forbidden_address", "rejected", "unavailable", "unknown", "rate_limited", "unreadable", "crashed"
]
_WORDS: tuple[tuple[type[Exception] | tuple[type[Exception], ...], Trouble], ...] = (
    (ContactUnreachable, "unreachable"),
    (RateLimited, "rate_limited"),
    (DeliveryUnknown, "unknown"),
    (ChannelUnavailable, "unavailable"),
    (ForbiddenAddress, "forbidden_address"),
    (MessageRejected, "rejected"),
    ((BadPayload, InvalidMessage), "unreadable"),
)


def trouble_of(error: Exception) -> Trouble:
    """The word for an error; anything that was not foreseen crashed."""
    return next((word for kind, word in _WORDS if isinstance(error, kind)), "crashed")


def reason_of(error: Exception) -> str:
    """What an error says, or at least what it is."""
    return str(error) or type(error).__name__
