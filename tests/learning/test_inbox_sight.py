"""The inbox for whoever does not see every conversation, on both databases."""

from __future__ import annotations

from sqlalchemy import update

from conversations.sight import EVERYTHING, Scope, Sight
from conversations.tables import conversations
from learning.gap_store import GapStore, create_tables
from learning.inbox_list_store import SORTS, STATES, Filters
from learning.inbox_sight_store import NarrowedInboxStore
from tests.conversations.builders import LIN
from tests.learning.builders import EVA, MISSED, Loop, wish

GRACE = Sight("grace", Scope.TEAM, frozenset({"ours"}), frozenset({"theirs"}))


async def hide(loop: Loop, *conversation_ids: str) -> None:
    """These are with another team from now on."""
    async with loop.database.write() as connection:
        chosen = update(conversations).where(conversations.c.id.in_(conversation_ids))
        await connection.execute(chosen.values(team_id="theirs", status="assigned"))


async def missed(loop: Loop, text: str, contact: str) -> str:
    conversation_id = await loop.turn(text, contact, **MISSED)
    await loop.follower.catch_up()
    return conversation_id


async def test_a_group_is_what_its_seen_messages_make_it(loop: Loop) -> None:
    """The hidden message is new, the seen one is done: for Grace the group is done, with the figures of one message."""
    await missed(loop, "can you gift wrap it", "ann")
    hidden = await missed(loop, "gift wrap it please", "ben")
    await hide(loop, hidden)
    [group] = await loop.groups()
    [own] = [one for one in (await loop.inbox.look(group.id)).messages if one.item.conversation_id != hidden]
    await loop.inbox.decide(wish(group, "done", message_ids=(own.item.message_id,)), EVA)
    assert (await loop.groups())[0].messages == 1
    assert await loop.inbox.counts(GRACE) == {"new": 0, "done": 1, "ignored": 0, "gaps": 0}
    [(seen, text)], total = await loop.inbox.groups(Filters(state="done"), sight=GRACE)
    assert (seen.state, seen.messages, seen.contacts, seen.medoid, text, total) == (
        "done", 1, 1, own.item.message_id, "can you gift wrap it", 1,
    )  # fmt: skip
    assert (await loop.inbox.groups(Filters(), sight=GRACE))[1] == 0
    assert [one.text for one in (await loop.inbox.look(group.id, GRACE)).messages] == ["can you gift wrap it"]


async def test_when_a_hidden_message_came_again_is_not_told(loop: Loop) -> None:
    await missed(loop, "can you gift wrap it", "ann")
    [group] = await loop.groups()
    await loop.inbox.decide(wish(group, "done"), EVA)
    await hide(loop, await missed(loop, "gift wrap it please", "ben"))
    [again] = await loop.groups()
    assert again.again_at is not None
    [(seen, _)], _ = await loop.inbox.groups(Filters(state="done"), sight=GRACE)
    assert (seen.again_at, seen.again_model) == (None, None)


async def test_where_everything_is_seen_both_ways_to_count_agree(loop: Loop) -> None:
    """Also of what was rated low, handed off, and decided in part."""
    await missed(loop, "can you gift wrap it", "ann")
    await missed(loop, "gift wrap it please", "ben")
    await missed(loop, "gift wrap it now", "ben")
    low = await missed(loop, "where are your shops", "cat")
    await loop.desk.conversations.assign(low, LIN)
    await loop.rated(low, 1, "cat")
    await loop.follower.catch_up()
    await loop.turn("do you sell lamps in blue", "dan", handoff="two_misses", **MISSED)
    await loop.follower.catch_up()
    first, *_ = await loop.groups()
    [message, *_] = (await loop.inbox.look(first.id)).messages
    await loop.inbox.decide(wish(first, "done", message_ids=(message.item.message_id,)), EVA)
    other = (await loop.groups())[-1]
    await loop.inbox.decide(wish(other, "ignored"), EVA)
    everything = 0
    for state in STATES:
        for sort in SORTS:
            wide, narrow = [
                await loop.inbox.groups(Filters(state=state), sort, sight=one) for one in (EVERYTHING, GRACE)
            ]
            assert wide == narrow, (state, sort)
            everything += wide[1]
    assert everything >= len(SORTS) * 3
    assert await loop.inbox.counts() == await loop.inbox.counts(GRACE)


async def test_gaps_count_only_contacts_that_are_seen(loop: Loop) -> None:
    await create_tables(loop.database)
    await missed(loop, "can you gift wrap it", "ann")
    await hide(
        loop, await missed(loop, "gift wrap it please", "ben"), await missed(loop, "where are your shops", "cat")
    )
    async with loop.database.read() as connection:
        for sight, contacts in ((EVERYTHING, [2, 1]), (GRACE, [1])):
            store = GapStore(connection, sight)
            found = await store.groups(None, 10)
            affected = await store.affected([one.id for one in found])
            assert sorted(affected.values(), reverse=True) == contacts
        everywhere = {one.id for one in await GapStore(connection).groups(None, 10)}
        narrowed = NarrowedInboxStore(connection, GRACE)
        assert len([one for one in everywhere if await narrowed.find_group(one) is None]) == 1
