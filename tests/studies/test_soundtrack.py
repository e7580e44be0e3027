"""A film's sound: decoded, and placed in time."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from app.errors import SourceError
from app.study.film import Film
from app.study.soundtrack import (
    NO_TRACK,
    NOT_INSTALLED,
    PLAYED,
    UNREADABLE,
    Onset,
    SoundTrack,
    sound_of,
)
from tests.studies.sounding import CLICK_SECONDS, RATE, clicks, write_film

pytest.importorskip("av")

BLOCK = 480
Opens = Callable[..., SoundTrack]


@pytest.fixture
def opened() -> Iterator[Opens]:
    """Return a function that opens a film's sound and closes it in the end."""
    tracks: list[SoundTrack] = []

    def opens(path: Path, onset: Onset, rate: int = RATE, channels: int = 2) -> SoundTrack:
        tracks.append(SoundTrack(path, rate, channels, onset))
        return tracks[-1]

    yield opens
    for track in tracks:
        track.close()
        assert not track._thread.is_alive()


def heard(
    track: SoundTrack, begin: float, seconds: float, *, rate: int = RATE, channels: int = 2,
    block: int = BLOCK, drift: float = 0.0, early: float = 0.05,
) -> NDArray[np.float32]:  # fmt: skip
    """Return what a device would play from one moment on, block by block.

    drift: of the device's clock, seconds a second. early: s by which it asks beforehand.
    """
    blocks = []
    for number in range(round(seconds * rate / block)):
        at = begin + number * block / rate * (1 + drift)
        until_decoded(track, at)
        out = np.zeros((block, channels), np.float32)
        track.add_to(out, at, at - early)
        blocks.append(out)
    return np.concatenate(blocks)


def until_decoded(track: SoundTrack, at: float) -> None:
    """Wait until the decoder is ahead of a moment, as it is where time goes by really."""
    known = (track._onset.began_at, track._onset.expected_at)
    began_at = next((one for one in known if one is not None), at)
    deadline = time.monotonic() + 10
    while track._thread.is_alive() and track._decoded_to < (at - began_at + 0.1) * track._rate:
        assert time.monotonic() < deadline
        time.sleep(0.002)


@pytest.mark.parametrize(("rate", "channels"), [(48000, 2), (44100, 2), (16000, 1)])
def test_each_moment_is_heard_when_its_frame_is_shown(
    tmp_path: Path, opened: Opens, rate: int, channels: int
) -> None:
    track = opened(write_film(tmp_path / "a.mkv"), Onset(began_at=100.0), rate, channels)
    samples = heard(track, 99.7, 2.6, rate=rate, channels=channels)
    assert clicks(samples, rate) == pytest.approx([0.3, 1.3], abs=0.002)
    assert not samples[: round(0.29 * rate)].any(), "nothing before the first frame"
    assert not samples[round((0.31 + CLICK_SECONDS) * rate) : round(1.28 * rate)].any()


@pytest.mark.parametrize(
    ("sound_at", "pictures_at", "first"),
    [(0.5, 0.0, [0.5, 1.5]), (0.0, 0.4, [0.6]), (2.0, 1.0, [1.0])],
)
def test_a_sound_that_begins_at_another_time_than_the_pictures_stays_there(
    tmp_path: Path, opened: Opens, sound_at: float, pictures_at: float, first: list[float]
) -> None:
    path = write_film(tmp_path / "a.mkv", sound_at=sound_at, pictures_at=pictures_at)
    film = Film(path)
    assert film.first_at == pytest.approx(0.0, abs=0.001), "as OpenCV counts it"
    film.close()
    samples = heard(opened(path, Onset(began_at=7.0)), 7.0, 1.9)
    assert clicks(samples) == pytest.approx(first, abs=0.003)


def test_it_begins_with_a_film_that_is_expected(tmp_path: Path, opened: Opens) -> None:
    onset = Onset()
    track = opened(write_film(tmp_path / "a.mkv"), onset)
    assert not heard(track, 49.0, 0.5).any(), "nobody knows when"
    onset.expected_at = 50.0
    before = heard(track, 49.9, 0.2)
    assert clicks(before) == pytest.approx([0.1], abs=0.002)
    onset.began_at = 50.008
    after = heard(track, 50.1, 1.5)
    assert clicks(after) == pytest.approx([0.908], abs=0.006), "made up for bit by bit"


def test_a_film_that_comes_later_than_expected_is_waited_for(tmp_path: Path, opened: Opens) -> None:
    onset = Onset(expected_at=50.0)
    track = opened(write_film(tmp_path / "a.mkv"), onset)
    samples = heard(track, 50.11, 0.4)
    assert not samples.any()
    onset.began_at = 50.5
    assert clicks(heard(track, 50.4, 1.4)) == pytest.approx([0.1, 1.1], abs=0.002)


@pytest.mark.parametrize("drift", [0.001, -0.001])
def test_a_device_whose_clock_drifts_is_followed(
    tmp_path: Path, opened: Opens, drift: float
) -> None:
    track = opened(write_film(tmp_path / "a.mkv", 6), Onset(began_at=10.0))
    samples = heard(track, 10.0, 5.5, drift=drift)
    moments = np.array(clicks(samples)) * (1 + drift)
    assert moments.tolist() == pytest.approx([0, 1, 2, 3, 4, 5], abs=0.0025)


def test_what_comes_late_is_skipped(tmp_path: Path, opened: Opens) -> None:
    track = opened(write_film(tmp_path / "a.mkv", 4), Onset(began_at=10.0))
    assert clicks(heard(track, 10.0, 0.5)) == [0.0]
    track.add_to(np.zeros((BLOCK, 2), np.float32), 12.49, 12.44)
    samples = heard(track, 12.5, 1.0)
    assert clicks(samples) == pytest.approx([0.5], abs=0.002), "the clock went on meanwhile"


def test_a_decoder_that_is_late_leaves_silence_and_time_as_it_is(
    tmp_path: Path, opened: Opens, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(SoundTrack, "_read", lambda _: None)
    track = opened(write_film(tmp_path / "a.mkv"), Onset(began_at=0.0))
    out = np.zeros((BLOCK, 2), np.float32)
    track.add_to(out, 0.0, 0.0)
    assert not out.any()
    track._ready.append((0, np.ones((2 * BLOCK, 2), np.float32)))
    track.add_to(out, BLOCK / RATE, 0.0)
    assert (out == 1).all()
    track._container.close()


def test_nothing_is_heard_after_the_end(tmp_path: Path, opened: Opens) -> None:
    track = opened(write_film(tmp_path / "a.mkv"), Onset(began_at=0.0))
    track.until = 1.01
    samples = heard(track, 0.0, 1.9)
    assert clicks(samples) == pytest.approx([0.0, 1.0], abs=0.002)
    assert not samples[round(1.01 * RATE) + 1 :].any()


def test_a_long_sound_is_not_held_as_a_whole(tmp_path: Path, opened: Opens) -> None:
    track = opened(write_film(tmp_path / "a.mkv", 20), Onset(began_at=0.0))
    until_decoded(track, 0.8)
    time.sleep(0.2)
    assert sum(len(samples) for _, samples in track._ready) < 2.5 * RATE
    heard(track, 0.0, 5.0)
    assert sum(len(samples) for _, samples in track._ready) < 3.5 * RATE


def test_a_film_ends_its_sound_and_closes_it(tmp_path: Path) -> None:
    film = Film(write_film(tmp_path / "a.mkv"))
    track = SoundTrack(tmp_path / "a.mkv", RATE, 2, film.onset)
    film.take_sound(track)
    deadline = time.monotonic() + 10
    while not film._all_read:
        film.frame(5.0)
        assert time.monotonic() < deadline
    film.frame(5.0)
    assert track.until == pytest.approx(2.0, abs=0.001)
    film.close()
    assert not track._thread.is_alive()
    late = SoundTrack(tmp_path / "a.mkv", RATE, 2, film.onset)
    film.take_sound(late)
    assert not late._thread.is_alive()
    assert film.sound is track


def test_a_sound_that_breaks_off_is_told(
    tmp_path: Path, opened: Opens, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_track: SoundTrack, _resampler: object) -> None:
        raise ValueError("another form")

    monkeypatch.setattr(SoundTrack, "_decode", fail)
    track = opened(write_film(tmp_path / "a.mkv"), Onset(began_at=0.0))
    track._thread.join(5)
    assert track.problem == "its sound cannot be read after 0.0 s (another form)"


def test_it_is_known_beforehand_what_becomes_of_a_sound(
    tmp_path: Path, drawn: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write_film(tmp_path / "a.mkv")
    monkeypatch.setattr("importlib.util.find_spec", lambda name: name)
    assert sound_of(path) == PLAYED
    assert sound_of(drawn / "clip.mp4") == NO_TRACK
    assert sound_of(drawn / "puppy.png") == NO_TRACK
    (tmp_path / "b.mkv").write_bytes(b"nothing")
    assert sound_of(tmp_path / "b.mkv") == UNREADABLE
    monkeypatch.setattr(
        "importlib.util.find_spec", lambda name: None if name == "sounddevice" else name
    )
    assert sound_of(path) == NOT_INSTALLED
    monkeypatch.undo()
    monkeypatch.setitem(sys.modules, "av", None)
    assert sound_of(path) == NOT_INSTALLED


def test_a_file_that_changed_meanwhile_is_said(tmp_path: Path, drawn: Path) -> None:
    with pytest.raises(SourceError, match="cannot be read"):
        SoundTrack(tmp_path / "none.mkv", RATE, 2, Onset())
    with pytest.raises(SourceError, match="there is no sound in"):
        SoundTrack(drawn / "clip.mp4", RATE, 2, Onset())
