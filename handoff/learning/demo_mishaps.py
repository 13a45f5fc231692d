"""What the demo shop's bot did not serve well in the past weeks, so that the inbox has something to show; made once."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from random import Random
from typing import Any

from conversations.audit import AuditLog
from conversations.conversations import Conversations
from conversations.episodes import RatingRules
from conversations.hub import LocalHub
from conversations.model import Address, Agent, HandoffReason, InboundMessage
from conversations.store import Database
from conversations.turn_model import Reply, TurnResult
from handoff.demo_clock import PastClock

ACCOUNT = "demo-inbox"  #: of their addresses, by which they are known
_DAYS = 24
_LIMITS = {"answer": 0.62, "clarify": 0.35, "retrieval": 0.5}
_SAYS = {
    "asked": {"en": "Do you mean the status of an order, or a return?", "zh": "您是想查订单，还是想退货？"},
    "missed": {
        "en": "I am not sure about that one. Could you put it another way?",
        "zh": "这个我不太确定，您能换个说法吗？",
    },
    "unsure": {"en": "Let me have a look at your order.", "zh": "我来看看您的订单。"},
    "handed": {"en": "I am getting a person for you.", "zh": "马上为您转接人工客服。"},
}
_AGENT = {"en": "Sorted for you!", "zh": "已经帮您处理好啦！"}


@dataclass(frozen=True, slots=True)
class Wish:
    """Something customers wanted that the bot was not taught: how it ended, what it was taken for, how they said it."""

    how: str  #: asked, missed, unsure or handed
    taken_for: str
    confidence: float
    said: Sequence[tuple[str, str]]


WISHES = (
    Wish("missed", "out_of_scope", 0.21, (
        ("zh", "你们支持以旧换新吗"), ("zh", "旧手机可以折价换新的吗"), ("zh", "想以旧换新，怎么弄"), ("zh", "以旧换新能抵多少钱"),
        ("en", "Can I trade in my old phone for a new one?"), ("en", "Do you take old phones in exchange?"),
        ("en", "how does trade-in work here"),
    )),
    Wish("missed", "out_of_scope", 0.18, (
        ("zh", "有没有学生优惠"), ("zh", "学生证可以打折吗"), ("zh", "教育优惠怎么申请"),
        ("en", "Is there a student discount?"), ("en", "do students get a discount"),
    )),
    Wish("asked", "return_refund", 0.47, (
        ("zh", "别家卖得更便宜，能补差价吗"), ("zh", "刚买就降价了，差价怎么退"), ("zh", "降价了可以退差价吗"),
        ("en", "It got cheaper the day after I bought it, do I get the difference back?"),
        ("en", "Another shop sells it for less, will you match the price?"), ("en", "can you refund the price difference"),
    )),
    Wish("handed", "ask_knowledge", 0.33, (
        ("zh", "公司要买二十台，有批发价吗"), ("zh", "批量采购能开对公合同吗"),
        ("en", "We need twenty laptops for our office, is there a bulk price?"), ("en", "bulk order for a company, who do I talk to"),
    )),
    Wish("unsure", "order_status", 0.52, (
        ("zh", "能帮我把两个订单合并成一个包裹吗"), ("zh", "我下了两单，可以一起发吗"),
        ("en", "Could you put my two orders into one parcel?"), ("en", "please ship both orders together"),
    )),
    Wish("asked", "return_refund", 0.41, (
        ("zh", "电池不耐用了，能换电池吗"), ("zh", "换一块电池多少钱"),
        ("en", "How much is a new battery for my phone?"), ("en", "can you replace the battery of my old phone"),
    )),
    Wish("missed", "out_of_scope", 0.12, (("en", "can you recommend a good pizza place nearby"), ("zh", "附近有什么好吃的披萨店"))),
    Wish("missed", "out_of_scope", 0.24, (("zh", "线下门店在哪里，可以自提吗"), ("en", "Do you have a shop where I can pick it up myself?"))),
)  # fmt: skip


async def load_mishaps(database: Database, audit: AuditLog, agent: Agent, now: Callable[[], datetime]) -> int:
    """Make the conversations, if there are none yet; returns how many were made."""
    if await Conversations(database, LocalHub(), audit).find_current(_address(0)) is not None:
        return 0
    said = [(wish, language, text) for wish in WISHES for language, text in wish.said]
    Random(11).shuffle(said)  # noqa: S311  # the demo is the same everywhere
    for number, (wish, language, text) in enumerate(said):
        clock = PastClock(now() - timedelta(days=_DAYS * (1 - number / len(said)), hours=5))
        desk = Conversations(
            database, LocalHub(), audit, now=clock, pushes=lambda _address: False,
            ratings=RatingRules(ask_when_idle=False),
        )  # fmt: skip
        await _play(desk, _address(number), wish, language, text, agent, clock)
    return len(said)


def _address(number: int) -> Address:
    return Address("webchat" if number % 3 else "wechat", ACCOUNT, f"visitor-{number}")


async def _play(
    desk: Conversations, address: Address, wish: Wish, language: str, text: str, agent: Agent, clock: PastClock
) -> None:
    inbound = InboundMessage(address, f"{address.contact}-0", text, language=language)
    conversation_id = (await desk.receive(inbound)).conversation_id
    handoff = HandoffReason.TWO_MISSES.value if wish.how == "handed" else None
    for claim in await desk.claim_turns(50):
        if claim.conversation.id == conversation_id:
            result = TurnResult((Reply(_SAYS[wish.how][language], handoff=handoff),), _trace(wish, language))
            await desk.commit_turn(claim, result, clock.turn_began(), go_on=False)
    if handoff is None:
        await desk.resolve_idle(0)
        return
    await desk.assign(conversation_id, agent)
    await desk.reply_as_agent(conversation_id, agent, _AGENT[language])
    await desk.resolve(conversation_id, agent, ask=False)


def _trace(wish: Wish, language: str) -> dict[str, Any]:
    route = {"asked": "clarify", "missed": "clarify", "unsure": "task", "handed": "handoff"}[wish.how]
    trace = {"language": language, "intent": wish.taken_for, "confidence": wish.confidence, "thresholds": _LIMITS}
    trace |= {"route": route, "entities": [], "slots_changed": {}, "model_id": "demo"}
    return trace | ({"missed": True} if wish.how in ("missed", "handed") else {})
