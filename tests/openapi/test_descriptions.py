"""The descriptions: stored as the code makes them, valid by OpenAPI's own schema, and complete."""

from __future__ import annotations

import json
import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from schemathesis.specs.openapi.definitions import OPENAPI_31_VALIDATOR

from handoff.roles import POLICY, PUBLIC, Role
from openapi.public_api import describe_public_api
from openapi.staff_api import describe_staff_api
from tests.handoff.desk import Desk, open_desk
from tools.describe import FOLDER, written

METHODS = {"get", "post", "options", "head"}


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Desk]:
    async with open_desk(tmp_path, describe=describe_staff_api) as opened:
        yield opened


@pytest.fixture(params=["public.json", "staff.json"])
def stored(request: pytest.FixtureRequest) -> dict[str, Any]:
    return dict(json.loads((FOLDER / request.param).read_text(encoding="utf-8")))


def operations(document: dict[str, Any]) -> list[tuple[str, str, dict[str, Any]]]:
    return [
        (method, path, operation)
        for path, place in document["paths"].items()
        for method, operation in place.items()
        if method in METHODS
    ]


async def test_the_stored_copies_are_what_the_code_says_today(desk: Desk) -> None:
    said = "run make openapi and look at what has changed"
    assert (FOLDER / "public.json").read_text(encoding="utf-8") == written(describe_public_api()), said
    made = written(describe_staff_api(desk.side.guard.handlers))
    assert (FOLDER / "staff.json").read_text(encoding="utf-8") == made, said


def test_a_description_is_valid_by_the_schema_of_openapi_3_1(stored: dict[str, Any]) -> None:
    assert stored["openapi"] == "3.1.0"
    problems = [f"{list(error.instance_path)}: {error.message}" for error in OPENAPI_31_VALIDATOR.iter_errors(stored)]
    assert problems == []


def test_every_reference_leads_somewhere_and_every_operation_has_a_name_of_its_own(stored: dict[str, Any]) -> None:
    for reference in set(re.findall(r'"\$ref": "#/([^"]+)"', json.dumps(stored))):
        found: Any = stored
        for part in reference.split("/"):
            assert part in found, reference
            found = found[part]
    names = [operation["operationId"] for _, _, operation in operations(stored)]
    assert len(names) == len(set(names))


def test_every_operation_says_who_may_call_it_and_how_it_goes_well(stored: dict[str, Any]) -> None:
    for method, path, operation in operations(stored):
        assert "security" in operation, path
        assert any(status[0] in "123" for status in operation["responses"]), (method, path)
        for status, response in operation["responses"].items():
            if status[0] == "4" and "$ref" in response:
                assert response["$ref"] == f"#/components/responses/{status}"


def test_the_staff_api_is_described_for_the_roles_of_the_table() -> None:
    document = json.loads((FOLDER / "staff.json").read_text(encoding="utf-8"))
    described = {
        (method.upper(), re.sub(r"{(\w+)}", r"<\1>", path.removeprefix("/staff/api/"))): operation
        for method, path, operation in operations(document)
    }
    assert set(described) == set(POLICY) | PUBLIC
    for route, operation in described.items():
        roles = [role.value for role in Role if role in POLICY[route]] if route in POLICY else None
        assert operation.get("x-roles") == roles
        assert ("401" in operation["responses"]) or route in PUBLIC or route == ("GET", "live")


def test_a_form_that_a_handler_answers_is_described_field_by_field() -> None:
    document = json.loads((FOLDER / "staff.json").read_text(encoding="utf-8"))
    message = document["components"]["schemas"]["Message"]
    assert message["properties"]["created_at"] == {"type": "string", "format": "date-time"}
    assert message["properties"]["author"]["enum"] == ["contact", "bot", "agent", "system"]
    assert {"id", "seq", "text", "attachments"} <= set(message["required"])
    reply = document["paths"]["/staff/api/conversations/{conversation_id}/reply"]["post"]
    assert reply["requestBody"]["content"]["application/json"]["schema"]["$ref"].endswith("/ReplyBody")
    assert set(reply["responses"]) == {"201", "400", "401", "403", "404", "409", "413", "415", "503"}


def test_the_public_description_tells_nothing_of_the_staff_api_or_of_one_desk() -> None:
    text = (FOLDER / "public.json").read_text(encoding="utf-8")
    assert "/staff/api" not in text
    assert "127.0.0.1" not in text


async def test_only_who_is_signed_in_reads_the_staff_apis_description(desk: Desk) -> None:
    assert (await desk.client().get("/staff/api/openapi.json")).status_code == 401
    trainer = await desk.browser("Sam", Role.TRAINER)
    trainer.http.timeout = httpx.Timeout(
        200
    )  # it is made when the first one asks, which a busy machine takes its time for
    served = await trainer.get("openapi.json")
    assert served.json() == json.loads((FOLDER / "staff.json").read_text(encoding="utf-8"))


async def test_a_desk_that_describes_nothing_says_so(tmp_path: Path) -> None:
    async with open_desk(tmp_path) as desk:
        sam = await desk.browser("Sam")
        assert (await sam.get("openapi.json")).status_code == 404
