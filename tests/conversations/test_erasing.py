"""A contact is erased everywhere and that is proved; what is too old is forgotten; nothing of anybody else is touched."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy import text

from conversations.attachments import Attachments
from conversations.audit_check import PUBLIC_KEY, signing_key
from conversations.contact_export import exported
from conversations.erasing import Keepers, Periods, check_receipt, main
from conversations.errors import NotFound
from conversations.model import Attachment, Author
from tests.conversations.builders import LIN, Clock, TestDesk, inbound
from tests.pictures import PNG

SECRET = "my phone is 13800000000"


@dataclass
class Elsewhere:
    """The files, the bots and the index, as far as erasing sees them."""

    key: Ed25519PrivateKey
    attachments: Attachments
    bots: set[str] = field(default_factory=set)
    indexed: set[str] = field(default_factory=set)
    down: bool = False

    async def forget(self, conversation_ids: Sequence[str]) -> int:
        if self.down:
            raise ConnectionError("the bot is away")
        there = self.bots & set(conversation_ids)
        self.bots -= there
        return len(there)

    async def still_indexed(self, conversation_ids: Sequence[str]) -> bool:
        return bool(self.indexed & set(conversation_ids))

    def keepers(self) -> Keepers:
        return Keepers(self.attachments.remove, self.forget, self.still_indexed, self.key.sign)


@pytest.fixture
def elsewhere(desk: TestDesk, clock: Clock, tmp_path: Path) -> Elsewhere:
    files = Attachments(desk.database, tmp_path / "files", b"s" * 32, now=clock)
    made = Elsewhere(signing_key(tmp_path), files)
    desk.conversations.keepers = made.keepers()
    return made


async def a_conversation(desk: TestDesk, elsewhere: Elsewhere, contact: str = "visitor-1") -> tuple[str, Attachment]:
    """Words, a file, a turn of the bot, and an agent who resolves it."""
    file = await elsewhere.attachments.save(contact, "passport.png", PNG)
    receipt = await desk.conversations.receive(inbound(SECRET, contact, attachments=(file,)))
    await desk.answer()
    await desk.conversations.assign(receipt.conversation_id, LIN)
    await desk.conversations.reply_as_agent(receipt.conversation_id, LIN, f"noted: {SECRET}")
    await desk.conversations.resolve(receipt.conversation_id, LIN)
    elsewhere.bots.add(receipt.conversation_id)
    return receipt.conversation_id, file


async def contact_of(desk: TestDesk, conversation_id: str) -> str:
    return (await desk.conversations.get_conversation(conversation_id)).contact_id


async def every_text(desk: TestDesk) -> str:
    """All that the database holds, as one text."""
    found = []
    async with desk.database.read() as connection:
        for table in (
            "contacts", "addresses", "conversations", "messages", "inbox", "outbox", "turns", "buttons", "ratings",
            "episodes", "audit_entries", "erasures", "contact_merges",
        ):  # fmt: skip
            rows = await connection.execute(text(f"SELECT * FROM {table}"))  # names from the line above
            found += [repr(row) for row in rows]
    return "\n".join(found)


async def test_f42_a_contact_is_erased_everywhere_and_a_signed_receipt_says_so(
    desk: TestDesk, clock: Clock, elsewhere: Elsewhere
) -> None:
    conversation_id, file = await a_conversation(desk, elsewhere)
    other_id, other_file = await a_conversation(desk, elsewhere, "visitor-2")
    elsewhere.indexed.add(conversation_id)
    contact_id = await contact_of(desk, conversation_id)
    await desk.conversations.erase_contact(contact_id, LIN)
    assert await desk.conversations.finish_erasures() == 0, "vectors are left, and a bot may still be at work"
    clock.advance(180)
    elsewhere.bots.add(conversation_id)  # a turn that was running wrote it again
    assert await desk.conversations.finish_erasures() == 0
    elsewhere.indexed.clear()
    assert await desk.conversations.finish_erasures() == 1
    assert await desk.conversations.finish_erasures() == 0
    [erasure] = await desk.conversations.erasures_of(contact_id)
    receipt = erasure.receipt
    assert receipt is not None
    assert receipt["erased"] == {
        "contacts": 1, "conversations": 1, "messages": erasure.messages, "files": 1, "bot_conversations": 2
    }  # fmt: skip
    assert check_receipt(receipt, elsewhere.key.public_key())
    assert not check_receipt(receipt | {"contact_id": "somebody else"}, elsewhere.key.public_key())
    with pytest.raises(NotFound):
        await elsewhere.attachments.content(file.id)
    assert elsewhere.bots == {other_id}
    assert (await elsewhere.attachments.content(other_file.id))[1] == PNG
    assert SECRET in await desk.said(other_id, Author.CONTACT)
    everything = await every_text(desk)
    assert "visitor-1" not in everything
    async with desk.database.read() as connection:
        query = text("SELECT count(*) FROM messages WHERE text LIKE :said AND conversation_id = :id")
        rows = await connection.execute(query, {"said": f"%{SECRET}%", "id": conversation_id})
        assert rows.scalar() == 0
    assert conversation_id in everything, "what remains is a shell without words"


async def test_what_cannot_be_reached_is_erased_later(desk: TestDesk, clock: Clock, elsewhere: Elsewhere) -> None:
    conversation_id, file = await a_conversation(desk, elsewhere)
    elsewhere.down = True
    await desk.conversations.erase_contact(await contact_of(desk, conversation_id), LIN)
    clock.advance(180)
    assert await desk.conversations.finish_erasures() == 0
    elsewhere.down = False
    assert await desk.conversations.finish_erasures() == 1
    assert not elsewhere.bots
    with pytest.raises(NotFound):
        await elsewhere.attachments.content(file.id)


async def test_what_is_gone_is_not_deleted_again_while_the_rest_waits(
    desk: TestDesk, clock: Clock, elsewhere: Elsewhere
) -> None:
    conversation_id, file = await a_conversation(desk, elsewhere)
    removed: list[str] = []
    asked: list[str] = []

    async def remove(attachment_id: str) -> None:
        removed.append(attachment_id)

    async def forget(conversation_ids: Sequence[str]) -> int:
        asked.extend(conversation_ids)
        return 0

    desk.conversations.keepers = replace(elsewhere.keepers(), remove_file=remove, forget_in_bots=forget)
    await desk.conversations.erase_contact(await contact_of(desk, conversation_id), LIN)
    for _ in range(5):
        assert await desk.conversations.finish_erasures() == 0
    clock.advance(180)
    assert await desk.conversations.finish_erasures() == 1
    assert removed == [file.id]
    assert asked == [conversation_id] * 2, "at once, and again for a turn that was running"


async def test_one_erasure_that_fails_does_not_hold_up_the_others(
    desk: TestDesk, clock: Clock, elsewhere: Elsewhere
) -> None:
    first, _ = await a_conversation(desk, elsewhere)
    second, _ = await a_conversation(desk, elsewhere, "visitor-2")
    for one in (first, second):
        await desk.conversations.erase_contact(await contact_of(desk, one), LIN)
    clock.advance(180)
    elsewhere.indexed.add(first)
    assert await desk.conversations.finish_erasures() == 1


async def test_the_receipt_holds_nothing_of_the_person(desk: TestDesk, clock: Clock, elsewhere: Elsewhere) -> None:
    conversation_id, _ = await a_conversation(desk, elsewhere)
    contact_id = await contact_of(desk, conversation_id)
    await desk.conversations.erase_contact(contact_id, LIN)
    clock.advance(180)
    await desk.conversations.finish_erasures()
    [erasure] = await desk.conversations.erasures_of(contact_id)
    said = json.dumps(erasure.receipt)
    assert "visitor-1" not in said
    assert "13800000000" not in said


async def test_a_receipt_is_checked_from_the_command_line(
    desk: TestDesk, clock: Clock, elsewhere: Elsewhere, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    conversation_id, _ = await a_conversation(desk, elsewhere)
    contact_id = await contact_of(desk, conversation_id)
    await desk.conversations.erase_contact(contact_id, LIN)
    clock.advance(180)
    await desk.conversations.finish_erasures()
    receipt = (await desk.conversations.erasures_of(contact_id))[0].receipt
    assert receipt is not None
    file, key = tmp_path / "receipt.json", ["--public-key", str(tmp_path / PUBLIC_KEY)]
    file.write_text(json.dumps(receipt))
    assert main(["verify", str(file), *key]) == 0
    assert "genuine: erased" in capsys.readouterr().out
    file.write_text(json.dumps(receipt | {"erased": {}}))
    assert main(["verify", str(file), *key]) == 3
    file.write_text("{")
    assert main(["verify", str(file), *key]) == 2


DAYS = timedelta(days=1)


async def test_words_that_are_too_old_are_forgotten_and_younger_ones_stay(
    desk: TestDesk, clock: Clock, elsewhere: Elsewhere
) -> None:
    old, old_file = await a_conversation(desk, elsewhere)
    clock.advance(40 * 86_400)
    young, _ = await a_conversation(desk, elsewhere, "visitor-2")
    open_one = (await desk.send("still here", contact="visitor-3")).conversation_id
    done = await desk.conversations.forget_what_is_old(Periods(messages=30 * DAYS))
    assert done["messages"] == 1
    assert set(await desk.said(old, Author.CONTACT)) == {""}
    assert SECRET in await desk.said(young, Author.CONTACT)
    assert await desk.said(open_one, Author.CONTACT) == ["still here"]
    assert (await desk.conversations.contact_profile(await contact_of(desk, old))).erased_at is None
    clock.advance(180)
    assert await desk.conversations.finish_erasures() == 1
    assert old not in elsewhere.bots
    with pytest.raises(NotFound):
        await elsewhere.attachments.content(old_file.id)
    assert await desk.conversations.forget_what_is_old(Periods(messages=30 * DAYS)) == dict.fromkeys(done, 0)


async def test_each_class_has_its_own_age(desk: TestDesk, clock: Clock, elsewhere: Elsewhere) -> None:
    conversation_id, file = await a_conversation(desk, elsewhere)
    clock.advance(40 * 86_400)
    assert await desk.conversations.traces(conversation_id)
    done = await desk.conversations.forget_what_is_old(Periods(traces=30 * DAYS, files=50 * DAYS))
    assert (done["traces"], done["files"], done["messages"], done["contacts"]) == (1, 0, 0, 0)
    assert not await desk.conversations.traces(conversation_id)
    assert (await elsewhere.attachments.content(file.id))[1] == PNG
    assert (await desk.conversations.forget_what_is_old(Periods(files=30 * DAYS)))["files"] == 1
    with pytest.raises(NotFound):
        await elsewhere.attachments.content(file.id)
    assert SECRET in await desk.said(conversation_id, Author.CONTACT)


async def test_contacts_with_whom_nothing_happens_are_erased_and_those_who_write_are_not(
    desk: TestDesk, clock: Clock, elsewhere: Elsewhere
) -> None:
    quiet, _ = await a_conversation(desk, elsewhere)
    lively, _ = await a_conversation(desk, elsewhere, "visitor-2")
    clock.advance(40 * 86_400)
    await desk.send("me again", contact="visitor-2")
    done = await desk.conversations.forget_what_is_old(Periods(contacts=30 * DAYS))
    assert done["contacts"] == 1
    assert (await desk.conversations.contact_profile(await contact_of(desk, quiet))).erased_at is not None
    assert (await desk.conversations.contact_profile(await contact_of(desk, lively))).erased_at is None


async def test_nothing_is_forgotten_unless_somebody_asked_for_it(
    desk: TestDesk, clock: Clock, elsewhere: Elsewhere
) -> None:
    await a_conversation(desk, elsewhere)
    clock.advance(4000 * 86_400)
    before = await every_text(desk)
    assert not any((await desk.conversations.forget_what_is_old(Periods())).values())
    assert await every_text(desk) == before


async def read_export(desk: TestDesk, contact_id: str) -> dict[str, Any]:
    found: dict[str, Any] = {}
    async for name, content in exported(desk.database, desk.conversations.audit, contact_id):
        found[name] = json.loads(content) if isinstance(content, bytes) else content
    return found


async def test_an_export_holds_everything_of_the_contact_and_nothing_of_others(
    desk: TestDesk, elsewhere: Elsewhere
) -> None:
    conversation_id, file = await a_conversation(desk, elsewhere)
    await a_conversation(desk, elsewhere, "visitor-2")
    found = await read_export(desk, await contact_of(desk, conversation_id))
    assert found["contact.json"][0]["addresses"][0]["address"]["contact"] == "visitor-1"
    [said] = [form for name, form in found.items() if name.startswith("conversations/")]
    assert said["conversation"]["id"] == conversation_id
    assert [one["text"] for one in said["messages"] if one["author"] == "contact"] == [SECRET]
    assert said["bot_turns"]
    assert found[f"files/{file.id}-passport.png"] == file
    assert any(entry["personal"] and entry["personal"].get("text") == SECRET for entry in found["audit.json"])
    assert "visitor-2" not in json.dumps({name: repr(form) for name, form in found.items()})


async def test_there_is_no_export_of_nobody(desk: TestDesk) -> None:
    with pytest.raises(NotFound):
        await read_export(desk, "f" * 32)


async def test_what_came_from_their_addresses_is_thrown_away_also_outside_the_database(desk: TestDesk) -> None:
    """F42: while the addresses still stand, because nothing else says what is theirs."""
    told: list[tuple[str, str, str]] = []

    async def erase(channel: str, account: str, contact: str) -> int:
        told.append((channel, account, contact))
        return 0

    desk.conversations.erases_places.append(erase)
    receipt = await desk.send(contact="somebody")
    await desk.conversations.erase_contact(await contact_of(desk, receipt.conversation_id), LIN)
    assert told == [("telegram", "default", "somebody")]
