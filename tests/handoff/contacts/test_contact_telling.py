"""Agents see and choose what a contact is told without asking, and news of a ticket goes out by itself."""

from __future__ import annotations

from typing import Any

import pytest

from conversations.model import Agent, new_id
from conversations.proactive import Proactive
from conversations.proactive_catalogue import Catalogue
from conversations.proactive_store import ProactiveStore, Told
from crm.model import TicketKind
from handoff.roles import Role, allowed
from handoff.shop_accounts import shop_accounts
from tests.crm.builders import EMMA, EMMA_DELIVERED, EMMA_EMAIL, load_small_shop
from tests.handoff.contacts.test_contact_api import pane, waiting
from tests.handoff.desk import Browser, Desk


@pytest.fixture
async def shop(desk: Desk) -> Desk:
    """A desk that tells, and whose customer system holds the small shop."""
    await load_small_shop(desk.crm)
    desk.side.proactive = Proactive(
        desk.conversations, Catalogue.read(None), key=b"k" * 32, public_url="https://desk.example"
    )
    return desk


async def told(shop: Desk) -> list[Told]:
    """What waits to be told, the earliest first."""
    async with shop.database.read() as connection:
        store = ProactiveStore(connection)
        found = [await store.find(one) for one in await store.due(shop.conversations.now(), 100)]
    return [one for one in found if one is not None]


async def moved(chen: Browser, contact_id: str, **change: Any) -> None:
    """An agent changes the contact's ticket."""
    (ticket,) = (await pane(chen, contact_id))["tickets"]
    body = {"key": new_id(), "revision": ticket["revision"]} | change
    for _ in range(2):  # a repeat of the same write tells nothing new
        answer = await chen.post(f"contacts/{contact_id}/tickets/{ticket['number']}", body)
        assert answer.status_code == 200, answer.text


async def test_agents_see_and_choose_what_a_contact_is_told(shop: Desk) -> None:
    chen = await shop.browser("Chen Yu")
    contact_id = await waiting(shop, customer_id=EMMA)
    seen = (await pane(chen, contact_id))["telling"]
    assert {one["kind"]: one["on"] for one in seen["kinds"]} == dict.fromkeys(
        ("*", "order_shipped", "ticket_answered", "ticket_resolved", "callback"), True
    )
    answer = await chen.post(f"contacts/{contact_id}/telling", {"kind": "order_shipped", "on": False})
    chosen = {one["kind"]: (one["on"], one["off_by"]) for one in answer.json()["telling"]["kinds"]}
    assert (chosen["order_shipped"], chosen["callback"]) == ((False, "Chen Yu"), (True, None))
    answer = await chen.post(f"contacts/{contact_id}/telling", {"kind": "order_shipped", "on": True})
    assert all(one["on"] for one in answer.json()["telling"]["kinds"])


@pytest.mark.parametrize("body", [{"kind": "order_lost", "on": True}, {"kind": "*"}, {"kind": "No", "on": True}])
async def test_a_choice_that_is_none_is_refused(shop: Desk, body: dict[str, Any]) -> None:
    chen = await shop.browser("Chen Yu")
    contact_id = await waiting(shop)
    assert (await chen.post(f"contacts/{contact_id}/telling", body)).status_code == 400


async def test_a_comment_on_a_ticket_is_told_once(shop: Desk) -> None:
    contact_id = await waiting(shop, customer_id=EMMA)
    await moved(await shop.browser("Chen Yu"), contact_id, comment="The pen is on its way")
    [news] = await told(shop)
    assert (news.kind, news.recipient["contact_id"]) == ("ticket_answered", contact_id)
    assert news.facts["answer"] == "The pen is on its way"


async def test_a_resolved_ticket_is_told_as_done(shop: Desk) -> None:
    contact_id = await waiting(shop, customer_id=EMMA)
    await moved(await shop.browser("Chen Yu"), contact_id, status="resolved", comment="x" * 900)
    [news] = await told(shop)
    assert (news.kind, len(news.facts["answer"])) == ("ticket_resolved", 400)


async def test_another_priority_is_nobodys_news(shop: Desk) -> None:
    contact_id = await waiting(shop, customer_id=EMMA)
    await moved(await shop.browser("Chen Yu"), contact_id, priority="low")
    assert await told(shop) == []


async def test_a_callback_in_vain_is_told_as_that(shop: Desk) -> None:
    contact_id = await waiting(shop)
    ticket = await shop.crm.open_callback_ticket("ann@example.com", "en", ("turn", "callback"))
    assert ticket.kind is TicketKind.CALLBACK
    await shop.conversations.note_ticket(contact_id, Agent("a", "Chen Yu"), ticket.number, "callback", opened=True)
    chen = await shop.browser("Chen Yu")
    await moved(chen, contact_id, status="in_progress")
    await moved(chen, contact_id, status="waiting", comment="Rang twice")
    [news] = await told(shop)
    assert (news.kind, news.recipient["email"]) == ("callback", "ann@example.com")
    assert news.facts == {"ticket": ticket.number, "answer": "Rang twice"}


async def test_the_shop_says_who_ordered_and_how_they_are_mailed(shop: Desk) -> None:
    accounts = shop_accounts(shop.crm)
    found = await accounts.of_order(EMMA_DELIVERED)
    assert found is not None
    assert (found.customer_id, found.email, found.language) == (EMMA, EMMA_EMAIL, "en")
    assert await accounts.of_order("KT00000000") is None
    assert await accounts.of_customer("nobody") is None


async def test_who_only_watches_chooses_nothing(shop: Desk) -> None:
    assert not allowed(Role.TRAINER, "POST", "contacts/<contact_id>/telling")
