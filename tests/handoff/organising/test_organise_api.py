"""Labels, priority, bulk actions and merging through the staff API."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

from conversations.model import Address, InboundMessage, new_id
from crm.demo import load_demo
from handoff.roles import Role
from tests.handoff.desk import Browser, Desk, open_desk


async def label(browser: Browser, title: str = "late", colour: str = "red") -> str:
    response = await browser.post("labels", {"title": title, "colour": colour})
    assert response.status_code == 201, response.text
    return str(response.json()["label"]["id"])


async def test_agents_make_labels_and_supervisors_look_after_them(desk: Desk) -> None:
    chen, grace = await desk.browser("Chen Yu"), await desk.browser("Grace", Role.SUPERVISOR)
    made = await label(chen, "退款", "teal")
    changed = await grace.post(f"labels/{made}", {"title": "退款中", "colour": "blue", "archived": True})
    assert changed.json()["label"] == {"id": made, "title": "退款中", "colour": "blue", "archived": True}
    assert (await chen.get("labels")).json()["labels"] == [changed.json()["label"]]
    assert (await chen.post(f"labels/{made}", {"title": "mine"})).status_code == 403
    assert (await grace.post(f"labels/{'f' * 32}", {"title": "x"})).status_code == 404
    assert (await chen.post("labels", {"title": "x", "colour": "#ff0000"})).status_code == 400


async def test_where_agents_may_not_make_labels_they_are_told_whom_to_ask(tmp_path: Path) -> None:
    async with open_desk(tmp_path, labels_by_agents=False) as desk:
        chen, grace = await desk.browser("Chen Yu"), await desk.browser("Grace", Role.SUPERVISOR)
        refused = await chen.post("labels", {"title": "late"})
        assert (refused.status_code, "supervisors" in refused.json()["error"]["message"]) == (403, True)
        made = await label(grace)
        conversation_id = await desk.queued()
        shown = await chen.post(f"conversations/{conversation_id}/labels", {"add": [made]})
        assert shown.json()["conversation"]["label_ids"] == [made]


async def test_a_bulk_action_does_what_it_can_and_names_what_it_cannot(desk: Desk) -> None:
    chen, sam = await desk.browser("Chen Yu"), await desk.browser("Sam")
    free = await desk.queued(contact="ann")
    taken = await desk.assigned_to(sam, "bo")
    gone = "f" * 32
    response = await chen.post("conversations/bulk", {"ids": [free, taken, gone], "action": "assign_me"})
    body = response.json()
    assert (body["done"], body["failed"]) == (1, 2)
    by_id = {one["id"]: one for one in body["results"]}
    assert by_id[free]["conversation"]["agent_id"] == chen.member.id
    assert by_id[taken]["error"]["code"] == "already_assigned"
    assert "Sam" in by_id[taken]["error"]["message"]
    assert by_id[gone]["error"]["code"] == "not_found"


async def test_every_bulk_action_works(desk: Desk) -> None:
    chen = await desk.browser("Chen Yu")
    ids = [await desk.assigned_to(chen, contact) for contact in ("ann", "bo")]
    made = await label(chen)

    async def bulk(action: str, **more: Any) -> list[dict[str, Any]]:
        response = await chen.post("conversations/bulk", {"ids": ids, "action": action, **more})
        assert response.json()["failed"] == 0, response.text
        return [one["conversation"] for one in response.json()["results"]]

    assert all(one["label_ids"] == [made] for one in await bulk("label", add=[made]))
    assert all(one["manual_priority"] == "high" for one in await bulk("priority", level="high"))
    until = (desk.clock() + timedelta(hours=1)).isoformat()
    assert all(one["snoozed_until"] for one in await bulk("snooze", until=until))
    assert not any(one["snoozed_until"] for one in await bulk("wake"))
    assert all(one["status"] == "resolved" for one in await bulk("resolve"))


@pytest.mark.parametrize(
    "body",
    [{}, {"ids": [], "action": "resolve"}, {"ids": ["f" * 32], "action": "erase"}, {"ids": ["f" * 32], "action": "label"},
     {"ids": ["f" * 32], "action": "snooze"}, {"ids": ["f" * 32], "action": "priority"}, {"ids": ["x"], "action": "resolve"},
     {"ids": ["f" * 32] * 101, "action": "resolve"}],
)  # fmt: skip
async def test_a_bulk_action_that_is_incomplete_is_refused(desk: Desk, body: dict[str, Any]) -> None:
    chen = await desk.browser("Chen Yu")
    assert (await chen.post("conversations/bulk", body)).status_code == 400


async def test_a_supervisor_snoozes_what_an_agent_holds_and_the_agent_is_told(desk: Desk) -> None:
    chen, sam = await desk.browser("Chen Yu"), await desk.browser("Sam")
    grace = await desk.browser("Grace", Role.SUPERVISOR)
    conversation_id = await desk.assigned_to(chen)
    until = (desk.clock() + timedelta(hours=1)).isoformat()
    assert (await sam.post(f"conversations/{conversation_id}/snooze", {"until": until})).status_code == 403
    shown = (await grace.post(f"conversations/{conversation_id}/snooze", {"until": until})).json()["conversation"]
    assert shown["snoozed_by"] == chen.member.id
    for bad in ({}, {"until": "tomorrow"}, {"until": "2020-01-01T00:00:00Z"}, {"until": "2026-12-01T09:00:00"}):
        assert (await chen.post(f"conversations/{conversation_id}/snooze", bad)).status_code == 400
    assert (await chen.post(f"conversations/{conversation_id}/wake")).json()["conversation"]["snoozed_until"] is None


async def test_duplicates_are_suggested_merged_read_together_and_separated_again(desk: Desk) -> None:
    await load_demo(desk.crm, date(2026, 11, 21))
    (customer,) = await desk.crm.search_customers("KT20260001")
    chen = await desk.browser("Chen Yu")
    target = await desk.queued("hello", "ann", customer_id=customer.id)
    await chen.post(f"conversations/{target}/accept")
    elsewhere = Address("email", "default", customer.email or "")
    receipt = await desk.conversations.receive(InboundMessage(elsewhere, new_id(), "same problem by e-mail"))
    source = receipt.conversation_id
    (suggested,) = (await chen.get(f"conversations/{target}/duplicates")).json()["duplicates"]
    assert (suggested["id"], suggested["why"]) == (source, "address")
    merged = await chen.post(f"conversations/{source}/merge", {"into": target})
    assert merged.json()["conversation"]["id"] == target
    (thread,) = (await chen.get(f"conversations/{target}/merged")).json()["threads"]
    assert (thread["conversation"]["id"], thread["merged_by"]) == (source, "Chen Yu")
    assert thread["undo_until"] is not None
    assert (await chen.get(f"conversations/{target}/duplicates")).json()["duplicates"] == []
    again = await chen.post(f"conversations/{source}/merge", {"into": target})
    assert (again.status_code, again.json()["error"]["code"]) == (409, "already_merged")
    undone = await chen.post(f"conversations/{source}/unmerge")
    assert undone.json()["conversation"]["status"] == "bot"


async def test_an_agent_merges_only_what_is_theirs_or_nobodys(desk: Desk) -> None:
    chen, sam = await desk.browser("Chen Yu"), await desk.browser("Sam")
    grace = await desk.browser("Grace", Role.SUPERVISOR)
    a, b = await desk.assigned_to(sam, "ann"), await desk.assigned_to(chen, "bo")
    assert (await chen.post(f"conversations/{a}/merge", {"into": b})).status_code == 403
    assert (await grace.post(f"conversations/{a}/merge", {"into": b})).status_code == 200
    assert (await sam.post(f"conversations/{a}/unmerge")).status_code == 403
    assert (await grace.post(f"conversations/{a}/unmerge")).json()["conversation"]["agent_id"] == sam.member.id
    assert (await chen.post(f"conversations/{b}/merge", {"into": b})).status_code == 400
    assert (await chen.post(f"conversations/{b}/merge", {"into": "f" * 32})).status_code == 404
