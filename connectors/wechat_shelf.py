"""Keeps answers for contacts whom an account can only answer while they write: without the customer-service API."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from connectors.wechat_passive import PassiveReplies, Written

_REMEMBERED = 5_000
#: The outbox asks for each message at least every minute; one it does not ask for any more was given up or taken back.
_FORGOTTEN_SECONDS = 180.0
#: Behind what has lain here for longer there may be more, which the outbox brings when this one is out.
_LATE_SECONDS = 10.0


@dataclass(slots=True)
class _Part:
    key: tuple[str, int]
    text: str
    put_at: float
    asked_at: float


class Shelf:
    """The outbox remains the owner of what lies here: it asks again until a message is given, also after a restart."""

    def __init__(self, passive: PassiveReplies, limit: int, hint: str, clock: Callable[[], float]) -> None:
        self._passive = passive
        self._limit = limit
        self._hint = hint
        self._clock = clock
        self._parts: OrderedDict[str, list[_Part]] = OrderedDict()
        self._given: OrderedDict[tuple[str, int], bool] = OrderedDict()
        self._promised: OrderedDict[str, bool] = OrderedDict()
        self._change = asyncio.Event()

    def promised(self, contact: str) -> bool:
        """Whether the contact was told to ask for an answer."""
        return contact in self._promised

    async def put(self, contact: str, outbox_id: str, texts: Sequence[str], seconds: float) -> bool:
        """Lay a message down and give it to an open request; returns whether all of it was given within the time."""
        now = self._clock()
        parts = self._parts.setdefault(contact, [])
        self._parts.move_to_end(contact)
        if len(self._parts) > _REMEMBERED:
            self._parts.popitem(last=False)
        lying = {part.key: part for part in parts}
        for place, text in enumerate(texts):
            key = (outbox_id, place)
            if key in lying:
                lying[key].asked_at = now
                lying[key].text = text  # addresses of files in it are good for an hour, and were made anew
            elif key not in self._given:
                parts.append(_Part(key, text, now, now))
        self.hand_out(contact)
        until = asyncio.get_running_loop().time() + seconds
        keys = [(outbox_id, place) for place in range(len(texts))]
        while not all(self._given.get(key, False) for key in keys):
            if not any(key in self._given and not self._given[key] for key in keys):
                return False  # nothing of it is on its way
            left = until - asyncio.get_running_loop().time()
            if left <= 0:
                return False
            self._change.clear()
            try:
                async with asyncio.timeout(left):
                    await self._change.wait()
            except TimeoutError:
                return False
        return True

    def hand_out(self, contact: str) -> None:
        """Give an open request of the contact what lies here, as much as fits."""
        found = self._batch(contact)
        if found is None:
            return
        text, parts = found
        late = any(self._clock() - part.put_at > _LATE_SECONDS for part in parts)
        more = late or len(parts) < len(self._parts.get(contact, ()))
        if self._passive.give(contact, text + (self._hint if more else ""), self._taken(contact, parts, more)):
            self._remove(contact, parts)

    def last_word(self, contact: str, nothing: str) -> tuple[str, Written]:
        """What to answer a request when its time is over: what lies here and how to get the rest, or ``nothing``."""
        found = self._batch(contact)
        if found is None:
            return nothing, self._taken(contact, [], True)
        text, parts = found
        done = self._taken(contact, parts, True)
        self._remove(contact, parts)
        return text + self._hint, done

    def _batch(self, contact: str) -> tuple[str, list[_Part]] | None:
        """As many parts as fit into one reply beside the hint."""
        now = self._clock()
        lying = [part for part in self._parts.get(contact, ()) if now - part.asked_at <= _FORGOTTEN_SECONDS]
        if not lying:
            self._parts.pop(contact, None)
            return None
        self._parts[contact] = lying
        text, taken = lying[0].text, [lying[0]]
        for part in lying[1:]:
            longer = f"{text}\n\n{part.text}"
            if len((longer + self._hint).encode("utf-8", "replace")) > self._limit:
                break
            text = longer
            taken.append(part)
        return text, taken

    def _remove(self, contact: str, parts: Sequence[_Part]) -> None:
        self._parts[contact] = [part for part in self._parts.get(contact, ()) if part not in parts]
        for part in parts:
            self._given[part.key] = False  # on its way
        while len(self._given) > 2 * _REMEMBERED:
            self._given.popitem(last=False)

    def _taken(self, contact: str, parts: Sequence[_Part], more: bool) -> Written:
        def written(well: bool) -> None:
            for part in parts:
                if well:
                    self._given[part.key] = True
                else:
                    self._given.pop(part.key, None)
            if not well and parts:
                self._parts[contact] = [*parts, *self._parts.get(contact, ())]
            if well and more:
                self._promised[contact] = True
            elif well:
                self._promised.pop(contact, None)
            while len(self._promised) > _REMEMBERED:
                self._promised.popitem(last=False)
            self._change.set()

        return written
