"""The staff API of alerts: supervisors look after them, auditors read, nobody else knows of them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from conversations.work_leases import WorkLeases
from handoff.roles import Role
from handoff.supervising.overview import open_alerts
from tests.handoff.desk import API, Browser, Desk, open_desk
from tests.reporting.alert_builders import Refusing


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Desk]:
    async with open_desk(tmp_path) as desk:
        leases = WorkLeases(desk.database)
        desk.side.overview.alerts = open_alerts(
            desk.conversations, leases, ZoneInfo("Asia/Shanghai"), desk.base, Refusing()
        )
        yield desk


async def attack(desk: Desk) -> None:
    """Weeks after the desk's first conversation, somebody tries passwords."""
    await desk.contact_writes("hello")
    desk.clock.forward(weeks=6)
    client = desk.client()
    for number in range(14):
        wrong = {"email": f"somebody-{number}@kite.example", "password": "wrong horse battery"}
        assert (await client.post(f"{API}/sign-in", json=wrong)).status_code in (401, 429)


async def listed(browser: Browser, state: str = "all") -> list[dict[str, object]]:
    response = await browser.get("alerts", state=state)
    assert response.status_code == 200, response.text
    return list(response.json()["alerts"])


async def test_failed_sign_ins_become_an_alert_that_somebody_looks_after(desk: Desk) -> None:
    await attack(desk)
    grace = await desk.browser("Grace", Role.SUPERVISOR)
    async with grace.live() as live:
        assert (await grace.post("alerts/look")).json()["changed"] >= 1
        told = await live.next("alert", change="opened")
        assert told["alert"]["kind"] == "sign_ins"
        assert "examples" not in told["alert"], "each console reads those that its member sees"
        found = await listed(grace, "open")
        answer = await grace.post(f"alerts/{found[0]['id']}/acknowledge", {"note": " a test of ours "})
        assert answer.json()["alert"]["state"] == "acknowledged"
        assert answer.json()["alert"]["note"] == "a test of ours"
        assert (await live.next("alert", change="acknowledged"))["alert"]["id"] == found[0]["id"]
    await grace.post(f"alerts/{found[0]['id']}/acknowledge", {"expected": True})
    again = await grace.post(f"alerts/{found[0]['id']}/acknowledge", {})
    assert (again.status_code, again.json()["error"]["code"]) == (409, "closed")
    assert (await grace.post(f"alerts/{'0' * 32}/acknowledge", {})).status_code == 404
    (entry,) = await desk.audited("alert_acknowledged")
    assert entry["data"] == {"alert_id": found[0]["id"]}
    assert len(await desk.audited("alert_expected")) == 1


async def test_agents_hear_nothing_of_alerts(desk: Desk) -> None:
    await attack(desk)
    lee, grace = await desk.browser("Lee"), await desk.browser("Grace", Role.SUPERVISOR)
    assert (await lee.get("alerts")).status_code == 403
    async with lee.live() as live:
        await grace.post("alerts/look")
        await desk.contact_writes("still there?", "other")
        async with asyncio.timeout(5):
            while (event := await live.next_of_any())["type"] != "conversation":
                assert event["type"] != "alert"


async def test_auditors_read_and_change_nothing(desk: Desk) -> None:
    auditor = await desk.browser("Otto", Role.AUDITOR)
    assert await listed(auditor) == []
    shown = (await auditor.get("alerts/rules")).json()
    assert shown["secret"] is None
    assert (await auditor.post("alerts/look")).status_code == 403
    assert (await auditor.post("alerts/rules", {"based_on": 0, "kinds": {}})).status_code == 403


async def test_rules_are_saved_over_the_revision_that_was_looked_at(desk: Desk) -> None:
    grace = await desk.browser("Grace", Role.SUPERVISOR)
    kinds = {"intent": {"on": False, "sensitivity": "high"}}
    saved = await grace.post(
        "alerts/rules", {"based_on": 0, "kinds": kinds, "quiet_from": "22:00", "quiet_until": "07:30"}
    )
    rules = saved.json()["rules"]
    assert (rules["revision"], rules["kinds"]["intent"]["on"], rules["kinds"]["misses"]["on"]) == (1, False, True)
    assert (await grace.post("alerts/rules", {"based_on": 0, "kinds": kinds})).json()["error"]["code"] == "changed"
    assert (await grace.get("alerts/rules")).json()["rules"] == rules
    assert len(await desk.audited("alert_rules_saved")) == 1


@pytest.mark.parametrize(
    "body",
    [
        {"based_on": 1, "kinds": {}, "quiet_from": "22:00"},
        {"based_on": 1, "kinds": {}, "quiet_from": "25:00", "quiet_until": "07:00"},
        {"based_on": 1, "kinds": {"weather": {"on": True, "sensitivity": "high"}}},
        {"based_on": 1, "kinds": {"intent": {"on": True, "sensitivity": "extreme"}}},
        {"based_on": 1, "kinds": {}, "webhook": "http://127.0.0.1/"},
    ],
)
async def test_rules_that_make_no_sense_are_refused(desk: Desk, body: dict[str, object]) -> None:
    grace = await desk.browser("Grace", Role.SUPERVISOR)
    assert (await grace.post("alerts/rules", body)).status_code == 400
