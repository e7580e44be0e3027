"""Ask a model again about the faces of a session, cut out by what was recorded of them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from app.faces.alignment import Alignment, align
from app.faces.base import gray_of
from app.messages import Face, Prediction
from app.review.recording import Recording, ReviewError
from models.runtime.base_rates import AS_MEASURED, BaseRates
from models.runtime.classifier import OnnxClassifier
from models.runtime.errors import UserError
from models.runtime.prediction import Classifier
from models.runtime.store import load_model

__all__ = ["look_again", "model_of"]


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


def model_of(recording: Recording, base_rates: BaseRates = AS_MEASURED) -> OnnxClassifier:
    """Load the very model that read a session. Raises `ReviewError` where it is not here.

    Raises `ModelError` where it cannot go by these base rates.
    """
    name, expected = recording.model_name, recording.model.get("sha256")
    try:
        classifier = load_model(name, provider="CPU")
    except UserError as error:
        raise _gone(name, "is not here any more") from error
    found = classifier.card.file.sha256 if classifier.card.file is not None else None
    same = expected is None or found is None or expected == found
    if not same or classifier.labels != recording.labels:
        raise _gone(name, "is another one now")
    if base_rates == AS_MEASURED:
        return classifier
    return load_model(name, provider="CPU", base_rates=base_rates)


def _gone(name: str, how: str) -> ReviewError:
    return ReviewError(
        f'The model that read this session, "{name}", {how}, so it cannot be asked; analyse '
        f"the video anew, or open the session with the version of Mien that recorded it."
    )
