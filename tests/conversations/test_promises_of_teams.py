"""The promises once more, on a desk that offers conversations, where agents help each other and supervisors step in.

Added to the world of ``test_promises``: offers that are declined or run out, invitations, barge-in, take-over, transfers
to a team, contacts who are told their wait again and leave a number, clocks that jump, and services that restart.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Coroutine
from datetime import timedelta
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import invariant, precondition, rule, run_state_machine_as_test

from conversations.callbacks import ASKED, GIVEN
from conversations.errors import (
    AlreadyAssigned,
    IllegalTransition,
    InvalidMessage,
    NotAssigned,
    NotOffered,
    OfferedToColleague,
)
from conversations.model import Agent, Conversation, Status
from conversations.routing import BACK_IN_QUEUE_SECONDS
from conversations.teams import Roster
from tests.conversations.builders import EVE, LIN, MAX, TestDesk, inbound, team
from tests.conversations.history import History
from tests.conversations.test_promises import AGENTS, Promises

STAFF = (LIN, MAX, EVE)


class PromisesOfTeams(Promises):
    """Everything that happens to a plain desk, and what teams bring."""

    def __init__(self) -> None:
        super().__init__()
        self.use_teams(self.desk)

    def use_teams(self, desk: TestDesk) -> None:
        offering = team(mode="offer", offer_seconds=30, capacity=2, members=frozenset({LIN.id, MAX.id}))
        desk.roster = Roster((offering, team("repairs")))

    def of(self, contact: str) -> Conversation | None:
        return self.do(self.desk.conversations.find_current(inbound(contact=contact).address))

    # -- rules of the plain desk that an offer changes

    @precondition(lambda self: self.somebody(Status.QUEUED, Status.ASSIGNED))
    @rule(data=st.data(), agent=AGENTS)
    def agent_accepts(self, data: st.DataObject, agent: Agent) -> None:
        conversation = self.of(self.pick(data, Status.QUEUED, Status.ASSIGNED))
        if conversation is None:
            return
        try:
            after = self.do(self.desk.conversations.assign(conversation.id, agent))
        except OfferedToColleague:
            assert conversation.offered_to not in (None, agent.id)  # promise 4, and one is asked at a time
        except AlreadyAssigned:
            assert conversation.agent_id not in (None, agent.id)
        except IllegalTransition:
            assert conversation.status is Status.RESOLVED
        else:
            assert (after.status, after.agent_id, after.offered_to) == (Status.ASSIGNED, agent.id, None)

    @precondition(lambda self: self.somebody(Status.QUEUED))
    @rule(data=st.data())
    def both_agents_accept_at_once(self, data: st.DataObject) -> None:
        conversation = self.of(self.pick(data, Status.QUEUED))
        if conversation is None or conversation.status is not Status.QUEUED:
            return

        async def both() -> list[Any]:
            desk = self.desk.conversations
            race = (desk.assign(conversation.id, agent) for agent in (LIN, MAX))
            outcomes: list[Any] = await asyncio.gather(*race, return_exceptions=True)
            await self.keep_agents()
            if isinstance(outcomes[1], Conversation):  # Hypothesis replays examples: the race must end the same
                await desk.transfer(conversation.id, MAX, LIN)
            return outcomes

        outcomes = self.do(both())
        losers = [outcome for outcome in outcomes if not isinstance(outcome, Conversation)]
        assert len(losers) == 1  # promise 4
        assert isinstance(losers[0], AlreadyAssigned)

    @rule(agent=AGENTS)
    def agent_vanishes(self, agent: Agent) -> None:
        async def vanish() -> None:
            desk = self.desk.conversations
            everyone = [one for one in STAFF if one is not agent]
            mine = (await desk.list_conversations("mine", agent.id)).items
            held = [one for one in mine if one.agent_id == agent.id]
            self.clock.advance(61)
            for other in everyone:
                await desk.agent_seen(other.id, other.name)
            lost = await desk.requeue_lost()
            await desk.tidy_company()
            now = self.clock()
            seen = {one.agent_id: one.last_seen_at for one in await desk.agents()}
            if agent.id in seen and (now - seen[agent.id]).total_seconds() < 60:
                return  # the clock was set back: they have been seen in the future
            assert lost == len(held)
            queue = [one.id for one in (await desk.list_conversations("queued")).items]
            # Whoever has waited longer than the head start of those who come back stays before them.
            recent = now - timedelta(seconds=BACK_IN_QUEUE_SECONDS - 600)
            fresh = [
                one.id
                for one in (await desk.list_conversations("queued")).items
                if one.priority == 0 and one.queued_at is not None and one.queued_at > recent
            ]
            for conversation in held:  # promise 6
                assert all(queue.index(conversation.id) < queue.index(one) for one in fresh)
                assert "connection to our agent was lost" in (await desk.messages(conversation.id))[-1].text
            assert all(one.participant(agent.id) is None for one in await History(self.desk).conversations())

        self.do(vanish())

    async def keep_agents(self) -> None:
        for agent in STAFF:
            await self.desk.conversations.agent_seen(agent.id, agent.name)

    # -- what teams bring

    @rule()
    def the_queue_is_routed(self) -> None:
        async def go() -> None:
            desk = self.desk.conversations
            before = {one.id: one.offered_to for one in (await desk.list_conversations("queued")).items}
            await desk.route_queue()
            assert await desk.route_queue() == 0  # once is enough
            for one in (await desk.list_conversations("queued")).items:
                assert before[one.id] in (None, one.offered_to) or one.offered_to is None or one.asked

        self.do(go())

    @precondition(lambda self: self.somebody(Status.QUEUED))
    @rule(data=st.data(), agent=AGENTS)
    def agent_declines(self, data: st.DataObject, agent: Agent) -> None:
        conversation = self.of(self.pick(data, Status.QUEUED))
        if conversation is None:
            return
        try:
            after = self.do(self.desk.conversations.decline_offer(conversation.id, agent))
        except NotOffered:
            return
        assert conversation.offered_to == agent.id
        assert after.status is Status.QUEUED
        assert after.offered_to is None

    @precondition(lambda self: self.somebody(Status.ASSIGNED, Status.QUEUED))
    @rule(
        data=st.data(),
        agent=st.sampled_from(STAFF),
        other=st.sampled_from(STAFF),
        action=st.sampled_from(["invite", "join", "leave", "remove", "barge in", "take over", "to team", "reply"]),
    )
    def agents_help(self, data: st.DataObject, agent: Agent, other: Agent, action: str) -> None:
        conversation = self.of(self.pick(data, Status.ASSIGNED, Status.QUEUED))
        if conversation is None:
            return
        desk, id = self.desk.conversations, conversation.id
        actions: dict[str, Callable[[], Coroutine[Any, Any, object]]] = {
            "invite": lambda: desk.invite(id, agent, other),
            "join": lambda: desk.join(id, agent),
            "leave": lambda: desk.leave(id, agent),
            "remove": lambda: desk.remove(id, agent, other.id),
            "barge in": lambda: desk.barge_in(id, agent),
            "take over": lambda: desk.take_over(id, agent),
            "to team": lambda: desk.transfer_to_team(id, agent, "repairs", "see above"),
            "reply": lambda: desk.reply_as_agent(id, agent, f"{agent.name} at {conversation.last_seq}"),
        }
        try:
            self.do(actions[action]())
        except (NotAssigned, IllegalTransition, InvalidMessage):
            assert self.do(desk.get_conversation(id)) == conversation
            return
        after = self.do(desk.get_conversation(id))
        part = conversation.participant(agent.id)
        owns = conversation.status is Status.ASSIGNED and conversation.agent_id == agent.id
        assert conversation.status is Status.ASSIGNED
        assert owns or action in ("join", "leave", "barge in", "take over", "reply")
        if action == "reply":
            assert owns or part is not None
        if action == "take over":
            assert after.agent_id == agent.id
        elif action != "to team":
            assert after.agent_id == conversation.agent_id  # helping moves nothing
        if action == "leave" and part is not None and part.joined_at is not None:
            assert f"{agent.name} has left" in self.transcript(id)[-1].text

    @rule()
    def the_sweeper_runs(self) -> None:
        async def sweep() -> None:
            desk = self.desk.conversations
            await desk.tell_waits()
            assert await desk.tell_waits() == 0
            await desk.file_callbacks()
            await desk.close_callbacks()
            assert await desk.close_callbacks() == 0
            assert len(self.desk.closed) == len(set(self.desk.closed))
            await desk.tidy_company()

        self.do(sweep())

    @precondition(lambda self: self.somebody(Status.QUEUED))
    @rule(data=st.data())
    def contact_leaves_a_number(self, data: st.DataObject) -> None:
        contact = self.pick(data, Status.QUEUED)
        before = self.of(contact)
        self.do(self.receive(inbound("call me: +44 7700 900123", contact)))
        after = self.of(contact)
        assert after is not None
        if before is not None and before.status is Status.QUEUED and before.callback_state in (ASKED, GIVEN):
            assert after.contact_point == "+447700900123"
            assert after.status is Status.QUEUED

    @rule(seconds=st.sampled_from([-3600, -30, 3600]))
    def the_clock_jumps(self, seconds: int) -> None:
        self.clock.advance(seconds)
        self.do(self.keep_agents())

    @rule()
    def the_service_restarts(self) -> None:
        before = self.desk
        self.desk = TestDesk(before.database, self.clock, audit=self.audit)
        self.desk.open, self.desk.roster = before.open, before.roster

    # -- checks

    @invariant()
    def offers_and_participants_are_where_they_belong(self) -> None:
        async def check() -> None:
            for one in await History(self.desk).conversations():
                if one.status is not Status.QUEUED:
                    assert (one.offered_to, one.offered_until) == (None, None)
                if one.status is not Status.ASSIGNED:
                    assert one.participants == ()
                assert one.participant(one.agent_id or "") is None or one.status is not Status.ASSIGNED

        self.do(check())

    async def finish(self) -> None:
        """Nobody is left waiting: with agents at the desk every conversation is offered or free, and gets served."""
        desk = self.desk.conversations
        self.desk.open = True
        for _ in range(20):
            self.clock.advance(1)
            await self.keep_agents()
            await desk.route_queue()
            queue = (await desk.list_conversations("queued")).items
            if not queue:
                break
            head = queue[0]
            asked = next((one for one in STAFF if one.id == head.offered(self.clock())), LIN)
            await desk.assign(head.id, asked)
            with contextlib.suppress(NotAssigned):
                await desk.resolve(head.id, asked)
        assert not (await desk.list_conversations("queued")).items
        await super().finish()


def run(place: str, examples: int, steps: int) -> None:
    machine = type("PromisesHere", (PromisesOfTeams,), {"place": place})
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=examples,
            stateful_step_count=steps,
            deadline=None,
            suppress_health_check=list(HealthCheck),
            phases=[Phase.generate],
        ),
    )


def test_the_promises_hold_with_teams_on_sqlite(sqlite_template: Path) -> None:
    run(str(sqlite_template), examples=12, steps=50)


def test_the_promises_hold_with_teams_on_postgresql(postgres_schema: str) -> None:
    run(postgres_schema, examples=2, steps=40)
