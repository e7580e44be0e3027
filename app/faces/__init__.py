"""Faces in a picture: finding them, their landmarks, their alignment."""

from __future__ import annotations

from pathlib import Path

from app.errors import FinderError
from app.faces.base import FaceFinder
from app.settings import FINDERS

__all__ = ["FINDERS", "FaceFinder", "make_finder"]


def make_finder(name: str, yunet_file: Path | None = None) -> FaceFinder:
    """Return the finder of that name, one of `FINDERS`.

    yunet_file: YuNet's ONNX file, used by `yunet` alone. Raises `FinderError` for another name
    and for a finder whose file is missing or damaged.
    """
    # Imported here so that launching loads only the one that is used.
    if name in ("mien", "mien-quick"):
        from app.faces.finder_net import MienFinder

        return MienFinder(quick=name == "mien-quick")
    if name == "haar":
        from app.faces.haar import HaarFinder

        return HaarFinder()
    if name == "hog":
        from app.faces.hog import HogFinder

        return HogFinder()
    if name == "yunet":
        from app.faces.yunet import YunetFinder

        return YunetFinder(yunet_file)
    raise FinderError(
        f'The face finder was expected to be one of {", ".join(FINDERS)}, not "{name}"; choose '
        f"one of them."
    )
