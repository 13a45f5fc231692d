"""What masking costs: ``python -m benchmarks.masking``. Prints one JSON object last.

A message is read once by the finder and then remembered, so both are measured; the route is a transcript of 200 messages, read
by a trainer (everything masked) and by an agent (ID and bank cards), each against the same answer let through unread.
"""

from __future__ import annotations

import asyncio
import itertools
import json
import statistics
import tempfile
import time
from pathlib import Path
from typing import Any

from conversations.model import Address, InboundMessage, new_id
from handoff.roles import Role
from personal_data.evaluate import LANGUAGES, LINES, microseconds, read_lines
from personal_data.finding import Finder
from personal_data.masks import masked
from tests.handoff.desk import Browser, Desk, open_desk

MESSAGES = 200
ROUNDS = 25


async def transcript(desk: Desk) -> str:
    """A conversation of as many messages, every third of them with something personal."""
    texts = itertools.cycle(text for language in LANGUAGES for text, _ in read_lines(LINES / f"{language}.txt"))
    address = Address("web", "default", "somebody")
    conversation_id = ""
    for text in itertools.islice(texts, MESSAGES):
        receipt = await desk.conversations.receive(InboundMessage(address, new_id(), text, contact_name="Lin Mei"))
        conversation_id = receipt.conversation_id
    return conversation_id


async def milliseconds(desk: Desk, browser: Browser, path: str) -> dict[str, float]:
    """The median time of the processor for the route with the veil and without it, taken in turns."""

    async def unread(data: Any, *_: Any) -> Any:
        return data

    veil, taken = desk.side.veil, {"masked": [], "unread": []}  # type: dict[str, list[float]]
    over = veil.over
    for _ in range(ROUNDS):
        for name, way in (("masked", over), ("unread", unread)):
            veil.over = way  # type: ignore[method-assign]
            began = time.process_time()
            response = await browser.get(path, limit=MESSAGES)
            taken[name].append((time.process_time() - began) * 1000)
            assert response.status_code == 200
    veil.over = over  # type: ignore[method-assign]
    medians = {name: round(statistics.median(values), 2) for name, values in taken.items()}
    return medians | {"ratio": round(medians["masked"] / medians["unread"], 3)}


async def main() -> None:
    """Measure and print."""
    figures: dict[str, Any] = {"message": microseconds(Finder())}
    texts = [text for language in LANGUAGES for text, _ in read_lines(LINES / f"{language}.txt")]
    for text in texts:
        masked(text)
    began = time.perf_counter()
    for text in texts:
        masked(text)
    figures["message"]["us_again"] = round((time.perf_counter() - began) / len(texts) * 1e6, 1)
    with tempfile.TemporaryDirectory() as folder:
        async with open_desk(Path(folder)) as desk:
            conversation_id = await transcript(desk)
            for role in (Role.TRAINER, Role.AGENT):
                browser = await desk.browser(role.value.title(), role)
                figures[role.value] = await milliseconds(desk, browser, f"conversations/{conversation_id}/messages")
    print(
        f"a message: {figures['message']['us_p50']} µs the first time, {figures['message']['us_again']} µs after that"
    )
    for role in ("trainer", "agent"):
        print(f"{MESSAGES} messages for a {role}: {figures[role]}")
    print(json.dumps(figures))


if __name__ == "__main__":
    asyncio.run(main())
