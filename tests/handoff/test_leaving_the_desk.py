"""Whoever leaves the desk is gone, wherever the server was with them."""

from __future__ import annotations

import asyncio
from typing import Any

from conversations.change import STAFF
from conversations.model import new_id
from handoff.access.event_sight import EventSight
from handoff.live import _Console, _Written
from handoff.presence import PresenceBoard
from tests.handoff.desk import Desk


class _ClosedByTheBrowser:
    """A socket whose browser has gone: it has nothing to say, and what it is told is lost."""

    async def recv(self) -> None:
        await asyncio.sleep(0)

    async def send(self, text: str) -> None:
        await asyncio.sleep(0)

    async def close(self, code: int, reason: str) -> None:
        await asyncio.sleep(0)


async def test_wherever_the_server_stops_the_handler_of_a_lost_console_its_agent_is_gone(desk: Desk) -> None:
    """The server cancels a handler whose connection is lost, also one that is already taking its leave."""
    chen, sam = await desk.browser("Chen Yu"), await desk.browser("Sam")
    session = await desk.side.sign_in.find_session(chen.http.cookies["frontdesk_session"])
    assert session is not None
    viewed = new_id()
    done = False
    async with sam.live() as onlooker:
        await onlooker.next("ready")
        for steps in range(200):
            async with desk.conversations.hub.subscribe(STAFF) as events:
                socket: Any = _ClosedByTheBrowser()
                token = chen.http.cookies["frontdesk_session"]
                console = _Console(
                    desk.side, session, token, socket, events, _Written(desk.side), EventSight(desk.conversations)
                )
                console._viewing = viewed
                running = asyncio.create_task(console.run())
                for step in range(steps):
                    await asyncio.sleep(0 if step < 60 else 0.002)  # the database answers from a thread of its own
                done = running.done()
                running.cancel()
                await asyncio.gather(running, return_exceptions=True)
                assert not desk.side.presence.at_console(session.member.id), f"after {steps} steps"
                if steps:  # a handler that never began has told nobody that it looks at anything
                    await onlooker.next("viewing", agent_id=chen.member.id, conversation_id=None)
            if done:
                break
        assert done
        assert steps > 5, steps


async def test_a_console_that_opens_while_its_farewell_is_being_said_stays(desk: Desk) -> None:
    chen = (await desk.browser("Chen Yu")).member.agent
    for steps in range(30):
        board = PresenceBoard(desk.conversations, beat_seconds=60, farewell_seconds=0)
        await board.arrive(chen)
        board.leave(chen)
        for _ in range(steps):
            await asyncio.sleep(0.001)
        await board.arrive(chen)
        await asyncio.sleep(0.02)
        assert board.state_of((await board.everyone())[chen.id]) == "online", steps
        await board.close()


async def test_no_farewell_is_begun_once_the_desk_closes(desk: Desk) -> None:
    board = PresenceBoard(desk.conversations, beat_seconds=0.01, farewell_seconds=0.01)
    chen = (await desk.browser("Chen Yu")).member.agent
    await board.arrive(chen)
    await board.close()
    board.leave(chen)
    assert not [task for task in asyncio.all_tasks() if task.get_name().startswith("presence-")]
    assert board.state_of((await board.everyone())[chen.id]) == "online"  # another process may have their console
