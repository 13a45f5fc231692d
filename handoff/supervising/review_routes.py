"""The staff API of reviews: who may look at which is decided here, by role, by sight and by whose review it is."""

from __future__ import annotations

from collections.abc import Awaitable, Collection
from dataclasses import replace
from datetime import timedelta
from typing import Any, TypeVar

from sanic import Blueprint, Request
from sanic.response import HTTPResponse, raw

from handoff.bodies import check_id, first_values, read_json, read_query
from handoff.errors import Refused, refused_for
from handoff.guard import answer, file_headers
from handoff.roles import KEEPERS, OVERSEERS, TAUGHT_TO, Role
from handoff.staff_side import StaffSide
from handoff.store import Session
from handoff.supervising.review_bodies import (
    CardBody,
    DisputeBody,
    InboxBody,
    ResultsQuery,
    ReviewBody,
    ReviewsQuery,
    SampleBody,
    VerdictBody,
    beginning,
)
from handoff.supervising.review_json import (
    compared_json,
    report_json,
    results_csv,
    review_json,
    sample_json,
    summary_json,
)
from reviewing.review_store import Filters
from reviewing.reviews import NO_REVIEW, Reviews, Wish, compared
from reviewing.scorecards import card_form
from reviewing.states import Review, ReviewRefused, State

_Made = TypeVar("_Made")
_SUBMITTED = tuple(state for state in State if state is not State.DRAFT)
_STATUS = {
    "not_found": 404,
    "incomplete": 400,
    "bad_answer": 400,
    "bad_card": 400,
    "no_reason": 400,
    "not_yours": 403,
    "own": 403,
}


def add_review_routes(blueprint: Blueprint, side: StaffSide) -> None:
    """Add every route below ``/staff/api/reviews``."""

    async def listed(request: Request, session: Session) -> HTTPResponse:
        found = await _listed(side, session, read_query(ReviewsQuery, first_values(request.args)))
        me = session.member.id
        return answer({"reviews": [summary_json(one, blind=_blind(one, me)) for one in found]})

    async def opened(request: Request, session: Session, review_id: str) -> HTTPResponse:
        review = await _seen(side, session, review_id)
        card = await _or_refused(_desk(side).card_of(review))
        return answer({"review": review_json(review, card, blind=_blind(review, session.member.id))})

    async def write(request: Request, session: Session, review_id: str) -> HTTPResponse:
        body = read_json(ReviewBody, request.content_type, request.body)
        await _seen(side, session, review_id)
        work = _desk(side).write(
            review_id, body.revision, session.member.agent, body.answers, body.said(), submit=body.submit
        )
        return await _answered(side, session, await _or_refused(work))

    async def to_inbox(request: Request, session: Session, review_id: str) -> HTTPResponse:
        body = read_json(InboxBody, request.content_type, request.body)
        await _seen(side, session, review_id)
        await _or_refused(_desk(side).send_to_inbox(review_id, body.seq, session.member.agent))
        return answer({"sent": True})

    async def dispute(request: Request, session: Session, review_id: str) -> HTTPResponse:
        body = read_json(DisputeBody, request.content_type, request.body)
        await _seen(side, session, review_id)
        disputed = await _or_refused(_desk(side).dispute(review_id, session.member.agent, body.reason))
        return await _answered(side, session, disputed)

    async def decide(request: Request, session: Session, review_id: str) -> HTTPResponse:
        body = read_json(VerdictBody, request.content_type, request.body)
        await _seen(side, session, review_id)
        work = _desk(side).decide(review_id, body.revision, session.member.agent, body.reason, body.answers)
        return await _answered(side, session, await _or_refused(work))

    async def cards(request: Request, session: Session) -> HTTPResponse:
        return answer({"cards": [card_form(one) for one in await _desk(side).cards()]})

    async def save_card(request: Request, session: Session) -> HTTPResponse:
        body = read_json(CardBody, request.content_type, request.body)
        saved = await _or_refused(_desk(side).save_card(body.card(), body.based_on, session.member.agent))
        return answer({"card": card_form(saved)}, 201)

    async def people(request: Request, session: Session) -> HTTPResponse:
        listed = [one for one in await side.store.all_staff() if one.active and one.role in KEEPERS]
        return answer({"people": [{"id": one.id, "name": one.name, "role": one.role.value} for one in listed]})

    async def samples(request: Request, session: Session) -> HTTPResponse:
        found = await _desk(side).samples()
        if session.member.role is Role.TRAINER:
            found = [one for one in found if one[0].subject == "bot"]
        return answer({"samples": [sample_json(one, progress) for one, progress in found]})

    async def wish_of(request: Request) -> Wish:
        body = read_json(SampleBody, request.content_type, request.body)
        able = {one.id: one for one in await side.store.all_staff() if one.active and one.role in KEEPERS}
        for one in body.reviewers:
            if one not in able:
                raise Refused(400, "bad_request", "reviewers: somebody named here cannot review. Reload the page.")
            if able[one].role is Role.TRAINER and body.subject != "bot":
                raise Refused(400, "bad_request", f"{able[one].name} is a trainer and reviews only the bot.")
        return body.wish(tuple(able[one].agent for one in body.reviewers))

    async def preview(request: Request, session: Session) -> HTTPResponse:
        drawn = await _desk(side).draw(await wish_of(request), side.sight.of(session.member))
        return answer({"fitting": drawn.of, "reviews": drawn.size})

    async def make_sample(request: Request, session: Session) -> HTTPResponse:
        wish = await wish_of(request)
        work = _desk(side).make_sample(wish, session.member.agent, side.sight.of(session.member))
        made = await _or_refused(work)
        found = await _desk(side).samples()
        progress = next((lines for one, lines in found if one.id == made.id), [])
        return answer({"sample": sample_json(made, progress)}, 201)

    async def sample(request: Request, session: Session, sample_id: str) -> HTTPResponse:
        work = _desk(side).sample(check_id(sample_id, "sample"), side.sight.of(session.member))
        found, card, reviews = await _or_refused(work)
        if session.member.role is Role.TRAINER and found.subject != "bot":
            raise Refused(404, "not_found", "There is no such sample.")
        blind = found.kind == "calibration" and await _desk(side).is_open(found.id)
        forms = []
        for one in reviews:
            form = summary_json(one, blind=_blind(one, session.member.id))
            if blind and one.reviewer.id != session.member.id:
                form |= {"score": None, "passed": None}
            if found.kind == "calibration" and not blind:
                form |= {"answers": dict(one.answers)}
            forms.append(form)
        return answer(
            {
                "sample": sample_json(found, []),
                "card": card_form(card),
                "reviews": forms,
                "blind": blind,
                "agreement": [] if blind or found.kind != "calibration" else compared_json(compared(card, reviews)),
            }
        )

    async def results(request: Request, session: Session) -> HTTPResponse:
        found = await _results(side, session, request)
        return answer({"reports": [report_json(one) for one in found]})

    async def export(request: Request, session: Session) -> HTTPResponse:
        content = results_csv(await _results(side, session, request))
        await side.conversations.record("reviews_exported", session.member.agent, {})
        return raw(content, headers=file_headers("reviews.csv"), content_type="text/csv; charset=utf-8")

    for method, route, handler in (
        ("GET", "reviews", listed),
        ("GET", "reviews/cards", cards),
        ("POST", "reviews/cards", save_card),
        ("GET", "reviews/people", people),
        ("GET", "reviews/samples", samples),
        ("POST", "reviews/samples", make_sample),
        ("POST", "reviews/samples/preview", preview),
        ("GET", "reviews/samples/<sample_id>", sample),
        ("GET", "reviews/results", results),
        ("GET", "reviews/results/export", export),
        ("GET", "reviews/<review_id>", opened),
        ("POST", "reviews/<review_id>", write),
        ("POST", "reviews/<review_id>/inbox", to_inbox),
        ("POST", "reviews/<review_id>/dispute", dispute),
        ("POST", "reviews/<review_id>/decide", decide),
    ):
        side.guard.add(blueprint, method, route, handler)


def _desk(side: StaffSide) -> Reviews:
    if side.overview.reviews is None:
        raise Refused(404, "not_found", "This desk has no reviews.")
    reviews: Reviews = side.overview.reviews
    return reviews


def _blind(review: Review, staff_id: str) -> bool:
    """Whoever was reviewed does not learn by whom: a dispute is about what happened."""
    return review.agent_id == staff_id and review.reviewer.id != staff_id


async def _listed(side: StaffSide, session: Session, asked: ReviewsQuery) -> list[Review]:
    member, desk, view, team = session.member, _desk(side), asked.view, asked.team_id
    if view == "about":
        return await desk.listed(Filters(agent_id=member.id, team_id=team, states=_SUBMITTED, calibrates=False), None)
    if view == "mine":
        return await desk.listed(Filters(reviewer_id=member.id, team_id=team), side.sight.of(member))
    if member.role not in TAUGHT_TO:
        raise Refused(403, "forbidden", "You see the reviews of your own work only.")
    subject = "bot" if member.role is Role.TRAINER else None
    states: Collection[State] = (State.DISPUTED,) if view == "disputes" else _SUBMITTED
    filters = Filters(team_id=team, states=states, calibrates=False, subject=subject)
    return await desk.listed(filters, side.sight.of(member))


async def _seen(side: StaffSide, session: Session, review_id: str) -> Review:
    """A review that the member may look at; what they may not is answered like what there is not."""
    member, desk = session.member, _desk(side)
    review = await _or_refused(desk.get(check_id(review_id, "review")))
    missing = Refused(404, "not_found", NO_REVIEW)
    about = review.agent_id == member.id and review.state is not State.DRAFT and not review.calibrates
    if about and review.reviewer.id != member.id:
        return review
    if member.role not in TAUGHT_TO or not await side.conversations.seen(
        side.sight.of(member), (review.conversation_id,)
    ):
        raise missing
    if review.reviewer.id == member.id:
        return review
    blind = review.calibrates and await desk.is_open(review.sample_id)
    others = member.role in OVERSEERS or member.role is Role.AUDITOR or review.subject == "bot"
    if blind or not others or review.state is State.DRAFT or review.agent_id == member.id:
        raise missing
    return review


async def _results(side: StaffSide, session: Session, request: Request) -> Any:
    asked = read_query(ResultsQuery, first_values(request.args))
    now = side.conversations.now()
    since = beginning(now.astimezone(side.time_zone), asked.whole)
    reports = await _desk(side).results(
        since, now + timedelta(seconds=1), side.sight.of(session.member), side.time_zone, asked.team_id
    )
    teams = {team.id: team.settings for team in side.teams.teams}

    def named(key: str) -> str:
        settings = teams.get(key, {})
        return str(settings.get("name_en") or settings.get("name_zh") or key)

    return [
        replace(
            one, lines=tuple(replace(line, label=named(line.key)) if line.by == "team" else line for line in one.lines)
        )
        for one in reports
    ]


async def _answered(side: StaffSide, session: Session, review: Review) -> HTTPResponse:
    card = await _or_refused(_desk(side).card_of(review))
    return answer({"review": review_json(review, card, blind=_blind(review, session.member.id))})


async def _or_refused(work: Awaitable[_Made]) -> _Made:
    try:
        return await work
    except ReviewRefused as refused:
        raise refused_for(refused, _STATUS, otherwise=409, room="review") from None
