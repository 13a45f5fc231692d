"""The supervisor's parts of one service process, beside the routes that show them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol
from zoneinfo import ZoneInfo

from conversations.change import STAFF
from conversations.conversations import Conversations
from conversations.work_leases import WorkLeases
from crm.codes import SmtpCodeSender
from handoff.supervising.review_side import open_reviews
from reporting.alerts import Alerts
from reporting.digest_sending import Digests, Mailer
from reporting.posting import Posting, Sender
from reporting.reports import Reports


class Part(Protocol):
    """What runs in the background."""

    async def start(self) -> None:
        """Begin."""

    async def close(self) -> None:
        """Stop."""


@dataclass(slots=True)
class Overview:
    """The parts that the routes use; a desk without one of them says so when asked for it."""

    reports: Any = None
    reviews: Any = None
    alerts: Any = None
    digests: Any = None

    def _parts(self) -> list[Part]:
        return [part for part in (self.reports, self.reviews, self.alerts, self.digests) if part is not None]

    async def start(self) -> None:
        """Begin what runs in the background."""
        for part in self._parts():
            await part.start()

    async def close(self) -> None:
        """Stop it, the last begun first."""
        for part in reversed(self._parts()):
            await part.close()


async def open_overview(
    conversations: Conversations,
    leases: WorkLeases,
    time_zone: str,
    public_url: str,
    mail: SmtpCodeSender | None,
    sender: Sender | None = None,
) -> Overview:
    """Every part over one desk's conversations; ``mail`` sends what is sent by e-mail, if anything does, ``sender`` what is
    posted to other programs."""
    zone = ZoneInfo(time_zone)
    reports = Reports(conversations.database, leases, zone, conversations.now, give_way=conversations.give_way)
    overview = Overview(reports=reports, reviews=open_reviews(conversations))
    if sender is not None:
        overview.alerts = open_alerts(conversations, leases, zone, public_url, sender)
        overview.digests = open_digests(conversations, leases, reports, public_url, sender, mail)
    return overview


def open_alerts(
    conversations: Conversations, leases: WorkLeases, zone: ZoneInfo, public_url: str, sender: Sender
) -> Alerts:
    """What rises suddenly, told to the consoles."""

    async def tell(event: dict[str, Any]) -> None:
        await conversations.hub.publish(STAFF, event)

    posting = Posting(conversations.database, sender, conversations.now)
    return Alerts(
        conversations.database, conversations.audit, leases, zone, posting, tell,
        public_url=public_url, now=conversations.now,
    )  # fmt: skip


def open_digests(
    conversations: Conversations,
    leases: WorkLeases,
    reports: Reports,
    public_url: str,
    sender: Sender,
    mail: Mailer | None,
) -> Digests:
    """Figures that are sent regularly."""
    return Digests(
        conversations.database, conversations.audit, leases, reports, sender, mail,
        public_url=public_url, now=conversations.now,
    )  # fmt: skip
