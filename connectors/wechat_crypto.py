"""How WeChat and WeCom sign and encrypt what they push: SHA-1 over sorted parts, AES-256-CBC with PKCS#7 of 32 bytes.

Source: Tencent's samples of message encryption (WXBizMsgCrypt); the published vectors are in the tests.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
from typing import Annotated

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from pydantic import StringConstraints

from connectors.base import BadSignature

#: As the vendor's set-up page accepts them.
Token = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9]{3,32}$")]
EncodingAesKey = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9]{43}$")]

_BLOCK = 32  # the padding's; that of AES itself is 16
_RANDOM = 16
_UNREADABLE = "the encrypted message cannot be read with the key of this account"  # always the same: no oracle


def signature(token: str, *parts: str) -> str:
    """The vendor's signature of a request, in lower-case hexadecimal."""
    joined = "".join(sorted((token, *parts)))
    return hashlib.sha1(joined.encode("utf-8", "surrogatepass")).hexdigest()  # noqa: S324  # the vendor's choice


def check_signature(given: str, token: str, *parts: str) -> None:
    """Raises ``BadSignature`` unless ``given`` signs the parts."""
    right = signature(token, *parts)
    if not hmac.compare_digest(right.encode(), given.encode("utf-8", "surrogatepass")):
        raise BadSignature("the signature does not match the token of this account")


class Envelope:
    """Encrypts for one receiver (an app id or corp id) and reads only what was encrypted for it."""

    def __init__(self, encoding_aes_key: str, receiver: str) -> None:
        self._key = base64.b64decode(encoding_aes_key + "=")
        self._receiver = receiver.encode()

    def encrypt(self, content: bytes) -> str:
        """The content as the vendor's ``Encrypt`` element holds it."""
        plain = secrets.token_bytes(_RANDOM) + len(content).to_bytes(4, "big") + content + self._receiver
        pad = _BLOCK - len(plain) % _BLOCK
        encryptor = self._cipher().encryptor()
        return base64.b64encode(encryptor.update(plain + bytes([pad]) * pad) + encryptor.finalize()).decode()

    def decrypt(self, encrypted: str) -> bytes:
        """The content of an ``Encrypt`` element; raises ``BadSignature``, whatever is wrong with it in the same words."""
        try:
            raw = base64.b64decode(encrypted, validate=True)
        except ValueError:
            raise BadSignature(_UNREADABLE) from None
        if len(raw) < _BLOCK or len(raw) % 16:
            raise BadSignature(_UNREADABLE)
        decryptor = self._cipher().decryptor()
        plain = decryptor.update(raw) + decryptor.finalize()
        pad = plain[-1]
        length = int.from_bytes(plain[_RANDOM : _RANDOM + 4], "big")
        end = _RANDOM + 4 + length
        # Everything is looked at before anything is refused, so that the time does not tell which part was wrong.
        padded = hmac.compare_digest(plain[-_BLOCK:][-pad:] if pad else b"", bytes([pad]) * pad)
        ours = hmac.compare_digest(plain[end : max(end, len(plain) - pad)], self._receiver)
        if not (padded & (1 <= pad <= _BLOCK) & (end <= len(plain) - pad) & ours):
            raise BadSignature(_UNREADABLE)
        return plain[_RANDOM + 4 : end]

    def _cipher(self) -> Cipher[modes.CBC]:
        return Cipher(algorithms.AES(self._key), modes.CBC(self._key[:16]))
