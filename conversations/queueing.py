"""Puts a conversation in a team's queue and tells the contact, truthfully, what happens next."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from conversations import callbacks, notices, routing
from conversations.contact_model import tier_that_counts
from conversations.contact_store import ContactStore
from conversations.delivery_store import DeliveryStore
from conversations.model import Conversation, Presence, Status
from conversations.queue_store import QueueStore
from conversations.routing import Candidate, Facts, Route
from conversations.teams import Team

if TYPE_CHECKING:
    from conversations.change import Change, Desk

_ACCEPTS_WINDOW = timedelta(hours=2)
_STAYS_WINDOW = timedelta(days=2)
_MINUTE = timedelta(minutes=1)
_LEAVES_QUEUE: dict[str, Any] = {
    "offered_to": None,
    "offered_name": None,
    "offered_until": None,
    "asked": {},
    "told_place": None,
    "told_seconds": None,
    "told_at": None,
    "callback_state": None,
}


def leaving(conversation: Conversation) -> dict[str, Any]:
    """What a conversation that leaves the queue forgets; that a callback was answered is kept."""
    answered = conversation.callback_state == callbacks.ANSWERED
    return _LEAVES_QUEUE | ({"callback_state": callbacks.ANSWERED} if answered else {})


def is_open(desk: Desk, team: Team, now: datetime) -> bool:
    """Whether a team's people work at ``now``."""
    return desk.is_open(now) if team.hours is None else team.hours.is_open(now)


def opens_at(desk: Desk, team: Team, now: datetime) -> datetime | None:
    """When they start next, in the team's time zone; None when nobody knows."""
    return desk.opens_at(now) if team.hours is None else team.hours.opens_at(now)


def promised_by(desk: Desk, team: Team, now: datetime) -> datetime:
    """When the first answer is due: so many seconds in which the team's people are there."""
    at, left = now, timedelta(seconds=team.first_response_seconds)
    while left > timedelta():
        if not is_open(desk, team, at):
            reopens = opens_at(desk, team, at)
            at = at if reopens is None else reopens.astimezone(UTC)
            if reopens is None or not is_open(desk, team, at):
                return at + left
        step = min(left, _MINUTE)
        at, left = at + step, left - step
    return at


def route_of(desk: Desk, conversation: Conversation, tier: str, why: str, intent: str | None, now: datetime) -> Route:
    """Whose queue a conversation belongs in; what comes back to the queue stays with its team."""
    roster = desk.roster()
    own = roster.find(conversation.team_id)
    if own is not None and conversation.status is Status.ASSIGNED:
        return Route(own, conversation.required_skills)
    topics = frozenset(topic for topic in (why, intent) if topic)
    facts = Facts(conversation.reached_at.channel, conversation.language, topics, tier)
    return routing.route(roster, facts, lambda team: is_open(desk, team, now))


def rank_of(conversation: Conversation) -> datetime:
    """The place in the queue that its deadline and everything known of it give a conversation."""
    due_at = conversation.sla_due_at or conversation.queued_at or conversation.updated_at
    if conversation.priority > 0 and conversation.queued_at is not None:
        due_at = min(due_at, conversation.queued_at)  # who comes back is due at once, also while the team is away
    head_start = routing.head_start_seconds(
        back_in_queue=conversation.priority > 0,
        manual=conversation.manual_priority,
        tier=conversation.tier,
        sentiment=conversation.sentiment,
    )
    return routing.rank_at(due_at, head_start)


def candidates(agents: list[Presence], now: datetime) -> list[Candidate]:
    """The agents as the routing sees them."""
    found = []
    for one in agents:
        free_since = max(filter(None, (one.online_at, one.freed_at)), default=one.last_seen_at)
        idle_since = max(free_since, one.taken_at or free_since)
        load = one.assigned + one.offered
        found.append(Candidate(one.agent_id, one.name, one.state_at(now), load, idle_since, free_since))
    return found


async def forecast(change: Change, team: Team, place: int) -> tuple[float, int]:
    """The expected wait in seconds at a place of the team's queue, and how many of its people are at the desk."""
    queues = QueueStore(change.connection)
    agents = candidates(await DeliveryStore(change.connection).agents(), change.now)
    on_duty = routing.on_duty(change.desk.roster(), team, agents)
    stays = await queues.recent_stays(team.id, change.now - _STAYS_WINDOW)
    accepts = await queues.recent_accepts(team.id, change.now - _ACCEPTS_WINDOW)
    return routing.expected_wait_seconds(place, on_duty, stays, accepts), on_duty


async def queue(
    change: Change, actor: str, why: str, *, text: str, priority: int, ticket: str | None, team: Team | None
) -> None:
    """Move the conversation into the queue of ``team`` (None: whichever the routing says) and tell the contact."""
    desk, now, before = change.desk, change.now, change.conversation
    own = await ContactStore(change.connection).own_tier(before.contact_id)
    tier = tier_that_counts(own, desk.tier(before.customer_id))
    route = route_of(desk, before, tier, why, change.intent, now) if team is None else Route(team, team.skills)
    queues = QueueStore(change.connection)
    previous = before.agent_id or before.previous_agent or await queues.last_agent(before.contact_id)
    opened = is_open(desk, route.team, now)
    reopens = None if opened else opens_at(desk, route.team, now)
    passed_on = before.agent_id is not None and actor != "system"
    change.move(
        Status.QUEUED,
        actor,
        why,
        handoff_reason=why,
        queued_at=now,
        waiting_since=before.waiting_since or now,
        priority=priority,
        agent_id=None,
        agent_name=None,
        callback_ticket=ticket or before.callback_ticket,
        team_id=route.team.id,
        required_skills=route.skills,
        tier=tier,
        sla_due_at=promised_by(desk, route.team, now),
        previous_agent=previous,
        participants=(),
        # Who gave it back is not invited to take it at once.
        asked={before.agent_id: now.isoformat()} if passed_on and before.agent_id else {},
    )
    change.record("routed", "system", {"team_id": route.team.id, "skills": list(route.skills)})
    await _tell(change, route.team, text, opened=opened, reopens=reopens)


async def _tell(change: Change, team: Team, text: str, *, opened: bool, reopens: datetime | None) -> None:
    now, language = change.now, change.conversation.language
    rank = rank_of(change.conversation)
    place = 1 + await QueueStore(change.connection).count_ahead(team.id, rank, now, change.conversation.id)
    seconds, on_duty = await forecast(change, team, place)
    expected = round(seconds) if opened else None
    if opened:
        said = notices.waiting(text, language, place - 1, seconds, team=team.name(language))
        change.set(told_place=place, told_seconds=expected, told_at=now)
    else:
        said = close(change, team, text, reopens)
    change.stay = {
        "team_id": team.id,
        "queued_at": now,
        "place": place,
        "agents": on_duty,
        "expected_seconds": expected,
        "due_at": change.conversation.sla_due_at,
    }
    change.tell(said, buttons=((notices.notice("leave_queue", language), notices.LEAVE_QUEUE),))


def close(change: Change, team: Team, text: str, reopens: datetime | None) -> str:
    """The promise to a contact who waits while the team is away, with the question how to reach them."""
    conversation = change.conversation
    given = conversation.contact_point is not None
    change.set(
        told_place=None,
        told_seconds=None,
        told_at=change.now,
        callback_state=callbacks.GIVEN if given else callbacks.ASKED,
        callback_due=True,
    )
    language = conversation.language
    promise = notices.closed(
        text, language, reopens, change.now, conversation.callback_ticket, team=team.name(language)
    )
    return promise if given else notices.joined(language, promise, notices.notice("ask_contact", language))


def note_contact_point(change: Change, text: str, from_form: str | None = None) -> None:
    """Take a phone number or e-mail address from what a contact writes out of hours, and say whether it was one.

    What comes ``from_form`` is in its normal form already.
    """
    conversation = change.conversation
    if conversation.status is not Status.QUEUED or conversation.callback_state not in (
        callbacks.ASKED,
        callbacks.GIVEN,
    ):
        return
    change.set(callback_due=True)
    point = from_form or change.desk.contact_point(text)
    if point is not None:
        if point == conversation.contact_point:
            return
        change.set(contact_point=point, callback_state=callbacks.GIVEN)
        change.record("contact_point_given", "contact", personal={"contact_point": point})
        ticket = conversation.callback_ticket
        change.notice("contact_saved" if ticket else "contact_saved_only", stays=True, point=point, ticket=ticket or "")
    elif conversation.callback_state == callbacks.ASKED and routing.looks_like_contact_point(text):
        change.notice("contact_unclear", stays=True)
