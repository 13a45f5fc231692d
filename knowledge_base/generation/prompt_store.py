"""Keeps the versions of prompts and which of them is in use; nothing is ever changed or deleted."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from knowledge_base.generation.prompts import DEFAULTS, PROMPTS, BadPrompt, Prompt, check_prompt
from knowledge_base.generation.tables import metadata, prompt_activations, prompt_versions

_FROM_THE_BOX = ("", "Frontdesk")  #: the author of the versions that come with the product
_TRIES = 5


@dataclass(frozen=True, slots=True)
class Author:
    """Who wrote a version or put one into use."""

    id: str
    name: str


@dataclass(frozen=True, slots=True)
class Activation:
    """From ``at`` on this version was in use."""

    version: int
    author_id: str
    author: str
    at: datetime


class PromptStore:
    """The prompts in the service's database, whose engine belongs to the caller."""

    def __init__(self, engine: AsyncEngine, now: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        self._engine = engine
        # On an engine that takes SQLite's write lock when a transaction begins, this says that reads need not.
        self._reading = engine.execution_options(read_only=True)
        self._now = now

    async def create_tables(self) -> None:
        """Create what is missing; existing tables are left alone (migrations change them)."""
        async with self._engine.begin() as connection:
            await connection.run_sync(metadata.create_all)

    async def ensure_defaults(self, values: Mapping[str, Mapping[str, str]] | None = None) -> None:
        """Give each prompt that has no version the one that comes with the product; ``values`` replace its own."""
        for name in PROMPTS:
            template, own = DEFAULTS[name]
            prompt = check_prompt(name, template, {**own, **(values or {}).get(name, {})})
            async with self._reading.begin() as connection:
                if await _highest(connection, name):
                    continue
            author = Author(*_FROM_THE_BOX)
            try:
                async with self._engine.begin() as connection:
                    await self._add(connection, prompt, 1, author)
                    await self._activate(connection, name, 1, 1, author)
            except IntegrityError:
                continue  # another process of the service was quicker

    async def save(self, draft: Prompt, author: Author) -> Prompt:
        """The draft as the next version, not yet in use."""
        for left in reversed(range(_TRIES)):
            try:
                async with self._engine.begin() as connection:
                    version = await _highest(connection, draft.name) + 1
                    return await self._add(connection, draft, version, author)
            except IntegrityError:  # somebody else took the number
                if not left:
                    raise
                await asyncio.sleep(0.01)
        raise AssertionError("the loop returns or raises")

    async def activate(self, name: str, version: int, author: Author) -> Activation:
        """Put a version into use, also an earlier one again; raises ``BadPrompt`` when there is none such."""
        for left in reversed(range(_TRIES)):
            try:
                async with self._engine.begin() as connection:
                    if await _find(connection, name, version) is None:
                        raise BadPrompt("unknown_version", f"{name} has no version {version}", str(version))
                    ordinal = func.coalesce(func.max(prompt_activations.c.ordinal), 0) + 1
                    mine = select(ordinal).where(prompt_activations.c.name == name)
                    return await self._activate(
                        connection, name, version, (await connection.execute(mine)).scalar_one(), author
                    )
            except IntegrityError:
                if not left:
                    raise
                await asyncio.sleep(0.01)
        raise AssertionError("the loop returns or raises")

    async def active(self, name: str) -> Prompt:
        """The version in use; raises ``BadPrompt`` for a name without any."""
        latest = (
            select(prompt_versions)
            .join(
                prompt_activations,
                (prompt_activations.c.name == prompt_versions.c.name)
                & (prompt_activations.c.version == prompt_versions.c.version),
            )
            .where(prompt_versions.c.name == name)
            .order_by(prompt_activations.c.ordinal.desc())
            .limit(1)
        )
        row = None
        if name in PROMPTS:
            async with self._reading.begin() as connection:
                row = (await connection.execute(latest)).first()
        if row is None:
            raise BadPrompt("unknown_prompt", f"there is no prompt {name!r} in use", name)
        return _prompt(row)

    async def find(self, name: str, version: int) -> Prompt | None:
        """One version, or None."""
        async with self._reading.begin() as connection:
            return await _find(connection, name, version)

    async def versions(self, name: str) -> list[Prompt]:
        """Every version, the newest first."""
        mine = select(prompt_versions).where(prompt_versions.c.name == name)
        async with self._reading.begin() as connection:
            rows = (await connection.execute(mine.order_by(prompt_versions.c.version.desc()))).all()
        return [_prompt(row) for row in rows]

    async def activations(self, name: str, limit: int = 100) -> list[Activation]:
        """When which version was put into use by whom, the latest first."""
        mine = select(prompt_activations).where(prompt_activations.c.name == name)
        async with self._reading.begin() as connection:
            rows = (await connection.execute(mine.order_by(prompt_activations.c.ordinal.desc()).limit(limit))).all()
        return [Activation(row.version, row.author_id, row.author, row.at) for row in rows]

    async def _add(self, connection: AsyncConnection, draft: Prompt, version: int, author: Author) -> Prompt:
        at = self._now()
        row = {
            "name": draft.name,
            "version": version,
            "template": draft.template,
            "values": dict(draft.values),
            "note": draft.note,
            "author_id": author.id,
            "author": author.name,
            "created_at": at,
        }
        await connection.execute(prompt_versions.insert(), row)
        return Prompt(draft.name, version, draft.template, draft.values, draft.note, author.id, author.name, at)

    async def _activate(
        self, connection: AsyncConnection, name: str, version: int, ordinal: int, author: Author
    ) -> Activation:
        at = self._now()
        row = {"name": name, "ordinal": ordinal, "version": version, "at": at}
        await connection.execute(prompt_activations.insert(), row | {"author_id": author.id, "author": author.name})
        return Activation(version, author.id, author.name, at)


async def _highest(connection: AsyncConnection, name: str) -> int:
    highest = select(func.coalesce(func.max(prompt_versions.c.version), 0)).where(prompt_versions.c.name == name)
    return int((await connection.execute(highest)).scalar_one())


async def _find(connection: AsyncConnection, name: str, version: int) -> Prompt | None:
    mine = (prompt_versions.c.name == name) & (prompt_versions.c.version == version)
    row = (await connection.execute(select(prompt_versions).where(mine))).first()
    return None if row is None else _prompt(row)


def _prompt(row: Any) -> Prompt:
    values = row._mapping["values"]  # a row's own ``values`` is a method
    return Prompt(row.name, row.version, row.template, values, row.note, row.author_id, row.author, row.created_at)
