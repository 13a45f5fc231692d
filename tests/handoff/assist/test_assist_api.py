"""What an agent is offered, who may ask for it, and what is kept of it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from conversations.model import Agent
from conversations.turn_model import Reply, TurnResult
from handoff.roles import Role
from tests.handoff.assist.scenes import Bot, asks_agent, assisted_desk, handed_off, resolved, says
from tests.handoff.desk import Browser, Desk

MAX = Agent("f" * 32, "Max")


@pytest.fixture
def bot() -> Bot:
    return Bot()


@pytest.fixture
async def desk(tmp_path: Path, bot: Bot) -> AsyncIterator[Desk]:
    async with assisted_desk(tmp_path, try_out=bot) as desk:
        yield desk


async def look(browser: Browser, conversation_id: str) -> dict[str, Any]:
    response = await browser.get(f"conversations/{conversation_id}/assist")
    assert response.status_code == 200, response.text
    form: dict[str, Any] = response.json()
    return form


async def index(desk: Desk) -> None:
    assert desk.side.assist is not None
    await desk.side.assist.precedents.catch_up()


async def test_what_is_resolved_while_the_index_catches_up_is_put_in_at_once(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert desk.side.assist is not None
    precedents = desk.side.assist.precedents
    lin = await desk.browser("Lin")
    forget, late = precedents._store.forget_words, list[str]()

    async def forget_words(before: datetime) -> None:
        if not late:  # the look for what is missing is over, the waiting has not begun
            late.append(await resolved(desk, lin.member.agent, "a", "The box is soaked", ["Send us a photo, please."]))
            await asyncio.sleep(0.1)  # the news of it is heard
        await forget(before)

    monkeypatch.setattr(precedents._store, "forget_words", forget_words)
    await precedents.start()
    form = await precedents._digests.current_form()
    async with asyncio.timeout(10):
        while not late or await precedents._store.without_digest(form, 10):  # noqa: ASYNC110
            await asyncio.sleep(0.05)
    await precedents.stop()


async def test_the_best_passages_come_with_source_and_score(desk: Desk) -> None:
    lin = await desk.browser("Lin")
    found = await look(lin, await asks_agent(desk, lin, "a", "When will my parcel arrive?"))
    best = found["passages"][0]
    assert best["article_id"] == "delivery"
    assert best["url"].startswith("/kb/en/delivery#")
    assert 0 < best["score"] <= 1
    assert best["text"] == "Parcels arrive within three days."
    assert [one["key"] for one in found["passages"]] == list(range(3, 3 + len(found["passages"])))
    assert found["requests"] == ["When will my parcel arrive?"]
    assert found["took_ms"] > 0


async def test_the_suggestion_quotes_the_best_article_and_says_so(desk: Desk) -> None:
    lin = await desk.browser("Lin")
    found = await look(lin, await asks_agent(desk, lin, "a", "When will my parcel arrive?"))
    suggestion = found["suggestion"]
    assert suggestion["text"] == "Parcels arrive within three days."
    assert suggestion["origin"] == "article"
    assert suggestion["citations"][0]["article_id"] == "delivery"
    assert suggestion["key"] == 1


async def test_an_internal_article_is_marked_and_never_suggested(desk: Desk) -> None:
    lin = await desk.browser("Lin")
    found = await look(lin, await asks_agent(desk, lin, "a", "the lens of my camera is scratched"))
    (internal,) = [one for one in found["passages"] if one["article_id"] == "goodwill"]
    assert internal["internal"] is True
    assert internal["citations"] == []
    assert "k=" not in internal["url"]
    assert found["suggestion"] is None or "goodwill" not in str(found["suggestion"])
    assert all(not one["internal"] for one in found["passages"] if one["article_id"] != "goodwill")


async def test_similar_conversations_say_how_they_ended(desk: Desk) -> None:
    lin = await desk.browser("Lin")
    told = "We send a lost parcel again free of charge, please allow ten days."
    settled = await resolved(
        desk, MAX, "x", "my parcel is lost, it never came", ["Hello!", told, "You are welcome."], score=5
    )
    await resolved(desk, MAX, "y", "how do I clean the lamp shade", ["Use a soft dry cloth on the lamp shade."])
    await index(desk)
    found = await look(lin, await asks_agent(desk, lin, "a", "my parcel never came, is it lost?"))
    (similar,) = [one for one in found["similar"] if one["conversation_id"] == settled]
    assert found["similar"][0] == similar
    assert similar["replies"] == [told]
    assert similar["rating"] == 5
    assert similar["resolved_by"] == "agent"
    assert similar["agent_name"] == "Max"
    assert similar["resolved_at"]
    assert similar["key"] == 6
    assert len(found["similar"]) == 1


async def test_at_most_three_similar_conversations_are_shown_and_never_the_own_one(desk: Desk) -> None:
    lin = await desk.browser("Lin")
    for number in range(5):
        await resolved(desk, MAX, f"x{number}", "my parcel never came", [f"Reply number {number} about lost parcels."])
    await index(desk)
    own = await asks_agent(desk, lin, "a", "my parcel never came")
    found = await look(lin, own)
    assert len(found["similar"]) == 3
    await desk.conversations.resolve(own, lin.member.agent)
    await index(desk)
    assert own not in {one["conversation_id"] for one in (await look(lin, own))["similar"]}


async def test_what_colleagues_agree_on_is_suggested_when_no_article_says_it(desk: Desk) -> None:
    lin = await desk.browser("Lin")
    for contact in "xy":
        await resolved(
            desk, MAX, contact, "can I get the garden gnome painted in purple colour",
            ["Yes, we paint the garden gnome in purple colour for free."], score=5,
        )  # fmt: skip
    await index(desk)
    found = await look(lin, await asks_agent(desk, lin, "a", "can I get the garden gnome painted in purple colour"))
    suggestion = found["suggestion"]
    assert suggestion["origin"] == "conversations"
    assert len(suggestion["because"]) == 2
    assert suggestion["text"] == "Yes, we paint the garden gnome in purple colour for free."
    assert suggestion["citations"] == []


async def test_the_bots_own_answer_comes_with_its_confidence(desk: Desk, bot: Bot) -> None:
    lin = await desk.browser("Lin")
    conversation_id = await asks_agent(desk, lin, "a", "When will my parcel arrive?")
    await desk.contact_writes("and does it cost anything", "a")
    response = await lin.get(f"conversations/{conversation_id}/assist/bot")
    made = response.json()["bot"]
    assert (made["state"], made["text"]) == ("would", "Parcels arrive within three days.")
    assert (made["confidence"], made["score"], made["intent"]) == (0.91, 0.8, "ask_knowledge")
    assert made["key"] == 2
    assert made["id"]
    assert bot.asked == ["and does it cost anything"]


async def test_what_the_bot_did_say_is_not_tried_again(desk: Desk, bot: Bot) -> None:
    lin = await desk.browser("Lin", Role.SUPERVISOR)
    conversation_id = await says(desk, "a", "When will my parcel arrive?")
    made = (await lin.get(f"conversations/{conversation_id}/assist/bot")).json()["bot"]
    assert (made["state"], made["text"], made["intent"]) == ("said", "Let me see.", "ask_knowledge")
    assert bot.asked == []


async def test_a_task_is_told_as_far_as_nothing_is_written(desk: Desk, bot: Bot) -> None:
    lin = await desk.browser("Lin")
    conversation_id = await asks_agent(desk, lin, "a", "cancel my order")
    await desk.contact_writes("2468", "a")
    bot.answer = TurnResult(
        (), {"intent": "cancel_order", "confidence": 0.99, "route": "task", "would": ["verify_last4"]}
    )
    made = (await lin.get(f"conversations/{conversation_id}/assist/bot")).json()["bot"]
    assert made["would"] == ["verify_last4"]
    assert made["text"] == ""
    assert made["id"] is None


async def test_a_bot_that_is_away_takes_nothing_else_with_it(tmp_path: Path) -> None:
    async with assisted_desk(tmp_path) as desk:
        lin = await desk.browser("Lin")
        conversation_id = await asks_agent(desk, lin, "a", "When will my parcel arrive?")
        await desk.contact_writes("hello?", "a")
        assert (await lin.get(f"conversations/{conversation_id}/assist/bot")).json()["bot"]["state"] == "unavailable"
        assert (await look(lin, conversation_id))["passages"]


@pytest.mark.parametrize("path", ["assist", "assist/bot", "assist/phrased"])
async def test_trainers_do_not_answer_and_are_not_assisted(desk: Desk, path: str) -> None:
    trainer = await desk.browser("Tess", Role.TRAINER)
    conversation_id = await desk.queued()
    assert (await trainer.get(f"conversations/{conversation_id}/{path}")).status_code == 403
    lin = await desk.browser("Lin")
    assert (await lin.get(f"conversations/{'0' * 32}/{path}")).status_code == 404


async def test_without_a_model_nothing_is_phrased_and_the_suggestion_stays(desk: Desk) -> None:
    lin = await desk.browser("Lin")
    conversation_id = await asks_agent(desk, lin, "a", "When will my parcel arrive?")
    response = await lin.get(f"conversations/{conversation_id}/assist/phrased")
    assert (response.status_code, response.json()["error"]["code"]) == (404, "no_model")
    assert (await look(lin, conversation_id))["model"] is None


async def test_a_contact_who_only_said_hello_gets_nothing_made_up(desk: Desk) -> None:
    lin = await desk.browser("Lin")
    conversation_id = await handed_off(desk, "a")
    await desk.conversations.assign(conversation_id, lin.member.agent)
    found = await look(lin, conversation_id)
    assert (found["passages"], found["similar"], found["suggestion"]) == ([], [], None)


async def test_the_request_before_the_courtesies_is_looked_up(desk: Desk) -> None:
    lin = await desk.browser("Lin")
    conversation_id = await asks_agent(desk, lin, "a", "When will my parcel arrive?")
    for courtesy in ("hello?", "KT20261234", "ok thanks"):
        await desk.contact_writes(courtesy, "a")
    assert (await look(lin, conversation_id))["passages"][0]["article_id"] == "delivery"


async def test_colleagues_who_see_the_same_share_one_computation(desk: Desk) -> None:
    lin = await desk.browser("Lin")
    overseers = [await desk.browser(name, Role.SUPERVISOR) for name in ("Sam", "Ines")]
    conversation_id = await asks_agent(desk, lin, "a", "When will my parcel arrive?")
    both = await asyncio.gather(*(look(one, conversation_id) for one in (lin, *overseers)))
    assert desk.side.assist is not None
    assert desk.side.assist.desk.looks.started == 2, "one for the agent's own sight, one for both supervisors"
    assert both[0]["passages"][0]["text"] == both[1]["passages"][0]["text"]
    assert both[0]["suggestion"]["id"]
    assert both[1]["suggestion"]["id"] is None  # Sam cannot answer, so nothing is counted


async def test_nothing_is_computed_for_a_conversation_nobody_looks_at(desk: Desk, bot: Bot) -> None:
    lin = await desk.browser("Lin")
    async with lin.live() as live:
        await live.next("ready")
        await asks_agent(desk, lin, "a", "When will my parcel arrive?")
        await desk.contact_writes("is anybody there to answer", "a")
    assert desk.side.assist is not None
    assert desk.side.assist.desk.looks.started == 0
    assert bot.asked == []


async def test_a_reply_in_chinese_is_suggested_to_a_chinese_contact(desk: Desk) -> None:
    lin = await desk.browser("Lin")
    found = await look(lin, await asks_agent(desk, lin, "a", "退款多久到账？", "zh"))
    assert found["language"] == "zh"
    assert found["suggestion"]["text"].startswith("退款在三个工作日内")
    assert found["suggestion"]["language"] == "zh"


async def test_nothing_is_suggested_in_a_language_the_contact_did_not_write(desk: Desk) -> None:
    lin = await desk.browser("Lin")
    for contact in "xy":
        await resolved(desk, MAX, contact, "garden gnome purple colour", ["Yes, we paint the gnome purple."], score=5)
    await index(desk)
    found = await look(lin, await asks_agent(desk, lin, "a", "请问 garden gnome purple colour 可以定制吗", "zh"))
    assert found["suggestion"] is None or found["suggestion"]["language"] == "zh"


async def test_the_answer_of_a_bot_may_hand_off(desk: Desk, bot: Bot) -> None:
    lin = await desk.browser("Lin")
    conversation_id = await asks_agent(desk, lin, "a", "When will my parcel arrive?")
    await desk.contact_writes("qwertz uiop", "a")
    bot.answer = TurnResult((Reply("A person takes over.", handoff="two_misses"),), {"route": "handoff"})
    made = (await lin.get(f"conversations/{conversation_id}/assist/bot")).json()["bot"]
    assert made["handoff"] == "two_misses"
