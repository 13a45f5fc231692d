"""Two-step sign-in: codes of an app, recovery codes, what is required of whom, and what guessing leads to."""

from __future__ import annotations

import asyncio
import base64
import json
import os
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

import httpx
import pyotp
import pytest
from sqlalchemy import text

from conversations.store import Database
from handoff.access.second_factor import SecondFactors
from handoff.access.second_factor_store import SecondFactorStore
from handoff.errors import Refused
from handoff.lockout import Lockout
from handoff.roles import ENROLLING, POLICY, Role
from handoff.sign_in import Passwords
from handoff.store import StaffMember, StaffStore
from tests.handoff.desk import API, PASSWORD, Browser, Desk, open_desk
from tests.handoff.test_sign_in import Clock


def code_at(desk: Desk, secret: str, steps: int = 0) -> str:
    return pyotp.TOTP(secret).at(int(desk.clock().timestamp()) + 30 * steps)


def error_of(response: httpx.Response) -> tuple[int, str]:
    return response.status_code, response.json()["error"]["code"]


async def enrol(desk: Desk, browser: Browser) -> tuple[str, list[str]]:
    """Turn the second factor on; returns the secret and the recovery codes."""
    begun = await browser.post("second-factor/begin", {"password": PASSWORD})
    assert begun.status_code == 200, begun.text
    secret = begun.json()["secret"]
    done = await browser.post("second-factor/confirm", {"code": code_at(desk, secret)})
    assert done.status_code == 200, done.text
    browser.csrf = done.json()["csrf"]
    desk.clock.forward(seconds=60)  # what confirmed it is used up
    return secret, done.json()["recovery_codes"]


async def first_step(desk: Desk, member: StaffMember) -> httpx.AsyncClient:
    """A browser whose password was right."""
    client = desk.client()
    response = await client.post(f"{API}/sign-in", json={"email": member.email, "password": PASSWORD})
    assert response.json() == {"stage": "code"}
    return client


async def second_step(client: httpx.AsyncClient, code: str) -> httpx.Response:
    return await client.post(f"{API}/sign-in/code", json={"code": code})


async def test_the_app_gets_a_standard_address_and_a_picture_of_it(desk: Desk) -> None:
    chen = await desk.browser("Chen Yu")
    shown = (await chen.post("second-factor/begin", {"password": PASSWORD})).json()
    address = urlsplit(shown["uri"])
    assert (address.scheme, address.netloc, unquote(address.path)) == (
        "otpauth",
        "totp",
        f"/Frontdesk:{chen.member.email}",
    )
    assert parse_qs(address.query) == {"secret": [shown["secret"]], "issuer": ["Frontdesk"]}
    assert len(base64.b32decode(shown["secret"])) == 20  # as long as RFC 4226 asks for
    assert shown["picture"].startswith("data:image/svg+xml")


async def test_with_a_second_factor_the_password_alone_opens_nothing(desk: Desk) -> None:
    chen = await desk.browser("Chen Yu")
    secret, _ = await enrol(desk, chen)
    client = await first_step(desk, chen.member)
    for method, route in sorted(POLICY):
        if "<" not in route and route != "live":
            response = await client.request(method, f"{API}/{route}", json={})
            assert error_of(response) == (401, "signed_out"), route
    done = await second_step(client, code_at(desk, secret))
    assert done.json()["staff"]["id"] == chen.member.id
    assert (await client.get(f"{API}/me")).status_code == 200
    assert [one["data"].get("second_factor") for one in await desk.audited("signed_in")] == [None, "app"]


async def test_the_live_socket_does_not_open_before_the_code(desk: Desk) -> None:
    from websockets.exceptions import ConnectionClosed

    chen = await desk.browser("Chen Yu")
    await enrol(desk, chen)
    half = Browser(chen.member, await first_step(desk, chen.member), "")
    async with half.live() as live:
        with pytest.raises(ConnectionClosed) as closed:
            await live.next("ready")
    assert closed.value.rcvd is not None
    assert closed.value.rcvd.code == 4401


async def test_the_cookie_changes_between_the_two_steps(desk: Desk) -> None:
    chen = await desk.browser("Chen Yu")
    secret, _ = await enrol(desk, chen)
    client = await first_step(desk, chen.member)
    half = dict(client.cookies)
    await second_step(client, code_at(desk, secret))
    assert dict(client.cookies) != half
    assert error_of(await second_step(desk.client(cookies=half), code_at(desk, secret, 1))) == (401, "signed_out")


async def test_a_code_is_good_once(desk: Desk) -> None:
    chen = await desk.browser("Chen Yu")
    secret, _ = await enrol(desk, chen)
    code = code_at(desk, secret)
    assert (await second_step(await first_step(desk, chen.member), code)).status_code == 200
    replay = await first_step(desk, chen.member)
    assert error_of(await second_step(replay, code)) == (401, "used_code")
    # Nor does an older code work once a newer one was seen, though its time is not over.
    assert error_of(await second_step(replay, code_at(desk, secret, -1))) == (401, "used_code")
    assert (await second_step(replay, code_at(desk, secret, 1))).status_code == 200


async def test_the_code_that_confirmed_the_app_is_used_up_too(desk: Desk) -> None:
    chen = await desk.browser("Chen Yu")
    secret = (await chen.post("second-factor/begin", {"password": PASSWORD})).json()["secret"]
    code = code_at(desk, secret)
    assert (await chen.post("second-factor/confirm", {"code": code})).status_code == 200
    assert error_of(await second_step(await first_step(desk, chen.member), code)) == (401, "used_code")


@pytest.mark.parametrize(("steps", "status"), [(-2, 401), (-1, 200), (0, 200), (1, 200), (2, 401)])
async def test_clocks_may_differ_by_half_a_minute(desk: Desk, steps: int, status: int) -> None:
    chen = await desk.browser("Chen Yu")
    secret, _ = await enrol(desk, chen)
    desk.clock.forward(seconds=300)
    response = await second_step(await first_step(desk, chen.member), code_at(desk, secret, steps))
    assert response.status_code == status


async def test_a_recovery_code_works_once_and_the_page_learns_how_many_are_left(desk: Desk) -> None:
    chen = await desk.browser("Chen Yu")
    _, codes = await enrol(desk, chen)
    assert len(set(codes)) == 10
    typed = codes[3].lower().replace("-", " ")
    done = await second_step(await first_step(desk, chen.member), typed)
    assert (done.status_code, done.json()["recovery_codes_left"]) == (200, 9)
    assert error_of(await second_step(await first_step(desk, chen.member), codes[3])) == (401, "wrong_code")


async def test_codes_of_somebody_else_do_not_fit(desk: Desk) -> None:
    chen, sam = await desk.browser("Chen Yu"), await desk.browser("Sam")
    await enrol(desk, chen)
    secret, codes = await enrol(desk, sam)
    client = await first_step(desk, chen.member)
    for code in (code_at(desk, secret), codes[0]):
        assert error_of(await second_step(client, code)) == (401, "wrong_code")


async def test_wrong_codes_lock_the_account_from_every_network_and_a_right_one_does_not_help(desk: Desk) -> None:
    chen = await desk.browser("Chen Yu")
    secret, codes = await enrol(desk, chen)
    client = await first_step(desk, chen.member)
    assert [(await second_step(client, "000000")).status_code for _ in range(5)] == [401] * 5
    locked = await second_step(await first_step(desk, chen.member), code_at(desk, secret))
    assert error_of(locked) == (429, "locked")
    assert 0 < int(locked.headers["retry-after"]) <= 15 * 60
    assert error_of(await second_step(client, codes[0])) == (429, "locked")
    assert len(await desk.audited("second_factor_refused")) == 5  # a locked account fills no trail
    desk.clock.forward(minutes=16)
    assert (await second_step(await first_step(desk, chen.member), code_at(desk, secret))).status_code == 200


async def test_a_right_password_does_not_clear_the_count_of_wrong_codes(desk: Desk) -> None:
    chen = await desk.browser("Chen Yu")
    await enrol(desk, chen)
    statuses = [(await second_step(await first_step(desk, chen.member), "000000")).status_code for _ in range(6)]
    assert statuses == [401] * 5 + [429]


async def test_a_sign_in_that_waits_too_long_for_its_code_begins_again(desk: Desk) -> None:
    chen = await desk.browser("Chen Yu")
    secret, _ = await enrol(desk, chen)
    client = await first_step(desk, chen.member)
    desk.clock.forward(minutes=11)
    assert error_of(await second_step(client, code_at(desk, secret))) == (401, "signed_out")


async def test_turning_it_on_ends_the_members_other_sessions(desk: Desk) -> None:
    chen = await desk.browser("Chen Yu")
    elsewhere = await desk.sign_in(chen.member)
    await enrol(desk, chen)
    assert (await elsewhere.get("me")).status_code == 401
    assert (await chen.get("me")).status_code == 200


async def test_setting_up_needs_the_password_again(desk: Desk) -> None:
    chen = await desk.browser("Chen Yu")
    assert error_of(await chen.post("second-factor/begin", {"password": "wrong"})) == (403, "wrong_password")
    assert error_of(await chen.post("second-factor/begin", {})) == (403, "wrong_password")
    assert (await chen.get("second-factor")).json() == {"since": None, "required": False, "codes_left": 0}


async def test_nobody_sets_up_a_second_app_over_the_first(desk: Desk) -> None:
    chen = await desk.browser("Chen Yu")
    await enrol(desk, chen)
    assert error_of(await chen.post("second-factor/begin", {"password": PASSWORD})) == (409, "second_factor_on")


async def test_turning_off_and_new_recovery_codes_need_a_code(desk: Desk) -> None:
    chen = await desk.browser("Chen Yu")
    secret, old = await enrol(desk, chen)
    for path in ("second-factor/recovery-codes", "second-factor/remove"):
        assert error_of(await chen.post(path, {"code": "000000"})) == (403, "wrong_code")
    fresh = (await chen.post("second-factor/recovery-codes", {"code": code_at(desk, secret)})).json()["recovery_codes"]
    assert not set(fresh) & set(old)
    assert error_of(await chen.post("second-factor/remove", {"code": old[0]})) == (403, "wrong_code")
    assert (await chen.post("second-factor/remove", {"code": fresh[0]})).status_code == 200
    assert (await desk.sign_in(chen.member)).csrf  # the password is enough again


async def test_a_role_that_needs_it_can_do_nothing_before_it_is_set_up(tmp_path: Path) -> None:
    async with open_desk(tmp_path, second_factor_required=[Role.ADMIN]) as desk:
        zhao = await desk.browser("Zhao", Role.ADMIN)
        assert (await zhao.get("me")).json()["stage"] == "enrol"
        for method, route in sorted(set(POLICY) - ENROLLING):
            if "<" not in route and route != "live":
                response = await (zhao.get(route) if method == "GET" else zhao.post(route))
                assert error_of(response) == (403, "second_factor_needed"), route
        secret, _ = await enrol(desk, zhao)
        assert (await zhao.get("staff-accounts")).status_code == 200
        removed = await zhao.post("second-factor/remove", {"code": code_at(desk, secret)})
        assert error_of(removed) == (409, "second_factor_required")
        assert (await desk.browser("Chen Yu")).csrf  # of agents it is not required


async def test_an_admin_resets_the_factor_of_somebody_who_lost_everything(desk: Desk) -> None:
    chen, zhao = await desk.browser("Chen Yu"), await desk.browser("Zhao", Role.ADMIN)
    await enrol(desk, chen)
    accounts = {one["id"]: one for one in (await zhao.get("staff-accounts")).json()["accounts"]}
    assert accounts[chen.member.id]["second_factor_since"]
    assert accounts[zhao.member.id]["second_factor_since"] is None
    assert (await zhao.post(f"staff-accounts/{chen.member.id}/second-factor/reset")).status_code == 200
    assert (await chen.get("me")).status_code == 401
    assert (await desk.sign_in(chen.member)).csrf
    assert [one["data"]["staff_id"] for one in await desk.audited("second_factor_reset")] == [chen.member.id]
    assert error_of(await zhao.post(f"staff-accounts/{zhao.member.id}/second-factor/reset"))[0] == 409
    assert error_of(await zhao.post(f"staff-accounts/{'f' * 32}/second-factor/reset"))[0] == 404


@pytest.mark.parametrize(
    "body", [{}, {"code": ""}, {"code": 123456}, {"code": "1" * 33}, {"code": "\ud800"}, {"kod": "1"}]
)
async def test_bad_codes_are_refused_as_bad_requests(desk: Desk, body: Any) -> None:
    chen = await desk.browser("Chen Yu")
    await enrol(desk, chen)
    client = await first_step(desk, chen.member)
    response = await client.post(
        f"{API}/sign-in/code", content=json.dumps(body), headers={"content-type": "application/json"}
    )
    assert response.status_code in {400, 401}
    assert response.status_code == 400 or response.json()["error"]["code"] == "wrong_code"


async def test_the_command_line_resets_it_and_signs_the_member_out(desk: Desk) -> None:
    from handoff.__main__ import main

    chen = await desk.browser("Chen Yu")
    await enrol(desk, chen)
    url = desk.database.engine.url.render_as_string(hide_password=False)
    assert await asyncio.to_thread(main, ["staff", "reset-second-factor", chen.member.email], url) == 0
    assert (await chen.get("me")).status_code == 401
    assert (await desk.sign_in(chen.member)).csrf


# On both databases


@pytest.fixture
async def chen(store: StaffStore, passwords: Passwords) -> StaffMember:
    hashed = await passwords.hash(PASSWORD)
    return await store.add("chen@kite.example", "Chen Yu", Role.AGENT, hashed, (), Clock().at)


async def factor_on(factors: SecondFactors, member: StaffMember, clock: Clock) -> tuple[str, tuple[str, ...]]:
    secret = (await factors.begin(member)).secret
    codes = await factors.confirm(member, pyotp.TOTP(secret).at(clock.at))
    clock.forward(seconds=60)
    return secret, codes


async def test_one_code_opens_one_of_many_sign_ins_at_once(
    database: Database, store: StaffStore, chen: StaffMember
) -> None:
    clock = Clock()
    factors = SecondFactors(SecondFactorStore(database), Lockout(store, now=clock), os.urandom(32), now=clock)
    secret, codes = await factor_on(factors, chen, clock)
    for code in (pyotp.TOTP(secret).at(clock.at), codes[0]):
        results = await asyncio.gather(*(factors.check(chen, code) for _ in range(4)), return_exceptions=True)
        assert sum(isinstance(one, str) for one in results) == 1
        assert all(isinstance(one, str | Refused) for one in results)


async def test_the_database_alone_gives_no_code_away(database: Database, store: StaffStore, chen: StaffMember) -> None:
    clock, key = Clock(), os.urandom(32)
    factors = SecondFactors(SecondFactorStore(database), Lockout(store, now=clock), key, now=clock)
    secret, codes = await factor_on(factors, chen, clock)
    async with database.read() as connection:
        kept = bytes((await connection.execute(text("SELECT secret FROM staff_second_factors"))).scalar_one())
        hashes = str((await connection.execute(text("SELECT code_hash FROM staff_recovery_codes"))).all())
    assert secret.encode() not in kept
    assert base64.b32decode(secret) not in kept
    assert not any(code in hashes or code.replace("-", "") in hashes for code in codes)


async def test_a_secret_moved_to_another_row_opens_nothing(
    database: Database, store: StaffStore, passwords: Passwords, chen: StaffMember
) -> None:
    clock = Clock()
    sam = await store.add("sam@kite.example", "Sam", Role.ADMIN, await passwords.hash(PASSWORD), (), clock.at)
    factors = SecondFactors(SecondFactorStore(database), Lockout(store, now=clock), os.urandom(32), now=clock)
    mine, _ = await factor_on(factors, chen, clock)
    await factor_on(factors, sam, clock)
    async with database.write() as connection:
        swap = "UPDATE staff_second_factors SET secret = (SELECT secret FROM staff_second_factors WHERE staff_id = :a) "
        await connection.execute(text(swap + "WHERE staff_id = :b"), {"a": chen.id, "b": sam.id})
    with pytest.raises(Refused) as refused:
        await factors.check(sam, pyotp.TOTP(mine).at(clock.at))
    assert refused.value.code == "second_factor_unreadable"


async def test_codes_are_those_of_rfc_6238(database: Database, store: StaffStore, chen: StaffMember) -> None:
    """Appendix B of the RFC, shortened to six digits: the secret is `12345678901234567890`, the time 1111111111."""
    from datetime import UTC, datetime

    clock = Clock()
    clock.at = datetime.fromtimestamp(1111111111, UTC)
    factors = SecondFactors(SecondFactorStore(database), Lockout(store, now=clock), os.urandom(32), now=clock)
    secret = base64.b32encode(b"12345678901234567890").decode()
    assert factors._step_of(secret, "050471") == 1111111111 // 30
    assert factors._step_of(secret, "050472") is None
