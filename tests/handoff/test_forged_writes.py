"""What another site can have a member's browser send, and what an old page still sends, changes nothing."""

from __future__ import annotations

import pytest

from tests.handoff.desk import API, Browser, Desk

BODY = b'{"state": "away"}'


async def state_of(browser: Browser) -> str:
    return str((await browser.get("presence")).json()["state"])


async def test_a_token_from_before_the_last_sign_in_is_stale(desk: Desk) -> None:
    """F36: a page that was open before its member signed in again has a token of a session that is gone."""
    chen = await desk.browser("Chen Yu")
    again = await desk.sign_in(chen.member)
    response = await again.post("presence", {"state": "away"}, headers={"X-CSRF-Token": chen.csrf})
    assert (response.status_code, response.json()["error"]["code"]) == (403, "csrf")


@pytest.mark.parametrize(
    "content_type",
    [
        "text/plain",
        "text/plain; x=application/json",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
    ],
)
@pytest.mark.parametrize("origin", [None, "https://evil.example", "null"])
async def test_what_a_form_can_send_is_refused(desk: Desk, content_type: str, origin: str | None) -> None:
    """F36: these types need no leave of ours to be sent from another site; they carry the cookie and no token."""
    chen = await desk.browser("Chen Yu")
    before = await state_of(chen)
    headers = {"Content-Type": content_type} | ({} if origin is None else {"Origin": origin})
    response = await chen.http.post(f"{API}/presence", content=BODY, headers=headers)
    assert response.status_code == 403
    assert await state_of(chen) == before


@pytest.mark.parametrize(
    "wish",
    [
        ("GET", {"X-HTTP-Method-Override": "POST"}, ""),
        ("GET", {"X-Method-Override": "POST"}, ""),
        ("GET", {}, "?_method=POST"),
        ("POST", {"X-HTTP-Method-Override": "GET"}, ""),
        ("POST", {}, "?_method=GET"),
        ("POST", {}, "?csrf=token"),
    ],
    ids=str,
)
async def test_no_request_is_taken_for_one_of_another_method(desk: Desk, wish: tuple[str, dict[str, str], str]) -> None:
    """F36: reading stays reading, and a write stays a write that needs its token."""
    chen = await desk.browser("Chen Yu")
    before = await state_of(chen)
    method, headers, query = wish
    response = await chen.http.request(
        method, f"{API}/presence{query}", content=BODY, headers={"Content-Type": "application/json"} | headers
    )
    assert response.status_code == (200 if method == "GET" else 403)
    assert await state_of(chen) == before
