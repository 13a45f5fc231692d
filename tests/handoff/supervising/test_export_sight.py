"""Exports of those who see only some conversations hold exactly these, and a download that is broken off ends there."""

from __future__ import annotations

import asyncio
import csv
import io
from datetime import timedelta
from random import Random
from typing import Any

import pytest
from sqlalchemy import text

import reporting.exports
from conversations.model import utc_now
from conversations.sight import Scope
from handoff.roles import Role
from reporting.export_store import ExportStore
from tests.handoff.access.test_sight import narrow, team_of
from tests.handoff.desk import API, Browser, Desk

DAYS = {"since": str(utc_now().date() - timedelta(days=2)), "until": str(utc_now().date() + timedelta(days=2))}
#: What somebody may see, as the documentation says it, with nothing of ours but the tables.
_HAD_TO_DO = "EXISTS (SELECT 1 FROM conversation_people p WHERE p.conversation_id = c.id AND p.staff_id = :who)"
_THEIRS = "(c.team_id IS NULL OR c.team_id IN (:team, 'default'))"  # nobody is named in the default team: everybody's
MAY_SEE = {
    Scope.EVERYTHING: "1 = 1",
    Scope.TEAM: f"c.status = 'bot' OR {_THEIRS} OR {_HAD_TO_DO}",
    Scope.OWN: f"(c.status = 'queued' AND {_THEIRS}) OR {_HAD_TO_DO}",
}


async def exported(browser: Browser, kind: str, column: str) -> list[str]:
    response = await browser.get("reports/export", rows=kind, **DAYS)
    assert response.status_code == 200, response.text
    return sorted(row[column] for row in csv.DictReader(io.StringIO(response.content.decode("utf-8-sig"), newline="")))


async def some_conversations(desk: Desk, teams: list[str], boss: Browser, other: Browser, dice: Random) -> None:
    """Waiting, with an agent, resolved, or with the bot; of any team or none; some of them the boss was asked into."""
    held = 0
    for number in range(24):
        contact = f"contact-{number}"
        if dice.random() < 0.25:
            conversation_id = await desk.contact_writes("hello", contact)
        else:
            conversation_id = await desk.queued(contact=contact)
            if held < 3 and dice.random() < 0.5:
                held += 1
                assert (await other.post(f"conversations/{conversation_id}/accept")).status_code == 200
                await desk.conversations.reply_as_agent(conversation_id, other.member.agent, "ok")
                if dice.random() < 0.6:
                    held -= 1
                    assert (await other.post(f"conversations/{conversation_id}/resolve")).status_code == 200
        async with desk.database.write() as connection:
            values: dict[str, Any] = {"id": conversation_id, "team": dice.choice([None, *teams]), "who": boss.member.id}
            await connection.execute(text("UPDATE conversations SET team_id = :team WHERE id = :id"), values)
            if dice.random() < 0.15:
                await connection.execute(text("INSERT INTO conversation_people VALUES (:id, :who)"), values)
    await desk.side.overview.reports.follower.catch_up()


@pytest.mark.parametrize("seed", [1, 2, 3])
async def test_whoever_sees_less_exports_exactly_what_they_may_see(desk: Desk, seed: int) -> None:
    boss, other = await desk.browser("Grace", Role.SUPERVISOR), await desk.browser("Wu")
    mine = await team_of(desk, "After-sales", boss.member.id)
    theirs = await team_of(desk, "Pre-sales", other.member.id)
    await some_conversations(desk, [mine, theirs], boss, other, Random(seed))
    sizes = set()
    for scope, may_see in MAY_SEE.items():
        await narrow(desk, boss.member.id, scope)
        boss = await desk.sign_in(boss.member)
        values = {"who": boss.member.id, "team": mine}
        said = f"SELECT m.id FROM messages m JOIN conversations c ON c.id = m.conversation_id WHERE m.kind = 'text' AND m.author IN ('contact', 'bot', 'agent') AND ({may_see})"
        async with desk.database.read() as connection:
            seen = (
                await connection.execute(text(f"SELECT c.id FROM conversations c WHERE {may_see}"), values)
            ).scalars()
            heard = (await connection.execute(text(said), values)).scalars()
            conversations, messages = sorted(seen), sorted(heard)
        assert await exported(boss, "conversations", "conversation_id") == conversations, scope
        assert await exported(boss, "messages", "message_id") == messages, scope
        sizes.add(len(conversations))
        told = (await desk.audited("facts_exported"))[-2:]
        assert [entry["data"]["rows"] for entry in told] == [len(conversations), len(messages)]
    assert len(sizes) == 3  # each sees less than the one before


async def test_a_download_that_is_broken_off_is_read_no_further_and_leaves_nothing_locked(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    boss = await desk.browser("Grace", Role.SUPERVISOR)
    for number in range(12):
        await desk.queued(contact=f"contact-{number}")
    await desk.side.overview.reports.follower.catch_up()
    monkeypatch.setattr(reporting.exports, "PAGE", 1)
    pages, page = 0, ExportStore.page
    begun, goes_on = asyncio.Event(), asyncio.Event()

    async def watched(self: ExportStore, *asked: Any) -> Any:
        nonlocal pages
        pages += 1
        if pages == 3:
            begun.set()
            await goes_on.wait()
        return await page(self, *asked)

    monkeypatch.setattr(ExportStore, "page", watched)
    async with boss.http.stream("GET", f"{API}/reports/export", params={"rows": "messages", **DAYS}) as response:
        assert response.status_code == 200
        await begun.wait()
    # The client is gone while the third page is read; the server hears of it before or when it goes on.
    goes_on.set()
    async with asyncio.timeout(20):
        while (await boss.get("reports/export", rows="episodes", **DAYS)).status_code == 429:  # noqa: ASYNC110  # only asking again tells
            await asyncio.sleep(0.05)
    read = pages
    [first, *_] = await desk.audited("facts_exported")
    assert (first["data"]["part"], first["data"]["rows"]) == (
        "messages",
        24,
    )  # what was begun is told, whatever arrived
    assert read < 12
    async with desk.database.write() as connection:  # no transaction was left open
        await connection.execute(text("UPDATE conversations SET team_id = NULL"))
    assert len(await exported(boss, "messages", "message_id")) == 24
