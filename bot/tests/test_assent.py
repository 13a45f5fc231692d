"""What is a yes to the summary of a task, and what only sounds like one; no model needed."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.assent import assent

YES_EN = [
    "yes", "Yes!", "YESSS", "yep", "yup", "yeah", "y", "ok", "OK.", "okkk", "ok thanks", "sure", "sure thing", "sure, why not", "go ahead", "Yes, go ahead",
    "do it", "please do", "sounds good", "that's right", "That’s correct", "correct", "exactly", "absolutely", "of course", "confirm", "I confirm",
    "alright then", "by all means", "yes please", "fine by me", "👍", "✅ yes", "ｙｅｓ", "yes, right away please",
]  # fmt: skip
YES_ZH = [
    "是", "是的", "对", "对的", "好", "好的", "好嘞", "好滴", "行", "行吧", "可以", "可以的", "没问题", "没错", "嗯", "嗯嗯", "必须的", "中", "要得", "当然",
    "确认", "确定", "我确定", "同意", "ok的", "ＯＫ", "好的好的", "可以～", "沒問題", "確認", "對的", "係呀", "👍", "好的👍🏻", "好，谢谢", "麻烦了，确认", "那就这么办吧",
]  # fmt: skip
NO_YES_EN = [
    "yes but not now", "yes, wait no", "yes... actually no", "yes but tomorrow", "ok keep it", "yes keep it", "maybe", "hmm", "I guess", "yes?", "ok?",
    "sure?", "fine I suppose", "probably", "yes if it's free", "ok later", "not sure", "ok got it", "I'm fine thanks", "it's ok", "yeah right", "yes and no",
    "continue with the order", "please proceed with my order", "confirm my order", "carry on with my order", "it's alright thanks", "that's all right", "so you can cancel it right",
    "yes and", "yes so", "are you sure", "ok whatever", "yes, though not all of it", "no", "", "...", "ok 🤔", "yes ❌", "cancel", "please",
]  # fmt: skip
NO_YES_ZH = [
    "确定吗", "可以吗", "可以是可以，不过等一下", "好，等会儿吧", "好啊，才怪", "随便", "知道了", "明白了", "收到", "对了", "你确定", "是吧", "行不行", "是不是", "都行",
    "好像是", "应该吧", "大概吧", "嗯？", "好的，我想想", "好，我看看再说", "好，改天", "可以考虑", "好难选", "好久", "对不起", "要是能便宜点就行", "我确认一下", "好的🤔",
    "继续订单", "确认订单", "订单没问题", "是嘛", "确定嘛", "请你确认", "麻烦您确认", "好的我处理一下", "马上好", "好，先不要", "不", "算了", "可以，但是先别",
]  # fmt: skip


@pytest.mark.parametrize("text", [*YES_EN, *YES_ZH])
def test_a_yes_in_whatever_words_is_a_yes_to_any_task(text: str) -> None:
    assert all(assent().is_yes(text, task) for task in (None, "cancel_order", "change_address", "update_contact"))


@pytest.mark.parametrize("text", [*NO_YES_EN, *NO_YES_ZH])
def test_what_is_not_plainly_a_yes_is_none(text: str) -> None:
    assert not assent().is_yes(text, "cancel_order") or not assent().knows_signs(text)


@pytest.mark.parametrize(("task", "texts"), [
    ("cancel_order", ["yes, cancel it", "Yes, please go ahead and cancel it.", "yes please cancel my order", "对，取消吧", "是的，帮我取消", "嗯，取消订单", "確定，幫我取消"]),
    ("change_address", ["yes, change the address", "对，就改成这个地址", "好的，改吧", "yes send it there"]),
    ("return_refund", ["yes, return it", "对，帮我退货"]),
    ("request_invoice", ["yes, please send me the invoice", "对，帮我开发票"]),
    ("update_contact", ["yes, update my number", "对，改成这个号码"]),
])  # fmt: skip
def test_the_words_of_the_task_itself_may_stand_beside_a_yes_to_it_and_to_no_other(task: str, texts: list[str]) -> None:
    others = {"cancel_order": "change_address", "change_address": "cancel_order"}
    for text in texts:
        assert assent().is_yes(text, task), text
        assert not assent().is_yes(text, others.get(task, "cancel_order")), text


@pytest.mark.parametrize(
    "text", ["yes, give me an exchange instead", "好的，换货", "yes, refund me in cash", "好的，换一个"]
)
def test_naming_another_outcome_than_the_summary_may_offer_is_no_yes(text: str) -> None:
    assert not assent().is_yes(text, "return_refund")


@given(
    st.sampled_from([*YES_EN, *YES_ZH]),
    st.sampled_from(["?", "？", "吗？", " but wait", "，不过先等等", " not", "，别", " 🤔", " tomorrow"]),
)
def test_nothing_that_asks_or_restricts_leaves_a_yes_a_yes(text: str, more: str) -> None:
    assert not (assent().is_yes(text + more, "cancel_order") and assent().knows_signs(text + more))


@pytest.mark.parametrize("text", ["商品没问题", "东西是好的", "good product", "the item is good", "货没问题"])
def test_praise_of_the_goods_is_no_yes_to_sending_them_back(text: str) -> None:
    assert not assent().is_yes(text, "return_refund")


@pytest.mark.parametrize(
    "text",
    [
        "yes please cancel my order",
        "嗯，取消这个订单",
        "好的，帮我处理一下",
        "go on",
        "make it so",
        "please do it",
        "ok then",
        "right",
    ],
)
def test_a_yes_with_the_words_of_the_task_or_none_still_is_one(text: str) -> None:
    assert assent().is_yes(text, "cancel_order")
