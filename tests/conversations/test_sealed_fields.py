"""Whoever has the database, its log or a backup without the keys reads nobody's name, number or words in it."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import Text, cast, select, text, type_coerce
from sqlalchemy.exc import StatementError

from conversations.attachment_store import AttachmentStore
from conversations.audit import AuditLog
from conversations.contact_model import ContactProfile
from conversations.model import Attachment, new_id
from conversations.sealing import SealBroken, is_sealed
from conversations.sealing_store import SealingStore
from conversations.store import Database
from conversations.tables import contacts, conversations, messages, metadata
from tests.conversations.builders import LIN, Clock, TestDesk, address, hands_off, inbound, says
from tests.conversations.conftest import connect_again
from tests.conversations.test_audit import execute

NAME, NUMBER, MAIL = "Wilhelmina Achterberg", "8613955557788", "wilhelmina@achterberg.example"
FILE = "cockatoo receipt 凤头鹦哥.pdf"
NOTE, WORDS, COMMENT, REASON = (
    "prefers mornings",
    "my parrot swallowed the charger",
    "quite marvellous",
    "waits for the veterinarian",
)
PLANTED = (
    *NAME.split(),
    NUMBER[-9:],
    "achterberg.example",
    "mornings",
    "parrot",
    "marvellous",
    "veterinarian",
    "阿赫特贝格",
    "鹦鹉，我是",  # two characters are so few bytes that what is sealed holds them by chance
    "cockatoo",
    "凤头鹦哥",
)


async def a_life(desk: TestDesk) -> ContactProfile:
    """A contact of whom everything is known that the desk keeps of contacts."""
    receipt = await desk.send(WORDS, NUMBER, contact_name=NAME)
    await desk.answer(says(f"poor thing: {WORDS}", customer_id="C1"))
    file = Attachment(new_id(), FILE, "application/pdf", 4096)
    await AttachmentStore(desk.database).add(file, str(address(NUMBER)), desk.clock())
    await desk.send(f"鹦鹉，我是阿赫特贝格, write to {MAIL}", NUMBER, contact_name=NAME, attachments=(file,))
    await desk.answer(hands_off())
    desk.open = False
    await desk.send("please", MAIL, contact_name=NAME)
    await desk.answer(hands_off())
    await desk.send(MAIL, MAIL)
    desk.open = True
    await desk.conversations.assign(receipt.conversation_id, LIN, over_capacity=True)
    await desk.conversations.snooze(receipt.conversation_id, LIN, desk.clock() + timedelta(hours=1), REASON)
    await desk.conversations.resolve(receipt.conversation_id, LIN)
    await desk.conversations.rate(address(NUMBER), receipt.conversation_id, 5, COMMENT)
    known = await desk.conversations.contact_profile((await desk.get(receipt.conversation_id)).contact_id)
    return await desk.conversations.edit_contact(known.id, LIN, known.revision, {"note": NOTE})


async def every_cell(database: Database) -> dict[str, str]:
    """By table and column, everything that is stored there as text, unopened."""
    found = {}
    async with database.read() as connection:
        for table in metadata.sorted_tables:
            for column in table.c:
                values = await connection.execute(select(cast(type_coerce(column, Text), Text)).select_from(table))
                found[f"{table.name}.{column.name}"] = "\n".join(str(value) for value in values.scalars())
    return found


async def test_nothing_that_was_planted_is_in_any_column(desk: TestDesk) -> None:
    """F39: what a dump of the database holds."""
    await a_life(desk)
    cells = await every_cell(desk.database)
    told = {
        f"{place} holds {word}" for place, held in cells.items() for word in PLANTED if word.lower() in held.lower()
    }
    assert not told
    assert all(map(is_sealed, cells["messages.text"].split("\n")))


async def test_neither_the_file_nor_its_log_holds_anything(sqlite_template: Path, tmp_path: Path, clock: Clock) -> None:
    """F39: what a stolen disk holds, the pages that are free included."""
    path = Path(shutil.copy(sqlite_template, tmp_path / "desk.db"))
    database = connect_again(f"sqlite+aiosqlite:///{path}")
    profile = await a_life(TestDesk(database, clock))
    held = b"".join(file.read_bytes() for file in path.parent.glob(f"{path.name}*"))
    assert len(held) > 100_000
    assert profile.name == NAME
    assert [word for word in PLANTED if word.encode() in held] == []
    await database.close()


async def test_everything_is_read_as_it_was_written(desk: TestDesk) -> None:
    profile = await a_life(desk)
    assert (profile.name, profile.note) == (NAME, NOTE)
    assert [one.address for one in profile.addresses] == [address(NUMBER)]
    page, _ = await desk.conversations.history([profile.id])
    assert page[0].first_words == WORDS
    assert page[0].rating is not None
    assert page[0].rating.comment == COMMENT
    there = await desk.conversations.find_current(address(MAIL))
    assert there is not None
    assert there.contact_point == MAIL
    assert there.contact_name == NAME
    [first, _, second, *_] = await desk.conversations.messages(page[0].conversation.id)
    assert (first.text, first.author_name) == (WORDS, NAME)
    [file] = second.attachments
    assert (file.name, file.size) == (FILE, 4096)
    kept, owner = (await AttachmentStore(desk.database).find([file.id]))[file.id]
    assert (kept, owner) == (file, str(address(NUMBER)))


@pytest.mark.parametrize(
    "swap",
    [
        "UPDATE contacts SET name = (SELECT name FROM contacts WHERE id = :other) WHERE id = :own",
        "UPDATE contacts SET name = note WHERE id = :own",
        "UPDATE contacts SET name = (SELECT text FROM messages WHERE author = 'contact' LIMIT 1) WHERE id = :own",
    ],
    ids=["row", "column", "table"],
)
async def test_a_value_that_was_moved_is_refused(desk: TestDesk, swap: str) -> None:
    """F39: ciphertexts are exchanged between rows, columns and tables of the database."""
    own = await a_life(desk)
    receipt = await desk.send("hello", "somebody", contact_name="Somebody Else")
    other = (await desk.get(receipt.conversation_id)).contact_id
    given = {"own": own.id, "other": other}
    await execute(desk.database, swap, **{name: given[name] for name in given if f":{name}" in swap})
    with pytest.raises(SealBroken, match="not sealed for that place"):
        await desk.conversations.contact_profile(own.id)
    assert (await desk.conversations.contact_profile(other)).name == "Somebody Else"


async def test_messages_of_one_contact_cannot_change_places(desk: TestDesk) -> None:
    """F39: two ciphertexts of the same contact, in the same column, are exchanged."""
    first, second = await desk.send("I agree", "ann"), await desk.send("I refuse", "ann")
    query = "UPDATE messages SET text = (SELECT text FROM messages WHERE id = :theirs) WHERE id = :mine"
    await execute(desk.database, query, theirs=first.message_id, mine=second.message_id)
    with pytest.raises(SealBroken, match=r"messages\.text"):
        await desk.conversations.messages(first.conversation_id)


async def test_a_column_of_sealed_values_takes_nothing_else(desk: TestDesk) -> None:
    profile = await a_life(desk)
    with pytest.raises(StatementError, match="takes only what is sealed"):
        async with desk.database.write() as connection:
            await connection.execute(contacts.update().where(contacts.c.id == profile.id).values(name="Openly"))
    with pytest.raises(StatementError, match="takes only what is sealed"):
        async with desk.database.read() as connection:  # which could find nothing
            await connection.execute(select(contacts.c.id).where(contacts.c.name == NAME))


async def test_another_key_reads_nothing(desk: TestDesk, place: str, clock: Clock) -> None:
    """F39: the database without the key that wraps its keys."""
    await a_life(desk)
    stolen = connect_again(place)
    thief = TestDesk(stolen, clock, audit=AuditLog(b"o" * 32))
    with pytest.raises(SealBroken, match="SECRET_KEY"):
        await thief.conversations.find_current(address(NUMBER))
    await stolen.close()


async def test_erasing_a_contact_leaves_nothing_that_a_backup_could_open(desk: TestDesk) -> None:
    """F42: the rows of a backup are put back, but the contact's key is destroyed."""
    profile = await a_life(desk)
    async with desk.database.read() as connection:
        name = await connection.scalar(select(type_coerce(contacts.c.name, Text)).where(contacts.c.id == profile.id))
        theirs = select(conversations.c.id).where(conversations.c.contact_id == profile.id)
        first = select(messages.c.id, type_coerce(messages.c.text, Text)).where(messages.c.conversation_id.in_(theirs))
        said = (await connection.execute(first.limit(1))).one()
    assert name is not None
    await finish_all(desk)
    await desk.conversations.erase_contact(profile.id, LIN)
    await execute(desk.database, "UPDATE contacts SET name = :name WHERE id = :id", name=name, id=profile.id)
    await execute(desk.database, "UPDATE messages SET text = :text WHERE id = :id", text=said[1], id=said[0])
    again = await desk.conversations.contact_profile(profile.id)
    assert again.name is None
    async with desk.database.read() as connection:
        assert (await connection.execute(select(messages.c.text).where(messages.c.id == said[0]))).scalar() == ""
        assert await SealingStore(connection).find_keys(profile.id) is None


async def finish_all(desk: TestDesk) -> None:
    async with desk.database.read() as connection:
        open_ones = select(conversations.c.id).where(conversations.c.status != "resolved")
        ids: Sequence[str] = list((await connection.execute(open_ones)).scalars())
    for one in ids:
        await desk.conversations.assign(one, LIN, over_capacity=True)
        await desk.conversations.resolve(one, LIN)


async def test_contacts_are_found_by_name_number_and_parts_of_them(desk: TestDesk) -> None:
    profile = await a_life(desk)
    for asked in (NAME, "wilhelmina", "achter", NUMBER, "139 5555 7788", "7788", NUMBER[:6]):
        found = await desk.conversations.search_contacts(asked, [], "")
        assert profile.id in [one.profile.id for one in found], asked
    assert await desk.conversations.search_contacts("willem", [], "") == []
    zh = await desk.send("hi", "visitor-zh", contact_name="欧阳娜娜")
    contact_id = (await desk.get(zh.conversation_id)).contact_id
    for asked in ("欧", "欧阳", "阳娜娜", "欧阳娜娜"):
        assert [one.profile.id for one in await desk.conversations.search_contacts(asked, [], "")] == [contact_id], (
            asked
        )


async def test_the_same_person_is_found_by_a_number_however_it_is_written(desk: TestDesk) -> None:
    profile = await a_life(desk)
    mail = await desk.conversations.find_current(address(MAIL))
    assert mail is not None
    other = await desk.send("it is me", "web-1", contact_name="wilhelmina  ACHTERBERG")
    assert [one.why for one in await desk.conversations.likely_duplicates(other.conversation_id)].count("name") == 2
    written = await desk.conversations.contact_profile((await desk.get(other.conversation_id)).contact_id)
    found = await desk.conversations.same_person(written, ("+86 139-5555-7788", "Wilhelmina@Achterberg.example"))
    assert {one.profile.id: one.why for one in found} == {profile.id: "phone", mail.contact_id: "email"}


async def test_the_keys_of_a_contact_stay_with_what_they_sealed_when_contacts_merge(desk: TestDesk) -> None:
    """Erasing the one that was separated again must not take the other's words."""
    bo = await desk.conversations.receive(inbound("words of Bo", "bo", contact_name="Bo"))
    ann = await desk.conversations.receive(inbound("words of Ann", "ann", contact_name="Ann"))
    await desk.answer()
    ids = [(await desk.get(one.conversation_id)).contact_id for one in (bo, ann)]
    merge = await desk.conversations.merge_contacts(*ids, LIN)
    await desk.send("more of Bo", "bo")
    await desk.answer()
    await desk.conversations.separate_contacts(merge.id, LIN)
    await finish_all(desk)
    await desk.conversations.erase_contact(ids[1], LIN)
    assert [text for text in await desk.said(bo.conversation_id) if "Bo" in text] == ["words of Bo", "more of Bo"]
    assert (await desk.conversations.contact_profile(ids[0])).name == "Bo"


async def test_a_database_without_keys_says_so(desk: TestDesk, place: str) -> None:
    await a_life(desk)
    bare = Database.open(place) if place.startswith("sqlite") else Database(connect_again(place).engine)
    if place.startswith("sqlite"):
        with pytest.raises(SealBroken, match="without keys"):
            async with bare.read() as connection:
                (await connection.execute(select(contacts.c.name))).all()
    async with bare.read() as connection:
        assert (await connection.execute(text("SELECT count(*) FROM contacts"))).scalar() == 2
    await bare.close()
