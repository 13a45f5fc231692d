"""Seals personal values, each with the key of its contact, so that destroying one key makes all of them unreadable.

A sealed value says what opens it: the form of the token, whose key, and which version of that key. It is bound to its
table, column, row and key, so it cannot be moved anywhere else. The contacts' keys are kept beside the values, wrapped by
a key that is not in the database.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import os
import re
import time
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM, AESSIV

FORM = "fd1"
ADDRESS_FORM = "fa1"
#: Where in a token the owner of its key stands; SQL cuts it out.
OWNER_AT, OWNER_LENGTH = len(FORM) + 2, 32
NONCE_BYTES = 12  #: what AES-GCM is defined for
DESK = "desk"  #: the owner of the key that is nobody's: it makes the marks by which values are found
_TOKEN = re.compile(rf"{FORM}\.([ -~]{{{OWNER_LENGTH}}})\.(\d{{1,6}})\.([A-Za-z0-9+/]+=*)")
_LOOKS_SEALED = f"{FORM}."
_KEPT = 4096
#: For how long a process seals with a key without looking whether there is a newer one.
WRITING_KEY_SECONDS = 30.0
_NO_OWNER = "the owner of a key has 1 to 32 printable ASCII characters"


def bot_keys(wrapping_keys: Sequence[bytes]) -> str:
    """The keys of the bot's memory as its setting ``BOT_FIELD_KEYS`` takes them, each made of one of ours."""
    return ",".join(hmac.digest(key, b"the bot's memory", "sha256").hex() for key in wrapping_keys)


class SealBroken(ValueError):
    """A sealed value does not belong where it was found, or no key of ours opens it."""


class Token(str):
    """A value that is sealed already: the only thing that columns of sealed values take."""

    __slots__ = ()


class Place(NamedTuple):
    """Where a value is kept; a value that is sealed for one place opens at no other."""

    table: str
    column: str
    row: str


@dataclass(frozen=True, slots=True)
class ContactKey:
    """One version of a contact's key, ready to use."""

    owner: str
    version: int
    cipher: AESGCM


def is_sealed(value: str) -> bool:
    """Whether a stored value is a token, and not from before values were sealed."""
    return value.startswith(_LOOKS_SEALED) and _TOKEN.fullmatch(value) is not None


def key_of(token: str) -> tuple[str, int]:
    """The owner and the version of the key that sealed a token."""
    found = _TOKEN.fullmatch(token)
    if found is None:
        raise SealBroken("this is no sealed value")
    return found[1].rstrip(), int(found[2])


def seal(key: ContactKey, place: Place, value: str) -> Token:
    """The token of a value."""
    nonce = os.urandom(NONCE_BYTES)
    sealed = key.cipher.encrypt(nonce, value.encode("utf-8", "surrogatepass"), _binding(place, key.owner, key.version))
    body = binascii.b2a_base64(nonce + sealed, newline=False).decode()
    return Token(_head(key.owner, key.version) + body)


class Addresses:
    """Seals addresses so that one address is always one token: they are joined and looked for by what is stored.

    Who has the database but not the keys sees which rows have the same address, as they would see from the ids anyway.
    """

    def __init__(self, key: bytes) -> None:
        self._cipher = AESSIV(key)
        self._tokens: OrderedDict[str, str] = OrderedDict()
        self._plain: OrderedDict[str, str] = OrderedDict()

    def seal(self, address: str) -> str:
        """The token of an address."""
        token = self._tokens.get(address)
        if token is None:
            sealed = self._cipher.encrypt(address.encode("utf-8", "surrogatepass"), [ADDRESS_FORM.encode()])
            token = f"{ADDRESS_FORM}." + base64.urlsafe_b64encode(sealed).rstrip(b"=").decode()
            _remember(self._tokens, address, token)
        return token

    def open(self, token: str) -> str:
        """The address of a token, and of what is none, itself."""
        if not token.startswith(f"{ADDRESS_FORM}."):
            return token
        plain = self._plain.get(token)
        if plain is None:
            body = token[len(ADDRESS_FORM) + 1 :]
            try:
                sealed = base64.urlsafe_b64decode(body + "=" * (-len(body) % 4))
                opened = self._cipher.decrypt(sealed, [ADDRESS_FORM.encode()])
            except (InvalidTag, ValueError):
                raise SealBroken("an address was not sealed with this desk's key, or was changed") from None
            plain = opened.decode("utf-8", "surrogatepass")
            _remember(self._plain, token, plain)
        return plain


class Files:
    """Seals whole files, each bound to its id; what none of ours is passes as it is, as files were kept before."""

    #: No file that is accepted begins like this.
    MAGIC = b"\x00fd-file1\x00"
    GROWN = len(MAGIC) + NONCE_BYTES + 16  #: bytes that a sealed file is longer

    def __init__(self, key: bytes) -> None:
        self._cipher = AESGCM(key)

    def seal(self, file_id: str, content: bytes) -> bytes:
        """What is kept on the disk."""
        nonce = os.urandom(NONCE_BYTES)
        return self.MAGIC + nonce + self._cipher.encrypt(nonce, content, self.MAGIC + file_id.encode())

    def open(self, file_id: str, kept: bytes) -> bytes:
        """The contents; raises ``SealBroken`` for what was changed, or is another file's."""
        if not self.is_sealed(kept):
            return kept
        start = len(self.MAGIC)
        nonce, sealed = kept[start : start + NONCE_BYTES], kept[start + NONCE_BYTES :]
        try:
            return self._cipher.decrypt(nonce, sealed, self.MAGIC + file_id.encode())
        except (InvalidTag, ValueError):
            raise SealBroken(f"file {file_id} was not sealed with this desk's key, or was changed") from None

    @classmethod
    def is_sealed(cls, kept: bytes) -> bool:
        """Whether a file, or its beginning, is a sealed one."""
        return kept.startswith(cls.MAGIC)


def _remember(memory: OrderedDict[str, str], one: str, other: str) -> None:
    memory[one] = other
    if len(memory) > _KEPT:
        memory.popitem(last=False)


class Keyring:
    """The wrapping key in force, older ones, and the contacts' keys that this process has opened with them."""

    def __init__(self, current: bytes, older: Sequence[bytes] = ()) -> None:
        if any(len(key) != 32 for key in (current, *older)):
            raise ValueError("the key encryption key must have 32 bytes; create one with os.urandom(32)")
        self.current = name_of(current)  #: the name of the wrapping key in force
        self._wrapping = {name_of(key): AESGCM(key) for key in (*reversed(older), current)}
        self._opened: OrderedDict[tuple[str, str], Mapping[int, ContactKey]] = OrderedDict()
        self._writing: OrderedDict[str, tuple[ContactKey, float]] = OrderedDict()
        self._desk: tuple[bytes, Addresses, Files] | None = None
        self.known_marks: dict[str, str] = {}  #: of terms, because people say the same words again and again

    @property
    def names(self) -> frozenset[str]:
        """The names of every wrapping key we have."""
        return frozenset(self._wrapping)

    # -- values -------------------------------------------------------------------------------------------------

    def open(self, token: str, place: Place, wrapped: str) -> str | None:
        """The value of a token, with the wrapped keys of its owner; None if those were destroyed.

        Raises ``SealBroken`` for a token that was not made for this place or was changed.
        """
        if not wrapped:
            return None
        try:  # without the regular expression: every row that is read comes through here
            ends = OWNER_AT - 1 + OWNER_LENGTH
            number, _, body = token[ends + 1 :].partition(".")
            owner, version = token[OWNER_AT - 1 : ends].rstrip(), int(number)
            key = self.keys_of(owner, wrapped).get(version)
            blob = binascii.a2b_base64(body, strict_mode=True)
            if key is None or len(blob) < NONCE_BYTES or not token.startswith(_head(owner, version)):
                raise InvalidTag
            plain = key.cipher.decrypt(blob[:NONCE_BYTES], blob[NONCE_BYTES:], _binding(place, owner, version))
        except (InvalidTag, ValueError) as error:
            if isinstance(error, SealBroken):
                raise
            raise SealBroken(
                f"what is in {place.table}.{place.column} of {place.row} was not sealed for that place, or was changed"
            ) from None
        return plain.decode("utf-8", "surrogatepass")

    # -- contacts' keys -----------------------------------------------------------------------------------------

    def with_new_key(self, owner: str, wrapped: str) -> str:
        """A contact's wrapped keys and one more, which is the newest; all of them wrapped by the key in force."""
        if (
            not 1 <= len(owner) <= OWNER_LENGTH
            or not owner.isascii()
            or not owner.isprintable()
            or owner != owner.strip()
        ):
            raise ValueError(_NO_OWNER)
        before = self.rewrapped(owner, wrapped).split(",") if wrapped else []
        version = 1 + max((int(one.partition(":")[0]) for one in before), default=0)
        return ",".join([*before, self._wrap(owner, version, AESGCM.generate_key(bit_length=256))])

    def rewrapped(self, owner: str, wrapped: str) -> str:
        """The same keys, wrapped by the key in force."""
        return ",".join(self._wrap(owner, version, key) for version, key in self._unwrap(owner, wrapped).items())

    def keys_of(self, owner: str, wrapped: str) -> Mapping[int, ContactKey]:
        """A contact's keys by version; raises ``SealBroken`` if no wrapping key of ours opens them."""
        known = self._opened.get((owner, wrapped))
        if known is None:
            known = {
                version: ContactKey(owner, version, AESGCM(key))
                for version, key in self._unwrap(owner, wrapped).items()
            }
            self._opened[owner, wrapped] = known
            if len(self._opened) > _KEPT:
                self._opened.popitem(last=False)
        return known

    def newest(self, owner: str, wrapped: str) -> ContactKey:
        """The key that seals what is written from now on."""
        keys = self.keys_of(owner, wrapped)
        return keys[max(keys)]

    def prepare(self, wrapped: str) -> None:
        """Take the desk's own key into use, which stays the same for ever: marks, addresses and files are made with it."""
        secret = self._unwrap(DESK, wrapped)[1]
        self._desk = (
            hmac.digest(secret, b"marks", hashlib.sha256),
            Addresses(hmac.digest(secret, b"addresses", hashlib.sha512)),
            Files(hmac.digest(secret, b"files", hashlib.sha256)),
        )

    @property
    def ready(self) -> bool:
        """Whether the desk's own key is in use."""
        return self._desk is not None

    @property
    def marking(self) -> bytes:
        """The secret of the marks by which values are found."""
        return self._own()[0]

    @property
    def addresses(self) -> Addresses:
        """What seals addresses."""
        return self._own()[1]

    @property
    def files(self) -> Files:
        """What seals files."""
        return self._own()[2]

    def _own(self) -> tuple[bytes, Addresses, Files]:
        if self._desk is None:
            raise SealBroken("the desk's own key is not in use yet; begin with a transaction of Database")
        return self._desk

    # -- what is kept in memory ---------------------------------------------------------------------------------

    def writing_key(self, owner: str) -> ContactKey | None:
        """The key to seal with, if this process remembers it."""
        key, until = self._writing.get(owner, (None, 0.0))
        if key is None or until < time.monotonic():
            return None
        self._writing.move_to_end(owner)
        return key

    def remember(self, key: ContactKey) -> None:
        """Keep a key for writing; only one that is safely in the database."""
        self._writing[key.owner] = (key, time.monotonic() + WRITING_KEY_SECONDS)
        self._writing.move_to_end(key.owner)
        if len(self._writing) > _KEPT:
            self._writing.popitem(last=False)

    def forget(self, owner: str) -> None:
        """Drop a contact's keys from memory after they were destroyed in the database."""
        self._writing.pop(owner, None)
        for one in [one for one in self._opened if one[0] == owner]:
            del self._opened[one]

    def forget_all(self) -> None:
        """Drop every key from memory: some may never have been stored."""
        self._writing.clear()
        self._opened.clear()

    # -- parts --------------------------------------------------------------------------------------------------

    def _wrap(self, owner: str, version: int, key: bytes) -> str:
        nonce = os.urandom(NONCE_BYTES)
        sealed = self._wrapping[self.current].encrypt(nonce, key, _owned(owner, version))
        return f"{version}:{self.current}:{base64.b64encode(nonce + sealed).decode()}"

    def _unwrap(self, owner: str, wrapped: str) -> dict[int, bytes]:
        return dict(self._unwrap_one(owner, one) for one in wrapped.split(","))

    def _unwrap_one(self, owner: str, wrapped: str) -> tuple[int, bytes]:
        try:
            number, name, body = wrapped.split(":")
            version, blob = int(number), base64.b64decode(body, validate=True)
        except ValueError:
            raise SealBroken(f"the key of contact {owner} is damaged; restore it from a backup") from None
        # One from before wrapping keys had names may be of any of them.
        for named in [name] if name else list(self._wrapping):
            if named not in self._wrapping:
                break
            try:
                return version, self._wrapping[named].decrypt(
                    blob[:NONCE_BYTES], blob[NONCE_BYTES:], _owned(owner, version)
                )
            except InvalidTag:
                continue
        raise SealBroken(
            f"the key of contact {owner} was not sealed for them by this SECRET_KEY or by one of FIELD_KEYS; "
            "put back the keys and the database that belong together"
        )


def name_of(wrapping_key: bytes) -> str:
    """By what a wrapping key is recognised; says nothing about the key."""
    return hashlib.sha256(b"frontdesk wrapping key\x00" + wrapping_key).hexdigest()[:16]


def named_in(wrapped: str) -> str:
    """The name of the key that wrapped a contact's keys; empty for those from before there were names."""
    return wrapped.split(":", 2)[1]


def _head(owner: str, version: int) -> str:
    return f"{FORM}.{owner:<{OWNER_LENGTH}}.{version}."


def _binding(place: Place, owner: str, version: int) -> bytes:
    return "\x1f".join((FORM, place.table, place.column, place.row, owner, str(version))).encode()


def _owned(owner: str, version: int) -> bytes:
    return (owner if version == 1 else f"{owner}|{version}").encode()
