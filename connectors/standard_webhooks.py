"""Signatures of webhooks in both directions, as the Standard Webhooks specification wants them (symmetric, v1).

Protocol: github.com/standard-webhooks/standard-webhooks, spec/standard-webhooks.md.
"""

from __future__ import annotations

import base64
import binascii
import hmac
import re
from collections.abc import Mapping, Sequence

from connectors.base import BadSignature, OutOfTime

TOLERANCE_SECONDS = 300
MAX_ID = 255
_PREFIX = "whsec_"
_LONGEST_HEADER = 4_096
_SIGNATURE = re.compile(r"v[0-9]+[a-z]?,[A-Za-z0-9+/]+={0,2}")
_ID = re.compile(r"[!-~]+")


def key_of(secret: str) -> bytes:
    """The bytes behind a secret such as ``whsec_…``; raises ``ValueError`` unless they are 24 to 64."""
    try:
        key = base64.b64decode(secret.strip().removeprefix(_PREFIX), validate=True)
    except (binascii.Error, ValueError):
        raise ValueError("a secret is whsec_ and Base64") from None
    if not 24 <= len(key) <= 64:
        raise ValueError("a secret has 24 to 64 bytes before Base64; make one with openssl rand -base64 32")
    return key


class Signatures:
    """Checks and makes signatures; with several keys any of them is accepted, and all of them sign."""

    def __init__(self, keys: Sequence[bytes]) -> None:
        """Raises ``ValueError`` without a key: everything would be refused, or nothing signed."""
        if not keys:
            raise ValueError("give at least one secret")
        self._keys = tuple(keys)

    def check(self, headers: Mapping[str, str], body: bytes, now: float) -> None:
        """Raise ``BadSignature`` unless the body came from somebody with a key in the last five minutes."""
        webhook_id = headers.get("webhook-id", "")
        timestamp = headers.get("webhook-timestamp", "")
        given = headers.get("webhook-signature", "")
        if not _ID.fullmatch(webhook_id) or len(webhook_id) > MAX_ID:
            raise BadSignature(f"webhook-id must be 1 to {MAX_ID} printable ASCII characters")
        if not re.fullmatch(r"[0-9]{1,12}", timestamp):
            raise BadSignature("webhook-timestamp is not a number of seconds since 1970")
        parts = given.split(" ") if len(given) <= _LONGEST_HEADER else []
        if not parts or not all(_SIGNATURE.fullmatch(part) for part in parts):
            raise BadSignature("webhook-signature is not a list such as v1,Base64 v1,Base64")
        right = [_signature(key, webhook_id, timestamp, body).encode() for key in self._keys]
        # Every pair is compared, so that the time does not tell which key or signature was close.
        matches = [hmac.compare_digest(ours, part.encode()) for ours in right for part in parts]
        if not any(matches):
            raise BadSignature("webhook-signature does not match")
        if abs(now - int(timestamp)) > TOLERANCE_SECONDS:
            raise OutOfTime("the request is more than five minutes old, or a clock is wrong")

    def headers(self, webhook_id: str, body: bytes, now: float) -> dict[str, str]:
        """The headers that make a body ours."""
        timestamp = str(int(now))
        signatures = [_signature(key, webhook_id, timestamp, body) for key in self._keys]
        return {"webhook-id": webhook_id, "webhook-timestamp": timestamp, "webhook-signature": " ".join(signatures)}


def _signature(key: bytes, webhook_id: str, timestamp: str, body: bytes) -> str:
    signed = f"{webhook_id}.{timestamp}.".encode() + body
    return "v1," + base64.b64encode(hmac.digest(key, signed, "sha256")).decode()
