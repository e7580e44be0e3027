"""A film played by the clock."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from app.errors import SourceError
from app.messages import Frame
from app.sources.video import VideoSource
from app.study.film import Film


def until(ready: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 10
    while not ready():
        assert time.monotonic() < deadline
        time.sleep(0.005)


def test_frames_come_when_they_are_due_and_are_passed_over_when_late(drawn: Path) -> None:
    film = Film(drawn / "clip.mp4")
    until(lambda: len(film._ahead) == 8)
    first = film.frame(0.0)
    assert first is not None
    assert first.shape == (48, 64, 3)
    assert abs(float(np.mean(first))) < 8
    assert film.frame(0.01) is None, "the second is not due yet"
    late = film.frame(0.13)
    assert late is not None
    assert float(np.mean(late)) == pytest.approx(60, abs=8), "the fourth, not the second"
    assert not film.ended(10.0), "not all of it was shown"
    until(lambda: film._all_read)
    last = film.frame(10.0)
    assert last is not None
    assert float(np.mean(last)) == pytest.approx(180, abs=8)
    assert not film.ended(0.39)
    assert film.ended(0.41)
    film.close()


def test_the_first_frame_is_there_before_the_thread_has_read_any(
    drawn: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Film, "_decode", lambda _film: None)
    film = Film(drawn / "clip.mp4")
    assert film.frame(0.0) is not None
    film.close()


def test_a_film_that_is_not_shown_to_its_end_lets_its_thread_go(drawn: Path) -> None:
    film = Film(drawn / "clip.mp4")
    until(lambda: len(film._ahead) == 8)
    film.close()
    film._thread.join(5)
    assert not film._thread.is_alive()


def test_a_film_that_fails_in_the_middle_is_over(
    drawn: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    read, count = VideoSource.read, iter(range(9))

    def fail(source: VideoSource) -> Frame | None:
        if next(count) == 2:
            raise OSError("the disk is gone")
        return read(source)

    monkeypatch.setattr(VideoSource, "read", fail)
    monkeypatch.setattr("threading.excepthook", lambda _: None)
    film = Film(drawn / "clip.mp4")
    until(lambda: film._all_read)
    assert film.frame(1.0) is not None, "what came before is shown"
    assert film.ended(1.0)
    film.close()


def test_what_is_no_film_is_said(tmp_path: Path) -> None:
    (tmp_path / "a.mp4").write_bytes(b"nothing")
    with pytest.raises(SourceError, match="cannot be played"):
        Film(tmp_path / "a.mp4")
