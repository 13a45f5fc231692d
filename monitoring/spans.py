"""Traces: nothing unless an address for them is set, otherwise OpenTelemetry's spans, sent by OTLP over HTTP.

A span holds ids, names from short lists and kinds of errors; never a text, a name or an address.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from opentelemetry.context import Context
    from opentelemetry.sdk.trace import SpanProcessor

SERVICE = "frontdesk"
NEEDED = "opentelemetry-sdk and opentelemetry-exporter-otlp-proto-http"


class Spans(Protocol):
    """What the watchers need of traces."""

    def span(
        self, name: str, *, under: str | None = None, opens: str | None = None, **attributes: str | int
    ) -> AbstractContextManager[Any]:
        """A span around a block, inside the one that is open here.

        ``opens`` is a key by which other requests, such as the bot's action calls, find this span to be ``under``.
        """
        ...

    async def close(self) -> None:
        """Send what is left."""
        ...


class NoSpans:
    """Nobody asked for traces."""

    def span(
        self, name: str, *, under: str | None = None, opens: str | None = None, **attributes: str | int
    ) -> AbstractContextManager[Any]:
        """Nothing."""
        return nullcontext()

    async def close(self) -> None:
        """Nothing to send."""


class OtelSpans:
    """Spans of this process."""

    def __init__(self, processor: SpanProcessor, share: float = 1.0) -> None:
        from opentelemetry.sdk.resources import Resource
        from opentelemetry.sdk.trace import TracerProvider
        from opentelemetry.sdk.trace.sampling import ParentBased, TraceIdRatioBased

        resource = Resource.create({"service.name": SERVICE})
        self._provider = TracerProvider(sampler=ParentBased(TraceIdRatioBased(share)), resource=resource)
        self._provider.add_span_processor(processor)
        self._tracer = self._provider.get_tracer("frontdesk")
        self._open: dict[str, Context] = {}

    @contextmanager
    def span(
        self, name: str, *, under: str | None = None, opens: str | None = None, **attributes: str | int
    ) -> Iterator[Any]:
        """See ``Spans``; an exception leaves its kind, not its words."""
        from opentelemetry import context, trace

        parent = self._open.get(under) if under is not None else None
        named = {f"frontdesk.{key}": value for key, value in attributes.items()}
        with self._tracer.start_as_current_span(
            name, parent, attributes=named, record_exception=False, set_status_on_exception=False
        ) as span:
            if opens is not None:
                self._open[opens] = context.get_current()
            try:
                yield span
            except BaseException as error:
                span.set_status(trace.StatusCode.ERROR, type(error).__name__)
                raise
            finally:
                if opens is not None:
                    self._open.pop(opens, None)

    async def close(self) -> None:
        """Send what is left, for at most as long as the exporter waits."""
        await asyncio.to_thread(self._provider.shutdown)


def open_spans(url: str | None, share: float = 1.0) -> Spans:
    """Spans that go to the collector at ``url``; none without one. Raises ``SystemExit`` when the packages are missing."""
    if not url:
        return NoSpans()
    try:
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
        from opentelemetry.sdk.trace.export import BatchSpanProcessor
    except ImportError:
        raise SystemExit(
            f"OTEL_EXPORTER_OTLP_ENDPOINT is set, but {NEEDED} are not installed; install them with pip install"
            " '.[otel]', or take the setting out.\n"
            f"已设置 OTEL_EXPORTER_OTLP_ENDPOINT，但没有安装 {NEEDED}；请执行 pip install '.[otel]'，或去掉这项设置。"
        ) from None
    exporter = OTLPSpanExporter(endpoint=f"{url.rstrip('/')}/v1/traces", timeout=5)
    return OtelSpans(BatchSpanProcessor(exporter), share)
