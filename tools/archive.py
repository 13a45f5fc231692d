"""The file format of backups: a tar with a manifest that knows the checksum of everything else in it."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import os
import shutil
import tarfile
from dataclasses import asdict, dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any

MANIFEST = "manifest.json"
FORMAT = 1
_CHUNK = 1024 * 1024


class BadArchive(Exception):
    """A backup cannot be used; the message says why and what to do, in both languages."""


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a backup holds."""

    made_at: str
    files: dict[str, str]  #: path in the data folder -> SHA-256
    models: dict[str, str] = field(default_factory=dict)  #: the bot's models, which are not in it -> SHA-256
    audit: dict[str, Any] = field(default_factory=dict)  #: entries, and hash of the last one
    database: str = "sqlite"  #: where it is; a server's is not in the archive
    format: int = FORMAT


def digest_of(path: Path) -> str:
    """SHA-256 of a file."""
    sums = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK):
            sums.update(chunk)
    return sums.hexdigest()


def files_in(folder: Path) -> list[Path]:
    """Every file under a folder, in a fixed order."""
    return sorted(path for path in folder.rglob("*") if path.is_file() and not path.is_symlink())


def pack(folder: Path, archive: Path, **about: Any) -> Manifest:
    """Write a folder into an archive that only its owner may read; it is on the disk, or not there, when this returns."""
    files = {path.relative_to(folder).as_posix(): digest_of(path) for path in files_in(folder)}
    manifest = Manifest(files=files, **about)
    body = json.dumps(asdict(manifest), indent=1, sort_keys=True).encode()
    part = archive.with_suffix(".part")
    part.parent.mkdir(parents=True, exist_ok=True)
    with open(os.open(part, os.O_CREAT | os.O_WRONLY | os.O_TRUNC, 0o600), "wb") as file:
        # Without a name and a time in its head, which no checksum covers.
        with (
            gzip.GzipFile("", "wb", 1, file, mtime=0) as zipped,
            tarfile.open(fileobj=zipped, mode="w") as tar,
        ):
            for name, content in ((MANIFEST, body), (f"{MANIFEST}.sha256", hashlib.sha256(body).hexdigest().encode())):
                entry = tarfile.TarInfo(name)
                entry.size = len(content)
                tar.addfile(entry, io.BytesIO(content))
            for name in files:
                tar.add(folder / name, arcname=f"data/{name}")
        file.flush()
        os.fsync(file.fileno())
    part.replace(archive)
    directory = os.open(archive.parent, os.O_RDONLY)
    try:
        os.fsync(directory)
    finally:
        os.close(directory)
    return manifest


def unpack(archive: Path, folder: Path) -> Manifest:
    """Take an archive apart into a folder and compare every checksum; raises ``BadArchive``."""
    try:
        with gzip.open(archive) as whole:  # to its end, where its own checksum is: reading a tar stops before
            while whole.read(_CHUNK):
                pass
        with tarfile.open(archive, mode="r:gz") as tar:
            _take_out(tar, folder, archive)
        body = (folder / MANIFEST).read_bytes()
        signed = (folder / f"{MANIFEST}.sha256").read_text()
        if hashlib.sha256(body).hexdigest() != signed:
            raise BadArchive(_damaged(archive, MANIFEST))
        manifest = Manifest(**json.loads(body))
    except FileNotFoundError as error:
        if not archive.exists():
            raise BadArchive(f"There is no file {archive}. 没有文件 {archive}。") from None
        raise BadArchive(_damaged(archive, str(error.filename))) from None
    except BadArchive:
        raise
    except (tarfile.TarError, OSError, EOFError, ValueError, TypeError) as error:
        raise BadArchive(_damaged(archive, f"{type(error).__name__}")) from None
    except Exception as error:  # zlib.error has no other base
        raise BadArchive(_damaged(archive, f"{type(error).__name__}")) from None
    if manifest.format > FORMAT:
        raise BadArchive(
            f"{archive} was made by a newer Frontdesk (format {manifest.format}); update first. "
            f"{archive} 由更新版本的前台生成（格式 {manifest.format}），请先升级。"
        )
    found = {path.relative_to(folder / "data").as_posix() for path in files_in(folder / "data")}
    wrong = found ^ set(manifest.files)
    wrong |= {name for name in found & set(manifest.files) if digest_of(folder / "data" / name) != manifest.files[name]}
    if wrong:
        raise BadArchive(_damaged(archive, sorted(wrong)[0]))
    return manifest


def _take_out(tar: tarfile.TarFile, folder: Path, archive: Path) -> None:
    """Write plain files below the folder, readable by their owner only; anything else was not packed by us."""
    for member in tar:
        path = PurePosixPath(member.name)
        content = tar.extractfile(member) if member.isfile() else None
        if content is None or path.is_absolute() or ".." in path.parts:
            raise BadArchive(_damaged(archive, member.name[:100]))
        target = folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        with content, target.open("xb") as file:
            shutil.copyfileobj(content, file, _CHUNK)
        target.chmod(member.mode & 0o700)


def _damaged(archive: Path, part: str) -> str:
    return (
        f"{archive} is damaged ({part}); nothing was restored. Use another backup. "
        f"{archive} 已损坏（{part}），未恢复任何内容，请换一个备份。"
    )
