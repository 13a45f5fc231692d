"""The figures of the turn benchmark: how single measurements become percentiles, rates and ratios, and how they are shown."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

CONCURRENT = (8, 32)  #: clients of the two throughput figures; the ratio is taken at the first


@dataclass(slots=True)
class Window:
    """One stretch of closed-loop load: turns answered, and the time from the first question to the last answer."""

    turns: int
    seconds: float


@dataclass(slots=True)
class Samples:
    """Everything measured of one side (stock or desk) for one kind of turn, over all rounds."""

    latencies_ms: list[float] = field(default_factory=list)  #: of the single client
    windows: dict[int, list[Window]] = field(default_factory=lambda: {clients: [] for clients in CONCURRENT})

    def summary(self) -> dict[str, float]:
        """The figures of this side: latency of one client in ms, turns per second of many."""
        figures = {"p50": percentile(self.latencies_ms, 50), "p95": percentile(self.latencies_ms, 95)}
        return figures | {f"rps_{clients}": turns_per_second(windows) for clients, windows in self.windows.items()}


def percentile(values: Sequence[float], percent: float) -> float:
    """The value that ``percent`` of the values do not exceed, interpolated between neighbours."""
    if not values:
        raise ValueError("no turn was measured")
    ordered = sorted(values)
    place = (len(ordered) - 1) * percent / 100
    below = int(place)
    above = min(below + 1, len(ordered) - 1)
    return ordered[below] + (ordered[above] - ordered[below]) * (place - below)


def turns_per_second(windows: Sequence[Window]) -> float:
    """All turns over all time, so that a longer stretch weighs more than a short one."""
    seconds = sum(window.seconds for window in windows)
    if seconds <= 0:
        raise ValueError("no time was measured")
    return sum(window.turns for window in windows) / seconds


def compare(stock: Samples, desk: Samples) -> dict[str, Any]:
    """Both sides of one kind of turn; a ratio above 1 says that the desk is faster."""
    ours, theirs = desk.summary(), stock.summary()
    rate = f"rps_{CONCURRENT[0]}"
    return {
        "stock": {name: round(value, 2) for name, value in theirs.items()},
        "desk": {name: round(value, 2) for name, value in ours.items()},
        "throughput_ratio": round(ours[rate] / theirs[rate], 2),
        "latency_ratio": round(theirs["p50"] / ours["p50"], 2),
    }


def table(report: Mapping[str, Mapping[str, Any]]) -> str:
    """The report for people: one line per kind of turn and side."""
    names = ["p50", "p95", *(f"rps_{clients}" for clients in CONCURRENT)]
    heads = ["p50 ms", "p95 ms", *(f"turns/s, {clients} clients" for clients in CONCURRENT)]
    lines = [f"{'turn':<11}{'side':<7}" + "".join(f"{head:>21}" for head in heads)]
    for kind, figures in report.items():
        for side in ("stock", "desk"):
            lines.append(f"{kind:<11}{side:<7}" + "".join(f"{figures[side][name]:>21.1f}" for name in names))
        lines.append(
            f"{'':<11}desk is {figures['latency_ratio']:.2f} × as quick for one client"
            f" and answers {figures['throughput_ratio']:.2f} × as many turns for {CONCURRENT[0]}"
        )
    return "\n".join(lines)
