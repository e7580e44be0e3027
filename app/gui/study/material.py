"""The pictures and films of a study, loaded before they are due."""

from __future__ import annotations

import logging

from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QImage, QImageReader

from app.errors import SourceError
from app.study.film import Film
from app.study.protocol import FILM, PICTURE, Show
from app.study.runner import CROSS, QUESTION, Scene

__all__ = ["Material"]

log = logging.getLogger(__name__)


class Material:
    """Hold what is shown now and what is shown next.

    lost: a sentence for each file that could not be read, by the name of what it was to show.
    """

    def __init__(self) -> None:
        self.lost: dict[str, str] = {}
        self.most = QSize(3840, 2160)
        """No picture is kept larger than this, px."""
        self._pictures: dict[str, QImage] = {}
        self._films: dict[str, Film] = {}
        self._playing: Film | None = None

    def prepare(self, scene: Scene) -> None:
        """Load what a scene shows, or what comes after the cross."""
        if scene.kind != QUESTION:
            self._load(scene.show)

    def enter(self, scene: Scene) -> QImage | None:
        """Return the picture of a scene, None for one without; what was shown before is let go."""
        if self._playing is not None:
            self._playing.close()
            self._playing = None
        if scene.kind in (CROSS, QUESTION):
            return None
        self._load(scene.show)
        self._playing = self._films.pop(scene.show.name, None)
        picture = self._pictures.pop(scene.show.name, None)
        return picture if self._playing is None else self.film_frame(0.0)

    def film_frame(self, elapsed: float) -> QImage | None:
        """Return the frame that is due after so many seconds, None where none is new."""
        pixels = None if self._playing is None else self._playing.frame(elapsed)
        if pixels is None:
            return None
        height, width = pixels.shape[:2]
        shared = QImage(pixels.data, width, height, width * 3, QImage.Format.Format_BGR888)
        return shared.convertToFormat(QImage.Format.Format_RGB32)

    def film_ended(self, elapsed: float) -> bool:
        """Say whether no film is left to be shown: it came to its end, or could not be played."""
        return self._playing is None or self._playing.ended(elapsed)

    def close(self) -> None:
        """Let everything go."""
        for film in (*self._films.values(), *filter(None, [self._playing])):
            film.close()
        self._films.clear()
        self._pictures.clear()
        self._playing = None

    def _load(self, show: Show) -> None:
        known = (self._pictures, self._films, self.lost)
        if show.path is None or any(show.name in those for those in known):
            return
        if show.kind == PICTURE:
            self._load_picture(show.name, str(show.path))
        elif show.kind == FILM:
            try:
                self._films[show.name] = Film(show.path)
            except SourceError as error:  # it could be played when the study began
                self._lose(show.name, str(error))

    def _load_picture(self, name: str, path: str) -> None:
        reader = QImageReader(path)
        reader.setAutoTransform(True)
        size = reader.size()
        if size.width() > self.most.width() or size.height() > self.most.height():
            reader.setScaledSize(size.scaled(self.most, Qt.AspectRatioMode.KeepAspectRatio))
        image = reader.read()
        if image.isNull():
            self._lose(name, f'"{path}" cannot be shown ({reader.errorString()}).')
        else:
            self._pictures[name] = image

    def _lose(self, name: str, sentence: str) -> None:
        log.warning("%s", sentence)
        self.lost[name] = sentence
