"""What an OpenID provider sends back, with one thing wrong: it opens nothing."""

from __future__ import annotations

import base64
import json
import time
from collections.abc import AsyncIterator, Callable
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest

from tests.doubles.openid_provider import CLIENT, OpenIdProvider
from tests.handoff.access.provider_desk import CALLBACK, arrive, depart, provider_beside, refused, role_of, sign_in
from tests.handoff.desk import Desk


@pytest.fixture
async def provider(desk: Desk) -> AsyncIterator[OpenIdProvider]:
    async with provider_beside(desk) as double:
        yield double


CHANGES: dict[str, Callable[[dict[str, Any]], dict[str, Any]]] = {
    "another nonce": lambda claims: claims | {"nonce": "x" * 43},
    "no nonce": lambda claims: {name: value for name, value in claims.items() if name != "nonce"},
    "another issuer": lambda claims: claims | {"iss": "https://evil.example"},
    "another audience": lambda claims: claims | {"aud": "somebody-else"},
    "an audience beside us, for another party": lambda claims: claims | {"aud": [CLIENT, "other"], "azp": "other"},
    "an audience beside us, for no party": lambda claims: claims | {"aud": [CLIENT, "other"]},
    "another party": lambda claims: claims | {"azp": "other"},
    "expired": lambda claims: claims | {"exp": int(time.time()) - 120},
    "not yet": lambda claims: claims | {"nbf": int(time.time()) + 600},
    "no expiry": lambda claims: {name: value for name, value in claims.items() if name != "exp"},
    "another access token": lambda claims: claims | {"at_hash": "AAAAAAAAAAAAAAAAAAAAAA"},
    "no subject": lambda claims: {name: value for name, value in claims.items() if name != "sub"},
    "an endless subject": lambda claims: claims | {"sub": "s" * 256},
}


@pytest.mark.parametrize("change", CHANGES)
async def test_a_token_that_is_not_made_for_this_sign_in_is_refused(
    desk: Desk, provider: OpenIdProvider, change: str
) -> None:
    """F33: an ID token with one thing wrong."""
    await desk.hire("Chen Yu")
    provider.claims = CHANGES[change]
    assert await refused(desk, provider) == "provider_unproved"


@pytest.mark.parametrize("algorithm", ["none", "HS256"])
async def test_a_token_without_a_signature_or_with_a_confused_one_is_refused(
    desk: Desk, provider: OpenIdProvider, algorithm: str
) -> None:
    """F33: ``alg`` is none, or a MAC with the public key."""
    await desk.hire("Chen Yu")
    provider.algorithm = algorithm
    assert await refused(desk, provider) == "provider_unproved"


async def test_a_token_that_was_changed_or_is_none_is_refused(desk: Desk, provider: OpenIdProvider) -> None:
    """F33: claims changed under a good signature, a cut token, no token."""
    await desk.hire("Chen Yu")

    def other_subject(token: str) -> str:
        head, body, mac = token.split(".")
        claims = json.loads(base64.urlsafe_b64decode(body + "==")) | {"email": "boss@kite.example"}
        changed = base64.urlsafe_b64encode(json.dumps(claims).encode()).rstrip(b"=").decode()
        return f"{head}.{changed}.{mac}"

    for spoil in (other_subject, lambda token: token[:-20], lambda _: "a.b.c", lambda _: ""):
        provider.token = spoil
        assert await refused(desk, provider) == "provider_unproved"


async def test_es256_is_taken_and_a_rotated_key_is_read_anew(desk: Desk, provider: OpenIdProvider) -> None:
    await desk.hire("Chen Yu")
    provider.algorithm = "ES256"
    browser, _ = await sign_in(desk, provider)
    assert await role_of(browser) == "agent"
    provider.algorithm = "RS256"
    provider.rotate()
    assert desk.side.provider is not None
    desk.side.provider.provider._keys_at = float("-inf")  # the pause between two reads of the keys is over
    again, _ = await sign_in(desk, provider)
    assert await role_of(again) == "agent"
    assert provider.asked.count("/jwks") == 2


async def test_an_answer_counts_once_and_only_in_the_browser_that_asked(desk: Desk, provider: OpenIdProvider) -> None:
    """F36: a replayed state, somebody else's answer, and an answer nobody asked for (login CSRF)."""
    await desk.hire("Chen Yu")
    browser = desk.client()
    query = await depart(desk, browser)
    kept = dict(browser.cookies)
    address = provider.approve("chen", query)
    assert await arrive(browser, address) == "/staff/"
    replayed = desk.client(cookies=kept)
    assert await arrive(replayed, provider.approve("chen", query)) == "/staff/?sign_in=provider_state"
    for victim in (desk.client(), desk.client()):
        other = provider.approve("chen", await depart(desk, desk.client()))
        assert await arrive(victim, other) == "/staff/?sign_in=provider_state"
        assert await role_of(victim) is None
        await depart(desk, victim)  # also while a sign-in of their own is under way
        assert await arrive(victim, other) == "/staff/?sign_in=provider_state"


async def test_a_code_is_exchanged_once(desk: Desk, provider: OpenIdProvider) -> None:
    """F33: the code of another sign-in, used already or not."""
    await desk.hire("Chen Yu")
    first = desk.client()
    query = await depart(desk, first)
    code = dict(parse_qsl(urlsplit(provider.approve("chen", query)).query))["code"]
    second = desk.client()
    theirs = await depart(desk, second)
    stolen = f"{CALLBACK}?code={code}&state={theirs['state']}&iss={provider.url}"
    assert await arrive(second, stolen) == "/staff/?sign_in=provider_unproved"
    provider.codes[code].used = True
    own = f"{CALLBACK}?code={code}&state={query['state']}&iss={provider.url}"
    assert await arrive(first, own) == "/staff/?sign_in=provider_unproved"


@pytest.mark.parametrize("sender", ["https://evil.example", None])
async def test_an_answer_of_another_issuer_is_not_exchanged(
    desk: Desk, provider: OpenIdProvider, sender: str | None
) -> None:
    """F33: mix-up (RFC 9207): an answer that names another issuer, or none although this one always does."""
    browser = desk.client()
    query = await depart(desk, browser)
    code = dict(parse_qsl(urlsplit(provider.approve("chen", query)).query))["code"]
    named = f"&iss={sender}" if sender else ""
    address = f"{CALLBACK}?code={code}&state={query['state']}{named}"
    assert await arrive(browser, address) == "/staff/?sign_in=provider_unproved"
    assert "/token" not in provider.asked
