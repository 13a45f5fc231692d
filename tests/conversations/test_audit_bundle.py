"""A bundle of the trail proves to somebody without this desk that nothing in it was changed, and shows when it was."""

from __future__ import annotations

import json
import tracemalloc
import zipfile
from datetime import timedelta
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from conversations.audit import AuditLog, main
from conversations.audit_bundle import Bundler, Scope
from conversations.audit_check import CHECKPOINTS, PUBLIC_KEY, signing_key
from conversations.verify_bundle import VECTORS, fits, verify_plainly
from tests.conversations.builders import LIN, TestDesk
from tests.conversations.bundles import bundle_of, checked, fingerprint, parts_of, signed_day
from tests.conversations.test_audit import entries


async def test_the_whole_trail_verifies_on_a_machine_that_has_only_the_bundle(desk: TestDesk, tmp_path: Path) -> None:
    await signed_day(desk, tmp_path)
    path = await bundle_of(desk, tmp_path)
    code, said = checked(path, fingerprint(tmp_path))
    count = len(await entries(desk.database))
    assert code == 0
    assert f"ok: {count} entries" in said
    assert f"{count - 2} lie below signed checkpoints, for 2 only the signature of the bundle" in said
    assert f"共 {count} 条记录，均未改动" in said
    parts = parts_of(path)
    assert set(json.loads(parts["manifest.json"])["files"]) == parts.keys() - {"manifest.json", "manifest.sig"}
    assert parts["public_key.pem"] == (tmp_path / PUBLIC_KEY).read_bytes()
    bodies = [json.loads(line)["body"] for line in parts["entries.jsonl"].splitlines()]
    assert bodies == [row.body for row in await entries(desk.database)]


async def test_an_empty_trail_makes_a_bundle_that_says_so(desk: TestDesk, tmp_path: Path) -> None:
    signing_key(tmp_path)
    code, said = checked(await bundle_of(desk, tmp_path), fingerprint(tmp_path))
    assert (code, said[:13]) == (0, "ok: 0 entries")


async def test_a_desk_without_a_key_signs_nothing(desk: TestDesk, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="no signing key"):
        await bundle_of(desk, tmp_path)


async def test_a_period_is_complete_with_its_neighbours_and_ends_at_a_checkpoint(
    desk: TestDesk, tmp_path: Path
) -> None:
    await signed_day(desk, tmp_path)
    rows = await entries(desk.database)
    changed = next(row.n for row in rows if '"role_changed"' in row.body)
    at = desk.clock() - timedelta(hours=1)
    scope = Scope(since=at - timedelta(minutes=1), until=at + timedelta(minutes=1))
    path = await bundle_of(desk, tmp_path, scope)
    lines = [json.loads(line) for line in parts_of(path)["entries.jsonl"].splitlines()]
    assert [line["n"] for line in lines] == [changed - 1, changed, changed + 1]
    assert lines[0]["previous"] == rows[changed - 3].hash
    code, said = checked(path, fingerprint(tmp_path))
    assert code == 0
    assert "it is a part of the trail" in said
    assert "2 lie below signed checkpoints, for 1 only" in said


@pytest.mark.parametrize("days", [(-9, -8), (8, 9)])
async def test_a_period_in_which_nothing_happened_is_shown_by_its_edge(
    desk: TestDesk, tmp_path: Path, days: tuple[int, int]
) -> None:
    await signed_day(desk, tmp_path)
    since, until = (desk.clock() + timedelta(days=day) for day in days)
    path = await bundle_of(desk, tmp_path, Scope(since=since, until=until))
    assert checked(path, fingerprint(tmp_path))[0] == 0
    assert parts_of(path)["entries.jsonl"]


async def test_a_conversation_is_linked_to_the_checkpoints_after_each_of_its_entries(
    desk: TestDesk, tmp_path: Path
) -> None:
    conversation_id = await signed_day(desk, tmp_path)
    rows = await entries(desk.database)
    own = [row.n for row in rows if row.conversation_id == conversation_id]
    path = await bundle_of(desk, tmp_path, Scope(conversation_id))
    held = {json.loads(line)["n"] for line in parts_of(path)["entries.jsonl"].splitlines()}
    assert set(own) <= held
    code, said = checked(path, fingerprint(tmp_path))
    assert code == 0
    assert f"{len(held)} lie below signed checkpoints; it is a part" in said


async def test_a_conversation_alone_holds_nobody_elses_entries_and_says_what_that_proves(
    desk: TestDesk, tmp_path: Path
) -> None:
    conversation_id = await signed_day(desk, tmp_path)
    own = [row.n for row in await entries(desk.database) if row.conversation_id == conversation_id]
    path = await bundle_of(desk, tmp_path, Scope(conversation_id, linked=False))
    parts = parts_of(path)
    assert [json.loads(line)["n"] for line in parts["entries.jsonl"].splitlines()] == own
    assert "这些" not in parts["README.txt"].decode().split("校验：")[0]
    assert "vouched for by this bundle's signature only" in parts["README.txt"].decode()
    code, said = checked(path, fingerprint(tmp_path))
    assert code == 0
    assert f"for {len(own)} only the signature" in said


async def test_what_is_personal_stays_sealed_unless_it_is_asked_for(desk: TestDesk, tmp_path: Path) -> None:
    conversation_id = await signed_day(desk, tmp_path)
    closed = parts_of(await bundle_of(desk, tmp_path, Scope(conversation_id)))
    assert "opened.jsonl" not in closed
    assert all(b"13800000000" not in content for content in closed.values())
    path = await bundle_of(desk, tmp_path, Scope(conversation_id, opened=True), "opened.zip")
    opened = [json.loads(line) for line in parts_of(path)["opened.jsonl"].splitlines()]
    assert "my phone is 13800000000" in [one["personal"].get("text") for one in opened]
    own = {row.n for row in await entries(desk.database) if row.conversation_id == conversation_id}
    assert {one["n"] for one in opened} <= own  # of those in between nothing is opened
    assert checked(path, fingerprint(tmp_path))[0] == 0


async def test_an_erased_contact_stays_unreadable_and_the_bundle_verifies(desk: TestDesk, tmp_path: Path) -> None:
    conversation_id = await signed_day(desk, tmp_path)
    conversation = await desk.conversations.get_conversation(conversation_id)
    await desk.conversations.erase_contact(conversation.contact_id, LIN)
    path = await bundle_of(desk, tmp_path, Scope(conversation_id, opened=True))
    opened = [json.loads(line) for line in parts_of(path)["opened.jsonl"].splitlines()]
    assert opened
    assert all(one["personal"] is None and one["erased"] for one in opened)
    assert all(b"13800000000" not in content for content in parts_of(path).values())
    assert checked(path, fingerprint(tmp_path))[0] == 0


async def test_without_a_fingerprint_nothing_is_called_sound(desk: TestDesk, tmp_path: Path) -> None:
    await signed_day(desk, tmp_path)
    code, said = checked(await bundle_of(desk, tmp_path), "")
    assert code == 2
    assert fingerprint(tmp_path) in said


async def test_the_fingerprint_may_be_written_as_people_write_it(desk: TestDesk, tmp_path: Path) -> None:
    await signed_day(desk, tmp_path)
    print_of_key = fingerprint(tmp_path)
    spaced = "SHA256: " + ":".join(print_of_key[at : at + 2] for at in range(0, 64, 2)).upper()
    assert checked(await bundle_of(desk, tmp_path), spaced)[0] == 0


async def test_a_long_trail_is_never_held_in_memory(desk: TestDesk, tmp_path: Path) -> None:
    if not desk.database.is_sqlite:
        pytest.skip("the pieces are the same; one database is enough for the memory")
    signing_key(tmp_path)
    await desk.conversations.record("signed_in", LIN)
    filler = "x" * 2000
    async with desk.database.write() as connection:
        log = AuditLog(b"k" * 32)
        from conversations.audit import AuditEntry

        for batch in range(60):
            made = [AuditEntry("action", "bot", data={"n": batch * 100 + n, "words": filler}) for n in range(100)]
            await log.append(connection, desk.clock(), made)
    tracemalloc.start()
    most = 0
    async for piece in Bundler(desk.database, log, tmp_path).pieces(Scope(), desk.clock()):
        most = max(most, len(piece))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 8_000_000  # the entries alone have 13 MB
    assert most < 1_000_000


def test_the_command_writes_a_bundle_and_notes_it_in_the_trail(
    sqlite_template: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    from tests.conversations.test_audit_attacks import a_day_at_the_desk, happens

    file = tmp_path / "chain.db"
    file.write_bytes(sqlite_template.read_bytes())
    count = happens(file, a_day_at_the_desk(tmp_path))
    target = tmp_path / "out.zip"
    where = ["--database-url", f"sqlite+aiosqlite:///{file}", "--data-dir", str(tmp_path)]
    assert main(["export", str(target), *where]) == 0
    assert fingerprint(tmp_path) in capsys.readouterr().out
    assert checked(target, fingerprint(tmp_path), "--checkpoints", str(tmp_path / CHECKPOINTS))[0] == 0
    with zipfile.ZipFile(target) as archive:
        last = json.loads(archive.read("entries.jsonl").splitlines()[-1])
    assert (last["n"], json.loads(last["body"])["kind"]) == (count + 1, "audit_exported")
    assert main(["export", str(target), *where]) == 2  # nothing is written over
    assert "cannot export" in capsys.readouterr().err
    assert main(["export", str(tmp_path / "two.zip"), *where, "--opened"]) == 2


@pytest.mark.parametrize("vector", VECTORS)
def test_the_verifiers_own_ed25519_says_what_rfc_8032_says(vector: tuple[str, str, str]) -> None:
    public, message, signature = map(bytes.fromhex, vector)
    assert verify_plainly(public, message, signature)
    assert fits(public, message, signature)
    assert not verify_plainly(public, message + b"x", signature)


@given(seed=st.binary(min_size=32, max_size=32), message=st.binary(max_size=80), at=st.integers(0, 511))
def test_it_agrees_with_the_library_on_signatures_and_on_ones_with_a_changed_bit(
    seed: bytes, message: bytes, at: int
) -> None:
    key = Ed25519PrivateKey.from_private_bytes(seed)
    public, signature = key.public_key().public_bytes_raw(), key.sign(message)
    assert verify_plainly(public, message, signature)
    wrong = bytearray(signature)
    wrong[at // 8] ^= 1 << at % 8
    assert verify_plainly(public, message, bytes(wrong)) is fits(public, message, bytes(wrong)) is False
