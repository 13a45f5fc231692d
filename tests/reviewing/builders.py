"""What the tests of this room are built from: candidates, reviews and filled-in scorecards."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from conversations.model import Agent
from reviewing.default_cards import default_card
from reviewing.sampling import Candidate
from reviewing.scorecards import Answer, Card
from reviewing.states import Review

NOON = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
ADA, BEN, LIN = Agent("reviewer-ada", "Ada"), Agent("reviewer-ben", "Ben"), Agent("agent-lin", "Lin")


def candidate(number: int, **more: Any) -> Candidate:
    """A finished conversation of Lin's."""
    values = {"channel": "webchat", "language": "en", "agent_id": LIN.id, "agent_name": LIN.name}
    id = f"{number:032x}"
    return Candidate(id, f"contact-{number}", NOON + timedelta(minutes=number), **(values | more))


def filled(card: Card | None = None, *, scale: int = 5, **answers: Answer) -> dict[str, Answer]:
    """Every question answered: with yes, or with this mark, unless told otherwise."""
    asked = (card or default_card()).questions
    return {one.key: "yes" if one.form == "yes_no" else scale for one in asked} | answers


def a_review(**more: Any) -> Review:
    """Ada's draft about Lin."""
    values: dict[str, Any] = {"agent_id": LIN.id, "agent_name": LIN.name, "people": frozenset({LIN.id})} | more
    return Review("r" * 32, "s" * 32, "c" * 32, "contact", "human", ADA, "standard", 1, NOON, **values)
