"""Notes what agents were offered and what they made of it, and counts it up."""

from __future__ import annotations

import statistics
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from rapidfuzz import fuzz
from rapidfuzz.distance import Levenshtein

from conversations.conversations import Conversations
from conversations.model import Agent, Citation, Conversation, Message, Status
from handoff.assist.assist_desk import Look
from handoff.assist.assist_store import AssistStore, Card, Decision, Shown

#: The keys that insert, by kind: fixed places, so that hands learn them.
SUGGESTION_KEY, BOT_KEY, FIRST_PASSAGE_KEY, FIRST_SIMILAR_KEY = 1, 2, 3, 6
REASONS = ("wrong", "outdated", "not_relevant", "wrong_tone", "private", "other")
KINDS = ("suggestion", "phrased", "bot", "passage", "similar")
_REPORTED = 50_000  #: cards that one report looks at


@dataclass(frozen=True, slots=True)
class Use:
    """A card that an agent says is in a reply, and whether its source goes with it."""

    card_id: str
    cite: bool = True


class CardBook:
    """What was shown, inserted, sent, edited, rejected and ignored."""

    def __init__(self, store: AssistStore, conversations: Conversations) -> None:
        self._store = store
        self._conversations = conversations

    async def show_look(self, conversation: Conversation, agent: Agent, look: Look) -> dict[str, str]:
        """Note the cards of a look; returns their ids by ``kind:source``, none for those who cannot answer."""
        listed: list[Card] = []
        if look.suggestion is not None:
            made = look.suggestion
            listed.append(
                Card(
                    "suggestion", made.origin + ":" + ",".join(made.because), SUGGESTION_KEY, made.text, made.citations,
                    made.support, look.took_ms,
                )
            )  # fmt: skip
        for place, found in enumerate(look.passages):
            if found.quote:
                cited = () if found.internal else (found.citation,)
                listed.append(
                    Card(
                        "passage", found.hit.passage.id, FIRST_PASSAGE_KEY + place, found.quote, cited, found.hit.score
                    )
                )
        for place, one in enumerate(look.precedents):
            if one.replies:
                listed.append(
                    Card("similar", one.conversation.id, FIRST_SIMILAR_KEY + place, one.replies[0], (), one.similarity)
                )
        return await self._show(conversation, agent, look.asked.seq, listed)

    async def show_one(self, conversation: Conversation, agent: Agent, seq: int, card: Card) -> str | None:
        """Note one more card; its id, or None for those who cannot answer."""
        ids = await self._show(conversation, agent, seq, [card])
        return next(iter(ids.values()), None)

    async def _show(self, conversation: Conversation, agent: Agent, seq: int, listed: Sequence[Card]) -> dict[str, str]:
        # Whoever only looks can neither use nor ignore anything.
        if conversation.status is not Status.ASSIGNED or conversation.agent_id != agent.id:
            return {}
        ids = await self._store.show(
            conversation.id, conversation.contact_id, seq, agent.id, listed, self._conversations.now()
        )
        return {f"{card.kind}:{card.source}": card_id for card, card_id in zip(listed, ids, strict=True)}

    async def inserted(self, conversation: Conversation, agent: Agent, card_id: str) -> bool:
        """Note that the agent put a card into the composer; False when it was not shown to them here."""
        found = await self._store.find([card_id], conversation.id, agent.id)
        if found:
            await self._store.note_insertion(card_id, self._conversations.now())
        return bool(found)

    async def rejected(self, conversation: Conversation, agent: Agent, card_id: str, reason: str) -> bool:
        """Note that the agent does not want a card; False when it was not shown to them here."""
        found = await self._store.find([card_id], conversation.id, agent.id)
        if not found:
            return False
        if await self._store.reject(card_id, reason, self._conversations.now()):
            facts = {"conversation_id": conversation.id, "kind": found[0].kind, "seq": found[0].seq, "reason": reason}
            await self._conversations.record("assist_rejected", agent, facts)
        return True

    async def citations_of(
        self, conversation: Conversation, agent: Agent, uses: Collection[Use]
    ) -> tuple[Citation, ...]:
        """The sources that go with a reply: those of cards shown to this agent, as they were shown."""
        cited = [one.card_id for one in uses if one.cite]
        found = await self._store.find(cited, conversation.id, agent.id)
        by_id = {one.id: one for one in found}
        listed = [citation for card_id in cited if card_id in by_id for citation in by_id[card_id].citations]
        return tuple({one["passage_id"]: Citation(**one) for one in listed}.values())

    async def replied(
        self, conversation: Conversation, agent: Agent, message: Message, written: str, uses: Collection[Use]
    ) -> None:
        """Decide every open card of the agent in this conversation by what was sent; ``written`` are the agent's words."""
        undecided = await self._store.undecided(conversation.id, agent.id)
        used = {one.card_id for one in uses}
        mine = [one for one in undecided if one.id in used and one.text is not None]
        decisions = [decision_of(one, written, alone=len(mine) == 1) for one in mine]
        decisions += [Decision(one.id, "ignored") for one in undecided if one.id not in used and one.seq < message.seq]
        if not decisions:
            return
        await self._store.decide(decisions, message.id, self._conversations.now())
        kinds = {one.id: one.kind for one in mine}
        for decision in decisions:
            if decision.card_id in kinds:
                facts = {"conversation_id": conversation.id, "seq": message.seq, "kind": kinds[decision.card_id]}
                facts |= {"outcome": decision.outcome, "distance": decision.distance}
                await self._conversations.record("assist_used", agent, facts)

    async def report(self, days: int, names: dict[str, str]) -> dict[str, Any]:
        """What became of the cards shown in the last days, by kind and by agent."""
        since = self._conversations.now() - timedelta(days=days)
        shown = await self._store.shown_since(since, _REPORTED)
        by_agent: defaultdict[str, list[Shown]] = defaultdict(list)
        for one in shown:
            by_agent[one.agent_id].append(one)
        return {
            "since": since.isoformat(),
            "days": days,
            "complete": len(shown) < _REPORTED,
            "total": counted(shown),
            "by_kind": [{"kind": kind, **counted(one for one in shown if one.kind == kind)} for kind in KINDS],
            "by_agent": [
                {"agent_id": agent_id, "name": names.get(agent_id, agent_id), **counted(theirs)}
                for agent_id, theirs in sorted(by_agent.items(), key=lambda pair: -len(pair[1]))
            ],
            "replies": replies_of(shown),
            "took_ms": spread([one.took_ms for one in shown if one.took_ms is not None]),
        }


def decision_of(card: Shown, written: str, *, alone: bool) -> Decision:
    """Whether a card was sent as it was, and else how much was changed: edits by the length of the longer text."""
    offered, sent = " ".join((card.text or "").split()), " ".join(written.split())
    if alone:
        distance = Levenshtein.normalized_distance(offered, sent)
    else:  # several cards in one reply: this one against the part of the reply that is nearest to it
        part = fuzz.partial_ratio_alignment(offered, sent)
        distance = Levenshtein.normalized_distance(offered, sent[part.dest_start : part.dest_end] if part else "")
    return Decision(card.id, "unchanged" if distance == 0 else "edited", round(distance, 4))


def counted(shown: Iterable[Shown]) -> dict[str, Any]:
    """Counts, the share of decided cards that were used, how much was edited, and the time from shown to sent."""
    listed = list(shown)
    outcomes = Counter(one.outcome for one in listed)
    used = [one for one in listed if one.outcome in ("unchanged", "edited")]
    decided = len(used) + outcomes["rejected"] + outcomes["ignored"]
    waits = [seconds(one.shown_at, one.decided_at) for one in used if one.decided_at is not None]
    edits = [one.distance for one in used if one.outcome == "edited" and one.distance is not None]
    reasons = Counter(one.reason for one in listed if one.reason)
    return {
        "shown": len(listed),
        "inserted": sum(one.inserted_at is not None for one in listed),
        "unchanged": outcomes["unchanged"],
        "edited": outcomes["edited"],
        "rejected": outcomes["rejected"],
        "ignored": outcomes["ignored"],
        "open": outcomes[None],
        "acceptance": round(len(used) / decided, 4) if decided else None,
        "edit_distance": round(statistics.median(edits), 4) if edits else None,
        "seconds_to_sent": round(statistics.median(waits), 1) if waits else None,
        "reasons": dict(reasons.most_common()),
    }


def replies_of(shown: Iterable[Shown]) -> dict[str, Any]:
    """Of the messages that were answered with cards in view, how many answers used one: several cards, one answer."""
    answered: defaultdict[tuple[str, str, int], list[str]] = defaultdict(list)
    for one in shown:
        if one.outcome in ("unchanged", "edited", "ignored"):
            answered[(one.agent_id, one.conversation_id, one.seq)].append(one.outcome)
    helped = sum(any(outcome != "ignored" for outcome in outcomes) for outcomes in answered.values())
    return {
        "answered": len(answered),
        "with_assist": helped,
        "share": round(helped / len(answered), 4) if answered else None,
    }


def spread(values: Sequence[float]) -> dict[str, float] | None:
    """The median and the 95th percentile."""
    if not values:
        return None
    ordered = sorted(values)
    return {"p50": ordered[len(ordered) // 2], "p95": ordered[min(len(ordered) - 1, int(len(ordered) * 0.95))]}


def seconds(start: datetime, end: datetime) -> float:
    """How long it took."""
    return (end - start).total_seconds()
