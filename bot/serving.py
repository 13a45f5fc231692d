"""Carries out what a message was understood to ask: answers its questions, runs its task, and keeps what must wait."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rasa.core.actions.action import Action
from rasa.core.channels.channel import OutputChannel, UserMessage
from rasa.core.policies.policy import PolicyPrediction
from rasa.core.processor import MessageProcessor
from rasa.shared.core.events import (
    ActionExecuted,
    ActionExecutionRejected,
    ActiveLoop,
    BotUttered,
    SlotSet,
    UserUttered,
)
from rasa.shared.core.trackers import DialogueStateTracker

from bot.memory import SLOTS, to_remember
from bot.understanding import MOST_PARTS, Part

#: Slots that outlive a task; every other slot is emptied when its form is done, left or switched.
_KEPT = {
    "language", "customer_id", "identified", "order_number", "misses", "clarified", "requested_slot",
    "session_started_metadata", *SLOTS,
}  # fmt: skip
#: What is kept of a task that waits for another one to be done.
_WAITS = ("text", "intent", "intent_ranking", "entities", "language", "thresholds")
_MOST_AT_ONCE = 3


class Serving:
    """One turn's work on the tracker; nothing is stored until the turn is done."""

    def __init__(
        self,
        processor: MessageProcessor,
        tasks: Mapping[str, str],
        tracker: DialogueStateTracker,
        channel: OutputChannel,
        turn_id: str,
        facts: Mapping[str, Any],
    ) -> None:
        """``facts`` are slots that the turn itself brings, such as language and customer."""
        self._processor = processor
        self._tasks = tasks
        self._tracker = tracker
        self._channel = channel
        self._turn_id = turn_id
        self._facts = facts
        self._begin = len(tracker.events)

    async def serve(self, parts: list[Part]) -> None:
        """Questions first, in their order; then the first task; further tasks when that one is done."""
        several = len(parts) > 1
        questions = [part for part in parts if several and part.intent == "ask_knowledge"]
        tasks = [part for part in parts if part not in questions]
        await self._answer(questions)
        if self._handed_off():
            return
        if len(tasks) > 1:
            self._set({"waiting_tasks": [{name: part.parse.get(name) for name in _WAITS} for part in tasks[1:]]})
        for part in tasks[:1]:
            await self._hear(part)
            if len(tasks) > 1:
                await self._say("utter_one_by_one")
            await self._follow(part)
        await self._take_up_what_waits(parts[-1])
        self._set(to_remember(self._tracker, list(self._tracker.events)[self._begin :]))

    def break_off(self) -> None:
        """Leave a turn that could not be done to its end so that the next message can follow."""
        self._listen()
        self._forget_finished_task()

    async def _answer(self, questions: list[Part]) -> None:
        missed, answered = self._tracker.get_slot("misses"), False
        for part in questions[:MOST_PARTS]:
            await self._hear(part)
            self._set({"misses": 0.0 if answered else missed})  # what one message asks in vain counts once
            await self._act("action_answer_question")
            self._listen()
            answered |= not self._tracker.get_slot("misses")
            if self._handed_off():
                return
        if answered:
            self._set({"misses": 0.0})
        if len(questions) > MOST_PARTS:
            await self._say("utter_more_questions")

    async def _take_up_what_waits(self, last: Part) -> None:
        for _ in range(_MOST_AT_ONCE):
            waiting = self._tracker.get_slot("waiting_tasks") or []
            if not waiting or self._tracker.active_loop_name:
                return
            if self._handed_off() or last.intent in {"stop", "handoff", "goodbye"}:
                self._set({"waiting_tasks": None})
                return
            self._set({"waiting_tasks": waiting[1:] or None})
            part = Part({**waiting[0], "metadata": last.parse["metadata"]})
            await self._hear(part)
            await self._say("utter_next_task")
            await self._follow(part)

    async def _hear(self, part: Part) -> None:
        """Puts the part into the conversation as something the contact said."""
        parse = {name: value for name, value in part.parse.items() if name != "metadata"}
        message = UserMessage(
            parse["text"], self._channel, self._tracker.sender_id, parse, "turn", self._turn_id, part.parse["metadata"]
        )
        await self._processor._handle_message_with_tracker(message, self._tracker)
        self._set(self._facts)

    async def _follow(self, part: Part) -> None:
        """What the rules make of the part, unless it says itself what is to be done."""
        self._set(part.slots)
        if part.say is not None:
            await self._act(part.say)
            await self._ask(self._tracker.get_slot("requested_slot"))
            self._listen()
        elif part.ask is not None and self._tracker.active_loop_name:
            self._set({part.ask: None, "requested_slot": part.ask})
            await self._ask(part.ask)
            self._listen()
        else:
            await self._switch_task(part.intent)
            self._step_aside(part.intent)
            await self._processor.run_action_extract_slots(self._channel, self._tracker)
            again = self._only_named_again(part.intent)
            if not again:
                await self._processor._run_prediction_loop(self._channel, self._tracker)
            if again or self._tracker.latest_action_name != "action_listen":
                await self._ask(self._tracker.get_slot("requested_slot"))
                self._listen()  # else the next message would not be heard
            self._forget_finished_task()

    def _only_named_again(self, intent: str) -> bool:
        """Whether the message names the running task and fills none of its slots; no rule serves that."""
        running = self._tracker.active_loop_name
        if running is None or self._tasks.get(intent) != running or not self._tracker.get_slot("requested_slot"):
            return False
        needed = set(self._processor.domain.required_slots_for_form(running))
        for event in reversed(self._tracker.events):
            if isinstance(event, UserUttered):
                return True
            if isinstance(event, SlotSet) and event.key in needed and event.value is not None:
                return False
        return True

    async def _ask(self, slot: str | None) -> None:
        """Asks for a slot of the running form, if one runs."""
        form = self._tracker.active_loop_name
        if form is None or slot is None:
            return
        names = (f"action_ask_{form}_{slot}", f"action_ask_{slot}")
        await self._act(next(name for name in names if name in self._processor.domain.action_names_or_texts))

    async def _switch_task(self, intent: str) -> None:
        """Another task's intent leaves the running form, says so, and lets the rules start the other one."""
        running = self._tracker.active_loop_name
        if running is None or intent not in self._tasks or self._tasks[intent] == running:
            return
        await self._say("utter_switch_task")
        self._tracker.update_with_events([ActiveLoop(None), SlotSet("requested_slot", None)], self._processor.domain)
        self._forget_finished_task()

    def _step_aside(self, intent: str) -> None:
        """A sure interruption is not put to the form as an answer: the rules serve it, then the form asks again."""
        domain, running = self._processor.domain, self._tracker.active_loop_name
        if running is not None and intent in domain.forms[running].get("ignored_intents", []):
            self._tracker.update(ActionExecutionRejected(running), domain)

    def _forget_finished_task(self) -> None:
        running = self._tracker.active_loop_name
        needed = set(self._processor.domain.required_slots_for_form(running)) if running else set()
        stale = {
            name: None
            for name, value in self._tracker.current_slot_values().items()
            if value is not None and name not in _KEPT and name not in needed
        }
        self._set(stale)

    def _set(self, slots: Mapping[str, Any]) -> None:
        for name, value in slots.items():
            if self._tracker.get_slot(name) != value:
                self._tracker.update(SlotSet(name, value), self._processor.domain)

    async def _say(self, response: str) -> None:
        """A response in between; it is no step of the rules."""
        utter: Action = self._processor._get_action(response)
        events = await utter.run(self._channel, self._processor.nlg, self._tracker, self._processor.domain)
        self._tracker.update_with_events(events, self._processor.domain)

    async def _act(self, name: str) -> None:
        action = self._processor._get_action(name)
        prediction = PolicyPrediction.for_action_name(self._processor.domain, name)
        await self._processor._run_action(action, self._tracker, self._channel, self._processor.nlg, prediction)

    def _listen(self) -> None:
        self._tracker.update(ActionExecuted("action_listen"), self._processor.domain)

    def _handed_off(self) -> bool:
        said = (
            event.data or {} for event in list(self._tracker.events)[self._begin :] if isinstance(event, BotUttered)
        )
        return any((data.get("custom") or {}).get("handoff") for data in said)
