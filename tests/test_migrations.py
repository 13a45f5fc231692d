"""The migrations lead to exactly the tables that the code uses."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from sqlalchemy import Connection, select, text

from conversations.episode_store import EpisodeStore
from conversations.key_rotation import KeyRotation, open_keys
from conversations.proactive_store import ProactiveStore
from conversations.sealing_store import SealingStore
from conversations.store import Database
from conversations.tables import addresses, contacts
from migrations.schema import METADATAS, ROOT, migrate
from reporting.alert_forms import form_of
from reporting.alert_store import AlertStore
from reporting.fact_store import FactStore
from tests.postgres import engine_in, own_schema


def not_the_index(name: str | None, kind: str, _parents: object) -> bool:
    """FTS5 keeps tables of its own, and PostgreSQL an index, which no metadata describes."""
    if kind == "index":
        return name != "ix_search_documents_terms"
    return not (kind == "table" and name is not None and name.startswith("search_index"))


@pytest.fixture(params=["sqlite", "postgresql"])
async def empty(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Database]:
    """A database without tables: SQLite always, PostgreSQL where a server answers."""
    with contextlib.ExitStack() as kept:
        if request.param == "sqlite":
            database = Database.open(f"sqlite+aiosqlite:///{tmp_path / 'desk.db'}")
        else:
            database = Database(engine_in(kept.enter_context(own_schema("migrations"))))
        yield database
        await database.close()


async def move(database: Database, revision: str, *, down: bool = False) -> None:
    """Migrate to one revision."""

    def run(connection: Connection) -> None:
        config = Config(str(ROOT / "alembic.ini"))
        config.attributes["connection"] = connection
        (command.downgrade if down else command.upgrade)(config, revision)

    async with database.engine.begin() as connection:
        await connection.run_sync(run)


_CONVERSATION = """
INSERT INTO conversations (id, channel, account, contact, contact_id, status, language, opened_at, updated_at,
  last_seq, bot_seq, fence, priority, preview, agent_id, agent_name, previous_agent, queued_at, assigned_at,
  resolved_at, resolved_by)
VALUES (:id, 'web', 'default', :id, 'c1', :status, 'en', '2026-03-01 10:00:00', '2026-03-01 12:00:00', 1, 0, 0, 0, '',
  :agent, :name, :former, :queued, :assigned, :resolved, :by)
"""


async def test_ratings_from_before_there_were_episodes_are_kept(empty: Database) -> None:
    await move(empty, "0007")
    eleven, twelve = "2026-03-01 11:30:00", "2026-03-01 12:30:00"
    rows = [
        {"id": "bot", "status": "resolved", "resolved": twelve, "by": "idle"},
        {"id": "human", "status": "resolved", "agent": "lin", "name": "Lin", "assigned": eleven, "resolved": twelve, "by": "agent"},
        {"id": "released", "status": "bot", "former": "max", "assigned": eleven},
        {"id": "open", "status": "bot"},
        {"id": "merged", "status": "resolved", "resolved": twelve, "by": "merged"},
    ]  # fmt: skip
    names = ("agent", "name", "former", "queued", "assigned", "resolved", "by")
    async with empty.engine.begin() as connection:
        await connection.execute(text("INSERT INTO contacts (id, created_at) VALUES ('c1', '2026-03-01 10:00:00')"))
        for row in rows:
            values = {name: row.get(name) for name in names} | row
            statement = _CONVERSATION
            for name in (*names, "id", "status"):  # plain text, so that both databases read the times themselves
                value = values[name]
                statement = statement.replace(f":{name},", "NULL," if value is None else f"'{value}',")
                statement = statement.replace(f":{name})", "NULL)" if value is None else f"'{value}')")
            await connection.execute(text(statement))
        for conversation_id, score in (("bot", 2), ("human", 5)):
            await connection.execute(
                text(f"INSERT INTO ratings VALUES ('{conversation_id}', {score}, 'said', '2026-03-01 13:00:00')")
            )
    await migrate(empty.engine)
    async with empty.read() as connection:
        found = {row["id"]: await EpisodeStore(connection).of_conversation(str(row["id"])) for row in rows}
    shape = {
        id: [(one.kind.value, one.agent.id if one.agent else None, one.ended_by) for one in listed]
        for id, listed in found.items()
    }
    assert shape == {
        "bot": [("bot", None, "resolved")],
        "human": [("bot", None, "handoff"), ("human", "lin", "resolved")],
        "released": [("bot", None, "handoff"), ("human", "max", "released"), ("bot", None, None)],
        "open": [("bot", None, None)],
        "merged": [("bot", None, "merged")],
    }
    kept = {
        id: [(one.rating.score, one.rating.comment) for one in listed if one.rating] for id, listed in found.items()
    }
    assert kept == {"bot": [(2, "said")], "human": [(5, "said")], "released": [], "open": [], "merged": []}
    await move(empty, "0007", down=True)
    async with empty.engine.begin() as connection:
        again = (
            await connection.execute(text("SELECT conversation_id, score, comment FROM ratings ORDER BY score"))
        ).all()
    assert [tuple(row) for row in again] == [("bot", 2, "said"), ("human", 5, "said")]


async def test_migrating_an_empty_database_gives_the_tables_of_every_room(empty: Database) -> None:
    database = empty
    await migrate(database.engine)
    await migrate(database.engine)  # a second time changes nothing

    def differences(connection: Connection) -> list[object]:
        context = MigrationContext.configure(connection, opts={"compare_type": False, "include_name": not_the_index})
        return list(compare_metadata(context, list(METADATAS)))  # type: ignore[arg-type]

    async with database.engine.connect() as connection:
        assert await connection.run_sync(differences) == []


async def test_contacts_from_before_fields_were_sealed_keep_their_keys_and_are_read(empty: Database) -> None:
    """An older desk's key still opens; its names are read as they are, and found once they are sealed."""
    await move(empty, "0019")
    nonce = b"n" * 12
    wrapped = nonce + AESGCM(b"k" * 32).encrypt(nonce, b"d" * 32, b"c1")
    async with empty.engine.begin() as connection:
        await connection.execute(
            text("INSERT INTO contacts (id, name, created_at) VALUES ('c1', 'Ann', '2026-03-01 10:00:00')")
        )
        await connection.execute(text("INSERT INTO audit_keys VALUES ('c1', :wrapped)"), {"wrapped": wrapped})
        await connection.execute(
            text(
                "INSERT INTO addresses (channel, account, contact, contact_id) VALUES ('sms', 'a', '13955557788', 'c1')"
            )
        )
    await migrate(empty.engine)
    keyring = await open_keys(empty, (b"k" * 32,))
    async with empty.read() as connection:
        assert (await connection.execute(select(contacts.c.name))).scalar_one() == "Ann"
        assert (
            await connection.execute(select(addresses.c.contact_id).where(addresses.c.contact == "13955557788"))
        ).all()
        assert "139" not in (await connection.execute(text("SELECT contact FROM addresses"))).scalar_one()
    async with empty.write() as connection:
        assert (await SealingStore(connection).writing_key(keyring, "c1")).version == 1
    done = await KeyRotation(empty).seal_older()
    assert (done.sealed, done.wrapped) == (1, 1)
    async with empty.read() as connection:
        assert (await connection.execute(select(contacts.c.name))).scalar_one() == "Ann"
        assert "Ann" not in (await connection.execute(text("SELECT name FROM contacts"))).scalar_one()
    with pytest.raises(RuntimeError, match="older version cannot read"):
        await move(empty, "0019", down=True)


async def test_events_from_before_they_were_sealed_are_sealed_and_found_by_an_erasure(empty: Database) -> None:
    """Whom an event names, and what it says, was JSON; a desk whose other values are all sealed seals it as well."""
    await move(empty, "0034")
    async with empty.engine.begin() as connection:
        for number, recipient in enumerate(
            ('{"contact_id": "c1"}', '{"address": "sms:a:139"}', '{"email": "Ann@x.com"}')
        ):
            values = (
                f"'m{number}', 'shop', 'k{number}', '', 'order_shipped', '{recipient}', '{{\"order\": \"KT1\"}}', '[]'"
            )
            at = "'2026-03-01 10:00:00'"
            await connection.execute(
                text(
                    "INSERT INTO proactive_messages (id, owner, key, request_hash, kind, recipient, facts, tried, state,"
                    f" created_at, due_at, expires_at) VALUES ({values}, 'waiting', {at}, {at}, {at})".replace(
                        ":", "\\:"
                    )
                )
            )
        await connection.execute(
            text(
                "INSERT INTO key_rotations VALUES ('older values', '2026-03-01 10\\:00\\:00', '2026-03-01 10\\:00\\:00')"
            )
        )
    await migrate(empty.engine)
    keyring = await open_keys(empty, (b"k" * 32,))
    async with empty.read() as connection:
        told = await ProactiveStore(connection).find("m1")
    assert told is not None
    assert (told.recipient, told.facts, told.tried) == ({"address": "sms:a:139"}, {"order": "KT1"}, ())
    assert (await KeyRotation(empty).seal_older()).sealed == 6
    assert (await KeyRotation(empty).seal_older()).sealed == 0
    async with empty.read() as connection:
        marks = SealingStore(connection).marks
        rows = (await connection.execute(text("SELECT * FROM proactive_messages ORDER BY id"))).mappings().all()
        again = await ProactiveStore(connection).find("m2")
    assert again is not None
    assert (again.recipient, again.facts) == ({"email": "Ann@x.com"}, {"order": "KT1"})
    assert [row["named_contact"] for row in rows] == ["c1", None, None]
    assert rows[1]["named_address_mark"] == marks.of_address("sms:a:139")
    assert rows[2]["named_email_mark"] == marks.of_point("ann@X.com")
    assert not [row for row in rows if "KT1" in row["facts"] or "Ann" in row["recipient"]]
    assert keyring.ready
    with pytest.raises(RuntimeError, match="older version cannot read"):
        await move(empty, "0034", down=True)


async def test_two_alerts_of_one_rise_become_one_and_facts_are_read_again(empty: Database) -> None:
    await move(empty, "0034")
    at = "2026-06-03 06:00:00"
    async with empty.engine.begin() as connection:
        for id, key, span, state in (
            ("hour", "refund", "hour", "acknowledged"), ("day", "refund", "day", "open"),
            ("alone", "coupon", "day", "open"), ("old", "coupon", "hour", "closed"),
        ):  # fmt: skip
            await connection.execute(
                text(
                    "INSERT INTO alerts (id, kind, key, span, state, since, opened_at, updated_at, part, whole, usual, chance,"
                    f" windows, contributions, examples, expected, note) VALUES ('{id}', 'intent', '{key}', '{span}', '{state}',"
                    f" '{at}', '{at}', '{at}', 40, 0, 3.1, 0, 6, '[]', '[]', false, '')"
                )
            )
        await connection.execute(text(f"INSERT INTO report_positions VALUES ('facts', 9, 'Asia/Shanghai', '{at}')"))
    await migrate(empty.engine)
    async with empty.read() as connection:
        found = {row["id"]: row for row in await AlertStore(connection).listed(None)}
        assert await FactStore(connection).position("facts", "Asia/Shanghai") == 0
    states = {id: row["state"] for id, row in found.items()}
    assert states == {"hour": "acknowledged", "day": "closed", "alone": "open", "old": "closed"}
    moment = "2026-06-03T06:00:00+00:00"
    window = {"span": "hour", "since": moment, "until": moment, "part": 40, "whole": 0, "usual": 3.1, "windows": 6}
    assert found["hour"]["stands_out"] == [window]
    assert form_of(found["alone"], ZoneInfo("Asia/Shanghai"))["report"] is not None
    await move(empty, "0034", down=True)
