"""Calls the APIs of WeChat and WeCom, which work alike: a token in the address, errors as numbers in a JSON answer."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import unquote

import httpx

from conversations.errors import ChannelUnavailable, DeliveryUnknown, MessageRejected, RateLimited, SendError

#: The token is wrong, unknown or too old [reference: read in libraries, quoting the vendor].
TOKEN_ERRORS = frozenset({40001, 40014, 42001, 41001})
_EARLY_SECONDS = 300  # a token is replaced before it ends
_ANSWER_SECONDS = 8.0
MAX_FILE = 10 * 1024 * 1024
_NAME = re.compile(r"filename\*?=(?:utf-8'')?\"?([^\";]+)", re.IGNORECASE)

#: What an error number means: the error to raise, made from the vendor's words.
Errors = Mapping[int, Callable[[str], SendError]]


@dataclass(frozen=True, slots=True)
class TokenCall:
    """How a vendor hands out its token; ``secrets`` go into the address, or with ``body`` into a JSON body."""

    path: str
    secrets: Mapping[str, str]
    body: bool = False


class HiddenQuery(httpx.AsyncBaseTransport):
    """Adds to an address what must stand in no log: httpx writes only the address it was given itself."""

    def __init__(self, transport: httpx.AsyncBaseTransport) -> None:
        self._transport = transport

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send the request with the parameters of its extension ``hidden``."""
        hidden = request.extensions.get("hidden")
        if not hidden:
            return await self._transport.handle_async_request(request)
        full = httpx.Request(
            request.method,
            request.url.copy_merge_params(hidden),
            headers=request.headers,
            stream=request.stream,
            extensions=request.extensions,
        )
        return await self._transport.handle_async_request(full)

    async def aclose(self) -> None:
        """Close the connections."""
        await self._transport.aclose()


class VendorApi:
    """One account's calls; the token is fetched once for all of them and replaced before it ends."""

    def __init__(self, base_url: str, token: TokenCall, errors: Errors, now: Callable[[], datetime]) -> None:
        self._token_call = token
        self._errors = errors
        self._now = now
        self._token = ""
        self._token_until = 0.0
        self._refreshing = asyncio.Lock()
        self._refused_at = float("-inf")
        self._http = httpx.AsyncClient(
            base_url=base_url,
            timeout=httpx.Timeout(_ANSWER_SECONDS, connect=5.0),
            transport=HiddenQuery(httpx.AsyncHTTPTransport(limits=httpx.Limits(max_connections=50))),
        )

    async def post(self, path: str, body: Mapping[str, Any]) -> dict[str, Any]:
        """Call a method that sends something; an answer that does not come is ``DeliveryUnknown``."""
        content = json.dumps(body, ensure_ascii=False).encode("utf-8", "replace")  # escapes would be shown as they are
        return await self._call("POST", path, content=content, headers={"content-type": "application/json"})

    async def upload(self, path: str, kind: str, name: str, content: bytes, media_type: str) -> str:
        """Bring a file to the vendor; returns its media id, which is good for three days."""
        answer = await self._call(
            "POST", path, harmless=True, params={"type": kind}, files={"media": (name, content, media_type)}
        )
        media_id = answer.get("media_id")
        if not isinstance(media_id, str) or not media_id:
            raise ChannelUnavailable("the upload was answered without a media id")
        return media_id

    async def download(self, path: str, media_id: str) -> tuple[str, bytes, dict[str, Any]]:
        """Name and content of a file, or the JSON that was answered instead of one."""
        for attempt in (1, 2):
            token = await self._fresh_token()
            request = self._http.build_request(
                "GET", path, params={"media_id": media_id}, extensions={"hidden": {"access_token": token}}
            )
            name, content, is_json = await self._read_file(request)
            if not is_json:
                return name, content, {}
            answer = _json(content)
            code = answer.get("errcode", 0)
            if code in TOKEN_ERRORS and attempt == 1:
                self._forget(token)
                continue
            self._check(answer)
            return name, b"", answer
        raise ChannelUnavailable("the token was refused twice")

    async def download_from(self, url: str) -> bytes:
        """What lies at an address outside the API; the caller has checked the address."""
        try:
            request = self._http.build_request("GET", url)
        except httpx.InvalidURL:
            raise MessageRejected("the link to the file is no address") from None
        return (await self._read_file(request))[1]

    async def prove(self) -> None:
        """Have a token made if there is none, and use it for a question that changes nothing; raises a ``SendError``."""
        await self._call("GET", "/cgi-bin/get_api_domain_ip", harmless=True)

    async def close(self) -> None:
        """Close the connections."""
        await self._http.aclose()

    async def _call(self, method: str, path: str, *, harmless: bool = False, **content: Any) -> dict[str, Any]:
        for attempt in (1, 2):
            token = await self._fresh_token()
            answer = await self._exchange(method, path, {"access_token": token}, harmless=harmless, **content)
            if answer.get("errcode", 0) in TOKEN_ERRORS and attempt == 1:
                self._forget(token)
                continue
            self._check(answer)
            return answer
        raise ChannelUnavailable("the token was refused twice")

    async def _exchange(
        self, method: str, path: str, hidden: Mapping[str, str], *, harmless: bool, **content: Any
    ) -> dict[str, Any]:
        try:
            response = await self._http.request(method, path, extensions={"hidden": hidden}, **content)
        except httpx.HTTPError as error:
            raise _broken(error, harmless=harmless) from None
        _check_status(response)
        try:
            return _json(response.content)
        except ChannelUnavailable:
            if harmless:
                raise
            raise DeliveryUnknown("the channel answered something that is not its JSON") from None

    async def _read_file(self, request: httpx.Request) -> tuple[str, bytes, bool]:
        try:
            response = await self._http.send(request, stream=True)
            try:
                _check_status(response)
                parts, size = [], 0
                async for part in response.aiter_bytes():
                    parts.append(part)
                    size += len(part)
                    if size > MAX_FILE:
                        raise MessageRejected("the file is larger than 10 MiB")
            finally:
                await response.aclose()
        except httpx.HTTPError as error:
            raise _broken(error, harmless=True) from None
        kind = response.headers.get("content-type", "")
        found = _NAME.search(response.headers.get("content-disposition", ""))
        is_json = found is None and ("json" in kind or "text/plain" in kind)
        return unquote(found.group(1)) if found else "", b"".join(parts), is_json

    async def _fresh_token(self) -> str:
        clock = asyncio.get_running_loop()
        came = clock.time()
        async with self._refreshing:  # one refresh at a time: each new token ends the one before
            if self._token and self._now().timestamp() < self._token_until:
                return self._token
            if self._refused_at >= came:  # who waited for a refresh that failed does not wait for one more
                raise ChannelUnavailable("the channel handed out no token a moment ago")
            try:
                return await self._refresh()
            except SendError:
                self._refused_at = clock.time()
                raise

    async def _refresh(self) -> str:
        call = self._token_call
        if call.body:
            answer = await self._exchange("POST", call.path, {}, harmless=True, json=dict(call.secrets))
        else:
            answer = await self._exchange("GET", call.path, call.secrets, harmless=True)
        self._check(answer)
        token, seconds = answer.get("access_token"), answer.get("expires_in")
        if not isinstance(token, str) or not token or not isinstance(seconds, int):
            raise ChannelUnavailable("the channel handed out no token")
        self._token = token
        self._token_until = self._now().timestamp() + max(seconds - _EARLY_SECONDS, seconds / 2)
        return token

    def _forget(self, token: str) -> None:
        if self._token == token:  # otherwise somebody else has replaced it already
            self._token = ""

    def _check(self, answer: Mapping[str, Any]) -> None:
        """Raises the ``SendError`` that an answer means."""
        code = answer.get("errcode", 0)
        if code == 0:
            return
        if code in TOKEN_ERRORS:
            raise ChannelUnavailable(f"error {code}: the channel refuses the token; check id and secret of the account")
        words = f"error {code}: {_without_secrets(str(answer.get('errmsg', '')))}"
        make = self._errors.get(code) if isinstance(code, int) else None
        raise make(words) if make is not None else MessageRejected(words)


def _json(content: bytes) -> dict[str, Any]:
    try:
        answer = json.loads(content)
    except (ValueError, RecursionError):
        answer = None
    if not isinstance(answer, dict):
        raise ChannelUnavailable("the channel answered something that is not its JSON")
    return answer


def _check_status(response: httpx.Response) -> None:
    status = response.status_code
    if status == 429:
        after = response.headers.get("retry-after", "")
        raise RateLimited(float(after) if after.isascii() and after.isdigit() else 60.0)
    if status >= 500:
        raise ChannelUnavailable(f"the channel answered {status}")
    if status >= 300:
        raise MessageRejected(f"the channel answered {status}")


def _broken(error: httpx.HTTPError, *, harmless: bool) -> SendError:
    """Whether anything can have arrived; the error's own words may hold the address and are not repeated."""
    unsent = isinstance(error, httpx.ConnectError | httpx.ConnectTimeout | httpx.PoolTimeout)
    name = type(error).__name__
    if unsent or harmless:
        return ChannelUnavailable(f"the channel cannot be reached ({name})")
    return DeliveryUnknown(f"the connection broke before the answer ({name})")


def _without_secrets(words: str) -> str:
    """The vendor's words, bounded, without what looks like a token."""
    return re.sub(r"[A-Za-z0-9_-]{32,}", "…", words)[:200]
