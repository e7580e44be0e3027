"""What analyses: the model, the face finder and the landmarks, loaded once and lent."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from app.faces import make_finder
from app.faces.base import FaceFinder
from app.faces.cover import FILE as COVER_FILE
from app.live.makers import real_makers
from app.live.options import EngineOptions
from app.live.parts import FramePipeline
from app.settings import OWN_FINDER
from models.runtime.base_rates import AS_MEASURED, BaseRates
from models.runtime.card import file_facts
from models.runtime.classifier import OnnxClassifier
from models.runtime.files import is_file
from models.runtime.landmark_model import bundled_landmarks
from models.runtime.store import DEFAULT_MODEL, find_model, load_model

TABLES = ("parquet", "csv", "jsonl")


@dataclass(frozen=True, slots=True)
class AnalysisOptions:
    """Hold how inputs are analysed.

    model: bundled name or path, None for the default. finder: as `make_finder` takes it, with
    yunet_file. base_rates: how common expressions are taken to be. every: only each so-many-th
    frame, 1 for all. smoothing_seconds: of the probabilities, None for the pipeline's own. video:
    write one with the findings drawn on it. table: of `TABLES`; a Parquet table is always there,
    another comes beside it.
    """

    model: str | None = None
    finder: str = EngineOptions().finder
    yunet_file: Path | None = None
    base_rates: BaseRates = AS_MEASURED
    every: int = 1
    smoothing_seconds: float | None = None
    video: bool = False
    table: str = "parquet"


@dataclass(frozen=True, slots=True)
class Parts:
    """Hold the loaded parts; not to be shared between threads.

    hashes: SHA-256 of each file they came from, by its part; None for what a library brings.
    """

    classifier: OnnxClassifier
    finder: FaceFinder
    landmarker: Any
    smoothing_seconds: float | None
    hashes: dict[str, str | None]

    def pipeline(self) -> FramePipeline:
        """Return a pipeline that knows no faces yet."""
        makers = real_makers(EngineOptions(smoothing_seconds=self.smoothing_seconds))
        return makers.pipeline(self.finder, self.landmarker, self.classifier)


_idle: list[tuple[tuple[object, ...], Parts]] = []
_idle_lock = threading.Lock()
_MOST_IDLE = 4


@contextlib.contextmanager
def borrowed_parts(options: AnalysisOptions) -> Iterator[Parts]:
    """Lend the parts these options name, to one thread at a time.

    They are kept for the next input, since loading them takes longer than many an input does, and
    loaded anew when a file of theirs has changed: a worker of a cluster may outlive many models.
    Raises `UserError` for a model or finder that cannot be had.
    """
    hashes = _hashes(options)
    key = (
        options.model, options.finder, options.base_rates, options.smoothing_seconds,
        *hashes.values(),
    )  # fmt: skip
    with _idle_lock:
        place = next((n for n, (found, _) in enumerate(_idle) if found == key), None)
        parts = None if place is None else _idle.pop(place)[1]
    parts = parts or _load(options, hashes)
    yield parts
    # Not in a `finally`: parts that something went wrong with are not lent again.
    with _idle_lock:
        _idle.append((key, parts))
        del _idle[:-_MOST_IDLE]


def how(options: AnalysisOptions, parts: Parts) -> dict[str, Any]:
    """Return all that decides what is written besides the input itself, as plain values."""
    return {
        "model": parts.classifier.card.name,
        "finder": options.finder,
        "landmarks": parts.landmarker.name,
        # Only where they were chosen: else all that was analysed before would be done anew.
        **({"base_rates": str(options.base_rates)} if options.base_rates != AS_MEASURED else {}),
        **{f"{part}_sha256": found for part, found in parts.hashes.items()},
        "every": options.every,
        "smoothing_seconds": options.smoothing_seconds,
        "video": options.video,
        "table": options.table,
    }


def _hashes(options: AnalysisOptions) -> dict[str, str | None]:
    model = find_model(options.model or DEFAULT_MODEL)
    if options.finder == "yunet":
        finder = options.yunet_file
    else:
        finder = OWN_FINDER if options.finder.startswith("mien") else None
    files = {
        "model": model,
        "card": model.with_suffix(".json"),  # its temperature and threshold decide, too
        "finder": finder,
        "landmarks": bundled_landmarks(),
        "cover": COVER_FILE,
    }
    return {
        part: file_facts(file).sha256 if file is not None and is_file(file) else None
        for part, file in files.items()
    }


def _load(options: AnalysisOptions, hashes: dict[str, str | None]) -> Parts:
    # On the processor everywhere: graphics cards differ from each other in the last digits.
    return Parts(
        classifier=load_model(
            options.model or DEFAULT_MODEL, provider="CPU", base_rates=options.base_rates
        ),
        finder=make_finder(options.finder, options.yunet_file),
        landmarker=real_makers(EngineOptions()).landmarker(),
        smoothing_seconds=options.smoothing_seconds,
        hashes=hashes,
    )
