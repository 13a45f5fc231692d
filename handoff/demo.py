"""The demo shop's sign-ins, made while the demo runs and closed when the desk starts without it; its labels and filters."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from conversations.conversations import Conversations
from conversations.model import utc_now
from handoff.organising.filter_store import FilterStore
from handoff.roles import Role
from handoff.sign_in import Passwords
from handoff.store import StaffStore

#: name, e-mail, role, languages
PEOPLE = (
    ("Chen Yu 陈雨", "agent@kite.example", Role.AGENT, ("zh", "en")),
    ("Sam Rivera", "sam@kite.example", Role.AGENT, ("en",)),
    ("Lin Wei 林薇", "trainer@kite.example", Role.TRAINER, ("zh", "en")),
    ("Grace Holt", "supervisor@kite.example", Role.SUPERVISOR, ("en", "zh")),
    ("Zhao Ming 赵明", "admin@kite.example", Role.ADMIN, ("zh", "en")),
    ("Ines Moreau", "auditor@kite.example", Role.AUDITOR, ("en", "zh")),
)


@dataclass(frozen=True, slots=True)
class DemoSignIn:
    """A sign-in that the demo's sign-in page may show."""

    role: str
    name: str
    email: str
    password: str


async def ensure_demo_staff(store: StaffStore, passwords: Passwords, password: str) -> tuple[DemoSignIn, ...]:
    """Make the demo sign-ins, or open them again with this password."""
    for name, email, role, languages in PEOPLE:
        found = await store.find_by_email(email)
        if found is None:
            await store.add(email, name, role, await passwords.hash(password), languages, utc_now())
            continue
        member, password_hash = found
        if not member.active:
            await store.set_active(email, True)
        if not await passwords.matches(password_hash, password):
            await store.set_password_hash(member.id, await passwords.hash(password), end_sessions=True)
    return tuple(DemoSignIn(role.value, name, email, password) for name, email, role, _ in PEOPLE)


#: title, colour
_LABELS = (
    ("退款 Refund", "orange"),
    ("物流 Delivery", "blue"),
    ("发票 Invoice", "teal"),
    ("投诉 Complaint", "red"),
    ("VIP", "purple"),
)
#: name, conditions, sort
_FILTERS: tuple[tuple[str, dict[str, Any], str], ...] = (
    ("久等 · Long wait", {"waiting_longer_minutes": 5}, "waiting"),
    ("紧急 · Urgent", {"priority": ["high", "urgent"], "status": ["queued", "assigned"]}, "priority"),
)


async def ensure_demo_order(store: StaffStore, filters: FilterStore, conversations: Conversations) -> None:
    """Give the demo a few labels and shared filters to start with; what people made of them later is left alone."""
    owner = await store.find_by_email("supervisor@kite.example")
    if owner is None or await conversations.labels():
        return
    member, _ = owner
    for title, colour in _LABELS:
        await conversations.add_label(title, colour, member.agent)
    for name, conditions, sort in _FILTERS:
        await filters.add(member.id, name, True, conditions, sort, utc_now())


async def close_demo_staff(store: StaffStore) -> None:
    """Deactivate demo sign-ins left from a demo: everybody knows their password."""
    for _, email, _, _ in PEOPLE:
        found = await store.find_by_email(email)
        if found is not None and found[0].active:
            await store.set_active(email, False)
