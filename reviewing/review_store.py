"""Keeps scorecards, samples and reviews; erases what was written about a contact with the contact."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from conversations.model import Agent
from conversations.sealing_store import SealingStore
from conversations.sight import Sight
from conversations.sight_store import within
from conversations.store import Database
from conversations.tables import contacts, conversations
from reviewing.default_cards import default_card
from reviewing.review_results import Result
from reviewing.review_tables import metadata, review_cards, review_samples, reviews
from reviewing.scorecards import Card, Score, card_form, card_of
from reviewing.states import Remark, Review, Said, State

_SUBMITTED = [one.value for one in State if one is not State.DRAFT]


@dataclass(frozen=True, slots=True)
class Sample:
    """What was drawn to be reviewed, and how, so that it can be drawn again."""

    id: str
    title: str
    kind: str  #: random, targeted or calibration
    subject: str
    card_id: str
    card_version: int
    drawn: dict[str, Any]
    drawn_of: int
    created_at: datetime
    by: Agent


@dataclass(frozen=True, slots=True)
class Filters:
    """Which reviews to list."""

    reviewer_id: str | None = None
    agent_id: str | None = None
    team_id: str | None = None
    sample_id: str | None = None
    states: Collection[State] = ()
    subject: str | None = None
    calibrates: bool | None = None


async def create_tables(database: Database) -> None:
    """Create what is missing, for databases that no migration made."""
    async with database.engine.begin() as connection:
        await connection.run_sync(metadata.create_all)


class ReviewStore:
    """Statements of one transaction."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    # -- scorecards

    async def cards(self) -> list[Card]:
        """Every version of every scorecard, the newest of each first; the one that a desk begins with among them."""
        query = select(review_cards.c.form).order_by(review_cards.c.id, review_cards.c.version.desc())
        found = [card_of(form) for form in (await self._connection.execute(query)).scalars()]
        first = default_card()
        return sorted([*found, first], key=lambda card: (card.id != first.id, card.id, -card.version))

    async def find_card(self, card_id: str, version: int) -> Card | None:
        """One version."""
        return next((one for one in await self.cards() if (one.id, one.version) == (card_id, version)), None)

    async def add_card(self, card: Card, at: datetime, by: Agent) -> None:
        """A version that there is not yet; fails where there is."""
        values = {"id": card.id, "version": card.version, "form": card_form(card), "created_at": at}
        await self._connection.execute(insert(review_cards).values(**values, by_id=by.id, by_name=by.name))

    # -- samples

    async def add_sample(self, sample: Sample, drawn: Sequence[Review]) -> None:
        """A sample with its reviews."""
        values = {name: value for name, value in asdict(sample).items() if name != "by"}
        await self._connection.execute(
            insert(review_samples).values(**values, by_id=sample.by.id, by_name=sample.by.name)
        )
        for review in drawn:
            await self._connection.execute(insert(reviews).values(**await self._row(review)))

    async def samples(self, limit: int = 100) -> list[Sample]:
        """The latest samples, the newest first."""
        query = select(review_samples).order_by(review_samples.c.created_at.desc()).limit(limit)
        return [_sample(row) for row in await self._connection.execute(query)]

    async def find_sample(self, sample_id: str) -> Sample | None:
        """One sample."""
        row = (await self._connection.execute(select(review_samples).where(review_samples.c.id == sample_id))).first()
        return None if row is None else _sample(row)

    async def progress(self, sample_ids: Collection[str]) -> list[tuple[str, str, str, int, int]]:
        """Of each sample and reviewer: ids, the name, how many were submitted, of how many."""
        done = func.count().filter(reviews.c.state.in_(_SUBMITTED))
        query = (
            select(reviews.c.sample_id, reviews.c.reviewer_id, func.max(reviews.c.reviewer_name), done, func.count())
            .where(reviews.c.sample_id.in_(list(sample_ids)))
            .group_by(reviews.c.sample_id, reviews.c.reviewer_id)
            .order_by(func.max(reviews.c.reviewer_name))
        )
        return [(row[0], row[1], row[2], int(row[3]), int(row[4])) for row in await self._connection.execute(query)]

    # -- reviews

    async def find(self, review_id: str, *, lock: bool = False) -> Review | None:
        """One review."""
        query = select(reviews).where(reviews.c.id == review_id)
        row = (await self._connection.execute(query.with_for_update() if lock else query)).first()
        return None if row is None else _review(row)

    async def listed(self, filters: Filters, sight: Sight | None, limit: int = 500) -> list[Review]:
        """Reviews of conversations that are seen, the newest first; without a sight all of them."""
        query = select(reviews).where(*_where(filters))
        if sight is not None:
            query = query.join(conversations, conversations.c.id == reviews.c.conversation_id).where(within(sight))
        query = query.order_by(func.coalesce(reviews.c.submitted_at, reviews.c.created_at).desc(), reviews.c.id)
        return [_review(row) for row in await self._connection.execute(query.limit(limit))]

    async def of_contacts(self, contact_ids: Sequence[str]) -> list[Review]:
        """Every review of conversations of these contacts, the oldest first; drafts as well."""
        query = select(reviews).where(reviews.c.contact_id.in_(list(contact_ids)))
        query = query.order_by(reviews.c.created_at, reviews.c.id)
        return [_review(row) for row in await self._connection.execute(query)]

    async def save(self, review: Review, revision: int) -> bool:
        """Write a review back; False where somebody changed it since this revision."""
        chosen = update(reviews).where(reviews.c.id == review.id, reviews.c.revision == revision)
        done = await self._connection.execute(chosen.values(**await self._row(review)))
        return bool(done.rowcount)

    async def can_be_written_about(self, conversation_id: str) -> bool:
        """Whether a conversation's words are still there; they stay until this transaction ends."""
        query = (
            select(conversations.c.forgotten_at, contacts.c.erased_at)
            .join(contacts, contacts.c.id == conversations.c.contact_id)
            .where(conversations.c.id == conversation_id)
            .with_for_update(of=conversations)
        )
        row = (await self._connection.execute(query)).first()
        return row is not None and row.forgotten_at is None and row.erased_at is None

    async def results(self, since: datetime, until: datetime, sight: Sight, team_id: str | None = None) -> list[Result]:
        """What was submitted in a period, as it is counted: without what calibrates reviewers."""
        columns = reviews.c
        query = (
            select(
                columns.subject, columns.submitted_at, columns.score, columns.passed, columns.answers, columns.card_id,
                columns.agent_id, columns.agent_name, columns.team_id, columns.state,
            )
            .join(conversations, conversations.c.id == columns.conversation_id)
            .where(
                columns.state.in_(_SUBMITTED),
                columns.calibrates.is_(False),
                columns.submitted_at >= since,
                columns.submitted_at < until,
                within(sight),
                *([] if team_id is None else [columns.team_id == team_id]),
            )
            .order_by(columns.submitted_at, columns.id)
        )  # fmt: skip
        return [
            Result(
                row.subject, row.submitted_at, row.score, row.passed, row.answers, row.card_id, row.agent_id,
                row.agent_name, row.team_id, row.state in _DISPUTED, row.state == State.CHANGED.value,
            )
            for row in await self._connection.execute(query)
        ]  # fmt: skip

    async def _row(self, one: Review) -> dict[str, Any]:
        values = {
            "id": one.id, "sample_id": one.sample_id, "conversation_id": one.conversation_id, "contact_id": one.contact_id,
            "subject": one.subject, "reviewer_id": one.reviewer.id, "reviewer_name": one.reviewer.name,
            "card_id": one.card_id, "card_version": one.card_version, "created_at": one.created_at,
            "agent_id": one.agent_id, "agent_name": one.agent_name, "team_id": one.team_id, "people": sorted(one.people),
            "calibrates": one.calibrates, "state": one.state.value, "answers": dict(one.answers),
            "said": None if one.said == Said() else asdict(one.said), "score": one.score.value, "passed": one.score.passed,
            "failed_by": list(one.score.failed_by), "revision": one.revision, "submitted_at": one.submitted_at,
            "dispute": one.dispute, "disputed_at": one.disputed_at, "decision": one.decision, "decided_at": one.decided_at,
            "decided_by_id": one.decided_by.id if one.decided_by else None,
            "decided_by_name": one.decided_by.name if one.decided_by else None,
            "answers_before": None if one.answers_before is None else dict(one.answers_before),
            "score_before": one.score_before,
        }  # fmt: skip
        return await SealingStore(self._connection).sealed(reviews, one.id, one.contact_id, values)


_DISPUTED = {State.DISPUTED.value, State.UPHELD.value, State.CHANGED.value}


def _where(filters: Filters) -> list[ColumnElement[bool]]:
    found: list[ColumnElement[bool]] = []
    for column, value in (
        (reviews.c.reviewer_id, filters.reviewer_id),
        (reviews.c.agent_id, filters.agent_id),
        (reviews.c.team_id, filters.team_id),
        (reviews.c.sample_id, filters.sample_id),
        (reviews.c.subject, filters.subject),
        (reviews.c.calibrates, filters.calibrates),
    ):
        if value is not None:
            found.append(column == value)
    if filters.states:
        found.append(reviews.c.state.in_([one.value for one in filters.states]))
    return found


def _sample(row: Any) -> Sample:
    return Sample(
        row.id, row.title, row.kind, row.subject, row.card_id, row.card_version, row.drawn, row.drawn_of,
        row.created_at, Agent(row.by_id, row.by_name),
    )  # fmt: skip


def _review(row: Any) -> Review:
    return Review(
        id=row.id, sample_id=row.sample_id, conversation_id=row.conversation_id, contact_id=row.contact_id,
        subject=row.subject, reviewer=Agent(row.reviewer_id, row.reviewer_name), card_id=row.card_id,
        card_version=row.card_version, created_at=row.created_at, agent_id=row.agent_id, agent_name=row.agent_name, team_id=row.team_id,
        people=frozenset(row.people), calibrates=row.calibrates, state=State(row.state), answers=row.answers,
        said=_said(row.said), score=Score(row.score, row.passed, tuple(row.failed_by)), revision=row.revision,
        submitted_at=row.submitted_at, dispute=row.dispute, disputed_at=row.disputed_at, decision=row.decision,
        decided_at=row.decided_at,
        decided_by=Agent(row.decided_by_id, row.decided_by_name or "") if row.decided_by_id else None,
        answers_before=row.answers_before, score_before=row.score_before,
    )  # fmt: skip


def _said(form: dict[str, Any] | None) -> Said:
    if form is None:
        return Said()
    return Said(form["comment"], tuple(form["tags"]), form["notes"], tuple(Remark(**one) for one in form["remarks"]))


# -- inside the transactions of others

_NO_WORDS: dict[str, Any] = {"said": None, "dispute": "", "decision": ""}


async def erase(connection: AsyncConnection, contact_id: str) -> None:
    """A contact is erased: nothing that was written about their conversations stays; the answers do."""
    await connection.execute(update(reviews).where(reviews.c.contact_id == contact_id).values(**_NO_WORDS))


async def forget(connection: AsyncConnection, conversation_ids: Sequence[str]) -> None:
    """The same for conversations whose words have become too old."""
    chosen = update(reviews).where(reviews.c.conversation_id.in_(list(conversation_ids)))
    await connection.execute(chosen.values(**_NO_WORDS))


async def move(connection: AsyncConnection, conversation_ids: Sequence[str], contact_id: str) -> None:
    """These conversations belong to another contact now."""
    moved = update(reviews).where(reviews.c.conversation_id.in_(list(conversation_ids)))
    await connection.execute(moved.values(contact_id=contact_id))
