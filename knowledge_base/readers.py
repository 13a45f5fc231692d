"""Who may read an article and when: audiences, and the dates between which an article holds."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

if TYPE_CHECKING:
    from knowledge_base.articles import Article

CUSTOMER = "customer"  #: everybody who asks belongs to this audience
SHANGHAI = ZoneInfo("Asia/Shanghai")
AUDIENCE = re.compile(r"[a-z][a-z0-9_-]{0,31}")


@dataclass(frozen=True, slots=True)
class Reader:
    """Whoever asks, at a moment; what this reader may not read is never found, quoted, suggested or linked to."""

    audiences: frozenset[str] = frozenset({CUSTOMER})
    at: datetime = field(default_factory=lambda: datetime.now(UTC))

    @classmethod
    def of(cls, audiences: Iterable[str], at: datetime | None = None) -> Reader:
        """A reader who is a customer and belongs to these audiences, too."""
        return cls(frozenset({CUSTOMER, *audiences}), at or datetime.now(UTC))

    def may_read(self, article: Article) -> bool:
        """Whether the article is meant for this reader and holds at this moment."""
        return not self.audiences.isdisjoint(article.audience) and holds_at(article, self.at)


def holds_at(article: Article, at: datetime) -> bool:
    """Whether the moment lies between the article's dates; the last moment is not included."""
    begun = article.valid_from is None or article.valid_from <= at
    return begun and (article.valid_until is None or at < article.valid_until)


def first_moment(day: date, zone: ZoneInfo) -> datetime:
    """Midnight at the beginning of the day in this zone, in UTC."""
    return datetime.combine(day, time.min, zone).astimezone(UTC)


def moment_after(day: date, zone: ZoneInfo) -> datetime:
    """Midnight at the end of the day, so that something valid until that day holds all day."""
    return first_moment(day + timedelta(days=1), zone)
