"""The staff API of channel accounts: how they do for supervisors, trying them out for admins."""

from __future__ import annotations

from sanic import Blueprint, Request
from sanic.response import HTTPResponse

from conversations.json_form import moment
from handoff.bodies import read_json
from handoff.channels.channel_bodies import TestBody
from handoff.channels.channel_desk import ChannelDesk
from handoff.errors import Refused
from handoff.guard import answer
from handoff.staff_side import StaffSide
from handoff.store import Session


def channel_desk(side: StaffSide) -> ChannelDesk:
    """The channels; raises ``Refused`` where this service serves none."""
    if side.channels is None:
        raise Refused(404, "not_found", "This service has no channels.")
    return side.channels


def add_channel_routes(blueprint: Blueprint, side: StaffSide) -> None:
    """Add every route below ``/staff/api/channels``."""

    async def channels(request: Request, session: Session) -> HTTPResponse:
        accounts = await channel_desk(side).accounts()
        return answer({"accounts": accounts, "now": moment(side.conversations.now())})

    async def available(request: Request, session: Session) -> HTTPResponse:
        return answer({"channels": await channel_desk(side).addable()})

    async def contacts(request: Request, session: Session, channel: str, account: str) -> HTTPResponse:
        return answer({"contacts": await channel_desk(side).writers(channel, account)})

    async def check(request: Request, session: Session, channel: str, account: str) -> HTTPResponse:
        return answer(await channel_desk(side).check(channel, account, session.member.agent))

    async def test(request: Request, session: Session, channel: str, account: str) -> HTTPResponse:
        body = read_json(TestBody, request.content_type, request.body)
        agent = session.member.agent
        return answer(await channel_desk(side).send_test(channel, account, body.to, body.text, agent))

    for method, route, handler in (
        ("GET", "channels", channels),
        ("GET", "channels/available", available),
        ("GET", "channels/<channel>/<account>/contacts", contacts),
        ("POST", "channels/<channel>/<account>/check", check),
        ("POST", "channels/<channel>/<account>/test", test),
    ):
        side.guard.add(blueprint, method, route, handler)
