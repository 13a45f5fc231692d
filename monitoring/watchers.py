"""What stands around the work of the rooms and reports it to the meter and the traces, without changing the work."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager

from actions.webhook import ActionSeen
from conversations.conversations import Conversations
from conversations.dialogue import Dialogue
from conversations.model import Address, InboundMessage, OutboundMessage, Receipt
from conversations.turn_model import TurnRequest, TurnResult
from conversations.turns import Claim, TurnSeen
from knowledge_base.generation.endpoint import MAX_OUTPUT_TOKENS, ChatEndpoint, Completion, EndpointFailed, Message
from knowledge_base.knowledge_base import KnowledgeBase
from knowledge_base.readers import Reader
from knowledge_base.results import Answer, Hit
from monitoring.meter import Meter
from monitoring.spans import NoSpans, Spans

Deliver = Callable[[Address, OutboundMessage], Awaitable[str]]


class Watchers:
    """Makes the watchers of one process."""

    def __init__(self, meter: Meter, spans: Spans) -> None:
        self.meter = meter
        self.spans = spans

    @contextmanager
    def turn(self, claim: Claim) -> Iterator[TurnSeen]:
        """Around a turn."""
        seen, began = TurnSeen(), time.perf_counter()
        conversation = claim.conversation
        try:
            with self.spans.span(
                "turn",
                opens=conversation.id,
                conversation_id=conversation.id,
                turn_id=claim.message.id,
                channel=conversation.reached_at.channel,
            ) as span:
                yield seen
                if span is not None:
                    route = seen.result.trace.get("route") if seen.result is not None else None
                    span.set_attribute("frontdesk.outcome", seen.outcome)
                    span.set_attribute("frontdesk.route", str(route))
        finally:
            self.meter.turn_ended(claim, seen.outcome, seen.result, time.perf_counter() - began)

    @contextmanager
    def action(self, name: str, conversation_id: str) -> Iterator[ActionSeen]:
        """Around an action of the bot, inside the turn that asked for it."""
        seen, began = ActionSeen(), time.perf_counter()
        try:
            with self.spans.span("action", under=conversation_id, action=name[:80], conversation_id=conversation_id):
                yield seen
        finally:
            self.meter.acted(name, seen.status, time.perf_counter() - began)

    def dialogue(self, dialogue: Dialogue) -> Dialogue:
        """The bot, watched."""
        return _Dialogue(dialogue, self)

    def knowledge(self, knowledge_base: KnowledgeBase) -> Knowledge:
        """What the bot asks of the knowledge base, watched."""
        return Knowledge(knowledge_base, self)

    def deliver(self, deliver: Deliver) -> Deliver:
        """Sending, watched."""

        async def sent(address: Address, message: OutboundMessage) -> str:
            began, problem = time.perf_counter(), None
            try:
                with self.spans.span(
                    "send",
                    conversation_id=message.conversation_id,
                    outbox_id=message.outbox_id,
                    channel=address.channel,
                    account=address.account,
                ):
                    return await deliver(address, message)
            except BaseException as error:
                problem = error
                raise
            finally:
                self.meter.sent(address, time.perf_counter() - began, problem)

        return sent


class _Dialogue:
    def __init__(self, dialogue: Dialogue, watchers: Watchers) -> None:
        self._dialogue = dialogue
        self._watchers = watchers

    async def respond(self, request: TurnRequest) -> TurnResult:
        began, problem = time.perf_counter(), None
        try:
            with self._watchers.spans.span(
                "bot call", conversation_id=request.conversation_id, turn_id=request.turn_id
            ):
                return await self._dialogue.respond(request)
        except BaseException as error:
            problem = error
            raise
        finally:
            self._watchers.meter.bot_called(time.perf_counter() - began, problem)


class Knowledge:
    """The three questions of the bot to the knowledge base; see ``actions.answer_question.Knowledge``."""

    def __init__(self, knowledge_base: KnowledgeBase, watchers: Watchers) -> None:
        self._knowledge_base = knowledge_base
        self._watchers = watchers

    @contextmanager
    def _look(self, what: str) -> Iterator[None]:
        began = time.perf_counter()
        try:
            with self._watchers.spans.span("retrieval", what=what):
                yield
        finally:
            self._watchers.meter.looked_up(what, time.perf_counter() - began)

    async def answer(
        self, text: str, language: str, gate: float | None = None, reader: Reader | None = None
    ) -> Answer | None:
        """As the knowledge base answers."""
        with self._look("answer"):
            return await self._knowledge_base.answer(text, language, gate, reader)

    async def answer_from(
        self, article_id: str, language: str, text: str = "", reader: Reader | None = None
    ) -> Answer | None:
        """As the knowledge base answers."""
        with self._look("answer_from"):
            return await self._knowledge_base.answer_from(article_id, language, text, reader)

    async def search(
        self, text: str, language: str | None = None, limit: int = 10, reader: Reader | None = None
    ) -> list[Hit]:
        """As the knowledge base finds."""
        with self._look("search"):
            return await self._knowledge_base.search(text, language, limit, reader)


class WatchedEndpoint(ChatEndpoint):
    """A language model whose calls are counted; ``meter`` is set once, before the first call."""

    meter: Meter | None = None

    def patient(self, timeout_seconds: float) -> ChatEndpoint:
        """Another connection, counted as well."""
        other = WatchedEndpoint(self._url, self.model, self._key, timeout_seconds=timeout_seconds)
        other.meter = self.meter
        return other

    async def complete(
        self, messages: Sequence[Message], seconds: float | None = None, max_tokens: int = MAX_OUTPUT_TOKENS
    ) -> Completion:
        """As ``ChatEndpoint.complete``."""
        began, outcome, tokens = time.perf_counter(), "failed", dict[str, int]()
        try:
            completion = await super().complete(messages, seconds, max_tokens)
            outcome, tokens = "answered", completion.tokens
            return completion
        except EndpointFailed as failure:
            outcome = failure.reason
            raise
        finally:
            if self.meter is not None:
                self.meter.completed(outcome, time.perf_counter() - began, tokens)


class WatchedConversations(Conversations):
    """Conversations whose arrivals leave a span and name their channel in the log; ``spans`` is set by the app."""

    spans: Spans = NoSpans()

    async def receive(self, inbound: InboundMessage) -> Receipt:
        """As ``Conversations.receive``."""
        where = inbound.address
        with self.spans.span("inbound", channel=where.channel, account=where.account) as span:
            receipt = await super().receive(inbound)
            if span is not None:
                span.set_attribute("frontdesk.conversation_id", receipt.conversation_id)
            return receipt
