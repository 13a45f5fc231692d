"""A conversation as Rasa would run it around our actions: slot filling, forms, questions and submits, over the wire format."""

from __future__ import annotations

import copy
import json
import re
import uuid
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import yaml
from rasa_sdk.executor import ActionExecutor

DOMAIN = Path(__file__).resolve().parents[2] / "bot" / "domain.yml"
TASKS = (
    "order_status",
    "change_address",
    "cancel_order",
    "return_refund",
    "request_invoice",
    "open_ticket",
    "ticket_status",
    "update_contact",
)
#: What the bot keeps when a form is done, left or switched.
KEPT = {"language", "customer_id", "identified", "order_number", "misses", "clarified"}


@cache
def domain() -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.safe_load(DOMAIN.read_text("utf-8"))
    return loaded


@dataclass
class Said:
    """What the bot said in one turn."""

    messages: list[dict[str, Any]]

    @property
    def text(self) -> str:
        return "\n".join(message["text"] for message in self.messages)

    @property
    def payloads(self) -> list[str]:
        return [button["payload"] for message in self.messages for button in message["buttons"]]

    def custom(self, name: str) -> Any:
        """The value of a key that the turn channel hands on, from whichever message carries it."""
        return next((message["custom"][name] for message in self.messages if name in message["custom"]), None)


@dataclass
class Chat:
    """Drives an executor turn by turn."""

    executor: ActionExecutor
    language: str = "en"
    customer_id: str | None = None
    audiences: list[Any] = field(default_factory=list)
    thresholds: dict[str, Any] = field(default_factory=dict)
    misses: int | None = None  #: the limit the service sends
    titles: dict[str, Any] | None = None  #: of made intents, as the bot sends them
    slots: dict[str, Any] = field(default_factory=dict)
    events: list[dict[str, Any]] = field(default_factory=list)
    form: str | None = None
    sender_id: str = "conversation-1"

    async def say(
        self,
        text: str,
        intent: str = "inform",
        turn_id: str | None = None,
        ranking: list[str] | None = None,
        **entities: Any,
    ) -> Said:
        """One message of the contact; a payload is taken apart as Rasa does."""
        payload = re.fullmatch(r"/(\w+)(\{.*\})?", text, re.DOTALL)
        if payload:
            intent, entities = payload[1], json.loads(payload[2] or "{}")
        self._hear(text, intent, entities, turn_id or uuid.uuid4().hex, ranking or [])
        replies: list[dict[str, Any]] = []
        if intent in TASKS and self.form != f"{intent}_form":
            self.leave()
        fresh = self._extract(text, intent, entities)
        if intent in TASKS and self.form != f"{intent}_form":
            self.form = f"{intent}_form"
            self.events.append({"event": "active_loop", "name": self.form})
            await self._run_form(replies, [s for s in self._required() if self.slots.get(s) is not None])
        elif self.form and (fresh or self._required_slot() is None):
            await self._run_form(replies, [slot for slot in fresh if slot in self._required()])
        return Said(replies)

    def hear(self, text: str, intent: str = "affirm") -> None:
        """A message that the bot serves without running the form."""
        self._hear(text, intent, {}, uuid.uuid4().hex, [])

    async def run(self, action: str) -> Said:
        """One action outside of forms."""
        replies: list[dict[str, Any]] = []
        await self._call(action, replies)
        return Said(replies)

    async def interrupted(self, text: str = "how long is delivery?") -> Said:
        """A question in the middle of a form: something else answers, then the form validates nothing and asks again."""
        self._hear(text, "ask_knowledge", {}, uuid.uuid4().hex, [])
        replies: list[dict[str, Any]] = []
        await self._run_form(replies, [])
        return Said(replies)

    def copy(self) -> Chat:
        """The same state, as after a crash: nothing of the turn was saved."""
        twin = copy.copy(self)
        twin.slots, twin.events = copy.deepcopy(self.slots), copy.deepcopy(self.events)
        return twin

    def leave(self) -> None:
        """Stop, or another task: the bot forgets what the form had collected."""
        self.form = None
        self.events.append({"event": "active_loop", "name": None})
        self.slots = {name: value for name, value in self.slots.items() if name in KEPT}
        self.slots["requested_slot"] = None

    def _required(self) -> list[str]:
        form = domain()["forms"][self.form]
        required: list[str] = form["required_slots"]
        return required

    def _required_slot(self) -> str | None:
        slot: str | None = self.slots.get("requested_slot")
        return slot

    def _hear(self, text: str, intent: str, entities: dict[str, Any], turn_id: str, ranking: list[str]) -> None:
        metadata = {
            "turn_id": turn_id,
            "customer_id": self.customer_id,
            "audiences": self.audiences,
            "language_hint": self.language,
            "thresholds": self.thresholds,
            **({} if self.misses is None else {"misses": self.misses}),
            **({} if self.titles is None else {"titles": self.titles}),
        }
        found = [{"entity": name, "value": value} for name, value in entities.items()]
        self.slots["language"] = self.language
        self.message = {
            "text": text,
            "intent": {"name": intent, "confidence": 1.0},
            "intent_ranking": [{"name": name, "confidence": 0.4} for name in ranking],
            "entities": found,
            "metadata": metadata,
            "message_id": turn_id,
        }
        self.heard = len(self.events)
        self.events.append({"event": "user", "text": text, "parse_data": self.message, "metadata": metadata})

    def _extract(self, text: str, intent: str, entities: dict[str, Any]) -> list[str]:
        requested = self._required_slot() if self.form else None
        values: dict[str, Any] = {
            name: entities[name] for name in ("order_number", "ticket_number") if name in entities
        }
        if requested == "confirmed":
            if intent in {"affirm", "deny"}:
                values["confirmed"] = intent == "affirm"
        elif requested and intent == "inform":
            values[requested] = entities.get(requested, text)
        for slot, value in values.items():
            self._set(slot, value)
        return list(values)

    def _set(self, slot: str, value: Any) -> None:
        self.slots[slot] = value
        self.events.append({"event": "slot", "name": slot, "value": value})

    async def _run_form(self, replies: list[dict[str, Any]], candidates: list[str]) -> None:
        assert self.form
        task = self.form.removesuffix("_form")
        tail = [{"event": "slot", "name": "requested_slot", "value": self._required_slot()}]
        tail += [{"event": "action", "name": self.form}]
        tail += [{"event": "slot", "name": slot, "value": self.slots[slot]} for slot in candidates]
        changes = await self._call(f"validate_{self.form}", replies, tail)
        if any("would" in reply["custom"] for reply in replies):
            return  # a dry run ends where something would be written
        assert "requested_slot" in changes
        slot = changes["requested_slot"]
        if slot is None:
            self.form = None
            await self._call(f"action_{task}", replies)
            self.leave()
            return
        ask = f"action_ask_{self.form}_{slot}"
        await self._call(ask if ask in domain()["actions"] else f"action_ask_{slot}", replies)

    async def _call(
        self, action: str, replies: list[dict[str, Any]], tail: list[dict[str, Any]] | None = None
    ) -> dict[str, Any]:
        call = {
            "next_action": action,
            "sender_id": self.sender_id,
            "domain": {},
            "version": "3.6.21",
            "tracker": {
                "sender_id": self.sender_id,
                "slots": self.slots,
                "latest_message": self.message,
                "events": [*self.events[self.heard :], *(tail or [])],  # the bot sends this turn's only
                "paused": False,
                "active_loop": {"name": self.form} if self.form else {},
                "latest_action_name": "action_listen",
            },
        }
        result = await self.executor.run(json.loads(json.dumps(call)))
        assert result is not None
        for message in result.responses:
            replies.append(message)
            data = {"buttons": message["buttons"], "custom": message["custom"]}
            self.events.append({"event": "bot", "text": message["text"], "data": data})
        changes = {}
        for event in json.loads(json.dumps(result.events)):
            assert event["event"] == "slot"
            changes[event["name"]] = event["value"]
            self._set(event["name"], event["value"])
        return changes
