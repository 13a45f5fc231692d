"""What a route of the staff API takes and answers, read from its handler."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from types import CodeType, FunctionType
from typing import Any

from pydantic import BaseModel

from openapi.components import Schema, either
from openapi.members import closure_of
from openapi.shapes import Shapes, tree_of

Handler = Callable[..., Any]
_FILE_BODY: Schema = {
    "type": "object",
    "properties": {"file": {"type": "string", "format": "binary", "contentMediaType": "application/octet-stream"}},
    "required": ["file"],
}


@dataclass
class Reading:
    """What was found in a handler and in what it calls of its own file."""

    body: type[BaseModel] | Schema | None = None
    body_needed: bool = True
    query: type[BaseModel] | None = None
    statuses: set[int] = field(default_factory=set)  #: of refusals
    answers: dict[int, list[Schema]] = field(default_factory=dict)  #: in JSON, by status
    files: set[str] = field(default_factory=set)  #: media types of answers that are no JSON
    redirects: bool = False  #: whether it sends the browser elsewhere


def read(handler: Handler, shapes: Shapes) -> Reading:
    """Read one handler."""
    found = Reading()
    for function in _with_called(handler):
        names = closure_of(function)
        for node in ast.walk(tree_of(function)):
            match node:
                case ast.Call(func=ast.Name(id="read_json"), args=[ast.Name(id=name), *_]):
                    found.body = names[name]
                case ast.IfExp(body=ast.Call(func=ast.Name(id="read_json"))):
                    found.body_needed = False
                case ast.Call(func=ast.Name(id="read_query"), args=[ast.Name(id=name), *_]):
                    found.query = names[name]
                case ast.Attribute(value=ast.Name(id="request"), attr="files"):
                    found.body = _FILE_BODY
                case ast.keyword(arg="content_type", value=ast.Constant(value=str(media))):
                    found.files.add(media.partition(";")[0])
                case ast.keyword(arg="content_type", value=ast.Subscript(value=ast.Name(id=name))):  # one of several
                    found.files |= {media.partition(";")[0] for media in names[name].values()}
                case ast.Call(func=ast.Name(id="redirect")):
                    found.redirects = True
        for call, arguments in shapes.calls_in(function, "answer"):
            found.answers.setdefault(_status(call), []).append(arguments[0] if arguments else {})
    found.statuses = _refusals(handler, shapes)
    return found


def _refusals(handler: Handler, shapes: Shapes) -> set[int]:
    """What the handler, and whatever of the staff's side it calls, refuses requests with."""
    waiting: list[tuple[Handler, type | None]] = [(handler, None)]
    seen: set[CodeType] = set()
    statuses: set[int] = set()
    while waiting:
        function, owner = waiting.pop()
        if function.__code__ in seen:
            continue
        seen.add(function.__code__)
        for node in ast.walk(tree_of(function)):
            match node:
                case ast.Call(func=ast.Name(id="Refused"), args=[ast.Constant(value=int(status)), *_]):
                    statuses.add(status)
        called = shapes.called_by(function, owner).items()
        waiting += [(one, kind) for one, kind in called if one.__module__.startswith("handoff.")]
    return statuses


def schema_of(schemas: list[Schema]) -> Schema:
    """What an answer with any of these shapes looks like."""
    return either(schemas)


def _with_called(handler: Handler) -> Iterator[Handler]:
    """The handler, and the functions of its own file that it calls."""
    seen: list[Handler] = [handler]
    for function in seen:
        yield function
        names = closure_of(function)
        for node in ast.walk(tree_of(function)):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
                called = names.get(node.func.id)
                own = getattr(called, "__module__", None) == handler.__module__ or node.func.id in _ANSWERING
                if own and isinstance(called, FunctionType) and called not in seen:
                    seen.append(called)


#: Functions of other files that answer in a handler's place.
_ANSWERING = {"moved_json"}


def _status(call: ast.Call) -> int:
    given = [one for one in call.args[1:] if isinstance(one, ast.Constant)]
    return int(str(given[0].value)) if given else 200
