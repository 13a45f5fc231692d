"""The thresholds in force: what was applied last, over what the settings say; changed without a restart, never rewritten."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict
from datetime import datetime
from typing import Any

from sqlalchemy.exc import IntegrityError

from conversations.audit import AuditEntry, AuditLog
from conversations.model import Agent, utc_now
from conversations.store import Database
from conversations.turn_model import Thresholds
from learning.limit_store import LimitStore, LimitVersion

NAMES = ("answer", "clarify", "retrieval")
SETTINGS = LimitVersion(0, None, "", "", "", {})


class LimitsRefused(Exception):
    """Thresholds cannot be applied; ``code`` is for programs."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


class LimitBook(Mapping[str, Thresholds]):
    """The thresholds of each language, as this process knows them; reading them asks no database."""

    def __init__(
        self,
        database: Database,
        audit: AuditLog,
        settings: Mapping[str, Thresholds],
        *,
        now: Callable[[], datetime] = utc_now,
    ) -> None:
        self._database = database
        self._audit = audit
        self.settings = dict(settings)
        self._now = now
        self.applied = SETTINGS
        self._in_force = dict(settings)

    def __getitem__(self, language: str) -> Thresholds:
        return self._in_force[language]

    def __iter__(self) -> Iterator[str]:
        return iter(self._in_force)

    def __len__(self) -> int:
        return len(self._in_force)

    def gate(self, language: str, otherwise: float) -> float:
        """The score an article needs to be quoted in a language."""
        limits = self._in_force.get(language)
        return otherwise if limits is None or limits.retrieval is None else limits.retrieval

    async def refresh(self) -> None:
        """Take over what this or another process applied."""
        async with self._database.read() as connection:
            store = LimitStore(connection)
            version = await store.version()
            if version == self.applied.version:
                return
            found = await store.find(version) if version else SETTINGS
        if found is not None:
            self._take(found)

    async def versions(self, limit: int = 50) -> list[LimitVersion]:
        """The latest versions, newest first, and the settings at the end when they fit."""
        async with self._database.read() as connection:
            found = await LimitStore(connection).versions(limit)
        return [*found, SETTINGS] if len(found) < limit else found

    async def apply(
        self,
        limits: Mapping[str, Mapping[str, float]],
        why: str,
        agent: Agent,
        based_on: int,
        basis: Mapping[str, Any] | None = None,
    ) -> LimitVersion:
        """Put thresholds of some languages into force, leaving the others; raises ``LimitsRefused``."""
        for language, wanted in limits.items():
            self._check(language, wanted)
        return await self._write(lambda before: {**before.limits, **limits}, why, agent, based_on, basis=basis)

    async def restore(self, version: int, why: str, agent: Agent, based_on: int) -> LimitVersion:
        """Put an earlier version, or with 0 the settings, into force again; raises ``LimitsRefused``."""
        async with self._database.read() as connection:
            found = await LimitStore(connection).find(version) if version else SETTINGS
        if found is None:
            raise LimitsRefused("not_found", "There is no such version of the thresholds.")
        limits = found.limits
        return await self._write(lambda _before: limits, why, agent, based_on, restores=version)

    def _check(self, language: str, wanted: Mapping[str, float]) -> None:
        if language not in self.settings:
            raise LimitsRefused("unknown_language", f"The bot does not speak {language}.")
        if set(wanted) != set(NAMES) or not all(0 <= value <= 1 for value in wanted.values()):
            raise LimitsRefused("bad_limits", "Give the thresholds answer, clarify and retrieval, each from 0 to 1.")
        if wanted["clarify"] > wanted["answer"]:
            raise LimitsRefused("bad_limits", "The threshold for asking back must not be above the one for acting.")

    async def _write(
        self,
        limits_of: Callable[[LimitVersion], Mapping[str, Mapping[str, float]]],
        why: str,
        agent: Agent,
        based_on: int,
        *,
        restores: int | None = None,
        basis: Mapping[str, Any] | None = None,
    ) -> LimitVersion:
        try:
            async with self._database.write() as connection:
                store = LimitStore(connection)
                latest = await store.version()
                before = (await store.find(latest) if latest else SETTINGS) or SETTINGS
                if before.version != based_on:
                    raise LimitsRefused("changed", "Somebody has applied other thresholds meanwhile. Load them first.")
                now = self._now()
                made = LimitVersion(
                    latest + 1, now, agent.id, agent.name, why, limits_of(before), restores, dict(basis) if basis else None
                )  # fmt: skip
                await store.add(made)
                kind = "limits_applied" if restores is None else "limits_restored"
                facts: dict[str, Any] = {"version": made.version, "before": _plain(before.limits)}
                facts |= {"after": _plain(made.limits), "why": why}
                if restores is not None:
                    facts["restores"] = restores
                await self._audit.append(connection, now, [AuditEntry(kind, f"agent:{agent.id}", data=facts)])
        except IntegrityError:  # another process took the number
            raise LimitsRefused(
                "changed", "Somebody has applied other thresholds meanwhile. Load them first."
            ) from None
        self._take(made)
        return made

    def _take(self, version: LimitVersion) -> None:
        if version.version < self.applied.version:
            return  # an older answer of the database that came later
        self.applied = version
        self._in_force = {
            language: Thresholds(**asdict(own) | _plain(version.limits).get(language, {}))
            for language, own in self.settings.items()
        }


def _plain(limits: Mapping[str, Mapping[str, float]]) -> dict[str, dict[str, float]]:
    return {language: dict(values) for language, values in limits.items()}
