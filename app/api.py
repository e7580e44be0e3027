"""Mien for Python: open a source or hand over pictures, get results or a table.

    from app.api import Analyzer

    analyzer = Analyzer()
    for result in analyzer.results("film.mp4"):
        for face in result.faces:
            print(result.frame.media_time, face.label, face.confidence)

What the labels mean, and do not mean, is on the model's card: `analyzer.card`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from app.analysis.table import table_batches, table_schema
from app.errors import SettingsError
from app.faces import make_finder
from app.live.makers import real_makers
from app.live.options import EngineOptions
from app.live.parts import FramePipeline
from app.messages import FaceResult, Frame, FrameResult
from app.sources import FrameSource, open_source
from models.runtime.base_rates import BaseRates
from models.runtime.card import Card
from models.runtime.store import DEFAULT_MODEL, load_model

__all__ = ["Analyzer", "FaceResult", "Frame", "FrameResult"]

COLOURS = ("bgr", "rgb")
_EXAMPLE = '"bgr" as OpenCV reads pictures, or "rgb" as Pillow and imageio do'


class Analyzer:
    """Read the apparent expressions of faces in pictures and films.

    Loads the model, the face finder and the landmarks once. Not to be used by two threads at the
    same time: make one for each.
    """

    def __init__(
        self,
        model: str | None = None,
        *,
        finder: str = EngineOptions().finder,
        yunet_file: Path | str | None = None,
        provider: str = "CPU",
        base_rates: str = "",
        smoothing_seconds: float | None = None,
    ) -> None:
        """Load everything.

        model: a bundled name or the path of an ONNX file, None for the default. finder: a name of
        `app.faces.FINDERS`, "yunet" with yunet_file. provider: "CPU" gives the same numbers on
        every computer, "auto" the fastest way of this one. base_rates: how common expressions are
        taken to be, such as "even" or "contempt=0"; as they were measured if empty.
        smoothing_seconds: of probabilities over a film, 0 for none, None for the usual quarter of a
        second. Raises `models.runtime.errors.UserError` for what cannot be had.
        """
        rates = BaseRates.parse(base_rates)
        self._classifier = load_model(model or DEFAULT_MODEL, provider=provider, base_rates=rates)
        self._makers = real_makers(EngineOptions(smoothing_seconds=smoothing_seconds))
        file = Path(yunet_file) if yunet_file is not None else None
        self._finder = make_finder(finder, file)
        self._landmarker = self._makers.landmarker()
        self.reset()

    @property
    def labels(self) -> tuple[str, ...]:
        """Return the labels in the order of every array of probabilities."""
        return self._classifier.labels

    @property
    def card(self) -> Card:
        """Return the model's card: on what it was trained, how often it agrees, its limits."""
        return self._classifier.card

    def image(self, picture: NDArray[np.uint8], *, colour: str) -> FrameResult:
        """Return what is found in one picture by itself.

        picture: (H, W, 3) or (H, W) uint8. colour: "bgr" or "rgb", which must be said: read the
        wrong way round, faces are missed. Raises `SettingsError` for anything else.
        """
        return self._new_pipeline().process(Frame(_as_bgr(picture, colour), 0, 0.0, 0.0))

    def frame(self, picture: NDArray[np.uint8], *, colour: str, time: float) -> FrameResult:
        """Return what is found in the next frame of a film of your own.

        time: seconds since its beginning; must grow, faces are followed and probabilities are
        averaged by it. picture, colour: as `image` takes them.
        """
        frame = Frame(_as_bgr(picture, colour), self._next, time, time)
        self._next += 1
        return self._pipeline.process(frame)

    def results(self, source: str | Path, *, every: int = 1) -> Iterator[FrameResult]:
        """Open a source and return an iterator with a result for each of its frames.

        source: a video, an image, a folder of images, "camera", "camera:N", "screen", "actor" or
        the address of a network camera; a `Path` is always a file or a folder. Files are read as
        fast as they can be; cameras, screens and the actor keep their time and have no end: break
        off when you have enough. every: only each so-many-th frame. Several iterators can be read
        in turn.
        Raises `SourceError` for what cannot be opened or read.
        """
        if every < 1:
            raise SettingsError(f"Expected every to be 1 or more, found {every}.")
        spec = source if isinstance(source, str) else str(source.absolute())
        frames = open_source(spec, paced=spec.strip().casefold() == "actor")
        return self._read(frames, every)

    def table(self, source: str | Path | Iterable[FrameResult], *, every: int = 1) -> Any:
        """Return all results as a `pyarrow.Table`, one row a frame and face.

        source: as `results` takes it, with an end, or results that you have. The columns are
        those of a session's frames.parquet. `table(...).to_pandas()` gives a DataFrame where
        pandas is installed.
        """
        results = self.results(source, every=every) if isinstance(source, str | Path) else source
        batches = table_batches(_from_zero(results), self.labels, named=True)
        return pa.Table.from_batches(batches, table_schema(self.labels, named=True))

    def reset(self) -> None:
        """Let `frame` forget all faces and begin to count anew, as before another film."""
        self._pipeline = self._new_pipeline()
        self._next = 0

    def _new_pipeline(self) -> FramePipeline:
        return self._makers.pipeline(self._finder, self._landmarker, self._classifier)

    def _read(self, frames: FrameSource, every: int) -> Iterator[FrameResult]:
        pipeline = self._new_pipeline()
        with frames:
            while (frame := frames.read()) is not None:
                if frame.index % every == 0:
                    yield pipeline.process(_on_its_own_clock(frame))


def _as_bgr(picture: NDArray[np.uint8], colour: str) -> NDArray[np.uint8]:
    if colour not in COLOURS:
        raise SettingsError(f'Expected the colour order {_EXAMPLE}, found "{colour}".')
    shape, kind = getattr(picture, "shape", None), getattr(picture, "dtype", None)
    if kind == np.uint8 and shape is not None and min(shape, default=0) > 0:
        if len(shape) == 2:
            return np.repeat(picture[:, :, None], 3, axis=2)
        if len(shape) == 3 and shape[2] == 3:
            # A copy: a frame is made read-only, and the caller's picture is the caller's.
            return np.array(picture[:, :, ::-1] if colour == "rgb" else picture, order="C")
    raise SettingsError(
        f"Expected a picture as an array (height, width, 3) or (height, width) of uint8, found "
        f"{type(picture).__name__ if shape is None else f'{tuple(shape)} {kind}'}; convert it."
    )


def _on_its_own_clock(frame: Frame) -> Frame:
    """Return the frame of a file with the file's time, so that each reading gives the same."""
    return frame if frame.media_time is None else replace(frame, captured_at=frame.media_time)


def _from_zero(results: Iterable[FrameResult]) -> Iterator[FrameResult]:
    """Count the time of a camera from its first frame."""
    begun: float | None = None
    for result in results:
        frame = _on_its_own_clock(result.frame)
        if frame.media_time is None:
            begun = frame.captured_at if begun is None else begun
            frame = replace(frame, captured_at=frame.captured_at - begun)
        yield replace(result, frame=frame)
