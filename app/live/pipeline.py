"""From a frame to what is said of its faces, in one thread and without side effects."""

from __future__ import annotations

from collections.abc import Callable
from time import perf_counter

import numpy as np
from numpy.typing import NDArray

from app.faces.alignment import Alignment, align
from app.faces.base import FaceFinder, gray_of
from app.faces.landmarks import Landmarker
from app.faces.looks import look_of
from app.faces.quality import QualityMeter
from app.live.follower import Follower, same_place
from app.live.memory import Memory
from app.live.second import SecondModel
from app.live.tracker import Tracker
from app.live.watch import Watch
from app.messages import (
    Face,
    FaceResult,
    Frame,
    FrameResult,
    Prediction,
    Quality,
    SecondWord,
    StageTimings,
)
from models.runtime.prediction import Classifier

__all__ = ["Pipeline"]

# Seconds between two searches: while all tracks are followed, while one is lost or there is none,
# and at least while nothing in the picture moves.
_KEY_EVERY = 0.8
_RETRY_EVERY = 0.09
_IDLE_EVERY = 1.0


class Pipeline:
    """Find, follow, align and classify the faces of one frame after another.

    Finding costs more than all else together, so it is done on key frames: every 0.8 s while all
    tracks are followed, at once and then every 0.09 s while one is lost or there is none; only
    every second while nothing in the picture moves. In between the landmarks lead the boxes.
    Frames farther apart in time than a track may be absent, such as a folder's images, stand each
    on its own, and so does each shot of a film; after a pause of a live source the same people are
    known again.
    """

    def __init__(
        self,
        finder: FaceFinder,
        landmarker: Landmarker,
        classifier: Classifier,
        *,
        time_constant: float = 0.25,
    ) -> None:
        """Set the parts. time_constant: of the smoothing, seconds."""
        self._finder = finder
        self._follower = Follower(landmarker)
        self._classifier = classifier
        self._tracker = Tracker()
        self._memory = Memory(time_constant)
        self._memory.use(classifier)
        self._second = SecondModel(time_constant)
        self._meter = QualityMeter()
        self._schedule = _Schedule()
        self._watch = Watch()

    def set_finder(self, finder: FaceFinder) -> None:
        """Find with another finder from the next frame on; tracks go on."""
        self._finder = finder
        self._schedule.reset()

    def set_landmarker(self, landmarker: Landmarker) -> None:
        """Fit landmarks with another landmarker from the next frame on; tracks go on."""
        self._follower = Follower(landmarker)

    def set_classifier(self, classifier: Classifier) -> None:
        """Classify with another model from the next frame on; tracks go on, averages begin."""
        self._classifier = classifier
        self._memory.use(classifier)
        self._second.forget_baselines()  # or one model alone would have neutral faces

    def set_second(
        self, classifier: Classifier | None, name: str, failed: Callable[[str], None]
    ) -> None:
        """Ask a second model as well from the next frame on, or none; see `SecondModel.use`."""
        self._second.use(classifier, name, failed)

    def calibrate(self, track_id: int) -> None:
        """Measure a track's neutral face over its next quiet seconds; see `Baselines`."""
        self._memory.baselines.begin(track_id)
        self._second.calibrate(track_id)

    def forget_baseline(self, track_id: int) -> None:
        """Forget a track's neutral face, or stop measuring it."""
        self._memory.baselines.reset(track_id)
        self._second.forget_baseline(track_id)

    def reset(self) -> None:
        """Forget all faces, as for another source; IDs go on counting."""
        self._tracker.reset()
        self._memory.reset()
        self._second.reset()
        self._schedule.reset()
        self._watch.reset()

    def process(self, frame: Frame) -> FrameResult:
        """Return the frame with its faces and the milliseconds of each stage.

        Whatever a part raises, but for the second model, passes through; the next frame can be
        processed all the same.
        """
        start = perf_counter()
        time = frame.captured_at if frame.media_time is None else frame.media_time
        gray = gray_of(frame.image)
        faces, find, landmarks = self._faces(frame, gray, time)
        aligning = perf_counter()
        size, field = self._classifier.input_size, self._classifier.input_field
        alignments = [align(gray, face, size, field=field) for face in faces]
        classifying = perf_counter()
        predictions = self._classifier.classify([each.crop for each in alignments]) if faces else []
        done = perf_counter()
        qualities = self._meter.measure(gray, faces, alignments, field=field, time=time)
        asking = perf_counter()
        words = self._second.read(gray, faces, alignments, self._classifier, qualities, time)
        asked = perf_counter() - asking
        results = tuple(
            self._result(*found, time)
            for found in zip(faces, alignments, predictions, qualities, words, strict=True)
        )
        present = {track.track_id for track in self._tracker.tracks}
        self._memory.keep(present, self._tracker.known_ids)
        self._second.keep(present, self._tracker.known_ids)
        timings = StageTimings(
            find=1e3 * find,
            landmarks=1e3 * landmarks,
            align=1e3 * (classifying - aligning),
            classify=1e3 * (done - classifying + asked),
            total=1e3 * (perf_counter() - start),
        )
        return FrameResult(frame, results, timings)

    def _faces(
        self, frame: Frame, gray: NDArray[np.uint8], time: float
    ) -> tuple[list[Face], float, float]:
        """Return the tracked faces, and the seconds that finding and landmarks took."""
        start = perf_counter()
        self._watch.look(gray)
        if self._watch.cut:
            self._tracker.cut()
            self._schedule.reset()
        tracks = self._tracker.advance(time, live=frame.live)
        faces = self._follower.follow(gray, tracks, time)
        finding = 0.0
        whole = bool(faces) and len(faces) == len(tracks)
        if self._schedule.due(time, whole=whole, still=not self._watch.changed):
            before = perf_counter()
            found = self._finder.find(frame.image)
            self._watch.searched()
            finding = perf_counter() - before
            self._tracker.confirm(faces, found)
            faces += self._newcomers(gray, faces, found)
        # A face without 68 landmarks cannot be followed: only the finder keeps it.
        if any(face.landmarks is None or len(face.landmarks) != 68 for face in faces):
            self._schedule.reset()
        faces = self._tracker.update(
            faces, time, lambda face: None if face.landmarks is None else look_of(gray, face)
        )
        # Always in the same order, whoever moved most.
        faces.sort(key=lambda face: face.track_id or 0)
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
        self,
        face: Face,
        alignment: Alignment,
        prediction: Prediction,
        quality: Quality,
        second: SecondWord | None,
        time: float,
    ) -> FaceResult:
        shown, calibration = self._memory.update(face, prediction, quality, time)
        return FaceResult(
            face=face,
            prediction=prediction,
            probabilities=shown.probabilities,
            label=shown.label,
            confidence=shown.confidence,
            crop=alignment.crop,
            crop_to_frame=alignment.crop_to_frame,
            quality=quality,
            corrected=shown.corrected,
            unsure=shown.unsure,
            calibration=calibration,
            second=second,
        )


class _Schedule:
    """Say on which frames to search for faces."""

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        """Search on the next frame."""
        self._searched: float | None = None
        self._whole = True

    def due(self, time: float, *, whole: bool, still: bool) -> bool:
        """Return whether to search at `time` (s) and count it as done.

        whole: nobody is missing. still: nothing has moved since the last search.
        """
        just_lost = self._whole and not whole
        self._whole = whole
        wait = _KEY_EVERY if whole else _RETRY_EVERY
        wait = max(wait, _IDLE_EVERY) if still else wait
        # Time that runs backward is another film.
        recent = self._searched is not None and 0 <= time - self._searched < wait
        if recent and not just_lost:
            return False
        self._searched = time
        return True
