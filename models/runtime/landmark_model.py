"""Run the exported landmark network in ONNX Runtime."""

from __future__ import annotations

from collections.abc import Sequence
from importlib import resources
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from models.runtime.card import METADATA_KEY, ModelError, file_facts
from models.runtime.classifier import open_session
from models.runtime.landmark_crop import MIRRORED, POINTS, cut
from models.runtime.part_card import PartCard, read_part_card

__all__ = ["LandmarkModel", "bundled_landmarks"]

_SETTINGS = ("size", "wider", "lowered", "new", "followed", "doubtful")


def bundled_landmarks() -> Path:
    """Return where the network that comes with the program lies."""
    return Path(str(resources.files("weights"))) / "landmarks68.onnx"


class LandmarkModel:
    """Fit 68 landmarks to faces by an ONNX file that agrees with its card.

    Not to be shared between threads. Raises `ModelError` for a file that is missing, damaged,
    without a card or not what it says.
    """

    def __init__(self, path: Path) -> None:
        if not path.is_file():
            raise ModelError(
                f"expected the landmark network, found no file {path}: correct the path; if "
                "none was given, install Mien again"
            )
        self.card = read_part_card(path.with_suffix(".json"), "landmarks")
        if self.card.file is None or file_facts(path).sha256 != self.card.file.sha256:
            raise ModelError(
                f"{path.name}: expected the file that its card describes, found another: copy or "
                "export it again"
            )
        missing = [name for name in _SETTINGS if name not in self.card.settings]
        if missing:
            raise ModelError(
                f"{path.name}: expected the settings {', '.join(_SETTINGS)} on its card, found no "
                f"{' or '.join(missing)}: export it again"
            )
        # Its networks are too small for a graphics card to be worth the way there and back.
        self._session = open_session(path, "CPU", 1)
        inside = self._session.get_modelmeta().custom_metadata_map.get(METADATA_KEY, "")
        if PartCard.from_json(inside, path.name) != self.card.without_file():
            raise ModelError(
                f"{path.with_suffix('.json').name}: expected the card that is inside {path.name}, "
                "found another: keep the two files that were exported together"
            )
        self._size = round(self.card.settings["size"])
        self._wider = self.card.settings["wider"]
        self._lowered = self.card.settings["lowered"]
        self._warm_up(path)

    def fit(
        self,
        gray: NDArray[np.uint8],
        squares: Sequence[tuple[float, float, float]],
        *,
        twice: bool = False,
    ) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Return landmarks (N, 68, 2) in pixels and confidences (N,), 0 to 1.

        gray: (H, W) uint8. squares: middle x, y and side of FER2013's square around each face, in
        pixels, the corner of the picture being 0, 0; they may leave the picture. Of the landmarks
        0, 0 is the middle of the first pixel. All faces are fitted in one batch. twice: look at
        the mirror image of each crop too and give the mean, which errs and trembles less, for
        twice the time.
        """
        if not squares:
            return np.zeros((0, POINTS, 2), np.float32), np.zeros(0, np.float32)
        places = [(x, y + self._lowered * side, self._wider * side) for x, y, side in squares]
        crops = [cut(gray, (x, y), side, self._size) for x, y, side in places]
        batch = np.stack(crops)[:, None]
        points, confidence = self._run_twice(batch) if twice else self.run(batch)
        for row, (x, y, side) in zip(points, places, strict=True):
            row -= 0.5
            row *= side
            row += (x - 0.5, y - 0.5)
        return points, confidence

    def _run_twice(
        self, crops: NDArray[np.uint8]
    ) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        points, confidence = self.run(np.concatenate([crops, crops[..., ::-1]]))
        count = len(crops)
        back = points[count:][:, MIRRORED]
        back[..., 0] = 1 - back[..., 0]
        half = np.float32(0.5)
        return half * (points[:count] + back), half * (confidence[:count] + confidence[count:])

    def run(self, crops: NDArray[np.uint8]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Return points (N, 68, 2) in parts of the crop and confidences (N,) of (N, 1, S, S)."""
        points, confidence = self._session.run(["points", "confidence"], {"crops": crops})
        return np.asarray(points, np.float32), np.asarray(confidence, np.float32)

    def _warm_up(self, path: Path) -> None:
        """Run once: a graph that cannot run says so only here."""
        try:
            points, confidence = self.run(np.zeros((1, 1, self._size, self._size), np.uint8))
        except Exception as error:  # ONNX Runtime raises kinds of its own, one for each cause
            raise ModelError(
                f"{path.name}: expected a landmark network that runs, found one that fails: copy "
                "or export it again"
            ) from error
        if points.shape != (1, POINTS, 2) or confidence.shape != (1,):
            raise ModelError(
                f"{path.name}: expected points of (N, {POINTS}, 2) and confidence of (N,), found "
                f"{points.shape} and {confidence.shape}: export it again"
            )
