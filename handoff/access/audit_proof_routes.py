"""The staff API that shows that nobody changed the audit trail: the check of all of it, proofs of entries, signed bundles."""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import Awaitable, Callable
from typing import Annotated, Any, Self

from pydantic import AwareDatetime, Field, model_validator
from sanic import Blueprint, Request
from sanic.response import HTTPResponse

from conversations.audit import GENESIS, canonical, chain_hash
from conversations.audit_bundle import Bundler, Scope, fingerprint_of
from conversations.audit_check import Progress, Verdict
from conversations.audit_proof import Proof, compare_turn, prove
from conversations.audit_store import AuditStore
from conversations.model import Agent
from handoff.access.audit_routes import entry_json, number_of
from handoff.bodies import Body, Identifier, Prose, check_id, first_values, read_json, read_query
from handoff.errors import Refused
from handoff.guard import answer, file_headers
from handoff.staff_side import StaffSide
from handoff.store import Session

_RESULTS = {0: "sound", 3: "broken", 4: "truncated"}
#: For how long a request waits for the check of the whole trail before it says how far that is.
PATIENCE_SECONDS = 5.0


class ExportBody(Body):
    """One conversation, or a period, or everything; with personal parts readable only for a reason."""

    conversation_id: Identifier | None = None
    since: AwareDatetime | None = None
    until: AwareDatetime | None = None
    linked: bool = True  #: a conversation with the entries in between, which prove its place
    opened: bool = False
    reason: Annotated[Prose, Field(max_length=500)] = ""

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        if self.conversation_id and (self.since or self.until):
            raise ValueError("a conversation is exported as a whole; leave out since and until")
        if self.since and self.until and self.until <= self.since:
            raise ValueError("until must be later than since")
        if self.opened and len(self.reason.strip()) < 5:
            raise ValueError("say in a few words why personal parts are needed")
        return self


class TurnQuery(Body):
    """Whose turn it is, as the trail finds entries by their conversation."""

    conversation_id: Identifier


def add_audit_proof_routes(blueprint: Blueprint, side: StaffSide) -> None:
    """Add the check, the proofs and the export below ``/staff/api/audit``."""
    desk = side.conversations
    verification = Verification(side)

    async def verify(request: Request, session: Session) -> HTTPResponse:
        return answer(await verification.run(session.member.agent))

    async def verifying(request: Request, session: Session) -> HTTPResponse:
        return answer(await verification.follow())

    async def key(request: Request, session: Session) -> HTTPResponse:
        return answer({"fingerprint": fingerprint_of(await _key_of(side))})

    async def export(request: Request, session: Session) -> None:
        body = read_json(ExportBody, request.content_type, request.body)
        await _key_of(side)
        bundler = _bundler_of(side)
        scope = Scope(body.conversation_id, body.since, body.until, linked=body.linked, opened=body.opened)
        reason = {"reason": body.reason.strip()} if body.reason.strip() else {}
        if body.conversation_id is not None:
            await desk.get_conversation(body.conversation_id)
        await desk.record("audit_exported", session.member.agent, scope.form() | reason)
        name = f"audit-{body.conversation_id or scope.kind}.zip"
        response = await request.respond(content_type="application/zip", headers=file_headers(name))
        assert response is not None, "a request is answered once"
        async for piece in bundler.pieces(scope, desk.now()):
            await response.send(piece)
        await response.eof()

    async def entry(request: Request, session: Session, entry_number: str) -> HTTPResponse:
        number = number_of(entry_number)
        async with desk.database.read() as connection:
            row = await AuditStore(connection).find(number)
        if row is None:
            raise Refused(404, "not_found", "There is no such entry.")
        return answer(await proof_of(row))

    async def turn(request: Request, session: Session, turn_id: str) -> HTTPResponse:
        check_id(turn_id, "turn")
        query = read_query(TurnQuery, first_values(request.args))
        async with desk.database.read() as connection:
            row = await AuditStore(connection).find_turn(query.conversation_id, turn_id)
        if row is None:
            raise Refused(404, "not_found", "The trail has no entry of this turn.")
        return answer(await proof_of(row))

    async def proof_of(row: Any) -> dict[str, Any]:
        async with desk.database.read() as connection:
            proof = await prove(connection, _bundler_of(side).directory, row)
            form = entry_json(row)
            compared = await compare_turn(connection, desk.audit, row.body) if form["kind"] == "turn" else ()
        people = {f"agent:{member.id}": member.name for member in await side.store.all_staff()}
        return {
            "entry": form | {"actor_name": people.get(form["actor"])},
            "conversation_id": form["conversation_id"],
            **_proof_json(proof),
            "compared": [
                {"field": one.field, "state": one.state, "trail": one.trail, "now": one.now} for one in compared
            ],
        }

    side.guard.add(blueprint, "POST", "audit/verify", verify)
    side.guard.add(blueprint, "GET", "audit/verify", verifying)
    side.guard.add(blueprint, "GET", "audit/key", key)
    side.guard.add(blueprint, "POST", "audit/export", export)
    side.guard.add(blueprint, "GET", "audit/entries/<entry_number>", entry)
    side.guard.add(blueprint, "GET", "audit/turns/<turn_id>", turn)


def _bundler_of(side: StaffSide) -> Bundler:
    if side.audit_bundler is None:
        raise Refused(404, "not_found", "This desk signs no checkpoints, so there is nothing to prove with.")
    return side.audit_bundler


async def _key_of(side: StaffSide) -> Any:
    try:
        return await asyncio.to_thread(_bundler_of(side).key)
    except (OSError, ValueError):
        raise Refused(
            409, "cannot_sign", "This desk has no readable signing key (audit/private_key.pem in its data folder)."
        ) from None


class Verification:
    """Reads the whole chain, so those who ask while it runs share the one that runs."""

    def __init__(self, side: StaffSide) -> None:
        self._side = side
        self._verify: Callable[[Progress], Awaitable[Verdict]] | None = side.verify_audit
        self._running: asyncio.Task[dict[str, Any]] | None = None
        self._progress = Progress()
        self._asked: dict[str, Agent] = {}

    async def run(self, agent: Agent) -> dict[str, Any]:
        """What verification found, or how far it is after a few seconds; raises ``Refused`` when it cannot be had."""
        if self._verify is None:
            raise Refused(404, "not_found", "This desk signs no checkpoints, so there is nothing to compare with.")
        self._asked[agent.id] = agent
        if self._running is None or self._running.done():
            self._progress = Progress()
            self._running = asyncio.create_task(self._read(self._verify), name="verify audit trail")
        return await self.follow()

    async def follow(self) -> dict[str, Any]:
        """The same for a check that somebody has begun."""
        if self._running is None:
            raise Refused(404, "not_found", "Nobody has begun a check since the service was started.")
        done, _ = await asyncio.wait({self._running}, timeout=PATIENCE_SECONDS)
        if not done:
            return {"result": "running", "read": self._progress.read, "of": self._progress.of}
        try:
            return self._running.result()
        except (OSError, ValueError):
            raise Refused(
                409,
                "cannot_verify",
                "The trail has no readable checkpoints yet; the first is signed within a minute. "
                "If this stays, run `python -m conversations.audit verify` on the server.",
            ) from None

    async def _read(self, verify: Callable[[Progress], Awaitable[Verdict]]) -> dict[str, Any]:
        verdict = await verify(self._progress)
        found = {"result": _RESULTS.get(verdict.exit_code, "broken"), "entries": verdict.entries}
        asked, self._asked = self._asked, {}
        for agent in asked.values():
            await self._side.conversations.record("audit_verified", agent, found)
        around = [] if verdict.first_bad is None else await self._around(verdict.first_bad)
        return found | {"first_bad": verdict.first_bad, "message": verdict.message, "around": around}

    async def _around(self, n: int) -> list[dict[str, Any]]:
        """The first bad entry between its neighbours, each with whether it follows from the one before."""
        async with self._side.conversations.database.read() as connection:
            rows = {row.n: row for row in await AuditStore(connection).range(max(1, n - 2), n + 1, 4)}
        shown = []
        for number in range(max(1, n - 1), n + 2):
            row, before = rows.get(number), rows.get(number - 1)
            previous = GENESIS if number == 1 else before.hash if before else None
            shown.append({"n": number} | _state_of(row, previous))
        return shown


def _state_of(row: Any | None, previous: str | None) -> dict[str, Any]:
    if row is None:
        return {"state": "missing"}
    try:
        form = json.loads(row.body)
        told = {name: str(form[name]) for name in ("kind", "actor", "at")}
        own = form["n"] == row.n and form["conversation_id"] == row.conversation_id
    except (ValueError, KeyError, TypeError):
        return {"state": "changed"}
    try:
        fits = own and previous is not None and chain_hash(previous, row.body) == row.hash
    except ValueError:
        fits = False
    return told | {"state": "unlinked" if previous is None else "fits" if fits else "changed"}


def _proof_json(proof: Proof) -> dict[str, Any]:
    covering = proof.covering
    return {
        "n": proof.n,
        "canonical": proof.body,
        "hash": proof.hash,
        "previous": proof.previous,
        "computed": proof.computed,
        "public_key": base64.b64encode(proof.public_key).decode() if proof.public_key else None,
        "path": [{"n": n, "canonical": body, "hash": hash} for n, body, hash in proof.path],
        "checkpoint": None
        if covering is None
        else {
            "n": covering.checkpoint.n,
            "hash": covering.checkpoint.hash,
            "signed_at": covering.checkpoint.at,
            "signature": covering.checkpoint.signature,
            "signed_text": canonical(
                {"n": covering.checkpoint.n, "hash": covering.checkpoint.hash, "at": covering.checkpoint.at}
            ),
            "signed": covering.signed,
            "fits": covering.fits,
            "leads": covering.leads,
        },
    }
