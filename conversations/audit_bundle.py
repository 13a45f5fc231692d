"""A part of the audit trail, or all of it, as one signed .zip that somebody else can check without this desk.

What a bundle proves, and what it does not, is in docs/audit.md; ``verify_bundle.py`` lies in it and checks it.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import io
import json
import zipfile
from array import array
from bisect import bisect_left
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import IO, Any

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from conversations.audit import GENESIS, AuditLog, canonical
from conversations.audit_check import CHECKPOINTS, PRIVATE_KEY, signing_key
from conversations.audit_store import AuditStore
from conversations.store import Database
from conversations.verify_bundle import PURPOSE

VERIFIER = Path(__file__).with_name("verify_bundle.py")
_CHUNK = 256 * 1024
_PAGE = 500

_README = """\
审计证据包
==========
entries.jsonl      审计记录，一行一条：n 序号，body 原文（哈希所覆盖的就是这段文字），hash 哈希。
                   hash = SHA-256(0x00 ‖ 上一条的 hash ‖ body)。带 previous 的行开始新的一段，until 是这一段的末尾。
checkpoints.jsonl  系统平时签下的检查点：第 n 条的哈希和时间。
manifest.json      范围、数量、链头、各文件的 SHA-256；manifest.sig 是对它的 Ed25519 签名。
public_key.pem     公钥。它的指纹必须从别的途径取得，不能只看包里的。
opened.jsonl       （可选）已解密的个人信息。只有清单的签名为它担保，哈希链覆盖的是密文。

校验：python verify_bundle.py 证据包.zip --fingerprint 公钥指纹
返回 0 完好，2 无法判断，3 被改动，4 末尾缺失，5 不是这把密钥签的。
若另存有检查点文件，加上 --checkpoints 文件，一并比对。
{zh}

Audit bundle
============
entries.jsonl      the entries, one a line: n, body (exactly the text that was hashed), hash.
                   hash = SHA-256(0x00 ‖ hash of the entry before ‖ body). A line with "previous" begins a stretch that
                   ends with entry "until".
checkpoints.jsonl  what the desk signed as it went: the hash of entry n, and when.
manifest.json      scope, counts, head, SHA-256 of every file; manifest.sig is the Ed25519 signature over it.
public_key.pem     the public key. Get its fingerprint by another way; the one in here proves nothing by itself.
opened.jsonl       (if asked for) personal parts, opened. Only the manifest's signature vouches for them: the chain
                   covers them sealed.

Check it: python verify_bundle.py BUNDLE.zip --fingerprint HEX
0 sound, 2 cannot tell, 3 changed, 4 missing at the end, 5 signed with another key.
If you keep the checkpoints elsewhere, add --checkpoints FILE to have them compared as well.
{en}
"""
_PROVES = {
    "all": (
        "本包是完整的审计记录：没有改动、遗漏、插入或调换，直到链头。",
        "This is the whole trail: nothing changed, left out, put in or exchanged, up to the head.",
    ),
    "period": (
        "本包是一段时间内的全部记录，连同前后各一条和直到下一个检查点的记录，因此这段时间内没有遗漏。它不涉及其他时间。",
        "These are all entries of a period, with the one before it and those up to the next checkpoint, so nothing in\n"
        "between is left out. It says nothing of other times.",
    ),
    "conversation": (
        "本包是一个会话的记录，每条都连到其后的检查点，因此内容和位置都有签名为证（其间的别的记录一并收入，个人信息仍是密文）。\n"
        "它不能证明这个会话没有其他记录；那需要完整的包。",
        "These are the entries of one conversation, each linked to the checkpoint after it, so that what it says and where\n"
        "it stands is signed (entries of others in between are included; what is personal in them stays sealed).\n"
        "It does not prove that the conversation has no other entries; that takes the whole trail.",
    ),
    "lone": (
        "本包只有一个会话自己的记录，没有其间的别的记录。每条与其 previous 和 hash 相符；previous 是否就是当时的链，\n"
        "除正好是检查点的记录外，只有本包的签名担保。要有检查点为证，请导出带相邻记录的包。",
        "These are the entries of one conversation alone, without those in between. Each fits its own previous hash and hash;\n"
        "that these are the chain's is vouched for by this bundle's signature only, except where an entry is itself a\n"
        "checkpoint. For more, export it with the entries in between.",
    ),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Scope:
    """What goes into a bundle: a conversation, a period, or everything."""

    conversation_id: str | None = None
    since: datetime | None = None
    until: datetime | None = None
    linked: bool = True  #: a conversation's entries with those in between, up to the next checkpoint
    opened: bool = False  #: with the personal parts of the wanted entries, readable

    @property
    def kind(self) -> str:
        """``all``, ``period`` or ``conversation``."""
        if self.conversation_id is not None:
            return "conversation"
        return "period" if self.since or self.until else "all"

    def form(self) -> dict[str, Any]:
        """As the manifest says it."""
        moments = {
            name: one.isoformat() if one else None for name, one in (("since", self.since), ("until", self.until))
        }
        return {
            "kind": self.kind, "conversation_id": self.conversation_id, **moments, "opened": self.opened,
            "linked": self.linked or self.kind != "conversation",
            "open_end": self.until is None and self.kind != "conversation",
        }  # fmt: skip


class Sheets:
    """A .zip that is taken away while it is written; the files' hashes are noted as they pass."""

    def __init__(self) -> None:
        self._sink = _Sink()
        self._zip = zipfile.ZipFile(self._sink, "w", zipfile.ZIP_DEFLATED)
        self.files: dict[str, dict[str, Any]] = {}

    def add(self, name: str, content: bytes, *, listed: bool = True) -> None:
        """A small file as a whole."""
        self._zip.writestr(name, content)
        if listed:
            self.files[name] = {"bytes": len(content), "sha256": hashlib.sha256(content).hexdigest()}

    def open(self, name: str) -> Sheet:
        """A file that is written line by line."""
        return Sheet(self, name, self._zip.open(name, "w", force_zip64=True))

    def take(self) -> bytes:
        """What has been written since the last time."""
        return self._sink.take()

    @property
    def waiting(self) -> int:
        """How many bytes there are to be taken."""
        return len(self._sink.held)

    def close(self) -> None:
        """Write the directory of the archive."""
        self._zip.close()


class Sheet:
    """One file of lines in the archive."""

    def __init__(self, sheets: Sheets, name: str, file: IO[bytes]) -> None:
        self._sheets, self._name, self._file = sheets, name, file
        self._digest, self._bytes, self.lines = hashlib.sha256(), 0, 0

    def write(self, form: dict[str, Any]) -> None:
        """Add a line."""
        line = canonical(form).encode() + b"\n"
        self._file.write(line)
        self._digest.update(line)
        self._bytes += len(line)
        self.lines += 1

    def close(self) -> None:
        """End the file."""
        self._file.close()
        self._sheets.files[self._name] = {"bytes": self._bytes, "sha256": self._digest.hexdigest()}


class _Sink(io.RawIOBase):
    def __init__(self) -> None:
        self.held = bytearray()

    def writable(self) -> bool:
        return True

    def write(self, part: Any) -> int:
        self.held += part
        return len(part)

    def take(self) -> bytes:
        taken, self.held = bytes(self.held), bytearray()
        return taken


class Bundler:
    """Makes bundles with the key and the checkpoints in a folder of the service."""

    def __init__(self, database: Database, audit: AuditLog, directory: Path) -> None:
        self._database = database
        self._audit = audit
        self.directory = directory

    def key(self) -> Ed25519PrivateKey:
        """The key that signs; raises ``ValueError`` where there is none, because a new one would prove nothing."""
        if not (self.directory / PRIVATE_KEY).exists():
            raise ValueError(f"there is no signing key in {self.directory / PRIVATE_KEY}")
        return signing_key(self.directory)

    async def pieces(self, scope: Scope, now: datetime) -> AsyncIterator[bytes]:
        """The archive, piece by piece; never more than a page of entries and a piece are held at once."""
        key = await asyncio.to_thread(self.key)
        path = self.directory / CHECKPOINTS
        size = path.stat().st_size if path.exists() else 0  # before the head, so that none lies beyond it
        marks = await asyncio.to_thread(_numbers, path, size)
        async with self._database.read() as connection:
            highest = await AuditStore(connection).highest()  # before the head, which nothing may lie beyond
            head = await AuditStore(connection).find_head() or (0, GENESIS)
        sheets, stretches, opened = Sheets(), list[tuple[int, int]](), array("q")
        sheet = sheets.open("entries.jsonl")
        async for first, last in self._stretches(scope, max(highest, head[0]), marks):
            stretches.append((first, last))
            async for row, line in self._lines(first, last):
                sheet.write(line)
                if scope.opened and self._wanted(scope, row):
                    opened.append(row.n)
                if sheets.waiting > _CHUNK:
                    yield sheets.take()
        sheet.close()
        entries = sheet.lines
        sheet = sheets.open("checkpoints.jsonl")
        for form in _checkpoints(path, size):
            if scope.kind == "all" or _inside(form["n"], stretches):
                sheet.write(form)
                if sheets.waiting > _CHUNK:
                    yield sheets.take()
        sheet.close()
        checkpoints = sheet.lines
        if scope.opened:
            sheet = sheets.open("opened.jsonl")
            for n in opened:
                sheet.write(await self._opened(n))
                if sheets.waiting > _CHUNK:
                    yield sheets.take()
            sheet.close()
        manifest = {
            "format": 1, "made_at": now.isoformat(timespec="seconds"), "scope": scope.form(), "entries": entries,
            "checkpoints": checkpoints, "head": {"n": head[0], "hash": head[1]},
        }  # fmt: skip
        self._finish(sheets, key, manifest, scope)
        yield sheets.take()

    def _finish(self, sheets: Sheets, key: Ed25519PrivateKey, manifest: dict[str, Any], scope: Scope) -> None:
        zh, en = _PROVES["lone" if scope.kind == "conversation" and not scope.linked else scope.kind]
        sheets.add("README.txt", _README.format(zh=zh, en=en).encode())
        sheets.add("verify_bundle.py", VERIFIER.read_bytes())
        sheets.add("public_key.pem", public_pem(key))
        written = canonical(manifest | {"files": sheets.files}).encode()
        sheets.add("manifest.json", written, listed=False)
        sheets.add("manifest.sig", base64.b64encode(key.sign(PURPOSE + written)) + b"\n", listed=False)
        sheets.close()

    async def _stretches(self, scope: Scope, head: int, marks: array[int]) -> AsyncIterator[tuple[int, int]]:
        """First and last entry of what is unbroken, in order and apart from each other."""

        def covered(n: int) -> int:
            place = bisect_left(marks, n)
            return marks[place] if place < len(marks) else max(head, n)

        if scope.kind == "all":
            if head:
                yield 1, head
        elif scope.kind == "period":
            async with self._database.read() as connection:
                store = AuditStore(connection)
                first = await store.first_since(scope.since) if scope.since else 1
                after = await store.first_since(scope.until) if scope.until else head + 1
            if head:
                last = min(max(after - 1, first - 1, 1), head)
                yield max(1, min(first - 1, head)), max(covered(last), min(after, head))
        else:
            begun: tuple[int, int] | None = None
            async for n in self._numbers_of(str(scope.conversation_id), head):
                until = covered(n) if scope.linked else n
                if begun is not None and n <= begun[1] + 1:
                    begun = (begun[0], max(begun[1], until))
                else:
                    if begun is not None:
                        yield begun
                    begun = (n, until)
            if begun is not None:
                yield begun

    async def _numbers_of(self, conversation_id: str, head: int) -> AsyncIterator[int]:
        after = 0
        while True:
            async with self._database.read() as connection:
                numbers = await AuditStore(connection).numbers_of(conversation_id, after, head, _PAGE)
            for n in numbers:
                yield n
            if len(numbers) < _PAGE:
                return
            after = numbers[-1]

    async def _lines(self, first: int, last: int) -> AsyncIterator[tuple[Any, dict[str, Any]]]:
        async with self._database.read() as connection:
            before = await AuditStore(connection).range(first - 1, first - 1, 1) if first > 1 else []
        begins: dict[str, Any] = {"previous": before[0].hash if before else GENESIS, "until": last}
        at = first
        while at <= last:
            async with self._database.read() as connection:
                rows = await AuditStore(connection).range(at, last, _PAGE)
            for row in rows:
                yield row, {"n": row.n, "body": row.body, "hash": row.hash} | begins
                begins = {}
            if len(rows) < _PAGE:
                return
            at = rows[-1].n + 1

    @staticmethod
    def _wanted(scope: Scope, row: Any) -> bool:
        form = json.loads(row.body)
        if form.get("sealed") is None:
            return False
        at = datetime.fromisoformat(form["at"])
        if scope.conversation_id is not None and row.conversation_id != scope.conversation_id:
            return False  # of somebody else, here only for the chain's sake
        return not ((scope.since and at < scope.since) or (scope.until and at >= scope.until))

    async def _opened(self, n: int) -> dict[str, Any]:
        async with self._database.read() as connection:
            (row,) = await AuditStore(connection).range(n, n, 1) or [None]
            try:
                form = await self._audit.open_entry(connection, row.body) if row is not None else {"personal": None}
            except ValueError as error:
                return {"n": n, "personal": None, "unreadable": str(error)}
        return {"n": n, "personal": form["personal"]} | ({"erased": True} if form["personal"] is None else {})


def public_pem(key: Ed25519PrivateKey) -> bytes:
    """The public half of a key as a file."""
    return key.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)


def fingerprint_of(key: Ed25519PrivateKey) -> str:
    """What names the public half of a key: SHA-256 of its DER form, as ``openssl pkey -pubin -outform der`` gives it."""
    form = serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    return hashlib.sha256(key.public_key().public_bytes(*form)).hexdigest()


def _checkpoints(path: Path, size: int) -> Iterator[dict[str, Any]]:
    """The checkpoints in the first bytes of their file; a last line that was torn by a crash is none."""
    if not size:
        return
    with path.open("rb") as file:
        while file.tell() < size and (line := file.readline()):
            try:
                form = json.loads(line)
                yield {"n": int(form["n"]), "hash": form["hash"], "at": form["at"], "signature": form["signature"]}
            except (ValueError, KeyError, TypeError):
                if file.tell() < size:
                    yield {"n": 0, "hash": "", "at": "", "signature": ""}  # is found out by whoever verifies


def _numbers(path: Path, size: int) -> array[int]:
    return array("q", sorted({form["n"] for form in _checkpoints(path, size)}))


def _inside(n: int, stretches: list[tuple[int, int]]) -> bool:
    place = bisect_left(stretches, (n + 1, 0))  # the stretch may also begin right after the checkpoint
    here = place < len(stretches) and stretches[place][0] == n + 1
    return here or n == 0 or (place > 0 and stretches[place - 1][0] <= n <= stretches[place - 1][1])
