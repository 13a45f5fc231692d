"""Columns whose values are sealed: what is read from them is open already, and they take nothing that is not sealed.

A sealed value opens only in its own row and with the keys of its contact, so selecting such a column selects these with
it. Values from before there were sealed ones are read as they are until they are sealed, too.
"""

from __future__ import annotations

import json
from typing import Any
from weakref import WeakKeyDictionary

from sqlalchemy import String, Text, case, column, func, literal_column, select, table, type_coerce
from sqlalchemy.engine.interfaces import Dialect
from sqlalchemy.sql.elements import Label
from sqlalchemy.types import TypeDecorator

from conversations.sealing import FORM, OWNER_AT, OWNER_LENGTH, Keyring, Place, SealBroken, Token

_keys = table("contact_keys", column("contact_id"), column("wrapped"))
_BAR = literal_column("'|'", Text)
_rings: WeakKeyDictionary[Dialect, Keyring] = WeakKeyDictionary()


def lend_keys(dialect: Dialect, keyring: Keyring) -> None:
    """Let everything that is read through a dialect be opened with these keys."""
    _rings[dialect] = keyring


def keys_of(dialect: Dialect) -> Keyring:
    """The keys that were lent to a dialect."""
    keyring = _rings.get(dialect)
    if keyring is None:
        raise SealBroken("this database was opened without keys; sealed values can be neither read nor written")
    return keyring


class SealedText(TypeDecorator[str]):
    """A text that is sealed; ``row`` is the column that tells its row, ``some`` whether others are written openly."""

    impl = Text
    cache_ok = True

    def __init__(self, table: str, column: str, row: str = "id", *, some: bool = False) -> None:
        super().__init__()
        self.table = table
        self.column = column
        self.row = row
        self.some = some

    def process_bind_param(self, value: Any, dialect: Dialect) -> Any:
        """Refuse what nobody sealed; nothing needs no seal."""
        if not value or isinstance(value, Token) or self.some:
            return value
        raise SealBroken(f"{self.table}.{self.column} takes only what is sealed; see SealingStore.sealed")

    def column_expression(self, column: Any) -> Any:
        """What a select asks for: the value with its row and the keys of whoever it belongs to."""
        element = column.element if isinstance(column, Label) else column
        holder = getattr(element, "table", None)
        if holder is None or self.row not in holder.c:
            raise SealBroken(f"{self.table}.{self.column} opens only beside {self.table}.{self.row}; select it plainly")
        stored = type_coerce(element, Text)
        owner = func.rtrim(func.substr(stored, OWNER_AT, OWNER_LENGTH))
        wrapped = select(_keys.c.wrapped).where(_keys.c.contact_id == owner).correlate(holder).scalar_subquery()
        whole = type_coerce(holder.c[self.row], Text) + _BAR + func.coalesce(wrapped, "") + _BAR + stored
        return type_coerce(case((stored.is_(None), None), else_=whole), self)

    def process_result_value(self, value: Any, dialect: Dialect) -> Any:
        """Open it; None where the contact's key was destroyed."""
        if value is None:
            return None
        row, wrapped, stored = value.split("|", 2)
        if not stored.startswith(FORM + "."):
            return stored
        return keys_of(dialect).open(stored, Place(self.table, self.column, row), wrapped)

    def to_text(self, value: Any) -> str:
        """The text that is sealed for a value."""
        return str(value)


class SealedWords(SealedText):
    """A text that is never missing: empty where the contact's key was destroyed."""

    cache_ok = True

    def process_result_value(self, value: Any, dialect: Dialect) -> Any:
        """Open it."""
        opened = super().process_result_value(value, dialect)
        return "" if opened is None and value is not None else opened


class SealedJson(SealedText):
    """A value as JSON, sealed; ``otherwise`` is what is read where the contact's key was destroyed."""

    cache_ok = True

    def __init__(self, table: str, column: str, row: str = "id", *, otherwise: str = "null") -> None:
        super().__init__(table, column, row)
        self.otherwise = otherwise

    def process_bind_param(self, value: Any, dialect: Dialect) -> Any:
        """Nothing is written as such, everything else has to be sealed."""
        bound = super().process_bind_param(value, dialect)
        return bound if bound is None or isinstance(bound, Token) else json.dumps(bound)

    def process_result_value(self, value: Any, dialect: Dialect) -> Any:
        """Open it."""
        opened = super().process_result_value(value, dialect)
        if value is None:
            return None
        return json.loads(self.otherwise if opened is None else opened)

    def to_text(self, value: Any) -> str:
        """The text that is sealed for a value."""
        return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


class SealedAddress(TypeDecorator[str]):
    """An address, sealed with the desk's own key so that equal ones stay equal."""

    impl = String
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:
        """Seal it."""
        return keys_of(dialect).addresses.seal(value) if value else value

    def process_result_value(self, value: str | None, dialect: Dialect) -> str | None:
        """Open it."""
        return keys_of(dialect).addresses.open(value) if value else value
