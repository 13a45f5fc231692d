"""Erases contacts and what is too old, everywhere, and proves it with a signed receipt.

The database comes first, in one transaction: from then on nobody reads the words any more. Files, the bots' memory and
the vectors of the assist follow as soon as they can be reached, again and again until all is gone; then the receipt says
what was erased, without saying anything of the person. ``python -m conversations.erasing verify FILE`` checks one.
"""

from __future__ import annotations

import argparse
import asyncio
import base64
import json
import sys
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import structlog
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from sqlalchemy.ext.asyncio import AsyncConnection

from conversations.audit import AuditEntry, AuditLog, canonical
from conversations.change import STAFF
from conversations.contact_export import CopiesToo
from conversations.contact_store import ContactStore
from conversations.erasure_ledger import ErasureLedger, ListedErasure
from conversations.model import Agent
from conversations.privacy_store import Erasure, PrivacyStore
from conversations.searching import Searching
from conversations.verbs import Verbs

#: A turn that a bot was working on when its conversation was erased may be saved after it; so the bots are asked again.
_BOTS_AGAIN = timedelta(minutes=2)
_AT_ONCE = 20
_BATCH = 100
#: Of one day, so that a first run over years of conversations does not keep the desk busy for hours.
_MOST_BATCHES = 200
log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Keepers:
    """Where else words of contacts are kept; the app passes in how to delete them there."""

    remove_file: Callable[[str], Awaitable[None]]
    forget_in_bots: Callable[[Sequence[str]], Awaitable[int]]  #: conversation ids; returns how many were there
    still_indexed: Callable[[Sequence[str]], Awaitable[bool]]  #: whether vectors of these conversations are left
    sign: Callable[[bytes], bytes]


@dataclass(frozen=True, slots=True)
class Periods:
    """For how long personal data is kept, by its class; None is for ever."""

    messages: timedelta | None = None  #: words of resolved conversations, with everything about them
    files: timedelta | None = None
    traces: timedelta | None = None  #: why the bot said what it said
    contacts: timedelta | None = None  #: contacts with whom nothing happened


class Erasing(Searching, Verbs):
    """Erasing contacts, and what time has come for."""

    audit: AuditLog
    #: Others who keep a contact's words in this database, told the contact; and the same for conversations.
    erases_too: list[Callable[[AsyncConnection, str], Awaitable[None]]]
    forgets_too: list[Callable[[AsyncConnection, Sequence[str]], Awaitable[None]]]
    #: Others who know something of contacts, asked for it when a copy is made: file names and what can be written as JSON.
    copies_too: list[CopiesToo]
    #: Others who keep what came from an address (channel, account, contact) outside the database.
    erases_places: list[Callable[[str, str, str], Awaitable[int]]]
    keepers: Keepers | None
    #: Where erasures are listed outside the database; None where no backup is ever made.
    erasure_ledger: ErasureLedger | None = None

    def _begin_erasing(self) -> None:
        self.erases_too, self.forgets_too, self.erases_places, self.keepers = [], [], [], None
        self.copies_too = []
        self._without_files: set[str] = set()  #: of the erasures that are not finished; begun anew after a restart
        self._forgotten: set[str] = set()  #: those that the bots were asked once to forget

    async def erase_contact(self, contact_id: str, agent: Agent | None) -> list[str]:
        """Erase a contact's words, name, addresses and audit key, and those of all merged with it; returns file ids.

        Without an agent it is the desk itself that does it.
        """
        by = "system" if agent is None else f"agent:{agent.id}"
        async with self.database.write() as connection:
            contact_id = await ContactStore(connection).root_of(contact_id)
            family = await ContactStore(connection).family_of(contact_id)
            await self._erase_at_places(connection, family)
            erasure = await PrivacyStore(connection).erase_contacts(family, by, self.now())
            await self._erase_elsewhere(connection, family)
            data = {"contact_id": contact_id, "files": len(erasure.files), "erasure_id": erasure.id}
            entry = AuditEntry("contact_erased", by, contact_id=contact_id, data=data)
            await self.audit.append(connection, self.now(), [entry])
            if self.erasure_ledger is not None:
                # Noted first: one that is noted and did not happen is asked for again, the reverse would be forgotten.
                listed = ListedErasure(self.now().isoformat(), tuple(family), erasure.conversations, erasure.files)
                await asyncio.to_thread(self.erasure_ledger.note, [listed])
        for one in family:
            self.audit.forget(one)
        await self.compact_search_index()
        await self.hub.publish(STAFF, {"type": "erased", "contact_id": contact_id})
        return list(erasure.files)

    async def _erase_at_places(self, connection: AsyncConnection, family: Sequence[str]) -> None:
        """Before the addresses are gone: only they say which of what nobody could read may be the contact's."""
        for one in family:
            for place in await ContactStore(connection).addresses_of(one):
                for erase in self.erases_places:
                    await erase(place.address.channel, place.address.account, place.address.contact)

    async def _erase_elsewhere(self, connection: AsyncConnection, family: Sequence[str]) -> None:
        for erase in self.erases_too:
            for one in family:
                await erase(connection, one)

    async def erase_again(self, erasures: Sequence[ListedErasure]) -> list[ListedErasure]:
        """Repeat erasures on a database that was restored from before them; returns those that it did not know of."""
        async with self.database.read() as connection:
            known = await PrivacyStore(connection).not_erased([id for one in erasures for id in one.contacts])
        undone = [one for one in erasures if known & set(one.contacts)]
        for listed in undone:
            async with self.database.write() as connection:
                await self._erase_at_places(connection, listed.contacts)
                await PrivacyStore(connection).erase_contacts(list(listed.contacts), "system", self.now())
                await self._erase_elsewhere(connection, listed.contacts)
                data = {"contact_id": listed.contacts[0], "first_at": listed.at}
                entry = AuditEntry("contact_erased", "system", contact_id=listed.contacts[0], data=data)
                await self.audit.append(connection, self.now(), [entry])
            for one in listed.contacts:
                self.audit.forget(one)
        if undone:
            await self.compact_search_index()
        return undone

    async def erasures_of(self, contact_id: str) -> list[Erasure]:
        """When a contact was erased, how far it is, and the receipts."""
        async with self.database.read() as connection:
            return await PrivacyStore(connection).of_contact(contact_id)

    async def finish_erasures(self) -> int:
        """Delete what erased contacts left outside of the database; what cannot be reached is tried again."""
        if self.keepers is None:
            return 0
        async with self.database.read() as connection:
            unfinished = await PrivacyStore(connection).unfinished(_AT_ONCE)
        finished = 0
        for one in unfinished:
            try:
                finished += await self._finish(one, self.keepers)
            except Exception as error:
                log.error("erasure_not_finished", erasure_id=one.id, error=repr(error))
        return finished

    async def _finish(self, one: Erasure, keepers: Keepers) -> bool:
        if one.id not in self._without_files:
            for file in one.files:
                await keepers.remove_file(file)
            self._without_files.add(one.id)
        waits = self.now() < one.asked_at + _BOTS_AGAIN or await keepers.still_indexed(one.conversations)
        if waits and one.id in self._forgotten:
            return False
        there = await keepers.forget_in_bots(one.conversations) if one.conversations else 0
        self._forgotten.add(one.id)
        if there:
            async with self.database.write() as connection:
                await PrivacyStore(connection).note_trackers(one.id, there)
        if waits:
            return False
        receipt = _receipt(one, one.trackers + there, self.now(), keepers.sign)
        async with self.database.write() as connection:
            ours = await PrivacyStore(connection).finish(one.id, self.now(), receipt)
            if ours:
                data = {"erasure_id": one.id, "signature": receipt["signature"]}
                entry = AuditEntry("erasure_finished", "system", contact_id=one.contact_id, data=data)
                await self.audit.append(connection, self.now(), [entry])
        for done in (self._without_files, self._forgotten):
            done.discard(one.id)
        if ours and one.contact_id is not None:
            await self.hub.publish(STAFF, {"type": "erased", "contact_id": one.contact_id})
        return ours

    async def forget_what_is_old(self, periods: Periods) -> dict[str, int]:
        """Erase what is older than it may be, in small transactions; returns how much of each class.

        Files come out of ``remove_file``; without keepers they wait for a process that has them.
        """
        done = {"messages": 0, "files": 0, "traces": 0, "contacts": 0}
        for _ in range(_MOST_BATCHES):
            found = await self._forget_a_batch(periods)
            for name, number in found.items():
                done[name] += number
            if not any(found.values()):
                break
        if any(done.values()):
            async with self.database.write() as connection:
                entry = AuditEntry("retention_applied", "system", data=dict(done))
                await self.audit.append(connection, self.now(), [entry])
            await self.compact_search_index()
            log.info("retention_applied", **done)
        return done

    async def _forget_a_batch(self, periods: Periods) -> dict[str, int]:
        now, found = self.now(), dict.fromkeys(("messages", "files", "traces", "contacts"), 0)
        if periods.contacts is not None:
            async with self.database.read() as connection:
                quiet = await PrivacyStore(connection).quiet_contacts(now - periods.contacts, _AT_ONCE)
            for contact_id in quiet:
                await self.erase_contact(contact_id, None)
            found["contacts"] = len(quiet)
        if periods.messages is not None:
            async with self.database.write() as connection:
                old = await PrivacyStore(connection).forget_old_words(now - periods.messages, _BATCH, now)
                for forget in self.forgets_too if old is not None else ():
                    await forget(connection, old.conversations if old is not None else ())
            found["messages"] = 0 if old is None else len(old.conversations)
        if periods.traces is not None:
            async with self.database.write() as connection:
                found["traces"] = await PrivacyStore(connection).forget_old_turns(now - periods.traces, _BATCH)
        if periods.files is not None and self.keepers is not None:
            async with self.database.read() as connection:
                files = await PrivacyStore(connection).old_files(now - periods.files, _BATCH)
            for file in files:
                await self.keepers.remove_file(file)
            found["files"] = len(files)
        return found


def _receipt(one: Erasure, trackers: int, at: datetime, sign: Callable[[bytes], bytes]) -> dict[str, Any]:
    said: dict[str, Any] = {
        "receipt": 1,
        "erasure_id": one.id,
        "contact_id": one.contact_id,
        "asked_by": one.by,
        "asked_at": one.asked_at.isoformat(),
        "done_at": at.isoformat(),
        "erased": {
            "contacts": len(one.contacts),
            "conversations": len(one.conversations),
            "messages": one.messages,
            "files": len(one.files),
            "bot_conversations": trackers,
        },
        "vectors_left": 0,
    }
    return said | {"signature": base64.b64encode(sign(canonical(said).encode())).decode()}


def check_receipt(receipt: dict[str, Any], key: Ed25519PublicKey) -> bool:
    """Whether a receipt is exactly what was signed."""
    said = {name: value for name, value in receipt.items() if name != "signature"}
    try:
        key.verify(base64.b64decode(str(receipt.get("signature")), validate=True), canonical(said).encode())
    except (InvalidSignature, ValueError):
        return False
    return True


def main(arguments: Sequence[str] | None = None) -> int:
    """The command: prints one line and returns 0 genuine, 2 cannot check, 3 forged or changed."""
    parser = argparse.ArgumentParser(
        prog="python -m conversations.erasing", description="Check a receipt of an erasure."
    )
    check = parser.add_subparsers(dest="command", required=True).add_parser(
        "verify", help="check a receipt's signature"
    )
    check.add_argument("file", type=Path, help="the receipt, as the console gave it out")
    check.add_argument(
        "--public-key", type=Path, required=True, help="PEM of the desk's Ed25519 key (audit/public_key.pem)"
    )
    given = parser.parse_args(arguments)
    try:
        receipt = json.loads(given.file.read_text(encoding="utf-8"))
        key = serialization.load_pem_public_key(given.public_key.read_bytes())
    except (OSError, ValueError) as error:
        print(f"cannot check: {error}; give the receipt's file and the desk's public key", file=sys.stderr)
        return 2
    if not isinstance(key, Ed25519PublicKey) or not isinstance(receipt, dict):
        print("cannot check: this is no Ed25519 key, or no receipt", file=sys.stderr)
        return 2
    if not check_receipt(receipt, key):
        print("forged or changed: the signature does not fit what the receipt says")
        return 3
    erased = receipt.get("erased", {})
    print(f"genuine: erased {receipt.get('done_at')}: " + ", ".join(f"{erased[name]} {name}" for name in erased))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
