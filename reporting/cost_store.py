"""Reads and keeps what a conversation costs the company, inside one transaction."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import delete, insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from reporting.answers import Costs
from reporting.tables import report_costs

_NAMES = ("human_per_conversation", "bot_per_conversation", "currency", "changed_by", "changed_at")


class CostStore:
    """The one row there is."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def find(self) -> Costs:
        """What somebody said, or else what is assumed until somebody does."""
        row = (await self._connection.execute(select(report_costs))).first()
        return Costs() if row is None else Costs(**{name: getattr(row, name) for name in _NAMES})

    async def put(self, costs: Costs, by: str, at: datetime) -> None:
        """Keep them instead of those from before."""
        await self._connection.execute(delete(report_costs))
        values = {name: getattr(costs, name) for name in _NAMES[:3]} | {"changed_by": by, "changed_at": at}
        await self._connection.execute(insert(report_costs).values(id=1, **values))
