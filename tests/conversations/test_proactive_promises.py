"""Whatever happens in whatever order: never after an opt-out, never twice, never when it is too old."""

from __future__ import annotations

import asyncio
import shutil
import tempfile
from datetime import timedelta
from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from conversations.errors import (
    ChannelUnavailable,
    ContactUnreachable,
    DeliveryUnknown,
    MessageRejected,
    RateLimited,
    WindowClosed,
)
from conversations.model import Address, InboundMessage, new_id
from conversations.proactive_store import OPEN, ProactiveStore
from conversations.store import Database
from tests.conversations.builders import Clock, TestDesk
from tests.conversations.telling import SHIPPED, Telling, known

FAILURES = {
    "down": ChannelUnavailable("503"),
    "limited": RateLimited(5.0),
    "unseen": DeliveryUnknown("cut off"),
    "refused": MessageRejected("no"),
    "blocked": ContactUnreachable("blocked"),
    "late": WindowClosed("131047"),
}
PEOPLE = (("ann", "telegram"), ("861380000", "whatsapp"))
STEP = st.one_of(
    st.tuples(st.just("event"), st.integers(0, 3)),
    st.tuples(st.just("stop"), st.integers(0, 1)),
    st.tuples(st.just("start"), st.integers(0, 1)),
    st.tuples(st.just("writes"), st.integers(0, 1)),
    st.tuples(st.just("fails"), st.sampled_from(sorted(FAILURES))),
    st.tuples(st.just("look"), st.just(0)),
    st.tuples(st.just("send"), st.just(0)),
    st.tuples(st.just("later"), st.sampled_from([30, 4000, 26 * 3600, 80 * 3600])),
    st.tuples(st.just("night"), st.booleans()),
)


class Story:
    """One run, with what must never be."""

    def __init__(self, telling: Telling) -> None:
        self.telling = telling
        self.off = False
        self.sent_for: dict[str, int] = {}

    async def step(self, name: str, value: object) -> None:
        telling, before = self.telling, len(self.telling.channels.told)
        if name == "event":
            await telling.proactive.tell(
                "shop", f"key-{value}", "order_shipped", {"customer": "C-1"}, SHIPPED | {"order": f"KT0000000{value}"}
            )
        elif name in ("stop", "start", "writes"):
            contact, channel = PEOPLE[int(str(value))]
            await known_says(telling, contact, channel, {"stop": "STOP", "start": "START", "writes": "hi"}[name])
            self.off = await self.is_off()
        elif name == "fails":
            telling.channels.fails.append(FAILURES[str(value)])
        elif name == "look":
            await telling.sender.work()
        elif name == "send":
            await telling.send_out()
        elif name == "later":
            telling.desk.clock.advance(float(str(value)))
        else:
            telling.open = not value
        new = telling.channels.told[before:]
        assert not (self.off and new), f"told after an opt-out: {new}"
        for _, _, text in new:
            self.sent_for[text] = self.sent_for.get(text, 0) + 1
        assert all(count == 1 for count in self.sent_for.values()), f"told twice: {self.sent_for}"

    async def is_off(self) -> bool:
        """Whether anybody of this customer does not want it."""
        ids = {await contact_id_of(self.telling, *one) for one in PEOPLE}
        return any([(await self.telling.proactive.preferences(one)).off for one in ids])


async def known_says(telling: Telling, contact: str, channel: str, text: str) -> None:
    await telling.conversations.receive(
        InboundMessage(Address(channel, "default", contact), new_id(), text, language="en")
    )


async def contact_id_of(telling: Telling, contact: str, channel: str) -> str:
    found = await telling.conversations.find_current(Address(channel, "default", contact))
    assert found is not None
    return found.contact_id


async def run(template: Path, steps: list[tuple[str, object]]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        shutil.copy(template, Path(folder) / "desk.db")
        database = Database.open(f"sqlite+aiosqlite:///{folder}/desk.db")
        try:
            telling = Telling(TestDesk(database, Clock()), per_day=3)
            telling.channels.windows["whatsapp"], telling.channels.templates = timedelta(hours=24), {"whatsapp"}
            for contact, channel in PEOPLE:
                await telling.proves(await known(telling, contact, channel), "C-1")
            story = Story(telling)
            for name, value in steps:
                await story.step(name, value)
            telling.channels.fails.clear()
            telling.open = True
            for _ in range(12):  # in the end everything is settled
                for name in ("look", "send"):
                    await story.step(name, 0)
                await story.step("later", 26 * 3600)
            async with database.read() as connection:
                ids = [await contact_id_of(telling, *one) for one in PEOPLE]
                left = [one for one in await ProactiveStore(connection).latest(ids, 100) if one.state in OPEN]
            assert left == [], "every message comes to an end"
        finally:
            await database.close()


@settings(max_examples=12, deadline=None, suppress_health_check=list(HealthCheck))
@given(steps=st.lists(STEP, min_size=4, max_size=25))
def test_never_after_an_opt_out_never_twice(sqlite_template: Path, steps: list[tuple[str, object]]) -> None:
    asyncio.run(run(sqlite_template, steps))
