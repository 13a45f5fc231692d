"""Reads and writes who was proved where, what was parted, and which signatures were used, inside one transaction."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import and_, delete, or_, select, tuple_, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection

from conversations.conversation_store import at_address
from conversations.model import Address
from conversations.proof_tables import link_refusals, proofs, used_signatures
from conversations.tables import addresses

_PARTS = (addresses.c.channel, addresses.c.account, addresses.c.contact)


@dataclass(frozen=True, slots=True)
class ProvedPlace:
    """An address at which somebody was proved to be a customer, in a way that links it to others of theirs."""

    address: Address
    customer_id: str


class ProofStore:
    """Proofs that link, pairs of addresses that stay parted, and signatures of sites."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection
        self._insert: Any = sqlite.insert if connection.dialect.name == "sqlite" else postgresql.insert

    async def note(self, address: Address, customer_id: str, by: str, now: datetime) -> bool:
        """Keep a proof, due to be looked at; False where the same one was known."""
        here = at_address(proofs, address)
        known = (await self._connection.execute(select(proofs.c.customer_id).where(here))).scalar()
        if known == customer_id:
            return False
        values = {"customer_id": customer_id, "proved_by": by, "proved_at": now, "link_due_at": now}
        row = asdict(address) | values
        statement = self._insert(proofs).values(row)
        key = [proofs.c.channel, proofs.c.account, proofs.c.contact]
        await self._connection.execute(statement.on_conflict_do_update(index_elements=key, set_=values))
        return True

    async def knows(self, address: Address) -> bool:
        """Whether anybody was proved at an address."""
        here = select(proofs.c.customer_id).where(at_address(proofs, address))
        return (await self._connection.execute(here)).first() is not None

    async def due(self, now: datetime, limit: int) -> list[ProvedPlace]:
        """Proofs whose other places have not been looked for yet, the oldest first."""
        query = select(proofs).where(proofs.c.link_due_at <= now).order_by(proofs.c.link_due_at).limit(limit)
        return [_place(row) for row in await self._connection.execute(query)]

    async def set_due(self, address: Address, at: datetime | None) -> None:
        """Look for other places of a proof at a moment, or not any more."""
        here = at_address(proofs, address)
        await self._connection.execute(update(proofs).where(here).values(link_due_at=at))

    async def others(self, place: ProvedPlace) -> list[Address]:
        """Where else the same customer was proved, the latest first."""
        same = and_(*(addresses.c[name] == proofs.c[name] for name in ("channel", "account", "contact")))
        rows = await self._connection.execute(
            select(proofs)
            .join(addresses, same)
            .where(proofs.c.customer_id == place.customer_id, addresses.c.retired_at.is_(None))
            .where(~at_address(addresses, place.address))
            .order_by(proofs.c.proved_at.desc())
            .limit(20)
        )
        return [_place(row).address for row in rows]

    async def refuse(self, left: Collection[Address], stayed: Collection[Address], now: datetime) -> None:
        """Remember that addresses were parted, so that no proof links them again."""
        for one in left:
            for other in stayed:
                pair = sorted((str(one), str(other)))
                row = {"one": pair[0], "other": pair[1], "at": now}
                await self._connection.execute(self._insert(link_refusals).values(row).on_conflict_do_nothing())

    async def refused(self, contact_id: str, other_id: str) -> bool:
        """Whether any addresses of two contacts were parted before."""
        own, theirs = [await self._addresses_of(one) for one in (contact_id, other_id)]
        pair = or_(
            and_(link_refusals.c.one.in_(own), link_refusals.c.other.in_(theirs)),
            and_(link_refusals.c.one.in_(theirs), link_refusals.c.other.in_(own)),
        )
        return (await self._connection.execute(select(link_refusals.c.at).where(pair).limit(1))).first() is not None

    async def retire(self, address: Address, now: datetime) -> None:
        """Nobody writes from an address any more: its visitor has signed in."""
        await self.set_due(address, None)
        await self._connection.execute(update(addresses).where(at_address(addresses, address)).values(retired_at=now))

    async def bring_back(self, left: Collection[Address]) -> None:
        """Addresses may be written from again."""
        for address in left:
            here = at_address(addresses, address)
            await self._connection.execute(update(addresses).where(here).values(retired_at=None))

    async def find_address(self, address: Address) -> tuple[str, datetime | None] | None:
        """The contact of an address, and since when it is retired, if anybody wrote from it yet."""
        query = select(addresses.c.contact_id, addresses.c.retired_at).where(at_address(addresses, address))
        row = (await self._connection.execute(query)).first()
        return None if row is None else (row.contact_id, row.retired_at)

    async def use_signature(self, signature_hash: str, visitor: str, expires_at: datetime, now: datetime) -> bool:
        """Whether a signature is this visitor's to use: nobody else brought it before."""
        gone = used_signatures.c.expires_at < now - timedelta(hours=1)
        await self._connection.execute(delete(used_signatures).where(gone))
        row = {"signature_hash": signature_hash, "visitor": visitor, "expires_at": expires_at}
        await self._connection.execute(self._insert(used_signatures).values(row).on_conflict_do_nothing())
        query = select(used_signatures.c.visitor).where(used_signatures.c.signature_hash == signature_hash)
        return bool((await self._connection.execute(query)).scalar_one() == visitor)

    async def erase(self, contact_ids: Collection[str]) -> None:
        """Forget what is kept beside the addresses of contacts; call it while the addresses still stand."""
        theirs = select(*_PARTS).where(addresses.c.contact_id.in_(contact_ids))
        names = [name for one in contact_ids for name in await self._addresses_of(one)]
        visitors = select(addresses.c.contact).where(addresses.c.contact_id.in_(contact_ids))
        for statement in (
            delete(proofs).where(tuple_(proofs.c.channel, proofs.c.account, proofs.c.contact).in_(theirs)),
            delete(link_refusals).where(or_(link_refusals.c.one.in_(names), link_refusals.c.other.in_(names))),
            delete(used_signatures).where(used_signatures.c.visitor.in_(visitors)),
        ):
            await self._connection.execute(statement)

    async def _addresses_of(self, contact_id: str) -> list[str]:
        rows = await self._connection.execute(select(*_PARTS).where(addresses.c.contact_id == contact_id))
        return [str(Address(*row)) for row in rows]


def _place(row: Any) -> ProvedPlace:
    return ProvedPlace(Address(row.channel, row.account, row.contact), row.customer_id)
