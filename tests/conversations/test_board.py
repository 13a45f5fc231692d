"""The board agrees with the database, whatever happened before, and its figures are those of the rows it lists."""

from __future__ import annotations

import contextlib
from collections import Counter
from collections.abc import Callable, Coroutine
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import invariant, rule, run_state_machine_as_test

from conversations.board import STATES, Board, Row, Snapshot, Understood
from conversations.board_store import SNOOZED, Wanted
from conversations.errors import ConversationError
from conversations.model import Agent, Conversation, Status
from conversations.sight import EVERYTHING, Scope, Sight
from conversations.teams import Roster, Team
from conversations.turn_model import Feeling, Reply, TurnResult
from tests.conversations.builders import EVE, LIN, MAX, TestDesk, inbound, team
from tests.conversations.machine import DeskMachine

PEOPLE = ("ann", "bo", "cy", "di")
TEAMS = (team("default", first_response_seconds=300), team("after", first_response_seconds=40, intents=("refund",)))


def thinks(intent: str, confidence: float, *, route: str = "task", handoff: str | None = None) -> TurnResult:
    trace = {"language": "en", "intent": intent, "confidence": confidence, "route": route}
    return TurnResult((Reply("well", handoff=handoff),), trace)


def board_of(desk: TestDesk) -> Board:
    return Board(desk.database, desk.conversations.desk, desk.conversations.now)


async def everything_open(desk: TestDesk) -> list[Conversation]:
    page = await desk.conversations.list_conversations("all", "", None, 1000)
    return list(page.items)


def state_of(one: Conversation) -> str:
    return SNOOZED if one.snoozed_until else one.status.value


def promise_of(one: Conversation) -> datetime | None:
    """The promise of a first answer that is still to be kept."""
    held = state_of(one) in ("queued", "assigned") and one.waiting_since is not None and one.queued_at is not None
    return one.sla_due_at if held and one.waiting_since <= one.queued_at else None  # type: ignore[operator]


def waits_since(one: Conversation) -> datetime | None:
    if one.snoozed_until:
        return None
    return one.queued_at if one.status is Status.QUEUED else one.waiting_since


class BoardMachine(DeskMachine):
    """Everything that moves a conversation, in any order; after each step the board is compared with what is stored."""

    def __init__(self) -> None:
        super().__init__()
        self.desk.roster = Roster(TEAMS)
        self.board = board_of(self.desk)
        self.do(self.keep_agents())

    def tried(self, work: Any) -> None:
        with contextlib.suppress(ConversationError):
            self.do(work)

    def one_of(self, data: st.DataObject) -> str | None:
        known = sorted(one.id for one in self.do(everything_open(self.desk)))
        return data.draw(st.sampled_from(known)) if known else None

    @rule(contact=st.sampled_from(PEOPLE))
    def a_contact_writes(self, contact: str) -> None:
        self.do(self.receive(inbound("hello", contact)))

    @rule(
        intent=st.sampled_from(["refund", "greet"]),
        sure=st.floats(0, 1),
        hands=st.booleans(),
        route=st.sampled_from(["task", "clarify"]),
    )
    def the_bot_answers(self, intent: str, sure: float, hands: bool, route: str) -> None:
        self.do(self.desk.answer(thinks(intent, sure, route=route, handoff="low_confidence" if hands else None)))

    @rule(
        data=st.data(),
        agent=st.sampled_from([LIN, MAX]),
        verb=st.sampled_from(["assign", "reply", "resolve", "release", "requeue", "take_over", "barge_in"]),
    )
    def somebody_does_something(self, data: st.DataObject, agent: Agent, verb: str) -> None:
        one, desk = self.one_of(data), self.desk.conversations
        if one is None:
            return
        verbs: dict[str, Callable[[], Coroutine[Any, Any, Any]]] = {
            "assign": lambda: desk.assign(one, agent, anyway=True, over_capacity=True),
            "reply": lambda: desk.reply_as_agent(one, agent, "yes"),
            "resolve": lambda: desk.resolve(one, agent),
            "release": lambda: desk.release(one, agent),
            "requeue": lambda: desk.requeue(one, agent),
            "take_over": lambda: desk.take_over(one, EVE),
            "barge_in": lambda: desk.barge_in(one, EVE),
        }
        self.tried(verbs[verb]())

    @rule(data=st.data())
    def it_is_put_aside(self, data: st.DataObject) -> None:
        one = self.one_of(data)
        if one is not None:
            self.tried(self.desk.conversations.snooze(one, LIN, self.clock() + timedelta(minutes=9)))

    @rule(seconds=st.sampled_from([3, 35, 400]))
    def time_passes(self, seconds: int) -> None:
        self.clock.advance(seconds)
        self.do(self.keep_agents())
        self.do(self.desk.conversations.wake_due())

    @invariant()
    def the_board_agrees(self) -> None:
        seen: Snapshot = self.do(self.board.snapshot(EVERYTHING, Wanted()))
        stored = {one.id: one for one in self.do(everything_open(self.desk))}
        rows = {row.values["id"]: row for row in seen.rows}
        assert set(rows) == set(stored)
        assert seen.matching == len(rows) == seen.number()
        assert {state: seen.number(state) for state in STATES} == {
            state: Counter(state_of(one) for one in stored.values())[state] for state in STATES
        }
        for one in stored.values():
            row = rows[one.id]
            assert (row.values["state"], row.values["agent_id"]) == (state_of(one), one.agent_id)
            assert (row.waits_since, row.values["promise_at"]) == (waits_since(one), promise_of(one))
            traces = self.do(self.desk.conversations.traces(one.id))
            assert row.understood == (Understood.of(traces[-1].trace) if traces else Understood())
        self.figures_are_those_of_the_rows(seen)

    def figures_are_those_of_the_rows(self, seen: Snapshot) -> None:
        def over(rows: list[Row]) -> tuple[int, int]:
            late = [one for one in rows if one.risk_at is not None and one.values["promise_at"] <= seen.now]
            risky = [one for one in rows if one.risk_at is not None and one.risk_at <= seen.now]
            return len(late), len(risky) - len(late)

        for queue in seen.queues:
            theirs = [one for one in seen.rows if one.values["team_id"] == queue.team_id]
            waiting = [one for one in theirs if one.values["state"] == "queued"]
            assert queue.waiting == len(waiting)
            assert queue.oldest_since == min((one.waits_since for one in waiting if one.waits_since), default=None)
            assert (queue.late, queue.at_risk) == over(theirs)
        assert sum(one.waiting for one in seen.queues) == seen.number("queued")
        held = Counter(one.values["agent_id"] for one in seen.rows if one.values["status"] == "assigned")
        for agent in seen.agents:
            assert agent.assigned == held[agent.agent_id]
            waits = [r.waits_since for r in seen.rows if r.values["agent_id"] == agent.agent_id and r.waits_since]
            assert seen.unanswered().get(agent.agent_id) == min(waits, default=None)
        for state in STATES:
            part = self.do(self.board.snapshot(EVERYTHING, Wanted(state=state, limit=2)))
            assert part.matching == seen.number(state)
            assert len(part.rows) == min(2, part.matching)
            assert part.number() == seen.number()


def test_the_board_agrees_with_the_database_whatever_happens(place: str, tmp_path: Path) -> None:
    here = place if not place.startswith("sqlite") else str(tmp_path / "desk.db")
    machine = type("BoardHere", (BoardMachine,), {"place": here})
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=15, stateful_step_count=20, deadline=None, suppress_health_check=list(HealthCheck)
        ),
    )


async def test_rows_come_in_the_order_in_which_somebody_has_to_look(desk: TestDesk) -> None:
    idle = (await desk.send(contact="ann")).conversation_id
    await desk.answer()
    held = await desk.assigned(LIN, "bo")
    await desk.conversations.reply_as_agent(held, LIN, "yes?")
    await desk.send("are you there?", "bo")
    waits = await desk.queued(contact="cy")
    seen = await board_of(desk).snapshot(EVERYTHING, Wanted())
    assert [row.values["id"] for row in seen.rows] == [waits, held, idle]
    first = await board_of(desk).snapshot(EVERYTHING, Wanted(limit=1))
    assert ([row.values["id"] for row in first.rows], first.matching) == ([waits], 3)


async def test_those_asked_for_by_id_are_listed_as_long_as_they_are_open(desk: TestDesk) -> None:
    first, second = await desk.queued(contact="ann"), await desk.queued(contact="bo")
    board = board_of(desk)
    seen = await board.snapshot(EVERYTHING, Wanted(ids=(first, "f" * 32), state="bot"))
    assert [row.values["id"] for row in seen.rows] == [first]
    await desk.conversations.assign(first, LIN)
    await desk.conversations.resolve(first, LIN)
    seen = await board.snapshot(EVERYTHING, Wanted(ids=(first, second)))
    assert [row.values["id"] for row in seen.rows] == [second]


async def test_figures_alone_come_without_anybody(desk: TestDesk) -> None:
    await desk.queued()
    seen = await board_of(desk).snapshot(EVERYTHING, Wanted(limit=0))
    assert (seen.rows, seen.number("queued")) == ((), 1)


async def test_a_narrowed_supervisor_sees_and_counts_their_part(desk: TestDesk) -> None:
    desk.roster = Roster(TEAMS)
    await desk.send(contact="ann")
    await desk.answer(thinks("refund", 0.9, handoff="low_confidence"))
    await desk.send(contact="bo")
    await desk.answer(thinks("greet", 0.4, handoff="low_confidence"))
    mine = Sight("eve", Scope.TEAM, frozenset({"after"}), frozenset({"default"}), takes_rest=False)
    seen = await board_of(desk).snapshot(mine, Wanted())
    assert [row.values["team_id"] for row in seen.rows] == ["after"]
    assert (seen.number(), [(one.team_id, one.waiting) for one in seen.queues]) == (1, [("after", 1)])
    assert len((await board_of(desk).snapshot(EVERYTHING, Wanted())).rows) == 2


async def test_a_promise_is_at_risk_before_it_is_late_and_kept_once_somebody_answers(desk: TestDesk) -> None:
    await desk.at_the_desk(LIN)
    waits = await desk.queued()
    board = board_of(desk)

    async def over() -> tuple[int, int]:
        (queue,) = (await board.snapshot(EVERYTHING, Wanted(limit=0))).queues
        return queue.at_risk, queue.late

    assert await over() == (0, 0)
    desk.clock.advance(300 * 0.8)
    assert await over() == (1, 0)
    desk.clock.advance(300 * 0.3)
    assert await over() == (0, 1)
    await desk.at_the_desk(LIN)
    await desk.conversations.assign(waits, LIN)
    assert await over() == (0, 1)  # having it is no answer
    await desk.conversations.reply_as_agent(waits, LIN, "here I am")
    assert await over() == (0, 0)


async def test_a_closed_team_promises_no_time(desk: TestDesk) -> None:
    await desk.at_the_desk(LIN)
    (queue,) = (await board_of(desk).snapshot(EVERYTHING, Wanted(limit=0))).queues
    assert (queue.is_open, queue.on_duty, queue.opens_at) == (True, 1, None)
    assert queue.expected_seconds is not None
    desk.open = False
    (queue,) = (await board_of(desk).snapshot(EVERYTHING, Wanted(limit=0))).queues
    assert (queue.is_open, queue.expected_seconds) == (False, None)
    assert queue.opens_at is not None


async def test_how_a_contact_feels_and_what_the_bot_made_of_it_stand_in_the_row(desk: TestDesk) -> None:
    receipt = await desk.send("where is it?!")
    await desk.answer(thinks("order_status", 0.41, route="clarify"))
    await desk.conversations.note_sentiment(receipt.conversation_id, receipt.message_id, Feeling("negative", -0.8, 0.9))
    (row,) = (await board_of(desk).snapshot(EVERYTHING, Wanted())).rows
    assert row.understood == Understood("order_status", 0.41, asked_back=True)
    assert (row.values["sentiment_label"], row.values["preview"]) == ("negative", "well")


async def test_a_team_that_is_gone_keeps_a_line_for_those_who_wait_for_it(desk: TestDesk) -> None:
    desk.roster = Roster((*TEAMS, Team("old", "老组", "Old", intents=("handoff",))))
    await desk.send()
    await desk.answer(thinks("handoff", 0.9, handoff="asked_for_person"))
    desk.roster = Roster(TEAMS)
    queues = (await board_of(desk).snapshot(EVERYTHING, Wanted(limit=0))).queues
    assert [(one.team_id, one.waiting, one.expected_seconds is None) for one in queues][-1] == ("old", 1, True)
