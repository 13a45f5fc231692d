"""The arithmetic of the turn benchmark, and what it accepts as an answer."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.turns import CONVERSATIONS, TOO_MANY_ERRORS, Load, stop_on
from benchmarks.turns_figures import (
    Samples,
    Window,
    compare,
    costs,
    costs_table,
    overhead,
    percentile,
    table,
    turns_per_second,
)
from benchmarks.turns_models import STOCK_EXAMPLES, Trained, english_responses, stock_examples
from benchmarks.turns_service import ServiceSamples
from benchmarks.turns_sides import Cost, DeskSide, Step, StockSide, spaced

QUESTION = Step("knowledge", "how long is the warranty", "ask_knowledge")
JOKE = Step("smalltalk", "tell me a joke", "joke")
DIGITS = Step("task", "0123", "inform", "KT20260003")


def samples(latencies: list[float], *, at_8: Window, at_32: Window) -> Samples:
    return Samples(latencies, {8: [at_8], 32: [at_32]})


def desk_answer(text: str, route: str, citations: tuple[str, ...] = (), handoff: str | None = None) -> dict[str, Any]:
    return {
        "replies": [{"text": text, "buttons": [], "citations": list(citations), "handoff": handoff}],
        "trace": {"route": route},
    }


def desk() -> DeskSide:
    return DeskSide("http://desk/webhooks/turn", {"Authorization": "Bearer secret"})


def test_percentiles_lie_between_neighbours() -> None:
    assert percentile([40, 10, 20, 30], 50) == 25
    assert percentile([10, 20, 30, 40, 50], 95) == 48
    assert percentile([7], 95) == 7


@given(st.lists(st.floats(0.1, 1e4), min_size=1), st.floats(0, 100))
def test_a_percentile_is_never_outside_of_what_was_measured(values: list[float], percent: float) -> None:
    slack = max(values) * 1e-9
    assert min(values) - slack <= percentile(values, percent) <= max(values) + slack


def test_nothing_measured_is_an_error_and_not_a_zero() -> None:
    with pytest.raises(ValueError, match="no turn"):
        percentile([], 50)
    with pytest.raises(ValueError, match="no time"):
        turns_per_second([])


def test_rounds_are_added_up_before_dividing() -> None:
    assert turns_per_second([Window(90, 9), Window(10, 11)]) == 5


def test_ratios_above_one_say_that_the_desk_is_faster() -> None:
    stock = samples([40, 50, 60], at_8=Window(200, 10), at_32=Window(210, 10))
    desk_samples = samples([10, 20, 30], at_8=Window(700, 10), at_32=Window(600, 10))
    assert compare(stock, desk_samples) == {
        "stock": {"p50": 50, "p95": 59, "rps_8": 20, "rps_32": 21},
        "desk": {"p50": 20, "p95": 29, "rps_8": 70, "rps_32": 60},
        "throughput_ratio": 3.5,
        "latency_ratio": 2.5,
    }


def test_the_table_names_every_kind_and_both_sides() -> None:
    one = samples([10], at_8=Window(10, 1), at_32=Window(10, 1))
    shown = table({"task": compare(one, one)})
    assert [line.split()[:2] for line in shown.splitlines()[1:3]] == [["task", "stock"], ["task", "desk"]]
    assert "1.00 × as many turns for 8" in shown


@pytest.mark.parametrize(
    ("step", "answer"),
    [
        (QUESTION, desk_answer("12 months.", "knowledge", ("warranty",))),
        (JOKE, desk_answer("Ha.", "smalltalk")),
        (DIGITS, desk_answer("KT20260003 is on its way.", "task")),
    ],
)
def test_the_right_kind_of_desk_answer_counts(step: Step, answer: dict[str, Any]) -> None:
    assert desk().problem(step, answer) is None


@pytest.mark.parametrize(
    ("step", "answer", "why"),
    [
        (QUESTION, desk_answer("12 months.", "knowledge"), "no article"),
        (QUESTION, desk_answer("Did you mean …?", "clarify"), "clarify"),
        (QUESTION, desk_answer("A colleague takes over.", "knowledge", ("warranty",), "two_misses"), "handed off"),
        (JOKE, desk_answer(" ", "smalltalk"), "nothing"),
        (DIGITS, desk_answer("Those digits do not match.", "task"), "KT20260003"),
        (QUESTION, {"replies": [], "trace": {"route": "knowledge"}}, "nothing"),
    ],
)
def test_another_desk_answer_is_a_problem(step: Step, answer: dict[str, Any], why: str) -> None:
    assert why in (desk().problem(step, answer) or "")


def test_stock_answers_are_checked_as_strictly() -> None:
    stock = StockSide("http://stock")
    joke = stock.responses["utter_joke"][0]
    assert stock.problem(JOKE, [{"text": joke}]) is None
    assert "nothing" in (stock.problem(JOKE, []) or "")
    assert "not joke" in (stock.problem(JOKE, [{"text": stock.responses["utter_rephrase"][0]}]) or "")
    assert stock.problem(QUESTION, [{"text": "12 months.\nSource: Warranty"}]) is None
    assert "no article" in (stock.problem(QUESTION, [{"text": joke}]) or "")
    assert stock.problem(DIGITS, [{"text": "Your order KT20260003 is on its way."}]) is None
    assert "KT20260003" in (stock.problem(DIGITS, [{"text": "Those digits do not match."}]) or "")


def test_every_small_talk_turn_has_a_stock_reply_to_compare_with() -> None:
    responses = StockSide("http://stock").responses
    assert all(f"utter_{step.intent}" in responses for talk in CONVERSATIONS["smalltalk"] for step in talk)


def test_conversations_are_equally_long_on_every_kind() -> None:
    assert {len(conversation) for kind in CONVERSATIONS.values() for conversation in kind} == {3}


def test_the_stock_side_says_the_words_of_the_desk() -> None:
    desk_says, stock_says = english_responses(), StockSide("http://stock").responses
    for talk in CONVERSATIONS["smalltalk"]:
        for step in talk:
            name = f"utter_{step.intent}"
            assert stock_says[name] == [one["text"] for one in desk_says[name]]


def test_the_service_adds_what_it_did_not_wait_for_the_bot() -> None:
    window = {8: Window(80, 2), 32: Window(90, 2)}
    figures = overhead(ServiceSamples(whole_ms=[20, 22, 24], overhead_ms=[3, 4, 5], windows=window))
    assert (figures["p50"], figures["whole_p50"]) == (4, 22)
    assert (figures["whole_rps_8"], figures["whole_rps_32"]) == (40, 45)


def test_the_costs_of_both_sides_stand_beside_each_other() -> None:
    trained = {"stock": Trained(Path("s"), 300.04, 870), "desk": Trained(Path("d"), 60.0, 9000)}
    report: dict[str, Any] = costs(trained, {"stock": 50.0, "desk": 5.0}, {"stock": 900.4, "desk": 700.0})
    assert report["train_s"] == {"stock": 300.0, "desk": 60.0}
    report["service_overhead"] = overhead(ServiceSamples([20], [3], {8: Window(1, 1), 32: Window(1, 1)}))
    assert [line.split()[-2:] for line in costs_table(report).splitlines() if line.startswith("memory")] == [
        ["900", "700"]
    ]


def test_memory_counts_the_processes_that_were_started() -> None:
    child = "import time; kept = bytearray(30_000_000); print(1, flush=True); time.sleep(60)"
    parent = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {child!r}])"
    with subprocess.Popen([sys.executable, "-c", parent], stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.readline()
        assert Cost(0.0, (process,)).rss_mb() > 30
        listed = subprocess.run(["ps", "-A", "-o", "pid=,ppid="], capture_output=True, text=True, check=True).stdout
        for pid, parent_pid in (map(int, line.split()) for line in listed.splitlines()):
            if parent_pid == process.pid:
                os.kill(pid, signal.SIGKILL)


def test_questions_are_never_the_same_text_but_always_the_same_words() -> None:
    texts = [spaced("can I pay in instalments", number) for number in range(256)]
    assert len(set(texts)) == 256
    assert {" ".join(text.split()) for text in texts} == {"can I pay in instalments"}


async def test_only_repeated_questions_are_said_twice() -> None:
    said: dict[str, list[str]] = {"knowledge": [], "knowledge_repeated": []}
    for kind, texts in said.items():

        def answer(request: httpx.Request, texts: list[str] = texts) -> httpx.Response:
            texts.append(json.loads(request.content)["text"])
            return httpx.Response(200, json=desk_answer("12 months.", "knowledge", ("warranty",)))

        await answering(answer, kind).one_client(30)
    assert len(set(said["knowledge"])) == 30
    assert len(set(said["knowledge_repeated"])) == 6


def answering(load: Callable[[httpx.Request], httpx.Response], kind: str = "smalltalk") -> Load:
    return Load(desk(), kind, httpx.AsyncClient(transport=httpx.MockTransport(load)))


async def test_a_client_begins_a_new_conversation_when_one_is_over() -> None:
    asked: list[dict[str, Any]] = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(json.loads(request.content))
        return httpx.Response(200, json=desk_answer("Ha.", "smalltalk"))

    load = answering(answer)
    assert len(await load.one_client(7)) == 7
    conversations = [turn["conversation_id"] for turn in asked]
    assert [conversations.count(one) for one in dict.fromkeys(conversations)] == [3, 3, 1]
    assert len({turn["turn_id"] for turn in asked}) == 7
    assert load.problems == []


async def test_a_window_counts_every_turn_of_every_client() -> None:
    answered = 0

    async def answer(request: httpx.Request) -> httpx.Response:
        nonlocal answered
        await asyncio.sleep(0.005)
        answered += 1
        return httpx.Response(200, json=desk_answer("Ha.", "smalltalk"))

    load = Load(desk(), "smalltalk", httpx.AsyncClient(transport=httpx.MockTransport(answer)))
    window = await load.many_clients(4, 0.05)
    assert window.turns == answered >= 4
    assert window.seconds >= 0.05


@pytest.mark.parametrize(
    "failure",
    [httpx.Response(503, text="not ready"), httpx.Response(200, json=desk_answer("Hm?", "clarify"))],
    ids=["refused", "wrong kind"],
)
async def test_wrong_answers_are_not_timed_stop_the_load_and_end_the_run(failure: httpx.Response) -> None:
    load = answering(lambda _: httpx.Response(failure.status_code, content=failure.content))
    assert await load.one_client(50) == []
    assert len(load.problems) == TOO_MANY_ERRORS
    with pytest.raises(SystemExit, match="not answered rightly"):
        stop_on(load.problems)


def test_the_stock_side_learns_every_intent_from_a_bounded_number_of_examples(tmp_path: Path) -> None:
    blocks = yaml.safe_load(stock_examples(tmp_path / "nlu.yml").read_text(encoding="utf-8"))["nlu"]
    assert {"order_status", "joke", "ask_knowledge"} <= {block["intent"] for block in blocks}
    assert all(0 < len(block["examples"].splitlines()) <= STOCK_EXAMPLES for block in blocks)
