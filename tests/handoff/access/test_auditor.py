"""Auditors read what was said, why, and what was done; they write nothing and nobody notices them."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import text

from conversations.audit_check import CHECKPOINTS, Checkpoints, signing_key, verifier_of
from conversations.model import utc_now
from handoff.roles import POLICY, Role
from tests.handoff.desk import Desk, open_desk


@pytest.fixture
async def signed(tmp_path: Path) -> AsyncIterator[Desk]:
    """A desk whose trail is signed, as the service does it."""
    url = f"sqlite+aiosqlite:///{tmp_path / 'desk.db'}"
    checkpoints = Checkpoints(tmp_path / CHECKPOINTS, signing_key(tmp_path), utc_now)
    async with open_desk(tmp_path, verify_audit=verifier_of(url, tmp_path)) as desk:
        await desk.browser("Chen Yu")
        await checkpoints.write_if_due(desk.database)
        await desk.browser("Sam")
        await checkpoints.write_if_due(desk.database, at_once=True)
        yield desk


#: What an auditor sends that is not a question: none of it changes anything but their own session.
OWN = {
    "sign-out",
    "sessions/end-others",
    "audit/export",
    "audit/search",
    "audit/verify",
    "second-factor/begin",
    "second-factor/confirm",
    "second-factor/recovery-codes",
    "second-factor/remove",
}


def test_the_table_lets_auditors_write_nothing() -> None:
    written = {route for (method, route), roles in POLICY.items() if method != "GET" and Role.AUDITOR in roles}
    assert written - {"reports/figures", "reports/units", "reports/ask"} == OWN  # questions too long for an address


async def test_an_auditor_reads_transcripts_traces_and_reports_and_may_export_them(desk: Desk) -> None:
    conversation_id = await desk.queued("转人工")
    auditor = await desk.browser("Ines", Role.AUDITOR)
    said = (await auditor.get(f"conversations/{conversation_id}/messages")).json()["messages"]
    assert said[0]["text"] == "转人工"
    assert (await auditor.get(f"conversations/{conversation_id}/traces")).json()["traces"]
    assert (await auditor.get("reports/ratings")).json()["own"] is False
    export = await auditor.get("reports/ratings/export")
    assert export.headers["content-type"].startswith("text/csv")
    assert [entry["data"]["report"] for entry in await desk.audited("report_exported")] == ["ratings"]
    assert (await auditor.get("reports/waits", days="7")).status_code == 200


async def test_an_auditor_answers_nobody_and_marks_nothing_as_read(desk: Desk) -> None:
    conversation_id = await desk.queued()
    auditor = await desk.browser("Ines", Role.AUDITOR)
    for verb in ("seen", "accept", "reply", "note", "resolve"):
        response = await auditor.post(f"conversations/{conversation_id}/{verb}", {"seq": 1, "text": "hello"})
        assert (response.status_code, response.json()["error"]["code"]) == (403, "forbidden")
    assert auditor.member.id not in {one["agent_id"] for one in (await auditor.get("agents")).json()["agents"]}


async def test_colleagues_are_not_told_what_an_auditor_looks_at(desk: Desk) -> None:
    first, second = await desk.queued(), await desk.queued(contact="ann")
    chen, auditor = await desk.browser("Chen Yu"), await desk.browser("Ines", Role.AUDITOR)
    sam = await desk.browser("Sam")
    async with chen.live() as hers, auditor.live() as theirs, sam.live() as his:
        for live in (hers, theirs, his):
            await live.next("ready")
        await theirs.send(type="viewing", conversation_id=first)
        await theirs.send(type="ping")
        await theirs.next("pong")
        await his.send(type="viewing", conversation_id=second)
        assert (await hers.next("viewing"))["agent_id"] == sam.member.id


async def test_the_trail_is_read_newest_first_in_pages_and_by_kind(desk: Desk) -> None:
    chen = await desk.browser("Chen Yu")
    await chen.post("sign-out")
    auditor = await desk.browser("Ines", Role.AUDITOR)
    newest = (await auditor.get("audit", limit="1")).json()
    assert [(one["kind"], one["actor_name"]) for one in newest["entries"]] == [("signed_in", "Ines")]
    older = (await auditor.get("audit", before=str(newest["next"]))).json()["entries"]
    assert [one["kind"] for one in older[:2]] == ["signed_out", "signed_in"]
    named = (await auditor.get("audit", kind="signed_out")).json()["entries"]
    assert [(one["kind"], one["actor"]) for one in named] == [("signed_out", f"agent:{chen.member.id}")]
    assert (await auditor.get("audit", kind="signed%out")).status_code == 400
    assert (await auditor.get("audit", before="0")).status_code == 400


async def test_a_kind_hidden_in_the_data_of_another_entry_is_not_taken_for_one(desk: Desk) -> None:
    auditor = await desk.browser("Ines", Role.AUDITOR)
    await desk.conversations.record("noted", auditor.member.agent, {"kind": "paid", "n": 1})
    assert (await auditor.get("audit", kind="paid")).json()["entries"] == []


async def test_what_is_personal_stays_sealed_for_auditors(desk: Desk) -> None:
    conversation_id = await desk.queued("my number is 13800138000")
    auditor = await desk.browser("Ines", Role.AUDITOR)
    entries = (await auditor.get("audit", conversation_id=conversation_id)).json()["entries"]
    assert any(one["sealed"] is True for one in entries)
    assert "13800138000" not in json.dumps(entries)


async def test_a_sound_trail_is_found_sound_and_the_check_is_on_record(signed: Desk) -> None:
    auditor = await signed.browser("Ines", Role.AUDITOR)
    verdict = (await auditor.post("audit/verify")).json()
    assert (verdict["result"], verdict["first_bad"]) == ("sound", None)
    assert [one["data"]["result"] for one in await signed.audited("audit_verified")] == ["sound"]


async def test_a_changed_entry_is_named(signed: Desk) -> None:
    auditor = await signed.browser("Ines", Role.AUDITOR)
    async with signed.database.write() as connection:
        await connection.execute(
            text("UPDATE audit_entries SET body = replace(body, 'signed_in', 'signed_on') WHERE n = 2")
        )
    verdict = (await auditor.post("audit/verify")).json()
    assert (verdict["result"], verdict["first_bad"]) == ("broken", 2)


async def test_without_checkpoints_it_says_that_there_are_none_yet(tmp_path: Path) -> None:
    url = f"sqlite+aiosqlite:///{tmp_path / 'desk.db'}"
    async with open_desk(tmp_path, verify_audit=verifier_of(url, tmp_path)) as desk:
        auditor = await desk.browser("Ines", Role.AUDITOR)
        response = await auditor.post("audit/verify")
        assert (response.status_code, response.json()["error"]["code"]) == (409, "cannot_verify")


@pytest.mark.parametrize("role", [Role.AGENT, Role.TRAINER, Role.SUPERVISOR])
async def test_the_trail_is_for_auditors_and_admins(desk: Desk, role: Role) -> None:
    somebody = await desk.browser("Somebody", role)
    assert (await somebody.get("audit")).status_code == 403
    assert (await somebody.post("audit/verify")).status_code == 403


async def test_the_trail_is_read_by_person_and_by_day(desk: Desk) -> None:
    chen = await desk.browser("Chen Yu")
    await desk.queued("转人工")
    early = desk.conversations.now()
    desk.clock.forward(days=2)
    sam = await desk.browser("Sam")
    auditor = await desk.browser("Ines", Role.AUDITOR)
    everything = (await auditor.get("audit")).json()
    assert {"actor": f"agent:{chen.member.id}", "name": "Chen Yu"} in everything["people"]

    async def found(**wanted: str) -> list[tuple[str, str]]:
        listed = (await auditor.get("audit", **wanted)).json()["entries"]
        return [(entry["actor"], entry["kind"]) for entry in listed]

    assert await found(actor=f"agent:{sam.member.id}") == [(f"agent:{sam.member.id}", "signed_in")]
    assert {actor for actor, _ in await found(actor="contact")} == {"contact"}
    middle = (early + timedelta(days=1)).isoformat()
    later, before = await found(since=middle), await found(until=middle)
    assert (f"agent:{sam.member.id}", "signed_in") in later
    assert (f"agent:{chen.member.id}", "signed_in") in before
    assert not set(later) & {(f"agent:{chen.member.id}", "signed_in")}
    assert len(later) + len(before) == len(everything["entries"])
    assert await found(since=middle, until=middle) == []
    assert await found(since=(early + timedelta(days=9)).isoformat()) == []
    for bad in ({"actor": "agent:x"}, {"since": "yesterday"}, {"until": "2026-01-01T00:00:00"}):
        assert (await auditor.get("audit", **bad)).status_code == 400
