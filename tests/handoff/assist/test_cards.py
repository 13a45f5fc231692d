"""What agents make of the cards: inserted, edited, rejected, ignored; and the report that counts it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from conversations.conversations import Conversations
from conversations.model import Address, utc_now
from conversations.store import Database
from handoff.assist.assist_store import AssistStore, Card, Decision, Shown
from handoff.assist.card_book import decision_of
from handoff.roles import Role
from tests.handoff.assist.scenes import Bot, asks_agent, assisted_desk
from tests.handoff.desk import Browser, Desk

QUESTION = "When will my parcel arrive?"


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Desk]:
    async with assisted_desk(tmp_path, try_out=Bot()) as desk:
        yield desk


async def looked(desk: Desk, browser: Browser, contact: str = "a") -> tuple[str, dict[str, Any]]:
    conversation_id = await asks_agent(desk, browser, contact, QUESTION)
    return conversation_id, (await browser.get(f"conversations/{conversation_id}/assist")).json()


async def replies(browser: Browser, conversation_id: str, text: str, *cards: str, **more: Any) -> dict[str, Any]:
    body = {
        "text": text,
        "client_msg_id": f"m-{text[:20].replace(' ', '-').strip('.!?')}",
        "assist": [{"id": one} for one in cards],
    }
    response = await browser.post(f"conversations/{conversation_id}/reply", body | more)
    assert response.status_code == 201, response.text
    message: dict[str, Any] = response.json()["message"]
    return message


async def report(desk: Desk) -> dict[str, Any]:
    boss = await desk.browser("Boss", Role.SUPERVISOR)
    form: dict[str, Any] = (await boss.get("assist/report", days=7)).json()
    return form


def of_kind(form: dict[str, Any], kind: str) -> dict[str, Any]:
    return next(one for one in form["by_kind"] if one["kind"] == kind)


async def test_a_suggestion_sent_as_it_is_counts_as_unchanged_and_brings_its_source(desk: Desk) -> None:
    lin = await desk.browser("Lin")
    conversation_id, found = await looked(desk, lin)
    card = found["suggestion"]
    assert (await lin.post(f"conversations/{conversation_id}/assist/{card['id']}/inserted")).status_code == 200
    desk.clock.forward(seconds=12)
    message = await replies(lin, conversation_id, card["text"], card["id"])
    assert [one["article_id"] for one in message["citations"]] == ["delivery"]
    seen = await desk.conversations.transcript(Address("web", "default", "a"))
    assert seen[-1].citations[0].url.startswith("/kb/en/delivery#")
    counts = of_kind(await report(desk), "suggestion")
    assert (counts["shown"], counts["inserted"], counts["unchanged"], counts["acceptance"]) == (1, 1, 1, 1.0)
    assert counts["seconds_to_sent"] >= 12


async def test_an_edited_suggestion_tells_how_much_was_edited(desk: Desk) -> None:
    lin = await desk.browser("Lin")
    conversation_id, found = await looked(desk, lin)
    card = found["suggestion"]
    await replies(lin, conversation_id, card["text"] + " Have a nice day!", card["id"])
    counts = of_kind(await report(desk), "suggestion")
    assert counts["edited"] == 1
    assert 0.2 < counts["edit_distance"] < 0.5


async def test_another_answer_means_that_the_cards_were_ignored(desk: Desk) -> None:
    lin = await desk.browser("Lin")
    conversation_id, found = await looked(desk, lin)
    message = await replies(lin, conversation_id, "I will look into it.")
    assert message["citations"] == []
    form = await report(desk)
    assert form["total"]["ignored"] == form["total"]["shown"] == 1 + len(found["passages"])
    assert form["total"]["acceptance"] == 0.0
    assert form["replies"] == {"answered": 1, "with_assist": 0, "share": 0.0}


async def test_a_rejection_keeps_its_reason_and_is_not_ignored_as_well(desk: Desk) -> None:
    lin = await desk.browser("Lin")
    conversation_id, found = await looked(desk, lin)
    path = f"conversations/{conversation_id}/assist/{found['suggestion']['id']}/rejected"
    assert (await lin.post(path, {"reason": "outdated"})).status_code == 200
    assert (await lin.post(path, {"reason": "because"})).status_code == 400
    await replies(lin, conversation_id, "Something else.")
    counts = of_kind(await report(desk), "suggestion")
    assert (counts["rejected"], counts["ignored"], counts["reasons"]) == (1, 0, {"outdated": 1})


async def test_the_source_can_be_left_out(desk: Desk) -> None:
    lin = await desk.browser("Lin")
    conversation_id, found = await looked(desk, lin)
    card = found["suggestion"]
    message = await replies(lin, conversation_id, card["text"], assist=[{"id": card["id"], "cite": False}])
    assert message["citations"] == []
    assert of_kind(await report(desk), "suggestion")["unchanged"] == 1


def test_two_cards_in_one_reply_are_each_compared_with_their_part() -> None:
    def shown(text: str) -> Shown:
        at = utc_now()
        return Shown("1" * 32, "c", 1, "a", "passage", "p", 3, text, (), None, None, at, None, None, None, None, None)

    reply = "Parcels arrive within three days. A lost parcel is sent again after a week."
    assert decision_of(shown("Parcels arrive within three days."), reply, alone=False).outcome == "unchanged"
    edited = decision_of(shown("A lost parcel is sent again after 10 days."), reply, alone=False)
    assert edited.outcome == "edited"
    assert edited.distance is not None
    assert 0 < edited.distance < 0.4


async def test_a_card_of_somebody_else_cannot_be_used(desk: Desk) -> None:
    lin, sam = await desk.browser("Lin"), await desk.browser("Sam")
    conversation_id, found = await looked(desk, lin)
    other = await asks_agent(desk, sam, "b", QUESTION)
    card = found["suggestion"]["id"]
    assert (await sam.post(f"conversations/{other}/assist/{card}/inserted")).status_code == 404
    assert (
        await sam.post(f"conversations/{conversation_id}/assist/{card}/rejected", {"reason": "wrong"})
    ).status_code == 404
    message = await replies(sam, other, "Parcels arrive within three days.", card)
    assert message["citations"] == []
    assert of_kind(await report(desk), "suggestion")["open"] == 1


async def test_looking_again_shows_the_same_card_once(desk: Desk) -> None:
    lin = await desk.browser("Lin")
    conversation_id, found = await looked(desk, lin)
    again = (await lin.get(f"conversations/{conversation_id}/assist")).json()
    assert again["suggestion"]["id"] == found["suggestion"]["id"]
    assert (await report(desk))["total"]["shown"] == 1 + len(found["passages"])


async def test_a_reply_sent_twice_is_counted_once(desk: Desk) -> None:
    lin = await desk.browser("Lin")
    conversation_id, found = await looked(desk, lin)
    card = found["suggestion"]
    for _ in range(2):
        await replies(lin, conversation_id, card["text"], card["id"])
    assert of_kind(await report(desk), "suggestion")["unchanged"] == 1


async def test_the_words_of_a_card_are_forgotten_once_its_fate_is_known(desk: Desk) -> None:
    lin = await desk.browser("Lin")
    conversation_id, found = await looked(desk, lin)
    await replies(lin, conversation_id, found["suggestion"]["text"], found["suggestion"]["id"])
    store = AssistStore(desk.database)
    kept = await store.find([found["suggestion"]["id"]], conversation_id, lin.member.id)
    assert kept[0].text is None


async def test_uses_and_rejections_are_in_the_audit_chain(desk: Desk) -> None:
    lin = await desk.browser("Lin")
    conversation_id, found = await looked(desk, lin)
    await lin.post(f"conversations/{conversation_id}/assist/{found['passages'][0]['id']}/rejected", {"reason": "wrong"})
    await replies(lin, conversation_id, found["suggestion"]["text"], found["suggestion"]["id"])
    from sqlalchemy import text

    async with desk.database.read() as connection:
        bodies = " ".join((await connection.execute(text("SELECT body FROM audit_entries"))).scalars())
    assert '"assist_rejected"' in bodies
    assert '"assist_used"' in bodies


@pytest.mark.parametrize(("role", "status"), [
    (Role.AGENT, 403), (Role.TRAINER, 200), (Role.SUPERVISOR, 200), (Role.ADMIN, 200),
])  # fmt: skip
async def test_the_report_is_for_those_who_look_after_quality(desk: Desk, role: Role, status: int) -> None:
    someone = await desk.browser("Someone", role)
    assert (await someone.get("assist/report")).status_code == status
    if status == 200:
        assert (await someone.get("assist/report", days=0)).status_code == 400


async def test_the_report_names_agents_and_measures_the_wait(desk: Desk) -> None:
    lin = await desk.browser("Lin")
    await looked(desk, lin)
    form = await report(desk)
    assert [one["name"] for one in form["by_agent"]] == ["Lin"]
    assert form["took_ms"]["p95"] >= form["took_ms"]["p50"] > 0
    assert form["digests"] == {"held": 0, "resolved": 0}


# -- the store on both databases


CARDS = [
    Card("suggestion", "article:a", 1, "Three days."),
    Card("passage", "p1", 3, "Within three days.", ({"url": "/x"},)),
]


async def test_cards_are_kept_decided_and_erased(database: Database, store: object) -> None:
    from handoff.assist.assist_store import erase
    from tests.conversations.builders import Clock

    kept, now = AssistStore(database), Clock()
    ids = await kept.show("c" * 32, "k" * 32, 4, "a" * 32, CARDS, now())
    assert await kept.show("c" * 32, "k" * 32, 4, "a" * 32, CARDS, now()) == ids
    assert {one.source for one in await kept.undecided("c" * 32, "a" * 32)} == {"article:a", "p1"}
    await kept.note_insertion(ids[0], now())
    await kept.decide([Decision(ids[0], "edited", 0.25), Decision(ids[1], "ignored")], "m" * 32, now())
    assert not await kept.reject(ids[1], "wrong", now())
    (edited, ignored) = sorted(await kept.shown_since(now().replace(year=2000), 10), key=lambda one: one.place)
    assert (edited.outcome, edited.distance, edited.text) == ("edited", 0.25, None)
    assert edited.inserted_at is not None
    assert (ignored.outcome, ignored.citations) == ("ignored", ())
    (later,) = await kept.show("d" * 32, "k" * 32, 1, "a" * 32, CARDS[:1], now())
    await kept.forget_words(now().replace(year=2000))
    assert (await kept.find([later], "d" * 32, "a" * 32))[0].text == "Three days."
    await kept.forget_words(now())
    assert (await kept.find([later], "d" * 32, "a" * 32))[0].text is None
    async with database.write() as connection:
        await erase(connection, "k" * 32)
    assert await kept.shown_since(now().replace(year=2000), 10) == []


async def test_digests_follow_the_form_and_the_erasure(database: Database, store: object) -> None:
    from conversations.audit import AuditLog
    from conversations.hub import LocalHub
    from handoff.assist.assist_store import erase
    from tests.conversations.builders import LIN, Clock, TestDesk

    desk = TestDesk(database, Clock(), audit=AuditLog(b"k" * 32))
    conversations: Conversations = desk.conversations
    assert isinstance(desk.hub, LocalHub)
    conversations.erases_too.append(erase)
    kept = AssistStore(database)
    conversation_id = await desk.assigned()
    assert await kept.without_digest("f1", 10) == []
    await conversations.resolve(conversation_id, LIN)
    assert await kept.without_digest("f1", 10) == [conversation_id]
    contact = (await conversations.get_conversation(conversation_id)).contact_id
    assert await kept.note_digest(conversation_id, contact, "f1", "handoff", desk.clock())
    assert await kept.without_digest("f1", 10) == []
    assert await kept.without_digest("f2", 10) == [conversation_id], "another encoder wants it again"
    assert await kept.note_digest(conversation_id, contact, "f2", "handoff", desk.clock())
    assert await kept.digest_counts("f2") == (1, 1)
    await conversations.rate((await conversations.get_conversation(conversation_id)).address, conversation_id, 4, "")
    assert (await kept.how_they_ended("f2", [conversation_id]))[conversation_id].rating == 4
    await conversations.erase_contact(contact, LIN)
    assert await kept.how_they_ended("f2", [conversation_id]) == {}
    assert await kept.erased_digests("f1", 10) == [conversation_id]
    assert await kept.erased_digests("f2", 10) == [conversation_id]
    assert not await kept.note_digest(conversation_id, contact, "f2", "handoff", desk.clock())
    await kept.forget_digests("f2", [conversation_id])
    assert await kept.erased_digests("f2", 10) == []
    assert await kept.erased_digests("f1", 10) == [conversation_id], "each index forgets for itself"
    assert await kept.without_digest("f2", 10) == []
