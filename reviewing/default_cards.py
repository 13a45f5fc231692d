"""The scorecard that a desk begins with; whoever edits it makes a version of their own."""

from __future__ import annotations

from reviewing.scorecards import Card, Question, Section, Words

_W = Words


def default_card() -> Card:
    """Made for the bot and for people: was the wish understood, was the answer right, was it said well."""
    return Card(
        "standard",
        1,
        _W("标准质检表", "Standard scorecard"),
        "both",
        80,
        (
            Section(
                _W("理解", "Understanding"),
                (
                    Question(
                        "understood", _W("准确理解了客户的诉求", "Understood what the customer wanted"), "yes_no", 3,
                        hint=_W("看客户最初的问题和后来的补充", "Look at the first question and at what was added later"),
                    ),
                    Question(
                        "asked_enough", _W("只追问了必要的信息，且没有重复追问", "Asked only for what was needed, and never twice"),
                        "scale", 2,
                    ),
                ),
            ),
            Section(
                _W("解决", "Solving"),
                (
                    Question(
                        "correct", _W("给出的信息与公司政策、文章或订单一致", "What was said agrees with our policy, articles or the order"),
                        "yes_no", 4, critical=True,
                        hint=_W("关键项：说错即整单不合格", "Critical: one wrong statement fails the whole review"),
                    ),
                    Question("solved", _W("问题得到解决，或说清了下一步", "The matter was solved, or the next step was made clear"), "scale", 4),
                    Question(
                        "handed_off_in_time", _W("该转人工时及时转接，并说明了等待情况", "Handed off when it should, and said what happens next"),
                        "yes_no", 2, hint=_W("没有需要转接的情况选“不适用”", "Does not apply where nothing had to be handed off"),
                    ),
                ),
            ),
            Section(
                _W("表达", "Manner"),
                (
                    Question("friendly", _W("语气礼貌、有同理心", "Polite, and took the customer's feelings seriously"), "scale", 2),
                    Question("clear", _W("表达清楚、简洁，语言与客户一致", "Clear and short, in the customer's language"), "scale", 2),
                    Question("prompt", _W("没有让客户无故久等", "Did not keep the customer waiting without a reason"), "scale", 1),
                ),
            ),
            Section(
                _W("合规", "Rules"),
                (
                    Question(
                        "identity", _W("透露订单或账户信息前核实了身份", "Checked who it was before telling anything of an order or account"),
                        "yes_no", 2, critical=True, hint=_W("没有涉及则选“不适用”", "Does not apply where nothing of the kind was told"),
                    ),
                    Question(
                        "privacy", _W("没有索要或外泄不必要的个人信息", "Neither asked for nor gave away personal data without need"),
                        "yes_no", 2, critical=True,
                    ),
                ),
            ),
        ),
    )  # fmt: skip
