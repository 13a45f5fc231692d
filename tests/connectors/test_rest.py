from __future__ import annotations

import asyncio
from typing import Any

import httpx
import pytest

from connectors.rest import RestConnector
from tests.connectors.desk import AGENT, API_KEY, Server


async def send(server: Server, body: Any, key: str | None = API_KEY, idempotency: str | None = None) -> httpx.Response:
    headers = {"authorization": f"Bearer {key}"} if key else {}
    if idempotency is not None:
        headers["idempotency-key"] = idempotency
    return await server.http.post("/api/v1/messages", json=body, headers=headers)


async def listed(server: Server, **query: str) -> httpx.Response:
    return await server.http.get("/api/v1/messages", params=query, headers={"authorization": f"Bearer {API_KEY}"})


HELLO = {"contact": "ann", "text": "hello", "language": "en"}


async def test_a_message_is_taken_and_its_reply_is_listed(server: Server) -> None:
    taken = await send(server, {**HELLO, "wait_seconds": 5})
    assert taken.status_code == 200
    body = taken.json()
    assert [reply["text"] for reply in body["replies"]] == ["you said hello"]
    assert (body["seq"], body["status"], body["duplicate"]) == (1, "bot", False)
    everything = (await listed(server, contact="ann")).json()
    assert [message["text"] for message in everything["messages"]] == ["hello", "you said hello"]
    assert (await listed(server, contact="ann", after=everything["next"])).json()["messages"] == []


async def test_without_waiting_the_answer_comes_at_once(server: Server) -> None:
    taken = await send(server, HELLO)
    assert taken.status_code == 202
    assert set(taken.json()) == {"conversation_id", "message_id", "seq", "duplicate"}


async def test_waiting_ends_when_the_time_is_over(server: Server) -> None:
    await send(server, {**HELLO, "text": "a person please", "wait_seconds": 5})
    conversation = (await server.desk.list_conversations("queued")).items[0]
    await server.desk.assign(conversation.id, AGENT)
    answer = await send(server, {**HELLO, "wait_seconds": 0.2})
    assert (answer.status_code, answer.json()["replies"], answer.json()["status"]) == (200, [], "assigned")


async def test_the_reply_of_an_agent_ends_the_wait(server: Server) -> None:
    await send(server, {**HELLO, "text": "a person please", "wait_seconds": 5})
    conversation = (await server.desk.list_conversations("queued")).items[0]
    await server.desk.assign(conversation.id, AGENT)
    async with server.hub.subscribe("staff") as staff:
        waiting = asyncio.create_task(send(server, {**HELLO, "wait_seconds": 10}))
        news = aiter(staff)
        while (await anext(news))["type"] != "message":
            pass
    await server.desk.reply_as_agent(conversation.id, AGENT, "Lin here", None)
    assert [reply["text"] for reply in (await waiting).json()["replies"]] == ["Lin here"]


@pytest.mark.parametrize("key", [None, "wrong", ""])
async def test_without_a_known_key_nothing_is_told(server: Server, key: str | None) -> None:
    answer = await send(server, HELLO, key=key)
    assert (answer.status_code, answer.json()["error"]["code"]) == (401, "unauthorized")
    assert (await server.http.get("/api/v1/messages?contact=ann")).status_code == 401


@pytest.mark.parametrize("key", [b"\xff\xfe", b"order\t1", "订单 1".encode(), b"k" * 256])
async def test_an_idempotency_key_that_cannot_be_kept_is_refused_in_words(server: Server, key: bytes) -> None:
    headers = {b"authorization": f"Bearer {API_KEY}".encode(), b"idempotency-key": key}
    answer = await server.http.post("/api/v1/messages", json=HELLO, headers=headers)
    kept = key == "订单 1".encode()
    assert answer.status_code == (202 if kept else 400), answer.text
    assert kept or "Idempotency-Key" in answer.json()["error"]["message"]


async def test_bytes_that_are_no_text_in_the_api_key_are_a_wrong_key(server: Server) -> None:
    answer = await server.http.post("/api/v1/messages", json=HELLO, headers={b"authorization": b"Bearer \xff\xfe"})
    assert answer.status_code == 401


async def test_a_repeated_idempotency_key_gets_the_first_answer(server: Server) -> None:
    first = await send(server, HELLO, idempotency="order-1")
    again = await send(server, HELLO, idempotency="order-1")
    assert (again.status_code, again.json()) == (first.status_code, first.json())
    assert again.headers["idempotent-replayed"] == "true"
    assert (await send(server, {**HELLO, "text": "other"}, idempotency="order-1")).status_code == 422


async def test_concurrent_repeats_make_one_message(server: Server) -> None:
    answers = await asyncio.gather(*(send(server, HELLO, idempotency="order-2") for _ in range(8)))
    assert {answer.status_code for answer in answers} <= {202, 409}
    texts = [message["text"] for message in (await listed(server, contact="ann")).json()["messages"]]
    assert texts.count("hello") == 1


async def test_a_refused_message_gives_its_key_back(server: Server) -> None:
    assert (await send(server, {**HELLO, "text": "", "button_id": "nope"}, idempotency="order-3")).status_code == 400
    assert (await send(server, HELLO, idempotency="order-3")).status_code == 202


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"contact": ""}, "contact"),
        ({"contact": "a b"}, "contact"),
        ({"text": "x" * 4001}, "text"),
        ({"text": "  "}, "text"),
        ({"text": 5}, "text"),
        ({"language": "fr"}, "language"),
        ({"wait_seconds": 31}, "wait_seconds"),
        ({"surprise": 1}, "surprise"),
    ],
)
async def test_a_wrong_field_is_named(server: Server, change: dict[str, Any], named: str) -> None:
    answer = await send(server, {**HELLO, **change})
    assert answer.status_code == 400
    assert named in answer.json()["error"]["message"].lower()


async def test_listing_needs_a_contact_and_a_readable_cursor(server: Server) -> None:
    assert (await listed(server)).status_code == 400
    assert (await listed(server, contact="ann", after="yesterday")).status_code == 400


def test_keys_may_be_given_as_their_hash() -> None:
    import hashlib

    from connectors.base import WebhookRequest

    hashed = hashlib.sha256(API_KEY.encode()).hexdigest()
    RestConnector([hashed]).verify(WebhookRequest("POST", {"authorization": f"Bearer {API_KEY}"}))
