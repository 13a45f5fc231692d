"""Turns give way while messages come faster than they can be answered, and at no other time."""

from __future__ import annotations

from conversations.pace import BURST_PER_SECOND, REST_SECONDS, SLOW_SECONDS, Pace

QUICK, SLOW = SLOW_SECONDS / 2, SLOW_SECONDS * 2


class Watch:
    """Seconds that pass only when told to."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def __call__(self) -> float:
        return self.seconds


def stored(pace: Pace, watch: Watch, messages: int, per_second: float, took: float) -> None:
    for _ in range(messages):
        watch.seconds += 1 / per_second
        pace.stored(took)


def test_a_burst_that_waits_to_be_stored_leaves_one_turn_at_a_time() -> None:
    watch = Watch()
    pace = Pace(8, watch)
    stored(pace, watch, 400, BURST_PER_SECOND * 4, SLOW)
    assert pace.turns == 1


def test_where_one_at_a_time_is_too_much_turns_rest_and_go_on() -> None:
    watch = Watch()
    pace = Pace(8, watch)
    stored(pace, watch, 400, BURST_PER_SECOND * 4, SLOW)
    pace.answered()
    assert pace.turns == 0
    watch.seconds += REST_SECONDS
    assert pace.turns == 1


def test_whoever_is_stored_at_once_again_lets_turns_follow_each_other() -> None:
    watch = Watch()
    pace = Pace(8, watch)
    stored(pace, watch, 400, BURST_PER_SECOND * 4, SLOW)
    stored(pace, watch, 12, BURST_PER_SECOND * 4, QUICK)
    pace.answered()
    assert pace.turns == 1


def test_ordinary_work_is_not_held_back_however_slow_the_machine_is() -> None:
    watch = Watch()
    pace = Pace(8, watch)
    stored(pace, watch, 400, BURST_PER_SECOND / 4, SLOW * 10)
    assert pace.turns == 8


def test_a_burst_that_is_stored_at_once_holds_nothing_back() -> None:
    watch = Watch()
    pace = Pace(8, watch)
    stored(pace, watch, 400, BURST_PER_SECOND * 4, QUICK)
    assert pace.turns == 8


def test_turns_come_back_as_storing_gets_quick_again() -> None:
    watch = Watch()
    pace = Pace(8, watch)
    stored(pace, watch, 400, BURST_PER_SECOND * 4, SLOW)
    stored(pace, watch, 400, BURST_PER_SECOND * 4, QUICK)
    assert pace.turns == 8


def test_after_the_burst_all_places_are_free_though_nothing_arrives_any_more() -> None:
    watch = Watch()
    pace = Pace(8, watch)
    stored(pace, watch, 400, BURST_PER_SECOND * 4, SLOW)
    watch.seconds += 5
    assert pace.turns == 8


def test_a_desk_that_keeps_up_is_not_held_back_however_much_comes() -> None:
    watch = Watch()
    pace = Pace(8, watch)
    for _ in range(400):
        stored(pace, watch, 1, BURST_PER_SECOND * 4, SLOW)
        pace.answered()
    assert pace.turns == 8


def test_a_burst_that_answers_cannot_follow_is_one_although_some_are_given() -> None:
    watch = Watch()
    pace = Pace(8, watch)
    for _ in range(100):
        stored(pace, watch, 4, BURST_PER_SECOND * 4, SLOW)
        pace.answered()
    assert pace.turns <= 1


def test_what_can_wait_is_told_of_a_burst_and_of_its_end() -> None:
    watch = Watch()
    pace = Pace(8, watch)
    stored(pace, watch, 400, BURST_PER_SECOND / 4, SLOW)
    assert not pace.pressed
    stored(pace, watch, 400, BURST_PER_SECOND * 4, QUICK)
    assert pace.pressed
    watch.seconds += 5
    assert not pace.pressed
