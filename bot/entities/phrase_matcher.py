"""spaCy's phrase matcher, imported without the deep-learning libraries that its dependency would load if it met them."""

from __future__ import annotations

import sys

_UNWANTED = ("torch",)


def _without(names: tuple[str, ...]) -> list[str]:
    """Makes modules seem not installed; returns those to bring back."""
    hidden = [name for name in names if name not in sys.modules]
    for name in hidden:
        sys.modules[name] = None  # type: ignore[assignment]
    return hidden


_hidden = _without(_UNWANTED)
try:
    # thinc takes torch in wherever it is installed: half a gigabyte and seconds of start-up for a matcher that needs none.
    from spacy.matcher import PhraseMatcher
    from spacy.tokens import Doc
    from spacy.vocab import Vocab
finally:
    for _name in _hidden:
        del sys.modules[_name]

__all__ = ["Doc", "PhraseMatcher", "Vocab"]
