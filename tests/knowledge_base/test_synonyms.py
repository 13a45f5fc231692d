"""Synonyms change what a question means to the articles, at once, and never contradict each other."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy.ext.asyncio import create_async_engine

from knowledge_base.synonym_book import Draft, SynonymBook
from knowledge_base.synonym_store import SynonymStore
from knowledge_base.synonyms import Kind, Scope, Synonym, SynonymRefused, Synonyms, bare, check
from tests.knowledge_base.builders import knowledge_base, small_shop

NOW = datetime(2026, 11, 1, tzinfo=UTC)


def rule(
    term: str, means: str, language: Scope = "both", *, kind: Kind = "synonym", two_way: bool = False, id: str = ""
) -> Synonym:
    return Synonym(id or f"{term}>{means}", kind, language, term, means, two_way, NOW, "Tina")


def understood(text: str, *rules: Synonym, language: str = "en") -> str:
    return Synonyms(rules).understand(text, language).text


def test_the_customers_word_becomes_the_articles_word() -> None:
    assert understood("When is my dough back?", rule("dough", "refund")) == "When is my refund back?"
    assert understood("邮资多少", rule("邮资", "运费"), language="zh") == "运费多少"


def test_letters_are_matched_as_whole_words_in_any_case_and_spacing() -> None:
    assert understood("the CAN is a can't", rule("can", "tin")).startswith("the tin")
    assert understood("a canteen", rule("can", "tin")) == "a canteen"
    assert understood("my Drop  Box", rule("drop box", "locker")) == "my locker"


def test_full_width_and_traditional_forms_are_the_same_word() -> None:
    assert understood("ＡＢＣ怎么用", rule("abc", "云雀"), language="zh") == "云雀怎么用"
    assert understood("郵資多少", rule("邮资", "运费"), language="zh") == "运费多少"


def test_the_longest_term_counts() -> None:
    rules = (rule("card", "ticket"), rule("gift card", "voucher"))
    assert understood("a gift card and a card", *rules) == "a voucher and a ticket"


def test_one_way_does_not_work_backwards_and_two_way_does() -> None:
    assert understood("my refund", rule("dough", "refund")) == "my refund"
    assert understood("my refund", rule("dough", "refund", two_way=True)) == "my dough"


def test_a_question_that_says_both_stays_as_it_is() -> None:
    text = "is dough the same as a refund"
    assert understood(text, rule("dough", "refund")) == text


def test_a_rule_keeps_to_its_language() -> None:
    assert understood("dough", rule("dough", "refund", "zh"), language="en") == "dough"


def test_latin_words_do_not_run_into_each_other() -> None:
    assert understood("买Nimbus的电脑", rule("电脑", "laptop"), language="zh") == "买Nimbus的laptop"
    assert understood("用hoover扫地", rule("扫地", "clean"), language="zh") == "用hoover clean"


@given(st.text(max_size=60), st.sampled_from(["zh", "en"]))
def test_any_text_can_be_understood_and_only_taught_words_change(text: str, language: str) -> None:
    rules = Synonyms((rule("dough", "refund"), rule("邮资", "运费"), rule("a b", "c")))
    result = rules.understand(text, language)
    assert bool(result.replaced) == (result.text != text)
    names = Synonyms((rule("hoover", "Sprout V1", kind="product"),)).products_in(text)
    assert all(text[name.start : name.end].lower() == "hoover" for name in names)


@pytest.mark.parametrize(
    ("new", "others", "code"),
    [
        (rule(" ", "refund"), [], "empty"),
        (rule("x" * 81, "refund"), [], "too_long"),
        (rule("the", "refund"), [], "too_common"),
        (rule("怎么", "退款"), [], "too_common"),
        (rule("Refund", "ＲＥＦＵＮＤ"), [], "same"),
        (rule("dough", "refund", id="2"), [rule("Dough", "refund", id="1")], "exists"),
        (rule("refund", "dough", id="2"), [rule("dough", "refund", two_way=True, id="1")], "exists"),
        (rule("refund", "dough", id="2"), [rule("dough", "refund", id="1")], "loop"),
        (rule("c", "money", id="3"), [rule("money", "dough"), rule("dough", "c")], "loop"),
        (rule("c1", "a1", id="3"), [rule("a1", "b1"), rule("b1", "c1")], "loop"),
        (
            rule("hoover", "Drum Mini", kind="product", id="2"),
            [rule("hoover", "Sprout V1", kind="product", id="1")],
            "clash",
        ),
        (
            rule("Sprout V1", "Drum Mini", kind="product", id="2"),
            [rule("hoover", "Sprout V1", kind="product", id="1")],
            "clash",
        ),
        (
            rule("vacuum", "hoover", kind="product", id="2"),
            [rule("hoover", "Sprout V1", kind="product", id="1")],
            "clash",
        ),
    ],
)
def test_rules_that_cannot_stand_are_refused(new: Synonym, others: list[Synonym], code: str) -> None:
    with pytest.raises(SynonymRefused) as refused:
        check(new, others)
    assert refused.value.code == code
    assert str(refused.value)


def test_rules_of_different_languages_do_not_clash() -> None:
    assert check(rule("dough", "refund", "zh", id="2"), [rule("dough", "refund", "en", id="1")])


def test_a_rule_may_be_changed_without_clashing_with_its_former_self() -> None:
    old = rule("dough", "refund", id="1")
    assert check(replace(old, two_way=True), [old])


_TERMS = st.sampled_from(["dough", "refund", "money", "cash", "coin"])


@given(st.lists(st.tuples(_TERMS, _TERMS, st.booleans()), max_size=12))
def test_accepted_one_way_rules_never_lead_in_a_circle(drafts: list[tuple[str, str, bool]]) -> None:
    kept: list[Synonym] = []
    for number, (term, means, two_way) in enumerate(drafts):
        try:
            kept.append(check(rule(term, means, two_way=two_way, id=str(number)), kept))
        except SynonymRefused:
            continue
    onward = {(bare(one.term), bare(one.means)) for one in kept if not one.two_way}
    reach = set(onward)
    for _ in range(6):
        reach |= {(a, d) for a, b in reach for c, d in onward if b == c}
    assert all(a != b for a, b in reach)


@pytest.fixture
async def book(tmp_path: Path) -> AsyncIterator[SynonymBook]:
    engine = create_async_engine(f"sqlite+aiosqlite:///{tmp_path / 'desk.db'}")
    store = SynonymStore(engine)
    await store.create_tables()
    kb = knowledge_base(tmp_path)
    await kb.load(small_shop())
    yield SynonymBook(store, kb)
    await kb.close()
    await engine.dispose()


DOUGH = Draft("synonym", "en", "dough", "refund", two_way=False)


async def test_a_new_synonym_works_with_the_next_question_and_encodes_no_article(book: SynonymBook) -> None:
    kb = book._kb
    question = "how long until the dough"
    before = await kb.candidates(question)
    await book.add(DOUGH, "Tina")
    after = await kb.candidates(question)
    assert after[0].article_id == "refunds"
    assert after[0].features["unknown"] < before[0].features["unknown"]
    answer = await kb.answer(question, "en", gate=0)
    assert answer is not None
    assert answer.citation.article_id == "refunds"


async def test_deleting_a_synonym_takes_its_effect_back(book: SynonymBook) -> None:
    kept = await book.add(DOUGH, "Tina")
    assert await book.remove(kept.id) is not None
    assert await book.remove(kept.id) is None
    assert book.rules.understand("dough", "en").text == "dough"


async def test_a_trial_shows_what_a_rule_would_do_and_changes_nothing(book: SynonymBook) -> None:
    trial = await book.attempt("how long until the dough", "en", DOUGH)
    assert trial.understood.text == "how long until the refund"
    assert trial.understood.replaced == (("dough", "refund"),)
    assert trial.after[0].passage.article_id == "refunds"
    assert book.rules.rules == ()


async def test_another_process_takes_changes_over(book: SynonymBook) -> None:
    other = SynonymBook(book._store, book._kb)
    await book.add(DOUGH, "Tina")
    assert other.rules.rules == ()
    await other.refresh()
    assert [one.term for one in other.rules.rules] == ["dough"]


async def test_two_trainers_cannot_add_the_same_rule_at_once(book: SynonymBook) -> None:
    results = await asyncio.gather(book.add(DOUGH, "Tina"), book.add(DOUGH, "Tom"), return_exceptions=True)
    assert sum(isinstance(one, SynonymRefused) for one in results) == 1
    assert len(book.rules.rules) == 1


async def test_product_names_are_found_where_they_stand(book: SynonymBook) -> None:
    await book.add(Draft("product", "both", "小云雀", "Nimbus Air", two_way=True), "Tina")
    [name] = book.rules.products_in("我的小云雀坏了")
    assert (name.product, name.start, name.end) == ("Nimbus Air", 2, 5)
    assert book.rules.rules[0].two_way is False
