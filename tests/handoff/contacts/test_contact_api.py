"""The contact pane through the API: everything about a contact, edits, tickets, links and merges, by role."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace
from typing import Any

import httpx
import pytest

from conversations.errors import ContactUnreachable
from conversations.model import Address, InboundMessage, OutboundMessage, new_id
from conversations.outbox import Outbox
from conversations.turn_model import Reply
from handoff.roles import Role
from tests.crm.builders import EMMA, EMMA_DELIVERED, EMMA_TICKET, LI, LI_PAID, load_small_shop
from tests.handoff.desk import Browser, Desk


@pytest.fixture
async def shop(desk: Desk) -> Desk:
    """A desk whose customer system holds the small shop."""
    await load_small_shop(desk.crm)
    return desk


async def contact_id_of(desk: Desk, conversation_id: str) -> str:
    return (await desk.conversations.get_conversation(conversation_id)).contact_id


async def waiting(
    desk: Desk, contact: str = "lin", customer_id: str | None = None, name: str | None = "Lin Mei"
) -> str:
    """The contact of a conversation that waits, verified if a customer is named."""
    conversation_id = await desk.queued(contact=contact, customer_id=customer_id, name=name)
    return await contact_id_of(desk, conversation_id)


async def pane(browser: Browser, contact_id: str) -> dict[str, Any]:
    response = await browser.get(f"contacts/{contact_id}")
    assert response.status_code == 200, response.text
    return dict(response.json())


def code(response: httpx.Response) -> tuple[int, str]:
    return response.status_code, response.json()["error"]["code"]


async def test_the_pane_says_where_a_contact_can_no_longer_be_reached(shop: Desk) -> None:
    chen = await shop.browser("Chen Yu")
    left = InboundMessage(Address("telegram", "default", "+447700900123"), new_id(), "hello there", language="en")
    contact_id = await contact_id_of(shop, (await shop.conversations.receive(left)).conversation_id)

    async def blocked(to: Address, message: OutboundMessage) -> str:
        raise ContactUnreachable("Forbidden: bot was blocked by the user")

    outbox = Outbox(shop.conversations, blocked, poll_seconds=0.02)
    await outbox.start()
    await shop.bot_answers(Reply("thanks"))
    async with asyncio.timeout(10):
        while not await outbox.dead_letters():  # noqa: ASYNC110  # the outbox tells nobody else
            await asyncio.sleep(0.02)
    await outbox.stop()
    [place] = (await pane(chen, contact_id))["contact"]["addresses"]
    assert (place["channel"], place["unreachable"]) == ("telegram", True)


async def test_the_pane_shows_account_orders_tickets_and_every_channel(shop: Desk) -> None:
    chen = await shop.browser("Chen Yu")
    contact_id = await waiting(shop, customer_id=EMMA)
    elsewhere = InboundMessage(Address("telegram", "default", "+447700900123"), new_id(), "hello there", language="en")
    other = (await shop.conversations.receive(elsewhere)).conversation_id
    await shop.bot_answers(Reply("thanks", customer_id=EMMA))
    seen = await pane(chen, contact_id)
    assert (seen["identity"], seen["customer"]["name"], seen["crm_available"]) == ("verified", "Emma Clarke", True)
    assert EMMA_DELIVERED in [order["number"] for order in seen["orders"]]
    assert [ticket["number"] for ticket in seen["tickets"]] == [EMMA_TICKET]
    assert seen["contact"]["addresses"] == [
        {"channel": "web", "account": "default", "shown": None, "verified": True, "unreachable": False}
    ]  # a web visitor's random id means nothing to people
    assert [(one["channel"], one["first_words"]) for one in seen["conversations"]] == [
        ("telegram", "hello there"),
        ("web", "转人工"),
    ]
    assert seen["together_with"] == [await contact_id_of(shop, other)]


async def test_the_history_is_read_page_by_page(shop: Desk) -> None:
    chen = await shop.browser("Chen Yu")
    for _ in range(3):
        conversation_id = await shop.assigned_to(chen)
        await chen.post(f"conversations/{conversation_id}/resolve")
    contact_id = await contact_id_of(shop, conversation_id)
    first = (await chen.get(f"contacts/{contact_id}/conversations", limit=2)).json()
    rest = (await chen.get(f"contacts/{contact_id}/conversations", limit=2, cursor=first["cursor"])).json()
    assert (len(first["conversations"]), len(rest["conversations"]), rest["cursor"]) == (2, 1, None)
    for bad in ("x", "2026|x", "9" * 200):
        assert (await chen.get(f"contacts/{contact_id}/conversations", cursor=bad)).status_code in {200, 400}


async def test_a_customer_system_that_fails_leaves_the_contact_readable(
    shop: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    chen = await shop.browser("Chen Yu")
    contact_id = await waiting(shop, customer_id=EMMA)

    async def down(*_: object, **__: object) -> None:
        raise OSError("no route to host")

    for name in ("find_customer", "search_customers", "open_ticket"):
        monkeypatch.setattr(shop.crm, name, down)
    seen = await pane(chen, contact_id)
    assert (seen["crm_available"], seen["customer"], len(seen["conversations"])) == (False, None, 1)
    found = (await chen.get("customers", q="emma")).json()
    assert (found["customers"], found["crm_available"]) == ([], False)
    response = await chen.post(f"contacts/{contact_id}/tickets", {"key": new_id(), "text": "no sound"})
    assert code(response) == (503, "crm_down")


async def test_an_agent_edits_a_contact_and_a_stale_edit_is_told(shop: Desk) -> None:
    chen, sam = await shop.browser("Chen Yu"), await shop.browser("Sam")
    contact_id = await waiting(shop)
    revision = (await pane(chen, contact_id))["contact"]["revision"]
    async with sam.live() as live:
        await live.next("ready")
        changed = await chen.post(f"contacts/{contact_id}", {"revision": revision, "name": "梅琳", "tier": "vip"})
        assert (changed.json()["contact"]["name"], changed.json()["contact"]["tier"]) == ("梅琳", "vip")
        heard = await live.next("contact", contact_id=contact_id)
    assert heard["revision"] == changed.json()["contact"]["revision"]
    stale = await sam.post(f"contacts/{contact_id}", {"revision": revision, "name": "Mei"})
    assert code(stale) == (409, "contact_changed")
    (audited,) = await shop.audited("contact_edited")
    assert (audited["data"], "梅琳" in json.dumps(audited, ensure_ascii=False)) == ({"fields": ["name", "tier"]}, False)


@pytest.mark.parametrize(
    ("field", "value"), [("name", "x" * 300), ("language", "fr"), ("tier", "gold plus"), ("note", "x" * 5000)]
)
async def test_a_refused_value_names_its_field(shop: Desk, field: str, value: str) -> None:
    chen = await shop.browser("Chen Yu")
    contact_id = await waiting(shop)
    revision = (await pane(chen, contact_id))["contact"]["revision"]
    response = await chen.post(f"contacts/{contact_id}", {"revision": revision, field: value})
    assert code(response) == (400, "invalid_field")
    assert response.json()["error"]["detail"] == field


async def test_account_details_are_put_into_their_normal_form_and_checked(shop: Desk) -> None:
    chen = await shop.browser("Chen Yu")
    contact_id = await waiting(shop, customer_id=LI)
    customer = (await pane(chen, contact_id))["customer"]

    async def change(field: str, value: str, revision: int) -> httpx.Response:
        body = {"key": new_id(), "revision": revision, "field": field, "value": value}
        return await chen.post(f"contacts/{contact_id}/customer", body)

    changed = await change("phone", "+86 139 0013 2468", customer["revision"])
    assert changed.json()["customer"]["phone"] == "13900132468"
    assert code(await change("phone", "13700132468", customer["revision"])) == (409, "changed_meanwhile")
    revision = changed.json()["customer"]["revision"]
    for field, value, expected in (
        ("phone", "12", (400, "invalid_field")),
        ("email", "not an address", (400, "invalid_field")),
        ("email", "Emma.Clarke@example.com", (409, "contact_in_use")),
    ):
        refused = await change(field, value, revision)
        assert code(refused) == expected
        assert refused.json()["error"]["detail"] == field
    (audited,) = await shop.audited("customer_edited")
    assert "13900132468" not in json.dumps(audited)


async def test_the_account_of_a_contact_who_proved_nothing_cannot_be_changed(shop: Desk) -> None:
    chen = await shop.browser("Chen Yu")
    contact_id = await waiting(shop)
    assert (await chen.post(f"contacts/{contact_id}/link", {"customer_id": LI})).status_code == 200
    body = {"key": new_id(), "revision": 0, "field": "email", "value": "thief@example.org"}
    response = await chen.post(f"contacts/{contact_id}/customer", body)
    assert code(response) == (403, "not_verified")


async def test_a_link_is_shown_as_such_and_leaves_the_conversation_unverified(shop: Desk) -> None:
    chen = await shop.browser("Chen Yu")
    conversation_id = await shop.queued()
    contact_id = await contact_id_of(shop, conversation_id)
    found = (await chen.get("customers", q=LI_PAID)).json()["customers"]
    assert [one["id"] for one in found] == [LI]
    linked = await chen.post(f"contacts/{contact_id}/link", {"customer_id": LI})
    assert linked.json()["contact"]["linked_by"] == "Chen Yu"
    seen = await pane(chen, contact_id)
    assert (seen["identity"], seen["customer"]["id"]) == ("linked", LI)
    detail = (await chen.get(f"conversations/{conversation_id}")).json()
    assert (detail["conversation"]["customer_id"], detail["customer"]) == (None, None)
    assert code(await chen.post(f"contacts/{contact_id}/link", {"customer_id": "C9999"})) == (404, "not_found")
    await chen.post(f"contacts/{contact_id}/unlink")
    assert (await pane(chen, contact_id))["identity"] == "none"


async def test_a_ticket_is_opened_once_and_noted_in_the_conversation(shop: Desk) -> None:
    chen = await shop.browser("Chen Yu")
    conversation_id = await shop.queued(customer_id=EMMA)
    contact_id = await contact_id_of(shop, conversation_id)
    body = {"key": new_id(), "subject": "No sound", "text": "The left side is silent", "priority": "high"}
    body |= {"order_number": EMMA_DELIVERED, "conversation_id": conversation_id}
    first = await chen.post(f"contacts/{contact_id}/tickets", body)
    again = await chen.post(f"contacts/{contact_id}/tickets", body)
    assert (first.status_code, again.json()["ticket"]["number"]) == (201, first.json()["ticket"]["number"])
    ticket = first.json()["ticket"]
    assert (ticket["subject"], ticket["priority"], ticket["order_number"]) == ("No sound", "high", EMMA_DELIVERED)
    notes = [one.text for one in await shop.conversations.messages(conversation_id) if one.kind.value == "note"]
    assert notes == [f"新建了工单 {ticket['number']}：No sound"]
    assert all(ticket["number"] not in text for text in await shop.contact_sees())
    wrong = body | {"key": new_id(), "order_number": LI_PAID}
    refused = await chen.post(f"contacts/{contact_id}/tickets", wrong)
    assert (code(refused), refused.json()["error"]["detail"]) == ((400, "invalid_field"), "order_number")


async def test_a_ticket_moves_on_and_two_colleagues_do_not_overwrite_each_other(shop: Desk) -> None:
    chen, sam = await shop.browser("Chen Yu"), await shop.browser("Sam")
    contact_id = await waiting(shop, customer_id=EMMA)
    (ticket,) = (await pane(chen, contact_id))["tickets"]
    where = f"contacts/{contact_id}/tickets/{ticket['number']}"
    base = {"revision": ticket["revision"]}
    moved = await chen.post(where, base | {"key": new_id(), "status": "resolved", "comment": "The pen is on its way"})
    assert moved.json()["ticket"]["status"] == "resolved"
    assert code(await sam.post(where, base | {"key": new_id(), "status": "waiting"})) == (409, "ticket_move")
    assert code(await sam.post(where, base | {"key": new_id(), "priority": "low"})) == (409, "changed_meanwhile")
    said = await sam.post(where, base | {"key": new_id(), "comment": "Thanks"})  # a comment is never lost
    ticket = said.json()["ticket"]
    assert [one["text"] for one in ticket["comments"]][-2:] == ["The pen is on its way", "Thanks"]
    assert [(one["author"], one["field"], one["old"], one["new"]) for one in ticket["events"]] == [
        ("Chen Yu", "status", "in_progress", "resolved")
    ]
    stranger = await waiting(shop, contact="other")
    response = await sam.post(
        f"contacts/{stranger}/tickets/{ticket['number']}", base | {"key": new_id(), "comment": "x"}
    )
    assert code(response) == (404, "not_found")


async def test_a_ticket_of_someone_without_an_account_needs_a_way_to_reach_them_and_stays_in_the_pane(
    shop: Desk,
) -> None:
    chen = await shop.browser("Chen Yu")
    contact_id = await waiting(shop)
    body = {"key": new_id(), "text": "no sound"}
    refused = await chen.post(f"contacts/{contact_id}/tickets", body)
    assert (code(refused), refused.json()["error"]["detail"]) == ((400, "invalid_field"), "contact_point")
    opened = await chen.post(f"contacts/{contact_id}/tickets", body | {"contact_point": "+86 138 1234 5678"})
    assert opened.json()["ticket"]["contact_point"] == "13812345678"
    assert [one["number"] for one in (await pane(chen, contact_id))["tickets"]] == [opened.json()["ticket"]["number"]]


async def test_two_contacts_become_one_and_two_again(shop: Desk) -> None:
    chen, sam = await shop.browser("Chen Yu"), await shop.browser("Sam")
    mei, other = await waiting(shop, name="Mei"), await waiting(shop, contact="+8613812345678", name=None)
    found = (await chen.get(f"contacts/{mei}/candidates", q="5678")).json()["candidates"]
    assert [(one["id"], one["why"], one["conversations"]) for one in found] == [(other, "found", 1)]
    seen = (await chen.get(f"contacts/{mei}/merge/{other}")).json()
    assert (seen["source"]["holds"]["open"], seen["refused"]) == (1, None)
    merged = await chen.post(f"contacts/{mei}/merge", {"source_id": other})
    assert len(merged.json()["contact"]["addresses"]) == 2
    (shown,) = (await pane(sam, mei))["merges"]
    assert (shown["by_name"], shown["channels"], shown["may_separate"]) == ("Chen Yu", ["web"], False)
    assert not shown["by_contact"]
    assert code(await sam.post(f"contacts/{mei}/separate", {"merge_id": shown["id"]})) == (403, "not_yours")
    assert (await pane(chen, other))["contact"]["id"] == mei  # an old link leads to where it went
    assert (await chen.post(f"contacts/{mei}/separate", {"merge_id": shown["id"]})).status_code == 200
    assert (await pane(chen, other))["contact"]["id"] == other
    kinds = [len(await shop.audited(kind)) for kind in ("contacts_merged", "contacts_separated")]
    assert kinds == [1, 1]


async def test_contacts_of_different_customers_are_refused_before_and_when_merging(shop: Desk) -> None:
    chen = await shop.browser("Chen Yu")
    li, emma = await waiting(shop, customer_id=LI), await waiting(shop, contact="emma", customer_id=EMMA)
    assert (await chen.get(f"contacts/{li}/merge/{emma}")).json()["refused"] == "different_customers"
    assert code(await chen.post(f"contacts/{li}/merge", {"source_id": emma})) == (409, "different_customers")
    assert code(await chen.post(f"contacts/{li}/merge", {"source_id": li})) == (400, "invalid_message")


async def test_the_same_name_is_never_suggested_the_same_customer_is(shop: Desk) -> None:
    chen = await shop.browser("Chen Yu")
    one = await waiting(shop, customer_id=LI, name="李婷")
    await waiting(shop, contact="namesake", name="李婷")
    same = await waiting(shop, contact="again", customer_id=LI, name="Ting")
    phone = await waiting(shop, contact="8613800132468", name=None)
    found = (await chen.get(f"contacts/{one}/candidates")).json()["candidates"]
    assert [(who["id"], who["why"]) for who in found] == [(same, "customer"), (phone, "phone")]


async def test_trainers_read_contacts_and_change_none(shop: Desk) -> None:
    trainer = await shop.browser("Tara", Role.TRAINER)
    contact_id = await waiting(shop)
    assert (await pane(trainer, contact_id))["identity"] == "none"
    base = f"contacts/{contact_id}"
    for path in (base, f"{base}/link", f"{base}/unlink", f"{base}/tickets", f"{base}/merge", f"{base}/separate"):
        assert code(await trainer.post(path, {"revision": 0, "name": "x"})) == (403, "forbidden")
    assert code(await trainer.get(f"{base}/candidates")) == (403, "forbidden")
    assert code(await trainer.get("customers", q="emma")) == (403, "forbidden")


@pytest.mark.parametrize("bad_id", ["0" * 32, "x", "..%2f..", "' OR 1=1", "A" * 32])
async def test_contacts_that_do_not_exist_are_404_on_every_route(shop: Desk, bad_id: str) -> None:
    chen = await shop.browser("Chen Yu")
    other = await waiting(shop)
    for path, body in (
        ("", {"revision": 0, "name": "x"}),
        ("/customer", {"key": new_id(), "revision": 0, "field": "name", "value": "x"}),
        ("/link", {"customer_id": LI}),
        ("/unlink", {}),
        ("/tickets", {"key": new_id(), "text": "x"}),
        ("/tickets/TK100001", {"key": new_id(), "revision": 0, "comment": "x"}),
        ("/merge", {"source_id": other}),
    ):
        assert code(await chen.post(f"contacts/{bad_id}{path}", body)) == (404, "not_found"), path
    for path in ("", "/conversations", "/candidates", f"/merge/{other}"):
        assert code(await chen.get(f"contacts/{bad_id}{path}")) == (404, "not_found"), path
    assert (await chen.get("customers", q=" ")).status_code == 400


async def test_the_pane_shows_the_callback_ticket_and_hears_that_it_is_closed(shop: Desk) -> None:
    chen = await shop.browser("Chen Yu")
    shop.conversations._desk = replace(shop.conversations._desk, is_open=lambda _now: False)
    conversation_id = await shop.queued(contact="owl", name="Night Owl")
    contact_id = await contact_id_of(shop, conversation_id)
    assert [ticket["status"] for ticket in (await pane(chen, contact_id))["tickets"]] == ["open"]
    await chen.post(f"conversations/{conversation_id}/accept")
    await chen.post(f"conversations/{conversation_id}/reply", {"text": "here I am", "client_msg_id": new_id()})
    await chen.post(f"conversations/{conversation_id}/resolve")
    async with chen.live() as live:
        await live.next("ready")
        assert await shop.conversations.close_callbacks() == 1
        await live.next("contact", contact_id=contact_id)
    ticket = (await pane(chen, contact_id))["tickets"][0]
    assert (ticket["status"], ticket["events"][-1]["author"]) == ("resolved", "Chen Yu")
