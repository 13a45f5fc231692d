"""The one way to change the bot's examples: whole edits with a history, safe when the process dies at any step.

An edit is written to the database before a file is touched, with the content of each file before and after; whoever
edits next, or starts next, finishes what a dead process left. Files are the truth: an edit that meets other lines than
it was planned on is taken back, never written over them.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TypeVar

import structlog

from conversations.model import Agent, new_id, utc_now
from conversations.store import Database
from failpoints import reach
from learning.changes import (
    LANGUAGES,
    MAX_WHY,
    OUT_OF_SCOPE,
    Change,
    DropIntent,
    Edit,
    Example,
    ExampleRefused,
    MadeIntent,
    Move,
    NewIntent,
    Remove,
    ReviseIntent,
    Reword,
    inverse,
)
from learning.edit_plan import FileChange, Plan, digest, plan
from learning.example_files import BadFile, ExampleFile
from learning.example_folder import ExampleFolder, Shelf
from learning.example_store import ExampleStore
from learning.example_writing import content_of, read_only, replace_file, sole_editor, sweep
from learning.intent_file import FILE as INTENTS
from learning.intent_file import IntentFile, line_of

_LOOKED_BACK = 300  #: edits looked through for who changed a line that is gone
Done = TypeVar("Done")
log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class IntentRow:
    """An intent with its number of examples by language; ``trained`` is False for what only teaches the gate."""

    name: str
    counts: dict[str, int]
    trained: bool


class ExampleBook:
    """The examples of one folder; every process that shares the folder shares the database too."""

    def __init__(self, database: Database, folder: ExampleFolder, now: Callable[[], datetime] = utc_now) -> None:
        self.folder = folder
        self._store = ExampleStore(database)
        self._now = now
        self._turn = asyncio.Lock()

    async def start(self) -> None:
        """Finish or take back what a process that died has left; a folder that cannot be written is left as it is."""
        if not await self._store.pending():
            return
        try:
            await self._alone(self._mend)
        except ExampleRefused as refused:
            log.warning("examples_not_mended", code=refused.code, problem=refused.message)

    # -- reading ------------------------------------------------------------------------------------------------

    async def shelf(self) -> Shelf:
        """Everything in the folder as it is now."""
        return await asyncio.to_thread(self.folder.look)

    async def intents(self) -> list[IntentRow]:
        """Every intent in the order of its name; what no intent fits comes last."""
        shelf = await self.shelf()
        return [
            IntentRow(name, {one: shelf.counts.get((name, one), 0) for one in LANGUAGES}, name != OUT_OF_SCOPE)
            for name in shelf.intents
        ]

    async def made(self) -> list[MadeIntent]:
        """The intents that trainers made."""
        return list((await self.shelf()).made.values())

    async def examples(self, intent: str, language: str) -> list[Example]:
        """The examples of an intent in a language, in the order of the files."""
        wanted = (intent, language)
        return [
            one.example for one in (await self.shelf()).entries if (one.example.intent, one.example.language) == wanted
        ]

    async def every(self) -> list[Example]:
        """Every example of every intent, from one look at the folder."""
        return [one.example for one in (await self.shelf()).entries]

    async def history(self, limit: int = 50, *, before: str | None = None, intent: str | None = None) -> list[Edit]:
        """Edits, the newest first, after the edit ``before``; only those that concern ``intent``."""
        return await self._store.history(limit, before, intent)

    async def count_since(self, moment: datetime) -> int:
        """How many edits were made after a moment."""
        return await self._store.count_since(moment)

    # -- changing -----------------------------------------------------------------------------------------------

    async def apply(self, changes: Sequence[Change], by: Agent, why: str) -> Edit:
        """Make all the changes or none; raises ``ExampleRefused``. It goes on when whoever asked for it is gone."""
        return await self._alone(lambda: self._made(tuple(changes), by, why, None))

    async def undo(self, edit_id: str, by: Agent, why: str = "") -> Edit:
        """Take an edit back, however long ago it was; raises ``ExampleRefused`` where others have changed the same lines."""

        async def work() -> Edit:
            found = await self._store.find(edit_id)
            if found is None:
                raise ExampleRefused("unknown_edit", "There is no such edit in the history.")
            if found.undone_by is not None:
                raise ExampleRefused(
                    "already_undone", "This edit has been taken back already.", {"by": found.undone_by}
                )
            return await self._made(tuple(inverse(one) for one in reversed(found.changes)), by, why, found.id)

        return await self._alone(work)

    async def _made(self, changes: tuple[Change, ...], by: Agent, why: str, undoes: str | None) -> Edit:
        try:
            planned = await asyncio.to_thread(plan, self.folder, changes, taking_back=undoes is not None)
        except ExampleRefused as refused:
            if refused.code == "gone":
                await self._explain(refused)
            raise
        why = " ".join(why.replace("\0", "").split())[:MAX_WHY]
        edit = Edit(new_id(), self._now(), by.id, by.name, why, planned.changes, undoes)
        await self._store.begin(edit, planned)
        reach("after_example_edit_noted")
        try:
            await asyncio.to_thread(self._write, planned)
        except BaseException as error:
            await self._store.end(edit.id, "taken_back")
            if isinstance(error, OSError):
                raise read_only(self.folder.root, error) from error
            raise
        reach("before_example_edit_done")
        await self._store.end(edit.id, "done")
        return edit

    def _write(self, planned: Plan) -> None:
        """Replace the files; whatever goes wrong, those replaced already get their former content."""
        done: list[FileChange] = []
        try:
            for change in planned.files:
                path = self.folder.root / change.name
                if digest(content_of(path)) != digest(change.before):
                    raise ExampleRefused(
                        "gone", f"{change.name} was changed by hand at this moment; reload.", {"file": change.name}
                    )
                replace_file(path, change.after)
                done.append(change)
        except BaseException:
            for change in reversed(done):
                with contextlib.suppress(OSError):
                    replace_file(self.folder.root / change.name, change.before)
            raise

    # -- after a crash ------------------------------------------------------------------------------------------

    async def _mend(self) -> None:
        for edit, files in await self._store.pending():
            state = await asyncio.to_thread(self._mended, files)
            await self._store.end(edit.id, state)
            log.warning("example_edit_mended", edit=edit.id, state=state)

    def _mended(self, files: Sequence[FileChange]) -> str:
        """Go on if every file is as it was before or after; if not, somebody edited by hand, and ours goes back."""
        sweep(self.folder.root)
        found = {one.name: digest(content_of(self.folder.root / one.name)) for one in files}
        if all(found[one.name] in (digest(one.before), digest(one.after)) for one in files):
            for one in files:
                if found[one.name] != digest(one.after):
                    replace_file(self.folder.root / one.name, one.after)
            return "done"
        # A file edited by hand after we had written it keeps our lines and theirs; then the others must follow.
        theirs = [one for one in files if found[one.name] not in (digest(one.before), digest(one.after))]
        if all(_has_ours(one, content_of(self.folder.root / one.name)) for one in theirs):
            for one in files:
                if found[one.name] == digest(one.before):
                    replace_file(self.folder.root / one.name, one.after)
            return "done"
        for one in files:
            if found[one.name] == digest(one.after):
                replace_file(self.folder.root / one.name, one.before)
        return "taken_back"

    # -- one at a time ------------------------------------------------------------------------------------------

    async def _alone(self, work: Callable[[], Awaitable[Done]]) -> Done:
        """Do it while no other editor is in the folder, to the end even if the caller is cancelled."""

        async def locked() -> Done:
            async with self._turn:
                lock = sole_editor(self.folder.root)
                await asyncio.to_thread(lock.__enter__)
                try:
                    await self._mend()
                    return await work()
                finally:
                    lock.__exit__(None, None, None)

        return await asyncio.shield(asyncio.ensure_future(locked()))

    async def _explain(self, refused: ExampleRefused) -> None:
        """Add to a refusal who changed the line, and what it is now."""
        gone = {name: refused.detail.get(name) for name in ("language", "intent", "text")}
        if not gone["text"]:
            return
        for edit in await self._store.history(_LOOKED_BACK, intent=str(gone["intent"])):
            for change in edit.changes:
                now = _now_of(change, gone)
                if now is None:
                    continue
                refused.detail |= {"by": edit.by_name, "at": edit.at.isoformat(), "edit": edit.id} | now
                return


def _now_of(change: Change, gone: dict[str, object]) -> dict[str, str] | None:
    """What became of an example through a change, if that change is what it is gone by."""
    if isinstance(change, NewIntent | DropIntent | ReviseIntent) or change.language != gone["language"]:
        return None
    if isinstance(change, Reword) and (change.intent, change.before) == (gone["intent"], gone["text"]):
        return {"did": "reword", "now": change.after}
    if isinstance(change, Move) and (change.before, change.text) == (gone["intent"], gone["text"]):
        return {"did": "move", "now": change.after}
    if isinstance(change, Remove) and (change.intent, change.text) == (gone["intent"], gone["text"]):
        return {"did": "remove"}
    return None


def _has_ours(change: FileChange, content: bytes | None) -> bool:
    """Whether a file that was edited by hand already holds what we were to add to it and lacks what we were to take."""
    try:
        before = _lines(change.name, change.before)
        after, now = _lines(change.name, change.after), _lines(change.name, content)
    except BadFile:
        return False
    return after - before <= now and not (before - after) & now


def _lines(name: str, content: bytes | None) -> set[tuple[str, str]]:
    if name == INTENTS:
        return {(one.name, line_of(one)) for one in IntentFile(content or b"").intents()}
    return set(ExampleFile(name, content).examples()) if content is not None else set()
