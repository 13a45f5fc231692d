"""What the routes of canned replies, macros and recall accept."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field

from handoff.bodies import Body, Identifier, Prose


class CannedBody(Body):
    """A canned reply; ``shared`` gives it to everybody, which supervisors decide."""

    shortcut: Annotated[Prose, Field(max_length=64)]
    title_zh: Annotated[Prose, Field(max_length=200)] = ""
    title_en: Annotated[Prose, Field(max_length=200)] = ""
    text_zh: Annotated[Prose, Field(max_length=8000)] = ""
    text_en: Annotated[Prose, Field(max_length=8000)] = ""
    shared: bool = False


class MacroBody(Body):
    """A macro; what a step may hold is decided by the register of verbs."""

    title_zh: Annotated[Prose, Field(max_length=80)] = ""
    title_en: Annotated[Prose, Field(max_length=80)] = ""
    steps: Annotated[list[dict[str, Any]], Field(max_length=50)]
    shared: bool = False


class RunBody(Body):
    """``run_id`` makes a repeat of the request harmless: nothing is said twice."""

    run_id: Identifier


class RecallBody(Body):
    """Which message is taken back."""

    seq: Annotated[int, Field(ge=1, le=2**31 - 1)]


class ExportQuery(Body):
    """Whose canned replies are written to a file."""

    shared: bool = True
