"""Traces show the way of a message with ids only, and cost nothing when nobody asked for them."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

import pytest

from connectors.checked_address import ForbiddenAddress
from conversations.model import Address, OutboundMessage
from conversations.store import Database
from conversations.turn_model import Reply, TurnRequest, TurnResult
from monitoring.spans import NoSpans, OtelSpans, open_spans
from monitoring.watchers import WatchedConversations
from tests.conversations.builders import inbound
from tests.monitoring.test_metrics import run_turn, until
from tests.monitoring.watched import watched_desk

pytest.importorskip("opentelemetry.sdk")
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter


@pytest.fixture
def exported() -> InMemorySpanExporter:
    return InMemorySpanExporter()


@pytest.fixture
def spans(exported: InMemorySpanExporter) -> OtelSpans:
    return OtelSpans(SimpleSpanProcessor(exported))


def named(exported: InMemorySpanExporter) -> dict[str, ReadableSpan]:
    return {span.name: span for span in exported.get_finished_spans()}


async def test_a_message_is_one_trace_from_the_channel_to_the_reply(
    database: Database, tmp_path: Path, spans: OtelSpans, exported: InMemorySpanExporter
) -> None:
    watched = await watched_desk(database, tmp_path, spans)
    desk = watched.desk
    desk.conversations.__class__ = WatchedConversations
    desk.conversations.spans = spans  # type: ignore[attr-defined]

    def asks_for_an_action(request: TurnRequest) -> TurnResult:
        with watched.watchers.action("action_answer_question", request.conversation_id) as seen:
            seen.status = 200
        return TurnResult((Reply("two years"),), {"language": "en", "route": "knowledge"})

    desk.bot.answer = asks_for_an_action
    conversation_id = await run_turn(watched, "is it 13912345678?")

    async def deliver(_address: Address, _message: OutboundMessage) -> str:
        raise ForbiddenAddress("into 10.0.0.1 for 13912345678")

    outbox = watched.outbox(deliver)
    await outbox.start()
    await until(lambda: "send" in named(exported))
    await outbox.stop()
    await spans.close()
    seen = named(exported)
    assert set(seen) == {"inbound", "turn", "bot call", "action", "send"}
    trace = seen["inbound"].get_span_context().trace_id
    assert {seen[name].get_span_context().trace_id for name in ("turn", "bot call", "action")} == {trace}
    for name, outer in (("turn", "inbound"), ("bot call", "turn"), ("action", "turn")):
        parent = seen[name].parent
        assert parent is not None
        assert parent.span_id == seen[outer].get_span_context().span_id, name
    attributes = seen["turn"].attributes or {}
    assert attributes["frontdesk.conversation_id"] == conversation_id
    assert attributes["frontdesk.outcome"] == "done"
    assert attributes["frontdesk.route"] == "knowledge"
    assert seen["send"].status.description == "ForbiddenAddress"
    # F40: no words, numbers or names anywhere in them.
    everything = " ".join(span.to_json() for span in exported.get_finished_spans())
    assert "13912345678" not in everything
    assert "two years" not in everything
    assert "visitor-1" not in everything


async def test_an_action_of_a_turn_in_another_process_starts_a_trace_of_its_own(
    spans: OtelSpans, exported: InMemorySpanExporter
) -> None:
    with spans.span("action", under="a conversation nobody works on here"):
        pass
    assert named(exported)["action"].parent is None


async def test_the_share_of_kept_traces_is_obeyed(exported: InMemorySpanExporter) -> None:
    spans = OtelSpans(SimpleSpanProcessor(exported), share=0.0)
    with spans.span("turn"), spans.span("bot call"):
        pass
    assert exported.get_finished_spans() == ()


async def test_turns_at_the_same_time_do_not_mix_their_traces(spans: OtelSpans, exported: InMemorySpanExporter) -> None:
    async def turn(number: int) -> None:
        with spans.span(f"turn {number}", opens=str(number)):
            await asyncio.sleep(0)
            with spans.span(f"action {number}", under=str(number)):
                await asyncio.sleep(0)

    await asyncio.gather(*map(turn, range(5)))
    seen = named(exported)
    for number in range(5):
        parent = seen[f"action {number}"].parent
        assert parent is not None
        assert parent.span_id == seen[f"turn {number}"].get_span_context().span_id


async def test_without_an_address_there_are_no_spans() -> None:
    spans = open_spans(None)
    assert isinstance(spans, NoSpans)
    with spans.span("turn") as span:
        assert span is None
    await spans.close()


def test_an_address_without_the_packages_stops_the_start_with_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "opentelemetry.exporter.otlp.proto.http.trace_exporter", None)
    with pytest.raises(SystemExit, match=r"(?s)pip install '\.\[otel\]'.*请执行"):
        open_spans("http://127.0.0.1:4318")


async def test_a_collector_that_is_away_holds_nobody_up() -> None:
    spans = open_spans("http://127.0.0.1:9")
    with spans.span("turn", channel=inbound().address.channel):
        pass
    async with asyncio.timeout(30):
        await spans.close()
