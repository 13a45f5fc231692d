"""Signatures and encryption of WeChat and WeCom: the published vectors, another library, and everything forged."""

from __future__ import annotations

import base64
import contextlib
import secrets
from datetime import UTC, datetime
from typing import Any, cast

import pytest
import xmltodict  # type: ignore[import-untyped]
from hypothesis import given
from hypothesis import settings as checks
from hypothesis import strategies as st
from wechatpy.crypto import WeChatCrypto  # type: ignore[import-untyped]
from wechatpy.enterprise.crypto import WeChatCrypto as WecomCrypto  # type: ignore[import-untyped]
from wechatpy.utils import check_signature as library_check  # type: ignore[import-untyped]

from connectors.base import BadPayload, BadSignature, WebhookRequest
from connectors.wechat_callbacks import FRESH_SECONDS, Callbacks
from connectors.wechat_crypto import Envelope, signature
from connectors.wechat_xml import MAX_XML, read_fields, write_fields
from tests.doubles.wechat import plain_signature

# Tencent's published samples.
TOKEN, KEY, ID = "QDG6eK", "jWmYm7qr5nMoAUwZRjGtBxmz3KA1tkAj3ykkR6q2B2C", "wx5823bf96d3bd56c7"
ECHO = "P9nAzCzyDtyTWESHep1vC5X9xho/qYX3Zpb4yKa9SKld1DsH3Iyt3tP3zNdtp+4RPcs8TgAE7OaBO+FZXvnaqQ=="
MESSAGE = (
    "RypEvHKD8QQKFhvQ6QleEB4J58tiPdvo+rtK1I9qca6aM/wvqnLSV5zEPeusUiX5L5X/0lWfrf0QADHHhGd3QczcdCUpj911L3vg3W/sYYvuJTs3"
    "TUUkSUXxaccAS0qhxchrRYt66wiSpGLYL42aM6A8dTT+6k4aSknmPj48kzJs8qLjvd4Xgpue06DOdnLxAUHzM6+kDZ+HMZfJYuR+LtwGc2hgf5gs"
    "ijff0ekUNXZiqATP7PF5mZxZ3Izoun1s4zG4LUMnvw2r+KqCKIw+3IQH03v+BCA9nMELNqbSf6tiWSrXJB3LAVGUcallcrw8V2t9EL4EhzJWrQUa"
    "x5wLVMNS0+rUPA3k22Ncx4XXZS9o0MBH27Bo6BpNelZpS+/uh9KsNlY6bHCmJU9p8g7m3fVKn28H3KDYA5Pl/T8Z1ptDAVe0lXdQ2YoyyH2uyPIG"
    "HBZZIs2pDBS8R07+qN+E7Q=="
)
ENVELOPE = Envelope(KEY, ID)


def at(seconds: int) -> Callbacks:
    return Callbacks(TOKEN, ENVELOPE, lambda: datetime.fromtimestamp(seconds, UTC))


def pushed(xml: str, timestamp: str = "1409659813", nonce: str = "n") -> WebhookRequest:
    """A push that the other library signed and encrypted."""
    sealed = WeChatCrypto(TOKEN, KEY, ID).encrypt_message(xml, nonce, timestamp)
    query = {"timestamp": timestamp, "nonce": nonce, "msg_signature": xmltodict.parse(sealed)["xml"]["MsgSignature"]}
    return WebhookRequest("POST", {}, query, sealed.encode())


def test_the_published_handshake_is_answered() -> None:
    query = {
        "msg_signature": "5c45ff5e21c57e6ad56bac8758b79b1d9ac89fd3",
        "timestamp": "1409659589",
        "nonce": "263014780",
        "echostr": ECHO,
    }
    assert at(1409659589).encrypted_echo(WebhookRequest("GET", {}, query)) == "1616140317555161061"


def test_the_published_message_is_read() -> None:
    query = {
        "msg_signature": "477715d11cdb4164915debcba66cb864d751f3e6",
        "timestamp": "1409659813",
        "nonce": "1372623149",
    }
    body = f"<xml><ToUserName><![CDATA[{ID}]]></ToUserName><Encrypt><![CDATA[{MESSAGE}]]></Encrypt></xml>"
    request = WebhookRequest("POST", {}, query, body.encode())
    callbacks = at(1409659813 + FRESH_SECONDS)
    callbacks.verify(request)
    fields = callbacks.fields(request)
    assert (fields["MsgId"], fields["Content"], fields["AgentID"]) == ("4561255354251345929", "hello", "218")


def test_the_plain_signature_is_the_vendors() -> None:
    assert signature("token", "1409304348", "xxxxxx") == "f43b4a6571a6552356f482636e5a77e7fa33dcc9"
    library_check("token", signature("token", "1409304348", "xxxxxx"), "1409304348", "xxxxxx")


@checks(deadline=None)
@given(st.text(max_size=200).filter(lambda text: "\x00" not in text))
def test_what_the_other_library_encrypts_we_read_and_the_other_way_round(text: str) -> None:
    content = text.encode("utf-8", "replace")
    for library in (WeChatCrypto(TOKEN, KEY, ID), WecomCrypto(TOKEN, KEY, ID)):
        sealed = xmltodict.parse(library.encrypt_message(content, "n", "1"))["xml"]
        assert ENVELOPE.decrypt(sealed["Encrypt"]) == content
        ours = xmltodict.parse(at(1000).sealed(content.decode()))["xml"]
        assert library.decrypt_message(ours, ours["MsgSignature"], ours["TimeStamp"], ours["Nonce"]) in (
            content,
            content.decode(),
        )


def raw(plain: bytes) -> str:
    """Any bytes, encrypted with the right key as they are."""
    encryptor = cast(Any, ENVELOPE)._cipher().encryptor()
    return base64.b64encode(encryptor.update(plain) + encryptor.finalize()).decode()


def test_whatever_is_wrong_with_an_encrypted_message_the_answer_is_the_same() -> None:
    """F32: one answer for every fault: no oracle."""

    def padded(content: bytes, length: int | None = None, receiver: bytes = ID.encode()) -> bytes:
        size = len(content) if length is None else length
        plain = bytes(16) + size.to_bytes(4, "big") + content + receiver
        pad = 32 - len(plain) % 32
        return plain + bytes([pad]) * pad

    right = padded(b"<xml/>")
    assert ENVELOPE.decrypt(raw(right)) == b"<xml/>"
    wrong = [
        "",
        "é",
        "not base64!",
        base64.b64encode(b"short").decode(),
        base64.b64encode(secrets.token_bytes(33)).decode(),
        raw(bytes(32)),  # padding 0
        raw(right[:-1] + b"\x00"),
        raw(right[:-1] + b"\x21"),  # 33
        raw(right[:-1] + b"\xff"),
        raw(right[:-2] + b"\x00" + right[-1:]),
        raw(padded(b"<xml/>", length=7)),
        raw(padded(b"<xml/>", length=2**32 - 1)),
        raw(padded(b"<xml/>", length=0)),
        raw(padded(b"<xml/>", receiver=b"wx-of-somebody-else")),
        raw(padded(b"<xml/>", receiver=b"")),
        raw(bytes(range(32)) * 4),
    ]
    said = set()
    for encrypted in wrong:
        with pytest.raises(BadSignature) as refused:
            ENVELOPE.decrypt(encrypted)
        said.add(str(refused.value))
    assert len(said) == 1


@checks(deadline=None)
@given(st.binary(max_size=200) | st.text(max_size=300))
def test_decrypting_anything_never_crashes(content: bytes | str) -> None:
    with contextlib.suppress(BadSignature):
        ENVELOPE.decrypt(content if isinstance(content, str) else base64.b64encode(content).decode())


def test_every_changed_byte_of_a_push_is_noticed() -> None:
    request = pushed("<xml><MsgType>text</MsgType></xml>")
    at(1409659813).verify(request)
    encrypted = read_fields(request.body)["Encrypt"]
    for place in range(len(encrypted)):
        changed = encrypted[:place] + ("A" if encrypted[place] != "A" else "B") + encrypted[place + 1 :]
        body = write_fields({"Encrypt": changed}).encode()
        with pytest.raises(BadSignature):
            at(1409659813).verify(WebhookRequest("POST", {}, request.query, body))
    right = request.query["msg_signature"]
    for wrong in ("", right.upper(), right + "\n", right[:-1], "é" * 40, "\ud800", "0" * 40, right + right):
        with pytest.raises(BadSignature):
            at(1409659813).verify(WebhookRequest("POST", {}, {**request.query, "msg_signature": wrong}, request.body))
    for name in request.query:
        rest = {key: value for key, value in request.query.items() if key != name}
        with pytest.raises(BadSignature):
            at(1409659813).verify(WebhookRequest("POST", {}, rest, request.body))


@pytest.mark.parametrize("away", [-301, 301])
def test_a_push_of_another_time_is_refused_though_it_is_signed(away: int) -> None:
    with pytest.raises(BadSignature, match="too old, or a clock"):
        at(1409659813 + away).verify(pushed("<xml/>"))
    at(1409659813 + (300 if away > 0 else -300)).verify(pushed("<xml/>"))
    for odd in ("", "-1", "1e9", "١٤٠٩٦٥٩٨١٣", "9" * 500, "nan"):
        with pytest.raises(BadSignature):
            at(1409659813).verify(pushed("<xml/>", timestamp=odd))


def test_a_captured_plain_signature_is_no_use_for_another_message_and_a_repeat_is_fine() -> None:
    now = [1_700_000_000]
    plain = Callbacks("tokenOfTests", None, lambda: datetime.fromtimestamp(now[0], UTC))
    query = {"timestamp": str(now[0]), "nonce": "abc", "signature": plain_signature(str(now[0]), "abc")}
    for _ in range(3):
        plain.verify(WebhookRequest("POST", {}, query, b"<xml><Content>a</Content></xml>"))
    with pytest.raises(BadSignature, match="another message"):
        plain.verify(WebhookRequest("POST", {}, query, b"<xml><Content>forged</Content></xml>"))
    now[0] += 700  # what can no longer be used is forgotten
    later = {"timestamp": str(now[0]), "nonce": "abc", "signature": plain_signature(str(now[0]), "abc")}
    plain.verify(WebhookRequest("POST", {}, later, b"<xml/>"))
    assert len(cast(Any, plain)._signatures._seen) == 1


@checks(deadline=None)
@given(
    query=st.dictionaries(st.sampled_from(["timestamp", "nonce", "signature", "echostr"]), st.text()), body=st.binary()
)
def test_verifying_anything_is_a_refusal_and_never_a_crash(query: dict[str, str], body: bytes) -> None:
    for callbacks in (at(1), Callbacks(TOKEN, None, lambda: datetime.fromtimestamp(1, UTC))):
        with pytest.raises(BadSignature):
            callbacks.verify(WebhookRequest("POST", {}, query, body))


BOMB = b'<!DOCTYPE x [<!ENTITY a "aa"><!ENTITY b "&a;&a;">]><xml><Encrypt>&b;</Encrypt></xml>'
OUTSIDE = b'<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]><xml><Encrypt>&a;</Encrypt></xml>'


@pytest.mark.parametrize(
    "body",
    [
        BOMB,
        OUTSIDE,
        b"",
        b"\xff\xfe",
        b"<xml>",
        b"<other/>",
        b"{}",
        b"<xml>" + b"<a/>" * 101 + b"</xml>",
        b"<a>" * 5000,
        b"<xml><a>" + b"x" * MAX_XML + b"</a></xml>",
        b'<?xml version="1.0" encoding="klingon"?><xml/>',
    ],
    ids=lambda body: body[:12].decode("latin-1"),
)
def test_what_is_no_harmless_xml_is_refused(body: bytes) -> None:
    """F31: billion laughs, external entities, a wrong root."""
    with pytest.raises(BadPayload):
        read_fields(body)


@checks(deadline=None)
@given(st.text())
def test_a_text_comes_back_from_xml_as_it_was(text: str) -> None:
    """F31: ``]]>`` in a reply's text leaves its XML well-formed."""
    allowed = (
        "".join(letter for letter in text if letter in "\t\n" or (letter >= " " and not "\ud800" <= letter <= "\udfff"))
        .replace("\ufffe", "")
        .replace("\uffff", "")
    )
    assert read_fields(write_fields({"Content": f"]]>{allowed}]]>"}).encode())["Content"] == f"]]>{allowed}]]>"
    read_fields(write_fields({"Content": text}).encode())  # and never breaks the document
