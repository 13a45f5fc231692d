"""The trainers' studio of one service process: everything between a misunderstood message and a better bot."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from conversations.conversations import Conversations
from conversations.dialogue import RasaDialogue
from conversations.work_leases import WorkLeases
from handoff.assist.assist_desk import TryOut
from handoff.learning.inbox_side import InboxSide, open_inbox
from handoff.learning.knowledge_side import KnowledgeSide, open_knowledge
from handoff.learning.limit_side import open_limits
from handoff.learning.measuring_side import MeasuringSide, open_measuring
from handoff.learning.model_side import ModelSide, open_models
from handoff.learning.replay_side import open_replays
from handoff.learning.serving_side import open_serving
from knowledge_base.library import Library
from knowledge_base.synonym_book import SynonymBook
from learning.example_desk import ExampleDesk
from learning.limit_book import LimitBook
from learning.limit_desk import LimitDesk
from learning.model_choice import Served
from learning.replaying import Replaying
from learning.serving import Serving


@dataclass(slots=True)
class Studio:
    """The parts that the routes use; a desk without one of them says so when asked for it."""

    examples: ExampleDesk | None = None
    inbox: InboxSide | None = None
    models: ModelSide | None = None
    serving: Serving | None = None
    measuring: MeasuringSide | None = None
    replaying: Replaying | None = None
    limits: LimitDesk | None = None
    knowledge: KnowledgeSide | None = None

    async def start(self) -> None:
        """Begin what runs in the background."""
        for part in (self.inbox, self.models, self.serving, self.limits):
            if part is not None:
                await part.start()

    async def close(self) -> None:
        """Stop what runs in the background, the last begun first."""
        for part in (
            self.knowledge, self.limits, self.measuring, self.serving, self.models, self.inbox, self.examples
        ):  # fmt: skip
            if part is not None:
                await part.close()


async def open_studio(
    conversations: Conversations,
    leases: WorkLeases,
    dialogue: RasaDialogue,
    try_out: TryOut,
    library: Library,
    synonyms: SynonymBook,
    served: Served,
    limits: LimitBook,
    gate: Callable[[str], float],
    nlu_data: Path,
    data_dir: Path,
    time_zone: str,
    mlflow: tuple[str | None, str | None, str],
) -> Studio:
    """Every part over one desk's conversations; ``gate`` is the score an article needs to be quoted in a language."""
    knowledge = library.kb
    examples = await ExampleDesk.open(conversations.database, nlu_data, data_dir, dialogue, limits)
    inbox = open_inbox(
        conversations, leases, knowledge.sentence_vectors, knowledge, try_out, nlu_data, examples.book
    )  # fmt: skip
    models = open_models(conversations, leases, dialogue, mlflow)
    serving = await open_serving(conversations, dialogue, leases, served)
    replaying = open_replays(conversations, models.jobs, limits)
    serving.gate = replaying.gate
    return Studio(
        examples,
        inbox,
        models,
        serving,
        open_measuring(conversations, examples, models, dialogue, limits, gate, synonyms, knowledge),
        replaying,
        open_limits(conversations, leases, limits, dialogue, nlu_data, knowledge),
        open_knowledge(library, conversations, inbox, time_zone, gate),
    )
