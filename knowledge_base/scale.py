"""Puts another encoder's cosines on the scale of the one that ranking and gate were fitted with.

Encoders agree on what is nearer, but not on numbers: unrelated texts have a cosine of 0.8 for one and of 0.1 for
another. Two things mean the same to all of them: an article's title beside its own first passage is near, and beside
those of other articles it is far. The other encoder's cosines are stretched and moved so that both lie where E5 has them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float32]
FAR, NEAR = 0.807, 0.929  #: E5's mean cosines of the project's titles and first passages: strange ones, own ones
_E5_AT_LEAST, _E5_PER_USE = np.float32(0.768), np.float32(0.215)  #: E5's cosine as USE lets expect it
_FEW = 8  #: articles, below which nothing can be told


@dataclass(frozen=True, slots=True)
class Scale:
    """What makes an encoder's cosine one of E5's."""

    stretch: float = 1.0
    move: float = 0.0

    def __call__(self, cosines: Floats) -> Floats:
        """These cosines as E5 would have them."""
        scaled: Floats = cosines * np.float32(self.stretch) + np.float32(self.move)
        return scaled


def imputed(use: Floats) -> Floats:
    """What E5 would probably say, from what USE says; for an edition whose own encoder cannot be loaded."""
    return _E5_AT_LEAST + _E5_PER_USE * use


def scale_of(titles: Floats, passages: Floats, languages: Sequence[str]) -> Scale:
    """The scale of an encoder, from articles' titles and first passages, one row each, and their languages."""
    if len(titles) < _FEW:
        return Scale()
    cosines = titles @ passages.T
    written = np.array(languages)
    strange = (written[:, None] == written[None, :]) & ~np.eye(len(written), dtype=np.bool_)
    if not strange.any():
        return Scale()
    near, far = float(np.diag(cosines).mean()), float(cosines[strange].mean())
    if near - far < 0.01:  # an encoder that cannot tell them apart has no scale
        return Scale()
    stretch = (NEAR - FAR) / (near - far)
    return Scale(stretch, FAR - stretch * far)
