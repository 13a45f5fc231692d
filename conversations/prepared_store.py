"""Statements of every message and turn, compiled once.

On SQLite a statement of ours runs for microseconds, and what SQLAlchemy does around it takes many times that. These go
straight to the connection that SQLAlchemy's transaction holds, with the same conversions of parameters and results;
anywhere else they run as they always did.
"""

from __future__ import annotations

import sqlite3
from collections import namedtuple
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from weakref import WeakKeyDictionary

from sqlalchemy.engine import Dialect
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection

from conversations.sqlite_store import DirectConnection

Parameters = Mapping[str, Any]
_Converter = Callable[[Any], Any]


def direct(connection: AsyncConnection) -> sqlite3.Connection | None:
    """SQLite's own connection behind a transaction, where statements run in the event loop; None anywhere else."""
    if connection.dialect.name != "sqlite" or connection.sync_connection is None:
        return None
    held = connection.sync_connection.connection.driver_connection
    return held.raw if isinstance(held, DirectConnection) else None


class Prepared:
    """One statement; call it with its parameters, or with a list of rows to insert."""

    def __init__(self, statement: Any) -> None:
        """Parameters of ``IN`` are not for here: their number is part of the text."""
        self.statement = statement
        # The text is the same for every database of a kind; the conversions are one's own, whose keys no other one has.
        self._texts: dict[tuple[str, ...], _Text] = {}
        self._forms: WeakKeyDictionary[Dialect, dict[tuple[str, ...], _Form]] = WeakKeyDictionary()

    async def first(self, connection: AsyncConnection, parameters: Parameters) -> Any:
        """The first row, or None."""
        raw = direct(connection)
        if raw is None:
            return (await connection.execute(self.statement, parameters)).first()
        form = self._form(connection, parameters)
        with _told_as_usual(form.sql, connection):
            cursor = raw.execute(form.sql, form.values(parameters))
            found = cursor.fetchone()
            cursor.close()
        return None if found is None else form.row(found)

    async def run(self, connection: AsyncConnection, parameters: Parameters) -> int:
        """Change something; returns how many rows that touched."""
        raw = direct(connection)
        if raw is None:
            return int((await connection.execute(self.statement, parameters)).rowcount)
        form = self._form(connection, parameters)
        with _told_as_usual(form.sql, connection):
            return raw.execute(form.sql, form.values(parameters)).rowcount

    async def run_each(self, connection: AsyncConnection, rows: Sequence[Parameters]) -> None:
        """Run it once for each row; all rows have the same columns."""
        raw = direct(connection)
        if raw is None:
            await connection.execute(self.statement, list(rows))
            return
        form = self._form(connection, rows[0])
        with _told_as_usual(form.sql, connection):
            raw.executemany(form.sql, [form.values(row) for row in rows])

    def _form(self, connection: AsyncConnection, parameters: Parameters) -> _Form:
        names = tuple(parameters)
        forms = self._forms.setdefault(connection.dialect, {})
        known = forms.get(names)
        if known is None:
            if names not in self._texts:
                self._texts[names] = _text_of(self.statement, names, connection.dialect)
            known = forms[names] = _form_of(self._texts[names], names, connection.dialect)
        return known


@dataclass(frozen=True, slots=True)
class _Text:
    """What costs most of a form: the statement's words in SQLite's language, and what its values and columns are."""

    sql: str
    binds: tuple[tuple[str, Any], ...]  #: names and types, in their order
    fixed: Mapping[str, Any]
    columns: tuple[Any, ...]  #: types
    kind: Any


@dataclass(frozen=True, slots=True)
class _Form:
    """A statement with certain parameters as SQLite takes it."""

    sql: str
    parameters: tuple[tuple[str | None, _Converter | None, Any], ...]  #: in their order; without a name it is fixed
    columns: tuple[_Converter | None, ...]
    kind: Any  #: of rows

    def values(self, given: Parameters) -> list[Any]:
        return [
            fixed if name is None else given[name] if convert is None else convert(given[name])
            for name, convert, fixed in self.parameters
        ]

    def row(self, found: Iterable[Any]) -> Any:
        values = zip(found, self.columns, strict=True)
        return self.kind(*(value if convert is None else convert(value) for value, convert in values))


def _text_of(statement: Any, names: tuple[str, ...], dialect: Dialect) -> _Text:
    changes = statement.is_dml
    compiled = statement.compile(dialect=dialect, column_keys=list(names) if changes else None)
    fixed = {name: bound.effective_value for name, bound in compiled.binds.items() if not bound.required}
    if changes:
        prefetch = compiled.insert_prefetch if statement.is_insert else compiled.update_prefetch
        fixed |= {column.key: column.default.arg for column in prefetch}
    columns = [] if changes and not compiled.effective_returning else list(statement.exported_columns)
    return _Text(
        compiled.string,
        tuple((name, compiled.binds[name].type) for name in compiled.positiontup),
        fixed,
        tuple(column.type for column in columns),
        _row_of([column.name for column in columns]),
    )


def _form_of(text: _Text, names: tuple[str, ...], dialect: Dialect) -> _Form:
    parameters: list[tuple[str | None, _Converter | None, Any]] = []
    for name, kind in text.binds:
        convert = kind.dialect_impl(dialect).bind_processor(dialect)
        if name in names:
            parameters.append((name, convert, None))
        else:  # a name that is missing is a KeyError here
            fixed = text.fixed[name]
            parameters.append((None, None, fixed if convert is None else convert(fixed)))
    columns = tuple(one.dialect_impl(dialect).result_processor(dialect, None) for one in text.columns)
    return _Form(text.sql, tuple(parameters), columns, text.kind)


def _row_of(names: list[str]) -> Any:
    """A tuple with names that can be read as SQLAlchemy's rows are."""
    base: Any = namedtuple("Row", names)  # type: ignore[misc]  # the names are known only here
    return type("Row", (base,), {"__slots__": (), "_mapping": property(lambda row: dict(zip(names, row, strict=True)))})


@contextmanager
def _told_as_usual(sql: str, connection: AsyncConnection) -> Iterator[None]:
    """What SQLite refuses is raised as SQLAlchemy would, without the values."""
    try:
        yield
    except sqlite3.Error as error:
        raise DBAPIError.instance(
            sql, None, error, sqlite3.Error, hide_parameters=True, dialect=connection.dialect
        ) from error
