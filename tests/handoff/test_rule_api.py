"""Handoff rules over the staff API: everybody reads, supervisors and admins write, each change is audited."""

from __future__ import annotations

from typing import Any

import pytest

from conversations.audit_store import AuditStore
from handoff.roles import Role
from tests.handoff.desk import Desk

WRITERS = {Role.SUPERVISOR, Role.ADMIN}


@pytest.mark.parametrize("role", list(Role))
async def test_everybody_reads_the_rules_and_only_overseers_change_them(desk: Desk, role: Role) -> None:
    browser = await desk.browser("Chen Yu", role)
    read = await browser.get("handoff-rules")
    assert read.status_code == 200
    body = read.json()
    assert body["reasons"] == ["angry", "action_failed", "two_misses", "loop", "low_confidence", "vip"]
    assert body["always"] == ["asked_for_person", "dialogue_failed"]
    assert body["rules"] == body["defaults"]
    saved = await browser.post("handoff-rules", {"rules": body["rules"], "based_on": 0})
    tried = await browser.post("handoff-rules/preview", {"rules": body["rules"]})
    expected = (201, 200) if role in WRITERS else (403, 403)
    assert (saved.status_code, tried.status_code) == expected


async def rules_of(browser: Any) -> dict[str, Any]:
    body: dict[str, Any] = (await browser.get("handoff-rules")).json()["rules"]
    return body


async def test_a_change_is_in_force_versioned_and_in_the_audit_trail(desk: Desk) -> None:
    browser = await desk.browser("Chen Yu", Role.SUPERVISOR)
    rules = await rules_of(browser)
    rules["angry"] |= {"threshold": 0.8, "exceptions": [{"language": "zh", "threshold": 0.7}]}
    saved = await browser.post("handoff-rules", {"rules": rules, "based_on": 0, "note": "calmer"})
    assert saved.json()["version"]["version"] == 1
    body = (await browser.get("handoff-rules")).json()
    assert body["rules"]["angry"]["threshold"] == 0.8
    assert (body["versions"][0]["note"], body["versions"][0]["author"]) == ("calmer", "Chen Yu")
    async with desk.database.read() as connection:
        entries = [row.body async for row in AuditStore(connection).entries()]
    assert any('"handoff_rules_saved"' in entry and '"angry"' in entry for entry in entries)


async def test_two_supervisors_do_not_overwrite_each_other(desk: Desk) -> None:
    browser = await desk.browser("Chen Yu", Role.SUPERVISOR)
    rules = await rules_of(browser)
    assert (await browser.post("handoff-rules", {"rules": rules, "based_on": 0})).status_code == 201
    late = await browser.post("handoff-rules", {"rules": rules, "based_on": 0})
    assert late.status_code == 409
    assert "somebody saved other rules" in late.json()["error"]["message"].lower()


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"angry": {"threshold": 2}}, "from 0 to 1"),
        ({"loop": {"count": 0}}, "from 2 to 10"),
        ({"asked_for_person": {"enabled": False}}, "no rule called asked_for_person"),
    ],
)
async def test_rules_that_cannot_be_used_are_refused_with_what_to_correct(
    desk: Desk, change: dict[str, Any], told: str
) -> None:
    browser = await desk.browser("Chen Yu", Role.ADMIN)
    refused = await browser.post("handoff-rules", {"rules": change, "based_on": 0})
    assert (refused.status_code, refused.json()["error"]["code"]) == (400, "bad_rules")
    assert told in refused.json()["error"]["message"]


async def test_a_preview_tells_how_many_conversations_would_have_been_handed_off(desk: Desk) -> None:
    browser = await desk.browser("Chen Yu", Role.SUPERVISOR)
    await desk.queued()
    found = (await browser.post("handoff-rules/preview", {"rules": await rules_of(browser), "days": 7})).json()
    assert found["conversations"] == 1
    assert set(found) == {"days", "conversations", "handed_off", "by_reason", "capped"}


async def test_the_summary_reaches_staff_and_never_the_contact(desk: Desk) -> None:
    browser = await desk.browser("Chen Yu")
    conversation_id = await desk.queued("我要转人工")
    body = (await browser.get(f"conversations/{conversation_id}")).json()["conversation"]
    assert body["handoff_summary"]["reason"] == "asked_for_person"
    from conversations.json_form import conversation_json

    found = await desk.conversations.get_conversation(conversation_id)
    assert "handoff_summary" not in conversation_json(found, for_contact=True)
