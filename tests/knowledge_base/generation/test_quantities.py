"""Numbers compare across ways of writing them, and never by accident."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from knowledge_base.generation.quantities import Quantity, quantities, without_quantities


def alike(first: str, second: str) -> bool:
    """Whether every number of the first text is in the second one."""
    return all(any(one.fits(other) for other in quantities(second)) for one in quantities(first))


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("within 7 days", "签收后七天内"),
        ("two weeks", "14 天"),
        ("24 months", "两年"),
        ("half a year", "6 个月"),
        ("CNY 2,500", "两千五百元"),
        ("2500 yuan", "两千五百块"),
        ("¥120", "一百二十块"),
        ("£4.90", "4.9 英镑"),
        ("20% off", "打八折"),
        ("20 percent", "百分之二十"),
        ("9 am to 9:30 pm", "早上9点到晚上9点半"),
        ("18 November 2026", "2026年11月18日"),
        ("2026-11-18", "2026年11月18日"),
        ("the 18th of each month", "每月18日"),
        ("Monday to Sunday", "周一到周日"),
        ("3, 6 or 12 instalments", "3、6 或 12 期"),
        ("twenty-four hours", "24 小时"),
        ("three hundred and fifty grams", "350 克"),
        ("20 000 mAh".replace(" 000", "000"), "两万毫安时"),
        ("up to 5 working days", "最多五个工作日"),
        ("on the third day", "第三天"),
        ("twice a year", "每年两次"),
        ("delayed by 30 minutes or more", "晚点 30 分钟以上"),
        ("one day in advance", "提前一天"),
    ],
)
def test_the_same_number_is_the_same_in_either_language(first: str, second: str) -> None:
    assert quantities(first)
    assert alike(first, second)
    assert alike(second, first)


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("7 days", "14 days"),
        ("3 days", "3 working days"),
        ("3 天", "3 个月"),
        ("£5", "€5"),
        ("5 元", "5 折"),
        ("at least 99 yuan", "at most 99 yuan"),
        ("满 99 元", "不满 99 元"),
        ("before 16:00", "after 16:00"),
        ("16:00 前", "16:00 之后"),
        ("November", "December"),
        ("周一", "周二"),
        ("10%", "10 points"),
        ("1.5 kg", "1.5 g"),
        ("两千五百", "两千零五"),
    ],
)
def test_another_number_unit_or_bound_is_another_number(first: str, second: str) -> None:
    assert quantities(first)
    assert not alike(first, second)


@pytest.mark.parametrize(
    "text",
    [
        "我们一起去",
        "the one you bought",
        "再试一次",
        "no one",
        "KT20260001",
        "USB3 cable",
        "一般情况",
        "at once",
        "前一天",
    ],
)
def test_what_is_no_amount_is_not_counted(text: str) -> None:
    assert quantities(text) == []


@given(st.integers(1, 99_999), st.sampled_from(["days", "hours", "GBP", "%", "kg", "天", "元", "期"]))
def test_a_number_fits_itself_and_not_its_neighbour(number: int, unit: str) -> None:
    [one] = quantities(f"{number} {unit}")
    [other] = quantities(f"{number + 1} {unit}")
    assert one.fits(one)
    assert not one.fits(other)
    assert not other.fits(one)


def _spelled(number: int) -> str:
    digits, scales = "零一二三四五六七八九", ["", "十", "百", "千"]
    text, zero = "", False
    for place, digit in enumerate(str(number)):
        power = len(str(number)) - 1 - place
        if digit == "0":
            zero = True
            continue
        text += ("零" if zero and text else "") + digits[int(digit)] + scales[power]
        zero = False
    return text


@given(st.integers(11, 9999))
def test_chinese_numerals_are_read_as_they_are_written(number: int) -> None:
    assert [one.value for one in quantities(f"{_spelled(number)}元")] == [float(number)]


@given(st.text(max_size=200))
def test_any_text_can_be_read(text: str) -> None:
    found = quantities(text)
    assert all(0 <= one.start <= one.end <= len(text.lower()) for one in found)
    assert all(isinstance(one, Quantity) for one in found)
    without_quantities(text)
