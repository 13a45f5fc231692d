"""Trainers teach synonyms through the staff API: tried first, refused with a reason, audited, at work at once."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from conversations.tables import audit_entries
from handoff.roles import Role
from knowledge_base.synonym_book import SynonymBook
from knowledge_base.synonym_store import SynonymStore
from tests.handoff.desk import Desk
from tests.knowledge_base.builders import knowledge_base, small_shop

DOUGH = {"kind": "synonym", "language": "en", "term": "dough", "means": "refund", "two_way": False}


@pytest.fixture
async def school(desk: Desk, tmp_path: Path) -> AsyncIterator[Desk]:
    """A desk with a small knowledge base whose synonyms can be edited."""
    store = SynonymStore(desk.database.engine)
    await store.create_tables()
    kb = knowledge_base(tmp_path / "kb")
    await kb.load(small_shop())
    desk.side.synonyms = SynonymBook(store, kb)
    yield desk
    await kb.close()


async def audited(desk: Desk) -> list[dict[str, Any]]:
    async with desk.database.read() as connection:
        rows = await connection.execute(select(audit_entries.c.body).order_by(audit_entries.c.n))
        bodies = [json.loads(body) for (body,) in rows]
    return [body for body in bodies if body["kind"].startswith("synonym_")]


async def test_a_trainer_adds_changes_finds_and_deletes_a_synonym(school: Desk) -> None:
    trainer = await school.browser("Tina", Role.TRAINER)
    added = await trainer.post("synonyms", DOUGH)
    assert added.status_code == 201
    synonym = added.json()["synonym"]
    assert synonym.items() >= DOUGH.items()
    assert synonym["updated_by"] == trainer.member.name

    changed = await trainer.post(f"synonyms/{synonym['id']}", DOUGH | {"term": "bread", "two_way": True})
    assert changed.json()["synonym"]["term"] == "bread"
    await trainer.post("synonyms", {"kind": "product", "language": "both", "term": "小云雀", "means": "Nimbus Air"})

    assert [one["term"] for one in (await trainer.get("synonyms")).json()["synonyms"]] == ["小云雀", "bread"]
    assert [one["term"] for one in (await trainer.get("synonyms", q="REF")).json()["synonyms"]] == ["bread"]
    assert [one["term"] for one in (await trainer.get("synonyms", kind="product")).json()["synonyms"]] == ["小云雀"]
    assert (await trainer.get("synonyms", language="zh")).json() == {"synonyms": [], "total": 2}

    assert (await trainer.post(f"synonyms/{synonym['id']}/delete")).status_code == 200
    assert (await trainer.post(f"synonyms/{synonym['id']}/delete")).status_code == 404
    assert (await trainer.post(f"synonyms/{synonym['id']}", DOUGH)).status_code == 404


async def test_every_change_is_in_the_audit_trail_with_what_it_was_before(school: Desk) -> None:
    trainer = await school.browser("Tina", Role.TRAINER)
    synonym = (await trainer.post("synonyms", DOUGH)).json()["synonym"]
    await trainer.post(f"synonyms/{synonym['id']}", DOUGH | {"means": "money back"})
    await trainer.post(f"synonyms/{synonym['id']}/delete")
    added, changed, deleted = await audited(school)
    assert [one["kind"] for one in (added, changed, deleted)] == ["synonym_added", "synonym_changed", "synonym_deleted"]
    assert {one["actor"] for one in (added, changed, deleted)} == {f"agent:{trainer.member.id}"}
    assert changed["data"]["means"] == "money back"
    assert changed["data"]["before"]["means"] == "refund"
    assert deleted["data"]["term"] == "dough"


async def test_a_question_can_be_tried_with_a_rule_that_is_not_saved(school: Desk) -> None:
    trainer = await school.browser("Tina", Role.TRAINER)
    tried = (await trainer.post("synonyms/test", {"text": "how long until the dough", "draft": DOUGH})).json()
    assert tried["becomes"] == "how long until the refund"
    assert tried["replaced"] == [{"said": "dough", "means": "refund"}]
    first = tried["articles"][0]
    assert (first["article_id"], first["place"]) == ("refunds", 1)
    assert first["url"].startswith("/kb/en/refunds")
    assert first["place_before"] is None or first["score"] >= first["score_before"]
    assert (await trainer.get("synonyms")).json()["total"] == 0
    assert await audited(school) == []


async def test_what_is_saved_works_with_the_next_question(school: Desk) -> None:
    trainer = await school.browser("Tina", Role.TRAINER)
    question = {"text": "how long until the dough"}
    assert (await trainer.post("synonyms/test", question)).json()["replaced"] == []
    await trainer.post("synonyms", DOUGH)
    assert (await trainer.post("synonyms/test", question)).json()["becomes"] == "how long until the refund"


async def test_a_rule_that_cannot_stand_is_refused_with_its_reason(school: Desk) -> None:
    trainer = await school.browser("Tina", Role.TRAINER)
    await trainer.post("synonyms", DOUGH)
    for body, status, code in (
        (DOUGH, 409, "synonym_exists"),
        (DOUGH | {"term": "refund", "means": "dough"}, 409, "synonym_loop"),
        (DOUGH | {"term": "the"}, 400, "synonym_too_common"),
        (DOUGH | {"term": " "}, 400, "synonym_empty"),
        (DOUGH | {"term": "x" * 81}, 400, "synonym_too_long"),
        (DOUGH | {"language": "fr"}, 400, "bad_request"),
    ):
        refused = await trainer.post("synonyms", body)
        assert (refused.status_code, refused.json()["error"]["code"]) == (status, code)
        if code != "bad_request":
            tried = await trainer.post("synonyms/test", {"text": "hello there", "draft": body})
            assert tried.status_code == status
    assert len(await audited(school)) == 1


@pytest.mark.parametrize(
    ("role", "reads", "writes"),
    [(Role.AGENT, 403, 403), (Role.SUPERVISOR, 200, 403), (Role.TRAINER, 200, 201), (Role.ADMIN, 200, 201)],
)
async def test_trainers_and_admins_teach_and_supervisors_look(
    school: Desk, role: Role, reads: int, writes: int
) -> None:
    browser = await school.browser("Tina", role)
    assert (await browser.get("synonyms")).status_code == reads
    assert (await browser.post("synonyms", DOUGH)).status_code == writes


async def test_a_desk_without_a_knowledge_base_says_so(desk: Desk) -> None:
    trainer = await desk.browser("Tina", Role.TRAINER)
    assert (await trainer.get("synonyms")).status_code == 404
