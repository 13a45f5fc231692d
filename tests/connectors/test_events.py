"""Other programs tell the desk of events over REST, once by their key; whoever gets a mail ends them with one click."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from conversations.model import Address, InboundMessage
from conversations.proactive_store import ProactiveStore, Told
from conversations.tables import addresses
from tests.connectors.desk import API_KEY, Server
from tests.connectors.meta_desk import desk_of
from tests.doubles.whatsapp import ANN, Whatsapp

HEADERS = {"authorization": f"Bearer {API_KEY}"}
CONTACT = {"channel": "rest", "contact": "ann"}
EVENT: dict[str, Any] = {
    "type": "order_shipped",
    "address": CONTACT,
    "data": {"order": "KT20260301", "carrier": "SF"},
    "idempotency_key": "shipped-KT20260301",
}


async def until_settled(server: Server, id: str) -> dict[str, Any]:
    async with asyncio.timeout(10):
        while True:
            found: dict[str, Any] = (await server.http.get(f"/api/v1/events/{id}", headers=HEADERS)).json()
            if found["state"] not in ("waiting", "sending"):
                return found
            await asyncio.sleep(0.02)


async def test_an_event_is_taken_told_and_its_state_can_be_asked_for(server: Server) -> None:
    answer = await server.http.post("/api/v1/events", json=EVENT, headers=HEADERS)
    assert answer.status_code == 202
    assert (answer.json()["type"], answer.json()["duplicate"]) == ("order_shipped", False)
    found = await until_settled(server, answer.json()["id"])
    assert (found["state"], found["channel"], found["how"], found["reason"]) == ("sent", "rest", "kept", None)
    said = (await server.http.get("/api/v1/messages?contact=ann", headers=HEADERS)).json()["messages"]
    assert [(one["author"], one["text"].split(".")[0]) for one in said] == [
        ("system", "您的订单 KT20260301 已发货。承运：SF。想知道到哪儿了，直接在这里问我就行。")
    ]


async def test_twenty_equal_requests_at_once_tell_once(server: Server) -> None:
    answers = await asyncio.gather(
        *(server.http.post("/api/v1/events", json=EVENT, headers=HEADERS) for _ in range(20))
    )
    assert {one.status_code for one in answers} == {202}
    [id] = {one.json()["id"] for one in answers}
    assert [one.json()["duplicate"] for one in answers].count(False) == 1
    await until_settled(server, id)
    said = (await server.http.get("/api/v1/messages?contact=ann", headers=HEADERS)).json()["messages"]
    assert len(said) == 1


async def test_another_event_with_the_same_key_is_refused(server: Server) -> None:
    await server.http.post("/api/v1/events", json=EVENT, headers=HEADERS)
    other = EVENT | {"data": {"order": "KT20260302"}}
    answer = await server.http.post("/api/v1/events", json=other, headers=HEADERS)
    assert (answer.status_code, answer.json()["error"]["code"]) == (422, "idempotency_conflict")


@pytest.mark.parametrize("key", ["\x00", "a\nb", "k" * 256])
async def test_a_key_that_no_database_keeps_is_refused(server: Server, key: str) -> None:
    answer = await server.http.post("/api/v1/events", json=EVENT | {"idempotency_key": key}, headers=HEADERS)
    assert answer.status_code == 400, answer.text
    assert "idempotency_key" in answer.json()["error"]["message"].lower()


async def test_the_key_may_stand_in_the_header(server: Server) -> None:
    body = {name: value for name, value in EVENT.items() if name != "idempotency_key"}
    headers = HEADERS | {"idempotency-key": "k"}
    first, again = [await server.http.post("/api/v1/events", json=body, headers=headers) for _ in range(2)]
    assert (first.json()["id"], again.json()["duplicate"]) == (again.json()["id"], True)


@pytest.mark.parametrize(
    ("change", "status", "named"),
    [
        ({"type": "order_lost"}, 400, "order_shipped"),
        ({"address": None}, 400, "exactly one"),
        ({"customer": "C-1"}, 400, "exactly one"),
        ({"address": {"channel": "rest"}}, 400, "address.contact"),
        ({"address": None, "email": "not an address"}, 400, "email"),
        ({"data": {}}, 400, "data.order is missing"),
        ({"data": {"order": "1", "colour": "red"}}, 400, "data.colour"),
        ({"data": {"order": ["KT"]}}, 400, "data.order"),
        ({"idempotency_key": None}, 400, "idempotency_key"),
        ({"idempotency_key": "x" * 256}, 400, "idempotency_key"),
        ({"valid_hours": 0}, 400, "valid_hours"),
        ({"colour": "red"}, 400, "colour"),
    ],
)
async def test_a_bad_event_is_refused_with_what_to_do(
    server: Server, change: dict[str, Any], status: int, named: str
) -> None:
    body = {name: value for name, value in (EVENT | change).items() if value is not None}
    answer = await server.http.post("/api/v1/events", json=body, headers=HEADERS)
    assert answer.status_code == status
    assert named.lower() in answer.json()["error"]["message"].lower()


async def test_nobody_tells_or_asks_without_a_key_and_nobody_sees_what_is_not_theirs(server: Server) -> None:
    assert (await server.http.post("/api/v1/events", json=EVENT)).status_code == 401
    id = (await server.http.post("/api/v1/events", json=EVENT, headers=HEADERS)).json()["id"]
    assert (await server.http.get(f"/api/v1/events/{id}")).status_code == 401
    for wrong in ("0" * 32, "x", "%00"):
        assert (await server.http.get(f"/api/v1/events/{wrong}", headers=HEADERS)).status_code == 404
    big = EVENT | {"data": {"order": "x" * 70_000}}
    assert (await server.http.post("/api/v1/events", json=big, headers=HEADERS)).status_code == 413
    server.load["overloaded"] = True
    assert (await server.http.post("/api/v1/events", json=EVENT, headers=HEADERS)).status_code == 503


async def test_opening_the_link_changes_nothing_and_posting_to_it_does(server: Server) -> None:
    id = (await server.http.post("/api/v1/events", json=EVENT, headers=HEADERS)).json()["id"]
    await until_settled(server, id)
    path = server.proactive.stop_url(await kept(server, id)).removeprefix(server.url)
    shown = await server.http.get(path)
    assert (shown.status_code, "退订" in shown.text, "Unsubscribe" in shown.text) == (200, True, True)
    assert "script-src" not in shown.headers["content-security-policy"]
    second = (await server.http.post("/api/v1/events", json=EVENT | {"idempotency_key": "b"}, headers=HEADERS)).json()
    assert (await until_settled(server, second["id"]))["state"] == "sent"
    # What a mail program posts (RFC 8058), without any cookie.
    done = await server.http.post(path, content="List-Unsubscribe=One-Click")
    assert (done.status_code, "已退订" in done.text) == (200, True)
    third = (await server.http.post("/api/v1/events", json=EVENT | {"idempotency_key": "c"}, headers=HEADERS)).json()
    assert (await until_settled(server, third["id"]))["reason"] == "opted_out"
    for wrong in ("/unsubscribe/x", f"{path}x", "/unsubscribe/" + "a" * 500):
        assert (await server.http.get(wrong)).status_code == 404
        assert (await server.http.post(wrong)).status_code == 404


async def kept(server: Server, id: str) -> Told:
    async with server.desk.database.read() as connection:
        told = await ProactiveStore(connection).find(id)
    assert told is not None
    return told


async def test_the_web_chat_shows_it_at_the_next_visit(server: Server) -> None:
    async with server.widget() as widget:
        await widget.say("hello")
        await widget.messages(2)
        token = widget.token
        [contact] = await visitors(server)
    where = {"channel": "webchat", "contact": contact}
    event = EVENT | {"address": where}
    id = (await server.http.post("/api/v1/events", json=event, headers=HEADERS)).json()["id"]
    assert (await until_settled(server, id))["how"] == "kept"
    async with server.widget(token) as widget:
        said = await widget.messages(3)
    assert said[-1]["text"].startswith("Your order KT20260301 is on its way.")


async def visitors(server: Server) -> list[str]:
    async with server.desk.database.read() as connection:
        query = select(addresses.c.contact).where(addresses.c.channel == "webchat")
        return list((await connection.execute(query)).scalars())


async def test_whatsapp_gets_the_template_after_a_day_and_stop_is_heard(tmp_path: Path) -> None:
    templates = {"order_shipped": {"en": {"name": "order_shipped", "language": "en", "variables": ["order"]}}}
    async with Whatsapp().running() as double, desk_of(tmp_path, double, templates=templates) as (server, url):
        double.templates.add(("order_shipped", "en"))
        double.variables[("order_shipped", "en")] = 1
        await double.deliver(url, double.webhook(double.message("hello")))
        await double.until(lambda: double.said)
        double.now += timedelta(hours=25)
        event = EVENT | {"address": {"channel": "whatsapp", "contact": ANN}}
        id = (await server.http.post("/api/v1/events", json=event, headers=HEADERS)).json()["id"]
        assert (await until_settled(server, id))["state"] == "sent"
        assert double.said[-1].body["type"] == "template"
        await double.deliver(url, double.webhook(double.message("STOP")))
        await double.until(lambda: double.said[-1].body["type"] == "text")
        assert double.said[-1].body["text"]["body"].startswith("Done: no more notifications")
        later = event | {"idempotency_key": "b"}
        id = (await server.http.post("/api/v1/events", json=later, headers=HEADERS)).json()["id"]
        assert (await until_settled(server, id))["reason"] == "opted_out"
        await server.desk.receive(InboundMessage(Address("whatsapp", "default", ANN), "m-9", "where is it?"))
        await double.until(lambda: len(double.said) >= 4)
