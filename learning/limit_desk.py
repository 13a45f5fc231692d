"""What a page about thresholds shows: the log, the curves, the recommendation, and what was applied."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from conversations.chain_follower import Progress
from conversations.model import utc_now
from conversations.store import Database
from learning.limit_book import NAMES, LimitBook
from learning.limit_cases import Band, Case, Done
from learning.limit_check import HeldOutCheck
from learning.limit_curves import Limits
from learning.limit_following import LimitFollower
from learning.limit_store import HeldOut, LimitStore, LimitVersion
from learning.limits import Costs, Outcome, Reckoning, held_out_curve

MOST_CASES = 20_000  #: of a language, the latest
_KEPT = 8  #: reckonings, so that moving a threshold on the page counts nothing anew


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which part of the log is asked, and what its outcomes cost."""

    language: str
    costs: Costs
    days: int = 90  #: 0 is all there is
    latest_model: bool = False  #: only turns of the model that answered last


@dataclass(frozen=True, slots=True)
class _Read:
    cases: Sequence[Case]
    newest: Case | None
    own: Limits | None  #: the thresholds that the model came with
    held_out: HeldOut | None
    progress: Progress


class LimitDesk:
    """The book of thresholds, what was logged about them, and the bot that can be asked."""

    def __init__(
        self,
        database: Database,
        book: LimitBook,
        follower: LimitFollower,
        check: HeldOutCheck,
        gate: Callable[[], float],
        now: Callable[[], datetime] = utc_now,
    ) -> None:
        self._database = database
        self.book = book
        self.follower = follower
        self.check = check
        self._gate = gate  #: the knowledge base's own
        self._now = now
        self._reckoned: dict[tuple[Any, ...], Reckoning] = {}

    async def start(self) -> None:
        """Use what was applied last, and follow the conversations."""
        await self.book.refresh()
        await self.follower.start()

    async def close(self) -> None:
        """Stop what runs in the background."""
        await self.check.stop()
        await self.follower.stop()

    async def report(self, wanted: Wanted) -> dict[str, Any]:
        """Everything about one language at these costs."""
        read = await self._read(wanted)
        reckoning = await self._reckoning(wanted, read)
        return await asyncio.to_thread(self._report, wanted, read, reckoning)

    async def outcome(self, wanted: Wanted, limits: Limits) -> dict[str, Any]:
        """What other thresholds would bring."""
        reckoning = await self._reckoning(wanted, await self._read(wanted))
        return outcome_json(await asyncio.to_thread(reckoning.outcome, limits, wanted.costs))

    async def versions(self) -> list[dict[str, Any]]:
        """What was applied, newest first."""
        return [version_json(one) for one in await self.book.versions()]

    async def _read(self, wanted: Wanted) -> _Read:
        since = self._now() - timedelta(days=wanted.days) if wanted.days else None
        progress = await self.follower.progress()
        async with self._database.read() as connection:
            store = LimitStore(connection)
            newest = await store.newest(wanted.language)
            model = newest.model_id if newest is not None and wanted.latest_model else None
            cases = await store.cases(wanted.language, since, model, MOST_CASES)
            first = None if newest is None else await store.first(wanted.language, newest.model_id)
            return _Read(cases, newest, _own(first), await store.find_check(wanted.language), progress)

    async def _reckoning(self, wanted: Wanted, read: _Read) -> Reckoning:
        # Cases only ever change when the follower moves on, or when a trainer or an eraser changes rows.
        told = sum(case.act_wrong is not None or case.answer_wrong is not None for case in read.cases)
        part = (wanted.language, wanted.days, wanted.latest_model, wanted.costs.silence)
        key = (*part, read.progress.read, len(read.cases), told)
        found = self._reckoned.get(key)
        if found is None:
            found = await asyncio.to_thread(Reckoning, read.cases, wanted.costs.silence, own=read.own)
            self._reckoned[key] = found
            for old in list(self._reckoned)[:-_KEPT]:
                del self._reckoned[old]
        return found

    def _report(self, wanted: Wanted, read: _Read, reckoning: Reckoning) -> dict[str, Any]:
        best, intervals = reckoning.cheapest(wanted.costs)
        in_force, sources = self.in_force(wanted.language, read.newest)
        known = {name: value for name, value in in_force.items() if value is not None}
        complete = replace(best, **known)
        trusting, doubting = (
            Reckoning(read.cases, silence, draws=0, own=read.own).cheapest(wanted.costs)[0] for silence in (1.0, 0.0)
        )
        return {
            "language": wanted.language,
            "version": self.book.applied.version,
            "in_force": {name: {"limit": in_force[name], "source": sources[name]} for name in NAMES},
            "recommended": {name: _rounded(asdict(figure)) for name, figure in intervals.items()},
            "outcomes": {
                "in_force": outcome_json(reckoning.outcome(complete, wanted.costs)),
                "recommended": outcome_json(reckoning.outcome(best, wanted.costs)),
            },
            "silence": {"right": asdict(trusting), "nothing": asdict(doubting)},
            "curves": {name: reckoning.curve(name, complete, wanted.costs) for name in NAMES},
            "calibration": reckoning.calibration(),
            "log": log_json(read.cases),
            "held_out": held_out_json(read.held_out, read.newest),
            "progress": asdict(read.progress),
        }

    def in_force(self, language: str, newest: Case | None) -> tuple[dict[str, float | None], dict[str, str]]:
        """The thresholds of a language and where each comes from; the model's own are read off its last turn."""
        limits, own = self.book[language], self.book.settings[language]
        applied = self.book.applied.limits.get(language, {})
        logged = {} if newest is None else {"answer": newest.answer_limit, "clarify": newest.clarify_limit}
        found: dict[str, float | None] = {}
        sources: dict[str, str] = {}
        for name in NAMES:
            value, setting = getattr(limits, name), getattr(own, name)
            if name == "retrieval" and value is None:
                value = self._gate()
            found[name] = logged.get(name) if value is None else value
            fitted = name == "retrieval" and setting in (None, self._gate())
            unset = "knowledge_base" if name == "retrieval" else "model"
            sources[name] = "applied" if name in applied else unset if setting is None or fitted else "setting"
        return found, sources


def _own(first: Case | None) -> Limits | None:
    if first is None or first.answer_limit is None or first.clarify_limit is None or first.retrieval_limit is None:
        return None
    return Limits(first.answer_limit, first.clarify_limit, first.retrieval_limit)


def log_json(cases: Sequence[Case]) -> dict[str, Any]:
    """What there is to reckon with, and how much of it has an outcome."""
    acted = [case for case in cases if case.band is Band.ACT and case.done is Done.ACTED]
    quoted = [case for case in cases if case.done is Done.ANSWERED]
    asked = [case for case in cases if case.done is Done.CLARIFIED]
    models = Counter(case.model_id for case in cases)
    known = [case for case in cases if case.act_wrong is not None or case.answer_wrong is not None]
    return {
        "messages": len(cases),
        "conversations": len({case.conversation_id for case in cases}),
        "capped": len(cases) == MOST_CASES,
        "first_at": min(case.at for case in cases).isoformat() if cases else None,
        "last_at": max(case.at for case in cases).isoformat() if cases else None,
        "models": [{"model_id": name, "messages": count} for name, count in models.most_common(5)],
        "more_models": max(0, len(models) - 5),
        "acted": _told(acted, "act_wrong"),
        "quoted": _told(quoted, "answer_wrong"),
        "asked": {
            "messages": len(asked),
            "helped": sum(case.helped is True for case in asked),
            "in_vain": sum(case.helped is False for case in asked),
        },
        "missed": sum(case.done is Done.MISSED for case in cases),
        "handed_off": sum(case.done is Done.HANDED_OFF for case in cases),
        "evidence": dict(Counter(case.evidence for case in known if case.evidence)),
    }


def _told(cases: Sequence[Case], name: str) -> dict[str, int]:
    verdicts = Counter(getattr(case, name) for case in cases)
    return {"messages": len(cases), "right": verdicts[False], "wrong": verdicts[True], "silent": verdicts[None]}


def held_out_json(found: HeldOut | None, newest: Case | None) -> dict[str, Any] | None:
    """What labelled lines say, and whether the model that answers now is still the one that was asked."""
    if found is None:
        return None
    return {
        "checked_at": found.at.isoformat(),
        "by_name": found.by_name,
        "model_id": found.model_id,
        "stale": newest is not None and newest.model_id is not None and newest.model_id != found.model_id,
        "lines": len(found.scored),
        "right": sum(right for _, right in found.scored),
        "curve": held_out_curve(found.scored),
    }


def outcome_json(outcome: Outcome) -> dict[str, Any]:
    """An outcome with its intervals."""
    form: dict[str, Any] = asdict(outcome)
    return {name: _rounded(one) if isinstance(one, dict) else round(one, 4) for name, one in form.items()}


def version_json(version: LimitVersion) -> dict[str, Any]:
    """A version as the page lists it."""
    form = asdict(replace(version, basis=None, at=None))
    del form["basis"], form["at"], form["by_id"]
    return form | {
        "applied_at": version.at.isoformat() if version.at else None,
        "limits": {language: dict(limits) for language, limits in version.limits.items()},
        "expected": dict(version.basis) if version.basis else None,
    }


def _rounded(values: dict[str, float]) -> dict[str, float]:
    return {name: round(value, 5) for name, value in values.items()}
