"""Trainers see what the knowledge base holds and how far a new edition is."""

from __future__ import annotations

from pathlib import Path

import pytest

from handoff.roles import Role
from tests.handoff.desk import open_desk

STATUS = {
    "articles": 2,
    "encoder": "words",
    "reindexing": {"encoder": "hf:other", "phase": "encoding", "done": 1, "total": 2, "problem": ""},
}


@pytest.mark.parametrize("role", list(Role))
async def test_who_looks_after_knowledge_sees_how_far_a_new_edition_is(tmp_path: Path, role: Role) -> None:
    async with open_desk(tmp_path, knowledge_status=lambda: STATUS) as desk:
        browser = await desk.browser("Mei Tan", role)
        response = await browser.get("knowledge/status")
        if role in (Role.AGENT, Role.AUDITOR):
            assert response.status_code == 403
        else:
            assert response.json() == STATUS
