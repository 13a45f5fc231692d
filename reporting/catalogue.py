"""What can be asked: every figure with what it counts, and what it can be broken down by.

What a figure means in words is written once in each language, in ``handoff/web/src/i18n/reports.*.ts``.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Form(StrEnum):
    """What a figure looks like."""

    COUNT = "count"  #: how many; parts add up to the whole
    SHARE = "share"  #: part of whole, both of them counts, with a 95 % interval
    SECONDS = "seconds"  #: median of durations, with the 90th percentile
    POINTS = "points"  #: from -100 to 100
    MONEY = "money"  #: in the desk's currency; parts add up to the whole
    MILLISECONDS = "milliseconds"  #: median of durations, with the 95th percentile
    ERROR = "error"  #: from 0 to 1, less is better: expected calibration error


class Unit(StrEnum):
    """What one of the things is that a figure counts; a drill-down lists exactly these."""

    CONVERSATION = "conversation"
    MESSAGE = "message"
    TURN = "turn"
    EPISODE = "episode"
    WAIT = "wait"
    CITATION = "citation"


@dataclass(frozen=True, slots=True)
class Metric:
    """One figure."""

    key: str
    form: Form
    unit: Unit
    group: str  #: the section of the reports page
    dimensions: frozenset[str]
    better: int = 0  #: 1: more is better, -1: less is, 0: neither


TIMES = ("hour", "day", "week", "month", "weekday")
#: "served" is bot or human: whose episode it was.
DIMENSIONS = ("channel", "team", "agent", "language", "intent", "model", "reason", "served", "article")
_ALL = frozenset({"channel", "team", "agent", "language", "intent", "model"})
_ENDED = _ALL | {"reason"}
_EPISODE = _ALL | {"served"}


def _metrics(*listed: Metric) -> dict[str, Metric]:
    return {one.key: one for one in listed}


METRICS: dict[str, Metric] = _metrics(
    # volume: by when the conversation was opened, the message was said, the turn began
    Metric("conversations", Form.COUNT, Unit.CONVERSATION, "volume", _ENDED),
    Metric("messages", Form.COUNT, Unit.MESSAGE, "volume", _ALL),
    Metric("turns", Form.COUNT, Unit.TURN, "volume", _ALL),
    Metric("handoffs", Form.COUNT, Unit.WAIT, "volume", _ENDED, -1),
    # the bot: of the conversations that were resolved in the period (bot_share, escalation: opened in it)
    Metric("bot_share", Form.SHARE, Unit.CONVERSATION, "bot", _ALL, 1),
    Metric("escalation", Form.SHARE, Unit.CONVERSATION, "bot", _ENDED, -1),
    Metric("contained", Form.SHARE, Unit.CONVERSATION, "resolution", _ALL, 1),
    Metric("verified", Form.SHARE, Unit.CONVERSATION, "resolution", _ENDED, 1),
    Metric("assumed", Form.SHARE, Unit.CONVERSATION, "resolution", _ENDED),
    Metric("refuted", Form.SHARE, Unit.CONVERSATION, "resolution", _ENDED, -1),
    Metric("miss_rate", Form.SHARE, Unit.TURN, "bot", _ALL, -1),
    Metric("failed_actions", Form.COUNT, Unit.TURN, "bot", _ALL, -1),
    Metric("saved_verified", Form.MONEY, Unit.CONVERSATION, "cost", _ALL, 1),
    Metric("saved_assumed", Form.MONEY, Unit.CONVERSATION, "cost", _ALL, 1),
    # what contacts thought: by when the episode ended
    Metric("csat", Form.SHARE, Unit.EPISODE, "satisfaction", _EPISODE, 1),
    Metric("nps", Form.POINTS, Unit.EPISODE, "satisfaction", _EPISODE, 1),
    Metric("response_rate", Form.SHARE, Unit.EPISODE, "satisfaction", _EPISODE, 1),
    # people: by when it was queued, opened, resolved
    Metric("first_response", Form.SECONDS, Unit.CONVERSATION, "people", _ENDED, -1),
    Metric("wait", Form.SECONDS, Unit.WAIT, "people", _ENDED, -1),
    Metric("wait_error", Form.SECONDS, Unit.WAIT, "people", _ENDED, -1),
    Metric("handle_time", Form.SECONDS, Unit.EPISODE, "people", _ALL, -1),
    Metric("first_contact_resolution", Form.SHARE, Unit.CONVERSATION, "people", _ENDED, 1),
    Metric("reopened", Form.SHARE, Unit.CONVERSATION, "people", _ENDED, -1),
    Metric("sla", Form.SHARE, Unit.WAIT, "people", _ENDED, 1),
    # knowledge: by when the question was asked
    Metric("answered", Form.COUNT, Unit.TURN, "knowledge", _ALL, 1),
    Metric("missed", Form.COUNT, Unit.TURN, "knowledge", _ALL, -1),
    Metric("cited", Form.COUNT, Unit.CITATION, "knowledge", _ALL | {"article"}),
    Metric("disliked", Form.COUNT, Unit.CITATION, "knowledge", _ALL | {"article"}, -1),
    # the model: by when the turn began
    Metric("accuracy", Form.SHARE, Unit.TURN, "model", _ALL, 1),
    Metric("calibration", Form.ERROR, Unit.TURN, "model", _ALL, -1),
    Metric("latency", Form.MILLISECONDS, Unit.TURN, "model", _ALL, -1),
)
