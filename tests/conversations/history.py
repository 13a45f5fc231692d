"""What must hold over the whole history of a desk once everything has come to rest."""

from __future__ import annotations

import json
from collections import Counter
from itertools import pairwise
from typing import Any

from sqlalchemy import select

from conversations import notices
from conversations.audit_store import AuditStore
from conversations.model import Author, Conversation, Message, MessageKind, Status
from conversations.tables import conversations, inbox, turns
from tests.conversations.builders import TestDesk


class History:
    """Everything that happened at a desk, read from its database."""

    def __init__(self, desk: TestDesk) -> None:
        self._desk = desk

    async def conversations(self) -> list[Conversation]:
        desk = self._desk.conversations
        pages = [await desk.list_conversations(view, limit=500) for view in ("all", "resolved")]
        return [conversation for page in pages for conversation in page.items]

    async def waiting_for_the_bot(self, *statuses: Status) -> list[str]:
        """Conversations in one of the statuses with a message the bot would still answer."""
        query = (
            select(inbox.c.conversation_id)
            .join(conversations, conversations.c.id == inbox.c.conversation_id)
            .where(conversations.c.status.in_([status.value for status in statuses]))
            .where(inbox.c.state.in_(("new", "running")))
        )
        async with self._desk.database.read() as connection:
            return list((await connection.execute(query)).scalars())

    async def nothing_is_lost_or_answered_twice(self, acknowledged: dict[str, tuple[str, str]]) -> None:  # promise 8
        async with self._desk.database.read() as connection:
            rows = (await connection.execute(select(inbox))).all()
            turn_ids = (await connection.execute(select(turns.c.turn_id))).scalars().all()
        stored = {row.external_id: (row.conversation_id, row.message_id) for row in rows}
        assert stored == acknowledged
        assert {row.state for row in rows} <= {"done", "dead"}
        assert len(turn_ids) == len(set(turn_ids))
        for conversation in await self.conversations():
            messages = await self._desk.conversations.messages(conversation.id, 0, 10_000)
            assert [message.seq for message in messages] == list(range(1, conversation.last_seq + 1))
            answered = [m.turn_id for m in messages if m.author is Author.BOT]
            assert max(Counter(answered).values(), default=1) == 1
            of_contact = {m.id: m.seq for m in messages if m.author is Author.CONTACT}
            order = [of_contact[turn_id] for turn_id in answered if turn_id is not None]
            assert order == sorted(order)

    async def handoffs_and_ratings_are_told(self) -> None:
        async with self._desk.database.read() as connection:
            bodies = [json.loads(row.body) async for row in AuditStore(connection).entries()]
        for conversation in await self.conversations():
            story = [body for body in bodies if body["conversation_id"] == conversation.id]
            moves = [body["data"] for body in story if body["kind"] == "status"]
            messages = await self._desk.conversations.messages(conversation.id, 0, 10_000)
            queued = [m for m in moves if m["to"] == "queued" and m["why"] not in ("taken_over", "separated")]
            leave = notices.notice("leave_queue", "en")
            told = [m for m in messages if any(button.title == leave for button in m.buttons)]
            assert len(told) == len(queued)  # promise 1
            assert all("person" in m.text or "line" in m.text or "ahead" in m.text or "offline" in m.text for m in told)
            by_bot = [m for m in queued if m["why"] in ("asked_for_person", "dialogue_failed")]
            turns_of = [body["data"]["turn_id"] for body in story if body["kind"] == "turn"]
            assert len(by_bot) <= len(set(turns_of)) == len(turns_of)  # promise 3
            requests = [m for m in messages if m.kind is MessageKind.RATING_REQUEST]
            over = conversation.status is Status.RESOLVED and conversation.resolved_by != "merged"
            assert len(requests) == over  # promise 9
            await self._episodes_are_whole(conversation, story)
            the_bot_is_quiet(messages)

    async def _episodes_are_whole(self, conversation: Conversation, story: list[dict[str, Any]]) -> None:
        """They alternate without gaps, each rating is one answer, and a resolution counts once."""
        found = await self._desk.conversations.episodes(conversation.id)
        assert [one.number for one in found] == list(range(1, len(found) + 1))
        assert all(one.kind is not after.kind for one, after in pairwise(found))
        assert all(one.ended_at == after.started_at for one, after in pairwise(found))
        over = conversation.status is Status.RESOLVED
        assert [one.ended_at is None for one in found] == [False] * (len(found) - 1) + [not over]
        counted = [one.resolution for one in found if one.resolution is not None]
        assert len(counted) <= over  # verified, refuted or assumed: exactly one of them
        assert (len(counted) == 1) == (found[-1].ended_by == "resolved")
        answers = [body["data"]["episode"] for body in story if body["kind"] == "rated"]
        assert sorted(answers) == [one.number for one in found if one.rating is not None]
        assert all(one.asked_at is not None for one in found if one.rating is not None)

    async def deliveries_are_in_order(self, delivered: dict[str, list[tuple[str, int]]]) -> None:
        for conversation in await self.conversations():
            visible = [
                message.seq
                for message in await self._desk.conversations.messages(conversation.id, 0, 10_000)
                if not message.private and message.author is not Author.CONTACT and message.recalled_at is None
            ]
            sent = [seq for found, seq in delivered.get(str(conversation.address), []) if found == conversation.id]
            assert sent == visible


def the_bot_is_quiet(messages: list[Message]) -> None:  # promise 2
    """Between "has joined" and the end of an assignment the bot says nothing."""
    with_people = False
    for message in messages:
        if message.author is Author.SYSTEM and "has joined" in message.text:
            with_people = True
        elif message.author is Author.SYSTEM and ("The bot is back" in message.text or "you're out of" in message.text):
            with_people = False
        assert not (with_people and message.author is Author.BOT)
