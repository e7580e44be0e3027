"""YuNet through OpenCV, for users who bring its model file."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from app.errors import FinderError
from app.faces.finder_net import Detector, NetFinder
from models.runtime.card import ModelError
from models.runtime.face_detector import YUNET, OpenCvDetector
from models.runtime.files import is_file

__all__ = ["YunetFinder"]

_LONGEST = 480


class YunetFinder(NetFinder):
    """Find faces by YuNet (Wu et al. 2023, Machine Intelligence Research 20).

    The score is a probability, 0.8 and up.
    """

    def __init__(
        self, file: Path | None, *, load: Callable[[Path], Detector] | None = None
    ) -> None:
        """Load the network.

        file: `face_detection_yunet_2023mar.onnx` or a later one of OpenCV's model zoo. load: makes
        the detector in place of OpenCV. Raises `FinderError` when the file is not given, not
        there or no YuNet.
        """
        if file is None:
            raise FinderError(
                "The yunet finder needs its model file and none was given; download "
                "face_detection_yunet_2023mar.onnx of OpenCV's model zoo and name it in the "
                "settings or by --yunet FILE."
            )
        if not is_file(file):
            raise FinderError(
                f'The YuNet model was expected at "{file}" and is not there; name the file in the '
                f"settings or by --yunet FILE."
            )
        super().__init__("yunet", (load or _load)(file), YUNET, _LONGEST)


def _load(file: Path) -> Detector:
    try:
        return OpenCvDetector(file, score=YUNET["score"], overlap=YUNET["overlap"])
    except ModelError as error:
        raise FinderError(
            f'"{file}" was expected to be the YuNet model and OpenCV cannot use it as one; '
            f"download face_detection_yunet_2023mar.onnx of OpenCV's model zoo again."
        ) from error
