"""What the knowledge base does not know, as questions with drafted answers, and what became of them.

The groups are the inbox's own: what customers asked in vain is put together there. Here each gets a question in the
customers' words and an answer in the agents' words, and a trainer makes an article of it, or not.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection

from conversations.model import Agent, new_id, utc_now
from conversations.sight import EVERYTHING, Sight
from conversations.store import Database
from knowledge_base.knowledge_base import KnowledgeBase
from learning.following import Encode
from learning.gap_drafting import DraftedAnswer, Line, drafted_answers, typical
from learning.gap_store import AgentLine, GapDecision, GapStore, last_of
from learning.grouping import unpacked
from learning.inbox_list_store import Group, Item
from learning.inbox_sight_store import inbox_list
from learning.inbox_store import InboxStore

MOST_GAPS = 200
MOST_ITEMS = 120  #: of a group that are looked at
MOST_LINES = 300
COMES_BACK_AFTER = 5  #: contacts more, after which a rejected gap is open again
WORDINGS = 6  #: other ways to ask that go into a draft
OPEN, REJECTED, ANSWERED = "open", "rejected", "answered"

#: A text said in a conversation, and its language, in; the same without personal data out.
MaskSaid = Callable[[str, str, str], Awaitable[str]]


class GapRefused(Exception):
    """A decision that was not made; ``code`` is not_found or changed, and ``detail`` says who was quicker."""

    def __init__(self, code: str, message: str, detail: Mapping[str, Any] | None = None) -> None:
        super().__init__(message)
        self.code = code
        self.detail = dict(detail or {})


@dataclass(frozen=True, slots=True)
class Gap:
    """A question that many asked in vain, with what was decided about it."""

    group: Group
    text: str  #: of the message that stands for it
    contacts: int  #: that ever asked it
    state: str  #: open, rejected or answered
    decisions: tuple[GapDecision, ...] = ()


@dataclass(frozen=True, slots=True)
class Asked:
    """A message that asked it, without personal data."""

    item: Item
    text: str


@dataclass(frozen=True, slots=True)
class Draft:
    """A question and its answer in one language, as they could become an article."""

    language: str
    question: str
    wordings: tuple[str, ...]
    answer: DraftedAnswer


@dataclass(frozen=True, slots=True)
class OpenGap:
    """A gap as a trainer opens it."""

    gap: Gap
    asked: tuple[Asked, ...]
    drafts: tuple[Draft, ...]
    agents_said: int  #: lines that were looked through


@dataclass(frozen=True, slots=True)
class Effect:
    """What an article brought: how many of the questions it answers now, and who came with the same since."""

    questions: int
    answered: int  #: from this article
    otherwise: int  #: from another one
    again_messages: int = 0
    again_contacts: int = 0


@dataclass(slots=True)
class Gaps:
    """The gaps of one desk."""

    database: Database
    kb: KnowledgeBase
    encode: Encode
    mask: MaskSaid
    usable: Callable[[str], bool]
    gate: Callable[[str], float]  #: what an article needs to be quoted, by language
    now: Callable[[], datetime] = field(default=utc_now)

    async def all(self, state: str = OPEN, days: int = 0, sight: Sight = EVERYTHING) -> list[Gap]:
        """The gaps in a state, the most contacts first; ``days`` looks back for questions nobody has decided about."""
        since = self.now() - timedelta(days=days) if days else None
        async with self.database.read() as connection:
            store = GapStore(connection, sight)
            groups = await store.groups(since, MOST_GAPS)
            decisions = await store.decisions()
            contacts = await _affected(connection, sight, [one.id for one in groups])
            texts = await InboxStore(connection).texts([one.medoid for one in groups])
        found = [_gap(one, texts.get(one.medoid, ""), contacts.get(one.id, (0, 0)), decisions) for one in groups]
        chosen = [one for one in found if one.state == state and one.text]
        return sorted(chosen, key=lambda one: (-one.contacts, -one.group.handoffs, one.group.id))

    async def look(self, group_id: str, sight: Sight = EVERYTHING) -> OpenGap:
        """A gap with its drafts; raises ``GapRefused`` where there is none."""
        gap, items, texts, vectors, lines = await self._read(group_id, sight)
        asked = []
        for item in items:
            if item.message_id in texts:
                text = await self.mask(item.conversation_id, texts[item.message_id], item.language)
                asked.append(Asked(item, text))
        said = [
            Line(one.conversation_id, one.seq, await self.mask(one.conversation_id, one.text, ""))
            for one in lines[:MOST_LINES]
        ]
        drafts = await asyncio.to_thread(self._drafts, asked, vectors, said)
        return OpenGap(gap, tuple(asked), tuple(drafts), len(said))

    async def effect(self, group_id: str, article_id: str, since: datetime, sight: Sight = EVERYTHING) -> Effect:
        """What an article brought since it was made of a gap."""
        _, items, texts, _, _ = await self._read(group_id, sight)
        before = {texts[one.message_id]: one.language for one in items if one.message_id in texts and one.at <= since}
        answered = otherwise = 0
        for text, language in before.items():
            hits = await self.kb.search(text, language, 1)
            if hits and hits[0].score >= self.gate(language):
                own = hits[0].passage.article_id == article_id
                answered, otherwise = answered + own, otherwise + (not own)
        again = [one for one in items if one.at > since]
        contacts = len({one.contact_id for one in again})
        return Effect(len(before), answered, otherwise, len(again), contacts)

    async def decide(
        self,
        group_id: str,
        kind: str,
        by: Agent,
        seen: str | None,
        *,
        article_id: str | None = None,
        language: str | None = None,
        reason: str = "",
    ) -> GapDecision:
        """Note what was done about a gap; ``seen`` is the last decision that its trainer knew of."""
        async with self.database.write() as connection:
            store = GapStore(connection)
            if not await store.lock_group(group_id):
                raise GapRefused("not_found", "There is no such question any more. Reload the list.")
            last = last_of((await store.decisions()).get(group_id, ()))
            if last is not None and last.id != seen:
                told = {"by": last.by_name, "at": last.at.isoformat(), "kind": last.kind, "article_id": last.article_id}
                raise GapRefused("changed", f"{last.by_name} was quicker here. Look again before you decide.", told)
            contacts = (await store.affected([group_id])).get(group_id, 0)
            made = GapDecision(
                new_id(), group_id, kind, article_id, language, contacts, reason, self.now(), by.id, by.name
            )
            await store.add(made)
        return made

    async def check(self, group_id: str, seen: str | None) -> None:
        """Raise ``GapRefused`` if somebody has decided about a gap since."""
        async with self.database.read() as connection:
            last = last_of((await GapStore(connection).decisions()).get(group_id, ()))
        if last is not None and last.id != seen:
            told = {"by": last.by_name, "at": last.at.isoformat(), "kind": last.kind, "article_id": last.article_id}
            raise GapRefused("changed", f"{last.by_name} was quicker here. Look again before you decide.", told)

    async def _read(
        self, group_id: str, sight: Sight
    ) -> tuple[Gap, list[Item], dict[str, str], dict[str, bytes], list[AgentLine]]:
        async with self.database.read() as connection:
            listed, store = inbox_list(connection, sight), GapStore(connection, sight)
            group = await listed.find_group(group_id)
            if group is None:
                raise GapRefused("not_found", "There is no such question any more. Reload the list.")
            items = await listed.items(group.id, MOST_ITEMS)
            texts = await InboxStore(connection).texts([one.message_id for one in items])
            vectors = await store.vectors([one.message_id for one in items])
            first: dict[str, int] = {}
            for item in items:
                first[item.conversation_id] = min(item.seq, first.get(item.conversation_id, item.seq))
            lines = [one for one in await store.agent_lines(first) if one.seq > first[one.conversation_id]]
            decisions = await store.decisions()
            contacts = await _affected(connection, sight, [group.id])
        gap = _gap(group, texts.get(group.medoid, ""), contacts.get(group.id, (0, 0)), decisions)
        return gap, items, texts, vectors, lines

    def _drafts(self, asked: Sequence[Asked], vectors: Mapping[str, bytes], said: Sequence[Line]) -> list[Draft]:
        known = [one for one in asked if one.item.message_id in vectors]
        if not known:
            return []
        rows = unpacked([vectors[one.item.message_id] for one in known])
        centre = rows.mean(axis=0)
        answers = drafted_answers(centre / max(float((centre**2).sum()) ** 0.5, 1e-9), said, self.encode, self.usable)
        drafts = []
        for language in ("zh", "en"):
            here = [place for place, one in enumerate(known) if one.item.language == language]
            if not here:
                continue
            ordered = [known[here[place]].text for place in typical(rows[here])]
            clean = list(dict.fromkeys(text for text in ordered if self.usable(text))) or ordered[:1]
            wordings = tuple(text for text in clean[1 : WORDINGS + 1])
            drafts.append(Draft(language, clean[0][:200], wordings, answers.get(language, DraftedAnswer())))
        missing = [one for one in drafts if not one.answer.text]
        if len(drafts) == 1 and missing and answers:
            # Agents answered in the other language only: that is something to translate from.
            drafts[0] = replace(drafts[0], answer=next(iter(answers.values())))
        return sorted(
            drafts, key=lambda one: (not one.answer.text, -sum(a.item.language == one.language for a in asked))
        )


async def _affected(connection: AsyncConnection, sight: Sight, group_ids: Sequence[str]) -> dict[str, tuple[int, int]]:
    """How many contacts of each group somebody sees, and how many there are."""
    all_of_them = await GapStore(connection).affected(group_ids)
    seen = all_of_them if sight is EVERYTHING else await GapStore(connection, sight).affected(group_ids)
    return {one: (seen.get(one, 0), count) for one, count in all_of_them.items()}


def _gap(group: Group, text: str, contacts: tuple[int, int], decisions: Mapping[str, Sequence[GapDecision]]) -> Gap:
    """``contacts`` are those who are seen and all there are: whether it is open is the same for everybody."""
    seen, there = contacts
    made = tuple(decisions.get(group.id, ()))
    last = last_of(made)
    state = OPEN
    if last is not None and last.kind in ("article", "merged"):
        state = ANSWERED
    elif last is not None and last.kind == "rejected" and there < last.contacts + COMES_BACK_AFTER:
        state = REJECTED
    told = made if seen == there else tuple(replace(one, contacts=min(one.contacts, seen)) for one in made)
    return Gap(group, text, seen, state, told)
