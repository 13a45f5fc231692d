"""What people do in the double's chats, and how it reaches the bot: pushed to the webhook, or fetched.

The push side follows the official server's WebhookActor: one queue for each chat, only its head is on the way; what is
not answered with 2xx goes again at once (or after ``Retry-After``), then after pauses that double up to 60 to 120 s,
until a day after it happened.
"""

from __future__ import annotations

import asyncio
import itertools
import json
import random
import time
from collections import defaultdict, deque
from dataclasses import dataclass, field
from typing import Any

import httpx

FIRST_PAUSE, LONGEST_PAUSE, LONGEST_ASKED, KEPT = 1.0, 60.0, 3600.0, 86_400.0


@dataclass
class Push:
    """An update on its way."""

    update: dict[str, Any]
    waited: float = 0.0  #: seconds of the double's clock
    answers: list[int] = field(default_factory=list)


class Updates:
    """Chats, what is said in them, and the way to the bot."""

    def __init__(self) -> None:
        self.chats: dict[int, dict[str, Any]] = {}
        self.kept: dict[tuple[int, int], dict[str, Any]] = {}  #: messages by chat and id
        self.presses: set[str] = set()
        self.webhook = ""
        self.secret = ""
        self.pace = 1000.0  #: how much quicker than real its clock is
        self.pushed: list[Push] = []
        self.dropped: list[Push] = []
        self._pending: dict[int, dict[str, Any]] = {}
        self._queues: dict[int, deque[Push]] = defaultdict(deque)
        self._drains: dict[int, asyncio.Task[None]] = {}
        self._update_ids, self._message_ids = itertools.count(500_000), itertools.count(1)
        self._press_ids = itertools.count(7_000_000_000)
        self._news = asyncio.Event()

    def person(self, number: int, name: str = "Ann", language: str | None = "en") -> dict[str, Any]:
        """Somebody who has opened the chat with the bot."""
        self.chats[number] = {"id": number, "type": "private", "first_name": name}
        user = {"id": number, "is_bot": False, "first_name": name}
        return user | ({"language_code": language} if language else {})

    def group(self, number: int) -> None:
        """A group that the bot is in."""
        self.chats[number] = {"id": number, "type": "supergroup", "title": "Friends of kites"}

    def says(self, user: dict[str, Any], text: str = "", chat: int | None = None, **more: Any) -> dict[str, Any]:
        """Somebody sends a message; returns the update, which goes its way."""
        content = {"text": text} if text else {}
        message = {
            "message_id": next(self._message_ids),
            "date": int(time.time()),
            "chat": self.chats[chat if chat is not None else user["id"]],
            "from": user,
        }
        return self.happens({"message": message | content | more})

    def presses_button(self, user: dict[str, Any], message: dict[str, Any], title: str) -> dict[str, Any]:
        """Somebody presses a button under a message of the bot."""
        rows = message["reply_markup"]["inline_keyboard"]
        [data] = [button["callback_data"] for row in rows for button in row if button["text"] == title]
        query_id = str(next(self._press_ids))
        self.presses.add(query_id)
        shown = {
            name: message[name] for name in ("message_id", "date", "chat", "text", "reply_markup") if name in message
        }
        query = {"id": query_id, "from": user, "message": shown, "chat_instance": "1", "data": data}
        return self.happens({"callback_query": query})

    def happens(self, event: dict[str, Any]) -> dict[str, Any]:
        """An event becomes an update."""
        update = {"update_id": next(self._update_ids)} | event
        self._pending[update["update_id"]] = update
        self._news.set()
        if self.webhook:
            self._push(update)
        return update

    def push_to(self, url: str, secret: str) -> None:
        """Push from now on, beginning with what waits."""
        self.webhook, self.secret = url, secret
        for update in list(self._pending.values()):
            self._push(update)

    async def keep(self) -> None:
        """Push no more."""
        self.webhook = ""
        await self.stop()
        self._queues.clear()

    async def waiting(self, offset: int, limit: int, seconds: float) -> list[dict[str, Any]]:
        """The updates from an id on; those before it are forgotten."""
        for number in [number for number in self._pending if number < offset]:
            del self._pending[number]
        self._news.clear()
        if not self._pending and seconds:
            try:
                async with asyncio.timeout(seconds / self.pace * 100):
                    await self._news.wait()
            except TimeoutError:
                return []
        return list(self._pending.values())[:limit]

    async def settled(self) -> None:
        """Everything pushed was acknowledged or dropped."""
        async with asyncio.timeout(20):
            while drains := list(self._drains.values()):
                await asyncio.wait(drains)

    async def stop(self) -> None:
        """Let nothing more go out."""
        for task in list(self._drains.values()):
            task.cancel()
        await asyncio.gather(*self._drains.values(), return_exceptions=True)
        self._drains.clear()

    def _push(self, update: dict[str, Any]) -> None:
        event = update.get("message") or update.get("callback_query", {}).get("message") or {}
        queue = event.get("chat", {}).get("id", 0) if "message" in update else update["update_id"]
        self._queues[queue].append(Push(update))
        if queue not in self._drains:
            task = asyncio.create_task(self._drain(queue))
            self._drains[queue] = task
            task.add_done_callback(lambda _: self._drains.pop(queue, None))

    async def _drain(self, queue: int) -> None:
        waiting = self._queues[queue]
        async with httpx.AsyncClient(timeout=20) as http:
            while waiting:
                push = waiting[0]
                await self._deliver(http, push)
                waiting.popleft()
                self._pending.pop(push.update["update_id"], None)

    async def _deliver(self, http: httpx.AsyncClient, push: Push) -> None:
        self.pushed.append(push)
        delay = FIRST_PAUSE
        while True:
            status, asked = await self._once(http, push.update)
            push.answers.append(status)
            if 200 <= status <= 299:
                return
            pause = min(asked, LONGEST_ASKED)
            if not asked and len(push.answers) > 1:
                delay = min(random.uniform(LONGEST_PAUSE, 2 * LONGEST_PAUSE), 2 * delay)
                pause = delay
            if push.waited + pause > KEPT:
                self.dropped.append(push)
                return
            push.waited += pause
            await asyncio.sleep(pause / self.pace)

    async def _once(self, http: httpx.AsyncClient, update: dict[str, Any]) -> tuple[int, float]:
        headers = {"content-type": "application/json"}
        if self.secret:
            headers["x-telegram-bot-api-secret-token"] = self.secret
        try:
            answer = await http.post(self.webhook, content=json.dumps(update).encode(), headers=headers)
        except httpx.HTTPError:
            return 0, 0.0
        return answer.status_code, float(answer.headers.get("retry-after", 0))
