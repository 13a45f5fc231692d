"""What staff see in clear and what is masked, on every route and in every live event, by role and by whose conversation it is.

Canaries are planted wherever a contact leaves something. A route that nobody has thought of yet is walked like the others,
so one that shows a canary fails here.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest

from conversations.model import Address, InboundMessage, new_id, utc_now
from conversations.turn_model import Reply, TurnResult
from handoff.clearance import CLASS_OF, CLEAR, REVEAL, Class
from handoff.masked_fields import OF_THE_DESK, WHOLE
from handoff.reveal_routes import AT_ONCE
from handoff.roles import DESK, POLICY, Role
from personal_data.kinds import Kind
from tests.crm.builders import EMMA, load_small_shop
from tests.handoff.desk import Browser, Desk

NAME = "Kanarie Vogelsang"
PHONE, OTHER_PHONE = "13912345678", "8613698765432"
EMAIL = "kanarie@vogel.example"
STREET = "建国路93号"
ID_CARD = "11010519491231002X"
CARD = "6222021234567890128"
WORDS = f"我叫{NAME}，手机{PHONE}，邮箱{EMAIL}，地址北京市朝阳区{STREET}，身份证{ID_CARD}，银行卡{CARD}"
ORDINARY = (NAME, "Vogelsang", PHONE, OTHER_PHONE, EMAIL, STREET)
HIGH_RISK = (ID_CARD, CARD)


@dataclass
class Planted:
    """Where the canaries are, and whom they belong to."""

    desk: Desk
    conversation_id: str
    contact_id: str
    source_id: str
    account: tuple[str, ...]  #: what the customer system knows of them
    order: str
    holder: Browser


@pytest.fixture
async def planted(desk: Desk) -> Planted:
    await load_small_shop(desk.crm)
    boss, holder = await desk.browser("Boss", Role.SUPERVISOR), await desk.browser("Holder")
    old = Address("whatsapp", "default", OTHER_PHONE)
    receipt = await desk.conversations.receive(InboundMessage(old, new_id(), WORDS, contact_name=NAME, language="zh"))
    conversation_id = receipt.conversation_id
    entities = [
        {"entity": "phone", "value": PHONE, "start": 1, "end": 2},
        {"entity": "address", "value": f"北京市朝阳区{STREET}"},
        {"entity": "person", "value": NAME},
        {"entity": "id_card", "value": ID_CARD},
    ]
    trace = {
        "language": "zh",
        "intent": "handoff",
        "entities": entities,
        "slots_changed": {"contact_value": EMAIL, "other": WORDS},
    }
    for claim in await desk.conversations.claim_turns(10):
        told = Reply(f"好的，{NAME}，稍后打{PHONE}", handoff="asked_for_person", customer_id=EMMA)
        await desk.conversations.commit_turn(claim, TurnResult((told,), trace), desk.clock(), go_on=False)
    assert (await holder.post(f"conversations/{conversation_id}/accept")).status_code == 200
    note = {"text": f"Called {PHONE}, card {CARD}", "client_msg_id": "note-1"}
    assert (await holder.post(f"conversations/{conversation_id}/note", note)).status_code == 201
    contact_id = (await desk.conversations.get_conversation(conversation_id)).contact_id
    profile = (await boss.get(f"contacts/{contact_id}")).json()["contact"]
    changes = {"revision": profile["revision"], "note": f"{WORDS}，朋友"}
    assert (await boss.post(f"contacts/{contact_id}", changes)).status_code == 200
    ticket = {"key": new_id(), "text": WORDS, "subject": f"Call {PHONE}", "contact_point": EMAIL}
    response = await holder.post(f"contacts/{contact_id}/tickets", ticket)
    assert response.status_code == 201, response.text
    # Another contact of the same person, and a resolved conversation with a rating.
    second = InboundMessage(Address("web", "default", PHONE), new_id(), WORDS, contact_name=NAME, contact_point=EMAIL)
    other_id = (await desk.conversations.receive(second)).conversation_id
    await desk.bot_answers(Reply("好的", handoff="asked_for_person"))
    await desk.conversations.assign(other_id, holder.member.agent, anyway=True)
    await desk.conversations.resolve(other_id, holder.member.agent)
    await desk.conversations.rate(Address("web", "default", PHONE), other_id, 2, WORDS)
    source_id = (await desk.conversations.get_conversation(other_id)).contact_id
    customer = await desk.crm.find_customer(EMMA)
    [order, *_] = await desk.crm.orders_of(EMMA)
    assert customer is not None
    account = tuple(filter(None, (customer.name, customer.phone, customer.email, order.recipient, order.address)))
    await desk.side.overview.reports.follower.catch_up()
    return Planted(desk, conversation_id, contact_id, source_id, account, order.number, holder)


def getting(planted: Planted) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Every GET route of the table with real ids, and queries where it needs one."""
    for (method, route), _ in sorted(POLICY.items()):
        if method != "GET" or route == "live":
            continue
        path = route.replace("<conversation_id>", planted.conversation_id).replace("<contact_id>", planted.contact_id)
        path = path.replace("<source_id>", planted.source_id).replace("<name>", "answer_en")
        path = path.replace("<channel>/<account>", "web/default")
        path = re.sub(r"<\w+>", "f" * 32, path)
        queries: list[dict[str, Any]] = [{}]
        if route in ("search", "search/messages", "customers"):
            queries = [{"q": q} for q in ("身份证", PHONE, "Kanarie", "Emma", planted.order)]
        elif route == "contacts/<contact_id>/candidates":
            queries = [{}, {"q": "Kanarie"}]
        elif route == "conversations":
            queries = [{"view": view} for view in ("all", "queued", "mine", "resolved")]
        elif route == "reports/ratings/export":
            queries = [{"part": "figures"}, {"part": "comments"}]
        elif route == "reports/export":
            now = utc_now().date()
            days = {"since": str(now - timedelta(days=3)), "until": str(now + timedelta(days=3))}
            queries = [days | {"rows": rows} for rows in ("conversations", "messages")]
        for query in queries:
            yield route, path, query


async def reading(browser: Browser, planted: Planted) -> dict[str, str]:
    """What a browser gets from every route, by the route."""
    got: dict[str, str] = {}
    for route, path, query in getting(planted):
        response = await browser.get(path, **query)
        assert response.status_code < 500, (route, response.text)
        if ("GET", route) in WHOLE:
            continue
        body = response.content.decode("utf-8", "replace")
        got[route] = got.get(route, "") + (
            json.dumps(response.json(), ensure_ascii=False) if body[:1] in "[{" else body
        )
    return got


def leaks(got: dict[str, str], canaries: tuple[str, ...]) -> list[tuple[str, str]]:
    return [(route, one) for route, body in got.items() for one in canaries if one in body]


async def test_the_canaries_are_where_staff_look(planted: Planted) -> None:
    """Otherwise the tests below could not fail."""
    got = await reading(await planted.desk.browser("Root", Role.ADMIN), planted)
    seen = {route for route, _ in leaks(got, (*ORDINARY, *planted.account))}
    assert seen >= {
        "conversations", "conversations/<conversation_id>", "conversations/<conversation_id>/messages",
        "conversations/<conversation_id>/traces", "contacts/<contact_id>", "contacts/<contact_id>/conversations",
        "contacts/<contact_id>/candidates", "contacts/<contact_id>/merge/<source_id>", "customers", "search", "search/messages",
        "reports/export",
    }  # fmt: skip


@pytest.mark.parametrize("role", Role)
async def test_id_cards_and_bank_cards_are_masked_for_every_role_on_every_route(planted: Planted, role: Role) -> None:
    """F40: deny by default."""
    got = await reading(await planted.desk.browser("Somebody", role), planted)
    assert leaks(got, HIGH_RISK) == []


async def test_whoever_holds_the_conversation_sees_no_id_card_either(planted: Planted) -> None:
    assert leaks(await reading(planted.holder, planted), HIGH_RISK) == []


@pytest.mark.parametrize("role", [Role.TRAINER, Role.AUDITOR, Role.AGENT])
async def test_who_does_not_serve_the_contact_sees_nothing_personal_on_any_route(planted: Planted, role: Role) -> None:
    """F40: trainers and auditors always, agents where the conversation is somebody else's."""
    got = await reading(await planted.desk.browser("Somebody", role), planted)
    assert leaks(got, (*ORDINARY, *HIGH_RISK, *planted.account)) == []


async def test_an_agent_sees_in_clear_what_is_theirs_to_answer(planted: Planted) -> None:
    got = await reading(planted.holder, planted)
    for route in (
        "conversations/<conversation_id>/messages",
        "contacts/<contact_id>",
        "conversations/<conversation_id>",
    ):
        missing = [one for one in (NAME, PHONE, EMAIL) if one not in got[route]]
        assert missing == [], route


async def test_no_live_event_shows_more_than_the_routes(planted: Planted) -> None:
    desk = planted.desk
    trainer, stranger = await desk.browser("Teach", Role.TRAINER), await desk.browser("Stranger")
    boss = await desk.browser("Chief", Role.SUPERVISOR)
    async with trainer.live() as taught, stranger.live() as strange, boss.live() as chief, planted.holder.live() as own:
        for live in (taught, strange, chief, own):
            await live.next("ready")
        again = InboundMessage(Address("whatsapp", "default", OTHER_PHONE), new_id(), WORDS, contact_name=NAME)
        await desk.conversations.receive(again)
        urgent = await planted.holder.post(f"conversations/{planted.conversation_id}/priority", {"level": "urgent"})
        assert urgent.status_code == 200
        for live, clear in ((taught, False), (strange, False), (chief, True), (own, True)):
            told = await live.next("message", conversation_id=planted.conversation_id)
            text = json.dumps([told, await live.next("conversation")], ensure_ascii=False)
            assert [one for one in HIGH_RISK if one in text] == []
            assert all((one in text) is clear for one in (PHONE, EMAIL, "Vogelsang", STREET)), text


async def test_a_conversation_that_waits_in_an_agents_queue_is_clear_until_somebody_else_takes_it(desk: Desk) -> None:
    chen, sam = await desk.browser("Chen Yu"), await desk.browser("Sam")
    conversation_id = await desk.queued(WORDS, name=NAME)
    texts = [(await one.get(f"conversations/{conversation_id}/messages")).text for one in (chen, sam)]
    assert all(PHONE in text for text in texts)
    await chen.post(f"conversations/{conversation_id}/accept")
    assert PHONE in (await chen.get(f"conversations/{conversation_id}/messages")).text
    assert PHONE not in (await sam.get(f"conversations/{conversation_id}/messages")).text
    async with sam.live() as live:
        await live.next("ready")
        invited = await chen.post(f"conversations/{conversation_id}/invite", {"agent_id": sam.member.id})
        assert invited.status_code == 200, invited.text
        assert PHONE in (await sam.get(f"conversations/{conversation_id}/messages")).text
    await chen.post(f"conversations/{conversation_id}/resolve")
    assert PHONE not in (await chen.get(f"conversations/{conversation_id}/messages")).text


async def test_no_moment_is_masked_however_its_digits_fall(desk: Desk) -> None:
    member = (await desk.browser("Ines", Role.AUDITOR)).member
    moments = [
        f"2026-11-16T01:23:{second:02}.{part:06}+00:00" for second in range(60) for part in range(1, 999_999, 7919)
    ]
    form = {"entries": [{"n": n, "data": {"when": one, "list": [one]}, "at": one} for n, one in enumerate(moments)]}
    seen = await desk.side.veil.over(form, member, "GET", "audit", {})
    assert seen is form


async def test_search_marks_still_lie_on_the_words_that_were_looked_for(planted: Planted) -> None:
    trainer = await planted.desk.browser("Teach", Role.TRAINER)
    hits = (await trainer.get("search/messages", q="银行卡")).json()["hits"]
    marked = {hit["snippet"][start:end] for hit in hits for start, end in hit["marks"]}
    assert marked == {"银行卡"}
    assert any("hidden" in hit for hit in hits)


async def test_the_form_says_which_places_are_masks(planted: Planted) -> None:
    trainer = await planted.desk.browser("Teach", Role.TRAINER)
    [first, *_] = (await trainer.get(f"conversations/{planted.conversation_id}/messages")).json()["messages"]
    shown = {first["text"][start:end]: kind for start, end, kind in first["hidden"]["text"]}
    assert shown == {
        "K*** V***": "name", "139****5678": "phone", "k***@vogel.example": "email", "北京市***": "address",
        "11**************2X": "id_card", "***************0128": "bank_card",
    }  # fmt: skip
    assert first["hidden"]["author_name"] == [[0, 9, "name"]]


async def test_a_colleague_who_edits_a_masked_contact_does_not_overwrite_what_they_could_not_see(
    planted: Planted,
) -> None:
    stranger, boss = await planted.desk.browser("Stranger"), await planted.desk.browser("Chief", Role.SUPERVISOR)
    seen = (await stranger.get(f"contacts/{planted.contact_id}")).json()["contact"]
    body = {"revision": seen["revision"], "name": seen["name"], "note": seen["note"] + "，常客"}
    assert (await stranger.post(f"contacts/{planted.contact_id}", body)).status_code == 200
    kept = await planted.desk.conversations.contact_profile(planted.contact_id)
    assert (kept.name, kept.note) == (NAME, f"{WORDS}，朋友，常客")
    assert CARD not in (await boss.get(f"contacts/{planted.contact_id}")).text


# Showing one thing in clear


async def test_revealing_a_message_shows_it_once_and_is_in_the_audit_trail_without_its_words(planted: Planted) -> None:
    path = f"conversations/{planted.conversation_id}/reveal"
    response = await planted.holder.post(path, {"seq": 1})
    assert response.json() == {"seq": 1, "text": WORDS}
    [entry] = await planted.desk.audited("personal_data_revealed")
    assert entry["actor"] == f"agent:{planted.holder.member.id}"
    assert (entry["data"]["conversation_id"], entry["data"]["seq"]) == (planted.conversation_id, 1)
    assert set(entry["data"]["kinds"]) == {"name", "phone", "email", "address", "id_card", "bank_card"}
    assert [one for one in (*ORDINARY, *HIGH_RISK) if one in json.dumps(entry, ensure_ascii=False)] == []


@pytest.mark.parametrize("role", Role)
async def test_only_who_serves_the_contact_or_oversees_the_desk_reveals(planted: Planted, role: Role) -> None:
    somebody = await planted.desk.browser("Somebody", role)
    for path, body in (
        (f"conversations/{planted.conversation_id}/reveal", {"seq": 1}),
        (f"contacts/{planted.contact_id}/reveal", {"field": "contact.note"}),
    ):
        response = await somebody.post(path, body)
        assert response.status_code == (200 if role in (Role.SUPERVISOR, Role.ADMIN) else 403), path
        assert (CARD in response.text) is (response.status_code == 200)
    entries = await planted.desk.audited("personal_data_revealed")
    assert len(entries) == (2 if role in (Role.SUPERVISOR, Role.ADMIN) else 0)


async def test_a_field_of_a_contact_is_revealed_by_its_place(planted: Planted) -> None:
    path = f"contacts/{planted.contact_id}/reveal"
    got = await planted.holder.post(path, {"field": "tickets.0.text"})
    assert got.json() == {"field": "tickets.0.text", "text": WORDS}
    [entry] = await planted.desk.audited("personal_data_revealed")
    assert entry["data"] == {"contact_id": planted.contact_id, "field": "tickets.0.text"}
    for bad in (
        "contact",
        "staff.email",
        "contact.__class__",
        "orders.99.phone",
        "contact.addresses",
        "contact.revision",
    ):
        assert (await planted.holder.post(path, {"field": bad})).status_code in (400, 404), bad


async def test_revealing_one_after_the_other_is_stopped(planted: Planted) -> None:
    path = f"conversations/{planted.conversation_id}/reveal"
    statuses = [(await planted.holder.post(path, {"seq": 1})).status_code for _ in range(AT_ONCE + 1)]
    assert statuses == [200] * AT_ONCE + [429]
    assert len(await planted.desk.audited("personal_data_revealed")) == AT_ONCE


async def test_the_console_is_told_who_may_reveal(planted: Planted) -> None:
    stranger = await planted.desk.browser("Stranger")
    for browser, may in ((planted.holder, True), (stranger, False)):
        for path in (f"conversations/{planted.conversation_id}", f"contacts/{planted.contact_id}"):
            assert (await browser.get(path)).json()["may_reveal"] is may, path


# The table


def test_every_kind_has_a_class_and_every_class_says_something_of_every_role() -> None:
    assert set(CLASS_OF) == set(Kind)
    assert set(CLEAR) == set(Class)
    assert all(set(roles) == set(Role) for roles in (*CLEAR.values(), REVEAL))


def test_who_may_ask_to_reveal_is_who_may_reveal() -> None:
    able = {role for role, when in REVEAL.items() if when != "never"}
    assert able == DESK
    assert POLICY["POST", "conversations/<conversation_id>/reveal"] == able
    assert POLICY["POST", "contacts/<contact_id>/reveal"] == able


def test_routes_that_are_not_looked_into_speak_of_the_desk_itself() -> None:
    """A new one here needs a second look: nothing of contacts may be behind it."""
    looked_into = {route.split("/")[0] for _, route in POLICY} - OF_THE_DESK
    assert looked_into == {
        "alerts", "assist", "audit", "channels", "contacts", "conversations", "customers", "deliveries", "learning", "live", "models", "reports", "reviews",
        "search",
    }  # fmt: skip
