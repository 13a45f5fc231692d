"""The staff API of digests: those who see everything set them up, others read of them at most."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from conversations.sight import Scope
from conversations.work_leases import WorkLeases
from handoff.roles import Role
from handoff.supervising.overview import open_digests
from reporting.reports import Reports
from tests.handoff.access.test_sight import narrow
from tests.handoff.desk import Desk, open_desk
from tests.reporting.alert_builders import Refusing


class Taking(Refusing):
    """A program that takes everything."""

    def check(self, url: str) -> None:
        if not url.startswith("https://"):
            raise ValueError("it is not https")

    async def send(self, url: str, post_id: str, body: str, about: str) -> None:
        """Taken."""


BODY = {
    "name": "晨报", "rhythm": "daily", "clock": "08:00", "language": "zh", "metrics": ["conversations", "csat"],
    "way": "webhook", "addresses": ["https://hooks.example/x"],
}  # fmt: skip


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Desk]:
    async with open_desk(tmp_path) as desk:
        leases = WorkLeases(desk.database)
        reports = Reports(desk.database, leases, ZoneInfo("Asia/Shanghai"), desk.conversations.now)
        desk.side.overview.digests = open_digests(desk.conversations, leases, reports, desk.base, Taking(), None)
        yield desk


async def test_a_supervisor_sets_one_up_sends_it_and_deletes_it(desk: Desk) -> None:
    grace = await desk.browser("Grace", Role.SUPERVISOR)
    assert "会话数：0" in (await grace.post("reports/digests/preview", BODY)).json()["text"]
    made = (await grace.post("reports/digests", BODY)).json()["digest"]
    page = (await grace.get("reports/digests")).json()
    assert (page["mails"], page["may_change"], page["secret"]) == (False, True, "whsec_none")
    assert [one["name"] for one in page["digests"]] == ["晨报"]
    sent = (await grace.post(f"reports/digests/{made['id']}/send")).json()["digest"]
    assert [one["state"] for one in sent["sendings"]] == ["sent"]
    changed = await grace.post(f"reports/digests/{made['id']}", BODY | {"based_on": 1, "active": False})
    assert changed.json()["digest"]["next_at"] is None
    again = await grace.post(f"reports/digests/{made['id']}", BODY | {"based_on": 1})
    assert (again.status_code, again.json()["error"]["code"]) == (409, "changed")
    assert (await grace.post(f"reports/digests/{made['id']}/delete")).status_code == 200
    assert (await grace.post(f"reports/digests/{made['id']}/delete")).status_code == 404
    assert [entry["data"]["name"] for entry in await desk.audited("digest_sent")] == ["晨报"]
    assert len(await desk.audited("digest_saved")) == 2
    assert len(await desk.audited("digest_deleted")) == 1


async def test_who_does_not_see_everything_sets_none_up(desk: Desk) -> None:
    grace = await desk.browser("Grace", Role.SUPERVISOR)
    made = (await grace.post("reports/digests", BODY)).json()["digest"]
    await narrow(desk, grace.member.id, Scope.TEAM)
    assert (await grace.get("reports/digests")).json()["may_change"] is False
    for path in ("reports/digests", "reports/digests/preview", f"reports/digests/{made['id']}"):
        refused = await grace.post(path, BODY)
        assert (refused.status_code, refused.json()["error"]["code"]) == (403, "narrowed")
    assert (await grace.post(f"reports/digests/{made['id']}/send")).status_code == 403
    assert (await grace.post(f"reports/digests/{made['id']}/delete")).status_code == 403
    lee, otto = await desk.browser("Lee"), await desk.browser("Otto", Role.AUDITOR)
    assert (await lee.get("reports/digests")).status_code == 403
    page = (await otto.get("reports/digests")).json()
    assert (page["may_change"], page["secret"]) == (False, None)
    assert (await otto.post(f"reports/digests/{made['id']}/send")).status_code == 403


@pytest.mark.parametrize(
    "more",
    [
        {"rhythm": "weekly"},
        {"rhythm": "weekly", "day": 8},
        {"rhythm": "monthly", "day": 29},
        {"clock": "24:00"},
        {"metrics": []},
        {"metrics": ["weather"]},
        {"addresses": []},
        {"addresses": ["http://127.0.0.1/"]},
        {"way": "email", "addresses": ["not an address"]},
        {"way": "email", "addresses": ["a@b.example\r\nBcc: c@d.example"]},
        {"name": " \n "},
        {"name": "a\u0007b"},
        {"language": "fr"},
        {"based_on": 3},
    ],
)
async def test_digests_that_make_no_sense_are_refused(desk: Desk, more: dict[str, object]) -> None:
    grace = await desk.browser("Grace", Role.SUPERVISOR)
    assert (await grace.post("reports/digests", BODY | more)).status_code == 400


async def test_without_a_mail_server_no_digest_goes_by_mail(desk: Desk) -> None:
    grace = await desk.browser("Grace", Role.SUPERVISOR)
    refused = await grace.post("reports/digests", BODY | {"way": "email", "addresses": ["lead@shop.example"]})
    assert (refused.status_code, refused.json()["error"]["code"]) == (409, "no_mail_server")
