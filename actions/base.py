"""What every action has: the turn it belongs to, its language, and the promise that a failure is told and logged."""

from __future__ import annotations

import asyncio
import json
import logging
import re
import time
import uuid
from abc import abstractmethod
from typing import Any, ClassVar

from rasa_sdk import Action, Tracker
from rasa_sdk.events import SlotSet
from rasa_sdk.executor import CollectingDispatcher

from actions.texts import APOLOGY, TRY_AGAIN, Button, button, person_button
from crm.model import WriteKey
from crm.read_only import WouldWrite

logger = logging.getLogger(__name__)

Event = dict[str, Any]
REQUESTED_SLOT = "requested_slot"
PAYLOAD = re.compile(r"^/\w+(?P<json>\{.*\})\s*$", re.DOTALL)


class Turn:
    """One call of one action: reads the tracker, collects what is said and which slots change."""

    def __init__(self, dispatcher: CollectingDispatcher, tracker: Tracker) -> None:
        self._began = time.monotonic()
        self._dispatcher = dispatcher
        self.tracker = tracker
        self.changes: dict[str, Any] = {}
        self.form_done = False  #: a validator ends its form early
        message = tracker.latest_message or {}
        self.metadata: dict[str, Any] = message.get("metadata") or {}
        self.text: str = message.get("text") or ""
        self.id: str = self.metadata.get("turn_id") or message.get("message_id") or uuid.uuid4().hex
        language = tracker.slots.get("language") or self.metadata.get("language_hint")
        self.language: str = language if language in {"zh", "en"} else "en"

    def slot(self, name: str) -> Any:
        """A slot's value, changes of this call included."""
        return self.changes.get(name, self.tracker.slots.get(name))

    def text_of(self, name: str) -> str | None:
        """A slot's value as text, or None if it is not filled."""
        value = self.slot(name)
        return None if value is None else str(value)

    def change(self, **slots: Any) -> None:
        """Change slots."""
        self.changes.update(slots)

    @property
    def customer_id(self) -> str | None:
        """The customer this contact proved to be, now or earlier."""
        return self.slot("customer_id") or self.metadata.get("customer_id") or None

    def entity(self, name: str) -> Any:
        """The first value of an entity in the latest message, or None."""
        found = (self.tracker.latest_message or {}).get("entities") or []
        return next((entity.get("value") for entity in found if entity.get("entity") == name), None)

    def given(self, slot: str, value: Any) -> str:
        """The text of a slot candidate: the last of several, and the value inside a button's payload."""
        if isinstance(value, list):
            value = value[-1] if value else ""
        text = str(value).strip()
        payload = PAYLOAD.match(text)
        if payload:
            try:
                text = str(json.loads(payload["json"]).get(slot, ""))
            except ValueError:
                text = ""
        return text

    def key(self, action: str) -> WriteKey:
        """The idempotency key of one write in this turn."""
        return (self.id, action)

    def say(self, text: str, buttons: list[Button] | None = None, **more: Any) -> None:
        """Say something; ``more`` is what the turn channel hands to the service (handoff, citations …)."""
        self._dispatcher.utter_message(text=text, buttons=buttons or [], json_message=more)

    def take_back(self) -> None:
        """Unsay what this call said so far."""
        self._dispatcher.messages.clear()

    def said(self, mark: str | None = None) -> bool:
        """Whether the bot has spoken since the contact's message (in this turn), optionally with this mark."""
        messages = [message["custom"] for message in self._dispatcher.messages]
        messages += [_custom(event) for event in self._this_turn() if event.get("event") == "bot"]
        return any(mark is None or mark in custom for custom in messages)

    @property
    def asks_again(self) -> bool:
        """Whether the question that is asked now was open before the message, which did not answer it."""
        return not any(
            event.get("event") == "slot" and event.get("name") == REQUESTED_SLOT for event in self._this_turn()
        )

    def _this_turn(self) -> list[dict[str, Any]]:
        """The events since the contact's message, newest first."""
        found: list[dict[str, Any]] = []
        for event in reversed(self.tracker.events):
            if event.get("event") == "user":
                break
            found.append(event)
        return found

    def threshold(self, name: str) -> float | None:
        """A threshold of this turn's language, as the service sent it."""
        thresholds = self.metadata.get("thresholds") or {}
        value = (thresholds.get(self.language) or {}).get(name)
        return float(value) if isinstance(value, int | float) else None

    def seconds(self) -> float:
        """How long this call has taken so far."""
        return time.monotonic() - self._began

    def events(self) -> list[Event]:
        """The slot changes as events."""
        return [SlotSet(name, value) for name, value in self.changes.items()]


def _custom(bot_event: dict[str, Any]) -> dict[str, Any]:
    return (bot_event.get("data") or {}).get("custom") or {}


class DeskAction(Action):  # type: ignore[misc]  # rasa_sdk has no types
    """An action that never fails silently: any error becomes an apology with a way out, and a log line with ids."""

    action_name: str
    #: Payload of "try again"; None where the question is repeated anyway.
    retry: str | None = None
    timeout_seconds: float = 8.0  #: below Rasa's own limit, so that the contact still gets an answer

    def name(self) -> str:
        """The name the domain lists."""
        return self.action_name

    async def run(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: dict[str, Any]) -> list[Event]:
        """Run the action for one turn; what Rasa calls."""
        turn = Turn(dispatcher, tracker)
        try:
            async with asyncio.timeout(self.timeout_seconds):
                await self.act(turn)
        except WouldWrite as would:  # only in a dry run, which ends here
            turn.changes.clear()
            turn.say("", would=would.what)
        except Exception:
            logger.exception(
                "action %s failed in turn %s of conversation %s", self.action_name, turn.id, tracker.sender_id
            )
            turn.take_back()
            turn.changes.clear()
            if not turn.said("failed"):
                buttons = [button(TRY_AGAIN(turn.language), self.retry)] if self.retry else []
                turn.say(APOLOGY(turn.language), [*buttons, person_button(turn.language)], failed=True)
            self.after_failure(turn)
        return turn.events()

    @abstractmethod
    async def act(self, turn: Turn) -> None:
        """Do the work: say things and change slots through ``turn``."""

    def after_failure(self, turn: Turn) -> None:
        """Slots to change when the work failed."""
        return


class Question(DeskAction):
    """Asks for a slot with live values or buttons; silent when the validator has just asked for it itself."""

    slot: ClassVar[str]

    async def act(self, turn: Turn) -> None:
        """Ask once."""
        if not turn.said(f"asked_{self.slot}"):
            await self.ask(turn)

    @abstractmethod
    async def ask(self, turn: Turn) -> None:
        """Say the question."""
