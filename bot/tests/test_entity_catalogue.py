"""The catalogue's files: what is wrong is told with its place, and a model keeps what it was trained with."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import yaml

from bot.entities.catalogue import BadCatalogue, Catalogue, build, load
from bot.entities.finder import Finder
from bot.entities.patterns import required_characters
from bot.nlu_data import check_entities, words_in

NOW = datetime(2026, 11, 18, 10, 30, tzinfo=ZoneInfo("Asia/Shanghai"))


def kind(name: str = "engraving", **more: Any) -> dict[str, Any]:
    body = {
        "name": name,
        "title": {"zh": "刻字", "en": "Engraving"},
        "examples": {"zh": ["刻字A"], "en": ["engraving A"]},
    }
    return {**body, **({} if "patterns" in more or "values" in more else {"patterns": ["x"]}), **more}


def file(*types: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"family": "goods", "title": {"zh": "商品", "en": "Goods"}, "types": list(types), **more}


def catalogue(*types: dict[str, Any]) -> Catalogue:
    return build({"goods.yml": file(*types)})


def found(text: str, *types: dict[str, Any]) -> list[tuple[str, Any]]:
    return [(one.entity, one.normalized) for one in Finder(catalogue(*types)).find(text, NOW).entities]


@pytest.mark.parametrize(("content", "problem"), [
    ([], "goods.yml: expected the keys family, title and types"),
    (file(family="Goods 1"), "family must be a short name"),
    (file(kind(colour=1)), "goods.yml: engraving: unknown key colour; there are"),
    (file(kind("Engraving")), "entry 1 needs a name"),
    (file(kind(), kind()), "engraving is also defined in goods.yml"),
    (file(kind(title="Engraving")), "title needs one text for zh and one for en"),
    (file(kind(examples={"zh": ["x"]})), "examples needs a list for each of zh, en"),
    (file(kind(languages=["fr"])), "languages may hold zh and en only"),
    (file(kind(patterns=["(x"])), "engraving: pattern 1: regex is not a regular expression"),
    (file(kind(patterns=[{"regex": "x", "checksum": "luhn11"}])), "unknown checksum luhn11; there are bank_card"),
    (file(kind(patterns=[{"regex": "x", "far": 1}])), "pattern 1: unknown key far"),
    (file(kind(patterns=[{"near": ["x"]}])), "pattern 1 needs a regex"),
    (file(kind(patterns=[{"regex": "x", "within": "near"}])), "within must be a number of characters"),
    (file(kind(patterns=[{"regex": "x", "script": "greek"}])), "script must be latin"),
    (file(kind(normaliser="shout")), "unknown normaliser shout; there are address"),
    (file(kind(values=[{"value": "a", "fr": "x"}])), "value 1 needs value and lists of words"),
    (file(kind(values=[{"value": "a", "en": "x||y"}])), "value a has an empty word"),
    (file(kind(patterns=[])), "needs patterns, units, values or a grammar"),
    (file(kind(is_a="writing")), "is_a names the unknown type writing"),
    (file(kind(grammar="poetry")), "grammar must be one of date"),
    (file(kind(fuzzy="yes")), "fuzzy must be true or false"),
    (file(kind(units=["kg"])), "units must map each unit"),
    (file(kind(not_before="(")), "not_before is not a regular expression"),
])  # fmt: skip
def test_a_mistake_is_told_with_file_type_and_what_to_correct(content: Any, problem: str) -> None:
    with pytest.raises(BadCatalogue) as raised:
        build({"goods.yml": content})
    assert problem in str(raised.value)


def test_a_file_that_is_no_yaml_and_an_empty_folder_are_named(tmp_path: Path) -> None:
    with pytest.raises(BadCatalogue, match="holds no entity files"):
        load(tmp_path)
    (tmp_path / "goods.yml").write_text("types: [", encoding="utf-8")
    with pytest.raises(BadCatalogue, match=r"goods\.yml: not readable as YAML"):
        load(tmp_path)


def test_training_is_refused_with_the_catalogues_mistakes(tmp_path: Path) -> None:
    assert check_entities(tmp_path) == []
    (tmp_path / "entities").mkdir()
    (tmp_path / "entities" / "goods.yml").write_text(yaml.safe_dump(file(kind(patterns=["("]))), encoding="utf-8")
    [problem] = check_entities(tmp_path)
    assert problem.startswith("entities/goods.yml: engraving: pattern 1")


def test_words_that_yaml_reads_as_truth_values_stay_words(tmp_path: Path) -> None:
    (tmp_path / "goods.yml").write_text(
        "family: goods\ntypes:\n- name: switch\n  title: {zh: 开关, en: Switch}\n  examples: {zh: [开], en: [on]}\n"
        "  values: [{value: on, en: on}, {value: off, en: off}]\n",
        encoding="utf-8",
    )
    assert [value.words for value in load(tmp_path).types[0].values] == [("on",), ("off",)]


def test_what_a_model_keeps_is_what_it_was_trained_with() -> None:
    kept = catalogue(kind(values=[{"value": "a", "en": "alpha"}]))
    assert build(kept.source) == kept


def test_a_context_word_must_stand_before_and_near() -> None:
    plate = kind(patterns=[{"regex": r"\d{3}", "near": ["plate"], "within": 5}])
    assert found("plate: 123", plate) == [("engraving", "123")]
    assert found("123 plate", plate) == []
    assert found("plate is not the 123", plate) == []


def test_a_context_word_may_have_to_follow() -> None:
    assert found("123 by sms", kind(patterns=[{"regex": r"\d{3}", "after": ["sms"]}])) == [("engraving", "123")]


def test_capitals_matter_only_where_asked() -> None:
    units = kind(values=[{"value": "US", "en": "=US"}, {"value": "kite", "en": "Kite"}])
    assert found("in the US", units) == [("engraving", "US")]
    assert found("tell us", units) == []
    assert found("KITE", units) == [("engraving", "kite")]


def test_an_exception_rules_out_its_own_type_only() -> None:
    phone = kind("phone", values=[{"value": "phone", "en": "phone"}], **{"except": ["phone number"]})
    other = kind("detail", values=[{"value": "number", "en": "phone number"}])
    assert found("my phone", phone, other) == [("phone", "phone")]
    assert found("my phone number", phone, other) == [("detail", "number")]


def test_priority_wins_over_length() -> None:
    short = kind("short", patterns=["ab"], priority=1)
    long = kind("long", patterns=["abc"])
    assert found("abc", short, long) == [("short", "ab")]
    assert found("abc", {**short, "priority": 0}, long) == [("long", "abc")]


@pytest.mark.parametrize(("regex", "text", "may"), [
    (r"kt\d{8}", "no digits", False), (r"(?:abc|xyz)", "only xyz", True), (r"(?:abc|xyz)", "nope", False),
    (r"a?b*", "", True), (r"[\u4e00-\u9fff]+店", "书店", True), (r"(?<!\d)\d{3}", "12", True), (r"[^a]", "", True),
])  # fmt: skip
def test_a_pattern_is_skipped_only_where_it_cannot_match(regex: str, text: str, may: bool) -> None:
    required = required_characters(regex)
    assert all(not characters.isdisjoint(text) for characters in required) == may


def test_a_word_written_twice_is_not_a_typing_error() -> None:
    assert words_in(["a dell laptop", "my laptop", "labtop"]) == {"laptop"}
    dell = kind(values=[{"value": "laptop", "en": "laptop"}], fuzzy=True)
    assert found("labtop", dell) == [("engraving", "laptop")]
    assert Finder(catalogue(dell), frequent={"labtop"}).find("labtop", NOW).entities == ()
