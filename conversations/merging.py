"""Duplicate conversations of one contact: one goes on in the other, and that can be taken back for a while.

A merged conversation keeps its own messages and address: staff read them in the target's thread, the contact keeps
their own transcript. While people have the target, what the contact still writes at the merged address is shown there
too, and the contact is told where the answer comes; afterwards it opens a new conversation as always.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from conversations import notices, organising
from conversations.change import PREVIEW_LENGTH, Change
from conversations.conversation_store import ConversationStore
from conversations.duplicate_store import Duplicate, DuplicateStore
from conversations.errors import AlreadyMerged, InvalidMessage, NotAssigned
from conversations.model import Agent, Author, Conversation, Merge, Message, Status, new_id
from conversations.organising_store import OrganisingStore
from conversations.sight import EVERYTHING, Sight
from conversations.verbs import Verbs

UNDO_WITHIN = timedelta(minutes=30)
TELL_AGAIN_AFTER = timedelta(hours=1)
MAX_CHAIN = 8
_WITH_PEOPLE = (Status.QUEUED, Status.ASSIGNED)


@dataclass(frozen=True, slots=True)
class MergedThread:
    """A conversation that goes on in another one, with who merged it and until when that can be undone."""

    conversation: Conversation
    merge: Merge
    undo_until: datetime


class Merging(Verbs):
    """The merging part of ``Conversations``."""

    _publish: Callable[[Change], Awaitable[None]]

    async def merge(self, source_id: str, target_id: str, agent: Agent, *, oversees: bool = False) -> Conversation:
        """Let one conversation go on in another and return the target.

        The target must be with people; an agent must hold whatever of the two is assigned, unless they oversee.
        Raises ``AlreadyMerged`` when a colleague was quicker.
        """
        if source_id == target_id:
            raise InvalidMessage("a conversation cannot be merged into itself; choose another one")
        async with self._pair(source_id, target_id) as (source, target):
            if source.conversation.merged_into is not None:
                raise AlreadyMerged("this conversation has been merged already; reload it")
            if target.conversation.merged_into is not None:
                raise AlreadyMerged("the other conversation has itself been merged; open where it goes on")
            if target.conversation.status not in _WITH_PEOPLE:
                raise InvalidMessage("merge into a conversation that is waiting or with an agent, not with the bot")
            for side in (source.conversation, target.conversation):
                _may_move(side, agent, oversees)
            if await OrganisingStore(target.connection).merges_into([source_id]) and await self._deep(source_id):
                raise InvalidMessage("too many conversations have been merged into each other already")
            await _merge(source, target, agent)
        return target.conversation

    async def undo_merge(self, source_id: str, agent: Agent, *, oversees: bool = False) -> Conversation:
        """Separate a merged conversation again, within ``UNDO_WITHIN``; one that was open goes on where it was."""
        async with self.database.read() as connection:
            known = await OrganisingStore(connection).find_merge(source_id)
        if known is None:
            raise AlreadyMerged("this conversation is not merged any more; reload it")
        async with self._pair(source_id, known.target_id) as (source, target):
            merge = await OrganisingStore(source.connection).find_merge(source_id)
            if merge is None or merge.id != known.id:
                raise AlreadyMerged("a colleague has separated it already; reload it")
            if self.now() > merge.at + UNDO_WITHIN:
                minutes = round(UNDO_WITHIN.total_seconds() / 60)
                raise InvalidMessage(f"a merge can be undone for {minutes} minutes; it is too late now")
            if merge.by_id != agent.id and not oversees:
                raise NotAssigned(f"{merge.by_name} merged this; ask them or a supervisor to undo it")
            await _undo(source, target, merge, agent)
        return source.conversation

    async def merged_threads(self, conversation_id: str) -> list[MergedThread]:
        """The conversations that go on in this one, directly or through others, oldest first."""
        threads: list[MergedThread] = []
        wanted = [conversation_id]
        async with self.database.read() as connection:
            for _ in range(MAX_CHAIN):
                found = await OrganisingStore(connection).merges_into(wanted)
                for merge in found:
                    source = await self._read(connection, merge.source_id)
                    threads.append(MergedThread(source, merge, merge.at + UNDO_WITHIN))
                wanted = [merge.source_id for merge in found]
                if not wanted:
                    break
        return sorted(threads, key=lambda thread: thread.conversation.opened_at)

    async def likely_duplicates(
        self, conversation_id: str, reached_at: tuple[str, ...] = (), sight: Sight = EVERYTHING
    ) -> list[Duplicate]:
        """Conversations that may be with the same person, likeliest first; ``reached_at`` are their phone and e-mail."""
        conversation = await self.get_conversation(conversation_id)
        async with self.database.read() as connection:
            return await DuplicateStore(connection).likely(conversation, reached_at, self.now(), sight)

    async def _deep(self, conversation_id: str) -> bool:
        return len(await self.merged_threads(conversation_id)) >= MAX_CHAIN

    async def _read(self, connection: Any, conversation_id: str) -> Conversation:
        return (await ConversationStore(connection).find(conversation_id)).conversation

    @asynccontextmanager
    async def _pair(self, source_id: str, target_id: str) -> AsyncIterator[tuple[Change, Change]]:
        """Both conversations, locked in the order in which arriving messages lock them."""
        made: list[Change] = []
        async with self.database.write(news=lambda: self.publish(*made)) as connection:
            await OrganisingStore(connection).lock_merging()
            made += [await Change.of(self._desk, connection, one) for one in (source_id, target_id)]
            source, target = made
            yield source, target
            await source.save()
            await target.save()


def _may_move(conversation: Conversation, agent: Agent, oversees: bool) -> None:
    held = conversation.status is Status.ASSIGNED
    if held and conversation.agent_id != agent.id and not oversees:
        raise NotAssigned(f"{conversation.agent_name} has one of the conversations; ask them to merge it")


async def _merge(source: Change, target: Change, agent: Agent) -> None:
    was = source.conversation
    actor = f"agent:{agent.id}"
    open_before = was.status is not Status.RESOLVED
    before = {
        "status": was.status.value,
        "agent_id": was.agent_id,
        "agent_name": was.agent_name,
        "resolved_at": was.resolved_at.isoformat() if was.resolved_at else None,
        "resolved_by": was.resolved_by,
        "waiting_since": _written(was.waiting_since),
        "target_waiting_since": _written(target.conversation.waiting_since),
        "target_queued_at": _written(target.conversation.queued_at),
    }
    if open_before:
        await source.hand_to_people()
        source.move(Status.RESOLVED, actor, "merged", resolved_at=source.now, resolved_by="merged", priority=0)
    source.set(merged_into=target.conversation.id, updated_at=source.now)
    told = open_before and was.reached_at != target.conversation.reached_at
    if told:
        _tell_where(source, target.conversation)
    source.record("merged", actor, {"into": target.conversation.id})
    queued_at = target.conversation.queued_at
    if was.status is Status.QUEUED and target.conversation.status is Status.QUEUED and was.queued_at and queued_at:
        target.set(queued_at=min(was.queued_at, queued_at))  # whoever waited longer keeps their place
    if was.waiting_since is not None and was.snoozed_until is None and target.conversation.snoozed_until is not None:
        organising.wake(target, "contact")  # who waits is not put aside with it
    if was.waiting_since is not None:
        since = target.conversation.waiting_since
        target.set(waiting_since=was.waiting_since if since is None else min(since, was.waiting_since))
    if was.label_ids:
        await _add_labels(target, was.label_ids)
    target.set(updated_at=target.now)
    target.record("merged", actor, {"from": was.id})
    merge = Merge(
        new_id(), was.id, target.conversation.id, agent.id, agent.name, source.now, before, source.now if told else None
    )
    await OrganisingStore(source.connection).add_merge(merge)


async def _add_labels(target: Change, label_ids: tuple[str, ...]) -> None:
    after = tuple(dict.fromkeys((*target.conversation.label_ids, *label_ids)))[:20]
    if after != target.conversation.label_ids:
        target.set(label_ids=after)
        await OrganisingStore(target.connection).set_labels(target.conversation.id, after, target.now)


async def _undo(source: Change, target: Change, merge: Merge, agent: Agent) -> None:
    actor = f"agent:{agent.id}"
    await OrganisingStore(source.connection).end_merge(merge.id, source.now)
    source.set(merged_into=None, updated_at=source.now)
    status = Status(merge.before["status"])
    latest = await source.store.lock_latest(source.conversation.address)
    goes_on = latest is not None and latest.conversation.id == source.conversation.id
    if status is not Status.RESOLVED and goes_on:
        source.set(resolved_at=None, resolved_by=None, waiting_since=await _still_waits(source, merge))
        source.notice("merge_undone")
        if status is Status.QUEUED:
            await source.queue(actor, "merge_undone", text="requeued", priority=1)
        else:
            source.move(Status.QUEUED, actor, "separated", queued_at=source.now)
        if status is Status.ASSIGNED:
            holder = {"agent_id": merge.before["agent_id"], "agent_name": merge.before["agent_name"]}
            source.move(Status.ASSIGNED, actor, "separated", assigned_at=source.now, priority=0, **holder)
        elif status is Status.BOT:
            source.move(Status.BOT, actor, "separated", queued_at=None, handoff_reason=None, priority=0)
    source.record("merge_undone", actor, {"from": target.conversation.id})
    await _own_again(target, merge)
    target.set(updated_at=target.now)
    target.record("merge_undone", actor, {"of": source.conversation.id})


async def _still_waits(source: Change, merge: Merge) -> datetime | None:
    """Since when the contact of a conversation that was merged waits: since before, or since they wrote on."""
    since = _read(merge.before.get("waiting_since"))
    said = await source.store.last_said(source.conversation.id)
    wrote_on = said is not None and said.author is Author.CONTACT and said.created_at >= merge.at
    return since or (said.created_at if said is not None and wrote_on else None)


async def _own_again(target: Change, merge: Merge) -> None:
    """Take out of the target what came from the other conversation: its words in the list, its wait, its place."""
    conversation = target.conversation
    said = await target.store.last_said(conversation.id)
    words = (said.text or " ".join(file.name for file in said.attachments)) if said is not None else ""
    target.set(preview=words[:PREVIEW_LENGTH], preview_author=said.author.value if said is not None else None)
    if conversation.status not in _WITH_PEOPLE or "target_waiting_since" not in merge.before:
        return
    own, waits = _read(merge.before["target_waiting_since"]), conversation.waiting_since
    if said is not None and said.created_at >= merge.at:
        spoke = said.created_at if said.author is Author.CONTACT else None
        own = own if spoke is not None and own is not None and waits is not None and waits <= own else spoke
    target.set(waiting_since=own)
    queued_at = _read(merge.before.get("target_queued_at"))
    if conversation.status is Status.QUEUED and queued_at is not None and conversation.queued_at is not None:
        target.set(queued_at=max(queued_at, conversation.queued_at))


def _written(moment: datetime | None) -> str | None:
    return moment.isoformat() if moment is not None else None


def _read(moment: str | None) -> datetime | None:
    return datetime.fromisoformat(moment) if moment is not None else None


def _tell_where(source: Change, target: Conversation) -> Message:
    language = source.conversation.language
    if source.conversation.reached_at.channel == target.reached_at.channel:
        return source.notice("merged_same")
    return source.notice("merged", channel=notices.channel_name(target.reached_at.channel, language))


async def follow(source: Change, now: datetime) -> Change | None:
    """Where a resolved conversation goes on, locked, if people have it now."""
    following = source.conversation
    target: Change | None = None
    for _ in range(MAX_CHAIN):
        if following.merged_into is None:
            break
        locked = await source.store.lock(following.merged_into)
        target = Change(source.desk, source.connection, max(now, locked.conversation.updated_at), locked)
        following = target.conversation
    return target if target is not None and following.status in _WITH_PEOPLE else None


async def show_in_target(source: Change, target: Change, message: Message) -> None:
    """Let the target's holder see that the contact wrote at the merged address, and tell the contact who answers where."""
    target.set(
        updated_at=target.now,
        waiting_since=target.conversation.waiting_since or target.now,
        preview=message.text[:120],
        preview_author=message.author.value,
    )
    target.record("shown", "contact", {"from": message.conversation_id, "seq": message.seq})
    source.record("shown", "contact", {"seq": message.seq}, {"text": message.text})  # sealed for whose words they are
    store = OrganisingStore(source.connection)
    merge = await store.find_merge(source.conversation.id)
    same = source.conversation.reached_at == target.conversation.reached_at
    if merge is None or same or (merge.told_at is not None and source.now - merge.told_at < TELL_AGAIN_AFTER):
        return
    _tell_where(source, target.conversation)
    await store.note_told(merge.id, source.now)
