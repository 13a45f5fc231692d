"""The demo shop's ratings of the past weeks, so that their page has something to show from the first day; made once."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from random import Random

from conversations.audit import AuditLog
from conversations.conversations import Conversations
from conversations.hub import LocalHub
from conversations.model import Address, Agent, Citation, HandoffReason, InboundMessage
from conversations.store import Database
from conversations.turn_model import Reply, TurnResult
from handoff.demo_clock import PastClock

ACCOUNT = "demo-ratings"  #: of their addresses, by which they are known
_COUNT, _DAYS = 170, 75
_CHANNELS = ("webchat", "webchat", "webchat", "wechat", "whatsapp")
_ASKED = {
    "zh": (("order_status", "我的订单到哪里了？"), ("return_refund", "这个想退货"), ("ask_knowledge", "保修多久？")),
    "en": (("order_status", "Where is it?"), ("return_refund", "I want to send it back"), ("ask_knowledge", "How long is it covered?")),
}  # fmt: skip
_BOT = {"zh": "我来看看。", "en": "Let me have a look."}
#: What it quotes of the demo's articles where it was asked for what is in them.
_QUOTES = {
    "zh": ("各类商品的保修期是多久？", "风筝数码的商品一般保修 12 个月，手机和笔记本保修 24 个月。"),
    "en": (
        "How long is the warranty and what does it cover?",
        "Kite products have a 12-month warranty, and phones and laptops have 24 months.",
    ),
}
_HANDS_OFF = {"zh": "好的，马上为您转接。", "en": "Of course, one moment."}
#: Too short to be offered as an answer to somebody else.
_AGENT = {"zh": "办好了，谢谢！", "en": "Sorted!"}
_WORDS = {
    ("zh", True): ("客服很耐心，讲得清楚", "回复快，点赞", "问题当场就解决了", "", "", ""),
    ("zh", False): ("等了好久", "说得不清楚，还要再问一遍", "", ""),
    ("en", True): ("Quick and friendly", "Explained it step by step", "Sorted in two minutes", "", "", ""),
    ("en", False): ("Took too long", "Had to explain everything twice", "", ""),
}
_LIKED = {True: (5, 5, 5, 4, 4, 3, 5, 4, 2, 1), False: (5, 4, 4, 3, 5, 2, 4, 1, 3, 4)}  # people, the bot


async def load_rated(database: Database, audit: AuditLog, agents: Sequence[Agent], now: Callable[[], datetime]) -> int:
    """Make the rated conversations, if there are none yet; returns how many were made."""
    first = Address(_CHANNELS[0], ACCOUNT, "visitor-0")
    if await Conversations(database, LocalHub(), audit).find_current(first) is not None:
        return 0
    dice = Random(5)  # noqa: S311  # the demo is the same everywhere
    for number in range(_COUNT):
        clock = PastClock(now() - timedelta(days=_DAYS * (1 - number / _COUNT), hours=3))
        desk = Conversations(database, LocalHub(), audit, now=clock, pushes=lambda _address: False)
        address = Address(_CHANNELS[number % len(_CHANNELS)], ACCOUNT, f"visitor-{number}")
        language = "zh" if dice.random() < 0.6 else "en"
        agent = agents[number % len(agents)] if dice.random() < 0.6 else None
        await _play(desk, address, language, agent, dice, clock)
    return _COUNT


async def _play(
    desk: Conversations, address: Address, language: str, agent: Agent | None, dice: Random, clock: PastClock
) -> None:
    intent, asked = dice.choice(_ASKED[language])
    person = "转人工" if language == "zh" else "a person please"
    conversation_id = ""
    for number, text in enumerate([asked] if agent is None else [asked, person]):
        inbound = InboundMessage(address, f"{address.contact}-{number}", text, language=language)
        conversation_id = (await desk.receive(inbound)).conversation_id
        last = text == person
        handoff = HandoffReason.ASKED_FOR_PERSON.value if last else None
        trace = {"language": language, "intent": "handoff" if last else intent, "confidence": 0.95}
        quotes = intent == "ask_knowledge" and not last
        trace |= {
            "route": "handoff" if last else "knowledge" if quotes else "task",
            "entities": [],
            "slots_changed": {},
        }
        reply = _quoting(language) if quotes else Reply((_HANDS_OFF if last else _BOT)[language], handoff=handoff)
        for claim in await desk.claim_turns(50):
            if claim.conversation.id == conversation_id:
                await desk.commit_turn(claim, TurnResult((reply,), trace), clock.turn_began(), go_on=False)
    if agent is None:
        await desk.resolve_idle(0)
    else:
        await desk.assign(conversation_id, agent)
        await desk.reply_as_agent(conversation_id, agent, _AGENT[language])
        await desk.resolve(conversation_id, agent)
    if dice.random() < 0.3:
        return  # who does not answer
    score = dice.choice(_LIKED[agent is not None])
    solved = score >= 3 if dice.random() < 0.6 else None
    comment = dice.choice(_WORDS[language, score >= 4])
    asks_both = agent is not None and address.channel == "webchat"
    other = dice.choice((None, *_LIKED[False])) if asks_both else None
    await desk.rate(address, conversation_id, score, comment, solved=solved, other_score=other)


def _quoting(language: str) -> Reply:
    title, quote = _QUOTES[language]
    return Reply(
        quote,
        citations=(Citation("warranty-terms#0", "warranty-terms", title, quote, f"/kb/{language}/warranty-terms"),),
    )
