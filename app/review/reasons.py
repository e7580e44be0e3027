"""Why a session's faces were called what they were: asked of the model that read them."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from app.live.offers import offers_of
from app.messages import FaceResult, FrameResult
from app.review.look_again import look_again, model_of
from app.review.pictures import Pictures, is_clean, no_clean_pictures
from app.review.recording import Recording, ReviewError
from app.views import VIEWS, shown_label
from models.explain.base import Explainer
from models.explain.explainers import explainers_for

__all__ = ["NO_PICTURES", "Reasons"]

# Ten pictures a second still look like a film.
_QUICK_SECONDS = 0.1

log = logging.getLogger(__name__)

NO_PICTURES = no_clean_pictures("its model needs them to say why")


class Reasons:
    """Have the model that read a session look at its pictures again; for one thread.

    What it says stays as it was recorded: only where it finds that is new.
    """

    def __init__(self, recording: Recording, pictures: Pictures | None) -> None:
        """Load the model. Raises `ReviewError` without it or without pictures that it can read."""
        if pictures is None or not is_clean(pictures, recording):
            raise ReviewError(NO_PICTURES)
        self._classifier = model_of(recording)
        self.offers = offers_of(self._classifier)
        self._explainers: dict[str, Explainer] = {}
        self._took: dict[str, float] = {}

    def view(self, wish: str) -> str:
        """Return the view to show for a wish, "" for the model's best; empty where it has none."""
        return self.offers.choose(wish)

    def is_slow(self, view: str) -> bool:
        """Say whether a view has to be asked for by `explain`."""
        return view in VIEWS and VIEWS[view].slow

    def is_quick(self, view: str) -> bool:
        """Say whether `explain` keeps up with a film, as far as it was tried."""
        return self._took.get(view, 0.0) <= _QUICK_SECONDS

    def look(self, result: FrameResult) -> FrameResult:
        """Return a result with the crops, and with what the network itself tells of each."""
        if not result.faces:
            return result
        seen = look_again(
            result.frame.image, [face.face for face in result.faces], self._classifier
        )
        faces = tuple(
            replace(
                face,
                prediction=replace(face.prediction, attention=said.attention),
                crop=cut.crop,
                crop_to_frame=cut.crop_to_frame,
            )
            for face, (cut, said) in zip(result.faces, seen, strict=True)
        )
        return replace(result, faces=faces)

    def explain(
        self, result: FrameResult, view: str, overtaken: Callable[[], bool]
    ) -> FrameResult | None:
        """Return what `look` returned with a slow view's maps too, None once it is overtaken."""
        explainer = self._explainer(view)
        if explainer is None:
            return None
        faces = []
        began = time.perf_counter()
        for face in result.faces:
            if overtaken():
                return None
            faces.append(_with_map(face, view, explainer))
        self._took[view] = time.perf_counter() - began
        return replace(result, faces=tuple(faces))

    def _explainer(self, view: str) -> Explainer | None:
        if not self._explainers:
            made = explainers_for(self._classifier, on_problem=log.warning)
            self._explainers = {each.name: each for each in made}
        return self._explainers.get(view)


def _with_map(face: FaceResult, view: str, explainer: Explainer) -> FaceResult:
    """Return a face with the map of the label that is shown, NaN for the others."""
    label = shown_label(face)
    maps: NDArray[np.float32] = np.full(
        (len(face.prediction.labels), *face.crop.shape), np.nan, np.float32
    )
    maps[label] = explainer.explain(face.crop, label)
    attention = {**face.prediction.attention, view: maps}
    return replace(face, prediction=replace(face.prediction, attention=attention))
