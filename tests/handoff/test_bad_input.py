"""Every route against what nobody should send: a clear 4xx in JSON, never a stack trace."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import httpx
import pytest

from conversations.model import new_id
from handoff.roles import POLICY, PUBLIC, Role
from tests.handoff.desk import API, PASSWORD, Desk

BODIES: dict[str, bytes] = {
    "not JSON": b"hello",
    "an array": b"[]",
    "a string": b'"x"',
    "null": b"null",
    "truncated": b'{"text": "x',
    "invalid UTF-8": b'{"text": "\xff\xfe"}',
    "a lone surrogate": b'{"text": "\\ud800", "client_msg_id": "\\ud800", "email": "\\ud800@x", "password": "\\udfff"}',
    "deep nesting": b'{"text": ' + b"[" * 20_000 + b"]" * 20_000 + b"}",
    "not a number": b'{"seq": NaN}',
    "a negative number": b'{"seq": -1}',
    "a huge number": b'{"seq": 99999999999999999999}',
    "a fraction": b'{"seq": 1.5}',
    "wrong types": json.dumps(
        {"text": {"a": 1}, "state": 5, "to_agent_id": [], "note": 7, "email": {}, "seq": "x"}
    ).encode(),
    "too long texts": json.dumps(
        {
            "text": "x" * 9000,
            "client_msg_id": "y" * 500,
            "note": "z" * 3000,
            "email": "e" * 300,
            "to_agent_id": "1",
            "seq": -5,
            "state": "x",
        }
    ).encode(),
    "tricky identifiers": json.dumps(
        {
            "text": "x",
            "client_msg_id": "a\0b",
            "to_agent_id": "../../etc",
            "attachment_ids": ["'; DROP"],
            "email": "a\0",
            "password": "",
            "seq": None,
            "state": "ONLINE",
        }
    ).encode(),
    "an oversize body": b'{"text": "' + b"x" * 70_000 + b'"}',
}
#: Verbs that need no body: anything that is not an object is simply not looked at.
BODYLESS = {"sign-out", "accept", "release", "resolve", "typing", "wake", "unmerge", "end-others", "run-questions"}


def error_of(response: httpx.Response) -> dict[str, Any]:
    error = response.json()["error"]
    assert error["code"]
    assert error["message"]
    assert "Traceback" not in response.text
    return dict(error)


@pytest.mark.parametrize("kind", BODIES)
async def test_no_body_gets_past_the_checks_or_breaks_a_route(desk: Desk, kind: str) -> None:
    chen = await desk.browser("Chen Yu")
    conversation_id = await desk.assigned_to(chen)
    headers = {"X-CSRF-Token": chen.csrf, "Content-Type": "application/json"}
    for method, route in sorted(POLICY.keys() | PUBLIC):
        verb = route.rsplit("/", 1)[-1]
        if method == "GET" or verb in BODYLESS or verb == "files":
            continue
        path = f"{API}/{route.replace('<conversation_id>', conversation_id)}"
        response = await chen.http.post(path, content=BODIES[kind], headers=headers)
        if verb == "requeue":  # its only field is optional, so what it does not know it does not look at
            assert response.status_code < 500, response.text
            await chen.post(f"conversations/{conversation_id}/accept")
            continue
        assert 400 <= response.status_code < 500, (route, response.text)
        error_of(response)


@pytest.mark.parametrize(
    ("path", "query"),
    [
        ("conversations", {"view": "secret"}),
        ("conversations", {"limit": "0"}),
        ("conversations", {"limit": "1000000"}),
        ("conversations", {"limit": "x"}),
        ("conversations", {"cursor": "\0"}),
        ("conversations", {"cursor": "x" * 1000}),
        ("conversations/{id}/messages", {"after_seq": "-1"}),
        ("conversations/{id}/messages", {"after_seq": "9" * 30}),
        ("conversations/{id}/messages", {"after_seq": "x"}),
        ("search", {}),
        ("search", {"q": ""}),
        ("search", {"q": "   "}),
        ("search", {"q": "\0"}),
        ("search", {"q": "x" * 5000}),
    ],
)
async def test_bad_queries_are_refused(desk: Desk, path: str, query: dict[str, str]) -> None:
    chen = await desk.browser("Chen Yu")
    conversation_id = await desk.queued()
    response = await chen.get(path.format(id=conversation_id), **query)
    assert response.status_code == 400
    error_of(response)


@pytest.mark.parametrize("cursor", ["x", "-1", "2026|x", "2026-13-45T00:00:00|x", "9" * 200, "2026-01-01|z", "1e9"])
async def test_a_made_up_cursor_gives_a_page_and_no_failure(desk: Desk, cursor: str) -> None:
    chen = await desk.browser("Chen Yu")
    await desk.queued()
    for view in ("queued", "bot", "resolved"):
        assert (await chen.get("conversations", view=view, cursor=cursor)).status_code in {200, 400}


@pytest.mark.parametrize(
    "bad_id", ["0" * 32, "x", "%00", "..%2f..", "' OR 1=1", "ü" * 32, "A" * 32, "0" * 31, "9" * 5000]
)
async def test_conversations_that_do_not_exist_are_404_on_every_route(desk: Desk, bad_id: str) -> None:
    chen, sam = await desk.browser("Chen Yu", Role.SUPERVISOR), await desk.browser("Sam")  # may try every route
    bodies = {
        "reply": {"text": "x", "client_msg_id": "1"},
        "note": {"text": "x"},
        "seen": {"seq": 1},
        "transfer": {"to_agent_id": sam.member.id},
        "invite": {"agent_id": sam.member.id},
        "remove": {"agent_id": sam.member.id},
        "labels": {"add": ["f" * 32]},
        "priority": {"level": "high"},
        "snooze": {"until": "2200-01-01T00:00:00Z"},
        "merge": {"into": "f" * 32},
        "recall": {"seq": 1},
        "reveal": {"seq": 1},
        "<macro_id>": {"run_id": "0" * 32},
        "rejected": {"reason": "wrong"},
        "translations": {"seq": 1, "to": "en"},
        "translate-reply": {"text": "x", "to": "en"},
    }
    for method, route in sorted(POLICY):
        if "<conversation_id>" not in route:
            continue
        path = route.replace("<conversation_id>", bad_id)
        response = await (chen.get(path) if method == "GET" else chen.post(path, bodies.get(route.rsplit("/", 1)[-1])))
        assert response.status_code == 404, (method, route, response.text)
        error_of(response)


async def test_unknown_routes_are_404_in_json(desk: Desk) -> None:
    chen = await desk.browser("Chen Yu")
    for path in ("", "nothing", "conversations/x/y/z", "sign-in/x"):
        response = await chen.http.get(f"{API}/{path}")
        assert response.status_code == 404, path
        error_of(response)


async def test_an_empty_reply_is_refused(desk: Desk) -> None:
    chen = await desk.browser("Chen Yu")
    conversation_id = await desk.assigned_to(chen)
    for text in ("", "   ", "\0"):
        response = await chen.post(f"conversations/{conversation_id}/reply", {"text": text, "client_msg_id": new_id()})
        assert (response.status_code, error_of(response)["code"]) == (400, "invalid_message")


@pytest.mark.parametrize(
    "text", ["<script>alert(1)</script>", "a\0b", "\u202egnp.exe", "👩‍👩‍👧‍👦" * 300, "'; DROP TABLE messages; --"]
)
async def test_strange_text_is_kept_as_text(desk: Desk, text: str) -> None:
    chen = await desk.browser("Chen Yu")
    conversation_id = await desk.assigned_to(chen)
    response = await chen.post(f"conversations/{conversation_id}/reply", {"text": text, "client_msg_id": new_id()})
    assert response.json()["message"]["text"] == text.replace("\0", "")


async def test_uploads_that_are_no_files_or_too_large(desk: Desk) -> None:
    chen = await desk.browser("Chen Yu")
    headers = {"X-CSRF-Token": chen.csrf}
    url = f"{API}/files"
    assert (await chen.post("files", {"file": "x"})).status_code == 400
    assert (await chen.http.post(url, files={"other": b"x"}, headers=headers)).status_code == 400
    assert (await chen.http.post(url, files={"file": ("a.txt", b"")}, headers=headers)).status_code == 400
    broken = {**headers, "Content-Type": "multipart/form-data; boundary=x"}
    assert (await chen.http.post(url, content=b"--x\r\nnonsense", headers=broken)).status_code == 400
    response = await chen.http.post(url, files={"file": ("a.txt", b"x" * (10 * 1024 * 1024 + 1))}, headers=headers)
    assert response.status_code == 413
    error_of(response)


async def test_a_body_that_announces_more_than_the_service_takes_is_refused_before_it_is_sent(desk: Desk) -> None:
    address = httpx.URL(desk.base)
    reader, writer = await asyncio.open_connection(address.host, address.port)
    announced = f"POST {API}/files HTTP/1.1\r\nHost: {address.netloc.decode()}\r\nContent-Length: {10**12}\r\n\r\n"
    writer.write(announced.encode())
    async with asyncio.timeout(5):
        answer = (await reader.read()).decode()
    writer.close()
    assert " 413 " in answer.split("\r\n")[0]
    assert json.loads(answer.split("\r\n\r\n", 1)[1])["error"]["code"] == "too_large"


async def test_a_failure_of_ours_says_so_without_its_insides(desk: Desk) -> None:
    chen = await desk.browser("Chen Yu")

    async def broken(*_: object) -> None:
        raise RuntimeError("secret database password")

    desk.side.store.all_staff = broken  # type: ignore[method-assign,assignment]
    response = await chen.get("agents")
    assert response.status_code == 500
    assert error_of(response)["code"] == "internal"
    assert "secret" not in response.text


async def test_a_cookie_that_is_no_text_is_nobody(desk: Desk) -> None:
    client = desk.client()
    for value in (b"frontdesk_session=\xff\xfe", b"frontdesk_session=" + b"x" * 5000, b";;;=;"):
        response = await client.get(f"{API}/me", headers={"Cookie": value})  # type: ignore[dict-item]
        assert response.status_code == 401
    chen = await desk.hire("Chen Yu")
    body = {"email": chen.email, "password": PASSWORD}
    response = await client.post(f"{API}/sign-in", json=body, headers={"Cookie": b"frontdesk_session=\xff"})  # type: ignore[dict-item]
    assert response.status_code == 200
