"""What travels from stage to stage: frozen values whose arrays are read-only."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from models.runtime.prediction import Prediction

__all__ = [
    "UNSURE",
    "Box",
    "Calibration",
    "Face",
    "FaceResult",
    "Frame",
    "FrameResult",
    "Prediction",
    "Quality",
    "SecondWord",
    "StageTimings",
]


UNSURE = "unsure"
"""What stands in the place of a label when no label is sure enough; drawn in outline only."""


@dataclass(frozen=True, slots=True, eq=False)
class Frame:
    """Hold one picture of a source.

    image: (H, W, 3) uint8, BGR, read-only. index: 0 for the first frame of the source.
    captured_at: seconds, `time.monotonic` when the frame was taken.
    media_time: seconds from the beginning of a file or clip, None for a camera.
    caption: what the source says of this frame, such as the file name; may be empty.
    live: what it shows went on between the frame before and this one, however long that took.
    """

    image: NDArray[np.uint8]
    index: int
    captured_at: float
    media_time: float | None = None
    caption: str = ""
    live: bool = False

    def __post_init__(self) -> None:
        if self.image.ndim != 3 or self.image.shape[2] != 3 or self.image.dtype != np.uint8:
            found = f"{self.image.shape} {self.image.dtype}"
            raise ValueError(f"expected a (H, W, 3) uint8 picture, found {found}")
        self.image.flags.writeable = False


@dataclass(frozen=True, slots=True)
class Box:
    """Hold a rectangle in pixels, half-open: x1 <= x < x2, y1 <= y < y2; may leave the picture."""

    x1: float
    y1: float
    x2: float
    y2: float

    @property
    def width(self) -> float:
        return self.x2 - self.x1

    @property
    def height(self) -> float:
        return self.y2 - self.y1

    @property
    def area(self) -> float:
        return max(0.0, self.width) * max(0.0, self.height)

    @property
    def centre(self) -> tuple[float, float]:
        return (self.x1 + self.x2) / 2, (self.y1 + self.y2) / 2

    def overlap(self, other: Box) -> float:
        """Return intersection over union, 0 to 1."""
        width = min(self.x2, other.x2) - max(self.x1, other.x1)
        height = min(self.y2, other.y2) - max(self.y1, other.y1)
        if width <= 0 or height <= 0:
            return 0.0
        both = width * height
        return both / (self.area + other.area - both)


@dataclass(frozen=True, slots=True, eq=False)
class Face:
    """Hold one face of a frame.

    score: the finder's own, higher is surer; its scale is the finder's.
    landmarks: (K, 2) float32 pixels, K = 68 in the iBUG order or 5 (right eye, left eye, nose
    tip, right and left mouth corner: the person's own right, so the left of the picture), or None.
    track_id: 1 and up, the same person's from frame to frame; None before tracking.
    """

    box: Box
    score: float
    landmarks: NDArray[np.float32] | None = None
    track_id: int | None = None

    def __post_init__(self) -> None:
        if self.landmarks is not None:
            self.landmarks.flags.writeable = False


@dataclass(frozen=True, slots=True)
class Quality:
    """Hold how well a face can be read: 0 (useless) to 1 (good), NaN where it was not measured.

    turn: 1 looks into the camera. cut_off: 1 lies whole in the picture. occluded: 1 is covered by
    nothing. overall: the worst of them. advice: what to change first, empty when all is well.
    `app.faces.quality` says how each is measured.
    """

    size: float
    sharpness: float
    light: float
    turn: float
    cut_off: float
    occluded: float
    overall: float
    advice: str = ""


@dataclass(frozen=True, slots=True)
class Calibration:
    """Hold how the measuring of a neutral face stands.

    progress: 0 to 1. note: what the person has to do, empty while all is well. given_up: it ended
    without a measure.
    """

    progress: float
    note: str = ""
    given_up: bool = False


class _Word:
    """Say in words what a model came to, where its label may be unsure."""

    __slots__ = ()

    label: str
    confidence: float
    unsure: bool

    @property
    def shown(self) -> NDArray[np.float32]:
        """Return the probabilities to show (C,)."""
        raise NotImplementedError

    @property
    def named(self) -> tuple[str, ...]:
        """Return the labels of the model, in the order of its probabilities."""
        raise NotImplementedError

    @property
    def said(self) -> str:
        """Return the word to show: the label, or `UNSURE`."""
        return UNSURE if self.unsure else self.label

    @property
    def leading(self) -> str:
        """Return the label that the number is of: where none is sure, the likeliest."""
        return self.named[int(self.shown.argmax())] if self.unsure else self.label

    @property
    def spoken(self) -> str:
        """Return the words to write before the number, such as "unsure · neutral"."""
        return f"{UNSURE} · {self.leading}" if self.unsure else self.label

    @property
    def said_confidence(self) -> float:
        """Return the number to show beside that word: of the label, or the most that any has."""
        return float(self.shown.max()) if self.unsure else self.confidence


@dataclass(frozen=True, slots=True, eq=False)
class SecondWord(_Word):
    """Hold what a second model says of a face, smoothed as the first model's word is.

    model: the model's bundled name or path. labels: its own, which may be others than the first
    model's. probabilities: (C,) float32, those to show; sum to 1. label, confidence, unsure: as in
    `FaceResult`. corrected: whether they are relative to the face's neutral face, as this model
    has measured it.
    """

    model: str
    labels: tuple[str, ...]
    probabilities: NDArray[np.float32]
    label: str
    confidence: float
    unsure: bool = False
    corrected: bool = False

    @property
    def shown(self) -> NDArray[np.float32]:
        return self.probabilities

    @property
    def named(self) -> tuple[str, ...]:
        return self.labels


@dataclass(frozen=True, slots=True, eq=False)
class FaceResult(_Word):
    """Hold what is said of one face.

    prediction: the classifier's own word on this frame, with its attention map.
    probabilities: (C,) float32, those of the track, smoothed over time; sums to 1.
    label, confidence: the smoothed decision and its probability.
    crop: (S, S) uint8 gray, the aligned face as the network sees it.
    crop_to_frame: (2, 3) float64, maps crop pixels (x, y, 1) to frame pixels.
    quality: how well the face can be read, None where it was not asked for.
    corrected: (C,) float32, the smoothed probabilities relative to the track's own neutral face,
    None without one; label and confidence follow it where it is there.
    unsure: whether the confidence is below the card's threshold.
    calibration: how the measuring of its neutral face stands, None while none is measured.
    second: the word of a second model, None where none is asked.
    """

    face: Face
    prediction: Prediction
    probabilities: NDArray[np.float32]
    label: str
    confidence: float
    crop: NDArray[np.uint8]
    crop_to_frame: NDArray[np.float64]
    quality: Quality | None = None
    corrected: NDArray[np.float32] | None = None
    unsure: bool = False
    calibration: Calibration | None = None
    second: SecondWord | None = None

    @property
    def agreed(self) -> bool | None:
        """Return whether both models give one label, None where that is not to be said.

        So it is without a second one, where one is unsure, and where only one of them takes the
        neutral face into account.
        """
        second = self.second
        if second is None or self.unsure or second.unsure or not self.comparable:
            return None
        return self.label == second.label

    @property
    def comparable(self) -> bool:
        """Return whether both models, or neither, take the neutral face into account."""
        return self.second is None or self.second.corrected == (self.corrected is not None)

    @property
    def named(self) -> tuple[str, ...]:
        return self.prediction.labels

    @property
    def listed(self) -> tuple[str, ...]:
        """Return the labels to list: all but those that base rates leave out."""
        out = self.prediction.left_out
        return tuple(label for label in self.named if label not in out) if out else self.named

    @property
    def shown(self) -> NDArray[np.float32]:
        """Return the probabilities to show (C,): the corrected ones where they are there."""
        return self.probabilities if self.corrected is None else self.corrected


@dataclass(frozen=True, slots=True)
class StageTimings:
    """Hold milliseconds a stage took for this frame; 0 when it did not run."""

    capture: float = 0.0
    find: float = 0.0
    landmarks: float = 0.0
    align: float = 0.0
    classify: float = 0.0
    overlay: float = 0.0
    total: float = 0.0

    def as_dict(self) -> dict[str, float]:
        return {name: round(getattr(self, name), 3) for name in self.__slots__}


@dataclass(frozen=True, slots=True, eq=False)
class FrameResult:
    """Hold a frame with all that was found on it; no face is a normal state."""

    frame: Frame
    faces: tuple[FaceResult, ...] = ()
    timings: StageTimings = field(default_factory=StageTimings)
