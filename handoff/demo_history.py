"""The demo shop's past conversations with agents, so that similar ones are found from the first day; made once."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from conversations.audit import AuditLog
from conversations.conversations import Conversations
from conversations.hub import LocalHub
from conversations.model import Address, Agent, HandoffReason, InboundMessage
from conversations.store import Database
from conversations.turn_model import Reply, TurnResult
from handoff.demo_clock import PastClock

ACCOUNT = "demo-history"  #: of their addresses, by which they are known


@dataclass(frozen=True, slots=True)
class Past:
    """One conversation: what was asked, what the bot took it for, what the agent answered, and the rating."""

    language: str
    intent: str
    asked: tuple[str, ...]
    replies: tuple[str, ...]
    score: int | None


HISTORY = (
    Past(
        "en", "ask_knowledge",
        ("My parcel is marked as delivered but nothing arrived. What now?",),
        (
            "Please look with your neighbours and at the reception first, drivers often leave parcels there. If it has not "
            "turned up after 24 hours, we open a search with the carrier and send the goods again if it stays lost.",
        ),
        5,
    ),
    Past(
        "en", "ask_knowledge",
        ("The tracking says delivered, yet I never got the package.",),
        (
            "That happens when a driver scans too early. Give it a day and ask your neighbours; after 24 hours we open a "
            "search with the carrier and replace what stays lost.",
        ),
        4,
    ),
    Past(
        "en", "return_refund",
        ("The left earbud is silent since yesterday, I have had it for a month.",),
        (
            "That is a fault and covered by the warranty. Please try a reset first: both buds in the case, hold the button for "
            "ten seconds. If it stays silent, we exchange the pair and pay the parcel.",
        ),
        5,
    ),
    Past(
        "en", "ask_knowledge",
        ("Can you gift-wrap the lamp and leave the price out of the parcel?",),
        ("Yes. Choose gift wrapping in the basket and write the card there; parcels with wrapping carry no prices.",),
        5,
    ),
    Past(
        "en", "change_address",
        ("I am moving next week, can the order still go to my new flat?",),
        ("As long as the parcel has not left, the address can be changed in the order. Afterwards the carrier can redirect it.",),
        None,
    ),
    Past(
        "zh", "ask_knowledge",
        ("物流显示已签收，但我没收到包裹",),
        ("先请您问一下家人、邻居，再看看快递柜和驿站。24 小时内还没找到，我们会联系快递公司核查，确认丢失就给您补发。",),
        5,
    ),
    Past(
        "zh", "ask_knowledge",
        ("快递说送到了，可是我家里根本没有人收",),
        ("可能是快递员提前点了签收。请先问问邻居和驿站，超过 24 小时还没有，我们会发起核查，确认丢失后免费补发。",),
        4,
    ),
    Past(
        "zh", "return_refund",
        ("耳机左边突然没声音了，才买一个月",),
        ("这属于质量问题，在保修期内。请先把两只耳机放回充电盒，长按按键十秒重置；还是没有声音的话，我们给您换新，运费由我们承担。",),
        5,
    ),
    Past(
        "zh", "request_invoice",
        ("发票抬头写错了，还能改吗？",),
        ("可以改。在订单页面重新提交抬头和税号就行，原发票会自动作废，新的电子发票一般当天发到邮箱。",),
        5,
    ),
    Past(
        "zh", "ask_knowledge",
        ("送朋友的，能包装一下再写张卡片吗，别放价格单",),
        ("可以的。结算时勾选礼品包装并填写贺卡内容，带包装的包裹里不会放价格单。",),
        None,
    ),
)  # fmt: skip


async def load_history(database: Database, audit: AuditLog, agent: Agent, now: Callable[[], datetime]) -> int:
    """Make the past conversations, if there are none yet; returns how many were made."""
    first = Address("webchat", ACCOUNT, "visitor-0")
    if await Conversations(database, LocalHub(), audit).find_current(first) is not None:
        return 0
    for number, past in enumerate(HISTORY):
        clock = PastClock(now() - timedelta(days=12 - number, hours=number % 5), step_seconds=20)
        # They were on the web page, where nothing goes through the outbox.
        conversations = Conversations(database, LocalHub(), audit, now=clock, pushes=lambda _: False)
        await _play(conversations, Address("webchat", ACCOUNT, f"visitor-{number}"), past, agent, clock)
    return len(HISTORY)


async def _play(conversations: Conversations, address: Address, past: Past, agent: Agent, clock: PastClock) -> None:
    conversation_id = ""
    person = "human please" if past.language == "en" else "转人工"
    for number, text in enumerate((*past.asked, person)):
        inbound = InboundMessage(address, f"{address.contact}-{number}", text, language=past.language)
        conversation_id = (await conversations.receive(inbound)).conversation_id
        last = text == person
        said = {
            ("en", True): "Of course, I am getting a person for you.", ("zh", True): "好的，马上为您转接人工客服。",
            ("en", False): "I am not quite sure about that one.", ("zh", False): "这个问题我没有十足的把握。",
        }[past.language, last]  # fmt: skip
        handoff = HandoffReason.ASKED_FOR_PERSON.value if last else None
        trace = {"language": past.language, "intent": "handoff" if last else past.intent, "confidence": 0.96}
        trace |= {"route": "handoff" if last else "clarify", "entities": [], "slots_changed": {}}
        for claim in await conversations.claim_turns(50):
            if claim.conversation.id == conversation_id:
                result = TurnResult((Reply(said, handoff=handoff),), trace)
                await conversations.commit_turn(claim, result, clock.turn_began(), go_on=False)
    await conversations.assign(conversation_id, agent)
    for reply in past.replies:
        await conversations.reply_as_agent(conversation_id, agent, reply)
    await conversations.resolve(conversation_id, agent)
    if past.score is not None:
        await conversations.rate(address, conversation_id, past.score)
