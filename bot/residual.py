"""What a message says apart from its data."""

from __future__ import annotations

import re
from collections.abc import Sequence

from bot.entities.finder import Entity
from bot.text import fold

_FILLER = re.compile(
    r"it'?s|it is|that'?s|here'?s|here is|here you go|\b(?:is|are|my|the|an?|this|order|number|num|no|ticket|invoice|code|phone|mobile|email"
    r"|e-mail|mail|last|four|4|digits?|ends?|ending|with|in|tracking|yes|ok|okay|so|and|sure|please|id|case|says?|sms|you can use|use)\b"
    r"|我的|这是|就是|那个|这个|订单号?码?|工单号?码?|编号|单号|号码?|手机号?码?|电话号?码?|邮箱|尾号|后四位|后4位|验证码|运单|发票"
    r"|是|的|呢|哦|啊|嗯|好|为|填|用|您|请|看|写|刚|收到|给你|给您|到|了",
    re.IGNORECASE,
)


def residual(text: str, found: Sequence[Entity]) -> str:
    """What the text says apart from its entities and the words that only introduce them."""
    folded = fold(text)
    for entity in reversed(found):
        folded = f"{folded[: entity.start]} {folded[entity.end :]}"
    return re.sub(r"[\W_]+", " ", _FILLER.sub(" ", folded)).strip()
