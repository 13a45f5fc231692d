"""The widget's WebSocket: one reader takes frames, one writer follows the feed, both speak in order."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable

import structlog
from sanic import Websocket
from sanic.exceptions import WebsocketClosed
from websockets.exceptions import ConnectionClosed
from websockets.protocol import State

from connectors.desk import Desk, Event, Hub, News
from connectors.webchat.feed import Feed
from connectors.webchat.frames import BadFrame, Frame, Hello, Ping, Rate, Read, Say, Typing, error_frame, read_frame
from connectors.webchat.tokens import BadToken
from connectors.webchat.visitors import TooFast, Visitors
from conversations.errors import ConversationError, SlowConsumer
from conversations.model import Address, Cursor

HELLO_SECONDS = 10.0
_SEND_SECONDS = 20.0
_WRITER_ENDS_SECONDS = 5.0
_LOOK_AGAIN_SECONDS = 30.0
_TRY_AGAIN_LATER = 1013
_BAD_TOKEN = 4401
_BAD_HELLO = 4400

log = structlog.get_logger()
_GONE = (ConnectionClosed, WebsocketClosed, ConnectionError)


class VisitorSocket:
    """One open socket of one visitor."""

    def __init__(self, desk: Desk, hub: Hub, visitors: Visitors, websocket: Websocket, hello_seconds: float) -> None:
        self._desk = desk
        self._hub = hub
        self._visitors = visitors
        self._websocket = websocket
        self._hello_seconds = hello_seconds
        # Held while a message is committed, so that its acknowledgement goes out before the message comes back.
        self._speaking = asyncio.Lock()

    async def run(self) -> None:
        """Serve the socket until either side closes it."""
        try:
            hello = await self._hello()
            if hello is not None:
                await self._serve(hello)
        except _GONE:
            return
        except TimeoutError:
            self._websocket.fail_connection(_TRY_AGAIN_LATER, "too slow; resume")
        except Exception:
            log.exception("webchat_socket_failed")
            self._websocket.fail_connection(_TRY_AGAIN_LATER, "resume")

    async def _serve(self, hello: Hello) -> None:
        try:
            address, welcome = await self._visitors.welcome(hello)
        except BadToken as error:
            await self._send(error_frame("bad_token", str(error)))
            await self._websocket.close(_BAD_TOKEN, "bad token")
            return
        writer: asyncio.Task[None] | None = None
        try:
            # Subscribed first, then read: what happens in between is announced and read, and shown once.
            async with self._hub.subscribe(f"contact:{address}") as news:
                await self._send(welcome)
                feed = Feed(self._desk, self._visitors, address, Cursor.parse(hello.after) if hello.after else None)
                writer = asyncio.create_task(self._write(feed, news), name="webchat-writer")
                await self._read(address, hello.language)
        finally:
            if writer is not None:
                # The end of the subscription ends it. A cancelled read would cost the database its connection.
                await asyncio.wait({writer}, timeout=_WRITER_ENDS_SECONDS)
                writer.cancel()

    async def _hello(self) -> Hello | None:
        raw = await self._receive(self._hello_seconds)
        try:
            frame = read_frame(raw) if raw is not None else None
        except BadFrame as error:
            await self._send(error_frame("bad_frame", str(error)))
            frame = None
        if isinstance(frame, Hello):
            return frame
        await self._send(error_frame("hello_expected", "say hello first"))
        await self._websocket.close(_BAD_HELLO, "hello expected")
        return None

    async def _read(self, address: Address, language: str | None) -> None:
        while True:
            raw = await self._receive(_LOOK_AGAIN_SECONDS)
            if raw is None:
                if self._websocket.ws_proto.state is not State.OPEN:
                    return
                continue
            try:
                frame = read_frame(raw)
            except BadFrame as error:
                await self._send(error_frame("bad_frame", str(error), error.client_msg_id))
                continue
            match frame:
                case Hello():
                    language = frame.language or language  # the page changed its language
                case Ping():
                    await self._send({"type": "pong"})
                case Typing():
                    await self._quietly(self._visitors.typing(address, frame), address, "typing")
                case Read():
                    await self._quietly(self._visitors.read(address, frame), address, "read")
                case Say() | Rate():
                    async with self._speaking:
                        await self._send(await self._done(address, frame, language))

    async def _done(self, address: Address, frame: Say | Rate, language: str | None) -> Frame:
        try:
            if isinstance(frame, Say):
                return await self._visitors.say(address, frame, language)
            return await self._visitors.rate(address, frame)
        except TooFast as error:
            refusal = error_frame("too_fast", str(error), frame.client_msg_id)
            return {**refusal, "retry_after_seconds": round(error.retry_after_seconds, 1)}
        except ConversationError as error:
            return error_frame(error.code, str(error), frame.client_msg_id)
        except Exception:
            # Not acknowledged, so not lost: the widget keeps it and sends it again.
            log.exception("webchat_message_not_saved", account=address.account)
            return error_frame(
                "unavailable", "this could not be saved just now; it will be sent again", frame.client_msg_id
            )

    async def _quietly(self, telling: Awaitable[None], address: Address, what: str) -> None:
        """Signs of life that may be lost: the next one says the same."""
        try:
            await telling
        except Exception:
            log.warning("webchat_sign_not_told", what=what, account=address.account, exc_info=True)

    async def _write(self, feed: Feed, news: News) -> None:
        """Follow the feed; a reader that is too slow, or a failure here, closes the socket and the widget resumes."""
        try:
            await self._send_all(await feed.catch_up())
            await self._send_all(await feed.taken_back())
            async for event in _with_pauses(news, _LOOK_AGAIN_SECONDS):
                # A pause means that nothing was announced; the look into the database covers a lost announcement.
                await self._send_all(await feed.catch_up() if event is None else await feed.take(event))
                if event is None:
                    await self._send_all(await feed.taken_back())
        except (SlowConsumer, TimeoutError):
            self._websocket.fail_connection(_TRY_AGAIN_LATER, "too slow; resume")
        except _GONE:
            return
        except Exception:
            log.exception("webchat_feed_failed")
        finally:
            news.close()  # the reader may take half a minute to notice, and nothing should pile up until then
        self._websocket.fail_connection(_TRY_AGAIN_LATER, "resume")

    async def _send_all(self, frames: list[Frame]) -> None:
        for frame in frames:
            async with self._speaking:
                await self._send(frame)

    async def _send(self, frame: Frame) -> None:
        text = json.dumps(frame, ensure_ascii=False, separators=(",", ":"))
        async with asyncio.timeout(_SEND_SECONDS):
            await self._websocket.send(text)

    async def _receive(self, seconds: float) -> str | bytes | None:
        return await self._websocket.recv(seconds)


async def _with_pauses(news: News, seconds: float) -> AsyncIterator[Event | None]:
    """The announcements, and None whenever none came for a while."""
    events = aiter(news)
    while True:
        try:
            async with asyncio.timeout(seconds):
                event = await anext(events)
        except TimeoutError:
            yield None
        except StopAsyncIteration:
            return
        else:
            yield event
