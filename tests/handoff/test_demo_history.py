"""The demo's past conversations: made once, resolved, rated, and found by assist."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import func, select

from conversations.model import utc_now
from conversations.tables import outbox
from handoff.demo_history import HISTORY, load_history
from tests.handoff.assist.scenes import asks_agent, assisted_desk


async def test_they_are_made_once_and_found_in_both_languages(tmp_path: Path) -> None:
    async with assisted_desk(tmp_path) as desk:
        lin = await desk.browser("Lin")
        audit = desk.conversations.audit
        assert await load_history(desk.database, audit, lin.member.agent, utc_now) == len(HISTORY)
        assert await load_history(desk.database, audit, lin.member.agent, utc_now) == 0
        page = await desk.conversations.list_conversations("resolved", limit=50)
        assert len(page.items) == len(HISTORY)
        async with desk.database.read() as connection:  # nothing is sent to them, so nothing can fail
            assert (await connection.execute(select(func.count()).select_from(outbox))).scalar() == 0
        assert all(one.resolved_at is not None and one.resolved_at < utc_now() for one in page.items)
        assert desk.side.assist is not None
        assert await desk.side.assist.precedents.catch_up() == len(HISTORY)
        for contact, asked, language in (
            ("a", "The tracking says my parcel was delivered but I never got it", "en"),
            ("b", "物流写着已签收，但是包裹我没有收到", "zh"),
        ):
            conversation_id = await asks_agent(desk, lin, contact, asked, language)
            found = (await lin.get(f"conversations/{conversation_id}/assist")).json()
            assert len(found["similar"]) >= 2
            assert found["similar"][0]["rating"] in (4, 5)
            assert found["similar"][0]["replies"]
