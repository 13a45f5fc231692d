"""Whatever is done to the trail before a bundle is made, or to the bundle afterwards, its verifier finds out (F41)."""

from __future__ import annotations

import asyncio
import json
import shutil
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from conversations.audit_bundle import Scope
from conversations.audit_check import CHECKPOINTS, signing_key
from conversations.store import Database
from conversations.verify_bundle import main
from tests.conversations.builders import LIN, Clock, TestDesk
from tests.conversations.bundles import (
    Spoil,
    bundle_of,
    checked,
    fingerprint,
    packed,
    parts_of,
    signed_anew,
    signed_day,
    spoiled,
)
from tests.conversations.test_audit import checkpoints_of, entries, execute
from tests.conversations.test_audit_attacks import ATTACKS


@pytest.mark.parametrize("attack", ATTACKS)
async def test_a_bundle_made_after_the_trail_was_tampered_with_shows_it(
    attack: str, desk: TestDesk, tmp_path: Path
) -> None:
    """F41: edited, deleted, inserted, reordered, cut off, or rewritten in the database, on both databases."""
    await signed_day(desk, tmp_path)
    await checkpoints_of(desk.database, desk.clock, tmp_path)
    does, exit_code, first_bad = ATTACKS[attack]
    await does(desk.database)
    code, said = checked(await bundle_of(desk, tmp_path), fingerprint(tmp_path))
    assert code == exit_code
    if attack not in ("inserted_in_the_middle", "cut_off", "cut_off_with_the_head"):
        assert f"entry {first_bad or len(await entries(desk.database))} " in said
    if exit_code == 4:
        assert f"entries {first_bad} to " in said


@pytest.mark.parametrize("linked", [True, False])
async def test_a_conversations_bundle_shows_an_entry_of_it_that_was_edited(
    linked: bool, desk: TestDesk, tmp_path: Path
) -> None:
    conversation_id = await signed_day(desk, tmp_path)
    turn = [row.n for row in await entries(desk.database) if row.conversation_id == conversation_id][-1]
    await execute(desk.database, "UPDATE audit_entries SET body = body || ' ' WHERE n = :n", n=turn)
    code, said = checked(await bundle_of(desk, tmp_path, Scope(conversation_id, linked=linked)), fingerprint(tmp_path))
    assert (code, f"entry {turn} " in said) == (3, True)


async def test_a_database_put_back_to_an_older_state_is_seen_in_its_bundle(desk: TestDesk, tmp_path: Path) -> None:
    """F41: what was signed since the snapshot is missing, also where the desk went on and grew to its old length."""
    await signed_day(desk, tmp_path)
    rows = await entries(desk.database)
    await desk.conversations.record("role_changed", LIN)
    await checkpoints_of(desk.database, desk.clock, tmp_path)
    await execute(desk.database, "DELETE FROM audit_entries WHERE n > :n", n=rows[-1].n)
    await execute(desk.database, "UPDATE audit_head SET n = :n, hash = :hash", n=rows[-1].n, hash=rows[-1].hash)
    code, said = checked(await bundle_of(desk, tmp_path), fingerprint(tmp_path))
    assert (code, f"entries {len(rows) + 1} to {len(rows) + 1} are missing" in said) == (4, True)
    await desk.conversations.record("nothing_to_see", LIN)
    await checkpoints_of(desk.database, desk.clock, tmp_path)
    assert checked(await bundle_of(desk, tmp_path), fingerprint(tmp_path))[0] == 3


async def test_checkpoints_kept_elsewhere_show_what_a_thief_of_the_desks_file_cut_off(
    desk: TestDesk, tmp_path: Path
) -> None:
    await signed_day(desk, tmp_path)
    kept = tmp_path / "kept.jsonl"
    shutil.copy(tmp_path / CHECKPOINTS, kept)
    rows = await entries(desk.database)
    await execute(desk.database, "DELETE FROM audit_entries WHERE n > 1")
    await execute(desk.database, "UPDATE audit_head SET n = 1, hash = :hash", hash=rows[0].hash)
    (tmp_path / CHECKPOINTS).write_text(kept.read_text().splitlines()[0] + "\n")
    path = await bundle_of(desk, tmp_path)
    assert checked(path, fingerprint(tmp_path))[0] == 0  # this is why they are kept elsewhere, too
    assert checked(path, fingerprint(tmp_path), "--checkpoints", str(kept))[0] == 4


async def test_a_bundle_of_another_desk_is_refused_by_its_fingerprint(desk: TestDesk, tmp_path: Path) -> None:
    await signed_day(desk, tmp_path)
    signing_key(tmp_path / "other")
    code, said = checked(await bundle_of(desk, tmp_path), fingerprint(tmp_path / "other"))
    assert (code, "another desk" in said) == (5, True)


async def test_an_exchanged_key_with_everything_signed_anew_is_refused(desk: TestDesk, tmp_path: Path) -> None:
    await signed_day(desk, tmp_path)
    path = await bundle_of(desk, tmp_path)
    signing_key(tmp_path / "thief")

    def exchange(parts: dict[str, bytes]) -> None:
        parts["public_key.pem"] = (tmp_path / "thief" / "audit" / "public_key.pem").read_bytes()
        signed_anew(parts, tmp_path / "thief")

    assert checked(spoiled(path, exchange), fingerprint(tmp_path))[0] == 5
    assert checked(path, fingerprint(tmp_path / "thief"))[0] == 3  # the checkpoints are still the desk's


def _lines(change: str) -> Spoil:
    def spoil(parts: dict[str, bytes]) -> None:
        lines = parts["entries.jsonl"].splitlines(keepends=True)
        if change == "edit":
            lines[3] = lines[3].replace(b"contact", b"c0ntact")
        elif change == "delete":
            del lines[3]
        elif change == "insert":
            lines.insert(3, lines[3])
        elif change == "reorder":
            lines[3], lines[4] = lines[4], lines[3]
        elif change == "cut off":
            del lines[-4:]
        parts["entries.jsonl"] = b"".join(lines)

    return spoil


@pytest.mark.parametrize("change", ["edit", "delete", "insert", "reorder", "cut off"])
async def test_entries_changed_in_the_bundle_are_found_even_when_its_manifest_is_signed_anew(
    change: str, desk: TestDesk, tmp_path: Path
) -> None:
    """F41, by somebody with the file, and by somebody with the desk's key who cannot undo earlier checkpoints."""
    await signed_day(desk, tmp_path)
    path = spoiled(await bundle_of(desk, tmp_path), _lines(change))
    code, said = checked(path, fingerprint(tmp_path))
    assert (code, "entries.jsonl was changed" in said) == (3, True)
    path = spoiled(path, lambda parts: signed_anew(parts, tmp_path))
    assert checked(path, fingerprint(tmp_path))[0] == (4 if change == "cut off" else 3)


@pytest.mark.parametrize("name", ["checkpoints.jsonl", "README.txt", "verify_bundle.py", "manifest.sig"])
async def test_files_that_are_missing_or_more_than_there_should_be_are_found(
    name: str, desk: TestDesk, tmp_path: Path
) -> None:
    await signed_day(desk, tmp_path)
    path = await bundle_of(desk, tmp_path)
    whole = parts_of(path)
    lacking = packed(tmp_path / "lacking.zip", {one: content for one, content in whole.items() if one != name})
    assert main([str(lacking), "--fingerprint", fingerprint(tmp_path)]) == 3
    more = packed(tmp_path / "more.zip", whole | {"note.txt": b"believe me"})
    assert main([str(more), "--fingerprint", fingerprint(tmp_path)]) == 3


@pytest.fixture(scope="module")
def a_bundle(sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    directory = tmp_path_factory.mktemp("bundle")
    file = directory / "desk.db"
    file.write_bytes(sqlite_template.read_bytes())

    async def make() -> Path:
        database = Database.open(f"sqlite+aiosqlite:///{file}")
        desk = TestDesk(database, Clock())
        await signed_day(desk, directory)
        path = await bundle_of(desk, directory, Scope(opened=True))
        await database.close()
        return path

    return asyncio.run(make()), fingerprint(directory)


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_no_single_byte_of_it_can_be_changed_unseen(
    a_bundle: tuple[Path, str], tmp_path: Path, data: st.DataObject
) -> None:
    path, print_of_key = a_bundle
    parts = parts_of(path)
    name = data.draw(st.sampled_from(sorted(parts)))
    at = data.draw(st.integers(0, len(parts[name]) - 1))
    other = data.draw(st.integers(0, 255).filter(lambda byte: byte != parts[name][at]))
    changed = bytearray(parts[name])
    changed[at] = other
    spoilt = packed(tmp_path / "spoilt.zip", parts | {name: bytes(changed)})
    code = main([str(spoilt), "--fingerprint", print_of_key])
    if name == "manifest.sig" and bytes(changed).strip() == parts[name].strip():
        assert code == 0  # white space around the signature says nothing
    else:
        assert code in (2, 3, 5)


@settings(max_examples=100, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_no_byte_of_a_covered_entry_can_be_changed_by_signing_the_manifest_anew(
    a_bundle: tuple[Path, str], tmp_path: Path, data: st.DataObject
) -> None:
    """The chain and the checkpoints alone show it: whoever has only the manifest's signature gains nothing."""
    path, print_of_key = a_bundle
    parts = parts_of(path)
    lines = [json.loads(line) for line in parts["entries.jsonl"].splitlines()]
    line = data.draw(st.sampled_from(lines[:-2]))
    at = data.draw(st.integers(0, len(line["body"]) - 1))
    other = data.draw(
        st.characters(codec="ascii", exclude_categories=["Cc"]).filter(lambda one: one != line["body"][at])
    )
    line["body"] = line["body"][:at] + other + line["body"][at + 1 :]
    parts["entries.jsonl"] = b"".join(json.dumps(one).encode() + b"\n" for one in lines)
    signed_anew(parts, path.parent)
    assert main([str(packed(tmp_path / "spoilt.zip", parts)), "--fingerprint", print_of_key]) == 3
