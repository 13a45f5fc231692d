"""The staff API of the audit trail: its entries, newest first, searched a stretch at a time."""

from __future__ import annotations

import json
from typing import Annotated, Any

from pydantic import AfterValidator, AwareDatetime, Field, StringConstraints
from sanic import Blueprint, Request
from sanic.response import HTTPResponse

from conversations.audit_search import Looked, look, words_of
from conversations.audit_store import Wanted
from conversations.json_form import moment
from handoff.bodies import Body, Identifier, Prose, first_values, read_json, read_query
from handoff.errors import Refused
from handoff.guard import answer
from handoff.staff_side import StaffSide
from handoff.store import Session

PAGE = 50
#: Never more than the databases can number.
_NUMBER = r"^[1-9]\d{0,17}$"
_KINDS = r"^[a-z_]{1,64}(,[a-z_]{1,64}){0,19}$"


class AuditQuery(Body):
    """Entries below ``before``, of some kinds (with commas between), one actor, conversation or contact, as far as given.

    ``since`` and before ``until`` they were written. A look passes over 20 000 entries at most and says how far it came.
    """

    before: Annotated[str, StringConstraints(pattern=_NUMBER)] | None = None
    kind: Annotated[str, StringConstraints(pattern=_KINDS)] | None = None
    actor: Annotated[str, StringConstraints(pattern=r"^([a-z_]{1,32}|agent:[0-9a-f]{32})$")] | None = None
    since: AwareDatetime | None = None
    until: AwareDatetime | None = None
    conversation_id: Identifier | None = None
    contact_id: Identifier | None = None
    limit: Annotated[str, Field(pattern=r"^([1-9]|[1-4]\d|50)$")] = str(PAGE)


def _some_words(text: str) -> str:
    if not text.split():
        raise ValueError("say at least one word")
    return text


class AuditSearchBody(AuditQuery):
    """The same, and words that all stand in an entry or in what is sealed in it; at most 1 000 entries are opened at once."""

    words: Annotated[Prose, Field(min_length=1, max_length=200), AfterValidator(_some_words)]


def add_audit_routes(blueprint: Blueprint, side: StaffSide) -> None:
    """Add ``/staff/api/audit`` and ``/staff/api/audit/search``."""

    async def entries(request: Request, session: Session) -> HTTPResponse:
        return answer(await found(read_query(AuditQuery, first_values(request.args)), ()))

    async def search(request: Request, session: Session) -> HTTPResponse:
        query = read_json(AuditSearchBody, request.content_type, request.body)
        # What is sealed is opened to look into it: that somebody did is on record, what they looked for is not.
        narrowed = {"conversation_id": query.conversation_id, "contact_id": query.contact_id, "before": query.before}
        await side.conversations.record("audit_searched", session.member.agent, narrowed)
        return answer(await found(query, words_of(query.words)))

    async def found(query: AuditQuery, words: tuple[str, ...]) -> dict[str, Any]:
        kinds = tuple(query.kind.split(",")) if query.kind else ()
        wanted = Wanted(kinds, query.actor, query.conversation_id, query.contact_id)
        before = int(query.before) if query.before else None
        async with side.conversations.database.read() as connection:
            looked = await look(
                connection, side.conversations.audit, wanted, before, int(query.limit), words, query.since, query.until
            )
        people = {f"agent:{member.id}": member.name for member in await side.store.all_staff()}
        named = [{"actor": actor, "name": name} for actor, name in sorted(people.items(), key=lambda one: one[1])]
        shown = [form | {"actor_name": people.get(form["actor"])} for form in map(entry_json, looked.rows)]
        shown = [form for form in shown if not kinds or form["kind"] in kinds]
        return {"entries": shown, "next": looked.next, "looked": _looked_json(looked), "people": named}

    side.guard.add(blueprint, "GET", "audit", entries)
    side.guard.add(blueprint, "POST", "audit/search", search)


def _looked_json(looked: Looked) -> dict[str, Any]:
    return {"down_to": looked.down_to, "at": moment(looked.at)}


def entry_json(row: Any) -> dict[str, Any]:
    """An entry without its personal part: who audits what was done need not read whom it was about."""
    form: dict[str, Any] = json.loads(row.body)
    form["sealed"] = form["sealed"] is not None
    return form | {"hash": row.hash}


def number_of(text: str) -> int:
    """The number of an entry from a path."""
    if not text.isascii() or not text.isdigit() or text[0] == "0" or len(text) > 18:
        raise Refused(404, "not_found", "There is no such entry.")
    return int(text)
