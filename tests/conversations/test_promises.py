"""The promises of the conversation state machine, under every order of events Hypothesis can think of.

Contacts write, bots answer, fail, hang and die, agents accept, answer, pass on and vanish, processes crash in the
middle of a commit. Promise numbers are those of the design: 1 a handoff is never silent, 2 the bot is quiet while
people have the conversation, 3 a handoff never loops, 4 one assignee, 5 a person can always be had, 6 a lost agent
gives back, 7 the bot learns what agents said, 8 nothing is lost or answered twice, 9 an episode is asked about once, and an
answer, however late, is stored once and opens no conversation.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    consumes,
    initialize,
    invariant,
    multiple,
    precondition,
    rule,
    run_state_machine_as_test,
)

from conversations.errors import (
    AlreadyAssigned,
    FencedOut,
    IllegalTransition,
    InvalidMessage,
    NotAssigned,
    NotYours,
    TooLate,
)
from conversations.model import Agent, Author, Conversation, Status
from conversations.turn_model import Feeling
from conversations.turns import Claim, apology
from tests.conversations.builders import LIN, MAX, Crash, hands_off, inbound, says
from tests.conversations.history import History
from tests.conversations.machine import CONTACTS
from tests.conversations.rating_machine import RatingMachine

AGENTS = st.sampled_from([LIN, MAX])


class Promises(RatingMachine):
    """Every rule is something that happens to the desk; every check is a promise."""

    claims = Bundle("claims")

    @initialize()
    def everyone_has_written(self) -> None:
        for contact in CONTACTS:
            self.contact_writes(contact)

    # -- contacts

    @rule(contact=st.sampled_from(CONTACTS))
    def contact_writes(self, contact: str) -> None:
        self.do(self.receive(inbound(f"message {len(self.inbounds)}", contact)))

    @precondition(lambda self: self.inbounds)
    @rule(data=st.data())
    def channel_delivers_again(self, data: st.DataObject) -> None:
        message = data.draw(st.sampled_from(self.inbounds))
        receipt = self.do(self.desk.conversations.receive(message))
        assert receipt.duplicate
        assert self.acknowledged[message.external_id] == (receipt.conversation_id, receipt.message_id)

    @precondition(lambda self: self.acknowledged)
    @rule(data=st.data(), known=st.booleans())
    def how_a_message_feels_is_noted(self, data: st.DataObject, known: bool) -> None:
        conversation_id, message_id = data.draw(st.sampled_from(sorted(self.acknowledged.values())))
        before = self.do(self.desk.conversations.get_conversation(conversation_id))
        feeling = Feeling("negative", -0.9, 0.8)
        self.do(self.desk.conversations.note_sentiment(conversation_id, message_id, feeling if known else None))
        after = self.do(self.desk.conversations.get_conversation(conversation_id))
        assert (after.status, after.agent_id, after.last_seq) == (before.status, before.agent_id, before.last_seq)
        if after.status is Status.QUEUED:
            assert after.handoff_summary is not None  # whoever takes it is told

    @rule(contact=st.sampled_from(CONTACTS))
    def process_dies_while_receiving(self, contact: str) -> None:
        message = inbound(f"message {len(self.inbounds)}", contact)
        self.audit.armed = True
        with contextlib.suppress(Crash):
            self.do(self.desk.conversations.receive(message))
        self.audit.armed = False
        receipt = self.do(self.receive(message))  # the channel sends it again
        assert not receipt.duplicate

    @precondition(lambda self: self.somebody(Status.BOT))
    @rule(data=st.data())
    def contact_asks_for_a_person(self, data: st.DataObject) -> None:
        contact = self.pick(data, Status.BOT)

        async def ask() -> None:
            receipt = await self.receive(inbound("a person please", contact))
            before = await self.desk.conversations.get_conversation(receipt.conversation_id)
            if before.status is not Status.BOT:
                return
            for _ in range(20):
                for claim in await self.desk.conversations.claim_turns(50):
                    asks = claim.message.id == receipt.message_id
                    await self.desk.conversations.commit_turn(
                        claim, hands_off() if asks else says("fine"), self.clock(), go_on=False
                    )
                after = await self.desk.conversations.get_conversation(receipt.conversation_id)
                if after.status is Status.QUEUED:
                    return
                self.clock.advance(46)  # a dead worker's lease
                await self.keep_agents()
            raise AssertionError("promise 5: asked for a person and none came")

        self.do(ask())

    @precondition(lambda self: self.somebody(Status.QUEUED))
    @rule(data=st.data())
    def contact_leaves_the_queue(self, data: st.DataObject) -> None:
        contact = self.pick(data, Status.QUEUED)
        conversation = self.do(self.desk.conversations.find_current(inbound(contact=contact).address))
        if conversation is None:
            return
        shown = [b for m in self.transcript(conversation.id) for b in m.buttons if b.title == "Ask the bot instead"]
        if shown:
            self.do(self.receive(inbound("", contact, button_id=shown[-1].id)))
            after = self.do(self.desk.conversations.get_conversation(conversation.id))
            if conversation.status is Status.QUEUED:
                assert after.status is Status.BOT
            elif conversation.status is not Status.RESOLVED:
                assert after.status is conversation.status

    @precondition(lambda self: self.somebody(Status.RESOLVED))
    @rule(
        data=st.data(),
        score=st.integers(1, 5),
        how=st.sampled_from(["button", "form", "text", "words"]),
        dies=st.booleans(),
    )
    def contact_rates(self, data: st.DataObject, score: int, how: str, dies: bool) -> None:
        contact = self.pick(data, Status.RESOLVED)
        self.do(self.rates(contact, score, how, dies=dies))

    # -- the bot and its workers

    @rule(target=claims, contact=st.sampled_from(CONTACTS))
    def contact_writes_and_a_worker_takes_turns(self, contact: str) -> Any:
        self.contact_writes(contact)
        claims = self.do(self.desk.conversations.claim_turns(3))
        self.taken += claims
        for claim in claims:
            said = [m for m in self.transcript(claim.conversation.id) if m.author is Author.AGENT and not m.private]
            spoke = [m.seq for m in self.transcript(claim.conversation.id) if m.author is Author.BOT]
            news = tuple(m.text for m in said if m.seq > max(spoke, default=0) and m.recalled_at is None)
            assert claim.agent_said == news  # promise 7
        return multiple(*claims)

    @rule(
        claim=consumes(claims),
        target=claims,
        outcome=st.sampled_from(["answers", "answers", "hands off", "fails"]),
        go_on=st.booleans(),
    )
    def bot_finishes(self, claim: Claim, outcome: str, go_on: bool) -> Any:
        result = {
            "answers": says(f"answer to {claim.message.seq}"),
            "hands off": hands_off(),
            "fails": apology("en", "no answer in time"),
        }[outcome]
        before = self.do(self.desk.conversations.get_conversation(claim.conversation.id))
        try:
            following = self.do(
                self.desk.conversations.commit_turn(claim, result, self.clock(), go_on=go_on, dead=outcome == "fails")
            )
        except FencedOut:
            return multiple()
        assert before.status is Status.BOT  # promise 2
        after = self.do(self.desk.conversations.get_conversation(claim.conversation.id))
        assert after.status is (Status.BOT if outcome == "answers" else Status.QUEUED)
        with pytest.raises(FencedOut):  # promise 8: a worker that never saw its commit succeed
            self.do(self.desk.conversations.commit_turn(claim, result, self.clock()))
        return multiple() if following is None else following

    @rule(claim=claims)
    def process_dies_while_committing(self, claim: Claim) -> None:
        before = self.transcript(claim.conversation.id)
        self.audit.armed = True
        with pytest.raises((Crash, FencedOut)):
            self.do(self.desk.conversations.commit_turn(claim, says("never seen"), self.clock()))
        self.audit.armed = False
        assert self.transcript(claim.conversation.id) == before

    @rule(claim=claims, crashed=st.booleans())
    def worker_gives_back(self, claim: Claim, crashed: bool) -> None:
        with contextlib.suppress(FencedOut):
            self.do(self.desk.conversations.give_back(claim, crashed="KeyError" if crashed else None))

    # -- agents

    @precondition(lambda self: self.somebody(Status.QUEUED, Status.ASSIGNED))
    @rule(data=st.data(), agent=AGENTS)
    def agent_accepts(self, data: st.DataObject, agent: Agent) -> None:
        contact = self.pick(data, Status.QUEUED, Status.ASSIGNED)
        conversation = self.do(self.desk.conversations.find_current(inbound(contact=contact).address))
        if conversation is None:
            return
        try:
            after = self.do(self.desk.conversations.assign(conversation.id, agent))
        except AlreadyAssigned:
            assert conversation.agent_id not in (None, agent.id)  # promise 4
        except IllegalTransition:
            assert conversation.status is Status.RESOLVED
        else:
            assert (after.status, after.agent_id) == (Status.ASSIGNED, agent.id)

    @precondition(lambda self: self.somebody(Status.BOT))
    @rule(data=st.data(), agent=AGENTS)
    def agent_steps_in_and_releases(self, data: st.DataObject, agent: Agent) -> None:
        contact = self.pick(data, Status.BOT)
        desk = self.desk.conversations
        conversation = self.do(desk.find_current(inbound(contact=contact).address))
        if conversation is None or conversation.status is not Status.BOT:
            return
        self.do(desk.assign(conversation.id, agent))
        self.do(desk.reply_as_agent(conversation.id, agent, "I have it"))
        self.do(desk.release(conversation.id, agent))
        assert conversation.id not in self.do(History(self.desk).waiting_for_the_bot(Status.BOT))
        for claim in self.taken:
            if claim.conversation.id == conversation.id:  # promise 8: the agent has answered it
                with pytest.raises(FencedOut):
                    self.do(desk.commit_turn(claim, says("me too"), self.clock()))

    @precondition(lambda self: self.somebody(Status.QUEUED))
    @rule(data=st.data())
    def both_agents_accept_at_once(self, data: st.DataObject) -> None:
        contact = self.pick(data, Status.QUEUED)
        conversation = self.do(self.desk.conversations.find_current(inbound(contact=contact).address))
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
        losers = [type(outcome) for outcome in outcomes if not isinstance(outcome, Conversation)]
        assert losers == [AlreadyAssigned]  # promise 4

    @precondition(lambda self: self.somebody(Status.ASSIGNED, Status.QUEUED))
    @rule(
        data=st.data(),
        agent=AGENTS,
        action=st.sampled_from(["reply", "note", "transfer", "requeue", "release", "resolve"]),
    )
    def agent_acts(self, data: st.DataObject, agent: Agent, action: str) -> None:
        contact = self.pick(data, Status.ASSIGNED, Status.QUEUED)
        conversation = self.do(self.desk.conversations.find_current(inbound(contact=contact).address))
        if conversation is None:
            return
        desk, other = self.desk.conversations, MAX if agent is LIN else LIN
        actions: dict[str, Callable[[], Coroutine[Any, Any, object]]] = {
            "reply": lambda: desk.reply_as_agent(conversation.id, agent, f"{agent.name} at {conversation.last_seq}"),
            "note": lambda: desk.add_note(conversation.id, agent, "only for us"),
            "transfer": lambda: desk.transfer(conversation.id, agent, other, ""),
            "requeue": lambda: desk.requeue(conversation.id, agent),
            "release": lambda: desk.release(conversation.id, agent),
            "resolve": lambda: desk.resolve(conversation.id, agent),
        }
        work = actions[action]
        holds = conversation.status is Status.ASSIGNED and conversation.agent_id == agent.id
        free = conversation.status in (Status.BOT, Status.QUEUED)
        allowed = holds or action == "note" or (action == "resolve" and free)
        allowed = allowed or (action == "release" and conversation.status is Status.QUEUED)
        try:
            self.do(work())
        except (NotAssigned, IllegalTransition):
            assert not allowed
            assert self.do(desk.get_conversation(conversation.id)) == conversation
        except InvalidMessage:
            assert action == "transfer"  # the colleague is not at the desk
        else:
            assert allowed

    @rule(contact=st.sampled_from(CONTACTS), agent=AGENTS, data=st.data())
    def agent_takes_back(self, contact: str, agent: Agent, data: st.DataObject) -> None:
        desk = self.desk.conversations
        conversation = self.do(desk.find_current(inbound(contact=contact).address))
        if conversation is None:
            return
        texts = [m for m in self.transcript(conversation.id) if m.author is Author.AGENT and not m.private]
        if not texts:
            return
        message = data.draw(st.sampled_from(texts))
        arrived = (conversation.id, message.seq) in self.delivered.get(str(conversation.address), [])
        try:
            taken = self.do(desk.recall(conversation.id, agent, message.seq))
        except NotYours:
            assert message.author_id != agent.id
        except TooLate:
            assert message.recalled_at is None
        else:
            assert not arrived  # said or taken back, never both: the history is checked at the end
            assert taken.message.text == message.text

    @rule(agent=AGENTS)
    def agent_shows_up(self, agent: Agent) -> None:
        self.do(self.desk.conversations.agent_seen(agent.id, agent.name))

    @rule(agent=AGENTS)
    def agent_vanishes(self, agent: Agent) -> None:
        async def vanish() -> None:
            desk, other = self.desk.conversations, MAX if agent is LIN else LIN
            held = (await desk.list_conversations("mine", agent.id)).items
            others = (await desk.list_conversations("mine", other.id)).items
            self.clock.advance(61)
            await desk.agent_seen(other.id, other.name)
            assert await desk.requeue_lost() == len(held)
            queue = [c.id for c in (await desk.list_conversations("queued")).items]
            waited_before = [c for c in (await desk.list_conversations("queued")).items if c.priority == 0]
            assert not {c.id for c in waited_before} & {c.id for c in held}
            for conversation in held:  # promise 6
                assert queue.index(conversation.id) < len(queue) - len(waited_before)
                assert "connection to our agent was lost" in (await desk.messages(conversation.id))[-1].text
            assert (await desk.list_conversations("mine", other.id)).items == others

        self.do(vanish())

    # -- time and the world

    @precondition(lambda self: self.somebody(Status.RESOLVED))
    @rule(hours=st.sampled_from([1, 71, 73, -2]))
    def days_pass_while_an_answer_is_waited_for(self, hours: int) -> None:
        self.clock.advance(hours * 3600)
        self.do(self.keep_agents())

    @rule(seconds=st.sampled_from([1, 46]))
    def time_passes(self, seconds: int) -> None:
        self.clock.advance(seconds)
        self.do(self.keep_agents())

    @rule()
    def the_desk_opens_or_closes(self) -> None:
        self.desk.open = not self.desk.open

    @rule(dies=st.booleans())
    def a_message_is_delivered(self, dies: bool) -> None:
        self.do(self.deliver(dies=dies))

    # -- checks

    @invariant()
    def who_is_assigned_is_single_and_known(self) -> None:
        async def check() -> None:
            with_people = (Status.QUEUED, Status.ASSIGNED, Status.RESOLVED)
            assert await History(self.desk).waiting_for_the_bot(*with_people) == []
            self.statuses = {}
            for conversation in sorted(await History(self.desk).conversations(), key=lambda found: found.opened_at):
                self.statuses[conversation.address.contact] = conversation.status
                if conversation.status is Status.ASSIGNED:
                    assert conversation.agent_id is not None
                elif conversation.status is not Status.RESOLVED:
                    assert conversation.agent_id is None

        self.do(check())


def run(place: str, examples: int, steps: int) -> None:
    machine = type("PromisesHere", (Promises,), {"place": place})
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=examples,
            stateful_step_count=steps,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )


def test_the_promises_hold_on_sqlite(sqlite_template: Path) -> None:
    run(str(sqlite_template), examples=12, steps=50)


def test_the_promises_hold_on_postgresql(postgres_schema: str) -> None:
    run(postgres_schema, examples=2, steps=40)
