"""What could not be delivered is listed, tried again or let be, and every step is in the audit trail."""

from __future__ import annotations

import json

from sqlalchemy import event, select

from conversations.audit_check import verify
from conversations.audit_store import AuditStore
from conversations.dead_letter_store import Choice, DeadLetterStore
from conversations.dead_letters import DeadLetters
from conversations.model import InboundMessage, new_id
from conversations.tables import messages, outbox
from tests.conversations.builders import LIN, TestDesk, address, says


async def given_up(
    desk: TestDesk, *said: str, contact: str = "ann", state: str = "dead", channel: str = "telegram"
) -> str:
    """Messages of the bot that the outbox gave up; returns their conversation."""
    conversation_id = ""
    for words in said:
        to = address(contact, channel)
        received = await desk.conversations.receive(InboundMessage(to, new_id(), "?", contact_name=contact.title()))
        conversation_id = received.conversation_id
        await desk.answer(says(words))
    async with desk.database.write() as connection:
        of = select(messages.c.id).where(messages.c.conversation_id == conversation_id)
        await connection.execute(
            outbox.update()
            .where(outbox.c.message_id.in_(of), outbox.c.state == "pending")
            .values(state=state, error="blocked", attempts=3)
        )
        failed = messages.update().where(messages.c.id.in_(of), messages.c.author == "bot")
        await connection.execute(failed.values(delivery_failed=state == "dead"))
    return conversation_id


def letters_of(desk: TestDesk, woken: list[None] | None = None) -> DeadLetters:
    return DeadLetters(desk.conversations, lambda: (woken if woken is not None else []).append(None))


async def states(desk: TestDesk) -> list[str]:
    async with desk.database.read() as connection:
        return list((await connection.execute(select(outbox.c.state).order_by(outbox.c.ordinal))).scalars())


async def audited(desk: TestDesk, kind: str) -> list[dict[str, object]]:
    async with desk.database.read() as connection:
        bodies = [json.loads(row.body) async for row in AuditStore(connection).entries()]
    return [one for one in bodies if one["kind"] == kind]


async def test_pages_lead_from_the_newest_to_the_oldest_without_a_gap(desk: TestDesk) -> None:
    await given_up(desk, *map(str, range(7)))
    letters = letters_of(desk)
    seen: list[str] = []
    cursor: int | None = None
    while True:
        page = await letters.page(Choice(), cursor, limit=3)
        seen += [one.message.text for one in page.letters]
        cursor = page.cursor
        if len(seen) == 3:
            await given_up(desk, "newer", contact="bob")  # what comes meanwhile shifts nothing
        if cursor is None:
            break
    assert seen == ["6", "5", "4", "3", "2", "1", "0"]


async def test_a_letter_tells_whom_it_was_for_and_why_it_failed(desk: TestDesk) -> None:
    conversation_id = await given_up(desk, "your parcel is on its way")
    [letter] = (await letters_of(desk).page(Choice())).letters
    assert (str(letter.address), letter.contact_name) == ("telegram:default:ann", "Ann")
    assert (letter.state, letter.error, letter.attempts) == ("dead", "blocked", 3)
    assert (letter.message.conversation_id, letter.message.text) == (conversation_id, "your parcel is on its way")


async def test_the_list_can_be_limited_and_is_counted_by_account_and_state(desk: TestDesk) -> None:
    await given_up(desk, "a", "b")
    await given_up(desk, "c", contact="bob", state="unknown")
    await given_up(desk, "d", contact="eve", channel="slack")
    letters = letters_of(desk)
    for choice, expected in (
        (Choice(), ["d", "c", "b", "a"]),
        (Choice(channel="telegram"), ["c", "b", "a"]),
        (Choice(channel="telegram", state="dead"), ["b", "a"]),
        (Choice(state="unknown"), ["c"]),
        (Choice(channel="slack", account="other"), []),
    ):
        assert [one.message.text for one in (await letters.page(choice)).letters] == expected
    assert [tuple(one) for one in await letters.counts()] == [
        ("slack", "default", "dead", 1),
        ("telegram", "default", "dead", 2),
        ("telegram", "default", "unknown", 1),
    ]


async def test_a_replayed_letter_waits_to_be_sent_and_its_transcript_says_so(desk: TestDesk) -> None:
    conversation_id = await given_up(desk, "a", "b")
    woken: list[None] = []
    letters = letters_of(desk, woken)
    ids = [one.id for one in (await letters.page(Choice())).letters]
    assert await letters.replay([*ids, new_id()], LIN) == 2
    assert await letters.replay(ids, LIN) == 0  # somebody else was quicker
    assert await states(desk) == ["pending", "pending"]
    assert woken
    assert not any(one.delivery_failed for one in await desk.conversations.messages(conversation_id))
    entries = await audited(desk, "delivery_replayed")
    assert [(one["actor"], one["conversation_id"]) for one in entries] == [("agent:agent-lin", conversation_id)] * 2


async def test_a_discarded_letter_is_gone_from_the_list_and_stays_failed_in_the_transcript(desk: TestDesk) -> None:
    conversation_id = await given_up(desk, "a")
    letters = letters_of(desk)
    [letter] = (await letters.page(Choice())).letters
    assert await letters.discard([letter.id], LIN, "Ann was phoned instead") == 1
    assert await states(desk) == ["dropped"]
    assert (await letters.page(Choice())).letters == []
    assert await letters.replay([letter.id], LIN) == 0
    assert [one.delivery_failed for one in await desk.conversations.messages(conversation_id)] == [False, True]


async def test_the_reason_of_a_discard_vanishes_with_the_contact(desk: TestDesk) -> None:
    conversation_id = await given_up(desk, "a")
    letters = letters_of(desk)
    [letter] = (await letters.page(Choice())).letters
    await letters.discard([letter.id], LIN, "Ann Lee was phoned instead")
    [entry] = await audited(desk, "delivery_discarded")
    assert "Ann Lee" not in json.dumps(entry)
    async with desk.database.read() as connection:
        told = await desk.conversations.audit.open_entry(connection, json.dumps(entry))
    assert told["personal"] == {"reason": "Ann Lee was phoned instead"}
    await desk.conversations.erase_contact((await desk.get(conversation_id)).contact_id, LIN)
    async with desk.database.read() as connection:
        told = await desk.conversations.audit.open_entry(connection, json.dumps(entry))
        assert told["personal"] is None
    assert (await verify(desk.database, [])).exit_code == 0


async def test_all_that_fit_are_reached_in_parts_even_where_they_fail_again_at_once(desk: TestDesk) -> None:
    await given_up(desk, *map(str, range(5)))
    letters = letters_of(desk)
    newest = (await letters.page(Choice(), limit=1)).letters[0].ordinal
    done, after = 0, None
    for _ in range(3):
        ids, after = await letters.oldest(Choice(up_to=newest, after=after), 2)
        done += await letters.replay(ids, LIN)
        async with desk.database.write() as connection:  # the channel refuses them once more
            await connection.execute(outbox.update().values(state="dead"))
    assert (done, after) == (5, None)


async def test_what_is_sent_or_waits_cannot_be_settled(desk: TestDesk) -> None:
    await given_up(desk, "a")
    [letter] = (await letters_of(desk).page(Choice())).letters
    for state in ("pending", "sending", "sent", "recalled", "dropped"):
        async with desk.database.write() as connection:
            await connection.execute(outbox.update().values(state=state))
            assert await DeadLetterStore(connection).replay([letter.id], desk.clock()) == []
        assert await states(desk) == [state]


async def test_a_long_list_is_read_by_the_index_of_what_was_given_up(desk: TestDesk) -> None:
    if not desk.database.is_sqlite:
        return  # PostgreSQL decides by how full its tables are
    seen: list[tuple[str, object]] = []

    def see(_connection: object, _cursor: object, statement: str, values: object, *_more: object) -> None:
        seen.append((statement, values))

    event.listen(desk.database._reading.sync_engine, "before_cursor_execute", see)
    await letters_of(desk).page(Choice(), before=1000)
    [(statement, values)] = [one for one in seen if one[0].startswith("SELECT")]
    async with desk.database.read() as connection:
        explained = await connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", values)  # type: ignore[arg-type]
        plan = [row[3] for row in explained]
    assert "ix_outbox_given_up" in plan[0]
    assert not any("TEMP B-TREE" in line for line in plan)  # nothing is sorted
