"""Keys are changed while the desk runs and is killed, and everything stays readable; nothing is lost to a missing key."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest
from sqlalchemy import Text, select, type_coerce

from conversations.__main__ import change_keys, key_status
from conversations.attachment_store import AttachmentStore
from conversations.audit import AuditLog
from conversations.audit_store import AuditStore
from conversations.key_rotation import KeyRotation, KeysMissing, Rotated, open_keys
from conversations.key_rotation_store import KeyRotationStore
from conversations.model import Attachment, Author
from conversations.sealing import Keyring, is_sealed, key_of, name_of
from conversations.sealing_store import sealed_columns
from conversations.store import Database
from conversations.tables import addresses, attachments, contact_keys, contacts, messages, metadata
from tests.conversations.builders import Clock, TestDesk, address, says
from tests.conversations.conftest import connect_again
from tests.conversations.test_audit import execute

OLD, NEW = b"k" * 32, b"n" * 32


async def some_contacts(desk: TestDesk, count: int = 6) -> list[str]:
    """Contacts with names and words; returns their conversations."""
    made = []
    for number in range(count):
        receipt = await desk.send(f"words of {number}", f"visitor-{number}", contact_name=f"Name {number}")
        made.append(receipt.conversation_id)
    await desk.answer(says("noted"))
    return made


async def stored(database: Database, column: object = messages.c.text) -> list[str]:
    """What is in a column, unopened."""
    async with database.read() as connection:
        rows = await connection.execute(select(type_coerce(column, Text)))  # type: ignore[arg-type]
        return [one for one in rows.scalars() if one]


async def read_by(place: str, clock: Clock, *keys: bytes) -> list[str]:
    """What another process with these keys reads of every contact."""
    database = connect_again(place)
    try:
        await open_keys(database, keys)
        desk = TestDesk(database, clock, audit=AuditLog(Keyring(keys[0], keys[1:])))
        said = []
        for number in range(6):
            conversation = await desk.conversations.find_current(address(f"visitor-{number}"))
            assert conversation is not None
            assert conversation.contact_name == f"Name {number}"
            said += await desk.said(conversation.id, Author.CONTACT)
        return said
    finally:
        await database.close()


FILE = {"id": "f" * 32, "name": "old.png", "media_type": "image/png", "size": 9}
WORDS = [f"words of {number}" for number in range(6)]


async def test_contacts_keys_are_wrapped_anew_and_the_older_key_is_needed_no_more(
    desk: TestDesk, place: str, clock: Clock
) -> None:
    await some_contacts(desk)
    with pytest.raises(KeysMissing):
        await read_by(place, clock, NEW)
    database = connect_again(place)
    await open_keys(database, (NEW, OLD))
    done = Rotated()
    await KeyRotation(database, batch=2).wrap_anew(done)
    assert done.wrapped == 7, "six contacts and the desk itself"
    await database.close()
    assert await read_by(place, clock, NEW) == WORDS


async def test_a_key_that_is_in_use_and_missing_stops_the_start_and_changes_nothing(
    desk: TestDesk, place: str, clock: Clock
) -> None:
    await some_contacts(desk)
    before = await stored(desk.database, contact_keys.c.wrapped)
    with pytest.raises(KeysMissing, match=r"FIELD_KEYS: .*7 keys.*new,old(.|\n)*旧密钥") as stopped:
        await read_by(place, clock, NEW)
    assert NEW.hex() not in str(stopped.value)
    assert await stored(desk.database, contact_keys.c.wrapped) == before
    assert await read_by(place, clock, NEW, OLD) == WORDS


async def test_every_value_is_sealed_with_a_new_key_and_audit_entries_stay_readable(
    desk: TestDesk, place: str, clock: Clock
) -> None:
    """F39: after a rotation of the fields, the older keys seal nothing but the chain, which cannot be changed."""
    await some_contacts(desk)
    before = {key_of(token) for token in await stored(desk.database)}
    lines: list[str] = []
    done = Rotated()
    rotation = KeyRotation(desk.database, now=clock, progress=lines.append, batch=4, settle_seconds=0)
    await rotation.change_keys(done)
    assert {version for _, version in before} == {1}
    for table in metadata.sorted_tables:
        for name in sealed_columns(table):
            tokens = [one for one in await stored(desk.database, table.c[name]) if is_sealed(one)]
            assert {key_of(token)[1] for token in tokens} <= {2}, f"{table.name}.{name}"
    assert (done.new_keys, done.unreadable) == (6, 0)
    assert done.sealed > 30
    assert lines
    assert await read_by(place, clock, OLD) == WORDS
    await desk.send("after it", "visitor-0")
    assert {key_of(token)[1] for token in await stored(desk.database)} == {2}
    log = desk.conversations.audit
    async with desk.database.read() as connection:
        bodies = [row.body async for row in AuditStore(connection).entries() if json.loads(row.body)["sealed"]]
        opened = [await log.open_entry(connection, body) for body in bodies]
    assert opened
    assert all(one["personal"] for one in opened)


@pytest.mark.parametrize("stop_at", [1, 3, 5, 9])
async def test_a_rotation_that_was_killed_goes_on_where_it_was(
    desk: TestDesk, place: str, clock: Clock, stop_at: int
) -> None:
    await some_contacts(desk)
    steps = 0

    def dies(_line: str) -> None:
        nonlocal steps
        steps += 1
        if steps == stop_at:
            raise KeyboardInterrupt

    first = Rotated()
    with pytest.raises(KeyboardInterrupt):
        await KeyRotation(desk.database, now=clock, progress=dies, batch=2, settle_seconds=0).change_keys(first)
    assert await read_by(place, clock, OLD) == WORDS
    second = Rotated()
    await KeyRotation(desk.database, now=clock, batch=2, settle_seconds=0).change_keys(second)
    assert first.new_keys + second.new_keys == 6, "no contact gets two"
    assert {key_of(token)[1] for token in await stored(desk.database)} == {2}
    assert await read_by(place, clock, OLD) == WORDS
    async with desk.database.read() as connection:
        assert await KeyRotationStore(connection).unfinished() is None


async def test_contacts_write_and_are_answered_while_keys_change(desk: TestDesk, place: str, clock: Clock) -> None:
    ids = await some_contacts(desk)
    other = connect_again(place)
    await open_keys(other, (NEW, OLD))
    elsewhere = TestDesk(other, clock, audit=AuditLog(Keyring(NEW, [OLD])))
    stopped = asyncio.Event()

    async def write() -> int:
        written = 0
        # What a transcript shows at once is enough.
        while (not stopped.is_set() and written < 300) or written < 10:
            number = written % 6
            await elsewhere.send(f"more {written}", f"visitor-{number}", contact_name=f"Name {number}")
            await elsewhere.answer()
            written += 1
            await asyncio.sleep(0)
        return written

    async def rotate() -> None:
        # The desk that reads with the older key only has to go first.
        for _ in range(3):
            done = Rotated()
            rotation = KeyRotation(other, now=clock, batch=3, settle_seconds=0)
            await rotation.wrap_anew(done)
            await rotation.change_keys(done)
        stopped.set()

    written, _ = await asyncio.gather(write(), rotate())
    said = [text for one in ids for text in await elsewhere.said(one, Author.CONTACT)]
    assert sorted(said) == sorted([*WORDS, *(f"more {number}" for number in range(written))])
    await other.close()


async def test_values_from_before_are_read_and_then_sealed(desk: TestDesk, place: str, clock: Clock) -> None:
    """An older database: what is not sealed is read as it is, and the desk seals it in the background."""
    [first, *_] = await some_contacts(desk)
    contact_id = (await desk.get(first)).contact_id
    older = (
        ("UPDATE messages SET text = :value WHERE conversation_id = :id AND seq = 1", "old | words", first),
        ("UPDATE contacts SET name = :value, name_mark = NULL WHERE id = :id", "Old Name", contact_id),
        ("UPDATE turns SET trace = :value WHERE conversation_id = :id", '{"route": "small talk"}', first),
        ("UPDATE conversations SET preview = :value WHERE id = :id", "fd1 is no token", first),
        ("UPDATE messages SET attachments = :value WHERE conversation_id = :id AND seq = 1", json.dumps([FILE]), first),
        ("UPDATE attachments SET name = :value WHERE id = :id", "old.png", FILE["id"]),
    )
    await AttachmentStore(desk.database).add(Attachment(**FILE), "web:default:ann", clock())
    for query, value, row in older:
        await execute(desk.database, query, value=value, id=row)

    async def reads() -> None:
        [said, *_] = await desk.said(first)
        [message, *_] = await desk.conversations.messages(first)
        kept = await AttachmentStore(desk.database).find([FILE["id"]])
        assert [*message.attachments, kept[FILE["id"]][0]] == [Attachment(**FILE)] * 2
        [turn] = await desk.conversations.traces(first)
        found = await desk.get(first)
        assert (said, found.contact_name, found.preview) == ("old | words", "Old Name", "fd1 is no token")
        assert turn.trace == {"route": "small talk"}

    await reads()
    done = await KeyRotation(desk.database, now=clock, batch=3).seal_older()
    assert done.sealed == 6
    await reads()
    for column in (messages.c.text, messages.c.attachments, attachments.c.name):
        assert all(map(is_sealed, await stored(desk.database, column)))
    assert (await KeyRotation(desk.database, now=clock).seal_older()).sealed == 0, "it is done once"
    twin = await desk.send("hello", "twin", contact_name="old name")
    assert "name" in [one.why for one in await desk.conversations.likely_duplicates(twin.conversation_id)]


async def test_addresses_from_before_are_sealed_when_the_desk_starts(desk: TestDesk, place: str, clock: Clock) -> None:
    [first, *_] = await some_contacts(desk)
    await desk.send("call me", "8613955557788")
    for table, column in (("addresses", "contact"), ("conversations", "contact"), ("outbox", "contact")):
        await in_the_open(desk.database, table, column)
    await execute(desk.database, "UPDATE addresses SET point_mark = NULL")
    await execute(desk.database, "DELETE FROM key_rotations")
    again = connect_again(place)
    await open_keys(again, (OLD,))
    restarted = TestDesk(again, clock)
    found = await restarted.conversations.find_current(address("visitor-0"))
    assert found is not None
    assert found.id == first
    receipt = await restarted.send("again", "visitor-0")
    assert receipt.conversation_id == first
    assert not [one for one in await stored(again, addresses.c.contact) if "visitor" in one or "8613" in one]
    stranger = await restarted.send("hello", "web-9")
    profile = await restarted.conversations.contact_profile((await restarted.get(stranger.conversation_id)).contact_id)
    assert [one.why for one in await restarted.conversations.same_person(profile, ("13955557788",))] == ["phone"]
    await again.close()


async def in_the_open(database: Database, table_name: str, column: str) -> None:
    """Write addresses as they were written before they were sealed."""
    table = metadata.tables[table_name]
    async with database.write() as connection:
        rows = (await connection.execute(select(table.c[column]).distinct())).scalars().all()
        for one in rows:
            plain = {column: type_coerce(one, Text)}
            await connection.execute(table.update().where(table.c[column] == one).values(plain))


async def test_what_was_erased_is_counted_and_left_alone(desk: TestDesk, clock: Clock) -> None:
    [first, *_] = await some_contacts(desk)
    contact_id = (await desk.get(first)).contact_id
    await execute(desk.database, "DELETE FROM contact_keys WHERE contact_id = :id", id=contact_id)
    desk.conversations.audit.forget(contact_id)
    done = Rotated()
    await KeyRotation(desk.database, now=clock, settle_seconds=0).change_keys(done)
    assert done.new_keys == 5
    assert done.unreadable >= 2
    assert (await desk.get(first)).contact_name is None


async def test_the_command_says_what_it_did(desk: TestDesk, place: str, capsys: pytest.CaptureFixture[str]) -> None:
    await some_contacts(desk)
    database = connect_again(place)
    await open_keys(database, (NEW, OLD))
    assert (await key_status(database))["in_use"] == {name_of(OLD): 7}
    said = await change_keys(database, False, print)
    assert said["wrapped"] == 7
    assert said["in_use"] == {name_of(NEW): 7}
    assert said["in_force"] == name_of(NEW)
    assert "7 keys wrapped anew" in capsys.readouterr().out
    json.dumps(said)
    await database.close()


async def test_a_restored_backup_needs_its_keys_and_forgets_who_was_erased(
    desk: TestDesk, place: str, clock: Clock, tmp_path: Path
) -> None:
    """F42, F50: a backup from before a rotation is read with the older key, and erasures are repeated on it."""
    from conversations.erasure_ledger import ErasureLedger, ListedErasure

    ids = await some_contacts(desk)
    contact_id = (await desk.get(ids[0])).contact_id
    async with desk.database.read() as connection:
        kept = (await connection.execute(select(contact_keys))).all()
    rotated = connect_again(place)
    await open_keys(rotated, (NEW, OLD))
    await KeyRotation(rotated).wrap_anew(Rotated())
    await rotated.close()
    async with desk.database.write() as connection:  # the backup is put back
        await connection.execute(contact_keys.delete())
        await connection.execute(contact_keys.insert(), [dict(row._mapping) for row in kept])
    with pytest.raises(KeysMissing):
        await read_by(place, clock, NEW)
    assert await read_by(place, clock, NEW, OLD) == WORDS
    ledger = ErasureLedger(tmp_path / "erasures.jsonl")
    ledger.note([ListedErasure(clock().isoformat(), (contact_id,), (ids[0],), ())])
    assert len(await desk.conversations.erase_again(ledger.read())) == 1
    async with desk.database.read() as connection:
        names = (await connection.execute(select(contacts.c.name))).scalars().all()
        assert (
            await connection.scalar(select(contact_keys.c.wrapped).where(contact_keys.c.contact_id == contact_id))
            is None
        )
    assert sorted(name for name in names if name) == [f"Name {number}" for number in range(1, 6)]
