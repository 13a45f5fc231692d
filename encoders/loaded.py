"""The encoders of this process, each read once however many rooms use it."""

from __future__ import annotations

from functools import cache

from encoders.e5 import E5
from encoders.use import USE


@cache
def use() -> USE:
    """The universal sentence encoder; raises ``OSError`` without its package."""
    return USE()


@cache
def e5() -> E5:
    """Multilingual E5; raises ``OSError`` without its package."""
    return E5()
