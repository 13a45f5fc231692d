"""A double of an MLflow tracking server: the calls of its REST API 2.0 that the desk makes, with what it refuses."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from typing import Any

import httpx

_API = "/api/2.0/mlflow/"


@dataclass
class MlflowDouble:
    """Keeps experiments and runs."""

    token: str | None = None
    experiments: dict[str, str] = field(default_factory=dict)  #: name -> id
    runs: dict[str, dict[str, Any]] = field(default_factory=dict)
    down: bool = False
    breaks_after: int | None = None  #: so many calls that are answered

    @property
    def transport(self) -> httpx.MockTransport:
        return httpx.MockTransport(self._answer)

    def _answer(self, request: httpx.Request) -> httpx.Response:
        if self.down or self.breaks_after == 0:
            raise httpx.ConnectError("nobody there")
        if self.breaks_after is not None:
            self.breaks_after -= 1
        if self.token is not None and request.headers.get("authorization") != f"Bearer {self.token}":
            return httpx.Response(401, text="no")
        assert request.url.path.startswith(_API)
        call = request.url.path.removeprefix(_API)
        if request.method == "POST":
            assert request.headers["content-type"] == "application/json"
        body = json.loads(request.content) if request.content else dict(request.url.params)
        return getattr(self, "_" + re.sub(r"\W", "_", call))(body)  # type: ignore[no-any-return]

    def _experiments_get_by_name(self, body: dict[str, Any]) -> httpx.Response:
        found = self.experiments.get(body["experiment_name"])
        if found is None:
            return _refused(404, "RESOURCE_DOES_NOT_EXIST")
        return httpx.Response(
            200,
            json={"experiment": {"experiment_id": found, "name": body["experiment_name"], "lifecycle_stage": "active"}},
        )

    def _experiments_create(self, body: dict[str, Any]) -> httpx.Response:
        if body["name"] in self.experiments:
            return _refused(400, "RESOURCE_ALREADY_EXISTS")
        self.experiments[body["name"]] = str(len(self.experiments) + 1)
        return httpx.Response(200, json={"experiment_id": self.experiments[body["name"]]})

    def _runs_search(self, body: dict[str, Any]) -> httpx.Response:
        wanted = re.fullmatch(
            r"tags\.`frontdesk\.version` = '([^']+)' and attributes\.status = 'FINISHED'", body["filter"]
        )
        assert wanted is not None, body["filter"]
        found = [
            run
            for run in self.runs.values()
            if run["tags"]["frontdesk.version"] == wanted[1]
            and run["status"] == "FINISHED"
            and run["experiment_id"] in body["experiment_ids"]
        ]
        return httpx.Response(
            200, json={"runs": [{"info": {"run_id": run["run_id"]}} for run in found]} if found else {}
        )

    def _runs_create(self, body: dict[str, Any]) -> httpx.Response:
        if body["experiment_id"] not in self.experiments.values():
            return _refused(404, "RESOURCE_DOES_NOT_EXIST")
        run_id = f"run{len(self.runs) + 1}"
        self.runs[run_id] = {
            "run_id": run_id, "experiment_id": body["experiment_id"], "name": body["run_name"], "status": "RUNNING",
            "start_time": body["start_time"], "tags": {one["key"]: one["value"] for one in body["tags"]},
            "metrics": {}, "params": {},
        }  # fmt: skip
        return httpx.Response(200, json={"run": {"info": {"run_id": run_id}}})

    def _runs_log_batch(self, body: dict[str, Any]) -> httpx.Response:
        run = self.runs[body["run_id"]]
        for one in body["metrics"]:
            assert isinstance(one["value"], int | float)
            assert isinstance(one["timestamp"], int)
            run["metrics"][one["key"]] = one["value"]
        for one in body["params"]:
            assert isinstance(one["value"], str)
            run["params"][one["key"]] = one["value"]
        return httpx.Response(200, json={})

    def _runs_update(self, body: dict[str, Any]) -> httpx.Response:
        self.runs[body["run_id"]] |= {"status": body["status"], "end_time": body["end_time"]}
        return httpx.Response(200, json={"run_info": {"run_id": body["run_id"]}})


def _refused(status: int, code: str) -> httpx.Response:
    return httpx.Response(status, json={"error_code": code, "message": "refused"})
