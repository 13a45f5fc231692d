"""A contact's rights through the API: supervisors export and erase, with a receipt; nobody does so by a slip."""

from __future__ import annotations

import io
import json
import zipfile

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from conversations.erasing import Keepers, check_receipt
from handoff.roles import Role
from tests.crm.builders import EMMA, EMMA_DELIVERED, load_small_shop
from tests.handoff.contacts.test_contact_api import code, contact_id_of
from tests.handoff.desk import Desk

ERASE = {"confirm": "erase"}


@pytest.fixture
async def shop(desk: Desk) -> Desk:
    await load_small_shop(desk.crm)
    return desk


@pytest.fixture
def key(desk: Desk) -> Ed25519PrivateKey:
    """The desk erases elsewhere, too, and signs with this key."""
    made = Ed25519PrivateKey.generate()

    async def forget(conversation_ids: object) -> int:
        return 0

    async def indexed(conversation_ids: object) -> bool:
        return False

    desk.conversations.keepers = Keepers(desk.side.attachments.remove, forget, indexed, made.sign)
    return made


async def settled(desk: Desk, contact: str = "lin") -> str:
    """The contact of a conversation that an agent has resolved."""
    lin = await desk.browser("Lin")
    conversation_id = await desk.queued(contact=contact, customer_id=EMMA, name="Lin Mei")
    await lin.post(f"conversations/{conversation_id}/accept")
    await lin.post(f"conversations/{conversation_id}/resolve", {"ask": False})
    return await contact_id_of(desk, conversation_id)


async def test_a_supervisor_exports_everything_known_of_a_contact(shop: Desk) -> None:
    contact_id = await settled(shop)
    eve = await shop.browser("Eve", Role.SUPERVISOR)
    response = await eve.get(f"contacts/{contact_id}/export")
    assert (response.status_code, response.headers["content-type"]) == (200, "application/zip")
    assert f"contact-{contact_id}.zip" in response.headers["content-disposition"]
    archive = zipfile.ZipFile(io.BytesIO(response.content))
    assert archive.testzip() is None
    assert json.loads(archive.read("contact.json"))[0]["name"] == "Lin Mei"
    assert EMMA_DELIVERED in archive.read("account.json").decode()
    assert any(name.startswith("conversations/") for name in archive.namelist())
    assert "客户" in archive.read("README.txt").decode()


async def test_erasing_takes_everything_and_hands_out_a_receipt(shop: Desk, key: Ed25519PrivateKey) -> None:
    contact_id = await settled(shop)
    eve = await shop.browser("Eve", Role.SUPERVISOR)
    [begun] = (await eve.post(f"contacts/{contact_id}/erase", ERASE)).json()["erasures"]
    assert (begun["done_at"], begun["receipt"], begun["conversations"]) == (None, None, 1)
    shown = (await eve.get(f"contacts/{contact_id}")).json()["contact"]
    assert (shown["name"], shown["erased"]) == (None, True)
    shop.clock.forward(minutes=3)
    await shop.conversations.finish_erasures()
    [done] = (await eve.get(f"contacts/{contact_id}/erasures")).json()["erasures"]
    assert check_receipt(done["receipt"], key.public_key())
    assert "Lin Mei" not in json.dumps(done)
    assert code(await eve.get(f"contacts/{contact_id}/export")) == (409, "erased")
    [again] = (await eve.post(f"contacts/{contact_id}/erase", ERASE)).json()["erasures"]
    assert again == done, "erasing twice is erasing once"


async def test_a_contact_who_is_being_helped_is_not_erased(shop: Desk, key: Ed25519PrivateKey) -> None:
    eve = await shop.browser("Eve", Role.SUPERVISOR)
    contact_id = await contact_id_of(shop, await shop.queued(name="Lin Mei"))
    assert code(await eve.post(f"contacts/{contact_id}/erase", ERASE)) == (409, "still_open")
    assert (await eve.get(f"contacts/{contact_id}")).json()["contact"]["name"] == "Lin Mei"


@pytest.mark.parametrize("body", [{}, {"confirm": ""}, {"confirm": "yes"}, {"confirm": True}])
async def test_nobody_erases_by_a_slip(shop: Desk, body: dict[str, object]) -> None:
    eve = await shop.browser("Eve", Role.SUPERVISOR)
    contact_id = await settled(shop)
    assert code(await eve.post(f"contacts/{contact_id}/erase", body))[0] == 400


@pytest.mark.parametrize("role", [Role.AGENT, Role.TRAINER])
async def test_only_supervisors_and_admins_export_and_erase(shop: Desk, role: Role) -> None:
    contact_id = await settled(shop)
    other = await shop.browser("Somebody", role)
    assert code(await other.get(f"contacts/{contact_id}/export")) == (403, "forbidden")
    assert code(await other.post(f"contacts/{contact_id}/erase", ERASE)) == (403, "forbidden")
    assert code(await other.get(f"contacts/{contact_id}/erasures")) == (403, "forbidden")


async def test_there_is_nothing_to_export_of_a_contact_that_does_not_exist(shop: Desk) -> None:
    eve = await shop.browser("Eve", Role.SUPERVISOR)
    assert code(await eve.get(f"contacts/{'f' * 32}/export")) == (404, "not_found")
