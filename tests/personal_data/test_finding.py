"""What is found in texts and what is not: every valid number in every spelling, and no order number."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from personal_data.check_digits import bank_card, id_card
from personal_data.evaluate import LANGUAGES, measured, read_lines
from personal_data.finding import LONGEST, Finder, find
from personal_data.kinds import Kind, Span
from personal_data.names import NameModels

DIGITS = st.text("0123456789", min_size=3, max_size=3)
BIRTHDAYS = st.dates(date(1930, 1, 1), date.today() - timedelta(days=1))  # noqa: DTZ011  # a birthday has no zone
REGIONS = st.sampled_from(["110105", "310101", "440305", "510107", "820000", "650102"])
_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)


@st.composite
def id_cards(draw: st.DrawFn) -> str:
    body = f"{draw(REGIONS)}{draw(BIRTHDAYS):%Y%m%d}{draw(DIGITS)}"
    return body + "10X98765432"[sum(w * int(d) for w, d in zip(_WEIGHTS, body, strict=True)) % 11]


@st.composite
def bank_cards(draw: st.DrawFn) -> str:
    prefix, length = draw(
        st.sampled_from([("4", 13), ("4", 16), ("4", 19), ("5512", 16), ("2221", 16), ("378282", 15), ("622202", 19), ("6217", 18), ("62258", 17)])
    )  # fmt: skip
    body = prefix + draw(st.text("0123456789", min_size=length - len(prefix) - 1, max_size=length - len(prefix) - 1))
    total = sum(
        digit if place % 2 else (2 * digit - 9 if digit > 4 else 2 * digit)
        for place, digit in enumerate(int(one) for one in reversed(body))
    )
    return body + str(-total % 10)


@st.composite
def mobiles(draw: st.DrawFn) -> str:
    return f"1{draw(st.sampled_from('3456789'))}{draw(st.text('0123456789', min_size=9, max_size=9))}"


def wide(text: str) -> str:
    return "".join(chr(ord(letter) + 0xFEE0) if "!" <= letter <= "~" else letter for letter in text)


def spoken(text: str) -> str:
    return text.translate(str.maketrans("0123456789", "零幺二三四五六七八九"))


def grouped(text: str, sizes: tuple[int, ...], separator: str) -> str:
    parts, at = [], 0
    for size in sizes:
        parts.append(text[at : at + size])
        at += size
    return separator.join(part for part in [*parts, text[at:]] if part)


AROUND = st.sampled_from(
    [("", ""), ("我的号码是", "，谢谢"), ("it is ", ", thanks"), ("（", "）"), ("看看：\n", "\n对吗")]
)
SEPARATORS = st.sampled_from(["", " ", "-", "·", "\u2014", "\u3000", "\u00a0"])


def found_as(kind: Kind, written: str, around: tuple[str, str]) -> bool:
    text = around[0] + written + around[1]
    place = len(around[0])
    return Span(place, place + len(written), kind) in find(text)


@given(id_cards(), SEPARATORS, AROUND, st.booleans())
def test_every_valid_id_card_is_found_however_it_is_grouped(
    number: str, separator: str, around: tuple[str, str], full_width: bool
) -> None:
    written = grouped(number, (6, 8), separator)
    assert found_as(Kind.ID_CARD, wide(written) if full_width else written, around)


@given(id_cards(), st.integers(0, 16), st.integers(1, 9))
def test_an_id_card_with_one_wrong_digit_is_none(number: str, place: int, by: int) -> None:
    wrong = number[:place] + str((int(number[place]) + by) % 10) + number[place + 1 :]
    assert id_card(number)
    assert not id_card(wrong)
    assert Kind.ID_CARD not in {span.kind for span in find(f"身份证 {wrong}")}


@given(bank_cards(), SEPARATORS, AROUND, st.booleans())
def test_every_valid_bank_card_is_found_however_it_is_grouped(
    number: str, separator: str, around: tuple[str, str], full_width: bool
) -> None:
    written = grouped(number, (4, 4, 4, 4), separator)
    text = wide(written) if full_width else written
    assert found_as(Kind.BANK_CARD, text, around) or id_card(number)


@given(bank_cards(), st.integers(0, 18), st.integers(1, 9))
def test_a_bank_card_with_one_wrong_digit_is_none(number: str, place: int, by: int) -> None:
    place %= len(number)
    wrong = number[:place] + str((int(number[place]) + by) % 10) + number[place + 1 :]
    assert bank_card(number)
    assert not bank_card(wrong)
    assert Span(5, 5 + len(wrong), Kind.BANK_CARD) not in find(f"card {wrong}")


@given(mobiles(), st.sampled_from([(3, 4), (3, 3), (4, 3), (2, 3, 3)]), SEPARATORS, AROUND)
def test_every_mobile_number_is_found_however_it_is_grouped(
    number: str, sizes: tuple[int, ...], separator: str, around: tuple[str, str]
) -> None:
    assert found_as(Kind.PHONE, grouped(number, sizes, separator), around)


@given(mobiles(), AROUND, st.sampled_from(["+86 ", "+86", "0086", "86-", "(+86)"]))
def test_every_mobile_number_is_found_with_the_country(number: str, around: tuple[str, str], country: str) -> None:
    assert found_as(Kind.PHONE, country + number, around)


@given(mobiles())
def test_every_mobile_number_is_found_in_spoken_and_full_width_digits(number: str) -> None:
    assert found_as(Kind.PHONE, spoken(number), ("电话", "。"))
    assert found_as(Kind.PHONE, wide(number), ("电话", "。"))


@given(st.text(max_size=200))
def test_places_lie_in_the_text_and_apart(text: str) -> None:
    behind = 0
    for span in find(text):
        assert behind <= span.start < span.end <= len(text)
        behind = span.end


@pytest.mark.parametrize(
    "text",
    [
        "订单号 KT20260001 和 202611290001234567", "tracking 73100024681357", "快递单号SF1388001380012",
        "2026-11-29 10:30:15", "20261129103015", "¥13800138", "it was $4111111111", "版本 10.15.7.1", "v1.2.3.4", "20000 mAh",
        "型号 KP-2000", "EAN 6901234567892", "order 4111111111111111", "call 400-820-8820", "5 minutes down the road",
        "坐3号线到人民广场站", "我知道了", "I'm Happy", "Dear Support", "我是老客户", "0123456789abcdef0123456789abcdef",
    ],
)  # fmt: skip
def test_what_belongs_to_nobody_is_left_alone(text: str) -> None:
    assert find(text) == ()


def test_the_last_word_before_a_number_says_whose_it_is() -> None:
    assert [span.kind for span in find("订单收货人的手机13777778888")] == [Kind.PHONE]
    assert find("手机壳订单13777778888") == ()


def test_of_two_places_that_overlap_the_rest_of_the_lesser_one_is_found_as_well() -> None:
    text = "10 Downing Street, ID 11010519491231002X"
    assert [(span.kind, text[span.start : span.end]) for span in find(text)] == [
        (Kind.ADDRESS, "10 Downing Street"),
        (Kind.ID_CARD, "11010519491231002X"),
    ]


def test_long_texts_are_looked_through_to_their_end() -> None:
    text = "没什么 " * LONGEST + "13800138000"
    assert find(text) == (Span(len(text) - 11, len(text), Kind.PHONE),)


@pytest.mark.parametrize(
    "hostile", ["1 " * 8000, "a@" * 8000, "上海市" * 5000, "1号" * 8000, "a dot " * 4000, "Aa " * 6000, "1-" * 9000]
)
def test_hostile_texts_end(hostile: str) -> None:
    find(hostile)


def test_names_that_are_known_are_found_wherever_they_stand() -> None:
    found = find("Ask ada lovelace or Adam; 林梅也行", "", ("Ada Lovelace", "林梅"))
    assert found == (Span(4, 16, Kind.NAME), Span(26, 28, Kind.NAME))


def test_a_model_that_is_not_installed_is_named() -> None:
    with pytest.raises(ValueError, match="zh_core_nowhere"):
        NameModels({"zh": "zh_core_nowhere"})


def test_a_model_is_loaded_when_the_first_text_asks_and_finds_names_nobody_introduced(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    import spacy

    loaded = []

    def load(name: str, **_: object) -> object:
        loaded.append(name)
        nlp = spacy.blank("en")
        ruler = nlp.add_pipe("entity_ruler")
        ruler.add_patterns([{"label": "PERSON", "pattern": "Nina Simone"}, {"label": "ORG", "pattern": "Kite"}])  # type: ignore[attr-defined]
        return nlp

    monkeypatch.setattr(spacy, "load", load)
    finder = Finder(NameModels({"en": "spacy"}))  # any installed package will do for the check
    assert loaded == []
    text = "the package of Nina Simone from Kite is lost"
    assert finder.find(text, "en") == (Span(15, 26, Kind.NAME),)
    assert finder.find(text, "zh") == ()
    assert loaded == ["spacy"]


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_written_lines_are_read_as_well_as_is_promised(language: str) -> None:
    figures = measured(Finder(), language)
    assert figures["lines"] >= 150
    for group in ("patterns", "high_risk"):
        assert min(figures[group]["precision"], figures[group]["recall"]) >= 0.95, figures
    address = figures["kinds"]["address"]
    assert min(address["precision"], address["recall"]) >= 0.85
    assert figures["kinds"]["name"]["precision"] >= 0.85


def test_every_kind_is_among_the_written_lines() -> None:
    from personal_data.evaluate import LINES

    seen = {span.kind for language in LANGUAGES for _, spans in read_lines(LINES / f"{language}.txt") for span in spans}
    assert seen == set(Kind)


@given(st.integers(631_152_000, 4_102_444_799), st.integers(1, 999_999), st.sampled_from([" ", "T"]))
def test_the_fractions_of_a_second_are_nobodys_number(second: int, fraction: int, between: str) -> None:
    moment = datetime.fromtimestamp(second, UTC).replace(microsecond=fraction)
    assert not find(f"written at {moment.isoformat(between)}, she said", "")


def test_a_number_behind_a_time_is_still_found() -> None:
    for text in ("18:30:13812345678", "at 10:30: 13812345678", "12:00:00.5 13812345678"):
        assert [one.kind for one in find(text, "")] == [Kind.PHONE], text
