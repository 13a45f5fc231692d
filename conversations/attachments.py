"""Keeps files that contacts and agents send, sealed, and signs links to them."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import io
import os
import re
import unicodedata
import zipfile
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from pathlib import Path

import structlog

from conversations.attachment_store import AttachmentStore
from conversations.errors import FileRefused, NotFound
from conversations.model import Attachment, new_id, utc_now
from conversations.pictures import FORMATS, redrawn
from conversations.sealing import Files, SealBroken
from conversations.store import Database
from failpoints import reach

log = structlog.get_logger()
MAX_BYTES = 10 * 1024 * 1024
#: What is accepted, by the extension its name gets.
TYPES = {
    "png": "image/png",
    "jpg": "image/jpeg",
    "gif": "image/gif",
    "webp": "image/webp",
    "pdf": "application/pdf",
    "txt": "text/plain",
    "csv": "text/csv",
    "docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "zip": "application/zip",
    "mp3": "audio/mpeg",
    "ogg": "audio/ogg",
    "amr": "audio/amr",
    "mp4": "video/mp4",
}
#: The types a browser may show in the page instead of saving them.
INLINE = frozenset({"image/png", "image/jpeg", "image/gif", "image/webp"})
_ALIASES = {"jpeg": "jpg", "m4v": "mp4", "log": "txt", "oga": "ogg"}
#: HEIC and AVIF: pictures in a container of films, which nothing here can draw anew without what a camera wrote into them.
_PICTURE_BRANDS = frozenset({b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1", b"avif", b"avis"})
_LONGEST_NAME = 120
_FILE_ID = re.compile(r"[0-9a-f]{32}")
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0e-\x1f\x7f-\x9f]")
_UNSAFE = re.compile(r'[\x00-\x1f\x7f<>:"/\\|?*\u200e\u200f\u202a-\u202e\u2066-\u2069]')


class Attachments:
    """Files in a directory, named by their id; what they are called is in the database."""

    max_bytes = MAX_BYTES

    def __init__(
        self,
        database: Database,
        directory: Path,
        secret: bytes,
        *,
        now: Callable[[], datetime] = utc_now,
        link_seconds: int = 3600,
        base_url: str = "",
    ) -> None:
        self._store = AttachmentStore(database)
        self._directory = directory
        self._secret = hmac.digest(secret, b"attachment links", "sha256")
        self._now = now
        self._link_seconds = link_seconds
        self._base_url = base_url.rstrip("/")
        # One picture at a time: many large ones at once would take the memory of the machine.
        self._drawing = ThreadPoolExecutor(1, thread_name_prefix="picture")

    async def save(self, owner: str, name: str, content: bytes) -> Attachment:
        """Keep a file for ``owner`` (an address or an agent); raises ``FileRefused`` for a type or size not accepted.

        Of a picture only what can be seen is kept.
        """
        if not content:
            raise FileRefused("file_empty", "the file is empty; choose another one")
        if len(content) > self.max_bytes:
            most = str(self.max_bytes // 1024 // 1024)
            raise FileRefused("file_too_large", f"the file is larger than {most} MiB; send a smaller one", most)
        extension = await asyncio.to_thread(sniff, content, name)
        if extension is None:
            taken = ", ".join(sorted(TYPES))
            raise FileRefused("file_type", f"files of this type are not accepted; send {taken}", taken)
        if extension in FORMATS:
            content = await asyncio.get_running_loop().run_in_executor(self._drawing, redrawn, content, extension)
        attachment = Attachment(new_id(), safe_name(name, extension), TYPES[extension], len(content))
        seal = await self._store.seal()
        await asyncio.to_thread(lambda: self._write(attachment.id, seal.seal(attachment.id, content)))
        reach("after_file_written")
        await self._store.add(attachment, owner, self._now())
        return attachment

    async def of_owner(self, owner: str, attachment_ids: Sequence[str]) -> tuple[Attachment, ...]:
        """The files with these ids in this order; raises ``NotFound`` unless all were brought by ``owner``."""
        found = await self._store.find(attachment_ids) if attachment_ids else {}
        files = [found.get(attachment_id) for attachment_id in attachment_ids]
        if any(file is None or file[1] != owner for file in files):
            raise NotFound("there is no such file; upload it again")
        return tuple(file[0] for file in files if file is not None)

    def signed_url(self, attachment: Attachment) -> str:
        """A link to the file that works for an hour."""
        expires = int(self._now().timestamp()) + self._link_seconds
        return f"{self._base_url}/files/{attachment.id}?t={expires}.{self._signature(attachment.id, expires)}"

    async def read(self, attachment_id: str, signature: str) -> tuple[Attachment, bytes]:
        """The file behind a signed link; raises ``NotFound`` for a wrong or outdated signature."""
        expires, _, given = signature.partition(".")
        number = int(expires) if expires.isascii() and expires.isdigit() and len(expires) < 12 else 0
        right = hmac.compare_digest(self._signature(attachment_id, number).encode(), given.encode("utf-8", "replace"))
        if not right or number < self._now().timestamp():
            raise NotFound("this link is wrong or has expired; open the conversation again")
        return await self.content(attachment_id)

    async def content(self, attachment_id: str) -> tuple[Attachment, bytes]:
        """A file for ourselves, such as a connector that uploads it; raises ``NotFound``."""
        found = (await self._store.find([attachment_id])).get(attachment_id)
        if found is None:
            raise NotFound("there is no such file")
        seal, path = await self._store.seal(), self._path(attachment_id)
        try:
            return found[0], await asyncio.to_thread(lambda: seal.open(attachment_id, path.read_bytes()))
        except FileNotFoundError:
            raise NotFound("the file was deleted") from None
        except SealBroken as error:
            log.error("file_unreadable", file_id=attachment_id, error=str(error))
            raise NotFound("the file was changed on the disk and cannot be opened") from None

    async def remove(self, attachment_id: str) -> None:
        """Delete a file for good; harmless when it is gone."""
        await self._store.remove(attachment_id)
        if _FILE_ID.fullmatch(attachment_id):
            await asyncio.to_thread(self._path(attachment_id).unlink, missing_ok=True)

    async def seal_older(self) -> int:
        """Seal what was kept before files were sealed, unless that was done before; returns how many files that were."""
        if await self._store.older_are_sealed():
            return 0
        seal, done = await self._store.seal(), 0
        for path in await asyncio.to_thread(lambda: sorted(self._directory.glob("??/*"))):
            if _FILE_ID.fullmatch(path.name) is None or not await asyncio.to_thread(_is_open, path):
                continue
            content = await asyncio.to_thread(path.read_bytes)
            await asyncio.to_thread(self._write, path.name, seal.seal(path.name, content))
            done += 1
            if not await self._store.find([path.name]):  # deleted meanwhile, which must not bring it back
                await asyncio.to_thread(path.unlink, missing_ok=True)
        await self._store.note_older_sealed(self._now())
        if done:
            log.info("older_files_sealed", files=done)
        return done

    def _path(self, attachment_id: str) -> Path:
        return self._directory / attachment_id[:2] / attachment_id

    def _write(self, attachment_id: str, content: bytes) -> None:
        path = self._path(attachment_id)
        if not path.parent.exists():
            path.parent.mkdir(parents=True, exist_ok=True)
            _to_disk(self._directory)
        part = path.with_suffix(f".{new_id()}.part")
        with part.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())  # the message that names it is acknowledged as safe
        part.replace(path)
        _to_disk(path.parent)

    def _signature(self, attachment_id: str, expires: int) -> str:
        return hmac.new(
            self._secret, f"{attachment_id}|{expires}".encode("utf-8", "replace"), hashlib.sha256
        ).hexdigest()


def _is_open(path: Path) -> bool:
    """Whether a file is from before they were sealed."""
    try:
        with path.open("rb") as file:
            return not Files.is_sealed(file.read(len(Files.MAGIC)))
    except FileNotFoundError:
        return False


def _to_disk(directory: Path) -> None:
    """Make the names in a folder outlive a power failure."""
    descriptor = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def sniff(content: bytes, name: str = "") -> str | None:
    """The extension of what the bytes are, whatever the name claims; None if it is not on the list."""
    for extension, start in (
        ("png", b"\x89PNG\r\n\x1a\n"),
        ("jpg", b"\xff\xd8\xff"),
        ("gif", b"GIF87a"),
        ("gif", b"GIF89a"),
        ("pdf", b"%PDF-"),
        ("ogg", b"OggS"),
        ("mp3", b"ID3"),
        ("amr", b"#!AMR"),
    ):
        if content.startswith(start):
            return extension
    if content[:4] == b"RIFF" and content[8:12] == b"WEBP":
        return "webp"
    if content[4:8] == b"ftyp":
        return None if content[8:12] in _PICTURE_BRANDS else "mp4"
    if content.startswith(b"PK\x03\x04"):
        return _sniff_zip(content)
    if len(content) > 2 and content[0] == 0xFF and content[1] in (0xFB, 0xF3, 0xF2, 0xFA):
        return "mp3"
    return _sniff_text(content, name)


def _sniff_zip(content: bytes) -> str | None:
    try:
        names = set(zipfile.ZipFile(io.BytesIO(content)).namelist())
    except (zipfile.BadZipFile, ValueError, OSError, NotImplementedError):
        return None
    if "[Content_Types].xml" not in names:
        return "zip"
    if any(name.lower().endswith("vbaproject.bin") for name in names):
        return None  # macros
    if "word/document.xml" in names:
        return "docx"
    return "xlsx" if "xl/workbook.xml" in names else None


def _sniff_text(content: bytes, name: str) -> str | None:
    for encoding in ("utf-8-sig", "gb18030"):
        try:
            text = content.decode(encoding)
        except UnicodeDecodeError:
            continue
        if _CONTROL.search(text):
            return None
        if re.match(r"\s*<(!doctype|html|\?xml|svg|script)", text, re.IGNORECASE):
            return None
        return "csv" if name.lower().endswith(".csv") else "txt"
    return None


def safe_name(name: str, extension: str) -> str:
    """A file name without paths and tricks, with the extension of what the file really is."""
    cleaned = _UNSAFE.sub("_", unicodedata.normalize("NFC", name.replace("\\", "/").rsplit("/", 1)[-1]))
    cleaned = cleaned.encode("utf-8", "replace").decode().strip(" ._")
    stem, dot, claimed = cleaned.rpartition(".")
    claimed = claimed.lower()
    if not dot or len(claimed) > 10:
        stem = cleaned
    elif _ALIASES.get(claimed, claimed) not in TYPES:
        stem = f"{stem}_{claimed}"
    return f"{stem[: _LONGEST_NAME - len(extension) - 1] or 'file'}.{extension}"
