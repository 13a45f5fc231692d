"""The bare name in what somebody typed when asked for one: "it's Emma Clarke now, thanks" is Emma Clarke."""

from __future__ import annotations

import re

from knowledge_base.wording import fold

_LEADS_ZH = re.compile(
    r"^(?:请|麻烦|帮我|帮|就|那就|我|你|您|们|想|要|把|将|给|名字|姓名|称呼|抬头|发票|名称|新的?|的|现在|应该|统一|都|是|叫做?|为|改成|改为|改|换成|换为|换|写成|写|填|用|开给|开|更新为|更新|更名为|[，,：:\s])+"
)
_TRAILS_ZH = re.compile(
    r"(?:[，,。.!！～~\s]|谢谢你?您?|多谢|感谢|麻烦您?你?了|就行了?|就好了?|就可以了?|即可|吧|啦|哈|哦|呀|啊)+$"
)
_LEADS_EN = re.compile(
    r"^(?:(?:please|pls|hi|so|ok|okay|yes|just|sorry|actually|now|no)\b[\s,]*)*(?:(?:i(?:'d| would) like(?: to)?|i want(?: to)?|can you|could you)\s+)?"
    r"(?:(?:my|the|new|full|legal|married|invoice)\s+)*(?:(?:name|title)\s+)?"
    r"(?:(?:it'?s|it is|it should be|should be|that'?s|i'?m|i am|is now|is|will be|call me|change (?:it |my name )?to|make it|put (?:it )?(?:as|down as)?|use|write)\s+)+(?:now\s+)?",
    re.IGNORECASE,
)
_TRAILS_EN = re.compile(
    r"(?:[\s,.!]+(?:please|pls|plz|thanks|thank you|thx|cheers|now|instead|from now on|is fine|will do))*[\s,.!]*$",
    re.IGNORECASE,
)
_POLITE_EN = re.compile(r"^(?:(?:please|pls)[\s,]+|(?:sure|ok|okay|yes),\s*)+", re.IGNORECASE)
_OWN = re.compile(
    r"^(?:(?:就|请)?(?:写|用|填|开给?|是)?我(?:自己)?的?(?:名字|姓名)?(?:就行了?|就好了?|就可以了?|即可)?|put (?:it in )?my (?:own )?name(?: on it| there| down)?|本人|我自己|自己|我|我的|我本人|我(?:自己)?的(?:名字|姓名)|写?我的?(?:名字)?|(?:in |to |use |on )*(?:my (?:own )?(?:full )?name|mine|me|myself|my own)(?: is fine)?)$",
    re.IGNORECASE,
)
_HAN = re.compile(r"[\u3400-\u9fff]")


def bare_name(text: str) -> str:
    """The name as typed, without the words that lead to it and the thanks behind it."""
    flat = " ".join(text.split())
    if not _HAN.search(flat):
        return _without(_POLITE_EN, _without(_LEADS_EN, _without(_TRAILS_EN, flat)))
    plain = fold(flat)
    if len(plain) != len(flat):  # then places in one are none in the other
        return flat
    trails = _TRAILS_ZH.search(plain)
    end = trails.start() if trails and trails.start() else len(plain)
    leads = _LEADS_ZH.match(plain[:end])
    # A name may begin with a character that is such a word, so one alone is no lead.
    begin = leads.end() if leads and leads.end() > 1 and leads.end() < end else 0
    return flat[begin:end].strip() or flat


def means_oneself(text: str) -> bool:
    """Whether it says "my own" in place of a name."""
    return (
        _OWN.match(fold(_without(_TRAILS_EN, " ".join(text.split()))).strip("，,。.!！ ").removesuffix("吧"))
        is not None
    )


def _without(words: re.Pattern[str], text: str) -> str:
    return words.sub("", text, count=1).strip() or text
