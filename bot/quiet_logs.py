"""Logging of the bot: warnings of others, information of our own, and never the text of a message."""

from __future__ import annotations

import logging
import sys
import warnings

import structlog


def configure(level: int = logging.INFO) -> None:
    """One line per entry on standard error; what Rasa would log of a message's text stays unlogged."""
    warnings.filterwarnings("ignore")
    logging.basicConfig(
        level=logging.WARNING, stream=sys.stderr, format="%(asctime)s %(levelname)s %(name)s %(message)s", force=True
    )
    logging.getLogger("bot").setLevel(level)
    for noisy in ("rasa.shared.utils.io", "rasa.core.policies", "matplotlib", "apscheduler", "jieba"):
        logging.getLogger(noisy).setLevel(logging.ERROR)
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
