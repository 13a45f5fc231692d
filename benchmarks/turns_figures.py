"""The figures of the turn benchmark: how single measurements become percentiles, rates and ratios, and how they are shown."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from benchmarks.turns_models import Trained
    from benchmarks.turns_service import ServiceSamples

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
    lines = [f"{'turn':<19}{'side':<7}" + "".join(f"{head:>21}" for head in heads)]
    for kind, figures in report.items():
        for side in ("stock", "desk"):
            lines.append(f"{kind:<19}{side:<7}" + "".join(f"{figures[side][name]:>21.1f}" for name in names))
        lines.append(
            f"{'':<19}desk is {figures['latency_ratio']:.2f} × as quick for one client"
            f" and answers {figures['throughput_ratio']:.2f} × as many turns for {CONCURRENT[0]}"
        )
    return "\n".join(lines)


def overhead(samples: ServiceSamples) -> dict[str, float]:
    """What the service adds to the bot in ms (``p50``, ``p95``), and the whole path through the service."""
    figures = {
        "p50": percentile(samples.overhead_ms, 50),
        "p95": percentile(samples.overhead_ms, 95),
        "whole_p50": percentile(samples.whole_ms, 50),
        "whole_p95": percentile(samples.whole_ms, 95),
    }
    figures |= {f"whole_rps_{clients}": turns_per_second([window]) for clients, window in samples.windows.items()}
    return {name: round(value, 2) for name, value in figures.items()}


def costs(
    trained: Mapping[str, Trained], start_s: Mapping[str, float], rss_mb: Mapping[str, float]
) -> dict[str, dict[str, float]]:
    """What each side takes besides turns: training (and how many examples), start-up, memory after the load."""
    return {
        "train_s": {name: round(one.train_s, 1) for name, one in trained.items()},
        "train_examples": {name: one.examples for name, one in trained.items()},
        "start_s": {name: round(value, 1) for name, value in start_s.items()},
        "rss_mb": {name: round(value) for name, value in rss_mb.items()},
    }


def costs_table(report: Mapping[str, Mapping[str, Any]]) -> str:
    """The rest of the report for people."""
    ours = report["service_overhead"]
    names = {
        "train_s": "training, s",
        "train_examples": "  on so many examples",
        "start_s": "start until ready, s",
        "rss_mb": "memory of all processes, MB",
    }
    lines = [f"{'':<29}{'stock':>10}{'desk':>10}"]
    lines += [f"{title:<29}{report[key]['stock']:>10}{report[key]['desk']:>10}" for key, title in names.items()]
    lines.append(
        f"The service adds {ours['p50']:.1f} ms to the bot's time (p95 {ours['p95']:.1f} ms), commits to disk included;"
        f" the whole path takes {ours['whole_p50']:.1f} ms (p95 {ours['whole_p95']:.1f} ms)"
        f" and carries {ours['whole_rps_8']:.1f} turns/s of 8 clients, {ours['whole_rps_32']:.1f} of 32."
    )
    return "\n".join(lines)
