"""What a request of the staff API can be refused for, with the HTTP status and what to do next."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol


class Refused(Exception):
    """The request is answered with this status and ``{"error": {"code", "message"}}``."""

    def __init__(
        self,
        status: int,
        code: str,
        message: str,
        retry_after_seconds: int | None = None,
        detail: str | Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message
        self.retry_after_seconds = retry_after_seconds
        self.detail = detail  #: what the message is about, for a console that says it in its own words


class Coded(Protocol):
    """What another room refuses something with."""

    code: str


def refused_for(error: Coded, statuses: Mapping[str, int], *, otherwise: int = 400, room: str = "") -> Refused:
    """The refusal that an error of another room is; its code begins with ``room``, but for ``not_found``."""
    code = error.code if not room or error.code == "not_found" else f"{room}_{error.code}"
    return Refused(statuses.get(error.code, otherwise), code, str(error))


class StaffError(Exception):
    """A staff account cannot be made or changed as asked; the message says why."""


class EmailTaken(StaffError):
    """Somebody with this e-mail address already works here."""


class UnknownStaff(StaffError):
    """Nobody with this e-mail address or id works here."""


class WeakPassword(StaffError):
    """The password is too short to keep."""
