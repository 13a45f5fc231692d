"""Messages that nobody asked for: an order is shipped, a ticket answered, a callback was in vain.

An event is told once by its key, to the address where the contact wrote last, or to the next one that may be written to
at that moment; ``conversations/proactive_sending.py`` finds it and sees it through. What cannot be sent is kept with
its reason, for staff and for whoever told the event.
"""

from __future__ import annotations

import base64
import hmac
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Protocol

from conversations import opting
from conversations.audit import AuditEntry
from conversations.change import STAFF
from conversations.contact_store import ContactStore
from conversations.conversations import Conversations
from conversations.errors import IdempotencyConflict, InvalidMessage, NotFound
from conversations.model import Address, Agent, new_id
from conversations.proactive_catalogue import Catalogue
from conversations.proactive_store import EVERY_KIND, Choice, Place, ProactiveStore, Told, erase, request_hash

DESK = "desk"  #: the owner of events that come from the console
LONGEST_KEY = 255
LONGEST_VALIDITY = timedelta(days=30)
_SHOWN = 5
_NAMES = frozenset({"contact_id", "customer", "order", "address", "email"})
_SHORT_MAC = 20  # bytes


@dataclass(frozen=True, slots=True)
class Preferences:
    """What a contact wants to be told, for staff."""

    off: tuple[Choice, ...]
    unreachable: tuple[Address, ...]
    latest: tuple[Told, ...]


class Wakes(Protocol):
    """Whoever sends, told that there is something new."""

    def wake(self) -> None:
        """Look now instead of at the next poll."""
        ...


class Proactive:
    """Takes events, and what contacts want of them."""

    def __init__(self, conversations: Conversations, catalogue: Catalogue, *, key: bytes, public_url: str) -> None:
        self.conversations = conversations
        self.catalogue = catalogue
        self._key = key
        self._public_url = public_url.rstrip("/")
        self.sender: Wakes | None = None
        conversations.erases_too.append(erase)

    # -- events

    async def tell(
        self,
        owner: str,
        key: str,
        kind: str,
        recipient: Mapping[str, str],
        data: Mapping[str, Any],
        valid_for: timedelta | None = None,
    ) -> tuple[Told, bool]:
        """Take an event; the same again changes nothing and says so (True).

        Raises ``InvalidMessage``, and ``IdempotencyConflict`` where the key was used for another event.
        """
        if not 1 <= len(key) <= LONGEST_KEY:
            raise InvalidMessage(f"idempotency_key must have 1 to {LONGEST_KEY} characters")
        if valid_for is not None and not timedelta() < valid_for <= LONGEST_VALIDITY:
            raise InvalidMessage(f"valid_hours must be above 0 and at most {LONGEST_VALIDITY.days * 24}")
        whom = _recipient(recipient)
        described = self.catalogue.get(kind)
        given = {"order": whom["order"], **data} if "order" in whom and "order" in described.needs else dict(data)
        facts = described.checked(given)
        form = json.dumps([kind, whom, facts, valid_for and valid_for.total_seconds()], sort_keys=True)
        now, wanted = self.conversations.now(), request_hash([form])
        async with self.conversations.database.write() as connection:
            store = ProactiveStore(connection)
            new = await store.add(
                key,
                id=new_id(),
                owner=owner,
                request_hash=wanted,
                kind=kind,
                recipient=whom,
                facts=facts,
                created_at=now,
                due_at=now,
                expires_at=now + (valid_for or described.valid_for),
                contact_id=None,
            )
            told = await store.find_by_key(owner, key)
        assert told is not None, "it was there, or has just been added"
        if told.request_hash != wanted:
            raise IdempotencyConflict("this idempotency_key was used for another event; use a new one")
        if new and self.sender is not None:
            self.sender.wake()
        return told, not new

    async def find(self, owner: str, id: str) -> Told:
        """What became of an event; raises ``NotFound``, also for events of others."""
        async with self.conversations.database.read() as connection:
            told = await ProactiveStore(connection).find(id)
        if told is None or told.owner != owner:
            raise NotFound("there is no such event; it is known by the id that POST /api/v1/events gave")
        return told

    # -- what contacts want

    async def preferences(self, contact_id: str) -> Preferences:
        """What a contact does not want, where they are not reached, and what they were told last."""
        async with self.conversations.database.read() as connection:
            store = ProactiveStore(connection)
            root = await ContactStore(connection).root_of(contact_id)
            family = await opting.family_of(connection, root)
            places = await store.places_of(root)
            return Preferences(
                tuple(await store.choices(family)),
                tuple(one.address for one in places if one.unreachable),
                tuple(await store.latest(family, _SHOWN)),
            )

    async def choose(self, contact_id: str, kind: str, on: bool, agent: Agent) -> None:
        """Turn a kind, or every kind ("*"), on or off for a contact; raises ``NotFound``, ``InvalidMessage``."""
        if kind != EVERY_KIND:
            self.catalogue.get(kind)
        async with self.conversations.database.write() as connection:
            root = await ContactStore(connection).root_of(contact_id)
            profile = await ContactStore(connection).get(root)
            if profile.erased_at is not None:
                raise NotFound("this contact was erased; there is nothing to choose for them")
            await self._choose(connection, root, kind, on, f"agent:{agent.id}", agent.name)
        await self.conversations.hub.publish(STAFF, {"type": "contact", "contact_id": root, "revision": None})

    async def _choose(self, connection: Any, contact_id: str, kind: str, on: bool, actor: str, by: str) -> bool:
        store, family = ProactiveStore(connection), await opting.family_of(connection, contact_id)
        off = await store.is_off(family, kind)
        if on != off:
            return False
        if on:
            await store.turn_on(family, kind)
        else:
            await opting.opt_out(self.conversations.now(), connection, family, by, kind)
        entry = AuditEntry("proactive_choice", actor, None, contact_id, {"kind": kind, "on": on})
        await self.conversations.audit.append(connection, self.conversations.now(), [entry])
        return True

    # -- what channels are told

    def form_of(self, told: Told, place: Place, language: str | None) -> dict[str, Any]:
        """A message as channels are asked about it; where it was refused when said freely, nobody has written lately."""
        kind, spoken = self.catalogue.kinds.get(told.kind), language or "zh"
        return {
            "kind": told.kind,
            "language": spoken,
            "facts": dict(told.facts),
            "wrote_at": None if told.was_tried(place.address, "free") else place.wrote_at,
            "subject": kind.subject(spoken, told.facts) if kind else "",
            "stop_url": self.stop_url(told),
        }

    def stop_url(self, told: Told) -> str:
        """The link with which whoever got a message ends all of them without signing in."""
        mac = hmac.digest(self._key, told.id.encode(), "sha256")[:_SHORT_MAC]
        return f"{self._public_url}/unsubscribe/{told.id}.{base64.urlsafe_b64encode(mac).rstrip(b'=').decode()}"

    async def stopped_by(self, token: str) -> Told | None:
        """The message whose link this is; None for a link that is not ours, or whose contact was erased."""
        id, _, _ = token.partition(".")
        async with self.conversations.database.read() as connection:
            told = await ProactiveStore(connection).find(id) if len(id) == 32 else None
        if told is None or not hmac.compare_digest(self.stop_url(told).rpartition("/")[2].encode(), token.encode()):
            return None
        return told if told.contact_id is not None and told.facts else None

    async def stop(self, token: str) -> bool:
        """End all messages to whoever got the one with this link; False where the link is not ours. Twice is once."""
        told = await self.stopped_by(token)
        if told is None or told.contact_id is None:
            return False
        async with self.conversations.database.write() as connection:
            root = await ContactStore(connection).root_of(told.contact_id)
            await self._choose(connection, root, EVERY_KIND, False, "contact", "contact")
        await self.conversations.hub.publish(STAFF, {"type": "contact", "contact_id": root, "revision": None})
        return True


def _recipient(given: Mapping[str, str]) -> dict[str, str]:
    """Whom an event is for; raises ``InvalidMessage``."""
    whom = {name: value.strip() for name, value in given.items() if value and value.strip()}
    if unknown := whom.keys() - _NAMES:
        raise InvalidMessage(f"to.{min(unknown)} is not known; name a customer, an order, an address or an email")
    if not whom:
        raise InvalidMessage("say who is to be told: a customer, an order, an address or an email")
    if any(len(value) > 600 for value in whom.values()):
        raise InvalidMessage("whoever is to be told is named with at most 600 characters")
    return whom
