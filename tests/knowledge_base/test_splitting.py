"""Passages hold the whole article, end where sentences end, and keep their names when something else changes."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from knowledge_base.articles import Article
from knowledge_base.splitting import MAX_WEIGHT, sentences, split, weight
from tests.knowledge_base.builders import article

LINES = st.one_of(
    st.sampled_from(["# Top", "## Part", "### Deep", "", "", "- one. two.", "2. second", "| a | b |", "```", "~~~~"]),
    st.text(alphabet="abc .!?。！？，\t1-#`|*好退款", max_size=60),
    st.lists(st.sampled_from(["Sent one.", "And 2.5 more!", "退款要三天。", "No. 5 is it."]), max_size=5).map(" ".join),
)
BODIES = st.lists(LINES, max_size=25).map("\n".join)


def bare(text: str) -> str:
    return "".join(text.split())


@settings(deadline=None)
@given(body=BODIES, language=st.sampled_from(["en", "zh"]), limit=st.integers(20, 200))
def test_no_text_is_lost_and_no_passage_is_too_large(body: str, language: str, limit: int) -> None:
    whole = Article("a", "A", language, body)
    passages = split(whole, limit)
    at = 0
    for passage in passages:
        assert body[passage.start : passage.start + len(passage.text)] == passage.text
        assert passage.text.strip() == passage.text != ""
        between = body[at : passage.start]
        assert all(not line.strip() or line.lstrip().startswith("#") for line in between.splitlines())
        at = passage.start + len(passage.text)
        assert weight(passage.text) <= limit
    assert all(not line.strip() or line.lstrip().startswith("#") for line in body[at:].splitlines())
    assert len({passage.id for passage in passages}) == len(passages)


@settings(deadline=None)
@given(st.text(max_size=300), st.sampled_from(["en", "zh"]))
def test_sentences_joined_are_the_text(text: str, language: str) -> None:
    assert "".join(sentences(text, language)) == text


@settings(deadline=None)
@given(
    st.lists(
        st.sampled_from(["Refunds take days.", "Really?", "Yes, they do!", "A longer sentence follows here."]),
        min_size=1,
    ),
    st.integers(40, 120),
)
def test_a_passage_never_ends_inside_a_sentence_that_would_fit(parts: list[str], limit: int) -> None:
    passages = split(article(body=" ".join(parts)), limit)
    assert all(passage.text.endswith((".", "?", "!")) for passage in passages)


def test_a_sentence_longer_than_a_passage_is_cut_at_a_pause() -> None:
    passages = split(article(body="word " * 400), 200)
    assert all(passage.text.split() == ["word"] * len(passage.text.split()) for passage in passages)
    assert sum(len(passage.text.split()) for passage in passages) == 400


@pytest.mark.parametrize(
    ("text", "language", "expected"),
    [
        (
            "It costs CNY 12.5 at kite.example. Really?! Yes.",
            "en",
            ["It costs CNY 12.5 at kite.example. ", "Really?! ", "Yes."],
        ),
        ("Order No. 5 is late. Wait.", "en", ["Order No. 5 is late. ", "Wait."]),
        ("用 2.4 GHz 频段。别用5 GHz！好吗？好", "zh", ["用 2.4 GHz 频段。", "别用5 GHz！", "好吗？", "好"]),
        ("Two kinds:\n- red. Nice.\n- blue\n", "en", ["Two kinds:\n", "- red. ", "Nice.\n", "- blue\n"]),
        ("A line\nthat goes on. End", "en", ["A line\nthat goes on. ", "End"]),
    ],
)
def test_sentences_end_where_a_reader_ends_them(text: str, language: str, expected: list[str]) -> None:
    found = sentences(text, language)
    assert [part.strip() for part in found] == [part.strip() for part in expected]


def test_passages_carry_the_headings_above_them() -> None:
    body = "Start.\n\n## Cards\nSeven days.\n\n### Debit\nTwo days.\n\n## Cash\nNow.\n\n## Empty"
    passages = split(article(body=body))
    assert [(passage.anchor, passage.headings) for passage in passages] == [
        ("intro-1", ()),
        ("cards-1", ("Cards",)),
        ("debit-1", ("Cards", "Debit")),
        ("cash-1", ("Cash",)),
        ("empty-1", ("Empty",)),
    ]


def test_an_edit_in_one_section_keeps_the_names_of_the_others() -> None:
    before = article(body="Intro.\n\n## A\nText.\n\n## B\nMore.")
    after = replace(before, body="Intro. " * 200 + "\n\n## A\nText, changed.\n\n## B\nMore.")
    names = {passage.anchor: passage.text for passage in split(after)}
    assert names["b-1"] == "More."
    assert names["a-1"] == "Text, changed."


def test_equal_headings_get_different_names() -> None:
    body = "## Phone\n### Warranty\nA.\n\n## Laptop\n### Warranty\nB."
    assert [passage.anchor for passage in split(article(body=body))] == ["warranty-1", "warranty_2-1"]


def test_a_table_stays_in_one_piece() -> None:
    table = "| product | price |\n|---|---|\n" + "".join(f"| thing {n}. | {n} |\n" for n in range(10))
    passages = split(article(body="Prices. " * 60 + "\n\n" + table), MAX_WEIGHT)
    assert any(table.strip() in passage.text for passage in passages)


@pytest.mark.parametrize(
    "body",
    [
        "# " + "#" * 200_000,
        "# a" + " \t" * 100_000 + "b\nText.",
        "$" * 200_000,
        "".join(f"# {n}\nb\n" for n in range(20_000)),
        "".join(f"# {n}\n## Same\nb\n" for n in range(12_000)),
    ],
    ids=["hashes", "spaces", "marks", "headings", "equal headings"],
)
def test_a_text_made_to_be_slow_is_cut_like_any_other(body: str) -> None:  # each of these once took minutes
    passages = split(Article("a", "A", "en", body))
    assert len({one.anchor for one in passages}) == len(passages)
    assert all(weight(one.text) <= MAX_WEIGHT for one in passages)
