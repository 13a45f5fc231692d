"""Contacts who write through two channels, repeat what was not acknowledged, and remember what was."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import json
import time
from dataclasses import dataclass, field
from datetime import datetime

from connectors.standard_webhooks import Signatures, key_of
from tests.doubles.webhook_program import TO_DESK
from tests.faults.http import Connection

MESSAGES_PER_CONTACT = 60
_SIGNS = Signatures([key_of(TO_DESK)])


@dataclass(frozen=True)
class Acknowledged:
    """A message of which the desk said that it has it."""

    channel: str
    contact: str
    number: int  #: place among the contact's messages
    text: str


def token_of(contact: str) -> str:
    """What only this contact may ever read, and no log may hold."""
    return "tok" + hashlib.sha256(contact.encode()).hexdigest()[:12]


@dataclass
class Load:
    """Everything that was acknowledged over all injections of one run, by external id."""

    port: int
    key: str
    name: str = "a"
    acknowledged: dict[str, Acknowledged] = field(default_factory=dict)
    refused: int = 0  #: answers that were neither an acknowledgement nor a wish to be asked again
    unanswered: int = 0
    asked_to_wait: int = 0
    slowest: float = 0.0
    clock_offset: float = 0.0  #: of a desk whose clock was moved
    _contacts: int = 0
    _stop: bool = False

    def stop(self) -> None:
        """Send nothing new; what is being sent is repeated until it is acknowledged or the time is up."""
        self._stop = True

    async def write(
        self, messages: int, writers: int = 16, seconds: float = 120.0, *, hand_off: bool = True, patient: bool = True
    ) -> int:
        """Send so many messages, fewer if ``stop`` comes; returns how many were acknowledged."""
        before, self._stop = len(self.acknowledged), False
        self._left, self._until = messages, time.monotonic() + seconds
        await asyncio.gather(*(self._writer(number, hand_off, patient) for number in range(writers)))
        return len(self.acknowledged) - before

    async def _writer(self, number: int, hand_off: bool, patient: bool) -> None:
        connection = Connection(self.port)
        try:
            while self._left > 0 and not self._stop:
                self._contacts += 1
                contact = f"{self.name}{self._contacts}"
                channel = "rest" if number % 8 == 7 else "webhook"
                for place in range(MESSAGES_PER_CONTACT):
                    if self._left <= 0 or self._stop:
                        break
                    self._left -= 1
                    asks = hand_off and place == 5 and number % 2 == 0
                    words = "a person please" if asks else "hello"
                    text = f"#{place} {words} {token_of(contact)}"
                    if not await self._send(connection, channel, contact, place, text, patient):
                        return
        finally:
            connection.close()

    async def _send(
        self, connection: Connection, channel: str, contact: str, place: int, text: str, patient: bool
    ) -> bool:
        external_id = f"{contact}-{place}"
        form: dict[str, object] = {"contact": contact, "text": text, "name": f"Name {token_of(contact)}"}
        if channel == "webhook" and place % 20 == 10:
            content = base64.b64encode(f"a note {text}".encode()).decode()
            form["attachments"] = [{"name": "note.txt", "content": content}]
        body = json.dumps(form).encode()
        began = time.monotonic()
        while time.monotonic() < self._until:
            now = datetime.now().astimezone().timestamp() + self.clock_offset
            if channel == "rest":
                headers = {"authorization": f"Bearer {self.key}", "idempotency-key": external_id}
                answer = await connection.ask("POST", "/api/v1/messages", headers, body)
            else:
                headers = _SIGNS.headers(external_id, body, now)
                answer = await connection.ask("POST", "/webhooks/webhook/shop", headers, body)
            if answer is not None and answer[0] in (200, 202):
                self.acknowledged[external_id] = Acknowledged(channel, contact, place, text)
                self.slowest = max(self.slowest, time.monotonic() - began)
                return True
            if answer is None:
                self.unanswered += 1
            elif answer[0] in (503, 409):
                self.asked_to_wait += 1
            else:
                self.refused += 1
            if not patient and self._stop:
                return False
            await asyncio.sleep(0.1)
        return False
