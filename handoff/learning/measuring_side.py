"""Testing and trying out the models of one service process: opened by the app, closed with the staff's side."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from conversations.audit import AuditEntry
from conversations.conversations import Conversations
from conversations.dialogue import Dialogue
from conversations.model import Agent, new_id
from conversations.turn_model import Thresholds
from handoff.learning.model_side import ModelSide
from knowledge_base.knowledge_base import KnowledgeBase
from knowledge_base.synonym_book import SynonymBook
from learning.changes import LANGUAGES
from learning.cross_notes import CrossNotes
from learning.example_desk import ExampleDesk
from learning.job_store import Job, JobStore
from learning.jobs import Jobs
from learning.knowledge_tests import KnowledgeTesting
from learning.saved_tests import SavedTests
from learning.trials import Trials
from learning.versions import Versions

TEST, CROSS, KNOWLEDGE = "test", "cross_validate", "knowledge"
DONE = ("done",)


@dataclass(slots=True)
class MeasuringSide:
    """The parts that the routes use."""

    conversations: Conversations
    saved: SavedTests
    trials: Trials
    knowledge: KnowledgeTesting
    jobs: Jobs
    versions: Versions

    async def close(self) -> None:
        """Stop what runs in the background."""
        await self.knowledge.stop()

    async def live(self) -> str | None:
        """The version that serves, as far as that is known."""
        served = await self.versions.served()
        return served.live if served is not None else None

    async def ask(self, kind: str, model: str, agent: Agent, folds: int) -> Job:
        """Have a version tested, or the examples cross-validated by its reading, on the terms that are in force now."""
        if kind == CROSS:
            return await self.jobs.enqueue(CROSS, {"model": model, "folds": folds}, agent, model)
        return await self.jobs.enqueue(TEST, {"model": model, "turn": self.trials.turn_metadata()}, agent, model)

    async def test_knowledge(self, agent: Agent) -> bool:
        """Ask the index in the background; False while it still runs."""
        began = self.conversations.now()

        async def done(result: dict[str, Any]) -> None:
            now = self.conversations.now()
            job = Job(
                new_id(), KNOWLEDGE, "done", None, {}, None, result, None, 1, None, agent.id, agent.name, began, began, now
            )  # fmt: skip
            async with self.conversations.database.write() as connection:
                await JobStore(connection).add(job)
                facts = {"job_id": job.id, "kind": KNOWLEDGE, "model": None, "attempts": 1}
                entry = AuditEntry("learning_job_done", f"agent:{agent.id}", data=facts)
                await self.conversations.audit.append(connection, now, [entry])

        return self.knowledge.begin((await self.saved.look()).questions, done)

    async def note_tested(self, job: Job) -> str | None:
        """Keep the figures of a test with its version, for lists."""
        result = job.result or {}
        stories = result.get("stories") or []
        sections = result.get("sections") or {}
        figures = {name: (section.get("figures") or {}).get("accuracy") for name, section in sections.items()}
        passed = sum(1 for story in stories if story.get("passed"))
        tested = {"accuracy": figures, "stories": len(stories), "stories_passed": passed, "job_id": job.id}
        if job.model is not None:
            await self.versions.note_metrics(job.model, {"tested": tested})
        return job.model


def open_measuring(
    conversations: Conversations,
    examples: ExampleDesk,
    models: ModelSide,
    dialogue: Dialogue,
    thresholds: Mapping[str, Thresholds],
    gate: Callable[[str], float],
    synonyms: SynonymBook,
    knowledge: KnowledgeBase,
) -> MeasuringSide:
    """Tests and trials over a desk's examples and models; the examples learn what cross-validation found."""
    jobs = models.jobs

    def products_in(text: str) -> list[dict[str, Any]]:
        return [asdict(name) for name in synonyms.rules.products_in(text)]

    side = MeasuringSide(
        conversations,
        SavedTests(examples.book.folder),
        Trials(dialogue, lambda: thresholds, products_in),
        KnowledgeTesting(knowledge, lambda: max(map(gate, LANGUAGES))),
        jobs,
        models.versions,
    )
    examples.cross = CrossNotes(lambda: jobs.latest(CROSS, states=DONE))
    jobs.on_done[TEST] = side.note_tested
    return side
