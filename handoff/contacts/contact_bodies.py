"""What the staff API accepts about contacts: edits, tickets, links to customers, merges."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, StringConstraints, model_validator

from handoff.bodies import Body, Identifier, Prose

Revision = Annotated[int, Field(ge=0, le=2**31 - 1)]
CustomerId = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_.:-]{1,64}$")]
_OrderNumber = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9-]{1,16}$")]
Priority = Literal["low", "normal", "high", "urgent"]


class ContactBody(Body):
    """What is changed of a contact; an empty text takes a value away, what is not named stays."""

    revision: Revision
    name: Annotated[Prose, Field(max_length=1000)] | None = None
    language: Annotated[Prose, Field(max_length=8)] | None = None
    tier: Annotated[Prose, Field(max_length=16)] | None = None
    note: Annotated[Prose, Field(max_length=8000)] | None = None

    @model_validator(mode="after")
    def _check(self) -> Self:
        if not self.values():
            raise ValueError("name at least one of name, language, tier and note")
        return self

    def values(self) -> dict[str, str]:
        """The fields that are to be changed."""
        given = {"name": self.name, "language": self.language, "tier": self.tier, "note": self.note}
        return {name: value for name, value in given.items() if value is not None}


class CustomerBody(Body):
    """What is changed of a customer's account; ``key`` makes a repeat harmless."""

    key: Identifier
    revision: Revision
    field: Literal["name", "phone", "email"]
    value: Annotated[Prose, Field(max_length=300)]


class LinkBody(Body):
    """Which customer an agent thinks the contact is."""

    customer_id: CustomerId


class TicketBody(Body):
    """A ticket as an agent opens it; ``key`` makes a repeat harmless."""

    key: Identifier
    subject: Annotated[Prose, Field(max_length=80)] = ""
    text: Annotated[Prose, Field(min_length=1, max_length=4000)]
    priority: Priority = "normal"
    order_number: _OrderNumber | None = None
    contact_point: Annotated[Prose, Field(max_length=300)] = ""
    conversation_id: Identifier | None = None  #: where it came up


class TicketUpdateBody(Body):
    """What is changed of a ticket; ``key`` makes a repeat harmless."""

    key: Identifier
    revision: Revision
    status: Literal["open", "in_progress", "waiting", "resolved"] | None = None
    priority: Priority | None = None
    comment: Annotated[Prose, Field(max_length=4000)] = ""
    conversation_id: Identifier | None = None

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.status is None and self.priority is None and not self.comment.strip():
            raise ValueError("change the status or the priority, or write a comment")
        return self


class TellingBody(Body):
    """Whether a contact is told a kind of news without asking; "*" is every kind."""

    kind: Annotated[str, StringConstraints(pattern=r"^(\*|[a-z][a-z0-9_]{0,39})$")]
    on: bool


class MergeContactBody(Body):
    """Which contact is put into the one of the path."""

    source_id: Identifier


class SeparateBody(Body):
    """Which merge is taken back."""

    merge_id: Identifier


class HistoryQuery(Body):
    """Which part of a contact's conversations to read."""

    cursor: Annotated[str, StringConstraints(pattern=r"^[\x21-\x7e]{1,300}$")] | None = None
    limit: Annotated[int, Field(ge=1, le=50)] = 10


class FindQuery(Body):
    """What to look for; nothing: what is likely."""

    q: Annotated[Prose, Field(max_length=200)] = ""
