"""The trainers' synonyms at work: changes are checked, stored, and used by the next question."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from knowledge_base.readers import Reader
from knowledge_base.synonym_store import SynonymStore
from knowledge_base.synonyms import Kind, Scope, Synonym, Synonyms, Understood, check

if TYPE_CHECKING:
    from knowledge_base.knowledge_base import KnowledgeBase
    from knowledge_base.results import Hit


@dataclass(frozen=True, slots=True)
class Draft:
    """A rule as a trainer writes it."""

    kind: Kind
    language: Scope
    term: str
    means: str
    two_way: bool


@dataclass(frozen=True, slots=True)
class Trial:
    """A question with and without the synonyms."""

    understood: Understood
    before: Sequence[Hit]
    after: Sequence[Hit]


class SynonymBook:
    """All synonyms of one desk, and the knowledge base that uses them."""

    def __init__(
        self, store: SynonymStore, kb: KnowledgeBase, now: Callable[[], datetime] = lambda: datetime.now(UTC)
    ) -> None:
        self._store = store
        self._kb = kb
        self._now = now
        self._revision = -1
        self.rules = Synonyms()

    async def refresh(self) -> None:
        """Use what is stored, if this or another process changed it."""
        if await self._store.revision() == self._revision:
            return
        self._revision, self.rules = await self._store.read()
        self._kb.use_synonyms(self.rules)

    def find(self, synonym_id: str) -> Synonym | None:
        """The rule with this id."""
        return next((rule for rule in self.rules.rules if rule.id == synonym_id), None)

    async def add(self, draft: Draft, by: str) -> Synonym:
        """A new rule; raises ``SynonymRefused``."""
        rule = self._rule(uuid.uuid4().hex, draft, by)
        await self._store.put(rule, check)
        await self.refresh()
        return rule

    async def change(self, synonym_id: str, draft: Draft, by: str) -> tuple[Synonym, Synonym] | None:
        """The former and the new form of a rule, or None if there is no such rule; raises ``SynonymRefused``."""
        await self.refresh()
        if self.find(synonym_id) is None:
            return None
        rule = self._rule(synonym_id, draft, by)
        former = await self._store.put(rule, check)
        await self.refresh()
        return former or rule, rule

    async def remove(self, synonym_id: str) -> Synonym | None:
        """The deleted rule, or None if there was none."""
        former = await self._store.remove(synonym_id)
        await self.refresh()
        return former

    async def attempt(self, text: str, language: str, draft: Draft | None = None, replaces: str | None = None) -> Trial:
        """What a question becomes and finds; with a draft, as if that were stored (in place of the rule ``replaces``)."""
        rules = self.rules
        if draft is not None:
            kept = tuple(rule for rule in rules.rules if rule.id != replaces)
            drafted = check(self._rule(replaces or "draft", draft, ""), list(kept))
            rules = replace(rules, rules=(drafted, *kept))
        reader = Reader.of(["member", "staff"])
        before = await self._kb.search(text, language, 5, reader, synonyms=Synonyms())
        after = await self._kb.search(text, language, 5, reader, synonyms=rules)
        return Trial(rules.understand(text, language), before, after)

    def _rule(self, synonym_id: str, draft: Draft, by: str) -> Synonym:
        term, means = " ".join(draft.term.split()), " ".join(draft.means.split())
        two_way = draft.two_way and draft.kind == "synonym"
        return Synonym(synonym_id, draft.kind, draft.language, term, means, two_way, self._now(), by)
