"""What the bot counts, and ``/metrics`` in Prometheus's text form: by ids of the model and names of the rules, never by words.

The island has no Prometheus library; the form is a few lines, and counting happens in one thread.
"""

from __future__ import annotations

import hmac
import resource
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from sanic import Blueprint
from sanic.request import Request
from sanic.response import HTTPResponse
from sanic.response import json as json_response

from bot.settings import LOOPBACK

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
MOST_SERIES = 200  #: of one metric; what is new beyond is counted as ``other``
_FORWARDED = ("forwarded", "x-forwarded-for", "x-forwarded-host", "x-real-ip", "via")
Labels = tuple[str, ...]


class Counter:
    """Something that only grows."""

    kind = "counter"

    def __init__(self, name: str, text: str, labels: Sequence[str] = ()) -> None:
        self.name, self.text, self.labels = name, text, tuple(labels)
        self._values: dict[Labels, float] = {} if labels else {(): 0.0}

    def add(self, *values: str, amount: float = 1.0) -> None:
        """Count one more of what the labels say."""
        key = _bounded(self._values, tuple(values))
        self._values[key] = self._values.get(key, 0.0) + amount

    def lines(self) -> Iterator[str]:
        """Its samples."""
        for key, value in sorted(self._values.items()):
            yield f"{self.name}{_written(self.labels, key)} {value:g}"


class Histogram:
    """How long something takes."""

    kind = "histogram"

    def __init__(self, name: str, text: str, labels: Sequence[str] = ()) -> None:
        self.name, self.text, self.labels = name, text, tuple(labels)
        self._counts: dict[Labels, list[int]] = {} if labels else {(): [0] * (len(SECONDS) + 1)}
        self._sums: dict[Labels, float] = {}

    def observe(self, seconds: float, *values: str) -> None:
        """Note one."""
        key = _bounded(self._counts, tuple(values))
        counts = self._counts.setdefault(key, [0] * (len(SECONDS) + 1))
        counts[next((place for place, most in enumerate(SECONDS) if seconds <= most), len(SECONDS))] += 1
        self._sums[key] = self._sums.get(key, 0.0) + seconds

    def lines(self) -> Iterator[str]:
        """Its samples."""
        for key, counts in sorted(self._counts.items()):
            reached = 0
            for most, count in zip((*map(str, SECONDS), "+Inf"), counts):
                reached += count
                yield f"{self.name}_bucket{_written((*self.labels, 'le'), (*key, most))} {reached}"
            yield f"{self.name}_sum{_written(self.labels, key)} {self._sums.get(key, 0.0):.6f}"
            yield f"{self.name}_count{_written(self.labels, key)} {reached}"


class Metrics:
    """Everything that one bot process counts."""

    def __init__(self) -> None:
        self.turns = Counter("frontdesk_dialogue_turns_total", "Turns by what became of them", ("outcome",))
        self.routes = Counter("frontdesk_dialogue_routes_total", "Answered turns by route", ("language", "route"))
        self.policies = Counter(
            "frontdesk_dialogue_policies_total", "Answered turns by who chose the step", ("policy",)
        )
        self.understand = Histogram("frontdesk_dialogue_understand_seconds", "Time to understand a message")
        self.turn = Histogram("frontdesk_dialogue_turn_seconds", "Time of a whole turn, actions included")
        self.actions = Counter("frontdesk_dialogue_action_calls_total", "Calls of actions", ("action", "outcome"))
        self.action = Histogram("frontdesk_dialogue_action_seconds", "Time the service took for an action")
        self.errors = Counter("frontdesk_dialogue_errors_total", "Requests that failed or were refused", ("reason",))
        self.loads = Counter("frontdesk_dialogue_model_loads_total", "Versions that were to be loaded", ("outcome",))
        self.loaded = 0  #: versions
        self._began = time.time()

    def answered(self, answer: Mapping[str, Any], *, dry: bool) -> None:
        """A turn that ran."""
        trace = answer.get("trace") or {}
        self.turns.add("tried" if dry else "answered")
        spent = trace.get("timings_ms") or {}
        self.understand.observe(float(spent.get("understand", 0.0)) / 1000)
        self.turn.observe(float(spent.get("total", 0.0)) / 1000)
        if not dry:
            self.routes.add(str(trace.get("language") or "unknown"), str(trace.get("route") or "unknown"))
            self.policies.add(str(trace.get("policy") or "none"))

    def text(self, model_id: str | None, version: str, name: str | None = None) -> str:
        """The page."""
        lines: list[str] = []
        for one in (
            self.turns, self.routes, self.policies, self.understand, self.turn, self.actions, self.action, self.errors,
            self.loads,
        ):  # fmt: skip
            lines += [f"# HELP {one.name} {one.text}", f"# TYPE {one.name} {one.kind}", *one.lines()]
        model = _written(("model_id", "model", "rasa"), (model_id or "none", name or "none", version))
        used = resource.getrusage(resource.RUSAGE_SELF)
        for name, kind, text, value in (
            ("model_info", "gauge", "The model that is served", f"{model} {0 if model_id is None else 1}"),
            ("models_loaded", "gauge", "Versions of the model in memory", f" {self.loaded}"),
            ("resident_memory_bytes", "gauge", "Memory the process holds", f" {_memory()}"),
            (
                "cpu_seconds_total",
                "counter",
                "Processor time the process used",
                f" {used.ru_utime + used.ru_stime:.2f}",
            ),
            ("start_time_seconds", "gauge", "When the process began", f" {self._began:.0f}"),
        ):
            full = f"frontdesk_dialogue_{name}"
            lines += [f"# HELP {full} {text}", f"# TYPE {full} {kind}", f"{full}{value}"]
        return "\n".join(lines) + "\n"


#: Of this process.
METRICS = Metrics()


def metrics_page(token: str | None, host: str, version: str) -> Blueprint:
    """``/metrics``, with the token where one is set; without one for this machine, as long as only it reaches the bot."""
    blueprint = Blueprint("bot_metrics")

    @blueprint.get("/metrics")
    async def metrics(request: Request) -> HTTPResponse:
        if token is not None:
            given = request.headers.get("authorization", "").encode("utf-8", "surrogateescape")
            if not hmac.compare_digest(given, f"Bearer {token}".encode()):
                return _refused(401, "unauthorized", "Send the value of METRICS_TOKEN as bearer token.")
        elif not _from_here(request, host):
            return _refused(403, "metrics_not_open", "Set METRICS_TOKEN to read the metrics from another machine.")
        dialogue = request.app.ctx.versions.serving
        page = METRICS.text(dialogue and dialogue.model_id, version, dialogue and dialogue.name)
        return HTTPResponse(page, headers={"cache-control": "no-store"}, content_type=CONTENT_TYPE)

    return blueprint


def _from_here(request: Request, host: str) -> bool:
    asked = urlsplit(f"//{request.headers.get('host', '')}").hostname
    direct = not any(name in request.headers for name in _FORWARDED)
    return host in LOOPBACK and direct and request.ip in LOOPBACK and asked in LOOPBACK


def _refused(status: int, code: str, message: str) -> HTTPResponse:
    return json_response({"error": {"code": code, "message": message}}, status=status)


def _bounded(known: Mapping[Labels, Any], key: Labels) -> Labels:
    return key if key in known or len(known) < MOST_SERIES else ("other",) * len(key)


def _written(names: Sequence[str], values: Sequence[str]) -> str:
    if not names:
        return ""
    pairs = zip(names, (value.replace("\\", r"\\").replace('"', r"\"").replace("\n", r"\n") for value in values))
    return "{" + ",".join(f'{name}="{value}"' for name, value in pairs) + "}"


def _memory() -> int:
    try:
        return int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize()
    except (OSError, ValueError, IndexError):
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
