from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.text import Unit, as_plain_text, split_markdown, split_text, tables_as_lists
from conversations.model import Author, Button, Citation, MessageKind, OutboundMessage, utc_now

FAMILY = "👨‍👩‍👧‍👦"
PIECES = st.sampled_from(
    [
        "a",
        "é",
        "e\u0301",
        "中",
        "，",
        "。",
        "\n",
        " ",
        "🇨🇳",
        "🇬🇧",
        FAMILY,
        "👍🏽",
        "❤\ufe0f",
        "각",
        "ᄀ\u1161\u11a8",
        "\r\n",
        "\ud83d\ude00",
    ]
)
TEXTS = st.lists(PIECES, max_size=60).map("".join) | st.text(st.characters(), max_size=60)
UNITS = st.sampled_from(["characters", "utf-16", "utf-8"])


def measured(text: str, unit: Unit) -> int:
    if unit == "characters":
        return len(text)
    if unit == "utf-16":
        return len(text.encode("utf-16-le", "surrogatepass")) // 2
    return len(text.encode("utf-8", "surrogatepass"))


@given(TEXTS, st.integers(4, 60), UNITS)
def test_the_parts_are_the_text_and_none_is_too_long(text: str, limit: int, unit: Unit) -> None:
    parts = split_text(text, limit, unit)
    assert "".join(parts) == text
    assert all(0 < measured(part, unit) <= limit for part in parts)


@given(st.lists(PIECES, max_size=60).map("".join), st.integers(45, 80), UNITS)
def test_no_part_begins_inside_a_visible_character(text: str, limit: int, unit: Unit) -> None:
    for before, after in pairwise(split_text(text, limit, unit)):
        assert after[0] != "\u200d"
        assert not (before[-1] == "\r" and after[0] == "\n")
        assert not ("\ud800" <= before[-1] <= "\udbff" and "\udc00" <= after[0] <= "\udfff")


@pytest.mark.parametrize(
    "cluster",
    [FAMILY, "👍🏽", "🇨🇳", "e\u0301", "❤\ufe0f", "ᄀ\u1161\u11a8", "\ud83d\ude00", "🏴\U000e0067\U000e0062\U000e007f"],
)
@pytest.mark.parametrize("unit", ["characters", "utf-16", "utf-8"])
def test_a_visible_character_stays_whole(cluster: str, unit: Unit) -> None:
    parts = split_text(f"ab{cluster * 3}cd", max(4, measured(cluster, unit)), unit)
    assert sum(part.count(cluster) for part in parts) == 3


def test_a_cut_is_made_at_the_end_of_a_sentence_where_there_is_one() -> None:
    assert split_text("First sentence.\nSecond one is here", 22) == ["First sentence.\n", "Second one is here"]
    assert split_text("今天发货。明天送达。后天退款", 11) == ["今天发货。明天送达。", "后天退款"]


def test_a_bar_inside_a_cell_divides_nothing() -> None:
    table = "| Country | Charge | Time |\n|:--|--:|---|\n| Japan \\| Korea | CNY 99 | 3 days |"
    said = tables_as_lists(table)
    assert "Japan | Korea" in said
    assert "Charge: CNY 99" in said
    assert "Time: 3 days" in said


@pytest.mark.parametrize(
    "whole",
    [
        "https://track.example.com/q?no=SF1234567890123&lang=zh",
        "https://shop.example/orders/KT20260001;view=all#parcel,2",
        "1,234,567.00",
        "2026-11-30",
        "138-0013-8000",
        "12:30:05",
    ],
)
@pytest.mark.parametrize("unit", ["characters", "utf-16", "utf-8"])
def test_no_part_ends_inside_an_address_or_a_number(whole: str, unit: Unit) -> None:
    for before in range(40, 121):
        for filler in ("word " * 30, "您的订单已经从仓库发出" * 12):
            text = f"{filler[:before]} {whole} {filler}"
            parts = split_text(text, 120, unit)
            assert "".join(parts) == text
            assert any(whole in part for part in parts), parts


def test_a_sign_inside_a_word_ends_no_sentence() -> None:
    text = "x" * 40 + " see kite.example/a?b=c!d " + "y" * 60
    assert split_text(text, 66)[0] == "x" * 40 + " see kite.example/a?b=c!d "


def test_short_and_empty_texts_stay_as_they_are() -> None:
    assert split_text("hello", 5) == ["hello"]
    assert split_text("", 5) == []


def test_a_limit_below_one_character_is_refused() -> None:
    with pytest.raises(ValueError, match="at least 4"):
        split_text("中", 3, "utf-8")


def test_buttons_and_sources_become_lines() -> None:
    message = OutboundMessage(
        outbox_id="1",
        conversation_id="c",
        seq=1,
        author=Author.BOT,
        kind=MessageKind.TEXT,
        text="Which one?",
        created_at=utc_now(),
        buttons=(Button("b1", "Order"), Button("b2", "Return")),
        citations=(Citation("p", "a", "Returns", "7 days", "/kb/en/returns#p"),),
    )
    assert as_plain_text(message, "https://desk.example/") == (
        "Which one?\n\n1. Order\n2. Return\n\nSource: Returns https://desk.example/kb/en/returns#p"
    )
    assert "来源: Returns" in as_plain_text(message, language="zh")


def test_a_table_is_read_out_row_by_row_where_tables_cannot_be_shown() -> None:
    table = "Times\n\n| Country | Time |\n|---|---|\n| Hong Kong | 2–4 days |\n| Singapore | 4–7 days |\nAsk us."
    assert tables_as_lists(table) == (
        "Times\n\nCountry: Hong Kong\nTime: 2–4 days\n\nCountry: Singapore\nTime: 4–7 days\nAsk us."
    )
    assert tables_as_lists("| | 价格 |\n|:-|-:|\n| 咏叹 5 | 3299 元 |", "zh") == "咏叹 5\n价格：3299 元"


@pytest.mark.parametrize("text", ["a | b", "| a | b |", "| a |\nno rule\n| b |", "", "|\n|", "1 | 2\n--|--"])
def test_what_is_no_table_stays_as_it_is(text: str) -> None:
    assert tables_as_lists(text) == text


@given(
    st.lists(PIECES | st.sampled_from(["[a b](https://x.y/z?q=1)", "**bold: words**", "[", "](", "**"]), max_size=60),
    st.integers(40, 80),
    UNITS,
)
def test_markdown_is_split_as_text_is_but_never_inside_a_link_or_a_bold_phrase(
    pieces: list[str], limit: int, unit: Unit
) -> None:
    text = "".join(pieces)
    parts = split_markdown(text, limit, unit)
    assert "".join(parts) == text
    assert all(0 < measured(part, unit) <= limit for part in parts)
    for entity in ("[a b](https://x.y/z?q=1)", "**bold: words**"):
        if all(sign not in text.replace(entity, "") for sign in ("[", "](", "**")):
            assert sum(part.count(entity) for part in parts) == text.count(entity)
