"""Episodes of the bot and of people, and what contacts say about them: asked once, late, corrected, refused."""

from __future__ import annotations

from datetime import timedelta

import pytest

from conversations.audit_check import verify
from conversations.episodes import Episode, RatingRules, Resolution
from conversations.errors import AlreadyRated, InvalidMessage, NotFound, RatingClosed
from conversations.model import Address, InboundMessage, Message, MessageKind, Status, new_id
from conversations.store import Database
from tests.conversations.builders import LIN, MAX, Clock, TestDesk, address, last_rating, says


async def kinds(desk: TestDesk, conversation_id: str) -> list[tuple[str, str | None, str | None]]:
    """Kind, credited agent and end of each episode."""
    found = await desk.conversations.episodes(conversation_id)
    return [(one.kind.value, one.agent.name if one.agent else None, one.ended_by) for one in found]


async def request_of(desk: TestDesk, conversation_id: str) -> Message:
    messages = await desk.conversations.messages(conversation_id)
    [request] = [message for message in messages if message.kind is MessageKind.RATING_REQUEST]
    return request


async def resolved(desk: TestDesk, contact: str = "visitor-1") -> str:
    """A conversation with an agent that was resolved, with the request for a rating."""
    conversation_id = await desk.assigned(LIN, contact)
    await desk.conversations.resolve(conversation_id, LIN)
    return conversation_id


async def last_episode(desk: TestDesk, conversation_id: str) -> Episode:
    return (await desk.conversations.episodes(conversation_id))[-1]


async def on_the_page(desk: TestDesk) -> tuple[Address, str]:
    """A conversation on the web page that an agent took from the bot and resolved."""
    here = Address("webchat", "default", "visitor-1")
    first = await desk.conversations.receive(InboundMessage(here, new_id(), "hello", language="en"))
    await desk.answer()
    await desk.conversations.assign(first.conversation_id, LIN)
    await desk.conversations.resolve(first.conversation_id, LIN)
    return here, first.conversation_id


# -- episodes


async def test_the_bot_and_people_have_an_episode_each(desk: TestDesk) -> None:
    conversation_id = await desk.assigned(LIN)
    assert await kinds(desk, conversation_id) == [("bot", None, "handoff"), ("human", "Lin", None)]
    await desk.conversations.resolve(conversation_id, LIN)
    assert (await kinds(desk, conversation_id))[1] == ("human", "Lin", "resolved")


async def test_agents_who_pass_it_on_share_one_episode_and_the_last_is_credited(desk: TestDesk) -> None:
    conversation_id = await desk.assigned(LIN)
    await desk.conversations.agent_seen(MAX.id, MAX.name)
    await desk.conversations.transfer(conversation_id, LIN, MAX)
    await desk.conversations.requeue(conversation_id, MAX)
    await desk.conversations.assign(conversation_id, LIN)
    episode = await last_episode(desk, conversation_id)
    assert [agent.name for agent in episode.agents] == ["Max", "Lin"]
    assert len(await kinds(desk, conversation_id)) == 2


async def test_giving_back_to_the_bot_begins_another_episode(desk: TestDesk) -> None:
    conversation_id = await desk.assigned(LIN)
    await desk.conversations.release(conversation_id, LIN)
    assert await kinds(desk, conversation_id) == [
        ("bot", None, "handoff"),
        ("human", "Lin", "released"),
        ("bot", None, None),
    ]


async def test_waiting_in_vain_is_no_resolution_of_the_bot(desk: TestDesk) -> None:
    conversation_id = await desk.queued()
    await desk.conversations.resolve(conversation_id, LIN)
    assert await kinds(desk, conversation_id) == [("bot", None, "handoff")]
    assert (await last_episode(desk, conversation_id)).resolution is None
    assert await request_of(desk, conversation_id)


async def test_an_undone_merge_goes_on_with_the_same_episode(desk: TestDesk) -> None:
    source, target = await desk.queued(contact="bo"), await desk.assigned(LIN, contact="ann")
    await desk.conversations.merge(source, target, LIN)
    assert await kinds(desk, source) == [("bot", None, "merged")]
    await desk.conversations.undo_merge(source, LIN)
    assert await kinds(desk, source) == [("bot", None, None)]


async def test_an_episode_is_about_the_task_the_bot_worked_on(desk: TestDesk) -> None:
    receipt = await desk.send("where is it?")
    task = says("on its way")
    task.trace.update(intent="order_status", route="task")
    await desk.answer(task)
    await desk.conversations.resolve(receipt.conversation_id, LIN)
    assert (await last_episode(desk, receipt.conversation_id)).intent == "order_status"


# -- asking


async def test_a_page_asks_about_both_and_both_are_kept_apart(desk: TestDesk) -> None:
    here, conversation_id = await on_the_page(desk)
    request = await request_of(desk, conversation_id)
    assert request.asks == {
        "episodes": [{"kind": "human", "agent_name": "Lin"}, {"kind": "bot", "agent_name": None}],
        "nps": False,
    }
    await desk.conversations.rate(here, conversation_id, 5, "kind", solved=True, other_score=2)
    bot, human = await desk.conversations.episodes(conversation_id)
    assert bot.rating is not None
    assert human.rating is not None
    assert (bot.rating.score, bot.rating.comment) == (2, "")
    assert (human.rating.score, human.rating.comment, human.rating.solved) == (5, "kind", True)


async def test_a_messaging_app_asks_about_the_last_episode_only(desk: TestDesk) -> None:
    conversation_id = await resolved(desk)
    bot, human = await desk.conversations.episodes(conversation_id)
    assert (bot.asked_at, human.asked_at is not None) == (None, True)


async def test_an_agent_may_resolve_without_asking(desk: TestDesk) -> None:
    conversation_id = await desk.assigned(LIN)
    await desk.conversations.resolve(conversation_id, LIN, ask=False)
    assert "now closed" in (await desk.last(conversation_id)).text
    with pytest.raises(NotFound):
        await desk.conversations.rate(address(), conversation_id, 5)
    assert (await desk.send("5")).conversation_id != conversation_id  # nobody asked for a number


async def test_who_declines_is_never_asked_again(desk: TestDesk) -> None:
    conversation_id = await resolved(desk)
    declined = await desk.send("Don't ask me again.")
    assert declined.conversation_id == conversation_id
    assert "won't ask you" in (await desk.last(conversation_id)).text
    desk.clock.advance(100_000)
    again = await desk.assigned(LIN)
    await desk.conversations.resolve(again, LIN)
    kinds_said = [message.kind for message in await desk.conversations.messages(again)]
    assert MessageKind.RATING_REQUEST not in kinds_said


async def test_who_went_quiet_is_asked_only_if_the_settings_say_so(database: Database, clock: Clock) -> None:
    desk = TestDesk(database, clock, ratings=RatingRules(ask_when_idle=False))
    receipt = await desk.send("hello")
    await desk.answer()
    desk.clock.advance(4000)
    assert await desk.conversations.resolve_idle(3600) == 1
    kinds_said = [message.kind for message in await desk.conversations.messages(receipt.conversation_id)]
    assert MessageKind.RATING_REQUEST not in kinds_said


async def test_recommending_is_asked_for_only_if_the_settings_say_so(database: Database, clock: Clock) -> None:
    desk = TestDesk(database, clock, ratings=RatingRules(ask_nps=True))
    conversation_id = await resolved(desk)
    request = await request_of(desk, conversation_id)
    assert "5 recommend 9" in request.text
    assert request.asks is not None
    assert request.asks["nps"] is True
    await desk.send("5 recommend 9")
    rating = await last_rating(desk.conversations, conversation_id)
    assert rating is not None
    assert (rating.score, rating.nps) == (5, 9)


# -- answers


@pytest.mark.parametrize("hours", [0, 71])
async def test_an_answer_in_words_counts_and_opens_nothing(desk: TestDesk, hours: int) -> None:
    conversation_id = await resolved(desk)
    desk.clock.advance(hours * 3600)
    assert (await desk.send("4 stars, solved")).conversation_id == conversation_id
    episode = await last_episode(desk, conversation_id)
    assert episode.rating is not None
    assert (episode.rating.score, episode.rating.solved) == (4, True)
    assert "Thank you for your rating" in (await desk.last(conversation_id)).text
    assert (await verify(desk.database, [])).exit_code == 0


async def test_after_three_days_a_number_is_an_ordinary_message(desk: TestDesk) -> None:
    conversation_id = await resolved(desk)
    request = await request_of(desk, conversation_id)
    desk.clock.advance(72 * 3600 + 1)
    with pytest.raises(RatingClosed):
        await desk.conversations.rate(address(), conversation_id, 5)
    pressed = await desk.send("", button_id=request.buttons[0].id)
    assert pressed.conversation_id == conversation_id  # a button opens nothing, however late
    assert "over" in (await desk.last(conversation_id)).text
    assert (await desk.send("2")).conversation_id != conversation_id
    assert (await last_episode(desk, conversation_id)).rating is None


async def test_a_number_answers_what_was_asked_last(desk: TestDesk) -> None:
    conversation_id = await resolved(desk)
    receipt = await desk.send("one more thing")
    await desk.answer()
    assert receipt.conversation_id != conversation_id
    assert (await desk.send("2")).conversation_id == receipt.conversation_id
    assert (await last_episode(desk, conversation_id)).rating is None


@pytest.mark.parametrize("text", ["thanks", "ok", "12", "5 items are missing", "is it solved?"])
async def test_what_is_no_rating_opens_a_conversation(desk: TestDesk, text: str) -> None:
    conversation_id = await resolved(desk)
    assert (await desk.send(text)).conversation_id != conversation_id


async def test_a_correction_replaces_the_score_for_ten_minutes(desk: TestDesk) -> None:
    conversation_id = await resolved(desk)
    await desk.send("5")
    desk.clock.advance(500)
    assert (await desk.send("2")).conversation_id == conversation_id
    rating = await last_rating(desk.conversations, conversation_id)
    assert rating is not None
    assert rating.score == 2
    assert rating.corrected_at is not None
    assert rating.corrected_at - rating.rated_at > timedelta(seconds=499)
    desk.clock.advance(200)
    with pytest.raises(AlreadyRated):
        await desk.conversations.rate(address(), conversation_id, 1)
    assert (await desk.send("1")).conversation_id != conversation_id
    assert (await verify(desk.database, [])).exit_code == 0


async def test_a_kind_word_after_the_rating_is_no_correction(desk: TestDesk) -> None:
    conversation_id = await resolved(desk)
    await desk.send("5")
    assert (await desk.send("good")).conversation_id != conversation_id
    rating = await last_rating(desk.conversations, conversation_id)
    assert rating is not None
    assert rating.score == 5


async def test_the_same_answer_sent_again_changes_nothing(desk: TestDesk) -> None:
    conversation_id = await resolved(desk)
    await desk.conversations.rate(address(), conversation_id, 4, "fine")
    said = len(await desk.said(conversation_id))
    await desk.conversations.rate(address(), conversation_id, 4, "fine")
    assert len(await desk.said(conversation_id)) == said


async def test_who_pressed_a_button_is_asked_whether_it_was_solved(desk: TestDesk) -> None:
    conversation_id = await resolved(desk)
    request = await request_of(desk, conversation_id)
    await desk.send("", button_id=request.buttons[2].id)
    question = await desk.last(conversation_id)
    assert [button.title for button in question.buttons] == ["Solved", "Not solved"]
    await desk.send("", button_id=question.buttons[0].id)
    episode = await last_episode(desk, conversation_id)
    assert episode.rating is not None
    assert (episode.rating.score, episode.resolution) == (3, Resolution.VERIFIED)


@pytest.mark.parametrize("text", ["1", "Talk to a person"])
async def test_who_was_not_helped_is_offered_a_person_and_gets_one_by_asking(desk: TestDesk, text: str) -> None:
    conversation_id = await resolved(desk)
    await desk.send("not solved")
    assert "isn't solved yet" in (await desk.last(conversation_id)).text
    assert (await desk.conversations.get_conversation(conversation_id)).status is Status.RESOLVED  # not by itself
    asks = await desk.send(text)
    assert asks.conversation_id != conversation_id
    [claim] = await desk.conversations.claim_turns(10)
    assert claim.payload == "/handoff"


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        ("5", Resolution.VERIFIED),
        ("4", Resolution.VERIFIED),
        ("3", Resolution.ASSUMED),
        ("1 solved", Resolution.VERIFIED),
        ("5 not solved", Resolution.REFUTED),
        ("not solved", Resolution.REFUTED),
        (None, Resolution.ASSUMED),
    ],
)
async def test_a_resolution_is_verified_only_by_the_contact(
    desk: TestDesk, answer: str | None, expected: Resolution
) -> None:
    conversation_id = await resolved(desk)
    if answer is not None:
        await desk.send(answer)
    bot, human = await desk.conversations.episodes(conversation_id)
    assert (bot.resolution, human.resolution) == (None, expected)


@pytest.mark.parametrize(("name", "value"), [("score", 0), ("score", 6), ("nps", 11), ("other_score", 9)])
async def test_figures_out_of_range_are_refused(desk: TestDesk, name: str, value: int) -> None:
    conversation_id = await resolved(desk)
    answer: dict[str, int] = {"score": 3, name: value}
    with pytest.raises(InvalidMessage):
        await desk.conversations.rate(address(), conversation_id, answer.pop("score"), **answer)  # type: ignore[arg-type]


async def test_erasing_a_contact_keeps_the_score_without_the_words(desk: TestDesk) -> None:
    conversation_id = await resolved(desk)
    await desk.conversations.rate(address(), conversation_id, 2, "my name is Ann")
    contact_id = (await desk.conversations.get_conversation(conversation_id)).contact_id
    await desk.conversations.erase_contact(contact_id, LIN)
    rating = await last_rating(desk.conversations, conversation_id)
    assert rating is not None
    assert (rating.score, rating.comment) == (2, "")


async def test_a_clock_set_back_neither_loses_nor_repeats_an_answer(desk: TestDesk) -> None:
    conversation_id = await resolved(desk)
    desk.clock.advance(-7200)
    assert (await desk.send("5")).conversation_id == conversation_id
    rating = await last_rating(desk.conversations, conversation_id)
    assert rating is not None
    assert rating.score == 5
