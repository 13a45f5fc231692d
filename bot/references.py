"""What a message refers to: corrections ("no, the other order") and pronouns ("how long does that take?") in their conversation."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from bot.answers import ORDER_TASKS
from bot.clauses import asks, requests
from bot.components.gate import FREE_TEXT
from bot.negation import acts_named, find_refusal
from bot.text import fold


@dataclass(frozen=True)
class Memory:
    """What the conversation remembers; ``task`` runs if ``slot`` (the one its form asked for) is set, else it ran last."""

    task: str | None = None
    slot: str | None = None
    order: str | None = None
    before: str | None = None  #: the order before this one
    article: str | None = None  #: title of the article answered from last
    topic: str | None = None  #: "order" or "article", whichever was spoken of last
    asked_back: bool = False  #: the message answers "did you mean …?"

    @property
    def running(self) -> bool:
        """Whether a form waits for an answer."""
        return self.slot is not None


@dataclass(frozen=True)
class Meant:
    """How to take a message: its intent (None: as it was understood), entities to add, a slot to ask for again, what to look up."""

    intent: str | None = None
    entities: Mapping[str, str] = field(default_factory=dict)
    ask: str | None = None  #: the slot that is emptied and asked for again
    forget_order: bool = False  #: the task starts with no order, so that it asks for one
    question: str | None = None
    answers: str | None = None  #: the slot, filled before, that the message answers anew
    which: bool = False  #: nothing fits: ask which one is meant
    again: str | None = None  #: words to understand instead of the message


_WRONG = re.compile(
    r"^(?:no+|nope|nah|sorry|oops|wait|hang on|hold on|correction|actually)\b|\b(?:wrong|mistake|mix(?:ed)? (?:it|them|up)|typo|incorrect|my bad"
    r"|i meant?|i was asking|should(?:'ve| have)? be(?:en)?|make (?:that|it)|not (?:that|this|it)|isn'?t (?:it|the|that|right)|not the (?:order|one))\b"
    r"|不对|不是|错|搞混|弄混|混了|我(?:说|指|问)的|我是(?:说|指|问)|应该是|更正|改成|其实是|换成|^(?:不+)[，,。!！\s]|等[等下一]",
    re.IGNORECASE,
)
_THE_OTHER = re.compile(
    r"\b(?:the )?(?:other|previous|earlier|former|first|second|last|prior) (?:order|one|parcel|package|purchase)s?\b|\bthe one before\b|\bthe other\b"
    r"|另(?:外)?(?:一|那)?(?:个|笔|张)?(?:单|订单)|另(?:外)?(?:一|那)个|[上前](?:面|一)?(?:那)?(?:一)?(?:个|单|笔)(?:订单|单)?|(?:之前|刚才|前面|先前)(?:的|那)?(?:一)?(?:个|单|笔)(?:订单)?"
    r"|第[一二两](?:个|单|笔)(?:订单|单)?",
    re.IGNORECASE,
)
_ANOTHER = re.compile(
    r"\b(?:another|a different|different|wrong) (?:order|one|parcel|package)\b|\bnot (?:this|that|the|my) (?:order|one)\b|\bthat(?:'s| is) not the order\b"
    r"|\b(?:order|order number) (?:is|was) (?:wrong|incorrect)\b|\b(?:isn'?t|not) the (?:right )?order\b"
    r"|(?:别|其他|其它)的?(?:订)?单|换(?:一)?(?:个|单|笔)(?:订单)?|不是(?:这|那)(?:一)?(?:个|单|笔)?(?:订单|单)|(?:订单|单子|单号)号?.{0,4}(?:不对|错)|(?:查|给|发|说|填|报)?错.{0,2}(?:订单|单号)",
    re.IGNORECASE,
)
_OF_A_LIST = re.compile(
    r"\b(?:first|second|third|last)(?: one| item)?\b(?! order)|第[一二两三四](?:个|件)(?!订?单)", re.IGNORECASE
)
_SAID_ANEW = re.compile(
    r"\b(?:should(?: have)? be(?:en)?|make (?:it|that)|i meant?|it'?s|change it to)\s+(?!wrong\b|not\b|fine\b|ok|incorrect\b|right\b|a mistake)\w"
    r"|(?:应该是|应为|改成|换成|写成|是)(?![的这那吧啊我要吗错])\w",
    re.IGNORECASE,
)
_TRACKS = re.compile(r"\b(?:where|track|status|arriv\w*|deliver\w*)\b|查|哪|物流|快递", re.IGNORECASE)
_SLOTS = (
    ("new_address", re.compile(r"\baddress|地址", re.IGNORECASE)),
    ("return_reason", re.compile(r"\breason|原因|理由", re.IGNORECASE)),
    ("invoice_title", re.compile(r"\b(?:title|company name|header|bill(?:ed)? to)\b|抬头", re.IGNORECASE)),
    ("invoice_kind", re.compile(r"\b(?:kind|type)\b|发票类型|(?:个人|公司)的?发票", re.IGNORECASE)),
    ("order_item", re.compile(r"\b(?:item|product|article)\b|商品|哪一?件|东西选", re.IGNORECASE)),
    (
        "contact_value",
        re.compile(r"e-?mail|\bphone|\bnumber|\bmobile|\bname\b|邮箱|手机|电话|号码|名字|姓名", re.IGNORECASE),
    ),
)
_TASK_SLOTS = {
    "change_address": {"new_address"},
    "return_refund": {"return_reason", "order_item"},
    "request_invoice": {"invoice_title", "invoice_kind"},
    "update_contact": {"contact_value"},
}
#: What a task's summary repeats, with the entities that give it anew.
_REPEATED = {
    "change_address": ("new_address", {"address"}),
    "return_refund": ("order_item", {"product"}),
    "update_contact": ("contact_value", {"email", "phone"}),
    "request_invoice": ("invoice_title", {"company_name"}),
}
_PART_OF_ADDRESS = re.compile(
    r"\d|[一二三四五六七八九十]+[号楼室层栋幢]|门牌|邮编|单元|[街路巷弄镇]|\b(?:street|road|avenue|lane|flat|apartment|unit|floor|house|postcode|zip)\b",
    re.IGNORECASE,
)
_AMISS = re.compile(
    r"wrong|incorrect|mistake|not right|isn'?t right|typo|should|instead|again|错|不对|应该|改成|重新|重发|再发|换成|有误",
    re.IGNORECASE,
)
_ASKED_ABOUT = re.compile(
    r"(?:\bi (?:meant?|was (?:asking|talking) about|am asking about|asked about)|\bi'm (?:asking|talking) about|\bmy question (?:is|was) about)\s+(?P<en>.+)"
    r"|(?:我(?:问|说|指|想问)的是|我是(?:想)?(?:问|说|指)|(?:我)?(?:是)?问的?是?(?!题)|我指)(?P<zh>.+)",
    re.IGNORECASE,
)
_NOT_ABOUT = re.compile(
    r"[,，]?\s*(?:and )?(?:not (?:about )?(?:the )?[\w' ]+|不是(?:问|说)?[^,，。]+)[.。!！]?$", re.IGNORECASE
)

_BARE_EN_WORDS = (
    "and so but ok okay well then also a an the it its it's that that's this these those they them one "
    "ones he she is are was were be been am do does did doing done have has had can could will would "
    "should may might must how what what's which who why when where since until far long much many often "
    "soon take takes taking took cost costs costing price work works working happen happens pay paid "
    "charge charged free possible need needed to for i me my we you your get start starts begin extra "
    "money time days exactly roughly about usually normally really please tell know if there any idea of "
    "with mean in go goes apply applies expensive again true included include extra available allowed "
    "safe there ask who whom"
)
_BARE_EN = frozenset(_BARE_EN_WORDS.split())
_BARE_ZH = re.compile(
    r"那么?|这样?|它们?|此|该|[个些事件种]|得|要|需要|用|会|能|可以|是|多久|多长时间|多长|多少|几天?|钱|费用?|价格|怎么样?|如何|具体|弄|操作|办理?|做|搞|收费|免费|付费|[付给出]|[吗呢啊呀吧嘛呐了的么]"
    r"|为什么|为啥|为何|什么时候|什么|啥时候|啥|何时|几时|开始|结束|从|到|我们?|你们?|自己|大概|一般|通常|时间|请问|问一?下|知道|贵|行|还|就|也|都|又|吗|意思|原因|流程|步骤|\s|[^\w]"
)
_PRONOUN = re.compile(
    r"\b(?:it|its|that|this|these|those|them|they|one)\b|^\W*(?:why|since when|how come|how much|how long|how so|and|what about|how about)\b"
    r"|它|这|那|该|此|^\W*(?:为什么|为啥|多久|多少钱|怎么弄|怎么办理|具体|从什么时候|什么时候)",
    re.IGNORECASE,
)
_ABOUT_PARCEL = re.compile(
    r"^(?:and |so |but |ok |hi |hello |please |can you tell me |do you know |any idea |have you any idea )*(?:where(?:'s| is| are| has|abouts is)? (?:it|that|they|this|my)(?: one)?(?: is| got to| gone(?: to)?)?(?: now| at| exactly| then)*"
    r"|(?:what'?s|what is|any|tell me|check) (?:the )?(?:status|news|update|progress) (?:of|on|for|with|about) (?:it|that|this|them)(?: one| order| parcel)?"
    r"|(?:has|have|did|was|is) (?:it|that|they|this) (?:leave|left|get|made it|go out|gone out)\b.{0,24}"
    r"|why is (?:it|that|this) (?:taking|so).{0,20}"
    r"|when (?:will|is|does|should|would|can) (?:it|that|they|this)(?: be)? ?(?:arriv|com|get|deliver|ship|here|reach|turn|show)\w*.{0,20}"
    r"|(?:has|have|did|was|is|are|will) (?:it|that|they|this) (?:been |be |already |finally |on |in |out )*(?:ship|sent|dispatch|deliver|arriv|left|leave|its way|the way|transit|for delivery|coming|here)\w*.{0,20})[?.! ]*$"
    r"|^(?:那|那么|请问)?(?:它|这个?|那个?|这单|那单|这个订单)(?:现在|目前|到底|是|啥时候|什么时候|几时|何时|多久|大概|能|会|可以|啊)*(?:到哪(?:里|儿)?|在哪(?:里|儿)?|在路上|发货|寄出|发出|送到|能到|到货|到|送达|收到|发)(?:了|没有?|吗|呢|啊|呀|去)*[?？!！。 ]*$",
    re.IGNORECASE,
)
_ELLIPSIS = re.compile(
    r"^(?:and |so |but |ok |then )*(?:(?:what|how) about|and|with|for|to)\s+(?P<en>[^?.!]{2,40})[?.! ]*$"
    r"|^(?:那|那么)\s*(?P<that>[^?？。！!，,]{1,12}?)(?:呢|怎么样|怎么办)?[?？。 ]*$|^(?P<zh>[^?？。！!，,]{1,14})呢[?？ ]*$",
    re.IGNORECASE,
)
_ONLY_POINTS = re.compile(
    r"^(?:the )?(?:this|that|these|those|it|them)(?: (?:one|ones|order|too))?$|^(?:这|那|它)(?:一)?(?:个|单|件|些|样)?(?:订单|东西)?$",
    re.IGNORECASE,
)
#: Intents that say by themselves what they mean, whatever was spoken of.
_SURELY_ELSE = {
    "handoff", "thanks", "goodbye", "stop", "affirm", "deny", "are_you_a_bot", "speak_language", "greet", "how_are_you",
    "open_ticket", "ticket_status", "update_contact", "ask_knowledge", *ORDER_TASKS,
}  # fmt: skip
#: What a bare question after a task is about.
_TASK_WORDS = {
    "change_address": ("修改收货地址", "changing the delivery address"),
    "cancel_order": ("取消订单后的退款", "the refund for a cancelled order"),
    "return_refund": ("退货退款", "returns and refunds"),
    "request_invoice": ("开发票", "invoices"),
    "open_ticket": ("报修", "repairs"),
    "ticket_status": ("维修工单", "repair tickets"),
    "update_contact": ("修改联系方式", "changing contact details"),
}


def what_is_meant(
    text: str, intent: str, entities: Sequence[Mapping[str, Any]], language: str, memory: Memory
) -> Meant | None:
    """How to take a message that corrects or points back; None when it says by itself what it means."""
    corrected = what_is_corrected(text, intent, entities, memory)
    if corrected or memory.slot in FREE_TEXT:
        return corrected
    return _pointed(_plain(text), intent, _values(entities), language, memory)


def what_is_corrected(text: str, intent: str, entities: Sequence[Mapping[str, Any]], memory: Memory) -> Meant | None:
    """How to take a message that corrects what was said before; None when it does not."""
    return _corrected(_plain(text), intent, _values(entities), memory)


def _plain(text: str) -> str:
    return " ".join(fold(text).replace("’", "'").split())


def _values(entities: Sequence[Mapping[str, Any]]) -> dict[str, str]:
    return {str(entity["entity"]): str(entity["value"]) for entity in entities}


def _corrected(text: str, intent: str, values: dict[str, str], memory: Memory) -> Meant | None:
    short = len(text.split()) <= 14 and len(text) <= 80
    wrong = short and _WRONG.search(text) is not None
    order, ticket = values.get("order_number"), values.get("ticket_number")
    if wrong and order and memory.task in ORDER_TASKS and not _other_task(text, intent, memory):
        return Meant("inform" if memory.running else memory.task, {"order_number": order})
    if wrong and ticket:
        return Meant(
            "inform" if memory.running and memory.task == "ticket_status" else "ticket_status",
            {"ticket_number": ticket},
        )
    if not order and not ticket and (anew := _given_anew(text, wrong, values, memory)):
        return anew
    if short and not order and not ticket:
        return (
            _other_order(text, intent, wrong, memory)
            or _other_value(text, values, memory)
            or _other_question(text, memory)
        )
    return None


def _given_anew(text: str, wrong: bool, values: dict[str, str], memory: Memory) -> Meant | None:
    """To the summary, another value or a part of one: "no, it should be 14 Baker Street"."""
    slot, kinds = _REPEATED.get(memory.task or "", ("", set()))
    if memory.slot != "confirmed" or not slot or asks(text) or find_refusal(text):
        return None
    if slot == "invoice_title":  # asked for again: it is kept as typed
        return Meant(ask=slot) if wrong and (kinds & values.keys() or _SAID_ANEW.search(text)) else None
    if kinds & values.keys():
        return Meant("inform", answers=slot)
    if slot == "contact_value" and wrong and _SAID_ANEW.search(text):
        return Meant(ask=slot)
    partly = wrong and slot == "new_address" and _PART_OF_ADDRESS.search(text) is not None
    return Meant(ask=slot) if partly else None


def _other_task(text: str, intent: str, memory: Memory) -> bool:
    """Whether the message names another task in so many words: "cancel my other order" after a question where one is."""
    named = intent in acts_named(text) or (intent == "order_status" and _TRACKS.search(text) is not None)
    return intent in ORDER_TASKS and intent != memory.task and named


def _other_order(text: str, intent: str, wrong: bool, memory: Memory) -> Meant | None:
    if not memory.running and (requests(text) or not asks(text)):
        # "Cancel the first one": what is to be done with it is said in so many words.
        acts = acts_named(_THE_OTHER.sub(" ", _ANOTHER.sub(" ", text))) & ORDER_TASKS
        intent = next(iter(acts)) if len(acts) == 1 else intent
    task = intent if memory.task not in ORDER_TASKS or _other_task(text, intent, memory) else memory.task
    if task not in ORDER_TASKS or memory.order is None:
        return None
    listed = memory.slot == "order_item" or (memory.slot == "order_number" and memory.before is None)
    if listed and _OF_A_LIST.search(text):
        return None  # one of those that were offered
    definite = _THE_OTHER.search(text)
    # To "why do you return it?" a wrong order is an answer.
    another = None if memory.slot in {"return_reason", "problem"} else _ANOTHER.search(text)
    if not definite and not another:
        return None
    if not wrong and not another and not memory.before and len(text) > 40:
        return None
    running = memory.running and task == memory.task
    if definite and memory.before:
        return Meant("inform" if running else task, {"order_number": memory.before})
    return Meant(ask="order_number") if running else Meant(task, forget_order=True)


def _other_value(text: str, values: dict[str, str], memory: Memory) -> Meant | None:
    if not memory.running or not _AMISS.search(text):
        return None
    own = _TASK_SLOTS.get(memory.task or "", set())
    for slot, words in _SLOTS:
        if slot in own and slot != memory.slot and words.search(text):
            given = {"contact_value": {"email", "phone"}, "order_item": {"product"}}.get(slot, set()) & values.keys()
            return Meant("inform", answers=slot) if given else Meant(ask=slot)
    return None


def _other_question(text: str, memory: Memory) -> Meant | None:
    asked = _ASKED_ABOUT.search(text)
    if asked is None or memory.article is None or (memory.running and memory.topic != "article"):
        return None
    about = _NOT_ABOUT.sub("", asked["en"] or asked["zh"]).strip(" .,。，!！?？")
    return Meant(again=about) if about else None


#: After an order was spoken of it means that order; while a task runs it would mean the task.
_CANCEL_IT = re.compile(
    r"^(?:ok |okay |then |please |just |can you |could you |i want to |i'd like to )*cancel (?:it|this|that|that one|this one|that order|this order)(?: then| please| now| for me| thanks)*[.!? ]*$"
    r"|^(?:那|那就|就|请|帮我|麻烦)*(?:取消(?:掉?(?:它|这个|这单|这个订单)|掉)|把?(?:它|这个|这单|这个订单)取消掉?)(?:吧|了|谢谢|[。.!！\s])*$",
    re.IGNORECASE,
)


def _pointed(text: str, intent: str, values: dict[str, str], language: str, memory: Memory) -> Meant | None:
    if not memory.running and memory.topic == "order" and memory.order and _CANCEL_IT.match(text):
        return Meant("cancel_order", {"order_number": memory.order})
    ellipsis = _ELLIPSIS.match(text)
    rest = (ellipsis["en"] or ellipsis["that"] or ellipsis["zh"] or "").strip() if ellipsis else ""
    order = values.get("order_number")
    if order:
        return (
            Meant(memory.task, {"order_number": order})
            if rest and not memory.running and memory.task in ORDER_TASKS
            else None
        )
    if values.keys() & {"ticket_number", "email", "phone", "code", "last4", "amount"}:
        return None
    if _ABOUT_PARCEL.match(text):
        return (
            Meant("order_status")
            if memory.topic != "article" or memory.order or not _is_bare(text)
            else _about(text, memory)
        )
    if rest and _ONLY_POINTS.match(rest):
        return _about(text, memory) if memory.topic == "article" else Meant(which=True)
    if _is_bare(text) and _PRONOUN.search(text):
        if memory.topic == "article" and memory.article:
            return _about(text, memory)
        if memory.topic == "order" and memory.task == "order_status":
            return Meant("order_status")
        if memory.topic == "order" and memory.task in _TASK_WORDS:
            return Meant("ask_knowledge", question=f"{_TASK_WORDS[memory.task][language == 'en']}: {text}")
        return Meant(which=True) if not memory.running else None
    if memory.topic != "article" or not memory.article:
        return None
    if rest and intent not in {"handoff", "thanks", "goodbye", "stop"}:
        return Meant("ask_knowledge", question=f"{memory.article} {rest}")
    # "What if it's broken?": by itself it would be small talk or nothing.
    points = len(text) <= 40 and asks(text) and _PRONOUN.search(text) is not None
    return _about(text, memory) if points and intent not in _SURELY_ELSE else None


def _about(text: str, memory: Memory) -> Meant:
    return Meant("ask_knowledge", question=f"{memory.article}: {text}") if memory.article else Meant(which=True)


def _is_bare(text: str) -> bool:
    """Whether a message has no content of its own: question words, pronouns and verbs that fit anything."""
    plain = text.lower()
    words = re.findall(r"[a-z']+", plain)
    if words and not re.search(r"[\u3400-\u9fff]", plain):
        return len(words) <= 12 and all(word in _BARE_EN for word in words) and len(words) > 0 and not plain.isdigit()
    return bool(re.search(r"[\u3400-\u9fff]", plain)) and len(plain) <= 16 and not _BARE_ZH.sub("", plain)
