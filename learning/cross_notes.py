"""What the last cross-validation says about each example: taken for something else by a model that had not seen it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping

from learning.changes import Example
from learning.example_check import Note
from learning.example_folder import Shelf
from learning.job_store import Job

#: The newest job of a kind that is done.
Latest = Callable[[], Awaitable[Job | None]]
Notes = Mapping[Example, tuple[Note, ...]]


class CrossNotes:
    """The notes of the newest result; the same object as long as neither result, examples nor other notes have changed."""

    def __init__(self, latest: Latest) -> None:
        self._latest = latest
        self._known: tuple[str, Shelf, Notes, Notes] | None = None

    async def beside(self, others: Notes, shelf: Shelf) -> Notes:
        """These notes and those of the cross-validation."""
        job = await self._latest()
        if job is None or not job.result:
            return others
        known = self._known
        if known is None or known[0] != job.id or known[1] is not shelf or known[2] is not others:
            self._known = known = (
                job.id,
                shelf,
                others,
                _together(others, _notes(job.result.get("wrong") or [], shelf)),
            )
        return known[3]


def _notes(wrong: list[dict[str, str | float]], shelf: Shelf) -> Notes:
    taken = {(one["language"], one["intent"], one["text"]): one for one in wrong}
    found: dict[Example, tuple[Note, ...]] = {}
    for entry in shelf.entries:
        one = taken.get((entry.example.language, entry.example.intent, entry.plain))
        if one is not None:
            found[entry.example] = (Note("crossed", float(one["confidence"]), None, str(one["predicted"])),)
    return found


def _together(some: Notes, more: Notes) -> Notes:
    return {example: (*some.get(example, ()), *more.get(example, ())) for example in {**some, **more}}
