"""Asks the live bot what it makes of the labelled lines of ``nlu_data/test``, which it was not trained with.

They are no customers: every line has an intent, and nobody was annoyed. But each is judged at every score, also at those
at which the bot never acted.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from pathlib import Path

import structlog

from conversations.dialogue import Dialogue
from conversations.errors import DialogueRefused, DialogueUnavailable
from conversations.model import Agent, new_id, utc_now
from conversations.store import Database
from conversations.turn_model import Thresholds, TurnRequest, TurnResult
from learning.annotations import plain
from learning.changes import LANGUAGES, ExampleRefused
from learning.example_files import BadFile, ExampleFile
from learning.limit_cases import CONTROL
from learning.limit_store import HeldOut, LimitStore
from learning.one_run import OneRun

FOLDER = "test"
_PAUSE_SECONDS = 0.02  #: between two lines, so that customers do not wait for it
_MOST_FAILURES = 5  #: in a row, before it gives up
log = structlog.get_logger()


class HeldOutCheck(OneRun):
    """Asks in the background, and keeps what came of it for every process."""

    def __init__(
        self, database: Database, dialogue: Dialogue, limits: Mapping[str, Thresholds], nlu_data: Path
    ) -> None:
        super().__init__()
        self._database = database
        self._dialogue = dialogue
        self._limits = limits
        self._folder = nlu_data / FOLDER

    def begin(self, by: Agent) -> bool:
        """Ask for all lines in the background; False while it asks already."""
        return self._begin(self._ask_all(by), "ask the bot for labelled lines")

    async def _ask_all(self, by: Agent) -> None:
        try:
            lines = await asyncio.to_thread(labelled_lines, self._folder)
            total, done = sum(map(len, lines.values())), 0
            for language, listed in lines.items():
                scored: list[tuple[float, bool]] = []
                model, failures = "", 0
                for intent, text in listed:
                    self.progress = (done, total)
                    done += 1
                    try:
                        result = await self._dialogue.respond(self._request(text, language))
                        failures = 0
                    except (DialogueRefused, DialogueUnavailable) as error:
                        failures += 1
                        if failures >= _MOST_FAILURES:
                            log.warning("labelled_lines_not_asked", error=str(error))
                            self.failed = "The bot does not answer."
                            return
                        continue
                    now_model = str(result.trace.get("model_id") or "")
                    if now_model != model:  # another one was promoted meanwhile: its scores are others
                        model, scored = now_model, []
                    verdict = _verdict(result, intent)
                    if verdict is not None:
                        scored.append(verdict)
                    await asyncio.sleep(_PAUSE_SECONDS)
                await self._keep(HeldOut(language, model, utc_now(), by.name, scored))
        except (BadFile, ExampleRefused, OSError) as error:
            self.failed = str(error)

    async def _keep(self, held_out: HeldOut) -> None:
        if not held_out.scored:
            return
        async with self._database.write() as connection:
            await LimitStore(connection).keep_check(held_out)

    def _request(self, text: str, language: str) -> TurnRequest:
        return TurnRequest(
            turn_id=new_id(),
            conversation_id=new_id(),
            text=text,
            language_hint=language,
            thresholds=dict(self._limits),
            sent_at=utc_now(),
            dry_run=True,
        )


def labelled_lines(folder: Path) -> dict[str, list[tuple[str, str]]]:
    """Intent and words of every line of the folder, by language."""
    found: dict[str, list[tuple[str, str]]] = {}
    for language in LANGUAGES:
        path = folder / f"{language}.yml"
        if path.exists():
            file = ExampleFile(f"{FOLDER}/{path.name}", path.read_bytes())
            found[language] = [(intent, plain(text)) for intent, text in file.examples() if intent not in CONTROL]
    return found


def _verdict(result: TurnResult, intent: str) -> tuple[float, bool] | None:
    """The score and whether the first intent is the right one; None where no threshold had a say."""
    trace = result.trace
    score, ranking = trace.get("confidence"), trace.get("ranking")
    if trace.get("parts") or trace.get("intent") in CONTROL or not isinstance(ranking, list) or not ranking:
        return None
    top = ranking[0].get("name") if isinstance(ranking[0], dict) else None
    if not isinstance(score, int | float) or top in CONTROL or top == "ask_knowledge":
        return None
    return round(float(score), 4), top == intent
