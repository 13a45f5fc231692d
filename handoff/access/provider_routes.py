"""The routes of signing in with a provider: which ways in there are, the way there, and the way back."""

from __future__ import annotations

from urllib.parse import quote

from sanic import Blueprint, Request
from sanic.response import HTTPResponse, redirect

from handoff.access.oidc_sign_in import LASTS, ProviderSignIn, SignInFailed
from handoff.errors import Refused
from handoff.guard import answer, browser_of
from handoff.staff_side import StaffSide
from handoff.store import Stage

CALLBACK = "sign-in/provider/callback"
SIGNED_OUT = "/staff/"  #: the sign-in page
_CONSOLE = SIGNED_OUT
_PLAIN_COOKIE = "frontdesk_provider"
_SECURE_COOKIE = "__Host-frontdesk-provider"
_NAMED = ("state", "code", "iss", "error")
_MOST = 4096  # characters of a parameter


def add_provider_routes(blueprint: Blueprint, side: StaffSide) -> None:
    """Add ``sign-in/ways``, ``sign-in/provider`` and the address to which the provider sends people back."""
    guard = side.guard
    cookie = _SECURE_COOKIE if guard.secure else _PLAIN_COOKIE

    async def ways(request: Request) -> HTTPResponse:
        provider = side.provider
        named = {"zh": provider.rules.name_zh, "en": provider.rules.name_en} if provider else None
        return answer({"password": side.sign_in.passwords_taken, "provider": named})

    async def there(request: Request) -> HTTPResponse:
        guard.check_transport()
        try:
            url, carried = await _provider(side).begin(str(request.args.get("to", "")))
        except SignInFailed as failed:
            return _back(failed)
        response = _to(url)
        _keep(response, carried, int(LASTS.total_seconds()))
        return response

    async def back(request: Request) -> HTTPResponse:
        guard.check_transport()
        query = {name: str(request.args[name][0])[:_MOST] for name in _NAMED if request.args.get(name)}
        carried, old = request.cookies.get(cookie), request.cookies.get(guard.cookie)
        try:
            arrived = await _provider(side).finish(carried, query, request.client_ip, old, browser_of(request))
        except SignInFailed as failed:
            response = _back(failed)
            _keep(response, "", 0)
            return response
        session = arrived.ticket.session
        agent, desk = session.member.agent, side.conversations
        if arrived.added:
            await desk.record(
                "staff_added", agent, {"staff_id": agent.id, "role": session.member.role.value, "by": "provider"}
            )
        if arrived.linked:
            await desk.record("provider_linked", agent, {"issuer": _provider(side).provider.client.issuer})
        if arrived.role_before is not None:
            told = {"staff_id": agent.id, "role": session.member.role.value, "before": arrived.role_before.value}
            await desk.record("staff_changed", agent, told | {"by": "provider"})
        if session.stage is Stage.OPEN:
            await desk.record("signed_in", agent, {"way": "provider"})
        place = f"#/{arrived.to.lstrip('/')}" if arrived.to else ""
        response = _to(f"{_CONSOLE}{'?step=code' if session.stage is Stage.CODE else ''}{place}")
        guard.set_cookie(response, arrived.ticket.token)
        _keep(response, "", 0)
        return response

    def _keep(response: HTTPResponse, value: str, seconds: int) -> None:
        # Lax: the provider sends the browser back from another site, with an ordinary navigation.
        response.add_cookie(
            cookie, value, path="/", secure=guard.secure, httponly=True, samesite="Lax", max_age=seconds
        )

    for method, route, handler in (
        ("GET", "sign-in/ways", ways),
        ("GET", "sign-in/provider", there),
        ("GET", CALLBACK, back),
    ):
        guard.add(blueprint, method, route, handler)


def _provider(side: StaffSide) -> ProviderSignIn:
    if side.provider is None:
        raise Refused(404, "not_found", "This desk has no sign-in with a provider.")
    return side.provider


def _back(failed: SignInFailed) -> HTTPResponse:
    return _to(f"{_CONSOLE}?sign_in={quote(failed.code)}")


def _to(url: str) -> HTTPResponse:
    # The address that was come from holds a code: it goes to nobody.
    return redirect(url, headers={"Cache-Control": "no-store", "Referrer-Policy": "no-referrer"})
