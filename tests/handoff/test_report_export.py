"""Exports over HTTP: who may have them, what is masked, what a spreadsheet must not run, and what is recorded."""

from __future__ import annotations

import asyncio
import csv
import io
import json
import zipfile
from datetime import timedelta
from typing import Any
from xml.etree import ElementTree

import pytest

from conversations.model import utc_now
from handoff.roles import Role
from tests.handoff.desk import Browser, Desk

DAYS = {"since": str(utc_now().date() - timedelta(days=2)), "until": str(utc_now().date() + timedelta(days=2))}
SAID = '=HYPERLINK("http://a.example") my number is 13812345678 & <b>\x07'
_CELL = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"


async def with_a_conversation(desk: Desk) -> str:
    conversation_id = await desk.queued(SAID, name="Lin Mei")
    await desk.side.overview.reports.follower.catch_up()
    return conversation_id


async def rows(browser: Browser, kind: str, **more: Any) -> list[dict[str, str]]:
    response = await browser.get("reports/export", rows=kind, **DAYS, **more)
    assert response.status_code == 200, response.text
    return list(csv.DictReader(io.StringIO(response.content.decode("utf-8-sig"), newline="")))


async def test_a_supervisor_has_a_row_for_each_conversation_with_its_figures(desk: Desk) -> None:
    conversation_id = await with_a_conversation(desk)
    boss = await desk.browser("Grace", Role.SUPERVISOR)
    [row] = await rows(boss, "conversations")
    assert row["conversation_id"] == conversation_id
    assert (row["contact_name"], row["handed_off"], row["turns"], row["contact_messages"]) == ("Lin Mei", "1", "1", "1")
    assert await rows(boss, "resolved") == []


@pytest.mark.parametrize("role", [Role.AGENT, Role.TRAINER])
async def test_agents_and_trainers_have_no_exports(desk: Desk, role: Role) -> None:
    response = await (await desk.browser("Wei", role)).get("reports/export", **DAYS)
    assert response.status_code == 403


async def test_an_auditor_has_the_words_masked_and_nothing_runs_in_a_spreadsheet(desk: Desk) -> None:
    await with_a_conversation(desk)
    boss, auditor = await desk.browser("Grace", Role.SUPERVISOR), await desk.browser("Ada", Role.AUDITOR)
    said = {one["author"]: one["text"] for one in await rows(boss, "messages")}
    assert said["contact"].startswith("'=HYPERLINK")
    assert "13812345678" in said["contact"]
    masked = (await rows(auditor, "messages"))[0]
    assert "13812345678" not in str(masked)
    assert "Lin Mei" not in str(masked)


async def test_a_workbook_holds_values_only(desk: Desk) -> None:
    await with_a_conversation(desk)
    boss = await desk.browser("Grace", Role.SUPERVISOR)
    response = await boss.get("reports/export", rows="messages", format="xlsx", **DAYS)
    with zipfile.ZipFile(io.BytesIO(response.content)) as book:
        assert book.testzip() is None
        sheet = ElementTree.fromstring(book.read("xl/worksheets/sheet1.xml"))
    texts = [one.text or "" for one in sheet.iter(f"{_CELL}t")]
    assert texts[:2] == ["message_id", "conversation_id"]
    assert any(one.startswith("=HYPERLINK") for one in texts)
    assert list(sheet.iter(f"{_CELL}f")) == []


async def test_json_lines_are_the_same_rows_with_their_types(desk: Desk) -> None:
    await with_a_conversation(desk)
    boss = await desk.browser("Grace", Role.SUPERVISOR)
    response = await boss.get("reports/export", rows="conversations", format="jsonl", **DAYS)
    [form] = [json.loads(line) for line in response.text.splitlines()]
    [row] = await rows(boss, "conversations")
    assert list(form) == list(row)
    assert (form["handed_off"], form["turns"], form["resolved_at"]) == (True, 1, None)


async def test_it_can_be_limited_as_figures_can(desk: Desk) -> None:
    await with_a_conversation(desk)
    boss = await desk.browser("Grace", Role.SUPERVISOR)
    assert len(await rows(boss, "conversations", channel="web")) == 1
    assert await rows(boss, "conversations", channel="email") == []
    for wrong in ({"article": "a"}, {"since": "2026-13-01"}, {"since": "2100-01-01"}, {"rows": "people"}):
        response = await boss.get("reports/export", **({"rows": "conversations"} | DAYS | wrong))
        assert response.status_code == 400, wrong


async def test_the_trail_says_who_exported_what_and_how_much(desk: Desk) -> None:
    await with_a_conversation(desk)
    boss = await desk.browser("Grace", Role.SUPERVISOR)
    await rows(boss, "messages", language="zh")
    [entry] = await desk.audited("facts_exported")
    assert entry["actor"] == f"agent:{boss.member.id}"
    told = {name: entry["data"][name] for name in ("part", "format", "rows", "filters")}
    assert told == {"part": "messages", "format": "csv", "rows": 2, "filters": {"language": ["zh"]}}


async def test_one_at_a_time_for_each_person_and_another_one_after_it(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    from reporting.exports import Export

    boss, other = await desk.browser("Grace", Role.SUPERVISOR), await desk.browser("Omar", Role.ADMIN)
    begun, goes_on, count = asyncio.Event(), asyncio.Event(), Export.count

    async def slowly(self: Export, database: Any) -> int:
        begun.set()
        await goes_on.wait()
        return await count(self, database)

    monkeypatch.setattr(Export, "count", slowly)
    first = asyncio.create_task(boss.get("reports/export", **DAYS))
    await begun.wait()
    second = await boss.get("reports/export", **DAYS)
    assert (second.status_code, second.json()["error"]["code"]) == (429, "export_running")
    goes_on.set()
    assert (await first).status_code == 200
    assert (await boss.get("reports/export", **DAYS)).status_code == 200
    assert (await other.get("reports/export", **DAYS)).status_code == 200
