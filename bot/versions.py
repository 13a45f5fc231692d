"""The versions of the model that this bot has at hand: loaded beside the turns, let go when there are too many.

Each loaded version is a ``Dialogue`` of its own; they share the store, the actions and the encoders. A version is looked at
before it is loaded (``model_seal``), loaded in a thread, one at a time. Turns go on meanwhile.
"""

from __future__ import annotations

import asyncio
import gc
import logging
import time
from collections import Counter, OrderedDict
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from bot import model_names, model_seal
from bot.metrics import METRICS
from bot.turn import Dialogue

logger = logging.getLogger(__name__)

WAIT_SECONDS = 8.0  #: for a version that is being loaded; the service waits twelve for an answer
Load = Callable[[str], Dialogue]
_Stamp = tuple[int, ...]


class ModelGone(Exception):
    """There is no such version, or it is not to be trusted or cannot be loaded; the message says which and why."""


class StillLoading(Exception):
    """The version is not loaded yet; nothing has been done."""


class Versions:
    """The loaded versions; all of it runs in the event loop but the loading itself."""

    def __init__(
        self, folder: Path, keys: Path, load: Load, *, most: int = 3, wait_seconds: float = WAIT_SECONDS
    ) -> None:
        """``load`` makes a ``Dialogue`` of an archive's path and may take long; at most ``most`` stay loaded."""
        self._folder, self._keys, self._load = folder, keys, load
        self._most = most
        self._wait_seconds = wait_seconds
        self.default = ""
        self._chosen = False  #: by the service, rather than by training
        self._kept = set(model_names.kept(folder))
        self._loaded: OrderedDict[str, Dialogue] = OrderedDict()  #: the one used last comes last
        self._loading: dict[str, asyncio.Task[Dialogue]] = {}
        self._in_use: Counter[Dialogue] = Counter()
        self._one_at_a_time = asyncio.Lock()
        self._refused: dict[str, tuple[_Stamp, str]] = {}  #: why not, as long as the files are the same
        self._trusted: dict[str, _Stamp] = {}
        self._distrusted: dict[str, tuple[_Stamp, str]] = {}  #: an archive is hashed once, not at every look

    @property
    def serving(self) -> Dialogue | None:
        """What serves by default; None while it is being loaded."""
        return self._loaded.get(self.default)

    async def open(self, default: str) -> None:
        """Load the version to serve by default; raises ``ModelGone``."""
        await self._begin(default)
        self.default = default
        self._chosen = model_names.chosen(self._folder) == default

    @asynccontextmanager
    async def using(self, name: str | None) -> AsyncIterator[Dialogue]:
        """A version for a turn, loaded first if need be; raises ``ModelGone`` or ``StillLoading``."""
        wanted = name or self.default
        if not wanted:
            raise StillLoading
        dialogue = await self._wait_for(wanted, self._wait_seconds)
        if wanted in self._loaded:
            self._loaded.move_to_end(wanted)
        self._in_use[dialogue] += 1
        try:
            yield dialogue
        finally:
            self._in_use[dialogue] -= 1
            if not self._in_use[dialogue]:
                del self._in_use[dialogue]
                if self._loaded.get(wanted) is not dialogue:
                    dialogue.empty()  # it was let go while the turn ran

    async def arrange(self, default: str, loaded: Sequence[str], kept: Sequence[str]) -> None:
        """Load these, serve ``default`` where a turn names none, and let the others go.

        Raises ``ModelGone``, or ``StillLoading`` when it takes long, and has changed nothing; loading goes on, so that the
        same again comes to an end. What is chosen is remembered for the next start, and what is kept for the next training.
        """
        wanted = list(dict.fromkeys((default, *loaded)))[: self._most]
        until = time.monotonic() + self._wait_seconds
        for name in wanted:
            await self._wait_for(name, max(0.0, until - time.monotonic()))
        if not all(name in self._loaded for name in wanted):  # a turn has pushed one of them out meanwhile
            raise StillLoading
        self.default, self._chosen, self._kept = default, True, set(kept)
        try:
            model_names.keep(self._folder, kept)
            model_names.choose(self._folder, default)
        except OSError as error:  # a folder that only training may write; the service says it again after a restart
            logger.warning("what serves cannot be remembered in %s: %s", self._folder, error.strerror)
        for name in [one for one in self._loaded if one not in wanted]:
            self._let_go(name)

    async def listing(self) -> dict[str, Any]:
        """The versions in the folder, newest first, and which of them is served."""
        models = await asyncio.get_running_loop().run_in_executor(None, self._described)
        return {
            "default": self.default,
            "default_by": "choice" if self._chosen else "training",
            "most_loaded": self._most,
            "kept": sorted(self._kept),
            "models": models,
        }

    async def _wait_for(self, name: str, seconds: float) -> Dialogue:
        dialogue = self._loaded.get(name)
        if dialogue is not None:
            return dialogue
        try:
            return await asyncio.wait_for(asyncio.shield(self._begin(name)), seconds)
        except asyncio.TimeoutError:
            raise StillLoading from None

    def _begin(self, name: str) -> asyncio.Task[Dialogue]:
        running = self._loading.get(name)
        if running is None:
            running = self._loading[name] = asyncio.get_running_loop().create_task(self._bring(name))
            running.add_done_callback(lambda task: self._brought(name, task))
        return running

    def _brought(self, name: str, task: asyncio.Task[Dialogue]) -> None:
        self._loading.pop(name, None)
        if not task.cancelled():
            task.exception()  # told to those who wait for it; there may be nobody left

    async def _bring(self, name: str) -> Dialogue:
        async with self._one_at_a_time:
            stamp = self._stamp(name)
            if stamp is None:
                raise ModelGone(f"There is no version {name} here.")
            known = self._refused.get(name)
            if known is not None and known[0] == stamp:
                raise ModelGone(known[1])
            began = time.monotonic()
            try:
                dialogue = await asyncio.get_running_loop().run_in_executor(None, self._checked, name, stamp)
            except ModelGone as gone:
                self._refused[name] = (stamp, str(gone))
                METRICS.loads.add("refused")
                raise
            # The model stays; looking through it for garbage would hold up turns for tenths of a second.
            gc.freeze()
            METRICS.loads.add("loaded")
            logger.info("version %s loaded in %.1f s", name, time.monotonic() - began)
            self._loaded[name] = dialogue
            self._make_room(name)
            METRICS.loaded = len(self._loaded)
            return dialogue

    def _checked(self, name: str, stamp: _Stamp) -> Dialogue:
        archive = model_names.archive_of(self._folder, name)
        try:
            model_seal.check(archive, self._keys)
            self._trusted[name] = stamp
            return self._load(str(archive))
        except model_seal.ModelRefused as refusal:
            raise ModelGone(str(refusal)) from None
        except Exception as error:
            logger.exception("version %s cannot be loaded", name)
            raise ModelGone(f"{name} cannot be loaded: {type(error).__name__}.") from error

    def _make_room(self, for_name: str) -> None:
        for name in list(self._loaded):
            if len(self._loaded) <= self._most:
                return
            if name not in (self.default, for_name):
                self._let_go(name)

    def _let_go(self, name: str) -> None:
        dialogue = self._loaded.pop(name)
        METRICS.loaded = len(self._loaded)
        if dialogue not in self._in_use:
            # Frozen, it would not be found by the collector, which would also have to look through all that stays.
            dialogue.empty()

    def _stamp(self, name: str) -> _Stamp | None:
        archive = model_names.archive_of(self._folder, name)
        try:
            found = archive.lstat()
            beside = [_changed_at(model_seal.seal_of(archive)), _changed_at(self._keys / model_seal.PUBLIC_KEY)]
        except OSError:
            return None
        return (found.st_ino, found.st_size, found.st_mtime_ns, *beside)

    def _described(self) -> list[dict[str, Any]]:
        return [self._describe(model_names.name_of(archive)) for archive in model_names.newest_first(self._folder)]

    def _describe(self, name: str) -> dict[str, Any]:
        archive, stamp = model_names.archive_of(self._folder, name), self._stamp(name)
        problem = self._looked_at(name, archive, stamp)
        signed = model_seal.read(archive) if problem is None else {}
        return {
            "name": name,
            "sha256": signed.get("sha256"),
            "bytes": signed.get("bytes"),
            "sealed_at": signed.get("sealed_at"),
            "made": signed.get("made") or {},
            "loaded": name in self._loaded,
            "problem": problem,
        }

    def _looked_at(self, name: str, archive: Path, stamp: _Stamp | None) -> str | None:
        """What is wrong with an archive; looked at again only when it, its seal or the key has changed."""
        if stamp is not None and self._trusted.get(name) == stamp:
            return None
        known = self._distrusted.get(name)
        if known is not None and known[0] == stamp:
            return known[1]
        try:
            model_seal.check(archive, self._keys)
        except OSError as error:  # it may be read the next time
            return str(error)
        except model_seal.ModelRefused as refusal:
            if stamp is not None:
                self._distrusted[name] = (stamp, str(refusal))
            return str(refusal)
        if stamp is not None:
            self._trusted[name] = stamp
        return None


def _changed_at(path: Path) -> int:
    return path.stat().st_ctime_ns if path.exists() else 0  # also when only its rights were changed
