"""What thresholds would bring: a log reckoned by hand, what must hold of any log, and logs whose truth is known."""

from __future__ import annotations

from dataclasses import asdict, replace
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from learning.limit_cases import Band, Case, Done
from learning.limit_curves import STEPS, Limits, cell_of, cell_of_limit
from learning.limits import OUTCOMES, Costs, Outcome, Reckoning, held_out_curve
from tests.learning.limit_builders import IN_FORCE, World, acted, asked_back, case, looked_up


def shares(outcome: Outcome) -> dict[str, float]:
    return {name: getattr(outcome, name).value for name in OUTCOMES}


# -- by hand

#: Ten messages: four acted on, two asked back, four looked up. Nothing was said about any of them, and silence counts for
#: nothing, so that acting at a score s is believed to be right with a chance of s.
BY_HAND = [
    acted(1, 0.905), acted(2, 0.805), acted(3, 0.705), acted(4, 0.605),
    asked_back(5, 0.405), asked_back(6, 0.355),
    looked_up(7, 0.805, score=0.105), looked_up(8, 0.205, score=0.105), looked_up(9, 0.605), looked_up(10, 0.305),
]  # fmt: skip


def test_the_outcomes_of_a_small_log_are_those_reckoned_by_hand() -> None:
    found = Reckoning(BY_HAND, silence=0.0).outcome(IN_FORCE, Costs())
    # acted on: 0.905 + 0.805 + 0.705 + 0.605 right; quoted: 0.805 + 0.605 right
    handed_of_acted, handed_of_asked, handed_of_missed = 0.2 / 6, 0.2 / 4, 0.2 / 4
    right = ((1 - handed_of_acted) * 3.02 + 1.41) / 10
    wrong = ((1 - handed_of_acted) * 0.98 + 0.59) / 10
    assert shares(found) == pytest.approx(
        {
            "right": right,
            "wrong": wrong,
            "clarified": (1 - handed_of_asked) * 0.2,
            "missed": (1 - handed_of_missed) * 0.2,
            "handed_off": handed_of_acted * 0.4 + handed_of_asked * 0.2 + handed_of_missed * 0.2,
        },
        abs=2e-4,
    )
    assert found.reckoned == 0.0


def test_a_higher_gate_turns_quotes_into_misses_and_says_that_this_was_never_seen() -> None:
    reckoning = Reckoning(BY_HAND, silence=0.0)
    found = reckoning.outcome(replace(IN_FORCE, retrieval=0.7), Costs())
    assert found.missed.value + found.handed_off.value == pytest.approx(0.3 + 0.2 / 6 * 0.4 + 0.2 / 4 * 0.2, abs=2e-4)
    assert found.reckoned == pytest.approx(0.1)  # the quote at 0.605 is one of ten


def test_acting_on_what_was_asked_back_is_reckoned_and_not_seen() -> None:
    found = Reckoning(BY_HAND, silence=0.0).outcome(Limits(0.3, 0.3, 0.5), Costs())
    assert found.clarified.value == pytest.approx(0.0, abs=1e-5)
    assert found.reckoned == pytest.approx(0.2)


def test_outcomes_move_the_curve_away_from_what_the_model_believes() -> None:
    believed = Reckoning([acted(n, 0.8) for n in range(300)], silence=0.0)
    bad = Reckoning([acted(n, 0.8, wrong=n % 2 == 0) for n in range(300)], silence=0.0)
    silent = Reckoning([acted(n, 0.8, wrong=True if n % 10 == 0 else None) for n in range(300)], silence=1.0)
    cell = cell_of(0.8)
    assert believed.seen.right[0, cell] == pytest.approx(0.805, abs=0.001)
    assert bad.seen.right[0, cell] == pytest.approx(0.5, abs=0.02)
    assert silent.seen.right[0, cell] == pytest.approx(0.9, abs=0.01)


def test_a_log_without_outcomes_leaves_a_wide_interval_and_outcomes_narrow_it() -> None:
    world = World(0.0, 1.0)
    unlabelled = [replace(one, act_wrong=None, answer_wrong=None, helped=None) for one in world.log(1)]
    _, vague = Reckoning(unlabelled, silence=0.0).cheapest(Costs())
    _, sure = Reckoning(world.log(1), silence=0.0).cheapest(Costs())
    assert sure["answer"].high - sure["answer"].low < (vague["answer"].high - vague["answer"].low) / 2


@pytest.mark.parametrize("own", [Limits(0.2, 0.1, 0.4), Limits(0.5, 0.3, 0.5), Limits(0.8, 0.5, 0.7)])
def test_as_long_as_nothing_is_known_the_model_keeps_the_thresholds_it_came_with(own: Limits) -> None:
    silent = [replace(one, act_wrong=None, answer_wrong=None, helped=None) for one in World(0.0, 1.0).log(1, 600)]
    best, found = Reckoning(silent, silence=0.0, own=own).cheapest(Costs())
    assert best.answer == pytest.approx(own.answer, abs=0.12)
    assert best.retrieval == pytest.approx(own.retrieval, abs=0.06)
    assert found["answer"].low < own.answer < found["answer"].high


def test_outcomes_outweigh_the_thresholds_that_the_model_came_with() -> None:
    log = World(0.0, 1.0).log(1)
    low, high = (Reckoning(log, 0.0, own=Limits(at, at / 2, at)).cheapest(Costs())[0].answer for at in (0.2, 0.8))
    assert abs(high - low) < 0.1


def test_an_empty_log_is_no_failure() -> None:
    reckoning = Reckoning([], silence=0.5, draws=20)
    limits, _ = reckoning.cheapest(Costs())
    assert 0 <= limits.clarify <= limits.answer <= 1
    assert reckoning.outcome(IN_FORCE, Costs()).reckoned == 0.0


def test_messages_of_one_conversation_count_as_one_voice() -> None:
    apart = [acted(n, 0.8, wrong=n % 4 == 0) for n in range(200)]
    together = [replace(one, conversation_id=f"c{int(one.message_id[8:]) // 20}") for one in apart]
    together = [replace(one, act_wrong=int(one.conversation_id[1:]) % 4 == 0) for one in together]

    def width(cases: list[Case]) -> float:
        wrong = Reckoning(cases, silence=0.0).outcome(IN_FORCE, Costs()).wrong
        return wrong.high - wrong.low

    assert width(together) > 2 * width(apart)


def test_the_same_log_gives_the_same_figures_to_the_last_digit() -> None:
    log = World(0.2, 1.1).log(3, 600)
    one, other = Reckoning(log), Reckoning(list(log))
    assert one.cheapest(Costs()) == other.cheapest(Costs())
    assert one.outcome(IN_FORCE, Costs()) == other.outcome(IN_FORCE, Costs())


def test_of_labelled_lines_the_curve_says_what_is_acted_on_and_what_of_it_wrongly() -> None:
    curve = {point["at"]: point for point in held_out_curve([(0.9, True), (0.6, False), (0.3, False), (0.2, True)])}
    assert curve[0.0] == {"at": 0.0, "acted": 1.0, "wrong": 0.5}
    assert curve[0.5] == {"at": 0.5, "acted": 0.5, "wrong": 0.25}
    assert curve[1.0] == {"at": 1.0, "acted": 0.0, "wrong": 0.0}
    assert held_out_curve([]) == []


# -- of any log

_SCORE = st.integers(0, 100).map(lambda hundredths: hundredths / 100)
_TOLD = st.sampled_from([True, False, None])


@st.composite
def logs(draw: st.DrawFn) -> list[Case]:
    found = []
    for number in range(draw(st.integers(0, 25))):
        voice = {"conversation_id": f"c{draw(st.integers(0, 6))}"}
        kind = draw(st.sampled_from(["acted", "asked", "looked up", "question", "handed"]))
        score, article, told = draw(_SCORE), draw(_SCORE), draw(_TOLD)
        if kind == "acted":
            found.append(acted(number, max(score, 0.5), wrong=told, **voice))
        elif kind == "asked":
            found.append(asked_back(number, 0.3 + score * 0.19, helped=told, **voice))
        elif kind == "handed":
            found.append(case(number, Done.HANDED_OFF, score=0.4, band=Band.CLARIFY, **voice))
        else:
            seen = told if article >= 0.5 else None
            found.append(looked_up(number, article, score=score * 0.29 if kind == "looked up" else None, wrong=seen))
    return found


_COSTS = st.builds(Costs, st.floats(0, 20), st.floats(0, 5), st.floats(0, 5), st.floats(0, 5), st.floats(0, 1))
_LIMITS = st.tuples(_SCORE, _SCORE, _SCORE).map(lambda t: Limits(max(t[0], t[1]), min(t[0], t[1]), t[2]))


@settings(max_examples=60, deadline=None)
@given(logs(), _LIMITS, _COSTS)
def test_the_outcomes_of_any_thresholds_add_up_to_all_messages(log: list[Case], limits: Limits, costs: Costs) -> None:
    found = Reckoning(log, costs.silence, draws=5).outcome(limits, costs)
    assert sum(shares(found).values()) == pytest.approx(1.0)
    assert all(figure >= -1e-12 for figure in shares(found).values())
    assert 0 <= found.reckoned <= 1
    assert found.wrong.low <= found.wrong.value <= found.wrong.high


@settings(max_examples=40, deadline=None)
@given(logs(), _LIMITS)
def test_raising_a_threshold_never_answers_more_and_never_more_wrongly(log: list[Case], limits: Limits) -> None:
    reckoning = Reckoning(log, draws=1)

    def swept(which: str, start: float) -> list[Outcome]:
        steps = [float(step) for step in STEPS if step >= start][::5]
        return [reckoning.outcome(replace(limits, **{which: step}), Costs()) for step in steps]

    for found in (swept("answer", limits.clarify), swept("retrieval", 0.0)):
        for lower, higher in pairwise(found):
            assert higher.wrong.value <= lower.wrong.value + 1e-9
            assert higher.right.value + higher.wrong.value <= lower.right.value + lower.wrong.value + 1e-9


@settings(max_examples=40, deadline=None)
@given(logs(), _COSTS, st.lists(_LIMITS, min_size=10, max_size=30))
def test_no_other_thresholds_cost_less_than_the_recommended_ones(
    log: list[Case], costs: Costs, others: list[Limits]
) -> None:
    reckoning = Reckoning(log, costs.silence, draws=1)
    best, _ = reckoning.cheapest(costs)
    least = reckoning.outcome(best, costs).cost.value
    nearby = [
        Limits(*(min(1.0, max(0.0, value)) for value in (best.answer + a, min(best.clarify + c, best.answer + a), best.retrieval + g)))
        for a in (-0.01, 0, 0.01) for c in (-0.01, 0, 0.01) for g in (-0.01, 0, 0.01)
    ]  # fmt: skip
    for other in (*others, *nearby, IN_FORCE):
        assert least <= reckoning.outcome(other, costs).cost.value + 1e-9, asdict(other)


@given(st.floats(0, 1), st.floats(0, 1))
def test_a_score_reaches_a_threshold_in_cells_only_if_it_does_so_in_truth(score: float, limit: float) -> None:
    if cell_of(score) >= cell_of_limit(limit):
        assert score >= limit - 1e-9
    elif score >= limit:
        assert score - limit < 0.01  # scores are counted in hundredths


# -- logs whose truth is known


def true_answer_and_gate(world: World, costs: Costs) -> tuple[float, float]:
    """The cheapest thresholds for somebody who knows the truth; without handoffs a miss only costs a miss."""
    scores = (np.arange(101) + 0.5) / 100
    quote = costs.wrong * (1 - world.right(scores))
    lie = scores**0.6 * np.clip(1 - scores, 0, 1) ** 0.4  # how the articles' scores lie
    articles = float((np.minimum(quote, costs.missed) * lie).sum() / lie.sum())
    act = costs.wrong * (1 - world.right(scores))
    ask = costs.clarified + (1 - world.helps(scores)) * costs.missed
    return float(STEPS[np.argmax(act <= np.minimum(ask, articles))]), float(STEPS[np.argmax(quote <= costs.missed)])


@pytest.mark.parametrize(
    "world", [World(0.0, 1.0), World(0.8, 0.8), World(-0.6, 1.4)], ids=["as said", "modest", "vain"]
)
def test_the_interval_holds_the_true_optimum_in_nine_of_ten_logs(world: World) -> None:
    costs = Costs(wrong=3.0, clarified=0.3, handed_off=1.0, missed=0.6, silence=0.0)
    answer, gate = true_answer_and_gate(world, costs)
    held = {"answer": 0, "retrieval": 0}
    seeds = 30
    for seed in range(seeds):
        _, found = Reckoning(world.log(seed, 1500), costs.silence, seed=seed).cheapest(costs)
        for name, truth in (("answer", answer), ("retrieval", gate)):
            held[name] += found[name].low - 0.0051 <= truth <= found[name].high + 0.0051
    assert min(held.values()) >= 0.9 * seeds, (held, answer, gate)
