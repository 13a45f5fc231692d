"""The bot's turns: who may work on a conversation, and what a finished turn changes."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection

from conversations import notices
from conversations.change import STAFF, Change, Desk
from conversations.contact_store import ContactStore
from conversations.conversation_rows import owner_of
from conversations.conversation_store import ConversationStore
from conversations.delivery_store import DeliveryStore
from conversations.due_store import DueStore
from conversations.episode_store import EpisodeStore
from conversations.errors import FencedOut
from conversations.model import Author, Conversation, HandoffReason, Message, Status
from conversations.proof_store import ProofStore
from conversations.quarantine_store import QuarantineStore
from conversations.turn_model import Reply, TurnResult
from failpoints import reach

MAX_ATTEMPTS = 3


@dataclass(frozen=True, slots=True)
class Claim:
    """The right to run one turn: void once another worker raised the conversation's fence."""

    conversation: Conversation
    message: Message
    payload: str | None
    attempts: int
    fence: int
    agent_said: tuple[str, ...]

    @property
    def poisoned(self) -> bool:
        """Whether this message crashed its worker too often to try again."""
        return self.attempts > MAX_ATTEMPTS

    @property
    def suspect(self) -> bool:
        """Whether it may be what killed its workers: the last attempt is made while no other suspect runs."""
        return self.attempts == MAX_ATTEMPTS


@dataclass(slots=True)
class TurnSeen:
    """What became of a turn, for whoever watches it."""

    outcome: str = "crashed"  #: "done", "taken_away", "cancelled", "quarantined" or "crashed"
    result: TurnResult | None = None


#: Stands around each turn, for metrics, traces and the log.
Watch = Callable[[Claim], AbstractContextManager[TurnSeen]]


def unwatched(_claim: Claim) -> AbstractContextManager[TurnSeen]:
    """Nobody watches."""
    return nullcontext(TurnSeen())


async def claim_of(
    change: Change, message: Message, payload: str | None, attempts: int, lease_until: datetime
) -> Claim:
    """Raise the fence of a conversation and take its turn; the caller notes the message as running."""
    change.values |= {
        "fence": change.fence + 1,
        "lease_until": lease_until,
        "claimed_by": change.desk.process,
    }
    await _pin(change)
    said: tuple[str, ...] = ()
    if change.before is not None and change.conversation.assigned_at is not None:
        said = await change.store.agent_said(
            change.conversation.id, change.values.get("bot_seq", change.before.bot_seq)
        )
    return Claim(change.conversation, message, payload, attempts, change.fence, said)


async def _pin(change: Change) -> None:
    """The first turn decides on which version of the model a conversation stays, and its episode remembers it."""
    pinned, model = change.conversation.model, change.conversation.model
    if pinned is None:
        model = change.desk.version_of(change.conversation.id, None)
        change.pin(model)
    # An episode after people is another one; the one of a new conversation is not stored yet.
    begins = pinned is None or change.conversation.assigned_at is not None
    if model is not None and change.before is not None and begins:
        await EpisodeStore(change.connection).note_model(change.conversation.id, model)


async def repin(change: Change, claim: Claim) -> str | None:
    """Move the conversation of a turn off a version that no bot has any more; raises ``FencedOut``."""
    _check(change, claim)
    gone = change.conversation.model
    model = change.desk.version_of(change.conversation.id, gone)
    change.pin(model)
    change.record("model_gone", "system", {"turn_id": claim.message.id, "gone": gone, "model": model})
    if change.before is not None and not change.before.bot_seq:  # it has said nothing yet
        await EpisodeStore(change.connection).note_model(change.conversation.id, model, instead_of=gone)
    return model


async def claim_due(
    desk: Desk, connection: AsyncConnection, limit: int, lease: timedelta, suspects: int = 1
) -> list[Claim]:
    """Take up to ``limit`` turns that are due, also those whose worker died.

    A process that dies takes every turn down that it runs. So that the innocent are not set aside together with the
    one message that does it, at most ``suspects`` are claimed that make their last attempt.
    """
    now = desk.now()
    deliveries = DeliveryStore(connection)
    due = await DueStore(connection).find(now, limit)
    if not due:
        return []
    claims = []
    claimable = await ConversationStore(connection).lock_claimable(due, now)
    for locked in sorted(claimable, key=lambda locked: due.index(locked.conversation.id)):
        waiting = await deliveries.find_waiting(locked.conversation.id)
        if waiting is None or not waiting.due(now):
            continue
        if waiting.attempts + 1 == MAX_ATTEMPTS:
            if suspects <= 0:
                continue
            suspects -= 1
        change = Change(desk, connection, now, locked)
        claim = await claim_of(change, waiting.message, waiting.payload, waiting.attempts + 1, now + lease)
        await deliveries.set_inbound(waiting.message.id, state="running", attempts=claim.attempts)
        await change.save()
        claims.append(claim)
    return claims


async def commit_turn(
    change: Change,
    claim: Claim,
    result: TurnResult,
    *,
    started_at: datetime,
    ticket: str | None,
    lease_until: datetime | None,
    dead: bool = False,
) -> Claim | None:
    """Write a finished turn, and take the conversation's next message if ``lease_until`` is given.

    Raises ``FencedOut`` if the turn was taken away, by another worker or because people took over.
    """
    _check(change, claim)
    change.answers = claim.message
    handoff: str | None = None
    out_seqs: list[int] = []
    for reply in result.replies:
        handoff = handoff or reply.handoff
        if reply.customer_id:
            await _note_proof(change, reply.customer_id, reply.proved_by)
        if reply.text or reply.buttons:
            out_seqs.append(_say(change, claim, reply))
    await _note_language(change, result.trace.get("language"))
    await _note_version(change, result.trace.get("model"))
    if result.feeling is not None:
        await change.feel(claim.message.id, result.feeling)
    await change.store.add_turn(
        {
            "turn_id": claim.message.id,
            "conversation_id": change.conversation.id,
            "in_seq": claim.message.seq,
            "out_seqs": out_seqs,
            "trace": result.trace,
            "started_at": started_at,
            "finished_at": change.now,
        },
        owner_of(change.conversation),
    )
    if handoff is not None and (change.before is None or change.before.queued_by != claim.message.id):
        noted = result.trace.get("handoff")
        detail = noted.get("detail") if isinstance(noted, dict) and noted.get("reason") == handoff else None
        change.intent = result.trace.get("intent")
        await change.queue("bot", handoff, ticket=ticket, detail=detail)
        await change.hand_to_people()
        change.values["queued_by"] = claim.message.id
    if dead:
        reason = f"its worker died or stood still {claim.attempts - 1} times"
        await QuarantineStore(change.connection).set_aside(claim.message.id, reason)
        change.record("turn_set_aside", "system", {"turn_id": claim.message.id, "attempts": claim.attempts - 1})
    else:
        await change.deliveries.set_inbound(claim.message.id, state="done")
    if change.conversation.told is not None and change.conversation.told == claim.conversation.told:
        change.set(told=None)  # the bot knows it now
    change.record("turn", "bot", _open_part(claim, result, out_seqs), _sealed_part(claim, result))
    event = {"type": "trace", "conversation_id": change.conversation.id, "turn_id": claim.message.id}
    change.events.append((STAFF, event))
    reach("before_turn_commit")
    alone = change.before is not None and change.before.conversation.last_seq == claim.message.seq
    return await _next(change, None if alone else lease_until)


def _check(change: Change, claim: Claim) -> None:
    if change.fence != claim.fence or change.conversation.status is not Status.BOT:
        raise FencedOut("this turn was taken away; drop its result")


async def _note_proof(change: Change, customer_id: str, by: str | None) -> None:
    conversation = change.conversation
    if customer_id != conversation.customer_id:
        await ContactStore(change.connection).note_proof(conversation.contact_id, conversation.address, customer_id)
        change.set(customer_id=customer_id)
    if by == "code" and await ProofStore(change.connection).note(conversation.reached_at, customer_id, by, change.now):
        change.record("proved", "contact", {"by": by}, {"customer_id": customer_id})


def _retire(change: Change) -> None:
    # The claim is void from here on, so that a commit whose outcome nobody saw is never repeated.
    change.values |= {"fence": change.fence + 1, "lease_until": None}


def _say(change: Change, claim: Claim, reply: Reply) -> int:
    message = change.say(
        Author.BOT,
        reply.text,
        buttons=tuple((button.title, button.payload) for button in reply.buttons),
        citations=reply.citations,
        turn_id=claim.message.id,
    )
    return message.seq


async def _note_language(change: Change, language: Any) -> None:
    if language in ("zh", "en") and language != change.conversation.language:
        change.set(language=language)
        await change.store.update_contact(change.conversation.contact_id, language=language)


async def _note_version(change: Change, model: Any) -> None:
    """Where nobody had decided, the version that answered is the one to stay on."""
    if change.conversation.model is None and isinstance(model, str) and 0 < len(model) <= 80:
        change.pin(model)
        await EpisodeStore(change.connection).note_model(change.conversation.id, model)


async def _next(change: Change, lease_until: datetime | None) -> Claim | None:
    _retire(change)
    if lease_until is None or change.conversation.status is not Status.BOT:
        return None
    waiting = await change.deliveries.find_waiting(change.conversation.id)
    if waiting is None or not waiting.due(change.now):
        return None
    claim = await claim_of(change, waiting.message, waiting.payload, waiting.attempts + 1, lease_until)
    await change.deliveries.set_inbound(waiting.message.id, state="running", attempts=claim.attempts)
    return replace(claim, conversation=change.conversation)


async def give_back(change: Change, claim: Claim, *, next_at: datetime, crashed: str | None) -> None:
    """Return an unfinished turn to the inbox; only a crash counts as an attempt, and its kind is kept."""
    _check(change, claim)
    attempts = claim.attempts if crashed else claim.attempts - 1
    noted = {"error": crashed} if crashed else {}
    await change.deliveries.set_inbound(claim.message.id, state="new", attempts=attempts, next_at=next_at, **noted)
    _retire(change)
    if crashed:
        change.record("turn_crashed", "system", {"turn_id": claim.message.id, "attempts": attempts, "error": crashed})


def apology(language: str, error: str) -> TurnResult:
    """What is said instead of a turn that cannot be had: an apology, and people take over."""
    text = notices.notice("dialogue_failed", language)
    trace = {"route": "handoff", "error": error, "replies_by": "service"}
    return TurnResult((Reply(text, handoff=HandoffReason.DIALOGUE_FAILED.value),), trace)


def file_received(language: str) -> TurnResult:
    """The turn of a message that is only a file, which the bot cannot read."""
    return TurnResult((Reply(notices.notice("file_received", language)),), {"route": "file", "replies_by": "service"})


def _open_part(claim: Claim, result: TurnResult, out_seqs: list[int]) -> dict[str, Any]:
    trace = result.trace
    facts = {name: trace.get(name) for name in ("language", "intent", "confidence", "route", "policy", "model_id")}
    if trace.get("model"):
        facts["model"] = trace["model"]
    return facts | {"turn_id": claim.message.id, "in_seq": claim.message.seq, "out_seqs": out_seqs}


def _sealed_part(claim: Claim, result: TurnResult) -> dict[str, Any]:
    replies = [reply.text for reply in result.replies]
    return {"text": claim.message.text, "replies": replies, "trace": result.trace}
