"""Answers are slices of the article they cite, in the form the question asks for, and never more certain than it is."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import knowledge_base
from knowledge_base.answering import Quotation, quote, written
from knowledge_base.articles import LANGUAGES, Article
from knowledge_base.asking import read_question
from knowledge_base.encoder import Vectors
from knowledge_base.evaluate_answers import is_faithful, read_expected
from knowledge_base.importing import find_sources, read_sources
from knowledge_base.knowledge_base import KnowledgeBase
from knowledge_base.polarity import LEADS
from knowledge_base.prepared import questions_of
from knowledge_base.quotable import slices_to_encode
from knowledge_base.results import Answer, Citation
from knowledge_base.sentence_store import SentenceStore
from knowledge_base.structure import Span, structure_of
from tests.knowledge_base.builders import WordEncoder, article, small_shop
from tests.knowledge_base.builders import knowledge_base as open_kb

ROOM = Path(knowledge_base.__file__).parent
ENCODER = WordEncoder()

RETURNS = """You can return a product within 7 days. Opened earbuds cannot be returned.

## How to start a return
1. Open My orders.
2. Pack the product.
3. Hand the parcel to the courier.

## Charges
| Country | Charge | Time |
|---|---|---|
| Hong Kong | CNY 60 | 2–4 days |
| Singapore | CNY 80.50 | 4–7 days |

## What to send along
Please send:
- the charger,
- the [return form](https://shop.example/form?id=7&x=1),
- the `SN-0042` label.

Gift cards are not refunded."""


def quoted(question: str, body: str = RETURNS, language: str = "en", title: str = "Returns") -> tuple[str, Quotation]:
    one = article("returns", title, body, language, questions=())
    vectors: Vectors = ENCODER.passages(slices_to_encode(one))
    asked = ENCODER.questions([question])[0]
    found = quote(one, Span(0, 0), read_question(question), vectors, asked, language)
    return found.text(body), found


def answer_of(one: Article, found: Quotation) -> Answer:
    text = found.text(one.body)
    citation = Citation("", one.id, one.title, text, one.url)
    return Answer(text, citation, (), 1.0, one.language, True, found.lead, found.pieces, found.form, found.polarity, "")


# -- faithfulness


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_article_is_quoted_word_for_word_whatever_is_asked(language: str) -> None:
    articles = read_sources(find_sources([ROOM / "articles" / language]))[0]
    strangers = [
        line.text for part in ("dev", "test") for line in read_expected(ROOM / part / f"answers.{language}.jsonl")
    ]
    for number, one in enumerate(articles):
        vectors = ENCODER.passages(slices_to_encode(one))
        for question in (*questions_of(one), *strangers[number % 7 :: 7]):
            asked = ENCODER.questions([question])[0]
            found = quote(one, Span(0, 0), read_question(question), vectors, asked, language)
            assert is_faithful(answer_of(one, found), one.body), (one.key, question)
            for piece in found.pieces:
                assert written(piece.span.of(one.body)) in found.text(one.body)


_LINES = st.sampled_from(
    [
        "Yes, it can be returned.", "No.", "可以。", "不能退货。", "1. First do this.", "2. Then that: 3.5 kg!", "- a point; and more",
        "| A | B |", "|---|---|", "| x | 1,299.00 |", "## A heading", "", "> quoted *text*", "```", "code = 1 * 2", "See <https://x.example/a_b?c=1>.",
        "Only if it is sealed，否则不行；除非有故障。", "Price: CNY 1,299 (was 1.299,00 €).", "   ", "#", "|", "| only |",
    ]
)  # fmt: skip


@settings(max_examples=150, deadline=None)
@given(st.lists(_LINES, min_size=1, max_size=14), st.sampled_from(LANGUAGES), st.sampled_from([
    "can I return it?", "可以退吗", "how do I do this", "怎么办", "what does x cost", "有没有 A", "isn't it sealed?",
]))  # fmt: skip
def test_any_markdown_is_quoted_word_for_word(lines: list[str], language: str, question: str) -> None:
    body = "\n".join(lines).strip("\n")
    if not body.strip():
        return
    one = article("any", "Can it be returned?", body, language, questions=())
    vectors = ENCODER.passages(slices_to_encode(one))
    found = quote(one, Span(0, 0), read_question(question), vectors, ENCODER.questions([question])[0], language)
    for piece in found.pieces:
        assert 0 <= piece.span.start < piece.span.end <= len(body)
        assert not piece.before.strip(" \n…")
    assert found.lead in {"", *(word for words in LEADS.values() for pair in words.values() for word in pair)}
    starts = [piece.span.start for piece in found.pieces]
    assert starts == sorted(starts)


def test_units_cover_everything_but_headings_marks_and_blanks() -> None:
    structure = structure_of(RETURNS, "en")
    left = RETURNS
    for unit in structure.units:
        left = left.replace(unit.span.of(RETURNS), "", 1)
    for group in structure.groups:
        for span in group.header:
            left = left.replace(span.of(RETURNS), "", 1)
    assert left.split() == "## How to start a return ## Charges ## What to send along".split()  # noqa: SIM905


# -- forms


def test_steps_stay_steps_when_the_question_asks_how() -> None:
    text, found = quoted("how do I start a return?")
    assert found.form == "steps"
    assert text == (
        "How to start a return\n1. Open My orders.\n2. Pack the product.\n3. Hand the parcel to the courier."
    )


def test_a_table_keeps_its_header_and_the_row_that_is_asked_for() -> None:
    text, found = quoted("what is the charge for Singapore?")
    assert found.form == "table"
    assert text == "| Country | Charge | Time |\n|---|---|---|\n| Singapore | CNY 80.50 | 4–7 days |"


def test_a_list_keeps_the_sentence_that_introduces_it_and_addresses_stay() -> None:
    text, _ = quoted("what should I send along, charger and label?")
    assert text.startswith("Please send:\n- the charger,")
    assert "https://shop.example/form?id=7&x=1" in text
    assert "SN-0042" in text


def test_sentences_that_do_not_follow_each_other_are_joined_with_a_gap() -> None:
    text, found = quoted(
        "red lamp blue cable", "The red lamp is bright. Nothing here.\n\nMore words follow.\n\nThe blue cable is long."
    )
    assert " … " in text
    assert len(found.pieces) == 2


def test_a_sentence_that_ends_in_a_semicolon_brings_its_other_half() -> None:
    text, _ = quoted("耳机可以退吗", "耳机未拆封可以退；拆封之后只能换货。", "zh", "退货")
    assert text.endswith("拆封之后只能换货。")


# -- yes and no


@pytest.mark.parametrize(
    ("question", "body", "language", "lead", "polarity"),
    [
        ("Can I return opened earbuds?", "Opened earbuds cannot be returned.", "en", "No.", "no"),
        ("Can a friend collect the order?", "A friend can collect the order.", "en", "Yes.", "yes"),
        ("Is the adapter included?", "The adapter is not included.", "en", "No.", "no"),
        ("滤网可以水洗吗", "滤网不能水洗。", "zh", "不可以。", "no"),
        ("有没有手续费", "分期没有手续费。", "zh", "没有。", "no"),
        ("扫地机支持语音吗", "扫地机支持语音。", "zh", "支持。", "yes"),
    ],
)
def test_an_explicit_answer_begins_with_yes_or_no(
    question: str, body: str, language: str, lead: str, polarity: str
) -> None:
    text, found = quoted(question, body, language, "X")
    assert (found.lead, found.polarity) == (lead, polarity)
    assert text.startswith(lead)
    assert text.endswith(body)


@pytest.mark.parametrize(
    ("question", "body", "language"),
    [
        ("Can I return earbuds?", "Earbuds can be returned only when they are unopened.", "en"),
        ("Can I return earbuds after 10 days?", "Earbuds can be returned within 7 days.", "en"),
        ("Can't I return earbuds?", "Earbuds cannot be returned.", "en"),
        ("Can I return earbuds?", "Phones cannot be returned.", "en"),
        ("When can I return earbuds?", "Earbuds cannot be returned.", "en"),
        ("Can I return or exchange earbuds?", "Step one: ask a person.", "en"),
        ("耳机可以退吗", "耳机只有未拆封时才能退。", "zh"),
        ("第十天能退吗", "七天内能退。", "zh"),
        ("不能退耳机吗", "耳机不能退。", "zh"),
        ("耳机什么时候能退", "耳机不能退。", "zh"),
        ("耳机可以退吗", "手机不能退。", "zh"),
        ("拆封的耳机能退吗", "未拆封的耳机能退。", "zh"),
    ],
)
def test_what_is_not_explicit_has_no_yes_or_no(question: str, body: str, language: str) -> None:
    _, found = quoted(question, body, language, "X")
    assert (found.lead, found.polarity) == ("", None)


def test_a_sentence_that_begins_with_its_own_yes_gets_no_second_one() -> None:
    text, found = quoted("Can orders be collected?", "Yes, orders can be collected in the shop.", title="Collecting")
    assert (found.lead, found.polarity) == ("", "yes")
    assert text.startswith("Yes, orders")


def test_a_yes_that_answers_something_else_is_left_out() -> None:
    body = "Yes, the bank may be carried in the cabin. It must not be put into checked luggage."
    text, found = quoted("Can I put it into checked luggage?", body, title="Can I fly with the bank?")
    assert found.polarity == "no"
    assert text.startswith("No. ")
    assert "Yes" not in text


# -- vectors


async def test_answers_wait_for_no_encoder(tmp_path: Path) -> None:
    kb: KnowledgeBase = open_kb(tmp_path)
    await kb.load(small_shop())
    use = kb._serving.use
    assert isinstance(use, WordEncoder)
    await kb.search("how long does a refund take", "en")
    encoded = use.encoded
    assert await kb.answer("how long does a refund take", "en", gate=0) is not None
    assert use.encoded == encoded
    await kb.close()


async def test_vectors_made_for_other_slices_are_not_used(tmp_path: Path) -> None:
    kb: KnowledgeBase = open_kb(tmp_path)
    await kb.load(small_shop())
    for one in kb.articles():
        kb.quoter._sentences.add(one.version, ENCODER.passages(["only one row"]))
    answer = await kb.answer("how long does a refund take", "en", gate=0)
    assert answer is not None
    assert "refund" in answer.text
    await kb.close()


def test_vectors_are_kept_by_version_and_forgotten_with_it(tmp_path: Path) -> None:
    rows = ENCODER.passages(["one", "two"])
    store = SentenceStore(tmp_path, "words")
    store.add("v1", rows)
    store.add("v2", rows)
    store.close()
    again = SentenceStore(tmp_path, "words")
    found = again.find("v1")
    assert found is not None
    assert abs(found - rows).max() < 1e-3
    again.keep_only({"v2"})
    again.close()
    last = SentenceStore(tmp_path, "words")
    assert last.find("v1") is None
    assert last.find("v2") is not None
    other = SentenceStore(tmp_path, "another encoder")
    assert other.find("v2") is None
    for one in (last, other):
        one.close()
