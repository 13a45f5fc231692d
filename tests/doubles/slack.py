"""Slack on loopback: events and presses signed and repeated as documented, and the methods of the Web API that we call.

Behaves as docs.slack.dev describes; slack-sdk's own client works against it too.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import itertools
import json
from collections import defaultdict
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlencode

import httpx

from tests.doubles.vendor_server import Answer, Call, serving

TOKEN, SECRET = "xoxb-token-of-the-tests", "8f742231b10e8888abcd99yyyzzz85a5"
BOT_USER = "U0BOT"
RETRIES = (0.0, 60.0, 300.0)  #: seconds before each repetition
PARAMETERS: dict[str, tuple[set[str], set[str]]] = {  #: required and optional
    "auth.test": (set(), set()),
    "chat.postMessage": (
        {"channel"},
        {"text", "blocks", "thread_ts", "mrkdwn", "unfurl_links", "unfurl_media"},
    ),
    "chat.update": ({"channel", "ts"}, {"text", "blocks"}),
    "users.info": ({"user"}, {"include_locale"}),
    "files.getUploadURLExternal": ({"filename", "length"}, {"alt_txt", "snippet_type"}),
    "files.completeUploadExternal": ({"files"}, {"channel_id", "thread_ts", "initial_comment", "channels", "blocks"}),
}


@dataclass
class Said:
    """A message in a channel."""

    channel: str
    ts: str
    text: str
    thread: str = ""
    blocks: list[dict[str, Any]] = field(default_factory=list)
    file: tuple[str, bytes] | None = None
    mrkdwn: bool = True

    @property
    def buttons(self) -> dict[str, dict[str, Any]]:
        """The buttons by their titles, with the id of their block."""
        return {
            element["text"]["text"]: element | {"block_id": block.get("block_id", "")}
            for block in self.blocks
            if block["type"] == "actions"
            for element in block["elements"]
        }

    @property
    def shown(self) -> str:
        """Every text of its blocks."""
        texts = [block["text"]["text"] for block in self.blocks if block["type"] == "section"]
        texts += [one["text"] for block in self.blocks if block["type"] == "context" for one in block["elements"]]
        return "\n".join(texts)


class Slack:
    """One workspace with our app in it."""

    def __init__(self) -> None:
        self.now = datetime.now(UTC)
        self.seconds = 0.001  #: how long a second of Slack's waiting times takes here
        self.channels = {"D0ANN", "D0BOB", "C0SHOP"}
        self.archived: set[str] = set()
        self.people: dict[str, dict[str, Any]] = {
            "U0ANN": {"name": "ann", "profile": {"display_name": "Ann Lee"}, "locale": "en-US"},
            "U0BOB": {"name": "bob", "profile": {"display_name": "王波"}, "locale": "zh-CN"},
        }
        self.said: list[Said] = []
        self.calls: list[tuple[str, dict[str, Any]]] = []
        self.failures: defaultdict[str, list[Answer]] = defaultdict(list)
        self.files: dict[str, bytes] = {}
        self.uploads: dict[str, tuple[str, int, bytes]] = {}
        self.url = ""
        self._ids = itertools.count(1)

    @asynccontextmanager
    async def running(self) -> AsyncIterator[Slack]:
        """Serve until left."""
        async with serving(self._handle) as self.url:
            yield self

    @property
    def api(self) -> str:
        return f"{self.url}/api"

    async def until(self, condition: Callable[[], object], seconds: float = 10) -> None:
        """Wait until something is so."""
        async with asyncio.timeout(seconds):
            while not condition():  # noqa: ASYNC110  # what is waited for may happen in the desk
                await asyncio.sleep(0.01)

    # --- pushing

    def ts(self) -> str:
        """A new time stamp, which is a message's id in its channel."""
        return f"{int(self.now.timestamp())}.{next(self._ids):06d}"

    def event(self, text: str = "hello", *, user: str = "U0ANN", channel: str = "", **more: Any) -> dict[str, Any]:
        """An event_callback with a direct message, or with a mention where a channel is given."""
        inner: dict[str, Any] = {
            "type": "app_mention" if channel else "message",
            "channel": channel or f"D{user[1:]}",
            "user": user,
            "text": f"<@{BOT_USER}> {text}" if channel else text,
            "ts": self.ts(),
            "team": "T0",
        }
        if not channel:
            inner["channel_type"] = "im"
        return {
            "token": "deprecated",
            "team_id": "T0",
            "api_app_id": "A0",
            "type": "event_callback",
            "event_id": f"Ev{next(self._ids)}",
            "event_time": int(self.now.timestamp()),
            "authorizations": [{"team_id": "T0", "user_id": BOT_USER, "is_bot": True}],
            "event": inner | more,
        }

    def pressing(self, said: Said, title: str, user: str = "U0ANN") -> dict[str, Any]:
        """A block_actions payload."""
        button = said.buttons[title]
        message: dict[str, Any] = {"type": "message", "ts": said.ts, "text": said.text, "blocks": said.blocks}
        if said.thread:
            message["thread_ts"] = said.thread
        return {
            "type": "block_actions",
            "team": {"id": "T0", "domain": "x"},
            "user": {"id": user, "username": "x", "team_id": "T0"},
            "api_app_id": "A0",
            "container": {"type": "message", "message_ts": said.ts, "channel_id": said.channel},
            "trigger_id": "1.2.3",
            "channel": {"id": said.channel, "name": "x"},
            "message": message,
            "response_url": "https://hooks.slack.com/actions/x",
            "actions": [button | {"action_ts": self.ts()}],
        }

    def signed(self, raw: bytes, at: datetime | None = None) -> dict[str, str]:
        """The headers of a request with a body."""
        timestamp = str(int((at or self.now).timestamp()))
        digest = hmac.new(SECRET.encode(), b"v0:" + timestamp.encode() + b":" + raw, hashlib.sha256).hexdigest()
        return {"x-slack-request-timestamp": timestamp, "x-slack-signature": f"v0={digest}"}

    async def post(self, url: str, body: Any, **headers: str) -> httpx.Response:
        """One attempt: events as JSON, presses as a form."""
        if isinstance(body, bytes):
            raw, kind = body, "application/json"
        elif body.get("type") == "block_actions":
            raw, kind = urlencode({"payload": json.dumps(body)}).encode(), "application/x-www-form-urlencoded"
        else:
            raw, kind = json.dumps(body).encode(), "application/json"
        async with httpx.AsyncClient(timeout=3) as http:
            return await http.post(url, content=raw, headers=self.signed(raw) | {"content-type": kind} | headers)

    async def deliver(self, url: str, body: Any) -> int:
        """Push, and repeat until it is taken; returns how often it was sent."""
        reason, attempt = "", 0
        for attempt, wait in enumerate((None, *RETRIES)):
            retry: dict[str, str] = {}
            if wait is not None:
                await asyncio.sleep(wait * self.seconds)
                retry = {"x-slack-retry-num": str(attempt), "x-slack-retry-reason": reason}
            reason = "http_timeout"
            with suppress(httpx.HTTPError):
                answer = await self.post(url, body, **retry)
                if answer.is_success:
                    return attempt + 1
                reason = "http_error"
                if answer.headers.get("x-slack-no-retry") == "1":
                    break
        return attempt + 1

    # --- the Web API

    async def _handle(self, call: Call) -> Answer:
        method = call.path.removeprefix("/api/")
        values = self._values(call)
        self.calls.append((method, values))
        if self.failures[method]:
            return self.failures[method].pop(0)
        if call.path.startswith("/upload/"):
            name, length, _ = self.uploads.get(call.path.removeprefix("/upload/"), ("", -1, b""))
            content = (
                next(iter(call.parts().values()))[1]
                if "multipart" in call.headers.get("content-type", "")
                else call.body
            )
            if length != len(content):
                return Answer(b"bad length", 400)
            self.uploads[call.path.removeprefix("/upload/")] = (name, length, content)
            return Answer(f"OK - {length}".encode())
        token = call.headers.get("authorization", "").removeprefix("Bearer ") or values.pop("token", "")
        if call.path.startswith("/files/"):
            content = self.files.get(call.path.removeprefix("/files/"), b"")
            return Answer(content) if token == TOKEN and content else Answer(b"<html>", 302, {"location": "/login"})
        if token != TOKEN:
            return _error("invalid_auth" if token else "not_authed")
        if method not in PARAMETERS:
            return _error("unknown_method")
        required, optional = PARAMETERS[method]
        if required - set(values) or set(values) - required - optional:
            return _error("invalid_arguments")
        answer: Answer = getattr(self, "_" + method.replace(".", "_"))(values)
        return answer

    def _values(self, call: Call) -> dict[str, Any]:
        body = call.json()
        if isinstance(body, dict):
            return body
        if "form-urlencoded" not in call.headers.get("content-type", ""):
            return dict(call.query)
        form: dict[str, Any] = {**call.query, **call.form()}
        return {name: json.loads(value) if name in ("blocks", "files") else value for name, value in form.items()}

    def _auth_test(self, values: dict[str, Any]) -> Answer:
        return Answer({"ok": True, "user_id": BOT_USER, "team_id": "T0"})

    def _chat_postMessage(self, values: dict[str, Any]) -> Answer:
        if refused := self._bad_place(values["channel"]) or _bad_content(values):
            return refused
        said = Said(
            values["channel"],
            self.ts(),
            values.get("text", ""),
            values.get("thread_ts", ""),
            values.get("blocks", []),
            mrkdwn=values.get("mrkdwn", True),
        )
        self.said.append(said)
        return Answer({"ok": True, "channel": said.channel, "ts": said.ts, "message": {"text": said.text}})

    def _chat_update(self, values: dict[str, Any]) -> Answer:
        found = [one for one in self.said if (one.channel, one.ts) == (values["channel"], values["ts"])]
        if not found:
            return _error("message_not_found")
        if refused := _bad_content(values):
            return refused
        found[0].text, found[0].blocks = values.get("text", ""), values.get("blocks", [])
        return Answer({"ok": True, "channel": values["channel"], "ts": values["ts"]})

    def _users_info(self, values: dict[str, Any]) -> Answer:
        person = self.people.get(values["user"])
        return Answer({"ok": True, "user": {"id": values["user"], **person}}) if person else _error("user_not_found")

    def _files_getUploadURLExternal(self, values: dict[str, Any]) -> Answer:
        file_id = f"F{next(self._ids)}"
        self.uploads[file_id] = (values["filename"], int(values["length"]), b"")
        return Answer({"ok": True, "upload_url": f"{self.url}/upload/{file_id}", "file_id": file_id})

    def _files_completeUploadExternal(self, values: dict[str, Any]) -> Answer:
        channel = values.get("channel_id") or values.get("channels", "")
        if refused := self._bad_place(channel):
            return refused
        for file in values["files"]:
            name, length, content = self.uploads.pop(file["id"], ("", -1, b""))
            if length != len(content):
                return _error("file_not_found")
            self.said.append(Said(channel, self.ts(), "", values.get("thread_ts", ""), file=(name, content)))
        return Answer({"ok": True, "files": [{"id": file["id"]} for file in values["files"]]})

    def _bad_place(self, channel: str) -> Answer | None:
        if channel not in self.channels:
            return _error("channel_not_found")
        return _error("is_archived") if channel in self.archived else None


def _bad_content(values: dict[str, Any]) -> Answer | None:
    blocks = values.get("blocks", [])
    if not blocks and not str(values.get("text", "")).strip():
        return _error("no_text")
    if len(values.get("text", "")) > 40_000:
        return _error("msg_too_long")
    if len(blocks) > 50:
        return _error("invalid_blocks")
    actions: list[str] = []
    for block in blocks:
        match block["type"]:
            case "section" if 0 < len(block["text"]["text"]) <= 3_000:
                continue
            case "context" if 0 < len(block["elements"]) <= 10:
                continue
            case "actions" if 0 < len(block["elements"]) <= 25 and len(block.get("block_id", "")) <= 255:
                for one in block["elements"]:
                    actions.append(one["action_id"])
                    if not (0 < len(one["text"]["text"]) <= 75 and len(one["value"]) <= 2_000):
                        return _error("invalid_blocks")
            case _:
                return _error("invalid_blocks")
    return _error("invalid_blocks") if len(set(actions)) != len(actions) else None


def _error(error: str) -> Answer:
    return Answer({"ok": False, "error": error})
