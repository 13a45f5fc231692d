"""Tries an account out: does the channel know us, and does a message arrive? No conversation hears of it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime

import structlog

from connectors.base import Connector
from connectors.troubles import reason_of, trouble_of
from conversations.errors import DeliveryUnknown, RateLimited
from conversations.model import Author, MessageKind, OutboundMessage, new_id

log = structlog.get_logger()

_SECONDS = 30.0


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a trial went: who we are there, or the channel's id of the message, or the trouble and its reason."""

    ok: bool
    code: str = ""
    detail: str = ""
    retry_after_seconds: float | None = None


def checkable(connector: Connector) -> bool:
    """Whether the account's credentials can be proved without sending anything."""
    return type(connector).check is not Connector.check


async def check(connector: Connector) -> Outcome:
    """Ask the channel whether it knows us; the account's health hears the answer."""
    outcome = await _tried(connector, connector.check)
    if outcome.ok:
        connector.report("fine", "", "")
    elif outcome.code != "rate_limited":
        connector.report("failed", outcome.code, outcome.detail)
    return outcome


async def send_test(connector: Connector, to: str, text: str, now: datetime) -> Outcome:
    """Send one message now; the account's health hears how it went."""
    # As the bot would say it: what is said for agents may cost money, or open a window, with some channels.
    message = OutboundMessage(new_id(), new_id(), 0, Author.BOT, MessageKind.TEXT, text, now)
    outcome = await _tried(connector, lambda: connector.send(to, message))
    if outcome.ok:
        connector.report("sent", "", "")
    elif outcome.code != "rate_limited":
        connector.report("failed", outcome.code, outcome.detail)
    return outcome


async def _tried(connector: Connector, work: Callable[[], Awaitable[str]]) -> Outcome:
    try:
        async with asyncio.timeout(_SECONDS):
            return Outcome(True, detail=await work())
    except TimeoutError:
        return Outcome(False, "unknown", str(DeliveryUnknown(f"no answer within {_SECONDS:.0f} seconds")))
    except RateLimited as error:
        return Outcome(False, "rate_limited", str(error), error.retry_after_seconds)
    except Exception as error:
        code = trouble_of(error)
        if code == "crashed":
            log.error("channel_trial_crashed", channel=connector.channel, account=connector.account, error=repr(error))
        return Outcome(False, code, reason_of(error))
