"""Which of the numbers in a message are meant: not those that are refused ("not KT…") or corrected ("KT…, no sorry, KT…")."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

from bot.text import fold_case

Entities = Sequence[Mapping[str, Any]]
NUMBERS = frozenset({"order_number", "ticket_number", "invoice_number"})

_ACT_EN = r"(?:cancel|track|return|refund|change|touch|do|send|check|look at|invoice|ship|with)(?:ing|l?ling)?"
_ACT_ZH = r"(?:取消|撤单|查|看|退货?|换货?|退款|改|动|开票?|办理?|处理|要|管|弄)"
_NAMES = r"(?:the|my|this|that|order|orders|number|one|no\.?|#|is|was|for|of|about|ticket|订单号?|单号?|工单号?|那个|这个|那单|这单|的|号|是|为|掉|它|[\s:：#“\"'(（])"
#: Stands before a number that is not meant.
_REFUSED = re.compile(
    rf"(?:\b(?:not|instead of|rather than|except(?: for)?|leave|keep|never|without)\b|n't\b|\bdont\b"
    rf"|而?不是|而非|不要|不用|不想|不必|别|勿|除了|保留|留着|先不|(?<!能)不(?={_ACT_ZH})|没(?:想|说|让)?)"
    rf"(?:{_NAMES}|{_ACT_EN}\b|{_ACT_ZH}|想|说|让|再|给我|帮我|to\b|want\b|mean\b|need\b|ever\b)*$"
)
#: Stands behind a number that is not meant, up to the end of the thought.
_LEFT_OUT = re.compile(
    rf"^(?:{_NAMES}|[,，])*(?:(?:就|先|还是|那就)*(?:不要|不用|别|不必|先不|不)(?:{_ACT_ZH}|了|动它?|管它?|的)+|保留|留着|(?:can |should |must )?stays?\b|(?:should )?not\b)"
    rf"(?:{_ACT_ZH}|{_NAMES}|了|吧|啊|哈|着)*(?=[,，。.!！;；]|$|\s*(?:and|but)\b)",
    re.IGNORECASE,
)
#: Between two numbers: the first was a slip.
_CORRECTED = re.compile(
    r"\b(?:no+(?!\.?\s*$)|nope|sorry|oops|wait|actually|correction|i mean|i meant|wrong (?:one|number|order)|(?:is|'s) wrong|typo|mistake|my bad"
    r"|scratch that|should be|make (?:that|it))\b|[,.;!]\s*no\s*$"
    r"|不对|哦不|噢不|啊不|不不|错了|打错|写错|说错|发错|搞错|记错|弄错|应该是|应为|更正|抱歉|对不起|不好意思|我是说|我说的是|不是这个",
)
#: One of the numbers is meant, and which one is not said by its number.
_ONE_OF = re.compile(
    r"\b(?:first|second|former|latter|last|other|old|older|new|newer|one of|either)(?: one| order| of|\b\s*$)|第[一二两12](?:个|单|笔)|[前后]面?(?:那|一|的)?(?:一)?(?:个|单|笔)|其中|还是"
)
_JOINED = re.compile(
    r"^\s*(?:,?\s*(?:and|plus|as well as|&|\+)(?: also)?|[,，]?\s*(?:和|跟|与|及|以及|还有|加上|、|并)|[,，、\s])?\s*(?:订单|工单|order|the order|number|号|\s)*$"
)


def only_meant(text: str, entities: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The entities without the numbers that are not meant; at least one of each kind stays."""
    kept = list(entities)
    for kind in NUMBERS:
        of_kind = sorted((one for one in entities if one["entity"] == kind), key=lambda one: int(one["start"]))
        if len(of_kind) < 2:
            continue
        dropped = [one for place, one in enumerate(of_kind) if _is_not_meant(text, of_kind, place)]
        if len(dropped) < len(of_kind):
            kept = [one for one in kept if one not in dropped]
    return kept


def _is_not_meant(text: str, numbers: Entities, place: int) -> bool:
    before, after = _around(text, numbers, place)
    if _REFUSED.search(before):
        return True
    followed = place + 1 < len(numbers)
    if followed and _REFUSED.search(after):
        return False  # that is about the next one
    return _LEFT_OUT.search(after) is not None or (followed and _CORRECTED.search(after) is not None)


def _around(text: str, numbers: Entities, place: int) -> tuple[str, str]:
    """The words between a number and the one before, and between it and the one behind."""
    begin = int(numbers[place - 1]["end"]) if place else 0
    end = int(numbers[place + 1]["start"]) if place + 1 < len(numbers) else len(text)
    before = text[begin : int(numbers[place]["start"])]
    return fold_case(before), fold_case(text[int(numbers[place]["end"]) : end])


def different(entities: Entities, kind: str) -> list[str]:
    """The values of one kind, each once, in their order."""
    found = sorted((one for one in entities if one["entity"] == kind), key=lambda one: int(one["start"]))
    return list(dict.fromkeys(str(one["value"]) for one in found))


def are_all_meant(text: str, entities: Entities, kind: str, times: int) -> bool:
    """Whether something is asked of all numbers: named together or with its words said for each (``times``)."""
    plain = fold_case(text)
    if _ONE_OF.search(plain):
        return False
    return times >= len(different(entities, kind)) or are_joined(text, entities, kind)


def are_joined(text: str, entities: Entities, kind: str) -> bool:
    """Whether all numbers of a kind are named together: "KT… and KT…"."""
    found = sorted((one for one in entities if one["entity"] == kind), key=lambda one: int(one["start"]))
    between = (text[int(one["end"]) : int(two["start"])] for one, two in pairwise(found))
    return all(_JOINED.match(fold_case(words)) for words in between)
