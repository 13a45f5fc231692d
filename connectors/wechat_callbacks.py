"""Opens what WeChat and WeCom push: signature, age, replays and encryption, before anybody reads a field."""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from collections.abc import Callable
from datetime import datetime
from secrets import token_hex

from connectors.base import BadPayload, BadSignature, Means, OutOfTime, WebhookRequest
from connectors.wechat_crypto import Envelope, check_signature, signature
from connectors.wechat_xml import read_fields, write_fields

#: The vendors name no bound; five minutes is what other channels prescribe.
FRESH_SECONDS = 300
_REMEMBERED = 20_000


class Signatures:
    """Remembers what was signed by which signature, so that a captured one is no use for another content.

    In plain text a signature covers timestamp and nonce and not the body. The same content again is fine: that is how
    the vendor repeats what we did not answer in time, and the inbox knows it by its id.
    """

    def __init__(self) -> None:
        self._seen: OrderedDict[str, tuple[float, bytes]] = OrderedDict()

    def check(self, given: str, content: bytes, now: float) -> None:
        """Note a request whose signature is right; raises ``BadSignature`` where it came with something else before."""
        digest = hashlib.sha256(content).digest()
        _, first = self._seen.setdefault(given, (now, digest))
        if first != digest:
            raise BadSignature("the signature of this request was used for another message")
        while self._seen:
            oldest, (noted, _) = next(iter(self._seen.items()))
            if len(self._seen) <= _REMEMBERED and now - noted <= 2 * FRESH_SECONDS:
                break
            del self._seen[oldest]


class Callbacks:
    """The signed requests of one account; without an envelope they are plain text."""

    def __init__(self, token: str, envelope: Envelope | None, now: Callable[[], datetime]) -> None:
        self._token = token
        self._envelope = envelope
        self._now = now
        self._signatures = Signatures()

    def verify(self, request: WebhookRequest) -> None:
        """Raises ``BadSignature`` unless the vendor made this request within the last minutes."""
        query = request.query
        timestamp, nonce = self._fresh(query.get("timestamp", ""), query.get("nonce", ""))
        if self._envelope is None:
            given, content = query.get("signature", ""), request.body
            check_signature(given, self._token, timestamp, nonce)
        else:
            given, encrypted = query.get("msg_signature", ""), self._encrypted(request)
            check_signature(given, self._token, timestamp, nonce, encrypted)
            content = self._envelope.decrypt(encrypted)
        self._signatures.check(given, content, self._now().timestamp())

    async def claim(self, request: WebhookRequest, means: Means, account: str) -> None:
        """Note a request of plain text where every process sees it; raises ``BadSignature`` for a signature used before."""
        if self._envelope is None and means.claim is not None:
            digest = hashlib.sha256(request.body).hexdigest()
            if not await means.claim(f"wechat/{account}", request.query.get("signature", ""), digest):
                raise BadSignature("the signature of this request was used for another message")

    def fields(self, request: WebhookRequest) -> dict[str, str]:
        """What a verified request says; raises ``BadPayload``."""
        if self._envelope is None:
            return read_fields(request.body)
        try:
            return read_fields(self._envelope.decrypt(self._encrypted(request)))
        except BadSignature as error:
            raise BadPayload(str(error)) from None

    def echo(self, request: WebhookRequest) -> str:
        """The answer to WeChat's handshake, which is never encrypted; raises ``BadSignature``."""
        query = request.query
        timestamp, nonce = self._fresh(query.get("timestamp", ""), query.get("nonce", ""))
        check_signature(query.get("signature", ""), self._token, timestamp, nonce)
        return query.get("echostr", "")

    def encrypted_echo(self, request: WebhookRequest) -> str:
        """The answer to WeCom's handshake, which is encrypted; raises ``BadSignature``."""
        query = request.query
        timestamp, nonce = self._fresh(query.get("timestamp", ""), query.get("nonce", ""))
        echo = query.get("echostr", "")
        check_signature(query.get("msg_signature", ""), self._token, timestamp, nonce, echo)
        if self._envelope is None:
            raise BadSignature("this account has no key")
        return self._envelope.decrypt(echo).decode("utf-8", "replace")

    def sealed(self, xml: str) -> str:
        """A reply as the vendor reads it."""
        if self._envelope is None:
            return xml
        encrypted = self._envelope.encrypt(xml.encode())
        timestamp, nonce = str(int(self._now().timestamp())), token_hex(8)
        return write_fields(
            {
                "Encrypt": encrypted,
                "MsgSignature": signature(self._token, timestamp, nonce, encrypted),
                "TimeStamp": int(timestamp),
                "Nonce": nonce,
            }
        )

    def _encrypted(self, request: WebhookRequest) -> str:
        try:
            encrypted = read_fields(request.body).get("Encrypt", "")
        except BadPayload as error:
            raise BadSignature(str(error)) from None
        if not encrypted:
            raise BadSignature(
                "the message is not encrypted; choose 安全模式 (safe mode) where the address of this webhook is set"
            )
        return encrypted

    def _fresh(self, timestamp: str, nonce: str) -> tuple[str, str]:
        if not (timestamp.isascii() and timestamp.isdigit() and len(timestamp) <= 12 and 0 < len(nonce) <= 128):
            raise BadSignature("timestamp or nonce is missing")
        if abs(self._now().timestamp() - int(timestamp)) > FRESH_SECONDS:
            raise OutOfTime("the request is too old, or a clock is wrong")
        return timestamp, nonce
