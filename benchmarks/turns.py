"""``make bench``: how long a turn takes and how many turns a second are answered, stock Rasa and desk side by side.

Both run at the same time on this machine and are measured in turn, stock-desk-desk-stock, so that other load meets both alike.
"""

from __future__ import annotations

import argparse
import asyncio
import itertools
import json
import signal
import sys
import tempfile
import time
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, NoReturn

import httpx

from benchmarks.turns_figures import CONCURRENT, Samples, Window, compare, costs, costs_table, overhead, table
from benchmarks.turns_models import desk_model, stock_model
from benchmarks.turns_service import measure_service
from benchmarks.turns_sides import Side, Step, desk, spaced, stock

TURN_SECONDS = 60  #: a turn that takes longer is an error
LATENCY_SECONDS = 60  #: the single client of one round stops then even when its turns are not done
WARM_UP_TURNS = 12
ROUNDS = 2
#: Errors of one side after which its load stops early.
TOO_MANY_ERRORS = 5


def _questions(*texts: str) -> tuple[Step, ...]:
    return tuple(Step("knowledge", text, "ask_knowledge") for text in texts)


def _small_talk(*turns: tuple[str, str]) -> tuple[Step, ...]:
    return tuple(Step("smalltalk", text, intent) for intent, text in turns)


def _order(question: str, number: str, digits: str) -> tuple[Step, ...]:
    return (
        Step("task", question, "order_status", r"(?i)order number"),
        Step("task", number, "inform", r"(?i)last (4|four) digits"),
        Step("task", digits, "inform", number),
    )


_QUESTIONS = (
    _questions(
        "how long do I have to return something",
        "how much does delivery cost",
        "can opened earbuds be returned",
    ),
    _questions(
        "how many days does delivery to Hong Kong take",
        "how long do refunds usually take to show up on a credit card",
        "how much does delivery to Hong Kong cost",
    ),
)
#: Kinds in which no text is said twice, so that nothing that remembers questions helps.
NEVER_REPEATED = {"knowledge"}
#: Conversations of three turns each, so that trackers of both sides stay equally short; orders are the demo shop's.
CONVERSATIONS: dict[str, tuple[tuple[Step, ...], ...]] = {
    "knowledge": _QUESTIONS,
    "knowledge_repeated": _QUESTIONS,
    "task": (
        _order("where is my order?", "KT20260003", "0123"),
        _order("has my parcel left the warehouse yet", "KT20260001", "2468"),
        _order("any news on my delivery", "KT20260004", "0123"),
    ),
    "smalltalk": (
        _small_talk(("greet", "hello"), ("joke", "tell me a joke"), ("how_are_you", "how are you")),
        _small_talk(("greet", "good morning"), ("are_you_a_bot", "are you a bot"), ("joke", "do you know any jokes")),
    ),
}


@dataclass(frozen=True, slots=True)
class Wrong:
    """An answer that does not count."""

    why: str


@dataclass(slots=True)
class Load:
    """Puts questions of one kind to one side, in a closed loop: a client asks when its last question was answered."""

    side: Side
    kind: str
    client: httpx.AsyncClient
    problems: list[str] = field(default_factory=list)
    asked: Iterator[int] = field(default_factory=itertools.count)

    async def one_client(self, turns: int) -> list[float]:
        """The time of each turn in ms, asked one after the other."""
        latencies: list[float] = []
        deadline = time.perf_counter() + LATENCY_SECONDS
        await self._converse(0, lambda: len(latencies) < turns and time.perf_counter() < deadline, latencies)
        return latencies

    async def many_clients(self, clients: int, seconds: float) -> Window:
        """How much is answered when so many contacts talk at once; turns begun in time are waited for."""
        latencies: list[float] = []
        started = time.perf_counter()
        deadline = started + seconds
        await asyncio.gather(
            *(self._converse(n, lambda: time.perf_counter() < deadline, latencies) for n in range(clients))
        )
        return Window(len(latencies), time.perf_counter() - started)

    async def _converse(self, first: int, more: Callable[[], bool], latencies: list[float]) -> None:
        for conversation in self._conversations(first):
            conversation_id = uuid.uuid4().hex
            for step in conversation:
                if not more() or len(self.problems) >= TOO_MANY_ERRORS:
                    return
                if self.kind in NEVER_REPEATED:
                    step = replace(step, text=spaced(step.text, next(self.asked)))
                started = time.perf_counter()
                answer = await self.ask(conversation_id, step)
                if isinstance(answer, Wrong):
                    self.problems.append(f"{self.side.name}, {self.kind}, “{step.text}”: {answer.why}")
                    break
                latencies.append((time.perf_counter() - started) * 1000)

    def _conversations(self, first: int) -> Iterator[tuple[Step, ...]]:
        # Clients begin at different places, so that they do not ask the same at the same time.
        known = CONVERSATIONS[self.kind]
        return itertools.islice(itertools.cycle(known), first % len(known), None)

    async def ask(self, conversation_id: str, step: Step) -> Any:
        """The answer to one question, or why there is none."""
        try:
            answer = await self.client.post(
                self.side.url, json=self.side.question(conversation_id, step), headers=self.side.headers
            )
        except httpx.HTTPError as error:
            return Wrong(f"{type(error).__name__} {error}")
        if answer.status_code != 200:
            return Wrong(f"HTTP {answer.status_code} {answer.text[:200]}")
        body = answer.json()
        problem = self.side.problem(step, body)
        return body if problem is None else Wrong(problem)


async def said_by(side: Side) -> dict[str, str]:
    """What a side says to every question, by the question, and of every order, by its number."""
    said: dict[str, str] = {}
    async with httpx.AsyncClient(timeout=TURN_SECONDS, trust_env=False) as client:
        load = Load(side, "knowledge", client)
        for conversation in (*CONVERSATIONS["knowledge"], *CONVERSATIONS["task"]):
            conversation_id = uuid.uuid4().hex
            for step in conversation:
                answer = await load.ask(conversation_id, step)
                if isinstance(answer, Wrong):
                    stop_on([f"“{step.text}”: {answer.why}"])
                number = step.expects if step is conversation[-1] and step.kind == "task" else step.text
                said[number] = side.text_of(answer)
    return said


async def measure(sides: tuple[Side, Side], turns: int, seconds: float) -> dict[str, dict[str, Samples]]:
    """Samples by kind of turn and side; ends the program when a single answer was missing or wrong."""
    samples = {kind: {side.name: Samples() for side in sides} for kind in CONVERSATIONS}
    limits = httpx.Limits(max_connections=max(CONCURRENT), max_keepalive_connections=max(CONCURRENT))
    async with httpx.AsyncClient(timeout=TURN_SECONDS, limits=limits, trust_env=False) as client:
        loads = {kind: [Load(side, kind, client) for side in sides] for kind in CONVERSATIONS}
        every = list(itertools.chain.from_iterable(loads.values()))
        for load in every:
            await load.one_client(WARM_UP_TURNS)
        stop_on([problem for load in every for problem in load.problems])
        for round_number in range(ROUNDS):
            for kind, pair in loads.items():
                order = pair if round_number % 2 == 0 else pair[::-1]
                for load in order:
                    mine = samples[kind][load.side.name]
                    mine.latencies_ms += await load.one_client(-(-turns // ROUNDS))
                    stop_on(load.problems)
                for clients, load in itertools.product(CONCURRENT, order):
                    window = await load.many_clients(clients, seconds / ROUNDS)
                    stop_on(load.problems)
                    samples[kind][load.side.name].windows[clients].append(window)
                print(f"Round {round_number + 1} of {ROUNDS}: {kind} measured.", flush=True)
    return samples


def stop_on(problems: list[str]) -> None:
    """A figure with wrong answers in it says nothing, so the first ones end the run."""
    if problems:
        shown = "\n".join(f"  {problem}" for problem in list(dict.fromkeys(problems))[:10])
        raise SystemExit(f"{len(problems)} turns were not answered rightly, so nothing is reported:\n{shown}")


def main() -> None:
    """Read the command line, start both sides, measure them and print the report."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.turns", description="turns of a stock Rasa and of the desk"
    )
    parser.add_argument("--turns", type=int, default=240, help="turns of the single client per kind and side")
    parser.add_argument("--seconds", type=float, default=10, help="time of each throughput figure")
    arguments = parser.parse_args()
    if arguments.turns < 1 or arguments.seconds <= 0:
        parser.error("--turns and --seconds must be above 0")
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, _ended)
    theirs_trained, ours_trained = stock_model(), desk_model()
    with tempfile.TemporaryDirectory(prefix="frontdesk-bench-") as name:
        folder = Path(name)
        print("Starting the desk …", flush=True)
        with desk(ours_trained.model, folder / "desk") as ours:
            answers = asyncio.run(said_by(ours))
            print("Starting the stock bot …", flush=True)
            with stock(theirs_trained.model, folder / "stock", answers) as theirs:
                samples = asyncio.run(measure((theirs, ours), arguments.turns, arguments.seconds))
                memory = {side.name: side.cost.rss_mb() for side in (theirs, ours)}
                start = {side.name: side.cost.start_s for side in (theirs, ours)}
                questions = [step.text for talk in CONVERSATIONS["knowledge"] for step in talk]
                through_service = asyncio.run(measure_service(ours, questions, arguments.turns, arguments.seconds))
                print("Stopping both …", flush=True)
    report = {kind: compare(sides["stock"], sides["desk"]) for kind, sides in samples.items()}
    print(f"\n{table(report)}\n")
    report["service_overhead"] = overhead(through_service)
    report |= costs({"stock": theirs_trained, "desk": ours_trained}, start, memory)
    print(f"{costs_table(report)}\n")
    print(json.dumps(report))


def _ended(*_: object) -> NoReturn:
    # Leaves through the context managers, which end every process; a second signal must not stop them at it.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)
    sys.exit("The benchmark was ended; nothing is reported.")


if __name__ == "__main__":
    main()
