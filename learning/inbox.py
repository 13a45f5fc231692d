"""The trainers' inbox: what went wrong, in groups, and what trainers decide about it.

Every decision names the revision of the group that its trainer looked at, so two trainers never overwrite each other. One
that goes into the book of examples is begun in the database, made in the book and then finished; what a process that died
left in between is finished, or dropped, by whoever comes next (``mend``).
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

import structlog

from conversations.model import Agent, new_id, utc_now
from conversations.search_store import SearchFilter, SearchStore
from conversations.segmenting import parse
from conversations.sight import EVERYTHING, Scope, Sight
from conversations.store import Database
from learning.changes import OUT_OF_SCOPE, Add, Change, Edit, ExampleRefused, MadeIntent, NewIntent
from learning.decision_store import Decision, DecisionStore
from learning.example_book import ExampleBook
from learning.following import Encode
from learning.inbox_list_store import SORTS, STATES, Filters, Gap, Group, Item
from learning.inbox_sight_store import inbox_list, seen_messages
from learning.inbox_store import InboxStore
from learning.intent_file import check_intent

TEACHING = ("assign", "new_intent", "out_of_scope")
STATE_CHANGES = ("done", "ignored", "new")
KINDS = (*TEACHING, "gap", *STATE_CHANGES)
MOST_ITEMS = 500  #: of a group that are shown
MOST_GAPS = 1000
_MEND_AFTER = timedelta(seconds=60)
_MOST_ALIKE = 200
SIMILAR_FROM = 0.35  #: cosine between what is searched for and a group's centre
log = structlog.get_logger()

#: Told what was done: the ids of the groups, the kind, and who did it.
Tell = Callable[[Sequence[str], str, Agent], Awaitable[None]]


class InboxRefused(Exception):
    """A decision that was not made; ``code`` is one of not_found, changed, merged, busy, decided, undone, no_book,
    bad_intent, no_examples, nothing or the book's own, and ``detail`` says what the others did meanwhile."""

    def __init__(self, code: str, message: str, detail: Mapping[str, Any] | None = None) -> None:
        super().__init__(message)
        self.code = code
        self.detail = dict(detail or {})


@dataclass(frozen=True, slots=True)
class Line:
    """A line that a trainer wants in the book."""

    language: str
    text: str


@dataclass(frozen=True, slots=True)
class Wish:
    """What a trainer decides about a group, or about some of its messages, as they saw it."""

    group_id: str
    revision: int
    kind: str
    upto: int | None = None  #: messages that came later are not meant
    message_ids: tuple[str, ...] | None = None  #: None: all of them
    intent: str | None = None
    lines: tuple[Line, ...] = ()
    made: MadeIntent | None = None  #: of a new intent: what it is called, and what the bot does


@dataclass(frozen=True, slots=True)
class Shown:
    """A message with its words."""

    item: Item
    text: str


@dataclass(frozen=True, slots=True)
class Seen:
    """A group as a trainer opens it."""

    group: Group
    messages: list[Shown]
    decisions: list[Decision]


async def _nobody_listens(_groups: Sequence[str], _kind: str, _by: Agent) -> None:
    return None


class Inbox:
    """The inbox of one service process."""

    def __init__(
        self,
        database: Database,
        encode: Encode,
        book: ExampleBook | None = None,
        *,
        tell: Tell = _nobody_listens,
        now: Callable[[], datetime] = utc_now,
    ) -> None:
        """Without a ``book`` nothing can be assigned: groups are only looked at, done, ignored or sent to knowledge."""
        self.database = database
        self.book = book
        self._encode = encode
        self._tell = tell
        self._now = now

    # -- looking ------------------------------------------------------------------------------------------------

    async def groups(
        self,
        filters: Filters,
        sort: str = "frequent",
        limit: int = 50,
        offset: int = 0,
        sight: Sight = EVERYTHING,
    ) -> tuple[list[tuple[Group, str]], int]:
        """A page of groups, each with the words of the message that stands for it, and how many there are."""
        assert sort in SORTS
        assert filters.state in STATES
        async with self.database.read() as connection:
            listed, total = await inbox_list(connection, sight).groups(filters, sort, limit, offset)
            texts = await InboxStore(connection).texts([one.medoid for one in listed])
        return [(one, texts.get(one.medoid, "")) for one in listed], total

    async def like(self, text: str, sight: Sight = EVERYTHING) -> list[str]:
        """The ids of groups with messages that hold this text, then of those that mean something like it."""
        vectors, search = await asyncio.to_thread(self._encode, [text]), parse(text)
        async with self.database.read() as connection:
            store, holding = InboxStore(connection), list[str]()
            if search.asks:
                wanted = SearchFilter(author="contact", sight=sight)
                said = await SearchStore(connection).find_messages(search, wanted, MOST_ITEMS)
                holding = await store.groups_with([one.id for one in said])
            centres, _ = await store.centres()
        near = centres.near(vectors[0], SIMILAR_FROM)
        alike = sorted(near, key=lambda group_id: -near[group_id])[:_MOST_ALIKE]
        return list(dict.fromkeys([*holding, *alike]))

    async def counts(self, sight: Sight = EVERYTHING) -> dict[str, int]:
        """How many groups are in each state, and how many gaps there are."""
        async with self.database.read() as connection:
            store = inbox_list(connection, sight)
            return await store.counts() | {"gaps": len(await store.gaps(MOST_GAPS))}

    async def channels(self, sight: Sight = EVERYTHING) -> list[str]:
        """The channels to choose from."""
        async with self.database.read() as connection:
            return await inbox_list(connection, sight).channels()

    async def look(self, group_id: str, sight: Sight = EVERYTHING) -> Seen:
        """A group with its messages; raises ``InboxRefused`` where there is none."""
        async with self.database.read() as connection:
            store = inbox_list(connection, sight)
            group = await store.find_group(group_id)
            if group is None:
                raise InboxRefused("not_found", "There is no such group. It may have been erased; reload the list.")
            items = await store.items(group.id, MOST_ITEMS)
            texts = await InboxStore(connection).texts([one.message_id for one in items])
            decisions = await DecisionStore(connection).of_group(group.id, 50)
            if sight.scope is not Scope.EVERYTHING:
                known = await seen_messages(connection, sight, group.id)
                decisions = [kept for one in decisions if (kept := one.about(known)).before]
        shown = [Shown(one, texts[one.message_id]) for one in items if one.message_id in texts]
        return Seen(group, shown, decisions)

    async def gaps(self, sight: Sight = EVERYTHING) -> list[tuple[Gap, list[str]]]:
        """What the knowledge base was found not to know, with what was asked."""
        async with self.database.read() as connection:
            listed = await inbox_list(connection, sight).gaps(MOST_GAPS)
            texts = await InboxStore(connection).texts([one for gap in listed for one in gap.message_ids])
        found = []
        for gap in listed:
            asked = list(dict.fromkeys(texts[one] for one in gap.message_ids if one in texts))
            if asked:
                found.append((gap, asked))
        return found

    # -- deciding -----------------------------------------------------------------------------------------------

    async def decide(self, wish: Wish, by: Agent) -> Decision:
        """Make a decision as a whole or raise ``InboxRefused``."""
        book = await self._book_for(wish)
        begun = await self._begin(wish, by, book is not None)
        edit: Edit | None = None
        if book is not None:
            try:
                edit = await book.apply(_changes(wish), by, self._why(begun))
            except ExampleRefused as refused:
                await self._drop(begun)
                raise _of_book(refused) from refused
            except BaseException:
                await self._drop(begun)
                raise
        made = await self._finish(begun, edit.id if edit is not None else None)
        await self._tell([made.group_id], made.kind, by)
        return made

    async def undo(self, decision_id: str, by: Agent) -> Decision:
        """Take a decision back: its examples leave the book and its messages get the state they had."""
        async with self.database.write() as connection:
            store = DecisionStore(connection)
            found = await store.find(decision_id)
            if found is None:
                raise InboxRefused("not_found", "There is no such decision. Reload the group.")
            if found.state == "undone":
                told = {"by": found.undone_by, "at": _at(found.undone_at)}
                raise InboxRefused("undone", f"{found.undone_by} has taken this back already.", told)
            if found.state != "made":
                raise InboxRefused("busy", "This decision is just being made. Try again in a moment.")
            there = list(await store.states_of(found.group_id, list(found.before), None))
            who = await store.decided_since(decision_id, there)
            if who is not None:
                raise InboxRefused("decided", f"{who} has decided about these messages since.", {"by": who})
            await store.change(decision_id, state="undoing", at=self._now())
        if found.edit_id is not None:
            if self.book is None:
                await self._back_to_made(found)
                raise InboxRefused("no_book", "This desk has no examples to take something out of.")
            try:
                await self.book.undo(found.edit_id, by)
            except ExampleRefused as refused:
                await self._back_to_made(found)
                raise _of_book(refused) from refused
            except BaseException:
                await self._back_to_made(found)
                raise
        undone = await self._undone(found, by.name)
        await self._tell([found.group_id], "undone", by)
        return undone

    async def mend(self) -> int:
        """Finish what a process that died left between the database and the book; returns how many decisions."""
        async with self.database.read() as connection:
            left = await DecisionStore(connection).unfinished(self._now() - _MEND_AFTER)
        if not left:
            return 0
        edits = await self.book.history() if self.book is not None else []
        for one in left:
            if one.state == "begun":
                made = next((edit for edit in edits if edit.why == self._why(one)), None)
                needs_book = one.kind in TEACHING
                await (self._drop(one) if needs_book and made is None else self._finish(one, made.id if made else None))
            elif one.edit_id is None or any(edit.undoes == one.edit_id for edit in edits):
                await self._undone(one, one.by_name)
            else:
                await self._back_to_made(one)
            log.warning("decision_mended", decision_id=one.id, kind=one.kind, state=one.state)
        return len(left)

    # -- parts --------------------------------------------------------------------------------------------------

    async def _book_for(self, wish: Wish) -> ExampleBook | None:
        if wish.kind not in KINDS:
            raise InboxRefused("bad_kind", "This cannot be decided about messages.")
        if wish.kind not in TEACHING:
            return None
        book = self.book
        if book is None:
            raise InboxRefused("no_book", "This desk has no examples to add to.")
        if not wish.lines:
            raise InboxRefused("no_examples", "Choose at least one sentence that is to become an example.")
        if wish.kind == "out_of_scope":
            return book
        names = {one.name for one in await book.intents()}
        if wish.kind == "assign" and wish.intent not in names:
            raise InboxRefused("unknown_intent", f"There is no intent {wish.intent}. Reload the page.")
        if wish.kind == "new_intent":
            try:
                check_intent(_made(wish), names)
            except ExampleRefused as refused:
                raise _of_book(refused) from None
        return book

    def _why(self, decision: Decision) -> str:
        """What the book's history says; ``mend`` knows the decision by it."""
        return f"from the inbox ({decision.id[:12]})"

    async def _begin(self, wish: Wish, by: Agent, goes_on: bool) -> Decision:
        now = self._now()
        async with self.database.write() as connection:
            store = DecisionStore(connection)
            row = await store.lock_group(wish.group_id)
            if row is None:
                raise InboxRefused("not_found", "There is no such group any more. Reload the list.")
            if row.merged_into is not None:
                told = {"group_id": row.merged_into}
                raise InboxRefused("merged", "This group was joined to a similar one. Look at that one.", told)
            if row.revision != wish.revision:
                told = {"by": row.changed_by, "at": _at(row.changed_at), "change": row.change, "revision": row.revision}
                who = row.changed_by or "Somebody"
                raise InboxRefused("changed", f"{who} was quicker here. Look again before you decide.", told)
            states = await store.states_of(wish.group_id, wish.message_ids, wish.upto)
            if wish.kind in STATE_CHANGES:
                states = {one: state for one, state in states.items() if state != wish.kind}
            elif wish.message_ids is None:
                # What is new; where everything was decided before, all of it is decided anew.
                states = {one: state for one, state in states.items() if state == "new"} or states
            if not states:
                raise InboxRefused("nothing", "There is nothing left here to decide about. Look again.")
            decision = Decision(
                new_id(), wish.group_id, wish.kind,
                OUT_OF_SCOPE if wish.kind == "out_of_scope" else wish.intent if goes_on else None,
                len(dict.fromkeys(wish.lines)) if goes_on else 0, "begun", states, None, now, by.id, by.name,
            )  # fmt: skip
            await store.add(decision)
            await store.note_change(wish.group_id, wish.kind, by.name, now)
            if not goes_on:
                return await self._settle(store, decision, None)
        return decision

    async def _finish(self, begun: Decision, edit_id: str | None) -> Decision:
        if begun.state == "made":
            return begun
        async with self.database.write() as connection:
            return await self._settle(DecisionStore(connection), begun, edit_id)

    async def _settle(self, store: DecisionStore, begun: Decision, edit_id: str | None) -> Decision:
        now = self._now()
        # It may have been merged into another group, or erased, while the book was written.
        current = await store.find(begun.id)
        if current is None:
            return replace(begun, state="made", edit_id=edit_id)
        there = await store.states_of(current.group_id, list(begun.before), None)
        wanted = begun.kind if begun.kind in STATE_CHANGES else "done"
        await store.change(begun.id, state="made", edit_id=edit_id)
        if wanted == "done":
            await store.note_done(current.group_id, now)
        await store.set_states(current.group_id, dict.fromkeys(there, wanted), begun.id, begun.by_name, now)
        return replace(current, state="made", edit_id=edit_id)

    async def _drop(self, begun: Decision) -> None:
        async with self.database.write() as connection:
            await DecisionStore(connection).drop(begun.id)

    async def _back_to_made(self, found: Decision) -> None:
        async with self.database.write() as connection:
            await DecisionStore(connection).change(found.id, state="made")

    async def _undone(self, found: Decision, by_name: str) -> Decision:
        now = self._now()
        async with self.database.write() as connection:
            store = DecisionStore(connection)
            current = await store.find(found.id)
            if current is None:
                return replace(found, state="undone")
            there = await store.states_of(current.group_id, list(found.before), None)
            await store.change(found.id, state="undone", undone_at=now, undone_by=by_name)
            former = {one: found.before[one] for one in there}
            await store.set_states(current.group_id, former, None, by_name, now)
            await store.note_change(current.group_id, "undone", by_name, now)
        return replace(current, state="undone", undone_at=now, undone_by=by_name)


def _of_book(refused: ExampleRefused) -> InboxRefused:
    return InboxRefused(refused.code, refused.message, refused.detail)


def _made(wish: Wish) -> MadeIntent:
    """The intent of a wish for a new one; without more said, its questions go to the knowledge base."""
    name = wish.intent or ""
    title = name.replace("_", " ")
    return replace(wish.made, name=name) if wish.made is not None else MadeIntent(name, title, title, "knowledge")


def _changes(wish: Wish) -> list[Change]:
    intent = OUT_OF_SCOPE if wish.kind == "out_of_scope" else str(wish.intent)
    new: list[Change] = [NewIntent(_made(wish))] if wish.kind == "new_intent" else []
    return new + [Add(line.language, intent, line.text) for line in dict.fromkeys(wish.lines)]


def _at(moment: datetime | None) -> str | None:
    return None if moment is None else moment.isoformat()
