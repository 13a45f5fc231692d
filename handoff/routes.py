"""The staff API apart from conversations: signing in and out, colleagues, presence and files."""

from __future__ import annotations

import asyncio
from typing import Any

from sanic import Blueprint, Request
from sanic.exceptions import SanicException
from sanic.response import HTTPResponse

from handoff.access.account_routes import add_account_routes
from handoff.access.api_key_routes import add_api_key_routes
from handoff.access.audit_proof_routes import add_audit_proof_routes
from handoff.access.audit_routes import add_audit_routes
from handoff.access.provider_routes import add_provider_routes
from handoff.access.second_factor_routes import add_second_factor_routes
from handoff.assist.assist_routes import add_assist_routes
from handoff.bodies import PresenceBody, SignInBody, read_json
from handoff.channels.channel_routes import add_channel_routes
from handoff.channels.delivery_routes import add_delivery_routes
from handoff.company_routes import add_company_routes
from handoff.contacts.contact_merge_routes import add_contact_merge_routes
from handoff.contacts.contact_routes import add_contact_routes
from handoff.contacts.privacy_routes import add_privacy_routes
from handoff.conversation_routes import add_conversation_routes
from handoff.errors import Refused
from handoff.guard import API, answer, browser_of, refusal
from handoff.learning.article_routes import add_article_routes
from handoff.learning.article_trial_routes import add_article_trial_routes
from handoff.learning.example_routes import add_example_routes
from handoff.learning.gap_routes import add_gap_routes
from handoff.learning.inbox_routes import add_inbox_routes
from handoff.learning.limit_routes import add_limit_routes
from handoff.learning.measuring_routes import add_measuring_routes
from handoff.learning.replay_routes import add_replay_routes
from handoff.learning.serving_routes import add_serving_routes
from handoff.learning.training_routes import add_training_routes
from handoff.organising.organise_routes import add_organise_routes
from handoff.organising.search_routes import add_search_routes
from handoff.organising.view_routes import add_view_routes
from handoff.prompt_routes import add_prompt_routes
from handoff.ratings.rating_routes import add_rating_routes
from handoff.reveal_routes import add_reveal_routes
from handoff.rule_routes import add_rule_routes
from handoff.staff_side import StaffSide, session_json
from handoff.store import Session, Stage, Way
from handoff.supervising.alert_routes import add_alert_routes
from handoff.supervising.ask_routes import add_ask_routes
from handoff.supervising.digest_routes import add_digest_routes
from handoff.supervising.export_routes import add_export_routes
from handoff.supervising.live_routes import add_live_routes
from handoff.supervising.report_routes import add_report_routes
from handoff.supervising.review_routes import add_review_routes
from handoff.synonym_routes import add_synonym_routes
from handoff.teams.team_routes import add_team_routes
from handoff.writing.canned_routes import add_canned_routes
from handoff.writing.macro_routes import add_macro_routes
from handoff.writing.translation_routes import add_translation_routes


def staff_api(side: StaffSide) -> Blueprint:
    """The blueprint of ``/staff/api``; every route in it is in the roles table."""
    blueprint = Blueprint("staff_api", url_prefix=API)
    guard = side.guard
    described: dict[str, dict[str, Any]] = {}

    async def sign_in(request: Request) -> HTTPResponse:
        body = read_json(SignInBody, request.content_type, request.body)
        guard.check_transport()
        try:
            ticket = await side.sign_in.sign_in(
                body.email, body.password, request.client_ip, request.cookies.get(guard.cookie), browser_of(request)
            )
        except Refused:
            if side.overview.alerts is not None:
                await side.overview.alerts.sign_in_failed()
            raise
        if ticket.session.stage is Stage.OPEN:
            await side.conversations.record("signed_in", ticket.session.member.agent)
        response = answer(session_json(ticket.session))
        guard.set_cookie(response, ticket.token)
        return response

    async def sign_out(request: Request, session: Session) -> HTTPResponse:
        await side.sign_in.sign_out(session)
        await side.conversations.record("signed_out", session.member.agent)
        # Only who came in through the provider has something to end there.
        there = await side.provider.provider.sign_out_url() if side.provider and session.way is Way.PROVIDER else None
        response = answer({"sign_out_at": there})
        guard.set_cookie(response, "")
        return response

    async def me(request: Request, session: Session) -> HTTPResponse:
        return answer(session_json(session))

    async def demo(request: Request) -> HTTPResponse:
        if not side.demo_sign_ins:
            raise Refused(404, "not_found", "This desk has no demo sign-ins. Ask an admin for an account.")
        return answer(
            [
                {"role": one.role, "name": one.name, "email": one.email, "password": one.password}
                for one in side.demo_sign_ins
            ]
        )

    async def agents(request: Request, session: Session) -> HTTPResponse:
        return answer({"agents": await side.agents_json()})

    async def presence(request: Request, session: Session) -> HTTPResponse:
        everyone = await side.presence.everyone()
        return answer(
            {"state": side.presence.state_of(everyone.get(session.member.id)), "agents": await side.agents_json()}
        )

    async def choose_presence(request: Request, session: Session) -> HTTPResponse:
        body = read_json(PresenceBody, request.content_type, request.body)
        await side.presence.choose(session.member.agent, body.state)
        return answer({"state": body.state})

    async def upload(request: Request, session: Session) -> HTTPResponse:
        sent = request.files.get("file") if request.files else None
        if sent is None:
            raise Refused(400, "bad_request", 'Send one file as the field "file" of a multipart form.')
        limit = side.attachments.max_bytes
        if len(sent.body) > limit:
            most = str(limit // 1024 // 1024)
            raise Refused(
                413, "file_too_large", f"The file is larger than {most} MiB. Send a smaller one.", detail=most
            )
        attachment = await side.attachments.save(session.member.id, sent.name, sent.body)
        return answer({"attachment": side.attachment_json(attachment)}, 201)

    async def description(request: Request, session: Session) -> HTTPResponse:
        if side.describe is None:
            raise Refused(404, "not_found", "This service does not describe its API.")
        if "staff" not in described:  # reads some hundred functions, so once, and not while others wait
            described["staff"] = await asyncio.to_thread(side.describe, dict(guard.handlers))
        return answer(described["staff"])

    async def knowledge_status(request: Request, session: Session) -> HTTPResponse:
        return answer(side.knowledge_status())

    for method, route, handler in (
        ("POST", "sign-in", sign_in),
        ("POST", "sign-out", sign_out),
        ("GET", "me", me),
        ("GET", "demo", demo),
        ("GET", "agents", agents),
        ("GET", "presence", presence),
        ("POST", "presence", choose_presence),
        ("POST", "files", upload),
        ("GET", "knowledge/status", knowledge_status),
        ("GET", "openapi.json", description),
    ):
        guard.add(blueprint, method, route, handler)
    add_conversation_routes(blueprint, side)
    add_contact_routes(blueprint, side)
    add_contact_merge_routes(blueprint, side)
    add_privacy_routes(blueprint, side)
    add_reveal_routes(blueprint, side)
    add_assist_routes(blueprint, side)
    add_translation_routes(blueprint, side)
    add_prompt_routes(blueprint, side)
    add_rule_routes(blueprint, side)
    add_synonym_routes(blueprint, side)
    add_example_routes(blueprint, side)
    add_inbox_routes(blueprint, side)
    add_measuring_routes(blueprint, side)
    add_replay_routes(blueprint, side)
    add_training_routes(blueprint, side)
    add_serving_routes(blueprint, side)
    add_limit_routes(blueprint, side)
    add_article_routes(blueprint, side)
    add_article_trial_routes(blueprint, side)
    add_gap_routes(blueprint, side)
    add_team_routes(blueprint, side)
    add_company_routes(blueprint, side)
    add_view_routes(blueprint, side)
    add_search_routes(blueprint, side)
    add_organise_routes(blueprint, side)
    add_canned_routes(blueprint, side)
    add_macro_routes(blueprint, side)
    add_rating_routes(blueprint, side)
    add_report_routes(blueprint, side)
    add_export_routes(blueprint, side)
    add_ask_routes(blueprint, side)
    add_live_routes(blueprint, side)
    add_alert_routes(blueprint, side)
    add_digest_routes(blueprint, side)
    add_review_routes(blueprint, side)
    add_channel_routes(blueprint, side)
    add_delivery_routes(blueprint, side)
    add_audit_routes(blueprint, side)
    add_audit_proof_routes(blueprint, side)
    add_second_factor_routes(blueprint, side)
    add_provider_routes(blueprint, side)
    add_account_routes(blueprint, side)
    add_api_key_routes(blueprint, side)

    async def unreadable(request: Request, error: SanicException) -> HTTPResponse:
        return refusal(error)

    blueprint.exception(SanicException)(unreadable)
    return blueprint
