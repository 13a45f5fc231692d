"""What schemathesis does differently here: it knows things that exist, waits for nobody, and counts what it asked.

Loaded by schemathesis itself (``SCHEMATHESIS_HOOKS``), in the process that asks.
"""

from __future__ import annotations

import atexit
import json
import os
from collections import Counter
from pathlib import Path
from typing import Any
from zlib import crc32

import schemathesis

THINGS: dict[str, list[str]] = json.loads(os.environ.get("FUZZ_THINGS", "{}"))
COUNTS = os.environ.get("FUZZ_COUNTS")
SHORTEST = 0.05  #: longer waits would only make fewer requests
asked: Counter[str] = Counter()
failed: list[str] = []


@schemathesis.hook
def map_path_parameters(context: Any, path_parameters: dict[str, Any] | None) -> dict[str, Any] | None:
    """Name something that exists, two times out of three: otherwise every request would end with a 404."""
    if not path_parameters:
        return path_parameters
    return {name: _existing(name, value) for name, value in path_parameters.items()}


@schemathesis.hook
def map_body(context: Any, body: Any) -> Any:
    """Wait for no replies, and name colleagues and things that exist."""
    if isinstance(body, dict):
        if isinstance(body.get("wait_seconds"), int | float):
            body = body | {"wait_seconds": min(body["wait_seconds"], SHORTEST)}
        for name in ("agent_id", "to_agent_id", "conversation_id"):
            if isinstance(body.get(name), str):
                body = body | {name: _existing(name.removeprefix("to_"), body[name])}
    return body


@schemathesis.hook
def map_query(context: Any, query: dict[str, Any] | None) -> dict[str, Any] | None:
    """Do not wait for news either."""
    return query | {"wait": SHORTEST} if query and "wait" in query else query


@schemathesis.hook
def before_call(context: Any, case: Any, **_: Any) -> None:
    """Sign nobody out whose session is needed."""
    if case.path.endswith("/sign-out"):
        case.headers = {**(case.headers or {}), "X-CSRF-Token": "not-yours"}


@schemathesis.hook
def after_call(context: Any, case: Any, response: Any) -> None:
    """Count."""
    asked[case.operation.label] += 1
    if response.status_code >= 500:
        failed.append(f"{response.status_code} {case.method.upper()} {response.request.url} {response.text[:200]}")


def _existing(name: str, value: Any) -> Any:
    known = THINGS.get(name)
    chosen = crc32(repr(value).encode("utf-8", "surrogatepass"))
    return known[chosen % len(known)] if known and chosen % 3 else value


@atexit.register
def _tell() -> None:
    if COUNTS:
        Path(COUNTS).write_text(json.dumps({"asked": asked, "failed": failed}))
