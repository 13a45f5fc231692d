"""What type a member of a class has, by annotations and by what ``__init__`` puts there."""

from __future__ import annotations

import ast
import dataclasses
import enum
import functools
import inspect
import sys
import textwrap
from collections.abc import Callable
from typing import Any, get_args, get_type_hints

_PLAIN = (str, int, float, bool)


def hint_of_member(owner: Any, name: str) -> Any:
    """The type of ``owner.name``; of an enumeration's value, its JSON schema. None where nothing says it."""
    inner = [one for one in get_args(owner) if one is not type(None)]
    if type(None) in get_args(owner) and len(inner) == 1:
        owner = inner[0]
    if not isinstance(owner, type):
        return None
    if issubclass(owner, enum.Enum):
        values = [member.value for member in owner]
        return (
            {"type": "string", "enum": values} if name == "value" and all(isinstance(v, str) for v in values) else None
        )
    known: Any = owner
    found = _hints_of_class(known).get(name)
    if found is not None:
        return found
    member = inspect.getattr_static(owner, name, None)
    if isinstance(member, property) and member.fget is not None:
        return hints_of(member.fget).get("return")
    if isinstance(member, functools.cached_property):
        return hints_of(member.func).get("return")
    return None if member is not None else _set_up(known).get(name)


def hints_of(function: Callable[..., Any]) -> dict[str, Any]:
    """The annotations of a function, as far as they can be read here."""
    names = {**vars(sys.modules[function.__module__]), **closure_of(function)}
    found: dict[str, Any] = {}
    for name, text in inspect.get_annotations(function).items():
        try:
            found[name] = eval(text, names) if isinstance(text, str) else text  # noqa: S307  # our own annotations
        except (NameError, AttributeError, TypeError):
            continue
    return found


def closure_of(function: Callable[..., Any]) -> dict[str, Any]:
    """Every name that a function sees outside of itself."""
    seen = inspect.getclosurevars(function)
    return {**function.__globals__, **seen.nonlocals}


@functools.cache
def _hints_of_class(owner: Any) -> dict[str, Any]:
    try:
        return get_type_hints(owner)
    except (NameError, TypeError):
        return {}


@functools.cache
def _set_up(owner: Any) -> dict[str, Any]:
    """What ``__init__`` keeps of its arguments, and which classes it makes."""
    begin = owner.__init__
    if not inspect.isfunction(begin) or dataclasses.is_dataclass(owner):
        return {}
    hints, names = hints_of(begin), closure_of(begin)
    found: dict[str, Any] = {}
    for node in ast.walk(ast.parse(textwrap.dedent(inspect.getsource(begin)))):
        match node:
            case ast.Assign(targets=[ast.Attribute(value=ast.Name(id="self"), attr=name)], value=value):
                made = _made(value, hints, names)
                if made is not None:
                    found[name] = made
    return found


def _made(value: ast.expr, hints: dict[str, Any], names: dict[str, Any]) -> Any:
    match value:
        case ast.Name(id=name):
            return hints.get(name)
        case ast.Call(func=ast.Name(id=name)) if isinstance(names.get(name), type):
            return names[name]
        case ast.BoolOp(op=ast.Or(), values=values):
            made = _made(values[-1], hints, names)
            return made if made is not None else _made(values[0], hints, names)
    return None
