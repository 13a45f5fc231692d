"""What is live as the console sees it: who may look and who may change, what is refused and how, and that it is told."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from conversations.dialogue import RasaDialogue
from conversations.work_leases import WorkLeases
from handoff.learning.serving_side import open_serving
from handoff.roles import Role
from learning.model_choice import Served
from learning.serving_store import create_tables
from tests.handoff.desk import Browser, Desk, open_desk
from tests.learning.model_bots import SECRET, ModelBot, ModelBots

BASE = "models/live"
REASON = "the team has tried it"


class Shelf:
    """A desk with two bots that have three versions."""

    def __init__(self, desk: Desk, bots: ModelBots) -> None:
        self.desk, self.bots = desk, bots


@pytest.fixture
async def shelf(tmp_path: Path) -> AsyncIterator[Shelf]:
    folder = {"a", "b", "frontdesk-20261129-203414"}
    bots = ModelBots([ModelBot(folder, "a"), ModelBot(folder, "a")])
    async with open_desk(tmp_path) as desk:
        await create_tables(desk.conversations.database)
        dialogue = RasaDialogue(tuple(bots.bots), SECRET, transport=bots)
        leases = WorkLeases(desk.conversations.database)
        serving = await open_serving(desk.conversations, dialogue, leases, Served())
        await serving.reconcile()
        desk.side.studio.serving = serving
        yield Shelf(desk, bots)


async def seen(browser: Browser) -> dict[str, Any]:
    response = await browser.get(BASE)
    assert response.status_code == 200, response.text
    return dict(response.json())


async def test_trainers_change_it_and_others_who_look_after_the_bot_only_see_it(shelf: Shelf) -> None:
    for role, looks, changes in (
        (Role.AGENT, 403, 403),
        (Role.SUPERVISOR, 200, 403),
        (Role.AUDITOR, 200, 403),
        (Role.TRAINER, 200, 200),
    ):
        browser = await shelf.desk.browser(f"A {role.value}", role)
        assert (await browser.get(BASE)).status_code == looks
        body = {"model": "b", "revision": 1, "note": REASON, "without_replay": True}
        assert (await browser.post(f"{BASE}/promote", body)).status_code == changes


async def test_a_version_is_put_live_compared_and_taken_back(shelf: Shelf) -> None:
    eva = await shelf.desk.browser("Eva", Role.TRAINER)
    first = await seen(eva)
    assert (first["live_model"], first["revision"], first["by_name"], first["model_before"]) == ("a", 1, None, None)
    assert {one["model"] for one in first["versions"]} == {"a", "b", "frontdesk-20261129-203414"}
    newest = {"model": "frontdesk-20261129-203414", "revision": 1, "note": REASON, "without_replay": True}
    after = (await eva.post(f"{BASE}/promote", newest)).json()
    assert (after["live_model"], after["by_name"], after["model_before"]) == ("frontdesk-20261129-203414", "Eva", "a")
    assert all(bot["models_loaded"] for bot in after["bots"])
    compared = (await eva.post(f"{BASE}/compare", {"model": "b", "share": 10, "revision": 2})).json()
    assert (compared["candidate_model"], compared["share"]) == ("b", 10)
    assert [one["metric"] for one in compared["comparison"]["metrics"]][:2] == ["containment", "handoffs"]
    assert {one["verdict"] for one in compared["comparison"]["metrics"]} == {"too_few"}
    stopped = (await eva.post(f"{BASE}/stop", {"revision": 3})).json()
    assert stopped["comparison"] is None
    back = (await eva.post(f"{BASE}/rollback", {"revision": 4, "note": "complaints"})).json()
    assert back["live_model"] == "a"
    assert [one["what"] for one in back["changes"]] == ["rollback", "stop", "compare", "promote", "found"]
    assert back["changes"][0]["note"] == "complaints"


async def test_refusals_say_what_to_do(shelf: Shelf) -> None:
    eva, tom = await shelf.desk.browser("Eva", Role.TRAINER), await shelf.desk.browser("Tom", Role.ADMIN)
    unproved = await eva.post(f"{BASE}/promote", {"model": "b", "revision": 1})
    assert (unproved.status_code, unproved.json()["error"]["code"]) == (409, "replay_needed")
    missing = await eva.post(f"{BASE}/compare", {"model": "nowhere", "share": 5, "revision": 1})
    assert (missing.status_code, missing.json()["error"]["code"]) == (409, "no_model")
    shelf.bots.bots["http://bot2"].away = True
    away = await eva.post(f"{BASE}/compare", {"model": "b", "share": 5, "revision": 1})
    assert (away.status_code, away.json()["error"]["code"]) == (503, "bot_failed")
    assert "http://bot2" in away.json()["error"]["message"]
    shelf.bots.bots["http://bot2"].away = False
    await eva.post(f"{BASE}/compare", {"model": "b", "share": 5, "revision": 1})
    late = await tom.post(f"{BASE}/stop", {"revision": 1})
    assert (late.status_code, late.json()["error"]["code"]) == (409, "changed")
    assert late.json()["error"]["detail"] == {"by": "Eva", "what": "compare", "live": "a"}
    for body in (
        {"model": "../b", "share": 5, "revision": 2},
        {"model": "b", "share": 0, "revision": 2},
        {"model": "b", "share": 100, "revision": 2},
        {"model": "b", "share": 5},
    ):
        assert (await eva.post(f"{BASE}/compare", body)).status_code == 400


async def test_without_bots_to_choose_for_there_is_no_such_page(desk: Desk) -> None:
    eva = await desk.browser("Eva", Role.TRAINER)
    assert (await eva.get(BASE)).status_code == 404
