"""Offers, invitations, barge-in and take-over through the API: who may, what everybody sees, what the contact is told."""

from __future__ import annotations

import asyncio

import pytest

from conversations.model import new_id
from handoff.roles import Role
from tests.handoff.desk import Browser, Desk


@pytest.fixture
async def chen(desk: Desk) -> Browser:
    return await desk.browser("Chen Yu")


@pytest.fixture
async def sam(desk: Desk) -> Browser:
    browser = await desk.browser("Sam")
    await desk.conversations.agent_seen(browser.member.id, "Sam")
    return browser


@pytest.fixture
async def boss(desk: Desk) -> Browser:
    return await desk.browser("Grace", Role.SUPERVISOR)


async def says(browser: Browser, conversation_id: str, text: str) -> int:
    body = {"text": text, "client_msg_id": new_id()}
    return (await browser.post(f"conversations/{conversation_id}/reply", body)).status_code


async def test_a_colleague_is_invited_joins_writes_and_leaves(desk: Desk, chen: Browser, sam: Browser) -> None:
    conversation_id = await desk.assigned_to(chen)
    path = f"conversations/{conversation_id}"
    async with sam.live() as live:
        await live.next("ready")
        invited = await chen.post(f"{path}/invite", {"agent_id": sam.member.id, "note": "knows parcels"})
        (part,) = invited.json()["conversation"]["participants"]
        assert (part["agent_id"], part["role"], part["joined_at"]) == (sam.member.id, "guest", None)
        assert (await live.next("invited", agent_id=sam.member.id))["by"] == "Chen Yu"
    assert await says(sam, conversation_id, "我来看看") == 201
    assert await says(chen, conversation_id, "谢谢") == 201
    assert "客服 Sam 也加入了会话，一起为您服务。" in await desk.contact_sees()
    mine = (await sam.get("conversations", view="mine")).json()["conversations"]
    assert [one["agent_name"] for one in mine] == ["Chen Yu"]
    assert (await sam.post(f"{path}/resolve")).status_code == 403
    assert (await sam.post(f"{path}/leave")).json()["conversation"]["participants"] == []
    assert await says(sam, conversation_id, "还有一点") == 403
    assert "knows parcels" not in " ".join(await desk.contact_sees())


async def test_barge_in_and_take_over_are_supervisors_verbs_with_entries_of_their_own(
    desk: Desk, chen: Browser, sam: Browser, boss: Browser
) -> None:
    conversation_id = await desk.assigned_to(chen)
    path = f"conversations/{conversation_id}"
    for verb in ("barge-in", "take-over"):
        response = await sam.post(f"{path}/{verb}")
        assert (response.status_code, response.json()["error"]["code"]) == (403, "forbidden")
    joined = (await boss.post(f"{path}/barge-in")).json()["conversation"]
    assert joined["agent_id"] == chen.member.id
    assert await says(boss, conversation_id, "我是主管") == 201
    assert await says(chen, conversation_id, "好的") == 201
    async with chen.live() as live:
        await live.next("ready")
        taken = (await boss.post(f"{path}/take-over")).json()["conversation"]
        assert taken["agent_id"] == boss.member.id
        assert (await live.next("taken_over", agent_id=chen.member.id))["by"] == "Grace"
    assert await says(chen, conversation_id, "我还在") == 403
    assert len(await desk.audited("barged_in")) == len(await desk.audited("taken_over")) == 1


async def test_an_offer_is_declined_and_goes_to_the_next_one(
    desk: Desk, chen: Browser, sam: Browser, boss: Browser
) -> None:
    await boss.post("teams/default", {"name_en": "All", "mode": "offer"})
    await desk.conversations.agent_seen(chen.member.id, "Chen Yu")
    conversation_id = await desk.queued()
    await desk.conversations.route_queue()
    path = f"conversations/{conversation_id}"
    first, second = (
        (sam, chen)
        if (await desk.conversations.get_conversation(conversation_id)).offered_to == sam.member.id
        else (chen, sam)
    )
    refused = await second.post(f"{path}/accept")
    assert (refused.status_code, refused.json()["error"]["code"]) == (409, "offered_to_colleague")
    assert (await first.post(f"{path}/decline")).json()["conversation"]["offered_to"] is None
    again = await first.post(f"{path}/decline")
    assert (again.status_code, again.json()["error"]["code"]) == (409, "not_offered")
    await desk.conversations.route_queue()
    assert (await second.post(f"{path}/accept")).status_code == 200


async def test_a_conversation_is_passed_to_a_team(desk: Desk, chen: Browser, boss: Browser) -> None:
    team = (await boss.post("teams", {"name_en": "Repairs", "name_zh": "维修组"})).json()["team"]
    conversation_id = await desk.assigned_to(chen)
    path = f"conversations/{conversation_id}/transfer"
    for bad in ({}, {"to_agent_id": boss.member.id, "to_team_id": team["id"]}):
        assert (await chen.post(path, bad)).status_code == 400
    assert (await chen.post(path, {"to_team_id": "f" * 32})).status_code == 404
    moved = (await chen.post(path, {"to_team_id": team["id"], "note": "屏幕碎了"})).json()["conversation"]
    assert (moved["status"], moved["team_id"], moved["handoff_reason"]) == ("queued", team["id"], "transferred")
    assert any("维修组" in text for text in await desk.contact_sees())


async def test_a_supervisor_passes_on_what_an_agent_holds(desk: Desk, chen: Browser, boss: Browser) -> None:
    conversation_id = await desk.assigned_to(chen)
    body = {"to_team_id": "default", "note": "needs somebody else"}
    moved = await boss.post(f"conversations/{conversation_id}/transfer", body)
    assert moved.json()["conversation"]["status"] == "queued"
    assert len(await desk.audited("overseen")) == 1


async def test_of_many_who_accept_one_offer_at_once_the_invited_one_has_it(
    desk: Desk, chen: Browser, sam: Browser, boss: Browser
) -> None:
    await boss.post("teams/default", {"name_en": "All", "mode": "offer"})
    conversation_id = await desk.queued()
    await desk.conversations.route_queue()  # only Sam is at the desk
    path = f"conversations/{conversation_id}/accept"
    responses = await asyncio.gather(*(browser.post(path) for browser in (chen, sam, chen)))
    assert [response.status_code for response in responses] == [409, 200, 409]
