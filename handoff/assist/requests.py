"""What a contact asks for in a conversation: the messages that ask something, and the intent that says most about them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from conversations.model import Author, Message, MessageKind
from conversations.turn_model import Trace
from knowledge_base.wording import language_of

#: Changes whenever the same conversation would give another digest.
DIGEST_VERSION = "2"
TASKS = frozenset(
    {"order_status", "change_address", "cancel_order", "return_refund", "request_invoice", "open_ticket"}
    | {"ticket_status", "update_contact"}
)
#: Intents whose messages ask for nothing that an article or a colleague could answer.
_NO_REQUEST = frozenset(
    {"handoff", "affirm", "deny", "stop", "thanks", "greet", "goodbye", "how_are_you", "are_you_a_bot", "bot_name"}
    | {"capabilities", "praise", "laugh", "hold_on", "apology", "speak_language", "joke", "weather"}
)
_MOST_REQUESTS = 4
_MOST_CHARACTERS = 600
_CODE = re.compile(r"(?i)\b(?:[a-z]{1,4}[-\s]?)?\d[\d\s-]{2,}\b|[\w.+-]+@[\w-]+(?:\.[\w-]+)+|https?://\S+")
_HAN = re.compile(r"[\u3400-\u9fff]")
_WORD = re.compile(r"[A-Za-z]{2,}")
#: Said by themselves they ask for nothing; the model's word for it is used where there is one.
_SMALL = re.compile(
    r"(?i)(?:(?:hi|hello|hey|ok(?:ay)?|yes|no|yep|nope|sure|thanks?(?: you)?(?: so much| very much)?|thx|bye|good (?:morning|evening|afternoon)|"
    r"great|fine|please|human(?: please)?|agent|(?:talk|speak) to (?:a |an )?(?:human|person|agent)|are you there|hello\?+|"
    r"you(?:'re| are) (?:very |most )?welcome|no problem|my pleasure|not at all|glad (?:to|i could) help|(?:is there )?anything else(?: i can (?:do|help with))?|"
    r"(?:one|just a) moment(?: please)?|let me (?:check|see|have a look)|please wait|how can i help(?: you)?(?: today)?|have a (?:nice|good|great) (?:day|evening|one)|"
    r"不客气|请?稍等(?:一下|片刻)?|我(?:看|查)一下|(?:请问)?(?:还)?有什么(?:可以|能)帮(?:您|到您)(?:的?吗?)?|还有其他(?:问题|需要)吗?|感谢(?:您)?(?:的)?(?:咨询|来访|耐心等待|理解)|祝您?(?:生活|购物)?愉快|"
    r"您好|你好|在吗|在么|有人吗|好的?|嗯+|行|可以|是的?|对|不用了?|谢谢(?:您|你)?|多谢|转人工|人工(?:客服)?|找人工|再见|拜拜|收到|没了|没有了?|哦+|喂)[\s,.!?~，。！？～]*)+"
)


@dataclass(frozen=True, slots=True)
class Asked:
    """The requests of a conversation, oldest first."""

    texts: tuple[str, ...]
    seq: int  #: the contact's last message, whether or not it asks for something; 0 when there is none
    intent: str | None  #: a task the contact came for, else what the last request was taken for
    language: str  #: of the last request, or of the conversation
    product: str | None = None  #: the last product that was spoken of

    @property
    def digest(self) -> str:
        """All requests as one text; the first ones say what the conversation is about."""
        return "\n".join(self.texts[:_MOST_REQUESTS])[:_MOST_CHARACTERS]

    @property
    def last(self) -> str:
        """The newest request."""
        return self.texts[-1] if self.texts else ""

    def questions(self) -> list[str]:
        """What to look up: the newest request, and the same with what it leaves unsaid."""
        if not self.texts:
            return []
        context = [self.texts[-2]] if len(self.texts) > 1 and _weight(self.last) < _SHORT else []
        if self.product and self.product.lower() not in " ".join([*context, self.last]).lower():
            context.append(self.product)
        joint = "" if self.language == "zh" else " "
        return [self.last, joint.join([*context, self.last])] if context else [self.last]


_SHORT = 16  #: weight below which a message leans on the one before


def asks(text: str, intent: str | None = None) -> bool:
    """Whether a message asks for something beyond its codes and courtesies."""
    if intent in _NO_REQUEST:
        return False
    rest = _CODE.sub(" ", text).strip()
    return (
        bool(len(_HAN.findall(rest)) >= 2 or len(_WORD.findall(rest)) >= 2 or (len(rest) >= 6 and _WORD.search(rest)))
        and _SMALL.fullmatch(rest) is None
    )


def what_is_asked(messages: Sequence[Message], traces: Sequence[Trace], language: str) -> Asked:
    """The requests among the messages of one conversation; ``language`` is the conversation's."""
    by_seq = {trace.in_seq: trace.trace for trace in traces}
    texts: list[str] = []
    intents: list[str] = []
    product: str | None = None
    seq = 0
    for message in messages:
        if message.author is not Author.CONTACT or message.kind is not MessageKind.TEXT:
            continue
        seq = message.seq
        trace = by_seq.get(message.seq, {})
        product = _product(trace) or product
        intent = trace.get("intent")
        text = " ".join(message.text.split())
        if not asks(text, intent if isinstance(intent, str) else None):
            continue
        texts.append(text[:_MOST_CHARACTERS])
        if isinstance(intent, str):
            intents.append(intent)
    tasks = [intent for intent in intents if intent in TASKS]
    intent = tasks[-1] if tasks else intents[-1] if intents else None
    spoken = language_of(texts[-1]) if texts else language
    return Asked(tuple(texts), seq, intent, spoken, product)


def _product(trace: object) -> str | None:
    entities = trace.get("entities") if isinstance(trace, dict) else None
    found = [one.get("value") for one in entities or [] if isinstance(one, dict) and one.get("entity") == "product"]
    return next((value for value in reversed(found) if isinstance(value, str) and value), None)


def _weight(text: str) -> int:
    """How much a text says: Chinese characters count double."""
    return len(text) + len(_HAN.findall(text))
