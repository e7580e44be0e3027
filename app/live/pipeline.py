"""From a frame to what is said of its faces, in one thread and without side effects."""

from __future__ import annotations

from time import perf_counter

import numpy as np
from numpy.typing import NDArray

from app.faces.alignment import Alignment, align
from app.faces.base import FaceFinder, gray_of
from app.faces.landmarks import Landmarker
from app.live.follower import Follower, same_place
from app.live.smoother import Smoother
from app.live.tracker import Tracker
from app.messages import Face, FaceResult, Frame, FrameResult, Prediction, StageTimings
from models.runtime.prediction import Classifier

__all__ = ["Pipeline"]


class Pipeline:
    """Find, follow, align and classify the faces of one frame after another.

    Finding costs more than all else together, so it is done on key frames: every `key_every`
    seconds while all tracks are followed, at once and then every `retry_every` seconds while
    one is lost or there is none. In between the landmarks lead the boxes. Frames farther apart
    in time than a track may be absent, such as a folder's images, stand each on its own.
    """

    def __init__(
        self,
        finder: FaceFinder,
        landmarker: Landmarker,
        classifier: Classifier,
        *,
        key_every: float = 0.8,
        retry_every: float = 0.09,
        time_constant: float = 0.25,
    ) -> None:
        """Set the parts; the times, the last of them the smoothing's, are in seconds."""
        self._finder = finder
        self._follower = Follower(landmarker)
        self._classifier = classifier
        self._tracker = Tracker()
        self._smoother = Smoother(time_constant)
        self._schedule = _Schedule(key_every, retry_every)

    @property
    def finder(self) -> FaceFinder:
        return self._finder

    @property
    def classifier(self) -> Classifier:
        return self._classifier

    def set_finder(self, finder: FaceFinder) -> None:
        """Find with another finder from the next frame on; tracks go on."""
        self._finder = finder
        self._schedule.reset()

    def set_classifier(self, classifier: Classifier) -> None:
        """Classify with another model from the next frame on; tracks go on, averages begin."""
        self._classifier = classifier
        self._smoother.reset()

    def reset(self) -> None:
        """Forget all faces, as for another source; IDs go on counting."""
        self._tracker.reset()
        self._smoother.reset()
        self._schedule.reset()

    def process(self, frame: Frame) -> FrameResult:
        """Return the frame with its faces and the milliseconds of each stage.

        Whatever a part raises passes through; the next frame can be processed all the same.
        """
        start = perf_counter()
        time = frame.captured_at if frame.media_time is None else frame.media_time
        gray = gray_of(frame.image)
        faces, find, landmarks = self._faces(frame, gray, time)
        aligning = perf_counter()
        alignments = [align(gray, face, self._classifier.input_size) for face in faces]
        classifying = perf_counter()
        predictions = self._classifier.classify([each.crop for each in alignments]) if faces else []
        done = perf_counter()
        results = tuple(
            self._result(face, alignment, prediction, time)
            for face, alignment, prediction in zip(faces, alignments, predictions, strict=True)
        )
        self._smoother.keep({track.track_id for track in self._tracker.tracks})
        timings = StageTimings(
            find=1e3 * find,
            landmarks=1e3 * landmarks,
            align=1e3 * (classifying - aligning),
            classify=1e3 * (done - classifying),
            total=1e3 * (perf_counter() - start),
        )
        return FrameResult(frame, results, timings)

    def _faces(
        self, frame: Frame, gray: NDArray[np.uint8], time: float
    ) -> tuple[list[Face], float, float]:
        """Return the tracked faces, and the seconds that finding and landmarks took."""
        start = perf_counter()
        tracks = self._tracker.advance(time)
        faces = self._follower.follow(gray, tracks, time)
        finding = 0.0
        if self._schedule.due(time, whole=bool(faces) and len(faces) == len(tracks)):
            before = perf_counter()
            found = self._finder.find(frame.image)
            finding = perf_counter() - before
            self._tracker.confirm(faces, found)
            faces += self._newcomers(gray, faces, found)
        # A face without 68 landmarks cannot be followed: only the finder keeps it.
        if any(face.landmarks is None or len(face.landmarks) != 68 for face in faces):
            self._schedule.reset()
        faces = self._tracker.update(faces, time)
        return faces, finding, perf_counter() - start - finding

    def _newcomers(
        self, gray: NDArray[np.uint8], faces: list[Face], found: list[Face]
    ) -> list[Face]:
        """Return the found faces that are not followed already and pass inspection."""
        newcomers: list[Face] = []
        for candidate in found:
            if any(same_place(candidate.box, face.box) for face in faces + newcomers):
                continue
            face = self._follower.inspect(gray, candidate)
            if face is not None:
                newcomers.append(face)
        return newcomers

    def _result(
        self, face: Face, alignment: Alignment, prediction: Prediction, time: float
    ) -> FaceResult:
        assert face.track_id is not None
        shown = self._smoother.update(face.track_id, prediction, time)
        return FaceResult(
            face=face,
            prediction=prediction,
            probabilities=shown.probabilities,
            label=shown.label,
            confidence=shown.confidence,
            crop=alignment.crop,
            crop_to_frame=alignment.crop_to_frame,
        )


class _Schedule:
    """Say on which frames to search for faces."""

    def __init__(self, key_every: float, retry_every: float) -> None:
        self._key_every = key_every
        self._retry_every = retry_every
        self.reset()

    def reset(self) -> None:
        """Search on the next frame."""
        self._searched: float | None = None
        self._whole = True

    def due(self, time: float, *, whole: bool) -> bool:
        """Return whether to search at `time` (s) and count it as done; whole: nobody is missing."""
        just_lost = self._whole and not whole
        self._whole = whole
        wait = self._key_every if whole else self._retry_every
        # Time that runs backward is another film.
        recent = self._searched is not None and 0 <= time - self._searched < wait
        if recent and not just_lost:
            return False
        self._searched = time
        return True
