"""Whoever gets hold of a backup: what docs/privacy.md calls sealed is nowhere in it in clear, and what is not is just there."""

from __future__ import annotations

import asyncio
import base64
import gzip
import io
import secrets
import sqlite3
import zipfile
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from sqlalchemy import select

import env_file
import settings as desk_settings
from connectors.base import Unreadable
from connectors.unreadables import FOLDER, Unreadables
from conversations.attachments import Attachments
from conversations.audit import AuditLog
from conversations.audit_check import CHECKPOINTS, Checkpoints, signing_key
from conversations.key_rotation import open_keys
from conversations.model import new_id, utc_now
from conversations.proactive import Proactive
from conversations.proactive_catalogue import Catalogue
from conversations.store import Database
from conversations.tables import messages
from crm.codes import MailboxCodeSender
from crm.store import SqlCrm
from crm.store import create_tables as create_crm_tables
from migrations.schema import migrate
from tests.conversations.builders import Clock, TestDesk, address, inbound
from tests.conversations.test_sealed_fields import NAME, NUMBER, PLANTED, a_life
from tests.tools.test_backup import Place, a_desk, remembers
from tools.archive import files_in, unpack
from tools.backup import back_up

#: What is planted where docs/privacy.md says "not sealed", and the files of a backup that hold it then.
OPEN = {
    "customer system": ("8613700001111", {"frontdesk.db"}),  # the number in a callback ticket
    "what could not be read": ("armadillo", {"unreadable"}),
}


@dataclass
class Desk:
    """A desk that is running while its backup is made."""

    place: Place
    settings: desk_settings.Settings
    database: Database
    life: TestDesk
    files: Attachments

    async def archive(self, to: Path) -> Path:
        checkpoints = Checkpoints(self.place.data / CHECKPOINTS, signing_key(self.place.data), utc_now)
        await checkpoints.write_if_due(self.database, at_once=True)
        return await asyncio.to_thread(back_up, self.settings, to)


@asynccontextmanager
async def running(folder: Path, **more: str) -> AsyncIterator[Desk]:
    place = a_desk(folder / "desk")
    values = env_file.read_env_file(place.data / "secrets.env")
    settings = desk_settings.load({**values, "DATA_DIR": str(place.data), **more})
    database = Database.open(settings.database_url)
    await migrate(database.engine)
    await create_crm_tables(database.engine)
    audit = AuditLog(await open_keys(database, settings.wrapping_keys))
    files = Attachments(database, place.data / "files", settings.key_for("file links"))
    try:
        yield Desk(place, settings, database, TestDesk(database, Clock(), audit=audit), files)
    finally:
        await database.close()


def contents(folder: Path) -> dict[str, bytes]:
    """Everything that an archive unpacks to, by file; what is packed once more is unpacked as well."""
    found = {}
    for path in files_in(folder):
        held = [path.read_bytes()]
        if held[0].startswith(b"\x1f\x8b"):
            held.append(gzip.decompress(held[0]))
        if zipfile.is_zipfile(io.BytesIO(held[0])):
            with zipfile.ZipFile(io.BytesIO(held[0])) as packed:
                held += [packed.read(name) for name in packed.namelist()]
        found[path.relative_to(folder).as_posix()] = b"\n".join(held).lower()
    return found


def written(word: str) -> Iterable[bytes]:
    """The ways in which a word may stand in a file."""
    plain = word.encode()
    yield plain.lower()
    yield word.encode("utf-16-le").lower()
    yield word.encode("unicode_escape").lower()
    yield plain.hex().encode()
    for shift in range(3):  # base64 has three ways to write what is inside of something
        inner = base64.b64encode(b"\0" * shift + plain)
        yield inner[4 if shift else 0 : len(inner) // 4 * 4 - 4].lower()


def places(held: dict[str, bytes], word: str) -> set[str]:
    return {name for name, content in held.items() for way in written(word) if len(way) > 3 and way in content}


def opened(archive: Path, folder: Path) -> dict[str, bytes]:
    unpack(archive, folder)
    return contents(folder)


async def test_nothing_that_is_sealed_is_in_a_backup_in_clear(tmp_path: Path) -> None:
    """F39: name, number, words, notes, reasons, ratings and traces of a whole life, with a log that is not written back."""
    async with running(tmp_path) as desk:
        profile = await a_life(desk.life)
        assert profile.name == NAME
        wal = desk.place.data / "frontdesk.db-wal"
        assert wal.stat().st_size > 0
        archive = await desk.archive(tmp_path / "backups")
    held = opened(archive, tmp_path / "opened")
    assert {"data/frontdesk.db", "data/audit/checkpoints.jsonl", "manifest.json"} <= held.keys()
    assert not [name for name in held if name.endswith(("-wal", "-shm"))]
    assert {word: places(held, word) for word in PLANTED if places(held, word)} == {}
    # It is all there, for whoever has the key.
    copy = Database.open(f"sqlite+aiosqlite:///{tmp_path / 'opened' / 'data' / 'frontdesk.db'}")
    await open_keys(copy, desk.settings.wrapping_keys)
    async with copy.read() as connection:
        said = (await connection.execute(select(messages.c.text))).scalars().all()
    await copy.close()
    assert any("parrot" in text for text in said)


async def test_whom_the_desk_tells_something_unasked_and_what_is_not_in_a_backup_in_clear(tmp_path: Path) -> None:
    """F39: an event may name somebody whom the desk does not know."""
    async with running(tmp_path) as desk:
        telling = Proactive(desk.life.conversations, Catalogue.read(None), key=b"k" * 32, public_url="http://desk")
        shipped = {"order": "KT20260301", "carrier": "flamingo"}
        told, _ = await telling.tell("shop", "k", "order_shipped", {"email": "toucan@example.com"}, shipped)
        assert (told.recipient["email"], told.facts["carrier"]) == ("toucan@example.com", "flamingo")
        archive = await desk.archive(tmp_path / "backups")
    held = opened(archive, tmp_path / "opened")
    assert {word: places(held, word) for word in ("flamingo", "toucan") if places(held, word)} == {}


async def test_a_key_that_is_kept_elsewhere_is_not_in_the_backup(tmp_path: Path) -> None:
    """F39: with FIELD_KEYS outside of DATA_DIR, the archive alone opens nothing."""
    key = secrets.token_hex(32)
    async with running(tmp_path, FIELD_KEYS=key) as desk:
        await a_life(desk.life)
        archive = await desk.archive(tmp_path / "backups")
    held = opened(archive, tmp_path / "opened")
    assert not [name for name, content in held.items() if key.encode() in content or bytes.fromhex(key) in content]
    assert places(held, desk.settings.secret_key) == {"data/secrets.env"}  # which is in every backup


async def test_what_is_not_sealed_is_exactly_where_the_docs_say(tmp_path: Path) -> None:
    async with running(tmp_path) as desk:
        data = desk.place.data
        file = await desk.files.save(str(address(NUMBER)), "pelican.txt", b"an ostrich in it")
        assert (await desk.files.content(file.id))[1] == b"an ostrich in it"
        await desk.life.conversations.receive(inbound("here it is", NUMBER, attachments=(file,)))
        remembers(desk.place, new_id(), "the walrus said")
        crm = SqlCrm(desk.database.engine, MailboxCodeSender(data / "demo_mailbox.jsonl"), b"k" * 32)
        await crm.open_callback_ticket("web:default:8613700001111", "en", (new_id(), "callback"))
        await Unreadables(data / FOLDER, utc_now).keep("webhook", "shop", Unreadable("an armadillo", "no JSON"))
        archive = await desk.archive(tmp_path / "backups")
    held = opened(archive, tmp_path / "opened")
    found = {
        what: {name.removeprefix("data/").partition("/")[0] for name in places(held, word)}
        for what, (word, _) in OPEN.items()
    }
    assert found == {what: where for what, (_, where) in OPEN.items()}
    assert places(held, NUMBER[-9:]) == set()  # whose file it is stays sealed
    assert places(held, "pelican") == set()  # and what it is called
    assert places(held, "ostrich") == set()  # and what is in it


@pytest.mark.parametrize("word", ["parrot", "鹦鹉"])
def test_the_search_would_find_a_word_however_it_is_written(tmp_path: Path, word: str) -> None:
    """A test that finds nothing has to be able to find something."""
    said = f"my {word} swallowed it"
    (tmp_path / "plain").write_text(said)
    (tmp_path / "wide").write_text(said, encoding="utf-16-le")
    (tmp_path / "json").write_bytes(said.encode("unicode_escape"))
    (tmp_path / "hex").write_text(said.encode().hex())
    (tmp_path / "packed.gz").write_bytes(gzip.compress(said.encode()))
    with zipfile.ZipFile(tmp_path / "packed.zip", "w", zipfile.ZIP_DEFLATED) as packed:
        packed.writestr("a", said * 3)
    for shift in range(3):
        (tmp_path / f"base64-{shift}").write_bytes(base64.b64encode(b"x" * shift + said.encode()))
    connection = sqlite3.connect(tmp_path / "base.db")
    connection.execute("CREATE TABLE t (a TEXT)")
    connection.execute("INSERT INTO t VALUES (?)", (said,))
    connection.commit()
    connection.close()
    assert places(contents(tmp_path), word) == {path.name for path in tmp_path.iterdir()}
