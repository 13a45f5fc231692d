"""Who gets in: cookies, CSRF, origins, and every route against every role."""

from __future__ import annotations

import re
from pathlib import Path

import httpx
import pytest
from sanic import Blueprint, Request
from sanic.response import HTTPResponse, empty

from handoff.demo import DemoSignIn, close_demo_staff, ensure_demo_staff
from handoff.guard import Guard
from handoff.mount import staff_blueprints
from handoff.roles import POLICY, PUBLIC, Role
from tests.handoff.desk import API, PASSWORD, Browser, Desk, open_desk


async def sign_in(client: httpx.AsyncClient, email: str, password: str = PASSWORD, **headers: str) -> httpx.Response:
    return await client.post(f"{API}/sign-in", json={"email": email, "password": password}, headers=headers)


def cookie_of(response: httpx.Response) -> str:
    return response.headers["set-cookie"]


async def test_a_browser_whose_name_is_no_text_signs_in_and_is_listed(desk: Desk) -> None:
    member = await desk.hire("Sam")
    client = desk.client(headers={b"user-agent": b"Browser \xff\xfe"})
    answer = await client.post(f"{API}/sign-in", json={"email": member.email, "password": PASSWORD})
    assert answer.status_code == 200, answer.text
    listed = (await client.get(f"{API}/sessions")).json()["sessions"]
    assert [one["browser"].startswith("Browser") for one in listed] == [True]


async def test_signing_in_sets_a_cookie_that_scripts_cannot_read_and_me_knows_the_member(desk: Desk) -> None:
    chen = await desk.hire("Chen Yu")
    client = desk.client()
    response = await sign_in(client, chen.email)
    cookie = cookie_of(response)
    assert cookie.startswith("frontdesk_session=")
    assert "HttpOnly" in cookie
    assert "SameSite=Lax" in cookie
    assert "Secure" not in cookie  # plain http on this machine
    me = await client.get(f"{API}/me")
    assert me.json() == response.json()
    assert me.json()["staff"]["role"] == "agent"
    assert me.headers["cache-control"] == "no-store"


async def test_over_https_the_cookie_is_bound_to_the_host(tmp_path: Path) -> None:
    async with open_desk(tmp_path, public_url="https://desk.example") as desk:
        chen = await desk.hire("Chen Yu")
        cookie = cookie_of(await sign_in(desk.client(), chen.email, origin="https://desk.example"))
        assert cookie.startswith("__Host-frontdesk=")
        assert "Secure" in cookie
        assert "Path=/" in cookie
        assert "Domain" not in cookie


async def test_plain_http_that_is_not_this_machine_gets_no_session(tmp_path: Path) -> None:
    async with open_desk(tmp_path, public_url="http://desk.example") as desk:
        chen = await desk.hire("Chen Yu")
        response = await sign_in(desk.client(), chen.email)
        assert (response.status_code, response.json()["error"]["code"]) == (403, "https_needed")
        assert "set-cookie" not in response.headers


async def test_signing_out_ends_the_session_on_the_server(desk: Desk) -> None:
    chen = await desk.browser("Chen Yu")
    stolen = dict(chen.http.cookies)
    assert (await chen.post("sign-out")).status_code == 200
    thief = desk.client(cookies=stolen)
    assert (await thief.get(f"{API}/me")).status_code == 401


async def test_a_cookie_set_by_somebody_else_is_replaced_at_sign_in(desk: Desk) -> None:
    chen = await desk.hire("Chen Yu")
    client = desk.client(cookies={"frontdesk_session": "chosen-by-an-attacker"})
    await sign_in(client, chen.email)
    assert (
        await desk.client(cookies={"frontdesk_session": "chosen-by-an-attacker"}).get(f"{API}/me")
    ).status_code == 401


async def test_wrong_sign_ins_lock_and_say_when_to_come_back(desk: Desk) -> None:
    chen = await desk.hire("Chen Yu")
    client = desk.client()
    statuses = [(await sign_in(client, chen.email, "wrong")).status_code for _ in range(6)]
    assert statuses == [401] * 5 + [429]
    locked = await sign_in(client, chen.email)
    assert locked.status_code == 429
    assert 0 < int(locked.headers["retry-after"]) <= 15 * 60


async def test_signing_in_and_out_is_in_the_audit_trail(desk: Desk) -> None:
    chen = await desk.browser("Chen Yu")
    await chen.post("sign-out")
    from sqlalchemy import text

    async with desk.database.read() as connection:
        bodies = " ".join((await connection.execute(text("SELECT body FROM audit_entries"))).scalars())
    assert '"signed_in"' in bodies
    assert '"signed_out"' in bodies
    assert chen.member.id in bodies


@pytest.mark.parametrize("token", [None, "", "wrong", "é"])
async def test_a_write_without_the_csrf_token_is_refused(desk: Desk, token: str | None) -> None:
    """F36: no CSRF token, or a wrong one."""
    chen = await desk.browser("Chen Yu")
    headers = {} if token is None else {"X-CSRF-Token": token.encode("latin-1")}
    response = await chen.http.post(f"{API}/presence", json={"state": "away"}, headers=headers)  # type: ignore[arg-type]
    assert (response.status_code, response.json()["error"]["code"]) == (403, "csrf")


async def test_the_csrf_token_of_another_session_does_not_fit(desk: Desk) -> None:
    """F36: the token of somebody else."""
    chen, sam = await desk.browser("Chen Yu"), await desk.browser("Sam")
    response = await chen.post("presence", {"state": "away"}, headers={"X-CSRF-Token": sam.csrf})
    assert response.status_code == 403


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Origin": "http://127.0.0.1:1"},
        {"Origin": "http://[bad"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
    ],
)
async def test_a_write_from_another_site_is_refused_even_with_a_token(desk: Desk, headers: dict[str, str]) -> None:
    chen = await desk.browser("Chen Yu")
    response = await chen.post("presence", {"state": "away"}, headers=headers)
    assert (response.status_code, response.json()["error"]["code"]) == (403, "foreign_origin")
    client = desk.client()
    assert (await sign_in(client, chen.member.email, **headers)).status_code == 403


async def test_the_console_itself_may_write(desk: Desk) -> None:
    chen = await desk.browser("Chen Yu")
    headers = {"Origin": desk.base, "Sec-Fetch-Site": "same-origin"}
    assert (await chen.post("presence", {"state": "away"}, headers=headers)).status_code == 200


async def test_a_form_of_another_site_cannot_post_json_as_text(desk: Desk) -> None:
    """F36: JSON that calls itself text, as a form of another site can send it."""
    chen = await desk.browser("Chen Yu")
    headers = {"X-CSRF-Token": chen.csrf, "Content-Type": "text/plain"}
    response = await chen.http.post(f"{API}/presence", content=b'{"state": "away"}', headers=headers)
    assert response.status_code == 415


# Every route against every role


def routes_of(desk: Desk) -> list[tuple[str, str]]:
    """Method and pattern of each mounted API route, read from the blueprints and not from the table under test."""
    api, live, _ = staff_blueprints(desk.side)
    found = []
    for blueprint in (api, live):
        for route in blueprint._future_routes:
            found += [(method, route.uri.lstrip("/")) for method in route.methods or ["GET"]]
    return found


async def test_every_route_has_a_policy_and_every_policy_a_route(desk: Desk) -> None:
    routes = set(routes_of(desk))
    assert len(routes) > 20
    assert routes == set(POLICY) | PUBLIC


async def test_a_route_without_a_policy_cannot_be_added(desk: Desk) -> None:
    async def secret(request: Request) -> HTTPResponse:
        return empty()

    guard = Guard(desk.side.sign_in, desk.base, desk.side.sight, desk.side.veil)
    with pytest.raises(LookupError, match="secret"):
        guard.add(Blueprint("x"), "GET", "secret", secret)


def path_of(route: str, conversation_id: str) -> str:
    """The route with ids in it: of a conversation there is, and of other things that there are not."""
    path = route.replace("<conversation_id>", conversation_id).replace("<name>", "answer_en")
    return re.sub(r"<(\w+)>", lambda match: match[0] if match[1] in {"card_id", "number"} else "f" * 32, path)


@pytest.mark.parametrize("role", [None, *Role])
async def test_the_matrix_of_routes_and_roles(desk: Desk, role: Role | None) -> None:
    """A role that may not is told so; one that may gets past the gate, to whatever the empty request deserves."""
    conversation_id = await desk.queued()
    browser = await desk.browser("Somebody", role) if role else Browser(None, desk.client(), "")  # type: ignore[arg-type]
    for method, route in sorted(POLICY, key=lambda entry: entry[1] == "sign-out"):
        if (method, route) == ("GET", "live"):
            continue  # tested with the socket
        path = path_of(route, conversation_id)
        response = await (browser.get(path) if method == "GET" else browser.post(path))
        code = response.json().get("error", {}).get("code") if response.status_code >= 400 else None
        if role is None:
            assert response.status_code == 401, (method, route)
        elif role in POLICY[method, route]:
            assert response.status_code < 500, (method, route)
            assert (response.status_code, code) not in {(401, "signed_out"), (403, "forbidden"), (403, "csrf")}, (
                method,
                route,
            )
        else:
            assert (response.status_code, code) == (403, "forbidden"), (method, route)


@pytest.mark.parametrize("role", Role)
async def test_no_role_writes_anything_with_a_wrong_csrf_token(desk: Desk, role: Role) -> None:
    conversation_id = await desk.queued()
    browser = await desk.browser("Somebody", role)
    before = len(await desk.audited("signed_in"))
    for method, route in sorted(POLICY):
        if method != "GET":
            response = await browser.post(path_of(route, conversation_id), headers={"X-CSRF-Token": "wrong"})
            assert (response.status_code, response.json()["error"]["code"]) == (403, "csrf"), route
    assert (await browser.get("me")).status_code == 200  # not even signing out
    assert len(await desk.audited("signed_in")) == before


async def test_trainers_read_conversations_and_write_what_they_teach(desk: Desk) -> None:
    written = {route for (method, route), roles in POLICY.items() if method == "POST" and Role.TRAINER in roles}
    taught = (
        "second-factor",
        "prompts",
        "examples",
        "synonyms",
        "knowledge",
        "learning",
        "models",
        "model-tests",
        "trials",
    )
    assert {route for route in written if route.split("/")[0] not in taught} == {
        "sign-out",
        "sessions/end-others",
        "conversations/<conversation_id>/seen",
        # of the bot only: tests/handoff/supervising looks at it
        "reviews/<review_id>",
        "reviews/<review_id>/inbox",
    }


async def test_only_trainers_and_admins_reach_prompts(desk: Desk) -> None:
    for (_, route), roles in POLICY.items():
        if route.startswith("prompts"):
            assert roles == {Role.TRAINER, Role.ADMIN}


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH", "TRACE"])
async def test_other_methods_are_not_a_way_in(desk: Desk, method: str) -> None:
    """F36: another method than the route has, or the wish for one in a header."""
    chen = await desk.browser("Chen Yu")
    response = await chen.http.request(method, f"{API}/presence", headers={"X-HTTP-Method-Override": "POST"})
    assert response.status_code in {404, 405, 501}


async def test_demo_sign_ins_are_shown_only_in_the_demo_and_work(tmp_path: Path) -> None:
    async with open_desk(tmp_path) as desk:
        assert (await desk.client().get(f"{API}/demo")).status_code == 404
        shown = await ensure_demo_staff(desk.store, desk.side.sign_in.passwords, PASSWORD)
        assert await ensure_demo_staff(desk.store, desk.side.sign_in.passwords, PASSWORD) == shown
        desk.side.demo_sign_ins = shown
        listed = (await desk.client().get(f"{API}/demo")).json()
        assert [DemoSignIn(**one) for one in listed] == list(shown)
        assert {one["role"] for one in listed} == {role.value for role in Role}
        for one in listed:
            assert (await sign_in(desk.client(), one["email"], one["password"])).status_code == 200
        await close_demo_staff(desk.store)
        assert (await sign_in(desk.client(), listed[0]["email"])).status_code == 401
