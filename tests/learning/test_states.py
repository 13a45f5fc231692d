"""Whatever trainers and customers do in whatever order, the inbox adds up."""

from __future__ import annotations

import asyncio
import tempfile
from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from learning.inbox import InboxRefused
from learning.inbox_store import state_of
from learning.inbox_tables import mishap_groups, mishaps
from tests.blank_database import blank_database
from tests.learning.builders import EVA, TOM, Loop, wish

TEXTS = ("gift wrap it", "can you gift wrap it", "where is the parcel late", "is the lamp dimmable", "礼品包装")
STEPS = st.lists(
    st.tuples(st.sampled_from(["message", "done", "ignored", "new", "assign", "gap", "undo"]), st.integers(0, 4)),
    min_size=3,
    max_size=12,
)


async def play(steps: list[tuple[str, int]]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        database = await blank_database(Path(folder))
        loop = Loop(database)
        made: list[str] = []
        written: dict[str, str] = {}
        refusals: set[str] = set()
        said = 0
        for number, (step, choice) in enumerate(steps):
            if step == "message":
                await loop.misses(TEXTS[choice], contact=f"contact-{number}")
                said += 1
            elif step == "undo" and made:
                try:
                    await loop.inbox.undo(made[-1], TOM)
                    written.pop(made[-1], None)
                    made.pop()
                except InboxRefused as refused:
                    refusals.add(refused.code)
                    made.pop()
            elif step != "undo":
                every = [group for state in ("new", "done", "ignored") for group in await loop.groups(state)]
                if every:
                    lines = (f"line {number}",) if step == "assign" else ()
                    group = every[choice % len(every)]
                    try:
                        decision = await loop.inbox.decide(wish(group, step, *lines, intent="greet"), EVA)
                        made.append(decision.id)
                        written |= {decision.id: lines[0]} if lines else {}
                    except InboxRefused as refused:
                        refusals.add(refused.code)
            await adds_up(loop, said)
        assert refusals <= {"decided", "undone", "nothing"}
        assert {one.text for one in loop.book.lines} == set(written.values())
        await database.close()


async def adds_up(loop: Loop, said: int) -> None:
    async with loop.database.read() as connection:
        items = (await connection.execute(select(mishaps.c.group_id, mishaps.c.state))).all()
        groups = (await connection.execute(select(mishap_groups).where(mishap_groups.c.merged_into.is_(None)))).all()
    assert len(items) == said
    for group in groups:
        states = [one.state for one in items if one.group_id == group.id]
        assert group.state == state_of(set(states))
        assert group.messages == (states.count("new") if group.state == "new" else len(states))
    assert sum(group.weight for group in groups) == said


@given(STEPS)
@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_groups_are_what_their_messages_add_up_to_and_the_book_holds_what_was_not_undone(
    steps: list[tuple[str, int]],
) -> None:
    asyncio.run(play(steps))
