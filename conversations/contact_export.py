"""Everything the desk knows of one contact, as files that a person and a program can read."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection

from conversations.audit import AuditLog
from conversations.audit_store import AuditStore
from conversations.contact_store import ContactStore
from conversations.episode_store import EpisodeStore
from conversations.errors import NotFound
from conversations.json_form import conversation_json, episode_json, message_json, trace_json
from conversations.model import Attachment, Conversation
from conversations.reading_store import ReadingStore
from conversations.store import Database

#: Tells by contact ids what another room knows of them: file names and what can be written as JSON.
CopiesToo = Callable[[AsyncConnection, Sequence[str]], Awaitable[Mapping[str, Any]]]
_PAGE = 200
_MOST_CONVERSATIONS = 100_000


async def exported(
    database: Database, audit: AuditLog, contact_id: str, copies_too: Sequence[CopiesToo] = ()
) -> AsyncIterator[tuple[str, bytes | Attachment]]:
    """Names and contents, conversation after conversation; a file that was sent is its ``Attachment``.

    Those of contacts merged into it belong to it. Raises ``NotFound``.
    """
    async with database.read() as connection:
        store = ContactStore(connection)
        family = await store.family_of(await store.root_of(contact_id))
        profiles = [await store.get(one) for one in family]
        if not profiles:
            raise NotFound("there is no such contact")
        whole = [
            one
            for each in family
            for one in await ReadingStore(connection).conversations_of_contact(each, _MOST_CONVERSATIONS)
        ]
        log = [entry async for entry in _audit_of(connection, audit, set(family), {one.id for one in whole})]
        told = [await copy(connection, family) for copy in copies_too]
    yield "contact.json", _json([asdict(profile) for profile in profiles])
    yield "audit.json", _json(log)
    for files_of_another in told:
        for name, known in files_of_another.items():
            yield name, _json(known)
    for conversation in whole:
        said, files = await _said_in(database, conversation)
        yield f"conversations/{conversation.opened_at:%Y-%m-%d}-{conversation.id}.json", said
        for file in files:
            yield f"files/{file.id}-{file.name}", file


async def _said_in(database: Database, conversation: Conversation) -> tuple[bytes, list[Attachment]]:
    messages: list[dict[str, Any]] = []
    files: list[Attachment] = []
    async with database.read() as connection:
        reading = ReadingStore(connection)
        after = 0
        while page := await reading.messages(conversation.id, after, _PAGE):
            messages += [message_json(message) for message in page]
            files += [file for message in page for file in message.attachments]
            after = page[-1].seq
        traces = [trace_json(trace) for trace in await reading.traces(conversation.id)]
        episodes = [episode_json(one) for one in await EpisodeStore(connection).of_conversation(conversation.id)]
    form = {
        "conversation": conversation_json(conversation), "messages": messages, "ratings": episodes, "bot_turns": traces
    }  # fmt: skip
    return _json(form), files


async def _audit_of(
    connection: Any, audit: AuditLog, contacts: set[str], conversations: set[str]
) -> AsyncIterator[dict[str, Any]]:
    """The entries about the contact, whose personal part only this contact's key opens."""
    store = AuditStore(connection)
    for conversation_id in sorted(conversations):
        async for row in store.entries(conversation_id=conversation_id):
            yield await audit.open_entry(connection, row.body)
    async for row in store.entries_about(contacts):
        yield await audit.open_entry(connection, row.body)


def _json(value: Any) -> bytes:
    def plain(one: object) -> str:
        return one.isoformat() if isinstance(one, datetime) else str(one)

    return json.dumps(value, ensure_ascii=False, indent=1, default=plain).encode()
