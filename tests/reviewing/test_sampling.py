"""Samples: whoever draws with the same seed draws the same, strata take turns, and nobody reviews their own work."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reviewing.sampling import Candidate, Criteria, draw, draw_for_all, in_turn
from tests.reviewing.builders import candidate

REVIEWERS = ["ada", "ben", "cai"]


@st.composite
def candidates(draw: st.DrawFn) -> list[Candidate]:
    """Conversations of a few agents, on a few channels, in which some reviewers took part."""
    numbers = draw(st.lists(st.integers(0, 10_000), unique=True, max_size=40))
    return [
        candidate(
            number,
            agent_id=draw(st.sampled_from(["lin", "max", None])),
            channel=draw(st.sampled_from(["webchat", "wecom"])),
            people=draw(st.frozensets(st.sampled_from(REVIEWERS), max_size=3)),
        )
        for number in numbers
    ]


@given(
    candidates(), st.integers(1, 6), st.text(max_size=5), st.sampled_from(["none", "agent", "channel"]), st.randoms()
)
def test_a_draw_keeps_its_promises(found, each, seed, stratum, shuffling) -> None:  # type: ignore[no-untyped-def]
    drawn = draw(found, REVIEWERS, each, seed, stratum)
    for reviewer, chosen in drawn.by_reviewer.items():
        assert len(chosen) <= each
        assert all(reviewer not in one.people for one in chosen)
    everything = [one.conversation_id for chosen in drawn.by_reviewer.values() for one in chosen]
    assert len(everything) == len(set(everything))
    shuffled = list(found)
    shuffling.shuffle(shuffled)
    assert draw(shuffled, REVIEWERS, each, seed, stratum) == drawn
    left = [one for one in found if one.conversation_id not in everything]
    for reviewer, chosen in drawn.by_reviewer.items():  # whoever has room left had nothing more to review
        assert len(chosen) == each or all(reviewer in one.people for one in left)


@given(candidates(), st.integers(1, 6))
def test_to_compare_reviewers_everybody_gets_the_same_and_nobody_their_own(found: list[Candidate], each: int) -> None:
    drawn = draw_for_all(found, REVIEWERS[:2], each, "seed")
    assert drawn.by_reviewer["ada"] == drawn.by_reviewer["ben"]
    assert all(not one.people & {"ada", "ben"} for one in drawn.by_reviewer["ada"])


def test_another_seed_draws_others() -> None:
    found = [candidate(number) for number in range(50)]
    one, other = (draw(found, ["ada"], 5, seed).by_reviewer["ada"] for seed in ("1", "2"))
    assert one != other


def test_a_busy_agent_does_not_crowd_the_others_out() -> None:
    found = [candidate(number, agent_id="busy") for number in range(90)]
    found += [candidate(100 + number, agent_id=f"quiet-{number % 2}") for number in range(10)]
    chosen = in_turn(found, "seed", "agent")[:9]
    assert Counter(one.agent_id for one in chosen) == {"busy": 3, "quiet-0": 3, "quiet-1": 3}
    assert Counter(one.agent_id for one in in_turn(found, "seed")[:9])["busy"] > 5


@pytest.mark.parametrize(
    ("criteria", "fitting"),
    [
        ({"rating_to": 2}, {"rating": 2}),
        ({"refuted": True}, {"refuted": True}),
        ({"misses_from": 2}, {"misses": 2}),
        ({"waited_from_seconds": 300}, {"waited_seconds": 300.0}),
        ({"negative": True}, {"negative": True}),
        ({"handed_off": True}, {"handed_off": True}),
        ({"agent_id": "max"}, {"agent_id": "max"}),
        ({"team_id": "vip"}, {"team_id": "vip"}),
        ({"channel": "wecom"}, {"channel": "wecom"}),
        ({"language": "zh"}, {"language": "zh"}),
        ({"intent": "return_refund"}, {"intent": "return_refund"}),
    ],
)
def test_what_is_looked_for_is_found_and_nothing_else(criteria: dict[str, object], fitting: dict[str, object]) -> None:
    wanted, plain = Criteria(**criteria), candidate(1)  # type: ignore[arg-type]
    assert not wanted.fits(plain)
    assert wanted.fits(replace(plain, **fitting))  # type: ignore[arg-type]
    assert Criteria().fits(plain)
