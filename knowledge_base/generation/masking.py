"""Takes what is personal out of what goes to a language model, for one call; what comes back is put together again."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection
from typing import Protocol

from personal_data.finding import find
from personal_data.masks import Find
from personal_data.placeholders import Placeholders

#: Orders, tickets, parcels: six digits or more, however they are grouped.
_NUMBER = re.compile(r"(?<![\w¥￥$£€.])(?:[A-Za-z]{1,4}[\s-]?)?(?:\+?\d[\s-]?){6,}[\dXx]?(?![\w%])")


class Call(Protocol):
    """What one call to a model hides; the map of what stands for what lives no longer."""

    def hide(self, text: str, language: str = "", names: Collection[str] = ()) -> str:
        """The text as it may leave the machine."""

    def restore(self, text: str) -> str:
        """What the model wrote, with the values back in place of their placeholders."""


Calls = Callable[[], Call]


class OpenCall:
    """Hides nothing: for a model on a machine of one's own."""

    def hide(self, text: str, language: str = "", names: Collection[str] = ()) -> str:
        """The text as it is."""
        return text

    def restore(self, text: str) -> str:
        """The text as it is."""
        return text


def masked_call(finder: Find = find) -> Call:
    """A call that hides everything personal."""
    return Placeholders(finder=finder)


def without_numbers(text: str) -> str:
    """The text without long numbers; a question never needs them to be answered from articles."""
    return _NUMBER.sub("[number] ", text).strip()
