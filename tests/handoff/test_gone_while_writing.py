"""A member who sends something and closes the console at once: it is carried out whole."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable

from tests.handoff.desk import API, Browser, Desk


async def _sent_and_gone(desk: Desk, browser: Browser, path: str, body: dict[str, object]) -> asyncio.StreamWriter:
    """Post a body over a connection of its own."""
    host, port = desk.base.removeprefix("http://").split(":")
    _, writer = await asyncio.open_connection(host, int(port))
    content = json.dumps(body).encode()
    cookie = f"frontdesk_session={browser.http.cookies['frontdesk_session']}"
    head = (
        f"POST {API}/{path} HTTP/1.1\r\nHost: {host}:{port}\r\nOrigin: {desk.base}\r\nCookie: {cookie}\r\n"
        f"X-CSRF-Token: {browser.csrf}\r\nContent-Type: application/json\r\nContent-Length: {len(content)}\r\n\r\n"
    )
    writer.write(head.encode() + content)
    await writer.drain()
    return writer


def _held_up(
    work: Callable[..., Awaitable[object]], began: asyncio.Event, go_on: asyncio.Event
) -> Callable[..., object]:
    async def held(*of: object, **named: object) -> object:
        began.set()
        await go_on.wait()
        return await work(*of, **named)

    return held


async def test_a_change_goes_on_to_its_end_when_its_browser_has_gone(desk: Desk) -> None:
    lin = await desk.browser("Lin")
    conversation_id = await desk.assigned_to(lin, "ann")
    began, go_on = asyncio.Event(), asyncio.Event()
    read: list[tuple[str, int]] = []
    mark_seen = desk.side.store.mark_seen

    async def marked(member_id: str, conversation_id: str, seq: int) -> bool:
        read.append((member_id, seq))
        return await mark_seen(member_id, conversation_id, seq)

    desk.side.store.mark_seen = marked  # type: ignore[method-assign]
    desk.conversations.add_note = _held_up(desk.conversations.add_note, began, go_on)  # type: ignore[method-assign, assignment]
    connection = await _sent_and_gone(desk, lin, f"conversations/{conversation_id}/note", {"text": "call back at noon"})
    async with asyncio.timeout(10):
        await began.wait()
        connection.transport.abort()
        await asyncio.sleep(0.2)  # the server has stopped its handler by now
        go_on.set()
        await desk.side.guard.finish()
    said = (await desk.conversations.messages(conversation_id))[-1]
    assert said.text == "call back at noon"
    assert read == [(lin.member.id, said.seq)], "what comes after the note is done, too"


async def test_an_error_that_nobody_hears_of_any_more_disturbs_nothing(desk: Desk) -> None:
    async def fails() -> None:
        await asyncio.sleep(0)
        raise ValueError("nobody is there")

    waiting = asyncio.create_task(desk.side.guard.carry_out(fails()))
    await asyncio.sleep(0)
    waiting.cancel()
    await asyncio.gather(waiting, return_exceptions=True)
    await desk.side.guard.finish()
    assert not desk.side.guard._under_way
