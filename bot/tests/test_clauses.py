"""Cutting messages into what they ask, refusals, and what messages point back to; no model needed."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.clauses import asks, grouped, requests, split_clauses
from bot.negation import find_refusal
from bot.references import Meant, Memory, what_is_meant
from bot.text import fold


def texts(message: str) -> list[str]:
    return [clause.text for clause in split_clauses(message)]


@pytest.mark.parametrize(("message", "clauses"), [
    ("How much is it? And when does it come?", ["How much is it?", "when does it come?"]),
    ("do you ship abroad and can I pay later", ["do you ship abroad", "can I pay later"]),
    ("多少钱？几天到？", ["多少钱？", "几天到？"]),
    ("能分期吗，还有怎么退货", ["能分期吗", "怎么退货"]),
    ("Two questions: is it new, and is it cheap?", ["is it new", "is it cheap?"]),
])  # fmt: skip
def test_questions_are_cut_apart(message: str, clauses: list[str]) -> None:
    assert texts(message) == clauses


@pytest.mark.parametrize("message", [
    'the label says "open? call us! now" on it', "send it to Flat 2, 14 Mill Road, Cambridge", "it cost 3,299.50 in total",
    "mail me at a.b@kite.example", "see https://kite.example/a?b=c&d=e", "盒子上写着“坏了吗？打电话！”", "I paid with Mr. Smith",
    "does it come with a pen or without",
])  # fmt: skip
def test_quotes_addresses_and_numbers_are_never_cut(message: str) -> None:
    assert texts(message) == [message]


@given(st.text(max_size=120))
def test_clauses_are_pieces_of_the_message_in_order(message: str) -> None:
    position = 0
    for clause in split_clauses(message):
        position = message.index(clause.text, position) + len(clause.text)


@given(st.lists(st.tuples(st.text("ab你", min_size=1, max_size=5), st.booleans()), min_size=1, max_size=6))
def test_grouping_loses_no_clause_and_makes_one_group_for_each_start(rows: list[tuple[str, bool]]) -> None:
    clauses = [split for text, _ in rows for split in split_clauses(text)]
    starts = [start for _, start in rows][: len(clauses)]
    groups = grouped(clauses, starts)
    assert len(groups) == sum(starts)
    if groups:
        assert all(any(clause.text in group for group in groups) for clause in clauses)


def test_a_request_is_told_from_a_report() -> None:
    assert requests("please cancel it")
    assert requests("帮我查一下")
    assert requests("I want a refund")
    assert not requests("the earbuds broke")
    assert not requests("屏幕裂了")
    assert asks("how long does it take")
    assert asks("几天能到")
    assert not asks("it takes long")


@pytest.mark.parametrize(("text", "intents", "left"), [
    ("don't cancel it", {"cancel_order"}, None), ("please do not return my order", {"return_refund"}, None),
    ("I don't want a refund, I want an invoice", {"return_refund"}, "I want an invoice"), ("不用转人工", {"handoff"}, None),
    ("先别退款，我要报修", {"return_refund"}, "我要报修"), ("发票不用开了", {"request_invoice"}, None), ("地址别改了", {"change_address"}, None),
    ("leave my phone number, don't change it", {"update_contact"}, None),
])  # fmt: skip
def test_a_refusal_is_heard_and_what_is_wanted_instead_is_left(text: str, intents: set[str], left: str | None) -> None:
    refusal = find_refusal(text)
    assert refusal is not None
    assert refusal.intents == intents
    if left is None:
        assert refusal.asks_nothing_else or text.startswith("leave")
    else:
        rest = "".join(c for i, c in enumerate(text) if not any(e.start <= i < e.end for e in refusal.edits))
        assert rest.strip(" ,，") == left


@pytest.mark.parametrize("text", [
    "don't forget to cancel my order", "I don't want this any more, cancel it", "why haven't you refunded me?", "别忘了取消订单",
    "怎么还不退款", "退不退都行", "是不是取消了", "no refund came", "I never got my invoice", "为什么不能退货", "不要了，取消吧",
    "can't I return it?", "you shouldn't have cancelled it",
])  # fmt: skip
def test_a_not_that_takes_nothing_back_is_no_refusal(text: str) -> None:
    assert find_refusal(text) is None


@given(st.text(alphabet="don't cancel the refund别不要取消退款人工，,. I", max_size=60))
def test_edits_of_a_refusal_lie_inside_the_text_and_apart(text: str) -> None:
    refusal = find_refusal(text)
    edits = refusal.edits if refusal else ()
    assert all(0 <= edit.start <= edit.end <= len(text) for edit in edits)
    assert all(first.end < second.start for first, second in itertools.pairwise(edits))


RUNNING = Memory(task="cancel_order", slot="confirmed", order="KT20260001", before="KT20260002", topic="order")
DONE = Memory(task="order_status", order="KT20260001", topic="order")
READ = Memory(article="Refund time", topic="article")


@pytest.mark.parametrize(("text", "memory", "meant"), [
    ("no, the other order", RUNNING, Meant("inform", {"order_number": "KT20260002"})),
    ("no, a different order", RUNNING, Meant(ask="order_number")),
    ("the other order please", DONE, Meant("order_status", forget_order=True)),
    ("how long does that take?", READ, Meant("ask_knowledge", question="Refund time: how long does that take?")),
    ("那要多久", Memory(), Meant(which=True)),
    ("它到哪了", DONE, Meant("order_status")),
    ("I meant repairs, not returns", READ, Meant(again="repairs")),
])  # fmt: skip
def test_what_a_message_points_back_to(text: str, memory: Memory, meant: Meant) -> None:
    assert what_is_meant(text, "deny", [], "en", memory) == meant


@pytest.mark.parametrize(
    "text", ["I want to return the lamp", "保修多久", "wrong item arrived", "is the watch waterproof?"]
)
def test_a_message_with_words_of_its_own_points_to_nothing(text: str) -> None:
    assert what_is_meant(text, "ask_knowledge", [], "en", Memory()) is None


def test_a_wrong_order_is_an_answer_to_why_something_is_returned() -> None:
    memory = Memory(task="return_refund", slot="return_reason", order="KT20260001")
    assert what_is_meant("you sent the wrong order", "inform", [], "en", memory) is None


def test_folding_does_not_change_what_is_cut() -> None:
    assert len(split_clauses("能分期吗？怎么退货？")) == len(split_clauses(fold("能分期吗？怎么退货？")))
