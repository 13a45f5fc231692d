"""What trainers do with prompts: read their versions, save, try with a question, put into use and take back."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Protocol

from knowledge_base.generation.prompt_store import Activation, Author, PromptStore
from knowledge_base.generation.prompts import (
    FRAMES,
    MAX_NOTE,
    MAX_TEMPLATE,
    MAX_VALUE,
    PROMPTS,
    VALUES,
    VARIABLES,
    BadPrompt,
    Prompt,
    check_prompt,
)
from knowledge_base.generation.writer import AnswerWriter, Request
from knowledge_base.knowledge_base import Answer, Citation, Hit

_TEST_SECONDS = 8.0  #: as long as an action of the bot may take


class Knowledge(Protocol):
    """What a test needs of the knowledge base."""

    @property
    def gate(self) -> float:
        """The score from which the bot answers."""

    async def answer(self, text: str, language: str, gate: float | None = None) -> Answer | None:
        """The quoted answer, if the best article's score reaches the gate."""

    async def search(self, text: str, language: str | None = None, limit: int = 10) -> list[Hit]:
        """The best passages."""


class PromptDesk:
    """The prompts, the writer that uses them and the knowledge base that a test searches."""

    def __init__(
        self, store: PromptStore, writer: AnswerWriter, knowledge: Knowledge, gate: Callable[[str], float] | None = None
    ) -> None:
        self._store = store
        self._writer = writer
        self._knowledge = knowledge
        self._gate = gate or (lambda _language: knowledge.gate)

    async def overview(self) -> dict[str, Any]:
        """Every prompt with the version in use, and what a template may hold."""
        prompts = []
        for name in PROMPTS:
            active, versions = await self._store.active(name), await self._store.versions(name)
            prompts.append(
                {
                    "name": name,
                    "language": active.language,
                    "active_version": active.version,
                    "versions": len(versions),
                    "changed_at": versions[0].created_at.isoformat() if versions[0].created_at else None,
                }
            )
        return {
            "prompts": prompts,
            "variables": [
                {"name": one.name, "required": one.required, "data": one.data, "value": False} for one in VARIABLES
            ]
            + [{"name": name, "required": False, "data": False, "value": True} for name in VALUES],
            "limits": {"template": MAX_TEMPLATE, "value": MAX_VALUE, "note": MAX_NOTE},
            "model": self._writer.model,
        }

    async def prompt(self, name: str) -> dict[str, Any]:
        """One prompt with all its versions and when each was used; raises ``BadPrompt``."""
        active = await self._store.active(name)
        return {
            "name": name,
            "language": active.language,
            "active_version": active.version,
            "frame": FRAMES[active.language],
            "versions": [prompt_json(one) for one in await self._store.versions(name)],
            "activations": [_activation_json(one) for one in await self._store.activations(name)],
        }

    async def save(
        self, name: str, template: str, values: Mapping[str, str], note: str, author: Author
    ) -> dict[str, Any]:
        """A new version, not in use yet; raises ``BadPrompt`` naming what to correct."""
        return prompt_json(await self._store.save(check_prompt(name, template, values, note), author))

    async def activate(self, name: str, version: int, author: Author) -> tuple[int, dict[str, Any]]:
        """Use a version from the next answer on; the version that was used before comes first."""
        before = (await self._store.active(name)).version
        return before, _activation_json(await self._store.activate(name, version, author))

    async def test(self, name: str, question: str, template: str, values: Mapping[str, str]) -> dict[str, Any]:
        """What a draft makes of a question: passages, prompt, output, verdicts, and the quoted answer beside it."""
        draft = check_prompt(name, template, values)
        question = question.strip()
        if not question:
            raise BadPrompt("no_question", "type a question to test with", "question")
        gate = self._gate(draft.language)
        answer = await self._knowledge.answer(question, draft.language, gate=gate)
        hits = answer.hits if answer else await self._knowledge.search(question, draft.language)
        request = Request(question, draft.language, hits, _TEST_SECONDS)
        # The bot does not answer what no article answers, so neither does the test.
        written = await self._writer.write(request, draft, ask=answer is not None)
        return {
            "answered": answer is not None,
            "score": round(hits[0].score, 4) if hits else 0.0,
            "gate": gate,
            "quoted": None if answer is None else {"text": answer.text, "citations": [citation_json(answer.citation)]},
            "phrased": None
            if written.text is None
            else {"text": written.text, "citations": [citation_json(one) for one in written.citations]},
            "generation": written.trace,
        }


def prompt_json(prompt: Prompt) -> dict[str, Any]:
    """A version as the console shows it."""
    return {
        "version": prompt.version,
        "template": prompt.template,
        "values": dict(prompt.values),
        "note": prompt.note,
        "author": prompt.author,
        "created_at": prompt.created_at.isoformat() if prompt.created_at else None,
    }


def citation_json(citation: Citation) -> dict[str, str]:
    """A source as messages carry it."""
    return {
        "passage_id": citation.passage_id,
        "article_id": citation.article_id,
        "title": citation.title,
        "quote": citation.quote,
        "url": citation.url,
    }


def _activation_json(activation: Activation) -> dict[str, Any]:
    return {"version": activation.version, "author": activation.author, "at": activation.at.isoformat()}
