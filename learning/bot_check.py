"""Asks the live bot what it takes the examples for, one after the other so that customers do not wait for it."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence

import structlog

from conversations.dialogue import Dialogue
from conversations.errors import DialogueRefused, DialogueUnavailable
from conversations.model import new_id, utc_now
from conversations.turn_model import Thresholds, TurnRequest
from learning.changes import OUT_OF_SCOPE, Example
from learning.example_check import Note
from learning.example_folder import Entry
from learning.one_run import OneRun

_PAUSE_SECONDS = 0.02  #: between two questions
_MOST_FAILURES = 5  #: in a row, before it gives up
log = structlog.get_logger()


class BotCheck(OneRun):
    """What the bot takes each example for, as far as it was asked; kept while the same model serves."""

    def __init__(self, dialogue: Dialogue, thresholds: Mapping[str, Thresholds]) -> None:
        super().__init__()
        self._dialogue = dialogue
        self._thresholds = thresholds
        self._taken: dict[tuple[str, str], tuple[str, float]] = {}
        self._model = ""
        #: The examples that it takes for something else; another object after every change.
        self.notes: Mapping[Example, tuple[Note, ...]] = {}
        self.asked = 0

    def begin(self, entries: Sequence[Entry]) -> bool:
        """Ask for these examples in the background; False while it still asks for others."""
        wanted = [one for one in entries if one.example.intent != OUT_OF_SCOPE]
        return self._begin(self._ask_all(wanted), "ask the bot for examples")

    async def _ask_all(self, entries: Sequence[Entry]) -> None:
        failures = 0
        try:
            for number, entry in enumerate(entries):
                self.progress = (number, len(entries))
                try:
                    await self._ask(entry)
                    failures = 0
                except (DialogueRefused, DialogueUnavailable) as error:
                    failures += 1
                    if failures >= _MOST_FAILURES:
                        log.warning("examples_not_asked", error=str(error))
                        self.failed = "The bot does not answer."
                        return
                if number % 50 == 49:
                    self._publish(entries)
                await asyncio.sleep(_PAUSE_SECONDS)
        finally:
            self._publish(entries)

    async def _ask(self, entry: Entry) -> None:
        result = await self._dialogue.respond(
            TurnRequest(
                turn_id=new_id(),
                conversation_id=new_id(),
                text=entry.plain,
                language_hint=entry.example.language,
                thresholds=dict(self._thresholds),
                sent_at=utc_now(),
                dry_run=True,
            )
        )
        trace = result.trace
        model = str(trace.get("model_id") or "")
        if model != self._model:
            self._model, self._taken, self.notes = model, {}, {}
        parts = trace.get("parts")
        intents = [str(one.get("intent")) for one in parts] if isinstance(parts, list) and parts else []
        first = str(trace.get("intent") or "")
        # A message of two parts is understood if either is what the example says.
        taken = entry.example.intent if entry.example.intent in intents else first
        confidence = trace.get("confidence")
        sure = float(confidence) if isinstance(confidence, int | float) else 0.0
        self._taken[entry.example.language, entry.plain] = (taken, sure)

    def _publish(self, entries: Sequence[Entry]) -> None:
        found = dict(self.notes)
        for entry in entries:
            taken = self._taken.get((entry.example.language, entry.plain))
            if taken is None:
                continue
            found.pop(entry.example, None)
            if taken[0] != entry.example.intent:
                found[entry.example] = (Note("bot", taken[1], None, taken[0]),)
        self.notes = found
        self.asked = len(self._taken)
