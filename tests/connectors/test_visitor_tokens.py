"""Nobody gets into a visitor's conversation with a token that was not made here for them, and nothing tells how close it was."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import time
from collections.abc import Callable
from unittest.mock import patch

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from connectors.webchat.tokens import BadToken, VisitorTokens
from conversations.model import Address
from tests.connectors.desk import Server
from tests.connectors.test_polling import call, hello

SECRET = "secret of the tests, long enough"
PUBLIC_KEY = (
    Ed25519PrivateKey.generate()
    .public_key()
    .public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
)


def b64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def resigned(token: str, key: bytes) -> str:
    """The claims of a token with a signature made by another key."""
    body = token.rpartition(".")[0]
    return f"{body}.{b64(hmac.digest(key, body.encode(), hashlib.sha256))}"


def jwt(token: str, header: dict[str, str], key: bytes | None) -> str:
    claims = {"sub": token.split(".")[1], "visitor": token.split(".")[1], "exp": int(time.time()) + 3600}
    body = f"{b64(json.dumps(header).encode())}.{b64(json.dumps(claims).encode())}"
    return f"{body}." + ("" if key is None else b64(hmac.digest(key, body.encode(), hashlib.sha256)))


def part(token: str, number: int, value: str) -> str:
    parts = token.split(".")
    parts[number] = value
    return ".".join(parts)


FORGERIES: dict[str, Callable[[str], str]] = {
    "of another desk": lambda t: VisitorTokens("another secret, long enough").issue(t.split(".")[1]),
    "too old": lambda t: VisitorTokens(SECRET, lambda: time.time() - 366 * 24 * 3600).issue(t.split(".")[1]),
    "signed in, too old": lambda t: VisitorTokens(SECRET, lambda: time.time() - 25 * 3600).issue(
        t.split(".")[1], signed_in=True
    ),
    "another visitor": lambda t: part(t, 1, "f" * 32),
    "ends later": lambda t: part(t, 2, "9999999999"),
    "signed in after all": lambda t: part(t, 0, "s1"),
    "without signature": lambda t: t.rpartition(".")[0],
    "with an empty signature": lambda t: part(t, 3, ""),
    "re-signed with a public key": lambda t: resigned(t, PUBLIC_KEY),
    "re-signed with the bare secret": lambda t: resigned(t, SECRET.encode()),
    "re-signed with an empty key": lambda t: resigned(t, b"\0"),
    "a JWT without algorithm": lambda t: jwt(t, {"alg": "none", "typ": "JWT"}, None),
    "a JWT without algorithm, in another case": lambda t: jwt(t, {"alg": "nOnE"}, None),
    "a JWT signed with a public key": lambda t: jwt(t, {"alg": "HS256"}, PUBLIC_KEY),
    "a JWT whose key is named by a path": lambda t: jwt(t, {"alg": "HS256", "kid": "../../dev/null"}, b""),
    "in another case": str.upper,
    "with a line break": lambda t: f"{t}\n",
    "twice": lambda t: f"{t}.{t}",
    "with other digits": lambda t: part(t, 2, t.split(".")[2].translate({48 + n: 0x0660 + n for n in range(10)})),
}


@pytest.mark.parametrize("forgery", FORGERIES)
async def test_a_forged_token_opens_nothing_on_either_way(server: Server, forgery: str) -> None:
    """F33: 401 by HTTP, 4401 on the socket, and the visitor's conversation neither heard nor changed."""
    real = (await hello(server))["token"]
    assert (await call(server, real, "messages", client_msg_id="12345678", text="mine")).status_code == 200
    forged = FORGERIES[forgery](real)
    if forged.isascii() and "\n" not in forged:  # no other header can be sent at all
        for answer in (
            await call(server, forged, "messages", client_msg_id="87654321", text="theirs"),
            await server.http.get("/webchat/messages", headers={"authorization": f"Bearer {forged}"}),
        ):
            assert (answer.status_code, answer.json()["error"]["code"]) == (401, "bad_token")
    answer = await server.http.post("/webchat/hello", json={"token": forged})
    assert answer.status_code in (400, 401)  # 400: too long for any token
    async with server.socket() as connection:
        await connection.send(json.dumps({"type": "hello", "token": forged}))
        assert json.loads(await connection.recv())["code"] in ("bad_token", "bad_frame")
        await connection.wait_closed()
        assert connection.close_code in (4401, 4400)
    said = await server.desk.transcript(Address("webchat", "default", server.tokens.read(real)))
    assert "theirs" not in [message.text for message in said]


def test_a_signature_is_compared_in_the_same_time_whatever_it_holds() -> None:
    """F33: every well-formed token is signed once and compared once, in constant time, whoever it names."""
    tokens = VisitorTokens(SECRET)
    real = tokens.issue(tokens.new_visitor())
    with patch("connectors.webchat.tokens.hmac.compare_digest", wraps=hmac.compare_digest) as compared:
        wrong = [part(real, 3, digit * 43) for digit in "Aa0_"]  # for a visitor who exists
        wrong += [part(part(real, 1, "0" * 32), 3, "A" * 43)]  # and for one who does not
        refusals = set()
        for token in wrong:
            with pytest.raises(BadToken) as refused:
                tokens.read(token)
            refusals.add(str(refused.value))
    assert compared.call_count == len(wrong)
    assert len(refusals) == 1
