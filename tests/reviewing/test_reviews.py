"""Samples, reviews, disputes and figures over real conversations, on both databases."""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import String, select, type_coerce, update

from conversations.contact_export import exported
from conversations.erasing import Periods
from conversations.model import Agent
from conversations.sight import EVERYTHING, Scope, Sight
from conversations.store import Database
from conversations.tables import conversations as conversations_table
from conversations.turn_model import Reply, TurnResult
from reviewing import review_store
from reviewing.contact_copy import copy_of
from reviewing.review_store import Filters, ReviewStore
from reviewing.review_tables import reviews as table
from reviewing.reviews import Reviews, Wish, compared
from reviewing.sampling import Criteria, Drawn
from reviewing.states import Remark, Review, ReviewRefused, Said, State
from tests.conversations.builders import LIN, MAX, Clock, TestDesk, address
from tests.reviewing.builders import ADA, BEN, filled

WORDS = "The contact, Vogelsang, was right"
SAID = Said(WORDS, ("vogelsang",), {"correct": WORDS}, (Remark("m" * 32, 1, WORDS),))


@dataclass
class House:
    """A desk with reviews."""

    desk: TestDesk
    reviews: Reviews
    clock: Clock

    async def finished(self, contact: str, agent: Agent = LIN) -> str:
        """A conversation that the bot handed off and this agent resolved."""
        conversation_id = await self.desk.assigned(agent, contact)
        await self.desk.conversations.resolve(conversation_id, agent)
        return conversation_id

    async def by_the_bot(self, contact: str, missed: int = 0, score: int | None = None) -> str:
        """A conversation that only the bot had."""
        receipt = await self.desk.send("where is it", contact)
        await self.desk.answer()
        for _ in range(missed):
            await self.desk.send("gift wrap?", contact)
            trace = {"route": "clarify", "missed": True, "language": "en"}
            await self.desk.answer(TurnResult((Reply("What do you mean?"),), trace))
        await self.desk.conversations.resolve(receipt.conversation_id, Agent("boss", "Boss"))
        if score is not None:
            await self.desk.conversations.rate(address(contact), receipt.conversation_id, score, solved=score > 2)
        return receipt.conversation_id

    def wish(self, **more: Any) -> Wish:
        now = self.clock()
        values: dict[str, Any] = {"reviewers": (ADA,), "each": 10, "since": now - timedelta(days=30), "until": now}
        values |= {"title": "March", "kind": "random", "subject": "human", "card_id": "standard", "seed": "1"}
        return Wish(**(values | more))

    async def sampled(self, **more: Any) -> list[Review]:
        sample = await self.reviews.make_sample(self.wish(**more), BEN)
        return (await self.reviews.sample(sample.id, EVERYTHING))[2]

    async def submitted(self, review: Review, **answers: Any) -> Review:
        return await self.reviews.write(
            review.id, review.revision, review.reviewer, filled(**answers), SAID, submit=True
        )

    async def copied(self, contact_id: str) -> dict[str, bytes]:
        """The files of a contact's copy that are not what they sent."""
        conversations = self.desk.conversations
        files = exported(conversations.database, conversations.audit, contact_id, (copy_of,))
        return {name: content async for name, content in files if isinstance(content, bytes)}

    async def stored(self) -> str:
        """Everything that is in the rows of reviews, as it is stored."""
        async with self.reviews.database.read() as connection:
            columns = [type_coerce(one, String) for one in (table.c.said, table.c.dispute, table.c.decision)]
            return str([tuple(row) for row in await connection.execute(select(*columns))])


@pytest.fixture
async def house(database: Database) -> House:
    clock = Clock()
    desk = TestDesk(database, clock)
    conversations = desk.conversations
    conversations.erases_too.append(review_store.erase)
    conversations.forgets_too.append(review_store.forget)
    conversations.moves_too.append(review_store.move)
    return House(desk, Reviews(database, conversations.audit, clock), clock)


async def test_the_same_seed_draws_the_same_and_nobody_gets_their_own(house: House) -> None:
    for number in range(6):
        await house.finished(f"c{number}", (LIN, MAX)[number % 2])
    wish = house.wish(reviewers=(LIN, ADA), each=4)
    one, other = await house.reviews.draw(wish), await house.reviews.draw(wish)
    assert one == other
    assert {review.agent_id for review in one.by_reviewer[LIN.id]} == {MAX.id}
    assert one.size == 6


async def test_what_was_drawn_is_not_drawn_again(house: House) -> None:
    await house.finished("ann")
    [review] = await house.sampled()
    assert (review.agent_id, review.state, review.people) == (LIN.id, State.DRAFT, frozenset({LIN.id}))
    with pytest.raises(ReviewRefused, match="No conversation fits"):
        await house.sampled()


async def test_targeted_samples_find_what_they_look_for(house: House) -> None:
    await house.by_the_bot("fine")
    low = await house.by_the_bot("low", score=1)
    missed = await house.by_the_bot("missed", missed=2)
    handed = await house.finished("handed")

    async def found(**criteria: Any) -> set[str]:
        wish = house.wish(kind="targeted", subject="bot", criteria=Criteria(**criteria))
        return {one.conversation_id for one in (await house.reviews.draw(wish)).by_reviewer[ADA.id]}

    assert await found(rating_to=2) == {low}
    assert await found(refuted=True) == {low}
    assert await found(misses_from=2) == {missed}
    assert await found(handed_off=True) == {handed}
    assert len(await found()) == 4


async def test_only_what_is_seen_is_drawn_and_listed(house: House) -> None:
    await house.finished("ann")
    stranger = Sight("stranger", Scope.OWN)
    assert (await house.reviews.draw(house.wish(), stranger)).size == 0
    [review] = await house.sampled()
    assert await house.reviews.listed(Filters(), stranger) == []
    assert (await house.reviews.sample(review.sample_id, stranger))[2] == []
    assert [one.id for one in await house.reviews.listed(Filters(), EVERYTHING)] == [review.id]


async def test_a_review_from_draft_to_decision_is_kept_and_audited(house: House) -> None:
    await house.finished("ann")
    [drafted] = await house.sampled()
    kept = await house.reviews.write(drafted.id, 0, ADA, {"understood": "no"}, SAID, submit=False)
    assert (await house.reviews.get(drafted.id)) == kept
    assert kept.said == SAID
    with pytest.raises(ReviewRefused) as refused:  # another window
        await house.reviews.write(drafted.id, 0, ADA, {}, Said(), submit=False)
    assert refused.value.code == "changed"
    submitted = await house.submitted(kept, correct="no")
    assert (submitted.score.value, submitted.score.failed_by) == (0, ("correct",))
    disputed = await house.reviews.dispute(submitted.id, LIN, f"I disagree: {WORDS}")
    changed = await house.reviews.decide(disputed.id, disputed.revision, BEN, "Lin is right", filled())
    assert (await house.reviews.get(drafted.id)) == changed
    assert (changed.state, changed.score.value, changed.score_before) == (State.CHANGED, 100, 0)
    assert "Vogelsang" not in await house.stored()


async def test_an_edited_scorecard_is_a_new_version_and_old_reviews_keep_theirs(house: House) -> None:
    await house.finished("ann")
    [review] = await house.sampled()
    [first] = await house.reviews.cards()
    second = await house.reviews.save_card(replace(first, pass_mark=95), 1, BEN)
    assert second.version == 2
    with pytest.raises(ReviewRefused) as refused:
        await house.reviews.save_card(first, 1, ADA)
    assert refused.value.code == "changed"
    assert (await house.reviews.card_of(review)).pass_mark == 80
    await house.finished("ben")
    [later] = await house.sampled()
    assert (await house.reviews.card_of(later)).pass_mark == 95


async def test_erasing_a_contact_takes_what_reviewers_wrote_and_leaves_what_they_answered(house: House) -> None:
    conversation_id = await house.finished("ann")
    [review] = await house.sampled()
    submitted = await house.submitted(review)
    await house.reviews.dispute(submitted.id, LIN, WORDS)
    contact_id = (await house.desk.get(conversation_id)).contact_id
    await house.desk.conversations.erase_contact(contact_id, LIN)
    left = await house.reviews.get(review.id)
    assert (left.said, left.dispute) == (Said(), "")
    assert left.answers == submitted.answers
    assert "fd1." not in await house.stored()
    with pytest.raises(ReviewRefused) as refused:
        await house.reviews.decide(left.id, left.revision, BEN, WORDS, None)
    assert refused.value.code == "erased"


async def test_words_that_are_too_old_go_as_well(house: House) -> None:
    await house.finished("ann")
    [review] = await house.sampled()
    await house.submitted(review)
    house.clock.advance(40 * 86400)
    await house.desk.conversations.forget_what_is_old(Periods(messages=timedelta(days=30)))
    assert (await house.reviews.get(review.id)).said == Said()


async def test_reviewers_are_compared_question_by_question(house: House) -> None:
    for number in range(3):
        await house.finished(f"c{number}")
    drafts = await house.sampled(kind="calibration", reviewers=(ADA, BEN))
    assert len(drafts) == 6
    assert await house.reviews.is_open(drafts[0].sample_id)
    mark = {one: number + 2 for number, one in enumerate(sorted({one.conversation_id for one in drafts}))}
    for one in drafts:
        await house.submitted(one, solved=mark[one.conversation_id], clear=5 if one.reviewer == ADA else 1)
    sample, card, listed = await house.reviews.sample(drafts[0].sample_id, EVERYTHING)
    assert not await house.reviews.is_open(sample.id)
    found = {one.key: one.agreement for one in compared(card, listed)}
    assert (found["solved"].percent, found["solved"].alpha) == (1, 1)
    assert found["clear"].percent == 0
    assert found["clear"].alpha is not None
    assert found["clear"].alpha < 0
    assert (found["correct"].percent, found["correct"].alpha) == (1, None)
    [people, _] = await house.reviews.results(
        house.clock() - timedelta(days=1), house.clock(), EVERYTHING, ZoneInfo("UTC")
    )
    assert people.lines[0].reviews == 0  # what compares reviewers is nobody's score


async def test_a_mean_of_fewer_than_five_is_not_shown(house: House) -> None:
    for number in range(6):
        await house.finished(f"c{number}", (LIN if number < 5 else MAX))
    for one in await house.sampled():
        await house.submitted(one, solved=3)
    since = house.clock() - timedelta(days=1)
    [people, bot] = await house.reviews.results(since, house.clock(), EVERYTHING, ZoneInfo("UTC"))
    lines = {(one.by, one.key): one for one in people.lines}
    assert lines["agent", MAX.id].mean is None
    lin = lines["agent", LIN.id]
    assert (lin.reviews, lin.label, lin.mean, lin.low, lin.high, lin.passed) == (5, "Lin", 91.67, 91.67, 91.67, 1)
    assert lines["question", "standard/solved"].mean == 50
    assert bot.lines[0].reviews == 0


async def test_only_what_the_contact_wrote_can_be_sent_to_the_inbox(house: House) -> None:
    await house.by_the_bot("ann")
    [review] = await house.sampled(subject="bot")
    await house.reviews.send_to_inbox(review.id, 1, ADA)
    with pytest.raises(ReviewRefused) as refused:
        await house.reviews.send_to_inbox(review.id, 2, ADA)
    assert refused.value.code == "not_a_question"


async def test_two_who_save_at_once_do_not_overwrite_each_other(house: House) -> None:
    await house.finished("ann")
    [review] = await house.sampled()
    async with house.reviews.database.write() as connection:
        store = ReviewStore(connection)
        assert await store.save(replace(review, revision=1), 0)
        assert not await store.save(replace(review, revision=1), 0)


async def test_what_was_said_about_a_contact_is_in_the_copy_of_their_data_without_who_reviewed(house: House) -> None:
    conversation_id = await house.finished("ann")
    await house.finished("bob")
    drafts = await house.sampled()
    about_ann, about_bob = sorted(drafts, key=lambda one: one.conversation_id != conversation_id)
    said = replace(SAID, notes={"identity": WORDS})
    await house.reviews.write(about_ann.id, 0, ADA, filled(), said, submit=True)
    await house.submitted(about_bob)
    await house.reviews.dispute(about_ann.id, LIN, "I had asked for it")
    copied = await house.copied(about_ann.contact_id)
    [form] = json.loads(copied["reviews.json"])
    assert (form["conversation_id"], form["state"], form["dispute"]) == (
        conversation_id,
        "disputed",
        "I had asked for it",
    )
    assert form["comment"] == SAID.comment
    assert WORDS in [one["note"] for one in form["questions"] if one["answer"] == "yes"]
    assert ADA.id not in copied["reviews.json"].decode()
    assert ADA.name not in json.dumps(form)


async def test_a_copy_of_somebody_whom_no_review_is_about_has_none(house: House) -> None:
    conversation_id = await house.finished("ann")
    assert "reviews.json" not in await house.copied((await house.desk.get(conversation_id)).contact_id)


async def test_reviews_are_listed_and_counted_for_one_team(house: House) -> None:
    ann, _bob = await house.finished("ann"), await house.finished("bob")
    async with house.reviews.database.write() as connection:
        row = conversations_table.c
        await connection.execute(update(conversations_table).where(row.id == ann).values(team_id="gifts"))
    for one in await house.sampled():
        await house.submitted(one)
    [of_gifts] = await house.reviews.listed(Filters(team_id="gifts"), EVERYTHING)
    assert (of_gifts.conversation_id, of_gifts.team_id) == (ann, "gifts")
    since, until = house.clock() - timedelta(days=1), house.clock() + timedelta(days=1)
    [people, _] = await house.reviews.results(since, until, EVERYTHING, ZoneInfo("UTC"), "gifts")
    [everybody, _] = await house.reviews.results(since, until, EVERYTHING, ZoneInfo("UTC"))
    assert (people.lines[0].reviews, everybody.lines[0].reviews) == (1, 2)


async def test_two_supervisors_who_draw_at_once_do_not_get_the_same_conversations(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(6):
        await house.finished(f"c{number}")
    house.clock.advance(60)
    both_drew, draw = asyncio.Barrier(2), house.reviews.draw

    async def drawn_by_both(wish: Wish, sight: Sight = EVERYTHING) -> Drawn:
        found = await draw(wish, sight)
        await both_drew.wait()
        return found

    monkeypatch.setattr(house.reviews, "draw", drawn_by_both)
    drawn = await asyncio.gather(
        house.reviews.make_sample(house.wish(each=6, reviewers=(ADA,), seed="1"), BEN),
        house.reviews.make_sample(house.wish(each=6, reviewers=(BEN,), seed="2"), ADA),
        return_exceptions=True,
    )
    assert [one.code for one in drawn if isinstance(one, ReviewRefused)] == ["changed"]
    listed = await house.reviews.listed(Filters(), EVERYTHING)
    assert len({one.conversation_id for one in listed}) == len(listed) == 6
