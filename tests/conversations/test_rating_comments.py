"""Comments and recommendations tell nothing about a group whose figures are not shown."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from conversations.episode_store import RatedRow
from conversations.episodes import Episode, Kind
from conversations.model import Agent, Rating, new_id
from conversations.rating_report import Filters, KindReport, report_of

MONDAY = datetime(2026, 3, 2, 10, tzinfo=UTC)
LIN = Agent("agent-lin", "Lin")


def commented(*, week: int = 0, channel: str = "webchat", nps: int | None = None, kind: Kind = Kind.HUMAN) -> RatedRow:
    """A resolved episode with a score and a comment that says where it took place."""
    id, at = new_id(), MONDAY + timedelta(weeks=week)
    rating = Rating(id, 2, f"{channel} {week}", at, id, None, nps)
    agents = (LIN,) if kind is Kind.HUMAN else ()
    episode = Episode(id, id, 1, kind, at, agents, "default", "order_status", at, "resolved", at, rating)
    return RatedRow(episode, channel, "en")


def report(rows: list[RatedRow], kind: Kind = Kind.HUMAN, **filters: str) -> KindReport:
    return report_of(rows, kind, Filters(**filters), UTC, lambda _breakdown, key: key)


def test_a_comment_of_a_week_that_is_not_shown_names_no_week_and_leads_nowhere() -> None:
    found = report([commented() for _ in range(9)] + [commented(week=1) for _ in range(6)] + [commented(week=2)])
    weeks = {one.key: one.figures is not None for one in found.weeks}
    assert weeks == {"2026-03-02": True, "2026-03-09": False, "2026-03-16": False}
    for one in found.comments:
        shown = one.text == "webchat 0"
        assert (one.week is not None, one.conversation_id is not None) == (shown, shown), one


def test_a_comment_on_the_bot_in_a_channel_that_is_not_shown_leads_nowhere() -> None:
    rows = [commented(kind=Kind.BOT) for _ in range(9)]
    rows += [commented(kind=Kind.BOT, channel="rest") for _ in range(6)]
    rows += [commented(kind=Kind.BOT, channel="email")]
    found = report(rows, Kind.BOT)
    assert {one.key for one in found.groups if one.breakdown == "channel" and one.figures} == {"webchat"}
    assert {one.text for one in found.comments if one.conversation_id is not None} == {"webchat 0"}


def test_recommendations_are_not_told_for_a_filter_so_that_no_difference_tells_what_a_few_said() -> None:
    rows = [commented(nps=9) for _ in range(6)] + [commented(channel="rest", nps=0)]
    rows += [commented(channel="rest") for _ in range(6)]  # the channel is shown, its one recommendation may not be
    assert report(rows).nps is not None
    assert report(rows, channel="webchat").total.figures is not None
    assert report(rows, channel="webchat").nps is None
