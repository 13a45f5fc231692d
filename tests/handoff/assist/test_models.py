"""With a language model: phrased suggestions that are checked, translations that are kept; and looking changes nothing."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from conversations.model import Agent
from conversations.tables import metadata
from crm.tables import metadata as crm_metadata
from handoff.roles import Role
from knowledge_base.generation.endpoint import ChatEndpoint
from tests.handoff.assist.scenes import Bot, asks_agent, assisted_desk, resolved
from tests.handoff.desk import Desk
from tests.knowledge_base.generation.model_double import ModelDouble, completion, failure, model_double, obey, sentences

MAX = Agent("f" * 32, "Max")
QUESTION = "When will my parcel arrive?"


@pytest.fixture
def double() -> Iterator[ModelDouble]:
    with model_double() as made:
        yield made


@pytest.fixture
async def desk(tmp_path: Path, double: ModelDouble) -> AsyncIterator[Desk]:
    endpoint = ChatEndpoint(double.url, "double", timeout_seconds=2)
    async with assisted_desk(tmp_path, try_out=Bot(), endpoint=endpoint, translates=endpoint) as desk:
        yield desk


def says(translated: str) -> Any:
    return completion(json.dumps({"translation": translated}, ensure_ascii=False))


async def dump(desk: Desk) -> dict[str, list[Any]]:
    """Everything about conversations and customers."""
    async with desk.database.read() as connection:
        return {
            table.name: [tuple(row) for row in await connection.execute(table.select())]
            for table in (*metadata.sorted_tables, *crm_metadata.sorted_tables)
            if table.name not in ("presence",)
        }


async def test_looking_changes_no_conversation_and_no_customer(desk: Desk, double: ModelDouble) -> None:
    lin = await desk.browser("Lin")
    await resolved(desk, MAX, "x", QUESTION, ["Parcels arrive within three days, you will see."])
    assert desk.side.assist is not None
    await desk.side.assist.precedents.catch_up()
    conversation_id = await asks_agent(desk, lin, "a", QUESTION)
    await desk.contact_writes("and where is it now", "a")
    double.will(sentences("Parcels arrive within three days."))
    before = await dump(desk)
    for path in ("assist", "assist/bot", "assist/phrased", "translations"):
        assert (await lin.get(f"conversations/{conversation_id}/{path}")).status_code == 200
    assert await dump(desk) == before


async def test_a_supported_phrasing_is_shown_with_its_articles(desk: Desk, double: ModelDouble) -> None:
    lin = await desk.browser("Lin")
    conversation_id = await asks_agent(desk, lin, "a", QUESTION)
    double.will(sentences("Parcels arrive within three days."))
    made = (await lin.get(f"conversations/{conversation_id}/assist/phrased")).json()["phrased"]
    assert made["text"] == "Parcels arrive within three days."
    assert [one["article_id"] for one in made["citations"]] == ["delivery"]
    assert (made["model"], made["key"]) == ("double", 1)
    assert made["id"]


async def test_what_the_articles_do_not_say_is_not_shown(desk: Desk, double: ModelDouble) -> None:
    lin = await desk.browser("Lin")
    conversation_id = await asks_agent(desk, lin, "a", QUESTION)
    double.will(sentences("Parcels arrive within two hours."))
    made = (await lin.get(f"conversations/{conversation_id}/assist/phrased")).json()["phrased"]
    assert (made["text"], made["id"]) == (None, None)
    assert made["reason"].startswith("unsupported_")


async def test_a_slow_model_delays_nothing_else(desk: Desk, double: ModelDouble) -> None:
    lin = await desk.browser("Lin")
    conversation_id = await asks_agent(desk, lin, "a", QUESTION)
    slow = failure(500)
    slow.seconds = 1.5
    double.will(slow)
    phrased = asyncio.create_task(lin.get(f"conversations/{conversation_id}/assist/phrased"))
    await asyncio.sleep(0.05)
    found = (await lin.get(f"conversations/{conversation_id}/assist")).json()
    assert found["suggestion"]["text"]
    assert not phrased.done()
    assert (await phrased).json()["phrased"]["text"] is None


async def test_the_model_is_told_nothing_internal_and_nothing_of_other_contacts(
    desk: Desk, double: ModelDouble
) -> None:
    lin = await desk.browser("Lin")
    await resolved(
        desk, MAX, "x", "the lens of my camera is scratched, what now", ["Hi Tamsin, we polish the scratched lens of KT20261111."],
        name="Tamsin",
    )  # fmt: skip
    assert desk.side.assist is not None
    await desk.side.assist.precedents.catch_up()
    conversation_id = await asks_agent(desk, lin, "a", "the lens of my camera is scratched, what now")
    double.answers = obey
    await lin.get(f"conversations/{conversation_id}/assist/phrased")
    prompt = " ".join(double.prompts)
    assert "scratched lens" in prompt
    assert [one for one in ("Tamsin", "KT20261111", "goodwill refund of up to 20") if one in prompt] == []


async def test_a_message_is_translated_once_and_then_kept(desk: Desk, double: ModelDouble) -> None:
    lin = await desk.browser("Lin")
    conversation_id = await asks_agent(desk, lin, "a", "我的快递什么时候到？", "zh")
    double.will(says("When will my parcel arrive?"))
    path = f"conversations/{conversation_id}/translations"
    first = (await lin.post(path, {"seq": 1, "to": "en"})).json()
    again = (await lin.post(path, {"seq": 1, "to": "en"})).json()
    assert first == {"text": "When will my parcel arrive?", "reason": None, "cached": False, "model": "double"}
    assert again == first | {"cached": True}
    assert len(double.requests) == 1
    known = (await lin.get(path)).json()
    messages = await desk.conversations.messages(conversation_id)
    assert known["translations"] == {messages[0].id: {"en": "When will my parcel arrive?"}}


async def test_a_translation_that_fails_says_why_and_is_not_kept(desk: Desk, double: ModelDouble) -> None:
    lin = await desk.browser("Lin")
    conversation_id = await asks_agent(desk, lin, "a", "退款要 3 天吗", "zh")
    double.will(says("Does a refund take 5 days?"))
    path = f"conversations/{conversation_id}/translations"
    assert (await lin.post(path, {"seq": 1, "to": "en"})).json()["reason"] == "number"
    assert (await lin.get(path)).json()["translations"] == {}


async def test_a_translated_reply_keeps_its_original_for_staff_only(desk: Desk, double: ModelDouble) -> None:
    lin = await desk.browser("Lin")
    conversation_id = await asks_agent(desk, lin, "a", "我的快递什么时候到？", "zh")
    double.will(says("包裹三天内送达。"))
    made = (
        await lin.post(
            f"conversations/{conversation_id}/translate-reply", {"text": "It arrives within three days.", "to": "zh"}
        )
    ).json()
    assert made["text"] == "包裹三天内送达。"
    body = {
        "text": made["text"], "client_msg_id": "m1", "original": {"text": "It arrives within three days.", "language": "en"},
    }  # fmt: skip
    sent = (await lin.post(f"conversations/{conversation_id}/reply", body)).json()["message"]
    known = (await lin.get(f"conversations/{conversation_id}/translations")).json()
    assert known["originals"] == {sent["id"]: {"text": "It arrives within three days.", "language": "en"}}
    assert "within three days" not in " ".join(await desk.contact_sees("a"))


async def test_translations_go_with_an_erased_contact(desk: Desk, double: ModelDouble) -> None:
    lin = await desk.browser("Lin")
    conversation_id = await asks_agent(desk, lin, "a", "我的快递什么时候到？", "zh")
    double.will(says("When will my parcel arrive?"))
    await lin.post(f"conversations/{conversation_id}/translations", {"seq": 1, "to": "en"})
    contact = (await desk.conversations.get_conversation(conversation_id)).contact_id
    await desk.conversations.erase_contact(contact, MAX)
    async with desk.database.read() as connection:
        assert (await connection.execute(text("SELECT count(*) FROM message_translations"))).scalar() == 0


async def test_who_may_translate(desk: Desk, double: ModelDouble) -> None:
    trainer = await desk.browser("Tess", Role.TRAINER)
    conversation_id = await desk.queued()
    assert (await trainer.get(f"conversations/{conversation_id}/translations")).status_code == 200
    assert (
        await trainer.post(f"conversations/{conversation_id}/translations", {"seq": 1, "to": "en"})
    ).status_code == 403
    assert (
        await trainer.post(f"conversations/{conversation_id}/translate-reply", {"text": "x", "to": "en"})
    ).status_code == 403
    lin = await desk.browser("Lin")
    assert (await lin.post(f"conversations/{conversation_id}/translations", {"seq": 99, "to": "en"})).status_code == 404
    assert (await lin.post(f"conversations/{conversation_id}/translations", {"seq": 1, "to": "fr"})).status_code == 400


async def test_without_a_model_there_is_nothing_to_show(tmp_path: Path) -> None:
    async with assisted_desk(tmp_path) as desk:
        lin = await desk.browser("Lin")
        conversation_id = await desk.queued()
        known = (await lin.get(f"conversations/{conversation_id}/translations")).json()
        assert known == {"model": None, "translations": {}, "originals": {}}
        refused = await lin.post(f"conversations/{conversation_id}/translations", {"seq": 1, "to": "en"})
        assert (refused.status_code, refused.json()["error"]["code"]) == (404, "no_model")
