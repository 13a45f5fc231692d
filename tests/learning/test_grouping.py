"""Messages of one wish come together, the same way every time."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from learning.grouping import JOINS_FROM, WIDTH, Centres, join_or_lead, medoid, packed, unpacked
from tests.learning.builders import encode

WORDS = st.lists(
    st.sampled_from(["gift", "wrap", "parcel", "where", "refund", "lamp", "late", "please"]), min_size=1, max_size=4
)
TEXTS = st.lists(WORDS.map(" ".join), min_size=1, max_size=25)


def grouped(texts: list[str]) -> tuple[list[str], Centres]:
    centres = Centres()
    vectors = encode(texts)
    return [join_or_lead(centres, vector, str(place)) for place, vector in enumerate(vectors)], centres


@given(TEXTS)
@settings(max_examples=60, deadline=None)
def test_the_same_messages_in_the_same_order_make_the_same_groups(texts: list[str]) -> None:
    first, _ = grouped(texts)
    second, _ = grouped(texts)
    assert first == second


@given(TEXTS)
@settings(max_examples=60, deadline=None)
def test_every_message_is_in_one_group_and_a_centre_is_the_mean_of_its_messages(texts: list[str]) -> None:
    groups, centres = grouped(texts)
    vectors = encode(texts)
    assert set(groups) == set(centres.ids)
    for group_id in centres.ids:
        members = vectors[[place for place, one in enumerate(groups) if one == group_id]]
        mean, weight = centres.mean(group_id)
        assert weight == len(members)
        assert np.allclose(mean, members.mean(axis=0), atol=1e-4)


@given(TEXTS)
@settings(max_examples=60, deadline=None)
def test_a_message_leads_a_group_only_where_none_is_near_enough(texts: list[str]) -> None:
    centres = Centres()
    for place, vector in enumerate(encode(texts)):
        nearest = centres.nearest(vector)
        joined = join_or_lead(centres, vector, str(place))
        assert (joined == str(place)) == (nearest is None or nearest[1] < JOINS_FROM)


@given(TEXTS)
@settings(max_examples=60, deadline=None)
def test_no_group_is_merged_twice_nor_with_one_in_another_state(texts: list[str]) -> None:
    _, centres = grouped(texts)
    states = [place % 2 for place in range(len(centres.ids))]
    pairs = centres.close_pairs(0.2, states)
    named = [one for pair in pairs for one in pair]
    assert len(named) == len(set(named))
    state_of = dict(zip(centres.ids, states, strict=True))
    assert all(state_of[kept] == state_of[other] for kept, other in pairs)
    assert all(centres.ids.index(kept) < centres.ids.index(other) for kept, other in pairs)


def test_a_vector_is_stored_in_half_the_room_and_hardly_turns() -> None:
    vectors = encode(["gift wrap", "where is my parcel", "a lamp"])
    stored = [packed(vector) for vector in vectors]
    assert {len(one) for one in stored} == {2 * WIDTH}
    assert np.allclose((unpacked(stored) * vectors).sum(axis=1), 1, atol=1e-3)
    assert unpacked([]).shape == (0, WIDTH)


def test_the_message_that_stands_for_a_group_is_the_one_nearest_to_its_middle() -> None:
    vectors = encode(["gift wrap please", "gift wrap", "gift lamp"])
    assert medoid(vectors, vectors.mean(axis=0)) == 1
