"""What the routes of agent assist and of translations accept."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from handoff.bodies import Body, Prose


class RejectBody(Body):
    """Why a card is of no use."""

    reason: Literal["wrong", "outdated", "not_relevant", "wrong_tone", "private", "other"]


class ReportQuery(Body):
    """How many days to look back."""

    days: Annotated[int, Field(ge=1, le=366)] = 30


class TranslateMessageBody(Body):
    """Which message to translate, and into what."""

    seq: Annotated[int, Field(ge=1, le=2**31 - 1)]
    to: Literal["zh", "en"]


class TranslateReplyBody(Body):
    """What an agent wrote, to be translated before it is sent."""

    text: Annotated[Prose, Field(min_length=1, max_length=8000)]
    to: Literal["zh", "en"]
