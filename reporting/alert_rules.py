"""Which alerts there are, how readily they come, when it is quiet, and where they are posted to."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, time
from typing import Any

from reporting.anomalies import BARS, Bar, Kind, Sensitivity


@dataclass(frozen=True, slots=True)
class Rule:
    """Of one kind."""

    on: bool = True
    sensitivity: Sensitivity = Sensitivity.NORMAL


@dataclass(frozen=True, slots=True)
class AlertRules:
    """What a supervisor chose; without anything saved everything is on and nothing is posted."""

    revision: int = 0
    kinds: Mapping[Kind, Rule] = field(default_factory=lambda: {kind: Rule() for kind in Kind})
    quiet_from: str = ""  #: "22:00", by the desk's time zone; empty: never quiet
    quiet_until: str = ""
    webhook: str = ""

    def bars(self) -> dict[Kind, Bar]:
        """What must be reached, for every kind that is on."""
        return {kind: BARS[rule.sensitivity] for kind, rule in self.kinds.items() if rule.on}

    def quiet(self, local: datetime) -> bool:
        """Whether nobody is to be called at this time of the desk; what happens then is listed and not announced."""
        if not self.quiet_from or not self.quiet_until:
            return False
        begin, end, now = time.fromisoformat(self.quiet_from), time.fromisoformat(self.quiet_until), local.time()
        return begin <= now < end if begin < end else now >= begin or now < end

    def form(self) -> dict[str, Any]:
        """Its JSON form, which ``of`` reads."""
        return {
            "kinds": {kind.value: {"on": rule.on, "sensitivity": rule.sensitivity.value} for kind, rule in self.kinds.items()},
            "quiet_from": self.quiet_from,
            "quiet_until": self.quiet_until,
            "webhook": self.webhook,
        }  # fmt: skip

    @classmethod
    def of(cls, form: Mapping[str, Any], revision: int) -> AlertRules:
        """The rules of a JSON form; a kind that it does not name is on."""
        given = form.get("kinds") or {}
        kinds = {
            kind: Rule(bool(given[kind.value]["on"]), Sensitivity(given[kind.value]["sensitivity"]))
            if kind.value in given
            else Rule()
            for kind in Kind
        }
        return cls(
            revision,
            kinds,
            str(form.get("quiet_from") or ""),
            str(form.get("quiet_until") or ""),
            str(form.get("webhook") or ""),
        )
