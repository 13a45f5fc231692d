"""The live socket of the console, ``/staff/api/live``: what happens at the desk, as it happens.

Frames from a console: ``ping`` (with ``"active": true`` when a person did something since the last one, which keeps the
session alive), ``typing`` (the contact sees it), ``composing`` (colleagues see it) and ``viewing`` (with ``"conversation_id": null`` when they look at none). The first frame to it is
``ready``: everything published from then on arrives, so what it read before should be read again.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections import OrderedDict
from typing import Any

import structlog
from pydantic import ValidationError
from sanic import Blueprint, Request, Websocket
from sanic.exceptions import WebsocketClosed
from sanic.response import HTTPResponse

from conversations.change import STAFF
from conversations.errors import ConversationError, SlowConsumer
from conversations.hub import BUFFER, Subscription
from handoff.bodies import LiveFrame, explain
from handoff.errors import Refused
from handoff.guard import API, refusal
from handoff.roles import DESK, allowed
from handoff.staff_side import StaffSide
from handoff.store import Session

SESSION_ENDED = 4401
FORBIDDEN = 4403
TOO_SLOW = 1013
TOO_BIG = 1009
_MAX_FRAME = 64 * 1024
_SEND_SECONDS = 10.0
_TYPING_EVERY_SECONDS = 1.0
log = structlog.get_logger()


def staff_live(side: StaffSide) -> Blueprint:
    """The blueprint of the live socket."""
    blueprint = Blueprint("staff_live", url_prefix=API)
    written = _Written(side)

    async def refuse_other_sites(request: Request) -> HTTPResponse | None:
        try:
            side.guard.check_origin(request, required=True)
        except Refused as error:
            return refusal(error)
        return None

    async def live(request: Request, socket: Websocket) -> None:
        token = request.cookies.get(side.guard.cookie)
        async with side.conversations.hub.subscribe(STAFF) as events:
            session = await side.sign_in.find_session(token)
            if session is None:
                await socket.close(SESSION_ENDED, "sign in again")
            elif not allowed(session.member.role, "GET", "live"):
                await socket.close(FORBIDDEN, "not for this role")
            else:
                await _Console(side, session, token or "", socket, events, written).run()

    blueprint.on_request(refuse_other_sites)
    blueprint.add_websocket_route(live, "/live", name="live")
    return blueprint


class _Written:
    """Events as consoles see them, each written once for all consoles: the hub gives every one the same object."""

    def __init__(self, side: StaffSide) -> None:
        self._side = side
        self._texts: OrderedDict[int, tuple[dict[str, Any], str]] = OrderedDict()

    def of(self, event: dict[str, Any]) -> str:
        """The event's text; files have their signed addresses."""
        kept = self._texts.get(id(event))
        if kept is not None and kept[0] is event:  # the kept event cannot have given its id to another one
            return kept[1]
        seen = event | {"message": self._side.with_urls(event["message"])} if event["type"] == "message" else event
        text = json.dumps(seen, ensure_ascii=False)
        self._texts[id(event)] = (event, text)
        if len(self._texts) > BUFFER:  # a console that is further behind than that is sent away
            self._texts.popitem(last=False)
        return text


class _Console:
    """One open console: a reader, a writer and a look at the session now and then; the first to end ends all."""

    def __init__(
        self, side: StaffSide, session: Session, token: str, socket: Websocket, events: Subscription, written: _Written
    ) -> None:
        self._side = side
        self._session = session
        self._agent = session.member.agent
        self._on_desk = session.member.role in DESK
        self._token = token
        self._socket = socket
        self._events = events
        self._written = written
        self._viewing: str | None = None
        self._typed_at = 0.0
        self._composed_at = 0.0

    async def run(self) -> None:
        if self._on_desk:
            await self._side.presence.arrive(self._agent)
        tasks = [asyncio.create_task(work) for work in (self._read(), self._write(), self._watch())]
        try:
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            code, reason = next(iter(done)).result()
            if code is not None:
                await self._socket.close(code, reason)
        except TimeoutError:
            await self._socket.close(TOO_SLOW, "too slow; connect again and read what happened")
        except (WebsocketClosed, ConnectionError):
            pass
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            await self._leave()

    async def _leave(self) -> None:
        if self._viewing is not None:
            await self._announce_viewing(None)
        if self._on_desk:
            await self._side.presence.leave(self._agent)

    async def _read(self) -> tuple[int | None, str]:
        while True:
            data = await self._socket.recv()
            if data is None:
                return None, ""
            if len(data) > _MAX_FRAME:
                return TOO_BIG, "frames have at most 64 KiB"
            try:
                frame = LiveFrame.model_validate_json(data)
            except ValidationError as error:
                await self._send({"type": "error", "code": "bad_frame", "message": explain(error)})
                continue
            await self._take(frame)

    async def _take(self, frame: LiveFrame) -> None:
        if frame.type == "ping":
            if frame.active:
                await self._side.sign_in.find_session(self._token)
            await self._send({"type": "pong"})
        elif frame.type == "viewing":
            if frame.conversation_id != self._viewing:
                self._viewing = frame.conversation_id
                await self._side.sign_in.find_session(self._token)
                await self._announce_viewing(frame.conversation_id)
        elif frame.type == "composing":
            if frame.conversation_id and self._on_desk:
                await self._announce_composing(frame.conversation_id, frame.mode)
        elif frame.conversation_id and self._on_desk and time.monotonic() - self._typed_at >= _TYPING_EVERY_SECONDS:
            self._typed_at = time.monotonic()
            await self._side.sign_in.find_session(self._token)
            try:
                await self._side.conversations.agent_typing(frame.conversation_id, self._agent)
            except ConversationError as error:
                await self._send({"type": "error", "code": error.code, "message": str(error)})

    async def _announce_composing(self, conversation_id: str, mode: str | None) -> None:
        """Tell colleagues that somebody writes here, and what; at most so often, but the end always."""
        now = time.monotonic()
        if mode is not None and now - self._composed_at < _TYPING_EVERY_SECONDS:
            return
        self._composed_at = now if mode is not None else 0.0
        event = {"type": "composing", "conversation_id": conversation_id, "mode": mode}
        await self._side.conversations.hub.publish(
            STAFF, event | {"agent_id": self._agent.id, "name": self._agent.name}
        )

    async def _announce_viewing(self, conversation_id: str | None, *, answer: bool = False) -> None:
        event = {
            "type": "viewing",
            "conversation_id": conversation_id,
            "agent_id": self._agent.id,
            "name": self._agent.name,
        }
        await self._side.conversations.hub.publish(STAFF, event | {"answer": answer})

    async def _write(self) -> tuple[int | None, str]:
        await self._send({"type": "ready"})
        try:
            async for event in self._events:
                await self._meet(event)
                await self._send_text(self._written.of(event))
        except SlowConsumer:
            return TOO_SLOW, "too slow; connect again and read what happened"
        return None, ""

    async def _meet(self, event: dict[str, Any]) -> None:
        """Tell a colleague who opens the conversation we look at that we are here."""
        newcomer = event["type"] == "viewing" and event["agent_id"] != self._agent.id and not event["answer"]
        if newcomer and self._viewing is not None and event["conversation_id"] == self._viewing:
            await self._announce_viewing(self._viewing, answer=True)

    async def _watch(self) -> tuple[int | None, str]:
        while True:
            await asyncio.sleep(self._side.check_session_seconds)
            if await self._side.sign_in.find_session(self._token, active=False) is None:
                return SESSION_ENDED, "sign in again"

    async def _send(self, event: dict[str, Any]) -> None:
        await self._send_text(json.dumps(event, ensure_ascii=False))

    async def _send_text(self, text: str) -> None:
        async with asyncio.timeout(_SEND_SECONDS):
            await self._socket.send(text)
