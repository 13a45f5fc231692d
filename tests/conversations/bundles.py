"""Real bundles of a test's desk, and ways to spoil them."""

from __future__ import annotations

import base64
import hashlib
import json
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path

from conversations.audit import AuditLog, canonical
from conversations.audit_bundle import Bundler, Scope, fingerprint_of
from conversations.audit_check import CHECKPOINTS, Checkpoints, signing_key
from conversations.verify_bundle import PURPOSE
from tests.conversations.builders import LIN, TestDesk
from tests.conversations.test_audit import a_story

ALL = Scope()
Spoil = Callable[[dict[str, bytes]], None]


async def signed_day(desk: TestDesk, directory: Path) -> str:
    """A conversation among other things, with checkpoints before, within and after it; the last entries have none."""
    marks = Checkpoints(directory / CHECKPOINTS, signing_key(directory), desk.clock)
    await desk.send("hello", contact="somebody else")
    await marks.write_if_due(desk.database, at_once=True)
    await desk.conversations.record("signed_in", LIN)
    conversation_id = await a_story(desk)
    desk.clock.advance(3600)
    await desk.conversations.record("role_changed", LIN)
    await marks.write_if_due(desk.database, at_once=True)
    desk.clock.advance(3600)
    await desk.conversations.record("signed_out", LIN)
    await desk.conversations.record("signed_in", LIN)
    return conversation_id


async def bundle_of(desk: TestDesk, directory: Path, scope: Scope = ALL, name: str = "bundle.zip") -> Path:
    """What the desk gives out."""
    path = directory / name
    with path.open("wb") as file:
        async for piece in Bundler(desk.database, AuditLog(b"k" * 32), directory).pieces(scope, desk.clock()):
            file.write(piece)
    return path


def fingerprint(directory: Path) -> str:
    return fingerprint_of(signing_key(directory))


def checked(path: Path, print_of_key: str, *more: str) -> tuple[int, str]:
    """What the verifier that lies in the bundle says of it, as a program of its own without our code."""
    script = path.with_name("taken_out.py")
    with zipfile.ZipFile(path) as archive:
        script.write_bytes(archive.read("verify_bundle.py"))
    ran = subprocess.run(
        [sys.executable, "-I", str(script), str(path), "--fingerprint", print_of_key, *more],
        capture_output=True,
        text=True,
        check=False,
        cwd=path.parent,
        encoding="utf-8",
    )
    assert not ran.stderr, ran.stderr
    return ran.returncode, ran.stdout


def parts_of(path: Path) -> dict[str, bytes]:
    with zipfile.ZipFile(path) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def packed(path: Path, parts: dict[str, bytes]) -> Path:
    """The bundle with other contents."""
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in parts.items():
            archive.writestr(name, content)
    return path


def spoiled(path: Path, spoil: Spoil) -> Path:
    parts = parts_of(path)
    spoil(parts)
    return packed(path, parts)


def signed_anew(parts: dict[str, bytes], directory: Path) -> None:
    """What somebody does who holds a key: hashes and signature of the manifest fit again, and so do its counts."""
    manifest = json.loads(parts["manifest.json"])
    for name in manifest["files"]:
        manifest["files"][name] = {"bytes": len(parts[name]), "sha256": hashlib.sha256(parts[name]).hexdigest()}
    for name in ("entries", "checkpoints"):
        manifest[name] = len(parts[f"{name}.jsonl"].splitlines())
    parts["manifest.json"] = canonical(manifest).encode()
    signature = signing_key(directory).sign(PURPOSE + parts["manifest.json"])
    parts["manifest.sig"] = base64.b64encode(signature)
