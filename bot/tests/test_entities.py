"""The entity catalogue on its held-out lines, and how candidates that compete for the same words are settled."""

from __future__ import annotations

from collections import Counter
from datetime import datetime
from functools import lru_cache
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from bot import settings
from bot.components.entities import as_rasa
from bot.entities.annotated import Line, read_lines, same_value
from bot.entities.catalogue import Catalogue, load
from bot.entities.finder import Entity, Finder
from bot.entities.table import END, PAGE, with_table
from bot.evaluate_entities import measure, project_finder

FOLDER = settings.ROOT / "nlu_data" / "entities"
NOW = datetime(2026, 11, 18, 10, 30, tzinfo=ZoneInfo("Asia/Shanghai"))


@lru_cache(maxsize=1)
def finder() -> Finder:
    return project_finder(settings.ROOT / "nlu_data")[0]


@lru_cache(maxsize=1)
def catalogue() -> Catalogue:
    return load(FOLDER)


def lines(name: str) -> list[Line]:
    return read_lines(FOLDER / "test" / f"{name}.yml")


def entities(text: str) -> tuple[Entity, ...]:
    return finder().find(text, NOW).entities


def found(text: str) -> list[tuple[str, str]]:
    return [(one.entity, text[one.start : one.end]) for one in entities(text)]


def value(text: str, entity: str) -> object:
    return next((one.normalized for one in entities(text) if one.entity == entity), None)


@pytest.mark.parametrize("name", ["zh", "en", "zh_second", "en_second", "zh_third", "en_third"])
def test_held_out_lines_are_read_well(name: str) -> None:
    figures = measure(finder(), lines(name)).total.figures()
    assert figures["f1"] >= 0.95
    assert figures["value_accuracy"] >= 0.95


@pytest.mark.parametrize("language", ["zh", "en"])
def test_every_type_has_its_held_out_lines(language: str) -> None:
    for name, positive, all_together in ((language, 6, 8), (f"{language}_second", 2, 2)):
        held: Counter[str] = Counter()
        traps: Counter[str] = Counter()
        for line in lines(name):
            held.update({one.entity for one in line.entities})
            traps.update([line.trap] if line.trap else [])
        for kind in catalogue().types:
            if language in kind.languages:
                assert held[kind.name] >= positive, f"{name}: {kind.name}"
                assert held[kind.name] + traps[kind.name] >= all_together, f"{name}: {kind.name}"


def test_there_are_more_than_a_hundred_types_in_both_languages() -> None:
    types = catalogue().types
    assert len(types) >= 110
    assert sum(set(kind.languages) == {"zh", "en"} for kind in types) >= 100


def test_every_example_of_the_catalogue_is_found() -> None:
    for kind in catalogue().types:
        for examples in kind.examples.values():
            for example in examples:
                assert kind.name in {one.entity for one in entities(example)}, f"{kind.name}: {example}"


def test_the_page_lists_every_type() -> None:
    page = PAGE.read_text(encoding="utf-8")
    assert END in page
    assert with_table(page, catalogue()) == page, "run python -m bot.entities.table"


def test_places_and_values_survive_what_folding_changes() -> None:
    text = "ＫＴ２０２６１２３４ 的 ３，２９９ 元，İ"
    assert found(text) == [("order_number", "ＫＴ２０２６１２３４"), ("amount", "３，２９９ 元")]
    assert value(text, "amount") == {"amount": 3299, "currency": "CNY"}


@pytest.mark.parametrize(("text", "expected"), [
    ("后天下午三点来", [("datetime", "后天下午三点")]),
    ("三天前买的", [("relative_day", "三天前")]),
    ("花了一百二十块", [("amount", "一百二十块")]),
    ("DHL 1234567890", [("carrier", "DHL"), ("dhl_tracking", "1234567890")]),
    ("韵达 4312345678901", [("carrier", "韵达"), ("yunda_tracking", "4312345678901")]),
    ("卡号6228485260181595", [("bank_card", "6228485260181595")]),
    ("my phone number changed", []),
    ("微信支付", [("payment_method", "微信支付")]),
    ("the black screen is back", [("fault_symptom", "black screen")]),
    ("one of the grown-ups", []),
    ("你们客服人员通话", []),
])  # fmt: skip
def test_the_longest_and_surest_of_overlapping_candidates_is_kept(text: str, expected: list[tuple[str, str]]) -> None:
    assert found(text) == expected


@pytest.mark.parametrize(("text", "entity", "expected"), [
    ("能发shunfeng吗", "carrier", "sf"), ("shun feng可以吗", "carrier", "sf"), ("用zhifubao", "payment_method", "alipay"),
    ("发园通吧", "carrier", "yto"), ("paypall please", "payment_method", "paypal"), ("in my Samsng", "brand", "samsung"),
    ("I bought a labtop", "product_category", "laptop"), ("from hangzhou", "city", "hangzhou"),
])  # fmt: skip
def test_a_name_is_known_by_its_sound_in_pinyin_and_with_a_typing_error(text: str, entity: str, expected: str) -> None:
    assert value(text, entity) == expected


@pytest.mark.parametrize("text", ["which house", "I missed the phase", "bring the sheets", "他姓顾", "一家人"])
def test_an_ordinary_word_is_not_taken_for_a_misspelt_name(text: str) -> None:
    assert found(text) == []


def test_what_a_form_asked_for_is_never_passed_over() -> None:
    text = "it's 4417 pieces of nothing"
    assert ("last4", "4417") not in found(text)
    expected = finder().find(text, NOW, expected={"last4"}).entities
    assert [one.value for one in expected if one.entity == "last4"] == ["4417"]


def test_forms_and_classifier_see_the_same_few_kinds_as_ever() -> None:
    text = "SF1234567890123 to 杭州 by Friday, call 13800138000, black, 2.5kg"
    core = finder().find(text, NOW).core
    assert [(one.entity, one.value) for one in core] == [
        ("tracking_number", "SF1234567890123"), ("date", "Friday"), ("phone", "13800138000"),
    ]  # fmt: skip


def test_a_narrow_type_is_told_as_its_wider_type_too() -> None:
    told = as_rasa(entities("call 13800138000"))
    assert [(one["entity"], one["value"], one["normalized"]) for one in told] == [
        ("mobile_phone", "13800138000", "+8613800138000"), ("phone", "13800138000", "+8613800138000"),
    ]  # fmt: skip


def test_a_very_long_message_is_read_from_its_beginning() -> None:
    text = "KT20261234 " + "很长的话 long words 12 " * 4000
    assert found(text)[0] == ("order_number", "KT20261234")


def test_marks_are_read_and_bad_ones_named(tmp_path: Path) -> None:
    path = tmp_path / "zh.yml"
    path.write_text(
        'reference: "2026-11-18T10:30:00+08:00"\nlanguage: zh\nlines: |\n  退[49.9元](amount: 49.9 CNY)给[我](person_name: ~)\n'
        "traps:\n  amount: |\n    多少钱\n",
        encoding="utf-8",
    )
    line, trap = read_lines(path)
    assert line.text == "退49.9元给我"
    assert [(one.entity, one.start, one.end) for one in line.entities] == [("amount", 1, 6), ("person_name", 7, 8)]
    assert same_value(line.entities[0].value, {"amount": 49.9, "currency": "CNY"})
    assert not same_value(line.entities[0].value, {"amount": 49, "currency": "CNY"})
    assert trap.trap == "amount"
    path.write_text(
        'reference: "2026-11-18T10:30:00+08:00"\nlanguage: zh\nlines: |\n  退[49.9元](Amount)\n', encoding="utf-8"
    )
    with pytest.raises(ValueError, match="cannot be read"):
        read_lines(path)


def test_a_missed_and_an_invented_entity_are_counted_apart() -> None:
    said = datetime(2026, 11, 18, tzinfo=ZoneInfo("UTC"))
    right = Line("KT20261234", tuple(lines("zh")[0].entities[:0]), "zh", said)
    total = measure(finder(), [right]).total
    assert (total.expected, total.found, total.right) == (0, 1, 0)


@pytest.mark.parametrize("text", [
    "+44 7700 900123", "07700 900123", "+44 7700 900 123", "07700 900 123", "my number is 07700 900123", "it's +44 7700 900123", "138 0013 8000", "+86 138 0013 8000",
    "020 7946 0018", "0571 8888 6666", "+65 8123 4567", "我的手机是 07700 900123", "电话 138 0013 8000",
])  # fmt: skip
@pytest.mark.parametrize("asked", [{"last4", "code", "identity_proof"}, {"code"}])
def test_a_telephone_number_with_spaces_holds_no_code_even_where_one_is_asked_for(text: str, asked: set[str]) -> None:
    reading = finder().find(text, NOW, expected=asked)
    for entities in (reading.entities, reading.core):
        kinds = [one.is_a or one.entity for one in entities]
        assert kinds.count("phone") == 1
        assert not {"code", "last4"} & set(kinds)


@pytest.mark.parametrize(
    "text",
    [
        "582913",
        "582 913",
        "582-913",
        "it's 582913",
        "the code is 582 913",
        "验证码582913",
        "KT20260002 582913",
        "是 582913",
    ],
)
def test_a_code_that_is_asked_for_is_found(text: str) -> None:
    found = finder().find(text, NOW, expected={"last4", "code", "identity_proof"}).entities
    assert [one.value for one in found if one.entity == "code"] == ["582913"]


def test_half_a_number_in_brackets_is_no_code() -> None:
    assert not any(one.entity == "code" for one in finder().find("(07700) 900123", NOW, expected={"code"}).core)


@pytest.mark.parametrize("text", ["電郵", "电邮", "電子郵件", "我的邮箱"])
def test_an_e_mail_address_to_change_has_many_names(text: str) -> None:
    assert [(one.entity, one.value) for one in finder().find(text, NOW).core] == [("contact_field", "email")]
