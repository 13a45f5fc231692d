"""What every injection is given and what it reports."""

from __future__ import annotations

import asyncio
import json
import tempfile
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.faults.desk import Around, around, prepared
from tests.faults.history import Books, Verdict, at_rest, judge


def scratch() -> Path:
    """Where desks are killed: in memory, where there is enough of it, because kill -9 leaves files as they are."""
    memory = Path("/dev/shm")
    return Path(tempfile.mkdtemp(prefix="faults-", dir=memory if memory.is_dir() else None))


@dataclass
class Report:
    """What came of one injection."""

    name: str
    injections: int = 0
    acknowledged: int = 0
    verdicts: list[Verdict] = field(default_factory=list)
    recovery: list[float] = field(default_factory=list)  #: seconds until what waited was finished
    skipped: str = ""

    @property
    def findings(self) -> list[str]:
        """Everything that did not hold."""
        return [one.first() for one in self.verdicts if not one.sound]

    def counts(self) -> dict[str, int]:
        """How much was lost, duplicated and so on."""
        names = ("lost", "duplicated", "out_of_order", "broken")
        return {name: sum(len(getattr(one, name)) for one in self.verdicts) for name in names}

    def line(self) -> str:
        """One line for whoever watches."""
        if self.skipped:
            return f"{self.name}: skipped, {self.skipped}"
        slowest = f", at rest within {max(self.recovery):.1f} s" if self.recovery else ""
        found = "; ".join(self.findings) or "sound"
        return f"{self.name}: {self.injections} injections, {self.acknowledged} acknowledged{slowest}: {found}"


@dataclass
class Ground:
    """Where injections happen, and how much of everything."""

    folder: Path = field(default_factory=scratch)
    quick: bool = False
    messages: int = 100_000  #: acknowledged in the whole run
    _runs: int = 0

    @property
    def template(self) -> Path:
        """A data folder as the first start leaves it."""
        return self.folder / "template"

    async def prepare(self) -> None:
        """Make the template."""
        await asyncio.to_thread(prepared, self.template)

    @asynccontextmanager
    async def desk(self, database: str = "sqlite", **settings: str) -> AsyncIterator[tuple[Around, Books]]:
        """A desk of this injection's own; it is not started."""
        await self.prepare()
        self._runs += 1
        place = self.folder / f"run-{self._runs}"
        async with around(place, self.template, f"c{self._runs}x", database, **settings) as desk:
            yield desk, Books("" if database == "sqlite" else database, desk.data)


async def settle(desk: Around, books: Books, report: Report, *, seconds: float = 60.0) -> Verdict:
    """Bring a desk to rest and judge it."""
    report.recovery.append(await at_rest(books, seconds))
    verdict = await judge(desk, books)
    report.verdicts.append(verdict)
    report.acknowledged = sum(one.acknowledged for one in report.verdicts[-1:])
    return verdict


def figures_of(report: Report) -> dict[str, Any]:
    """What counts of an injection, as JSON keeps it."""
    last = report.verdicts[-1:]
    return {
        "name": report.name,
        "injections": report.injections,
        "acknowledged": report.acknowledged,
        **report.counts(),
        "repeats_flagged": sum(one.repeats for one in last),
        "set_aside": sum(one.set_aside for one in last),
        "recovery_max_s": round(max(report.recovery, default=0.0), 1),
        "skipped": report.skipped,
        "findings": report.findings,
    }


def last_line(figures: Iterable[Mapping[str, Any]]) -> str:
    """The figures of a run as one JSON object."""
    all_of_them = list(figures)
    summed = (
        "injections", "acknowledged", "lost", "duplicated", "out_of_order", "broken", "repeats_flagged", "set_aside",
    )  # fmt: skip
    total: dict[str, Any] = {name: sum(one[name] for one in all_of_them) for name in summed}
    total["recovery_max_s"] = max((one["recovery_max_s"] for one in all_of_them), default=0.0)
    total["skipped"] = [one["name"] for one in all_of_them if one["skipped"]]
    return json.dumps(total)
