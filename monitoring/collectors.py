"""Every metric that is counted while things happen, in four families; labels only take values from short lists.

Those that are looked up when somebody asks are in ``state.py``. ``docs/monitoring/README.md`` explains each.
"""

from __future__ import annotations

from collections.abc import Sequence

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, disable_created_metrics

QUICK = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0)
CALLS = (0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 12.0, 25.0)
PEOPLE = (5.0, 15.0, 30.0, 60.0, 120.0, 300.0, 600.0, 1800.0, 3600.0, 14_400.0, 86_400.0)
SCORES = (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 1.0)
MOST_VALUES = 200  #: of one label, should a short list turn out to be long
OTHER = "other"
disable_created_metrics()  # type: ignore[no-untyped-call]  # twice as many lines that nobody reads


class Collectors:
    """The metrics of one process, in a registry of their own."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self._seen: dict[str, set[str]] = {}

        # system
        self.loop_lag = self._histogram("event_loop_lag_seconds", "How late the event loop woke up", (), QUICK)
        self.commit_seconds = self._histogram("commit_seconds", "Time the database took for a commit", (), QUICK)
        self.commit_writers = self._histogram(
            "commit_writers", "Writers that shared a commit", (), (1, 2, 4, 8, 16, 32)
        )
        self.commit_failures = self._counter("commit_failures", "Commits that failed")
        self.backlog_refusals = self._counter("backlog_refusals", "Requests refused because too much waits")
        self.deliveries = self._counter("deliveries", "Attempts to send by outcome", ("channel", "account", "outcome"))
        self.delivery_seconds = self._histogram(
            "delivery_seconds", "Time a channel took for a message", ("channel",), CALLS
        )
        self.last_sweep = self._gauge("last_sweep_timestamp_seconds", "When the housekeeping last ran")
        self.log_lines = self._counter("log_lines", "Lines logged by level", ("level",))

        # business
        self.messages = self._counter(
            "messages", "Messages by who wrote them", ("channel", "account", "direction", "author")
        )
        self.opened = self._counter("conversations_opened", "Conversations begun", ("channel", "account"))
        self.resolved = self._counter("conversations_resolved", "Conversations finished", ("channel", "by"))
        self.handoffs = self._counter("handoffs", "Conversations given to people", ("channel", "reason"))
        self.queue_wait = self._histogram(
            "queue_wait_seconds", "Time in the queue by how it ended", ("outcome",), PEOPLE
        )
        self.first_response = self._histogram(
            "first_response_seconds",
            "From the first message, or the handoff, to the first answer",
            ("author",),
            (0.1, 0.25, 0.5, 1.0, 2.0, *PEOPLE),
        )
        self.ratings = self._counter("ratings", "Ratings given", ("kind", "score"))

        # AI
        self.turns = self._counter("turns", "Turns of the bot", ("route", "language", "outcome"))
        self.turn_seconds = self._histogram("turn_seconds", "From claim to commit of a turn", ("route",), CALLS)
        self.answers = self._counter("answers", "What the bot did with a message", ("outcome", "language"))
        self.confidence = self._histogram(
            "intent_confidence", "Confidence of the intent that was chosen", ("language",), SCORES
        )
        self.retrieval_score = self._histogram(
            "retrieval_score", "Calibrated score of the best passage", ("language",), SCORES
        )
        self.retrieval_seconds = self._histogram(
            "retrieval_seconds", "Time for a look into the knowledge base, encoding included", ("what",), QUICK
        )
        self.bot_call_seconds = self._histogram("bot_call_seconds", "Time for one call of the bot", ("outcome",), CALLS)
        self.bot_step_seconds = self._histogram(
            "bot_step_seconds", "Time of a turn by step, as the bot measures it", ("step",), QUICK
        )
        self.action_seconds = self._histogram(
            "action_seconds", "Time of an action of the bot", ("action", "outcome"), CALLS
        )
        self.llm_calls = self._counter("llm_calls", "Requests to the language model", ("outcome",))
        self.llm_seconds = self._histogram("llm_seconds", "Time the language model took", (), CALLS)
        self.llm_tokens = self._counter("llm_tokens", "Tokens as the endpoint counts them", ("kind",))
        self.phrasings = self._counter("phrasings", "Answers phrased, or why they were quoted", ("used", "reason"))
        self.sentiments = self._counter("sentiments", "Messages by how they feel", ("label",))
        self.model_info = self._gauge("model_info", "1 for the model that took the last turn", ("model_id",))

        # security
        self.sign_ins = self._counter("sign_ins", "Sign-ins of staff by outcome", ("outcome",))
        self.refused_webhooks = self._counter("refused_webhooks", "Webhooks refused", ("channel", "account", "reason"))
        self.refusals = self._counter("refusals", "Requests refused for who made them", ("group", "reason"))
        self.rate_limited = self._counter("rate_limited", "Requests over a rate limit", ("group",))
        self.responses = self._counter("http_responses", "Answers by group of routes", ("group", "status"))
        self.response_seconds = self._histogram("http_seconds", "Time to an answer", ("group",), CALLS)
        self.blocked_addresses = self._counter(
            "blocked_addresses", "Outgoing requests into private networks that were stopped", ("channel",)
        )
        for level in ("warning", "error", "critical"):
            self.log_lines.labels(level)
        for outcome in ("ok", "wrong", "locked", "busy"):
            self.sign_ins.labels(outcome)

    def bounded(self, label: str, value: object) -> str:
        """The value, or "other" once a label has taken so many that it cannot be a short list."""
        text = "none" if value is None or value == "" else str(value)[:80]
        seen = self._seen.setdefault(label, set())
        if text not in seen:
            if len(seen) >= MOST_VALUES:
                return OTHER
            seen.add(text)
        return text

    def _counter(self, name: str, says: str, labels: Sequence[str] = ()) -> Counter:
        return Counter(f"frontdesk_{name}", says, labels, registry=self.registry)

    def _gauge(self, name: str, says: str, labels: Sequence[str] = ()) -> Gauge:
        return Gauge(f"frontdesk_{name}", says, labels, registry=self.registry)

    def _histogram(self, name: str, says: str, labels: Sequence[str], buckets: Sequence[float]) -> Histogram:
        return Histogram(f"frontdesk_{name}", says, labels, buckets=buckets, registry=self.registry)
