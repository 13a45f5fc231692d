"""One desk of its own, and schemathesis against it as everybody who may come: a program, nobody, and every role."""

from __future__ import annotations

import asyncio
import json
import os
import re
import sys
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

from handoff.roles import Role
from tests.faults.desk import SECRETS, Service, around, prepared
from tests.journeys.conftest import a_few_examples

ROOT = Path(__file__).resolve().parent.parent.parent
DESCRIPTIONS = ROOT / "docs" / "openapi"
CHECKS = "not_a_server_error,status_code_conformance,content_type_conformance,response_schema_conformance"
API = "/staff/api"
#: Lists in which ids of things are found, by the name such an id has in addresses.
_LISTS = {
    "conversation_id": ("conversations?view=all", "conversations", "id"),
    "contact_id": ("conversations?view=all", "conversations", "contact_id"),
    "label_id": ("labels", "labels", "id"),
    "canned_id": ("canned", "replies", "id"),
    "macro_id": ("macros", "macros", "id"),
    "team_id": ("teams", "teams", "id"),
    "synonym_id": ("synonyms", "synonyms", "id"),
    "agent_id": ("agents", "agents", "id"),
    "staff_id": ("agents", "agents", "id"),
}


@dataclass(frozen=True)
class Caller:
    """Who asks, and how much of the time is theirs."""

    name: str
    description: str
    headers: tuple[str, ...]
    share: float = 1.0


@dataclass
class Report:
    """What came of it."""

    asked: Counter[str] = field(default_factory=Counter)
    server_errors: list[str] = field(default_factory=list)
    violations: list[str] = field(default_factory=list)
    broken: list[str] = field(default_factory=list)  #: callers whose run did not end as it should

    def as_json(self) -> dict[str, Any]:
        """The figures."""
        return {
            "requests": self.asked.total(),
            "operations": len(self.asked),
            "server_errors": len(self.server_errors),
            "violations": len(self.violations),
            "broken_runs": self.broken,
        }


async def fuzz(
    folder: Path, minutes: float, *, seed: int | None = None, only: Sequence[str] = (), more: Sequence[str] = ()
) -> Report:
    """Start a desk in this folder, ask it for so long, and stop it."""
    await asyncio.to_thread(prepared, folder / "template")
    report = Report()
    # What trainers write goes into the folder of the examples, which must not be the project's own here.
    taught = {"NLU_DATA": str(await asyncio.to_thread(a_few_examples, folder / "nlu_data"))}
    async with around(folder / "desk", folder / "template", DEMO="1", LOG_LEVEL="ERROR", **taught) as desk:
        desk.service.launch()
        await _up(desk.service)
        base = f"http://127.0.0.1:{desk.service.port}"
        callers, things = await _prepare(base)
        callers = [one for one in callers if not only or one.name in only]
        whole = sum(one.share for one in callers)
        for number, caller in enumerate(callers):
            seconds = max(1, round(minutes * 60 * caller.share / whole))
            await _ask(base, caller, things, seconds, folder, report, None if seed is None else seed + number, more)
            assert desk.service.running(), desk.service.tail()
    return report


async def _up(service: Service, patience: int = 4) -> None:
    """Wait until it serves; a first start with the demo takes its time on a busy machine."""
    for trial in range(patience):
        try:
            assert await service.up(), service.tail()
            return
        except AssertionError:
            if trial == patience - 1 or not service.running():
                raise


async def _prepare(base: str) -> tuple[list[Caller], dict[str, list[str]]]:
    """Sign everybody in, bring some conversations, and find out what there is."""
    key = SECRETS["REST_API_KEYS"]
    async with httpx.AsyncClient(base_url=base, timeout=60) as http:
        for number, text in enumerate(("hello", "a person please", "我要退货", "a person please")):
            said = {"contact": f"fuzz-{number}", "text": text, "wait_seconds": 5}
            answer = await http.post("/api/v1/messages", json=said, headers={"authorization": f"Bearer {key}"})
            assert answer.status_code == 200, answer.text
        shown = (await http.get(f"{API}/demo")).json()
        visitor = (await http.post("/webchat/hello", json={"language": "zh"})).json()["token"]
    callers = [
        Caller("program", "public.json", (f"Authorization: Bearer {key}",), 1.5),
        Caller("visitor", "public.json", (f"Authorization: Bearer {visitor}",), 1.0),
        Caller("nobody", "staff.json", (), 0.5),
    ]
    things: dict[str, list[str]] = {"name": ["answer_en"], "channel": ["webhook"], "account": ["shop"]}
    for role in Role:
        account = next(one for one in shown if one["role"] == role.value)
        async with httpx.AsyncClient(base_url=base, timeout=60) as http:
            body = {"email": account["email"], "password": account["password"]}
            signed_in = await http.post(f"{API}/sign-in", json=body)
            assert signed_in.status_code == 200, signed_in.text
            cookie = "; ".join(f"{name}={value}" for name, value in http.cookies.items())
            token = signed_in.json()["csrf"]
            if role is Role.ADMIN:
                things |= await _things(http, token)
        share = {Role.ADMIN: 3.0, Role.AGENT: 1.5}.get(role, 0.75)
        callers.append(Caller(role.value, "staff.json", (f"Cookie: {cookie}", f"X-CSRF-Token: {token}"), share))
    return callers, things


async def _things(http: httpx.AsyncClient, token: str) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    label = {"title": "Fuzz", "colour": "red"}
    await http.post(f"{API}/labels", json=label, headers={"X-CSRF-Token": token})
    for name, (address, key, field_name) in _LISTS.items():
        listed = (await http.get(f"{API}/{address}")).json().get(key, [])
        found[name] = [one[field_name] for one in listed][:20]
    if found["conversation_id"]:
        await http.post(f"{API}/conversations/{found['conversation_id'][0]}/accept", headers={"X-CSRF-Token": token})
    return {name: ids for name, ids in found.items() if ids}


async def _ask(
    base: str,
    caller: Caller,
    things: dict[str, list[str]],
    seconds: int,
    folder: Path,
    report: Report,
    seed: int | None,
    more: Sequence[str],
) -> None:
    events, counts = folder / f"{caller.name}.ndjson", folder / f"{caller.name}.json"
    command = [
        str(Path(sys.executable).parent / "st"), "run", str(DESCRIPTIONS / caller.description), "--url", base,
        "--checks", CHECKS, "--max-time", str(seconds), "--continue-on-failure", "--no-color", "--workers", "1",
        "--request-timeout", "20", "--no-shrink", "--warnings", "off",
        "--suppress-health-check", "all", "--report", "ndjson", "--report-ndjson-path", str(events),
    ]  # fmt: skip
    # Without a database nothing of an earlier run is tried again; the deterministic kind has none anyway.
    command += (
        ["--generation-database", "none"] if seed is None else ["--seed", str(seed), "--generation-deterministic"]
    )
    for header in caller.headers:
        command += ["--header", header]
    environment = os.environ | {
        "PYTHONPATH": str(ROOT),
        "SCHEMATHESIS_HOOKS": "tests.fuzzing.hooks",
        "FUZZ_THINGS": json.dumps(things),
        "FUZZ_COUNTS": str(counts),
    }
    with (folder / f"{caller.name}.txt").open("wb") as output:
        process = await asyncio.create_subprocess_exec(
            *command, *more, cwd=folder, env=environment, stdout=output, stderr=asyncio.subprocess.STDOUT
        )
        try:
            async with asyncio.timeout(seconds * 2 + 120):
                await process.wait()
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()
    if process.returncode not in (0, 1) or not counts.exists():
        report.broken.append(caller.name)
        return
    told = json.loads(counts.read_text())
    report.asked.update(told["asked"])
    report.server_errors += told["failed"]
    report.violations += _violations(folder / f"{caller.name}.txt", caller.name)


def _violations(output: Path, name: str) -> list[str]:
    """The failures that schemathesis lists at the end of its output, each with its operation and what it was about."""
    found, operation = [], ""
    lines = output.read_text(errors="replace").splitlines()
    for place, line in enumerate(lines):
        heading = re.fullmatch(r"_+ ([A-Z]+ /\S*) _+", line)
        if heading:
            operation = heading[1]
        elif re.match(r"- ST\d+ ", line) and "Server error" not in line:
            about = " ".join(part.strip() for part in lines[place + 1 : place + 12] if part.strip())
            found.append(f"{name}: {operation}: {line[2:]}: {about[:400]}")
    return found
