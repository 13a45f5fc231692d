"""Seals what the bot remembers: whoever has its database without the keys reads nobody's words in it.

Each conversation is sealed with a key of its own, made of the first of ``BOT_FIELD_KEYS``, so that a value opens in no other
conversation; older keys go on opening. Without any key everything is kept as it is. The service seals its own values
otherwise (its ``conversations/sealing.py``): there a contact's key can be destroyed, here what was said is deleted.
"""

from __future__ import annotations

import base64
import binascii
import functools
import hashlib
import hmac
import os
from collections.abc import Sequence

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

FORM = "fb1"  #: how a sealed value begins; what is not sealed is JSON and begins otherwise
NONCE_BYTES = 12  #: what AES-GCM is defined for
_NAME_BYTES = 4
_CONVERSATIONS = 1024  #: whose ciphers are kept


EVENT = "events.data"  #: the place of every event of a conversation, whose order their numbers tell


def answer_of(turn_id: str) -> str:
    """The place of a turn's answer."""
    return f"turns.answer|{turn_id}"


def log_of(turn_id: str) -> str:
    """The place of what a replay needs of a turn."""
    return f"turns.log|{turn_id}"


class SealBroken(ValueError):
    """No key of ours opens a value here: the key is missing, or the value was changed or is from elsewhere."""


class Seal:
    """The keys of a bot, the one in force first."""

    def __init__(self, keys: Sequence[bytes] = ()) -> None:
        """Each has 32 bytes; with none nothing is sealed."""
        self._keys = {hashlib.sha256(b"name" + key).digest()[:_NAME_BYTES].hex(): key for key in keys}
        self.newest = next(iter(self._keys), None)  #: the name of the key in force
        self._cipher = functools.lru_cache(_CONVERSATIONS)(self._made)

    def __bool__(self) -> bool:
        return self.newest is not None

    @property
    def beginning(self) -> str:
        """How everything begins that is sealed with the key in force."""
        return f"{FORM}.{self.newest}."

    def close(self, text: str, conversation_id: str, place: str) -> str:
        """The text sealed for a place (table, column and what tells its row) of a conversation."""
        if self.newest is None:
            return text
        nonce = os.urandom(NONCE_BYTES)
        sealed = self._cipher(self.newest, conversation_id).encrypt(nonce, text.encode(), place.encode())
        return self.beginning + base64.b64encode(nonce + sealed).decode()

    def open(self, kept: str, conversation_id: str, place: str) -> str:
        """The text; raises ``SealBroken``. What was never sealed is returned as it is."""
        form, _, rest = kept.partition(".")
        if form != FORM:
            return kept
        name, _, token = rest.partition(".")
        if name not in self._keys:
            raise SealBroken(
                "the bot's memory is sealed with a key that BOT_FIELD_KEYS lacks; put it back behind the newer one"
            )
        try:
            sealed = base64.b64decode(token, validate=True)
            cipher = self._cipher(name, conversation_id)
            return cipher.decrypt(sealed[:NONCE_BYTES], sealed[NONCE_BYTES:], place.encode()).decode()
        except (InvalidTag, binascii.Error, ValueError):
            raise SealBroken(f"what is kept of conversation {conversation_id} was changed in the database") from None

    def _made(self, name: str, conversation_id: str) -> AESGCM:
        return AESGCM(hmac.digest(self._keys[name], conversation_id.encode("utf-8", "replace"), "sha256"))
