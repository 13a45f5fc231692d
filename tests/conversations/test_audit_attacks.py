"""Whoever holds the database but not the keys cannot change, swap or take back anything without being seen."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from conversations.audit import AuditEntry, AuditLog, _seal, chain_hash, main
from conversations.audit_check import CHECKPOINTS, PUBLIC_KEY
from conversations.sealing import ContactKey
from conversations.sealing_store import SealingStore
from conversations.store import Database
from tests.conversations.builders import LIN, Clock, TestDesk, says
from tests.conversations.test_audit import a_story, checkpoints_of, entries, execute, rewrite_from

Attack = Callable[[Database], Awaitable[None]]
DRAWS = 100_000


async def edited(database: Database) -> None:
    await execute(database, "UPDATE audit_entries SET body = replace(body, 'opened', 'closed') WHERE n = 1")


async def deleted(database: Database) -> None:
    await execute(database, "DELETE FROM audit_entries WHERE n = 3")


async def reordered(database: Database) -> None:
    for old, new in ((2, -1), (3, 2), (-1, 3)):
        await execute(database, "UPDATE audit_entries SET n = :new WHERE n = :old", old=old, new=new)


async def inserted_behind_the_head(database: Database) -> None:
    last = (await entries(database))[-1]
    body = json.dumps(json.loads(last.body) | {"n": last.n + 1, "kind": "invented"})
    await execute(
        database,
        "INSERT INTO audit_entries (n, conversation_id, body, hash) VALUES (:n, :conversation, :body, :hash)",
        n=last.n + 1,
        conversation=last.conversation_id,
        body=body,
        hash=chain_hash(last.hash, body),
    )


async def inserted_in_the_middle(database: Database) -> None:
    rows = await entries(database)
    for row in reversed(rows[2:]):
        body = json.dumps(json.loads(row.body) | {"n": row.n + 1})
        await execute(
            database, "UPDATE audit_entries SET n = :n, body = :body WHERE n = :old", n=row.n + 1, body=body, old=row.n
        )
    await execute(
        database,
        "INSERT INTO audit_entries (n, conversation_id, body, hash) VALUES (3, :conversation, :body, 'x')",
        conversation=rows[1].conversation_id,
        body=json.dumps(json.loads(rows[1].body) | {"n": 3, "kind": "invented"}),
    )
    await execute(database, "UPDATE audit_head SET n = n + 1")
    await rewrite_from(database, 1)


async def cut_off(database: Database) -> None:
    await execute(database, "DELETE FROM audit_entries WHERE n > 5")


async def cut_off_with_the_head(database: Database) -> None:
    rows = await entries(database)
    await cut_off(database)
    await execute(database, "UPDATE audit_head SET n = 5, hash = :hash", hash=rows[4].hash)


async def rewritten_as_a_whole(database: Database) -> None:
    for row in await entries(database):
        body = row.body.replace('"contact"', '"system"')
        await execute(database, "UPDATE audit_entries SET body = :body WHERE n = :n", body=body, n=row.n)
    await rewrite_from(database, 1)


ATTACKS: dict[str, tuple[Attack, int, int]] = {
    one.__name__: (one, exit_code, first_bad)
    for one, exit_code, first_bad in (
        (edited, 3, 1),
        (deleted, 3, 3),
        (reordered, 3, 2),
        (inserted_behind_the_head, 3, 0),  # 0: the one after the last
        (inserted_in_the_middle, 3, 1),  # nothing after the last checkpoint that still agrees can be trusted: all of it
        (cut_off, 4, 6),
        (cut_off_with_the_head, 4, 6),
        (rewritten_as_a_whole, 3, 1),
    )
}


@pytest.fixture
def chain_file(sqlite_template: Path, tmp_path: Path) -> Path:
    path = tmp_path / "chain.db"
    path.write_bytes(sqlite_template.read_bytes())
    return path


def verified(file: Path, directory: Path) -> int:
    """What the command says of a database file and the checkpoints of a directory."""
    files = ["--checkpoints", str(directory / CHECKPOINTS), "--public-key", str(directory / PUBLIC_KEY)]
    return main(["verify", "--database-url", f"sqlite+aiosqlite:///{file}", *files])


def happens(file: Path, *steps: Attack) -> int:
    """Do something with the database of a file; returns how many entries its chain has then."""

    async def run() -> int:
        database = Database.open(f"sqlite+aiosqlite:///{file}")
        for step in steps:
            await step(database)
        count = len(await entries(database))
        await database.close()
        return count

    return asyncio.run(run())


def a_day_at_the_desk(directory: Path) -> Attack:
    """Something is said and recorded, and the service signs the head of the chain."""

    async def run(database: Database) -> None:
        clock = Clock()
        await a_story(TestDesk(database, clock))
        await checkpoints_of(database, clock, directory)

    return run


def recorded(what: str) -> Attack:
    async def run(database: Database) -> None:
        await TestDesk(database, Clock()).conversations.record(what, LIN)

    return run


def signed(directory: Path) -> Attack:
    async def run(database: Database) -> None:
        await checkpoints_of(database, Clock(), directory)

    return run


@pytest.mark.parametrize("attack", ATTACKS)
def test_whatever_is_done_to_the_chain_the_command_names_the_first_bad_entry(
    attack: str, chain_file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """F41: edited, deleted, inserted, reordered, cut off, or rewritten by somebody without the signing key."""
    does, exit_code, first_bad = ATTACKS[attack]
    count = happens(chain_file, a_day_at_the_desk(tmp_path))
    assert verified(chain_file, tmp_path) == 0
    happens(chain_file, does)
    capsys.readouterr()
    assert verified(chain_file, tmp_path) == exit_code
    named = "entries" if exit_code == 4 else "entry"
    assert f"{named} {first_bad or count + 1} " in capsys.readouterr().out


def test_a_database_put_back_to_an_older_state_is_seen(
    chain_file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """F41: a snapshot of the database is rolled back; what was signed since is missing."""
    before = happens(chain_file, a_day_at_the_desk(tmp_path))
    snapshot = chain_file.read_bytes()
    happens(chain_file, recorded("role_changed"), recorded("export"), signed(tmp_path))
    assert verified(chain_file, tmp_path) == 0
    chain_file.write_bytes(snapshot)
    capsys.readouterr()
    assert verified(chain_file, tmp_path) == 4
    assert f"entries {before + 1} to {before + 2} are missing" in capsys.readouterr().out


def test_a_rolled_back_chain_that_grew_to_its_old_length_is_seen(
    chain_file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """F41: after a rollback the service itself goes on and signs another entry of the same number."""
    before = happens(chain_file, a_day_at_the_desk(tmp_path))
    snapshot = chain_file.read_bytes()
    happens(chain_file, recorded("role_changed"), signed(tmp_path))
    chain_file.write_bytes(snapshot)
    happens(chain_file, recorded("nothing_to_see"), signed(tmp_path))
    capsys.readouterr()
    assert verified(chain_file, tmp_path) == 3
    assert f"entry {before + 1} " in capsys.readouterr().out


async def two_contacts_with_secrets(desk: TestDesk) -> None:
    for contact, phone in (("ann", "13800000000"), ("bob", "13900000000")):
        await desk.send(f"my phone is {phone}", contact=contact)
        await desk.answer(says("noted"))


async def keys_of(database: Database) -> dict[str, str]:
    """The wrapped keys of the contacts that have one."""
    contacts = {json.loads(row.body)["contact_id"] for row in await entries(database)} - {None}
    async with database.read() as connection:
        found = {one: await SealingStore(connection).find_keys(one) for one in sorted(contacts)}
    return {contact: wrapped for contact, wrapped in found.items() if wrapped is not None}


async def test_the_key_of_another_contact_opens_nothing(desk: TestDesk) -> None:
    """F39: the wrapped keys of two contacts are exchanged in the database."""
    await two_contacts_with_secrets(desk)
    (ann, hers), (bob, his) = (await keys_of(desk.database)).items()
    sealed = [row.body for row in await entries(desk.database) if json.loads(row.body)["sealed"]]
    assert len(sealed) == 2
    for contact, wrapped in ((ann, his), (bob, hers)):
        await execute(desk.database, "UPDATE contact_keys SET wrapped = :w WHERE contact_id = :c", w=wrapped, c=contact)
    log = AuditLog(b"k" * 32)
    async with desk.database.read() as connection:
        for body in sealed:
            with pytest.raises(ValueError, match="not sealed for them"):
                await log.open_entry(connection, body)


async def test_a_sealed_part_of_another_contact_is_refused(desk: TestDesk) -> None:
    """F39: sealed parts and even whole entries are moved to another contact."""
    await two_contacts_with_secrets(desk)
    log = AuditLog(b"k" * 32)
    hers, his = [json.loads(row.body) for row in await entries(desk.database) if json.loads(row.body)["sealed"]]
    async with desk.database.read() as connection:
        for forged in (
            hers | {"sealed": his["sealed"]},
            hers | {"contact_id": his["contact_id"]},
            hers | {"n": his["n"]},
        ):
            with pytest.raises(ValueError, match="does not belong"):
                await log.open_entry(connection, json.dumps(forged))


async def test_another_secret_key_opens_nothing_and_says_so(desk: TestDesk, clock: Clock) -> None:
    """F39: the wrong version of the wrapping key neither reads nor adds; nothing is stored under a key nobody has."""
    await two_contacts_with_secrets(desk)
    before = await entries(desk.database)
    body = next(row.body for row in before if json.loads(row.body)["sealed"])
    other = AuditLog(b"o" * 32)
    contact_id = json.loads(body)["contact_id"]
    async with desk.database.read() as connection:
        with pytest.raises(ValueError, match="SECRET_KEY"):
            await other.open_entry(connection, body)
    entry = AuditEntry("turn", "contact", contact_id=contact_id, personal={"text": "again"})
    with pytest.raises(ValueError, match="SECRET_KEY"):
        async with desk.database.write() as connection:
            await other.append(connection, clock(), [entry])
    assert len(await entries(desk.database)) == len(before)


def test_no_nonce_is_drawn_twice() -> None:
    """F39: a hundred thousand parts sealed with one key have as many nonces."""
    key = ContactKey("ann", 1, AESGCM(AESGCM.generate_key(bit_length=256)))
    entry = AuditEntry("turn", "contact", contact_id="ann", personal={"text": "x"})
    nonces = {_seal(key, n, entry)[:16] for n in range(DRAWS)}  # 16 letters of Base64 are its 12 bytes
    assert len(nonces) == DRAWS
