"""What other programs tell the desk about their customers: an order was shipped, and the like."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Annotated, Any, Protocol, Self

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError, model_validator

from connectors.base import BadPayload
from connectors.rest import MAX_IDEMPOTENCY_KEY, explain, is_idempotency_key

Named = Annotated[str, StringConstraints(min_length=1, max_length=254, strip_whitespace=True)]


class Told(Protocol):
    """An event as the desk keeps it."""

    @property
    def id(self) -> str: ...
    @property
    def kind(self) -> str: ...
    @property
    def state(self) -> str: ...
    @property
    def reason(self) -> str | None: ...
    @property
    def created_at(self) -> datetime: ...
    @property
    def due_at(self) -> datetime: ...
    @property
    def expires_at(self) -> datetime: ...
    @property
    def settled_at(self) -> datetime | None: ...
    @property
    def channel(self) -> str | None: ...
    @property
    def account(self) -> str | None: ...
    @property
    def how(self) -> str | None: ...


class Events(Protocol):
    """Who takes events, and the wish to hear no more of them."""

    async def tell(
        self,
        owner: str,
        key: str,
        kind: str,
        recipient: Mapping[str, str],
        data: Mapping[str, Any],
        valid_for: timedelta | None,
    ) -> tuple[Told, bool]:
        """Take an event; True if it was known. Raises ``InvalidMessage``, ``IdempotencyConflict``."""
        ...

    async def find(self, owner: str, id: str) -> Told:
        """What became of an event; raises ``NotFound``."""
        ...

    async def stopped_by(self, token: str) -> Told | None:
        """The message of a link to end such messages; None for a link that is not ours."""
        ...

    async def stop(self, token: str) -> bool:
        """End such messages for whoever got the one with this link."""
        ...


class Where(BaseModel):
    """One address of a contact, as the desk names it."""

    model_config = ConfigDict(extra="forbid", strict=True)

    channel: Annotated[str, StringConstraints(pattern=r"^[a-z]{1,40}$")]
    account: Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9_-]{0,39}$")] = "default"
    contact: Annotated[str, StringConstraints(min_length=1, max_length=500)]


class Event(BaseModel):
    """The body of ``POST /api/v1/events``."""

    model_config = ConfigDict(extra="forbid", strict=True)

    type: Annotated[str, StringConstraints(min_length=1, max_length=40)]
    customer: Named | None = None
    order: Named | None = None
    email: Annotated[str, StringConstraints(pattern=r"^[^\s@<>,;:\"\\]{1,64}@[^\s@<>,;:\"\\]{1,189}$")] | None = None
    address: Where | None = None
    data: dict[str, str | int] = Field(default_factory=dict, max_length=40)
    idempotency_key: Annotated[str, StringConstraints(min_length=1, max_length=MAX_IDEMPOTENCY_KEY)] | None = None
    valid_hours: Annotated[float, Field(gt=0, le=720)] | None = None

    @model_validator(mode="after")
    def _somebody_is_named(self) -> Self:
        if sum(one is not None for one in (self.customer, self.order, self.email, self.address)) != 1:
            raise ValueError("name exactly one of customer, order, email and address: who is to be told")
        return self

    @property
    def recipient(self) -> dict[str, str]:
        """Whom it is for."""
        where = self.address
        named = {
            "customer": self.customer,
            "order": self.order,
            "email": self.email,
            "address": f"{where.channel}:{where.account}:{where.contact}" if where else None,
        }
        return {name: value for name, value in named.items() if value is not None}

    @property
    def valid_for(self) -> timedelta | None:
        """How long it is worth telling, if the program says so."""
        return None if self.valid_hours is None else timedelta(hours=self.valid_hours)


def read_event(body: bytes, header_key: str | None) -> tuple[Event, str]:
    """The event of a body and its key; raises ``BadPayload`` with the field that is wrong."""
    try:
        event = Event.model_validate_json(body)
    except ValidationError as error:
        raise BadPayload(explain(error).removeprefix("value error, ")) from None
    key = event.idempotency_key or header_key
    if not key or not is_idempotency_key(key):
        raise BadPayload(
            "idempotency_key: give the event a key of 1 to 255 printable characters, so that it is told once"
        )
    return event, key


def event_form(told: Told) -> dict[str, Any]:
    """An event as the program that told it may see it."""
    times = {name: getattr(told, name) for name in ("created_at", "expires_at", "settled_at")}
    return {
        "id": told.id,
        "type": told.kind,
        "state": told.state,
        "reason": told.reason,
        "channel": told.channel,
        "account": told.account,
        "how": told.how,
        "next_try_at": told.due_at.isoformat() if told.state == "waiting" else None,
        **{name: at.isoformat() if at is not None else None for name, at in times.items()},
    }
