"""Show a model the faces of a session again, cut out by what was recorded of them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from app.faces.alignment import Alignment, align
from app.faces.base import gray_of
from app.messages import Face, Prediction
from models.runtime.prediction import Classifier

__all__ = ["look_again"]


def look_again(
    image: NDArray[np.uint8], faces: Sequence[Face], classifier: Classifier
) -> list[tuple[Alignment, Prediction]]:
    """Return the crop of each face as the model sees it, and what it says of that.

    image: (H, W, 3) uint8 BGR. faces: with the landmarks that were recorded.
    """
    gray = gray_of(image)
    size, field = classifier.input_size, classifier.input_field
    cut = [align(gray, face, size, field=field) for face in faces]
    told = classifier.classify([each.crop for each in cut])
    return list(zip(cut, told, strict=True))
