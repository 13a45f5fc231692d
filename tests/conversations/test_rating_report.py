"""The figures of ratings, and that they never tell what fewer than five people answered."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from conversations.anonymity import FEWEST, Cell, Hidden, protect, recoverable
from conversations.episode_store import RatedRow
from conversations.episodes import Episode, Kind
from conversations.model import Agent, Rating, new_id
from conversations.rating_report import BREAKDOWNS, Filters, KindReport, key_of, report_of, wilson

MONDAY = datetime(2026, 3, 2, 10, tzinfo=UTC)


def rated(score: int | None = 5, **more: object) -> RatedRow:
    """A resolved human episode with an answer, or with none for ``None``."""
    values = {
        "agent": "Lin",
        "team": "default",
        "channel": "webchat",
        "language": "en",
        "intent": "order_status",
    } | more
    id, at = new_id(), MONDAY + timedelta(weeks=int(str(values.pop("week", 0))))
    name, kind = str(values["agent"]), values.get("kind", Kind.HUMAN)
    assert isinstance(kind, Kind)
    agents = (Agent(f"agent-{name}", name),) if kind is Kind.HUMAN else ()
    rating = None
    if score is not None or "solved" in values:
        solved, nps = values.get("solved"), values.get("nps")
        assert solved is None or isinstance(solved, bool)
        assert nps is None or isinstance(nps, int)
        rating = Rating(id, score, str(values.get("comment", "")), at, id, solved, nps)
    episode = Episode(
        id, id, 1, kind, at, agents, str(values["team"]), str(values["intent"]), at, "resolved", at, rating
    )
    return RatedRow(episode, str(values["channel"]), str(values["language"]))


def report(rows: list[RatedRow], kind: Kind = Kind.HUMAN, **filters: str) -> KindReport:
    return report_of(rows, kind, Filters(**filters), UTC, lambda _breakdown, key: key)


@pytest.mark.parametrize(
    ("successes", "n", "low", "high"),
    [(0, 10, 0.0, 0.2775), (5, 10, 0.2366, 0.7634), (10, 10, 0.7225, 1.0), (81, 100, 0.7222, 0.8749), (0, 0, 0.0, 1.0)],
)
def test_the_interval_is_wilsons(successes: int, n: int, low: float, high: float) -> None:
    assert wilson(successes, n) == pytest.approx((low, high), abs=5e-5)


def test_the_figures_are_counted_once_each() -> None:
    rows = [rated(5), rated(5, solved=False), rated(4), rated(3), rated(1), rated(None), rated(None, solved=True)]
    figures = report(rows).total.figures
    assert figures is not None
    assert (figures.answers, figures.scored, figures.satisfied, report(rows).total.asked) == (6, 5, 3, 7)
    assert figures.csat == pytest.approx(0.6)
    assert figures.mean == pytest.approx(3.6)
    assert figures.distribution == (1, 0, 1, 1, 2)
    assert (figures.verified, figures.refuted, figures.assumed) == (3, 1, 3)
    assert figures.verified + figures.refuted + figures.assumed == len(rows)


def test_the_bot_and_people_are_never_mixed() -> None:
    rows = [rated(5) for _ in range(5)] + [rated(1, kind=Kind.BOT) for _ in range(6)]
    people, bot = report(rows).total.figures, report(rows, Kind.BOT).total.figures
    assert people is not None
    assert bot is not None
    assert (people.mean, bot.mean) == (5, 1)


def test_recommending_is_counted_in_points_from_five_answers_on() -> None:
    rows = [rated(5, nps=nps) for nps in (10, 9, 8, 6, 10)]
    nps = report(rows).nps
    assert nps is not None
    assert (nps.promoters, nps.passives, nps.detractors, nps.points) == (3, 1, 1, pytest.approx(40))
    assert report([rated(5, nps=9) for _ in range(4)] + [rated(5)]).nps is None


def test_fewer_than_five_answers_show_neither_score_nor_words() -> None:
    found = report([rated(5, comment="thanks Lin") for _ in range(4)])
    assert (found.total.figures, found.total.hidden, found.comments) == (None, Hidden.FEW, ())


def test_four_scores_among_many_answers_are_hidden_as_well() -> None:
    found = report([rated(5) for _ in range(4)] + [rated(None, solved=True) for _ in range(5)])
    assert found.total.figures is None


def test_a_single_small_group_hides_the_next_smallest() -> None:
    rows = [rated(agent="Lin") for _ in range(9)] + [rated(agent="Max") for _ in range(7)]
    rows += [rated(agent="Eve", comment="the only one") for _ in range(2)]
    groups = {one.label: one for one in report(rows).groups if one.breakdown == "agent"}
    assert groups["Lin"].figures is not None
    assert (groups["Max"].hidden, groups["Eve"].hidden) == (Hidden.PROTECTS, Hidden.FEW)
    eve = [one for one in report(rows).comments if one.text == "the only one"]
    assert {(one.agent, one.conversation_id) for one in eve} == {(None, None)}


def test_a_filter_must_not_leave_a_few_out() -> None:
    rows = [rated(channel="webchat") for _ in range(9)] + [rated(channel="wechat") for _ in range(2)]
    assert report(rows).total.figures is not None
    assert report(rows, channel="webchat").total.figures is None  # all less these are the two on WeChat


def test_a_sum_over_other_breakdowns_gives_nothing_away() -> None:
    rows = [rated(language="zh", channel="webchat") for _ in range(20)]
    rows += [rated(language="en", channel="telegram") for _ in range(6)]
    rows += [rated(language="fr", channel="webchat") for _ in range(3)]
    shown = {(one.breakdown, one.key) for one in report(rows).groups if one.figures is not None}
    assert not {("language", "zh"), ("channel", "telegram")} <= shown


def test_what_can_be_recovered_is_recognised() -> None:
    everybody, most, one = frozenset(range(9)), frozenset(range(8)), frozenset({8})
    assert recoverable(one, [everybody, most])
    assert not recoverable(one, [everybody, frozenset(range(5))])


answers = st.lists(
    st.tuples(
        st.sampled_from(["Lin", "Max", "Eve", "Tom"]),
        st.sampled_from(["default", "repairs"]),
        st.sampled_from(["webchat", "wechat", "telegram"]),
        st.sampled_from(["zh", "en"]),
        st.sampled_from(["order_status", "return_refund", "invoice"]),
        st.integers(0, 3),
        st.one_of(st.none(), st.integers(1, 5)),
    ),
    max_size=60,
)


@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
@given(answers)
def test_no_difference_of_shown_groups_is_a_group_of_fewer_than_five(drawn: list[tuple[object, ...]]) -> None:
    names = ("agent", "team", "channel", "language", "intent", "week")
    rows = [rated(one[6], **dict(zip(names, one[:6], strict=True))) for one in drawn]  # type: ignore[arg-type]
    found = report(rows)
    scored = {number for number, row in enumerate(rows) if row.episode.rating is not None}

    def members(breakdown: str, key: str) -> frozenset[int]:
        def of(row: RatedRow) -> str:
            at = row.episode.ended_at
            assert at is not None
            return at.date().isoformat() if breakdown == "week" else key_of(breakdown, row)

        return frozenset(number for number in scored if of(rows[number]) == key)

    places = [*found.groups, *found.weeks]
    known = [members(one.breakdown, one.key) for one in places if one.figures is not None]
    if found.total.figures is not None:
        known.append(frozenset(scored))
    assert all(len(one) >= FEWEST for one in known)
    assert found.total.figures is not None or known == []
    for one in places:
        secret = members(one.breakdown, one.key)
        if 0 < len(secret) < FEWEST:
            assert not recoverable(secret, known)
    for breakdown in (*BREAKDOWNS, "week"):  # all hidden groups of a breakdown together are known: total less the shown
        hidden = [members(one.breakdown, one.key) for one in places if one.breakdown == breakdown and not one.figures]
        together = sum(map(len, hidden))
        assert found.total.figures is None or together == 0 or together >= FEWEST


@settings(max_examples=100, deadline=None)
@given(st.lists(st.integers(0, 12), min_size=1, max_size=8))
def test_at_least_two_groups_with_answers_are_hidden_or_none(sizes: list[int]) -> None:
    start, cells = 0, []
    for number, size in enumerate(sizes):
        cells.append(Cell("agent", number, (frozenset(range(start, start + size)),)))
        start += size
    total = Cell("total", "", (frozenset(range(start)),))
    protect(total, cells)
    hidden = [cell.size for cell in cells if cell.hidden is not None and cell.size]
    assert len(hidden) != 1 or (total.hidden is not None or len([size for size in sizes if size]) == 1)


def at_length(rows: list[RatedRow], period: int) -> KindReport:
    """The report of the last 4 or 12 weeks of 12, the last of which began on the Monday of week 11."""
    periods = [MONDAY + timedelta(weeks=8), MONDAY]
    return report_of(rows, Kind.HUMAN, Filters(), UTC, lambda _breakdown, key: key, periods=periods, period=period)


@given(st.lists(st.tuples(st.integers(0, 11), st.integers(1, 5), st.sampled_from(["en", "zh"])), max_size=60))
@settings(max_examples=150, deadline=None)
def test_no_two_periods_differ_by_what_a_few_people_answered(drawn: list[tuple[int, int, str]]) -> None:
    rows = [rated(score, week=week, language=language) for week, score, language in sorted(drawn)]
    short, long = at_length(rows, 0), at_length(rows, 1)
    longer = {(one.breakdown, one.key): one for one in (long.total, *long.groups)}
    for one in (short.total, *short.groups):
        other = longer[one.breakdown, one.key]
        if one.figures is not None and other.figures is not None:
            assert other.figures.answers - one.figures.answers not in range(1, 5), (one, other)


def test_a_period_that_adds_little_is_as_long_as_the_shorter_one() -> None:
    recent, old = [rated(4, week=9) for _ in range(6)], [rated(1, week=2) for _ in range(4)]
    assert at_length([*old, *recent], 1).total.figures == at_length(recent, 0).total.figures
    with_more = at_length([*old, rated(1, week=2), *recent], 1).total.figures
    assert with_more is not None
    assert with_more.answers == 11
