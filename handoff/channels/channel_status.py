"""Says in one word how a channel account is doing."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, Literal

from conversations.channel_signs import Health
from conversations.json_form import moment

Status = Literal["failing", "refusing", "connecting", "connected", "receiving", "ready", "waiting"]
_OLD_NEWS = timedelta(hours=24)  # an error nobody saw for a day says nothing about today
_UNRELATED = timedelta(minutes=10)  # a stranger's request soon after a genuine one is no wrong secret
#: Troubles of one contact or one message; the account itself is well.
_NOT_THE_ACCOUNTS = frozenset({"unreachable", "unreadable", "rate_limited"})


def status_of(form: Mapping[str, Any], health: Health, now: datetime) -> Status:
    """The status of an account, whose ``form`` says how messages come in."""
    if health.connection == "broken" or _fails(health, now):
        return "failing"
    if _refuses(health, now):
        return "refusing"
    if form["holds_connection"]:
        return "connected" if health.connection == "connected" else "connecting"
    if health.received_at is not None:
        return "receiving"
    proved = health.fine_at is not None or form["webhook"] != "pasted"
    return "ready" if proved else "waiting"


def health_json(health: Health, now: datetime) -> dict[str, Any]:
    """Everything that is known of an account."""
    return {
        "connection": health.connection,
        "received_at": moment(health.received_at),
        "sent_at": moment(health.sent_at),
        "fine_at": moment(health.fine_at),
        "error": _told(health.error, health.error_at, health.error_code),
        "refusal": _told(health.refusal, health.refused_at, "refused"),
        "errors_in_hour": health.errors_within_the_hour(now),
        "refusals_in_hour": health.refusals_within_the_hour(now),
    }


def _told(text: str | None, at: datetime | None, code: str | None) -> dict[str, Any] | None:
    return None if at is None else {"code": code or "", "text": text or "", "at": moment(at)}


def _fails(health: Health, now: datetime) -> bool:
    if health.error_at is None or health.error_code in _NOT_THE_ACCOUNTS or now - health.error_at > _OLD_NEWS:
        return False
    return all(good is None or good < health.error_at for good in (health.sent_at, health.fine_at))


def _refuses(health: Health, now: datetime) -> bool:
    if health.refused_at is None or not health.refusals_within_the_hour(now):
        return False
    genuine = max((one for one in (health.received_at, health.fine_at) if one is not None), default=None)
    return genuine is None or health.refused_at - genuine > _UNRELATED
