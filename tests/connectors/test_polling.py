"""The polling fallback, files, and the pages."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.connectors.desk import AGENT, Server
from tests.pictures import PNG


async def hello(server: Server, token: str | None = None) -> dict[str, Any]:
    answer = await server.http.post("/webchat/hello", json={"token": token, "language": "en", "after": None})
    assert answer.status_code == 200
    body: dict[str, Any] = answer.json()
    return body


async def call(server: Server, token: str, path: str, **body: Any) -> httpx.Response:
    return await server.http.post(f"/webchat/{path}", json=body, headers={"authorization": f"Bearer {token}"})


async def poll(
    server: Server, token: str, after: str | None = None, wait: float = 5, since: int | None = None
) -> dict[str, Any]:
    query = {"wait": str(wait)} | ({"after": after} if after else {}) | ({"since": str(since)} if since else {})
    answer = await server.http.get("/webchat/messages", params=query, headers={"authorization": f"Bearer {token}"})
    assert answer.status_code == 200
    body: dict[str, Any] = answer.json()
    return body


async def upload(server: Server, token: str, content: bytes, name: str = "photo.png") -> httpx.Response:
    headers = {"authorization": f"Bearer {token}"}
    return await server.http.post("/webchat/files", files={"file": (name, content)}, headers=headers)


async def texts_until(server: Server, token: str, wanted: int) -> list[str]:
    texts: list[str] = []
    after = None
    while len(texts) < wanted:
        body = await poll(server, token, after)
        texts += [frame["message"]["text"] for frame in body["frames"] if frame["type"] == "message"]
        after = body["after"]
    return texts


async def test_polling_says_and_hears_the_same_as_the_socket(server: Server) -> None:
    token = (await hello(server))["token"]
    waiting = asyncio.create_task(texts_until(server, token, 2))
    said = await call(server, token, "messages", client_msg_id="12345678", text="hello")
    assert (said.json()["type"], said.json()["seq"]) == ("ack", 1)
    assert await waiting == ["hello", "you said hello"]
    repeated = await call(server, token, "messages", client_msg_id="12345678", text="hello")
    assert repeated.json() == said.json()
    async with server.widget(token) as widget:
        assert [message["text"] for message in await widget.messages(2)] == ["hello", "you said hello"]


async def test_a_poll_with_nothing_new_comes_back_empty(server: Server) -> None:
    token = (await hello(server))["token"]
    answer = await poll(server, token, wait=0.05)
    assert (answer["frames"], answer["after"]) == ([], None)


async def test_a_poll_tells_of_typing_and_status_too(server: Server) -> None:
    token = (await hello(server))["token"]
    await call(server, token, "messages", client_msg_id="12345678", text="a person please")
    await texts_until(server, token, 3)
    conversation = (await server.desk.list_conversations("queued")).items[0]
    after = f"{conversation.id}:{conversation.last_seq}"
    waiting = asyncio.create_task(poll(server, token, after))
    await asyncio.sleep(0.1)
    await server.desk.assign(conversation.id, AGENT)
    assert (await waiting)["frames"]
    assert (await call(server, token, "typing", preview="my")).status_code == 204
    await server.desk.resolve(conversation.id, AGENT)
    rated = await call(server, token, "rating", client_msg_id="12345679", conversation_id=conversation.id, score=4)
    assert rated.json()["type"] == "ack"
    again = await call(server, token, "rating", client_msg_id="12345670", conversation_id=conversation.id, score=4)
    assert (again.status_code, again.json()["error"]["code"]) == (409, "already_rated")


async def test_refusals_are_explained(server: Server) -> None:
    token = (await hello(server))["token"]
    assert (await call(server, "forged", "messages", client_msg_id="12345678", text="x")).status_code == 401
    assert (await server.http.get("/webchat/messages")).status_code == 401
    assert (await call(server, token, "messages", text="x")).status_code == 400
    assert (await call(server, token, "messages", client_msg_id="12345678", text=" ")).status_code == 400
    broken = await server.http.post("/webchat/hello", content=b"\xff{")
    assert (broken.status_code, broken.json()["error"]["code"]) == (400, "bad_frame")
    flood = (call(server, token, "messages", client_msg_id="12345678", text="x") for _ in range(60))
    refused = [answer for answer in await asyncio.gather(*flood) if answer.status_code != 200]
    assert {answer.status_code for answer in refused} == {429}
    assert all(int(answer.headers["retry-after"]) >= 1 for answer in refused)


async def test_pages_of_other_sites_are_refused_and_listed_ones_allowed(server: Server) -> None:
    evil = await server.http.post("/webchat/hello", json={}, headers={"origin": "https://evil.example"})
    assert (evil.status_code, evil.headers.get("access-control-allow-origin")) == (403, None)
    partner = {"origin": "https://partner.example"}
    asked = await server.http.options("/webchat/messages", headers=partner)
    assert (asked.status_code, asked.headers["access-control-allow-origin"]) == (204, "https://partner.example")
    allowed = await server.http.post("/webchat/hello", json={}, headers=partner)
    assert allowed.headers["access-control-allow-origin"] == "https://partner.example"


async def test_a_picture_travels_with_a_message_and_is_served_by_its_link(server: Server) -> None:
    token = (await hello(server))["token"]
    stored = (await upload(server, token, PNG, "../../photo.exe")).json()["attachment"]
    assert (stored["media_type"], stored["size"]) == ("image/png", len(PNG))
    assert "/" not in stored["name"]
    said = await call(server, token, "messages", client_msg_id="12345678", text="", attachment_ids=[stored["id"]])
    assert said.status_code == 200
    [frame] = [f for f in (await poll(server, token))["frames"] if f["message"]["author"] == "contact"]
    [shown] = frame["message"]["attachments"]
    fetched = await server.http.get(shown["url"])
    assert fetched.content == PNG
    assert fetched.headers["content-disposition"].startswith("inline")
    assert fetched.headers["x-content-type-options"] == "nosniff"
    assert "set-cookie" not in fetched.headers
    assert "sandbox" in fetched.headers["content-security-policy"]
    other = "y" if shown["url"].endswith("x") else "x"
    assert (await server.http.get(shown["url"][:-1] + other)).status_code == 404
    stranger = (await hello(server))["token"]
    stolen = await call(server, stranger, "messages", client_msg_id="12345678", text="", attachment_ids=[stored["id"]])
    assert stolen.status_code == 404


async def test_other_files_are_saved_and_never_shown_in_the_page(server: Server) -> None:
    token = (await hello(server))["token"]
    stored = (await upload(server, token, b"just text", "notes.txt")).json()["attachment"]
    fetched = await server.http.get(stored["url"])
    assert fetched.headers["content-disposition"].startswith("attachment")


@pytest.mark.parametrize(
    ("content", "status"),
    [
        (b"<html><script>", 400),
        (b"MZ\x90\x00\x03", 400),
        (b"", 400),
        (PNG + bytes(10 * 1024 * 1024), 400),
        (bytes(11 * 1024 * 1024), 413),
    ],
)
async def test_files_that_are_not_accepted_are_refused(server: Server, content: bytes, status: int) -> None:
    token = (await hello(server))["token"]
    answer = await upload(server, token, content)
    assert answer.status_code == status
    assert answer.json()["error"]["message"]


async def test_an_upload_needs_a_visitor_and_one_file(server: Server) -> None:
    assert (await upload(server, "forged", PNG)).status_code == 401
    token = (await hello(server))["token"]
    assert (await call(server, token, "files", nothing=True)).status_code == 400


async def test_the_shop_and_the_widget_are_served_compressed_and_only_when_changed(
    server: Server, tmp_path: Path
) -> None:
    home = await server.http.get("/")
    assert "<frontdesk-chat>" in home.text
    assert "default-src 'none'" in home.headers["content-security-policy"]
    assert home.headers["content-encoding"] == "gzip"
    assert (await server.http.get("/", headers={"if-none-match": home.headers["etag"]})).status_code == 304
    assert (await server.http.get("/shop/shop.css")).headers["content-type"].startswith("text/css")
    assert (await server.http.get("/shop/nothing.js")).status_code == 404
    assert (await server.http.get("/widget.js")).status_code == 503
    (tmp_path / "widget.js").write_text("one")
    assert (await server.http.get("/widget.js")).text == "one"


async def test_polling_learns_once_what_was_taken_back(server: Server) -> None:
    token = (await hello(server))["token"]
    said = await call(server, token, "messages", client_msg_id="12345678", text="a person please")
    conversation = said.json()["conversation_id"]
    await texts_until(server, token, 3)  # the bot hands off
    await server.desk.assign(conversation, AGENT)
    reply = await server.desk.reply_as_agent(conversation, AGENT, "oops", None)
    first = await poll(server, token)
    await server.desk.recall(conversation, AGENT, reply.seq)
    second = await poll(server, token, after=first["after"], since=first["since"])
    assert second["frames"] == [{"type": "recalled", "conversation_id": conversation, "seq": reply.seq}]
    third = await poll(server, token, after=second["after"], since=second["since"], wait=0.05)
    assert third["frames"] == []
    unaware = await poll(server, token, after=first["after"], wait=0.05)  # a widget that does not ask is not woken
    assert unaware["frames"] == []
