"""What the review routes do: versions of scorecards, samples, reviews, disputes, figures; every write with its audit entry."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from conversations.audit import AuditEntry, AuditLog
from conversations.model import Agent, new_id, utc_now
from conversations.sight import EVERYTHING, Sight
from conversations.store import Database
from reviewing.agreement import Agreement, agreement
from reviewing.candidate_store import CandidateStore, words_at
from reviewing.review_results import Report, report_of
from reviewing.review_store import Filters, ReviewStore, Sample
from reviewing.sampling import Candidate, Criteria, Drawn, Stratum, draw, draw_for_all
from reviewing.scorecards import NOT_APPLICABLE, BadCard, Card, Subject, check_card
from reviewing.states import Review, ReviewRefused, Said, State

NO_REVIEW = "There is no such review."


@dataclass(frozen=True, slots=True)
class Wish:
    """A sample as it is asked for."""

    title: str
    kind: str  #: random, targeted or calibration
    subject: Subject
    card_id: str
    reviewers: tuple[Agent, ...]
    each: int
    since: datetime
    until: datetime
    seed: str = ""  #: empty: one is made
    stratum: Stratum = "none"
    criteria: Criteria = field(default_factory=Criteria)


@dataclass(frozen=True, slots=True)
class Compared:
    """One question of a comparison between reviewers."""

    key: str
    agreement: Agreement


class Reviews:
    """The reviews of one service process; nothing of them runs in the background."""

    def __init__(self, database: Database, audit: AuditLog, now: Callable[[], datetime] = utc_now) -> None:
        self.database = database
        self._audit = audit
        self._now = now

    async def start(self) -> None:
        """Nothing to begin: whatever happens here, somebody asked for."""

    async def close(self) -> None:
        """Nothing to stop."""

    # -- scorecards ---------------------------------------------------------------------------------------------

    async def cards(self) -> list[Card]:
        """Every version, the newest of each scorecard first."""
        async with self.database.read() as connection:
            return await ReviewStore(connection).cards()

    async def card_of(self, review: Review) -> Card:
        """The version that a review is made by."""
        async with self.database.read() as connection:
            return await self._card(connection, review.card_id, review.card_version)

    async def save_card(self, card: Card, based_on: int, by: Agent) -> Card:
        """The next version of a scorecard, or the first of a new one (``based_on`` 0, without an id)."""
        async with self.database.write() as connection:
            store = ReviewStore(connection)
            known = [one.version for one in await store.cards() if one.id == card.id]
            if card.id and not known:
                raise ReviewRefused("not_found", "There is no such scorecard.")
            if max(known, default=0) != based_on:
                raise ReviewRefused("changed", "Somebody has saved this scorecard since. Reload the page.")
            made = replace(card, id=card.id or new_id(), version=based_on + 1)
            try:
                check_card(made)
            except BadCard as bad:
                raise ReviewRefused("bad_card", str(bad)) from None
            try:
                await store.add_card(made, self._now(), by)
            except IntegrityError:
                raise ReviewRefused("changed", "Somebody has saved this scorecard since. Reload the page.") from None
            told = {"card_id": made.id, "version": made.version, "title": made.title.en}
            await self._note("scorecard_saved", connection, by, told)
        return made

    # -- samples ------------------------------------------------------------------------------------------------

    async def draw(self, wish: Wish, sight: Sight = EVERYTHING) -> Drawn:
        """Who would review what; the same wish with the same seed draws the same from the same conversations."""
        async with self.database.read() as connection:
            found = await CandidateStore(connection).candidates(
                wish.subject, wish.since, wish.until, sight, misses=wish.criteria.misses_from is not None
            )
        chosen = [one for one in found if wish.criteria.fits(one)]
        drawing = draw_for_all if wish.kind == "calibration" else draw
        return drawing(chosen, [one.id for one in wish.reviewers], wish.each, wish.seed, wish.stratum)

    async def make_sample(self, wish: Wish, by: Agent, sight: Sight = EVERYTHING) -> Sample:
        """Draw a sample and hand it out as drafts; raises ``ReviewRefused`` where there is nothing to draw."""
        wish = replace(wish, seed=wish.seed or new_id()[:8])
        if wish.kind == "calibration" and len(wish.reviewers) < 2:
            raise ReviewRefused("nothing", "Comparing reviewers needs at least two of them.")
        card = next((one for one in await self.cards() if one.id == wish.card_id), None)
        if card is None or not card.is_for(wish.subject):
            raise ReviewRefused("bad_card", "Choose a scorecard that is made for what is reviewed.")
        drawn = await self.draw(wish, sight)
        if not drawn.size:
            raise ReviewRefused("nothing", "No conversation fits. Choose a longer period or ask for less.")
        now = self._now()
        how = {
            "seed": wish.seed, "stratum": wish.stratum, "each": wish.each, "since": wish.since.isoformat(),
            "until": wish.until.isoformat(), "criteria": {k: v for k, v in asdict(wish.criteria).items() if v},
        }  # fmt: skip
        sample = Sample(
            new_id(), wish.title, wish.kind, wish.subject, card.id, card.version, how, drawn.of, now, by
        )  # fmt: skip
        names = {one.id: one for one in wish.reviewers}
        made = [
            _draft(sample, names[reviewer], one) for reviewer, chosen in drawn.by_reviewer.items() for one in chosen
        ]
        async with self.database.write() as connection:
            ids = {one.conversation_id for one in made}
            if wish.kind != "calibration" and await CandidateStore(connection).drawn_meanwhile(ids, wish.subject):
                raise ReviewRefused("changed", "Somebody has drawn some of these conversations meanwhile. Draw again.")
            await ReviewStore(connection).add_sample(sample, made)
            told = {"sample_id": sample.id, "title": sample.title, "reviews": len(made), "seed": wish.seed}
            await self._note("review_sample_made", connection, by, told)
        return sample

    async def samples(self) -> list[tuple[Sample, list[tuple[str, str, int, int]]]]:
        """The latest samples, each with its reviewers: id, name, how many are done, of how many."""
        async with self.database.read() as connection:
            store = ReviewStore(connection)
            found = await store.samples()
            progress = await store.progress([one.id for one in found])
        return [(one, [line[1:] for line in progress if line[0] == one.id]) for one in found]

    async def sample(self, sample_id: str, sight: Sight) -> tuple[Sample, Card, list[Review]]:
        """One sample with its reviews, as far as their conversations are seen."""
        async with self.database.read() as connection:
            store = ReviewStore(connection)
            found = await store.find_sample(sample_id)
            if found is None:
                raise ReviewRefused("not_found", "There is no such sample.")
            listed = await store.listed(Filters(sample_id=sample_id), sight)
            return found, await self._card(connection, found.card_id, found.card_version), listed

    # -- reviews ------------------------------------------------------------------------------------------------

    async def listed(self, filters: Filters, sight: Sight | None) -> list[Review]:
        """Reviews, the newest first; without a sight all that the filters leave."""
        async with self.database.read() as connection:
            return await ReviewStore(connection).listed(filters, sight)

    async def get(self, review_id: str) -> Review:
        """One review; whether somebody may see it is decided by who asks."""
        async with self.database.read() as connection:
            return _there(await ReviewStore(connection).find(review_id))

    async def is_open(self, sample_id: str) -> bool:
        """Whether reviewers of a comparison are still at it, and so must not see each other's answers."""
        async with self.database.read() as connection:
            listed = await ReviewStore(connection).listed(Filters(sample_id=sample_id), None)
        return any(one.state is State.DRAFT for one in listed)

    async def write(
        self, review_id: str, revision: int, by: Agent, answers: Mapping[str, Any], said: Said, *, submit: bool
    ) -> Review:
        """Keep a draft, or hand it in."""

        def change(found: Review, card: Card) -> Review:
            if submit:
                return found.submit(by, card, answers, said, self._now())
            return found.write(by, card, answers, said)

        return await self._change("review_submitted" if submit else "review_drafted", review_id, revision, by, change)

    async def dispute(self, review_id: str, by: Agent, reason: str) -> Review:
        """The reviewed agent disagrees."""
        return await self._change(
            "review_disputed", review_id, None, by, lambda found, _card: found.disputed(by, reason, self._now())
        )

    async def decide(
        self, review_id: str, revision: int, by: Agent, reason: str, changed: Mapping[str, Any] | None
    ) -> Review:
        """Uphold a disputed review, or change its answers."""
        return await self._change(
            "review_upheld" if changed is None else "review_changed",
            review_id,
            revision,
            by,
            lambda found, card: found.decide(by, reason, self._now(), card, changed),
        )

    async def send_to_inbox(self, review_id: str, seq: int, by: Agent) -> None:
        """Ask for a contact's message to come to the trainers' inbox: the entry is what the inbox follows."""
        async with self.database.write() as connection:
            review = _there(await ReviewStore(connection).find(review_id))
            message_id = await words_at(connection, review.conversation_id, seq)
            if message_id is None:
                raise ReviewRefused(
                    "not_a_question", "Only what the contact wrote can be taught. Choose their message."
                )
            told = {"review_id": review.id, "conversation_id": review.conversation_id, "seq": seq}
            await self._note("turn_sent_to_inbox", connection, by, told | {"message_id": message_id})

    # -- figures ------------------------------------------------------------------------------------------------

    async def results(
        self, since: datetime, until: datetime, sight: Sight, zone: ZoneInfo, team_id: str | None = None
    ) -> list[Report]:
        """What was submitted in a period, of people and of the bot apart; of one team only where it is named."""
        async with self.database.read() as connection:
            found = await ReviewStore(connection).results(since, until, sight, team_id)
        return [report_of(found, subject, zone) for subject in ("human", "bot")]

    async def _change(
        self, kind: str, review_id: str, revision: int | None, by: Agent, change: Callable[[Review, Card], Review]
    ) -> Review:
        async with self.database.write() as connection:
            store = ReviewStore(connection)
            found = _there(await store.find(review_id, lock=True))
            if revision is not None and found.revision != revision:
                raise ReviewRefused("changed", "This review was changed in another window. Reload the page.")
            if not await store.can_be_written_about(found.conversation_id):
                raise ReviewRefused("erased", "The contact was erased; nothing is written about them any more.")
            changed = change(found, await self._card(connection, found.card_id, found.card_version))
            if not await store.save(changed, found.revision):
                raise ReviewRefused("changed", "This review was changed in another window. Reload the page.")
            told: dict[str, Any] = {
                "review_id": found.id,
                "conversation_id": found.conversation_id,
                "sample_id": found.sample_id,
            }
            if changed.state is not State.DRAFT:
                told |= {"score": changed.score.value, "passed": changed.score.passed}
            if changed.state is State.CHANGED:
                told |= {"score_before": changed.score_before}
            await self._note(kind, connection, by, told)
        return changed

    async def _card(self, connection: AsyncConnection, card_id: str, version: int) -> Card:
        card = await ReviewStore(connection).find_card(card_id, version)
        if card is None:
            raise ReviewRefused("not_found", "There is no such scorecard.")
        return card

    async def _note(self, kind: str, connection: AsyncConnection, by: Agent, data: dict[str, Any]) -> None:
        await self._audit.append(connection, self._now(), [AuditEntry(kind, f"agent:{by.id}", data=data)])


def compared(card: Card, reviews: Sequence[Review]) -> list[Compared]:
    """How far the reviewers of a comparison agree about each question; what does not apply is an answer of yes-or-no
    questions, and none of a scale."""
    units: dict[str, list[Review]] = {}
    for one in reviews:
        if one.state is not State.DRAFT:
            units.setdefault(one.conversation_id, []).append(one)
    found = []
    for question in card.questions:
        scale = question.form == "scale"
        answers = [
            [
                one.answers[question.key]
                for one in unit
                if question.key in one.answers and not (scale and one.answers[question.key] == NOT_APPLICABLE)
            ]
            for unit in units.values()
        ]
        found.append(Compared(question.key, agreement(answers, "ordinal" if scale else "nominal")))
    return found


def _there(found: Review | None) -> Review:
    if found is None:
        raise ReviewRefused("not_found", NO_REVIEW)
    return found


def _draft(sample: Sample, reviewer: Agent, one: Candidate) -> Review:
    return Review(
        new_id(), sample.id, one.conversation_id, one.contact_id, sample.subject, reviewer, sample.card_id,  # type: ignore[arg-type]
        sample.card_version, sample.created_at, one.agent_id, one.agent_name, one.team_id, one.people,
        sample.kind == "calibration",
    )  # fmt: skip
