"""One place, one owner: whoever was quicker has it, and nobody keeps what was taken from them."""

from __future__ import annotations

import asyncio

from conversations.lease_store import LeaseStore
from conversations.store import Database
from tests.conversations.conftest import connect_again

MAILBOX = "email/default"


async def test_of_many_who_want_a_free_place_one_gets_it(database: Database, place: str) -> None:
    others = [connect_again(place) for _ in range(3)]
    stores = [LeaseStore(one) for one in (database, *others)]
    taken = await asyncio.gather(*(store.take(MAILBOX, f"process-{n}", None) for n, store in enumerate(stores)))
    [winner] = [lease for lease in taken if lease is not None]
    assert await stores[0].find(MAILBOX) == winner
    for other in others:
        await other.close()


async def test_a_place_whose_owner_gave_a_sign_of_life_meanwhile_is_not_taken(database: Database) -> None:
    store = LeaseStore(database)
    mine = await store.take(MAILBOX, "process-1", None)
    seen = await store.find(MAILBOX)
    assert mine is not None
    assert await store.beat(mine)
    assert await store.take(MAILBOX, "process-2", seen) is None
    quiet = await store.find(MAILBOX)
    assert quiet != seen
    assert (await store.take(MAILBOX, "process-2", quiet)) is not None


async def test_who_lost_the_place_cannot_beat_or_give_it_back(database: Database) -> None:
    store = LeaseStore(database)
    mine = await store.take(MAILBOX, "process-1", None)
    theirs = await store.take(MAILBOX, "process-2", await store.find(MAILBOX))
    assert mine is not None
    assert theirs is not None
    assert theirs.fence > mine.fence
    assert not await store.beat(mine)
    await store.give_back(mine)
    assert await store.find(MAILBOX) == theirs
    await store.give_back(theirs)
    free = await store.find(MAILBOX)
    assert free is not None
    assert free.owner is None
    assert not await store.beat(theirs)
