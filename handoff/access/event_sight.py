"""Which news reach which console: those of conversations and contacts that its member sees, looked up once for all."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from typing import Any

from conversations.conversations import Conversations
from conversations.sight import EVERYTHING, Facts, Scope, Sight

Event = dict[str, Any]
#: News of the desk itself, which name neither a conversation nor a contact.
OPEN = frozenset({"presence", "label", "alert"})
_REMEMBERED = 5000
_EVENTS = 256

_Pair = tuple[Facts | None, Facts | None]


class EventSight:
    """What decided about the conversations that news were about, now and the last time."""

    def __init__(self, conversations: Conversations) -> None:
        self._conversations = conversations
        self._last: OrderedDict[str, Facts] = OrderedDict()
        self._looked_up: OrderedDict[int, tuple[Event, asyncio.Task[_Pair]]] = OrderedDict()

    async def shown(self, sight: Sight, event: Event) -> Event | None:
        """The news as this member may have it, or None. What names nothing and is not ``OPEN`` is for nobody narrowed.

        Who could see a conversation and no longer does is told that it is gone; a colleague who went where a member
        does not see has gone nowhere.
        """
        if sight.scope is Scope.EVERYTHING or event["type"] in OPEN:
            return event
        conversation_id = event.get("conversation_id") or event.get("conversation", {}).get("id")
        if conversation_id is not None:
            before, now = await self._facts(event, conversation_id)
            if now is not None and sight.shows(now):
                return event
            if event["type"] == "viewing":
                return event | {"conversation_id": None}
            if event["type"] == "conversation" and before is not None and sight.shows(before):
                return {"type": "gone", "conversation_id": conversation_id}
            return None
        if event["type"] == "viewing":
            return event
        contact_id = event.get("contact_id")
        if contact_id is not None and await self._conversations.seen_contacts(sight, (contact_id,)):
            return event
        return None

    async def sees(self, sight: Sight, conversation_id: str) -> bool:
        """Whether a member sees a conversation that they name themselves."""
        if sight is EVERYTHING:
            return True
        return bool(await self._conversations.seen(sight, (conversation_id,)))

    async def _facts(self, event: Event, conversation_id: str) -> _Pair:
        kept = self._looked_up.get(id(event))
        if kept is None or kept[0] is not event:  # the kept event cannot have given its id to another one
            task = asyncio.create_task(self._look_up(conversation_id, event["type"] == "conversation"))
            kept = self._looked_up[id(event)] = (event, task)
            if len(self._looked_up) > _EVENTS:
                self._looked_up.popitem(last=False)
        return await asyncio.shield(kept[1])  # a console that closes takes nothing from the others

    async def _look_up(self, conversation_id: str, moved: bool) -> _Pair:
        """Only news of its state move what is remembered: of other news of the same change nobody learns that it left."""
        before = self._last.get(conversation_id)
        now = await self._conversations.facts_of(conversation_id)
        if now is not None and (moved or before is None):
            self._last[conversation_id] = now
            self._last.move_to_end(conversation_id)
            if len(self._last) > _REMEMBERED:
                self._last.popitem(last=False)
        return before, now
