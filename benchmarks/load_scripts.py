"""What the contacts of a load run say: knowledge, tasks and small talk of the demo shop, in both languages."""

from __future__ import annotations

import random
import re
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Line:
    """A message, and a pattern that every right answer to it contains."""

    kind: str  #: knowledge, task or smalltalk
    text: str
    expects: str

    def answered_by(self, replies: str) -> bool:
        """Whether this can be read as an answer."""
        return re.search(self.expects, replies, re.IGNORECASE) is not None


Script = tuple[Line, ...]
SCRIPTS: dict[str, tuple[Script, ...]] = {
    "en": (
        (
            Line("smalltalk", "hello there", r"\w"),
            Line("knowledge", "how many days do I have to send something back?", r"\b7 days"),
            Line("knowledge", "what is the warranty on a phone?", r"24 months"),
        ),
        (
            Line("task", "where is my order?", r"order number"),
            Line("task", "KT20260003", r"4 digits|four digits|digits"),
            Line("task", "0123", r"DHL"),
            Line("smalltalk", "thank you so much", r"\w"),
        ),
        (
            Line("knowledge", "how long does delivery take to London?", r"day"),
            Line("smalltalk", "tell me a joke", r"\w"),
            Line("knowledge", "can I pay in instalments?", r"\w{3}"),
        ),
    ),
    "zh": (
        (
            Line("smalltalk", "你好呀", r"\w"),
            Line("knowledge", "买回来不喜欢，几天内能退？", r"7 ?天|七天"),
            Line("knowledge", "手机保修多久？", r"24 ?个月|两年"),
        ),
        (
            Line("task", "我的快递到哪了", r"订单号"),
            Line("task", "KT20260001", r"后四位|4 ?位|四位"),
            Line("task", "2468", r"顺丰"),
            Line("smalltalk", "谢谢你", r"\w"),
        ),
        (
            Line("knowledge", "寄到新疆要多久", r"天|日"),
            Line("smalltalk", "讲个笑话听听", r"\w"),
            Line("knowledge", "能分期付款吗", r"\w"),
        ),
    ),
}


def script(draw: random.Random) -> tuple[str, Script]:
    """One contact's language and what they will say."""
    language = draw.choice(("en", "zh"))
    return language, draw.choice(SCRIPTS[language])
