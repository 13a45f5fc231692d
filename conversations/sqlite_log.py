"""Reads SQLite's write-ahead log to tell a torn end, which is normal after a crash, from damage in its middle.

SQLite stops at the first frame whose checksum is wrong and drops what follows without a word. A power failure may leave
any part of the last transaction. But no transaction is written before the one ahead of it is safe, so a wrong frame with
a later transaction behind it is something that a disk has changed after it was safe.
Format: sqlite.org/fileformat2.html, section 4.
"""

from __future__ import annotations

import struct
from pathlib import Path

_HEADER, _FRAME_HEADER = 32, 24
_MAGIC = {0x377F0682: "<", 0x377F0683: ">"}
_MOST_READ = 256 * 1024 * 1024  # bytes; a log that long has not been folded for a reason of its own


def damage_in_log(path: Path) -> int | None:
    """The byte of a damaged frame that a later transaction follows; None if the log is sound or absent."""
    try:
        with path.open("rb") as file:
            log = file.read(_MOST_READ)
    except FileNotFoundError:
        return None
    if len(log) < _HEADER:
        return None
    magic, _, page_size, _, salt_1, salt_2, sum_1, sum_2 = struct.unpack(">8I", log[:_HEADER])
    order = _MAGIC.get(magic)
    size = _FRAME_HEADER + (65536 if page_size == 1 else page_size)
    frames = (len(log) - _HEADER) // size
    if order is None or _sums(log[:24], order, 0, 0) != (sum_1, sum_2):
        # Without its header nothing of the log counts; that is damage if anything was in it.
        return 0 if frames and any(log[_HEADER : _HEADER + size]) else None
    sums = (sum_1, sum_2)
    for number in range(frames):
        start = _HEADER + number * size
        frame = log[start : start + size]
        own = struct.unpack(">6I", frame[:_FRAME_HEADER])
        summed = _sums(frame[_FRAME_HEADER:], order, *_sums(frame[:8], order, *sums))
        if own[2:4] == (salt_1, salt_2) and summed == own[4:6]:
            sums = summed
            continue
        over = own[2:4] == (salt_1, salt_2) and own[1] != 0  # whether the transaction of the wrong frame has ended
        for at in range(start + size, len(log) - size + 1, size):
            _, commits, *salts = struct.unpack(">4I", log[at : at + 16])
            if salts == [salt_1, salt_2]:
                if over:
                    return start
                over = commits != 0
        return None
    return None


def _sums(data: bytes, order: str, first: int, second: int) -> tuple[int, int]:
    words = struct.unpack(f"{order}{len(data) // 4}I", data)
    for place in range(0, len(words), 2):
        first = (first + words[place] + second) & 0xFFFFFFFF
        second = (second + words[place + 1] + first) & 0xFFFFFFFF
    return first, second
