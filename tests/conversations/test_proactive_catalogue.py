"""What may be told: texts in both languages, facts that fill them, and kinds that a shop adds."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from conversations.proactive_catalogue import KINDS, BadCatalogue, Catalogue

OWN = """
back_in_stock:
  zh: "{product}到货了。[[现价 {price}。]]"
  en: "{product} is back.[[ It's {price} now.]]"
  subject_zh: "{product}到货了"
  subject_en: "{product} is back"
  title_zh: 到货通知
  title_en: Back in stock
  needs: [product]
  may_have: [price]
"""


@pytest.mark.parametrize("name", sorted(KINDS))
@pytest.mark.parametrize("language", ["zh", "en"])
def test_every_kind_reads_well_with_all_its_facts_and_with_those_it_needs(name: str, language: str) -> None:
    kind = KINDS[name]
    for facts in ({one: f"<{one}>" for one in (*kind.needs, *kind.may_have)}, {one: f"<{one}>" for one in kind.needs}):
        for text in (kind.text(language, facts), kind.subject(language, facts)):
            assert not re.search(r"[\[\]{}]|  | \.|，，|。。", text), text
            assert bool(re.search(r"[\u4e00-\u9fff]", text)) == (language == "zh")
        assert all(value in kind.text(language, facts) for value in facts.values())


def test_a_fact_that_looks_like_a_variable_stays_what_it_is() -> None:
    text = KINDS["ticket_answered"].text("en", {"ticket": "TK1", "subject": "{answer} [[x]]", "answer": "{ticket}"})
    assert "({answer} [[x]])" in text
    assert "“{ticket}”" in text


def test_a_shop_adds_kinds_and_changes_words(tmp_path: Path) -> None:
    (tmp_path / "p.yml").write_text(OWN + "callback:\n  valid_hours: 5\n", encoding="utf-8")
    kinds = Catalogue.read(tmp_path / "p.yml").kinds
    assert kinds["back_in_stock"].text("en", {"product": "Kite"}) == "Kite is back."
    assert (kinds["callback"].valid_hours, kinds["callback"].zh) == (5, KINDS["callback"].zh)
    assert set(kinds) == {*KINDS, "back_in_stock"}


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("- a list", "must name kinds"),
        ("Back: {}", "no name of a kind"),
        ("back: {zh: x}", "back.en"),
        (OWN.replace("{product} is back.", "{colour} is back."), "{colour}"),
        (OWN.replace("[[现价 {price}。]]", "现价 {price}。"), "put its sentence in"),
        (OWN.replace("{product} is back.", "{product is back."), "braces"),
        (OWN + "  colour: red", "back_in_stock.colour"),
        ("a: [", "cannot be read"),
    ],
)
def test_a_bad_file_stops_the_start_and_names_the_place(tmp_path: Path, text: str, named: str) -> None:
    (tmp_path / "p.yml").write_text(text, encoding="utf-8")
    with pytest.raises(BadCatalogue) as stopped:
        Catalogue.read(tmp_path / "p.yml")
    assert named in str(stopped.value)
    with pytest.raises(BadCatalogue, match="cannot be read"):
        Catalogue.read(tmp_path / "none.yml")
