"""Carries every new version to an MLflow server, as a run with parameters, metrics and tags; never a customer's words.

It speaks MLflow's REST API 2.0, which every tracking server has, so the desk needs no library of it.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import httpx

from learning.version_store import Version

_API = "/api/2.0/mlflow"
_MOST_TEXT = 500  #: of a parameter or tag, what every server takes


class NotTracked(Exception):
    """The server does not answer, or refuses; the message says what it said."""


class Mlflow:
    """One experiment on one tracking server."""

    def __init__(
        self,
        uri: str,
        token: str | None = None,
        experiment: str = "frontdesk",
        *,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        self._client = httpx.AsyncClient(
            base_url=uri.rstrip("/"), headers=headers, timeout=15.0, transport=transport, trust_env=False
        )
        self._experiment = experiment

    async def track(self, version: Version) -> str:
        """The id of the version's run, which is made unless it is there already; raises ``NotTracked``."""
        experiment = await self._experiment_id()
        found = await self._post(
            "runs/search",
            {
                "experiment_ids": [experiment],
                "filter": f"tags.`frontdesk.version` = '{version.name}' and attributes.status = 'FINISHED'",
                "max_results": 1,
            },
        )
        runs = found.get("runs") or []
        if runs:
            return str(runs[0]["info"]["run_id"])
        began = int(version.made_at.timestamp() * 1000)
        made = await self._post(
            "runs/create",
            {
                "experiment_id": experiment,
                "run_name": version.name,
                "start_time": began,
                "tags": [{"key": key, "value": value} for key, value in tags_of(version)],
            },
        )
        run_id = str(made["run"]["info"]["run_id"])
        now = int(time.time() * 1000)
        metrics = [{"key": key, "value": value, "timestamp": now, "step": 0} for key, value in metrics_of(version)]
        params = [{"key": key, "value": value} for key, value in params_of(version)]
        await self._post("runs/log-batch", {"run_id": run_id, "metrics": metrics, "params": params})
        ended = began + int(float(version.made.get("seconds") or 0) * 1000)
        await self._post("runs/update", {"run_id": run_id, "status": "FINISHED", "end_time": ended})
        return run_id

    async def close(self) -> None:
        """Close the connections."""
        await self._client.aclose()

    async def _experiment_id(self) -> str:
        asked = {"experiment_name": self._experiment}
        response = await self._asked("GET", "experiments/get-by-name", params=asked)
        if response.status_code == 404:
            made = await self._asked("POST", "experiments/create", json={"name": self._experiment})
            if made.status_code == 200:
                return str(_form(made)["experiment_id"])
            # Somebody else has made it at this moment.
            response = await self._asked("GET", "experiments/get-by-name", params=asked)
        return str(_form(response)["experiment"]["experiment_id"])

    async def _post(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        return _form(await self._asked("POST", path, json=body))

    async def _asked(self, method: str, path: str, **more: Any) -> httpx.Response:
        try:
            return await self._client.request(method, f"{_API}/{path}", **more)
        except httpx.HTTPError as error:
            raise NotTracked(f"the MLflow server does not answer: {type(error).__name__}") from error


def tags_of(version: Version) -> Iterator[tuple[str, str]]:
    """What a run is found by."""
    yield "frontdesk.version", version.name
    yield "frontdesk.data_hash", version.data_hash
    yield "frontdesk.pipeline_hash", str(version.made.get("pipeline_hash", ""))
    yield "frontdesk.sha256", version.sha256
    yield "mlflow.user", (version.by_name or "make train")[:_MOST_TEXT]
    yield "mlflow.source.name", "frontdesk"
    if version.note:
        yield "mlflow.note.content", version.note[:_MOST_TEXT]


def params_of(version: Version) -> Iterator[tuple[str, str]]:
    """What it was trained with."""
    yield "profile", str(version.made.get("profile", ""))
    yield "intents", str(version.made.get("intents", ""))
    for language, number in sorted(dict(version.made.get("examples") or {}).items()):
        yield f"examples_{language}", str(number)


def metrics_of(version: Version) -> Iterator[tuple[str, float]]:
    """Every figure of the version, by language."""
    yield "seconds", float(version.made.get("seconds") or 0)
    yield "bytes", float(version.bytes)
    for language, figures in sorted((version.metrics or {}).items()):
        if isinstance(figures, dict):
            for name, value in sorted(figures.items()):
                if isinstance(value, int | float) and not isinstance(value, bool):
                    yield f"{language}_{name}", float(value)


def _form(response: httpx.Response) -> dict[str, Any]:
    try:
        form = response.json()
    except ValueError:
        form = None
    if response.status_code != 200 or not isinstance(form, dict):
        code = form.get("error_code") if isinstance(form, dict) else None
        raise NotTracked(f"the MLflow server answered {response.status_code}{f' {code}' if code else ''}")
    return form
