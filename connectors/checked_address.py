"""HTTP to addresses that people configure, without a way into the network the desk stands in.

A name is resolved once, every address is checked, and the connection goes to a checked address: a name that resolves
differently a moment later (DNS rebinding) changes nothing. Sources: OWASP "Server-Side Request Forgery Prevention",
IANA special-purpose address registries (RFC 6890).
"""

from __future__ import annotations

import asyncio
import ipaddress
import logging
import socket
import ssl
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path

import httpx

from conversations.errors import MessageRejected

#: At INFO it writes every address, and some hold a token.
logging.getLogger("httpx").setLevel(logging.WARNING)

Resolve = Callable[[str, int], Awaitable[Sequence[str]]]
PORTS = (443, 8443)
_TIMEOUT = httpx.Timeout(10.0, connect=5.0)
_IPv4 = ipaddress.IPv4Address
_IPv6 = ipaddress.IPv6Address
#: IPv6 networks that carry an IPv4 address in their last 32 bits (RFC 6052 and 8215, and the old IPv4-compatible form).
_EMBEDDING = tuple(map(ipaddress.IPv6Network, ("64:ff9b::/96", "64:ff9b:1::/48", "::/96", "::ffff:0:0:0/96")))


class ForbiddenAddress(MessageRejected):
    """The address leads to where webhooks may not go."""


def is_public(address: str) -> bool:
    """Whether an IP address belongs to the public internet, also where an IPv4 address hides in an IPv6 one."""
    try:
        ip = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return False
    if isinstance(ip, _IPv6):
        if ip.teredo is not None:
            return False
        inner = ip.ipv4_mapped or ip.sixtofour
        if inner is None and any(ip in network for network in _EMBEDDING):
            inner = _IPv4(int(ip) & 0xFFFFFFFF)
        if inner is not None:
            return is_public(str(inner))
        if ip.is_site_local:
            return False
    return ip.is_global and not (ip.is_multicast or ip.is_reserved or ip.is_unspecified or ip.is_loopback)


def check_url(url: str, *, private: bool, setting: str = "allow_private_addresses") -> str:
    """The URL itself; raises ``ValueError`` for what can be seen to be wrong without asking for its address.

    ``setting`` is what whoever runs the desk sets so that addresses inside are taken.
    """
    try:
        parts = httpx.URL(url)  # read by whoever connects: two readers could see two hosts in it
    except (httpx.InvalidURL, ValueError):
        raise ValueError("it is not a URL") from None
    if not parts.host or parts.fragment or not url.isprintable() or " " in url:
        raise ValueError("it is not a URL with a host")
    if parts.userinfo:
        raise ValueError("it must not hold a user name or password; the signature says who we are")
    if private and parts.scheme in ("https", "http"):
        return url
    if parts.scheme != "https":
        raise ValueError("it must begin with https://")
    if parts.port is not None and parts.port not in PORTS:
        raise ValueError(f"its port must be one of {', '.join(map(str, PORTS))}")
    if _leads_inside(parts.host):
        raise ValueError(f"it leads into a private network; give a public address, or set {setting}")
    return url


def _leads_inside(host: str) -> bool:
    """Whether a host names an address inside without anybody having to be asked, in whichever notation."""
    name = host.rstrip(".").lower()
    if name == "localhost" or name.endswith(".localhost"):
        return True
    try:
        return not is_public(socket.inet_ntoa(socket.inet_aton(name)))  # also 0x7f.1, 127.1 and 2130706433
    except (OSError, UnicodeError, ValueError):
        pass
    return ":" in name and not is_public(name.strip("[]"))


async def resolved(host: str, port: int) -> list[str]:
    """The addresses of a name, in the order in which the system prefers them."""
    found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))


class CheckedTransport(httpx.AsyncBaseTransport):
    """Connects to checked addresses only; certificates are still checked against the name."""

    def __init__(self, *, private: bool = False, verify: ssl.SSLContext | bool = True, resolve: Resolve = resolved):
        self._private = private
        self._resolve = resolve
        self._inner = httpx.AsyncHTTPTransport(verify=verify, trust_env=False, retries=0)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send a request; raises ``ForbiddenAddress`` if one of the host's addresses is not public."""
        host = request.url.raw_host.decode("ascii")
        port = request.url.port or (443 if request.url.scheme == "https" else 80)
        try:
            addresses = await self._resolve(host, port)
        except (OSError, UnicodeError):
            raise httpx.ConnectError("the name is not known", request=request) from None
        if not addresses:
            raise httpx.ConnectError("the name has no address", request=request)
        if not self._private and not all(map(is_public, addresses)):
            raise ForbiddenAddress("the webhook's host leads into a private network; see allow_private_addresses")
        failed: httpx.TransportError | None = None
        for address in addresses[:4]:
            sent = httpx.Request(
                request.method,
                request.url.copy_with(host=address),
                headers=request.headers,  # Host names what was asked for
                stream=request.stream,
                extensions={**request.extensions, "sni_hostname": host},
            )
            try:
                return await self._inner.handle_async_request(sent)
            except (httpx.ConnectError, httpx.ConnectTimeout) as error:
                failed = error  # nothing was sent yet
        assert failed is not None
        raise failed

    async def aclose(self) -> None:
        """Close the connections."""
        await self._inner.aclose()


def checked_client(*, private: bool, ca_file: Path | None = None, resolve: Resolve = resolved) -> httpx.AsyncClient:
    """A client that follows no redirects and no proxy settings of the environment."""
    verify = ssl.create_default_context(cafile=str(ca_file)) if ca_file is not None else True
    transport = CheckedTransport(private=private, verify=verify, resolve=resolve)
    return httpx.AsyncClient(transport=transport, timeout=_TIMEOUT, follow_redirects=False, trust_env=False)
