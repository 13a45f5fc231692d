"""Reviews of a contact's conversations, for the copy of everything that is known of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection

from reviewing.review_store import ReviewStore
from reviewing.scorecards import Card
from reviewing.states import Review


async def copy_of(connection: AsyncConnection, contact_ids: Sequence[str]) -> Mapping[str, Any]:
    """One file with what was answered and written; not who reviewed or decided, which is about them and not the contact."""
    store = ReviewStore(connection)
    found = await store.of_contacts(contact_ids)
    if not found:
        return {}
    cards = {(card.id, card.version): card for card in await store.cards()}
    return {"reviews.json": [_form(one, cards.get((one.card_id, one.card_version))) for one in found]}


def _form(one: Review, card: Card | None) -> dict[str, Any]:
    return {
        "review_id": one.id,
        "conversation_id": one.conversation_id,
        "about": one.subject,
        "agent_name": one.agent_name,
        "state": one.state.value,
        "created_at": one.created_at,
        "submitted_at": one.submitted_at,
        "scorecard": None if card is None else asdict(card.title),
        "questions": [
            {
                "question": asdict(question.text),
                "answer": one.answers.get(question.key),
                "note": one.said.notes.get(question.key, ""),
                "answer_before": (one.answers_before or {}).get(question.key),
            }
            for question in (card.questions if card is not None else ())
        ],
        "score": one.score.value,
        "passed": one.score.passed,
        "score_before": one.score_before,
        "comment": one.said.comment,
        "tags": list(one.said.tags),
        "remarks": [{"seq": remark.seq, "text": remark.text} for remark in one.said.remarks],
        "dispute": one.dispute,
        "decision": one.decision,
    }
