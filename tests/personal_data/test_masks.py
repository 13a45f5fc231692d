"""What masks show, where places move, and what comes back."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from personal_data.kinds import HIGH_RISK, Kind
from personal_data.masks import mask_of, masked, put_back
from personal_data.placeholders import Placeholders

TEXT = (
    "我是林梅，手机13800138000，身份证11010519491231002X，卡4111 1111 1111 1111，住北京市朝阳区建国路93号，lin@kite.com"
)


@pytest.mark.parametrize(
    ("kind", "value", "mask"),
    [
        (Kind.PHONE, "13812345678", "138****5678"),
        (Kind.PHONE, "138 1234 5678", "138 **** 5678"),
        (Kind.EMAIL, "lin@kite.com", "l***@kite.com"),
        (Kind.EMAIL, "lin at kite dot com", "l***"),
        (Kind.ID_CARD, "11010519491231002X", "11**************2X"),
        (Kind.BANK_CARD, "4111 1111 1111 1234", "**** **** **** 1234"),
        (Kind.ADDRESS, "北京市朝阳区建国路93号", "北京市***"),
        (Kind.ADDRESS, "广东省深圳市南山区科技园1栋", "广东省深圳市***"),
        (Kind.ADDRESS, "朝阳区建国路93号", "***"),
        (Kind.ADDRESS, "10 Downing Street, London, SW1A 2AA", "***, London"),
        (Kind.NAME, "林晓梅", "林**"),
        (Kind.NAME, "林梅", "林*"),
        (Kind.NAME, "欧阳娜娜", "欧阳**"),
        (Kind.NAME, "Ada Lovelace", "A*** L***"),
        (Kind.PLATE, "沪A12345", "沪A****5"),
        (Kind.PASSPORT, "E12345678", "E******78"),
        (Kind.IP, "203.0.113.9", "203.***"),
    ],
)
def test_a_mask_leaves_what_people_work_with(kind: Kind, value: str, mask: str) -> None:
    assert mask_of(kind, value) == mask


@pytest.mark.parametrize("value", ["1", "12345", "110", "95588"])
def test_short_values_are_mostly_hidden(value: str) -> None:
    shown = mask_of(Kind.PHONE, value).replace("*", "")
    assert len(shown) <= len(value) // 2


def test_only_the_kinds_that_are_asked_for_are_masked() -> None:
    seen = masked(TEXT, kinds=HIGH_RISK)
    assert [one.kind for one in seen.hidden] == [Kind.ID_CARD, Kind.BANK_CARD]
    assert "13800138000" in seen.text
    assert "11010519491231002X" not in seen.text


def test_places_behind_a_mask_move_with_it() -> None:
    seen = masked(TEXT)
    before, now = TEXT.index("住"), seen.text.index("住")
    assert seen.place_of(before) == now
    assert seen.place_of(0) == 0
    inside = TEXT.index("lin@") + 2
    assert seen.text[seen.place_of(inside) : seen.place_of(inside, end=True)] == "l***@kite.com"


@given(st.text(max_size=60), st.text(max_size=60))
def test_the_hidden_places_are_the_masks(before: str, behind: str) -> None:
    text = f"{before}，13800138000，{behind}"
    seen = masked(text)
    for one in seen.hidden:
        assert seen.text[one.start : one.end] == mask_of(one.kind, text[one.was[0] : one.was[1]])


def test_a_mask_that_was_left_alone_becomes_again_what_it_hid() -> None:
    before = "call 13800138000 or 13900139001"
    seen = masked(before)
    assert put_back(seen.text, before, seen) == before
    assert put_back(f"please {seen.text}!", before, seen) == f"please {before}!"
    assert put_back("call 139****9001", before, seen) == "call 13900139001"
    assert put_back("call nobody", before, seen) == "call nobody"


@given(
    st.lists(
        st.sampled_from(["13800138000", "lin@kite.com", "11010519491231002X", "你好", "[PHONE_A]", "⟦1⟧"]), max_size=40
    )
)
def test_what_was_taken_out_for_a_machine_comes_back(words: list[str]) -> None:
    text = "，".join(words)
    call = Placeholders()
    sent = call.hide(text)
    assert not any(one in sent for one in ("13800138000", "lin@kite.com", "11010519491231002X"))
    assert call.restore(sent) == text.replace("[PHONE_A]", "[phone_a]")


def test_one_value_has_one_placeholder_in_a_call_and_no_figures_in_it() -> None:
    call = Placeholders()
    sent = call.hide("13800138000 or 13900139001 or 13800138000")
    assert sent == "[PHONE_A] or [PHONE_B] or [PHONE_A]"
    assert call.used == 2


def test_placeholders_of_another_call_are_not_filled_in() -> None:
    first, second = Placeholders(), Placeholders()
    first.hide("13800138000")
    assert second.restore("[PHONE_A]") == "[PHONE_A]"
