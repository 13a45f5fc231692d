"""Trainers edit the bot's examples through the staff API: nothing is lost between two of them, everything is audited."""

from __future__ import annotations

import asyncio
from pathlib import Path

import httpx
import pytest

from conversations.turn_model import TurnRequest, TurnResult
from handoff.roles import Role
from learning.bot_check import BotCheck
from learning.example_book import ExampleBook
from learning.example_check import ExampleCheck
from learning.example_desk import ExampleDesk
from learning.tables import metadata
from tests.handoff.desk import API, Browser, Desk
from tests.learning.example_shelf import make_folder


class Thankful:
    """A bot that takes everything for thanks."""

    async def respond(self, request: TurnRequest) -> TurnResult:
        return TurnResult((), {"model_id": "m1", "intent": "thanks", "confidence": 0.9})


@pytest.fixture
async def school(desk: Desk, tmp_path: Path) -> Desk:
    """A desk with a small folder of examples and no encoder."""
    async with desk.database.engine.begin() as connection:
        await connection.run_sync(metadata.create_all)
    book = ExampleBook(desk.database, make_folder(tmp_path))
    desk.side.studio.examples = ExampleDesk(book, ExampleCheck(None), BotCheck(Thankful(), {}), tmp_path / "models")
    return desk


@pytest.fixture
async def trainer(school: Desk) -> Browser:
    return await school.browser("Tina", Role.TRAINER)


def add(text: str, intent: str = "greet", language: str = "en") -> dict[str, str]:
    return {"do": "add", "language": language, "intent": intent, "text": text}


async def send(browser: Browser, name: str, content: bytes, **fields: str) -> httpx.Response:
    headers = {"X-CSRF-Token": browser.csrf}
    return await browser.http.post(
        f"{API}/examples/import", files={"file": (name, content)}, data=fields, headers=headers
    )


async def test_a_trainer_adds_rewords_moves_and_deletes_at_once(school: Desk, trainer: Browser) -> None:
    changes = [
        add("hey"),
        {"do": "reword", "language": "en", "intent": "greet", "before": "hello", "after": "hello there"},
        {"do": "move", "language": "en", "before": "greet", "after": "thanks", "text": "hi there"},
        {"do": "remove", "language": "zh", "intent": "greet", "text": "你好"},
    ]
    made = await trainer.post("examples", {"changes": changes, "why": "a look at greetings"})
    assert made.status_code == 201, made.text
    listed = (await trainer.get("examples", intent="greet")).json()
    assert [(one["language"], one["text"]) for one in listed["examples"]] == [
        ("zh", "早上好"),
        ("en", "hello there"),
        ("en", "good morning"),
        ("en", "hey"),
    ]
    (entry,) = await school.audited("examples_edited")
    assert entry["data"]["why"] == "a look at greetings"
    assert entry["data"]["intents"] == ["greet", "thanks"]
    assert [one["do"] for one in entry["data"]["changes"]] == ["add", "reword", "move", "remove"]
    (edit,) = (await trainer.get("examples/history")).json()["edits"]
    assert (edit["by"], edit["count"], edit["undone_by"]) == ("Tina", 4, None)
    assert edit["changes"][3] == {"do": "remove", "language": "zh", "intent": "greet", "text": "你好"}
    undone = await trainer.post(f"examples/history/{edit['id']}/undo")
    assert undone.status_code == 201, undone.text
    assert (await trainer.get("examples", intent="greet")).json()["total"] == 5
    assert len(await school.audited("examples_edit_undone")) == 1


async def test_the_second_of_two_trainers_is_told_what_the_first_has_made_of_it(school: Desk, trainer: Browser) -> None:
    other = await school.browser("Otto", Role.TRAINER)
    reword = {"do": "reword", "language": "en", "intent": "greet", "before": "hello"}
    assert (await trainer.post("examples", {"changes": [reword | {"after": "hello from Tina"}]})).status_code == 201
    refused = await other.post("examples", {"changes": [reword | {"after": "hello from Otto"}]})
    assert refused.status_code == 409
    error = refused.json()["error"]
    assert error["code"] == "example_gone"
    told = {name: error["detail"][name] for name in ("by", "did", "now", "text")}
    assert told == {"by": "Tina", "did": "reword", "now": "hello from Tina", "text": "hello"}
    assert len(await school.audited("examples_edited")) == 1


@pytest.mark.parametrize(
    ("change", "status", "code"),
    [
        (add("Good evening"), 409, "example_held_out"),
        (add("HELLO"), 409, "example_exists"),
        (add("x", "nowhere"), 400, "example_unknown_intent"),
        (add("  "), 400, "example_empty"),
        (add("y" * 600), 400, "example_too_long"),
        (add("x", language="fr"), 400, "bad_request"),
        ({"do": "burn"}, 400, "bad_request"),
    ],
)
async def test_what_cannot_be_an_example_is_refused_with_the_reason(
    school: Desk, trainer: Browser, change: dict[str, str], status: int, code: str
) -> None:
    refused = await trainer.post("examples", {"changes": [change]})
    assert (refused.status_code, refused.json()["error"]["code"]) == (status, code)
    assert await school.audited("examples_edited") == []


async def test_the_overview_counts_and_warns_and_says_what_is_not_trained(
    school: Desk, trainer: Browser, tmp_path: Path
) -> None:
    (tmp_path / "models").mkdir()
    (tmp_path / "models" / "fingerprint.json").write_text('{"model": "frontdesk-20200102-030405.tar.gz"}')
    await trainer.post("examples", {"changes": [add("hey")]})
    overview = (await trainer.get("examples/overview")).json()
    greet = next(one for one in overview["intents"] if one["name"] == "greet")
    assert greet["counts"] == {"zh": 2, "en": 4}
    assert {one["kind"] for one in greet["warnings"]} == {"too_few"}
    assert overview["untrained"] == 1
    assert overview["trained_at"].startswith("2020-01-02")
    assert [one["name"] for one in overview["entity_types"]] == ["brand", "product"]
    assert (overview["problems"], overview["checked"]) == ([], True)
    (tmp_path / "models" / "fingerprint.json").write_text("half a f")
    assert (await trainer.get("examples/overview")).json()["untrained"] is None


async def test_examples_are_found_by_words_and_told_in_pages(trainer: Browser) -> None:
    found = (await trainer.get("examples", q="ORDER my")).json()
    assert [one["text"] for one in found["examples"]] == ["where is my order"]
    pages = [(await trainer.get("examples", limit=4, offset=offset)).json() for offset in (0, 4, 8, 12)]
    assert [len(page["examples"]) for page in pages] == [4, 4, 4, 0]
    assert {page["total"] for page in pages} == {12}


async def test_the_bot_is_asked_and_its_mistakes_can_be_listed(trainer: Browser) -> None:
    assert (await trainer.post("examples/ask", {"intent": "greet", "language": "en"})).status_code == 202
    async with asyncio.timeout(20):
        while (await trainer.get("examples/overview")).json()["bot"]["running"]:  # noqa: ASYNC110  # nothing tells when it is done
            await asyncio.sleep(0.02)
    wrong = (await trainer.get("examples", kind="bot")).json()
    assert {one["text"] for one in wrong["examples"]} == {"hello", "good morning", "hi there"}
    assert wrong["examples"][0]["notes"] == [{"kind": "bot", "score": 0.9, "intent": "thanks"}]
    assert (await trainer.post("examples/ask/stop")).status_code == 200


async def test_a_file_is_previewed_and_then_taken_in_as_one_edit(school: Desk, trainer: Browser) -> None:
    content = b"language,intent,text\nen,greet,hey\nen,greet,hello\nen,greet,good evening\nzh,thanks,\xe8\xb0\xa2\xe8\xb0\xa2\n"
    preview = await send(trainer, "new.csv", content)
    assert preview.status_code == 200, preview.text
    assert preview.json()["counts"] == {"new": 2, "there": 1, "held_out": 1}
    assert preview.json()["edit"] is None
    assert (await trainer.get("examples/history")).json()["edits"] == []
    done = (await send(trainer, "new.csv", content, apply="true")).json()
    assert (done["edit"]["count"], done["edit"]["why"]) == (2, "new.csv")
    assert len(await school.audited("examples_imported")) == 1
    again = (await send(trainer, "new.csv", content, apply="true")).json()
    assert (again["edit"], again["counts"]["there"]) == (None, 3)
    assert (await send(trainer, "new.yml", b"nlu: []")).json()["error"]["code"] == "example_no_language"
    assert (await trainer.post("examples/import")).status_code == 400


async def test_an_export_holds_what_was_chosen(trainer: Browser) -> None:
    sheet = await trainer.get("examples/export", intent="greet", language="en")
    assert sheet.headers["content-disposition"] == 'attachment; filename="examples-en.csv"'
    assert sheet.content.decode("utf-8-sig").splitlines() == [
        "language,intent,text",
        "en,greet,hello",
        "en,greet,good morning",
        "en,greet,hi there",
    ]
    assert (await trainer.get("examples/export", form="yaml", language="zh")).text.startswith('version: "3.1"\nnlu:\n')


@pytest.mark.parametrize("role", [Role.SUPERVISOR, Role.AUDITOR])
async def test_whoever_looks_after_the_bot_reads_and_does_not_write(school: Desk, role: Role) -> None:
    reader = await school.browser("Reader", role)
    for route in ("examples", "examples/overview", "examples/history", "examples/export"):
        assert (await reader.get(route)).status_code == 200
    assert (await reader.post("examples", {"changes": [add("hey")]})).status_code == 403
    agent = await school.browser("Agent", Role.AGENT)
    assert (await agent.get("examples")).status_code == 403


async def test_an_edit_that_is_not_there_and_a_desk_without_examples_are_told(school: Desk, trainer: Browser) -> None:
    for edit_id in ("0" * 32, "nonsense"):
        assert (await trainer.post(f"examples/history/{edit_id}/undo")).status_code == 404
    school.side.studio.examples = None
    assert (await trainer.get("examples")).status_code == 404
