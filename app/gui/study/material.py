"""The pictures, films and sounds of a study, loaded on a thread before they are due."""

from __future__ import annotations

import logging
import time
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QImage

from app.errors import SourceError
from app.sources.folder import read_image
from app.study.film import Film
from app.study.protocol import FILM, PICTURE, Show
from app.study.runner import CROSS, QUESTION, Scene
from app.study.soundtrack import PLAYED, SoundTrack
from app.study.speaker import Speaker

__all__ = ["Material"]

log = logging.getLogger(__name__)

_USUAL_LATE = 0.008
"""Seconds from the moment at which a frame of a film is asked for to that at which it is seen."""

_Loaded = QImage | Film | None


class Material:
    """Hold what is shown now and load what is shown next.

    most: the size, in pixels of the screen, that pictures are brought to. lost: a sentence for each
    file that could not be read, by the name of what it was to show. notes: these, and one for each
    film that was not heard as it should be, in the order in which that was found.
    """

    def __init__(self) -> None:
        self.most = QSize(1920, 1080)
        self.lost: dict[str, str] = {}
        self.notes: list[str] = []
        self._loading: dict[str, Future[_Loaded]] = {}
        self._loader = ThreadPoolExecutor(1, "mien-study")
        self._opener = ThreadPoolExecutor(1, "mien-sound")
        self._playing: Film | None = None
        self._name = ""
        self._speaker: Speaker | None = None
        """Opened aside and kept open: that may take longer than a picture may wait."""
        self._silence_told = False
        self._closed = False

    def open_speaker(self) -> None:
        """Begin to open the device for sound, before a film needs it."""
        self._opener.submit(self._opened_speaker)  # what fails is told with the film

    def prepare(self, scene: Scene, due: float | None = None) -> None:
        """Begin to load what a scene shows, or what comes after the cross.

        due: the monotonic moment at which the scene is to be shown, where that is known.
        """
        show = scene.show
        if scene.kind == QUESTION or show.path is None or self._closed:
            return
        if show.name not in self._loading and show.name not in self.lost:
            self._loading[show.name] = self._loader.submit(self._load, show)
        if due is not None and scene.kind == FILM and show.name in self._loading:
            self._loading[show.name].add_done_callback(partial(_expect, due))

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
            self._playing, self._name = loaded, scene.show.name
            self._silence_told = False
            self._try_device_again(loaded, scene.show)
            return self._film_image(0.0)
        return loaded

    def begin(self, at: float) -> None:
        """Let a film's sound begin with its first frame, which was painted then, monotonic s."""
        if self._playing is not None:
            self._playing.onset.began_at = at

    def film_frame(self, elapsed: float) -> QImage | None:
        """Return the frame to be painted after so many seconds, None where none is new."""
        return self._film_image(elapsed + _USUAL_LATE)

    def _film_image(self, elapsed: float) -> QImage | None:
        pixels = None if self._playing is None else self._playing.frame(elapsed)
        return None if pixels is None else _image(pixels)

    def film_ended(self, elapsed: float) -> bool:
        """Say whether a film is shown and has come to its end."""
        return self._playing is not None and self._playing.ended(elapsed)

    def sound_failed(self, now: float) -> bool:
        """Say so once where the film that is shown is heard no more; now: monotonic s."""
        sound, speaker = self._sound, self._speaker
        if sound is None or speaker is None or self._silence_told:
            return False
        why = sound.problem
        if not why and speaker.gone(now):
            why = "the device for sound is gone, or does not answer"
        if why:
            self._silence_told = True
            self._note(f"{self._name} went on without its sound: {why}.")
        return bool(why)

    def close(self) -> None:
        """Let everything go; nothing is loaded any more."""
        self._closed = True
        self._end_film()
        for future in self._loading.values():
            future.cancel()
            future.add_done_callback(_close_film)
        self._loading.clear()
        self._loader.submit(self._end_opener)  # after what is being loaded, which may need it
        self._loader.shutdown(wait=False)

    @property
    def _sound(self) -> SoundTrack | None:
        return None if self._playing is None else self._playing.sound

    def _end_film(self) -> None:
        if self._playing is not None:
            if self._sound is not None and self._speaker is not None:
                self._speaker.remove(self._sound)
            self._playing.close()
            self._playing = None

    def _load(self, show: Show) -> _Loaded:
        assert show.path is not None
        if show.kind == FILM:
            try:
                film = Film(show.path)
            except SourceError as error:  # it could be played when the study was chosen
                self._lose(show, str(error))
                return None
            if show.sound == PLAYED:
                self._opener.submit(self._give_sound, film, show)
            return film
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

    def _try_device_again(self, film: Film, show: Show) -> None:
        """Let a film be heard on another device if its own has gone since it was loaded."""
        speaker = self._speaker
        if film.sound is not None and speaker is not None and speaker.gone(time.monotonic()):
            film.take_sound(None)
            self._opener.submit(self._give_sound, film, show)

    def _give_sound(self, film: Film, show: Show) -> None:
        """Let a film be heard, or note why it is not."""
        assert show.path is not None
        if self._closed:
            return
        try:
            speaker = self._opened_speaker()
            sound = SoundTrack(show.path, speaker.rate, speaker.channels, film.onset, film.first_at)
        except SourceError as error:
            self._note(f"{show.name} was shown without its sound: {str(error).rstrip('.')}.")
            return
        if show.seconds is not None:
            sound.until = show.seconds
        speaker.add(sound)
        film.take_sound(sound)

    def _opened_speaker(self) -> Speaker:
        """Return the device for sound; one that is gone is looked for anew."""
        if self._speaker is not None and self._speaker.gone(time.monotonic()):
            self._close_speaker()
        if self._speaker is None:
            self._speaker = Speaker()
        return self._speaker

    def _end_opener(self) -> None:
        self._opener.submit(self._close_speaker)
        self._opener.shutdown(wait=False)

    def _close_speaker(self) -> None:
        if self._speaker is not None:
            self._speaker.close()
            self._speaker = None

    def _lose(self, show: Show, sentence: str) -> None:
        self.lost[show.name] = f"{show.name} could not be shown: {sentence}"
        self._note(self.lost[show.name])

    def _note(self, sentence: str) -> None:
        log.warning("%s", sentence)
        self.notes.append(sentence)


def _close_film(future: Future[_Loaded]) -> None:
    """Close a film that was loaded and never shown."""
    if not future.cancelled() and isinstance(film := future.result(), Film):
        film.close()


def _expect(due: float, future: Future[_Loaded]) -> None:
    """Tell a film that was loaded when it is due."""
    if not future.cancelled() and isinstance(film := future.result(), Film):
        film.onset.expected_at = due + _USUAL_LATE


def _image(pixels: NDArray[np.uint8]) -> QImage:
    """Return (H, W, 3) BGR pixels as an image of its own."""
    height, width = pixels.shape[:2]
    whole = np.ascontiguousarray(pixels)
    shared = QImage(whole.data, width, height, width * 3, QImage.Format.Format_BGR888)
    return shared.convertToFormat(QImage.Format.Format_RGB32)
