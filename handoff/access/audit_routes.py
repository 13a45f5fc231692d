"""The staff API of the audit trail: its entries, newest first, and the proof that nobody changed them."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from typing import Annotated, Any

from pydantic import AwareDatetime, Field, StringConstraints
from sanic import Blueprint, Request
from sanic.response import HTTPResponse

from conversations.audit_check import Verdict
from conversations.audit_store import AuditStore
from handoff.bodies import Body, Identifier, first_values, read_query
from handoff.errors import Refused
from handoff.guard import answer
from handoff.staff_side import StaffSide
from handoff.store import Session

PAGE = 50
_RESULTS = {0: "sound", 3: "broken", 4: "truncated"}


class AuditQuery(Body):
    """Entries below ``before``, of one kind, actor or conversation, from ``since`` on and before ``until``, as far as given."""

    before: Annotated[str, StringConstraints(pattern=r"^[1-9]\d{0,17}$")] | None = None
    kind: Annotated[str, StringConstraints(pattern=r"^[a-z_]{1,64}$")] | None = None
    actor: Annotated[str, StringConstraints(pattern=r"^([a-z_]{1,32}|agent:[0-9a-f]{32})$")] | None = None
    since: AwareDatetime | None = None
    until: AwareDatetime | None = None
    conversation_id: Identifier | None = None
    limit: Annotated[str, Field(pattern=r"^([1-9]|[1-4]\d|50)$")] = str(PAGE)


def add_audit_routes(blueprint: Blueprint, side: StaffSide) -> None:
    """Add ``/staff/api/audit`` and ``/staff/api/audit/verify``."""
    verification = Verification(side.verify_audit)

    async def entries(request: Request, session: Session) -> HTTPResponse:
        query = read_query(AuditQuery, first_values(request.args))
        limit, before = int(query.limit), int(query.before) if query.before else None
        async with side.conversations.database.read() as connection:
            store = AuditStore(connection)
            if query.until is not None:
                end = await store.first_since(query.until)
                before = end if before is None else min(before, end)
            rows = await store.latest(before, limit, query.conversation_id, query.kind, query.actor, query.since)
        forms = [_entry_json(row) for row in rows]
        people = {f"agent:{member.id}": member.name for member in await side.store.all_staff()}
        shown = [
            form | {"actor_name": people.get(form["actor"])}
            for form in forms
            if query.kind is None or form["kind"] == query.kind
        ]
        named = [{"actor": actor, "name": name} for actor, name in sorted(people.items(), key=lambda one: one[1])]
        following = rows[-1].n if len(rows) == limit and rows[-1].n > 1 else None
        return answer({"entries": shown, "next": following, "people": named})

    async def verify(request: Request, session: Session) -> HTTPResponse:
        verdict = await verification.run()
        found = {"result": _RESULTS.get(verdict.exit_code, "broken"), "entries": verdict.entries}
        await side.conversations.record("audit_verified", session.member.agent, found)
        return answer(found | {"first_bad": verdict.first_bad, "message": verdict.message})

    side.guard.add(blueprint, "GET", "audit", entries)
    side.guard.add(blueprint, "POST", "audit/verify", verify)


class Verification:
    """Reads the whole chain, so those who ask while it runs share the one that runs."""

    def __init__(self, verify: Callable[[], Awaitable[Verdict]] | None) -> None:
        self._verify = verify
        self._running: asyncio.Task[Verdict] | None = None

    async def run(self) -> Verdict:
        """What verification found; raises ``Refused`` when the chain or its signatures cannot be read."""
        if self._verify is None:
            raise Refused(404, "not_found", "This desk signs no checkpoints, so there is nothing to compare with.")
        if self._running is None or self._running.done():
            self._running = asyncio.create_task(self._read(self._verify), name="verify audit trail")
        try:
            return await asyncio.shield(self._running)
        except (OSError, ValueError):
            raise Refused(
                409,
                "cannot_verify",
                "The trail has no readable checkpoints yet; the first is signed within a minute. "
                "If this stays, run `python -m conversations.audit verify` on the server.",
            ) from None

    @staticmethod
    async def _read(verify: Callable[[], Awaitable[Verdict]]) -> Verdict:
        return await verify()


def _entry_json(row: Any) -> dict[str, Any]:
    """An entry without its personal part: who audits what was done need not read whom it was about."""
    form: dict[str, Any] = json.loads(row.body)
    form["sealed"] = form["sealed"] is not None
    return form | {"hash": row.hash}
