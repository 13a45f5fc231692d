"""The descriptions beside the whole service, wired as it runs: no route is missing, and the documented calls work."""

from __future__ import annotations

import asyncio
import json
import os
import re
from pathlib import Path

import httpx

import app
import settings as desk_settings
from handoff.demo import ensure_demo_staff
from openapi.public_api import UNDESCRIBED
from tests.connectors.desk import free_port
from tests.monitoring.test_service import serving
from tools.describe import FOLDER

ROOT = Path(__file__).resolve().parent.parent.parent
KEY = "rest-key-of-the-tests-1234"


def described() -> set[tuple[str, str]]:
    found = set()
    for name in ("public.json", "staff.json"):
        for path, place in json.loads((FOLDER / name).read_text(encoding="utf-8"))["paths"].items():
            found |= {(method.upper(), path) for method in place}
    return found


async def test_every_route_is_described_or_known_to_be_a_page_and_the_documented_calls_work(tmp_path: Path) -> None:
    port = free_port()
    (tmp_path / "channels.yml").write_text("[]")
    settings = desk_settings.load(
        {
            "BOT_SECRET": "bot-secret-of-the-tests",
            "ACTION_SECRET": "a-secret-of-actions-1234",
            "SECRET_KEY": "k" * 32,
            "REST_API_KEYS": KEY,
            "DATA_DIR": str(tmp_path / "data"),
            "PORT": str(port),
            "BOT_URLS": f"http://127.0.0.1:{free_port()}",
            "CHANNELS_FILE": str(tmp_path / "channels.yml"),
            "DEMO": "1",
        }
    )
    desk = await app.build(settings)
    routes = {
        (method, re.sub(r"<(\w+)(?::\w+)?>", r"{\1}", f"/{route.path}"))
        for route in desk.web.router.routes
        for method in route.methods
    }
    pages = {(method, re.sub(r"<(\w+)(?::\w+)?>", r"{\1}", path)) for method, path in UNDESCRIBED}
    assert routes - described() - pages == set()
    assert described() - routes == set()
    assert pages - routes == set()

    [agent, *_] = await ensure_demo_staff(desk.staff.store, desk.staff.sign_in.passwords, settings.demo_password)
    environment = os.environ | {
        "DESK": f"http://127.0.0.1:{port}",
        "KEY": KEY,
        "EMAIL": agent.email,
        "PASSWORD": agent.password,
        "JAR": str(tmp_path / "jar"),
    }
    async with serving(desk.web, port):
        examples = re.findall(
            r"^```bash\n(.*?)^```$", (ROOT / "docs" / "api.md").read_text(encoding="utf-8"), re.M | re.S
        )
        assert len(examples) == 7
        for example in examples:
            process = await asyncio.create_subprocess_exec(
                "bash", "-ec", example, env=environment, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
            )
            printed, complaints = await process.communicate()
            assert process.returncode == 0, complaints.decode()
            assert b'"error"' not in printed, (example, printed.decode())
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}") as http:
            served = await http.get("/api/v1/openapi.json")
            said = await http.get("/api/v1/messages?contact=shop-4712", headers={"authorization": f"Bearer {KEY}"})
    assert served.json() == json.loads((FOLDER / "public.json").read_text(encoding="utf-8"))
    assert [one["text"] for one in said.json()["messages"]][:1] == ["我的订单到哪了？"]
    await desk.stop()
