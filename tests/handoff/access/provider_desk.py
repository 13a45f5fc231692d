"""A desk beside an OpenID provider, and a browser that goes there and comes back."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from urllib.parse import parse_qsl, urlsplit

import httpx

from handoff.access.identity_store import IdentityStore
from handoff.access.oidc_provider import Client, Provider
from handoff.access.oidc_sign_in import ProviderSignIn, Rules
from handoff.access.provider_routes import SIGNED_OUT
from tests.doubles.openid_provider import CLIENT, SECRET, OpenIdProvider, Person
from tests.handoff.desk import API, Desk

CALLBACK = f"{API}/sign-in/provider/callback"


@asynccontextmanager
async def provider_beside(desk: Desk) -> AsyncIterator[OpenIdProvider]:
    """A provider that knows one person, and a desk that knows the provider."""
    double = OpenIdProvider(desk.base + CALLBACK, desk.base + SIGNED_OUT)
    async with double.running():
        double.people["chen"] = Person("sub-1", {"email": "chen.yu@kite.example", "email_verified": True})
        connect(desk, double)
        yield double


def connect(desk: Desk, double: OpenIdProvider, rules: Rules | None = None, timeout_seconds: float = 5.0) -> None:
    client = Client(double.url, CLIENT, SECRET, "openid email", desk.base + CALLBACK, desk.base + SIGNED_OUT)
    desk.side.provider = ProviderSignIn(
        Provider(client, timeout_seconds=timeout_seconds, now=desk.clock),
        rules or Rules(),
        desk.side.sign_in,
        desk.store,
        IdentityStore(desk.database),
        b"k" * 32,
    )


async def depart(desk: Desk, browser: httpx.AsyncClient, to: str = "") -> dict[str, str]:
    """Follow the button: what the browser is sent to the provider with."""
    response = await browser.get(f"{API}/sign-in/provider", params={"to": to} if to else {})
    assert response.status_code == 302, response.text
    return dict(parse_qsl(urlsplit(response.headers["location"]).query))


async def arrive(browser: httpx.AsyncClient, address: str) -> str:
    """Come back; where the console opens then, with the error if there is one."""
    response = await browser.get(address)
    assert response.status_code == 302, response.text
    assert response.headers["referrer-policy"] == "no-referrer"
    return str(response.headers["location"])


async def sign_in(
    desk: Desk, double: OpenIdProvider, name: str = "chen", to: str = ""
) -> tuple[httpx.AsyncClient, str]:
    browser = desk.client()
    return browser, await arrive(browser, double.approve(name, await depart(desk, browser, to)))


async def role_of(browser: httpx.AsyncClient) -> str | None:
    me = await browser.get(f"{API}/me")
    return me.json()["staff"]["role"] if me.status_code == 200 else None


async def refused(desk: Desk, double: OpenIdProvider) -> str:
    """Sign in, be refused: the code that the page puts into words. Nobody is signed in and nothing is told."""
    browser, place = await sign_in(desk, double)
    assert await role_of(browser) is None
    assert place.startswith("/staff/?sign_in=")
    return place.partition("=")[2]
