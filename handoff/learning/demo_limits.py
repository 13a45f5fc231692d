"""What the demo shop's turns of the past weeks showed about thresholds: numbers only, as the log of a real desk has them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from random import Random
from typing import Any

from conversations.store import Database
from learning.limit_cases import Band, Case, Done
from learning.limit_store import LimitStore

MODEL = "demo"
_MESSAGES = 420  #: of each language
_DAYS = 24
_ANSWER, _CLARIFY, _RETRIEVAL = 0.35, 0.15, 0.4  # where its turns were decided
_INTENTS = ("order_status", "return_refund", "change_address", "request_invoice", "cancel_order", "open_ticket")


async def load_limit_cases(database: Database, now: Callable[[], datetime]) -> int:
    """Make the rows, if there are none yet; returns how many were made."""
    async with database.write() as connection:
        store = LimitStore(connection)
        if await store.first("zh", MODEL) is not None:
            return 0
        random = Random(29)  # noqa: S311  # the demo is the same everywhere
        made = [
            _case(random, language, number, now() - timedelta(days=_DAYS * (1 - number / _MESSAGES), hours=3))
            for language in ("zh", "en")
            for number in range(_MESSAGES)
        ]
        await store.put([], made)
    return len(made)


def _case(random: Random, language: str, number: int, at: datetime) -> Case:
    score, article = round(random.betavariate(2.6, 1.1), 4), round(random.betavariate(1.9, 1.2), 4)
    told = random.random() < 0.3
    # The thresholds in force are those of the model that serves, which nobody knows before its first turn.
    place = {"message_id": f"demo-{language}-{number}", "conversation_id": f"demo-{language}-{number // 2}"}
    common: dict[str, Any] = {
        **place,
        "at": at,
        "language": language,
        "model_id": MODEL,
        "top": random.choice(_INTENTS),
    }
    if number % 3 == 0:
        return Case(**common | {"top": "ask_knowledge"}, **_looked_up(random, article, told=told))
    if score >= _ANSWER:
        wrong = random.random() > 0.45 + 0.55 * score
        told = told or (wrong and random.random() < 0.4)  # the annoyed speak more often
        evidence = random.choice(("scolded", "asked_person", "trainer")) if wrong else "rating"
        return Case(
            **common, done=Done.ACTED, score=score, band=Band.ACT,
            act_wrong=wrong if told else None, evidence=evidence if told else None,
        )  # fmt: skip
    if score >= _CLARIFY:
        helped = random.random() < 0.35 + score
        done = Done.HANDED_OFF if random.random() < 0.08 else Done.CLARIFIED
        chose = told and done is Done.CLARIFIED
        return Case(**common, done=done, score=score, band=Band.CLARIFY, helped=helped if chose else None)
    return Case(**common, score=score, band=Band.KNOWLEDGE, **_looked_up(random, article, told=told))


def _looked_up(random: Random, article: float, *, told: bool) -> dict[str, Any]:
    if article < _RETRIEVAL:
        return {"retrieval": article, "done": Done.HANDED_OFF if random.random() < 0.25 else Done.MISSED}
    wrong = random.random() > 0.4 + 0.6 * article
    verdict: dict[str, Any] = {"answer_wrong": wrong, "evidence": "scolded" if wrong else "rating"} if told else {}
    return {"retrieval": article, "done": Done.ANSWERED, **verdict}
