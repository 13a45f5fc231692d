"""DingTalk on loopback: the gateway and connections of Stream mode, the robot's OpenAPI, sessions and files.

Behaves as open-dingtalk/developerpedia ("Stream protocol") and open.dingtalk.com ("robots") describe; the official
``dingtalk-stream`` client works against it too.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import json
from collections import defaultdict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from http import HTTPStatus
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
from websockets.asyncio.server import ServerConnection, serve
from websockets.exceptions import ConnectionClosed
from websockets.http11 import Request, Response

from tests.doubles.dingtalk_api import CARDS, CLIENT_ID, CLIENT_SECRET, MESSAGES, RobotApi
from tests.doubles.vendor_server import serving


@dataclass
class Connection:
    """A Stream connection and what it subscribed to."""

    socket: ServerConnection
    topics: set[str]
    leaving: bool = False


class DingTalk(RobotApi):
    """One organisation with one robot."""

    def __init__(self) -> None:
        super().__init__()
        self.seconds = 1.0  #: how long a second of the vendor's waiting times takes here
        self.connections: list[Connection] = []
        self.acks: dict[str, dict[str, Any]] = {}
        self.lost = 0
        self._acked: defaultdict[str, asyncio.Event] = defaultdict(asyncio.Event)
        self._turn = 0

    @asynccontextmanager
    async def running(self) -> AsyncIterator[DingTalk]:
        """Serve until left."""
        async with (
            serving(self._handle) as self.api,
            serve(self._accept, "127.0.0.1", 0, process_request=self._admit) as ws,
        ):
            self.stream = f"ws://127.0.0.1:{next(iter(ws.sockets)).getsockname()[1]}/connect"
            yield self

    # --- what the tests do

    async def until(self, condition: Any, seconds: float = 10) -> None:
        """Wait until something is so; asks again whenever something happened here."""
        async with asyncio.timeout(seconds):
            while not condition():
                self._changed.clear()
                with suppress(TimeoutError):
                    async with asyncio.timeout(0.05):
                        await self._changed.wait()

    def message(
        self, text: str = "hello", *, staff: str | None = "manager01", nick: str = "王芳", group: str = "", **more: Any
    ) -> dict[str, Any]:
        """The body of a message to the robot."""
        number = next(self._ids)
        session = f"session{number}"
        sender = f"$:LWCP_v1:${staff or 'stranger'}"
        self.sessions[session] = (group or staff or sender, self.now + timedelta(minutes=90))
        body: dict[str, Any] = {
            "conversationId": group or f"cid{staff}",
            "conversationType": "2" if group else "1",
            "chatbotCorpId": "dingcorp",
            "chatbotUserId": "$:LWCP_v1:$robot",
            "msgId": f"msg{number}==",
            "senderNick": nick,
            "senderId": sender,
            "createAt": round(self.now.timestamp() * 1000),
            "sessionWebhook": f"{self.api}/robot/sendBySession?session={session}",
            "sessionWebhookExpiredTime": round((self.now + timedelta(minutes=90)).timestamp() * 1000),
            "robotCode": CLIENT_ID,
            "msgtype": "text",
            "text": {"content": f" {text}"},
        }
        if staff:
            body["senderStaffId"] = staff
        if group:
            body |= {"isInAtList": True, "conversationTitle": "售后群", "atUsers": [{"dingtalkId": "$:LWCP_v1:$robot"}]}
        if more.get("msgtype", "text") != "text":
            del body["text"]
        return body | more

    async def push(self, body: Any, topic: str = MESSAGES, kind: str = "CALLBACK", **headers: str) -> str:
        """Push to one of the open connections; robot messages that find none are lost."""
        message_id = headers.get("messageId") or f"push{next(self._ids)}"
        open_ones = [one for one in self.connections if not one.leaving and (topic in one.topics or kind != "CALLBACK")]
        if not open_ones:
            self.lost += 1
            return message_id
        self._turn += 1
        frame = {
            "specVersion": "1.0",
            "type": kind,
            "headers": {
                "appId": "app",
                "connectionId": "connection",
                "contentType": "application/json",
                "messageId": message_id,
                "time": str(round(self.now.timestamp() * 1000)),
                "topic": topic,
                **headers,
            },
            "data": body if isinstance(body, str) else json.dumps(body, ensure_ascii=False),
        }
        await open_ones[self._turn % len(open_ones)].socket.send(json.dumps(frame, ensure_ascii=False))
        return message_id

    async def acked(self, message_id: str, seconds: float = 10) -> dict[str, Any]:
        """The answer to a push."""
        async with asyncio.timeout(seconds):
            await self._acked[message_id].wait()
        return self.acks[message_id]

    async def push_event(self, event_id: str, tries: int = 3, wait_seconds: float = 0.2) -> int:
        """Push an event until it is acknowledged with SUCCESS; returns how often."""
        for attempt in range(1, tries + 1):
            message_id = await self.push({"x": 1}, "*", "EVENT", eventId=event_id, eventType="user_add_org")
            with suppress(TimeoutError):
                ack = await self.acked(message_id, wait_seconds)
                if json.loads(ack["data"]).get("status") == "SUCCESS":
                    return attempt
        return tries

    async def disconnect(self, connection: Connection) -> None:
        """Say that a connection will end; it ends ten seconds later."""
        headers = {"topic": "disconnect", "contentType": "application/json"}
        data = json.dumps({"reason": "connection is expired"})
        await connection.socket.send(json.dumps({"type": "SYSTEM", "headers": headers, "data": data}))
        connection.leaving = True
        await asyncio.sleep(10 * self.seconds)
        await connection.socket.close()

    async def press(self, title: str, *, staff: str = "manager01", group: str = "", track: str = "") -> str:
        """Press a button of the last interactive card of a chat."""
        chat = group or staff
        [card, *_] = [one for one in reversed(self.said) if one.chat == chat and one.kind == "card"]
        button = next(value for shown, value in card.buttons if shown == title)
        content = {"cardPrivateData": {"actionIds": ["choose"], "params": {"button_id": button}}}
        body = {
            "type": "actionCallback",
            "outTrackId": track or card.title,
            "corpId": "dingcorp",
            "userId": staff,
            "userIdType": 1,
            "spaceType": "IM_GROUP" if group else "IM_ROBOT",
            "spaceId": group or staff,
            "content": json.dumps(content),
            "extension": "{}",
        }
        return await self.push(body, CARDS)

    def signed(self, at: datetime | None = None) -> dict[str, str]:
        """The headers of HTTP mode."""
        timestamp = str(round((at or self.now).timestamp() * 1000))
        digest = hmac.new(CLIENT_SECRET.encode(), f"{timestamp}\n{CLIENT_SECRET}".encode(), hashlib.sha256).digest()
        return {"timestamp": timestamp, "sign": base64.b64encode(digest).decode()}

    async def post(self, url: str, body: Any, headers: dict[str, str] | None = None) -> httpx.Response:
        """Bring a message by HTTP mode."""
        raw = body if isinstance(body, bytes) else json.dumps(body, ensure_ascii=False).encode()
        async with httpx.AsyncClient() as http:
            return await http.post(url, content=raw, headers=headers or self.signed())

    def texts(self, chat: str) -> list[str]:
        """What a chat has been told."""
        return [one.text for one in self.said if one.chat == chat]

    # --- connections

    def _admit(self, connection: ServerConnection, request: Request) -> Response | None:
        [ticket] = parse_qs(urlsplit(request.path).query).get("ticket", [""])
        until, _ = self._tickets.get(ticket, (self.now, set()))
        if self.now >= until:
            return connection.respond(HTTPStatus.UNAUTHORIZED, "ticket")
        return None

    async def _accept(self, socket: ServerConnection) -> None:
        assert socket.request is not None
        [ticket] = parse_qs(urlsplit(socket.request.path).query)["ticket"]
        _, topics = self._tickets.pop(ticket)
        connection = Connection(socket, topics)
        self.connections.append(connection)
        self._changed.set()
        try:
            async for raw in socket:
                answer = json.loads(raw)
                assert set(answer) == {"code", "headers", "message", "data"}, answer
                assert isinstance(answer["data"], str)
                self.acks[answer["headers"]["messageId"]] = answer
                self._acked[answer["headers"]["messageId"]].set()
                self._changed.set()
        except ConnectionClosed:
            pass
        finally:
            self.connections.remove(connection)
            self._changed.set()
