"""The internal door: only with the token, only action calls, errors as rasa-sdk words them."""

from __future__ import annotations

import json
import uuid
import warnings
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from actions.webhook import MAX_BODY_BYTES, PATH, build_blueprint
from tests.actions.builders import build_test_executor
from tests.web_apps import forget, new_app

SECRET = "an-action-secret-for-tests"


@pytest.fixture
async def door() -> AsyncIterator[httpx.AsyncClient]:
    """The route in an app of its own, called in-process."""
    app = new_app(f"actions-{uuid.uuid4().hex}", configure_logging=False)
    app.blueprint(build_blueprint(build_test_executor(), SECRET))
    app.config.REQUEST_MAX_SIZE = 20_000_000
    app.config.TOUCHUP = False  # rewrites Sanic's own source, which works once per process only
    app.asgi = True
    await app._startup()
    transport = httpx.ASGITransport(app=app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://service") as client:
        yield client
    forget(app)


def call(action: str, **changes: Any) -> dict[str, Any]:
    tracker = {
        "sender_id": "c1",
        "slots": {"language": "zh"},
        "latest_message": {"text": "转人工", "metadata": {"turn_id": "t1"}},
        "events": [],
        "active_loop": {},
    }
    return {"next_action": action, "sender_id": "c1", "version": "3.6.21", "domain": {}, "tracker": tracker, **changes}


async def test_a_call_of_rasa_is_answered_with_events_and_responses(door: httpx.AsyncClient) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        answer = await door.post(PATH, params={"token": SECRET}, json=call("action_request_human"))
    assert answer.status_code == 200
    body = answer.json()
    assert body["responses"][0]["custom"]["handoff"] == "asked_for_person"
    assert {event["name"] for event in body["events"]} == {"misses", "clarified"}


async def test_a_call_without_domain_is_fine(door: httpx.AsyncClient) -> None:
    small = call("action_request_human")
    del small["domain"]
    assert (await door.post(PATH, params={"token": SECRET}, json=small)).status_code == 200


@pytest.mark.parametrize("token", [None, "", "wrong", SECRET[:-1], SECRET + "x", "é"])
async def test_without_the_right_token_nothing_runs(door: httpx.AsyncClient, token: str | None) -> None:
    answer = await door.post(
        PATH, params={"token": token} if token is not None else {}, json=call("action_request_human")
    )
    assert answer.status_code == 401
    assert "responses" not in answer.json()


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"[]",
        b"null",
        b"\xff\xfe",
        b'{"next_action": 5}',
        b'{"next_action": "action_clarify"}',
        b"[" * 100_000,
    ],
    ids=["empty", "half", "list", "null", "not-utf8", "number", "no-tracker", "deep"],
)
async def test_a_bad_body_is_refused_without_a_stack_trace(door: httpx.AsyncClient, body: bytes) -> None:
    answer = await door.post(PATH, params={"token": SECRET}, content=body)
    assert answer.status_code == 400
    assert "Traceback" not in answer.text


async def test_an_unknown_action_is_named(door: httpx.AsyncClient) -> None:
    answer = await door.post(PATH, params={"token": SECRET}, json=call("action_fly"))
    assert answer.status_code == 404
    assert answer.json()["action_name"] == "action_fly"


async def test_a_tracker_that_makes_no_sense_is_an_error_and_no_crash(door: httpx.AsyncClient) -> None:
    bad = call("action_clarify", tracker={"sender_id": "c1", "slots": 5, "events": 7, "latest_message": "x"})
    answer = await door.post(PATH, params={"token": SECRET}, json=bad)
    assert answer.status_code == 500
    assert "Traceback" not in answer.text


async def test_a_call_that_is_too_large_is_refused(door: httpx.AsyncClient) -> None:
    large = json.dumps(call("action_clarify", padding="x" * MAX_BODY_BYTES)).encode()
    assert (await door.post(PATH, params={"token": SECRET}, content=large)).status_code == 413


def test_a_short_secret_is_refused() -> None:
    with pytest.raises(ValueError, match="ACTION_SECRET"):
        build_blueprint(build_test_executor(), "short")


async def test_every_action_of_the_bots_domain_is_served() -> None:
    from tests.actions.chat import domain

    named = {name for name in domain()["actions"] if not name.startswith("utter_")}
    assert named == set(build_test_executor().actions)


class Remembers:
    """Counts what it is asked to run."""

    def __init__(self) -> None:
        self.ran = 0

    async def run(self, call: dict[str, Any]) -> None:
        self.ran += 1


async def test_a_turn_that_must_change_nothing_reaches_only_the_executor_for_it() -> None:
    real, dry = Remembers(), Remembers()
    app = new_app(f"actions-{uuid.uuid4().hex}", configure_logging=False)
    app.blueprint(build_blueprint(real, SECRET, dry))  # type: ignore[arg-type]
    app.config.TOUCHUP = False
    app.asgi = True
    await app._startup()
    transport = httpx.ASGITransport(app=app, raise_app_exceptions=False)
    marks: list[Any] = [True, 1, "yes", None]
    async with httpx.AsyncClient(transport=transport, base_url="http://service") as client:
        for mark in marks:
            body = call("action_request_human")
            body["tracker"]["latest_message"]["metadata"]["dry_run"] = mark
            assert (await client.post(PATH, params={"token": SECRET}, json=body)).status_code == 200
        assert (real.ran, dry.ran) == (0, len(marks))
        await client.post(PATH, params={"token": SECRET}, json=call("action_request_human"))
        assert (real.ran, dry.ran) == (1, len(marks))
    forget(app)


async def test_without_an_executor_for_it_a_dry_run_is_refused(door: httpx.AsyncClient) -> None:
    body = call("action_request_human")
    body["tracker"]["latest_message"]["metadata"]["dry_run"] = True
    answer = await door.post(PATH, params={"token": SECRET}, json=body)
    assert answer.status_code == 400


async def test_only_a_dry_run_goes_to_the_sample_shop() -> None:
    real, dry, sample = Remembers(), Remembers(), Remembers()
    app = new_app(f"actions-{uuid.uuid4().hex}", configure_logging=False)
    app.blueprint(build_blueprint(real, SECRET, dry, sample=sample))  # type: ignore[arg-type]
    app.config.TOUCHUP = False
    app.asgi = True
    await app._startup()
    transport = httpx.ASGITransport(app=app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://service") as client:
        for marks, ran in (
            ({"sample_shop": True}, (1, 0, 0)),
            ({"dry_run": True, "sample_shop": False}, (1, 1, 0)),
            ({"dry_run": True, "sample_shop": True}, (1, 1, 1)),
        ):
            body = call("action_request_human")
            body["tracker"]["latest_message"]["metadata"] |= marks
            await client.post(PATH, params={"token": SECRET}, json=body)
            assert (real.ran, dry.ran, sample.ran) == ran
    forget(app)
