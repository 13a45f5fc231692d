"""What shows an auditor that an entry is as it was written, and that the desk still holds what it says."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from sqlalchemy import text

from conversations.audit_bundle import Bundler
from conversations.audit_check import CHECKPOINTS, Checkpoints, signing_key, verifier_of
from conversations.audit_proof import first_covering
from conversations.model import utc_now
from conversations.verify_bundle import main as verify_bundle
from handoff.access import audit_proof_routes
from handoff.roles import Role
from tests.handoff.desk import Browser, Desk, open_desk


async def execute(desk: Desk, statement: str, **values: Any) -> None:
    async with desk.database.write() as connection:
        await connection.execute(text(statement), values)


class Signed:
    """A desk whose trail is signed, with an auditor in front of it."""

    def __init__(self, desk: Desk, checkpoints: Checkpoints, auditor: Browser) -> None:
        self.desk, self.auditor, self._checkpoints = desk, auditor, checkpoints

    async def sign(self) -> None:
        await self._checkpoints.write_if_due(self.desk.database, at_once=True)

    async def turn(self, words: str = "Where is my parcel?") -> tuple[str, str]:
        """A conversation and its turn."""
        conversation_id = await self.desk.queued(words)
        traces = (await self.auditor.get(f"conversations/{conversation_id}/traces")).json()["traces"]
        return conversation_id, traces[0]["turn_id"]

    async def proof(self, conversation_id: str, turn_id: str) -> dict[str, Any]:
        response = await self.auditor.get(f"audit/turns/{turn_id}", conversation_id=conversation_id)
        assert response.status_code == 200, response.text
        proof: dict[str, Any] = response.json()
        return proof


@pytest.fixture
async def signed(tmp_path: Path) -> AsyncIterator[Signed]:
    url = f"sqlite+aiosqlite:///{tmp_path / 'desk.db'}"
    async with open_desk(tmp_path, verify_audit=verifier_of(url, tmp_path)) as desk:
        checkpoints = Checkpoints(tmp_path / CHECKPOINTS, signing_key(tmp_path), utc_now)
        desk.side.audit_bundler = Bundler(desk.database, desk.conversations.audit, tmp_path)
        yield Signed(desk, checkpoints, await desk.browser("Ines", Role.AUDITOR))


def recomputed(previous: str, canonical: str) -> str:
    """What a browser does."""
    return hashlib.sha256(b"\x00" + bytes.fromhex(previous) + canonical.encode()).hexdigest()


def states(proof: dict[str, Any]) -> dict[str, str]:
    return {one["field"]: one["state"] for one in proof["compared"]}


async def test_a_turns_entry_leads_by_hashes_to_a_signed_checkpoint(signed: Signed) -> None:
    where = await signed.turn()
    assert (await signed.proof(*where))["checkpoint"] is None
    await signed.sign()
    proof = await signed.proof(*where)
    last = recomputed(proof["previous"], proof["canonical"])
    assert last == proof["hash"] == proof["computed"]
    for step in proof["path"]:
        last = recomputed(last, step["canonical"])
        assert last == step["hash"]
    mark = proof["checkpoint"]
    assert (last, mark["signed"], mark["fits"], mark["leads"]) == (mark["hash"], True, True, True)
    assert json.loads(mark["signed_text"])["hash"] == mark["hash"]
    key = Ed25519PublicKey.from_public_bytes(base64.b64decode(proof["public_key"]))
    key.verify(base64.b64decode(mark["signature"]), mark["signed_text"].encode())
    assert set(states(proof).values()) == {"same"}
    assert {"text", "replies", "trace", "route"} <= states(proof).keys()
    by_number = (await signed.auditor.get(f"audit/entries/{proof['n']}")).json()
    assert by_number == proof


async def test_what_was_changed_in_the_database_is_named_field_by_field(signed: Signed) -> None:
    conversation_id, turn_id = await signed.turn("Where is my parcel?")
    await signed.sign()
    await execute(signed.desk, "UPDATE messages SET text = 'Hello' WHERE author = 'contact'")
    await execute(signed.desk, "UPDATE turns SET out_seqs = '[9]'")
    found = states(await signed.proof(conversation_id, turn_id))
    assert (found["text"], found["out_seqs"], found["trace"], found["in_seq"]) == ("differs", "differs", "same", "same")
    text_now = next(one for one in (await signed.proof(conversation_id, turn_id))["compared"] if one["field"] == "text")
    assert (text_now["trail"], text_now["now"]) == ("Where is my parcel?", "Hello")


async def test_a_deleted_turn_and_an_erased_contact_are_told_apart(signed: Signed) -> None:
    conversation_id, turn_id = await signed.turn()
    await execute(signed.desk, "DELETE FROM turns")
    assert states(await signed.proof(conversation_id, turn_id))["trace"] == "gone"
    conversation = await signed.desk.conversations.get_conversation(conversation_id)
    await signed.desk.conversations.erase_contact(conversation.contact_id, signed.auditor.member.agent)
    assert states(await signed.proof(conversation_id, turn_id))["text"] == "erased"


async def test_an_edited_entry_does_not_lead_anywhere(signed: Signed) -> None:
    conversation_id, turn_id = await signed.turn()
    await signed.sign()
    n = (await signed.proof(conversation_id, turn_id))["n"]
    await execute(signed.desk, "UPDATE audit_entries SET body = replace(body, '\"bot\"', '\"b0t\"') WHERE n = :n", n=n)
    proof = (await signed.auditor.get(f"audit/entries/{n}")).json()
    assert proof["computed"] != proof["hash"]
    assert proof["checkpoint"]["leads"] is False


async def test_personal_words_in_a_proof_are_masked_as_in_the_transcript(signed: Signed) -> None:
    where = await signed.turn("my card is 6222021234567890128")
    proof = await signed.proof(*where)
    assert "6222021234567890128" not in json.dumps(proof)
    assert states(proof)["text"] == "same"  # compared before it is masked


async def test_entries_and_turns_that_do_not_exist_are_not_found(signed: Signed) -> None:
    conversation_id, turn_id = await signed.turn()
    for number in ("0", "99999", "x", "01", "-1", "9" * 19):
        assert (await signed.auditor.get(f"audit/entries/{number}")).status_code == 404
    other = await signed.desk.queued(contact="ann")
    for whose, turn in ((other, turn_id), (conversation_id, "0" * 32), (conversation_id, "x")):
        assert (await signed.auditor.get(f"audit/turns/{turn}", conversation_id=whose)).status_code == 404
    assert (await signed.auditor.get(f"audit/turns/{turn_id}")).status_code == 400


async def test_a_broken_trail_is_reported_with_the_neighbours_of_the_first_bad_entry(signed: Signed) -> None:
    await signed.turn()
    await signed.sign()
    assert (await signed.auditor.post("audit/verify")).json()["around"] == []
    await execute(signed.desk, "UPDATE audit_entries SET body = replace(body, '\"opened\"', '\"closed\"')")
    verdict = (await signed.auditor.post("audit/verify")).json()
    bad = verdict["first_bad"]
    assert [(one["n"], one["state"]) for one in verdict["around"]] == [
        (bad - 1, "fits"),
        (bad, "changed"),
        (bad + 1, "fits"),
    ]
    assert verdict["around"][1]["kind"] == "closed"
    await execute(signed.desk, "DELETE FROM audit_entries WHERE n = :n", n=bad)
    around = (await signed.auditor.post("audit/verify")).json()["around"]
    assert [one["state"] for one in around] == ["fits", "missing", "unlinked"]


async def test_a_long_check_says_how_far_it_is(signed: Signed, monkeypatch: pytest.MonkeyPatch) -> None:
    assert (await signed.auditor.get("audit/verify")).status_code == 404
    await signed.sign()
    monkeypatch.setattr(audit_proof_routes, "PATIENCE_SECONDS", 0.0)
    first = (await signed.auditor.post("audit/verify")).json()
    assert first["result"] == "running"
    assert first["read"] <= first["of"]
    monkeypatch.setattr(audit_proof_routes, "PATIENCE_SECONDS", 60.0)
    now = (await signed.auditor.get("audit/verify")).json()
    assert now["result"] == "sound"
    assert len(await signed.desk.audited("audit_verified")) == 1


async def test_a_bundle_from_the_page_verifies_and_is_on_record(signed: Signed, tmp_path: Path) -> None:
    conversation_id, _ = await signed.turn("Where is my Blue Kettle?")
    await signed.sign()
    fingerprint = (await signed.auditor.get("audit/key")).json()["fingerprint"]
    file = tmp_path / "bundle.zip"
    for body in ({}, {"conversation_id": conversation_id}, {"since": "2020-01-01T00:00:00Z"}):
        response = await signed.auditor.post("audit/export", body)
        assert response.headers["content-type"] == "application/zip"
        file.write_bytes(response.content)
        assert verify_bundle([str(file), "--fingerprint", fingerprint]) == 0
    assert len(await signed.desk.audited("audit_exported")) == 3
    assert (await signed.auditor.post("audit/export", {"opened": True})).status_code == 400
    opened = {"conversation_id": conversation_id, "opened": True, "reason": "Case 12 at the ombudsman"}
    file.write_bytes((await signed.auditor.post("audit/export", opened)).content)
    assert verify_bundle([str(file), "--fingerprint", fingerprint]) == 0
    entry = (await signed.desk.audited("audit_exported"))[-1]
    assert (entry["data"]["reason"], entry["data"]["opened"]) == ("Case 12 at the ombudsman", True)


async def test_a_desk_without_its_key_says_so_before_it_sends_anything(signed: Signed, tmp_path: Path) -> None:
    (tmp_path / "audit" / "private_key.pem").unlink()
    response = await signed.auditor.post("audit/export", {})
    assert (response.status_code, response.json()["error"]["code"]) == (409, "cannot_sign")
    assert await signed.desk.audited("audit_exported") == []


@pytest.mark.parametrize("count", [1, 3, 400])
def test_the_covering_checkpoint_is_found_in_a_file_of_any_length(tmp_path: Path, count: int) -> None:
    path = tmp_path / "checkpoints.jsonl"
    lines = [json.dumps({"n": n * 10, "hash": "a" * 64, "at": "x", "signature": "y" * 88}) for n in range(1, count + 1)]
    path.write_text("\n".join(lines) + "\n")
    for n in range(1, count * 10 + 1, 7):
        found = first_covering(path, n)
        assert found is not None
        assert found.n == -(-n // 10) * 10
    assert first_covering(path, count * 10 + 1) is None
    assert first_covering(tmp_path / "none", 1) is None
