"""What contacts do not want to be told: they say "退订" or "STOP", alone, on any channel, and "订阅" or "START" to take it back.

Only the whole message counts: "stop my order" is a request for the bot. Answers to what they ask themselves still come.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncConnection

from conversations.audit import AuditEntry
from conversations.change import Desk
from conversations.contact_store import ContactStore
from conversations.linking import Answer
from conversations.model import Contact, InboundMessage
from conversations.proactive_store import EVERY_KIND, ProactiveStore

_OUT = frozenset(
    [
        "td",
        "退订",
        "退訂",
        "取消订阅",
        "取消訂閱",
        "取消推送",
        "停止推送",
        "不再接收",
        "拒收",
        "我要退订",
        "请退订",
        "退订消息",
        "退订通知",
        "stop",
        "stopall",
        "stop all",
        "stop messages",
        "stop the messages",
        "stop all messages",
        "stop messaging me",
        "stop sending messages",
        "stop sending me messages",
        "please stop messages",
        "stop notifications",
        "stop the notifications",
        "stop updates",
        "unsubscribe",
        "unsubscribe me",
        "please unsubscribe",
        "please unsubscribe me",
        "opt out",
        "opt-out",
    ]
)
_IN = frozenset(
    [
        "订阅",
        "訂閱",
        "恢复订阅",
        "恢復訂閱",
        "重新订阅",
        "我要订阅",
        "恢复推送",
        "恢复通知",
        "start",
        "unstop",
        "subscribe",
        "resubscribe",
        "opt in",
        "opt-in",
        "start messages",
        "resume messages",
    ]
)
_AROUND = " \t\n\"'“”‘’「」『』.。!！,，~～"


def wish_of(inbound: InboundMessage) -> bool | None:
    """False: no more messages; True: messages again; None: the message is about something else."""
    if inbound.attachments or inbound.button_id is not None or len(inbound.text) > 40:
        return None
    said = unicodedata.normalize("NFKC", inbound.text).strip(_AROUND).casefold()
    said = re.sub(r"\s+", " ", said)
    if said in _OUT or said.replace(" ", "") in ("td", "退订"):
        return False
    return True if said in _IN else None


def language_of(inbound: InboundMessage) -> str | None:
    """The language of a wish where its letters would mislead: TD is 退订, typed by people who write Chinese."""
    return "zh" if inbound.text.strip().casefold() == "td" else None


async def obey(desk: Desk, connection: AsyncConnection, contact: Contact, wants: bool) -> Answer | None:
    """Note what a contact whose conversation is locked wants; None where there is nothing to take back.

    Who never opted out may say "start" and mean something else. What already waits in the outbox is taken out of it.
    """
    store = ProactiveStore(connection)
    family = await family_of(connection, contact.id)
    off = await store.is_off(family, EVERY_KIND)
    if wants and not off:
        return None
    if wants:
        await store.turn_on(family, EVERY_KIND)
    elif not off:
        await opt_out(desk.now(), connection, family, "contact")
    if wants == off:
        entry = AuditEntry("proactive_choice", "contact", None, contact.id, {"kind": EVERY_KIND, "on": wants})
        await desk.audit.append(connection, desk.now(), [entry])
    return Answer("opted_in" if wants else "opted_out_already" if off else "opted_out")


async def opt_out(
    now: datetime, connection: AsyncConnection, family: Sequence[str], by: str, kind: str = EVERY_KIND
) -> None:
    """From now on a contact, and everybody merged into it, hears no more of a kind."""
    store = ProactiveStore(connection)
    await store.turn_off(family, kind, by, now)
    for one in await store.under_way(family):
        if kind in (EVERY_KIND, one.kind) and await store.take_back(one):
            await store.settle(one.id, "not_sent", now, reason="opted_out")


async def people_of(connection: AsyncConnection, contact_id: str) -> set[str]:
    """The family of a contact, and those of every other contact who proved to be the same customer."""
    contacts = ContactStore(connection)
    people = set(await family_of(connection, contact_id))
    customer_id = (await contacts.get(await contacts.root_of(contact_id))).customer_id
    if customer_id is not None:
        for other in await contacts.with_customer(customer_id):
            people.update(await family_of(connection, other))
    return people


async def family_of(connection: AsyncConnection, contact_id: str) -> list[str]:
    """Everybody who is one person with a contact: a choice counts for each, also after they are separated again."""
    contacts = ContactStore(connection)
    return await contacts.family_of(await contacts.root_of(contact_id))
