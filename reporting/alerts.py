"""Alerts of one desk: looks every few minutes for what rises, in one process, and keeps what was found."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import structlog

from conversations.audit import AuditEntry, AuditLog
from conversations.model import Agent, new_id, utc_now
from conversations.store import Database
from conversations.work_leases import WorkLeases
from reporting.alert_forms import form_of, post_form, posted_body, told
from reporting.alert_rules import AlertRules
from reporting.alert_store import AlertStore, Row
from reporting.anomalies import (
    EXPECTED_FOR,
    SHARES,
    Judged,
    Series,
    Standing,
    State,
    contributions,
    judge,
    step,
)
from reporting.posting import Posting
from reporting.signal_store import SignalStore, Thing, Window

WEEKS, DAYS = 8, 14
_FEW_WEEKS = 3  #: with fewer, the same hours of the days before are compared
log = structlog.get_logger()
Tell = Callable[[dict[str, Any]], Awaitable[None]]


class AlertError(Exception):
    """What cannot be done with an alert or its rules; ``code`` names why."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


@dataclass(frozen=True, slots=True)
class _Look:
    """One thing in one window, and that window beside the earlier ones."""

    judged: Judged
    windows: list[Window]
    since: datetime
    until: datetime

    @property
    def figures(self) -> dict[str, Any]:
        """In their JSON form."""
        now = self.judged.series.now
        return {
            "span": self.judged.series.window,
            "since": self.since.isoformat(),
            "until": self.until.isoformat(),
            "part": now.part,
            "whole": now.whole if self.judged.series.kind in SHARES else 0,
            "usual": round(self.judged.usual, 2),
            "windows": len(self.windows) - 1,
        }


class Alerts:
    """Start it once per service process: the one that holds the lease looks, the others wait."""

    def __init__(
        self,
        database: Database,
        audit: AuditLog,
        leases: WorkLeases,
        zone: ZoneInfo,
        posting: Posting,
        tell: Tell,
        *,
        public_url: str = "",
        every_seconds: float = 300.0,
        now: Callable[[], datetime] = utc_now,
    ) -> None:
        """``tell`` hears every alert that opens, closes or is acknowledged."""
        self._database = database
        self._audit = audit
        self._leases = leases
        self._zone = zone
        self.posting = posting
        self._tell = tell
        self._public_url = public_url.rstrip("/")
        self._every_seconds = every_seconds
        self._now = now
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Begin to look."""
        self._task = asyncio.create_task(self._leases.keep_at("alerts", self._go_on, 10.0), name="alerts")

    async def close(self) -> None:
        """Stop; what is in line to be posted is posted later."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        await self.posting.sender.close()

    async def _go_on(self) -> None:
        looked: datetime | None = None
        while True:
            if looked is None or (self._now() - looked).total_seconds() >= self._every_seconds:
                looked = self._now()
                await self.look()
            await self.posting.go_on()
            await asyncio.sleep(min(15.0, self._every_seconds))

    # -- what supervisors do

    async def rules(self) -> AlertRules:
        """What was chosen last."""
        async with self._database.read() as connection:
            row = await AlertStore(connection).rules()
        return AlertRules() if row is None else AlertRules.of(row["rules"], row["revision"])

    async def save_rules(self, rules: AlertRules, by: Agent) -> AlertRules:
        """Save over the revision that was looked at; raises ``AlertError``."""
        if rules.webhook:
            try:
                self.posting.sender.check(rules.webhook)
            except ValueError as error:
                raise AlertError("bad_webhook", f"Check the address of the webhook: {error}.") from None
        now = self._now()
        async with self._database.write() as connection:
            if not await AlertStore(connection).save_rules(rules.revision, rules.form(), by.name, now):
                raise AlertError("changed", "A colleague saved these rules meanwhile. Load them again.")
            data = {"revision": rules.revision + 1, "kinds": rules.form()["kinds"], "posted": bool(rules.webhook)}
            entry = AuditEntry("alert_rules_saved", f"agent:{by.id}", data=data)
            await self._audit.append(connection, now, [entry])
        return AlertRules.of(rules.form(), rules.revision + 1)

    async def listed(self, state: str | None) -> list[dict[str, Any]]:
        """Alerts as the console shows them, the latest first."""
        async with self._database.read() as connection:
            return [form_of(row, self._zone) for row in await AlertStore(connection).listed(state)]

    async def counts(self) -> dict[str, int]:
        """How many there are in each state."""
        async with self._database.read() as connection:
            return await AlertStore(connection).counts()

    async def posts(self) -> list[dict[str, Any]]:
        """What was posted last, without its body."""
        async with self._database.read() as connection:
            return [post_form(row) for row in await AlertStore(connection).last_posts("alert")]

    async def acknowledge(self, alert_id: str, by: Agent, note: str, *, expected: bool) -> dict[str, Any]:
        """Somebody looks after it; what was expected is closed, and does not come again for a day."""
        now = self._now()
        state = State.CLOSED if expected else State.ACKNOWLEDGED
        values = {"state": state.value, "expected": expected, "note": note, "acknowledged_at": now}
        values |= {"by_id": by.id, "by_name": by.name, "updated_at": now}
        if expected:
            values |= {"closed_at": now}
        async with self._database.write() as connection:
            store = AlertStore(connection)
            if await store.find(alert_id) is None:
                raise AlertError("not_found", "There is no such alert.")
            if not await store.change(alert_id, values, unless=State.CLOSED):
                raise AlertError("closed", "This alert is closed already. Load the list again.")
            kind = "alert_expected" if expected else "alert_acknowledged"
            await self._audit.append(connection, now, [AuditEntry(kind, f"agent:{by.id}", data={"alert_id": alert_id})])
            row = await store.find(alert_id)
        assert row is not None
        form = form_of(row, self._zone)
        await self._tell({"type": "alert", "change": state.value, "alert": told(form), "quiet": False})
        return form

    async def sign_in_failed(self) -> None:
        """Count a sign-in that was refused; that it cannot be counted keeps nobody from being refused."""
        try:
            async with self._database.write() as connection:
                await SignalStore(connection).sign_in_failed(self._now())
        except Exception as error:
            log.warning("failed_sign_in_not_counted", error=repr(error))

    # -- looking

    async def look(self) -> list[dict[str, Any]]:
        """Compare now with what is usual, and keep what rises; returns the alerts that opened or closed."""
        async with self._leases.turn("alerts look"):  # two at once would open the same alert twice
            return await self._look()

    async def _look(self) -> list[dict[str, Any]]:
        rules, now = await self.rules(), self._now()
        async with self._database.read() as connection:
            current: dict[tuple[str, str], Row] = {
                (row["kind"], row["key"]): row for row in await AlertStore(connection).current(now - EXPECTED_FOR)
            }
        looked: dict[tuple[str, str], list[_Look]] = {}
        for span, since in self._spans(now):
            windows = await self._windows(since, now)
            things = {thing for window in windows for thing in window.tallies}
            series = [
                Series(kind, key, span, windows[0].tally((kind, key)), [one.tally((kind, key)) for one in windows[1:]])
                for kind, key in sorted(things)
            ]
            for one in judge(series, rules.bars()):
                name = (one.series.kind.value, one.series.key)
                looked.setdefault(name, []).append(_Look(one, windows, since, now))
        changed: list[tuple[str, dict[str, Any]]] = []
        # A kind that is off by now, or a thing that did not happen at all, was not looked at.
        for name in looked | current:
            changed += await self._keep(current.get(name), looked.get(name, []), now, rules)
        async with self._database.write() as connection:
            await AlertStore(connection).tidy(now)
        quiet = rules.quiet(now.astimezone(self._zone))
        for change, form in changed:
            await self._tell({"type": "alert", "change": change, "alert": told(form), "quiet": quiet})
        return [form for _, form in changed]

    def _spans(self, now: datetime) -> list[tuple[str, datetime]]:
        midnight = now.astimezone(self._zone).replace(hour=0, minute=0, second=0, microsecond=0)
        return [("hour", now - timedelta(hours=1)), ("day", midnight.astimezone(now.tzinfo))]

    async def _windows(self, since: datetime, until: datetime) -> list[Window]:
        """The window itself, and the same hours of earlier weeks, or days where there are few weeks."""
        async with self._database.read() as connection:
            store = SignalStore(connection)
            first = await store.first_at() or until
            weeks = [days for days in range(7, 7 * WEEKS + 1, 7) if self._back(since, days) >= first]
            daily = [days for days in range(1, DAYS + 1) if self._back(since, days) >= first]
            back = weeks if len(weeks) >= _FEW_WEEKS else daily
            found = [await store.window(since, until)]
            for days in back:
                found.append(await store.window(self._back(since, days), self._back(until, days)))
        return found

    def _back(self, at: datetime, days: int) -> datetime:
        """The same time of the desk's clock, so many days before."""
        return (at.astimezone(self._zone) - timedelta(days=days)).astimezone(at.tzinfo)

    async def _keep(
        self, row: Row | None, looks: list[_Look], now: datetime, rules: AlertRules
    ) -> list[tuple[str, dict[str, Any]]]:
        """The one alert of a thing after a look at all its windows."""
        before = _standing(row)
        after = step(before, [one.judged for one in looks], now)
        live = row is not None and row["state"] != State.CLOSED.value
        if after is None or (after.state is State.CLOSED and not live):
            return []
        high = [one for one in looks if after.calm_since is None and one.judged.series.window in after.windows]
        values = await self._values(high, now) if high else {"updated_at": now}
        if live and row is not None:
            return await self._change(row, values | {"calm_since": after.calm_since}, after, now)
        series, alert_id = high[0].judged.series, new_id()
        values |= {"id": alert_id, "kind": series.kind.value, "key": series.key, "note": "", "expected": False}
        values |= {"state": State.OPEN.value, "since": high[0].since, "opened_at": now}
        form = form_of(values, self._zone)
        async with self._database.write() as connection:
            store = AlertStore(connection)
            await store.add(values)
            if rules.webhook and not rules.quiet(now.astimezone(self._zone)):
                body = posted_body("alert.opened", form, self._public_url)
                await store.post(f"alert_{alert_id}_open", "alert", alert_id, rules.webhook, body, now)
        return [("opened", form)]

    async def _change(
        self, row: Row, values: dict[str, Any], after: Standing, now: datetime
    ) -> list[tuple[str, dict[str, Any]]]:
        closes = after.state is State.CLOSED
        if closes:
            values = values | {"state": State.CLOSED.value, "closed_at": now}
        async with self._database.write() as connection:
            store = AlertStore(connection)
            if not await store.change(row["id"], values, unless=State.CLOSED):
                return []
            changed = await store.find(row["id"])
            assert changed is not None
            form = form_of(changed, self._zone)
            posted = [one for one in await store.last_posts("alert", 100) if one["about_id"] == row["id"]]
            if closes and posted:  # whoever heard that it began hears that it is over
                body = posted_body("alert.closed", form, self._public_url)
                await store.post(f"alert_{row['id']}_closed", "alert", row["id"], posted[0]["url"], body, now)
        return [("closed", form)] if closes else []

    async def _values(self, high: list[_Look], now: datetime) -> dict[str, Any]:
        """The figures of each window in which it stands out; what is told first is of the shortest."""
        first = high[0]
        thing: Thing = (first.judged.series.kind, first.judged.series.key)
        parts = [window.parts.get(thing, Counter()) for window in first.windows]
        async with self._database.read() as connection:
            examples = await SignalStore(connection).examples(thing, first.since, now)
        return {name: first.figures[name] for name in ("span", "part", "whole", "usual", "windows")} | {
            "chance": first.judged.chance,
            "stands_out": [one.figures for one in high],
            "contributions": [asdict(one) for one in contributions(parts[0], parts[1:])],
            "examples": examples,
            "updated_at": now,
        }


def _standing(row: Row | None) -> Standing | None:
    if row is None:
        return None
    windows = tuple(one["span"] for one in row["stands_out"])
    return Standing(State(row["state"]), row["calm_since"], row["closed_at"], bool(row["expected"]), windows)
