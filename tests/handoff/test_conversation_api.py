"""What agents and supervisors do with conversations, through the API, against the real conversations."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from conversations.model import Address, Agent, new_id
from conversations.turn_model import Reply
from handoff.roles import Role
from tests.handoff.desk import Browser, Desk
from tests.pictures import PNG


def ids(page: dict[str, Any]) -> list[str]:
    return [one["id"] for one in page["conversations"]]


async def reply(
    browser: Browser, conversation_id: str, text: str, client_msg_id: str | None = None, **more: Any
) -> Any:
    body = {"text": text, "client_msg_id": client_msg_id or new_id()} | more
    return await browser.post(f"conversations/{conversation_id}/reply", body)


async def test_the_queue_shows_who_waits_why_and_for_how_long(desk: Desk) -> None:
    chen = await desk.browser("Chen Yu")
    conversation_id = await desk.queued("转人工", name="李婷")
    desk.clock.forward(seconds=90)
    (row,) = (await chen.get("conversations", view="queued")).json()["conversations"]
    assert row["id"] == conversation_id
    assert row["contact_name"] == "李婷"
    assert row["channel"] == "web"
    assert row["language"] == "zh"
    assert row["handoff_reason"] == "asked_for_person"
    assert 89 <= row["waiting_seconds"] <= 100
    assert row["preview"]
    assert row["unread"] == row["last_seq"] > 0


async def test_accepting_answering_and_resolving(desk: Desk) -> None:
    chen = await desk.browser("Chen Yu")
    conversation_id = await desk.assigned_to(chen)
    assert ids((await chen.get("conversations", view="mine")).json()) == [conversation_id]
    said = await reply(chen, conversation_id, "您好，我是陈雨")
    assert said.status_code == 201
    assert said.json()["message"]["author_name"] == "Chen Yu"
    assert "您好，我是陈雨" in await desk.contact_sees()
    resolved = await chen.post(f"conversations/{conversation_id}/resolve")
    assert resolved.json()["conversation"]["status"] == "resolved"
    assert ids((await chen.get("conversations", view="resolved")).json()) == [conversation_id]
    again = await chen.post(f"conversations/{conversation_id}/resolve")
    assert (again.status_code, again.json()["error"]["code"]) == (409, "illegal_transition")


async def test_when_two_agents_accept_at_once_one_wins_and_the_other_is_told_who(desk: Desk) -> None:
    agents = [await desk.browser(f"Agent {n}") for n in range(4)]
    for round_number in range(3):
        conversation_id = await desk.queued(contact=f"contact {round_number}")
        path = f"conversations/{conversation_id}/accept"
        responses = await asyncio.gather(*(agent.post(path) for agent in agents))
        winners = [agent for agent, response in zip(agents, responses, strict=True) if response.status_code == 200]
        assert len(winners) == 1
        for response in responses:
            if response.status_code != 200:
                assert response.status_code == 409
                error = response.json()["error"]
                assert error["code"] == "already_assigned"
                assert winners[0].member.name in error["message"]


async def test_the_same_reply_sent_twice_is_said_once(desk: Desk) -> None:
    chen = await desk.browser("Chen Yu")
    conversation_id = await desk.assigned_to(chen)
    responses = await asyncio.gather(*(reply(chen, conversation_id, "once", "msg-1") for _ in range(5)))
    assert {response.status_code for response in responses} == {201}
    assert len({response.json()["message"]["id"] for response in responses}) == 1
    assert (await desk.contact_sees()).count("once") == 1


async def test_only_the_assigned_agent_answers(desk: Desk) -> None:
    chen, sam, boss = (
        await desk.browser("Chen Yu"),
        await desk.browser("Sam"),
        await desk.browser("Grace", Role.SUPERVISOR),
    )
    conversation_id = await desk.assigned_to(chen)
    for browser in (sam, boss):
        response = await reply(browser, conversation_id, "me too")
        assert (response.status_code, response.json()["error"]["code"]) == (403, "not_assigned")
        assert "Chen Yu" in response.json()["error"]["message"]
    for verb in ("release", "resolve", "requeue"):
        response = await sam.post(f"conversations/{conversation_id}/{verb}")
        assert (response.status_code, response.json()["error"]["code"]) == (403, "not_assigned"), verb
    transfer = {"to_agent_id": sam.member.id}
    assert (await sam.post(f"conversations/{conversation_id}/transfer", transfer)).status_code == 403
    assert (await desk.conversations.get_conversation(conversation_id)).agent_id == chen.member.id


async def test_agents_do_not_move_what_nobody_holds_but_supervisors_may(desk: Desk) -> None:
    sam, boss = await desk.browser("Sam"), await desk.browser("Grace", Role.SUPERVISOR)
    conversation_id = await desk.queued()
    for verb in ("release", "resolve", "requeue"):
        assert (await sam.post(f"conversations/{conversation_id}/{verb}")).status_code == 403, verb
    assert (await boss.post(f"conversations/{conversation_id}/resolve")).json()["conversation"]["status"] == "resolved"


async def test_notes_never_reach_the_contact(desk: Desk) -> None:
    chen, sam = await desk.browser("Chen Yu"), await desk.browser("Sam")
    conversation_id = await desk.assigned_to(chen)
    secret = "the customer was rude last time"
    contact_events = desk.conversations.hub.subscribe(f"contact:{Address('web', 'default', 'lin')}")
    async with contact_events:
        noted = await chen.post(f"conversations/{conversation_id}/note", {"text": secret, "client_msg_id": "n1"})
        await sam.post(f"conversations/{conversation_id}/transfer", {"to_agent_id": chen.member.id})
        await desk.conversations.agent_seen(sam.member.id, "Sam")
        body = {"to_agent_id": sam.member.id, "note": secret}
        moved = await chen.post(f"conversations/{conversation_id}/transfer", body)
        assert moved.status_code == 200, moved.text
        await sam.post(f"conversations/{conversation_id}/requeue", {"note": secret})
        heard = str(list(contact_events._events))
    assert noted.json()["message"]["kind"] == "note"
    assert heard != "[]"
    assert secret not in heard
    assert secret not in " ".join(await desk.contact_sees())
    listed = (await sam.get(f"conversations/{conversation_id}/messages")).json()["messages"]
    assert [one["kind"] for one in listed if one["text"] == secret] == ["note", "note", "note"]
    rows = (await sam.get("conversations", view="queued")).json()["conversations"]
    assert secret not in str(rows)


async def test_a_note_sent_twice_is_written_once(desk: Desk) -> None:
    chen = await desk.browser("Chen Yu")
    conversation_id = await desk.queued()
    for _ in range(2):
        await chen.post(f"conversations/{conversation_id}/note", {"text": "vip", "client_msg_id": "n1"})
    listed = (await chen.get(f"conversations/{conversation_id}/messages")).json()["messages"]
    assert [one["text"] for one in listed].count("vip") == 1


async def test_a_conversation_is_transferred_only_to_somebody_at_the_desk(desk: Desk) -> None:
    chen, sam = await desk.browser("Chen Yu"), await desk.browser("Sam")
    trainer = await desk.hire("Lin Wei", Role.TRAINER)
    conversation_id = await desk.assigned_to(chen)
    path = f"conversations/{conversation_id}/transfer"
    absent = await chen.post(path, {"to_agent_id": sam.member.id})
    assert absent.status_code == 400
    assert "Sam is not at the desk" in absent.json()["error"]["message"]
    assert (await chen.post(path, {"to_agent_id": trainer.id})).status_code == 404
    assert (await chen.post(path, {"to_agent_id": new_id()})).status_code == 404
    await desk.conversations.agent_seen(sam.member.id, "Sam")
    moved = await chen.post(path, {"to_agent_id": sam.member.id, "note": "needs English"})
    assert moved.json()["conversation"]["agent_name"] == "Sam"
    assert (await reply(sam, conversation_id, "Hi, Sam here")).status_code == 201


@pytest.mark.parametrize("state", ["bot", "queued", "assigned"])
async def test_a_supervisor_transfers_any_conversation_in_their_own_name(desk: Desk, state: str) -> None:
    chen, sam, boss = (
        await desk.browser("Chen Yu"),
        await desk.browser("Sam"),
        await desk.browser("Grace", Role.SUPERVISOR),
    )
    if state == "assigned":
        conversation_id = await desk.assigned_to(chen)
    else:
        conversation_id = await (desk.queued() if state == "queued" else desk.contact_writes())
    path, body = f"conversations/{conversation_id}/transfer", {"to_agent_id": sam.member.id, "note": "please help"}
    assert (await boss.post(path, body)).status_code in {400, 409}  # Sam is not there
    await desk.conversations.agent_seen(sam.member.id, "Sam")
    moved = await boss.post(path, body)
    assert moved.json()["conversation"]["agent_name"] == "Sam"
    listed = (await sam.get(f"conversations/{conversation_id}/messages")).json()["messages"]
    assert [one["author_name"] for one in listed if one["text"] == "please help"] == ["Grace"]


async def test_a_supervisor_gives_back_what_an_absent_agent_holds(desk: Desk) -> None:
    chen, boss = await desk.browser("Chen Yu"), await desk.browser("Grace", Role.ADMIN)
    conversation_id = await desk.assigned_to(chen)
    moved = await boss.post(f"conversations/{conversation_id}/requeue", {"note": "Chen is ill"})
    assert moved.json()["conversation"]["status"] == "queued"
    released = await boss.post(f"conversations/{conversation_id}/release")
    assert released.json()["conversation"]["status"] == "bot"


async def test_anyone_at_the_desk_may_step_in_while_the_bot_speaks(desk: Desk) -> None:
    chen = await desk.browser("Chen Yu")
    conversation_id = await desk.contact_writes("hello")
    accepted = await chen.post(f"conversations/{conversation_id}/accept")
    assert accepted.json()["conversation"]["status"] == "assigned"
    await desk.bot_answers(Reply("too late"))
    assert "too late" not in await desk.contact_sees()


async def test_one_conversation_with_everything_an_agent_needs(desk: Desk) -> None:
    from datetime import date

    from crm.demo import load_demo

    await load_demo(desk.crm, date(2026, 11, 21))
    chen = await desk.browser("Chen Yu")
    (customer,) = await desk.crm.search_customers("KT20260001")
    earlier = await desk.assigned_to(chen)
    await chen.post(f"conversations/{earlier}/resolve")
    await desk.conversations.rate(Address("web", "default", "lin"), earlier, 4, "helpful")
    conversation_id = await desk.queued(customer_id=customer.id)
    detail = (await chen.get(f"conversations/{conversation_id}")).json()
    assert detail["conversation"]["customer_id"] == customer.id
    assert detail["contact"]["name"] == "Lin Mei"
    assert detail["customer"]["name"] == customer.name
    assert {"KT20260001", "KT20260002"} <= {order["number"] for order in detail["orders"]}
    shipped = next(order for order in detail["orders"] if order["number"] == "KT20260001")
    assert shipped["shipment"]["carrier"] == "SF"
    assert shipped["shipment"]["events"][0]["text_zh"]
    assert [one["id"] for one in detail["past_conversations"]] == [earlier]
    assert detail["rating"] is None
    assert (await chen.get(f"conversations/{earlier}")).json()["rating"]["score"] == 4
    assert {agent["name"] for agent in detail["agents"]} == {"Chen Yu"}
    assert detail["agents"][0]["agent_id"] == chen.member.id
    traces = (await chen.get(f"conversations/{conversation_id}/traces")).json()["traces"]
    assert traces[0]["trace"]["intent"] == "handoff"


async def test_a_crm_that_fails_does_not_keep_the_agent_from_the_conversation(desk: Desk) -> None:
    class BrokenCrm:
        async def find_customer(self, customer_id: str) -> None:
            raise ConnectionError("CRM is down")

        async def search_customers(self, text: str, limit: int) -> None:
            raise ConnectionError("CRM is down")

    desk.side.crm = BrokenCrm()  # type: ignore[assignment]
    chen = await desk.browser("Chen Yu")
    conversation_id = await desk.queued(customer_id="C1")
    detail = await chen.get(f"conversations/{conversation_id}")
    assert detail.status_code == 200
    assert (detail.json()["customer"], detail.json()["crm_available"]) == (None, False)
    found = await chen.get("search", q="转人工")
    assert ids(found.json()) == [conversation_id]
    assert found.json()["crm_available"] is False


async def test_unread_counts_are_per_agent_and_fall_when_read(desk: Desk) -> None:
    chen, sam = await desk.browser("Chen Yu"), await desk.browser("Sam")
    conversation_id = await desk.assigned_to(chen)

    async def unread(browser: Browser) -> int:
        return (await browser.get(f"conversations/{conversation_id}")).json()["conversation"]["unread"]

    last_seq = (await desk.conversations.get_conversation(conversation_id)).last_seq
    await chen.post(f"conversations/{conversation_id}/seen", {"seq": last_seq})
    assert await unread(chen) == 0
    assert await unread(sam) == last_seq
    await desk.contact_writes("one more")
    assert await unread(chen) == 1
    await chen.post(f"conversations/{conversation_id}/seen", {"seq": 2**31 - 1})
    await desk.contact_writes("and more")
    assert await unread(chen) == 1
    await reply(chen, conversation_id, "I see")
    assert await unread(chen) == 0


async def test_lists_are_paged_without_gaps_while_they_change(desk: Desk) -> None:
    chen = await desk.browser("Chen Yu")
    made = [await desk.contact_writes("hi", contact=f"c{n}") for n in range(7)]
    seen: list[str] = []
    cursor = None
    for _ in range(4):
        page = (await chen.get("conversations", view="bot", limit=2, **({"cursor": cursor} if cursor else {}))).json()
        seen += ids(page)
        cursor = page["cursor"]
        await desk.contact_writes("new on top", contact=f"new {len(seen)}")
        if cursor is None:
            break
    assert seen == made[::-1]


async def test_messages_are_read_from_where_the_console_stopped(desk: Desk) -> None:
    chen = await desk.browser("Chen Yu")
    conversation_id = await desk.assigned_to(chen)
    everything = (await chen.get(f"conversations/{conversation_id}/messages")).json()
    seqs = [one["seq"] for one in everything["messages"]]
    assert seqs == list(range(1, everything["last_seq"] + 1))
    rest = (await chen.get(f"conversations/{conversation_id}/messages", after_seq=2, limit=1)).json()
    assert [one["seq"] for one in rest["messages"]] == [3]


async def test_a_file_is_sent_once_uploaded_and_only_by_its_owner(desk: Desk) -> None:
    chen, sam = await desk.browser("Chen Yu"), await desk.browser("Sam")
    conversation_id = await desk.assigned_to(chen)
    png = PNG
    headers = {"X-CSRF-Token": chen.csrf}
    sent = await chen.http.post("/staff/api/files", files={"file": ("../évil.png", png)}, headers=headers)
    assert sent.status_code == 201
    attachment = sent.json()["attachment"]
    assert attachment["media_type"] == "image/png"
    assert f"/files/{attachment['id']}?t=" in attachment["url"]
    assert (await reply(sam, conversation_id, "", attachment_ids=[attachment["id"]])).status_code == 404
    said = await reply(chen, conversation_id, "", attachment_ids=[attachment["id"]])
    assert said.json()["message"]["attachments"][0]["url"]
    listed = (await chen.get(f"conversations/{conversation_id}/messages")).json()["messages"]
    assert listed[-1]["attachments"][0]["name"] == attachment["name"]
    evil = await chen.http.post("/staff/api/files", files={"file": ("x.html", b"<script>1</script>")}, headers=headers)
    assert (evil.status_code, evil.json()["error"]["code"]) == (400, "file_type")


async def test_typing_is_shown_to_the_contact_only_for_the_assigned_agent(desk: Desk) -> None:
    chen, sam = await desk.browser("Chen Yu"), await desk.browser("Sam")
    conversation_id = await desk.assigned_to(chen)
    async with desk.conversations.hub.subscribe("contact:web:default:lin") as events:
        await sam.post(f"conversations/{conversation_id}/typing")
        await chen.post(f"conversations/{conversation_id}/typing")
        heard = [event for event in events._events if event["type"] == "typing"]
    assert len(heard) == 1


async def test_agents_lists_who_can_take_over_with_load(desk: Desk) -> None:
    chen, _ = await desk.browser("Chen Yu"), await desk.browser("Sam")
    await desk.hire("Lin Wei", Role.TRAINER)
    gone = await desk.hire("Gone")
    await desk.store.set_active(gone.email, False)
    await desk.assigned_to(chen)
    agents = (await chen.get("agents")).json()["agents"]
    assert [(one["name"], one["state"], one["assigned"]) for one in agents] == [
        ("Chen Yu", "online", 1),
        ("Sam", "offline", 0),
    ]
    await desk.conversations.agent_seen(chen.member.id, "Chen Yu")
    desk.clock.forward(seconds=31)  # no heartbeat since
    assert {one["state"] for one in (await chen.get("agents")).json()["agents"]} == {"offline"}
    assert Agent(chen.member.id, "Chen Yu") == chen.member.agent
