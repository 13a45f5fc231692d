"""The handoff rules in force: read by every turn, versioned, and tried on past conversations before they are saved."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy.exc import IntegrityError

from conversations.audit import AuditEntry, AuditLog
from conversations.contact_model import tier_that_counts
from conversations.errors import RulesChanged
from conversations.model import Agent, HandoffReason
from conversations.rule_store import RuleStore, RulesVersion
from conversations.store import Database
from conversations.triggers import ALWAYS, REMEMBERED, RULED, Rules, TurnSeen, decide

TierOf = Callable[[str], Awaitable[str | None]]
_FRESH_SECONDS = 5.0  #: another process's change is in force this soon
_LOOKED_AT = 2_000  #: conversations of a preview at most
_TOGETHER = 200
_TRIES = 5


async def nobodys_tier(_customer_id: str) -> str | None:
    """What an account says of a tier where nobody knows tiers."""
    return None


class RuleBook:
    """Keeps the rules in the database and the ones in force at hand."""

    def __init__(
        self, database: Database, audit: AuditLog, now: Callable[[], datetime], tier_of: TierOf = nobodys_tier
    ) -> None:
        self._database = database
        self._audit = audit
        self._now = now
        self._tier_of = tier_of
        self._rules = Rules()
        self._version = 0
        self._checked: float | None = None

    @property
    def rules(self) -> Rules:
        """The rules as last read; ``current`` reads them again when they may be old."""
        return self._rules

    async def current(self) -> Rules:
        """The rules in force, at most seconds old."""
        moment = asyncio.get_running_loop().time()
        if self._checked is None or moment - self._checked >= _FRESH_SECONDS:
            async with self._database.read() as connection:
                latest = await RuleStore(connection).find_latest()
            self._take(latest)
            self._checked = moment
        return self._rules

    async def versions(self, limit: int = 20) -> list[RulesVersion]:
        """The latest versions, newest first; the product's own rules as version 0 if nobody wrote any."""
        async with self._database.read() as connection:
            found = await RuleStore(connection).versions(limit)
        return found or [RulesVersion(0, Rules().to_json(), "", "", "Frontdesk", None)]

    async def save(self, rules: Rules, based_on: int, note: str, agent: Agent) -> RulesVersion:
        """Put rules into force; raises ``RulesChanged`` where somebody saved others since version ``based_on``."""
        for left in reversed(range(_TRIES)):
            try:
                async with self._database.write() as connection:
                    store = RuleStore(connection)
                    before = await store.highest()
                    if before != based_on:
                        raise RulesChanged(
                            "somebody saved other rules meanwhile; load them and make your changes again"
                        )
                    version = RulesVersion(before + 1, rules.to_json(), note, agent.id, agent.name, self._now())
                    await store.add(version)
                    changed = _changed(self._rules if before == self._version else None, rules)
                    facts = {"version": version.version, "before": before, "changed": changed, "note": note}
                    entry = AuditEntry("handoff_rules_saved", f"agent:{agent.id}", data=facts)
                    await self._audit.append(connection, self._now(), [entry])
                self._take(version)
                return version
            except IntegrityError:  # another process took the number
                if not left:
                    raise
        raise AssertionError("the last try returns or raises")

    def _take(self, version: RulesVersion | None) -> None:
        if version is not None and version.version != self._version:
            self._rules, self._version = Rules.from_json(version.rules), version.version

    async def preview(self, rules: Rules, days: int = 7) -> dict[str, Any]:
        """How many conversations opened in the last days these rules would have handed off, and for which reasons."""
        since = self._now() - timedelta(days=days)
        async with self._database.read() as connection:
            rows = await RuleStore(connection).conversations_since(since, _LOOKED_AT)
        counts = {reason.value: 0 for reason in (*ALWAYS, *RULED)}
        handed, accounts = 0, dict[str, str | None]()
        for start in range(0, len(rows), _TOGETHER):
            part = rows[start : start + _TOGETHER]
            turns = await self._turns_seen([row.id for row in part])
            for row in part:
                if row.customer_id and row.own_tier is None and row.customer_id not in accounts:
                    accounts[row.customer_id] = await self._tier_of(row.customer_id)
                tier = tier_that_counts(row.own_tier, accounts.get(row.customer_id or ""))
                reason = first_reason(turns.get(row.id, []), tier, row.language, row.channel, rules)
                if reason is not None:
                    handed += 1
                    counts[reason] += 1
        return {"days": days, "conversations": len(rows), "handed_off": handed, "by_reason": counts, "capped": len(rows) == _LOOKED_AT}  # fmt: skip

    async def _turns_seen(self, conversation_ids: list[str]) -> dict[str, list[TurnSeen]]:
        async with self._database.read() as connection:
            store = RuleStore(connection)
            rows = await store.turns_of(conversation_ids)
            said = await store.said_in(conversation_ids)
        found: dict[str, list[TurnSeen]] = {}
        for row in rows:
            found.setdefault(row.conversation_id, []).append(seen_of(row, said))
        return found


def seen_of(row: Any, said: dict[tuple[str, int], str]) -> TurnSeen:
    """What decisions look at, from a row of the store."""
    answered = "\n".join(filter(None, (said.get((row.conversation_id, seq)) for seq in row.out_seqs)))
    return TurnSeen.of(row.trace, row.text, answered, row.anger, row.sentiment)


def first_reason(turns: list[TurnSeen], tier: str, language: str, channel: str, rules: Rules) -> str | None:
    """Why a past conversation would first have been handed off by these rules."""
    for place, turn in enumerate(turns):
        if turn.handed_off in {reason.value for reason in ALWAYS}:
            return turn.handed_off
        earlier = [_not_yet(one) for one in turns[max(0, place - REMEMBERED) : place]]
        decision = decide(_not_yet(turn), earlier, frozenset(), tier, language, channel, rules)
        if decision is not None:
            return decision.reason.value
    return None


def _not_yet(turn: TurnSeen) -> TurnSeen:
    """The turn without the handoff that the rules of that day made of it."""
    missed = turn.missed or turn.handed_off == HandoffReason.TWO_MISSES.value
    return replace(turn, handed_off=None, missed=missed)


def _changed(before: Rules | None, after: Rules) -> list[str]:
    return [reason.value for reason in RULED if before is None or before.of(reason) != after.of(reason)]
