"""Signing in with an OpenID provider: who gets in, and everything that must not."""

from __future__ import annotations

import json
import time
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import httpx
import pytest

from conversations.model import utc_now
from conversations.store import Database
from handoff.access.identity_store import IdentityStore
from handoff.access.oidc_sign_in import NO_PASSWORD, Rules
from handoff.roles import Role
from handoff.store import StaffStore
from tests.doubles.openid_provider import CLIENT, SECRET, OpenIdProvider, Person
from tests.handoff.access.provider_desk import (
    CALLBACK,
    arrive,
    connect,
    depart,
    provider_beside,
    refused,
    role_of,
    sign_in,
)
from tests.handoff.desk import API, PASSWORD, Desk, open_desk

GROUPS = Rules("groups", (("desk-admins", Role.ADMIN), ("desk-agents", Role.AGENT)), provisions=True)


def expired(claims: dict[str, Any]) -> dict[str, Any]:
    return claims | {"exp": int(time.time()) - 120}


@pytest.fixture
async def provider(desk: Desk) -> AsyncIterator[OpenIdProvider]:
    async with provider_beside(desk) as double:
        yield double


async def test_a_member_comes_in_by_their_verified_address_and_later_by_their_subject(
    desk: Desk, provider: OpenIdProvider
) -> None:
    chen = await desk.hire("Chen Yu")
    browser, place = await sign_in(desk, provider, to="conversation/abc")
    assert place == "/staff/#/conversation/abc"
    assert (await browser.get(f"{API}/me")).json()["staff"]["id"] == chen.id
    provider.people["chen"] = Person("sub-1", {"email": "married@kite.example", "email_verified": True})
    again, _ = await sign_in(desk, provider)
    assert (await again.get(f"{API}/me")).json()["staff"]["id"] == chen.id
    assert len(await desk.audited("provider_linked")) == 1
    assert [one["data"]["way"] for one in await desk.audited("signed_in")] == ["provider", "provider"]


async def test_the_cookie_of_the_way_there_is_bound_to_the_browser_and_gone_afterwards(
    desk: Desk, provider: OpenIdProvider
) -> None:
    await desk.hire("Chen Yu")
    browser = desk.client()
    response = await browser.get(f"{API}/sign-in/provider")
    cookie = response.headers["set-cookie"]
    for part in ("HttpOnly", "SameSite=Lax", "Max-Age=600", "Path=/"):
        assert part in cookie
    query = dict(parse_qsl(urlsplit(response.headers["location"]).query))
    assert query["code_challenge_method"] == "S256"
    assert query["state"] not in cookie
    assert query["nonce"] not in cookie
    await arrive(browser, provider.approve("chen", query))
    assert "frontdesk_provider" not in browser.cookies


async def test_over_https_both_cookies_are_bound_to_the_host(tmp_path: Path) -> None:
    async with open_desk(tmp_path, public_url="https://desk.example") as desk:
        double = OpenIdProvider(desk.base + CALLBACK)
        async with double.running():
            connect(desk, double)
            cookie = (await desk.client().get(f"{API}/sign-in/provider")).headers["set-cookie"]
    assert cookie.startswith("__Host-frontdesk-provider=")
    assert "Secure" in cookie


async def signed_out(desk: Desk, browser: httpx.AsyncClient) -> str | None:
    """Sign out; where the browser is sent then."""
    csrf = (await browser.get(f"{API}/me")).json()["csrf"]
    response = await browser.post(f"{API}/sign-out", headers={"x-csrf-token": csrf})
    assert response.status_code == 200, response.text
    assert await role_of(browser) is None
    address: str | None = response.json()["sign_out_at"]
    return address


async def test_who_came_through_the_provider_signs_out_there_too_and_comes_back(
    desk: Desk, provider: OpenIdProvider
) -> None:
    await desk.hire("Chen Yu")
    browser, _ = await sign_in(desk, provider)
    address = await signed_out(desk, browser)
    assert address is not None
    assert address.startswith(f"{provider.url}/end-session?")
    query = dict(parse_qsl(urlsplit(address).query))
    assert query == {"client_id": CLIENT, "post_logout_redirect_uri": f"{desk.base}/staff/"}  # and no token
    back = await browser.get(address)
    assert (back.status_code, back.headers["location"]) == (303, f"{desk.base}/staff/")
    assert provider.signed_out == 1


async def test_who_came_with_a_password_is_not_sent_to_the_provider(desk: Desk, provider: OpenIdProvider) -> None:
    member = await desk.hire("Chen Yu")
    browser = desk.client()
    body = {"email": member.email, "password": PASSWORD}
    assert (await browser.post(f"{API}/sign-in", json=body)).status_code == 200
    assert await signed_out(desk, browser) is None
    assert "/end-session" not in provider.asked


@pytest.mark.parametrize(
    "named", [None, "http://evil.example/end", "javascript:alert(1)", "/end", 7], ids=lambda one: str(one)[:20]
)
async def test_a_provider_without_an_address_for_it_or_with_a_strange_one_lets_people_leave_here(
    desk: Desk, provider: OpenIdProvider, named: object
) -> None:
    """And in: signing in does not depend on it."""
    provider.metadata = {"end_session_endpoint": named}
    await desk.hire("Chen Yu")
    browser, place = await sign_in(desk, provider)
    assert place == "/staff/"
    assert await signed_out(desk, browser) is None


async def test_an_address_with_a_query_of_its_own_keeps_it(desk: Desk, provider: OpenIdProvider) -> None:
    provider.metadata = {"end_session_endpoint": f"{provider.url}/end-session?tenant=kite"}
    await desk.hire("Chen Yu")
    browser, _ = await sign_in(desk, provider)
    address = await signed_out(desk, browser)
    assert address is not None
    assert parse_qsl(urlsplit(address).query)[0] == ("tenant", "kite")
    assert (await browser.get(address)).status_code == 303


async def test_a_provider_that_is_away_holds_nobody_back(desk: Desk, provider: OpenIdProvider) -> None:
    """Also in a service process that was started since and has not read its document yet."""
    await desk.hire("Chen Yu")
    first, _ = await sign_in(desk, provider)
    second, _ = await sign_in(desk, provider)
    provider.down = True
    assert await signed_out(desk, first) is not None
    connect(desk, provider)
    assert await signed_out(desk, second) is None


async def test_an_answer_that_comes_too_late_is_refused(desk: Desk, provider: OpenIdProvider) -> None:
    await desk.hire("Chen Yu")
    browser = desk.client()
    address = provider.approve("chen", await depart(desk, browser))
    desk.clock.forward(minutes=11)
    assert await arrive(browser, address) == "/staff/?sign_in=provider_late"


async def test_who_says_no_at_the_provider_is_told_so_and_its_words_are_not_shown(
    desk: Desk, provider: OpenIdProvider
) -> None:
    browser = desk.client()
    query = await depart(desk, browser)
    address = f"{CALLBACK}?error=access_denied&error_description=%3Cb%3Eno&state={query['state']}&iss={provider.url}"
    assert await arrive(browser, address) == "/staff/?sign_in=provider_denied"


async def test_a_provider_that_is_away_slow_or_somebody_else_is_said_to_be_down(
    desk: Desk, provider: OpenIdProvider
) -> None:
    for spoil in ({"down": True}, {"seconds": 1.0}, {"issuer": "https://evil.example"}):
        connect(desk, provider, timeout_seconds=0.2)
        for name, value in spoil.items():
            setattr(provider, name, value)
        response = await desk.client().get(f"{API}/sign-in/provider")
        assert response.headers["location"] == "/staff/?sign_in=provider_down", spoil
        provider.down, provider.seconds, provider.issuer = False, 0.0, None
    for wrong in ({"token_endpoint": "ftp://x"}, {"jwks_uri": None}, {"x": "y" * 600_000}):
        connect(desk, provider)
        provider.metadata = wrong
        response = await desk.client().get(f"{API}/sign-in/provider")
        assert response.headers["location"] == "/staff/?sign_in=provider_down"


async def test_a_provider_that_goes_away_in_between_is_said_to_be_down(desk: Desk, provider: OpenIdProvider) -> None:
    await desk.hire("Chen Yu")
    browser = desk.client()
    address = provider.approve("chen", await depart(desk, browser))
    provider.down = True
    assert await arrive(browser, address) == "/staff/?sign_in=provider_down"


@pytest.mark.parametrize(
    ("claims", "code"),
    [
        ({"email": "chen.yu@kite.example"}, "provider_email"),
        ({"email": "chen.yu@kite.example", "email_verified": "true"}, "provider_email"),
        ({"email": "chen.yu@kite.example", "email_verified": False}, "provider_email"),
        ({}, "provider_email"),
        ({"email": "stranger@kite.example", "email_verified": True}, "provider_unknown"),
    ],
)
async def test_only_a_verified_address_of_a_member_is_a_match(
    desk: Desk, provider: OpenIdProvider, claims: dict[str, Any], code: str
) -> None:
    await desk.hire("Chen Yu")
    provider.people["chen"] = Person("sub-1", claims)
    assert await refused(desk, provider) == code


async def test_an_address_that_another_account_holds_already_opens_nothing(
    desk: Desk, provider: OpenIdProvider
) -> None:
    """An address that went to somebody else at the provider does not bring the member with it."""
    await desk.hire("Chen Yu")
    await sign_in(desk, provider)
    provider.people["chen"].subject = "sub-2"
    assert await refused(desk, provider) == "provider_other"


async def test_a_closed_account_stays_closed(desk: Desk, provider: OpenIdProvider) -> None:
    chen = await desk.hire("Chen Yu")
    await sign_in(desk, provider)
    await desk.store.set_active(chen.email, False)
    assert await refused(desk, provider) == "provider_unknown"


async def test_claims_that_are_only_in_userinfo_are_asked_for_there(desk: Desk, provider: OpenIdProvider) -> None:
    await desk.hire("Chen Yu")
    provider.in_userinfo = ("email", "email_verified")
    browser, _ = await sign_in(desk, provider)
    assert await role_of(browser) == "agent"


async def test_userinfo_of_somebody_else_and_a_verification_of_another_address_count_for_nothing(
    desk: Desk, provider: OpenIdProvider
) -> None:
    await desk.hire("Chen Yu")
    provider.in_userinfo = ("email", "email_verified")
    provider.userinfo_subject = "sub-9"
    assert await refused(desk, provider) == "provider_unproved"
    provider.userinfo_subject = None
    provider.in_userinfo = ("email_verified",)
    provider.claims = lambda claims: claims | {"email": "chen.yu@kite.example"}
    provider.people["chen"] = Person("sub-1", {"email": "mallory@kite.example", "email_verified": True})
    assert await refused(desk, provider) == "provider_email"


async def test_groups_make_roles_add_people_and_take_the_way_in_again(desk: Desk, provider: OpenIdProvider) -> None:
    connect(desk, provider, GROUPS)
    claims: dict[str, Any] = {"email": "New@kite.example", "email_verified": True, "name": "New\0 One"}
    provider.people["chen"] = Person("sub-7", claims | {"groups": ["x", "desk-agents"]})
    browser, place = await sign_in(desk, provider)
    assert place == "/staff/"
    assert await role_of(browser) == "agent"
    member, password_hash = await desk.store.find_by_email("new@kite.example") or pytest.fail("not added")
    assert (member.name, password_hash) == ("New One", NO_PASSWORD)
    for password in (NO_PASSWORD, PASSWORD):
        tried = await desk.client().post(f"{API}/sign-in", json={"email": member.email, "password": password})
        assert tried.status_code == 401
    provider.people["chen"].claims["groups"] = ["desk-admins", "desk-agents"]
    risen, _ = await sign_in(desk, provider)
    assert await role_of(risen) == "admin"
    assert await role_of(browser) is None  # what was begun with another role has ended
    (changed,) = await desk.audited("staff_changed")
    assert (changed["data"]["before"], changed["data"]["role"]) == ("agent", "admin")
    provider.people["chen"].claims["groups"] = []
    assert await refused(desk, provider) == "provider_no_role"


async def test_nobody_is_added_unless_that_is_on_and_a_group_fits(desk: Desk, provider: OpenIdProvider) -> None:
    provider.people["chen"] = Person("sub-7", {"email": "new@kite.example", "email_verified": True, "groups": ["none"]})
    connect(desk, provider, GROUPS)
    assert await refused(desk, provider) == "provider_unknown"
    provider.people["chen"].claims["groups"] = ["desk-agents"]
    connect(desk, provider, Rules(GROUPS.claim, GROUPS.roles, provisions=False))
    assert await refused(desk, provider) == "provider_unknown"
    assert await desk.store.find_by_email("new@kite.example") is None


def test_a_claim_may_lie_deeper_and_be_a_single_word() -> None:
    rules = Rules("realm_access.roles", (("a", Role.AGENT),))
    assert rules.role_in({"realm_access": {"roles": ["a"]}}) is Role.AGENT
    assert rules.role_in({"realm_access": "a"}) is None
    assert Rules("role", (("a", Role.AGENT),)).role_in({"role": "a"}) is Role.AGENT
    assert (
        Rules("https://x.example/roles", (("a", Role.AGENT),)).role_in({"https://x.example/roles": ["a"]}) is Role.AGENT
    )


async def test_our_second_step_is_asked_for_unless_the_provider_has_asked_for_one(
    tmp_path: Path,
) -> None:
    async with open_desk(tmp_path, second_factor_required=("agent",)) as desk:
        double = OpenIdProvider(desk.base + CALLBACK)
        async with double.running():
            double.people["chen"] = Person("sub-1", {"email": "chen.yu@kite.example", "email_verified": True})
            connect(desk, double, Rules(mfa_acr=("gold",)))
            await desk.hire("Chen Yu")
            stages = []
            for more in ({}, {"amr": ["pwd"]}, {"amr": "mfa"}, {"amr": ["pwd", "mfa"]}, {"acr": "gold"}, {"acr": "0"}):
                double.claims = lambda claims, more=more: claims | more  # type: ignore[misc]
                browser, _ = await sign_in(desk, double)
                me = await browser.get(f"{API}/me")
                stages.append(me.json()["stage"] if me.status_code == 200 else me.status_code)
    # an amr that is no list is no valid token
    assert stages == ["enrol", "enrol", 401, "open", "open", "enrol"]


async def test_a_code_of_the_app_finishes_what_the_provider_began(desk: Desk, provider: OpenIdProvider) -> None:
    import pyotp

    chen = await desk.hire("Chen Yu")
    enrolment = await desk.side.second_factors.begin(chen)
    await desk.side.second_factors.confirm(chen, pyotp.TOTP(enrolment.secret).at(desk.clock().timestamp() - 30))
    browser, place = await sign_in(desk, provider)
    assert place == "/staff/?step=code"
    assert await role_of(browser) is None
    code = pyotp.TOTP(enrolment.secret).at(desk.clock().timestamp())
    assert (await browser.post(f"{API}/sign-in/code", json={"code": code})).status_code == 200
    assert await role_of(browser) == "agent"


async def test_without_passwords_only_those_are_let_in_for_whom_it_was_allowed_for_a_while(
    desk: Desk, provider: OpenIdProvider
) -> None:
    chen = await desk.hire("Chen Yu")
    assert (await desk.client().get(f"{API}/sign-in/ways")).json() == {
        "password": True,
        "provider": {"zh": "", "en": ""},
    }
    desk.side.sign_in.passwords_taken = False
    assert (await desk.client().get(f"{API}/sign-in/ways")).json()["password"] is False

    async def with_password() -> httpx.Response:
        return await desk.client().post(f"{API}/sign-in", json={"email": chen.email, "password": PASSWORD})

    wrong = await desk.client().post(f"{API}/sign-in", json={"email": chen.email, "password": "wrong"})
    right = await with_password()
    assert (right.status_code, right.json()) == (wrong.status_code, wrong.json())
    await desk.store.allow_password(chen.email, desk.clock(), 30)
    assert (await with_password()).status_code == 200
    desk.clock.forward(minutes=31)
    assert (await with_password()).status_code == 401


async def test_guessing_answers_locks_the_network_and_says_so(desk: Desk, provider: OpenIdProvider) -> None:
    """F38: 50 refused sign-ins of one network."""
    desk.side.sign_in._address_failures = 2
    await desk.hire("Chen Yu")
    provider.claims = expired
    assert [await refused(desk, provider) for _ in range(3)] == ["provider_unproved"] * 2 + ["provider_locked"]


async def test_no_token_and_no_code_is_written_to_the_log_or_the_trail(
    desk: Desk, provider: OpenIdProvider, capsys: pytest.CaptureFixture[str]
) -> None:
    """F40: a refused and a good sign-in leave neither codes nor tokens anywhere."""
    await desk.hire("Chen Yu")
    seen: list[str] = []
    provider.token = lambda token: (seen.append(token), token)[1]
    provider.claims = expired
    await refused(desk, provider)
    provider.claims = dict
    await sign_in(desk, provider)
    written = capsys.readouterr()
    trail = json.dumps([*await desk.audited("signed_in"), *await desk.audited("provider_linked")])
    for secret in (*seen, *provider.codes, *provider.access, SECRET):
        assert secret not in written.out + written.err + trail


async def test_a_desk_without_a_provider_has_no_such_routes(desk: Desk) -> None:
    assert (await desk.client().get(f"{API}/sign-in/ways")).json()["provider"] is None
    for path in ("sign-in/provider", "sign-in/provider/callback"):
        assert (await desk.client().get(f"{API}/{path}")).status_code == 404


async def test_a_subject_is_linked_and_a_state_used_once_on_both_databases(
    database: Database, store: StaffStore
) -> None:
    identities, now = IdentityStore(database), utc_now()
    member = await store.add("a@kite.example", "A", Role.AGENT, NO_PASSWORD, ("en",), now)
    assert await identities.link("https://id.example", "1", member.id, now)
    assert not await identities.link("https://id.example", "1", member.id, now)
    assert await identities.find("https://id.example", "1") == member.id
    assert await identities.find("https://other.example", "1") is None
    assert await identities.linked("https://id.example", member.id)
    assert await identities.unlink(member.id)
    assert await identities.find("https://id.example", "1") is None
    assert await identities.use_state("s", now, timedelta(minutes=20))
    assert not await identities.use_state("s", now, timedelta(minutes=20))
    assert await identities.use_state("s", now + timedelta(minutes=21), timedelta(minutes=20))
