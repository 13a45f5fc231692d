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
from dataclasses import dataclass, field
from typing import Any

import structlog
from pydantic import ValidationError
from sanic import Blueprint, Request, Websocket
from sanic.exceptions import WebsocketClosed
from sanic.response import HTTPResponse

from conversations.change import STAFF
from conversations.errors import ConversationError, SlowConsumer
from conversations.hub import BUFFER, Subscription
from conversations.reading_store import NO_CONVERSATION
from handoff.access.event_sight import EventSight
from handoff.bodies import LiveFrame, explain
from handoff.clearance import Custody, depends_on_serving
from handoff.errors import Refused
from handoff.guard import API, refusal
from handoff.roles import DESK, NOTICED, OVERSEERS, Role, allowed
from handoff.staff_side import StaffSide
from handoff.store import Session, StaffMember

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
    written, event_sight = _Written(side), EventSight(side.conversations)

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
                await _Console(side, session, token or "", socket, events, written, event_sight).run()

    blueprint.on_request(refuse_other_sites)
    blueprint.add_websocket_route(live, "/live", name="live")
    return blueprint


@dataclass
class _Event:
    """An event with what every console needs of it, and its text for each role that may see different things."""

    event: dict[str, Any]
    seen: dict[str, Any]
    custody: asyncio.Future[Custody | None] | None = None
    texts: dict[tuple[Role, bool], str] = field(default_factory=dict)


class _Written:
    """Events as consoles see them, each written once for all who see the same: the hub gives every one the same object."""

    def __init__(self, side: StaffSide) -> None:
        self._side = side
        self._events: OrderedDict[int, _Event] = OrderedDict()

    async def of(self, event: dict[str, Any], member: StaffMember) -> str:
        """The event's text as the member may see it; files have their signed addresses."""
        kept = self._events.get(id(event))
        if kept is None or kept.event is not event:  # the kept event cannot have given its id to another one
            seen = event | {"message": self._side.with_urls(event["message"])} if event["type"] == "message" else event
            kept = self._events[id(event)] = _Event(event, seen)
            if len(self._events) > BUFFER:  # a console that is further behind than that is sent away
                self._events.popitem(last=False)
        serving = depends_on_serving(member.role) and self._side.veil.is_with(member, await self._custody_of(kept))
        text = kept.texts.get((member.role, serving))
        if text is None:
            veiled = await self._side.veil.over_event(kept.seen, member)
            text = kept.texts[member.role, serving] = json.dumps(veiled, ensure_ascii=False)
        return text

    async def _custody_of(self, kept: _Event) -> Custody | None:
        """In whose hands its conversation is, looked up once for all consoles."""
        if kept.custody is None:
            kept.custody = asyncio.ensure_future(self._side.veil.custody_of(kept.event))
        return await asyncio.shield(kept.custody)


class _Console:
    """One open console: a reader, a writer and a look at the session now and then; the first to end ends all."""

    def __init__(
        self,
        side: StaffSide,
        session: Session,
        token: str,
        socket: Websocket,
        events: Subscription,
        written: _Written,
        event_sight: EventSight,
    ) -> None:
        self._side = side
        self._session = session
        self._agent = session.member.agent
        self._on_desk = session.member.role in DESK
        self._shown = session.member.role in NOTICED  # auditors look on without being announced
        self._token = token
        self._socket = socket
        self._events = events
        self._written = written
        self._event_sight = event_sight
        self._viewing: str | None = None
        self._typed_at = 0.0
        self._composed_at = 0.0

    async def run(self) -> None:
        tasks: list[asyncio.Task[tuple[int | None, str]]] = []
        try:
            if self._on_desk:
                await self._side.presence.arrive(self._agent)
            tasks = [asyncio.create_task(work) for work in (self._read(), self._write(), self._watch())]
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            code, reason = next(iter(done)).result()
            if code is not None:
                await self._socket.close(code, reason)
        except TimeoutError:
            await self._socket.close(TOO_SLOW, "too slow; connect again and read what happened")
        except (WebsocketClosed, ConnectionError):
            pass
        finally:
            # The server cancels the handler of a lost connection wherever it waits, here too. Nobody stays behind.
            if self._on_desk:
                self._side.presence.leave(self._agent)
            await self._side.guard.carry_out(self._part(tasks))

    async def _part(self, tasks: list[asyncio.Task[tuple[int | None, str]]]) -> None:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        if self._viewing is not None:
            await self._announce_viewing(None)

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
        if frame.conversation_id is not None and not await self._sees(frame.conversation_id):
            await self._send({"type": "error", "code": "not_found", "message": NO_CONVERSATION})
        elif frame.type == "ping":
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

    async def _sees(self, conversation_id: str) -> bool:
        return await self._event_sight.sees(self._side.sight.of(self._session.member), conversation_id)

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
        if not self._shown:
            return
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
                shown = await self._event_sight.shown(self._side.sight.of(self._session.member), event)
                if shown is not None and shown["type"] == "alert" and self._session.member.role not in OVERSEERS:
                    continue
                if shown is not None:
                    await self._meet(shown)
                    await self._send_text(await self._written.of(shown, self._session.member))
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
            session = await self._side.sign_in.find_session(self._token, active=False)
            if session is None:
                return SESSION_ENDED, "sign in again"
            self._session = session  # what they may see can have changed

    async def _send(self, event: dict[str, Any]) -> None:
        await self._send_text(json.dumps(event, ensure_ascii=False))

    async def _send_text(self, text: str) -> None:
        async with asyncio.timeout(_SEND_SECONDS):
            await self._socket.send(text)
