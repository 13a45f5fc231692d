"""Thresholds as the console sees them: who may do what, what is refused and how, and that the next turn obeys."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from conversations.engine import Engine
from conversations.model import utc_now
from conversations.turn_model import Reply, Thresholds, TurnRequest, TurnResult
from handoff.learning.demo_limits import load_limit_cases
from handoff.roles import Role
from tests.conversations.builders import until
from tests.handoff.desk import Browser, Desk, open_desk
from tests.learning.builders import MISSED, trace

BASE = "learning/limits"
STRICT = {"answer": 0.8, "clarify": 0.5, "retrieval": 0.6}
TEST_LINES = """version: "3.1"
nlu:
  - intent: order_status
    examples: |
      - where is my parcel
      - my order please
  - intent: return_refund
    examples: |
      - i want to send it back
"""


class Listening:
    """A bot that takes everything for the status of an order, and remembers what it was asked."""

    def __init__(self) -> None:
        self.requests: list[TurnRequest] = []

    async def respond(self, request: TurnRequest) -> TurnResult:
        self.requests.append(request)
        return TurnResult((Reply("it is on its way"),), trace(confidence=0.7))


@pytest.fixture
def bot() -> Listening:
    return Listening()


@pytest.fixture
async def desk(tmp_path: Path, bot: Listening) -> AsyncIterator[Desk]:
    (tmp_path / "test").mkdir()
    (tmp_path / "test" / "en.yml").write_text(TEST_LINES)
    async with open_desk(tmp_path, dialogue=bot) as desk:
        yield desk


async def logged(desk: Desk, *traces: dict[str, Any]) -> None:
    for number, shown in enumerate(traces):
        await desk.contact_writes("some words", f"visitor-{number}", language="en")
        for claim in await desk.conversations.claim_turns(5):
            result = TurnResult((Reply("well"),), trace(**shown))
            await desk.conversations.commit_turn(claim, result, desk.clock(), go_on=False)
    assert desk.side.studio.limits is not None
    await desk.side.studio.limits.follower.catch_up()


async def report(browser: Browser, **query: Any) -> dict[str, Any]:
    response = await browser.get(BASE, **{"language": "en", "days": 0} | query)
    assert response.status_code == 200, response.text
    return dict(response.json())


async def apply(browser: Browser, based_on: int = 0, **limits: Any) -> Any:
    return await browser.post(BASE, {"based_on": based_on, "limits": limits or {"en": STRICT}, "why": "too bold"})


async def test_the_page_gets_curves_a_recommendation_and_what_there_is_to_reckon_with(desk: Desk) -> None:
    await logged(desk, {"confidence": 0.9}, {"confidence": 0.7}, MISSED | {"retrieval": [{"score": 0.2}]})
    eva = await desk.browser("Eva", Role.TRAINER)
    found = await report(eva)
    assert found["log"]["messages"] == 3
    assert found["in_force"]["answer"] == {"limit": 0.6, "source": "model"}
    for name in ("answer", "clarify", "retrieval"):
        figure = found["recommended"][name]
        assert 0 <= figure["low"] <= figure["value"] <= figure["high"] <= 1
        for point in found["curves"][name]:
            together = sum(point[one] for one in ("right", "wrong", "clarified", "missed", "handed_off"))
            assert together == pytest.approx(1, abs=1e-3)
    assert 0 < found["progress"]["read"] <= found["progress"]["of"]


async def test_dearer_wrong_answers_make_the_recommendation_more_careful(desk: Desk) -> None:
    await logged(desk, *({"confidence": 0.55 + n / 100} for n in range(40)))
    eva = await desk.browser("Eva", Role.TRAINER)
    cheap, dear = await report(eva, wrong=0.5), await report(eva, wrong=20)
    assert cheap["recommended"]["answer"]["value"] < dear["recommended"]["answer"]["value"]


async def test_other_thresholds_are_tried_without_applying_them(desk: Desk) -> None:
    await logged(desk, {"confidence": 0.9}, {"confidence": 0.65})
    eva = await desk.browser("Eva", Role.TRAINER)
    response = await eva.get(f"{BASE}/outcome", language="en", days=0, answer=0.8, clarify=0.3, retrieval=0.5)
    outcome = response.json()["outcome"]
    assert outcome["clarified"]["value"] == pytest.approx(0.45, abs=0.06)
    assert outcome["reckoned"] == 0.5
    assert (await eva.get(f"{BASE}/versions")).json()["versions"][0]["version"] == 0


async def test_applied_thresholds_travel_with_the_next_turn_and_can_be_taken_back(desk: Desk, bot: Listening) -> None:
    limits = desk.side.studio.limits
    assert limits is not None
    engine = Engine(desk.conversations, bot, lambda: dict(limits.book))
    await engine.start()
    try:
        eva = await desk.browser("Eva", Role.TRAINER)

        async def thresholds_of_next_turn(contact: str) -> Thresholds:
            asked = len(bot.requests)
            await desk.contact_writes("where is it", contact, language="en")

            async def answered() -> bool:
                return len(bot.requests) > asked

            await until(answered)
            return bot.requests[-1].thresholds["en"]

        assert await thresholds_of_next_turn("ann") == Thresholds(None, None, 0.5)
        assert (await apply(eva)).status_code == 201
        assert await thresholds_of_next_turn("ben") == Thresholds(0.8, 0.5, 0.6)
        back = await eva.post(f"{BASE}/versions/0/restore", {"based_on": 1, "why": "too careful"})
        assert back.status_code == 201
        assert await thresholds_of_next_turn("cai") == Thresholds(None, None, 0.5)
    finally:
        await engine.stop()


async def test_each_change_is_in_the_audit_trail_with_who_and_why(desk: Desk) -> None:
    eva = await desk.browser("Eva", Role.TRAINER)
    await apply(eva)
    await eva.post(f"{BASE}/versions/0/restore", {"based_on": 1, "why": "too careful"})
    [applied] = await desk.audited("limits_applied")
    assert applied["data"] == {"version": 1, "before": {}, "after": {"en": STRICT}, "why": "too bold"}
    [restored] = await desk.audited("limits_restored")
    assert (restored["data"]["restores"], restored["data"]["after"]) == (0, {})
    versions = (await eva.get(f"{BASE}/versions")).json()["versions"]
    assert [(one["version"], one["by_name"], one["restores"]) for one in versions] == [
        (2, "Eva", 0), (1, "Eva", None), (0, "", None),
    ]  # fmt: skip


async def test_who_saw_older_thresholds_is_told_instead_of_overwriting(desk: Desk) -> None:
    eva, tom = await desk.browser("Eva", Role.TRAINER), await desk.browser("Tom", Role.ADMIN)
    assert (await apply(eva)).status_code == 201
    refused = await apply(tom)
    assert (refused.status_code, refused.json()["error"]["code"]) == (409, "changed")
    assert (await apply(tom, 1)).status_code == 201


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"based_on": 0, "limits": {}, "why": "x"}, "bad_request"),
        ({"based_on": 0, "limits": {"en": STRICT | {"clarify": 0.9}}, "why": "x"}, "bad_limits"),
        ({"based_on": 0, "limits": {"en": STRICT | {"answer": 2}}, "why": "x"}, "bad_request"),
        ({"based_on": 0, "limits": {"en": STRICT}, "why": ""}, "bad_request"),
    ],
)
async def test_thresholds_without_sense_or_reason_are_refused(desk: Desk, body: dict[str, Any], code: str) -> None:
    eva = await desk.browser("Eva", Role.TRAINER)
    refused = await eva.post(BASE, body)
    assert (refused.status_code, refused.json()["error"]["code"]) == (400, code)


@pytest.mark.parametrize("version", ["9", "x", "-1"])
async def test_a_version_that_is_not_there_cannot_be_restored(desk: Desk, version: str) -> None:
    eva = await desk.browser("Eva", Role.TRAINER)
    refused = await eva.post(f"{BASE}/versions/{version}/restore", {"based_on": 0, "why": "x"})
    assert refused.status_code == 404


@pytest.mark.parametrize(
    ("role", "reads", "writes"),
    [(Role.AGENT, 403, 403), (Role.SUPERVISOR, 200, 403), (Role.AUDITOR, 200, 403), (Role.ADMIN, 200, 201)],
)
async def test_trainers_and_admins_apply_and_others_look(desk: Desk, role: Role, reads: int, writes: int) -> None:
    browser = await desk.browser("Kim", role)
    assert (await browser.get(BASE, language="en")).status_code == reads
    assert (await apply(browser)).status_code == writes


async def test_labelled_lines_are_asked_in_the_background_and_kept(desk: Desk, bot: Listening) -> None:
    eva = await desk.browser("Eva", Role.TRAINER)
    assert (await eva.post(f"{BASE}/check")).status_code == 202

    async def kept() -> bool:
        return (await report(eva))["held_out"] is not None

    await until(kept)
    held_out = (await report(eva))["held_out"]
    assert (held_out["lines"], held_out["right"], held_out["by_name"]) == (3, 2, "Eva")
    assert all(request.dry_run for request in bot.requests)
    assert held_out["curve"][0] == {"at": 0.0, "acted": 1.0, "wrong": pytest.approx(1 / 3, abs=1e-3)}


async def test_the_demo_shop_has_a_past_to_reckon_with_made_once(desk: Desk) -> None:
    assert await load_limit_cases(desk.database, utc_now) > 500
    assert await load_limit_cases(desk.database, utc_now) == 0
    eva = await desk.browser("Eva", Role.TRAINER)
    for language in ("zh", "en"):
        log = (await report(eva, language=language))["log"]
        acted, seen = log["acted"], (log["asked"]["helped"], log["missed"], log["quoted"]["wrong"])
        assert min(acted["wrong"], acted["right"], acted["silent"]) > 10
        assert min(seen) > 0
