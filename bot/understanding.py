"""From a message to what is done about it: one part for each question or request, each with its parse."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from bot.answers import ORDER_TASKS
from bot.assent import assent
from bot.clauses import Clause, asks, grouped, requests, split_clauses
from bot.components.gate import FREE_TEXT
from bot.negation import times_named
from bot.orders_meant import NUMBERS, are_all_meant, are_joined, different, only_meant
from bot.references import Meant, Memory, what_is_corrected, what_is_meant
from bot.text import fold

Parse = dict[str, Any]
#: Understands one text: ``Dialogue`` brings Rasa's own parse.
Parser = Callable[[str], Awaitable[Parse]]

MOST_PARTS = 3  #: questions of one message that are answered
WHICH_ONE = "utter_which_one"
LEFT_ALONE = "utter_left_alone"
_QUESTIONS = {"ask_knowledge", "clarify", "out_of_scope"}
_SURE = 0.85
_ANSWERS = {"affirm", "deny", "inform"}
_CONFIRMED = "confirmed"
#: Beside a yes they name something further.
_ADDED = re.compile(r"\b(?:also|too|as well|and the other)\b|还有|以及|也|一起|加上", re.IGNORECASE)
#: Beside a yes they take it back.
_NOT_YET = {"deny", "stop", "hold_on"}


@dataclass
class Part:
    """One thing the message asks for; what is set besides ``parse`` is done before or instead of following the rules."""

    parse: Parse
    say: str | None = None  #: a response that is the whole answer
    ask: str | None = None  #: a slot of the running form, emptied and asked for again
    slots: dict[str, Any] = field(default_factory=dict)  #: slots to set first

    @property
    def intent(self) -> str:
        """The intent that acts."""
        return str(self.parse["intent"]["name"])


@dataclass(frozen=True)
class Understood:
    """The parts of a message in the customer's order, and the whole message as it was read."""

    parts: list[Part]
    reading: str


class Understanding:
    """What a message means in its conversation."""

    def __init__(self, tasks: Mapping[str, str]) -> None:
        """``tasks`` maps the intents of tasks to their forms."""
        self._tasks = tasks

    async def understood(self, text: str, memory: Memory, parse: Parser) -> Understood:
        """Understands a message; ``parse`` is called once, and once more for each clause where there are several."""

        async def read(said: str) -> Parse:
            found = await parse(said)
            return {**found, "entities": only_meant(str(found["text"]), found["entities"])}

        whole = await read(text)
        parts = self._plain_yes(text, whole, memory)
        if not parts:
            parts = await self._parts(text, whole, memory, read)
            parts = self._once(parts, memory) if memory.running else parts
            parts = self._surely_confirmed(parts, whole, memory) if memory.slot == _CONFIRMED else parts
            parts = [one for part in parts for one in self._for_each_order(part, memory)]
        return Understood(parts, str(whole.get("reading") or text))

    def _plain_yes(self, text: str, whole: Parse, memory: Memory) -> list[Part]:
        """A yes to the summary in any words for it, the task's own included: "yes, please cancel it"."""
        refused = whole.get("refused") or whole["intent"]["name"] in {*_NOT_YET, "handoff"}
        if memory.slot != _CONFIRMED or refused:
            return []
        order = [one for one in whole["entities"] if one["entity"] == "order_number" and one["value"] == memory.order]
        written = text
        for one in reversed(order):
            written = written[: one["start"]] + " " + written[one["end"] :]
        readings = {written, *([] if order else [str(whole.get("reading") or text)])}
        if not any(assent().is_yes(said, memory.task) for said in readings) or not assent().knows_signs(text):
            return []
        others = [one for one in whole["entities"] if one not in order]
        intent = {"name": "affirm", "confidence": whole["intent"]["confidence"]}
        return [Part({**whole, "intent": intent, "entities": others})]

    def _once(self, parts: list[Part], memory: Memory) -> list[Part]:
        """ "Yes, please cancel it": beside an answer, the running task named again is no second one."""
        answers = {part.intent for part in parts} & _ANSWERS
        again = [part for part in parts if part.intent == memory.task and not _other_order(part, memory)]
        if not answers or not again:
            return parts
        if answers == {"affirm"} and memory.slot != _CONFIRMED:  # no answer to what was asked: it is asked again
            return [part for part in parts if part.intent != "affirm"]
        return [part for part in parts if part not in again]

    def _surely_confirmed(self, parts: list[Part], whole: Parse, memory: Memory) -> list[Part]:
        """Takes a yes for one only where nothing is added to it; else the summary is asked again."""
        agreeing = [part for part in parts if part.intent == "affirm" and part.ask is None]
        if not agreeing:
            return parts
        others = [part for part in parts if part not in agreeing]
        renamed = next((part for part in parts if part.intent == memory.task and _other_order(part, memory)), None)
        renamed = renamed or next((part for part in agreeing if _other_order(part, memory)), None)
        if renamed is not None and _ADDED.search(str(renamed.parse["text"])) and not whole.get("refused"):
            # "yes, and KT… too": the first is confirmed by itself, the other one waits
            own = [one for one in agreeing[0].parse["entities"] if one["entity"] != "order_number"]
            further = {"name": str(memory.task), "confidence": renamed.parse["intent"]["confidence"]}
            return [
                *_questions(others),
                Part({**agreeing[0].parse, "entities": own}, ask=_CONFIRMED),
                Part({**renamed.parse, "intent": further}),
            ]
        if renamed is not None:  # "yes, cancel the other one, KT…" agrees to something that was not asked
            named = {"name": "inform", "confidence": renamed.parse["intent"]["confidence"]}
            return [*_questions(others), Part({**renamed.parse, "intent": named})]
        taken_back = whole.get("refused") or any(part.intent in _NOT_YET for part in others)
        conditional = assent().has_condition(str(whole.get("reading") or whole["text"]))
        plain = all(
            assent().is_yes(str(part.parse.get("reading") or part.parse["text"]), memory.task) for part in agreeing
        )
        if plain and not taken_back and not conditional:
            return parts
        instead = [part for part in others if part.intent in self._tasks and part.intent != memory.task]
        return [*_questions(others), *(instead or [Part(agreeing[0].parse, ask=_CONFIRMED)])]

    def _for_each_order(self, part: Part, memory: Memory) -> list[Part]:
        """One part for each order that a task is asked for."""
        orders = different(part.parse["entities"], "order_number")
        if len(orders) < 2 or part.say or part.ask or part.slots:
            return [part]
        task = part.intent
        if task == "inform" and memory.slot == "order_number" and memory.task in ORDER_TASKS:
            if not are_joined(str(part.parse["text"]), part.parse["entities"], "order_number"):
                return [part]  # the form takes the last one
            task = memory.task
        if task not in ORDER_TASKS:
            return [part]
        others = [one for one in part.parse["entities"] if one["entity"] != "order_number"]
        said = str(part.parse["text"])
        if task != "order_status" and not are_all_meant(
            said, part.parse["entities"], "order_number", times_named(said, task)
        ):  # "cancel KT… if KT… has left": which one is asked
            return [replace(part, parse={**part.parse, "entities": others}, slots={"order_number": None})]
        found = {one["value"]: one for one in part.parse["entities"] if one["entity"] == "order_number"}
        first = replace(part, parse={**part.parse, "entities": [*others, found[orders[0]]]})
        further = {**part.parse["intent"], "name": task}
        rest = [replace(part, parse={**part.parse, "intent": further, "entities": [found[one]]}) for one in orders[1:]]
        return [first, *rest]

    async def _parts(self, text: str, whole: Parse, memory: Memory, parse: Parser) -> list[Part]:
        reading, intent = str(whole.get("reading") or text), str(whole["intent"]["name"])
        if intent == "handoff":
            return [Part(whole)]
        corrected = what_is_corrected(reading, intent, whole["entities"], memory)
        if intent == "deny" and whole.get("refused") and corrected is None:
            return [self._left_alone(whole, memory)]
        alone = corrected is not None or memory.slot in FREE_TEXT
        parts = [] if alone else await self._several(text, whole, memory, parse)
        if parts:
            return parts
        return [await self._in_context(text, whole, memory, parse)]

    def _left_alone(self, whole: Parse, memory: Memory) -> Part:
        if memory.running and memory.task in whole["refused"]:
            if memory.slot != "confirmed":
                whole["intent"] = {**whole["intent"], "name": "stop"}
            return Part(whole)
        return Part(whole, say=LEFT_ALONE)

    async def _several(self, text: str, whole: Parse, memory: Memory, parse: Parser) -> list[Part]:
        reading = str(whole.get("reading") or text)
        written = text if reading == fold(text) else reading
        clauses = split_clauses(written)
        if len(clauses) < 2 or len(clauses) > 12:
            return []
        parses = [await parse(clause.text) for clause in clauses]
        starts = [self._starts(clause, one, memory) for clause, one in zip(clauses, parses)]
        if sum(starts) < 2:
            return []
        if any(one["intent"]["name"] == "handoff" for one in parses):
            return []
        chosen = [one for one, start in zip(parses, starts) if start]
        parts: list[tuple[str, Parse]] = []
        completes = [self._completes(parses[:place], one) for place, one in enumerate(parses)]
        for said, one in zip(grouped(clauses, starts, completes), chosen):
            if parts and self._same_matter(parts[-1][1], one):
                parts[-1] = (f"{parts[-1][0]} {said}", parts[-1][1])
            else:
                parts.append((said, one))
        if len(parts) < 2:
            return []
        return [Part(await self._settled(said, one, parse)) for said, one in parts]

    def _starts(self, clause: Clause, one: Parse, memory: Memory) -> bool:
        """Whether a clause asks for something of its own."""
        intent = one["intent"]["name"]
        if intent in self._tasks:
            numbered = any(entity["entity"] in NUMBERS for entity in one["entities"])
            return clause.asks or numbered or requests(clause.text)
        if memory.running and intent in _ANSWERS:
            return True
        # Among questions, one that sounds a little like small talk is still a question.
        unsure = intent not in {"handoff", "stop", *_ANSWERS} and one["intent"]["confidence"] < _SURE
        return clause.asks and (intent in _QUESTIONS or unsure)

    def _completes(self, before: list[Parse], one: Parse) -> bool:
        """Whether a clause is the number of the task before it: "I want to return it. It's order KT…. How long …?"."""
        numbered = any(entity["entity"] in NUMBERS for entity in one["entities"])
        return (
            numbered
            and one["intent"]["name"] == "inform"
            and any(said["intent"]["name"] in self._tasks for said in before)
        )

    def _same_matter(self, first: Parse, second: Parse) -> bool:
        return first["intent"]["name"] == second["intent"]["name"] and first["intent"]["name"] in {
            *self._tasks,
            *_ANSWERS,
        }

    async def _settled(self, said: str, one: Parse, parse: Parser) -> Parse:
        """The parse of a part with all its clauses; the clause that asks decides the intent."""
        full = one if said == one["text"] else await parse(said)
        intent = one["intent"]["name"]
        if intent not in {*self._tasks, *_ANSWERS}:
            intent = "ask_knowledge"
        return {**full, "intent": {"name": intent, "confidence": one["intent"]["confidence"]}}

    async def _in_context(self, text: str, whole: Parse, memory: Memory, parse: Parser) -> Part:
        reading = str(whole.get("reading") or text)
        intent = str(whole["intent"]["name"])
        meant = what_is_meant(reading, intent, whole["entities"], whole["language"], memory)
        if meant is None or (meant.which and memory.asked_back):
            return _plain(whole, text)  # asked back once already: the rules hand off
        if meant.again is not None:
            return await self._again(text, meant.again, whole, memory, parse)
        return self._as_meant(text, whole, meant)

    async def _again(self, text: str, said: str, whole: Parse, memory: Memory, parse: Parser) -> Part:
        """ "I meant the warranty": the rest is understood by itself, as a question unless it is a task put as one."""
        one = await parse(said)
        if one["intent"]["name"] in {*self._tasks, "handoff"} and (requests(said) or asks(said)):
            return Part({**one, "text": text})
        product = any(entity["entity"] == "product" for entity in one["entities"])
        question = f"{memory.article} {said}" if product and memory.article else said
        return self._as_meant(text, whole, Meant("ask_knowledge", question=question))

    def _as_meant(self, text: str, whole: Parse, meant: Meant) -> Part:
        if meant.which:
            return Part(
                {**whole, "intent": {"name": "clarify", "confidence": whole["intent"]["confidence"]}},
                say=WHICH_ONE,
                slots={"clarified": True},
            )
        if meant.ask:
            return Part({**whole, "intent": {"name": "deny", "confidence": 1.0}}, ask=meant.ask)
        named = {**meant.entities, **({"question": meant.question} if meant.question else {})}
        kept = [entity for entity in whole["entities"] if entity["entity"] not in named]
        added = [_found(name, value, whole["entities"]) for name, value in named.items()]
        confidence = 1.0 if meant.intent != whole["intent"]["name"] else whole["intent"]["confidence"]
        part = Part({**whole, "intent": {"name": meant.intent, "confidence": confidence}, "entities": [*kept, *added]})
        if meant.forget_order:
            part.slots["order_number"] = None
        if meant.answers:
            part.slots |= {meant.answers: None, "requested_slot": meant.answers}
        return part


def _other_order(part: Part, memory: Memory) -> bool:
    """Whether a part names an order that is not the one spoken of."""
    return any(one["entity"] == "order_number" and one["value"] != memory.order for one in part.parse["entities"])


def _questions(parts: list[Part]) -> list[Part]:
    return [part for part in parts if part.intent == "ask_knowledge"]


def _found(name: str, value: str, entities: list[dict[str, Any]]) -> dict[str, Any]:
    """An entity that is meant; where it stands if it was written, else at no place."""
    written = next((one for one in entities if one["entity"] == name and one["value"] == value), None)
    return written or {"entity": name, "value": value, "start": 0, "end": 0}


def _plain(whole: Parse, text: str) -> Part:
    """The message as it is; what is looked up for it is its reading where that differs."""
    reading = whole.get("reading")
    if reading and whole["intent"]["name"] in _QUESTIONS and reading != fold(text):
        whole = {**whole, "entities": [*whole["entities"], _found("question", reading, [])]}
    return Part(whole)
