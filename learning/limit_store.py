"""Reads and writes what turns showed about thresholds, and the versions that were applied."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from datetime import datetime
from typing import Any

from sqlalchemy import and_, delete, func, insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from conversations.store import Database
from conversations.tables import conversations
from learning.inbox_tables import mishap_decisions, mishaps
from learning.limit_cases import Band, Case, Done, corrected, decided
from learning.limit_tables import limit_cases, limit_checks, limit_versions, metadata
from learning.reasons import Reason

_COLUMNS = tuple(field.name for field in fields(Case))


@dataclass(frozen=True, slots=True)
class LimitVersion:
    """Thresholds that somebody applied; version 0 is the settings."""

    version: int
    at: datetime | None
    by_id: str
    by_name: str
    why: str
    limits: Mapping[str, Mapping[str, float]]  #: by language; what is missing is the setting's, or the model's own
    restores: int | None = None
    basis: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class HeldOut:
    """What the model made of labelled lines of one language."""

    language: str
    model_id: str
    at: datetime
    by_name: str
    scored: Sequence[tuple[float, bool]]


async def create_tables(database: Database) -> None:
    """Create what is missing, for databases that no migration made."""
    async with database.engine.begin() as connection:
        await connection.run_sync(metadata.create_all)


class LimitStore:
    """Statements of one transaction."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    # -- cases

    async def put(self, conversation_ids: Collection[str], cases: Sequence[Case]) -> None:
        """What these conversations show now, instead of what they showed before."""
        gone = delete(limit_cases).where(limit_cases.c.conversation_id.in_(list(conversation_ids)))
        await self._connection.execute(gone)
        if cases:
            await self._connection.execute(insert(limit_cases), [asdict(case) for case in cases])

    async def cases(self, language: str, since: datetime | None, model_id: str | None, limit: int) -> list[Case]:
        """The latest cases of a language, with what trainers and agents said of them."""
        query = (
            select(limit_cases, mishaps.c.reasons, mishap_decisions.c.kind, mishap_decisions.c.intent)
            .join(mishaps, mishaps.c.message_id == limit_cases.c.message_id, isouter=True)
            .join(
                mishap_decisions,
                and_(mishap_decisions.c.id == mishaps.c.decision_id, mishap_decisions.c.state == "made"),
                isouter=True,
            )
            .where(limit_cases.c.language == language)
            .order_by(limit_cases.c.at.desc(), limit_cases.c.message_id)
            .limit(limit)
        )
        if since is not None:
            query = query.where(limit_cases.c.at >= since)
        if model_id is not None:
            query = query.where(limit_cases.c.model_id == model_id)
        found = []
        for row in await self._connection.execute(query):
            case = _case(row)
            if row.reasons is not None and row.reasons & Reason.CORRECTED:
                case = corrected(case)
            if row.kind is not None:
                case = decided(case, row.kind, row.intent)
            found.append(case)
        return found

    async def newest(self, language: str) -> Case | None:
        """The newest case of a language: with the thresholds that were last in force."""
        chosen = select(limit_cases).where(limit_cases.c.language == language)
        row = (await self._connection.execute(chosen.order_by(limit_cases.c.at.desc()).limit(1))).first()
        return None if row is None else _case(row)

    async def first(self, language: str, model_id: str | None) -> Case | None:
        """The first case of a model: with the thresholds that it came with."""
        chosen = select(limit_cases).where(limit_cases.c.language == language, limit_cases.c.model_id == model_id)
        row = (await self._connection.execute(chosen.order_by(limit_cases.c.at).limit(1))).first()
        return None if row is None else _case(row)

    # -- versions

    async def version(self) -> int:
        """The number of what is applied; 0 before anything was."""
        return int((await self._connection.execute(select(func.max(limit_versions.c.version)))).scalar() or 0)

    async def versions(self, limit: int) -> list[LimitVersion]:
        """The latest versions, newest first."""
        query = select(limit_versions).order_by(limit_versions.c.version.desc()).limit(limit)
        return [LimitVersion(**row._mapping) for row in await self._connection.execute(query)]

    async def find(self, version: int) -> LimitVersion | None:
        """A version."""
        query = select(limit_versions).where(limit_versions.c.version == version)
        row = (await self._connection.execute(query)).first()
        return None if row is None else LimitVersion(**row._mapping)

    async def add(self, version: LimitVersion) -> None:
        """Keep a version; fails with an ``IntegrityError`` if somebody took its number."""
        await self._connection.execute(insert(limit_versions).values(**asdict(version)))

    # -- labelled lines

    async def keep_check(self, held_out: HeldOut) -> None:
        """What the model made of labelled lines, instead of the last time."""
        gone = delete(limit_checks).where(limit_checks.c.language == held_out.language)
        await self._connection.execute(gone)
        scored = [[score, right] for score, right in held_out.scored]
        await self._connection.execute(insert(limit_checks).values(**asdict(held_out) | {"scored": scored}))

    async def find_check(self, language: str) -> HeldOut | None:
        """What the model made of labelled lines the last time."""
        query = select(limit_checks).where(limit_checks.c.language == language)
        row = (await self._connection.execute(query)).first()
        if row is None:
            return None
        scored = [(float(score), bool(right)) for score, right in row.scored]
        return HeldOut(row.language, row.model_id, row.at, row.by_name, scored)


def _case(row: Any) -> Case:
    values = {name: row._mapping[limit_cases.c[name]] for name in _COLUMNS}
    band = values["band"]
    return Case(**values | {"done": Done(values["done"]), "band": None if band is None else Band(band)})


# -- inside the transactions of others


async def erase(connection: AsyncConnection, contact_id: str) -> None:
    """A contact is erased: the numbers of their conversations go as well."""
    theirs = select(conversations.c.id).where(conversations.c.contact_id == contact_id)
    await connection.execute(delete(limit_cases).where(limit_cases.c.conversation_id.in_(theirs)))


async def forget(connection: AsyncConnection, conversation_ids: Sequence[str]) -> None:
    """The same for conversations whose words have become too old."""
    await connection.execute(delete(limit_cases).where(limit_cases.c.conversation_id.in_(list(conversation_ids))))
