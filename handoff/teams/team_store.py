"""Reads and writes teams, their members, the rules of routing, and what each member of staff can do."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import delete, func, insert, select, update

from conversations.store import Database
from handoff.tables import staff
from handoff.teams.team_tables import routing_rules, sight_rules, team_members, teams


@dataclass(frozen=True, slots=True)
class StoredTeam:
    """A team as it is kept."""

    id: str
    settings: dict[str, Any]
    members: tuple[str, ...]  #: staff ids
    updated_at: datetime | None = None
    updated_by: str = ""


@dataclass(frozen=True, slots=True)
class StoredPerson:
    """What is known of a member of staff for the routing."""

    id: str
    name: str
    role: str
    languages: tuple[str, ...]
    skills: tuple[str, ...]
    capacity: int | None


@dataclass(frozen=True, slots=True)
class StoredDesk:
    """Everything the routing is set up with."""

    teams: tuple[StoredTeam, ...]
    rules: tuple[dict[str, Any], ...]
    people: tuple[StoredPerson, ...]  #: those who may sign in
    sees: tuple[tuple[str, str], ...] = ()  #: role and how far it sees, where somebody said so


class TeamStore:
    """The tables of teams in the service's database, which belongs to the caller."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def read(self) -> StoredDesk:
        """Teams and rules in their order, and everybody active by name."""
        async with self._database.read() as connection:
            listed = (await connection.execute(select(teams).order_by(teams.c.position, teams.c.id))).all()
            joined = (await connection.execute(select(team_members).order_by(team_members.c.staff_id))).all()
            rules = (await connection.execute(select(routing_rules).order_by(routing_rules.c.position))).all()
            sees = (await connection.execute(select(sight_rules).order_by(sight_rules.c.role))).all()
            people = (await connection.execute(select(staff).where(staff.c.active).order_by(staff.c.name))).all()
        members: dict[str, list[str]] = {}
        for row in joined:
            members.setdefault(row.team_id, []).append(row.staff_id)
        return StoredDesk(
            tuple(
                StoredTeam(row.id, row.settings, tuple(members.get(row.id, ())), row.updated_at, row.updated_by)
                for row in listed
            ),
            tuple({**row.settings, "team_id": row.team_id} for row in rules),
            tuple(
                StoredPerson(row.id, row.name, row.role, tuple(row.languages), tuple(row.skills), row.capacity)
                for row in people
            ),
            tuple((row.role, row.sees) for row in sees),
        )

    async def save(
        self, team_id: str, settings: dict[str, Any], members: Sequence[str], now: datetime, by: str
    ) -> None:
        """Add a team at the end of the list, or change one."""
        values = {"settings": settings, "updated_at": now, "updated_by": by}
        async with self._database.write() as connection:
            changed = await connection.execute(update(teams).where(teams.c.id == team_id).values(**values))
            if changed.rowcount == 0:
                last = (await connection.execute(select(func.max(teams.c.position)))).scalar() or 0
                await connection.execute(insert(teams).values(id=team_id, position=last + 1, **values))
            await connection.execute(delete(team_members).where(team_members.c.team_id == team_id))
            if members:
                rows = [{"team_id": team_id, "staff_id": member} for member in dict.fromkeys(members)]
                await connection.execute(insert(team_members), rows)

    async def remove(self, team_id: str) -> bool:
        """Delete a team with its memberships and rules; returns whether it was there."""
        async with self._database.write() as connection:
            await connection.execute(delete(routing_rules).where(routing_rules.c.team_id == team_id))
            await connection.execute(delete(team_members).where(team_members.c.team_id == team_id))
            gone = await connection.execute(delete(teams).where(teams.c.id == team_id))
            return gone.rowcount == 1

    async def set_rules(self, rules: Sequence[dict[str, Any]]) -> None:
        """Replace the rules by these, in this order; each names its ``team_id``."""
        rows = [
            {
                "position": position,
                "team_id": rule["team_id"],
                "settings": {name: value for name, value in rule.items() if name != "team_id"},
            }
            for position, rule in enumerate(rules, start=1)
        ]
        async with self._database.write() as connection:
            await connection.execute(delete(routing_rules))
            if rows:
                await connection.execute(insert(routing_rules), rows)

    async def set_sight(self, sees: Mapping[str, str]) -> None:
        """Say how far roles see; those that are not named see as far as they do by themselves."""
        async with self._database.write() as connection:
            await connection.execute(delete(sight_rules))
            await connection.execute(
                insert(sight_rules), [{"role": role, "sees": scope} for role, scope in sees.items()]
            )

    async def set_person(
        self, staff_id: str, languages: Sequence[str], skills: Sequence[str], capacity: int | None
    ) -> None:
        """Say what a member of staff can do."""
        values = {"languages": list(languages), "skills": list(skills), "capacity": capacity}
        async with self._database.write() as connection:
            await connection.execute(update(staff).where(staff.c.id == staff_id).values(**values))
