"""A sentence passes only when a passage it cites says so."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from knowledge_base.articles import Passage
from knowledge_base.evaluate_faithfulness import ROOM, figures, judge, main, read_lines
from knowledge_base.generation.faithfulness import Cited, FaithfulnessChecker, Verdict
from knowledge_base.generation.prompts import FRAMES

TEXT = (
    "Unopened products can be returned within 7 days of delivery. Opened earbuds cannot be returned. "
    "Delivery with SF Express costs CNY 10 and is free from CNY 99. Write to help@kite.example or see kite.example/returns."
)
PASSAGE = Passage("returns", "en", "intro-1", "Returns", (), TEXT, "1", 0)
ZH = Passage(
    "returns",
    "zh",
    "intro-1",
    "退货",
    (),
    "未拆封的商品签收后 7 天内可以退货。拆封的耳机不能退货。用支付宝付款的订单原路退回。",
    "1",
    0,
)


def verdict(checker: FaithfulnessChecker, text: str, language: str = "en", passage: Passage = PASSAGE) -> Verdict:
    return checker.check([Cited(text, ("p1",))], {"p1": (passage, passage.text)}, language)[0]


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("Unopened products can be returned within 14 days of delivery.", "number"),
        ("Delivery with SF Express costs EUR 10.", "number"),
        ("Delivery with DHL costs CNY 10.", "name"),
        ("Write to support@kite.example.", "link"),
        ("See evil.example/returns for returns.", "link"),
        ("See [returns](kite.example/returns).", "markup"),
        ("Opened earbuds can be returned.", "negation"),
        ("Unopened products cannot be returned within 7 days of delivery.", "negation"),
        ("Yes. Opened earbuds cannot be returned.", "negation"),
        ("We send you a new pair of shoes as a present.", "meaning"),
        ("Unopened products can be returned within 7 days, and our staff will bring you flowers and cake.", "clause"),
        ("未拆封的商品可以退货。", "language"),
        ("word " * 100, "too_long"),
        ("Un\u200bopened products can be returned.", "markup"),
    ],
)
def test_what_is_wrong_with_a_sentence_is_named(checker: FaithfulnessChecker, text: str, reason: str) -> None:
    found = verdict(checker, text)
    assert (found.supported, found.reason) == (False, reason)


def test_the_words_that_support_a_sentence_are_quoted_exactly(checker: FaithfulnessChecker) -> None:
    found = verdict(checker, "You cannot return opened earbuds.")
    assert found.supported
    assert found.passage == "p1"
    assert found.quote == "Opened earbuds cannot be returned."


def test_addresses_of_the_passage_may_be_said(checker: FaithfulnessChecker) -> None:
    assert verdict(checker, "Write to help@kite.example or see kite.example/returns.").supported


@pytest.mark.parametrize(
    ("text", "supported"),
    [
        ("Unopened products can be returned within 7 days of delivery.", True),
        ("Unopened products can be returned within 17 days of delivery.", False),
        ("Opened earbuds can be returned.", False),
        ("Orders paid with Alipay are refunded the same way.", True),
        ("Orders paid with WeChat Pay are refunded the same way.", False),
    ],
)
def test_a_passage_in_the_other_language_supports_what_it_says(
    checker: FaithfulnessChecker, text: str, supported: bool
) -> None:
    assert verdict(checker, text, "en", ZH).supported is supported


def test_a_sentence_must_cite_a_passage_that_was_given(checker: FaithfulnessChecker) -> None:
    given_passages = {"p1": (PASSAGE, TEXT)}
    reasons = [
        one.reason
        for one in checker.check(
            [Cited("Opened earbuds cannot be returned.", ids) for ids in ((), ("p9",), ("p1", "p9"))],
            given_passages,
            "en",
        )
    ]
    assert reasons == ["no_passage", "unknown_passage", "unknown_passage"]


def test_any_one_of_the_cited_passages_may_support_it_but_only_alone(checker: FaithfulnessChecker) -> None:
    other = Passage("warranty", "en", "intro-1", "Warranty", (), "Phones have a warranty of 24 months.", "1", 0)
    both = {"p1": (PASSAGE, TEXT), "p2": (other, other.text)}
    said = [
        Cited("Phones have a warranty of 24 months.", ("p1", "p2")),
        Cited("Unopened products can be returned within 24 months.", ("p1", "p2")),
    ]
    assert [one.supported for one in checker.check(said, both, "en")] == [True, False]


@pytest.mark.parametrize("language", ["en", "zh"])
def test_words_of_the_prompt_are_never_said(checker: FaithfulnessChecker, language: str) -> None:
    passage = PASSAGE if language == "en" else ZH
    leak = FRAMES[language].split("\n")[1][:120]
    [found] = checker.check([Cited(leak, ("p1",))], {"p1": (passage, passage.text)}, language, [FRAMES[language]])
    assert found.reason == "prompt"


def test_only_the_usable_text_of_a_passage_counts(checker: FaithfulnessChecker) -> None:
    usable = TEXT.split(". ")[0] + "."
    [found] = checker.check([Cited("Opened earbuds cannot be returned.", ("p1",))], {"p1": (PASSAGE, usable)}, "en")
    assert not found.supported


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.text(min_size=1, max_size=120), st.sampled_from(["zh", "en"]))
def test_any_text_can_be_judged(checker: FaithfulnessChecker, text: str, language: str) -> None:
    found = verdict(checker, text, language, ZH if language == "en" else PASSAGE)
    assert found.supported == (found.reason == "")


def test_there_are_sixty_development_sentences_of_each_kind_in_each_language() -> None:
    lines = read_lines(ROOM / "dev" / "faithfulness.yml")
    for language in ("zh", "en"):
        for supported in (True, False):
            assert sum(one.language == language and one.supported == supported for one in lines) >= 60


def test_the_measured_quality_does_not_fall_behind(checker: FaithfulnessChecker) -> None:
    development = read_lines(ROOM / "dev" / "faithfulness.yml")
    held_out = read_lines(ROOM / "test" / "faithfulness.yml")
    seen = figures(development, judge(checker, development))
    unseen = figures(held_out, judge(checker, held_out))
    assert seen["refused"] >= 0.95
    assert seen["passed"] >= 0.82
    assert unseen["refused"] >= 0.9
    assert unseen["passed"] >= 0.77


def test_the_command_prints_its_figures_as_json_last(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    data = tmp_path / "lines.yml"
    data.write_text(
        "- lang: en\n  title: Returns\n  text: You can return products within 7 days.\n"
        "  en:\n    supported: [You can return products within 7 days.]\n"
        "    unsupported: {number: You can return products within 9 days.}\n"
    )
    assert main(["--data", str(data), "--show"]) == 0
    result = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert (result["passed"], result["refused"], result["supported"]) == (1.0, 1.0, 1)


@pytest.mark.parametrize("text", ["{", "text: 1", "- lang: en", "- [1]"])
def test_a_file_that_is_not_as_agreed_is_named(tmp_path: Path, text: str, capsys: pytest.CaptureFixture[str]) -> None:
    data = tmp_path / "lines.yml"
    data.write_text(text)
    assert main(["--data", str(data)]) == 1
    assert "lines.yml" in capsys.readouterr().err
