"""Puts another encoder's cosines on the scale of the one that ranking and gate were fitted with.

Encoders agree on what is nearer, but not on numbers: unrelated texts have a cosine of 0.75 for one and of 0.1 for
another. How E5 would spread over a pair of texts can be told from USE, which reads every text here, too; the other
encoder's cosines are stretched and moved to have that mean and that spread.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float32]
#: E5's cosine as USE lets expect it, fitted on the project's articles and development questions.
E5_AT_LEAST, E5_PER_USE = np.float32(0.768), np.float32(0.215)
_E5_SPREAD = 0.41  #: E5's standard deviation as a share of USE's, measured on the same pairs
_FEW = 8  #: texts, below which nothing can be told


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
    return E5_AT_LEAST + E5_PER_USE * use


def scale_of(use: Floats, other: Floats) -> Scale:
    """The scale of an encoder, from the vectors of the same texts, one row each, by USE and by itself."""
    if len(use) < _FEW:
        return Scale()
    pairs = np.triu_indices(len(use), k=1)
    theirs, known = (other @ other.T)[pairs], (use @ use.T)[pairs]
    spread = float(theirs.std())
    if not spread:
        return Scale()
    stretch = _E5_SPREAD * float(known.std()) / spread
    return Scale(stretch, float(E5_AT_LEAST + E5_PER_USE * known.mean()) - stretch * float(theirs.mean()))
