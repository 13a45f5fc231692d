"""The condition of the queries and the question about one conversation are the same answer."""

from __future__ import annotations

from datetime import UTC, datetime
from itertools import product

import pytest
from sqlalchemy import insert, select

from conversations.model import Status
from conversations.sight import EVERYTHING, Facts, Scope, Sight
from conversations.sight_store import SightStore, within
from conversations.store import Database
from conversations.tables import contacts, conversations

NOW = datetime(2026, 11, 29, tzinfo=UTC)
TEAMS = (None, "mine", "other", "gone")
PEOPLE: tuple[frozenset[str], ...] = (frozenset(), frozenset({"me"}), frozenset({"somebody"}))


async def every_kind(database: Database) -> dict[str, Facts]:
    """One conversation of each status, team and company."""
    made: dict[str, Facts] = {}
    async with database.write() as connection:
        await connection.execute(insert(contacts).values(id="c", created_at=NOW))
        for number, (status, team, people) in enumerate(product(Status, TEAMS, PEOPLE)):
            name = f"{number:032d}"
            row = {"id": name, "channel": "web", "account": "default", "contact": name, "contact_id": "c"}
            row |= {"status": status.value, "language": "en", "opened_at": NOW, "updated_at": NOW, "team_id": team}
            await connection.execute(insert(conversations).values(**row))
            await SightStore(connection).note(name, people)
            await SightStore(connection).note(name, people)  # a second time changes nothing
            made[name] = Facts(status, team, people)
    return made


async def test_sql_and_the_question_about_one_agree_for_every_kind_of_conversation(database: Database) -> None:
    made = await every_kind(database)
    sights = [EVERYTHING] + [
        Sight("me", scope, teams, others, takes_rest)
        for scope, (teams, others), takes_rest in product(
            Scope,
            ((frozenset({"mine"}), frozenset({"other"})), (frozenset(), frozenset({"mine", "other"}))),
            (True, False),
        )
    ]
    async with database.read() as connection:
        for sight in sights:
            rows = await connection.execute(select(conversations.c.id).where(within(sight)))
            seen = set(rows.scalars())
            assert seen == {name for name, facts in made.items() if sight.shows(facts)}, sight
            assert await SightStore(connection).seen(sight, list(made)[:7]) == seen & set(list(made)[:7])
            assert await SightStore(connection).seen_contacts(sight, ["c", "nobody"]) == ({"c"} if seen else set())
        for name, facts in made.items():
            assert await SightStore(connection).facts_of(name) == facts
        assert await SightStore(connection).facts_of("nothing") is None


@pytest.mark.parametrize(
    ("scope", "facts", "seen"),
    [
        (Scope.TEAM, Facts(Status.BOT, "other"), True),
        (Scope.TEAM, Facts(Status.QUEUED, "other"), False),
        (Scope.TEAM, Facts(Status.RESOLVED, "mine"), True),
        (Scope.TEAM, Facts(Status.RESOLVED, None), True),
        (Scope.TEAM, Facts(Status.ASSIGNED, "other", frozenset({"me"})), True),
        (Scope.OWN, Facts(Status.QUEUED, "mine"), True),
        (Scope.OWN, Facts(Status.ASSIGNED, "mine"), False),
        (Scope.OWN, Facts(Status.BOT, None), False),
        (Scope.OWN, Facts(Status.RESOLVED, "other", frozenset({"me"})), True),
        (Scope.EVERYTHING, Facts(Status.ASSIGNED, "other"), True),
    ],
)
def test_what_each_scope_means(scope: Scope, facts: Facts, seen: bool) -> None:
    assert Sight("me", scope, frozenset({"mine"}), frozenset({"other"})).shows(facts) is seen
