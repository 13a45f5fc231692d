"""Trainers write, try, use and take back prompts; every change is in the audit trail under their name."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from handoff.roles import Role
from knowledge_base.articles import Passage
from knowledge_base.generation.endpoint import ChatEndpoint
from knowledge_base.knowledge_base import Answer, Citation, Hit
from tests.handoff.desk import Browser, Desk, open_desk
from tests.knowledge_base.generation.model_double import ModelDouble, model_double, sentences

GOOD = "Answer {{question}} from {{passages}}. Be {{tone}}."
RETURNS = Passage("returns", "en", "intro-1", "Returns", (), "Products can be returned within 7 days.", "v1", 0)
TRUE = "Products can be returned within 7 days."


class OneArticle:
    """Knows about returns and nothing else."""

    gate = 0.5

    async def search(self, text: str, language: str | None = None, limit: int = 10) -> list[Hit]:
        return [Hit(RETURNS, 0.9 if "return" in text else 0.2)]

    async def answer(self, text: str, language: str, gate: float | None = None) -> Answer | None:
        hits = await self.search(text, language)
        if hits[0].score < (gate or 0.5):
            return None
        source = Citation(RETURNS.id, "returns", "Returns", TRUE, RETURNS.url)
        return Answer(TRUE, source, tuple(hits), hits[0].score, "en", True)


@pytest.fixture
def model() -> Iterator[ModelDouble]:
    with model_double() as double:
        double.will(sentences(TRUE))
        yield double


@pytest.fixture
async def desk(tmp_path: Path, model: ModelDouble) -> AsyncIterator[Desk]:
    async with open_desk(
        tmp_path, knowledge=OneArticle(), endpoint=ChatEndpoint(model.url, "double-1", "sk-x")
    ) as desk:
        yield desk


@pytest.fixture
async def trainer(desk: Desk) -> Browser:
    return await desk.browser("Lin Wei", Role.TRAINER)


async def saved(browser: Browser, template: str = GOOD, note: str = "") -> dict[str, Any]:
    body = {"template": template, "values": {"tone": "kind"}, "note": note}
    response = await browser.post("prompts/answer_en/versions", body)
    assert response.status_code == 201, response.text
    return dict(response.json()["version"])


async def audited(desk: Desk, kind: str) -> list[dict[str, Any]]:
    async with desk.database.read() as connection:
        bodies = [
            json.loads(body) for body in (await connection.execute(text("SELECT body FROM audit_entries"))).scalars()
        ]
    return [entry for entry in bodies if entry["kind"] == kind]


async def test_the_overview_names_prompts_variables_and_the_model(trainer: Browser) -> None:
    overview = (await trainer.get("prompts")).json()
    assert {one["name"]: one["active_version"] for one in overview["prompts"]} == {"answer_zh": 1, "answer_en": 1}
    assert {one["name"] for one in overview["variables"] if one["required"]} == {"question", "passages"}
    assert overview["model"] == "double-1"


async def test_a_saved_version_waits_until_it_is_used_and_can_be_taken_back(desk: Desk, trainer: Browser) -> None:
    version = await saved(trainer, note="kinder")
    assert (version["version"], version["author"], version["note"]) == (2, "Lin Wei", "kinder")
    prompt = (await trainer.get("prompts/answer_en")).json()["prompt"]
    assert (prompt["active_version"], [one["version"] for one in prompt["versions"]]) == (1, [2, 1])
    for number in (2, 1):
        assert (await trainer.post("prompts/answer_en/activate", {"version": number})).status_code == 200
        assert (await trainer.get("prompts/answer_en")).json()["prompt"]["active_version"] == number
    used = await audited(desk, "prompt_activated")
    assert [(one["data"]["before"], one["data"]["version"]) for one in used] == [(1, 2), (2, 1)]
    [kept] = await audited(desk, "prompt_saved")
    assert kept["actor"] == f"agent:{trainer.member.id}"
    assert kept["data"] == {"prompt": "answer_en", "version": 2, "note": "kinder"}


@pytest.mark.parametrize(
    ("template", "code", "detail"),
    [
        (GOOD + "{{colour}}", "prompt_unknown_variable", "colour"),
        ("{{question}}", "prompt_missing_variable", "passages"),
        (GOOD + "{{shop_name}}", "prompt_missing_value", "shop_name"),
    ],
)
async def test_a_template_that_cannot_work_is_refused_naming_what_to_correct(
    trainer: Browser, template: str, code: str, detail: str
) -> None:
    body = {"template": template, "values": {"tone": "kind"}}
    for path in ("prompts/answer_en/versions", "prompts/answer_en/test"):
        response = await trainer.post(path, body | {"question": "x"})
        error = response.json()["error"]
        assert (response.status_code, error["code"], error["detail"]) == (400, code, detail)
        assert detail in error["message"]
    assert len((await trainer.get("prompts/answer_en")).json()["prompt"]["versions"]) == 1


async def test_what_does_not_exist_is_not_found(trainer: Browser) -> None:
    assert (await trainer.get("prompts/answer_fr")).status_code == 404
    assert (await trainer.post("prompts/answer_fr/activate", {"version": 1})).status_code == 404
    missing = await trainer.post("prompts/answer_en/activate", {"version": 9})
    assert (missing.status_code, missing.json()["error"]["detail"]) == (404, "9")


async def test_a_test_shows_the_phrased_answer_beside_the_quoted_one(trainer: Browser, model: ModelDouble) -> None:
    body = {"question": "Can I return it?", "template": GOOD, "values": {"tone": "kind"}}
    result = (await trainer.post("prompts/answer_en/test", body)).json()
    assert result["phrased"]["text"] == TRUE
    assert result["phrased"]["citations"][0]["passage_id"] == RETURNS.id
    assert result["quoted"]["text"] == TRUE
    assert result["generation"]["sentences"][0]["supported"] is True
    assert "Be kind." in model.prompts[-1]
    assert "sk-x" not in json.dumps(result)


async def test_a_test_shows_why_a_phrased_answer_was_not_used(trainer: Browser, model: ModelDouble) -> None:
    model.will(sentences("Products can be returned within 70 days."))
    body = {"question": "Can I return it?", "template": GOOD, "values": {"tone": "kind"}}
    result = (await trainer.post("prompts/answer_en/test", body)).json()
    assert result["phrased"] is None
    assert result["quoted"]["text"] == TRUE
    assert result["generation"]["reason"] == "unsupported_number"


async def test_a_question_that_no_article_answers_does_not_reach_the_model(
    trainer: Browser, model: ModelDouble
) -> None:
    body = {"question": "How is the weather?", "template": GOOD, "values": {"tone": "kind"}}
    result = (await trainer.post("prompts/answer_en/test", body)).json()
    assert (result["answered"], result["quoted"], result["generation"]["reason"]) == (False, None, "not_asked")
    assert model.requests == []
    assert "weather" in result["generation"]["messages"][1]["content"]


async def test_an_empty_question_is_refused(trainer: Browser) -> None:
    body = {"question": "  ", "template": GOOD, "values": {"tone": "kind"}}
    response = await trainer.post("prompts/answer_en/test", body)
    assert (response.status_code, response.json()["error"]["code"]) == (400, "prompt_no_question")


async def test_without_a_model_the_test_shows_the_prompt_and_the_quoted_answer(tmp_path: Path) -> None:
    async with open_desk(tmp_path, knowledge=OneArticle()) as desk:
        admin = await desk.browser("Zhao Ming", Role.ADMIN)
        assert (await admin.get("prompts")).json()["model"] is None
        body = {"question": "Can I return it?", "template": GOOD, "values": {"tone": "kind"}}
        result = (await admin.post("prompts/answer_en/test", body)).json()
        assert (result["phrased"], result["generation"]["reason"]) == (None, "no_endpoint")
        assert result["quoted"]["text"] == TRUE
        assert RETURNS.text in result["generation"]["messages"][1]["content"]
