"""What a message asks not to do: "don't cancel it", "I want an exchange, not a refund", "不用转人工"."""

from __future__ import annotations

import re
from dataclasses import dataclass

from bot.reading.edits import Edit


@dataclass(frozen=True)
class Refusal:
    """The intents refused, the edits that take the refusing words out, and whether nothing else is said."""

    intents: frozenset[str]
    edits: tuple[Edit, ...]
    asks_nothing_else: bool


_EN_ACTS = {
    "cancel_order": r"cancel(?:l?ing|l?ed|l?ation)?",
    "return_refund": r"(?:return(?:ing|ed)?|refund(?:ing|ed|s)?|exchang(?:e|ing|ed)|replacements?|send(?:ing)? (?:it|them|this|that|anything) back"
    r"|money back|store credit)",
    "change_address": r"(?:chang(?:e|ing|ed)|updat(?:e|ing|ed)|alter|redirect(?:ing)?) (?:the |my |this |that |its |delivery |shipping )*address(?:es)?",
    "update_contact": r"(?:chang(?:e|ing|ed)|updat(?:e|ing|ed)) (?:the |my |account )*(?:phone|mobile|e-?mail|contact|name|number)(?: number| address| details)?",
    "request_invoice": r"(?:invoices?|receipts?)",
    "open_ticket": r"(?:(?:open|rais|creat|fil|log|register)(?:e|ing|ed)? (?:a |any |another |the )*(?:ticket|report|complaint|case)|tickets? (?:opened|raised|created))",
    "handoff": r"(?:(?:human|(?:real |live )?person|(?:live )?agent|representative|operator|colleague|staff|supervisor)s?"
    r"|(?:talk|speak|put me through|pass me|transfer(?:ring)? me|transfer|connect me|hand me)(?: on| over)?(?: to| with)? (?:an? |the )?"
    r"(?:human|real person|person|agent|representative|operator|colleague|any(?:one|body)|some(?:one|body)))",
    "": r"(?:chang(?:e|ing) (?:it|this|that|them|anything)|touch it|modify it)",
}
_GENERIC = frozenset({"change_address", "update_contact"})
_EN_ACT = "|".join(f"(?P<{name or 'generic'}>{pattern})" for name, pattern in _EN_ACTS.items())
_EN_GAP = (
    r"(?:(?:to|you|for|a|an|the|any|my|your|his|it|this|that|them|anything|i|want|wanted|be|have|having|get|getting|go|going|ahead|and"
    r"|another|real|live|please|ever|even|just|really|actually|speak|talk|with|me|send|issue|make|give|need|do|asking|about|order"
    r"|say|said|request|requested|transferred|transfer|put|through|passed|handed|arrange|start|process|full|bother|worry)\s+){0,7}"
)
_EN_NOT = [
    r"(?:^|[,.;:!?]\s*|\b(?:please|pls|plz|just|so|but|and|no|actually|wait|kindly|oh|ok|okay|hey|hi|hello|whatever you do)[\s,]+)"
    r"(?:do not|don'?t|never(?! (?:the|an?|my|any)\b)|please not)\s+",
    r"\bi(?:'m| am|'d| would| do| did| will| have| had|'ve|'ll)?\s*(?:really |actually |just )?"
    r"(?:not|never|no longer|don'?t|didn'?t|won'?t|wouldn'?t|haven'?t)\s+(?:really |actually |even |ever )?"
    r"(?:want|wish|need|like|intend|plan|mean|ask(?:ed|ing)?|say|said|going|be|request(?:ed)?|require)\s+",
    r"\bi(?:'d| would)? rather (?:not|you didn'?t)\s+",
    r"\bnot interested in\s+",
    r"\b(?:there'?s |there is )?no need (?:to|for)\s+",
    r"\byou (?:don'?t|do not|needn'?t|shouldn'?t(?! have)|must not|mustn'?t)\s+(?:have to |need to )?",
    r"(?:^|[,.;:!]\s*|\bbut\s+|\bi am |\bi'm |\bi said |\bplease )not\s+",
    r"\b(?:can|could|would|will) you (?:please )?not\s+",
    r"\b(?:instead of|rather than|without(?= \w+ing\b)|never ?mind|(?<!don't )(?<!dont )(?<!not )(?<!never )forget(?: about)?)\s+",
    r"(?:^|[,.;:!]\s*)(?:no|stop)\s+(?:more\s+)?",
    r"\b(?:should|must)(?: not|n'?t)\s+(?!have\b)(?:be\s+)?",
    r"\bneither\b[^,.;!?]{0,60}?\b(?:should|must|is to|are to|needs? to|has to|have to)\s+",
]
_EN_TAIL = (
    r"(?:\s+(?:it|them|this|that|order|one|my|the|your|anything|for|of|needed|required|necessary|please|pls|thanks|thank|you|yet|now|after|all"
    r"|me|to|any|more|watch|phone|laptop|tablet|headphones|earbuds|lamp|number|whatever|do|at|either|again|on|account|real|person|human|agent)\b)*"
)
_EN = [re.compile(rf"{negator}(?P<gap>{_EN_GAP})(?:{_EN_ACT})\b{_EN_TAIL}", re.IGNORECASE) for negator in _EN_NOT]
#: Only these words go; what follows them in the same breath is what is wanted.
_EN_SPAN_ONLY = re.compile(r"^\W*(?:instead of|rather than|without|never ?mind|forget)", re.IGNORECASE)
#: "no return label came", "why don't you refund me", "don't forget to cancel" take nothing back.
_EN_NOT_MEANT = re.compile(
    r"^\W*(?:why|how come|how)\b[^,.;!?]*$|\bno (?:returns?|refunds?|cancel\w*|invoices?|receipts?) (?!please|needed|required|necessary|thank|for me|pls)\w",
    re.IGNORECASE,
)

_ZH_ACTS = {
    "cancel_order": r"取消|撤单|退订|撤销",
    "return_refund": r"退货退款|退换货|退款|退货|退钱|换货|换新|退掉|退回|退|换",
    "change_address": r"(?:改|换|修改|更改|变更|动)(?:一?下|我的?|收货|送货|配送)*地址",
    "update_contact": r"(?:改|换|修改|更改|变更|动)(?:一?下|我的?|账户的?|绑定的?)*(?:手机号?码?|电话|邮箱|联系方式|姓名|号码)",
    "request_invoice": r"(?:开|要|补|发|寄)?(?:具|电子|一?张|这张|增值税|专用|纸质)*发票|开票",
    "open_ticket": r"(?:建|开|提交?|登记|创建|报)(?:一?个|什么)?工单|报修|投诉",
    "handoff": r"(?:转接?|找|叫|接|要|联系|跟|和)?(?:到|给|个|一?个)*(?:人工|真人|客服)(?:客服|服务|说话|聊|沟通)?",
    "": r"改|动",
}
_ZH_ACT = "|".join(f"(?P<{name or 'generic'}>{pattern})" for name, pattern in _ZH_ACTS.items())
_ZH_GAP = (
    r"(?:给我|帮我|替我|给|帮|我的?|你们?|您|再|去|急着|先|就|说|要|想|让|把|将|这个|那个|这单|那单|这一单|那一单|我那单|订单|的|它|这|那|个|单"
    r"|进行|申请|办理?|做|提交|找|麻烦|随便|直接)*"
)
_ZH_STRONG = (
    r"(?:别|不要|甭|停止|切勿|请勿|不用|不必|不需要|无需|用不着|不想(?!要)|不想要(?!了)|不打算|没打算|没想|不愿意?"
    r"|(?<!是)不是(?:要|想|来|让你|叫你|说)?|没有?(?:说|让|叫)(?:过|你|我)*|不再)"
)
#: A bare "不" refuses only where it ends the thought: 不退了 does, 怎么不退款 and 退不退 do not.
_ZH_BARE = r"(?<![退改取开换能要还么啥可是会就给都为])不(?:再)?(?:{act})(?:货|款|钱|订单|这单|它)?(?:了|啦|咯|哈|啊|哦|吧)*(?=[,，。.！!；;\s]|$)"
_ZH_BLAME = re.compile(r"怎么|为什么|为啥|凭什么|还不|一直不|迟迟|老是|总是|是不是|能不能|可不可以|会不会")
_ZH_TAIL = r"(?:掉|了|啦|订单|这单|那单|我的|它|单|给我|哈|啊|哦|呀|吧|谢谢|客服|服务|的|一?下)*"
_ZH = [
    re.compile(rf"(?:千万|请|先|可|就|也|都|你|我)*{_ZH_STRONG}(?P<gap>{_ZH_GAP})(?:{_ZH_ACT}){_ZH_TAIL}"),
    re.compile(_ZH_BARE.format(act=_ZH_ACT)),
    # "都不取消了", "那就不退了": with these before it only what is given up is refused.
    re.compile(rf"[都就也]不(?:再|想)?(?:{_ZH_ACT})(?:货|款|钱|订单|这单|它)?(?:了|啦|咯)+(?:哈|啊|哦|吧)*(?=[,，。.！!；;\s]|$)"),
    re.compile(
        rf"(?:{_ZH_ACT})(?:的事|这事|这件事|这个)?(?:(?:先|还是|也)+算了|(?<=发票)算了|(?:先|就|还是|也)*"
        r"(?:免了|不用了|不要了|不必了|不麻烦了?|作罢|拉倒|不用开了?|别开了?|不开了))"
    ),
]  # fmt: skip
_ACTS = (re.compile(rf"\b(?:{_EN_ACT})\b", re.IGNORECASE), re.compile(_ZH_ACT))
_AS_IT_IS = re.compile(
    r"\bas (?:it|they) (?:is|was|are|were)\b|^\W*(?:leave|keep)\b|\bkeep it\b|原来的|原样|照旧|不变|就这样",
    re.IGNORECASE,
)
_BREAK = re.compile(r"[,.;!?，。；！？\n]|\s(?:but|just)\s|但是?|只是|只要", re.IGNORECASE)
_NOTHING = re.compile(
    r"[\W_]+|\b(?:please|pls|thanks?|thank you|ok|okay|no|yet|now|after all|it|whatever you do|sorry|hi|hello|really|just|actually|but|and|so|at all)\b"
    r"|谢谢|麻烦|好的?|嗯|哦|啊|吧|了|呢|请|我|先|就|不|也|都|你|您|的|那|这|订单|单|对不起|不好意思|你好|手表|耳机|手机",
    re.IGNORECASE,
)
_NOUN_OF_GENERIC = (
    ("change_address", re.compile(r"address|地址", re.IGNORECASE)),
    ("update_contact", re.compile(r"phone|mobile|e-?mail|number|手机|电话|邮箱|号码", re.IGNORECASE)),
)


def acts_named(text: str) -> set[str]:
    """The intents whose doing words stand in the text, asked for or not."""
    return {name for act in _ACTS for found in act.finditer(text) for name in _named(found)}


def times_named(text: str, intent: str) -> int:
    """How often the doing words of an intent stand in the text."""
    return sum(intent in _named(found) for act in _ACTS for found in act.finditer(text))


def find_refusal(text: str) -> Refusal | None:
    """The refusal in a message, or None; positions of the edits are those of ``text``."""
    if not _MAY_REFUSE.search(text):
        return None
    intents: set[str] = set()
    spans: list[tuple[int, int]] = []
    for pattern in (*_EN, *_ZH):
        for found in pattern.finditer(text):
            clause_start, clause_end = _clause(text, found.start(), found.end())
            clause = text[clause_start : clause_end + 1]
            if _EN_NOT_MEANT.search(clause) or _ZH_BLAME.search(clause) or _asks(clause):
                continue
            intents |= _named(found) | ({""} if found["generic"] is not None else set())
            start = _first_letter(text, found.start())
            only = _EN_SPAN_ONLY.match(found.group())
            spans.append((start, found.end()) if only else (clause_start, clause_end))
    if not intents:
        return None
    edits = tuple(Edit(start, end, "") for start, end in _merged(spans))
    left = text
    for edit in reversed(edits):
        left = left[: edit.start] + " " + left[edit.end :]
    empty = not _NOTHING.sub("", left) or _AS_IT_IS.search(left) is not None
    if "" in intents:  # "don't change it": what it is stands somewhere in the message
        named = {name for name, noun in _NOUN_OF_GENERIC if noun.search(text)} if empty else set()
        refused = "".join(text[edit.start : edit.end] for edit in edits)
        named = named or {name for name, noun in _NOUN_OF_GENERIC if noun.search(refused)}
        intents = (intents - {""}) | (named or (_GENERIC if empty else set()))
    # "Not the watch, return the lamp": what the rest of the message asks for is not refused.
    intents -= set() if empty else acts_named(left)
    return Refusal(frozenset(intents), () if empty else edits, empty) if intents else None


_MAY_REFUSE = re.compile(
    r"n't\b|dont\b|\bno\b|\bnot\b|never|\bneither\b|instead|rather|without|forget|\bstop\b|[别不没甭勿]|停止|无需|算了|免了",
    re.IGNORECASE,
)


def _named(found: re.Match[str]) -> set[str]:
    return {name for name, part in found.groupdict().items() if part is not None and name not in {"gap", "generic"}}


def _asks(clause: str) -> bool:
    """Whether the clause asks a question instead of telling what not to do."""
    asked = clause.rstrip(" ~～").endswith(("?", "？", "吗", "么"))
    return asked and not re.match(r"\W*(?:can|could|would|will) you (?:please )?not\b", clause, re.IGNORECASE)


def _clause(text: str, start: int, end: int) -> tuple[int, int]:
    before = [match.end() for match in _BREAK.finditer(text, 0, start + 1) if match.end() <= start + 1]
    after = _BREAK.search(text, end)
    begin = before[-1] if before else 0
    return min(begin, start) if begin > end else begin, after.start() if after else len(text)


def _first_letter(text: str, start: int) -> int:
    while start < len(text) and not text[start].isalnum():
        start += 1
    return start


def _merged(spans: list[tuple[int, int]]) -> list[tuple[int, int]]:
    merged: list[tuple[int, int]] = []
    for start, end in sorted(spans):
        if merged and start <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
        else:
            merged.append((start, end))
    return merged
