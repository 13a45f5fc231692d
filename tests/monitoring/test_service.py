"""The whole service, wired as it runs, in front of a bot that only repeats: what happens shows at ``/metrics``."""

from __future__ import annotations

import asyncio
import json
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
from sanic import Request, Sanic
from sanic.response import HTTPResponse
from sanic.response import json as json_response

import app
import settings as desk_settings
from monitoring.collectors import Collectors
from tests.connectors.desk import free_port
from tests.monitoring.watched import samples, written_log
from tests.web_apps import forget, new_app

KEY = "rest-key-of-the-tests-1234"
TOKEN = "metrics-token-of-the-tests"
ACTION_SECRET = "a-secret-of-actions-1234"
WISH, PHONE = "ein geheimer Wunsch 粉色的咖啡机", "13912345678"


@asynccontextmanager
async def serving(web: Sanic, port: int) -> AsyncIterator[None]:  # type: ignore[type-arg]
    web.config.TOUCHUP = False
    server = await web.create_server("127.0.0.1", port, return_asyncio_server=True, access_log=False)
    assert server is not None
    await server.startup()  # type: ignore[no-untyped-call]
    await server.before_start()  # type: ignore[no-untyped-call]
    await server.start_serving()  # type: ignore[no-untyped-call]
    yield
    server.close()  # type: ignore[no-untyped-call]
    forget(web)


def repeating_bot(desk_url: str) -> Sanic:  # type: ignore[type-arg]
    """A bot in the form of the turn channel, which has an action run before it answers."""
    bot = new_app(f"bot-{uuid.uuid4().hex}", configure_logging=False)

    @bot.post("/webhooks/turn")
    async def turn(request: Request) -> HTTPResponse:
        given = request.json
        message = {"text": given["text"], "metadata": {"turn_id": given["turn_id"]}}
        tracker = {"sender_id": given["conversation_id"], "latest_message": message, "slots": {}, "events": []}
        call = {"next_action": "action_request_human", "tracker": tracker}
        async with httpx.AsyncClient() as http:
            ran = await http.post(f"{desk_url}/internal/actions?token={ACTION_SECRET}", json=call)
        assert ran.status_code == 200, ran.text
        replies = [{"text": f"you said {given['text']}", "buttons": [], "citations": [], "handoff": None}]
        trace = {"language": "en", "route": "knowledge", "confidence": 0.9, "model_id": "repeating-1"}
        return json_response({"replies": replies, "trace": trace})

    @bot.get("/webhooks/turn/health")
    async def health(request: Request) -> HTTPResponse:
        if not request.headers.get("authorization"):
            return json_response({}, status=401)
        return json_response({"status": "ok", "model_id": "repeating-1"})

    return bot


async def test_f40_what_the_service_does_shows_in_its_metrics_and_what_people_say_shows_nowhere(tmp_path: Path) -> None:
    """F40, for the service as a whole: REST, a bot, an action, failures in routes."""
    port, bot_port = free_port(), free_port()
    url = f"http://127.0.0.1:{port}"
    environment = {
        "BOT_SECRET": "bot-secret-of-the-tests",
        "ACTION_SECRET": ACTION_SECRET,
        "SECRET_KEY": "k" * 32,
        "REST_API_KEYS": KEY,
        "DATA_DIR": str(tmp_path),
        "PORT": str(port),
        "BOT_URLS": f"http://127.0.0.1:{bot_port}",
        "METRICS_TOKEN": TOKEN,
    }
    (tmp_path / "channels.yml").write_text("[]")
    settings = desk_settings.load(environment | {"CHANNELS_FILE": str(tmp_path / "channels.yml")})
    collectors = Collectors()
    with written_log(*settings.secrets, level="INFO") as log:
        desk = await app.build(settings, collectors)
        async with serving(repeating_bot(url), bot_port), serving(desk.web, port):
            await desk.start()
            async with httpx.AsyncClient(base_url=url, timeout=30) as http:
                said = {"contact": PHONE, "text": WISH, "wait_seconds": 20}
                answer = await http.post("/api/v1/messages", json=said, headers={"authorization": f"Bearer {KEY}"})
                assert answer.status_code == 200, answer.text
                assert answer.json()["replies"][0]["text"] == f"you said {WISH}"
                conversation_id = answer.json()["conversation_id"]
                assert (await http.post("/api/v1/messages", json=said)).status_code == 401
                assert (
                    (await http.get("/healthz")).json() == (await http.get("/health/live")).json() == {"status": "ok"}
                )
                assert (await http.get("/readyz")).json() == (await http.get("/health/ready")).json()
                assert (await http.get("/metrics")).status_code == 401
                # A failure in a route, with all that was sent in its words.
                desk.conversations.receive = _fails  # type: ignore[method-assign]
                failed = await http.post("/api/v1/messages", json=said, headers={"authorization": f"Bearer {KEY}"})
                assert failed.status_code == 500
                async with asyncio.timeout(30):
                    while True:  # until the first sweep, which a busy machine takes its time for
                        shown = (await http.get("/metrics", headers={"authorization": f"Bearer {TOKEN}"})).text
                        if samples(shown)["frontdesk_last_sweep_timestamp_seconds"] > 0:
                            break
                        await asyncio.sleep(0.1)
            async with asyncio.timeout(20):
                await desk.stop()
    seen = samples(shown)
    assert seen['frontdesk_turns_total{language="en",outcome="done",route="knowledge"}'] == 1
    assert seen['frontdesk_messages_total{account="default",author="contact",channel="rest",direction="in"}'] == 1
    assert seen['frontdesk_bot_call_seconds_count{outcome="answered"}'] == 1
    assert seen['frontdesk_action_seconds_count{action="action_request_human",outcome="done"}'] == 1
    assert seen['frontdesk_bot_up{bot="1"}'] == 1
    assert seen['frontdesk_refusals_total{group="rest",reason="unauthorized"}'] == 1
    assert seen['frontdesk_refusals_total{group="monitoring",reason="unauthorized"}'] == 1
    assert seen['frontdesk_http_responses_total{group="rest",status="5xx"}'] == 1
    assert seen["frontdesk_commit_seconds_count"] >= 2
    assert seen["frontdesk_last_sweep_timestamp_seconds"] > 0
    lines = [json.loads(line) for line in log.getvalue().splitlines() if line.startswith("{")]
    [failure] = [line for line in lines if line["event"] == "request failed"]
    assert "test_service.py" in failure["exception"]
    for secret in (WISH, "粉色的咖啡机", PHONE, KEY, TOKEN, ACTION_SECRET, environment["BOT_SECRET"], conversation_id):
        assert secret not in shown
        assert secret not in log.getvalue() or secret == conversation_id


async def _fails(message: object) -> None:
    raise RuntimeError(f"cannot store {message} with {KEY}")
