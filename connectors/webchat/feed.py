"""What one visitor sees, in order and once: the transcript after a cursor, then everything that happens."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from connectors.desk import Desk, Event
from connectors.webchat.frames import Frame
from connectors.webchat.visitors import Visitors
from conversations.model import Address, Cursor, Message

_PAGE = 200


class Feed:
    """Turns announcements into frames without gap and duplicate.

    An announcement only counts when it is the very next message; anything else (a gap, another order, a new
    conversation) makes the feed read the transcript, which is always right.
    """

    def __init__(
        self, desk: Desk, visitors: Visitors, address: Address, after: Cursor | None, since: datetime | None = None
    ) -> None:
        self._desk = desk
        self._visitors = visitors
        self._address = address
        self.cursor = after
        self._since = since  #: what was taken back before it is known
        self._told: set[Cursor] = set()
        self._last: dict[str, int] = {} if after is None else {after.conversation_id: after.seq}

    async def catch_up(self) -> list[Frame]:
        """Everything after the cursor; the newest messages only when there is no cursor yet."""
        frames: list[Frame] = []
        while True:
            first = self.cursor is None
            messages = await self._desk.transcript(self._address, self.cursor, _PAGE)
            frames += [
                self._note(message) for message in messages if self._is_new(message.conversation_id, message.seq)
            ]
            if messages:
                self.cursor = Cursor(messages[-1].conversation_id, messages[-1].seq)
            if first or len(messages) < _PAGE:
                return frames

    async def take(self, event: Event) -> list[Frame]:
        """The frames an announcement leads to."""
        match event.get("type"):
            case "message":
                return await self._take_message(event["message"])
            case "look":
                return await self.catch_up()
            case "conversation":
                return [self._visitors.status_frame(event["conversation"])]
            case "status":
                return [event]
            case "recalled":
                return self._recall(Cursor(event["conversation_id"], event["seq"]))
            case "read" if event.get("by") != "contact":
                return [{"type": "read", "conversation_id": event["conversation_id"], "seq": event["seq"]}]
            case "typing" if event.get("author") != "contact":
                return [{"type": "typing", "conversation_id": event["conversation_id"], "author": event["author"]}]
        return []

    async def taken_back(self) -> list[Frame]:
        """What was taken back while nobody listened; a page that shows it takes it off."""
        recalled = await self._desk.recalled_since(self._address, self._since)
        return [frame for place in recalled for frame in self._recall(place)]

    def _recall(self, place: Cursor) -> list[Frame]:
        if place in self._told:
            return []
        self._told.add(place)
        return [{"type": "recalled", "conversation_id": place.conversation_id, "seq": place.seq}]

    async def _take_message(self, message: dict[str, Any]) -> list[Frame]:
        conversation_id, seq = message["conversation_id"], message["seq"]
        if not self._is_new(conversation_id, seq):
            return []
        frames: list[Frame] = []
        if self.cursor is None or seq != self._last.get(conversation_id, 0) + 1 or conversation_id not in self._last:
            frames = await self.catch_up()
        if self._is_new(conversation_id, seq):
            # The next message, or a late one of an earlier conversation, which the cursor has passed.
            self._last[conversation_id] = seq
            if self.cursor is None or self.cursor.conversation_id == conversation_id:
                self.cursor = Cursor(conversation_id, seq)
            frames.append({"type": "message", "message": self._visitors.with_links(message)})
        return frames

    def _is_new(self, conversation_id: str, seq: int) -> bool:
        return seq > self._last.get(conversation_id, 0)

    def _note(self, message: Message) -> Frame:
        self._last[message.conversation_id] = message.seq
        return self._visitors.message_frame(message, self._address)
