"""Backups hold what was acknowledged, notice every changed bit, and bring nobody back who was erased."""

from __future__ import annotations

import asyncio
import gzip
import io
import random
import re
import sqlite3
import tarfile
import zlib
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import pytest
from sqlalchemy import select

import data_lock
import env_file
import settings as desk_settings
from conversations import audit_check
from conversations.attachments import Attachments
from conversations.audit import AuditLog
from conversations.audit_check import Checkpoints, signing_key
from conversations.conversations import Conversations
from conversations.erasure_ledger import ErasureLedger
from conversations.hub import LocalHub
from conversations.key_rotation import open_keys
from conversations.model import Agent, utc_now
from conversations.store import Database
from conversations.tables import messages
from migrations.schema import migrate
from tests.conversations.builders import address, inbound
from tools import restore as restore_tool
from tools.archive import BadArchive, files_in
from tools.backup import back_up
from tools.restore import ERASES, restore

Result = TypeVar("Result")
ADMIN = Agent("agent-admin", "Ada")


@dataclass
class Place:
    """A desk's data folder, and what is done in it."""

    data: Path

    @property
    def settings(self) -> desk_settings.Settings:
        values = env_file.read_env_file(self.data / "secrets.env")
        return desk_settings.load({**values, "DATA_DIR": str(self.data)})

    @property
    def ledger(self) -> Path:
        return self.data / "erasures.jsonl"

    def does(self, work: Callable[[Conversations, Attachments], Awaitable[Result]]) -> Result:
        """Work on the desk's database, as the service would."""

        async def run() -> Result:
            settings = self.settings
            database = Database.open(settings.database_url)
            await migrate(database.engine)
            conversations = Conversations(
                database, LocalHub(), AuditLog(await open_keys(database, settings.wrapping_keys))
            )
            conversations.erasure_ledger = ErasureLedger(self.ledger)
            files = Attachments(database, self.data / "files", settings.key_for("file links"))
            try:
                done = await work(conversations, files)
                checkpoints = Checkpoints(self.data / audit_check.CHECKPOINTS, signing_key(self.data), utc_now)
                await checkpoints.write_if_due(database, at_once=True)
                return done
            finally:
                await database.close()

        return asyncio.run(run())

    def writes(self, *texts: str, contact: str = "visitor-1") -> str:
        """A contact writes, with a file each time; returns the contact's id."""

        async def work(conversations: Conversations, files: Attachments) -> str:
            conversation_id = ""
            for text in texts:
                file = await files.save(str(address(contact)), "note.txt", f"attached {text}".encode())
                receipt = await conversations.receive(inbound(text, contact, attachments=(file,)))
                conversation_id = receipt.conversation_id
            return (await conversations.get_conversation(conversation_id)).contact_id

        return self.does(work)

    def erases(self, contact_id: str) -> None:
        async def work(conversations: Conversations, files: Attachments) -> None:
            for file in await conversations.erase_contact(contact_id, ADMIN):
                await files.remove(file)

        self.does(work)

    def texts(self) -> list[str]:
        async def work(conversations: Conversations, _files: Attachments) -> list[str]:
            async with conversations.database.read() as connection:
                said = select(messages.c.text).where(messages.c.author == "contact").order_by(messages.c.created_at)
                return list((await connection.execute(said)).scalars())

        return self.does(work)

    def attached(self) -> list[bytes]:
        """What is in the files that contacts sent, in the order of their messages."""

        async def work(conversations: Conversations, files: Attachments) -> list[bytes]:
            async with conversations.database.read() as connection:
                said = (
                    select(messages.c.attachments).where(messages.c.author == "contact").order_by(messages.c.created_at)
                )
                listed = (await connection.execute(said)).scalars().all()
            return [(await files.content(one["id"]))[1] for brought in listed for one in brought or ()]

        return self.does(work)

    def verdict(self) -> int:
        paths = (self.data / audit_check.CHECKPOINTS, self.data / audit_check.PUBLIC_KEY)
        return asyncio.run(
            audit_check.verify_files(f"sqlite+aiosqlite:///{self.data / 'frontdesk.db'}", *paths)
        ).exit_code

    def holds(self, words: str) -> list[str]:
        """Files in which these bytes are, anywhere."""
        found = [path for path in files_in(self.data) if words.encode() in path.read_bytes()]
        return [path.relative_to(self.data).as_posix() for path in found if "backups" not in path.parts]


def a_desk(data: Path) -> Place:
    env_file.ensure_secrets(data)
    (data / "knowledge" / "index-1").mkdir(parents=True)
    (data / "knowledge" / "index-1" / "segment").write_bytes(bytes(range(256)) * 20)
    (data / "models").mkdir()
    (data / "models" / "model.tar.gz").write_bytes(b"a model")
    return Place(data)


def remembers(place: Place, conversation_id: str, words: str) -> None:
    """The bot's tracker holds what was said."""
    connection = sqlite3.connect(place.data / "bot.db")
    connection.execute("CREATE TABLE IF NOT EXISTS events (id INTEGER PRIMARY KEY, sender_id TEXT, data TEXT)")
    connection.execute("INSERT INTO events (sender_id, data) VALUES (?, ?)", (conversation_id, words))
    connection.commit()
    connection.close()


@pytest.fixture
def desk(tmp_path: Path) -> Place:
    place = a_desk(tmp_path / "desk")
    place.writes("first", "second")
    return place


def test_a_fresh_machine_gets_everything_back(desk: Place, tmp_path: Path) -> None:
    """F50: restore drill on an empty folder."""
    archive = back_up(desk.settings, tmp_path / "backups")
    fresh = Place(tmp_path / "fresh")
    manifest, again, aside = restore(archive, fresh.data, fresh.ledger, force=False, erasures="none")
    assert (again, aside) == (0, None)
    assert fresh.texts() == ["first", "second"]
    assert fresh.verdict() == 0
    assert fresh.attached() == desk.attached() == [b"attached first", b"attached second"]
    assert (fresh.data / "knowledge/index-1/segment").read_bytes() == bytes(range(256)) * 20
    assert fresh.settings.secret_key == desk.settings.secret_key
    assert list(manifest.models) == ["model.tar.gz"]
    assert not (fresh.data / "models").exists()
    fresh.writes("third")
    assert fresh.texts() == ["first", "second", "third"]
    assert fresh.verdict() == 0


def test_a_backup_is_made_while_contacts_write(desk: Place, tmp_path: Path) -> None:
    """F50: what was acknowledged before the backup began is in it, whatever is written meanwhile."""

    async def work(conversations: Conversations, _files: Attachments) -> tuple[int, Path]:
        async def write() -> int:
            count = 0
            while not done.is_set():
                await conversations.receive(inbound(f"meanwhile {count}", "visitor-2"))
                count += 1
                await asyncio.sleep(0)
            return count

        done = asyncio.Event()
        writing = asyncio.create_task(write())
        archive = await asyncio.to_thread(back_up, desk.settings, tmp_path / "backups")
        done.set()
        return await writing, archive

    count, archive = desk.does(work)
    assert count > 0
    fresh = Place(tmp_path / "fresh")
    restore(archive, fresh.data, fresh.ledger, force=False, erasures="none")
    assert fresh.texts()[:2] == ["first", "second"]
    assert fresh.verdict() == 0


def test_a_backup_can_be_read_by_its_owner_only(desk: Place, tmp_path: Path) -> None:
    assert back_up(desk.settings, tmp_path / "backups").stat().st_mode & 0o077 == 0


def test_one_changed_bit_anywhere_in_a_backup_is_noticed(desk: Place, tmp_path: Path) -> None:
    """F13: a bit flip in a backup is never restored."""
    archive = back_up(desk.settings, tmp_path / "backups")
    sound, chance = archive.read_bytes(), random.Random(13)
    damaged = tmp_path / "damaged.tar.gz"
    for number in range(60):
        place = chance.randrange(10, len(sound))  # before that gzip names the system it was made on
        changed = bytearray(sound)
        changed[place] ^= 1 << chance.randrange(8)
        if unzipped(bytes(changed)) == gzip.decompress(sound):
            continue  # bits that fill up a byte mean nothing
        damaged.write_bytes(changed)
        target = tmp_path / f"target-{number}"
        with pytest.raises(BadArchive, match="damaged"):
            restore(damaged, target, target / "erasures.jsonl", force=False, erasures="none")
        assert not (target / "frontdesk.db").exists()


def unzipped(archive: bytes) -> bytes | None:
    try:
        return gzip.decompress(archive)
    except (OSError, EOFError, zlib.error):
        return None


def test_half_a_backup_is_no_backup(desk: Place, tmp_path: Path) -> None:
    archive = back_up(desk.settings, tmp_path / "backups")
    archive.write_bytes(archive.read_bytes()[:-200])
    with pytest.raises(BadArchive, match="damaged"):
        restore(archive, tmp_path / "x", tmp_path / "x/erasures.jsonl", force=False, erasures="none")


@pytest.mark.parametrize("name", ["../outside", "/tmp/outside", "data/../../outside"])
def test_an_archive_that_writes_elsewhere_is_refused(tmp_path: Path, name: str) -> None:
    archive, target = tmp_path / "hostile.tar.gz", tmp_path / "target"
    with tarfile.open(archive, "w:gz") as tar:
        entry = tarfile.TarInfo(name)
        entry.size = 3
        tar.addfile(entry, io.BytesIO(b"bad"))
    with pytest.raises(BadArchive, match="damaged"):
        restore(archive, target, target / "erasures.jsonl", force=False, erasures="none")
    assert not (tmp_path / "outside").exists()


def test_a_backup_of_a_damaged_database_is_refused(desk: Place, tmp_path: Path) -> None:
    connection = sqlite3.connect(desk.data / "frontdesk.db")
    connection.execute("UPDATE audit_entries SET body = replace(body, 'opened', 'closed') WHERE n = 1")
    connection.commit()
    connection.close()
    with pytest.raises(BadArchive, match="audit trail does not hold"):
        back_up(desk.settings, tmp_path / "backups")
    assert not list((tmp_path / "backups").glob("*.tar.gz"))


def test_nothing_is_restored_over_a_running_desk(desk: Place, tmp_path: Path) -> None:
    archive = back_up(desk.settings, tmp_path / "backups")
    lock = data_lock.hold(desk.settings.database_url)
    assert lock is not None
    with pytest.raises(BadArchive, match="is running"):
        restore(archive, desk.data, desk.ledger, force=True, erasures="none")
    lock.close()


def test_what_is_there_is_replaced_only_by_force_and_then_kept_aside(desk: Place, tmp_path: Path) -> None:
    archive = back_up(desk.settings, tmp_path / "backups")
    desk.writes("after the backup")
    with pytest.raises(BadArchive, match="FORCE=1"):
        restore(archive, desk.data, desk.ledger, force=False, erasures="")
    assert len(desk.texts()) == 3
    _, _, aside = restore(archive, desk.data, desk.ledger, force=True, erasures="")
    assert desk.texts() == ["first", "second"]
    assert aside is not None
    assert Place(aside).texts() == ["first", "second", "after the backup"]
    assert (desk.data / "models" / "model.tar.gz").exists()


def test_who_was_erased_after_the_backup_does_not_come_back(desk: Place, tmp_path: Path) -> None:
    """F42, F50: yesterday's backup, today's erasure."""
    erased = desk.writes("my secret illness", contact="visitor-9")
    connection = sqlite3.connect(desk.data / "frontdesk.db")
    [(conversation_id,)] = connection.execute("SELECT id FROM conversations WHERE contact_id = ?", (erased,)).fetchall()
    connection.close()
    remembers(desk, conversation_id, "my secret illness")
    remembers(desk, "somebody-else", "a harmless question")
    archive = back_up(desk.settings, tmp_path / "backups")
    desk.erases(erased)
    _, again, _ = restore(archive, desk.data, desk.ledger, force=True, erasures="")
    assert again == 1
    assert desk.holds("secret illness") == []
    assert desk.holds("visitor-9") == []
    assert len([path for path in (desk.data / "files").rglob("*") if path.is_file()]) == len(desk.attached()) == 2
    assert desk.holds("a harmless question") == ["bot.db"]
    assert desk.texts() == ["first", "second", ""]
    assert desk.verdict() == 0
    _, again, _ = restore(archive, desk.data, desk.ledger, force=True, erasures="")
    assert again == 1, "the list of erasures must outlive a restore"


def test_a_fresh_machine_asks_for_the_list_of_erasures(desk: Place, tmp_path: Path) -> None:
    """F42: without the list nobody can know who must not come back."""
    erased = desk.writes("my secret illness", contact="visitor-9")
    archive = back_up(desk.settings, tmp_path / "backups")
    desk.erases(erased)
    fresh = Place(tmp_path / "fresh")
    with pytest.raises(BadArchive, match="ERASURES"):
        restore(archive, fresh.data, fresh.ledger, force=False, erasures="")
    assert not (fresh.data / "frontdesk.db").exists()
    _, again, _ = restore(archive, fresh.data, fresh.ledger, force=False, erasures=str(desk.ledger))
    assert again == 1
    assert fresh.holds("secret illness") == []
    assert fresh.verdict() == 0
    assert ErasureLedger(fresh.ledger).read() == ErasureLedger(desk.ledger).read()


def test_a_torn_line_of_the_ledger_spoils_no_other(tmp_path: Path) -> None:
    ledger = ErasureLedger(tmp_path / "erasures.jsonl")
    assert ledger.read() == []
    desk = a_desk(tmp_path / "desk")
    desk.erases(desk.writes("one"))
    [erasure] = ErasureLedger(desk.ledger).read()
    ledger.note([erasure])
    with ledger.path.open("a") as file:
        file.write('{"at":"2026')
    ledger.note([erasure])
    assert ledger.read() == [erasure, erasure]


def test_restoring_repeats_an_erasure_in_every_room_that_keeps_something_of_contacts() -> None:
    keepers = {
        path.relative_to(desk_settings.ROOT).with_suffix("").as_posix().replace("/", ".")
        for room in ("conversations", "handoff", "learning", "reporting", "reviewing")
        for path in (Path(desk_settings.ROOT) / room).rglob("*_store.py")
        if re.search(r"^async def erase\(connection", path.read_text(), re.MULTILINE)
    }
    assert {one.__module__ for one in ERASES} == keepers


def test_no_desk_starts_on_a_folder_that_is_being_restored(
    desk: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    archive = back_up(desk.settings, tmp_path / "backups")
    desk.writes("third")
    could_start: list[bool] = []
    put_in_place = restore_tool.put_in_place

    def meanwhile(unpacked: Path, data: Path) -> Any:
        lock = data_lock.hold(desk.settings.database_url)  # as the start of a desk does
        could_start.append(lock is not None)
        if lock is not None:
            lock.close()
        return put_in_place(unpacked, data)

    monkeypatch.setattr(restore_tool, "put_in_place", meanwhile)
    restore_tool.restore(archive, desk.data, desk.ledger, force=True, erasures="")
    assert could_start == [False]
    lock = data_lock.hold(desk.settings.database_url)
    assert lock is not None
    lock.close()
