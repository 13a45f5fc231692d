"""The staff API of a contact's rights: everything known of them as one file, and erasing it, with a receipt."""

from __future__ import annotations

import asyncio
import json
import tempfile
import zipfile
from typing import Any, Literal

import structlog
from sanic import Blueprint, Request
from sanic.response import HTTPResponse

from conversations.contact_export import exported
from conversations.errors import NotFound
from conversations.json_form import moment
from conversations.model import Attachment, Status
from conversations.privacy_store import Erasure
from handoff.bodies import Body, read_json
from handoff.contacts.contact_records import account_of
from handoff.contacts.contact_routes import find_contact
from handoff.customer_json import record_json
from handoff.errors import Refused
from handoff.guard import answer, file_headers
from handoff.staff_side import StaffSide
from handoff.store import Session

_IN_MEMORY = 8 * 1024 * 1024  # bytes of an export before it goes to the disk
_CHUNK = 256 * 1024
_README = """\
这里是客服系统中关于该客户的全部资料：contact.json 是客户档案和联系地址，account.json 是客户系统里的账户、订单和工单，\
conversations/ 里每次会话一个文件（包括机器人的判断依据和内部备注），files/ 是往来的文件，\
reviews.json 是对这些会话的质检（如有），audit.json 是审计记录。

Everything the desk knows of this person. contact.json: profile and addresses. account.json: account, orders and tickets in
the customer system. conversations/: one file each, with why the bot answered as it did and the team's notes. files/: what
was sent to and fro. reviews.json: what reviewers wrote about the conversations, if anything. audit.json: the audit entries. Missing files were deleted earlier.
"""
log = structlog.get_logger()


class EraseBody(Body):
    """The word makes sure that nobody erases by a slip."""

    confirm: Literal["erase"]


def add_privacy_routes(blueprint: Blueprint, side: StaffSide) -> None:
    """Add export, erasing and the receipts, below a contact."""
    desk = side.conversations

    async def export(request: Request, session: Session, contact_id: str) -> None:
        profile = await find_contact(side, contact_id)
        if profile.erased_at is not None:
            raise Refused(409, "erased", "This contact was erased; there is nothing left to export.")
        together = await desk.contacts_of(profile)
        customer, orders, tickets, available = await account_of(side, profile, together)
        account = {
            "available": available,
            "customer": record_json(customer) if customer else None,
            "orders": [record_json(order) for order in orders],
            "tickets": [record_json(ticket) for ticket in tickets],
        }
        with tempfile.SpooledTemporaryFile(_IN_MEMORY) as spool:
            with zipfile.ZipFile(spool, "w", zipfile.ZIP_DEFLATED) as archive:
                archive.writestr("README.txt", _README)
                archive.writestr("account.json", _json_bytes(account))
                async for name, content in exported(desk.database, desk.audit, profile.id, desk.copies_too):
                    found = await _content(side, content)
                    if found is not None:
                        await asyncio.to_thread(archive.writestr, name, found)
            size = spool.tell()
            spool.seek(0)
            await desk.record("contact_exported", session.member.agent, {"contact_id": profile.id, "bytes": size})
            headers = file_headers(f"contact-{profile.id}.zip")
            response = await request.respond(content_type="application/zip", headers=headers)
            assert response is not None, "a request is answered once"
            while part := await asyncio.to_thread(spool.read, _CHUNK):
                await response.send(part)
            await response.eof()

    async def erase(request: Request, session: Session, contact_id: str) -> HTTPResponse:
        read_json(EraseBody, request.content_type, request.body)
        profile = await find_contact(side, contact_id)
        if profile.erased_at is None:
            if await _is_with_people(side, profile.id):
                raise Refused(
                    409,
                    "still_open",
                    "Somebody is helping this contact, or they wait for it. Resolve the conversation first, then erase.",
                )
            await desk.erase_contact(profile.id, session.member.agent)
            await desk.finish_erasures()
        return answer({"erasures": [_erasure_json(one) for one in await desk.erasures_of(profile.id)]})

    async def erasures(request: Request, session: Session, contact_id: str) -> HTTPResponse:
        profile = await find_contact(side, contact_id)
        return answer({"erasures": [_erasure_json(one) for one in await desk.erasures_of(profile.id)]})

    base = "contacts/<contact_id>"
    side.guard.add(blueprint, "GET", f"{base}/export", export)
    side.guard.add(blueprint, "POST", f"{base}/erase", erase)
    side.guard.add(blueprint, "GET", f"{base}/erasures", erasures)


async def _content(side: StaffSide, content: bytes | Attachment) -> bytes | None:
    if isinstance(content, bytes):
        return content
    try:
        return (await side.attachments.content(content.id))[1]
    except NotFound:
        log.warning("file_missing_in_export", attachment_id=content.id)
        return None


async def _is_with_people(side: StaffSide, contact_id: str) -> bool:
    latest = await side.conversations.conversations_of_contact(contact_id, 20)
    return any(one.status in (Status.QUEUED, Status.ASSIGNED) for one in latest)


def _json_bytes(value: Any) -> bytes:
    return json.dumps(value, ensure_ascii=False, indent=1, default=str).encode()


def _erasure_json(one: Erasure) -> dict[str, Any]:
    return {
        "id": one.id,
        "asked_at": moment(one.asked_at),
        "done_at": moment(one.done_at),
        "conversations": len(one.conversations),
        "messages": one.messages,
        "files": len(one.files),
        "receipt": one.receipt,
    }
