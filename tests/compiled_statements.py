"""Statements compiled once for all databases of a test run.

SQLAlchemy keeps what it compiled with the engine, and every test has an engine of its own: compiling the same statements
again was a third of what a test with a database costs. What belongs to one database stays its own: every engine gets a
copy that has converted nothing yet, because the conversions hold the keys of its desk.
"""

from __future__ import annotations

from copy import copy
from typing import Any

from sqlalchemy.engine import Connection, Engine
from sqlalchemy.event import listen
from sqlalchemy.util import LRUCache

_known: dict[tuple[Any, ...], Any] = {}


class SharedStatements(LRUCache[Any, Any]):
    """An engine's own cache, which asks what other engines of its kind have compiled before it has something compiled."""

    def get(self, key: Any, default: Any = None) -> Any:
        """What this engine uses; taken over from another one when it does not know it."""
        found = super().get(key)
        if found is None and (known := _known.get(_shared(key))) is not None:
            found = copy(known)
            found.dialect = key[0]
            super().__setitem__(key, found)
        return default if found is None else found

    def __setitem__(self, key: Any, value: Any) -> None:
        fresh = copy(value)
        fresh.__dict__.pop("_bind_processors", None)
        _known[_shared(key)] = fresh
        super().__setitem__(key, value)


def _shared(key: tuple[Any, ...]) -> tuple[Any, ...]:
    dialect, *rest = key
    return (type(dialect), dialect.paramstyle, *rest)


def share_statements() -> None:
    """From now on every engine of this process begins with what others have compiled."""

    def begin(connection: Connection) -> None:
        if type(connection.engine._compiled_cache) is LRUCache:
            connection.engine._compiled_cache = SharedStatements(500)

    listen(Engine, "engine_connect", begin)
