"""The live socket: who may open it, what it brings, and how presence follows it."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from conversations.hub import BUFFER
from conversations.model import Address, Status, new_id
from handoff.live import _Written
from handoff.presence import PresenceBoard
from handoff.roles import Role
from tests.handoff.desk import API, Browser, Desk, Live, open_desk


async def state_of(desk: Desk, browser: Browser) -> str:
    agents = (await browser.get("agents")).json()["agents"]
    return next(str(one["state"]) for one in agents if one["agent_id"] == browser.member.id)


async def heard_presence(onlooker: Live, browser: Browser) -> str:
    while (event := await onlooker.next("presence"))["agent"]["agent_id"] != browser.member.id:
        pass
    return str(event["agent"]["state"])


def quick_presence(desk: Desk) -> None:
    desk.side.presence = PresenceBoard(desk.conversations, beat_seconds=0.05, farewell_seconds=0.1)


@pytest.mark.parametrize("origin", [None, "https://evil.example", "null"])
async def test_another_site_cannot_open_the_socket_with_a_members_cookie(desk: Desk, origin: str | None) -> None:
    """F35: a socket of a foreign page, or of no page, with nothing but the cookie."""
    chen = await desk.browser("Chen Yu")
    cookie = f"frontdesk_session={chen.http.cookies['frontdesk_session']}"
    address = desk.base.replace("http", "ws", 1) + f"{API}/live"
    with pytest.raises(InvalidStatus) as refused:
        async with connect(address, additional_headers={"Cookie": cookie}, origin=origin):  # type: ignore[arg-type]
            pass
    assert refused.value.response.status_code == 403


async def test_without_a_session_the_socket_closes_with_4401(desk: Desk) -> None:
    stranger = Browser(None, desk.client(), "")  # type: ignore[arg-type]
    async with stranger.live() as live:
        with pytest.raises(ConnectionClosed) as closed:
            await live.next("ready")
    assert closed.value.rcvd is not None
    assert closed.value.rcvd.code == 4401


async def test_the_socket_closes_with_4401_when_the_session_ends(tmp_path: Path) -> None:
    async with open_desk(tmp_path, check_session_seconds=0.05) as desk:
        chen = await desk.browser("Chen Yu")
        async with chen.live() as live:
            await live.next("ready")
            await chen.post("sign-out")
            with pytest.raises(ConnectionClosed) as closed:
                await live.next("nothing")
        assert closed.value.rcvd is not None
        assert closed.value.rcvd.code == 4401


async def test_an_idle_console_is_signed_out_unless_a_person_is_there(tmp_path: Path) -> None:
    async with open_desk(tmp_path, check_session_seconds=0.05) as desk:
        idle, busy = await desk.browser("Idle"), await desk.browser("Busy")
        async with idle.live() as quiet, busy.live() as active:
            for _ in range(3):
                await quiet.send(type="ping")
                await quiet.next("pong")
                await active.send(type="ping", active=True)
                await active.next("pong")
                desk.clock.forward(minutes=11)
            with pytest.raises(ConnectionClosed):
                await quiet.next("nothing")
            await active.send(type="ping")
            await active.next("pong")


async def test_what_happens_arrives_at_every_console(desk: Desk) -> None:
    chen, sam = await desk.browser("Chen Yu"), await desk.browser("Sam")
    async with chen.live() as one, sam.live() as two:
        for live in (one, two):
            await live.next("ready")
        conversation_id = await desk.queued("help please")
        for live in (one, two):
            assert (await live.next("message", conversation_id=conversation_id))["message"]["text"] == "help please"
            while (await live.next("conversation"))["conversation"]["status"] != "queued":
                pass
        await chen.post(f"conversations/{conversation_id}/accept")
        moved = await two.next("conversation")
        assert (moved["conversation"]["status"], moved["conversation"]["agent_name"]) == ("assigned", "Chen Yu")
        await chen.post(f"conversations/{conversation_id}/note", {"text": "for colleagues"})
        while (await two.next("message"))["message"]["text"] != "for colleagues":
            pass


async def test_what_a_contact_types_is_seen_before_it_is_sent(desk: Desk) -> None:
    chen = await desk.browser("Chen Yu")
    async with chen.live() as live:
        await live.next("ready")
        conversation_id = await desk.assigned_to(chen)
        await desk.conversations.set_typing(Address("web", "default", "lin"), "我的耳机坏")
        event = await live.next("typing")
        assert (event["conversation_id"], event["author"], event["preview"]) == (
            conversation_id,
            "contact",
            "我的耳机坏",
        )


async def test_a_rating_tells_the_consoles_to_read_the_conversation_again(desk: Desk) -> None:
    chen = await desk.browser("Chen Yu")
    async with chen.live() as live:
        await live.next("ready")
        conversation_id = await desk.assigned_to(chen)
        await desk.conversations.resolve(conversation_id, chen.member.agent)
        await desk.conversations.rate(Address("web", "default", "lin"), conversation_id, 5, "kind")
        await live.next("message")
        while not (await live.next("message"))["message"]["text"].startswith(("感谢", "Thank")):
            pass
        event = await live.next("conversation")
        assert event["conversation"]["id"] == conversation_id
        found = await chen.get(f"conversations/{conversation_id}")
        assert found.json()["rating"]["comment"] == "kind"


async def test_an_agents_typing_frame_reaches_the_contact(desk: Desk) -> None:
    chen, trainer = await desk.browser("Chen Yu"), await desk.browser("Lin Wei", Role.TRAINER)
    conversation_id = await desk.assigned_to(chen)
    async with desk.conversations.hub.subscribe("contact:web:default:lin") as events, chen.live() as live:
        async with trainer.live() as onlooker:
            await onlooker.send(type="typing", conversation_id=conversation_id)
            await onlooker.send(type="ping")
            await onlooker.next("pong")
            assert not list(events._events)
        await live.send(type="typing", conversation_id=conversation_id)
        async with asyncio.timeout(5):
            assert (await anext(events))["author"] == "agent"
        await live.send(type="typing", conversation_id=new_id())  # too soon after the last: dropped
        await live.send(type="ping")
        await live.next("pong")


async def test_colleagues_learn_who_else_looks_at_a_conversation(desk: Desk) -> None:
    chen, sam = await desk.browser("Chen Yu"), await desk.browser("Sam")
    conversation_id = await desk.queued()
    async with chen.live() as one:
        await one.next("ready")
        await one.send(type="viewing", conversation_id=conversation_id)
        await one.next("viewing", agent_id=chen.member.id)
        async with sam.live() as two:
            await two.next("ready")
            await two.send(type="viewing", conversation_id=conversation_id)
            seen = await one.next("viewing", agent_id=sam.member.id)
            assert (seen["name"], seen["conversation_id"]) == ("Sam", conversation_id)
            assert (await two.next("viewing", agent_id=chen.member.id))["conversation_id"] == conversation_id
        gone = await one.next("viewing", agent_id=sam.member.id)
        assert gone["conversation_id"] is None


@pytest.mark.parametrize(
    "frame",
    [
        "",
        "no json",
        "[]",
        "null",
        "1",
        '{"type":"shutdown"}',
        '{"type":"typing","conversation_id":"../x"}',
        '{"type":1}',
        "\ud7ff" * 9,
        b"\xff\x00",
    ],
)
async def test_a_bad_frame_is_answered_and_the_socket_lives_on(desk: Desk, frame: str | bytes) -> None:
    chen = await desk.browser("Chen Yu")
    async with chen.live() as live:
        await live.connection.send(frame)
        assert (await live.next("error"))["code"] == "bad_frame"
        await live.send(type="ping")
        await live.next("pong")


async def test_a_huge_frame_closes_the_socket(desk: Desk) -> None:
    chen = await desk.browser("Chen Yu")
    async with chen.live() as live:
        await live.connection.send(json.dumps({"type": "ping", "x": "y" * 70_000}))
        with pytest.raises(ConnectionClosed) as closed:
            await live.next("pong")
    assert closed.value.rcvd is not None
    assert closed.value.rcvd.code == 1009


async def test_a_console_that_missed_events_is_told_to_come_back(desk: Desk) -> None:
    chen = await desk.browser("Chen Yu")
    async with chen.live() as live:
        await live.next("ready")
        for n in range(400):
            await desk.conversations.hub.publish("staff", {"type": "trace", "n": n})
        with pytest.raises(ConnectionClosed) as closed:
            await live.next("nothing")
    assert closed.value.rcvd is not None
    assert closed.value.rcvd.code == 1013


async def test_an_agent_is_online_while_a_console_is_open(desk: Desk) -> None:
    quick_presence(desk)
    chen, sam = await desk.browser("Chen Yu"), await desk.browser("Sam")
    assert await state_of(desk, chen) == "offline"
    async with sam.live() as onlooker:
        await onlooker.next("ready")
        async with chen.live() as first:
            await first.next("ready")
            assert await heard_presence(onlooker, chen) == "online"
            async with chen.live() as second:
                await second.next("ready")
            assert await state_of(desk, chen) == "online"
        assert await heard_presence(onlooker, chen) == "offline"
    assert await state_of(desk, chen) == "offline"


async def test_a_reload_of_the_page_is_no_absence(desk: Desk) -> None:
    quick_presence(desk)
    chen, sam = await desk.browser("Chen Yu"), await desk.browser("Sam", Role.SUPERVISOR)  # told of every event
    async with sam.live() as onlooker:
        await onlooker.next("ready")
        for _ in range(3):
            async with chen.live() as live:
                await live.next("ready")
        async with chen.live() as live:
            await live.next("ready")
            await asyncio.sleep(0.2)
            await desk.conversations.hub.publish("staff", {"type": "end"})
            states = []
            async with asyncio.timeout(5):
                while (event := json.loads(await onlooker.connection.recv()))["type"] != "end":
                    if event["type"] == "presence" and event["agent"]["agent_id"] == chen.member.id:
                        states.append(event["agent"]["state"])
    assert states == ["online"]


async def test_away_lasts_through_heartbeats_and_a_reload(desk: Desk) -> None:
    quick_presence(desk)
    chen = await desk.browser("Chen Yu")
    async with chen.live() as live:
        await live.next("ready")
        assert (await chen.post("presence", {"state": "away"})).json() == {"state": "away"}
        await asyncio.sleep(0.15)
        assert (await chen.get("presence")).json()["state"] == "away"
    await asyncio.sleep(0.3)
    async with chen.live() as live:
        await live.next("ready")
        assert await state_of(desk, chen) == "away"
        await chen.post("presence", {"state": "online"})
        assert await state_of(desk, chen) == "online"


async def test_trainers_are_not_at_the_desk(desk: Desk) -> None:
    trainer = await desk.browser("Lin Wei", Role.TRAINER)
    async with trainer.live() as live:
        await live.next("ready")
        assert await desk.conversations.agents() == []


async def test_a_lost_agent_gives_back_conversations_after_the_grace_period_and_a_present_one_keeps_them(
    desk: Desk,
) -> None:
    quick_presence(desk)
    chen, sam = await desk.browser("Chen Yu"), await desk.browser("Sam")
    async with sam.live() as present:
        await present.next("ready")
        async with chen.live() as live:
            await live.next("ready")
            hers = await desk.assigned_to(chen, "lin")
            his = await desk.assigned_to(sam, "emma")
        async with asyncio.timeout(10):
            while await state_of(desk, chen) != "offline":  # noqa: ASYNC110  # until their farewell is written down
                await asyncio.sleep(0.01)
        desk.clock.forward(seconds=40)
        await desk.conversations.requeue_lost()
        assert (await desk.conversations.get_conversation(hers)).status is Status.ASSIGNED
        desk.clock.forward(seconds=15)

        async with asyncio.timeout(5):
            while await state_of(desk, sam) == "offline":  # noqa: ASYNC110  # until the next heartbeat
                await asyncio.sleep(0.02)
        assert await desk.conversations.requeue_lost() == 1
        assert (await desk.conversations.get_conversation(hers)).status is Status.QUEUED
        assert (await desk.conversations.get_conversation(his)).agent_id == sam.member.id
        while (await present.next("conversation"))["conversation"]["id"] != hers:
            pass


async def test_an_event_is_written_once_for_all_consoles(desk: Desk) -> None:
    written = _Written(desk.side)
    chen, ben = (await desk.hire("Chen Yu", Role.SUPERVISOR)), (await desk.hire("Ben", Role.SUPERVISOR))
    said: dict[str, Any] = {"type": "message", "conversation_id": "c", "message": {"text": "您好", "attachments": []}}
    text = await written.of(said, chen)
    assert json.loads(text) == said
    assert await written.of(said, ben) is text
    assert await written.of(dict(said), chen) == text  # another event, even if it says the same
    for number in range(BUFFER):
        assert json.loads(await written.of({"type": "presence", "n": number}, chen))["n"] == number
    assert await written.of(said, chen) is not text  # forgotten, for no console is that far behind


async def test_an_agent_with_consoles_at_two_processes_is_gone_only_with_the_last_one(desk: Desk) -> None:
    here, there = (PresenceBoard(desk.conversations, beat_seconds=0.05, farewell_seconds=0.3) for _ in range(2))
    chen = (await desk.browser("Chen Yu")).member.agent

    async def state() -> str:
        return here.state_of((await here.everyone()).get(chen.id))

    await here.arrive(chen)
    await there.arrive(chen)
    here.leave(chen)
    for _ in range(10):
        await asyncio.sleep(0.06)
        assert await state() == "online"
    await here.choose(chen, "away")  # their request came to a process that holds no console of theirs
    for _ in range(5):
        await asyncio.sleep(0.06)
        assert await state() == "away", "the other process's heartbeats leave the choice alone"
    await there.choose(chen, "online")
    there.leave(chen)
    async with asyncio.timeout(5):
        while await state() != "offline":  # noqa: ASYNC110
            await asyncio.sleep(0.02)
    await here.close()
    await there.close()
