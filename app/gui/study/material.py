"""The pictures and films of a study, loaded on a thread before they are due."""

from __future__ import annotations

import logging
from concurrent.futures import Future, ThreadPoolExecutor

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QImage

from app.errors import SourceError
from app.sources.folder import read_image
from app.study.film import Film
from app.study.protocol import FILM, PICTURE, Show
from app.study.runner import CROSS, QUESTION, Scene

__all__ = ["Material"]

log = logging.getLogger(__name__)

_Loaded = QImage | Film | None


class Material:
    """Hold what is shown now and load what is shown next.

    most: the size, in pixels of the screen, that pictures are brought to. lost: a sentence for each
    file that could not be read, by the name of what it was to show.
    """

    def __init__(self) -> None:
        self.most = QSize(1920, 1080)
        self.lost: dict[str, str] = {}
        self._loading: dict[str, Future[_Loaded]] = {}
        self._loader = ThreadPoolExecutor(1, "mien-study")
        self._playing: Film | None = None
        self._closed = False

    def prepare(self, scene: Scene) -> None:
        """Begin to load what a scene shows, or what comes after the cross."""
        show = scene.show
        if scene.kind == QUESTION or show.path is None or self._closed:
            return
        if show.name not in self._loading and show.name not in self.lost:
            self._loading[show.name] = self._loader.submit(self._load, show)

    def enter(self, scene: Scene | None) -> QImage | None:
        """Return the picture of a scene, None for one without; what was shown before is let go.

        Waits for a file that is still being read; `lost` names one that could not be.
        """
        self._end_film()
        if scene is None or scene.kind in (CROSS, QUESTION) or scene.show.path is None:
            return None
        self.prepare(scene)
        future = self._loading.pop(scene.show.name, None)
        loaded = None if future is None else future.result()
        if isinstance(loaded, Film):
            self._playing = loaded
            return self.film_frame(0.0)
        return loaded

    def film_frame(self, elapsed: float) -> QImage | None:
        """Return the frame that is due after so many seconds, None where none is new."""
        pixels = None if self._playing is None else self._playing.frame(elapsed)
        return None if pixels is None else _image(pixels)

    def film_ended(self, elapsed: float) -> bool:
        """Say whether a film is shown and has come to its end."""
        return self._playing is not None and self._playing.ended(elapsed)

    def close(self) -> None:
        """Let everything go; nothing is loaded any more."""
        self._closed = True
        self._end_film()
        for future in self._loading.values():
            future.add_done_callback(_close_film)
        self._loading.clear()
        self._loader.shutdown(wait=False, cancel_futures=True)

    def _end_film(self) -> None:
        if self._playing is not None:
            self._playing.close()
            self._playing = None

    def _load(self, show: Show) -> _Loaded:
        assert show.path is not None
        if show.kind == FILM:
            try:
                return Film(show.path)
            except SourceError as error:  # it could be played when the study was chosen
                self._lose(show, str(error))
                return None
        assert show.kind == PICTURE
        pixels = read_image(show.path)
        if pixels is None:
            self._lose(show, f'"{show.path}" cannot be read.')
            return None
        keep, smooth = (
            Qt.AspectRatioMode.KeepAspectRatio,
            Qt.TransformationMode.SmoothTransformation,
        )
        return _image(pixels).scaled(self.most, keep, smooth)

    def _lose(self, show: Show, sentence: str) -> None:
        log.warning("%s", sentence)
        self.lost[show.name] = f"{show.name} could not be shown: {sentence}"


def _close_film(future: Future[_Loaded]) -> None:
    """Close a film that was loaded and never shown."""
    if not future.cancelled() and isinstance(film := future.result(), Film):
        film.close()


def _image(pixels: NDArray[np.uint8]) -> QImage:
    """Return (H, W, 3) BGR pixels as an image of its own."""
    height, width = pixels.shape[:2]
    whole = np.ascontiguousarray(pixels)
    shared = QImage(whole.data, width, height, width * 3, QImage.Format.Format_BGR888)
    return shared.convertToFormat(QImage.Format.Format_RGB32)
