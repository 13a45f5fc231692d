"""Who oversees puts things right: a conversation in the wrong queue, a member who is locked out; and away stays away."""

from __future__ import annotations

import pytest

from conversations.model import MessageKind
from handoff.roles import Role
from tests.handoff.desk import API, Desk


async def test_who_is_given_a_conversation_while_away_stays_away(desk: Desk) -> None:
    chen, boss = await desk.browser("Chen"), await desk.browser("Boss", Role.SUPERVISOR)
    async with chen.live() as live:
        await live.next("ready")
        assert (await chen.post("presence", {"state": "away"})).status_code == 200
        waiting = await desk.queued()
        given = await boss.post(f"conversations/{waiting}/transfer", {"to_agent_id": chen.member.id})
        assert given.status_code == 200, given.text
        assert (await chen.get("presence")).json()["state"] == "away"


async def test_who_takes_one_while_away_stays_away_and_who_was_gone_is_there(desk: Desk) -> None:
    chen, sam = await desk.browser("Chen"), await desk.browser("Sam")
    async with chen.live() as live:
        await live.next("ready")
        await chen.post("presence", {"state": "away"})
        assert (await chen.post(f"conversations/{await desk.queued()}/accept")).status_code == 200
        assert (await chen.get("presence")).json()["state"] == "away"
    assert (await sam.post(f"conversations/{await desk.queued(contact='ben')}/accept")).status_code == 200
    assert (await sam.get("presence")).json()["state"] == "online"


async def test_an_admin_helps_who_is_locked_out_and_nobody_else(desk: Desk) -> None:
    admin, chen, ben = await desk.browser("Ada", Role.ADMIN), await desk.hire("Chen"), await desk.hire("Ben")
    client = desk.client()
    for member in (chen, ben):
        for _ in range(6):
            refused = await client.post(f"{API}/sign-in", json={"email": member.email, "password": "wrong wrong wrong"})
        assert refused.status_code == 429
    given = await admin.post(f"staff-accounts/{chen.id}/password", {"password": "a brand new password"})
    assert given.status_code == 200
    let_in = await client.post(f"{API}/sign-in", json={"email": chen.email, "password": "a brand new password"})
    assert let_in.status_code == 200
    still = await client.post(f"{API}/sign-in", json={"email": ben.email, "password": "wrong wrong wrong"})
    assert still.status_code == 429


async def test_a_supervisor_moves_what_nobody_holds_to_another_team(desk: Desk) -> None:
    boss, sam = await desk.browser("Boss", Role.SUPERVISOR), await desk.browser("Sam")
    made = await boss.post("teams", {"name_zh": "售后", "name_en": "After sales"})
    team_id = made.json()["team"]["id"]
    waiting = await desk.queued()
    since = (await desk.conversations.get_conversation(waiting)).waiting_since
    moved = await boss.post(f"conversations/{waiting}/transfer", {"to_team_id": team_id, "note": "for you"})
    assert moved.status_code == 200, moved.text
    shown = moved.json()["conversation"]
    assert (shown["status"], shown["team_id"]) == ("queued", team_id)
    assert (await desk.conversations.get_conversation(waiting)).waiting_since == since
    said = await desk.conversations.messages(waiting)
    assert [one.text for one in said if one.kind is MessageKind.NOTE] == ["for you"]
    with_bot = await desk.contact_writes("hello", "ben")
    assert (await boss.post(f"conversations/{with_bot}/transfer", {"to_team_id": team_id})).status_code == 200
    assert await desk.conversations.claim_turns(10) == [], "the bot is silent there"
    assert (await sam.post(f"conversations/{waiting}/transfer", {"to_team_id": team_id})).status_code == 403


@pytest.mark.parametrize("name", ["客户姓名", "contact name", "contact-name", "contact.name1", "order number", ""])
async def test_a_place_that_nothing_fills_is_refused(desk: Desk, name: str) -> None:
    boss = await desk.browser("Boss", Role.SUPERVISOR)
    draft = {"shortcut": "hi", "title_zh": "问候", "text_zh": f"您好 {{{{{name}}}}}，", "shared": True}
    made = await boss.post("canned", draft)
    assert made.status_code == 400
    assert made.json()["error"]["code"] == "canned_variable", made.text
