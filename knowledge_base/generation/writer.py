"""Has an answer phrased by the language model from the passages that were found, and keeps it only if it is supported.

Whatever goes wrong (no endpoint, time, form, a sentence that no passage supports), there is no phrased answer, the
quoted one is given instead, and the trace says why.
"""

from __future__ import annotations

import asyncio
import itertools
import json
import re
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import structlog

from knowledge_base.articles import Passage
from knowledge_base.encoder import Vectors
from knowledge_base.generation.endpoint import ChatEndpoint, EndpointFailed
from knowledge_base.generation.faithfulness import (
    MAX_ANSWER,
    MAX_SENTENCES,
    Cited,
    FaithfulnessChecker,
    Verdict,
)
from knowledge_base.generation.instructions import without_orders
from knowledge_base.generation.masking import Call, masked_call, without_numbers
from knowledge_base.generation.prompt_store import PromptStore
from knowledge_base.generation.prompts import BadPrompt, Prompt, Rendered, Said, render
from knowledge_base.knowledge_base import Citation, Hit

MAX_PASSAGES = 4
MAX_HISTORY = 6
_SHARE_OF_BEST = 0.25  #: a passage that scores less than this share of the best one only distracts
_TRACED = 6000  #: characters of the model's output that are kept
_CHECK_SECONDS = 0.5  #: kept free for the checker
_HISTORY_SECONDS = 0.5
_LINE = re.compile(r"^\s*(?:[-*•]|\d{1,2}[.)、])\s*\S")
log = structlog.get_logger()

#: The last lines of a conversation before a message: (conversation, message) → oldest first.
History = Callable[[str, str], Awaitable[Sequence[Said]]]


@dataclass(frozen=True, slots=True)
class Written:
    """What came of an attempt; ``text`` is None when the quoted answer must be given."""

    text: str | None
    citations: tuple[Citation, ...]
    trace: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Request:
    """A question with what was found for it; ``seconds`` is what is left of the turn."""

    question: str
    language: str
    hits: Sequence[Hit]
    seconds: float
    conversation_id: str = ""
    turn_id: str = ""


class AnswerWriter:
    """Phrases answers through one endpoint with the prompts in use."""

    def __init__(
        self,
        endpoint: ChatEndpoint | None,
        prompts: PromptStore,
        checker: FaithfulnessChecker,
        *,
        history: History | None = None,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._endpoint = endpoint
        self._prompts = prompts
        self._checker = checker
        self._history = history
        self._now = now

    @classmethod
    async def open(
        cls,
        endpoint: ChatEndpoint | None,
        prompts: PromptStore,
        vectors: Callable[[Sequence[str]], Vectors],
        history: History,
    ) -> AnswerWriter:
        """A writer that checks meaning with these sentence vectors; ready at once when there is an endpoint."""
        checker = FaithfulnessChecker(vectors)
        if endpoint is not None:
            await asyncio.to_thread(checker.warm_up)
        return cls(endpoint, prompts, checker, history=history)

    @property
    def configured(self) -> bool:
        """Whether there is an endpoint at all."""
        return self._endpoint is not None

    @property
    def model(self) -> str | None:
        """The model's name at the endpoint."""
        return self._endpoint.model if self._endpoint else None

    async def write(self, request: Request, draft: Prompt | None = None, *, ask: bool = True) -> Written:
        """The phrased answer, or why there is none; never raises.

        ``draft`` takes the place of the prompt in use; without ``ask`` the prompt is only filled in, for the trace.
        """
        started = time.perf_counter()
        trace: dict[str, Any] = {"used": "extractive", "reason": None}
        if self._endpoint is not None:
            trace["model"] = self._endpoint.model
        try:
            written = await self._write(request, draft, trace, started, ask)
        except BadPrompt as problem:
            trace["reason"] = problem.code
            written = None
        except Exception as error:  # the quoted answer must not depend on any of this
            log.error("phrasing_failed", error=error, turn_id=request.turn_id)
            trace["reason"] = "internal"
            written = None
        trace.setdefault("timings_ms", {})["total"] = round((time.perf_counter() - started) * 1000, 1)
        return written or Written(None, (), trace)

    async def _write(
        self, request: Request, draft: Prompt | None, trace: dict[str, Any], started: float, ask: bool
    ) -> Written | None:
        prompt = draft or await self._prompts.active(f"answer_{request.language}")
        trace["prompt"] = {"name": prompt.name, "version": prompt.version}
        passages = usable_passages(request.hits)
        if not passages:
            trace["reason"] = "no_passages"
            return None
        call = self._endpoint.calls() if self._endpoint else masked_call()
        rendered = render(
            prompt,
            without_numbers(call.hide(request.question, request.language)),
            passages,
            history=await self._said_before(request, call) if "{{history}}" in prompt.template.replace(" ", "") else (),
            today=self._now().date().isoformat(),
        )
        scores = {hit.passage.id: hit.score for hit in request.hits}
        trace["passages"] = [
            {"id": short, "passage_id": one.id, "version": one.version, "score": scores[one.id], "title": one.title}
            for short, one in rendered.ids.items()
        ]
        trace["messages"] = [message.to_json() for message in rendered.messages]
        if self._endpoint is None or not ask:
            trace["reason"] = "not_asked" if self._endpoint else "no_endpoint"
            return None
        left = request.seconds - (time.perf_counter() - started) - _CHECK_SECONDS
        try:
            completion = await self._endpoint.complete(rendered.messages, left)
        except EndpointFailed as failure:
            trace |= {"reason": failure.reason, "attempts": failure.attempts}
            return None
        trace |= {"output": completion.text[:_TRACED], "attempts": completion.attempts, "tokens": completion.tokens}
        trace["timings_ms"] = {"model": round(completion.milliseconds, 1)}
        cited = read_sentences(completion.text)
        if isinstance(cited, str):
            trace["reason"] = cited
            return None
        left = request.seconds - (time.perf_counter() - started)
        verdicts = await self._check(rendered, passages, cited, request.language, left, trace)
        if verdicts is None:
            return None
        bad = next((verdict for verdict in verdicts if not verdict.supported), None)
        if bad is not None:
            trace["reason"] = f"unsupported_{bad.reason}"
            return None
        trace["used"] = "generated"
        return Written(call.restore(_joined(cited, request.language)), _citations(verdicts, rendered.ids), trace)

    async def _check(
        self,
        rendered: Rendered,
        passages: Sequence[tuple[Passage, str]],
        cited: Sequence[Cited],
        language: str,
        seconds: float,
        trace: dict[str, Any],
    ) -> list[Verdict] | None:
        began = time.perf_counter()
        evidence = dict(zip(rendered.ids, passages, strict=True))
        prompt = [message.content for message in rendered.messages]
        try:
            async with asyncio.timeout(max(0.05, seconds)):
                verdicts = await asyncio.to_thread(self._checker.check, cited, evidence, language, prompt)
        except TimeoutError:
            trace["reason"] = "no_time_to_check"
            return None
        trace["timings_ms"]["check"] = round((time.perf_counter() - began) * 1000, 1)
        trace["sentences"] = [_verdict_json(verdict) for verdict in verdicts]
        return verdicts

    async def _said_before(self, request: Request, call: Call) -> Sequence[Said]:
        if self._history is None or not request.conversation_id:
            return ()
        try:
            async with asyncio.timeout(_HISTORY_SECONDS):
                said = await self._history(request.conversation_id, request.turn_id)
        except Exception as error:
            log.warning("history_unavailable", error=error, conversation_id=request.conversation_id)
            return ()
        return [Said(one.who, without_numbers(call.hide(one.text))[:500]) for one in said[-MAX_HISTORY:]]

    async def close(self) -> None:
        """Close the connections to the endpoint."""
        if self._endpoint is not None:
            await self._endpoint.close()


def usable_passages(hits: Sequence[Hit]) -> list[tuple[Passage, str]]:
    """The passages that the model may use, with what is left of each without orders to a machine."""
    if not hits:
        return []
    near = [hit for hit in hits[:MAX_PASSAGES] if hit.score >= _SHARE_OF_BEST * hits[0].score]
    usable = [(hit.passage, without_orders(hit.passage.text)) for hit in near]
    return [(passage, text) for passage, text in usable if text.strip()]


def read_sentences(output: str) -> list[Cited] | str:
    """The sentences of the model's answer, or the code of what is wrong with it."""
    text = output.strip()
    fenced = re.fullmatch(r"```(?:json)?\s*(.*?)\s*```", text, re.DOTALL)
    try:
        form = json.loads(fenced.group(1) if fenced else text)
    except (ValueError, RecursionError):
        return "not_json"
    listed = form.get("sentences") if isinstance(form, dict) else None
    if not isinstance(listed, list):
        return "not_as_asked"
    if not listed:
        return "model_has_no_answer"
    if len(listed) > MAX_SENTENCES:
        return "too_long"
    found: list[Cited] = []
    for one in listed:
        if not isinstance(one, dict) or not isinstance(one.get("text"), str) or not one["text"].strip():
            return "not_as_asked"
        ids = one.get("passages")
        if not isinstance(ids, list) or not all(isinstance(short, str) for short in ids):
            return "not_as_asked"
        found.append(Cited(one["text"].strip(), tuple(ids)))
    return "too_long" if sum(len(one.text) for one in found) > MAX_ANSWER else found


def _joined(cited: Sequence[Cited], language: str) -> str:
    text = cited[0].text
    for before, one in itertools.pairwise(cited):
        lines = _LINE.match(one.text) or _LINE.match(before.text)
        text += ("\n" if lines else "" if language == "zh" else " ") + one.text
    return text


def _citations(verdicts: Sequence[Verdict], ids: Mapping[str, Passage]) -> tuple[Citation, ...]:
    """One citation per passage that supports a sentence, with the words that do."""
    quotes: dict[str, list[str]] = {}
    for verdict in verdicts:
        kept = quotes.setdefault(verdict.passage, [])
        if verdict.quote not in kept:
            kept.append(verdict.quote)
    return tuple(
        Citation(ids[short].id, ids[short].article_id, ids[short].title, " … ".join(kept), ids[short].url)
        for short, kept in quotes.items()
    )


def _verdict_json(verdict: Verdict) -> dict[str, Any]:
    return {
        "text": verdict.sentence.text,
        "passages": list(verdict.sentence.passages),
        "supported": verdict.supported,
        "reason": verdict.reason,
        "detail": verdict.detail,
        "passage": verdict.passage,
        "support": round(verdict.support, 3),
    }
