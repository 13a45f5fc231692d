"""One OpenAPI 3.1 document from operations: what the two descriptions have in common."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any

from pydantic import BaseModel

from openapi.components import Components, Schema, untitled

JSON = "application/json"
_PLACE = re.compile(r"<(\w+)(?::\w+)?>")
_HEX = {"type": "string", "pattern": "^[0-9a-f]{32}$", "examples": ["0123456789abcdef0123456789abcdef"]}
#: What each refusal means, in the words of every page of the documentation.
REFUSALS = {
    400: "The request does not hold what it should; the message names the field. 请求内容有误，message 会指出是哪个字段。",
    401: "Nobody is signed in, or the key is not known. 未登录，或密钥无效。",
    403: "Who asks may not do this. 没有权限。",
    404: "There is no such thing. 找不到。",
    405: "The address takes other methods. 请求方法不对。",
    408: "The request came too slowly. 请求传输太慢。",
    409: "Something happened meanwhile, or the state does not allow it. 状态不允许，或刚被别人改动。",
    413: "The body is too large. 请求体过大。",
    415: "The body is not JSON. 请求体不是 JSON。",
    422: "The idempotency key was used for another request. 幂等键已用于另一个请求。",
    426: "This address speaks WebSocket only. 这个地址只支持 WebSocket。",
    429: "Too many requests; Retry-After says when to come back. 请求过于频繁，请按 Retry-After 稍后再试。",
    503: "The desk cannot take this right now; Retry-After says when to come back. 服务暂时不可用，请按 Retry-After 稍后再试。",
}  # fmt: skip
ERROR: Schema = {
    "type": "object",
    "description": "The one shape of every error. `code` stays the same from version to version; `message` is for people.",
    "properties": {
        "error": {
            "type": "object",
            "properties": {
                "code": {"type": "string", "examples": ["invalid_request"]},
                "message": {"type": "string", "examples": ["contact: field required."]},
                "detail": {
                    "type": ["string", "object"],
                    "description": "What the message is about, where a program may need it.",
                },
            },
            "required": ["code", "message"],
        }
    },
    "required": ["error"],
}


@dataclass(frozen=True)
class Answer:
    """What a request that went well is answered with; no schema where it is not JSON."""

    status: int = 200
    schema: Schema | None = None
    media: str = JSON
    example: Any = None


@dataclass(frozen=True)
class Operation:
    """One method of one address, before it is written down."""

    method: str
    path: str  #: with ``<name>`` for its variable parts
    name: str
    summary: str
    tag: str
    answers: tuple[Answer, ...]
    refusals: frozenset[int] = frozenset()
    body: type[BaseModel] | Schema | None = None
    body_media: str = JSON
    body_needed: bool = True
    example: Any = None  #: a body
    query: type[BaseModel] | tuple[Schema, ...] | None = None
    headers: tuple[Schema, ...] = ()
    security: tuple[Mapping[str, list[str]], ...] = ()
    more: Mapping[str, Any] = field(default_factory=dict)  #: what is said besides


def described(
    title: str,
    intro: str,
    operations: Iterable[Operation],
    components: Components,
    security: Mapping[str, Schema],
    tags: Mapping[str, str],
) -> Schema:
    """The document; operations in the order of their addresses."""
    paths: dict[str, dict[str, Any]] = {}
    components.schemas.setdefault("Error", ERROR)
    for one in sorted(operations, key=lambda operation: (operation.path, operation.method)):
        address = _PLACE.sub(r"{\1}", one.path)
        assert one.method.lower() not in paths.setdefault(address, {}), f"{one.method} {address} is there twice"
        paths[address][one.method.lower()] = _written(one, components)
    used = {operation["tags"][0] for place in paths.values() for operation in place.values()}
    return {
        "openapi": "3.1.0",
        "info": {
            "title": title,
            "version": "1",
            "summary": "Frontdesk, a bilingual customer-service desk",
            "description": intro,
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "servers": [{"url": "/"}],
        "tags": [{"name": name, "description": text} for name, text in tags.items() if name in used],
        "paths": paths,
        "components": {
            "schemas": dict(sorted(components.schemas.items())),
            "responses": {str(status): _refusal(status) for status in REFUSALS},
            "securitySchemes": dict(security),
        },
    }


def _written(one: Operation, components: Components) -> Schema:
    form: Schema = {"operationId": one.name, "summary": one.summary, "tags": [one.tag]}
    parameters = [_of_path(name) for name in _PLACE.findall(one.path)] + _of_query(one.query, components)
    parameters += one.headers
    if parameters:
        form["parameters"] = parameters
    if one.body is not None:
        schema = components.of_model(one.body) if isinstance(one.body, type) else one.body
        content: Schema = {"schema": schema}
        if one.example is not None:
            content["example"] = one.example
        form["requestBody"] = {"required": one.body_needed, "content": {one.body_media: content}}
    form["responses"] = {str(answer.status): _answer(answer) for answer in one.answers}
    for status in sorted(one.refusals):
        form["responses"][str(status)] = {"$ref": f"#/components/responses/{status}"}
    form["security"] = [dict(scheme) for scheme in one.security]
    return form | dict(one.more)


def _answer(answer: Answer) -> Schema:
    form: Schema = {"description": HTTPStatus(answer.status).phrase}
    if answer.schema is not None:
        content: Schema = {"schema": answer.schema}
        if answer.example is not None:
            content["example"] = answer.example
        form["content"] = {answer.media: content}
    return form


def _refusal(status: int) -> Schema:
    form: Schema = {
        "description": REFUSALS[status],
        "content": {JSON: {"schema": {"$ref": "#/components/schemas/Error"}}},
    }
    if status in (429, 503):
        form["headers"] = {
            "Retry-After": {"description": "Seconds to wait.", "schema": {"type": "string", "pattern": "^[0-9]+$"}}
        }
    return form


def _of_path(name: str) -> Schema:
    schema = dict(_HEX) if name.endswith("_id") and name not in {"attachment_id", "article_id"} else {"type": "string"}
    return {"name": name, "in": "path", "required": True, "schema": schema}


def _of_query(query: type[BaseModel] | tuple[Schema, ...] | None, components: Components) -> list[Schema]:
    if query is None:
        return []
    if isinstance(query, tuple):
        return list(query)
    schema = untitled(query.model_json_schema())
    assert "$defs" not in schema, f"{query.__name__} is not flat, so it cannot be a query"
    needed = set(schema.get("required", []))
    return [
        {"name": name, "in": "query", "required": name in needed, "schema": inner}
        for name, inner in schema["properties"].items()
    ]
