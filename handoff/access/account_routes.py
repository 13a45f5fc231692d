"""The staff API of accounts: who may sign in, as what, and how far they see; and the sessions that are open."""

from __future__ import annotations

from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, Field, StringConstraints, model_validator
from sanic import Blueprint, Request
from sanic.response import HTTPResponse

from conversations.json_form import moment
from conversations.sight import Scope
from handoff.access.oidc_sign_in import NO_PASSWORD
from handoff.access.sight_book import NARROWED
from handoff.bodies import Body, Prose, check_id, read_json
from handoff.errors import EmailTaken, Refused, WeakPassword
from handoff.guard import answer
from handoff.roles import Role
from handoff.sign_in import check_password
from handoff.staff_side import StaffSide
from handoff.store import Session, StaffMember


def _named(text: str) -> str:
    name = " ".join(text.replace("\0", "").split())
    if not 0 < len(name) <= 120:
        raise ValueError("a name has 1 to 120 characters")
    return name


Name = Annotated[str, AfterValidator(_named)]
RoleName = Literal["agent", "trainer", "supervisor", "admin", "auditor"]
Email = Annotated[Prose, StringConstraints(strip_whitespace=True, pattern=r"^[^@\s]{1,64}@[^@\s]{1,189}$")]
Password = Annotated[str, Field(max_length=1024)]
ScopeName = Literal["everything", "team", "own"]


class AccountBody(Body):
    """A new member; without a password they come in through the provider only."""

    name: Name
    email: Email
    role: RoleName = "agent"
    password: Password = ""


class AccountChangeBody(Body):
    """What is changed of a member; what is not named stays. ``sees`` "role": as is said of their role."""

    name: Name | None = None
    role: RoleName | None = None
    sees: Literal["everything", "team", "own", "role"] | None = None
    active: bool | None = None

    @model_validator(mode="after")
    def _some(self) -> Self:
        if not self.values():
            raise ValueError("name at least one of name, role, sees and active")
        return self

    def values(self) -> dict[str, Any]:
        """The columns that change."""
        given = {"name": self.name, "role": self.role, "sees": self.sees, "active": self.active}
        chosen = {name: value for name, value in given.items() if value is not None}
        return chosen | ({"sees": None} if self.sees == "role" else {})


class PasswordBody(Body):
    """A password that an admin hands over."""

    password: Password


class SightBody(Body):
    """How far agents and supervisors see of whom nothing else is said."""

    agents: ScopeName
    supervisors: ScopeName


def add_account_routes(blueprint: Blueprint, side: StaffSide) -> None:
    """Add every route of accounts and sessions but those of second factors."""
    guard, store = side.guard, side.store

    async def accounts(request: Request, session: Session) -> HTTPResponse:
        since = await side.second_factors.confirmed()
        now = side.sign_in.now()
        await side.teams.refresh()
        forms = []
        for member in await store.all_staff():
            open_sessions = await store.sessions_of(member.id, now)
            forms.append(
                account_json(side, member)
                | {
                    "second_factor_since": moment(since[member.id]) if member.id in since else None,
                    "second_factor_required": side.second_factors.required_of(member.role),
                    "sessions": len(open_sessions),
                    "last_seen_at": moment(open_sessions[0].last_seen_at) if open_sessions else None,
                }
            )
        sees = {"agents": side.teams.scope_of(Role.AGENT), "supervisors": side.teams.scope_of(Role.SUPERVISOR)}
        return answer({"accounts": forms, "sees": sees, "needs_password": side.provider is None})

    async def add(request: Request, session: Session) -> HTTPResponse:
        body = read_json(AccountBody, request.content_type, request.body)
        if not body.password and side.provider is None:
            raise Refused(400, "needs_password", "Give a first password; they can be told it and change it later.")
        kept = await _hashed(body.password) if body.password else NO_PASSWORD
        try:
            made = await store.add(body.email, body.name, Role(body.role), kept, ("zh", "en"), side.sign_in.now())
        except EmailTaken:
            raise Refused(409, "email_taken", "Somebody here has this address already. Use another one.") from None
        await side.conversations.record("staff_added", session.member.agent, _told(made))
        await side.teams.refresh()
        return answer({"account": account_json(side, made)}, 201)

    async def change(request: Request, session: Session, staff_id: str) -> HTTPResponse:
        body = read_json(AccountChangeBody, request.content_type, request.body)
        before = await _account(staff_id)
        values = body.values()
        if before.id == session.member.id and values.keys() & {"role", "active"}:
            raise Refused(
                409, "own_account", "Ask another admin: nobody takes their own rights away or closes themselves."
            )
        role = Role(values.get("role", before.role))
        if role not in NARROWED:
            values["sees"] = None
        after = await store.change(before.id, **values)
        if after is None:
            raise Refused(404, "not_found", _GONE)
        told = _told(after) | {"before": _told(before)}
        await side.conversations.record("staff_changed", session.member.agent, told)
        await side.teams.refresh()
        return answer({"account": account_json(side, after)})

    async def set_password(request: Request, session: Session, staff_id: str) -> HTTPResponse:
        body = read_json(PasswordBody, request.content_type, request.body)
        member = await _account(staff_id)
        await store.set_password_hash(member.id, await _hashed(body.password), end_sessions=True)
        await side.sign_in.lockout.forget_everywhere("account", member.email)
        await side.conversations.record("password_set", session.member.agent, {"staff_id": member.id})
        return answer({})

    async def end_of(request: Request, session: Session, staff_id: str) -> HTTPResponse:
        member = await _account(staff_id)
        keep = session.id_hash if member.id == session.member.id else None
        ended = await store.close_sessions_of(member.id, keep=keep)
        await side.conversations.record(
            "sessions_ended", session.member.agent, {"staff_id": member.id, "number": ended}
        )
        return answer({"ended": ended})

    async def own(request: Request, session: Session) -> HTTPResponse:
        listed = await store.sessions_of(session.member.id, side.sign_in.now())
        return answer({"sessions": [session_form(one, session) for one in listed]})

    async def end_others(request: Request, session: Session) -> HTTPResponse:
        ended = await store.close_sessions_of(session.member.id, keep=session.id_hash)
        told = {"staff_id": session.member.id, "number": ended}
        await side.conversations.record("sessions_ended", session.member.agent, told)
        return answer({"ended": ended})

    async def set_sight(request: Request, session: Session) -> HTTPResponse:
        body = read_json(SightBody, request.content_type, request.body)
        await side.teams.refresh()
        before = {"agents": side.teams.scope_of(Role.AGENT), "supervisors": side.teams.scope_of(Role.SUPERVISOR)}
        await side.teams.set_sight(Scope(body.agents), Scope(body.supervisors))
        told = body.model_dump() | {"before": before}
        await side.conversations.record("sight_changed", session.member.agent, told)
        return answer({"sees": body.model_dump()})

    async def _account(staff_id: str) -> StaffMember:
        found = await store.find(check_id(staff_id, "account"))
        if found is None:
            raise Refused(404, "not_found", _GONE)
        return found

    async def _hashed(password: str) -> str:
        try:
            check_password(password)
        except WeakPassword as error:
            raise Refused(400, "weak_password", f"{str(error).capitalize()}.") from None
        return await side.sign_in.passwords.hash(password)

    one = "staff-accounts/<staff_id>"
    for method, route, handler in (
        ("GET", "staff-accounts", accounts),
        ("POST", "staff-accounts", add),
        ("POST", one, change),
        ("POST", f"{one}/password", set_password),
        ("POST", f"{one}/sessions/end", end_of),
        ("GET", "sessions", own),
        ("POST", "sessions/end-others", end_others),
        ("POST", "sight", set_sight),
    ):
        guard.add(blueprint, method, route, handler)


def account_json(side: StaffSide, member: StaffMember) -> dict[str, Any]:
    """An account as admins see it; ``sees`` is what was said of this member, ``scope`` what holds."""
    return {
        "id": member.id,
        "name": member.name,
        "email": member.email,
        "role": member.role.value,
        "active": member.active,
        "sees": member.sees.value if member.sees else None,
        "scope": side.sight.scope_of(member).value,
        "narrowed": member.role in NARROWED,
    }


def session_form(one: Session, mine: Session) -> dict[str, Any]:
    """A session as its owner sees it; nothing in it opens anything."""
    return {
        "current": one.id_hash == mine.id_hash,
        "since": moment(one.created_at),
        "last_seen_at": moment(one.last_seen_at),
        "until": moment(one.expires_at),
        "way": one.way.value,
        "ip": one.ip,
        "browser": one.browser,
        "stage": one.stage.value,
    }


_GONE = "There is no such account. Reload the list."


def _told(member: StaffMember) -> dict[str, Any]:
    sees = member.sees.value if member.sees else None
    return {"staff_id": member.id, "role": member.role.value, "active": member.active, "sees": sees}
