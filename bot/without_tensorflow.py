"""Keeps TensorFlow out of our processes: Rasa imports it everywhere and our pipeline never calls it.

Loading it takes about half of the start-up time and 300 MB. What Rasa's modules need of it while they are imported is
names: base classes, decorators and type annotations. They get placeholders; whoever would compute with one is told.
"""

from __future__ import annotations

import importlib.abc
import importlib.machinery
import sys
from types import ModuleType
from typing import Any

_ABSENT = ("tensorflow", "tensorflow_text", "tensorflow_hub", "tensorflow_addons", "keras")


class _Placeholders(type):
    """Every attribute of a placeholder (class or module) is one; called with a function it is a decorator that changes nothing."""

    def __getattr__(cls, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return _placeholder(f"{cls.__name__}.{name}")

    def __call__(cls, *arguments: Any, **named: Any) -> Any:
        if cls.__module__ != __name__:
            raise RuntimeError(f"{cls.__name__} needs TensorFlow, which the bot does not load.")
        if len(arguments) == 1 and callable(arguments[0]) and not named:
            return arguments[0]
        return _placeholder(f"{cls.__name__}()")


def _placeholder(name: str) -> Any:
    return _Placeholders(name, (), {"__module__": __name__})


class _Finder(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    def find_spec(self, name: str, path: Any = None, target: Any = None) -> importlib.machinery.ModuleSpec | None:
        if name.partition(".")[0] not in _ABSENT:
            return None
        return importlib.machinery.ModuleSpec(name, self, is_package=True)

    def create_module(self, spec: importlib.machinery.ModuleSpec) -> ModuleType:
        module = ModuleType(spec.name)
        module.__getattr__ = _placeholder(spec.name).__getattr__  # type: ignore[method-assign]
        return module

    def exec_module(self, module: ModuleType) -> None:
        """There is nothing to execute."""


def install() -> None:
    """Must run before anything imports Rasa; does nothing where TensorFlow is already loaded."""
    if "tensorflow" not in sys.modules:
        sys.meta_path.insert(0, _Finder())
