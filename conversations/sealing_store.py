"""The contacts' keys as rows, what seals values with them before they are written, and the marks by which they are found."""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
import unicodedata
from collections.abc import Mapping
from typing import Any

from sqlalchemy import Table, bindparam, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection

from conversations.prepared_store import Prepared
from conversations.sealed_tables import SealedText, keys_of
from conversations.sealing import ContactKey, Keyring, Place, seal
from conversations.tables import contact_keys, contacts

_FIND_KEYS = Prepared(select(contact_keys.c.wrapped).where(contact_keys.c.contact_id == bindparam("owner")))
#: Whoever is first makes them.
_ADD_KEYS = {
    "sqlite": Prepared(sqlite.insert(contact_keys).on_conflict_do_nothing()),
    "postgresql": Prepared(postgresql.insert(contact_keys).on_conflict_do_nothing()),
}
_MARK_BYTES = 16
_MOST_KNOWN = 50_000


class SealingStore:
    """Keys and sealed values inside one transaction."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    @property
    def keyring(self) -> Keyring:
        """The keys that were lent to this database."""
        return keys_of(self._connection.dialect)

    async def sealed(self, table: Table, row: str, owner: str, values: Mapping[str, Any]) -> dict[str, Any]:
        """Values of a row with those sealed, with the owner's key, whose columns ask for it."""
        written = dict(values)
        for name in sealed_columns(table) & values.keys():
            kind: SealedText = table.c[name].type  # type: ignore[assignment]
            if values[name]:
                key = await self.writing_key(self.keyring, owner)
                written[name] = seal(key, Place(table.name, name, row), kind.to_text(values[name]))
        return written

    async def writing_key(self, keyring: Keyring, owner: str) -> ContactKey:
        """The newest key of a contact; the first one is made here."""
        key = keyring.writing_key(owner)
        if key is not None:
            return key
        wrapped = await self.find_keys(owner)
        if wrapped is None:
            made = keyring.with_new_key(owner, "")
            row = {"contact_id": owner, "wrapped": made, "wrapped_by": keyring.current}
            add = _ADD_KEYS[self._connection.dialect.name]
            wrapped = made if await add.run(self._connection, row) else await self.find_keys(owner) or made
            # Not remembered yet: this transaction may still be rolled back.
            return keyring.newest(owner, wrapped)
        key = keyring.newest(owner, wrapped)
        keyring.remember(key)
        return key

    async def find_keys(self, owner: str) -> str | None:
        """The wrapped keys of a contact, None before there is any and once they were destroyed."""
        found = await _FIND_KEYS.first(self._connection, {"owner": owner})
        wrapped: str | None = None if found is None else found.wrapped
        return wrapped

    @property
    def marks(self) -> Marks:
        """What makes the marks of this desk."""
        keyring = self.keyring
        return Marks(keyring.marking, keyring.known_marks)


class Marks:
    """Keyed marks of values: who has the database but not the keys can tell that two are equal, and nothing else."""

    def __init__(self, key: bytes, known: dict[str, str]) -> None:
        self._key = key
        self._known = known

    def of_name(self, name: str | None) -> str | None:
        """The mark of a whole name, however it is spelled in width, case and spaces."""
        return self._mark("name", " ".join(unicodedata.normalize("NFKC", name or "").casefold().split()))

    def of_point(self, point: str | None) -> str | None:
        """The mark of a phone number by its digits, or of an e-mail address in any case."""
        text = unicodedata.normalize("NFKC", point or "").strip()
        return self._mark("point", text.casefold() if "@" in text else re.sub(r"\D", "", text) or text.casefold())

    def of_address(self, address: str | None) -> str | None:
        """The mark of a whole address: channel, account and contact as ``str`` writes them."""
        return self._mark("address", address or "")

    def of_term(self, term: str) -> str:
        """The mark of a term of the search index, eight letters and digits."""
        mark = self._known.get(term)
        if mark is not None:
            return mark
        if len(self._known) >= _MOST_KNOWN:
            self._known.clear()
        drawn = hashlib.blake2b(
            term.encode("utf-8", "surrogatepass"), key=self._key, person=b"search terms", digest_size=5
        )
        mark = self._known[term] = base64.b32encode(drawn.digest()).decode().lower()
        return mark

    def _mark(self, kind: str, text: str) -> str | None:
        if not text:
            return None
        return hmac.digest(self._key, f"{kind}\x00{text}".encode(), hashlib.sha256)[:_MARK_BYTES].hex()


def sealed_columns(table: Table) -> set[str]:
    """The names of a table's columns that hold sealed values."""
    known = _SEALED.get(table.name)
    if known is None:
        known = _SEALED[table.name] = {column.name for column in table.c if isinstance(column.type, SealedText)}
    return known


_SEALED: dict[str, set[str]] = {}


async def sealed_contact(connection: AsyncConnection, contact_id: str, values: Mapping[str, Any]) -> dict[str, Any]:
    """Values of a contact as they are written: sealed with its own key, and a name with its mark."""
    store = SealingStore(connection)
    written = await store.sealed(contacts, contact_id, contact_id, values)
    if "name" in values:
        written["name_mark"] = store.marks.of_name(values["name"]) if values["name"] else None
    return written


def typed_by_people(address: str) -> bool:
    """Whether an address means something to people, unlike the random id of a web visitor."""
    return "@" in address or (sum(character.isdigit() for character in address) >= 7 and len(address) <= 20)


def mark_of_address(connection: AsyncConnection, contact: str) -> str | None:
    """By what an address is found that is a phone number or e-mail address; others are known by themselves only."""
    return SealingStore(connection).marks.of_point(contact) if typed_by_people(contact) else None
