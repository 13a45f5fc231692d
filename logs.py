"""How the service writes its log."""

from __future__ import annotations

import logging

import structlog

#: Libraries that tell too much below a warning; some write addresses with a token in them.
CHATTY = ("httpx", "httpcore", "telegram", "sanic.access", "alembic")


def as_json(level: str) -> None:
    """One JSON object per line; nothing below the level."""
    logging.basicConfig(level=level, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    for chatty in CHATTY:
        logging.getLogger(chatty).setLevel(logging.WARNING)
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            structlog.processors.JSONRenderer(ensure_ascii=False),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelName(level)),
    )
