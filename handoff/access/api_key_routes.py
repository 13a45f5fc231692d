"""The staff API of API keys, for admins."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field
from sanic import Blueprint, Request
from sanic.response import HTTPResponse

from conversations.json_form import moment
from handoff.access.api_key_store import ApiKey
from handoff.access.api_keys import SCOPES, BadKey, told
from handoff.bodies import Body, Prose, check_id, read_json
from handoff.errors import Refused
from handoff.guard import answer
from handoff.staff_side import StaffSide
from handoff.store import Session


class KeyBody(Body):
    """A key to be made; without ``expires_days`` it lasts until it is revoked."""

    name: Annotated[Prose, Field(max_length=200)]
    scopes: Annotated[tuple[str, ...], Field(max_length=16)]
    expires_days: int | None = None


def add_api_key_routes(blueprint: Blueprint, side: StaffSide) -> None:
    """Add ``/staff/api/api-keys…``."""
    keys = side.api_keys

    async def everything(request: Request, session: Session) -> HTTPResponse:
        people = {member.id: member.name for member in await side.store.all_staff()}
        forms = [_key_json(key, people) for key in await keys.everything()]
        return answer({"keys": forms, "scopes": list(SCOPES)})

    async def add(request: Request, session: Session) -> HTTPResponse:
        body = read_json(KeyBody, request.content_type, request.body)
        try:
            key, text = await keys.add(body.name, body.scopes, session.member.id, body.expires_days)
        except BadKey as error:
            raise Refused(400, "bad_key", f"{str(error)[:1].upper()}{str(error)[1:]}.") from None
        await side.conversations.record("api_key_added", session.member.agent, told(key))
        return answer({"key": _key_json(key, {session.member.id: session.member.name}), "text": text}, 201)

    async def revoke(request: Request, session: Session, key_id: str) -> HTTPResponse:
        try:
            key = await keys.revoke(check_id(key_id, "key"))
        except BadKey:
            raise Refused(
                404, "not_found", "There is no such key, or it was revoked before. Reload the list."
            ) from None
        await side.conversations.record("api_key_revoked", session.member.agent, told(key))
        return answer({})

    def _key_json(key: ApiKey, people: dict[str, str]) -> dict[str, Any]:
        state = "works" if key.works_at(keys.now()) else "revoked" if key.revoked_at else "expired"
        return {
            "id": key.id,
            "name": key.name,
            "begins_with": key.begins_with,
            "scopes": list(key.scopes),
            "state": state,
            "created_at": moment(key.created_at),
            "created_by": people.get(key.created_by, key.created_by),
            "expires_at": moment(key.expires_at),
            "last_used_at": moment(key.last_used_at),
        }

    side.guard.add(blueprint, "GET", "api-keys", everything)
    side.guard.add(blueprint, "POST", "api-keys", add)
    side.guard.add(blueprint, "POST", "api-keys/<key_id>/revoke", revoke)
