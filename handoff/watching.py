"""Builds what watches the bot's turns: rules, sentiment, the customer's records, and the wording of summaries."""

from __future__ import annotations

from collections.abc import Callable

from conversations.conversations import Conversations
from conversations.rule_book import RuleBook
from conversations.signals import Signals
from conversations.turn_model import Feeling
from crm.port import Crm
from handoff.records import Records
from handoff.summary_writer import Endpoint, SummaryWriter


def signals_of(
    conversations: Conversations, crm: Crm, endpoint: Endpoint | None, read: Callable[[str], Feeling] | None
) -> Signals:
    """The signals of one service process."""
    tier_of = conversations.surroundings.tier_of
    book = RuleBook(conversations.database, conversations.audit, conversations.now, tier_of)
    return Signals(
        conversations,
        book,
        read=read,
        tier_of=tier_of,
        records_of=Records(crm).about,
        rewrite=SummaryWriter(endpoint).rewrite if endpoint else None,
    )
