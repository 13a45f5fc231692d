"""What JSON a function makes, read from its source: forms are written as dictionaries, and say all there is to know.

Only what is plain is read: literal dictionaries, fields of annotated types, and calls of functions that are read the same
way. About everything else nothing is said, which is never wrong.
"""

from __future__ import annotations

import ast
import asyncio
import builtins
import dataclasses
import datetime
import functools
import inspect
import textwrap
import types
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Union, get_args, get_origin

from openapi.components import Components, Schema, either, is_optional, merged
from openapi.members import closure_of, hint_of_member, hints_of

Function = Callable[..., Any]
_NUMBERS = {"len": "integer", "int": "integer", "float": "number", "str": "string", "bool": "boolean", "sum": "number"}
_TEXT: Schema = {"type": "string"}
_TRUTH: Schema = {"type": "boolean"}


@dataclass
class Value:
    """What is known of an expression: its Python type, or already its JSON."""

    hint: Any = None
    schema: Schema | None = None
    parts: list[Value] | None = None  #: of a tuple
    thing: Any = None  #: the very function or class, where the name of one stands


@dataclass
class _Scope:
    function: Function
    names: dict[str, Value]
    outer: dict[str, Any]
    returned: list[Schema] = field(default_factory=list)


class Shapes:
    """Reads functions; forms become named schemas of ``components``."""

    def __init__(self, components: Components) -> None:
        self.components = components
        self.reached: dict[Function, type | None] = {}  #: every function of ours that was called
        self._called: dict[types.CodeType, dict[Function, type | None]] = {}
        self._read: dict[tuple[types.CodeType, tuple[tuple[str, bool], ...]], Schema] = {}
        self.special: dict[Any, Callable[[Shapes, list[Value]], Schema]] = {}

    def of(self, function: Function, owner: type | None = None, /, **known: bool) -> Schema:
        """The JSON that a function returns, when these arguments have these values."""
        key = (function.__code__, tuple(sorted(known.items())))
        if key in self._read:
            return self._read[key]
        self._read[key] = {"type": "object"}  # for a function that calls itself
        schema = self._read[key] = self._named(
            function, key[1], either(self._scope_of(function, owner, known).returned)
        )
        return schema

    def _named(self, function: Function, known: tuple[tuple[str, bool], ...], schema: Schema) -> Schema:
        if schema.get("type") == "object" and "properties" in schema:
            name = "".join(part.capitalize() for part in function.__name__.split("_"))
            suffix = "".join("".join(p.capitalize() for p in one.split("_")) for one, value in known if value)
            return self.components.keep(name + suffix, schema, function.__module__.rpartition(".")[2])
        return schema

    def calls_in(self, function: Function, name: str) -> Iterable[tuple[ast.Call, list[Schema]]]:
        """Each call of a function of this name within another, with what its arguments are as JSON."""
        scope = self._scope_of(function, None, {})
        for node in ast.walk(tree_of(function)):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == name:
                yield node, [self._json(scope, argument) for argument in node.args]

    def called_by(self, function: Function, owner: type | None = None) -> dict[Function, type | None]:
        """The functions that one calls, as far as it is plain which they are, and the class of each method."""
        found = self._called.get(function.__code__)
        if found is None:
            before, self.reached = self.reached, {}
            self._scope_of(function, owner, {})
            found = self._called[function.__code__] = self.reached
            self.reached = before
        return found

    def _scope_of(self, function: Function, owner: type | None, known: Mapping[str, bool]) -> _Scope:
        hints = hints_of(function)
        names = {name: Value(hint) for name, hint in hints.items() if name != "return"}
        if owner is not None:
            names["self"] = Value(owner)
        tree = tree_of(function)
        scope = _Scope(function, names, closure_of(function))
        self._outer_names(function, scope)
        self._block(scope, tree.body, known)
        return scope

    def _outer_names(self, function: Function, scope: _Scope) -> None:
        """Types of what the function around this one has set up, as far as they are instances."""
        for name, thing in scope.outer.items():
            if name in scope.names or isinstance(thing, type | types.FunctionType | types.ModuleType):
                continue
            if type(thing).__module__ != "builtins":
                scope.names[name] = Value(type(thing))

    def _block(self, scope: _Scope, body: list[ast.stmt], known: Mapping[str, bool], *, certain: bool = True) -> None:
        for statement in body:
            match statement:
                case ast.Assign(targets=[ast.Name(id=name)], value=value) if not certain and name in scope.names:
                    before, now = scope.names[name], self._value(scope, value)
                    if before.hint is None or before.hint != now.hint:
                        scope.names[name] = Value(schema=either([self._schema(before), self._schema(now)]))
                case ast.Assign(targets=[target], value=value):
                    self._assign(scope, target, self._value(scope, value))
                case ast.AnnAssign(target=ast.Name() as target, value=ast.expr() as value):
                    self._assign(scope, target, self._value(scope, value))
                case ast.AugAssign(target=ast.Name(id=name), op=ast.BitOr(), value=value) if name in scope.names:
                    held = self.components.resolved(self._schema(scope.names[name]))
                    more = self.components.resolved(self._json(scope, value))
                    scope.names[name] = Value(schema=merged(held, more, certain=certain))
                case ast.AugAssign(target=ast.Name(id=name)):
                    scope.names.pop(name, None)
                case ast.Expr(value=ast.Call(func=ast.Attribute(value=ast.Name(id=name), attr="append"), args=[item])):
                    others = self._schema(scope.names.get(name, Value())).get("items")
                    items = [self._json(scope, item)] + ([others] if others else [])
                    scope.names[name] = Value(schema={"type": "array", "items": either(items)})
                case ast.If(test=test, body=then, orelse=other):
                    taken = _decided(test, known)
                    if taken is not False:
                        self._block(scope, then, known, certain=certain and taken is True)
                    if taken is not True:
                        self._block(scope, other, known, certain=certain and taken is False)
                case (
                    ast.For(target=target, iter=source, body=then) | ast.AsyncFor(target=target, iter=source, body=then)
                ):
                    self._assign(scope, target, self._element(self._value(scope, source)))
                    self._block(scope, then, known, certain=False)
                case ast.With(body=then) | ast.AsyncWith(body=then):
                    self._block(scope, then, known, certain=certain)
                case ast.Try(body=then, handlers=handlers):
                    self._block(scope, then, known, certain=certain)
                    for handler in handlers:
                        self._block(scope, handler.body, known, certain=False)
                case ast.Expr(value=value):
                    self._value(scope, value)
                case ast.Return(value=ast.expr() as value):
                    scope.returned.append(self._json(scope, value))

    def _assign(self, scope: _Scope, target: ast.expr, value: Value) -> None:
        if isinstance(target, ast.Name):
            scope.names[target.id] = value
        elif isinstance(target, ast.Tuple | ast.List):
            parts = value.parts or _parts_of(value.hint)
            for place, part in enumerate(target.elts):
                self._assign(scope, part, parts[place] if place < len(parts) else self._element(value))
        elif (
            isinstance(target, ast.Subscript) and isinstance(target.value, ast.Name) and target.value.id in scope.names
        ):
            held, key = target.value.id, target.slice
            name = key.value if isinstance(key, ast.Constant) and isinstance(key.value, str) else None
            added: Schema = {"properties": {name: self._schema(value)}} if name else {"additionalProperties": {}}
            before = self.components.resolved(self._schema(scope.names[held]))
            scope.names[held] = Value(schema=merged(before, {"type": "object", **added}, certain=False))

    def _json(self, scope: _Scope, node: ast.expr) -> Schema:
        return self._schema(self._value(scope, node))

    def _schema(self, value: Value) -> Schema:
        if value.schema is not None:
            return value.schema
        if value.parts is not None:
            items = either([self._schema(part) for part in value.parts])
            return {"type": "array", "items": items} if items else {"type": "array"}
        return self.components.of_type(value.hint)

    def _value(self, scope: _Scope, node: ast.expr) -> Value:
        match node:
            case ast.Constant(value=value):
                return Value(type(value))
            case ast.JoinedStr():
                return Value(str)
            case ast.Await(value=value):
                return self._value(scope, value)
            case ast.Name(id=name):
                return self._name(scope, name)
            case ast.Attribute(value=owner, attr=name):
                hint = hint_of_member(self._value(scope, owner).hint, name)
                return Value(schema=hint) if isinstance(hint, dict) else Value(hint)
            case ast.Dict():
                return Value(schema=self._dictionary(scope, node))
            case ast.DictComp(value=value, generators=generators):
                self._bind(scope, generators)
                more = self._json(scope, value)
                return Value(schema={"type": "object", **({"additionalProperties": more} if more else {})})
            case ast.ListComp(elt=item, generators=generators) | ast.GeneratorExp(elt=item, generators=generators):
                self._bind(scope, generators)
                element = self._json(scope, item)
                return Value(schema={"type": "array", **({"items": element} if element else {})})
            case ast.List(elts=elements) | ast.Tuple(elts=elements):
                return Value(parts=[self._value(scope, one) for one in elements])
            case ast.IfExp(body=then, orelse=other):
                return Value(schema=either([self._json(scope, then), self._json(scope, other)]))
            case ast.BoolOp(op=ast.Or(), values=values):
                return Value(
                    schema=either([self._truthy(scope, one) for one in values[:-1]] + [self._json(scope, values[-1])])
                )
            case ast.Compare() | ast.UnaryOp(op=ast.Not()):
                return Value(schema=_TRUTH)
            case ast.BinOp(left=left, op=ast.BitOr(), right=right):
                resolved = self.components.resolved
                return Value(schema=merged(resolved(self._json(scope, left)), resolved(self._json(scope, right))))
            case ast.Call():
                return self._call(scope, node)
        return Value()

    def _truthy(self, scope: _Scope, node: ast.expr) -> Schema:
        schema = self._json(scope, node)
        if set(schema) == {"anyOf"}:
            return either([one for one in schema["anyOf"] if one != {"type": "null"}])
        return schema

    def _name(self, scope: _Scope, name: str) -> Value:
        if name in scope.names:
            return scope.names[name]
        thing = scope.outer.get(name, getattr(builtins, name, None))
        if isinstance(thing, str | int | float | bool):
            return Value(type(thing), thing=thing)
        return Value(thing=thing)

    def _dictionary(self, scope: _Scope, node: ast.Dict) -> Schema:
        whole: Schema = {"type": "object", "properties": {}, "required": []}
        for key, value in zip(node.keys, node.values, strict=True):
            schema = self._json(scope, value)
            if key is None:
                inner = self.components.resolved(schema)
                whole = merged(
                    whole, inner if inner.get("type") == "object" else {"type": "object", "additionalProperties": {}}
                )
            elif isinstance(key, ast.Constant) and isinstance(key.value, str):
                whole = merged(whole, {"type": "object", "properties": {key.value: schema}, "required": [key.value]})
            else:
                whole = merged(whole, {"type": "object", "additionalProperties": schema})
        return whole

    def _bind(self, scope: _Scope, generators: list[ast.comprehension]) -> None:
        for one in generators:
            self._assign(scope, one.target, self._element(self._value(scope, one.iter)))

    def _element(self, value: Value) -> Value:
        """What there is several of."""
        if value.parts:
            hints = {str(part.hint) for part in value.parts}
            return value.parts[0] if len(hints) == 1 else Value()
        if value.schema is not None:
            items = value.schema.get("items")
            return Value(schema=items) if isinstance(items, dict) else Value()
        arguments = get_args(value.hint)
        origin = get_origin(value.hint)
        if origin is tuple and (len(arguments) != 2 or arguments[1] is not Ellipsis):
            return Value()
        if isinstance(origin, type) and issubclass(origin, Iterable) and not issubclass(origin, Mapping) and arguments:
            return Value(arguments[0])
        return Value()

    def _call(self, scope: _Scope, node: ast.Call) -> Value:
        if isinstance(node.func, ast.Attribute):
            return self._method(scope, node, node.func)
        called = self._value(scope, node.func).thing
        arguments = [self._value(scope, one) for one in node.args]
        if called in self.special:
            return Value(schema=self.special[called](self, arguments))
        if called is dataclasses.asdict and arguments:
            return Value(arguments[0].hint)
        name = getattr(called, "__name__", "")
        if called in (list, tuple, sorted, set, frozenset) and arguments:
            element = self._schema(self._element(arguments[0]))
            return Value(schema={"type": "array", **({"items": element} if element else {})})
        if called in (min, max, round) and arguments:
            return Value(int) if called is round and len(arguments) == 1 else Value(arguments[0].hint)
        if called in (len, int, float, str, bool, sum):
            return Value(schema={"type": _NUMBERS[name]})
        if isinstance(called, type) and called.__module__ != "builtins":
            return Value(called)
        if isinstance(called, types.FunctionType):
            return self._returned(called, None, _constants(node))
        return Value()

    def _method(self, scope: _Scope, node: ast.Call, called: ast.Attribute) -> Value:
        owner = self._value(scope, called.value)
        if called.attr == "gather" and owner.thing is asyncio:
            return Value(parts=[self._value(scope, one) for one in node.args])
        if called.attr in ("isoformat", "strip", "lower", "join", "strftime"):
            return Value(str)
        hint = (
            next((one for one in get_args(owner.hint) if one is not type(None)), None)
            if is_optional(owner.hint)
            else owner.hint
        )
        if called.attr in ("values", "items", "get") and get_origin(hint) in (dict, Mapping):
            return self._of_mapping(hint, called.attr, len(node.args))
        if not isinstance(hint, type):
            return Value()
        method = inspect.getattr_static(hint, called.attr, None)
        if method in self.special:
            return Value(schema=self.special[method](self, [self._value(scope, one) for one in node.args]))
        method = method.__func__ if isinstance(method, staticmethod | classmethod) else method
        return self._returned(method, hint, _constants(node)) if isinstance(method, types.FunctionType) else Value()

    def _of_mapping(self, hint: Any, name: str, arguments: int) -> Value:
        inner = get_args(hint)
        if len(inner) != 2:
            return Value()
        if name == "get":
            return Value(Union[inner[1], None]) if arguments == 1 else Value()  # noqa: UP007  # made of values
        return Value(list[inner[1]] if name == "values" else list[tuple[inner[0], inner[1]]])  # type: ignore[valid-type]

    def _returned(self, function: Function, owner: type | None, known: dict[str, bool]) -> Value:
        self.reached.setdefault(function, owner)
        hint = hints_of(function).get("return")
        if hint in (dict[str, Any], dict[str, object], list[dict[str, Any]]):
            return Value(schema=self.of(function, owner, **known))
        return Value(hint)


def a_moment(shapes: Shapes, arguments: list[Value]) -> Schema:
    """What ``moment`` makes of a time, or of none."""
    optional = not arguments or arguments[0].hint is not datetime.datetime
    return shapes.components.of_type(datetime.datetime | None if optional else datetime.datetime)


def tree_of(function: Function) -> ast.FunctionDef | ast.AsyncFunctionDef:
    """The source of a function."""
    return _tree_of(function.__code__)


@functools.cache
def _tree_of(code: types.CodeType) -> ast.FunctionDef | ast.AsyncFunctionDef:
    tree = ast.parse(textwrap.dedent(inspect.getsource(code)))
    found = tree.body[0]
    assert isinstance(found, ast.FunctionDef | ast.AsyncFunctionDef)
    return found


def _decided(test: ast.expr, known: Mapping[str, bool]) -> bool | None:
    match test:
        case ast.Name(id=name):
            return known.get(name)
        case ast.UnaryOp(op=ast.Not(), operand=ast.Name(id=name)) if name in known:
            return not known[name]
        case ast.BoolOp(op=ast.And(), values=values) if any(_decided(one, known) is False for one in values):
            return False
    return None


def _parts_of(hint: Any) -> list[Value]:
    """Each part of a tuple that has a type of its own."""
    arguments = get_args(hint)
    plain = get_origin(hint) is tuple and Ellipsis not in arguments
    return [Value(one) for one in arguments] if plain else []


def _constants(node: ast.Call) -> dict[str, bool]:
    return {
        one.arg: one.value.value
        for one in node.keywords
        if one.arg and isinstance(one.value, ast.Constant) and isinstance(one.value.value, bool)
    }
