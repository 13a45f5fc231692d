"""What a load run saw: each message from the moment it should have been sent, and everything that went wrong."""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass, field

Spread = dict[str, float | None]
_EXAMPLES = 5


@dataclass(slots=True)
class Record:
    """Times in seconds on one monotonic clock."""

    begins_at: float = 0.0  #: messages due before it warm the desk up and are not counted
    due: list[float] = field(default_factory=list)
    acks: list[float] = field(default_factory=list)  #: from due to acknowledged
    replies: list[float] = field(default_factory=list)  #: from due to the first words of the answer
    reply_at: list[float] = field(default_factory=list)
    late: list[float] = field(default_factory=list)  #: from due to sent: waiting for the last answer, or our own lag
    by_channel: Counter[str] = field(default_factory=Counter)
    wrong: Counter[str] = field(default_factory=Counter)  #: kind of error -> how many
    examples: list[str] = field(default_factory=list)
    acknowledged: int = 0  #: warm-up included
    replied: int = 0

    def sent(self, channel: str, due_at: float, now: float) -> None:
        """A message goes out."""
        if due_at >= self.begins_at:
            self.due.append(due_at)
            self.late.append(now - due_at)
            self.by_channel[channel] += 1

    def acked(self, due_at: float, now: float) -> None:
        """The desk has said that it keeps the message."""
        self.acknowledged += 1
        if due_at >= self.begins_at:
            self.acks.append(now - due_at)

    def answered(self, due_at: float, now: float) -> None:
        """The contact can read the answer."""
        self.replied += 1
        if due_at >= self.begins_at:
            self.replies.append(now - due_at)
            self.reply_at.append(now)

    def error(self, kind: str, detail: str) -> None:
        """Something that a contact would call broken, also while warming up."""
        self.wrong[kind] += 1
        if len(self.examples) < _EXAMPLES:
            self.examples.append(f"{kind}: {detail}")

    @property
    def errors(self) -> int:
        """How much went wrong."""
        return sum(self.wrong.values())


def spread(seconds: list[float]) -> Spread:
    """p50, p95 and p99 in ms by the nearest rank, so that a tail is never interpolated away; None without any value."""
    ordered = sorted(seconds)

    def at(share: float) -> float | None:
        if not ordered:
            return None
        return round(ordered[max(0, math.ceil(share * len(ordered)) - 1)] * 1000, 1)

    return {"p50": at(0.5), "p95": at(0.95), "p99": at(0.99)}
