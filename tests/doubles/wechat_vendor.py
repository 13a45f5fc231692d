"""What the doubles of WeChat and WeCom share: tokens, files, faults, and pushes that are cut off and repeated."""

from __future__ import annotations

import asyncio
import json
import socket
import uuid
from collections import Counter
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Protocol
from xml.sax.saxutils import escape

import httpx
import xmltodict  # type: ignore[import-untyped]
from sanic import HTTPResponse, Request

from tests.web_apps import forget, new_app

TOKEN_SECONDS = 7200


class Crypto(Protocol):
    """The library's encryption, which shares no code with ours."""

    def encrypt_message(self, msg: str, nonce: str, timestamp: str | None = None) -> str: ...

    def decrypt_message(self, msg: str, signature: str, timestamp: str, nonce: str) -> str | bytes: ...


class Clock:
    """The double's time, which the test moves; the desk gets the same."""

    def __init__(self) -> None:
        self._ahead = 0.0

    def __call__(self) -> datetime:
        return datetime.fromtimestamp(datetime.now(UTC).timestamp() + self._ahead, UTC)

    def advance(self, seconds: float) -> None:
        self._ahead += seconds

    @property
    def seconds(self) -> int:
        return int(self().timestamp())


@dataclass
class Fault:
    """What the next call of a path meets: a status, an error number, silence, or a cut connection."""

    status: int = 0
    code: int = 0
    cut: bool = False
    done_before: bool = False  #: the call has its effect before the connection is cut
    headers: dict[str, str] = field(default_factory=dict)


@dataclass
class Pushed:
    """What became of a push: one entry for each attempt, and what the vendor took as the answer."""

    attempts: list[str] = field(default_factory=list)
    answer: dict[str, str] | None = None
    acknowledged: bool = False


class Refused(Exception):
    """The vendor answers with an error number."""

    def __init__(self, code: int, words: str) -> None:
        super().__init__(words)
        self.code = code
        self.words = words


class VendorDouble:
    """A vendor on loopback; subclasses know the parameters of its methods."""

    token_path = "/cgi-bin/token"  # a path
    token_parameters: Mapping[str, str] = {}
    hang_up_seconds = (5.0, 5.0, 5.0)  #: for each attempt; tests that wait for it shorten it
    kinds: frozenset[str] = frozenset()

    def __init__(self, crypto: Crypto | None, clock: Clock) -> None:
        self.crypto = crypto
        self.clock = clock
        self.pushes: list[Pushed] = []
        self.webhook = ""
        self.tokens: dict[str, float] = {}
        self.token_calls = 0
        self.files: dict[str, tuple[str, bytes, str]] = {}
        self.faults: dict[str, list[Fault]] = {}
        self.calls: Counter[str] = Counter()
        self.shown: dict[str, list[str]] = {}
        self.films: dict[str, bytes] = {}  #: what lies at addresses outside the API
        self.url = ""
        self._numbers = iter(range(10**15, 10**16))

    # -- its API --

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        web = new_app(f"vendor-{uuid.uuid4().hex}", configure_logging=False)
        web.config.TOUCHUP = False
        web.config.GRACEFUL_SHUTDOWN_TIMEOUT = 0.5
        web.add_route(self._handle, "/<path:path>", methods=["GET", "POST"])
        server = await web.create_server("127.0.0.1", port, return_asyncio_server=True, access_log=False)
        assert server is not None
        await server.startup()  # type: ignore[no-untyped-call]
        await server.start_serving()  # type: ignore[no-untyped-call]
        self.url = f"http://127.0.0.1:{port}"
        yield
        server.close()  # type: ignore[no-untyped-call]
        forget(web)

    async def _handle(self, request: Request, path: str) -> HTTPResponse:
        path = f"/{path}"
        self.calls[path] += 1
        waiting = self.faults.get(path, [])
        fault = waiting.pop(0) if waiting else Fault()
        if fault.status:
            return HTTPResponse("busy", fault.status, fault.headers)
        if fault.code:
            return _json({"errcode": fault.code, "errmsg": "as the test asked"})
        if fault.cut and not fault.done_before:
            _cut(request)
        try:
            answer = self._answer(request, path)
        except Refused as refused:
            answer = _json({"errcode": refused.code, "errmsg": refused.words})
        if fault.cut and fault.done_before:
            _cut(request)
        return answer

    def _answer(self, request: Request, path: str) -> HTTPResponse:
        query = {name: values[0] for name, values in request.args.items()}
        if path in self.films:
            return HTTPResponse(self.films[path], content_type="video/mp4")
        if path == self.token_path:
            return _json(self.new_token(query))
        if path == "/cgi-bin/stable_token" and not query:  # the same token for as long as it lives
            if json.loads(request.body) != self.token_parameters:
                raise Refused(40001, "invalid credential")
            return _json(self.new_token(self.token_parameters))
        token = query.pop("access_token", "")
        if token not in self.tokens:
            raise Refused(40014, "invalid access_token")
        if self.tokens[token] < self.clock.seconds:
            raise Refused(42001, "access_token expired")
        if path == "/cgi-bin/media/upload" and request.method == "POST":
            return _json(self._upload(request, query))
        if path == "/cgi-bin/media/get" and request.method == "GET":
            return self._hand_out(query)
        if path == "/cgi-bin/get_api_domain_ip" and request.method == "GET" and not query:
            return _json({"ip_list": ["101.226.62.77"]})
        if request.method == "POST":
            if query:
                raise Refused(47001, f"unknown parameter {query}")
            assert request.body.isascii() is False or b"\\u" not in request.body, "escaped text would be shown as it is"
            return _json({"errcode": 0, "errmsg": "ok", **self.called(path, json.loads(request.body))})
        raise Refused(40066, "invalid url")

    def new_token(self, query: Mapping[str, str]) -> dict[str, Any]:
        self.token_calls += 1
        if query != self.token_parameters:
            raise Refused(40001, "invalid credential")
        self.tokens.clear()  # one token lives at a time
        token = f"{uuid.uuid4().hex}{uuid.uuid4().hex}"
        self.tokens[token] = self.clock.seconds + TOKEN_SECONDS
        return {"access_token": token, "expires_in": TOKEN_SECONDS}

    def called(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        raise NotImplementedError

    def show(self, contact: str, what: str) -> None:
        self.shown.setdefault(contact, []).append(what)

    def keep(self, name: str, content: bytes, media_type: str) -> str:
        media_id = f"media-{uuid.uuid4().hex}"
        self.files[media_id] = (name, content, media_type)
        return media_id

    def _upload(self, request: Request, query: dict[str, str]) -> dict[str, Any]:
        kind = query.pop("type", "")
        file = request.files.get("media") if request.files else None
        if kind not in self.kinds or query:
            raise Refused(40004, "invalid media type")
        if file is None or len(file.body) <= 5:
            raise Refused(44001, "empty media data")
        return {"type": kind, "media_id": self.keep(file.name, file.body, file.type), "created_at": self.clock.seconds}

    def _hand_out(self, query: dict[str, str]) -> HTTPResponse:
        found = self.files.get(query.get("media_id", ""))
        if found is None or set(query) != {"media_id"}:
            raise Refused(40007, "invalid media_id")
        name, content, media_type = found
        if media_type == "application/json":  # of videos the address is handed out
            return HTTPResponse(content, content_type="application/json")
        headers = {"content-disposition": f'attachment; filename="{name}"'}
        return HTTPResponse(content, 200, headers, content_type=media_type)

    # -- its pushes --

    def number(self) -> int:
        return next(self._numbers)

    async def push(self, sender: str, kind: str, **fields: str | int) -> Pushed:
        """Push a message as the vendor does: hang up after five seconds, repeat what was not answered, thrice in all."""
        named: dict[str, str | int] = {
            "ToUserName": self.receiver,
            "FromUserName": sender,
            "CreateTime": self.clock.seconds,
            "MsgType": kind,
            **({} if kind == "event" else {"MsgId": self.number()}),
            **fields,
        }
        return await self.push_again(named)

    async def push_again(self, fields: Mapping[str, str | int]) -> Pushed:
        """The same push once more; each attempt is signed and encrypted anew."""
        pushed = Pushed()
        self.pushes.append(pushed)
        for seconds in self.hang_up_seconds:
            try:
                async with httpx.AsyncClient(timeout=httpx.Timeout(5, read=seconds)) as http:
                    query, body = self.signed(xml_of(fields))
                    response = await http.post(self.webhook, params=query, content=body)
            except httpx.HTTPError as error:
                pushed.attempts.append(type(error).__name__)
                continue
            pushed.attempts.append(str(response.status_code))
            if response.status_code == 200:
                self.answered(str(fields["FromUserName"]), response.text, pushed)
                break
        return pushed

    receiver = "gh_double"

    def signed(self, xml: str) -> tuple[dict[str, str], str]:
        """Query and body of a push."""
        assert self.crypto is not None
        timestamp, nonce = str(self.clock.seconds), uuid.uuid4().hex[:10]
        sealed = xmltodict.parse(self.crypto.encrypt_message(xml, nonce, timestamp))["xml"]
        query = {
            "timestamp": timestamp,
            "nonce": nonce,
            "encrypt_type": "aes",
            "msg_signature": sealed["MsgSignature"],
        }
        return query, self.outer(sealed["Encrypt"])

    def outer(self, encrypted: str) -> str:
        return xml_of({"ToUserName": self.receiver, "Encrypt": encrypted})

    def answered(self, contact: str, text: str, pushed: Pushed) -> None:
        raise NotImplementedError

    def opened(self, text: str) -> dict[str, Any]:
        """A reply as the vendor reads it."""
        if self.crypto is None:
            plain: str | bytes = text
        else:
            sealed = xmltodict.parse(text)["xml"]
            plain = self.crypto.decrypt_message(text, sealed["MsgSignature"], sealed["TimeStamp"], sealed["Nonce"])
        reply: dict[str, Any] = xmltodict.parse(plain)["xml"]
        return reply


def xml_of(fields: Mapping[str, str | int]) -> str:
    return "<xml>" + "".join(f"<{name}>{escape(str(value))}</{name}>" for name, value in fields.items()) + "</xml>"


def exactly(body: Mapping[str, Any], *names: str, optional: tuple[str, ...] = ()) -> None:
    """Refuse what the vendor's documentation does not list."""
    if not set(names) <= set(body) <= set(names) | set(optional):
        raise Refused(47001, f"data format error: {sorted(set(names) ^ set(body))}")


def _json(body: Mapping[str, Any]) -> HTTPResponse:
    return HTTPResponse(json.dumps(body), content_type="application/json; encoding=utf-8")


def _cut(request: Request) -> None:
    transport: Any = request.transport
    transport.abort()
    raise asyncio.CancelledError
