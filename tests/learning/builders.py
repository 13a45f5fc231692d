"""What the tests of this room are built from: conversations that go wrong, a book of examples, vectors one can follow."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from zlib import crc32

import numpy as np

from conversations.model import Agent, new_id
from conversations.store import Database
from conversations.turn_model import Reply, TurnResult
from conversations.work_leases import WorkLeases
from learning import inbox_store
from learning.changes import Add, Change, Edit, Example, ExampleRefused, MadeIntent, NewIntent
from learning.example_book import IntentRow
from learning.following import Follower
from learning.grouping import Floats
from learning.inbox import Inbox, Line, Wish
from learning.inbox_list_store import Filters, Group
from learning.reasons import names_of, reasons_of
from tests.conversations.builders import LIN, Clock, TestDesk, address, inbound

EVA = Agent("trainer-eva", "Eva")
TOM = Agent("trainer-tom", "Tom")


# -- a double of the book of examples ------------------------------------------------------------------------------


class ExampleBook:
    """Keeps to what the book promises: all or nothing, refusals, history, undo."""

    def __init__(self, *lines: tuple[str, str, str], held_out: Sequence[str] = ()) -> None:
        self.lines = [Example(*line) for line in lines]
        self.names = {"order_status", "return_refund", "greet", "out_of_scope", *(one.intent for one in self.lines)}
        self.held_out = set(held_out)
        self.edits: list[Edit] = []
        self.dies_after_writing = False

    async def intents(self) -> list[IntentRow]:
        return [
            IntentRow(
                name, {lang: len(await self.examples(name, lang)) for lang in ("zh", "en")}, name != "out_of_scope"
            )
            for name in sorted(self.names | {one.name for one in await self.made()})
        ]

    async def made(self) -> list[MadeIntent]:
        return [change.made for edit in self.edits for change in edit.changes if isinstance(change, NewIntent)]

    async def examples(self, intent: str, language: str) -> list[Example]:
        return [one for one in self.lines if (one.intent, one.language) == (intent, language)]

    async def every(self) -> list[Example]:
        return list(self.lines)

    async def apply(self, changes: Sequence[Change], by: Agent, why: str) -> Edit:
        made = list(self.lines)
        names = set(self.names)
        for change in changes:
            if isinstance(change, NewIntent):
                names.add(change.made.name)
                continue
            assert isinstance(change, Add)
            if change.intent not in names:
                raise ExampleRefused("unknown_intent", f"There is no intent {change.intent}.")
            if not change.text.strip():
                raise ExampleRefused("empty", "An example needs words.")
            if len(change.text) > 500:
                raise ExampleRefused("too_long", "An example has at most 500 characters.")
            if re.search(r"\]\{(?!\"entity\")", change.text):
                raise ExampleRefused("bad_annotation", "This annotation cannot be read.")
            if change.text in self.held_out:
                raise ExampleRefused("held_out", "This is a test line.", {"text": change.text})
            one = Example(change.language, change.intent, change.text)
            if one in made:
                raise ExampleRefused("exists", "This example is there already.", {"text": change.text})
            made.append(one)
        return self._note(made, Edit(new_id(), datetime.now(UTC), by.id, by.name, why, tuple(changes)))

    async def undo(self, edit_id: str, by: Agent) -> Edit:
        found = next((edit for edit in self.edits if edit.id == edit_id), None)
        if found is None:
            raise ExampleRefused("unknown_edit", "There is no such edit.")
        made = list(self.lines)
        for change in found.changes:
            if isinstance(change, NewIntent):
                continue
            assert isinstance(change, Add)
            one = Example(change.language, change.intent, change.text)
            if one not in made:
                raise ExampleRefused("gone", "Somebody has changed this example since.", {"text": change.text})
            made.remove(one)
        return self._note(made, Edit(new_id(), datetime.now(UTC), by.id, by.name, "", found.changes, edit_id))

    async def history(self, limit: int = 50) -> list[Edit]:
        return self.edits[::-1][:limit]

    def _note(self, made: list[Example], edit: Edit) -> Edit:
        self.lines = made
        self.edits.append(edit)
        if self.dies_after_writing:
            raise ProcessDied
        return edit


class ProcessDied(BaseException):
    """The process dies here: nothing after it is done, not even tidying up."""


# -- vectors one can follow ----------------------------------------------------------------------------------------

#: Words that mean the same share a direction, so that a wish is the same in both languages.
_SAME = {
    "包裹": "parcel",
    "送": "deliver",
    "哪": "where",
    "礼品": "gift",
    "包装": "wrap",
    "wrapping": "wrap",
    "wrapped": "wrap",
}


def encode(texts: Sequence[str]) -> Floats:
    """The mean of the words' directions, each the same everywhere."""
    rows = np.zeros((len(texts), 512), np.float32)
    for place, text in enumerate(texts):
        words = re.findall(r"[a-z]+", text.lower()) + [word for word in _SAME if word in text and not word.isascii()]
        for word in {_SAME.get(word, word) for word in words} or {text}:
            rows[place] += np.random.default_rng(crc32(word.encode())).standard_normal(512).astype(np.float32)
        rows[place] /= np.linalg.norm(rows[place])
    return rows


# -- a desk whose bot goes wrong -----------------------------------------------------------------------------------

LIMITS = {"answer": 0.6, "clarify": 0.3, "retrieval": 0.5}


def trace(route: str = "task", intent: str = "order_status", confidence: float = 0.95, **more: Any) -> dict[str, Any]:
    """Why the bot answered as it did; without more a turn that went well."""
    return {
        "language": "en", "intent": intent, "confidence": confidence, "route": route, "thresholds": LIMITS,
        "model_id": "model-1", "ranking": [{"name": intent, "confidence": confidence}],
    } | more  # fmt: skip


MISSED = {"route": "clarify", "intent": "out_of_scope", "confidence": 0.1, "missed": True}


@dataclass
class Loop:
    """A desk with its inbox."""

    database: Database
    book: ExampleBook = field(default_factory=ExampleBook)

    def __post_init__(self) -> None:
        self.clock = Clock()
        self.desk = TestDesk(self.database, self.clock)
        self.told: list[tuple[list[str], str, str]] = []
        self.inbox = Inbox(self.database, encode, self.book, tell=self._tell, now=self.clock)
        self.follower = self.another_follower()
        conversations = self.desk.conversations
        conversations.erases_too.append(inbox_store.erase)
        conversations.forgets_too.append(inbox_store.forget)
        conversations.moves_too.append(inbox_store.move)

    def another_follower(self, **options: Any) -> Follower:
        return Follower(self.database, WorkLeases(self.database), encode, "words", now=self.clock, **options)

    async def _tell(self, groups: Sequence[str], kind: str, by: Agent) -> None:
        self.told.append((list(groups), kind, by.name))

    async def turn(self, text: str, contact: str = "ann", handoff: str | None = None, **traced: Any) -> str:
        """A contact says something and the bot answers; returns the conversation's id."""
        receipt = await self.desk.conversations.receive(inbound(text, contact))
        for claim in await self.desk.conversations.claim_turns(20):
            result = TurnResult((Reply("well", handoff=handoff),), trace(**traced))
            await self.desk.conversations.commit_turn(claim, result, self.clock(), go_on=False)
        return receipt.conversation_id

    async def misses(self, *texts: str, contact: str = "ann") -> None:
        """The bot has nothing to say to these, and the inbox has read so."""
        for text in texts:
            await self.turn(text, contact, **MISSED)
        await self.follower.catch_up()

    async def rated(self, conversation_id: str, score: int | None, contact: str = "ann", **more: Any) -> None:
        """An agent ends the conversation and the contact says what they think of it."""
        await self.desk.conversations.resolve(conversation_id, LIN)
        await self.desk.conversations.rate(address(contact), conversation_id, score, **more)

    async def groups(self, state: str = "new", sort: str = "frequent", **filters: Any) -> list[Group]:
        if "reasons" in filters:
            filters["reasons"] = reasons_of(filters["reasons"])
        listed, _ = await self.inbox.groups(Filters(state=state, **filters), sort)
        return [group for group, _ in listed]

    async def texts(self, state: str = "new") -> list[list[str]]:
        """What is in the groups of a state, each group sorted."""
        found = []
        for group in await self.groups(state):
            found.append(
                sorted(one.text for one in (await self.inbox.look(group.id)).messages if one.item.state == state)
            )
        return sorted(found)

    async def reasons(self) -> dict[str, list[str]]:
        """By message, why it is in the inbox."""
        found = {}
        for state in ("new", "done", "ignored"):
            for group in await self.groups(state):
                for one in (await self.inbox.look(group.id)).messages:
                    found[one.text] = names_of(one.item.reasons)
        return found


def wish(group: Group, kind: str, *lines: str, intent: str | None = None, **more: Any) -> Wish:
    """A decision about a whole group as it was seen."""
    more.setdefault("upto", group.upto)
    listed = tuple(Line("en", line) for line in lines)
    return Wish(group.id, group.revision, kind, intent=intent, lines=listed, **more)
