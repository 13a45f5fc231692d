"""Thresholds in versions, and the log that follows the conversations, on both kinds of database."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any

import pytest

from conversations.audit import AuditLog
from conversations.store import Database
from conversations.turn_model import Thresholds
from conversations.work_leases import WorkLeases
from learning import limit_store
from learning.limit_book import LimitBook, LimitsRefused
from learning.limit_cases import Case
from learning.limit_check import HeldOutCheck
from learning.limit_desk import LimitDesk, Wanted
from learning.limit_following import LimitFollower
from learning.limit_store import HeldOut, LimitStore
from learning.limits import Costs
from tests.conversations.builders import Clock, address
from tests.learning.builders import EVA, MISSED, TOM, Loop, wish
from tests.learning.limit_builders import AT

OWN = {"zh": Thresholds(None, None, 0.5), "en": Thresholds(0.7, None, 0.5)}
STRICT = {"answer": 0.8, "clarify": 0.5, "retrieval": 0.6}
LOOSE = {"answer": 0.4, "clarify": 0.2, "retrieval": 0.3}


@pytest.fixture
def book(database: Database) -> LimitBook:
    return another_book(database)


def another_book(database: Database) -> LimitBook:
    return LimitBook(database, AuditLog(b"k" * 32), OWN, now=Clock())


async def cases(database: Database, language: str = "en") -> dict[str, Case]:
    async with database.read() as connection:
        return {one.message_id: one for one in await LimitStore(connection).cases(language, None, None, 100)}


# -- versions


async def test_before_anything_was_applied_the_settings_are_in_force(book: LimitBook) -> None:
    await book.refresh()
    assert dict(book) == OWN
    assert [one.version for one in await book.versions()] == [0]


async def test_applied_thresholds_go_before_the_settings_and_other_languages_stay(book: LimitBook) -> None:
    made = await book.apply({"en": STRICT}, "too many wrong answers", EVA, 0)
    assert made.version == 1
    assert dict(book) == OWN | {"en": Thresholds(0.8, 0.5, 0.6)}
    await book.apply({"zh": LOOSE}, "too many questions back", TOM, 1)
    assert dict(book) == {"zh": Thresholds(0.4, 0.2, 0.3), "en": Thresholds(0.8, 0.5, 0.6)}
    assert (book.gate("zh", 0.5), book.gate("fr", 0.5)) == (0.3, 0.5)


async def test_another_process_takes_over_what_was_applied(database: Database, book: LimitBook) -> None:
    other = another_book(database)
    await other.refresh()
    await book.apply({"en": STRICT}, "why", EVA, 0)
    assert dict(other) == OWN
    await other.refresh()
    assert other["en"] == Thresholds(0.8, 0.5, 0.6)


async def test_going_back_is_another_version_and_nothing_is_rewritten(book: LimitBook) -> None:
    await book.apply({"en": STRICT}, "first", EVA, 0)
    await book.apply({"en": LOOSE}, "second", EVA, 1)
    back = await book.restore(1, "the second was worse", TOM, 2)
    assert (back.version, back.restores, back.limits) == (3, 1, {"en": STRICT})
    assert book["en"] == Thresholds(0.8, 0.5, 0.6)
    await book.restore(0, "begin anew", TOM, 3)
    assert dict(book) == OWN
    assert [(one.version, one.why) for one in await book.versions()] == [
        (4, "begin anew"), (3, "the second was worse"), (2, "second"), (1, "first"), (0, ""),
    ]  # fmt: skip


async def test_of_two_trainers_at_once_the_second_is_told(database: Database, book: LimitBook) -> None:
    other = another_book(database)
    results = await asyncio.gather(
        book.apply({"en": STRICT}, "mine", EVA, 0), other.apply({"en": LOOSE}, "mine too", TOM, 0),
        return_exceptions=True,
    )  # fmt: skip
    refused = [one for one in results if isinstance(one, LimitsRefused)]
    assert [one.code for one in refused] == ["changed"]
    assert len(await book.versions()) == 2


@pytest.mark.parametrize(
    ("language", "wanted", "code"),
    [
        ("en", {"answer": 0.3, "clarify": 0.4, "retrieval": 0.5}, "bad_limits"),
        ("en", {"answer": 1.3, "clarify": 0.4, "retrieval": 0.5}, "bad_limits"),
        ("en", {"answer": 0.3}, "bad_limits"),
        ("fr", STRICT, "unknown_language"),
    ],
)
async def test_thresholds_that_make_no_sense_are_refused(
    book: LimitBook, language: str, wanted: dict[str, float], code: str
) -> None:
    with pytest.raises(LimitsRefused) as refused:
        await book.apply({language: wanted}, "why", EVA, 0)
    assert refused.value.code == code
    with pytest.raises(LimitsRefused):
        await book.restore(7, "why", EVA, 0)
    assert dict(book) == OWN


# -- the log


def follower_of(loop: Loop) -> LimitFollower:
    conversations = loop.desk.conversations
    conversations.erases_too.append(limit_store.erase)
    conversations.forgets_too.append(limit_store.forget)
    return LimitFollower(loop.database, WorkLeases(loop.database), batch=3, now=loop.clock)


async def test_turns_are_followed_once_and_a_rating_finds_its_answer_later(loop: Loop) -> None:
    follower = follower_of(loop)
    conversation_id = await loop.turn("where is my parcel")
    await loop.turn("and the other one", confidence=0.7)
    await follower.catch_up()
    assert [(case.score, case.act_wrong) for case in (await cases(loop.database)).values()] == [
        (0.7, None),
        (0.95, None),
    ]
    await loop.rated(conversation_id, 5, solved=True)
    await follower.catch_up()
    assert {case.act_wrong for case in (await cases(loop.database)).values()} == {False}
    progress = await follower.progress()
    assert progress.read == progress.of
    assert not await follower.step()


async def test_what_trainers_decide_and_take_back_counts_at_once(loop: Loop) -> None:
    follower = follower_of(loop)
    await loop.turn("can you gift wrap it", route="task", confidence=0.5)
    await loop.follower.catch_up()
    await follower.catch_up()
    [group] = await loop.groups()
    made = await loop.inbox.decide(wish(group, "gap"), EVA)
    [case] = (await cases(loop.database)).values()
    assert (case.act_wrong, case.evidence) == (True, "trainer")
    await loop.inbox.undo(made.id, EVA)
    [case] = (await cases(loop.database)).values()
    assert case.act_wrong is None


async def test_nothing_stays_of_a_contact_who_is_erased(loop: Loop) -> None:
    follower = follower_of(loop)
    await loop.turn("where is my parcel")
    await loop.turn("where is mine", contact="ben")
    await follower.catch_up()
    conversation = await loop.desk.conversations.find_current(address("ann"))
    assert conversation is not None
    await loop.desk.conversations.erase_contact(conversation.contact_id, EVA)
    assert len(await cases(loop.database)) == 1
    await follower.catch_up()  # the entries of the erased one come by again
    assert len(await cases(loop.database)) == 1


async def test_the_report_says_what_there_is_and_where_the_thresholds_come_from(
    loop: Loop, book: LimitBook, tmp_path: Any
) -> None:
    follower = follower_of(loop)
    await loop.turn("where is my parcel")
    await loop.turn("can you", **MISSED | {"retrieval": [{"passage_id": "p", "version": 1, "score": 0.2}]})
    check = HeldOutCheck(loop.database, loop.desk.bot, book, tmp_path)
    desk = LimitDesk(loop.database, book, follower, check, lambda: 0.5, loop.clock)
    await follower.catch_up()
    wanted = Wanted("en", Costs(), days=0)
    found = await desk.report(wanted)
    assert found["log"]["messages"] == 2
    assert found["log"]["acted"] == {"messages": 1, "right": 0, "wrong": 0, "silent": 1}
    assert found["in_force"] == {
        "answer": {"limit": 0.7, "source": "setting"},
        "clarify": {"limit": 0.3, "source": "model"},
        "retrieval": {"limit": 0.5, "source": "knowledge_base"},
    }
    assert found["held_out"] is None
    await book.apply({"en": STRICT}, "why", EVA, 0)
    scored = HeldOut("en", "model-0", AT, "Eva", [(0.9, True), (0.2, False)])
    async with loop.database.write() as connection:
        await LimitStore(connection).keep_check(scored)
        await LimitStore(connection).keep_check(replace(scored, scored=[*scored.scored, (0.5, True)]))
    found = await desk.report(wanted)
    assert {one["source"] for one in found["in_force"].values()} == {"applied"}
    assert (found["held_out"]["lines"], found["held_out"]["stale"]) == (3, True)
    assert (await desk.report(replace(wanted, language="zh")))["log"]["messages"] == 0
