"""Who may read ``/metrics``, and what every answer of the service leaves in them."""

from __future__ import annotations

from typing import Any

import pytest
from sanic import Blueprint, Request
from sanic.response import HTTPResponse, json, text

from connectors.webchat.frames import Hello
from connectors.webchat.tokens import BadToken, VisitorTokens
from connectors.webchat.visitors import Visitors
from tests.monitoring.watched import Watched, metrics_server, samples

TOKEN = "a-token-of-24-characters"


def says(status: int, code: str, path: str, method: str = "POST") -> Blueprint:
    """A route that refuses in the one form every interface uses."""
    blueprint = Blueprint(f"refusing-{status}-{code}")

    @blueprint.route(path, methods=[method], name="refuse")
    async def refuse(_: Request, **_path: Any) -> HTTPResponse:
        return json({"error": {"code": code, "message": "no"}}, status=status)

    return blueprint


async def test_this_machine_reads_the_metrics_of_a_local_desk_without_a_token(watched: Watched) -> None:
    async with metrics_server(watched) as http:
        answer = await http.get("/metrics")
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/plain")
    assert "frontdesk_commit_seconds_bucket" in answer.text


@pytest.mark.parametrize(
    "headers",
    [{"x-forwarded-for": "203.0.113.9"}, {"forwarded": "for=203.0.113.9"}, {"host": "desk.example"}, {"via": "1.1 x"}],
    ids=lambda headers: next(iter(headers)),
)
async def test_whoever_comes_through_a_proxy_is_not_this_machine(watched: Watched, headers: dict[str, str]) -> None:
    async with metrics_server(watched) as http:
        answer = await http.get("/metrics", headers=headers)
    assert answer.status_code == 403
    assert "METRICS_TOKEN" in answer.json()["error"]["message"]
    assert "请设置 METRICS_TOKEN" in answer.json()["error"]["message"]
    assert "frontdesk_" not in answer.text


async def test_a_public_desk_shows_nothing_without_a_token_not_even_to_this_machine(watched: Watched) -> None:
    async with metrics_server(watched, public_url="https://desk.example") as http:
        assert (await http.get("/metrics")).status_code == 403


async def test_with_a_token_only_its_bearer_reads_also_through_a_proxy(watched: Watched) -> None:
    async with metrics_server(watched, TOKEN, "https://desk.example") as http:
        through = {"authorization": f"Bearer {TOKEN}", "x-forwarded-for": "203.0.113.9"}
        assert (await http.get("/metrics", headers=through)).status_code == 200
        for wrong in ("", "Bearer", f"Bearer {TOKEN}x", f"Basic {TOKEN}", "Bearer ключ"):
            answer = await http.get("/metrics", headers={"authorization": wrong.encode()})
            assert answer.status_code == 401, wrong
            assert TOKEN not in answer.text


@pytest.mark.parametrize(
    ("status", "code", "path", "metric"),
    [
        (403, "csrf", "/staff/api/x", 'frontdesk_refusals_total{group="staff",reason="csrf"}'),
        (403, "foreign_origin", "/staff/api/x", 'frontdesk_refusals_total{group="staff",reason="foreign_origin"}'),
        (401, "signed_out", "/staff/api/x", 'frontdesk_refusals_total{group="staff",reason="signed_out"}'),
        (401, "unauthorized", "/api/v1/x", 'frontdesk_refusals_total{group="rest",reason="unauthorized"}'),
        (401, "wrong_sign_in", "/staff/api/sign-in", 'frontdesk_sign_ins_total{outcome="wrong"}'),
        (429, "locked", "/staff/api/sign-in", 'frontdesk_sign_ins_total{outcome="locked"}'),
        (429, "too_many", "/api/v1/x", 'frontdesk_rate_limited_total{group="rest"}'),
        (
            403,
            "bad_signature",
            "/webhooks/telegram/default",
            'frontdesk_refused_webhooks_total{account="default",channel="telegram",reason="bad_signature"}',
        ),
        (
            404,
            "unknown_channel",
            "/webhooks/nobody/knows",
            'frontdesk_refused_webhooks_total{account="unknown",channel="unknown",reason="unknown_channel"}',
        ),
    ],
    ids=lambda value: str(value)[:40],
)
async def test_a_refusal_is_counted_by_what_was_refused(
    watched: Watched, status: int, code: str, path: str, metric: str
) -> None:
    async with metrics_server(watched, None, "http://127.0.0.1", says(status, code, path)) as http:
        await http.post(path)
        seen = samples((await http.get("/metrics")).text)
    assert seen[metric] == 1
    group = "staff" if path.startswith("/staff") else "rest" if path.startswith("/api") else "webhooks"
    assert seen[f'frontdesk_http_responses_total{{group="{group}",status="4xx"}}'] == 1
    assert seen[f'frontdesk_http_seconds_count{{group="{group}"}}'] == 1


async def test_an_action_call_without_the_secret_is_a_refusal(watched: Watched) -> None:
    blueprint = Blueprint("actions")

    @blueprint.post("/internal/actions", name="run")
    async def run(_: Request) -> HTTPResponse:
        return json({"error": "wrong or missing token"}, status=401)

    async with metrics_server(watched, None, "http://127.0.0.1", blueprint) as http:
        await http.post("/internal/actions")
        seen = samples((await http.get("/metrics")).text)
    assert seen['frontdesk_refusals_total{group="actions",reason="unauthorized"}'] == 1


async def test_paths_and_codes_that_strangers_make_up_become_no_labels(watched: Watched) -> None:
    blueprint = Blueprint("strange")

    @blueprint.get("/strange/<name:str>", name="strange")
    async def strange(_: Request, name: str) -> HTTPResponse:
        return json({"error": {"code": name, "message": name}}, status=403)

    @blueprint.get("/fine", name="fine")
    async def fine(_: Request) -> HTTPResponse:
        return text("fine")

    async with metrics_server(watched, None, "http://127.0.0.1", blueprint) as http:
        await http.get("/strange/13912345678")
        await http.get("/nowhere/13912345678")
        await http.get("/fine")
        shown = (await http.get("/metrics")).text
    assert "13912345678" not in shown
    assert samples(shown)['frontdesk_http_responses_total{group="pages",status="4xx"}'] == 2
    assert samples(shown)['frontdesk_http_responses_total{group="pages",status="2xx"}'] == 1


async def test_the_chat_counts_bad_tokens_and_visitors_who_are_too_fast_on_its_socket_too(watched: Watched) -> None:
    tokens = VisitorTokens("secret of the tests, long enough")
    desk: Any = watched.desk.conversations
    nothing: Any = None
    visitors = Visitors(desk, nothing, nothing, tokens, refused=watched.meter.visitor_refused)
    with pytest.raises(BadToken):
        visitors.recognise("made up")
    with pytest.raises(BadToken):
        await visitors.welcome(Hello(type="hello", token="made up"))
    address = visitors.recognise(tokens.issue(tokens.new_visitor()))
    from connectors.webchat.visitors import TooFast

    async def write_on() -> None:
        for _ in range(1000):
            await visitors._pace(visitors._messages, address)

    with pytest.raises(TooFast):
        await write_on()
    seen = watched.figures
    assert seen['frontdesk_refusals_total{group="webchat",reason="bad_token"}'] == 2
    assert seen['frontdesk_rate_limited_total{group="webchat"}'] == 1
