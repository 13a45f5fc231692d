"""Admins look after accounts; everybody sees where they are signed in; who may do other things signs in anew."""

from __future__ import annotations

from typing import Any

import pytest

from handoff.roles import Role
from tests.handoff.desk import API, PASSWORD, Browser, Desk

NEW: dict[str, Any] = {"name": "Noor", "email": "Noor@kite.example", "role": "agent", "password": "a long password 1"}


@pytest.fixture
async def boss(desk: Desk) -> Browser:
    return await desk.browser("Ada", Role.ADMIN)


async def works(browser: Browser) -> bool:
    return (await browser.get("me")).status_code == 200


async def error_of(browser: Browser, path: str, body: Any) -> tuple[int, str]:
    response = await browser.post(path, body)
    return response.status_code, response.json()["error"]["code"]


async def test_an_admin_adds_somebody_who_can_then_sign_in(desk: Desk, boss: Browser) -> None:
    added = await boss.post("staff-accounts", NEW)
    assert added.status_code == 201, added.text
    assert added.json()["account"]["email"] == "noor@kite.example"
    signed_in = await desk.client().post(f"{API}/sign-in", json={"email": NEW["email"], "password": NEW["password"]})
    assert signed_in.status_code == 200
    assert await error_of(boss, "staff-accounts", NEW) == (409, "email_taken")
    (entry,) = await desk.audited("staff_added")
    assert entry["data"]["role"] == "agent"
    assert NEW["password"] not in str(entry)


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"password": "short"}, "weak_password"),
        ({"password": ""}, "needs_password"),
        ({"email": "no address"}, "bad_request"),
        ({"name": " "}, "bad_request"),
        ({"role": "king"}, "bad_request"),
    ],
)
async def test_an_account_that_cannot_be_used_is_not_made(
    desk: Desk, boss: Browser, change: dict[str, str], code: str
) -> None:
    assert await error_of(boss, "staff-accounts", NEW | change) == (400, code)
    assert await desk.store.find_by_email(NEW["email"]) is None


async def test_another_role_ends_the_sessions_and_a_new_name_does_not(desk: Desk, boss: Browser) -> None:
    chen = await desk.browser("Chen Yu")
    path = f"staff-accounts/{chen.member.id}"
    assert (await boss.post(path, {"name": "Chen"})).json()["account"]["name"] == "Chen"
    assert await works(chen)
    assert (await boss.post(path, {"role": "trainer"})).status_code == 200
    assert not await works(chen)
    again = await desk.sign_in(chen.member)
    assert (await again.get("me")).json()["staff"]["role"] == "trainer"
    before = (await desk.audited("staff_changed"))[-1]["data"]["before"]
    assert before["role"] == "agent"


async def test_seeing_less_ends_the_sessions_and_holds_from_the_next_sign_in(desk: Desk, boss: Browser) -> None:
    chen, wu = await desk.browser("Chen Yu"), await desk.browser("Wu")
    held = await desk.assigned_to(wu)
    assert (await chen.get(f"conversations/{held}")).status_code == 200
    changed = await boss.post(f"staff-accounts/{chen.member.id}", {"sees": "own"})
    assert (changed.json()["account"]["sees"], changed.json()["account"]["scope"]) == ("own", "own")
    assert not await works(chen)
    again = await desk.sign_in(chen.member)
    assert (await again.get(f"conversations/{held}")).status_code == 404
    back = await boss.post(f"staff-accounts/{chen.member.id}", {"sees": "role"})
    assert back.json()["account"]["sees"] is None
    await boss.post(f"staff-accounts/{chen.member.id}", {"sees": "own"})
    risen = await boss.post(f"staff-accounts/{chen.member.id}", {"role": "admin"})
    assert (risen.json()["account"]["sees"], risen.json()["account"]["scope"]) == (None, "everything")


async def test_what_is_said_of_a_role_holds_for_all_of_it_at_once(desk: Desk, boss: Browser) -> None:
    chen, wu = await desk.browser("Chen Yu"), await desk.browser("Wu")
    held = await desk.assigned_to(wu)
    assert (await boss.post("sight", {"agents": "own", "supervisors": "team"})).status_code == 200
    assert (await chen.get(f"conversations/{held}")).status_code == 404
    assert (await boss.get("staff-accounts")).json()["sees"] == {"agents": "own", "supervisors": "team"}
    (entry,) = await desk.audited("sight_changed")
    assert entry["data"]["before"] == {"agents": "team", "supervisors": "everything"}
    assert await error_of(boss, "sight", {"agents": "nothing", "supervisors": "team"}) == (400, "bad_request")


async def test_a_closed_account_is_signed_out_and_can_be_opened_again(desk: Desk, boss: Browser) -> None:
    chen = await desk.browser("Chen Yu")
    assert (await boss.post(f"staff-accounts/{chen.member.id}", {"active": False})).status_code == 200
    assert not await works(chen)
    closed = await desk.client().post(f"{API}/sign-in", json={"email": chen.member.email, "password": PASSWORD})
    assert closed.status_code == 401
    await boss.post(f"staff-accounts/{chen.member.id}", {"active": True})
    assert await works(await desk.sign_in(chen.member))


async def test_no_admin_takes_their_own_rights_away(desk: Desk, boss: Browser) -> None:
    path = f"staff-accounts/{boss.member.id}"
    for body in ({"role": "agent"}, {"active": False}):
        assert await error_of(boss, path, body) == (409, "own_account")
    assert await error_of(boss, path, {}) == (400, "bad_request")
    assert await error_of(boss, f"staff-accounts/{'f' * 32}", {"name": "X"}) == (404, "not_found")


async def test_a_new_password_ends_what_was_begun_with_the_old_one(desk: Desk, boss: Browser) -> None:
    chen = await desk.browser("Chen Yu")
    path = f"staff-accounts/{chen.member.id}/password"
    assert await error_of(boss, path, {"password": "short"}) == (400, "weak_password")
    assert (await boss.post(path, {"password": "another long one"})).status_code == 200
    assert not await works(chen)
    (entry,) = await desk.audited("password_set")
    assert "another long one" not in str(entry)


async def test_everybody_sees_where_they_are_signed_in_and_ends_the_others(desk: Desk) -> None:
    chen = await desk.browser("Chen Yu")
    phone, wu = await desk.sign_in(chen.member), await desk.browser("Wu")
    listed = (await chen.get("sessions")).json()["sessions"]
    assert [one["current"] for one in listed].count(True) == 1
    assert len(listed) == 2
    assert {one["way"] for one in listed} == {"password"}
    assert all(one["ip"] == "127.0.0.1" and one["browser"].startswith("python-httpx") for one in listed)
    for secret in ("id_hash", "csrf"):
        assert secret not in listed[0]
    assert (await chen.post("sessions/end-others")).json() == {"ended": 1}
    assert (await works(chen), await works(phone), await works(wu)) == (True, False, True)
    (entry,) = await desk.audited("sessions_ended")
    assert entry["data"] == {"staff_id": chen.member.id, "number": 1}


async def test_an_admin_ends_the_sessions_of_a_member_and_not_their_own(desk: Desk, boss: Browser) -> None:
    chen = await desk.browser("Chen Yu")
    (row,) = [one for one in (await boss.get("staff-accounts")).json()["accounts"] if one["id"] == chen.member.id]
    assert row["sessions"] == 1
    assert (await boss.post(f"staff-accounts/{chen.member.id}/sessions/end")).json() == {"ended": 1}
    assert not await works(chen)
    assert (await boss.post(f"staff-accounts/{boss.member.id}/sessions/end")).json() == {"ended": 0}
    assert await works(boss)


async def test_a_session_ends_by_itself_when_nobody_is_there_or_after_a_day_of_work(desk: Desk) -> None:
    chen = await desk.browser("Chen Yu")
    desk.clock.forward(minutes=29)
    assert await works(chen)
    desk.clock.forward(minutes=31)
    assert not await works(chen)
    again = await desk.sign_in(chen.member)
    for _ in range(26):
        desk.clock.forward(minutes=27)
        assert await works(again)
    desk.clock.forward(minutes=27)
    assert not await works(again)  # twelve hours, however busy
