"""What an engine is asked to run."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from app.live.capture import RETRY_SECONDS
from app.settings import FINDERS
from models.runtime.base_rates import AS_MEASURED, BaseRates


@dataclass(frozen=True, slots=True)
class EngineOptions:
    """Hold what an engine is to run.

    source: as `open_source` takes it. model: bundled name or path, None for the default. second: a
    model to ask as well, None for none. landmarks: as `make_landmarker` takes them, None for the
    usual ones. paced: files play at their own speed and the newest frame wins; otherwise every
    frame of a file is processed, and waits until its result was taken by `Engine.take`.
    fallback_to_actor: when the source, model or finder cannot be had at the start, the actor, the
    default model and the Haar finder stand in; otherwise the engine fails. provider: as
    `OnnxClassifier` takes it. base_rates: how common both models take expressions to be.
    smoothing_seconds: of the probabilities, 0 for none, None for the pipeline's own. camera_size:
    (width, height) px and camera_fps: wishes. retry_seconds: between two tries to get a lost camera
    back.
    """

    source: str = "camera"
    model: str | None = None
    second: str | None = None
    finder: str = FINDERS[0]
    yunet_file: Path | None = None
    landmarks: str | None = None
    paced: bool = True
    fallback_to_actor: bool = True
    provider: str = "auto"
    base_rates: BaseRates = AS_MEASURED
    smoothing_seconds: float | None = None
    camera_size: tuple[int, int] | None = None
    camera_fps: float | None = None
    retry_seconds: float = RETRY_SECONDS
