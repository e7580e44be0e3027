"""The real parts of the live program, imported only when they are made: a start must be quick."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from app.live.parts import FramePipeline, LoadedClassifier, Makers
from app.live.switch import ACTOR
from models.runtime.base_rates import BaseRates
from models.runtime.prediction import Classifier

if TYPE_CHECKING:
    from app.faces.base import FaceFinder
    from app.faces.landmarks import Landmarker
    from app.live.explaining import Explainer
    from app.live.options import EngineOptions
    from app.sources.base import FrameSource


def real_makers(options: EngineOptions) -> Makers:
    """Return the makers of the real parts, with the wishes in `options`."""

    def source(spec: str, camera: str) -> FrameSource:
        from app.sources import open_source

        limit_threads()
        # The actor stands in for a camera, so it keeps its time like one.
        paced = options.paced or spec.strip().casefold() == ACTOR
        return open_source(
            spec, paced=paced, camera=camera, size=options.camera_size, fps=options.camera_fps
        )

    def classifier(name_or_path: str, base_rates: BaseRates) -> LoadedClassifier:
        from models.runtime.store import load_model

        return load_model(name_or_path, provider=options.provider, base_rates=base_rates)

    def pipeline(finder: FaceFinder, landmarker: Any, classifier: Classifier) -> FramePipeline:
        from app.live.pipeline import Pipeline

        if options.smoothing_seconds is None:
            return Pipeline(finder, landmarker, classifier)
        return Pipeline(finder, landmarker, classifier, time_constant=options.smoothing_seconds)

    return Makers(
        source=source,
        classifier=classifier,
        finder=_finder,
        landmarker=lambda name=None: _landmarker(name or options.landmarks),
        pipeline=pipeline,
        default_model=_default_model,
        explainers=_explainers,
    )


def limit_threads() -> None:
    """Leave the machine usable: OpenCV takes no more than half of its cores, at most two.

    Each network takes one thread of ONNX Runtime.
    """
    import cv2

    cv2.setNumThreads(max(1, min(2, (os.cpu_count() or 1) // 2)))


def _finder(name: str, yunet_file: Path | None) -> FaceFinder:
    from app.faces import make_finder

    limit_threads()
    return make_finder(name, yunet_file)


def _landmarker(name: str | None) -> Landmarker:
    from app.faces.landmarks import LANDMARKERS, make_landmarker

    return make_landmarker(name or LANDMARKERS[0])


def _explainers(classifier: Any, say: Callable[[str], None]) -> Sequence[Explainer]:
    from app.live.explaining import Explainer
    from models.explain.explainers import explainers_for

    found = explainers_for(classifier, on_problem=say)
    return [each for each in found if isinstance(each, Explainer)]


def _default_model() -> str:
    from models.runtime.store import DEFAULT_MODEL

    return DEFAULT_MODEL
