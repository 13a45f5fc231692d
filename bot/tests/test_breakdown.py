"""What the figures of an evaluation are made of adds up to the figures."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from bot.breakdown import breakdown, confusions, decided, histogram, matrix
from bot.measure import OUT_OF_SCOPE, Parsed, by_intent, figures, reliability

INTENTS = ("greet", "joke", "order_status")


def parsed(
    intent: str, predicted: str, probability: float = 0.9, decided: str | None = None, score: float = 0.9
) -> Parsed:
    return Parsed(intent, predicted, probability, score, 0.5, decided or predicted, 1.0)


lines = st.lists(
    st.builds(parsed, st.sampled_from(INTENTS), st.sampled_from(INTENTS), st.floats(0, 1)), min_size=1, max_size=40
)


@given(lines)
def test_matrix_histogram_and_steps_count_every_line_once(some: list[Parsed]) -> None:
    counted = matrix(some)
    right = sum(row[place] for place, row in enumerate(counted["rows"]))
    steps = histogram(some)
    assert sum(map(sum, counted["rows"])) == len(some) == sum(step["right"] + step["wrong"] for step in steps)
    assert right == sum(one.right for one in some) == sum(step["right"] for step in steps)
    assert sum(step["lines"] for step in reliability(some)) == len(some)
    assert sum(one["count"] for one in confusions(["x"] * len(some), some)) == len(some) - right


@given(lines)
def test_the_figures_are_those_of_the_parts(some: list[Parsed]) -> None:
    whole = figures(some)
    scores = by_intent(some)
    assert abs(whole["macro_f1"] - sum(score["f1"] for score in scores.values()) / len(scores)) < 1e-3
    gaps = sum(abs(step["sure"] - step["right"]) * step["lines"] for step in reliability(some)) / len(some)
    assert abs(whole["ece"] - gaps) < 1e-3


def test_an_intent_that_is_never_said_has_no_precision() -> None:
    scores = by_intent([parsed("greet", "joke"), parsed("joke", "joke")])
    assert scores["greet"] == {"lines": 1, "precision": None, "recall": 0.0, "f1": 0.0}
    assert scores["joke"] == {"lines": 1, "precision": 0.5, "recall": 1.0, "f1": 0.6667}


def test_the_most_frequent_confusion_comes_first_with_its_surest_line() -> None:
    some = [parsed("greet", "joke", 0.4), parsed("greet", "joke", 0.8), parsed("joke", "greet", 0.99)]
    first, second = confusions(["a", "b", "c"], some)
    assert (first["intent"], first["predicted"], first["count"]) == ("greet", "joke", 2)
    assert [line["text"] for line in first["lines"]] == ["b", "a"]
    assert second["count"] == 1


def test_what_the_thresholds_made_of_lines() -> None:
    inside = [
        parsed("greet", "greet"),
        parsed("greet", "joke"),
        parsed("greet", "greet", decided="clarify"),
        parsed("greet", "greet", decided="out_of_scope"),
        parsed("ask_knowledge", "ask_knowledge"),
        parsed("greet", "ask_knowledge"),
    ]
    assert decided(inside) == {"right": 2, "wrong": 2, "clarified": 1, "passed_on": 1}
    outside = [
        parsed(OUT_OF_SCOPE, "greet", decided="out_of_scope"),
        parsed(OUT_OF_SCOPE, "ask_knowledge"),
        parsed(OUT_OF_SCOPE, "greet"),
    ]
    assert decided(outside) == {"right": 0, "wrong": 1, "clarified": 0, "passed_on": 2}


def test_a_set_without_lines_in_scope_has_no_figures_but_no_failure_either() -> None:
    assert breakdown([], [])["figures"] == {"test": 0}
    assert breakdown(["x"], [parsed(OUT_OF_SCOPE, "greet")])["figures"] == {"test": 1}
