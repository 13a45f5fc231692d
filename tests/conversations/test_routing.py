"""The decisions of the routing, on their own: which team, what order, which agent, how long."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from types import MappingProxyType
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from conversations import routing
from conversations.routing import Candidate, Facts, Waiting
from conversations.teams import Member, Roster, Rule, Team
from tests.conversations.builders import team

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)


def after(seconds: float) -> datetime:
    return NOON + timedelta(seconds=seconds)


def roster(*teams: Team, rules: tuple[Rule, ...] = (), members: tuple[Member, ...] = ()) -> Roster:
    return Roster(teams or (team(),), MappingProxyType({one.agent_id: one for one in members}), rules)


def facts(channel: str = "webchat", language: str = "en", *topics: str, tier: str = "standard") -> Facts:
    return Facts(channel, language, frozenset(topics), tier)


def agent(name: str, load: int = 0, idle: float = 0, free: float = 0, state: str = "online") -> Candidate:
    return Candidate(name, name, state, load, after(idle), after(free))


def waits(id: str = "c", rank: float = 0, **more: Any) -> Waiting:
    return Waiting(
        **{"id": id, "team_id": "default", "language": "en", "rank_at": after(rank), "queued_at": NOON, **more}
    )


def team_of(desk: Roster, known: Facts, closed: tuple[str, ...] = ()) -> str:
    return routing.route(desk, known, lambda one: one.id not in closed).team.id


# which team


def test_the_first_rule_whose_every_condition_holds_decides() -> None:
    desk = roster(
        team("default"),
        team("vip"),
        team("english"),
        rules=(
            Rule("vip", tiers=("vip",), topics=("handoff", "return_refund")),
            Rule("english", languages=("en",)),
            Rule("vip", tiers=("vip",)),
        ),
    )
    assert team_of(desk, facts("webchat", "zh", "return_refund", tier="vip")) == "vip"
    assert team_of(desk, facts("webchat", "en", "greet", tier="vip")) == "english"
    assert team_of(desk, facts("webchat", "zh", "greet", tier="vip")) == "vip"
    assert team_of(desk, facts("webchat", "zh", "greet")) == "default"


def test_a_rule_may_be_switched_off_or_passed_over_while_its_team_is_closed() -> None:
    rules = (Rule("night", only_when_open=True), Rule("day", enabled=False), Rule("late"))
    desk = roster(team("default"), team("night"), team("day"), team("late"), rules=rules)
    assert team_of(desk, facts()) == "night"
    assert team_of(desk, facts(), closed=("night",)) == "late"


def test_without_a_rule_the_team_that_serves_such_conversations_takes_them_and_the_default_team_the_rest() -> None:
    desk = roster(
        team("default"), team("after-sales", intents=("return_refund",)), team("telegram", channels=("telegram",))
    )
    assert team_of(desk, facts("webchat", "en", "return_refund")) == "after-sales"
    assert team_of(desk, facts("telegram")) == "telegram"
    assert team_of(desk, facts("webchat")) == "default"


def test_a_new_team_that_names_nothing_gets_nothing_until_it_is_sent_something() -> None:
    desk = roster(team("repairs"), team("default"))
    assert team_of(desk, facts()) == "default"


def test_a_team_that_is_gone_or_switched_off_gets_nothing() -> None:
    desk = roster(team("default"), team("off", active=False), rules=(Rule("gone"), Rule("off")))
    assert team_of(desk, facts()) == "default"


def test_a_rule_adds_what_the_agent_must_be_able_to_do_to_what_the_team_needs() -> None:
    desk = roster(team("default", skills=("chat",)), rules=(Rule("default", skills=("refunds", "chat")),))
    assert routing.route(desk, facts(), lambda _: True).skills == ("chat", "refunds")


@settings(deadline=None)
@given(st.lists(st.sampled_from(["a", "b", "gone"]), max_size=4), st.sampled_from(["webchat", "rest"]))
def test_every_conversation_has_a_team_that_is_there(rules: list[str], channel: str) -> None:
    desk = roster(team("a", channels=("rest",)), team("b", active=False), rules=tuple(Rule(one) for one in rules))
    assert routing.route(desk, facts(channel), lambda _: True).team.active


# whom


def chosen(desk: Roster, one: Waiting, *agents: Candidate) -> str | None:
    found = routing.choose_agent(desk, one, agents)
    return found.agent_id if found else None


def test_the_agent_who_served_the_contact_before_is_asked_first_when_they_can_take_one() -> None:
    one = waits(previous_agent="known")
    known, idle = agent("known", load=4), agent("idle")
    assert chosen(roster(), one, idle, known) == "known"
    assert chosen(roster(), one, idle, agent("known", load=5)) == "idle"


def test_then_the_least_loaded_by_share_of_what_they_can_take_then_the_longest_idle() -> None:
    desk = roster(members=(Member("big", "big", capacity=10),))
    assert chosen(desk, waits(), agent("small", load=2), agent("big", load=3)) == "big"
    assert chosen(roster(), waits(), agent("just now", idle=50), agent("long", idle=10)) == "long"


def test_skills_language_team_presence_and_capacity_are_needed() -> None:
    desk = roster(
        team(members=frozenset({"able", "stranger-less", "monoglot"})),
        members=(
            Member("able", "able", ("en", "zh"), ("refunds",)),
            Member("monoglot", "monoglot", ("zh",), ("refunds",)),
            Member("outsider", "outsider", (), ("refunds",)),
        ),
    )
    one = waits(skills=("refunds",))
    assert chosen(desk, one, agent("outsider"), agent("monoglot"), agent("able", load=3)) == "able"
    assert chosen(desk, one, agent("outsider"), agent("able", state="away")) is None
    assert chosen(desk, one, agent("able", load=5)) is None


def test_supervisors_are_asked_only_where_they_are_named_as_members() -> None:
    boss = Member("boss", "boss", oversees=True)
    assert chosen(roster(members=(boss,)), waits(), agent("boss")) is None
    assert chosen(roster(team(members=frozenset({"boss"})), members=(boss,)), waits(), agent("boss")) == "boss"


def test_when_nobody_there_speaks_the_language_somebody_is_asked_all_the_same() -> None:
    desk = roster(members=(Member("zh-only", "zh-only", ("zh",)),))
    assert chosen(desk, waits(language="en"), agent("zh-only")) == "zh-only"


def test_who_did_not_take_it_is_asked_again_only_after_becoming_free_once_more() -> None:
    one = waits(asked={"a": after(10)})
    assert chosen(roster(), one, agent("a", free=5)) is None
    assert chosen(roster(), one, agent("a", free=20)) == "a"


states = st.sampled_from(["online", "online", "away", "offline"])
desks = st.lists(st.tuples(states, st.integers(0, 6), st.integers(1, 5), st.booleans()), max_size=5)


@settings(deadline=None)
@given(desks, st.lists(st.tuples(st.integers(-500, 500), st.booleans(), st.booleans()), max_size=12))
def test_a_plan_asks_nobody_for_more_than_they_can_take_and_nothing_twice(
    people: list[tuple[str, int, int, bool]], queue: list[tuple[int, bool, bool]]
) -> None:
    members = tuple(
        Member(f"a{n}", f"a{n}", ("en",) if mono else (), ("skill",) if not mono else (), capacity)
        for n, (_, _, capacity, mono) in enumerate(people)
    )
    agents = [agent(f"a{n}", load, state=state) for n, (state, load, _, _) in enumerate(people)]
    listed = [
        waits(f"c{n}", rank, language="zh" if zh else "en", skills=("skill",) if skilled else ())
        for n, (rank, zh, skilled) in enumerate(queue)
    ]
    desk = roster(members=members)
    plan = routing.plan_offers(desk, listed, agents, after(1000))
    assert len({conversation for conversation, _ in plan}) == len(plan)
    for n, (state, load, capacity, _) in enumerate(people):
        taken = sum(found.agent_id == f"a{n}" for _, found in plan)
        assert taken == 0 or (state == "online" and load + taken <= capacity)
    offered = dict(plan)
    for one in listed:
        if one.id in offered:
            assert set(one.skills) <= set(desk.member(offered[one.id].agent_id).skills)
    left = [one for one in listed if one.id not in offered]
    still = {found.agent_id: found for found in agents}
    for conversation, found in plan:
        before = still[found.agent_id]
        still[found.agent_id] = Candidate(
            before.agent_id, before.name, before.state, before.load + 1, before.idle_since, before.free_since
        )
        assert conversation in offered
    assert all(routing.choose_agent(desk, one, still.values()) is None for one in left)  # nobody waits needlessly


# in what order


def test_the_sooner_the_first_answer_is_due_the_sooner_it_is_served() -> None:
    quick, slow = routing.rank_at(after(60), 0), routing.rank_at(after(300), 0)
    assert quick < slow


@settings(deadline=None)
@given(
    st.sampled_from([*routing.MANUAL_SECONDS, None]),
    st.sampled_from([*routing.TIER_SECONDS, None]),
    st.floats(-1, 1) | st.none(),
)
def test_whoever_comes_back_from_an_agent_is_served_before_all_who_never_had_one(
    manual: str | None, tier: str | None, sentiment: float | None
) -> None:
    most = routing.head_start_seconds(manual="urgent", tier="vip", sentiment=-1.0)
    back = routing.head_start_seconds(back_in_queue=True, manual=manual, tier=tier, sentiment=sentiment)
    fresh = routing.head_start_seconds(manual=manual, tier=tier, sentiment=sentiment)
    assert back > most >= fresh >= routing.LEAST_SECONDS
    assert back <= routing.MOST_SECONDS


arrivals = st.lists(
    st.tuples(
        st.integers(1, 400),  # seconds since the one before
        st.booleans(),
        st.sampled_from([*routing.MANUAL_SECONDS]),
        st.sampled_from([*routing.TIER_SECONDS]),
        st.sampled_from([-1.0, 0.0, 1.0]),
        st.sampled_from([60, 300]),
    ),
    min_size=1,
    max_size=6,
)


@settings(deadline=None)
@given(arrivals, arrivals, st.integers(0, 5))
def test_nobody_starves_whatever_arrives(
    before: list[tuple[int, bool, str, str, float, int]],
    pattern: list[tuple[int, bool, str, str, float, int]],
    victim: int,
) -> None:
    """However much more urgent all later ones are, and although each accept lets another one in."""

    def arrive(number: int, now: datetime, kind: tuple[int, bool, str, str, float, int]) -> Waiting:
        _, back, manual, tier, sentiment, promise = kind
        head_start = routing.head_start_seconds(back_in_queue=back, manual=manual, tier=tier, sentiment=sentiment)
        rank = routing.rank_at(now + timedelta(seconds=promise), head_start)
        return Waiting(f"c{number:06}", "default", "en", rank, now)

    now, queue = NOON, []
    for number, kind in enumerate(before):
        now += timedelta(seconds=kind[0])
        queue.append(arrive(number, now, kind))
    waiting = queue[victim % len(queue)]
    # Later ones overtake only while they come within the head start, and one comes per accept.
    step = min(kind[0] for kind in pattern)
    limit = len(queue) + (routing.MOST_SECONDS - routing.LEAST_SECONDS + 300) // step + 2
    accepts = 0
    while any(one.id == waiting.id for one in queue):
        served = routing.in_order(queue)[0]
        queue.remove(served)
        accepts += 1
        assert accepts <= limit
        kind = pattern[accepts % len(pattern)]
        now += timedelta(seconds=kind[0])
        queue.append(arrive(1000 + accepts, now, kind))
        if now - waiting.rank_at > timedelta(seconds=routing.MOST_SECONDS):  # nobody new gets ahead any more
            ahead = sum(one.rank_at < waiting.rank_at for one in queue)
            limit = min(limit, accepts + ahead + 1)


# how long


def test_the_wait_is_learned_from_how_long_others_waited_and_shared_by_those_on_duty() -> None:
    stays = [(300.0, 3, 2)] * 6  # at place 3 with two agents: 200 seconds of an agent's time a place
    assert routing.expected_wait_seconds(1, 1, stays, []) == 200
    assert routing.expected_wait_seconds(3, 2, stays, []) == 300
    assert routing.expected_wait_seconds(3, 0, stays, []) == 600  # one will come, it is hoped


def test_a_forecast_that_was_too_short_makes_the_next_one_longer() -> None:
    told = routing.expected_wait_seconds(2, 1, [(100.0, 1, 1)] * 5, [])
    later = routing.expected_wait_seconds(2, 1, [(100.0, 1, 1)] * 5 + [(900.0, 2, 1)] * 8, [])
    assert later > told


@settings(deadline=None)
@given(
    st.integers(1, 500),
    st.integers(0, 50),
    st.lists(st.tuples(st.floats(0, 1e5), st.integers(1, 50), st.integers(0, 9)), max_size=20),
)
def test_a_forecast_is_a_time_one_can_say(place: int, agents: int, stays: list[tuple[float, int, int]]) -> None:
    seconds = routing.expected_wait_seconds(place, agents, stays, [])
    assert 0 < seconds <= 4 * 3600
    assert seconds <= routing.expected_wait_seconds(place + 1, agents, stays, [])


@pytest.mark.parametrize(
    ("told_place", "told", "since", "place", "expected", "tells"),
    [
        (4, 480, 130, 1, 60, True),  # next now
        (9, 900, 130, 4, 400, True),  # half of those ahead are gone
        (9, 900, 130, 8, 800, False),
        (2, 240, 130, 2, 240, False),
        (2, 240, 60, 1, 60, False),  # told a minute ago
        (2, 240, 400, 2, 240, True),  # it takes longer than was said
        (2, 240, 130, 6, 900, True),  # others were put first
        (1, 60, 130, 1, 60, False),
    ],
)
def test_a_contact_hears_again_only_what_matters(
    told_place: int, told: float, since: float, place: int, expected: float, tells: bool
) -> None:
    assert routing.worth_telling(told_place, told, since, place, expected) is tells


@pytest.mark.parametrize(
    ("text", "looks"),
    [
        ("my number is 1380013", True),
        ("mail me at lin@", True),
        ("it is KT20260001", False),
        ("I ordered 2 of them for 399", False),
        ("+44 7700 9001", True),
    ],
)
def test_something_like_a_phone_number_or_address_is_noticed(text: str, looks: bool) -> None:
    assert routing.looks_like_contact_point(text) is looks
