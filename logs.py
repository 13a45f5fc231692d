"""How the service writes its log: one JSON object per line, with ids and without anybody's words or secrets."""

from __future__ import annotations

import logging
import sys
import threading
from collections.abc import Callable, Iterable
from typing import Any

import structlog
from structlog.typing import EventDict

from monitoring.scrubbing import Scrubber, crash

#: Libraries that tell too much below a warning; some write addresses with a token in them.
CHATTY = ("httpx", "httpcore", "telegram", "sanic.access", "alembic", "opentelemetry", "rasa_sdk")


def as_json(level: str, secrets: Iterable[str] = (), count: Callable[[str], None] | None = None) -> None:
    """Write nothing below the level, and ``secrets`` never; ``count`` is told the level of each line.

    What libraries log goes the same way, on standard error.
    """
    scrub = Scrubber(secrets)

    def counted(_logger: Any, method: str, event: EventDict) -> EventDict:
        if count is not None:
            count(str(event.get("level", method)))
        return event

    begin: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    end: list[Any] = [scrub, counted, structlog.processors.JSONRenderer(ensure_ascii=False, default=str)]
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[*begin, structlog.stdlib.add_logger_name],
            processors=[_first_line_of_asyncio, structlog.stdlib.ProcessorFormatter.remove_processors_meta, *end],
        )
    )
    logging.basicConfig(level=level, handlers=[handler], force=True)
    for chatty in CHATTY:
        logging.getLogger(chatty).setLevel(logging.WARNING)
    structlog.configure(
        processors=[*begin, *end],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelName(level)),
    )
    sys.excepthook = crash
    threading.excepthook = lambda raised: crash(
        raised.exc_type, raised.exc_value or raised.exc_type(), raised.exc_traceback
    )


def _first_line_of_asyncio(_logger: Any, _method: str, event: EventDict) -> EventDict:
    """Below its first line asyncio prints the task with its exception's words; the exception itself follows, cleaned."""
    if event.get("logger") == "asyncio":
        event["event"] = str(event["event"]).split("\n", 1)[0]
    return event
