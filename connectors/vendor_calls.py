"""One way to call a vendor's HTTP API: time limits, no redirects, and errors that say whether a message may be out."""

from __future__ import annotations

import logging
from typing import Any
from urllib.parse import urlsplit

import httpx

from conversations.errors import ChannelUnavailable, DeliveryUnknown, MessageRejected, RateLimited

#: At INFO it writes every address, and some vendors want tokens there.
logging.getLogger("httpx").setLevel(logging.WARNING)

MAX_DOWNLOAD = 10 * 1024 * 1024
_TIMEOUT = httpx.Timeout(10.0, connect=5.0)
#: Nothing was sent when one of these is raised.
NOT_SENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.UnsupportedProtocol)


def vendor_client() -> httpx.AsyncClient:
    """A client for one channel account; addresses are never followed anywhere else."""
    return httpx.AsyncClient(timeout=_TIMEOUT, follow_redirects=False)


async def call(
    client: httpx.AsyncClient,
    what: str,
    method: str,
    url: str,
    *,
    delivers: bool = False,
    explains_429: bool = False,
    **request: Any,
) -> httpx.Response:
    """The answer to one request, whatever its status below 500.

    Raises ``ChannelUnavailable``, ``RateLimited``, or ``DeliveryUnknown`` where the request ``delivers`` a message and
    no answer came. ``what`` names the call in errors, because addresses may carry tokens. A vendor that ``explains_429``
    says in the body what was too much; the caller reads it.
    """
    try:
        response = await client.request(method, url, **request)
    except NOT_SENT as error:
        raise ChannelUnavailable(f"{what}: no connection ({type(error).__name__})") from None
    except httpx.HTTPError as error:
        if delivers:
            raise DeliveryUnknown(f"{what}: no answer ({type(error).__name__})") from None
        raise ChannelUnavailable(f"{what}: no answer ({type(error).__name__})") from None
    if response.status_code == 429 and not explains_429:
        raise RateLimited(retry_after(response))
    if response.status_code >= 500:
        raise ChannelUnavailable(f"{what}: HTTP {response.status_code}")
    return response


def retry_after(response: httpx.Response, otherwise: float = 1.0) -> float:
    """The seconds a 429 asks to wait; dates and nonsense count as ``otherwise``."""
    given = response.headers.get("retry-after", "")
    return float(given) if given.isascii() and given.isdigit() and len(given) < 7 else otherwise


def json_of(response: httpx.Response) -> dict[str, Any]:
    """The JSON object in an answer; an empty one where there is none."""
    try:
        body = response.json()
    except (ValueError, RecursionError):
        return {}
    return body if isinstance(body, dict) else {}


def is_host_of(url: str, hosts: tuple[str, ...], also: str = "") -> bool:
    """Whether a link that came in a message may be called: HTTPS on one of the vendor's domains.

    ``also`` is the configured address of the vendor's API, which may be anything the operator wants.
    """
    try:
        parts, ours = urlsplit(url), urlsplit(also)
        same = (parts.scheme, parts.hostname, parts.port) == (ours.scheme, ours.hostname, ours.port)
        port = parts.port
    except ValueError:
        return False
    if parts.username is not None or not parts.hostname:
        return False
    if also and same:
        return True
    host = parts.hostname.rstrip(".")
    fits = any(host == known or host.endswith("." + known) for known in hosts)
    return parts.scheme == "https" and port in (None, 443) and fits


async def download(client: httpx.AsyncClient, what: str, url: str, headers: dict[str, str] | None = None) -> bytes:
    """The content behind a checked link, at most 10 MiB; raises a ``SendError``."""
    try:
        async with client.stream("GET", url, headers=headers) as response:
            if response.status_code == 429:
                raise RateLimited(retry_after(response))
            if response.status_code >= 500:
                raise ChannelUnavailable(f"{what}: HTTP {response.status_code}")
            if response.status_code != 200:
                raise MessageRejected(f"{what}: HTTP {response.status_code}")
            parts, size = [], 0
            async for part in response.aiter_bytes():
                size += len(part)
                if size > MAX_DOWNLOAD:
                    raise MessageRejected(f"{what}: larger than {MAX_DOWNLOAD // 1024 // 1024} MiB")
                parts.append(part)
            return b"".join(parts)
    except httpx.HTTPError as error:
        raise ChannelUnavailable(f"{what}: {type(error).__name__}") from None
