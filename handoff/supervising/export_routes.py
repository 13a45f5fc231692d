"""The staff API of exports: the facts of a period as a file, masked as its reader sees them everywhere."""

from __future__ import annotations

from datetime import date
from typing import Any, Literal

import structlog
from sanic import Blueprint, Request

from handoff.bodies import Body, first_values, read_query
from handoff.errors import Refused
from handoff.guard import file_headers
from handoff.staff_side import StaffSide
from handoff.store import Session
from handoff.supervising.report_routes import labels_of, reports_of
from reporting.catalogue import DIMENSIONS
from reporting.exports import Export, Format, export_of
from reporting.query import QueryError

log = structlog.get_logger()
_MOST_KEYS, _LONGEST_KEY = 100, 128
_TYPES = {
    Format.CSV: "text/csv; charset=utf-8",
    Format.XLSX: "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    Format.JSON: "application/x-ndjson; charset=utf-8",
}


class ExportQuery(Body):
    """What to export, from when to when; each dimension of the reports may be named any number of times besides."""

    rows: Literal["conversations", "resolved", "messages", "turns", "episodes", "waits", "citations"] = "conversations"
    format: Literal["csv", "xlsx", "jsonl"] = "csv"
    since: date
    until: date


def add_export_routes(blueprint: Blueprint, side: StaffSide) -> None:
    """Add ``/staff/api/reports/export``."""
    running: set[str] = set()  # members whose export is on its way

    async def asked(request: Request, session: Session, query: ExportQuery) -> Export:
        given = request.get_args(keep_blank_values=True)
        filters: dict[str, list[str]] = {name: given.getlist(name) for name in DIMENSIONS if name in given}
        if any(len(keys) > _MOST_KEYS or max(map(len, keys)) > _LONGEST_KEY for keys in filters.values()):
            raise Refused(400, "too_many", f"Limit a dimension to at most {_MOST_KEYS} keys.")
        form: dict[str, Any] = {"since": str(query.since), "until": str(query.until), "filters": filters}
        member = session.member
        try:
            return export_of(query.rows, form, side.sight.of(member), await labels_of(side), side.veil.cells(member))
        except QueryError as error:
            raise Refused(400, error.code, str(error), detail=error.detail) from None

    async def export(request: Request, session: Session) -> None:
        query = read_query(ExportQuery, first_values(request.args))
        reports_of(side)
        found, member = await asked(request, session, query), session.member
        if member.id in running:
            raise Refused(429, "export_running", "Your last export is still on its way. Wait for it or stop it.", 10)
        running.add(member.id)
        try:
            database = side.conversations.database
            data: dict[str, Any] = {
                "part": query.rows,
                "format": query.format,
                "since": str(query.since),
                "until": str(query.until),
                "filters": {name: list(keys) for name, keys in found.query.filters.items()},
                # Counted before anything leaves, so that a process that dies has told of it.
                "rows": await found.count(database),
            }
            await side.conversations.record("facts_exported", member.agent, data)
            form = Format(query.format)
            name = f"{query.rows}-{query.since}-{query.until}.{form.value}"
            response = await request.respond(content_type=_TYPES[form], headers=file_headers(name))
            assert response is not None, "a request is answered once"
            try:
                async for piece in found.written(database, form):
                    if piece:
                        await response.send(piece)
                await response.eof()
            except Exception as error:  # a file that ends too early must not look whole
                log.warning("export_broke_off", error=type(error).__name__)
                if request.transport is not None:
                    request.transport.close()
        finally:
            running.discard(member.id)

    side.guard.add(blueprint, "GET", "reports/export", export)
